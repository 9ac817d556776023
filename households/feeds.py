"""Reading what the departments sent, feeds/*.csv, and clearances.csv (rules.md §2). Money in fen.

A feed that is absent is no data and stays None: it is never read as clear. A feed with a header and no rows is
data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from foundation.cells import (
    Parser,
    choice_parser,
    parse_academic_year,
    parse_amount,
    parse_capital,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_twelve_digits,
    plain_amounts,
    words_parser,
)
from foundation.collecting import without_cycle_search
from foundation.csvfiles import hint_when_utf8, read_csv
from foundation.errors import Fault, UnusableInput
from foundation.tables import Column, RowError, read_table
from households.roster import YES_NO

MATTERS = ("存款", "农机具", "商品房", "车辆", "企业", "财政供养")
PASSED = {"通过": True, "不通过": False}


@dataclass(frozen=True, slots=True)
class MedicalRow:
    """A settlement of the medical insurance 医保结算."""

    document_no: str
    id_number: str
    name: str
    settled_on: date
    total_fen: int
    basic_fen: int
    major_fen: int
    aid_fen: int


@dataclass(frozen=True, slots=True)
class EducationRow:
    """A pupil's or student's enrolment 学籍."""

    id_number: str
    name: str
    academic_year: str
    school: str
    level: str
    status: str


@dataclass(frozen=True, slots=True)
class AccidentRow:
    """A traffic accident 交通事故, and whether the person drove drunk 本人酒驾."""

    accident_no: str
    id_number: str
    occurred_on: date
    drunk: bool


@dataclass(frozen=True, slots=True)
class DeathRow:
    """A registered death 死亡登记."""

    id_number: str
    name: str
    died_on: date


@dataclass(frozen=True, slots=True)
class HousingRow:
    """A registered building 不动产, with its use 用途."""

    id_number: str
    use: str
    registered_on: date


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A motor vehicle 机动车."""

    id_number: str
    plate: str
    price_fen: int
    registered_on: date


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A person's company 市场主体, with its registered capital 注册资本 and status 状态."""

    id_number: str
    name: str
    capital_fen: int
    founded_on: date
    status: str


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A large deposit 大额存款 as of its cut-off day 截止日期."""

    id_number: str
    amount_fen: int
    as_of: date


@dataclass(frozen=True, slots=True)
class MachineryRow:
    """A large farm machine 大型农机具."""

    id_number: str
    name: str
    price_fen: int
    registered_on: date


@dataclass(frozen=True, slots=True)
class PayrollRow:
    """Time on the public payroll 财政供养; `to_date` None is open."""

    id_number: str
    employer: str
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class KinRow:
    """A near relative 直系亲属 of a person."""

    id_number: str
    relative_id_number: str
    relation: str


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """A relative of a village's official 干部亲属."""

    official_id_number: str
    village_code: str
    relative_id_number: str


@dataclass(frozen=True, slots=True)
class ClearanceRow:
    """The answer to a hit of the comparison 核查澄清: `matter` is the word of 事项, `passed` says 通过."""

    household_no: str
    matter: str
    cleared_on: date
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """All that the departments sent; None for a feed that is absent. Clearances that are absent are none."""

    medical: list[MedicalRow] | None = None
    education: list[EducationRow] | None = None
    accidents: list[AccidentRow] | None = None
    deaths: list[DeathRow] | None = None
    housing: list[HousingRow] | None = None
    vehicles: list[VehicleRow] | None = None
    companies: list[CompanyRow] | None = None
    deposits: list[DepositRow] | None = None
    machinery: list[MachineryRow] | None = None
    payroll: list[PayrollRow] | None = None
    kin: list[KinRow] | None = None
    officials: list[OfficialRow] | None = None
    clearances: list[ClearanceRow]

    def absent(self) -> list[str]:
        """Names of the feeds that are absent: no data, which is never read as clear."""
        return [field.name for field in fields(self) if getattr(self, field.name) is None]


def _columns(row: Callable[..., Any], *columns: tuple[str, Parser[Any]], empty: str = "") -> tuple[Any, ...]:
    """A row's class and its columns in the order of its fields; cells of the column named `empty` may be so."""
    names = [field.name for field in fields(row)]  # type: ignore[arg-type]  # every row here is a dataclass
    return row, tuple(
        Column(
            name,
            field,
            parse,
            required=name != empty,
            in_header=True,
            distinct=parse in (parse_id_number, parse_amount, parse_capital),
            parse_many=plain_amounts if parse in (parse_amount, parse_capital) else None,
        )
        for field, (name, parse) in zip(names, columns, strict=True)
    )


_ID = ("身份证号", parse_id_number)

COLUMNS: dict[str, tuple[Any, ...]] = {
    "medical": _columns(
        MedicalRow,
        ("结算单号", parse_text),
        _ID,
        ("姓名", parse_name),
        ("结算日期", parse_date),
        ("医疗总费用", parse_amount),
        ("基本医保支付", parse_amount),
        ("大病保险支付", parse_amount),
        ("医疗救助支付", parse_amount),
    ),
    "education": _columns(
        EducationRow,
        _ID,
        ("姓名", parse_name),
        ("学年", parse_academic_year),
        ("学校", parse_text),
        ("学历层次", parse_text),
        ("学籍状态", parse_text),
    ),
    "accidents": _columns(
        AccidentRow,
        ("事故编号", parse_text),
        _ID,
        ("事故日期", parse_date),
        ("本人酒驾", choice_parser(YES_NO)),
    ),
    "deaths": _columns(DeathRow, _ID, ("姓名", parse_name), ("死亡日期", parse_date)),
    "housing": _columns(HousingRow, _ID, ("用途", parse_text), ("登记日期", parse_date)),
    "vehicles": _columns(
        VehicleRow, _ID, ("号牌", parse_text), ("价格", parse_amount), ("登记日期", parse_date)
    ),
    "companies": _columns(
        CompanyRow,
        _ID,
        ("企业名称", parse_text),
        ("注册资本", parse_capital),
        ("成立日期", parse_date),
        ("状态", parse_text),
    ),
    "deposits": _columns(DepositRow, _ID, ("金额", parse_amount), ("截止日期", parse_date)),
    "machinery": _columns(
        MachineryRow, _ID, ("名称", parse_text), ("价格", parse_amount), ("登记日期", parse_date)
    ),
    "payroll": _columns(
        PayrollRow,
        _ID,
        ("单位", parse_text),
        ("起始日期", parse_date),
        ("结束日期", parse_date),
        empty="结束日期",
    ),
    "kin": _columns(KinRow, _ID, ("亲属身份证号", parse_id_number), ("关系", parse_text)),
    "officials": _columns(
        OfficialRow,
        ("干部身份证号", parse_id_number),
        ("村代码", parse_twelve_digits),
        ("亲属身份证号", parse_id_number),
    ),
    "clearances": _columns(
        ClearanceRow,
        ("户编号", parse_text),
        ("事项", words_parser(*MATTERS)),
        ("澄清日期", parse_date),
        ("结论", choice_parser(PASSED)),
    ),
}
"""By the feed's name, its row and its columns as rules.md lists them."""


def file_of(feed: str) -> str:
    """The path of a feed in its pack, `/` between folders."""
    return "clearances.csv" if feed == "clearances" else f"feeds/{feed}.csv"


@without_cycle_search()
def read_feeds(pack: Path) -> tuple[Feeds, list[RowError]]:
    """All feeds of a pack's folder and its clearances, with the refused cells in the order of errors.csv.

    Raises UnusableInput with every feed that is there and cannot be read.
    """
    found: dict[str, Any] = {"clearances": []}
    errors: list[RowError] = []
    faults: list[Fault] = []
    for feed, (row, columns) in COLUMNS.items():
        file = file_of(feed)
        path = pack / file
        if not path.exists():
            continue
        try:
            result = read_table(columns, read_csv(path, file), file)
        except UnusableInput as unusable:
            faults.extend(hint_when_utf8(path, fault) for fault in unusable.faults)
            continue
        found[feed] = [row(*values) for values in result.rows]
        errors.extend(result.errors)
    if faults:
        raise UnusableInput(faults)
    return Feeds(**found), sorted(errors, key=lambda error: error.file)
