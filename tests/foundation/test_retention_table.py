"""The table of terms is complete and strict, and terms end on the day that the law says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.database import sealed_columns
from foundation.errors import UnusableInput
from foundation.privacy.retention import MARKS, RetentionTable, Rule, read_table, shipped
from migrations.schema import METADATA

RULES = {rule.code: rule for rule in shipped().rules}

SMALL = """
[[rule]]
code = "vouchers"
name = ["凭证", "Vouchers"]
years = 30
runs_from = "booked"
year_end = true
source = ["办法", "Measures"]
mark = "law"

[[group]]
code = "paid"
name = ["已给付", "Paid"]
how = "erase"
rules = ["vouchers"]
covers = ["claim.sealed"]
"""


def test_the_small_table_is_read() -> None:
    (group,) = read_table(SMALL).groups
    assert group.rules[0].months == 360
    assert group.span({"booked": date(2020, 5, 1)}) == (date(2050, 12, 31), date(2050, 12, 31))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("years = 30", "years = 0"),
        ("years = 30", "years = true"),
        ("years = 30", "years = 30.5"),
        ("years = 30", "years = 30\nmonths = 6"),
        ("years = 30", "permanent = true"),
        ("years = 30", "permanent = false"),
        ("years = 30\n", ""),
        ('runs_from = "booked"\n', ""),
        ('runs_from = "booked"', 'runs_from = "someday"'),
        ("year_end = true", 'year_end = "yes"'),
        ('mark = "law"', 'mark = "hearsay"'),
        ('mark = "law"\n', ""),
        ('source = ["办法", "Measures"]', 'source = ["办法"]'),
        ('source = ["办法", "Measures"]\n', ""),
        ('name = ["凭证", "Vouchers"]', 'name = "凭证"'),
        ('code = "vouchers"', 'code = "凭证"'),
        ('rules = ["vouchers"]', 'rules = ["vouchers", "others"]'),
        ('rules = ["vouchers"]', "rules = []"),
        ('rules = ["vouchers"]', 'rules = ["vouchers", "vouchers"]'),
        ('how = "erase"', 'how = "forget"'),
        ('covers = ["claim.sealed"]', 'covers = "claim.sealed"'),
        ('covers = ["claim.sealed"]\n', ""),
        ('mark = "law"', 'mark = "law"\nmood = "good"'),
        ("[[group]]", "[[groups]]"),
        ("[[rule]]", "[[rule]"),
    ],
)
def test_a_table_with_a_fault_is_refused(before: str, after: str) -> None:
    assert before in SMALL
    with pytest.raises(UnusableInput) as refused:
        read_table(SMALL.replace(before, after, 1))
    assert refused.value.faults


def test_what_stands_twice_or_is_used_by_nothing_is_refused() -> None:
    rule, group = SMALL.split("[[group]]")
    for text in (rule + SMALL, SMALL + "[[group]]" + group, SMALL + rule.replace("vouchers", "others")):
        with pytest.raises(UnusableInput):
            read_table(text)


def test_every_fault_of_a_table_is_named_at_once() -> None:
    wrong = SMALL.replace("years = 30", "years = 0").replace('how = "erase"', 'how = "forget"')
    with pytest.raises(UnusableInput) as refused:
        read_table(wrong)
    assert len(refused.value.faults) == 2


# --- the shipped table ------------------------------------------------------------------------------------------------


def test_every_rule_says_its_source_and_how_far_it_can_be_relied_on() -> None:
    assert {rule.mark for rule in shipped().rules} == set(MARKS)
    for rule in shipped().rules:
        assert all(rule.source) and all(rule.name)


@pytest.mark.parametrize(
    ("code", "months", "mark"),
    [
        ("vouchers", 360, "unverified"),
        ("bank_records", 120, "unverified"),
        ("claim_files_short", 60, "law"),
        ("claim_files_long", 120, "law"),
        ("customer_records", 120, "law"),
        ("procurement", 180, "law"),
        ("assessments", 36, "law"),
        ("network_logs", 6, "law"),
        ("audit_trail", 360, "illustrative"),
    ],
)
def test_the_terms_are_those_of_the_domain_page(code: str, months: int, mark: str) -> None:
    assert (RULES[code].months, RULES[code].mark) == (months, mark)


def test_statements_and_lists_of_what_was_destroyed_are_permanent() -> None:
    assert RULES["statements"].permanent
    with pytest.raises(ValueError, match="permanent"):
        RULES["statements"].last_day(date(2020, 1, 1))


def _covered(table: RetentionTable) -> set[str]:
    return {place for group in table.groups for place in group.covers}


def test_every_sealed_column_has_a_term() -> None:
    sealed = {f"{column.table.name}.{column.name}" for column in sealed_columns(METADATA)}
    assert sealed <= _covered(shipped())


def test_the_table_names_only_what_is_there() -> None:
    for place in _covered(shipped()):
        table, _, column = place.partition(".")
        assert table in METADATA.tables
        assert not column or column in METADATA.tables[table].columns


def test_every_look_up_of_a_person_that_stands_in_the_open_has_a_term() -> None:
    lookups = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if column.name.endswith("lookup")
    }
    # The staff's own: whoever signed must be known; and relatives that they declared, as long as they work here.
    assert lookups - {"staff_member.id_lookup", "kin.id_lookup"} <= _covered(shipped())


# --- the arithmetic ---------------------------------------------------------------------------------------------------


def test_vouchers_run_from_the_end_of_their_year() -> None:
    vouchers = RULES["vouchers"]
    for day in (date(2020, 1, 1), date(2020, 2, 29), date(2020, 12, 31)):
        assert vouchers.last_day(day) == date(2050, 12, 31)
    assert vouchers.last_day(date(2021, 1, 1)) == date(2051, 12, 31)


def test_a_term_of_years_ends_on_the_same_day_or_on_the_last_of_february() -> None:
    ten = RULES["customer_records"]
    assert ten.last_day(date(2020, 12, 31)) == date(2030, 12, 31)
    assert ten.last_day(date(2020, 2, 29)) == date(2030, 2, 28)
    assert RULES["assessments"].last_day(date(2021, 2, 28)) == date(2024, 2, 28)


def test_a_term_of_months_ends_on_the_same_day_or_on_the_months_last() -> None:
    logs = RULES["network_logs"]
    assert logs.last_day(date(2026, 8, 31)) == date(2027, 2, 28)
    assert logs.last_day(date(2023, 8, 31)) == date(2024, 2, 29)
    assert logs.last_day(date(2026, 11, 30)) == date(2027, 5, 30)


def test_a_term_of_days_counts_days() -> None:
    assert RULES["kept_answers"].last_day(date(2024, 2, 1)) == date(2024, 3, 2)


def test_the_longest_of_several_terms_applies_and_the_first_to_end_is_known() -> None:
    paid = shipped().group("paid_claim")
    end, booked = date(2020, 12, 31), date(2021, 1, 5)
    days = {"booked": booked, "short_contract_end": end, "relation_end": booked}
    assert paid.span(days) == (date(2025, 12, 31), date(2051, 12, 31))


def test_a_record_for_which_no_term_applies_is_a_fault_and_no_guess() -> None:
    with pytest.raises(ValueError, match="no term"):
        shipped().group("paid_claim").span({"recorded": date(2020, 1, 1)})


def test_what_is_permanent_has_no_span() -> None:
    assert shipped().group("statements").span({}) is None


@given(
    st.sampled_from(["network_logs", "kept_answers", "customer_records"]),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
)
def test_the_cut_keeps_what_is_within_its_term_and_nothing_else(code: str, today: date) -> None:
    rule: Rule = RULES[code]
    cut = rule.over_before(today)
    assert rule.last_day(cut) >= today > rule.last_day(cut - timedelta(days=1))
