"""The arithmetic of the benefits against exact fractions (rules.md §5)."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.benefit import (
    CalculationLine,
    fixed_amount,
    franchise_for,
    graded_amount,
    shortfall_amount,
    shortfall_cap,
    tiered_amount,
)
from policies.policy import Benefit, Rate, Tier

FEN = st.integers(0, 10**12)
YUAN = 100


def rate(text: str) -> Rate:
    whole, _, decimals = text.partition(".")
    return Rate(int(whole + decimals), 10 ** len(decimals), text)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """From 0 to 1, with up to 25 decimals; two in three of only a few, where halves of a fen come up."""
    decimals = draw(st.sampled_from([0, 1, 2, 3, 25]))
    return Rate(draw(st.integers(0, 10**decimals)), 10**decimals, "any")


@st.composite
def tiered(draw: st.DrawFn) -> Benefit:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 200_000 * YUAN), max_size=5)))]
    tiers = tuple(Tier(start, draw(rates())) for start in starts)
    franchise = draw(st.none() | st.fixed_dictionaries({"default": FEN, "甲": FEN}))
    return expense(tiers, franchise)


def expense(tiers: tuple[Tier, ...], franchise: dict[str, int] | None = None) -> Benefit:
    return benefit("expense", tiers=tiers, franchise_fen=franchise)


def benefit(kind: str, **fields: Any) -> Benefit:
    return Benefit("line", "key", kind, "第一条", (), **fields)


def tiers_exactly(tiers: tuple[Tier, ...], measure: int) -> Fraction:
    """Every fen of the cost by the rate of the tier that it lies in, nothing rounded."""
    total = Fraction(0)
    ends = [tier.from_fen for tier in tiers[1:]] + [max(measure, tiers[-1].from_fen)]
    for tier, end in zip(tiers, ends, strict=True):
        inside = max(0, min(measure, end) - tier.from_fen)
        total += Fraction(tier.rate.numerator, tier.rate.denominator) * inside
    return total


def half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


@given(tiered(), FEN | st.integers(0, 250_000 * YUAN), st.sampled_from(["甲", "乙"]))
def test_tiers_are_added_exactly_and_rounded_half_up_once(made: Benefit, measure: int, category: str) -> None:
    lines: list[CalculationLine] = []
    amount = tiered_amount(made, measure, category, lines)
    franchise = franchise_for(made, category)
    assert amount == (0 if measure <= franchise else half_up(tiers_exactly(made.tiers, measure)))
    assert sum(values["part_fen"] for label, _, values in lines if label == "tier") == (
        0 if measure <= franchise else measure
    )


@given(tiered(), st.integers(0, 250_000 * YUAN), st.integers(0, 250_000 * YUAN))
def test_a_higher_cost_never_gives_less_and_never_more_than_its_rise(
    made: Benefit, one: int, other: int
) -> None:
    low, high = sorted((one, other))
    at_low, at_high = (tiered_amount(made, cost, "乙", []) for cost in (low, high))
    assert at_low <= at_high <= high
    if low > franchise_for(made, "乙"):
        assert at_high - at_low <= high - low + 1  # one fen of rounding


@pytest.mark.parametrize(
    ("cost", "text", "amount"),
    [
        (1, "0.5", 1),
        (1, "0.49", 0),
        (3, "0.5", 2),
        (5, "0.5", 3),
        (1, "0.4999999999999999999999", 0),
        (100, "0.005", 1),
    ],
)
def test_half_a_fen_is_rounded_up_and_less_is_not(cost: int, text: str, amount: int) -> None:
    assert tiered_amount(expense((Tier(0, rate(text)),)), cost, "", []) == amount


def test_two_tiers_of_half_a_fen_make_one_fen() -> None:
    """Rounded tier by tier it would be two."""
    tiers = (Tier(0, rate("0.5")), Tier(1, rate("0.5")))
    assert tiered_amount(expense(tiers), 2, "", []) == 1
    mixed = (Tier(0, rate("0.25")), Tier(1, rate("0.3")), Tier(2, rate("0.5")))
    assert tiered_amount(expense(mixed), 3, "", []) == 1  # 0.25 + 0.3 + 0.5 = 1.05


def test_the_franchise_is_a_threshold_and_not_taken_off() -> None:
    made = expense((Tier(0, rate("0.1")),), {"default": 1000, "甲": 0})
    assert [tiered_amount(made, cost, "乙", []) for cost in (999, 1000, 1001, 1010)] == [0, 0, 100, 101]
    assert tiered_amount(made, 999, "甲", []) == 100
    assert (
        franchise_for(made, "乙"),
        franchise_for(made, "甲"),
        franchise_for(expense(made.tiers), "甲"),
    ) == (1000, 0, 0)


def test_the_calculation_shows_each_tier_that_was_entered() -> None:
    made = expense((Tier(0, rate("0")), Tier(500, rate("0.3")), Tier(2000, rate("0.5"))), {"default": 100})
    lines: list[CalculationLine] = []
    assert tiered_amount(made, 2000, "", lines) == 450
    assert [label for label, _, _ in lines] == ["above_franchise", "tier", "tier", "tiers_total"]
    assert lines[2] == ("tier", "第一条", {"from_fen": 500, "to_fen": 2000, "part_fen": 1500, "rate": "0.3"})
    lines.clear()
    assert tiered_amount(made, 100, "", lines) == 0
    assert [label for label, _, _ in lines] == ["at_or_below_franchise"]
    lines.clear()
    tiered_amount(made, 2001, "", lines)
    assert lines[3][2] == {"from_fen": 2000, "to_fen": None, "part_fen": 1, "rate": "0.5"}


@given(FEN, st.lists(rates(), min_size=10, max_size=10), st.integers(1, 10))
def test_a_grade_gives_its_part_of_the_sum(sum_fen: int, grades: list[Rate], grade: int) -> None:
    made = benefit("graded", sum_fen=sum_fen, grades=tuple(grades))
    part = Fraction(grades[grade - 1].numerator, grades[grade - 1].denominator)
    assert graded_amount(made, grade, []) == half_up(sum_fen * part) <= sum_fen
    assert fixed_amount(made, []) == sum_fen


@given(FEN, FEN, st.integers(1, 50), rates())
def test_the_shortfall_is_rounded_once_over_all_members(
    line: int, income: int, members: int, at: Rate
) -> None:
    made = benefit("shortfall", rate=at)
    exact = max(0, line - income) * members * Fraction(at.numerator, at.denominator)
    assert shortfall_amount(made, line, income, members, []) == half_up(exact)


@given(FEN, st.none() | FEN, st.integers(1, 50))
def test_the_shortfall_is_held_to_the_lesser_of_both_caps(
    per_head: int, cap: int | None, members: int
) -> None:
    limits = [per_head * members] + ([] if cap is None else [cap])
    assert shortfall_cap(benefit("shortfall", cap_per_head_fen=per_head, cap_fen=cap), members) == min(limits)


def test_a_shortfall_without_a_rate_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="rate"):
        shortfall_amount(benefit("shortfall"), 1, 0, 1, [])
