"""A list of people to be compared, as it was pasted, or as the rows of a CSV or a workbook. Pure.

Whatever stands beside the ID numbers (names, villages, a heading) is passed over; a row that has something in it and no
ID number is told, so that nobody drops out of a comparison unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foundation.cells import Cell, CellError, clean, is_empty, parse_id_number
from foundation.errors import InvalidInput

MOST_TOLD = 20
"""Rows without an ID number that are named."""
_DIGITS = re.compile("[0-9]{6}")
_BETWEEN = re.compile("[,;\t\uff0c\uff1b\u3001]| +")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The ID numbers of a list in order, each once, and how often one stood there again."""

    numbers: tuple[str, ...]
    doubles: int


def numbers_in_text(text: str) -> Numbers:
    """The ID numbers of what was pasted: a line is a row, its cells end at a comma, a semicolon, a tab or a space."""
    return numbers_in_rows([_BETWEEN.split(line) for line in text.splitlines()])


def numbers_in_rows(rows: Iterable[Sequence[Cell]]) -> Numbers:
    """The ID numbers of a table. The first row may be a heading.

    Raises InvalidInput, under `numbers`, that names the rows in which no valid ID number stands.
    """
    found: list[str] = []
    faulty: list[int] = []
    for place, cells in enumerate(rows, start=1):
        mine = [number for cell in cells if (number := _number(cell)) is not None]
        found += mine
        filled = any(not is_empty(cell) for cell in cells)
        if filled and not mine and (place > 1 or not _heading(cells)):
            faulty.append(place)
    if faulty:
        raise InvalidInput({"numbers": [_told(faulty)]})
    once = tuple(dict.fromkeys(found))
    return Numbers(once, len(found) - len(once))


def _number(cell: Cell) -> str | None:
    try:
        return parse_id_number(cell)
    except CellError:
        return None


def _heading(cells: Sequence[Cell]) -> bool:
    """Whether a first row is a heading: nothing in it looks like a number."""
    return not any(
        isinstance(cell, int | float) or (isinstance(cell, str) and _DIGITS.search(clean(cell)))
        for cell in cells
    )


def _told(faulty: Sequence[int]) -> tuple[str, str]:
    rows = [str(place) for place in faulty[:MOST_TOLD]]
    zh, en = "、".join(rows), ", ".join(rows)
    if len(faulty) > MOST_TOLD:
        zh, en = f"{zh} 等 {len(faulty)} 行", f"{en} and others, {len(faulty)} in all"
    return (
        f"以下各行没有正确的 18 位身份证号(须为文本格式):第 {zh} 行",
        f"these rows have no valid ID number of 18 characters, as text: {en}",
    )
