"""Reading one file of a department against its feed's layout, block by block: a GB18030 CSV, or a workbook.

One set of rules for both roads: files of a county pack (`households.feeds`) and files that a department uploads. Memory
is flat for a CSV; a workbook is read by a child process under its own limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foundation.cells import Cell
from foundation.csvfiles import hint_when_utf8, read_csv
from foundation.error_workbook import ErrorWorkbook, error_workbook, source_of
from foundation.errors import Fault, UnusableInput
from foundation.spreadsheets import open_first_sheet
from foundation.tables import RowError, TableResult, table_blocks
from households.layouts import Layout

HEADER_ROWS = 10
"""Of an uploaded file, the header is one of so many first rows, as that of the roster is."""
MOST_REFUSED = 10_000
"""Refused cells above which a file is refused as a whole: it is then another table, or made another way."""

Block = TableResult[tuple[Any, ...]]
"""Rows that were taken in, values in the order of the layout's columns, and the refused cells among them."""

_WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""An xlsx, or an old xls, which is then told to be saved anew."""


def csv_blocks(path: Path, layout: Layout, label: str, header_rows: int = 1) -> Iterator[Block]:
    """The rows of a CSV; `label` names the file in errors.

    Raises UnusableInput when it is no GB18030 CSV or has no such header, also in the midst of it.
    """
    try:
        yield from table_blocks(layout.columns, read_csv(path, label), label, header_rows=header_rows)
    except UnusableInput as unusable:
        raise UnusableInput([hint_when_utf8(path, fault) for fault in unusable.faults]) from None


@contextmanager
def open_feed(path: Path, layout: Layout) -> Iterator[Iterator[Block]]:
    """The blocks of an uploaded file, CSV or workbook by its first bytes; of a workbook the first sheet.

    The feed's Chinese title names the file in errors. Raises UnusableInput as `csv_blocks` does, and when more than
    MOST_REFUSED cells are refused.
    """
    label = layout.title[0]
    with _open_rows(path, label) as rows:
        if rows is None:
            blocks = csv_blocks(path, layout, label, HEADER_ROWS)
        else:
            blocks = table_blocks(layout.columns, rows, label, header_rows=HEADER_ROWS)
        yield _within_bounds(blocks, label)


def feed_error_workbook(
    path: Path, layout: Layout, errors: Sequence[RowError], language: str
) -> ErrorWorkbook:
    """The workbook of an uploaded file's refused cells; `language` is zh or en. Raises UnusableInput."""
    label = layout.title[0]
    with _open_rows(path, label) as rows:
        table = read_csv(path, label) if rows is None else rows
        title = layout.title[0 if language == "zh" else 1]
        source = source_of((label, ""), title, layout.columns, table, HEADER_ROWS)
        return error_workbook([source], errors, language)


@contextmanager
def _open_rows(path: Path, label: str) -> Iterator[Iterator[Sequence[Cell]] | None]:
    """The rows of a workbook's first sheet; None for what is no workbook."""
    with path.open("rb") as file:
        start = file.read(4)
    if start not in _WORKBOOK_STARTS:
        yield None
        return
    with open_first_sheet(path, label) as (_name, rows):
        yield rows


def _within_bounds(blocks: Iterator[Block], label: str) -> Iterator[Block]:
    refused = 0
    for block in blocks:
        refused += len(block.errors)
        if refused > MOST_REFUSED:
            zh = f"未能读入的单元格超过 {MOST_REFUSED} 处,整份文件不予接收;请核对是否选错文件或格式"
            en = f"more than {MOST_REFUSED} cells cannot be read: is it the right file, made by the template?"
            raise UnusableInput([Fault(label, zh, en)])
        yield block
