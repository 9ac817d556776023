"""Layouts of the departments' files as data: one descriptor for each feed, beside this file.

A descriptor says whose file it is, what each column is called and how its cells are read, which fields name the
person, the day and the sum of a row, whether a file is the whole list or more rows unless its sender says otherwise,
and when it is due. The columns of a feed that comes in a county pack are those of rules.md §2.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from foundation.cells import (
    Cell,
    CellError,
    Parser,
    choice_parser,
    parse_academic_year,
    parse_amount,
    parse_capital,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_twelve_digits,
    plain_amounts,
    words_parser,
)
from foundation.tables import Column
from households.departments import departments
from households.reporting import Calendar

YES_NO = {"是": True, "否": False}
PASSED = {"通过": True, "不通过": False}
MATTERS = ("存款", "农机具", "商品房", "车辆", "企业", "财政供养")

TYPES: Mapping[str, Parser[Any]] = {
    "text": parse_text,
    "private": parse_text,
    "name": parse_name,
    "id_number": parse_id_number,
    "date": parse_date,
    "amount": parse_amount,
    "capital": parse_capital,
    "academic_year": parse_academic_year,
    "twelve_digits": parse_twelve_digits,
    "yes_no": choice_parser(YES_NO),
    "matter": words_parser(*MATTERS),
    "passed": choice_parser(PASSED),
}
"""How a column of each type is read; `private` is text that no page shows. A column may list its own `words` instead:
type `choice`."""

_WORDS: Mapping[str, Sequence[str]] = {"yes_no": tuple(YES_NO), "matter": MATTERS, "passed": tuple(PASSED)}

FULL, ADDITION = "full", "addition"
MODES = (FULL, ADDITION)
"""A file is the whole list as of a day, so that rows which it lacks are no more; or more rows."""

_DISTINCT = ("id_number", "amount", "capital")
_FROM_STORED: Mapping[str, Callable[[str], Any]] = {"date": date.fromisoformat}


@dataclass(frozen=True, slots=True)
class Layout:
    """One feed: titles (zh, en), the key of its department, its path in a pack (None: in no pack), its columns.

    `person`, `day` and `amount` are the places among the columns of whose row it is, of its day and its sum in fen; -1
    where it has none. `words` are what each column lists, empty for one that lists nothing. `mode` is `full` or
    `addition`, as its files are unless the sender says otherwise. `calendar` None: it is sent when there is something.
    """

    feed: str
    title: tuple[str, str]
    department: str
    file: str | None
    columns: tuple[Column, ...]
    types: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    person: int
    day: int
    amount: int
    mode: str
    calendar: Calendar | None

    def field(self, values: Sequence[Any], name: str) -> Any:
        """The value of a field in a row's values."""
        return values[self.place(name)]

    def place(self, name: str) -> int:
        """The place of a field among the columns. Raises KeyError when there is none."""
        for place, column in enumerate(self.columns):
            if column.field == name:
                return place
        raise KeyError(name)

    def from_stored(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A row's values from their stored form, where days are ISO text."""
        return tuple(
            value if value is None or kind not in _FROM_STORED else _FROM_STORED[kind](value)
            for kind, value in zip(self.types, values, strict=True)
        )


@cache
def layouts() -> Mapping[str, Layout]:
    """Every layout by its feed's name, those of the pack first, in the order of rules.md §2."""
    folder = files(__package__)
    found = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text("utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
    order = [*(feed for feed in IN_PACK if feed in found), *(feed for feed in found if feed not in IN_PACK)]
    return {feed: _layout(feed, found[feed]) for feed in order}


IN_PACK = (
    "medical",
    "education",
    "accidents",
    "deaths",
    "housing",
    "vehicles",
    "companies",
    "deposits",
    "machinery",
    "payroll",
    "kin",
    "officials",
    "clearances",
)
"""The files of a county pack, in the order of rules.md §2."""


def uploaded_layouts() -> Mapping[str, Layout]:
    """The layouts that departments send files of: of rows about people. Clearances go another way."""
    return {feed: layout for feed, layout in layouts().items() if layout.person >= 0}


def _layout(feed: str, data: dict[str, Any]) -> Layout:
    columns = tuple(_column(column) for column in data["columns"])
    places = {column.field: place for place, column in enumerate(columns)}
    if data["department"] not in departments() or data["mode"] not in MODES:
        raise ValueError(f"layout of {feed}: no such department or mode")
    return Layout(
        feed=feed,
        title=tuple(data["title"]),
        department=data["department"],
        file=data.get("file"),
        columns=columns,
        types=tuple(column["type"] for column in data["columns"]),
        words=tuple(tuple(column.get("words", _WORDS.get(column["type"], ()))) for column in data["columns"]),
        person=places[data["person"]] if "person" in data else -1,
        day=places[data["day"]] if "day" in data else -1,
        amount=places[data["amount"]] if "amount" in data else -1,
        mode=data["mode"],
        calendar=Calendar(**data["calendar"]) if "calendar" in data else None,
    )


def _column(data: dict[str, Any]) -> Column:
    kind = data["type"]
    return Column(
        data["name"],
        data["field"],
        _listed(*data["words"]) if kind == "choice" else TYPES[kind],
        required=not data.get("empty", False),
        in_header=True,
        distinct=kind in _DISTINCT,
        parse_many=plain_amounts if kind in ("amount", "capital") else None,
    )


def _listed(*words: str) -> Parser[str]:
    """One of some words. A digit among them may stand in a number cell, as spreadsheets make it."""
    known = words_parser(*words)

    def parse(cell: Cell) -> str | None:
        try:
            return known(parse_text(cell))
        except CellError:
            raise CellError("choice") from None

    return parse
