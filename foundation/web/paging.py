"""Pages of a list by keyset: "the rows after this one", which costs the same on the first page and on the thousandth.

The order is one or two columns and the id, so that no two rows are equal. A cursor is that row's values, written as
url-safe text; it is a place in the list and no secret, and what comes back is looked at strictly.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from foundation.errors import BadRequest

T = TypeVar("T")
MOST_ROWS = 100
_MOST_CURSOR = 600
_OLDER, _NEWER = "o", "n"
_TYPES: dict[str, type] = {"s": str, "i": int, "d": date, "t": datetime}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, the cursors of the pages around them (None: there is none), and how many rows there are in all.

    `older` goes on down the list, `newer` goes back up. `total` is None where nobody asked for it.
    """

    rows: list[T]
    newer: str | None
    older: str | None
    total: int | None = None


def keyset(
    session: Session,
    query: Select[*tuple[Any, ...]],
    columns: Sequence[Any],
    row_id: Any,
    cursor: str | None = None,
    size: int = 50,
    *,
    descending: bool = False,
    count: bool = False,
) -> Page[Any]:
    """One page of `query`, ordered by `columns` (one or two, never NULL) and then by `row_id`, all in one direction.

    The query selects what a row shall hold, without an order; the columns of the order are added to it and taken off
    again. A row of one column or entity comes out as the bare value, any other as a named row. `size` is held between
    1 and 100. Two statements with `count`, else one. Raises BadRequest when the cursor is not one of this list.
    """
    size = max(1, min(size, MOST_ROWS))
    keys = [*columns, row_id]
    backwards, after = _read(cursor, keys) if cursor else (False, None)
    total = (
        session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) if count else None
    )
    down = descending != backwards
    ordered = query.add_columns(*keys).order_by(*(key.desc() if down else key.asc() for key in keys))
    if after is not None:
        # The first bound follows from the second; it is what lets an index begin at the place instead of at its end.
        first = keys[0] <= after[0] if down else keys[0] >= after[0]
        ordered = ordered.where(first, _beyond(keys, after, down=down))
    found = session.execute(ordered.limit(size + 1)).freeze()
    width = len(found().keys()) - len(keys)
    places, whole = found().columns(*range(width, width + len(keys))).all(), found()
    rows: list[Any] = list(whole.scalars() if width == 1 else whole.columns(*range(width)))
    more, rows, places = len(rows) > size, rows[:size], places[:size]
    if backwards:
        rows, places = rows[::-1], places[::-1]
    before_first = more if backwards else after is not None
    after_last = True if backwards else more
    return Page(
        rows,
        _written(_NEWER, places[0]) if rows and before_first else None,
        _written(_OLDER, places[-1]) if rows and after_last else None,
        total,
    )


def _beyond(keys: Sequence[Any], after: Sequence[Any], *, down: bool) -> ColumnElement[bool]:
    """(a, b, id) beyond the values, written out: the engines compare rows differently, and indexes serve this one."""
    condition: ColumnElement[bool] = false()
    for key, value in zip(reversed(keys), reversed(after), strict=True):
        further = key < value if down else key > value
        condition = or_(further, and_(key == value, condition))
    return condition


def _written(way: str, values: Sequence[Any]) -> str:
    parts = [_part(value) for value in values]
    text = json.dumps([way, *parts], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")


def _part(value: Any) -> list[Any]:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, int):
        return ["i", int(value)]
    return ["s", str(value)]


def _read(cursor: str, keys: Sequence[Any]) -> tuple[bool, list[Any]]:
    """Whether the cursor goes backwards, and the values of its row."""
    try:
        if len(cursor) > _MOST_CURSOR or not cursor.isascii():
            raise ValueError("not a cursor")
        padded = cursor + "=" * (-len(cursor) % 4)
        way, *parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if way not in (_OLDER, _NEWER) or len(parts) != len(keys):
            raise ValueError("not a cursor of this list")
        values = [_value(part, key) for part, key in zip(parts, keys, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise BadRequest(
            "翻页参数无效,请从第一页重新开始", "this is no place in the list; start at the first page"
        ) from None
    return way == _NEWER, values


def _value(part: Any, key: Any) -> Any:
    """One value, which must be of its column's type. Raises ValueError or TypeError."""
    kind, raw = part
    expected = key.type.python_type
    value: Any
    if kind == "t" and isinstance(raw, str):
        value = datetime.fromisoformat(raw)
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        value = value.astimezone(UTC)
    elif kind == "d" and isinstance(raw, str):
        value = date.fromisoformat(raw)
    elif kind == "i" and isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**63:
        value = raw
    elif kind == "s" and isinstance(raw, str):
        raw.encode()  # a lone surrogate is refused here, not by the database
        if "\0" in raw:
            raise ValueError("no database holds this")
        value = raw
    else:
        raise ValueError("not a value")
    if type(value) is not expected:
        raise ValueError("of another type than its column")
    return value
