"""A policy file against the standards of its year: every difference is found at its place, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.agreement import disagreements
from policies.policy import Policy, Rate, ReverseStandard
from policies.policy_file import load_policy
from policies.queries import first_standards
from policies.standard import Standards, reindexed
from tests.policies.example import read
from tests.policies.test_standard import changed_line, changed_reverse

COUNTY = first_standards()
HOUSING = 'housing = { uses = ["商品住宅"], clause = "第二条", within_years = 5 }'
UNLIMITED = 'housing = { uses = ["商品住宅"], clause = "第二条" }'


def places(standards: Standards, policy: Policy) -> list[str]:
    return [fault.place for fault in disagreements(standards, policy)]


def example(*replacements: tuple[str, str]) -> Policy:
    """The example policy, which says what the county's standards say, with something replaced."""
    return read((HOUSING, UNLIMITED), *replacements)


def test_the_county_s_own_packs_say_what_the_standards_say(demo_pack: Path, small_pack: Path) -> None:
    for pack in (demo_pack, small_pack):
        assert not disagreements(COUNTY, load_policy(pack / "policy.toml"))
    assert not disagreements(COUNTY, example())


@pytest.mark.parametrize(
    ("replaced", "found"),
    [
        (("basis = 19128.00", "basis = 19128.01"), ["poverty_line.basis"]),
        (("basis = 19128.00", "basis = 20000.00"), ["poverty_line.basis", "poverty_line"]),
        (("ratio = 0.33", "ratio = 0.34"), ["poverty_line.ratio", "poverty_line"]),
        (("ratio = 0.33", "ratio = 0.330"), []),
        (("deposit = { amount_from = 50000.00", "deposit = { amount_from = 50000.01"), ["reverse_standards.deposit.amount_from"]),
        (("machinery = { price_from = 50000.00", "machinery = { price_from = 1.00"), ["reverse_standards.machinery.price_from"]),
        (("vehicle = { price_from = 100000.00", "vehicle = { price_from = 1.00"), ["reverse_standards.vehicle.price_from"]),
        (("capital_from = 100000.00", "capital_from = 1.00"), ["reverse_standards.company.capital_from"]),
        (('statuses = ["存续"]', 'statuses = ["存续", "吊销"]'), ["reverse_standards.company.statuses"]),
        (('statuses = ["存续"]', 'statuses = ["存续", "存续"]'), []),
        (('uses = ["商品住宅"]', 'uses = ["商业用房"]'), ["reverse_standards.housing.uses"]),
        ((UNLIMITED, HOUSING), ["reverse_standards.housing.within_years"]),
        (('payroll = { clause = "第二条" }', ""), ["reverse_standards.payroll"]),
        (('payroll = { clause = "第二条" }', 'payroll = { clause = "别处" }'), []),
        (('deposit = { amount_from = 50000.00, clause = "第二条" }', ""), ["reverse_standards.deposit"]),
    ],
)  # fmt: skip
def test_a_difference_is_named_by_its_place_in_the_file(replaced: tuple[str, str], found: list[str]) -> None:
    assert places(COUNTY, example(replaced)) == found


def test_a_reverse_standard_that_only_the_policy_has_is_a_difference() -> None:
    less = replace(COUNTY, reverse={key: one for key, one in COUNTY.reverse.items() if key != "vehicle"})
    (fault,) = disagreements(less, example())
    assert fault.place == "reverse_standards.vehicle"
    assert fault.zh.startswith("2020 年标准没有“高档车辆”这一项,保单却有")
    none = replace(COUNTY, reverse={})
    assert places(none, example()) == [f"reverse_standards.{key}" for key in COUNTY.reverse]


def test_the_two_values_and_the_remedy_are_said_in_both_languages() -> None:
    (fault,) = disagreements(COUNTY, example(("capital_from = 100000.00", "capital_from = 50000.00")))
    assert fault.zh == (
        "2020 年标准为 100,000.00 元,保单为 50,000.00 元;请改正保单文件;保单正确的,先按程序修订当年标准"
    )
    assert fault.en == (
        "the standards of 2020 say 100,000.00 yuan, the policy 50,000.00 yuan; "
        "correct the policy file, or have the year's standards changed first"
    )


def test_a_line_that_the_standards_round_otherwise_differs_by_its_result_alone() -> None:
    policy = example(("basis = 19128.00", "basis = 20793.00"))
    base = changed_line(base_fen=2_079_300)
    assert places(base, policy) == []
    assert places(replace(base, line=replace(base.line, rounding="half_up")), policy) == ["poverty_line"]
    assert places(replace(base, line=replace(base.line, unit="fen")), policy) == ["poverty_line"]


@pytest.mark.parametrize(
    ("since", "found"),
    [
        # The policy is of 2020-01-01 to 2020-12-31; the standards say 50,000.00.
        ("2020-01-01 = 50000.00, 2020-07-01 = 60000.00", [".since.2020-07-01"]),
        ("2020-01-01 = 60000.00, 2020-07-01 = 50000.00", [".since.2020-01-01"]),
        ("2020-07-01 = 60000.00", [".since.2020-07-01"]),  # the first value holds before its day
        ("2019-01-01 = 60000.00, 2020-01-01 = 50000.00", []),  # over when the period begins
        ("2019-01-01 = 60000.00, 2020-01-02 = 50000.00", [".since.2019-01-01"]),
        ("2020-01-01 = 50000.00, 2021-01-01 = 60000.00", []),  # begins after the period
        ("2020-01-01 = 50000.00, 2020-12-31 = 60000.00", [".since.2020-12-31"]),
        ("2020-01-01 = 1.00, 2020-07-01 = 2.00", [".since.2020-01-01", ".since.2020-07-01"]),
    ],
)
def test_every_value_in_force_in_the_period_is_compared(since: str, found: list[str]) -> None:
    policy = example(("amount_from = 50000.00", f"amount_from = {{ since = {{ {since} }} }}"))
    assert places(COUNTY, policy) == [f"reverse_standards.deposit.amount_from{end}" for end in found]


def test_the_next_year_s_policy_is_compared_with_the_next_year_s_standards() -> None:
    assert places(reindexed(COUNTY, 2_079_300), example()) == ["poverty_line.basis", "poverty_line"]


Change = tuple[str, Callable[[Standards], Standards]]
ALL: list[Change] = [
    ("poverty_line.basis", lambda one: _line(one, base_fen=one.line.base_fen + 1)),
    ("poverty_line.ratio", lambda one: _line(one, ratio=Rate.of("0.3300001"))),
    ("poverty_line", lambda one: _line(one, unit="fen")),
    ("reverse_standards.deposit.amount_from", lambda one: _reverse_standard(one, "deposit", from_fen=1)),
    ("reverse_standards.machinery.price_from", lambda one: _reverse_standard(one, "machinery", from_fen=1)),
    (
        "reverse_standards.housing.uses",
        lambda one: _reverse_standard(one, "housing", uses=frozenset({"别墅"})),
    ),
    ("reverse_standards.housing.within_years", lambda one: _reverse_standard(one, "housing", within_years=3)),
    ("reverse_standards.vehicle.price_from", lambda one: _reverse_standard(one, "vehicle", from_fen=1)),
    ("reverse_standards.company.capital_from", lambda one: _reverse_standard(one, "company", from_fen=1)),
    (
        "reverse_standards.company.statuses",
        lambda one: _reverse_standard(one, "company", statuses=frozenset()),
    ),
    ("reverse_standards.payroll", lambda one: _without(one, "payroll")),
]


def _line(one: Standards, **values: Any) -> Standards:
    return replace(one, line=replace(one.line, **values))


def _reverse_standard(one: Standards, key: str, **values: Any) -> Standards:
    changed: ReverseStandard = replace(one.reverse[key], **values)
    return replace(one, reverse={**one.reverse, key: changed})


def _without(one: Standards, key: str) -> Standards:
    return replace(one, reverse={name: value for name, value in one.reverse.items() if name != key})


@given(st.sets(st.sampled_from(range(len(ALL)))))
def test_a_difference_is_found_exactly_where_a_value_differs(chosen: set[int]) -> None:
    one = COUNTY
    for number in chosen:
        one = ALL[number][1](one)
    assert set(places(one, example())) == {ALL[number][0] for number in chosen}


def test_clauses_reasons_and_names_are_no_business_of_the_policy_file() -> None:
    one = changed_reverse("deposit", clause="别的依据")
    one = replace(one, reasons=(), elderly_from_age=65, line=replace(one.line, source="别处"))
    assert places(one, example()) == []
