"""What was found in a department's file, as it is shown before anything is taken in, and its stored form.

Pure. It is sealed where it is stored: the first rows are masked already, but a fault may quote a cell.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from foundation.errors import Fault
from foundation.masking import HIDDEN, Audience, id_number_for, name_for
from foundation.money import Money
from foundation.tables import RowError
from households.layouts import YES_NO, Layout

FIRST_ROWS = 20
"""So many rows are shown, for a person to see that each column is what it says."""

_YES_NO = {value: word for word, value in YES_NO.items()}


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A full list that is less than half as long as the one before: `before` and `now` in rows."""

    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a usable file holds, and what taking it in would change, in rows.

    `gone` are those that a full list lacks and that would be retired. `about_known` are about people of the register.
    """

    rows: int
    new: int
    same: int
    gone: int
    about_known: int
    first: tuple[tuple[str, ...], ...]
    same_file: bool
    """It is the file that was taken in last, of the same day."""
    shrunk: Shrunk | None

    @property
    def twice(self) -> int:
        """Rows that the file has already."""
        return self.rows - self.new - self.same


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What taking it in has changed (`households.services.deliveries.Delivered`)."""

    unchanged: bool
    rows: int
    added: int
    retired: int


@dataclass(frozen=True, slots=True)
class FeedPreview:
    """What is known of an uploaded file. `found` is None while it is being looked at, and of an unusable one."""

    faults: tuple[Fault, ...] = ()
    """Why the file cannot be used, or why it could not be taken in."""
    refused: tuple[RowError, ...] = ()
    """Every refused cell; its row is left out, the rest goes on."""
    found: Found | None = None
    confirmed: Shrunk | None = None
    """What somebody has confirmed: that the list is really so much shorter."""
    taken_in: TakenIn | None = None


def masked(layout: Layout, values: Sequence[Any]) -> tuple[str, ...]:
    """A row as a page shows it: numbers and names of people masked, private text not at all."""
    return tuple(_masked(kind, value) for kind, value in zip(layout.types, values, strict=True))


def _masked(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind == "id_number":
        return id_number_for(Audience.OFFICER, value)
    if kind == "name":
        # Most people in a department's list are no clients of the Centre: shown as a minor's name to an auditor is.
        return name_for(Audience.AUDITOR, value, minor=True)
    if kind == "private":
        return HIDDEN
    if kind in ("amount", "capital"):
        return Money(value).grouped
    if isinstance(value, bool):
        return _YES_NO[value]
    return value.isoformat() if isinstance(value, date) else str(value)


def dump_preview(preview: FeedPreview) -> str:
    """JSON of a preview."""
    return json.dumps(asdict(preview), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def load_preview(text: str) -> FeedPreview:
    """A preview from its JSON."""
    data: dict[str, Any] = json.loads(text)
    return FeedPreview(
        faults=tuple(Fault(**fault) for fault in data["faults"]),
        refused=tuple(RowError(**error) for error in data["refused"]),
        found=None if data["found"] is None else _found(data["found"]),
        confirmed=None if data["confirmed"] is None else Shrunk(**data["confirmed"]),
        taken_in=None if data["taken_in"] is None else TakenIn(**data["taken_in"]),
    )


def _found(data: dict[str, Any]) -> Found:
    rest = {
        "first": tuple(tuple(row) for row in data["first"]),
        "shrunk": None if data["shrunk"] is None else Shrunk(**data["shrunk"]),
    }
    return Found(**(data | rest))
