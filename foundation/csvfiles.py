"""CSV files: reading what a county hands in (GB18030), and writing what the program hands out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from foundation.errors import Fault, UnusableInput

_SAVE_AS_GB18030 = (
    "文件是 UTF-8 编码,请另存为 GB18030(在 Excel 中:“CSV(逗号分隔)”)",
    "the file is in UTF-8: save it as GB18030 (in Excel: “CSV (Comma delimited)”)",
)
_BAD_CELL = ("有一格过长,或引号没有成对", "a cell is too long, or a quotation mark is not closed")
_NO_TEXT = ("不是 GB18030 编码的 CSV 文本", "not a CSV text in GB18030")


def read_csv(path: Path, label: str) -> Iterator[list[str]]:
    """The records of a GB18030 CSV file, one after the other, empty ones too; `label` names it in errors.

    Holds one record at a time. Raises UnusableInput when the file cannot be opened, decoded or taken apart, also
    in the midst of it: whoever takes rows in waits for the last one.
    """
    if path.exists() and not path.is_file():
        raise _fault(label, ("不是文件", "this is no file"))
    try:
        with path.open(encoding="gb18030", newline="") as text:
            yield from csv.reader(_lines(text, path, label))
    except UnicodeDecodeError:
        raise _fault(label, _why_undecodable(path)) from None
    except csv.Error:
        raise _fault(label, _BAD_CELL) from None
    except OSError as error:
        raise _fault(label, (f"无法打开:{error.strerror}", f"cannot be opened: {error.strerror}")) from None


def hint_when_utf8(path: Path, fault: Fault) -> Fault:
    """A fault about missing columns, with the true cause where the file is UTF-8 that happened to decode."""
    if _SAVE_AS_GB18030[0] not in fault.zh and _is_utf8(path):
        return Fault(fault.place, f"{fault.zh};{_SAVE_AS_GB18030[0]}", f"{fault.en}; {_SAVE_AS_GB18030[1]}")
    return fault


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8-sig") -> bytes:
    """A CSV file with comma, minimal quoting and CRLF; by default UTF-8 with BOM (rules.md §6).

    Raises UnicodeEncodeError where a cell cannot be written in the encoding.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _lines(text: TextIO, path: Path, label: str) -> Iterator[str]:
    """Lines of a text. U+0000 in the header says that the file is something else (UTF-16, a workbook).

    Below it stands in a cell, which its parser refuses like any other bad cell.
    """
    for number, line in enumerate(text):
        if number == 0 and "\0" in line:
            raise _fault(label, _why_undecodable(path))
        yield line


def _why_undecodable(path: Path) -> tuple[str, str]:
    return _SAVE_AS_GB18030 if _is_utf8(path) else _NO_TEXT


def _is_utf8(path: Path) -> bool:
    """Whether a file is UTF-8 and has more than ASCII in it: GB18030 text hardly ever is."""
    plain = True
    try:
        with path.open(encoding="utf-8", newline="") as text:
            while part := text.read(1 << 20):
                if "\0" in part:
                    return False
                plain = plain and part.isascii()
    except (OSError, UnicodeDecodeError):
        return False
    return not plain


def _fault(label: str, why: tuple[str, str]) -> UnusableInput:
    return UnusableInput([Fault(label, *why)])
