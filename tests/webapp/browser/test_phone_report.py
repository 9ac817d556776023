"""Reporting a hardship from a phone in the field: by thumb, without scripts, and with nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import pytest
from playwright.sync_api import Page
from sqlalchemy import select, text

from households.models.people import Person
from households.models.warnings import WarningReport
from tests.webapp.browser.conftest import PHONE, Site
from tests.webapp.warned import COVERED

LEAST_TARGET = 48
"""Pixels that a thumb hits without looking."""


@pytest.fixture
def somebody(site: Site) -> tuple[str, str]:
    """(village, name) of a covered head."""
    with site.web.database.reading() as session:
        person = session.get_one(Person, str(session.scalar(text(COVERED))))
        village = session.scalar(
            text(
                "SELECT village_code FROM household JOIN membership ON membership.household_id = household.id "
                "WHERE membership.person_id = :person"
            ),
            {"person": person.id},
        )
        content = orjson.loads(site.web.sealer.reveal("person", "sealed", person.id, person.sealed))
    return str(village), content["name"]


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def phone(request: pytest.FixtureRequest, site: Site, somebody: tuple[str, str]) -> Iterator[Page]:
    """A village officer's phone, with and without scripts."""
    context = site.context(
        "VILLAGE_OFFICER", somebody[0], viewport=PHONE, has_touch=True, java_script_enabled=request.param
    )
    yield context.new_page()
    context.close()


def test_a_village_officer_reports_by_thumb(phone: Page, site: Site, somebody: tuple[str, str]) -> None:
    phone.goto(f"{site.address}/warnings/report")
    phone.get_by_label("姓名").fill(somebody[1])
    phone.get_by_role("button", name="查找").tap()
    phone.locator("#found").wait_for()
    assert somebody[1] not in phone.url
    phone.locator("#found").get_by_role("link", name=somebody[1]).first.tap()
    phone.get_by_text("意外伤害").tap()
    phone.get_by_label("哪一天").fill(site.web.clock.at.date().isoformat())
    phone.get_by_label("大约花了").fill("3000")
    phone.get_by_role("button", name="上报").tap()
    phone.wait_for_url(re.compile(r"/warnings/[0-9a-f]{32}$"))
    assert "已上报" in (phone.locator("main").text_content() or "")
    case_id = phone.url.rsplit("/", 1)[1]
    with site.web.database.reading() as session:
        channels = set(session.scalars(select(WarningReport.channel).where(WarningReport.case_id == case_id)))
    assert channels == {"village"}


def test_every_target_of_the_forms_is_large_enough(site: Site, somebody: tuple[str, str]) -> None:
    for path in ("/warnings/report", "/warnings/report/unknown"):
        page = site.page(path, "VILLAGE_OFFICER", place=somebody[0], viewport=PHONE)
        sizes = page.eval_on_selector_all(
            ".touch-form :is(input:not([type=hidden], [type=radio]), select, textarea, button, .form-check), .touch-list a",
            "nodes => nodes.map(n => [n.textContent.trim() || n.name, n.getBoundingClientRect().height])",
        )
        assert len(sizes) > 2
        assert [(name, height) for name, height in sizes if height < LEAST_TARGET] == []
        page.context.close()
