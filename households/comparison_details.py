"""What a page says of a department's row that hits: as little as is needed to look into it, in words.

Pure. Of a check that only says whether a department has a record, the day alone: what an illness cost, or which card
was paid, is no business of whoever reads a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from foundation.masking import Audience, id_number_for
from foundation.money import Money
from households.checks import CHECKS
from households.comparing import Relative
from households.layouts import layouts
from households.terms import Pair

Detail = tuple[Pair, str]
"""What it is, in Chinese and English, and the value as it is shown."""

_AMOUNT, _PRICE, _REGISTERED = (
    ("金额(元)", "amount (yuan)"),
    ("价格(元)", "price (yuan)"),
    ("登记日期", "registered on"),
)
_FIELDS: Mapping[str, Sequence[tuple[str, Pair]]] = {
    "deposits": (("amount_fen", _AMOUNT), ("as_of", ("截止日期", "as of"))),
    "machinery": (
        ("name", ("名称", "machine")),
        ("price_fen", _PRICE),
        ("registered_on", _REGISTERED),
    ),
    "housing": (("use", ("用途", "use")), ("registered_on", _REGISTERED)),
    "vehicles": (("price_fen", _PRICE), ("registered_on", _REGISTERED)),
    "companies": (
        ("status", ("状态", "status")),
        ("capital_fen", ("注册资本(元)", "capital (yuan)")),
        ("founded_on", ("成立日期", "founded on")),
    ),
    "payroll": (
        ("employer", ("单位", "employer")),
        ("from_date", ("起始日期", "from")),
        ("to_date", ("结束日期", "to")),
    ),
}
_DAY: Pair = ("日期", "day")
OPENED = frozenset(_FIELDS)
"""Feeds whose rows are opened to be shown."""


def details(matter: str, on_day: date | None, values: Sequence[Any] | None) -> list[Detail]:
    """What is said of a row; `values` in the order of its columns, days as ISO text, for the feeds of `OPENED`."""
    check = CHECKS.get(matter)
    feed = "" if check is None or check.kind == "presence" else check.feed
    if feed in _FIELDS and values is not None:
        layout = layouts()[feed]
        said = ((words, field, layout.field(values, field)) for field, words in _FIELDS[feed])
        return [(words, _shown(field, value)) for words, field, value in said if value is not None]
    return [] if on_day is None else [(_DAY, on_day.isoformat())]


def of_relative(relative: Relative) -> list[Detail]:
    """Whose row it is, where it is a near relative's."""
    number = id_number_for(Audience.OFFICER, relative.id_number)
    return [
        (("亲属关系", "relative"), relative.relation),
        (("亲属身份证号", "relative's ID number"), number),
    ]


def _shown(field: str, value: Any) -> str:
    return Money(value).grouped if field.endswith("_fen") else str(value)
