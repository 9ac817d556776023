"""Money is whole fen, and nothing that is not gets in."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.money import MOST_FEN, Money, half_up, yuan_text

AMOUNTS = st.integers(min_value=0, max_value=MOST_FEN)


@pytest.mark.parametrize("value", [True, 1.0, Decimal(1), "1", None])
def test_only_an_int_becomes_money(value: Any) -> None:
    with pytest.raises(TypeError):
        Money(value)


@pytest.mark.parametrize("fen", [MOST_FEN + 1, -MOST_FEN - 1])
def test_an_amount_out_of_range_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match="range"):
        Money(fen)


@pytest.mark.parametrize(
    ("yuan", "fen"), [("0", 0), ("0.01", 1), ("12.3", 1230), ("12.34", 1234), ("1000000000000.00", MOST_FEN)]
)
def test_yuan_as_text_is_read_to_the_fen(yuan: str, fen: int) -> None:
    assert Money.from_yuan(yuan) == fen


@pytest.mark.parametrize(
    "yuan",
    [
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1,000.00",
        "01",
        "1.",
        ".5",
        "1.234",
        "1e5",
        "NaN",
        "¥1",
        "１",
        "1_0",
    ],
)
def test_other_text_is_no_amount(yuan: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.from_yuan(yuan)


def test_yuan_above_the_range_are_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        Money.from_yuan("1000000000000.01")


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [
        ("12.34", 1234),
        ("12.340", 1234),
        ("1E+3", 100000),
        ("-0.01", -1),
        ("0E+400", 0),
        ("-0.00", 0),
        ("1E12", MOST_FEN),
    ],
)
def test_an_exact_decimal_is_read_to_the_fen(yuan: str, fen: int) -> None:
    assert Money.from_yuan(Decimal(yuan)) == fen


@pytest.mark.parametrize(
    "yuan",
    [
        "0.005",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1.00000000000000000000000000000000000001",
        "1E-999999",
        "1E+999999",
        "10000000000000",
        "-1000000000000.01",
    ],
)
def test_a_decimal_with_part_of_a_fen_or_out_of_range_is_refused(yuan: str) -> None:
    with pytest.raises(ValueError, match=r"fen|range"):
        Money.from_yuan(Decimal(yuan))


def test_the_precision_that_somebody_set_does_not_change_an_amount() -> None:
    with localcontext(prec=3):
        assert Money.from_yuan(Decimal("123456.78")) == 12345678


@pytest.mark.parametrize("yuan", [1.5, 1, None])
def test_yuan_as_a_number_is_refused(yuan: Any) -> None:
    with pytest.raises(TypeError):
        Money.from_yuan(yuan)


@given(AMOUNTS)
def test_an_amount_survives_being_written_and_read(fen: int) -> None:
    money = Money(fen)
    assert Money.from_yuan(money.yuan) == money == Money.from_yuan(Decimal(money.yuan))


@given(AMOUNTS)
def test_grouping_adds_nothing_but_commas(fen: int) -> None:
    assert Money(fen).grouped.replace(",", "") == Money(fen).yuan


def test_amounts_are_written_with_two_decimals() -> None:
    assert Money(123456).yuan == "1234.56"
    assert Money(123456).grouped == "1,234.56"
    assert Money(5).yuan == "0.05"
    assert yuan_text(-5) == "-0.05"
    assert Money(-123456).grouped == "-1,234.56"


def test_money_shows_its_unit_when_it_is_printed_by_mistake() -> None:
    assert f"{Money(1234)}" == "Money(1234)"


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 3, 0), (1, 2, 1), (1, 3, 0), (2, 3, 1), (3, 2, 2), (5, 10, 1), (49, 100, 0)],
)
def test_a_half_is_rounded_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@given(st.integers(min_value=0, max_value=10**30), st.integers(min_value=1, max_value=10**12))
def test_rounding_agrees_with_exact_fractions(numerator: int, denominator: int) -> None:
    assert half_up(numerator, denominator) == floor(Fraction(numerator, denominator) + Fraction(1, 2))


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -2)])
def test_rounding_refuses_what_it_is_not_made_for(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match="rounding"):
        half_up(numerator, denominator)
