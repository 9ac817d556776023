"""The one timeline of a household: what each subject contributes to it, as plain data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from households.terms import Pair


@dataclass(frozen=True, slots=True)
class Item:
    """Something that happened to a household on a day: warning, recognition, measure, claim, payment, exit …

    `kind` chooses the mark beside it; `url` leads to where it is shown in full, and may be empty.
    """

    on: date
    kind: str
    title: Pair
    text: Pair = ("", "")
    url: str = ""


KINDS: dict[str, Pair] = {
    "register": ("户籍登记", "register"),
    "warning": ("预警", "warning"),
    "recognition": ("识别认定", "recognition"),
    "measure": ("帮扶", "measure"),
    "comparison": ("比对", "comparison"),
    "claim": ("理赔", "claim"),
    "payment": ("付款", "payment"),
    "exit": ("退出", "exit"),
}
