"""Reading policy.toml (rules.md §3): what it becomes, what is in force on a day, and its fingerprint."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import policy_from_canonical
from policies.policy import BENEFIT_KINDS, REVERSE_STANDARDS, Benefit
from policies.policy_file import parse_policy
from tests.policies.example import POLICY, changed, read

TIERS = "tiers = [[0.00, 0.00], [5000.00, 0.30], [20000.00, 0.50], [50000.00, 0.70], [100000.00, 0.80]]"
GRADES = "grades = [1.00, 0.90, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10]"


# What it becomes


def test_the_example_is_read_with_every_figure_in_fen() -> None:
    policy = read()
    assert (policy.number, policy.title, policy.jurisdiction) == ("FPB-1", "防贫保险", "370323")
    assert (policy.period_from, policy.period_to) == (date(2020, 1, 1), date(2020, 12, 31))
    assert (policy.premium_per_head_fen, policy.poverty_line_basis_fen) == (450_00, 19_128_00)
    terms = policy.on(date(2020, 6, 1))
    assert (terms.notice_days, terms.time_bar_years, terms.household_cap_fen) == (180, 2, 150_000_00)
    assert set(terms.lines) == set(BENEFIT_KINDS)
    assert tuple(terms.reverse) == REVERSE_STANDARDS
    illness = terms.lines["illness"]
    assert (illness.income_ceiling, illness.income_ceiling_text) == (Fraction(3, 2), "1.5")
    assert (illness.waiting_days, illness.excluded_causes, illness.covered_causes) == (
        30,
        frozenset({"整形美容"}),
        None,
    )
    medical = illness.benefits["medical"]
    assert medical.franchise_fen == {"default": 10_000_00, "相对贫困户": 5_000_00}
    assert [(tier.from_fen, tier.rate.text) for tier in medical.tiers][:3] == [
        (0, "0"),
        (5_000_00, "0.3"),
        (20_000_00, "0.5"),
    ]
    assert (medical.cap_fen, medical.per_household, medical.over_academic_year) == (100_000_00, False, False)
    assert terms.lines["accident"].benefits["property"].per_household
    assert terms.lines["education"].benefits["tuition"].over_academic_year
    assert [
        Fraction(rate.numerator, rate.denominator)
        for rate in terms.lines["accident"].benefits["disability"].grades
    ][1] == Fraction(9, 10)
    assert terms.lines["income"].benefits["shortfall"].cap_per_head_fen == 3_000_00
    assert terms.reverse["housing"].within_years == 5
    assert terms.reverse["company"].statuses == {"存续"}


@pytest.mark.parametrize(
    ("basis", "ratio", "line_fen"),
    [
        ("19128.00", "0.33", 6_312_00),
        ("10000.00", "0.33", 3_300_00),
        ("9999.99", "1", 9_999_00),
        ("0.99", "1.0", 0),
        ("3.00", "0.333333333333333333333333333333", 0),
    ],
)
def test_the_poverty_line_is_rounded_down_to_the_whole_yuan(basis: str, ratio: str, line_fen: int) -> None:
    assert (
        read(("basis = 19128.00", f"basis = {basis}"), ("ratio = 0.33", f"ratio = {ratio}")).poverty_line_fen
        == line_fen
    )


def medical_of(*replacements: tuple[str, str], day: date = date(2020, 6, 1)) -> Benefit:
    return read(*replacements).on(day).lines["illness"].benefits["medical"]


def test_numbers_are_read_exactly_however_many_digits_they_have() -> None:
    for text in (
        "0.1",
        "0.30000000000000000000000000000000000000000000001",
        "0." + "1" * 500,
        "1e-400",
        "1",
        "0",
    ):
        rate = medical_of((TIERS, f"tiers = [[0, {text}]]")).tiers[0].rate
        assert Fraction(rate.numerator, rate.denominator) == Fraction(Decimal(text)) == Fraction(rate.text)
    for text, fen in (
        ("0.07", 7),
        ("1234.5", 123450),
        ("12.340", 1234),
        ("7", 700),
        ("1e3", 100_000),
        ("1.000000000000000000000000000000000000", 100),
    ):
        assert medical_of(("cap = 100000.00", f"cap = {text}")).cap_fen == fen
    assert read(("income_ceiling = 1.5", "income_ceiling = 2.0000000000000000000000000000001")).on(
        date(2020, 6, 1)
    ).lines["illness"].income_ceiling == Fraction("2.0000000000000000000000000000001")


def test_what_may_be_absent_is_absent() -> None:
    text = changed(
        ("household_cap = 150000.00\n", ""),
        ("income_ceiling = 1.5\n", ""),
        ("waiting_days = 30\n", ""),
        ('evidence = ["身份证"]\n', ""),
        ('excluded_causes = ["整形美容"]\n', ""),
        ("cap = 100000.00\n", ""),
    )
    text = re.sub(r"franchise = .*\n", "", text)
    text = text[: text.index("[reverse_standards]")] + text[text.index("[lines.illness]") :]
    terms = parse_policy(text.encode()).on(date(2020, 6, 1))
    illness, medical = terms.lines["illness"], terms.lines["illness"].benefits["medical"]
    assert (terms.household_cap_fen, dict(terms.reverse)) == (None, {})
    assert (illness.income_ceiling, illness.waiting_days, illness.excluded_causes) == (None, 0, frozenset())
    assert (medical.evidence, medical.franchise_fen, medical.cap_fen) == ((), None, None)


def test_lines_and_the_benefits_of_a_line_may_be_empty() -> None:
    head = POLICY[: POLICY.index("[lines.illness]")]
    assert dict(parse_policy(f"{head}[lines]\n".encode()).on(date(2020, 1, 1)).lines) == {}
    line = '[lines.illness]\ntitle = "因病"\nclause = "一"\nbenefits = {}\n'
    assert dict(parse_policy((head + line).encode()).on(date(2020, 1, 1)).lines["illness"].benefits) == {}


def test_papers_of_line_and_benefit_are_asked_for_each_once() -> None:
    benefits = (
        read(('evidence = ["死亡证明"]', 'evidence = ["死亡证明", "身份证"]'))
        .on(date(2020, 6, 1))
        .lines["accident"]
        .benefits
    )
    assert benefits["death"].evidence == ("身份证", "死亡证明")
    assert benefits["disability"].evidence == ("身份证",)


def test_a_franchise_may_be_one_amount_for_all() -> None:
    assert medical_of(
        ('franchise = { default = 10000.00, "相对贫困户" = 5000.00 }', "franchise = 100.00")
    ).franchise_fen == {"default": 100_00}


def test_words_are_read_like_cells() -> None:
    strange = [
        (
            '"相对贫困户" = 5000.00',
            '" 相对贫困户\u200b(\uff21)" = 5000.00'.replace("(", "\uff08").replace(")", "\uff09"),
        ),
        (
            'excluded_causes = ["整形美容"]',
            'excluded_causes = ["\ufeff整形\u200d美容\u3000", "ABC"]'.replace("ABC", "\uff21BC"),
        ),
        ('title = "因病"', 'title = " 因病\u2060 "'),
        ('uses = ["商品住宅"]', 'uses = ["商品住宅 "]'),
        ('per = "person"', 'per = "\uff50erson"'),
    ]
    terms = read(*strange).on(date(2020, 6, 1))
    illness = terms.lines["illness"]
    assert illness.benefits["medical"].franchise_fen == {"default": 10_000_00, "相对贫困户(A)": 5_000_00}
    assert (illness.excluded_causes, illness.title) == (frozenset({"整形美容", "ABC"}), "因病")
    assert (terms.reverse["housing"].uses, illness.benefits["medical"].per_household) == (
        frozenset({"商品住宅"}),
        False,
    )


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert parse_policy(b"\xef\xbb\xbf" + POLICY.replace("\n", "\r\n").encode()) == read()


# Dated values


def test_a_dated_value_holds_from_its_date_and_the_first_one_before_it_too() -> None:
    dated = "cap = { since = { 2020-07-01 = 200.00, 2020-03-01 = 100.00, 2021-01-01 = 300.00 } }"
    caps = {
        day: medical_of(("cap = 100000.00", dated), day=day).cap_fen
        for day in (
            date(1999, 1, 1),
            date(2020, 2, 29),
            date(2020, 3, 1),
            date(2020, 6, 30),
            date(2020, 7, 1),
            date(2020, 12, 31),
            date(2021, 1, 1),
            date(2050, 1, 1),
        )
    }
    assert list(caps.values()) == [100_00, 100_00, 100_00, 100_00, 200_00, 200_00, 300_00, 300_00]


def test_values_dated_on_different_days_each_keep_their_own_dates() -> None:
    changes = [
        ("notice_days = 180", "notice_days = { since = { 2020-06-01 = 30, 2020-09-01 = 60 } }"),
        ("household_cap = 150000.00", "household_cap = { since = { 2020-08-01 = 1.00 } }"),
        ("amount_from = 50000.00", "amount_from = { since = { 2020-01-01 = 1.00, 2020-02-01 = 2.00 } }"),
    ]
    policy = read(*changes)
    found = [
        (terms.notice_days, terms.household_cap_fen, terms.reverse["deposit"].from_fen)
        for terms in map(policy.on, (date(2019, 1, 1), date(2020, 2, 1), date(2020, 6, 1), date(2020, 9, 1)))
    ]
    assert found == [(30, 100, 100), (30, 100, 200), (30, 100, 200), (60, 100, 200)]


DATED = [
    ("notice_days = 180", "180"),
    ("time_bar_years = 2", "2"),
    ("household_cap = 150000.00", "150000.00"),
    ("amount_from = 50000.00", "50000.00"),
    ("price_from = 50000.00", "50000.00"),
    ('uses = ["商品住宅"]', '["商品住宅"]'),
    ("within_years = 5", "5"),
    ("capital_from = 100000.00", "100000.00"),
    ('statuses = ["存续"]', '["存续"]'),
    ("income_ceiling = 1.5", "1.5"),
    ("waiting_days = 30", "30"),
    ('evidence = ["身份证"]', '["身份证"]'),
    ('excluded_causes = ["整形美容"]', '["整形美容"]'),
    ('covered_causes = ["因灾减产"]', '["因灾减产"]'),
    ('franchise = { default = 10000.00, "相对贫困户" = 5000.00 }', '{ default = 10000.00, "相对贫困户" = 5000.00 }'),
    (TIERS, TIERS.removeprefix("tiers = ")),
    ("cap = 100000.00", "100000.00"),
    ('levels = ["中专", "大专", "本科"]', '["中专", "大专", "本科"]'),
    ("sum = 30000.00", "30000.00"),
    (GRADES, GRADES.removeprefix("grades = ")),
    ('evidence = ["死亡证明"]', '["死亡证明"]'),
    ("rate = 1.00", "1.00"),
    ("cap_per_head = 3000.00", "3000.00"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "value"), DATED)
def test_every_value_of_the_rules_may_be_dated_as_a_whole(old: str, value: str) -> None:
    key = old.split(" = ")[0]
    dated = read((old, f"{key} = {{ since = {{ 2020-03-01 = {value} }} }}"))
    assert [dated.on(day) for day in (date(2019, 1, 1), date(2020, 6, 1))] == [
        read().on(date(2020, 6, 1))
    ] * 2


@given(
    st.lists(
        st.tuples(st.dates(date(2019, 1, 1), date(2022, 12, 31)), st.integers(0, 10**10)),
        min_size=1,
        max_size=5,
        unique_by=lambda step: step[0],
    ),
    st.dates(date(2018, 1, 1), date(2023, 12, 31)),
)
def test_the_value_in_force_is_the_latest_not_after_the_day(steps: list[tuple[date, int]], day: date) -> None:
    dated = ", ".join(f"{start} = {Decimal(fen).scaleb(-2):.2f}" for start, fen in steps)
    past = [step for step in sorted(steps) if step[0] <= day]
    expected = past[-1][1] if past else min(steps)[1]
    policy = read(("cap = 100000.00", f"cap = {{ since = {{ {dated} }} }}"))
    assert policy.on(day).lines["illness"].benefits["medical"].cap_fen == expected
    assert policy_from_canonical(policy.canonical) == policy
    assert policy.on(min(steps)[0] - timedelta(1)) == policy.on(min(steps)[0])


# Fingerprint and canonical content


def test_the_fingerprint_is_that_of_the_content_and_not_of_the_layout() -> None:
    same = [
        changed(("notice_days", "# a comment\n\nnotice_days")),
        changed(("notice_days = 180\ntime_bar_years = 2", "time_bar_years = 2\nnotice_days = 180")),
        changed(("household_cap = 150000.00", "household_cap = 150_000")),
        changed(("ratio = 0.33", "ratio = 0.3300")),
        changed(('title = "因病"', "title = '因病 '")),
        changed(("rate = 1.00", "rate = 1")),
        changed(("[0.00, 0.00]", "[-0.0, -0.0]")),
        POLICY[: POLICY.index("[poverty_line]")]
        + POLICY[POLICY.index("[reverse_standards]") :]
        + POLICY[POLICY.index("[poverty_line]") : POLICY.index("[reverse_standards]")],
    ]
    assert {parse_policy(text.encode()).fingerprint for text in same} == {read().fingerprint}
    assert re.fullmatch(r"[0-9a-f]{64}", read().fingerprint)


def test_dates_in_any_order_are_the_same_content() -> None:
    one, other = (
        ("cap = 100000.00", f"cap = {{ since = {{ {steps} }} }}")
        for steps in ("2020-01-01 = 1.00, 2020-02-01 = 2.00", "2020-02-01 = 2.00, 2020-01-01 = 1.00")
    )
    assert read(one) == read(other)


CHOICES = {"expense", "fixed", "graded", "shortfall", "person", "household", "policy_year", "academic_year"}


def test_any_other_value_changes_the_fingerprint() -> None:
    """Each number by one in its last digit and each text by a sign, but for words of a choice and the first tiers."""
    tokens = re.finditer(r'(?<=[ \[])(?<!\[\[)[0-9]+(\.[0-9]+)?(?=[ ,\]\n])|"[^"]+"(?= *[,\]}\n])', POLICY)
    spans = [found.span() for found in tokens if found[0].strip('"') not in CHOICES]
    seen = {read().fingerprint}
    for start, end in spans:
        token = POLICY[start:end]
        step = Decimal(1).scaleb(-len(token.partition(".")[2]))
        other = f'{token[:-1]}改"' if token[0] == '"' else str(abs(Decimal(token) - step))
        seen.add(parse_policy((POLICY[:start] + other + POLICY[end:]).encode()).fingerprint)
    assert len(seen) == len(spans) + 1 > 90


def test_the_canonical_content_makes_the_same_policy_again() -> None:
    dated = ("cap = 100000.00", "cap = { since = { 2020-07-01 = 200.00, 2020-03-01 = 100.00 } }")
    for policy in (read(), read(dated)):
        assert policy_from_canonical(policy.canonical) == policy
