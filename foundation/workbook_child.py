"""The process that opens a workbook, so that a hostile or broken one costs a message and not the program.

Run by `foundation.spreadsheets` in an interpreter of its own with little else loaded: it limits itself first (memory,
processor time, no files written), looks through the workbook (`foundation.workbook_look`), and only then lets
python-calamine read. It knows nothing of what the cells mean.

The talk: the child writes frames (4 bytes of length, then JSON). First `{"sheets": [name, …]}`; the parent answers
with one line of JSON, the indexes of the sheets that it wants. Then for each of them, in workbook order,
`{"sheet": index}` and frames of rows, each a list of rows of cells from row 1 on; at last `{"end": true}`. At any
time `{"unreadable": [Chinese, English]}` ends the talk. Text, numbers (always floats) and true or false stand for
themselves, an empty cell is `""`, any other cell is a list of kind and text: `d` day, `t` day and time, `h` time of
day, `u` duration in seconds, `e` error. A number that is none (infinite) comes out as null.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import orjson
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, XmlError, ZipError

from foundation import workbook_look
from foundation.workbook_look import BROKEN, ERROR_MARK, MOST_AREA, Looked, Unreadable

MOST_MEMORY = 2 << 30
MOST_SECONDS = 120

_LARGE = 4 << 20
_ROWS_A_FRAME = 500
_TOO_LARGE_ZH = "工作簿过大,读取时超出内存上限;请删除表格以外的空行、空列,或分成几份"
_TOO_LARGE_EN = (
    "the workbook is too large to be read within the memory limit: delete empty rows and columns beyond the "
    "table, or split it"
)
_SIGNS_OF_A_BROKEN_FILE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    expat.ExpatError,
    NotImplementedError,
    KeyError,
    OSError,
    ZipError,
    XmlError,
)


def main(path: str) -> None:
    """Reads the workbook at `path`, and talks with the parent on standard input and output."""
    limit_resources()
    out = sys.stdout.buffer
    try:
        for frame in talk(path, sys.stdin.buffer):
            _write(out, frame)
            out.flush()
    except Unreadable as reason:
        _write(out, _last_word(reason.zh, reason.en))
    except MemoryError:
        _write(out, _last_word(_TOO_LARGE_ZH, _TOO_LARGE_EN))
    except _SIGNS_OF_A_BROKEN_FILE:
        _write(out, _last_word(*BROKEN))
    except BaseException as error:  # noqa: BLE001
        # A panic inside the parser is no Exception; whatever it was, the person needs a sentence.
        _write(out, _last_word(f"无法读取:{error}"[:500], f"cannot be read: {error}"[:500]))
    out.flush()
    os._exit(0)  # A thread may still be reading what has been refused.


def _write(out: IO[bytes], frame: bytes) -> None:
    out.write(len(frame).to_bytes(4, "big"))
    out.write(frame)


def _last_word(zh: str, en: str) -> bytes:
    return orjson.dumps({"unreadable": [zh, en]})


def limit_resources() -> None:
    """Takes away from this process, for good, what reading a workbook does not need."""
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def talk(path: str, answers: IO[bytes]) -> Iterator[bytes]:
    """All frames, in order (see the module's own words)."""
    with Path(path).open("rb") as file:
        workbook_look.refuse_other_formats(file)
        with zipfile.ZipFile(file) as pack:
            parts = workbook_look.parts_of(pack)
            sheets = workbook_look.sheet_parts(pack, parts)
            for name in ("xl/workbook.xml", "xl/styles.xml", "xl/sharedstrings.xml"):
                if name in parts:
                    workbook_look.look_at_plain_part(pack.open(parts[name]))
            workbook = CalamineWorkbook.from_path(path)
            names = [_name(sheet) for sheet in workbook.sheets_metadata]
            yield orjson.dumps({"sheets": names})
            for index in orjson.loads(answers.readline()):
                yield orjson.dumps({"sheet": index})
                yield from _sheet_frames(pack, parts[sheets[index]], workbook, index)
    yield orjson.dumps({"end": True})


def _name(sheet: Any) -> str:
    """A sheet's name; a chart or a dialog is no sheet of cells and has none here."""
    return sheet.name if sheet.typ == SheetTypeEnum.WorkSheet else ""


def _sheet_frames(
    pack: zipfile.ZipFile, part: zipfile.ZipInfo, workbook: CalamineWorkbook, index: int
) -> Iterator[bytes]:
    # The parser works without the interpreter's lock, so a large sheet is looked through meanwhile; a small one,
    # which the parser is through with in no time, before: a bomb is found before it goes off.
    reading = _Reading(workbook, index, at_once=part.file_size > _LARGE)
    looked = workbook_look.look_at_sheet(pack.open(part))
    if looked.area() > MOST_AREA:
        exactly = workbook_look.look_at_sheet(pack.open(part), every_column=True)
        if exactly.area() > MOST_AREA:
            workbook_look.refuse_far_cells(pack.open(part))
    if looked.has_errors:
        marked = CalamineWorkbook.from_filelike(workbook_look.with_errors_marked(pack, part))
        reading = _Reading(marked, index, at_once=False)
    yield from _row_frames(reading.sheet(), looked)


class _Reading:
    """A sheet that is being read by a thread of its own, or read when it is asked for."""

    def __init__(self, workbook: CalamineWorkbook, index: int, at_once: bool) -> None:
        self._read: Callable[[], CalamineSheet] = partial(workbook.get_sheet_by_index, index)
        self._sheet: CalamineSheet | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True) if at_once else None
        if self._thread is not None:
            self._thread.start()

    def _run(self) -> None:
        try:
            self._sheet = self._read()
        except BaseException as error:  # noqa: BLE001  # Raised again where the sheet is asked for.
            self._error = error

    def sheet(self) -> CalamineSheet:
        if self._thread is None:
            return self._read()
        self._thread.join()
        if self._sheet is None:
            assert self._error is not None
            raise self._error
        return self._sheet


# --- the rows ----------------------------------------------------------------------------------------


def _row_frames(sheet: CalamineSheet, looked: Looked) -> Iterator[bytes]:
    rows: Iterable[list[Any]] = sheet.iter_rows()
    if looked.has_errors:
        rows = _with_error_cells(rows)
    if looked.sixties and sheet.start is not None:
        rows = _without_29_february_1900(rows, looked.sixties, sheet.start[1])
    rows = iter(rows)
    while block := list(islice(rows, _ROWS_A_FRAME)):
        yield orjson.dumps(block, default=_special, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _special(cell: object) -> list[str]:
    if isinstance(cell, datetime):
        return ["t", cell.isoformat()]
    if isinstance(cell, date):
        return ["d", cell.isoformat()]
    if isinstance(cell, time):
        return ["h", cell.isoformat()]
    if isinstance(cell, timedelta):
        return ["u", str(cell.total_seconds())]
    raise TypeError(f"no such cell: {type(cell).__name__}")


def _with_error_cells(rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    for row in rows:
        for index, cell in enumerate(row):
            if type(cell) is str and cell.startswith(ERROR_MARK):
                row[index] = ["e", cell.removeprefix(ERROR_MARK)]
        yield row


def _without_29_february_1900(
    rows: Iterable[list[Any]], sixties: set[tuple[int, int]], first_column: int
) -> Iterator[list[Any]]:
    """Excel counts a 29 February 1900 as day 60, which calamine gives out as the 28th."""
    for number, row in enumerate(rows):
        for index, cell in enumerate(row):
            if not isinstance(cell, date) or (cell.year, cell.month, cell.day) != (1900, 2, 28):
                continue
            if (number, first_column + index) in sixties:
                row[index] = ["e", "1900-02-29"]
        yield row
