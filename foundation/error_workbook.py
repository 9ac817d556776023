"""The workbook of errors: every refused cell with its remedy, and the faulty rows as they were read, wrong cells red.

It goes back to whoever made the files, to be mended and sent again. Every cell is text: nothing in it is a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from foundation.cells import Cell, as_text, clean
from foundation.refusals import REFUSALS
from foundation.spreadsheets import Heading, Marked, Watermark, Written, write_workbook
from foundation.tables import Column, RowError, header_of

_LIST_COLUMNS = {
    "zh": ("文件", "工作表", "行", "列", "问题", "改法"),
    "en": ("File", "Sheet", "Row", "Column", "What is wrong", "How to mend it"),
}
_LIST_NAME = {"zh": "错误清单", "en": "Errors"}
_REASON = {"zh": "错误原因", "en": "What is wrong"}
_ROW_NUMBER = {"zh": "原行号", "en": "Row"}

Place = tuple[str, str]
"""A file and one of its sheets; a CSV has none, ''."""


@dataclass(frozen=True, slots=True)
class ErrorWorkbook:
    """The sheets of a workbook of errors, to be written once its number is known."""

    sheets: Mapping[str, Sequence[Sequence[Written]]]
    widths: Mapping[str, Sequence[int]]

    def written(self, watermark: Watermark | None = None) -> bytes:
        """The workbook as an xlsx."""
        return write_workbook(self.sheets, self.widths, watermark)


def rows_in(errors: Iterable[RowError]) -> int:
    """How many faulty rows are in the workbook, each about one person."""
    return len({(error.file, error.sheet, error.row) for error in errors})


@dataclass(frozen=True, slots=True)
class Source:
    """A table with errors: where they say it stands, its sheet in the workbook, its header, its rows (number, texts).

    `title` is at most 31 characters that the name of a sheet can have.
    """

    place: Place
    title: str
    header: Sequence[Cell]
    rows: Iterator[tuple[int, list[str]]]


def source_of(
    place: Place, title: str, columns: Sequence[Column], rows: Iterator[Sequence[Cell]], header_rows: int
) -> Source:
    """A table as it was read, its header looked for as it was then. Raises UnusableInput when there is none."""
    number, header = header_of(columns, rows, header_rows)
    below = (
        (number + offset, [as_text(cell) for cell in cells]) for offset, cells in enumerate(rows, start=1)
    )
    return Source(place, title, header, below)


def error_workbook(sources: Iterable[Source], errors: Sequence[RowError], language: str) -> ErrorWorkbook:
    """The workbook of refused cells, `errors` in the order of errors.csv; each table is read when its turn comes.

    `language` is zh or en.
    """
    place = 0 if language == "zh" else 1
    list_name = _LIST_NAME[language]
    sheets: dict[str, list[list[Written]]] = {
        list_name: [
            [Heading(name) for name in _LIST_COLUMNS[language]],
            *(_listed(error, place) for error in errors),
        ]
    }
    widths: dict[str, Sequence[int]] = {list_name: (20, 12, 8, 20, 42, 46)}
    by_place = {
        key: list(found) for key, found in groupby(errors, key=lambda error: (error.file, error.sheet))
    }
    for source in sources:
        wrong = _by_row(by_place[source.place], place)
        columns = [clean(as_text(cell)) for cell in source.header]
        sheets[source.title] = [
            [Heading(_ROW_NUMBER[language]), *map(Heading, columns), Heading(_REASON[language])],
            *(
                _shown(number, columns, cells, wrong[number], place)
                for number, cells in source.rows
                if number in wrong
            ),
        ]
        widths[source.title] = (8, *(max(10, min(28, 2 * len(column) + 4)) for column in columns), 60)
    return ErrorWorkbook(sheets, widths)


def _listed(error: RowError, place: int) -> list[Written]:
    refusal = REFUSALS[error.code]
    words = (
        error.file,
        error.sheet,
        str(error.row),
        error.column,
        refusal.wrong[place],
        refusal.remedy[place],
    )
    return list(words)


def _by_row(errors: Iterable[RowError], place: int) -> dict[int, dict[str, str]]:
    """Row number → name of each wrong column → what is wrong with it."""
    rows: dict[int, dict[str, str]] = {}
    for error in errors:
        rows.setdefault(error.row, {})[error.column] = REFUSALS[error.code].wrong[place]
    return rows


def _shown(
    number: int, columns: Sequence[str], cells: Sequence[str], wrong: Mapping[str, str], place: int
) -> list[Written]:
    """A faulty row: its number, its cells under their columns, and what is wrong in words."""
    padded = [*cells, *("" for _ in range(len(columns) - len(cells)))]
    shown: list[Written] = [str(number)]
    seen: set[str] = set()
    for column, cell in zip(columns, padded, strict=False):
        # The first column of a name is the one that is read.
        marked = column in wrong and column not in seen
        seen.add(column)
        shown.append(Marked(cell) if marked else cell)
    between, after = (":", ";") if place == 0 else (": ", "; ")
    return [*shown, after.join(f"{column}{between}{reason}" for column, reason in wrong.items())]
