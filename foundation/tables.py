"""Reading a table row by row against its columns (rules.md §1): header, values, refusals, keys that stand twice.

Pure. Works on rows of raw cells, wherever they come from. A row with any refused cell is left out as a whole
and every refused cell is reported; the rest of the table goes on. Cells are read column by column in blocks, since
most words of a table come again and need be read only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice, zip_longest
from typing import Any, Generic, TypeVar

from foundation.cells import Cell, CellError, Parser, clean, is_empty
from foundation.errors import Fault, UnusableInput

Row = TypeVar("Row")
Judge = Callable[[dict[str, Any]], Sequence[tuple[str, str]]]
"""Looks at a row's values by field, completes them in place, and gives (field, code) for what it refuses."""

_BLOCK = 250
_MOST_REMEMBERED = 20_000
"""Values of a column that are kept: words come again, numbers of documents do not."""
_NOT_THERE = 1_000_000
"""Columns that are not in the sheet come after all that are, in the order of rules.md."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of rules.md: its name there, our field, and how its cells are read.

    `required`: its cell must be there. `in_header`: the column must be, though a cell may be empty; what is
    required must be in the header, too. `distinct`: values seldom come again, so none is remembered. `parse` is
    also asked what an empty cell, or one of a column that is not there, stands for.
    """

    name: str
    field: str
    parse: Parser[Any]
    required: bool = False
    in_header: bool = False
    distinct: bool = False
    parse_many: Callable[[Sequence[Cell]], list[Any] | None] | None = None
    """Reads a block of cells at once, or gives None when one of them is not written in the plainest way."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One refused cell: a line of errors.csv. `position` orders the columns of a row."""

    file: str
    sheet: str
    row: int
    column: str
    code: str
    position: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True)
class Refused:
    """What stands in a row's values for a cell that was refused."""

    code: str


@dataclass(frozen=True, slots=True)
class TableResult(Generic[Row]):
    """The rows taken in, the number of each as the spreadsheet shows it, and the errors in order."""

    rows: list[Row]
    numbers: list[int]
    errors: list[RowError]


def read_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    file: str,
    sheet: str = "",
    *,
    header_rows: int = 1,
    key: str | None = None,
) -> TableResult[tuple[Any, ...]]:
    """The rows of a table as tuples of values in the order of `columns`; None for an empty cell.

    `rows` begins with row 1. The header is the first of the first `header_rows` rows that holds every column
    which must be there. `key` is the field that may not stand twice. Raises UnusableInput when there is no header.
    """
    reader = _Reader(columns, file, sheet, key, set())
    return reader.read(iter(rows), header_rows, _as_it_is)


def table_blocks(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    file: str,
    sheet: str = "",
    *,
    header_rows: int = 1,
) -> Iterator[TableResult[tuple[Any, ...]]]:
    """As `read_table`, a block of rows at a time: memory stays flat however long the table is.

    The header is looked for when the first block is asked for.
    """
    return _Reader(columns, file, sheet, None, set()).blocks(iter(rows), header_rows, _as_it_is)


def _as_it_is(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Sequence[tuple[str, str]]]:
    return values, ()


def read_judged_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    file: str,
    sheet: str = "",
    *,
    header_rows: int = 1,
    key: str | None = None,
    taken: set[Any],
    judge: Judge,
) -> TableResult[dict[str, Any]]:
    """As `read_table`, but each row is a dict by field that `judge` has looked at and completed.

    `judge` sees a `Refused` where a cell was refused. `taken` holds the keys taken in so far, also of other tables.
    """
    fields = tuple(column.field for column in columns)

    def judged(values: tuple[Any, ...]) -> tuple[dict[str, Any], Sequence[tuple[str, str]]]:
        row = dict(zip(fields, values, strict=True))
        return row, judge(row)

    return _Reader(columns, file, sheet, key, taken).read(iter(rows), header_rows, judged)


def header_of(
    columns: Sequence[Column], rows: Iterator[Sequence[Cell]], header_rows: int, place: str = ""
) -> tuple[int, Sequence[Cell]]:
    """The header's row and its number: the first of `header_rows` rows that holds every column which must be there.

    `rows` is left at the row below it. Raises UnusableInput, naming `place`, when there is none.
    """
    must = [column.name for column in columns if column.required or column.in_header]
    missing = must
    for number, cells in enumerate(islice(rows, header_rows), start=1):
        places = _places(cells)
        absent = [name for name in must if name not in places]
        if not absent:
            return number, cells
        if len(absent) < len(missing):
            missing = absent
    zh, en = f"缺少列:{'、'.join(missing)}", f"missing columns: {', '.join(missing)}"
    raise UnusableInput([Fault(place, zh, en)])


def _places(cells: Sequence[Cell]) -> dict[str, int]:
    """The place of each name in a header; of two alike the first counts."""
    places: dict[str, int] = {}
    for index, cell in enumerate(cells):
        if isinstance(cell, str):
            places.setdefault(clean(cell), index)
    return places


class _Reader:
    def __init__(
        self, columns: Sequence[Column], file: str, sheet: str, key: str | None, taken: set[Any]
    ) -> None:
        self._columns = columns
        self._file = file
        self._sheet = sheet
        self._index = {column.field: index for index, column in enumerate(columns)}
        self._key = -1 if key is None else self._index[key]
        self._taken = taken
        self._values = [_Values(column) for column in columns]
        self._at: list[int] = []

    def read(
        self,
        rows: Iterator[Sequence[Cell]],
        header_rows: int,
        judge: Callable[[tuple[Any, ...]], tuple[Row, Sequence[tuple[str, str]]]],
    ) -> TableResult[Row]:
        """The whole table."""
        result: TableResult[Row] = TableResult([], [], [])
        for block in self.blocks(rows, header_rows, judge):
            result.rows.extend(block.rows)
            result.numbers.extend(block.numbers)
            result.errors.extend(block.errors)
        return result

    def blocks(
        self,
        rows: Iterator[Sequence[Cell]],
        header_rows: int,
        judge: Callable[[tuple[Any, ...]], tuple[Row, Sequence[tuple[str, str]]]],
    ) -> Iterator[TableResult[Row]]:
        """The table in blocks of rows."""
        number = self._find_header(rows, header_rows) + 1
        while block := list(islice(rows, _BLOCK)):
            result: TableResult[Row] = TableResult([], [], [])
            refused, values = self._read_block(block)
            for offset, row in enumerate(zip(*values, strict=True)):
                faults = refused.get(offset)
                if faults is not None and all(map(is_empty, block[offset])):
                    continue
                taken, more = judge(row)
                if more:
                    faults = [*(faults or ()), *((self._index[field], code) for field, code in more)]
                key = row[self._key] if self._key >= 0 else None
                if key is not None and key in self._taken:
                    faults = [*(faults or ()), (self._key, "duplicate")]
                if faults:
                    result.errors.extend(self._reported(number + offset, faults))
                    continue
                if key is not None:
                    self._taken.add(key)
                result.rows.append(taken)
                result.numbers.append(number + offset)
            number += len(block)
            yield result

    def _find_header(self, rows: Iterator[Sequence[Cell]], header_rows: int) -> int:
        """The number of the header's row; the columns' places are set."""
        place = f"{self._file} › {self._sheet}" if self._sheet else self._file
        number, header = header_of(self._columns, rows, header_rows, place)
        places = _places(header)
        self._at = [places.get(column.name, -1) for column in self._columns]
        return number

    def _read_block(
        self, block: Sequence[Sequence[Cell]]
    ) -> tuple[dict[int, list[tuple[int, str]]], list[list[Any]]]:
        """For a block of rows the refusals by row, as (index of column, code), and the values by column."""
        cells = list(zip_longest(*block))
        refused: dict[int, list[tuple[int, str]]] = {}
        values: list[list[Any]] = []
        for index, column in enumerate(self._columns):
            at = self._at[index]
            reader = self._values[index]
            found = reader.read(cells[at]) if 0 <= at < len(cells) else reader.read([None] * len(block))
            if column.required and None in found:
                for offset, value in enumerate(found):
                    if value is None:
                        found[offset] = Refused("required")
                        refused.setdefault(offset, []).append((index, "required"))
            if reader.refused_any:
                for offset, value in enumerate(found):
                    if type(value) is Refused and value.code != "required":
                        refused.setdefault(offset, []).append((index, value.code))
            values.append(found)
        return refused, values

    def _reported(self, number: int, faults: Iterable[tuple[int, str]]) -> list[RowError]:
        found = []
        for index, code in faults:
            at = self._at[index] if self._at[index] >= 0 else _NOT_THERE + index
            found.append(RowError(self._file, self._sheet, number, self._columns[index].name, code, at))
        return sorted(found, key=lambda error: error.position)


class _Values(dict[Any, Any]):
    """A column's values by raw cell: a cell that comes again is not read again.

    Only text and days are remembered: 1, 1.0 and True are one key of a dict, and three different cells.
    """

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._parse = column.parse
        self._parse_many = column.parse_many
        self._remember = not column.distinct
        self.refused_any = False

    def read(self, cells: Sequence[Cell]) -> list[Any]:
        if self._parse_many is not None and (values := self._parse_many(cells)) is not None:
            return values
        return list(map(self.__getitem__ if self._remember else self._value, cells))

    def __missing__(self, cell: Cell) -> Any:
        value = self._value(cell)
        if (type(cell) is str or type(cell) is date) and len(self) < _MOST_REMEMBERED:
            self[cell] = value
        return value

    def _value(self, cell: Cell) -> Any:
        try:
            return self._parse(cell)
        except CellError as refusal:
            self.refused_any = True
            return Refused(refusal.code)
