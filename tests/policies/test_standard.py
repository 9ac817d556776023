"""The standards of a year as plain values: rounding, canonical form, re-index, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from policies.policy import REVERSE_STANDARDS, Rate, ReverseStandard
from policies.queries import first_standards
from policies.schemas import MOST_REASONS, StandardsForm, form_of, standards_from
from policies.standard import (
    REASON_GROUPS,
    ROUNDINGS,
    UNITS,
    QuantitativeLine,
    Reason,
    Standards,
    check_standards,
    percent_text,
    product_text,
    reindexed,
    reverse_values,
    standards_from_canonical,
)

COUNTY = first_standards()
EXACT = Context(prec=60)
sums = st.integers(1, 99_999_999_999)
words = st.text("甲乙丙丁国营民用abc", min_size=1, max_size=8)
rates = st.integers(1, 10**6).map(lambda n: Rate.of(f"{n // 10**6}.{n % 10**6:06d}".rstrip("0").rstrip(".")))


@st.composite
def lines(draw: st.DrawFn, year: int) -> QuantitativeLine:
    line = QuantitativeLine(
        base_name=f"{year - 1}年农民人均可支配收入",
        base_year=year - 1,
        base_fen=draw(sums),
        ratio=draw(rates),
        rounding=draw(st.sampled_from(ROUNDINGS)),
        unit=draw(st.sampled_from(sorted(UNITS))),
        source=draw(words),
    )
    # A line of 0 is refused; its own test has it.
    return line if line.result_fen else replace(line, base_fen=10**9, ratio=Rate.of("0.33"))


def reverse_standards(key: str) -> st.SearchStrategy[ReverseStandard]:
    kinds: dict[str, Any] = {
        "from_fen": st.just(0) if key in ("housing", "payroll") else sums,
        "uses": st.frozensets(words, min_size=1, max_size=3) if key == "housing" else st.just(frozenset()),
        "within_years": st.none() | st.integers(1, 30) if key == "housing" else st.none(),
        "statuses": st.frozensets(words, min_size=1, max_size=3)
        if key == "company"
        else st.just(frozenset()),
    }
    return st.builds(ReverseStandard, key=st.just(key), clause=words, **kinds)


@st.composite
def standards(draw: st.DrawFn) -> Standards:
    year = draw(st.integers(2001, 2998))
    there = [key for key in REVERSE_STANDARDS if draw(st.booleans())]
    keys = draw(st.lists(st.from_regex("[a-z][a-z0-9_]{0,10}", fullmatch=True), max_size=6, unique=True))
    group = st.sampled_from(REASON_GROUPS)
    return Standards(
        year=year,
        line=draw(lines(year)),
        reverse={key: draw(reverse_standards(key)) for key in there},
        reasons=tuple(Reason(key, draw(group), (draw(words), draw(words))) for key in keys),
        elderly_from_age=draw(st.integers(40, 120)),
    )


# The line


def test_the_county_s_line_of_2020_is_33_per_cent_of_19128_yuan_rounded_down() -> None:
    assert COUNTY.year == 2020 and COUNTY.line.base_year == 2019
    assert COUNTY.line_fen == 631_200
    assert product_text(COUNTY.line) == "6,312.24" and percent_text(COUNTY.line.ratio) == "33%"
    check_standards(COUNTY)


@pytest.mark.parametrize(
    ("base_fen", "ratio", "rounding", "unit", "result_fen"),
    [
        (1_912_800, "0.33", "down", "yuan", 631_200),
        (1_912_800, "0.33", "half_up", "yuan", 631_200),
        (1_912_800, "0.33", "down", "fen", 631_224),
        (2_079_300, "0.33", "down", "yuan", 686_100),  # 6,861.69
        (2_079_300, "0.33", "half_up", "yuan", 686_200),
        (100, "0.5", "half_up", "yuan", 100),  # just half a yuan
        (
            99,
            "0.5",
            "half_up",
            "yuan",
            0,
        ),  # 49.5 fen: half up to the yuan of the exact product, not of 50 fen
        (99, "0.5", "half_up", "fen", 50),
        (1_912_837, "0.333", "down", "fen", 636_974),
    ],
)
def test_the_line_is_rounded_once_as_it_is_laid_down(
    base_fen: int, ratio: str, rounding: str, unit: str, result_fen: int
) -> None:
    line = replace(COUNTY.line, base_fen=base_fen, ratio=Rate.of(ratio), rounding=rounding, unit=unit)
    assert line.result_fen == result_fen


@given(standards())
def test_the_line_is_what_exact_decimals_say(one: Standards) -> None:
    line = one.line
    product = EXACT.multiply(Decimal(line.base_fen).scaleb(-2, EXACT), Decimal(line.ratio.text))
    step = Decimal(1) if line.unit == "yuan" else Decimal("0.01")
    mode = ROUND_DOWN if line.rounding == "down" else ROUND_HALF_UP
    assert Decimal(line.result_fen).scaleb(-2) == product.quantize(step, mode, context=EXACT)
    assert Decimal(product_text(line).replace(",", "")) == product
    assert Decimal(percent_text(line.ratio).rstrip("%")) == Decimal(line.ratio.text) * 100


# Canonical form


@given(standards())
def test_canonical_json_gives_the_same_standards_and_fingerprint_again(one: Standards) -> None:
    check_standards(one)
    again = standards_from_canonical(one.canonical)
    assert again == one
    assert (again.canonical, again.fingerprint) == (one.canonical, one.fingerprint)


@given(standards(), standards())
def test_fingerprints_are_equal_only_for_equal_standards(one: Standards, other: Standards) -> None:
    assert (one.fingerprint == other.fingerprint) == (one == other)


@given(standards())
def test_a_form_filled_with_standards_gives_the_same_standards(one: Standards) -> None:
    form = StandardsForm()
    form.from_text = True
    again = standards_from(form.load({name: text for name, text in form_of(one).items() if text}))
    assert again == one and len(one.reasons) <= MOST_REASONS


# The next year


@given(standards(), sums)
def test_a_re_index_changes_year_and_base_and_nothing_else(old: Standards, base_fen: int) -> None:
    new = reindexed(old, base_fen)
    assert new.year == old.year + 1 and new.line.base_year == old.year
    assert new.line.base_fen == base_fen and new.line.base_name == f"{old.year}年农民人均可支配收入"
    carried = replace(
        new,
        year=old.year,
        line=replace(
            new.line,
            base_name=old.line.base_name,
            base_year=old.line.base_year,
            base_fen=old.line.base_fen,
        ),
    )
    assert carried == old
    assert reindexed(reindexed(old, 1), base_fen) == reindexed(old, base_fen, year=old.year + 2)


def test_a_re_index_carries_the_source_over_unless_a_new_one_is_given() -> None:
    assert reindexed(COUNTY, 2_079_300).line.source == COUNTY.line.source
    assert reindexed(COUNTY, 2_079_300, "2020 年统计公报").line.source == "2020 年统计公报"


# What cannot be


def changed_line(**values: Any) -> Standards:
    return replace(COUNTY, line=replace(COUNTY.line, **values))


def changed_reverse(key: str, **values: Any) -> Standards:
    return replace(COUNTY, reverse={**COUNTY.reverse, key: replace(COUNTY.reverse[key], **values)})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(COUNTY, year=1999), "year"),
        (replace(COUNTY, year=2021), "year"),  # its base is of 2019
        (changed_line(base_year=2018), "year"),
        (changed_line(base_name="2018年农民人均可支配收入"), "base_name"),
        (changed_line(base_name=""), "base_name"),
        (changed_line(source=""), "source"),
        (changed_line(base_fen=0), "base"),
        (changed_line(base_fen=10**14 + 1), "base"),
        (changed_line(base_fen=299), "base"),  # 0.98 yuan: rounded down there is no line
        (changed_line(ratio=Rate.of("0")), "ratio"),
        (changed_line(ratio=Rate.of("1.01")), "ratio"),
        (changed_line(rounding="up"), "rounding"),
        (changed_line(unit="jiao"), "rounding"),
        (changed_reverse("deposit", clause=""), "deposit"),
        (changed_reverse("housing", uses=frozenset()), "housing"),
        (changed_reverse("company", statuses=frozenset()), "company"),
        (replace(COUNTY, reverse={"yacht": COUNTY.reverse["vehicle"]}), "yacht"),
        (replace(COUNTY, reasons=COUNTY.reasons[:1] * 2), "reasons"),
        (replace(COUNTY, reasons=(Reason("food;water", "guarantees", ("食", "food")),)), "reasons"),
        (replace(COUNTY, reasons=(Reason("food", "other", ("食", "food")),)), "reasons"),
        (replace(COUNTY, reasons=(Reason("food", "guarantees", ("食", "")),)), "reasons"),
        (replace(COUNTY, elderly_from_age=39), "elderly_from_age"),
    ],
)
def test_standards_that_cannot_be_are_refused_with_the_field_named(wrong: Standards, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_standards(wrong)
    assert next(iter(refused.value.fields)) == field


def test_the_first_standards_have_every_kind_of_reason_and_reverse_standard() -> None:
    assert {reason.group for reason in COUNTY.reasons} == set(REASON_GROUPS)
    assert tuple(COUNTY.reverse) == REVERSE_STANDARDS
    assert reverse_values(COUNTY.reverse["housing"]) == {"uses": ["商品住宅"], "within_years": None}
    assert COUNTY.elderly_from_age == 60
