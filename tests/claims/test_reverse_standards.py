"""The reverse standards 反向标准, their clearances, and the kin of officials (rules.md §4)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.claims.tidy import CHILD, EVENT, NOTIFIED, WIFE, illness, reasons
from tests.claims.worlds import Row, id_number
from tests.policies.example import POLICY

DAY = timedelta(1)
OLDER, LATER, FIVE_YEARS = EVENT - DAY, EVENT + DAY, EVENT.replace(year=EVENT.year - 5)
STRANGER = id_number("19800101", 9)

SOLD: list[tuple[str, Row, list[Row]]] = [
    (
        "deposits",
        {"amount": Decimal("50000.00"), "as_of": EVENT},
        [{"amount": Decimal("49999.99")}, {"as_of": LATER}],
    ),
    (
        "machinery",
        {"price": Decimal("50000.00"), "registered_on": EVENT},
        [{"price": Decimal("49999.99")}, {"registered_on": LATER}],
    ),
    ("housing", {"use": "商品住宅", "registered_on": EVENT}, [{"use": "商铺"}, {"registered_on": LATER}]),
    ("housing", {"use": "商品住宅", "registered_on": FIVE_YEARS}, [{"registered_on": FIVE_YEARS - DAY}]),
    (
        "vehicles",
        {"price": Decimal("100000.00"), "registered_on": EVENT},
        [{"price": Decimal("99999.99")}, {"registered_on": LATER}],
    ),
    (
        "companies",
        {"capital": Decimal("100000.00"), "status": "存续", "founded_on": EVENT},
        [{"capital": Decimal("99999.99")}, {"founded_on": LATER}, {"status": "注销"}],
    ),
    ("payroll", {"from_date": EVENT, "to_date": EVENT}, [{"from_date": LATER, "to_date": LATER}]),
    ("payroll", {"from_date": OLDER, "to_date": None}, [{"to_date": OLDER}, {"from_date": LATER}]),
]
"""Of each feed a row that hits just so, and what makes it miss."""

CODES = {
    "deposits": ("REVERSE_DEPOSIT", "存款"),
    "machinery": ("REVERSE_MACHINERY", "农机具"),
    "housing": ("REVERSE_HOUSING", "商品房"),
    "vehicles": ("REVERSE_VEHICLE", "车辆"),
    "companies": ("REVERSE_COMPANY", "企业"),
    "payroll": ("REVERSE_PAYROLL", "财政供养"),
}


@pytest.mark.parametrize(("feed", "hit", "misses"), SOLD)
def test_a_reverse_standard_hits_a_member_and_a_clearance_answers_it(
    feed: str, hit: Row, misses: list[Row]
) -> None:
    bill, (code, matter) = illness("C1", "28345.67"), CODES[feed]
    hit = {"id_number": CHILD, **hit}
    assert reasons(bill, **{feed: [hit]}) == code
    for miss in (*misses, {"id_number": STRANGER}):
        assert reasons(bill, **{feed: [{**hit, **miss}]}) == ""

    def answered(*answers: tuple[date, bool], matter: str = matter, household_no: str = "H1") -> str:
        rows = [
            {"household_no": household_no, "matter": matter, "cleared_on": day, "passed": passed}
            for day, passed in answers
        ]
        return reasons(bill, clearances=rows, **{feed: [hit]})

    assert answered((NOTIFIED, True)) == ""
    assert answered((NOTIFIED + DAY, True)) == code
    assert answered((NOTIFIED, True), household_no="H2") == code
    assert answered((NOTIFIED, True), matter="企业" if matter == "存款" else "存款") == code
    assert answered((NOTIFIED, False), (NOTIFIED - DAY, True)) == code
    assert answered((NOTIFIED - DAY, False), (NOTIFIED, True)) == ""
    assert (
        answered((NOTIFIED, True), (NOTIFIED, False)) == answered((NOTIFIED, False), (NOTIFIED, True)) == code
    )
    assert answered((NOTIFIED, True), (NOTIFIED + DAY, False)) == ""


def test_a_relative_on_the_payroll_hits_and_without_kin_the_members_own_rows_still_do() -> None:
    bill, row = illness("C1", "28345.67"), {"from_date": EVENT, "to_date": None}
    kin = [{"id_number": WIFE, "relative_id_number": STRANGER}]
    paid = [{"id_number": STRANGER, **row}]
    assert reasons(bill, payroll=paid) == ""
    assert reasons(bill, payroll=paid, kin=kin) == "REVERSE_PAYROLL"
    assert reasons(bill, payroll=paid, kin=[{"id_number": STRANGER, "relative_id_number": WIFE}]) == ""
    assert reasons(bill, payroll=[*paid, {"id_number": WIFE, **row}], kin=None) == "NO_DATA;REVERSE_PAYROLL"
    assert reasons(bill, payroll=None, kin=kin) == "NO_DATA"


def test_an_officials_relative_of_the_claimants_village() -> None:
    row = {"relative_id_number": CHILD, "village_code": "370323100001"}
    assert reasons(illness("C1", "28345.67"), officials=[row]) == "OFFICIAL_RELATIVE"
    assert reasons(illness("C1", "28345.67"), officials=[{**row, "village_code": "370323100002"}]) == ""
    assert reasons(illness("C1", "28345.67"), officials=[{**row, "relative_id_number": STRANGER}]) == ""


@pytest.mark.parametrize(
    ("registered", "expected"), [(date(2019, 2, 28), "REVERSE_HOUSING"), (date(2019, 2, 27), "")]
)
def test_years_before_29_february_begin_on_the_28th(registered: date, expected: str) -> None:
    toml = POLICY.replace("within_years = 5", "within_years = 1")
    bill = illness("C1", "28345.67", event_on=date(2020, 2, 29))
    flat = {"id_number": CHILD, "use": "商品住宅", "registered_on": registered}
    assert reasons(bill, toml=toml, housing=[flat]) == expected


def test_without_a_limit_of_years_a_flat_counts_however_long_ago() -> None:
    toml = POLICY.replace(", within_years = 5", "")
    flat = {"id_number": CHILD, "use": "商品住宅", "registered_on": date(1990, 1, 1)}
    assert reasons(illness("C1", "28345.67"), toml=toml, housing=[flat]) == "REVERSE_HOUSING"
    assert reasons(illness("C1", "28345.67"), housing=[flat]) == ""
