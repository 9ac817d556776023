"""The claim page: everything that a decision rests on, once, in both languages, masked, and only within one's place."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from claims.case_view import heading
from claims.models import DecisionRow
from claims.terms import REASON_NAMES
from claims.wording import explain
from foundation.masking import Audience, account_for, id_number_for
from foundation.staff.models import StaffMember
from foundation.trail.events import Change, record
from foundation.web.language import typeset
from households.models import HouseholdRow
from payments.models import Payment
from policies.policy import Policy
from policies.queries import policy_by_id
from tests.claims.desk import (
    Known,
    actor,
    add_copies,
    counted_statements,
    known_claims,
    one,
    open_review,
    two_towns,
)
from tests.webapp.conftest import Web, post


def shown(client: FlaskClient, claim_id: str) -> str:
    answer = client.get(f"/claims/{claim_id}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def words_of(page: str) -> str:
    """The text of a page without its tags, white space made one."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def part(page: str, name: str) -> str:
    """One card of the page."""
    found = re.search(f'<section class="card[^"]*" id="{name}".*?</section>', page, re.S)
    assert found, f"the page has no part {name}"
    return found[0]


def policy_of(county: Web, claim: Known) -> Policy:
    with county.database.reading() as session:
        query = select(DecisionRow.policy_id).where(DecisionRow.claim_id == claim.id)
        return policy_by_id(session, str(session.scalars(query).first()))


# --- what stands on it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["approve", "reject", "supplement", "refer"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_prints_every_check_and_line_of_the_record(county: Web, outcome: str, language: str) -> None:
    claim = one(county, outcome=outcome)
    client = county.sign_in("CLAIM_OFFICER")
    client.set_cookie("fangpin_language", language, domain="localhost")
    page = shown(client, claim.id)
    words = explain(policy_of(county, claim), claim.facts, claim.decision, language)
    printed = typeset if language == "zh" else heading
    checks = part(page, "checks")
    assert checks.count("<tr>") == len(claim.decision.checks) + 1
    for check in words.checks:
        assert printed(check.title) in words_of(checks)
        assert " ".join(printed(check.sentence).split()) in words_of(checks)
        assert check.clause in words_of(checks)
    for line in words.calculation:
        assert " ".join(printed(line.text).split()) in words_of(part(page, "calculation"))
        assert line.clause in words_of(page)
    decision = words_of(part(page, "decision"))
    for code in claim.decision.reasons:
        assert heading(REASON_NAMES[code][0 if language == "zh" else 1]) in decision
    fen = claim.decision.payable_fen
    assert f"{fen // 100:,}.{fen % 100:02d}" in decision
    assert claim.decision.policy_fingerprint in decision


def test_failed_checks_come_first(county: Web) -> None:
    claim = next(
        c for c in known_claims(county) if len(c.decision.reasons) > 1 and len(c.decision.checks) > 10
    )
    results = re.findall(
        r"(未通过|无数据|通过)</span>", part(shown(county.sign_in("CLAIM_OFFICER"), claim.id), "checks")
    )
    order = ["未通过", "无数据", "通过"]
    assert results == sorted(results, key=order.index)
    assert results[0] == "未通过"


def test_page_shows_the_household_masked(county: Web) -> None:
    claim = next(c for c in known_claims(county) if c.facts.household and c.decision.payee_account)
    household, account = claim.facts.household, claim.decision.payee_account
    assert household and account
    page = shown(county.sign_in("CLAIM_OFFICER"), claim.id)
    card = words_of(part(page, "household"))
    for member in household.members:
        assert member.name in card
        assert id_number_for(Audience.OFFICER, member.id_number) in card
        assert member.id_number not in page
    assert account_for(Audience.OFFICER, account) in card
    assert account not in page
    assert card.count("申请人") >= 2  # named, and marked among the members


def test_missing_papers_are_marked(county: Web) -> None:
    claim = one(county, outcome="supplement")
    inputs = next(i for code, _, _, i in claim.decision.checks if code == "MISSING_EVIDENCE")
    papers = words_of(part(shown(county.sign_in("CLAIM_OFFICER"), claim.id), "papers"))
    for paper in inputs["asked"]:
        assert f"{'✕ 缺' if paper in inputs['missing'] else '✓ 已收'} {paper}" in papers


def test_a_person_outside_the_roster_is_shown_with_the_one_check(county: Web) -> None:
    claim = next(c for c in known_claims(county) if c.decision.reasons == ("NOT_INSURED",))
    page = shown(county.sign_in("CLAIM_OFFICER"), claim.id)
    assert "此人不在参保名册内" in page
    assert "其余各项未核验" in page
    assert 'id="calculation"' not in page


def test_what_earlier_claims_used_is_shown_with_the_caps(county: Web) -> None:
    claim = next(c for c in known_claims(county) if c.facts.used.household_fen)
    used = claim.facts.used.household_fen
    calculation = words_of(part(shown(county.sign_in("CLAIM_OFFICER"), claim.id), "calculation"))
    assert f"户限额（保单年度） 150,000.00 {used // 100:,}.{used % 100:02d}" in calculation


def test_other_claims_of_the_household_are_linked(county: Web) -> None:
    claim = one(county, state="review")
    copy = add_copies(county, claim, "SISTER", 1)[0]
    client = county.sign_in("CLAIM_OFFICER")
    assert f'href="/claims/{copy}"' in part(shown(client, claim.id), "others")
    assert f'href="/claims/{claim.id}"' in part(shown(client, copy), "others")


def test_a_determined_claim_shows_its_payment_documents_and_persons(county: Web) -> None:
    claim = one(county, state="approved")
    with county.database.transaction() as session:
        for person, name in (("demo-person-1", "王理赔"), ("demo-person-2", "赵核赔")):
            if session.get(StaffMember, person) is None:
                session.add(StaffMember(id=person, name=name, created_at=county.clock.at))
            session.flush()
        names = {row.id: row.name for row in session.scalars(select(StaffMember))}
    page = shown(county.sign_in("CLAIM_OFFICER"), claim.id)
    decision = words_of(part(page, "decision"))
    assert names["demo-person-1"] in decision
    assert names["demo-person-2"] in decision
    with county.database.reading() as session:
        reference = session.scalars(
            select(Payment.reference).where(Payment.amount_fen == claim.decision.payable_fen)
        ).all()
    paid = words_of(part(page, "payments"))
    assert any(text in paid for text in reference)
    course = words_of(part(page, "course"))
    for happening in ("受理入库", "系统审核", "理赔员建议", "核定", "应付赔款入账", "批次复核", "送交银行"):
        assert happening in course
    assert course.index("受理入库") < course.index("理赔员建议") < course.index("送交银行")


def test_documents_are_downloaded_by_post(county: Web) -> None:
    client = county.sign_in("CLAIM_OFFICER")
    for claim in known_claims(county):
        found = re.search(r'action="(/documents/[0-9a-f]{32})"', shown(client, claim.id))
        if found:
            answer = post(client, found[1])
            assert answer.status_code == 200
            assert answer.data.startswith(b"%PDF-")
            return
    pytest.fail("no claim has a document")


def test_an_event_that_nobody_has_words_for_shows_its_name(county: Web) -> None:
    claim = one(county, state="review")
    with county.database.transaction() as session:
        change = Change("claim.teleported", "claim", claim.id)
        record(session, actor(), county.clock.at, [change])
    course = words_of(part(shown(county.sign_in("CLAIM_OFFICER"), claim.id), "course"))
    assert "Claim.teleported" in course or "claim.teleported" in course


# --- decisions and reviews -------------------------------------------------------------------------------------------


def test_a_review_says_what_has_changed_and_the_determined_decision_stays(county: Web) -> None:
    claim = one(county, state="approved")
    checks = tuple(
        (code, False if code == "MEMBERS_MISMATCH" or code == "LATE_NOTICE" else result, clause, inputs)
        for code, result, clause, inputs in claim.decision.checks
    )
    newer = replace(
        claim.decision, outcome="refer", payable_fen=123_45, reasons=("LATE_NOTICE",), checks=checks
    )
    open_review(county, claim, newer)
    page = shown(county.sign_in("CLAIM_OFFICER"), claim.id)
    text = words_of(page)
    fen = claim.decision.payable_fen
    assert "复查：按新数据结论不同" in text.replace(" ", "")
    assert f"应付金额：{fen // 100:,}.{fen % 100:02d} 元 → 123.45 元" in text
    assert "新增原因" in text
    assert f"¥{fen // 100:,}.{fen % 100:02d}" in words_of(part(page, "decision")).replace("¥ ", "¥")
    assert "据此核定，本页所示" in words_of(part(page, "decisions"))


def test_a_claim_under_review_shows_its_newest_decision(county: Web) -> None:
    claim = one(county, state="review")
    identity = add_copies(county, claim, "NEWER", 1)[0]
    copy = next(c for c in known_claims(county) if c.id == identity)
    newer = replace(copy.decision, outcome="reject", payable_fen=0, reasons=("BELOW_LINE",))
    open_review(county, copy, newer)
    page = shown(county.sign_in("CLAIM_OFFICER"), identity)
    assert "✕ 拒赔" in words_of(part(page, "decision"))
    assert "最新，本页所示" in words_of(part(page, "decisions"))


# --- names that are long, rare or mean ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("𠮷田丽", "𠮷田丽"),
        ('"onmouseover="x', "&#34;onmouseover=&#34;x"),
    ],
)
def test_names_are_printed_as_they_are_and_never_as_markup(county: Web, name: str, printed: str) -> None:
    identity = add_copies(county, one(county, state="review"), "NAMED", 1, name=name)[0]
    client = county.sign_in("CLAIM_OFFICER")
    for page in (
        shown(client, identity),
        client.get("/claims?number=NAMED").get_data(as_text=True),
        post(client, "/claims/find", name=name).get_data(as_text=True),
    ):
        assert printed in page
        assert name == printed or name not in page


def test_a_name_of_5000_characters_is_cut_where_space_is_short_and_whole_once(county: Web) -> None:
    name = "赵" * 5000
    identity = add_copies(county, one(county, state="review"), "LONG", 1, name=name)[0]
    client = county.sign_in("CLAIM_OFFICER")
    assert "赵" * 60 not in client.get("/claims?number=LONG").get_data(as_text=True)
    page = shown(client, identity)
    assert name in part(page, "household")
    heading_of_page = re.search("<h1>(.*?)</h1>", page, re.S)
    assert heading_of_page and len(heading_of_page[1]) < 100


# --- who may see what ------------------------------------------------------------------------------------------------


def test_attack_19_a_claim_of_another_town_is_not_there(county: Web) -> None:
    mine, theirs = two_towns(county)
    for place, role in (
        ((mine.village_code or "")[:9], "TOWN_REVIEWER"),
        (mine.village_code or "", "VILLAGE_OFFICER"),
    ):
        client = county.sign_in(role, place=place)
        shown(client, mine.id)
        there, nowhere = client.get(f"/claims/{theirs.id}"), client.get(f"/claims/{'0' * 32}")
        assert there.status_code == nowhere.status_code == 404
        assert _same(there) == _same(nowhere)


def _same(answer: Any) -> str:
    """A page without what differs on every request."""
    return re.sub(r"[0-9a-f]{12,}", "", answer.get_data(as_text=True))


def test_attack_19_a_stranger_to_the_roster_is_the_countys(county: Web) -> None:
    stranger = next(claim for claim in known_claims(county) if claim.village_code is None)
    shown(county.sign_in("CLAIM_OFFICER"), stranger.id)
    place = (two_towns(county)[0].village_code or "")[:9]
    assert county.sign_in("TOWN_REVIEWER", place=place).get(f"/claims/{stranger.id}").status_code == 404


def test_attack_29_old_links_of_a_transferred_village_officer_are_dead_at_once(county: Web) -> None:
    mine, theirs = two_towns(county)
    before = county.sign_in("VILLAGE_OFFICER", place=mine.village_code or "", person="officer-1")
    shown(before, mine.id)
    after = county.sign_in("VILLAGE_OFFICER", place=theirs.village_code or "", person="officer-1")
    assert after.get(f"/claims/{mine.id}").status_code == 404
    shown(after, theirs.id)


def test_attack_29_a_household_that_moves_takes_its_claims_along(county: Web) -> None:
    mine, theirs = two_towns(county)
    old = county.sign_in("VILLAGE_OFFICER", place=mine.village_code or "")
    new = county.sign_in("VILLAGE_OFFICER", place=theirs.village_code or "")
    shown(old, mine.id)
    with county.database.transaction() as session:
        session.execute(
            update(HouseholdRow)
            .where(HouseholdRow.id == mine.household_id)
            .values(village_code=theirs.village_code)
        )
    assert old.get(f"/claims/{mine.id}").status_code == 404
    shown(new, mine.id)


@pytest.mark.parametrize("role", ["FIN_MAKER", "SYS_ADMIN", "SEC_ADMIN"])
def test_finance_and_administrators_open_no_claim(county: Web, role: str) -> None:
    claim = known_claims(county)[0]
    client = county.sign_in(role)
    assert client.get(f"/claims/{claim.id}").status_code == 403
    assert client.get("/claims").status_code == 403


def test_a_diagnosis_is_for_those_who_decide(county: Web) -> None:
    claim = next(
        c
        for c in known_claims(county)
        if c.facts.claim.line == "illness" and c.facts.claim.cause and c.village_code
    )
    cause = str(claim.facts.claim.cause)
    assert cause in words_of(part(shown(county.sign_in("ADJUDICATOR"), claim.id), "said"))
    for client in (
        county.sign_in("AUDITOR"),
        county.sign_in("TOWN_REVIEWER", place=(claim.village_code or "")[:9]),
        county.sign_in("VILLAGE_OFFICER", place=claim.village_code or ""),
    ):
        page = shown(client, claim.id)
        assert cause not in page
        assert "按权限不显示" in page


def test_an_excluded_diagnosis_stays_hidden_in_its_check(county: Web) -> None:
    claim = next(
        c
        for c in known_claims(county)
        if "EXCLUDED_CAUSE" in c.decision.reasons and c.facts.claim.line == "illness"
    )
    cause = str(claim.facts.claim.cause)
    assert cause in shown(county.sign_in("CLAIM_OFFICER"), claim.id)
    assert cause not in shown(county.sign_in("AUDITOR"), claim.id)


def test_a_grade_of_disability_is_for_those_who_decide(county: Web) -> None:
    claim = next(
        c for c in known_claims(county) if c.decision.calculation and c.facts.claim.benefit == "disability"
    )
    graded = f"× {claim.facts.claim.grade} 级比例"
    page = shown(county.sign_in("ADJUDICATOR"), claim.id)
    assert graded in words_of(part(page, "calculation"))
    assert "伤残等级" in words_of(part(page, "said"))
    for client in (
        county.sign_in("AUDITOR"),
        county.sign_in("VILLAGE_OFFICER", place=claim.village_code or "370323"),
    ):
        page = shown(client, claim.id)
        assert "级比例" not in page
        assert "伤残等级" not in page
        assert "定额给付" in words_of(part(page, "calculation"))


# --- cost ------------------------------------------------------------------------------------------------------------


def test_statements_do_not_grow_with_what_is_on_the_page(county: Web) -> None:
    claim = one(county, state="approved")
    client = county.sign_in("CLAIM_OFFICER")
    with counted_statements(county) as before:
        shown(client, claim.id)
    for amount in (1_00, 2_00, 3_00):
        open_review(county, claim, replace(claim.decision, payable_fen=amount))
    add_copies(county, claim, "SISTER", 30)
    with counted_statements(county) as after:
        shown(client, claim.id)
    assert len(before) == len(after) <= 20
