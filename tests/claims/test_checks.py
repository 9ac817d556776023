"""Every check of rules.md §4 by itself, on both sides of its edge, in a household where all else is in order."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from claims.checks import GRAVITY
from tests.claims import model
from tests.claims.model_checks import GRAVITY as RULES
from tests.claims.tidy import (
    CHILD,
    EVENT,
    HEAD,
    NOTIFIED,
    WIFE,
    accident,
    decided,
    education,
    family,
    feeds_for,
    illness,
    income,
    reasons,
    results,
    world_of,
)
from tests.claims.worlds import FEED_NAMES, Row, id_number
from tests.policies.example import POLICY

BILL = "28345.67"
DAY = timedelta(1)
OLDER, LATER = EVENT - DAY, EVENT + DAY
STRANGER = id_number("19800101", 9)
BORN_ON_29_FEBRUARY = id_number("20120229", 7)


def on(event: date, **fields: Any) -> Row:
    """A bill of that day, notified the day after."""
    return illness("C1", BILL, event_on=event, **{"notified_on": event + DAY, **fields})


def roster(**changes: Any) -> list[Row]:
    """The family, of which the head's row is changed."""
    return [{**row, **(changes if row["id_number"] == HEAD else {})} for row in family()]


def test_in_the_tidy_household_nothing_fails() -> None:
    claims = [
        illness("C1", BILL),
        education("C2", "10000.00"),
        accident("C3", "medical", "500.00"),
        accident("C4", "property", "1000.00"),
        accident("C5", "disability", grade=10),
        accident("C6", "death", person=WIFE, accident_no="A2"),
        income("C7", "5000.00"),
    ]
    assert [(outcome, why) for outcome, _, why in results(*claims)] == [("approve", "")] * 7


@pytest.mark.parametrize("line", ["illness", "education", "accident", "income"])
def test_not_insured_and_line_not_in_policy_stand_alone(line: str) -> None:
    claims = [
        illness("C1", "50.00"),
        education("C1", "50.00"),
        income("C1", "50.00"),
        accident("C1", "medical"),
    ]
    claim = next(claim for claim in claims if claim["line"] == line)
    stranger = {**claim, "id_number": STRANGER, "evidence": [], "name": "某"}
    no_lines = POLICY[: POLICY.index("[lines.illness]")] + "[lines]\n"
    assert results(stranger) == [("reject", "0.00", "NOT_INSURED")]
    assert results({**claim, "evidence": []}, toml=no_lines) == [("reject", "0.00", "LINE_NOT_IN_POLICY")]
    assert reasons(stranger, toml=no_lines) == "NOT_INSURED"


def test_a_benefit_that_the_policy_does_not_have_is_named_by_the_listing() -> None:
    start = POLICY.index("[lines.accident.benefits.property]")
    toml = POLICY[:start] + POLICY[POLICY.index("[lines.income]") :]
    claim = accident("C1", "property", "1000.00")
    made = decided(world_of([claim], toml=toml))[0].decision
    assert (made.benefit, made.reasons) == ("property", ("LINE_NOT_IN_POLICY",))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (date(2019, 12, 31), "NOT_COVERED_AT_EVENT;OUTSIDE_POLICY_PERIOD;WAITING_PERIOD"),
        (date(2020, 1, 1), "WAITING_PERIOD"),
        (date(2020, 1, 30), "WAITING_PERIOD"),
        (date(2020, 1, 31), ""),  # 1 January + 30 days
        (date(2020, 12, 31), ""),
        (date(2021, 1, 1), "NOT_COVERED_AT_EVENT;OUTSIDE_POLICY_PERIOD"),
    ],
)
def test_period_cover_and_waiting_time(event: date, expected: str) -> None:
    assert reasons(on(event)) == expected


def test_cover_may_end_before_or_after_the_policy_and_a_renewal_does_not_wait() -> None:
    short = roster(cover_from=date(2020, 5, 1), cover_to=EVENT, renewal=True)
    assert [reasons(on(day), roster=short) for day in (date(2020, 5, 1), EVENT)] == ["", ""]
    assert reasons(on(EVENT + DAY), roster=short) == "NOT_COVERED_AT_EVENT"
    long = roster(cover_to=date(2021, 6, 30))
    assert reasons(on(date(2021, 1, 1)), roster=long) == "OUTSIDE_POLICY_PERIOD"


@pytest.mark.parametrize(
    ("event", "notified", "expected"),
    [
        (EVENT, EVENT - DAY, ""),  # an illness is rightly reported from the ward
        (EVENT, EVENT + 180 * DAY, ""),
        (EVENT, EVENT + 181 * DAY, "LATE_NOTICE"),
        (EVENT, date(2022, 6, 1), "LATE_NOTICE"),
        (EVENT, date(2022, 6, 2), "TIME_BARRED"),
        (date(2020, 2, 29), date(2022, 2, 28), "LATE_NOTICE"),
        (date(2020, 2, 29), date(2022, 3, 1), "TIME_BARRED"),
    ],
)
def test_notice_and_time_bar(event: date, notified: date, expected: str) -> None:
    assert reasons(on(event, notified_on=notified)) == expected


def test_only_an_accident_is_notified_after_it_happened() -> None:
    assert reasons(accident("C1", "medical", "500.00", notified_on=OLDER)) == "NOTICE_BEFORE_EVENT"
    assert reasons(accident("C1", "medical", "500.00", notified_on=EVENT)) == ""
    assert reasons(education("C1", "10000.00", notified_on=OLDER)) == ""


def test_a_name_is_the_rosters() -> None:
    assert reasons(illness("C1", BILL, name="李建囯")) == "NAME_MISMATCH"


def dead(person: str, *days: date) -> list[Row]:
    return [{"id_number": person, "died_on": day} for day in days]


def test_the_claimant_is_alive_on_the_day_of_the_event() -> None:
    bill = illness("C1", BILL, person=WIFE)
    assert reasons(bill, deaths=dead(WIFE, EVENT)) == ""
    assert reasons(bill, deaths=dead(WIFE, EVENT - DAY)) == "CLAIMANT_DECEASED"
    assert reasons(bill, deaths=dead(WIFE, EVENT, EVENT - DAY)) == "CLAIMANT_DECEASED"
    damage = accident("C1", "property", "1000.00", person=WIFE)
    assert reasons(damage, deaths=dead(WIFE, EVENT - DAY)) == ""
    assert reasons(income("C1", "5000.00", members=2), deaths=dead(WIFE, EVENT - DAY)) == ""


@pytest.mark.parametrize(
    ("event", "expected"), [(date(2020, 2, 28), "DEATH_COVER_LIMIT"), (date(2020, 2, 29), "")]
)
def test_death_is_covered_from_the_eighth_birthday(event: date, expected: str) -> None:
    people = [
        {**row, "id_number": BORN_ON_29_FEBRUARY} if row["id_number"] == CHILD else row for row in family()
    ]
    claim = accident("C1", "death", person=BORN_ON_29_FEBRUARY, name="李洋", event_on=event)
    assert reasons({**claim, "notified_on": date(2020, 3, 1)}, roster=people) == expected
    other = accident("C1", "disability", person=BORN_ON_29_FEBRUARY, name="李洋", event_on=event, grade=1)
    assert reasons({**other, "notified_on": date(2020, 3, 1)}, roster=people) == ""


def test_the_payee_is_the_claims_pair_or_the_households_pair() -> None:
    bill = illness("C1", BILL)
    pair = {"payee_account": "999", "payee_name": "王秀英"}
    assert reasons({**bill, **pair}) == ""
    for nothing in ({"account_no": None}, {"account_name": None}, {"relation": "其他"}):
        assert reasons(bill, roster=roster(**nothing)) == "NO_ACCOUNT"
        assert reasons({**bill, **pair}, roster=roster(**nothing)) == ""
        assert reasons({**bill, "payee_account": "999"}, roster=roster(**nothing)) == "NO_ACCOUNT"
    made = decided(world_of([{**bill, "payee_name": "张伟"}]))[0].decision
    assert (made.payee_account, made.payee_name, made.reasons) == ("6217001", "李建国", ())


def test_the_payee_is_alive_on_the_day_of_notice_and_of_the_family() -> None:
    bill = illness("C1", BILL, person=WIFE)
    assert reasons(bill, deaths=dead(HEAD, NOTIFIED + DAY)) == ""
    assert reasons(bill, deaths=dead(HEAD, NOTIFIED)) == "PAYEE_DECEASED"
    assert reasons({**bill, "payee_account": "6217001", "payee_name": "张伟"}) == "PAYEE_NOT_FAMILY"
    assert reasons(bill, roster=roster(account_name="张伟")) == "PAYEE_NOT_FAMILY"


def neighbours(*heads: tuple[str, str]) -> list[Row]:
    """The family, and another household whose rows are these (relation, account)."""
    other = family()[0]
    return family() + [
        {
            **other,
            "household_no": "H2",
            "id_number": id_number("19600101", 10 + n),
            "relation": relation,
            "account_no": account,
        }
        for n, (relation, account) in enumerate(heads)
    ]


def test_the_payees_account_is_no_other_heads() -> None:
    bill = illness("C1", BILL)
    assert reasons(bill, roster=neighbours(("户主", "6217001"))) == "SHARED_ACCOUNT"
    assert reasons(bill, roster=neighbours(("户主", "6217002"), ("其他", "6217001"))) == ""
    assert (
        reasons(bill, roster=neighbours(("户主", "6217002"), ("户主", "6217001"))) == ""
    )  # the first head counts
    pair = {"payee_account": "6217002", "payee_name": "王秀英"}
    assert reasons({**bill, **pair}, roster=neighbours(("户主", "6217002"))) == "SHARED_ACCOUNT"


def test_the_income_ceiling_is_compared_exactly() -> None:
    # 1.5 × 6,312 = 9,468; 28,345.67 ÷ 3 = 9,448.556…; 18,916.55 less that is 9,467.993…, 18,916.56 is 9,468.003…
    bill = illness("C1", BILL)
    assert reasons(bill, roster=roster(income_per_head=Decimal("18916.55"))) == ""
    assert reasons(bill, roster=roster(income_per_head=Decimal("18916.56"))) == "INCOME_ABOVE_CEILING"
    # members covered on that very day share the cost, dead or not; those who are not do not: a half is 14,172.835
    for cover, expected in (
        ({"cover_from": EVENT}, "INCOME_ABOVE_CEILING"),
        ({"cover_from": LATER}, ""),
        ({"cover_to": EVENT}, "INCOME_ABOVE_CEILING"),
        ({"cover_to": OLDER}, ""),
    ):
        people = roster(income_per_head=Decimal("18916.56"))
        people[-1] |= cover
        assert (
            reasons(bill, roster=people)
            == reasons(bill, roster=people, deaths=dead(CHILD, OLDER))
            == expected
        )
    # no member covered on that day counts as one: 37,813.67 − 28,345.67 = 9,468
    nobody = [
        {**row, "cover_from": EVENT + DAY, "renewal": True}
        for row in roster(income_per_head=Decimal("37813.67"))
    ]
    assert reasons(bill, roster=nobody) == "NOT_COVERED_AT_EVENT"
    nobody[0]["income_per_head"] = Decimal("37813.68")
    assert reasons(bill, roster=nobody) == "INCOME_ABOVE_CEILING;NOT_COVERED_AT_EVENT"


def test_papers_of_the_line_and_of_the_benefit_are_asked_for_and_each_missing_one_is_named() -> None:
    claim = accident("C1", "death", person=WIFE, evidence=["户口本"])
    made = decided(world_of([claim]))[0].decision
    assert made.reasons == ("MISSING_EVIDENCE",)
    assert [check[3]["missing"] for check in made.checks if check[0] == "MISSING_EVIDENCE"] == [
        ["身份证", "死亡证明"]
    ]
    assert reasons(accident("C1", "medical", "500.00", evidence=["身份证"])) == ""


def test_causes_and_levels() -> None:
    assert reasons(illness("C1", BILL, cause="整形美容")) == "EXCLUDED_CAUSE"
    assert reasons(income("C1", "5000.00", cause="懒")) == "CAUSE_NOT_COVERED"
    assert reasons(education("C1", "10000.00", level="高中")) == "LEVEL_NOT_COVERED"
    toml = POLICY.replace("levels =", 'excluded_causes = ["因灾减产"]\ncovered_causes = []\nlevels =')
    assert reasons(education("C1", "10000.00"), toml=toml) == ""  # a line without a cause fails neither


def test_a_drunken_driver_is_excluded_where_any_row_says_so() -> None:
    claim = accident("C1", "medical", "500.00", cause="交通事故")
    row = {"accident_no": "A1", "id_number": HEAD, "occurred_on": EVENT, "drunk": False}
    assert reasons(claim, accidents=[row]) == ""
    assert reasons(claim, accidents=[row, {**row, "drunk": True}]) == "EXCLUDED_CAUSE"
    assert reasons(claim, accidents=[row, {**row, "drunk": True, "id_number": WIFE}]) == ""
    fall = {**claim, "cause": "跌落"}
    assert reasons(fall, accidents=[{**row, "drunk": True}]) == reasons(fall, accidents=None) == ""
    assert reasons(claim, accidents=None) == "NO_DATA"


def test_a_document_is_used_once_by_a_person_and_by_no_other() -> None:
    first = illness("C1", "9000.00", document_no="D")
    assert reasons(first, illness("C2", BILL, document_no="D")) == "DUPLICATE_CLAIM"
    assert reasons(first, illness("C2", BILL, person=WIFE, document_no="D")) == "INVOICE_REUSED"
    stranger = {**first, "id_number": STRANGER}
    assert reasons(stranger, illness("C2", BILL, document_no="D")) == "INVOICE_REUSED"
    assert reasons(first, stranger, illness("C3", BILL, document_no="D")) == "DUPLICATE_CLAIM;INVOICE_REUSED"
    assert reasons(first, education("C2", "10000.00", document_no="D")) == ""
    doctor = accident("C1", "medical", "500.00", document_no="D")
    assert reasons(doctor, accident("C2", "property", "1000.00", document_no="D")) == ""  # another benefit
    other = accident("C2", "property", "1000.00", person=WIFE, document_no="D")
    assert reasons(doctor, other) == "INVOICE_REUSED"  # the same line
    nothing = [accident(name, "medical", "500.00", document_no=None) for name in ("C1", "C2")]
    assert reasons(*nothing) == ""
    later = illness("C0", BILL, document_no="D", notified_on=NOTIFIED + DAY)
    assert reasons(first, later) == "DUPLICATE_CLAIM"  # the order is that of notice, not of the sheet


def feed_row(claim: Row, feed: str, **changes: Any) -> list[Row]:
    rows = feeds_for([claim])[feed]
    assert rows
    return [{**rows[0], **changes}]


def test_the_departments_row_of_an_illness() -> None:
    paid = [Decimal(text) for text in ("100.00", "20.00", "3.00", "7.00")]
    claim = illness("C1", BILL, basic=paid[0], major=paid[1], aid=paid[2], other=paid[3])
    for changes, expected in (
        ({"basic": Decimal("0.00"), "aid": Decimal("103.00")}, ""),  # the same burden
        ({"total": Decimal("28345.68")}, "FEED_MISMATCH"),
        ({"settled_on": LATER}, "FEED_MISMATCH"),
        ({"document_no": "E"}, "NOT_IN_FEED"),
        ({"id_number": WIFE}, "NOT_IN_FEED"),
    ):
        wrong = feed_row(claim, "medical", **changes)
        assert reasons(claim, medical=wrong) == expected
        assert reasons(claim, medical=wrong + feed_row(claim, "medical")) == ""  # one that agrees is enough
    halves = feed_row(claim, "medical", settled_on=LATER) + feed_row(claim, "medical", total=Decimal("1.00"))
    assert reasons(claim, medical=halves) == "FEED_MISMATCH"
    assert reasons(claim, medical=None) == "NO_DATA"


def test_the_departments_row_of_a_student() -> None:
    claim = education("C1", "10000.00")
    for changes, expected in (
        ({"level": "大专"}, "FEED_MISMATCH"),
        ({"status": "休学"}, "NOT_IN_FEED"),
        ({"academic_year": "2020-2021"}, "NOT_IN_FEED"),
    ):
        wrong = feed_row(claim, "education", **changes)
        assert reasons(claim, education=wrong) == expected
        assert reasons(claim, education=wrong + feed_row(claim, "education")) == ""
    assert reasons(claim, education=None) == "NO_DATA"


def test_a_death_on_the_road_is_looked_up_in_both_feeds() -> None:
    claim = accident("C1", "death", person=WIFE, cause="交通事故")
    row = {"accident_no": "A1", "id_number": WIFE, "occurred_on": EVENT, "drunk": False}
    for days, expected in (
        (0, ""),
        (180, ""),
        (181, "FEED_MISMATCH"),
        (-1, "CLAIMANT_DECEASED;FEED_MISMATCH"),
    ):
        assert reasons(claim, accidents=[row], deaths=dead(WIFE, EVENT + days * DAY)) == expected
    two = dead(WIFE, EVENT + 200 * DAY, EVENT + 100 * DAY)
    assert reasons(claim, accidents=[row], deaths=two) == ""
    other_day = [{**row, "occurred_on": OLDER}]
    assert reasons(claim, accidents=other_day, deaths=[]) == "FEED_MISMATCH;NOT_IN_FEED"
    assert reasons(claim, accidents=[], deaths=None) == "NOT_IN_FEED;NO_DATA"


def test_no_data_is_said_of_the_feeds_that_the_claim_looks_into() -> None:
    everywhere = {
        "deaths",
        "officials",
        "deposits",
        "machinery",
        "housing",
        "vehicles",
        "companies",
        "payroll",
        "kin",
    }
    own = {
        "illness": {"medical"},
        "education": {"education"},
        "income": set(),
        "fall": set(),
        "road": {"accidents"},
    }
    claims = {
        "illness": illness("C1", BILL),
        "education": education("C1", "10000.00"),
        "income": income("C1", "5000.00"),
        "fall": accident("C1", "medical", "500.00"),
        "road": accident("C1", "medical", "500.00", cause="交通事故"),
    }
    accidents = [{"accident_no": "A1", "id_number": HEAD, "occurred_on": EVENT, "drunk": False}]
    bare = POLICY[: POLICY.index("[reverse_standards]")] + POLICY[POLICY.index("[lines.illness]") :]
    for name, claim in claims.items():
        for feed in FEED_NAMES:
            feeds: dict[str, Any] = {"accidents": accidents, feed: None}
            expected = "NO_DATA" if feed in everywhere | own[name] else ""
            assert reasons(claim, **feeds) == expected
            expected = "NO_DATA" if feed in {"deaths", "officials"} | own[name] else ""
            assert reasons(claim, toml=bare, **feeds) == expected


def test_the_members_of_an_income_claim_are_covered_and_alive_on_its_day() -> None:
    assert reasons(income("C1", "5000.00", members=4)) == "MEMBERS_MISMATCH"
    assert reasons(income("C1", "5000.00"), deaths=dead(WIFE, EVENT)) == ""
    assert reasons(income("C1", "5000.00"), deaths=dead(WIFE, OLDER)) == "MEMBERS_MISMATCH"
    assert reasons(income("C1", "5000.00"), deaths=None) == "NO_DATA"
    away = [{**row, "cover_to": OLDER} if row["id_number"] == CHILD else row for row in family()]
    assert reasons(income("C1", "5000.00", members=2), roster=away) == ""


def test_every_check_has_a_gravity_and_the_table_is_the_rules() -> None:
    assert {code: gravity for code, gravity in GRAVITY.items() if gravity != "amount"} == RULES
    assert {code for code, gravity in GRAVITY.items() if gravity == "amount"} == set(model.AMOUNT_REASONS)
