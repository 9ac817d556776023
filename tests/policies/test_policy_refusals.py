"""What is wrong with a policy.toml is refused as a whole, each fault with its place (rules.md §3)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import UnusableInput
from policies.policy_file import load_policy, parse_policy
from tests.policies.example import POLICY, changed, read

MEDICAL = "lines.illness.benefits.medical"
SHORTFALL = "lines.income.benefits.shortfall"
TIERS = "tiers = [[0.00, 0.00], [5000.00, 0.30], [20000.00, 0.50], [50000.00, 0.70], [100000.00, 0.80]]"
GRADES = "grades = [1.00, 0.90, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10]"


def places(text: str) -> list[str]:
    """Where a policy is refused, in order, without the file's name."""
    with pytest.raises(UnusableInput) as refused:
        parse_policy(text.encode())
    assert refused.value.exit_code == 2
    assert all(fault.zh and fault.en for fault in refused.value.faults)
    found = [fault.place.removeprefix("policy.toml").strip() for fault in refused.value.faults]
    assert all(place in str(refused.value) for place in found)
    return found


ONE_FAULT = [
    # unknown keys
    ("notice_days", "notice_dais = 1\nnotice_days", "notice_dais"),
    ('number = "FPB-1"', 'number = "FPB-1"\nnote = "x"', "policy.note"),
    ("from = 2020-01-01", "since = 2020-01-01, from = 2020-01-01", "policy.period.since"),
    ("basis =", "base = 1\nbasis =", "poverty_line.base"),
    ("amount_from = 50000.00", "amount_from = 50000.00, price_from = 1.00", "reverse_standards.deposit.price_from"),
    ("payroll = {", "boat = { clause = \"一\" }\npayroll = {", "reverse_standards.boat"),
    ("[lines.illness]", '[lines.travel]\ntitle = "行"\n[lines.illness]', "lines.travel"),
    ("[lines.illness]", "[lines.illness]\nlevels = []", "lines.illness.levels"),
    ("[lines.illness]", "[lines.illness]\ncap = 1.00", "lines.illness.cap"),
    (f"[{MEDICAL}]", f"[lines.illness.benefits.dental]\n[{MEDICAL}]", "lines.illness.benefits.dental"),
    ("[lines.illness.benefits.medical]", "[lines.illness.benefits.medical]\nsum = 1.00", f"{MEDICAL}.sum"),
    ('kind = "fixed"', 'kind = "fixed"\ncap = 1.00', "lines.accident.benefits.death.cap"),
    ('kind = "graded"', 'kind = "graded"\ncap = 1.00', "lines.accident.benefits.disability.cap"),
    ('kind = "shortfall"', 'kind = "shortfall"\nfranchise = 1.00', f"{SHORTFALL}.franchise"),
    ("rate = 1.00", "rate = { since = { 2020-01-01 = 1.0 }, until = 1 }", f"{SHORTFALL}.rate.until"),
    # missing keys
    ("notice_days = 180\n", "", "notice_days"),
    ("time_bar_years = 2\n", "", "time_bar_years"),
    ('number = "FPB-1"\n', "", "policy.number"),
    ('insurer = "公司"\n', "", "policy.insurer"),
    ("period = { from = 2020-01-01, to = 2020-12-31 }\n", "", "policy.period"),
    (", to = 2020-12-31", "", "policy.period.to"),
    ("premium_per_head = 450.00\n", "", "policy.premium_per_head"),
    ("basis = 19128.00\n", "", "poverty_line.basis"),
    ("ratio = 0.33\n", "", "poverty_line.ratio"),
    ('ratio = 0.33\nclause = "第一条"\n', "ratio = 0.33\n", "poverty_line.clause"),
    ("deposit = { amount_from = 50000.00, clause", "deposit = { clause", "reverse_standards.deposit.amount_from"),
    ('amount_from = 50000.00, clause = "第二条"', "amount_from = 50000.00", "reverse_standards.deposit.clause"),
    ("machinery = { price_from = 50000.00, clause", "machinery = { clause", "reverse_standards.machinery.price_from"),
    ("vehicle = { price_from = 100000.00, clause", "vehicle = { clause", "reverse_standards.vehicle.price_from"),
    ('housing = { uses = ["商品住宅"], clause', "housing = { clause", "reverse_standards.housing.uses"),
    ("capital_from = 100000.00, ", "", "reverse_standards.company.capital_from"),
    (', statuses = ["存续"]', "", "reverse_standards.company.statuses"),
    ('payroll = { clause = "第二条" }', "payroll = {}", "reverse_standards.payroll.clause"),
    ('title = "因病"\n', "", "lines.illness.title"),
    ('clause = "第三条"\n', "", "lines.illness.clause"),
    ('levels = ["中专", "大专", "本科"]\n', "", "lines.education.levels"),
    ('kind = "expense"\n', "", f"{MEDICAL}.kind"),
    ('clause = "第三条第二款"\n', "", f"{MEDICAL}.clause"),
    ('per = "person"\n', "", f"{MEDICAL}.per"),
    ('over = "policy_year"\n', "", f"{MEDICAL}.over"),
    (f"{TIERS}\n", "", f"{MEDICAL}.tiers"),
    ("default = 10000.00, ", "", f"{MEDICAL}.franchise.default"),
    ("sum = 30000.00\n", "", "lines.accident.benefits.death.sum"),
    (f"{GRADES}\n", "", "lines.accident.benefits.disability.grades"),
    ("rate = 1.00\n", "", f"{SHORTFALL}.rate"),
    ("cap_per_head = 3000.00\n", "", f"{SHORTFALL}.cap_per_head"),
    # wrong types
    ("notice_days = 180", 'notice_days = "180"', "notice_days"),
    ("notice_days = 180", "notice_days = 180.0", "notice_days"),
    ("notice_days = 180", "notice_days = true", "notice_days"),
    ("time_bar_years = 2", "time_bar_years = 2020-01-01", "time_bar_years"),
    ("household_cap = 150000.00", 'household_cap = "150000.00"', "household_cap"),
    ("household_cap = 150000.00", "household_cap = true", "household_cap"),
    ("household_cap = 150000.00", "household_cap = inf", "household_cap"),
    ("household_cap = 150000.00", "household_cap = nan", "household_cap"),
    ("household_cap = 150000.00", "household_cap = []", "household_cap"),
    ('jurisdiction = "370323"', "jurisdiction = 370323", "policy.jurisdiction"),
    ('title = "防贫保险"', 'title = "\u200b "', "policy.title"),
    ("from = 2020-01-01", 'from = "2020-01-01"', "policy.period.from"),
    ("from = 2020-01-01", "from = 2020-01-01T00:00:00", "policy.period.from"),
    ("period = { from = 2020-01-01, to = 2020-12-31 }", "period = 2020", "policy.period"),
    ('uses = ["商品住宅"]', 'uses = "商品住宅"', "reverse_standards.housing.uses"),
    ('uses = ["商品住宅"]', 'uses = ["商品住宅", 7]', "reverse_standards.housing.uses[1]"),
    ("within_years = 5", "within_years = 5.0", "reverse_standards.housing.within_years"),
    ('deposit = { amount_from = 50000.00, clause = "第二条" }', "deposit = 50000.00", "reverse_standards.deposit"),
    ('evidence = ["身份证"]', 'evidence = ["身份证", ""]', "lines.illness.evidence[1]"),
    ('evidence = ["身份证"]', "evidence = { a = 1 }", "lines.illness.evidence"),
    ("waiting_days = 30", "waiting_days = 30.5", "lines.illness.waiting_days"),
    ("income_ceiling = 1.5", 'income_ceiling = "1.5"', "lines.illness.income_ceiling"),
    ('kind = "expense"', 'kind = "fixed"', f"{MEDICAL}.kind"),
    ('per = "person"', 'per = "family"', f"{MEDICAL}.per"),
    ('over = "policy_year"', 'over = "year"', f"{MEDICAL}.over"),
    (TIERS, "tiers = 0.5", f"{MEDICAL}.tiers"),
    ("[20000.00, 0.50]", "[20000.00]", f"{MEDICAL}.tiers[2]"),
    ("[20000.00, 0.50]", "[20000.00, 0.50, 1]", f"{MEDICAL}.tiers[2]"),
    ("[20000.00, 0.50]", '["20000.00", 0.50]', f"{MEDICAL}.tiers[2]"),
    ("[20000.00, 0.50]", "20000.00", f"{MEDICAL}.tiers[2]"),
    ('"相对贫困户" = 5000.00', '"相对贫困户" = "5000"', f"{MEDICAL}.franchise.相对贫困户"),
    (', "相对贫困户"', ', "相对贫困户" = 1, "相对贫困户\u200b"', f"{MEDICAL}.franchise.相对贫困户\u200b"),
    # tiers
    (TIERS, "tiers = []", f"{MEDICAL}.tiers"),
    ("[[0.00, 0.00]", "[[0.01, 0.00]", f"{MEDICAL}.tiers[0]"),
    ("[20000.00, 0.50]", "[5000.00, 0.50]", f"{MEDICAL}.tiers[2]"),
    ("[20000.00, 0.50]", "[4999.99, 0.50]", f"{MEDICAL}.tiers[2]"),
    ("[100000.00, 0.80]", "[0.00, 0.80]", f"{MEDICAL}.tiers[4]"),
    # outside education there is no academic year
    ('over = "policy_year"', 'over = "academic_year"', f"{MEDICAL}.over"),
    # rates and ratios
    ("ratio = 0.33", "ratio = 1.01", "poverty_line.ratio"),
    ("ratio = 0.33", "ratio = 33", "poverty_line.ratio"),
    ("ratio = 0.33", "ratio = 1.0000000000000000000000000000000000000000000001", "poverty_line.ratio"),
    ("[20000.00, 0.50]", "[20000.00, 1.5]", f"{MEDICAL}.tiers[2]"),
    ("grades = [1.00, 0.90", "grades = [1.00, 1.90", "lines.accident.benefits.disability.grades[1]"),
    ("rate = 1.00", "rate = 1.001", f"{SHORTFALL}.rate"),
    # anything negative
    ("notice_days = 180", "notice_days = -1", "notice_days"),
    ("household_cap = 150000.00", "household_cap = -0.01", "household_cap"),
    ("premium_per_head = 450.00", "premium_per_head = -450.00", "policy.premium_per_head"),
    ("ratio = 0.33", "ratio = -0.33", "poverty_line.ratio"),
    ("income_ceiling = 1.5", "income_ceiling = -1.5", "lines.illness.income_ceiling"),
    ("within_years = 5", "within_years = -5", "reverse_standards.housing.within_years"),
    ("[20000.00, 0.50]", "[20000.00, -0.50]", f"{MEDICAL}.tiers[2]"),
    ("[[0.00, 0.00]", "[[-1.00, 0.00]", f"{MEDICAL}.tiers[0]"),
    ("default = 10000.00", "default = -1", f"{MEDICAL}.franchise.default"),
    # a part of a fen
    ("basis = 19128.00", "basis = 19128.001", "poverty_line.basis"),
    ("household_cap = 150000.00", "household_cap = 1e-3", "household_cap"),
    ("cap = 100000.00", "cap = 0.00000000000000000000000000000000000000001", f"{MEDICAL}.cap"),
    ("[20000.00, 0.50]", "[20000.005, 0.50]", f"{MEDICAL}.tiers[2]"),
    ("default = 10000.00", "default = 10000.005", f"{MEDICAL}.franchise.default"),
    # too large to be meant
    ("cap = 100000.00", "cap = 1e30", f"{MEDICAL}.cap"),
    ("cap = 100000.00", "cap = 1e999999", f"{MEDICAL}.cap"),
    ("rate = 1.00", "rate = 1e-999999", f"{SHORTFALL}.rate"),
    # ten grades
    (", 0.20, 0.10]", ", 0.20]", "lines.accident.benefits.disability.grades"),
    (", 0.20, 0.10]", ", 0.20, 0.10, 0.05]", "lines.accident.benefits.disability.grades"),
    # the period
    ("to = 2020-12-31", "to = 2019-12-31", "policy.period"),
    # dated values
    ("cap = 100000.00", "cap = { since = {} }", f"{MEDICAL}.cap.since"),
    ("cap = 100000.00", "cap = { since = 1.00 }", f"{MEDICAL}.cap.since"),
    ("cap = 100000.00", "cap = { since = { 2020-13-01 = 1.00 } }", f"{MEDICAL}.cap.since.2020-13-01"),
    ("cap = 100000.00", "cap = { since = { 20200101 = 1.00 } }", f"{MEDICAL}.cap.since.20200101"),
    ("cap = 100000.00", "cap = { since = { 2020-W10-1 = 1.00 } }", f"{MEDICAL}.cap.since.2020-W10-1"),
    ("cap = 100000.00", "cap = { since = { 2020-01-01 = -1.00 } }", f"{MEDICAL}.cap.since.2020-01-01"),
    (TIERS, "tiers = { since = { 2020-01-01 = [[0, 0.10], [0, 0.20]] } }", f"{MEDICAL}.tiers.since.2020-01-01[1]"),
    (GRADES, "grades = [{ since = { 2020-01-01 = 1.00 } }]", "lines.accident.benefits.disability.grades[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place"), ONE_FAULT)
def test_one_fault_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert places(changed((old, new))) == [place]


@pytest.mark.parametrize("table", ["policy", "poverty_line", "lines"])
def test_a_table_that_must_be_there_is_named(table: str) -> None:
    head = "notice_days = 1\ntime_bar_years = 1\n"
    tables = {
        "policy": POLICY[POLICY.index("[policy]") : POLICY.index("[poverty_line]")],
        "poverty_line": POLICY[POLICY.index("[poverty_line]") : POLICY.index("[reverse_standards]")],
        "lines": "[lines]\n",
    }
    assert places(head + "".join(text for name, text in tables.items() if name != table)) == [table]


def test_all_faults_are_named_at_once() -> None:
    several = [
        ("notice_days = 180", "notice_days = -1"),
        ("ratio = 0.33", "ratio = 3.3"),
        ("[20000.00, 0.50]", "[20000.00, 5.0]"),
        ("rate = 1.00\n", ""),
        ('number = "FPB-1"', 'number = ""\nnote = "x"'),
    ]
    assert sorted(places(changed(*several))) == sorted(
        [
            "notice_days",
            "poverty_line.ratio",
            f"{MEDICAL}.tiers[2]",
            f"{SHORTFALL}.rate",
            "policy.number",
            "policy.note",
        ]
    )


@pytest.mark.parametrize(
    "text",
    [
        "notice_days = 180\n" + POLICY,  # a key twice
        POLICY + "\n[policy]\n",  # a table twice
        POLICY.replace("default = 10000.00", "default = 1.00, default = 2.00"),
        "notice_days = ",
        "notice_days = 01",
        POLICY.replace("cap = 100000.00", "cap = 1e99999999999999999999"),
        POLICY.replace("cap = 100000.00", f"cap = {'9' * 5000}"),
        "a = " + "[" * 5000,
    ],
)
def test_what_is_no_toml_is_refused_as_a_file(text: str) -> None:
    (place,) = places(text)
    assert place == "" or place.startswith("line ")


def test_a_file_that_is_not_there_or_not_utf8_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    for content in (None, POLICY.encode("gb18030")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UnusableInput) as refused:
            load_policy(path)
        assert [fault.place for fault in refused.value.faults] == ["policy.toml"]
    path.write_text(POLICY, encoding="utf-8")
    assert load_policy(path) == read()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
    )
)
def test_any_value_in_any_place_is_read_or_refused_as_unusable(value: object) -> None:
    text = _toml(value)
    for old in ("180", "19128.00", '["商品住宅"]', "0.33", TIERS.removeprefix("tiers = "), '"person"'):
        with suppress(UnusableInput):  # and nothing else
            parse_policy(POLICY.replace(old, text, 1).encode())


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return "{}" if value is None else '"' + "".join(char for char in str(value) if char.isalnum()) + '"'


@pytest.mark.parametrize(
    "old",
    [
        'kind = "expense"',
        'per = "person"',
        'over = "policy_year"',
        'title = "因病"',
        'clause = "第三条"',
        'number = "FPB-1"',
        "premium_per_head = 450.00",
        "basis = 19128.00",
        "ratio = 0.33",
    ],
)
def test_no_other_value_may_be_dated(old: str) -> None:
    key, value = old.split(" = ")
    assert len(places(changed((old, f"{key} = {{ since = {{ 2020-03-01 = {value} }} }}")))) == 1
