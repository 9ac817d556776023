"""The process that opens a workbook, so that a hostile or broken one costs a message and not the program.

Run by `foundation.spreadsheets` as a script of its own, with nothing of the program loaded: it limits itself first
(memory, processor time, no files written), looks through the zip and the sheets' XML for what would bring the parser
down, and only then lets python-calamine read. It knows nothing of what the cells mean.

The talk: the child writes frames (4 bytes of length, then JSON). First `{"sheets": [name, …]}`; the parent answers
with one line of JSON, the indexes of the sheets that it wants. Then for each of them, in workbook order,
`{"sheet": index}` and frames of rows, each a list of rows of cells from row 1 on; at last `{"end": true}`. At any time
`{"fault": [Chinese, English]}` ends the talk. Text, numbers (always floats) and true or false stand for themselves,
an empty cell is `""`, any other cell is a list of kind and text: `d` day, `t` day and time, `h` time of day,
`u` duration in seconds, `e` error. A number that is none (infinite) comes out as null.
"""

from __future__ import annotations

import io
import posixpath
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO, Any
from xml.parsers import expat

import orjson
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, XmlError, ZipError

MOST_MEMORY = 2 << 30
MOST_SECONDS = 120
MOST_UNPACKED = 1 << 30
"""Bytes of all parts of the workbook, unpacked: some 1,200,000 rows of a roster."""
MOST_AREA = 32_000_000
"""Cells, empty ones too, of the rectangle that holds all cells of a sheet: calamine keeps 32 bytes for each."""

_PIECE = 1 << 20
_LONGEST_ROW = 64 << 20
_ROWS_A_FRAME = 500

_PROLOG = re.compile(rb'\s*<\?xml\s[^>]*?encoding\s*=\s*["\']([^"\']+)["\']')
_ROW = re.compile(rb'row\s(?:[^<>]*?\s)?r=["\']([0-9]{1,9})["\']')
_BEYOND_CZ = re.compile(rb' r="(?:[D-Z][A-Z]|[A-Z]{3})')
_CZ = 104
_COLUMN = re.compile(rb'\sr=["\']([A-Z]{1,9})[0-9]')
_CELL = re.compile(rb"([A-Z]{1,9})([0-9]{1,9})")
_SIXTY = re.compile(
    rb'<(?:\w+:)?c\s(?:[^<>]*?\s)?r=["\']([A-Z]{1,9}[0-9]{1,9})["\'][^<>]*>'
    rb"\s*(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v>60(?:\.[0-9]*)?</"
)
_ERROR_CELL = re.compile(
    rb'(<(?:\w+:)?c\s(?:[^<>]*?\s)?t=)(?:"e"|\'e\')([^<>]*>'
    rb"\s*(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v(?:\s[^<>]*)?>)"
)
_ERROR_MARK = "\ufdd0"
"""A noncharacter in front of an error's name: text in a workbook does not begin with it."""


class Fault(Exception):
    """Why the workbook cannot be read, for a person, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


BROKEN = (
    "不是完整的 xlsx 工作簿(可能已损坏),请重新另存为 .xlsx",
    "not a whole xlsx workbook (it may be damaged): save it anew as .xlsx",
)
TOO_LARGE = (
    "工作簿过大,读取时超出内存上限;请删除表格以外的空行、空列,或分成几份",
    "the workbook is too large to be read within the memory limit: delete empty rows and columns beyond the table, or "
    "split it",
)
BROKEN_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, expat.ExpatError, NotImplementedError, KeyError, OSError, ZipError, XmlError
)  # fmt: skip
_PASSWORD = (
    "工作簿设有打开密码,请去除密码后重新保存",
    "the workbook is protected by a password: please remove the password and save it again",
)
_OLD = ("是旧版 .xls 格式,请另存为 .xlsx", "this is the old .xls format: save it as .xlsx")
_DTD = ("含有不允许的 XML 声明(DTD)", "holds an XML declaration that is not allowed (DTD)")
_NOT_UTF8 = ("其中的 XML 不是 UTF-8 编码", "its XML is not in UTF-8")


@dataclass(slots=True)
class Looked:
    """What the look through a sheet's XML found."""

    last_row: int = 0
    last_column: int = _CZ
    has_errors: bool = False
    sixties: set[tuple[int, int]] = field(default_factory=set)
    """(row, column), from 0, of number cells of 60: as a day that is 29 February 1900, which did not exist."""

    def area(self) -> int:
        return self.last_row * self.last_column


def main() -> None:
    path = sys.argv[1]
    limit_resources()
    out = sys.stdout.buffer
    try:
        for frame in talk(path, sys.stdin.buffer):
            out.write(len(frame).to_bytes(4, "big"))
            out.write(frame)
            out.flush()
    except Fault as fault:
        _last_word(out, fault.zh, fault.en)
    except MemoryError:
        _last_word(out, *TOO_LARGE)
    except BROKEN_ERRORS:
        _last_word(out, *BROKEN)
    except BaseException as error:
        # A panic inside the parser is no Exception; whatever it was, the person needs a sentence.
        _last_word(out, f"无法读取:{error}", f"cannot be read: {error}")


def _last_word(out: IO[bytes], zh: str, en: str) -> None:
    frame = orjson.dumps({"fault": [zh[:500], en[:500]]})
    out.write(len(frame).to_bytes(4, "big") + frame)


def limit_resources() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def talk(path: str, answers: IO[bytes]) -> Iterator[bytes]:
    """All frames, in order (see the module's own words)."""
    with open(path, "rb") as file:
        _refuse_other_formats(file)
        with zipfile.ZipFile(file) as pack:
            parts = _parts(pack)
            sheets = _sheet_parts(pack, parts)
            for name in ("xl/workbook.xml", "xl/styles.xml", "xl/sharedstrings.xml"):
                if name in parts:
                    _look_at_plain_part(pack.open(parts[name]))
            workbook = CalamineWorkbook.from_path(path)
            names = [sheet.name if sheet.typ == SheetTypeEnum.WorkSheet else "" for sheet in workbook.sheets_metadata]
            yield orjson.dumps({"sheets": names})
            for index in orjson.loads(answers.readline()):
                yield orjson.dumps({"sheet": index})
                part = parts[sheets[index].lower()]
                looked = look_at_sheet(pack.open(part))
                if looked.area() > MOST_AREA and look_at_sheet(pack.open(part), every_column=True).area() > MOST_AREA:
                    _refuse_far_cells(pack.open(part))
                source = _with_errors_marked(pack, part) if looked.has_errors else workbook
                yield from _row_frames(source.get_sheet_by_index(index), looked)
    yield orjson.dumps({"end": True})


# --- the zip ---------------------------------------------------------------------------------------------------------


def _refuse_other_formats(file: IO[bytes]) -> None:
    if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        rest = file.read(64 << 20)
        raise Fault(*(_PASSWORD if "EncryptedPackage".encode("utf-16-le") in rest else _OLD))
    file.seek(0)


def _parts(pack: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The workbook's parts by name in small letters."""
    parts: dict[str, zipfile.ZipInfo] = {}
    unpacked = 0
    for part in pack.infolist():
        name = part.filename.lower()
        if part.flag_bits & 1:
            raise Fault(*_PASSWORD)
        if name in parts or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Fault(*BROKEN)
        parts[name] = part
        unpacked += part.file_size
    if unpacked > MOST_UNPACKED:
        raise Fault(
            f"解压后超过 {MOST_UNPACKED >> 20} MiB,不予读取", f"unpacks to more than {MOST_UNPACKED >> 20} MiB: refused"
        )
    if "xl/workbook.xml" not in parts:
        raise Fault(*BROKEN)
    return parts


def _sheet_parts(pack: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo]) -> list[str]:
    """The part of each sheet, in workbook order."""
    targets: dict[str, str] = {}
    ids: list[str] = []

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids.append(next((value for name, value in attributes.items() if name.endswith(" id")), ""))

    for name, see in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", sheet)):
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = lambda tag, attributes, see=see: see(tag.rpartition(" ")[2], attributes)
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.Parse(_read_small(pack, parts[name]), True)
    return [targets.get(identity, "") for identity in ids]


def _read_small(pack: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    if part.file_size > 16 << 20:
        raise Fault(*BROKEN)
    return pack.read(part)


def _refuse_doctype(*_: Any) -> None:
    raise Fault(*_DTD)


# --- the look before the parser ---------------------------------------------------------------------------------------


def _look_at_start(piece: bytes) -> None:
    """Refuses a DTD, and an encoding that the parser would take for UTF-8."""
    piece = piece.removeprefix(b"\xef\xbb\xbf")
    prolog = _PROLOG.match(piece)
    if not piece.lstrip().startswith(b"<") or b"\0" in piece:
        raise Fault(*_NOT_UTF8)
    if prolog is not None and prolog[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Fault(*_NOT_UTF8)
    if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
        raise Fault(*_DTD)


def _look_at_plain_part(stream: IO[bytes]) -> None:
    """Reads a part to its end: what the zip says of its length and checksum must be true."""
    with stream:
        piece = stream.read(_PIECE)
        if piece:
            _look_at_start(piece)
        while stream.read(_PIECE):
            pass


def look_at_sheet(stream: IO[bytes], every_column: bool = False) -> Looked:
    """Goes through a sheet's XML by pieces of whole rows, without parsing it: its extent, and what needs care.

    The last column is only told apart beyond CZ, unless `every_column`: looking at each cell takes its time.
    """
    looked = Looked()
    rest = b""
    columns: set[bytes] = {b"A"} if every_column else set()
    start = True
    with stream:
        while piece := stream.read(_PIECE):
            if start:
                _look_at_start(piece)
                start = False
            piece = rest + piece
            cut = piece.rfind(b"row>") + 4
            if cut < 4:
                cut = 0
                if len(piece) > _LONGEST_ROW:
                    raise Fault("一行过长,不予读取", "a row is too long: refused")
            rest = piece[cut:]
            _look_at_rows(piece[:cut], looked, columns)
        _look_at_rows(rest, looked, columns)
    if columns:
        looked.last_column = max(map(_column_number, columns))
    return looked


def _look_at_rows(rows: bytes, looked: Looked, columns: set[bytes]) -> None:
    # Rows stand in order, so the last one is enough. Whoever writes them otherwise, or with other quotes and blanks
    # than every known program, still meets the limit of memory.
    last = _ROW.search(rows, max(rows.rfind(b"<row"), rows.rfind(b":row"), 0))
    if last is not None:
        looked.last_row = max(looked.last_row, int(last[1]))
    if columns or _BEYOND_CZ.search(rows):
        columns.update(_COLUMN.findall(rows))
    if b't="e"' in rows or b"t='e'" in rows:
        looked.has_errors = True
    if b">60<" in rows or b">60." in rows:
        looked.sixties.update(map(_place, _SIXTY.findall(rows)))


def _column_number(letters: bytes) -> int:
    """`A` is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _place(reference: bytes) -> tuple[int, int]:
    """`B3` is (2, 1)."""
    found = _CELL.fullmatch(reference)
    return (0, 0) if found is None else (int(found[2]) - 1, _column_number(found[1]) - 1)


def _refuse_far_cells(stream: IO[bytes]) -> None:
    """Looks exactly, where the quick look found a huge extent: cells that have only a format do not count."""
    extent = _Extent()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = extent.open
    parser.EndElementHandler = extent.close
    parser.CharacterDataHandler = extent.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with stream:
        parser.ParseFile(stream)
    if extent.area() > MOST_AREA:
        right, low = extent.farthest_right.decode(), extent.lowest.decode()
        cells = (right, low) if right != low else (right,)
        raise Fault(
            f"表格以外很远处还有内容(单元格 {'、'.join(cells)}),请删除表格以外的行和列后重新保存",
            f"there are cells far outside the table ({' and '.join(cells)}): delete the empty rows and columns beyond "
            "the table and save it again",
        )


class _Extent:
    """The corners of all cells of a sheet that are not empty."""

    def __init__(self) -> None:
        self._reference = b""
        self._filled = False
        self._in_value = False
        self._first: tuple[int, int] | None = None
        self._last = (0, 0)
        self.farthest_right = b"A1"
        self.lowest = b"A1"

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        if tag == "c":
            self._reference = attributes.get("r", "A1").encode("ascii", "replace")
            # For calamine a text cell is there even when the text is empty.
            self._filled = attributes.get("t", "n") in ("str", "inlineStr", "s")
            self._in_value = False
        elif tag in ("v", "t", "is"):
            self._in_value = True

    def characters(self, text: str) -> None:
        if self._in_value and text:
            self._filled = True

    def close(self, tag: str) -> None:
        tag = tag.rpartition(" ")[2]
        if tag in ("v", "t", "is"):
            self._in_value = False
        elif tag == "c" and self._filled:
            row, column = _place(self._reference)
            if self._first is None:
                self._first = (row, column)
            self._first = (min(row, self._first[0]), min(column, self._first[1]))
            if row >= self._last[0]:
                self.lowest = self._reference
            if column >= self._last[1]:
                self.farthest_right = self._reference
            self._last = (max(row, self._last[0]), max(column, self._last[1]))

    def area(self) -> int:
        if self._first is None:
            return 0
        return (self._last[0] - self._first[0] + 1) * (self._last[1] - self._first[1] + 1)


def _with_errors_marked(pack: zipfile.ZipFile, sheet: zipfile.ZipInfo) -> CalamineWorkbook:
    """The workbook with the sheet's error cells turned into marked text.

    calamine gives an error cell out as an empty one, and gives the sheet up over an error that it does not know.
    """
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as marked:
        for part in pack.infolist():
            if part.filename != sheet.filename and _is_needed(part.filename.lower()):
                marked.writestr(part.filename, pack.read(part))
        content = _ERROR_CELL.sub(rb'\1"str"\2' + _ERROR_MARK.encode(), pack.read(sheet))
        marked.writestr(sheet.filename, content)
    copy.seek(0)
    return CalamineWorkbook.from_filelike(copy)


def _is_needed(name: str) -> bool:
    return name.endswith((".xml", ".rels")) and not name.startswith("xl/worksheets/")


# --- the rows --------------------------------------------------------------------------------------------------------


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
            if type(cell) is str and cell.startswith(_ERROR_MARK):
                row[index] = ["e", cell[1:]]
        yield row


def _without_29_february_1900(
    rows: Iterable[list[Any]], sixties: set[tuple[int, int]], first_column: int
) -> Iterator[list[Any]]:
    """Excel counts a 29 February 1900 as day 60, which calamine gives out as the 28th."""
    for number, row in enumerate(rows):
        for index, cell in enumerate(row):
            if isinstance(cell, date) and (cell.year, cell.month, cell.day) == (1900, 2, 28):
                if (number, first_column + index) in sixties:
                    row[index] = ["e", "1900-02-29"]
        yield row


if __name__ == "__main__":
    main()
