"""Reading claims.xlsx (rules.md §2): the sheets 因病, 因学, 因意外 and 收入. Money in fen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from claims.facts import Claim
from foundation.cells import (
    Cell,
    CellError,
    choice_parser,
    keep,
    parse_academic_year,
    parse_amount,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_whole,
    whole_or_more,
    words_parser,
)
from foundation.collecting import without_cycle_search
from foundation.errors import Fault, UnusableInput
from foundation.spreadsheets import open_workbook
from foundation.tables import Column, Refused, RowError, read_judged_table

FILE = "claims.xlsx"
CHANNELS = ("部门预警", "个人申报", "镇村核查", "窗口受理")
ACCIDENT_BENEFITS = {"身故": "death", "伤残": "disability", "医疗": "medical", "家财": "property"}

Faults = list[tuple[str, str]]
Values = dict[str, Any]


def parse_evidence(cell: Cell) -> tuple[str, ...]:
    """The words of 材料, split by `;`, `、` or `,`, empty ones dropped."""
    text = parse_text(cell) or ""
    words = (word.strip() for word in text.replace("、", ",").replace(";", ",").split(","))
    return tuple(word for word in words if word)


def parse_grade(cell: Cell) -> int | None:
    """伤残等级: a whole number, refused with `choice` outside 1 to 10."""
    grade = whole_or_more(cell)
    if grade is not None and not 1 <= grade <= 10:
        raise CellError("choice")
    return grade


def parse_members(cell: Cell) -> int | None:
    """家庭人口: a whole number of at least 1."""
    members = parse_whole(cell)
    if members == 0:
        raise CellError("number")
    return members


def parse_amount_or_zero(cell: Cell) -> int:
    """An amount in fen, empty means 0."""
    return parse_amount(cell) or 0


def _amount(name: str, field: str, required: bool = False) -> Column:
    return Column(name, field, parse_amount if required else parse_amount_or_zero, required, distinct=True)


_COMMON = (
    Column("报案号", "claim_no", parse_text, required=True, distinct=True),
    Column("报案日期", "notified_on", parse_date, required=True),
    Column("报案渠道", "channel", words_parser(*CHANNELS), required=True),
    Column("姓名", "name", parse_name, required=True),
    Column("身份证号", "id_number", parse_id_number, required=True, distinct=True),
    Column("材料", "evidence", parse_evidence),
    Column("收款账号", "payee_account", parse_text, distinct=True),
    Column("收款户名", "payee_name", parse_name),
)

_ILLNESS = (
    *_COMMON,
    Column("结算日期", "event_on", parse_date, required=True),
    Column("病因", "cause", parse_text, required=True),
    Column("结算单号", "document_no", parse_text, required=True, distinct=True),
    _amount("医疗总费用", "total_fen", required=True),
    _amount("基本医保支付", "basic_fen"),
    _amount("大病保险支付", "major_fen"),
    _amount("医疗救助支付", "aid_fen"),
    _amount("其他补偿", "other_fen"),
)

_EDUCATION = (
    *_COMMON,
    Column("注册日期", "event_on", parse_date, required=True),
    Column("学年", "academic_year", parse_academic_year, required=True),
    Column("学校", "school", parse_text, required=True),
    Column("学历层次", "level", parse_text, required=True),
    Column("缴费凭证号", "document_no", parse_text, required=True, distinct=True),
    _amount("学费", "tuition_fen"),
    _amount("住宿费", "lodging_fen"),
    _amount("教材费", "books_fen"),
    _amount("资助金额", "grants_fen"),
)

_ACCIDENT = (
    *_COMMON,
    Column("事故日期", "event_on", parse_date, required=True),
    Column("事故编号", "accident_no", parse_text, required=True),
    Column("事故原因", "cause", parse_text, required=True),
    Column("给付项目", "benefit", choice_parser(ACCIDENT_BENEFITS), required=True),
    # What these two must be depends on 给付项目.
    Column("伤残等级", "grade", keep),
    Column("费用金额", "expense_fen", keep, distinct=True),
    _amount("第三方赔付", "third_party_fen"),
    Column("凭证号", "document_no", parse_text, distinct=True),
)

_INCOME = (
    *_COMMON,
    Column("核算日期", "event_on", parse_date, required=True),
    Column("致困原因", "cause", parse_text, required=True),
    _amount("核定人均纯收入", "verified_income_fen", required=True),
    Column("家庭人口", "members", parse_members, required=True),
)


def _measure(values: Values, costs: tuple[str, ...], paid: tuple[str, ...], refused_at: str) -> Faults:
    """Sets the measure, costs less what others paid; refuses the row at a field where that is below zero.

    Where one of the amounts was refused itself there is nothing to work out.
    """
    if any(isinstance(values[field], Refused) for field in (*costs, *paid)):
        return []
    measure = sum(values[field] for field in costs) - sum(values[field] for field in paid)
    values["measure_fen"] = measure
    return [(refused_at, "inconsistent")] if measure < 0 else []


def _judge_illness(values: Values) -> Faults:
    values["benefit"] = "medical"
    return _measure(values, ("total_fen",), ("basic_fen", "major_fen", "aid_fen", "other_fen"), "total_fen")


def _judge_education(values: Values) -> Faults:
    values["benefit"] = "tuition"
    return _measure(values, ("tuition_fen", "lodging_fen", "books_fen"), ("grants_fen",), "grants_fen")


def _judge_accident(values: Values) -> Faults:
    """Reads 伤残等级 and 费用金额 where 给付项目 asks for them, and looks at neither otherwise."""
    benefit, grade, expense = values["benefit"], values["grade"], values["expense_fen"]
    values["grade"], values["expense_fen"] = None, 0
    if benefit == "disability":
        return _read_into(values, "grade", grade, parse_grade)
    if benefit in ("medical", "property"):
        faults = _read_into(values, "expense_fen", expense, parse_amount)
        return faults + _measure(values, ("expense_fen",), ("third_party_fen",), "third_party_fen")
    return []


def _read_into(values: Values, field: str, cell: Cell, parse: Callable[[Cell], int | None]) -> Faults:
    """A cell that must be there, read into its field."""
    try:
        value = parse(cell)
    except CellError as refusal:
        code = refusal.code
    else:
        if value is not None:
            values[field] = value
            return []
        code = "required"
    values[field] = Refused(code)
    return [(field, code)]


def _judge_income(values: Values) -> Faults:
    values["benefit"] = "shortfall"
    return []


SHEETS: dict[str, tuple[str, tuple[Column, ...], Callable[[Values], Faults]]] = {
    "因病": ("illness", _ILLNESS, _judge_illness),
    "因学": ("education", _EDUCATION, _judge_education),
    "因意外": ("accident", _ACCIDENT, _judge_accident),
    "收入": ("income", _INCOME, _judge_income),
}
"""By the sheet's name, the line of cover, its columns as rules.md lists them, and what is asked of a whole row."""


@without_cycle_search()
def read_claims(path: Path) -> tuple[list[Claim], list[RowError]]:
    """The claims taken in, in workbook order, and the refused cells. Raises UnusableInput (rules.md §1)."""
    claims: list[Claim] = []
    errors: list[RowError] = []
    faults: list[Fault] = []
    taken: set[str] = set()
    seen = 0
    with open_workbook(path, list(SHEETS), FILE) as sheets:
        for sheet, rows in sheets:
            seen += 1
            line, columns, judge = SHEETS[sheet]
            try:
                result = read_judged_table(
                    columns, rows, FILE, sheet, header_rows=10, key="claim_no", taken=taken, judge=judge
                )
            except UnusableInput as unusable:
                faults.extend(unusable.faults)
                continue
            errors.extend(result.errors)
            claims.extend(Claim(**values, line=line) for values in result.rows)
    if not seen:
        listed = "、".join(SHEETS)
        faults.append(Fault(FILE, f"缺少工作表:{listed}(至少一张)", f"none of the sheets is there: {listed}"))
    if faults:
        raise UnusableInput(faults)
    return claims, errors
