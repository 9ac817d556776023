"""County packs to measure with: the demo's, and one of ten times the people made from it.

The larger pack is the demo's rows over and over, each copy with ID numbers, accounts and numbers of its own, so that
the copies have nothing to do with each other: it must give ten times the decisions, one for one.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from claims import intake_files
from claims.deciding import Cases, cases_of_pack
from claims.pack import POLICY_FILE, Pack
from foundation.cells import CellError, clean, parse_text
from foundation.identifiers import id_number_valid
from households import roster
from households.feeds import COLUMNS, file_of
from policies.policy import Policy

DEMO = Path(__file__).resolve().parent.parent / "demo" / "pack"
TIMES = 10

_ID_NUMBERS = ("身份证号", "亲属身份证号", "干部身份证号")
_NUMBERS = ("户编号", "报案号", "结算单号", "缴费凭证号", "凭证号", "事故编号")
_ACCOUNTS = ("收款账号",)
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
"""Row by row, with the words in the cells: the way in which the demo's own workbooks are written."""
_MOST_TITLES = 10
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

Rows = Sequence[Sequence[Any]]
Change = Callable[[Rows], Iterable[Sequence[Any]]]


@cache
def ten_times() -> Path:
    """A folder with a pack of ten times the demo's people, claims and feeds; made once, gone when Python ends."""
    folder = Path(_own_folder().name)
    (folder / "feeds").mkdir()
    shutil.copyfile(DEMO / POLICY_FILE, folder / POLICY_FILE)
    for file in (roster.FILE, intake_files.FILE):
        _multiply_workbook(DEMO / file, folder / file)
    for file in map(file_of, COLUMNS):
        _multiply_csv(DEMO / file, folder / file)
    return folder


@cache
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fangpin-bench-")


def case_of(pack: Pack, policy: Policy) -> Cases:
    """A pack put together for deciding."""
    return cases_of_pack(pack.roster, pack.claims, pack.feeds, policy)


def of_copy(id_number: str, copy: int) -> str:
    """An ID number for another person in another region, born the same day; the same one for copy 0, of up to 99."""
    if copy == 0:
        return id_number
    tens, ones = divmod(copy, 10)
    digits = f"{(int(id_number[0]) + ones) % 10}{(int(id_number[1]) + tens) % 10}{id_number[2:17]}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def with_shared_strings(source: Path, target: Path) -> None:
    """The same workbook with its words in one table that the cells point to, as office programs save it."""
    _write_anew(source, target, {**_OPTIONS, "constant_memory": False}, lambda rows: rows)


def large_roster(people: int, target: Path) -> None:
    """A roster of at least so many people, made of the demo's (up to a hundred times as many)."""
    rows = CalamineWorkbook.from_path(str(DEMO / roster.FILE)).get_sheet_by_name(roster.SHEET).to_python()
    _multiply_workbook(DEMO / roster.FILE, target, -(-people // len(rows)))


def _multiply_workbook(source: Path, target: Path, times: int = TIMES) -> None:
    _write_anew(source, target, _OPTIONS, lambda rows: _multiplied(rows, times))


def _write_anew(source: Path, target: Path, options: dict[str, bool], change: Change) -> None:
    workbook = CalamineWorkbook.from_path(str(source))
    with xlsxwriter.Workbook(target, options) as written:
        day = written.add_format({"num_format": "yyyy-mm-dd"})
        for name in workbook.sheet_names:
            sheet = written.add_worksheet(name)
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for number, row in enumerate(change(rows)):
                for column, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, column, cell, day)
                    elif isinstance(cell, str):
                        if cell:
                            sheet.write_string(number, column, cell)
                    else:
                        sheet.write(number, column, cell)


def _multiply_csv(source: Path, target: Path) -> None:
    with source.open(encoding="gb18030", newline="") as text:
        rows: list[list[Any]] = list(csv.reader(text))
    with target.open("w", encoding="gb18030", newline="") as text:
        csv.writer(text, lineterminator="\r\n").writerows(_multiplied(rows))


def _multiplied(rows: Rows, times: int = TIMES) -> Iterator[Sequence[Any]]:
    """Titles and header once, what stands below so many times."""
    titles = next(place for place, row in enumerate(rows[:_MOST_TITLES]) if _is_header(row))
    yield from rows[: titles + 1]
    changes = [_change_for(str(cell)) for cell in rows[titles]]
    for copy in range(times):
        for row in rows[titles + 1 :]:
            yield [change(cell, copy) if change else cell for change, cell in zip(changes, row, strict=False)]


def _is_header(row: Iterable[Any]) -> bool:
    return any(clean(str(cell)) in (*_ID_NUMBERS, *_NUMBERS) for cell in row)


def _change_for(header: str) -> Callable[[Any, int], Any] | None:
    name = clean(header)
    if name in _ID_NUMBERS:
        return _other_id_number
    if name in _NUMBERS:
        return _other_number
    return _other_account if name in _ACCOUNTS else None


def _other_id_number(cell: Any, copy: int) -> Any:
    text = clean(cell).replace("x", "X") if isinstance(cell, str) else ""
    return of_copy(text, copy) if id_number_valid(text) else cell


def _other_number(cell: Any, copy: int) -> Any:
    return f"{_text(cell)}-{copy}" if copy and _text(cell) else cell


def _other_account(cell: Any, copy: int) -> Any:
    return f"{_text(cell)}{copy:02d}" if copy and _text(cell) else cell


def _text(cell: Any) -> str:
    """What the cell says as text; nothing for a cell that is refused, which every copy then keeps."""
    try:
        return parse_text(cell) or ""
    except CellError:
        return ""
