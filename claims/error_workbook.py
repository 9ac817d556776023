"""The workbook of errors of a county pack (`foundation.error_workbook`), its files read again from their folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from claims import intake_files
from foundation.csvfiles import read_csv
from foundation.error_workbook import ErrorWorkbook, Place, Source, source_of
from foundation.error_workbook import error_workbook as written
from foundation.spreadsheets import open_workbook
from foundation.tables import Column, RowError
from households import feeds, roster

_HEADER_ROWS = 10


def error_workbook(folder: Path, errors: Sequence[RowError], language: str) -> ErrorWorkbook:
    """The workbook of the refused cells of a pack whose files lie in `folder`; `errors` in the order of errors.csv.

    `language` is zh or en. Raises UnusableInput when a file cannot be read (any more).
    """
    wanted = dict.fromkeys((error.file, error.sheet) for error in errors)
    return written(_sources(folder, wanted), errors, language)


def _sources(folder: Path, wanted: Mapping[Place, object]) -> Iterator[Source]:
    """Each file and sheet with errors, in order."""
    for file in dict.fromkeys(file for file, _ in wanted):
        if file in _WORKBOOKS:
            columns = _WORKBOOKS[file]
            with open_workbook(folder / file, list(columns), file) as sheets:
                for sheet, rows in sheets:
                    if (file, sheet) in wanted:
                        title = _sheet_name(file, sheet)
                        yield source_of((file, sheet), title, columns[sheet], rows, _HEADER_ROWS)
        else:
            rows_of_file = read_csv(folder / file, file)
            yield source_of((file, ""), _sheet_name(file, ""), _FEEDS[file], rows_of_file, 1)


_WORKBOOKS: Mapping[str, Mapping[str, Sequence[Column]]] = {
    roster.FILE: {roster.SHEET: roster.COLUMNS},
    intake_files.FILE: {sheet: columns for sheet, (_, columns, _) in intake_files.SHEETS.items()},
}
_FEEDS: Mapping[str, Sequence[Column]] = {
    feeds.file_of(feed): columns for feed, (_, columns) in feeds.COLUMNS.items()
}


def _sheet_name(file: str, sheet: str) -> str:
    """A name that a sheet can have: at most 31 characters, no slash."""
    stem = file.rpartition("/")[2].rpartition(".")[0]
    return f"{stem} {sheet}".strip()[:31]
