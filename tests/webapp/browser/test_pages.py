"""Pages as people meet them: accessible in light and dark, wide and narrow; by keyboard; with scripts off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from tests.webapp.browser.conftest import PHONE, ROOT, WIDE, Site
from tests.webapp.comparisons import two_runs
from tests.webapp.recognised import proposed_spell
from tests.webapp.waiting_feed import waiting_feed
from tests.webapp.warned import a_warning

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

PAGES = [
    ("/sign-in", None),
    ("/", "CLAIM_OFFICER"),
    ("/", "LEADING_GROUP"),
    ("/account", "ADJUDICATOR"),
    ("/claims", "CLAIM_OFFICER"),
    ("/claims/{claim}", "CLAIM_OFFICER"),
    ("/claims/{refused}", "AUDITOR"),
    ("/packs", "CLAIM_OFFICER"),
    ("/feeds", "CENTER_LEAD"),
    ("/feeds/medical", "DEPARTMENT"),
    ("/feed-uploads/{feed}", "DEPARTMENT"),
    ("/standards", "CENTER_CERTIFIER"),
    ("/standards/2020", "CENTER_LEAD"),
    ("/standards/new", "CENTER_LEAD"),
    ("/households", "CENTER_CERTIFIER"),
    ("/households/{home}", "CENTER_CERTIFIER"),
    ("/households/{home}/as-of", "AUDITOR"),
    ("/households/{home}/change", "TOWN_REVIEWER"),
    ("/households/{home}/change/split", "TOWN_REVIEWER"),
    ("/households/{home}/change/add", "VILLAGE_OFFICER"),
    ("/proposals", "CENTER_LEAD"),
    ("/registry-tasks", "CLAIM_OFFICER"),
    ("/warnings", "CENTER_CERTIFIER"),
    ("/warnings/{warning}", "TOWN_REVIEWER"),
    ("/warnings/{warning}/form", "CLAIM_OFFICER"),
    ("/warnings/report", "VILLAGE_OFFICER"),
    ("/warnings/report/{warned}", "TOWN_REVIEWER"),
    ("/warnings/report/unknown", "CLAIM_OFFICER"),
    ("/recognitions", "TOWN_REVIEWER"),
    ("/recognitions/{spell}", "CENTER_LEAD"),
    ("/recognitions/new?household_id={home}", "TOWN_REVIEWER"),
    ("/ledgers/identification", "CENTER_LEAD"),
    ("/ledgers/support", "AUDITOR"),
    ("/comparison", "CENTER_CERTIFIER"),
    ("/comparison", "AUDITOR"),
    ("/comparison/{compared}", "CENTER_LEAD"),
    ("/comparison/{compared}?kind=record", "AUDITOR"),
    ("/comparison/{again}/households/{hit}", "CENTER_CERTIFIER"),
    ("/comparison/{again}/differences", "CLAIM_OFFICER"),
    ("/households/{hit}/clearance", "TOWN_REVIEWER"),
    ("/certificates", "TOWN_REVIEWER"),
    ("/payments", "FIN_MAKER"),
    ("/payments/{batch}", "FIN_CHECKER"),
    ("/documents", "AUDITOR"),
    ("/staff", "SEC_ADMIN"),
    ("/staff/waiting", "SEC_ADMIN"),
    ("/staff/demo-person-2", "SEC_ADMIN"),
    ("/account/tokens", "AUDITOR"),
    ("/account/step-up", "FIN_RELEASER"),
    ("/keys", "SEC_ADMIN"),
    ("/retention", "SEC_ADMIN"),
    ("/retention?as_of=2055-01-01", "AUDITOR"),
    ("/jobs", "SYS_ADMIN"),
    ("/trail", "AUDITOR"),
    ("/trail?person=nobody", "SEC_ADMIN"),
    ("/trail/blocks", "LOG_ADMIN"),
    ("/trail/events/{event}", "AUDITOR"),
    ("/trail/cases/{claim}", "AUDITOR"),
    ("/consents", "CLAIM_OFFICER"),
    ("/consents/2021-11/applicant", "CLAIM_OFFICER"),
    ("/consents/2021-11/guardian", "TOWN_REVIEWER"),
    ("/assessments", "SEC_ADMIN"),
    ("/assessments/sensitive_data", "SEC_ADMIN"),
    ("/exports", "CENTER_LEAD"),
    ("/access", "SEC_ADMIN"),
    ("/access?part=alerts", "AUDITOR"),
]
"""Address, and who looks at it."""


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, str]:
    with site.web.database.transaction() as session:
        spell = proposed_spell(session, site.web.sealer)
        feed = waiting_feed(session, site.web.sealer)
        warning, warned = a_warning(session, site.web.sealer)
        compared, again, hit = two_runs(session, site.web.sealer, site.web.clock.at)
    with site.web.database.reading() as session:
        return {
            "claim": str(
                session.scalar(text("SELECT claim_id FROM determination WHERE outcome = 'approve' LIMIT 1"))
            ),
            "refused": str(
                session.scalar(text("SELECT claim_id FROM determination WHERE outcome = 'reject' LIMIT 1"))
            ),
            "batch": str(session.scalar(text("SELECT id FROM batch LIMIT 1"))),
            "spell": spell,
            "warning": warning,
            "warned": warned,
            "feed": feed,
            "compared": compared,
            "again": again,
            "hit": hit,
            "home": str(session.scalar(text("SELECT household_id FROM recognition LIMIT 1"))),
            "event": str(session.scalar(text("SELECT max(event_id) FROM trail_leaf"))),
        }


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1366", "390"])
@pytest.mark.parametrize(("path", "role"), PAGES, ids=[f"{path} {role}" for path, role in PAGES])
def test_page_is_accessible(
    site: Site, ids: dict[str, str], path: str, role: str | None, size: dict[str, int], scheme: str
) -> None:
    page = site.page(path.format(**ids), role, viewport=size, color_scheme=scheme)
    assert violations(page) == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, "the page scrolls sideways"
    page.context.close()


@pytest.mark.parametrize(("path", "role"), PAGES, ids=[f"{path} {role}" for path, role in PAGES])
def test_page_loads_without_a_complaint_of_the_browser(
    site: Site, ids: dict[str, str], path: str, role: str | None
) -> None:
    context = site.context(role)
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(request.url))
    page.goto(site.address + path.format(**ids))
    page.wait_for_load_state("networkidle")
    context.close()
    assert said == []


@pytest.mark.parametrize(("path", "role"), PAGES, ids=[f"{path} {role}" for path, role in PAGES])
def test_english_page_holds_no_chinese_of_ours(
    site: Site, ids: dict[str, str], path: str, role: str | None
) -> None:
    """People's and places' names and the policy's own words stay as they are; labels, buttons and headings do not."""
    context = site.context(role)
    context.add_cookies([{"name": "fangpin_language", "value": "en", "url": site.address}])
    page = context.new_page()
    page.goto(site.address + path.format(**ids))
    words = page.eval_on_selector_all(
        "nav a, button, label, th[scope=col], h2, dt, legend, summary, .alert",
        """nodes => nodes.filter(n => !n.closest('[data-own-words]')).map(n => {
            const copy = n.cloneNode(true);
            copy.querySelectorAll('[data-own-words]').forEach(own => own.remove());
            return copy.textContent.trim();
        })""",
    )
    context.close()
    chinese = [word for word in words if re.search("[\u3400-\u9fff]", word.replace("中文", ""))]
    assert chinese == []
    assert words


def test_everything_on_the_claims_list_is_reached_by_keyboard(site: Site) -> None:
    page = site.page("/claims", "CLAIM_OFFICER")
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        where = page.evaluate(
            "() => { const n = document.activeElement; return n === document.body ? '' : n.outerHTML.slice(0, 300) }"
        )
        if not where:
            break
        reached.add(where)
    wanted = page.eval_on_selector_all(
        "a[href], button, input:not([type=hidden]), select, summary",
        "nodes => nodes.filter(n => n.checkVisibility()).map(n => n.outerHTML.slice(0, 300))",
    )
    assert set(wanted) <= reached
    page.context.close()


def test_skip_link_leads_to_the_content(site: Site) -> None:
    page = site.page("/claims", "CLAIM_OFFICER")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") != ""
    assert page.evaluate("document.querySelector(location.hash) !== null")
    page.context.close()


def test_switching_the_language_works_with_scripts_off(site: Site) -> None:
    page = site.page("/", "CLAIM_OFFICER", java_script_enabled=False)
    assert page.get_by_role("link", name="理赔案件").first.is_visible()
    page.get_by_role("button", name="English").first.click()
    assert page.get_by_role("link", name="Claims").first.is_visible()
    page.context.close()


def test_signing_out_works_with_scripts_off_and_the_back_button_shows_nothing(site: Site) -> None:
    page = site.page("/claims", "CLAIM_OFFICER", java_script_enabled=False)
    page.locator("summary").last.click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in*")
    page.get_by_role("button", name="登录").wait_for()
    page.go_back()
    assert "/sign-in" in page.url
    page.context.close()


def test_dark_theme_of_the_system_is_followed(site: Site) -> None:
    light = site.page("/sign-in", color_scheme="light")
    dark = site.page("/sign-in", color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert light.evaluate(colour) != dark.evaluate(colour)
    light.context.close()
    dark.context.close()
