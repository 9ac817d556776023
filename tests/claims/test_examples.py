"""Worked examples of every kind of benefit, reckoned by hand to the fen (rules.md §5)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.claims.tidy import CHILD, WIFE, accident, education, family, illness, income, results
from tests.policies.example import POLICY

BELOW = ("reject", "0.00", "BELOW_LINE")


def paid(amount: str) -> tuple[str, str, str]:
    return "approve", amount, ""


# expense


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ("9999.99", BELOW),
        ("10000.00", BELOW),  # up to and including the franchise
        ("10000.01", paid("1500.00")),  # the whole bill counts: 5,000.01 × 0.30 = 1,500.003
        ("20000.00", paid("4500.00")),  # 15,000 × 0.30
        # 15,000 × 0.30 + 8,345.67 × 0.50 = 4,500 + 4,172.835, half up once
        ("28345.67", paid("8672.84")),
        ("100000.00", paid("54500.00")),  # 4,500 + 30,000 × 0.50 + 50,000 × 0.70
        ("156875.00", paid("100000.00")),  # + 56,875 × 0.80 = 45,500: just the cap
        ("250000.00", paid("100000.00")),  # held to the cap
    ],
)
def test_a_hospital_bill_goes_through_franchise_tiers_and_cap(
    total: str, expected: tuple[str, str, str]
) -> None:
    assert results(illness("C1", total)) == [expected]


def test_the_franchise_is_the_claimants_category() -> None:
    bill = illness("C1", "5000.10")
    assert results(bill) == [BELOW]
    assert results(bill, roster=family("相对贫困户")) == [paid("0.03")]  # 0.10 × 0.30


def test_three_bills_give_what_one_bill_of_their_sum_gives() -> None:
    # 6,000 is below the line; at 13,000 it is 8,000 × 0.30; at 28,345.67 it is 8,672.84 in all
    bills = [illness("C1", "6000.00"), illness("C2", "7000.00"), illness("C3", "15345.67")]
    assert results(*bills) == [BELOW, paid("2400.00"), paid("6272.84")]


def test_a_bill_that_adds_less_than_half_a_fen_is_due_nothing_more() -> None:
    # 4,500 + 8,345.68 × 0.50 = 8,672.84: what was rounded up before
    assert results(illness("C1", "28345.67"), illness("C2", "0.01")) == [
        paid("8672.84"),
        ("reject", "0.00", "NOTHING_MORE_DUE"),
    ]


def test_a_bill_beyond_the_cap_exhausts_it() -> None:
    bills = [illness("C1", "150000.00"), illness("C2", "10000.00"), illness("C3", "10000.00")]
    # 54,500 + 50,000 × 0.80 = 94,500; then 102,500 is held to 100,000; then nothing is left
    assert results(*bills) == [paid("94500.00"), paid("5500.00"), ("reject", "0.00", "CAP_EXHAUSTED")]


def test_a_bill_of_nothing_beside_a_cap_that_is_just_full_exhausts_nothing() -> None:
    # 156,875 gives 100,000: the cap, and not more than it
    assert results(illness("C1", "156875.00"), illness("C2", "0.00")) == [
        paid("100000.00"),
        ("reject", "0.00", "NOTHING_MORE_DUE"),
    ]


def test_bills_accumulate_for_a_person_and_not_for_the_household() -> None:
    assert results(illness("C1", "9000.00"), illness("C2", "9000.00", person=WIFE)) == [BELOW, BELOW]


def test_tuition_is_fees_less_grants_by_academic_year() -> None:
    # 9,000 + 1,200.50 + 799.49 − 1,000 = 9,999.99; 1,999.99 × 0.60 = 1,199.994
    first = education(
        "C1", "9000.00", lodging=Decimal("1200.50"), books=Decimal("799.49"), grants=Decimal("1000.00")
    )
    # in the same year: 17,999.99 → 2,400 + 3,200 + 1,999.99 = 7,599.99; less 1,199.99
    second = education("C2", "8000.00")
    third = education("C3", "8000.00", academic_year="2020-2021")  # another year: not above the first tier
    assert results(first, second, third) == [paid("1199.99"), paid("6400.00"), BELOW]


def test_the_doctor_after_an_accident_is_paid_less_what_a_third_party_paid() -> None:
    # 1,334.56 − 100 = 1,234.56; 1,134.56 × 0.90 = 1,021.104
    assert results(accident("C1", "medical", "1334.56", third_party=Decimal("100.00"))) == [paid("1021.10")]


def test_damage_to_the_home_accumulates_for_the_household() -> None:
    # 500.01 × 0.50 = 250.005; then 1,500.01 × 0.50 = 750.005, less 250.01
    claims = [accident("C1", "property", "1000.01"), accident("C2", "property", "1000.00", person=WIFE)]
    assert results(*claims) == [paid("250.01"), paid("500.00")]


# fixed and graded


def test_death_gives_the_sum() -> None:
    assert results(accident("C1", "death", person=WIFE)) == [paid("30000.00")]


@pytest.mark.parametrize(
    ("grade", "amount"), [(1, "30000.00"), (2, "27000.00"), (6, "15000.00"), (10, "3000.00")]
)
def test_disability_gives_the_grades_part_of_the_sum(grade: int, amount: str) -> None:
    assert results(accident("C1", "disability", grade=grade)) == [paid(amount)]


def test_the_grades_part_is_rounded_half_up() -> None:
    toml = POLICY.replace("sum = 30000.00\ngrades = [1.00", "sum = 30000.03\ngrades = [0.50")
    # 30,000.03 × 0.50 = 15,000.015; the larger of the two sums is 30,000.03
    assert results(accident("C1", "disability", grade=1), toml=toml) == [paid("15000.02")]


def test_death_and_disability_of_one_accident_give_the_larger_sum_at_most() -> None:
    claims = [
        accident("C1", "disability", person=WIFE, grade=6),
        accident("C2", "death", person=WIFE),
        accident("C3", "disability", person=WIFE, grade=9),
        accident("C4", "disability", person=CHILD, grade=9),  # another person
        accident("C5", "disability", person=WIFE, grade=9, accident_no="A2"),  # another accident
    ]
    assert results(*claims) == [
        paid("15000.00"),
        paid("15000.00"),
        ("reject", "0.00", "CAP_EXHAUSTED"),
        paid("6000.00"),
        paid("6000.00"),
    ]


def test_the_larger_of_two_sums_is_what_both_together_may_give() -> None:
    toml = POLICY.replace('sum = 30000.00\nevidence = ["死亡证明"]', "sum = 20000.00")
    claims = [accident("C1", "death", person=WIFE), accident("C2", "disability", person=WIFE, grade=1)]
    assert results(*claims, toml=toml) == [paid("20000.00"), paid("10000.00")]


# shortfall


@pytest.mark.parametrize(
    ("verified", "expected"),
    [
        ("6312.00", BELOW),  # the poverty line: 19,128 × 0.33 = 6,312.24, down to the whole yuan
        ("6311.99", paid("0.03")),
        ("5000.33", paid("3935.01")),  # 1,311.67 × 3
        ("3312.00", paid("9000.00")),  # 3,000 × 3, just the cap a head
        ("0.00", paid("9000.00")),  # 6,312 × 3 = 18,936, held to 3,000 a head
    ],
)
def test_the_shortfall_is_the_gap_to_the_poverty_line_for_each_member(
    verified: str, expected: tuple[str, str, str]
) -> None:
    assert results(income("C1", verified)) == [expected]


def test_the_shortfall_is_held_to_the_cap_after_the_cap_a_head() -> None:
    toml = POLICY.replace("cap = 10000.00", "cap = 8000.00")
    assert results(income("C1", "0.00"), toml=toml) == [paid("8000.00")]


def test_the_rate_of_the_shortfall_is_rounded_half_up_once() -> None:
    toml = POLICY.replace("rate = 1.00", "rate = 0.05")
    # 1,311.67 × 3 × 0.05 = 196.7505
    assert results(income("C1", "5000.33"), toml=toml) == [paid("196.75")]
    # 1,311.70 × 3 × 0.05 = 196.755
    assert results(income("C1", "5000.30"), toml=toml) == [paid("196.76")]


def test_a_household_is_made_good_its_income_once() -> None:
    assert results(income("C1", "6312.00"), income("C2", "5000.33"), income("C3", "5000.33")) == [
        BELOW,
        paid("3935.01"),
        ("reject", "0.00", "ALREADY_CLAIMED"),
    ]


# household_cap


def test_the_household_cap_holds_all_lines_and_what_it_takes_is_not_given_back() -> None:
    toml = POLICY.replace("household_cap = 150000.00", "household_cap = 10000.00")
    claims = [
        illness("C1", "20000.00"),  # 4,500
        accident("C2", "disability", person=WIFE, grade=10),  # 3,000
        illness("C3", "8345.67"),  # entitled to 4,172.84, of which 2,500 is left
        education("C4", "10000.00"),  # entitled to 1,200
        illness("C5", "0.02"),  # 8,672.845 in all: half up 8,672.85, of which 8,672.84 were entitled before
    ]
    gone = ("reject", "0.00", "HOUSEHOLD_CAP_EXHAUSTED")
    assert results(*claims, toml=toml) == [paid("4500.00"), paid("3000.00"), paid("2500.00"), gone, gone]


def test_a_household_cap_that_grows_gives_what_is_left_of_it_and_nothing_twice() -> None:
    cap = "{ since = { 2020-01-01 = 4000.00, 2020-07-01 = 6000.00 } }"
    toml = POLICY.replace("household_cap = 150000.00", f"household_cap = {cap}")
    later = illness("C2", "8345.67", event_on=date(2020, 7, 1), notified_on=date(2020, 7, 2))
    claims = [illness("C1", "20000.00"), later]
    # 4,500 held to 4,000; then 4,172.84 held to 6,000 − 4,000
    assert results(*claims, toml=toml) == [paid("4000.00"), paid("2000.00")]


def test_a_claim_in_doubt_shows_what_it_would_give_and_uses_up_nothing() -> None:
    doubtful = illness("C1", "28345.67", name="李建囯")
    incomplete = illness("C2", "28345.67", evidence=[])
    assert results(doubtful, incomplete, illness("C3", "28345.67")) == [
        ("refer", "8672.84", "NAME_MISMATCH"),
        ("supplement", "8672.84", "MISSING_EVIDENCE"),
        paid("8672.84"),
    ]
