"""Reading roster.xlsx, sheet 参保名册 (rules.md §2): one row a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from foundation.cells import (
    Cell,
    choice_parser,
    parse_amount,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_twelve_digits,
)
from foundation.collecting import without_cycle_search
from foundation.errors import Fault, UnusableInput
from foundation.spreadsheets import open_workbook
from foundation.tables import Column, RowError, read_table
from households.layouts import YES_NO

FILE = "roster.xlsx"
SHEET = "参保名册"

_parse_yes_no = choice_parser(YES_NO)


def parse_renewal(cell: Cell) -> bool:
    """续保: 是 or 否, empty means 否."""
    return bool(_parse_yes_no(cell))


COLUMNS = (
    Column("户编号", "household_no", parse_text, required=True),
    Column("与户主关系", "relation", parse_text, required=True),
    Column("姓名", "name", parse_name, required=True),
    Column("身份证号", "id_number", parse_id_number, required=True, distinct=True),
    Column("镇(街道)", "town", parse_text, required=True),
    Column("村(居)", "village", parse_text, required=True),
    Column("村代码", "village_code", parse_twelve_digits, required=True),
    Column("人员类别", "category", parse_text, required=True),
    Column("家庭人均纯收入", "income_per_head_fen", parse_amount, distinct=True),
    Column("起保日期", "cover_from", parse_date, required=True),
    Column("终保日期", "cover_to", parse_date),
    Column("续保", "renewal", parse_renewal),
    Column("收款账号", "account_no", parse_text, distinct=True),
    Column("收款户名", "account_name", parse_name),
    Column("联行号", "bank_code", parse_twelve_digits),
)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person of the roster. Money in fen; `cover_to` None means the policy's last day; `row` is the sheet's."""

    household_no: str
    relation: str
    name: str
    id_number: str
    town: str
    village: str
    village_code: str
    category: str
    income_per_head_fen: int | None
    cover_from: date
    cover_to: date | None
    renewal: bool
    account_no: str | None
    account_name: str | None
    bank_code: str | None
    row: int


@without_cycle_search()
def read_roster(path: Path) -> tuple[list[RosterRow], list[RowError]]:
    """The people taken in, in the order of the sheet, and the refused cells in the order of errors.csv.

    Raises UnusableInput when the file, the sheet or a column is missing or the file cannot be read (rules.md §1).
    """
    with open_workbook(path, [SHEET], FILE) as sheets:
        for name, rows in sheets:
            result = read_table(COLUMNS, rows, FILE, name, header_rows=10, key="id_number")
            numbered = zip(result.rows, result.numbers, strict=True)
            return [RosterRow(*(*values, number)) for values, number in numbered], result.errors
    raise UnusableInput([Fault(FILE, f"缺少工作表“{SHEET}”", f"the sheet {SHEET} is missing")])
