"""Workbooks: reading what a county hands in, in a child process under limits, and writing what is handed out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from foundation.cells import Cell, ErrorCell, clean
from foundation.errors import Fault, UnusableInput
from foundation.watermark_picture import picture_of

_ROOT = str(Path(__file__).resolve().parent.parent)
_CHILD = (
    "import sys; sys.path.append(sys.argv[1]); from foundation.workbook_child import main; main(sys.argv[2])"
)
_MOST_SECONDS = 180
_LARGEST_FRAME = 1 << 30
_DIED_ZH = "读取进程中止,多半因内容过大而超出内存上限;请删除表格以外的空行、空列,或分成几份"
_DIED_EN = (
    "the reading process ended, most likely over its memory limit: delete empty rows and columns beyond the "
    "table, or split the workbook"
)
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
"""The child opens foreign files: it is given no setting of the program, no key, no address."""

Rows = Iterator[list[Cell]]


@contextmanager
def open_workbook(
    path: Path, sheets: Sequence[str], label: str | None = None
) -> Iterator[Iterator[tuple[str, Rows]]]:
    """The wanted sheets that are there, in workbook order, each with its rows from row 1 on.

    Use as `with open_workbook(…) as found: for name, rows in found: …`; a sheet's rows must be taken before the
    next sheet is asked for. Names are matched once cleaned, and of two alike the first counts. Cells are text, float,
    bool, date, datetime, time, timedelta, `ErrorCell`, or `""`. Hidden sheets are read, and of a formula the stored
    value. Raises UnusableInput, `label` naming the file, when it cannot be read; also in the midst of the rows.
    """
    label = path.name if label is None else label
    if not path.is_file():
        raise UnusableInput([Fault(label, "缺少此文件,或不是文件", "the file is missing, or is no file")])
    with _Child(path, label) as child:
        yield child.sheets({clean(name): name for name in sheets})


@contextmanager
def open_first_sheet(path: Path, label: str) -> Iterator[tuple[str, Rows]]:
    """The name and the rows of a workbook's first sheet of cells; all else as `open_workbook` has it.

    Raises UnusableInput when there is none.
    """
    with _Child(path, label) as child:
        yield child.first_sheet()


def read_workbook(path: Path, sheets: Sequence[str], label: str | None = None) -> dict[str, list[list[Cell]]]:
    """The wanted sheets that are there, in workbook order, each as a list of rows; see `open_workbook`."""
    with open_workbook(path, sheets, label) as found:
        return {name: list(rows) for name, rows in found}


class _Child:
    """The process that reads one workbook (`foundation.workbook_child`), and the talk with it."""

    def __init__(self, path: Path, label: str) -> None:
        self._label = label
        self._late = False
        self._after: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD, _ROOT, str(path.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
        )
        self._alarm = threading.Timer(_MOST_SECONDS, self._stop_late)
        self._alarm.daemon = True

    def __enter__(self) -> _Child:
        self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()

    def first_sheet(self) -> tuple[str, Rows]:
        names: list[str] = self._frame()["sheets"]
        # A chart is no sheet of cells and has no name.
        index = next((index for index, name in enumerate(names) if name), None)
        if index is None:
            raise self._fault("工作簿里没有工作表", "the workbook has no sheet of cells")
        self._answer([index])
        self._after = self._frame()
        return names[index], self._rows()

    def sheets(self, wanted: Mapping[str, str]) -> Iterator[tuple[str, Rows]]:
        names: dict[int, str] = {}
        for index, name in enumerate(self._frame()["sheets"]):
            asked = wanted.get(clean(name))
            if asked is not None and asked not in names.values():
                names[index] = asked
        self._answer(sorted(names))
        self._after = self._frame()
        while "sheet" in self._after:
            rows = self._rows()
            yield names[self._after["sheet"]], rows
            for _ in rows:
                pass  # What the caller did not want.

    def _rows(self) -> Rows:
        self._after = {}  # If it cannot be read there is no further sheet, for a caller who looks at the others.
        while isinstance(frame := self._frame(), list):
            yield from frame
        self._after = frame

    def _answer(self, indexes: Sequence[int]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # The child is gone; the next frame that is asked for says why.
            self._process.stdin.write(orjson.dumps(indexes) + b"\n")
            self._process.stdin.flush()

    def _frame(self) -> Any:
        """The next frame; a list of rows or a dict."""
        assert self._process.stdout is not None
        head = self._process.stdout.read(4)
        size = int.from_bytes(head, "big")
        content = self._process.stdout.read(size) if len(head) == 4 and size <= _LARGEST_FRAME else b""
        if not content or len(content) != size:
            raise self._fault(*self._why_it_died())
        frame = orjson.loads(content)
        if isinstance(frame, dict) and "unreadable" in frame:
            raise self._fault(*frame["unreadable"])
        return _with_days(frame, b"null" in content) if isinstance(frame, list) else frame

    def _why_it_died(self) -> tuple[str, str]:
        self._process.kill()
        code = self._process.wait()
        if self._late or code == -24:  # SIGXCPU
            return "读取用时过长,已中止", "reading took too long and was stopped"
        return _DIED_ZH, _DIED_EN

    def _fault(self, zh: str, en: str) -> UnusableInput:
        return UnusableInput([Fault(self._label, zh, en)])

    def _stop_late(self) -> None:
        self._late = True
        self._process.kill()


def _with_days(rows: list[list[Any]], has_null: bool) -> list[list[Cell]]:
    """Rows as the child wrote them, every cell of a special kind turned into what it is."""
    for row in rows:
        if list in map(type, row):
            for index, cell in enumerate(row):
                if type(cell) is list:
                    row[index] = _special(*cell)
        if has_null and None in row:
            row[:] = [ErrorCell("#NUM!") if cell is None else cell for cell in row]
    return rows


def _special(kind: str, text: str) -> Cell:
    if kind == "d":
        return date.fromisoformat(text)
    if kind == "t":
        return datetime.fromisoformat(text)
    if kind == "h":
        return time.fromisoformat(text)
    if kind == "u":
        return timedelta(seconds=float(text))
    return ErrorCell(text)


# --- writing -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marked:
    """Text on red, to be seen at once: a wrong cell."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Bold text: the name of a column."""

    text: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """What an exported workbook says of itself: `line` at the top of each sheet and page, `mark` behind the cells.

    `mark` is of digits, `E`, `-` and spaces; `author` stands in the workbook's properties.
    """

    line: str
    mark: str
    author: str


Written = str | int | bool | Decimal | date | Marked | Heading | None
_WRITTEN_ON = datetime(2000, 1, 1, tzinfo=UTC)
"""What a workbook says of its making, so that the same content gives the same bytes."""
_FORMATS = {
    "day": {"num_format": "yyyy-mm-dd"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "marked": {"bg_color": "#FFC7CE", "font_color": "#9C0006"},
    "heading": {"bold": True, "bg_color": "#EDEDED"},
    "watermark": {"italic": True, "font_color": "#7F3F00", "bg_color": "#FFF3E0"},
}
_LONGEST_HEADER = 240
"""Characters of a page's header; the format takes 255, control letters and doubled marks included."""


def write_workbook(
    sheets: Mapping[str, Iterable[Sequence[Written]]],
    widths: Mapping[str, Sequence[int]] | None = None,
    watermark: Watermark | None = None,
) -> bytes:
    """An xlsx workbook with these rows in these sheets. Text stays text: no formula, link or number is made of it.

    Day cells are shown as 2020-03-05. `widths` are of a sheet's columns, in characters. The first row of headings stays
    in sight, with all above it, and with a `watermark` it filters what is below. Raises TypeError for a cell of another
    type (a float, too), ValueError for text that a cell cannot hold.
    """
    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(content, options) as workbook:
        about = {} if watermark is None else {"author": watermark.author, "comments": watermark.line}
        workbook.set_properties({"created": _WRITTEN_ON, **about})
        formats = {name: workbook.add_format(properties) for name, properties in _FORMATS.items()}
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for column, width in enumerate((widths or {}).get(name, ())):
                sheet.set_column(column, column, width)
            first = 0 if watermark is None else _mark(sheet, watermark, formats)
            _write_rows(sheet, first, rows, formats, filtered=watermark is not None)
    return content.getvalue()


def write_template(name: str, note: str, columns: Sequence[str], widths: Sequence[int]) -> bytes:
    """An xlsx to be filled in: a sheet with a note, and below it the names of the columns, all of whose cells are text.

    In a text cell a spreadsheet keeps an ID number whole, and a day as it was typed.
    """
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": _WRITTEN_ON})
        sheet = workbook.add_worksheet(name)
        as_text = workbook.add_format({"num_format": "@"})
        heading = workbook.add_format({"bold": True, "bg_color": "#EDEDED", "num_format": "@"})
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width, as_text)
        sheet.write_string(0, 0, note, workbook.add_format(_FORMATS["watermark"]))
        for place, column in enumerate(columns):
            sheet.write_string(1, place, column, heading)
        sheet.freeze_panes(2, 0)
    return content.getvalue()


def _mark(sheet: Any, watermark: Watermark, formats: Mapping[str, Any]) -> int:
    """Puts the watermark on a sheet: its first row, every printed page, and behind the cells. The next free row."""
    sheet.write_string(0, 0, watermark.line, formats["watermark"])
    sheet.set_header(f"&L{watermark.line.replace('&', '&&')[:_LONGEST_HEADER]}")
    sheet.set_footer(f"&L{watermark.mark}&R&P / &N")
    sheet.set_background(io.BytesIO(picture_of(watermark.mark)))
    return 1


def _write_rows(
    sheet: Any, first: int, rows: Iterable[Sequence[Written]], formats: Mapping[str, Any], *, filtered: bool
) -> None:
    """Writes rows from the row `first` on; what stands above the first headings and they themselves stay in sight."""
    row, head, columns = first - 1, None, 0
    for row, cells in enumerate(rows, start=first):
        if head is None and any(isinstance(cell, Heading) for cell in cells):
            head, columns = row, len(cells)
            sheet.freeze_panes(row + 1, 0)
        for column, cell in enumerate(cells):
            if _write(sheet, row, column, cell, formats):
                raise ValueError(f"cell {row + 1}, {column + 1} cannot be written")
    if filtered and head is not None and row > head:
        sheet.autofilter(head, 0, row, columns - 1)


def _write(sheet: Any, row: int, column: int, cell: object, formats: Mapping[str, Any]) -> int:
    if cell is None:
        return 0
    if isinstance(cell, str):
        return int(sheet.write_string(row, column, cell))
    if isinstance(cell, Marked | Heading):
        shown = formats["marked" if isinstance(cell, Marked) else "heading"]
        # An empty string would be passed over without its colour.
        return int(sheet.write_string(row, column, cell.text or " ", shown))
    if isinstance(cell, bool):
        return int(sheet.write_boolean(row, column, cell))
    if isinstance(cell, int | Decimal):
        return int(sheet.write_number(row, column, cell))
    if isinstance(cell, date):
        kind = "moment" if isinstance(cell, datetime) else "day"
        return int(sheet.write_datetime(row, column, cell, formats[kind]))
    raise TypeError(f"a cell cannot be a {type(cell).__name__}")
