"""Reading claims.xlsx: each sheet and column of rules.md §2, and what is asked of a row as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.facts import Claim
from claims.intake_files import SHEETS, parse_evidence, parse_grade, parse_members, read_claims
from foundation.cells import CellError
from foundation.errors import UnusableInput
from foundation.spreadsheets import Written
from foundation.tables import RowError
from tests.foundation.raw_workbook import workbook_parts, written, zipped
from tests.households.people import Cells, id_number, table, write_sheets

NOTICE: Cells = {
    "报案号": "BA1",
    "报案日期": date(2020, 4, 1),
    "报案渠道": "个人申报",
    "姓名": "王五",
    "身份证号": id_number(1),
    "材料": "身份证；出院记录、费用结算单，;、 ",
    "收款账号": "6223192710959452610",
    "收款户名": "王 五",
}
ILLNESS: Cells = {
    **NOTICE,
    "结算日期": "2020.3.5",
    "病因": "脑出血",
    "结算单号": "YB1",
    "医疗总费用": Decimal(1000),
    "基本医保支付": "500元",
    "大病保险支付": "100",
    "医疗救助支付": "50.5",
    "其他补偿": "0.01万",
}
EDUCATION: Cells = {
    **NOTICE,
    "注册日期": "2020-03-05",
    "学年": "2019—2020学年",
    "学校": "山东大学",
    "学历层次": "本科",
    "缴费凭证号": "JF1",
    "学费": "5000",
    "住宿费": "800",
    "教材费": "300.5",
    "资助金额": "100",
}
ACCIDENT: Cells = {
    **NOTICE,
    "事故日期": "20200305",
    "事故编号": "SG1",
    "事故原因": "火灾",
    "给付项目": "医疗",
    "伤残等级": None,
    "费用金额": "2000",
    "第三方赔付": "500",
    "凭证号": "PZ1",
}
INCOME: Cells = {
    **NOTICE,
    "核算日期": "2020/3/5",
    "致困原因": "失业",
    "核定人均纯收入": "4880.89",
    "家庭人口": 4,
}
SOUND = {"因病": ILLNESS, "因学": EDUCATION, "因意外": ACCIDENT, "收入": INCOME}
COMMON_REQUIRED = ["报案号", "报案日期", "报案渠道", "姓名", "身份证号"]
REQUIRED = {
    "因病": [*COMMON_REQUIRED, "结算日期", "病因", "结算单号", "医疗总费用"],
    "因学": [*COMMON_REQUIRED, "注册日期", "学年", "学校", "学历层次", "缴费凭证号"],
    "因意外": [*COMMON_REQUIRED, "事故日期", "事故编号", "事故原因", "给付项目"],
    "收入": [*COMMON_REQUIRED, "核算日期", "致困原因", "核定人均纯收入", "家庭人口"],
}
EXPECTED_NOTICE: dict[str, Any] = {
    "claim_no": "BA1",
    "notified_on": date(2020, 4, 1),
    "channel": "个人申报",
    "name": "王五",
    "id_number": id_number(1),
    "evidence": ("身份证", "出院记录", "费用结算单"),
    "payee_account": "6223192710959452610",
    "payee_name": "王五",
    "event_on": date(2020, 3, 5),
}


def read_sheets(
    folder: Path, sheets: Mapping[str, Sequence[Sequence[Written]]]
) -> tuple[list[Claim], list[RowError]]:
    return read_claims(write_sheets(folder / "claims.xlsx", sheets))


def read(
    folder: Path, sheet: str, *rows: Cells, header: Sequence[str] | None = None
) -> tuple[list[Claim], list[Any]]:
    """The claims of one sheet, and (row, column, code) of each refused cell."""
    claims, errors = read_sheets(folder, {sheet: table(rows, header)})
    assert all((error.file, error.sheet) == ("claims.xlsx", sheet) for error in errors)
    return claims, [(error.row, error.column, error.code) for error in errors]


def changed(cells: Cells, changes: Cells) -> Cells:
    return {**cells, **changes}


# Each sheet


def test_an_illness_claim_is_read_with_every_value(tmp_path: Path) -> None:
    assert read(tmp_path, "因病", ILLNESS) == (
        [
            Claim(
                **EXPECTED_NOTICE,
                line="illness",
                benefit="medical",
                cause="脑出血",
                document_no="YB1",
                total_fen=100_000,
                basic_fen=50_000,
                major_fen=10_000,
                aid_fen=5_050,
                other_fen=10_000,
                measure_fen=24_950,
            )
        ],
        [],
    )


def test_an_education_claim_is_read_with_every_value(tmp_path: Path) -> None:
    assert read(tmp_path, "因学", EDUCATION) == (
        [
            Claim(
                **EXPECTED_NOTICE,
                line="education",
                benefit="tuition",
                document_no="JF1",
                academic_year="2019-2020",
                school="山东大学",
                level="本科",
                tuition_fen=500_000,
                lodging_fen=80_000,
                books_fen=30_050,
                grants_fen=10_000,
                measure_fen=600_050,
            )
        ],
        [],
    )


def test_an_accident_claim_is_read_with_every_value(tmp_path: Path) -> None:
    assert read(tmp_path, "因意外", ACCIDENT) == (
        [
            Claim(
                **EXPECTED_NOTICE,
                line="accident",
                benefit="medical",
                cause="火灾",
                document_no="PZ1",
                accident_no="SG1",
                expense_fen=200_000,
                third_party_fen=50_000,
                measure_fen=150_000,
            )
        ],
        [],
    )


def test_an_income_claim_is_read_with_every_value(tmp_path: Path) -> None:
    assert read(tmp_path, "收入", INCOME) == (
        [
            Claim(
                **EXPECTED_NOTICE,
                line="income",
                benefit="shortfall",
                cause="失业",
                verified_income_fen=488_089,
                members=4,
            )
        ],
        [],
    )


@pytest.mark.parametrize("sheet", SOUND)
def test_only_the_required_columns_need_be_there(tmp_path: Path, sheet: str) -> None:
    benefit = {"给付项目": "身故"} if sheet == "因意外" else {}
    claims, errors = read(tmp_path, sheet, changed(SOUND[sheet], benefit), header=REQUIRED[sheet])
    assert errors == []
    assert (claims[0].evidence, claims[0].payee_account, claims[0].payee_name) == ((), None, None)
    for column in REQUIRED[sheet]:
        with pytest.raises(UnusableInput) as stopped:
            read(tmp_path, sheet, SOUND[sheet], header=[name for name in SOUND[sheet] if name != column])
        (fault,) = stopped.value.faults
        assert (fault.place, fault.en) == (f"claims.xlsx › {sheet}", f"missing columns: {column}")


@pytest.mark.parametrize("sheet", SOUND)
def test_a_required_cell_that_is_empty_is_told_and_any_other_may_be(tmp_path: Path, sheet: str) -> None:
    sound = changed(SOUND[sheet], {"给付项目": "身故"}) if sheet == "因意外" else SOUND[sheet]
    rows = [
        changed(sound, {column: "", "报案号": f"BA{at}"})
        for at, column in enumerate(sound)
        if column != "报案号"
    ]
    rows.append(changed(sound, {"报案号": " "}))
    columns = [column for column in sound if column != "报案号"] + ["报案号"]
    claims, errors = read(tmp_path, sheet, *rows)
    expected = [
        (row, name, "required") for row, name in enumerate(columns, start=2) if name in REQUIRED[sheet]
    ]
    assert errors == expected
    assert len(claims) == len(rows) - len(expected)


@pytest.mark.parametrize(
    ("sheet", "column", "cell", "code"),
    [
        ("因病", "报案号", 10**15, "digits_lost"),
        ("因病", "报案日期", "明天", "date"),
        ("因病", "报案渠道", "电话", "choice"),
        ("因病", "姓名", True, "text"),
        ("因病", "身份证号", "370323", "id_number"),
        ("因病", "材料", 10**15, "digits_lost"),
        ("因病", "收款账号", 6223192710959452610, "digits_lost"),
        ("因病", "收款户名", Decimal("0.5"), "text"),
        ("因病", "病因", date(2020, 5, 2), "text"),
        ("因病", "医疗总费用", -1, "amount"),
        ("因病", "其他补偿", "无", "amount"),
        ("因学", "学年", "2020", "academic_year"),
        ("因学", "住宿费", "八百", "amount"),
        ("因意外", "给付项目", "死亡", "choice"),
        ("因意外", "费用金额", -1, "amount"),
        ("因意外", "凭证号", False, "text"),
        ("收入", "核定人均纯收入", "4,88", "amount"),
        ("收入", "家庭人口", 0, "number"),
        ("收入", "家庭人口", "-2", "number"),
    ],
)
def test_a_cell_that_is_not_of_its_columns_type_is_told_alone(
    tmp_path: Path, sheet: str, column: str, cell: Written, code: str
) -> None:
    claims, errors = read(tmp_path, sheet, changed(SOUND[sheet], {column: cell}))
    assert claims == []
    assert errors == [(2, column, code)]


# A row as a whole


@pytest.mark.parametrize(
    ("sheet", "changes", "column"),
    [
        ("因病", {"医疗总费用": "750.49"}, "医疗总费用"),
        ("因学", {"资助金额": "6100.51"}, "资助金额"),
        ("因学", {"学费": "", "住宿费": "", "教材费": ""}, "资助金额"),
        ("因意外", {"第三方赔付": "2000.01"}, "第三方赔付"),
        ("因意外", {"给付项目": "家财", "费用金额": 0}, "第三方赔付"),
    ],
)
def test_a_measure_below_zero_is_inconsistent(
    tmp_path: Path, sheet: str, changes: Cells, column: str
) -> None:
    claims, errors = read(tmp_path, sheet, changed(SOUND[sheet], changes))
    assert claims == []
    assert errors == [(2, column, "inconsistent")]


@pytest.mark.parametrize(
    ("sheet", "changes"),
    [
        ("因病", {"医疗总费用": "750.50"}),
        (
            "因病",
            {"医疗总费用": 0, "基本医保支付": "", "大病保险支付": None, "医疗救助支付": "", "其他补偿": ""},
        ),
        ("因学", {"资助金额": "6100.5"}),
        ("因意外", {"第三方赔付": "2000.00"}),
    ],
)
def test_a_measure_of_zero_is_taken_in(tmp_path: Path, sheet: str, changes: Cells) -> None:
    ((claim,), errors) = read(tmp_path, sheet, changed(SOUND[sheet], changes))
    assert (claim.measure_fen, errors) == (0, [])


def test_an_inconsistent_measure_is_told_beside_the_rows_other_refusals(tmp_path: Path) -> None:
    _, errors = read(tmp_path, "因病", changed(ILLNESS, {"医疗总费用": "1", "病因": "", "报案日期": "x"}))
    assert errors == [(2, "报案日期", "date"), (2, "病因", "required"), (2, "医疗总费用", "inconsistent")]


def test_with_a_refused_amount_there_is_no_measure_to_judge(tmp_path: Path) -> None:
    _, errors = read(tmp_path, "因病", changed(ILLNESS, {"医疗总费用": "1", "其他补偿": "x"}))
    assert errors == [(2, "其他补偿", "amount")]


@pytest.mark.parametrize("benefit", ["身故", "伤残", "医疗", "家财"])
def test_what_an_accident_claim_must_hold_depends_on_its_benefit(tmp_path: Path, benefit: str) -> None:
    nothing = changed(ACCIDENT, {"给付项目": benefit, "伤残等级": "", "费用金额": "", "第三方赔付": ""})
    nonsense = changed(nothing, {"伤残等级": "不适用", "费用金额": True})
    needed = {
        "伤残": [("伤残等级", "number")],
        "医疗": [("费用金额", "amount")],
        "家财": [("费用金额", "amount")],
    }
    _, errors = read(tmp_path, "因意外", nothing)
    assert errors == [(2, column, "required") for column, _ in needed.get(benefit, [])]
    claims, errors = read(tmp_path, "因意外", nonsense)
    assert errors == [(2, column, code) for column, code in needed.get(benefit, [])]
    if benefit == "身故":
        assert [(claim.benefit, claim.grade, claim.expense_fen) for claim in claims] == [("death", None, 0)]


@pytest.mark.parametrize(("cell", "grade"), [(1, 1), ("10", 10), ("0７", 7)])
def test_a_disability_has_a_grade_and_no_measure(tmp_path: Path, cell: Written, grade: int) -> None:
    ((claim,), _) = read(tmp_path, "因意外", changed(ACCIDENT, {"给付项目": "伤残", "伤残等级": cell}))
    assert (claim.benefit, claim.grade, claim.expense_fen, claim.measure_fen) == ("disability", grade, 0, 0)
    assert claim.third_party_fen == 50_000


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (0, "choice"),
        (11, "choice"),
        ("9" * 50, "choice"),
        (-1, "number"),
        (Decimal("2.5"), "number"),
        ("九级", "number"),
    ],
)
def test_a_grade_outside_one_to_ten_is_no_choice_and_anything_else_no_number(
    tmp_path: Path, cell: Written, code: str
) -> None:
    _, errors = read(tmp_path, "因意外", changed(ACCIDENT, {"给付项目": "伤残", "伤残等级": cell}))
    assert errors == [(2, "伤残等级", code)]


@pytest.mark.parametrize(("benefit", "code"), [("", "required"), ("死亡", "choice")])
def test_where_the_benefit_is_refused_grade_and_expense_are_not_looked_at_but_the_third_party_is(
    tmp_path: Path, benefit: str, code: str
) -> None:
    row = changed(ACCIDENT, {"给付项目": benefit, "伤残等级": "x", "费用金额": "x", "第三方赔付": "x"})
    _, errors = read(tmp_path, "因意外", row)
    assert errors == [(2, "给付项目", code), (2, "第三方赔付", "amount")]


def test_the_third_party_is_looked_at_whatever_the_benefit(tmp_path: Path) -> None:
    _, errors = read(tmp_path, "因意外", changed(ACCIDENT, {"给付项目": "身故", "第三方赔付": -5}))
    assert errors == [(2, "第三方赔付", "amount")]


def test_a_column_required_in_a_case_that_is_not_in_the_sheet_is_told_last(tmp_path: Path) -> None:
    header = [name for name in ACCIDENT if name not in ("伤残等级", "费用金额")]
    rows = [
        changed(ACCIDENT, {"给付项目": word, "报案号": word, "凭证号": True})
        for word in ("伤残", "医疗", "身故")
    ]
    _, errors = read(tmp_path, "因意外", *rows, header=header)
    assert errors == [
        (2, "凭证号", "text"),
        (2, "伤残等级", "required"),
        (3, "凭证号", "text"),
        (3, "费用金额", "required"),
        (4, "凭证号", "text"),
    ]


# All sheets together


def test_a_claim_number_may_stand_once_over_all_sheets_in_workbook_order(tmp_path: Path) -> None:
    claims, errors = read_sheets(
        tmp_path,
        {
            "收入": table([changed(INCOME, {"家庭人口": 0}), changed(INCOME, {"报案号": "BA2"})]),
            "因学": table([EDUCATION, changed(EDUCATION, {"报案号": "BA2", "学年": "x"})]),
            "因病": table([changed(ILLNESS, {"报案号": "ＢＡ1", "医疗总费用": 1})]),
        },
    )
    assert [(claim.line, claim.claim_no) for claim in claims] == [("income", "BA2"), ("education", "BA1")]
    assert [(error.sheet, error.row, error.column, error.code) for error in errors] == [
        ("收入", 2, "家庭人口", "number"),
        ("因学", 3, "报案号", "duplicate"),
        ("因学", 3, "学年", "academic_year"),
        ("因病", 2, "报案号", "duplicate"),
        ("因病", 2, "医疗总费用", "inconsistent"),
    ]


def test_a_sheet_may_be_absent_but_not_all_four(tmp_path: Path) -> None:
    assert len(read_sheets(tmp_path, {"说明": [["x"]], "收入": table([INCOME])})[0]) == 1
    with pytest.raises(UnusableInput, match="因病、因学、因意外、收入"):
        read_sheets(tmp_path, {"说明": [["x"]]})


def test_every_sheet_without_its_columns_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as stopped:
        read_sheets(tmp_path, {"因病": [["报案号"]], "收入": table([INCOME]), "因学": []})
    assert [fault.place for fault in stopped.value.faults] == ["claims.xlsx › 因病", "claims.xlsx › 因学"]


def test_the_required_columns_are_those_of_the_rules() -> None:
    found = {
        sheet: [column.name for column in columns if column.required]
        for sheet, (_, columns, _) in SHEETS.items()
    }
    assert found == REQUIRED
    assert {sheet: [column.name for column in columns] for sheet, (_, columns, _) in SHEETS.items()} == {
        sheet: list(cells) for sheet, cells in SOUND.items()
    }


@settings(max_examples=10)
@given(st.integers(1, 8), st.randoms(use_true_random=False))
def test_shuffled_rows_columns_and_sheets_give_the_same_claims(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: Any
) -> None:
    folder = tmp_path_factory.mktemp("shuffled")
    rows = {
        sheet: [changed(cells, {"报案号": f"{sheet}{number}", "备注": "x"}) for number in range(count)]
        for sheet, cells in SOUND.items()
    }

    def claims(sheets: Sequence[str], shuffle: bool) -> set[Claim]:
        tables: dict[str, list[list[Written]]] = {}
        for sheet in sheets:
            order, header = list(rows[sheet]), list(rows[sheet][0])
            if shuffle:
                chance.shuffle(order)
                chance.shuffle(header)
            tables[sheet] = table(order, header)
        found, errors = read_sheets(folder, tables)
        assert errors == []
        assert len(found) == len(sheets) * count
        return set(found)

    sheets = list(rows)
    chance.shuffle(sheets)
    assert claims(sheets, shuffle=True) == claims(list(rows), shuffle=False)


# Types of its own


def test_evidence_is_split_into_words() -> None:
    assert parse_evidence("身份证; 出院记录、、费用结算单，死亡证明 ；") == (
        "身份证",
        "出院记录",
        "费用结算单",
        "死亡证明",
    )
    assert parse_evidence("；、,") == parse_evidence("") == parse_evidence(None) == ()
    assert parse_evidence(12.0) == ("12",)


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.integers(), st.none()))
def test_no_reader_of_a_cell_raises_anything_but_its_refusal(cell: Any) -> None:
    for parse in (parse_evidence, parse_grade, parse_members):
        try:
            value = parse(cell)
        except CellError:
            continue
        assert value is None or isinstance(value, tuple) or value >= 1


def test_a_sheet_that_cannot_be_read_comes_to_an_end_with_its_reason(tmp_path: Path) -> None:
    """A cell far out makes the sheet unreadable in the midst of it, when its rows are asked for."""
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = written(tmp_path, zipped(workbook_parts({"因病": far, "因学": far})), "claims.xlsx")
    with pytest.raises(UnusableInput) as refused:
        read_claims(path)
    assert [fault.place for fault in refused.value.faults] == ["claims.xlsx"]
    assert "XFD1048576" in refused.value.faults[0].en
