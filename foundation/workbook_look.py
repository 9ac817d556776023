"""Looking through a workbook before it is parsed: what would bring the parser down or mislead it.

Pure, and loaded by the reading child alone (`foundation.workbook_child`). A workbook is a zip of XML parts. What no
honest workbook has is refused: a password, another format, a part that is not what the zip says of it, a DTD, a
volume beyond all counties, a cell so far out that the sheet's rectangle does not fit into memory.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

MOST_UNPACKED = 1 << 30
"""Bytes of all parts of the workbook, unpacked: some 1,200,000 rows of a roster."""
MOST_AREA = 32_000_000
"""Cells, empty ones too, of the rectangle that holds a sheet's cells: calamine keeps 32 bytes for each."""
ERROR_MARK = "\ufdd0"
"""A noncharacter in front of an error's name: text in a workbook does not begin with it."""

_MOST_DIRECTORY = 16 << 20
_PIECE = 1 << 20
_LONGEST_ROW = 64 << 20
_CZ = 104

_PROLOG = re.compile(rb'\s*<\?xml\s[^>]*?encoding\s*=\s*["\']([^"\']+)["\']')
_ROW = re.compile(rb'row\s(?:[^<>]*?\s)?r=["\']([0-9]{1,9})["\']')
_BEYOND_CZ = re.compile(rb' r="(?:[D-Z][A-Z]|[A-Z]{3})')
_COLUMN = re.compile(rb'\sr=["\']([A-Z]{1,9})[0-9]')
_CELL = re.compile(rb"([A-Z]{1,9})([0-9]{1,9})")
_FORMULA = rb"\s*(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*"
_MAYBE_SIXTY = re.compile(rb"v>60[<.]")
_SIXTY = re.compile(
    rb'<(?:\w+:)?c\s(?:[^<>]*?\s)?r=["\']([A-Z]{1,9}[0-9]{1,9})["\'][^<>]*>'
    + _FORMULA
    + rb"<(?:\w+:)?v>60(?:\.[0-9]*)?</"
)
_MAYBE_ERROR = re.compile(rb"t=[\"']e[\"']")
_ERROR_CELL = re.compile(
    rb'(<(?:\w+:)?c\s(?:[^<>]*?\s)?t=)(?:"e"|\'e\')([^<>]*>' + _FORMULA + rb"<(?:\w+:)?v(?:\s[^<>]*)?>)"
)


class Unreadable(Exception):
    """Why a workbook cannot be read, for a person, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


BROKEN = (
    "不是完整的 xlsx 工作簿(可能已损坏),请重新另存为 .xlsx",
    "not a whole xlsx workbook (it may be damaged): save it anew as .xlsx",
)
_PASSWORD = (
    "工作簿设有打开密码,请去除密码后重新保存",
    "the workbook is protected by a password: please remove the password and save it again",
)
_OLD_FORMAT = ("是旧版 .xls 格式,请另存为 .xlsx", "this is the old .xls format: save it as .xlsx")
_DTD = ("含有不允许的 XML 声明(DTD)", "holds an XML declaration that is not allowed (DTD)")
_NOT_UTF8 = ("其中的 XML 不是 UTF-8 编码", "its XML is not in UTF-8")
_LONG_ROW = ("有一行过长,不予读取", "a row is too long: refused")


# --- the zip -----------------------------------------------------------------------------------------


def refuse_other_formats(file: IO[bytes]) -> None:
    """Refuses an encrypted workbook and the old format, which are both OLE files; leaves the file at its start."""
    if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        rest = file.read(64 << 20)
        raise Unreadable(*(_PASSWORD if "EncryptedPackage".encode("utf-16-le") in rest else _OLD_FORMAT))
    file.seek(0)


def parts_of(pack: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The workbook's parts by name in small letters."""
    parts: dict[str, zipfile.ZipInfo] = {}
    unpacked = 0
    for part in pack.infolist():
        name = part.filename.lower()
        if part.flag_bits & 1:
            raise Unreadable(*_PASSWORD)
        if name in parts or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(*BROKEN)
        parts[name] = part
        unpacked += part.file_size
    if unpacked > MOST_UNPACKED:
        limit = f"{MOST_UNPACKED >> 20} MiB"
        raise Unreadable(f"解压后超过 {limit},不予读取", f"unpacks to more than {limit}: refused")
    if "xl/workbook.xml" not in parts:
        raise Unreadable(*BROKEN)
    return parts


def sheet_parts(pack: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo]) -> list[str]:
    """The name in small letters of the part of each sheet, in workbook order."""
    targets: dict[str, str] = {}
    ids: list[str] = []

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            targets[attributes.get("Id", "")] = target.lstrip("/").lower()

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids.append(next((value for name, value in attributes.items() if name.endswith(" id")), ""))

    for name, see in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", sheet)):
        if parts[name].file_size > _MOST_DIRECTORY:
            raise Unreadable(*BROKEN)
        _parser(see).Parse(pack.read(parts[name]), True)
    return [targets.get(identity, "") for identity in ids]


def _parser(see: Callable[[str, dict[str, str]], None]) -> expat.XMLParserType:
    """A parser that tells `see` of each element, by its name without namespace, and refuses a DTD."""

    def refuse(*_: Any) -> None:
        raise Unreadable(*_DTD)

    def start(tag: str, attributes: dict[str, str]) -> None:
        see(tag.rpartition(" ")[2], attributes)

    parser = expat.ParserCreate(None, " ")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    return parser


# --- the parts ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Looked:
    """What the look through a sheet's XML found."""

    last_row: int = 0
    last_column: int = _CZ
    has_errors: bool = False
    sixties: set[tuple[int, int]] = field(default_factory=set)
    """(row, column), from 0, of cells with the number 60: as a day the 29 February 1900, which was none."""

    def area(self) -> int:
        """Cells of the rectangle from A1 on, or more."""
        return self.last_row * self.last_column


def look_at_plain_part(stream: IO[bytes]) -> None:
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
                    raise Unreadable(*_LONG_ROW)
            rest = piece[cut:]
            _look_at_rows(piece[:cut], looked, columns)
        _look_at_rows(rest, looked, columns)
    if columns:
        looked.last_column = max(map(_column_number, columns))
    return looked


def _look_at_start(piece: bytes) -> None:
    """Refuses a DTD, and an encoding that the parser would take for UTF-8."""
    piece = piece.removeprefix(b"\xef\xbb\xbf")
    prolog = _PROLOG.match(piece)
    if not piece.lstrip().startswith(b"<") or b"\0" in piece:
        raise Unreadable(*_NOT_UTF8)
    if prolog is not None and prolog[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Unreadable(*_NOT_UTF8)
    if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
        raise Unreadable(*_DTD)


def _look_at_rows(rows: bytes, looked: Looked, columns: set[bytes]) -> None:
    # Rows stand in order, so the last one is enough. Whoever writes them otherwise, or with other quotes and
    # blanks than every known program, still meets the limit of memory.
    last = _ROW.search(rows, max(rows.rfind(b"<row"), rows.rfind(b":row"), 0))
    if last is not None:
        looked.last_row = max(looked.last_row, int(last[1]))
    if columns or _BEYOND_CZ.search(rows):
        columns.update(_COLUMN.findall(rows))
    if not looked.has_errors and _MAYBE_ERROR.search(rows):
        looked.has_errors = True
    if _MAYBE_SIXTY.search(rows):
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


# --- far cells ---------------------------------------------------------------------------------------


def refuse_far_cells(stream: IO[bytes]) -> None:
    """Looks exactly, where the quick look found a huge extent: cells that have only a format do not count."""
    extent = _Extent()
    parser = _parser(extent.open)
    parser.EndElementHandler = extent.close
    parser.CharacterDataHandler = extent.characters
    with stream:
        parser.ParseFile(stream)
    if extent.area() <= MOST_AREA:
        return
    cells = [cell.decode() for cell in dict.fromkeys((extent.farthest_right, extent.lowest))]
    raise Unreadable(
        f"表格以外很远处还有内容(单元格 {'、'.join(cells)}),请删除表格以外的行和列后重新保存",
        f"there are cells far outside the table ({' and '.join(cells)}): delete the empty rows and columns "
        "beyond the table and save it again",
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
            first = self._first or (row, column)
            self._first = (min(row, first[0]), min(column, first[1]))
            if row >= self._last[0]:
                self.lowest = self._reference
            if column >= self._last[1]:
                self.farthest_right = self._reference
            self._last = (max(row, self._last[0]), max(column, self._last[1]))

    def area(self) -> int:
        if self._first is None:
            return 0
        return (self._last[0] - self._first[0] + 1) * (self._last[1] - self._first[1] + 1)


# --- error cells -------------------------------------------------------------------------------------


def with_errors_marked(pack: zipfile.ZipFile, sheet: zipfile.ZipInfo) -> IO[bytes]:
    """The workbook with this one sheet, its error cells turned into text that begins with ERROR_MARK.

    calamine gives an error cell out as an empty one, and gives a sheet up over an error that it does not know.
    """
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as marked:
        for part in pack.infolist():
            if part.filename != sheet.filename and _is_needed(part.filename.lower()):
                marked.writestr(part.filename, pack.read(part))
        content = _ERROR_CELL.sub(rb'\1"str"\2' + ERROR_MARK.encode(), pack.read(sheet))
        marked.writestr(sheet.filename, content)
    copy.seek(0)
    return copy


def _is_needed(name: str) -> bool:
    return name.endswith((".xml", ".rels")) and not name.startswith("xl/worksheets/")
