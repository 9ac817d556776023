"""Money: whole fen (分) in an int. No binary floating point anywhere near it.

One type, one guarded constructor. Arithmetic inside the calculators is done on plain ints of fen (fields ending in
`_fen`), since an int is what is stored; a `Money` is made where a figure enters or leaves.
"""

from __future__ import annotations

import re
from decimal import Decimal

MOST_FEN = 10**14
"""No single amount reaches this (one million million yuan); the database refuses more, too."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?", re.ASCII)


class Money(int):
    """An amount in fen. `Money(1234)` is 12.34 yuan.

    Raises TypeError for anything but an int (a bool, a float, a Decimal are refused: convert them knowingly),
    ValueError when the amount is out of range.
    """

    __slots__ = ()

    def __new__(cls, fen: int) -> Money:
        if isinstance(fen, bool) or not isinstance(fen, int):
            raise TypeError(f"Money takes whole fen as an int, not {type(fen).__name__}")
        if abs(fen) > MOST_FEN:
            raise ValueError("amount out of range")
        return super().__new__(cls, fen)

    @classmethod
    def from_yuan(cls, yuan: str | Decimal) -> Money:
        """Yuan as text `12.34` (no sign, no grouping, at most two decimals) or as an exact Decimal, to Money."""
        if isinstance(yuan, Decimal):
            scaled = yuan * 100
            if not yuan.is_finite() or scaled != scaled.to_integral_value():
                raise ValueError("not a whole number of fen")
            return cls(int(scaled))
        found = _YUAN.fullmatch(yuan)
        if found is None:
            raise ValueError("not an amount in yuan")
        return cls(int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")))

    @property
    def yuan(self) -> str:
        """Yuan with two decimals and no grouping: `1234.56`."""
        return yuan_text(self)

    @property
    def grouped(self) -> str:
        """Yuan with two decimals, grouped by three for people: `1,234.56`."""
        sign = "-" if self < 0 else ""
        whole, part = divmod(abs(int(self)), 100)
        return f"{sign}{whole:,}.{part:02d}"

    def __repr__(self) -> str:
        return f"Money({int(self)})"


def yuan_text(fen: int) -> str:
    """Whole fen as yuan with two decimals, `-` in front of a negative amount."""
    sign = "-" if fen < 0 else ""
    whole, part = divmod(abs(int(fen)), 100)
    return f"{sign}{whole}.{part:02d}"


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded half up to a whole number; numerator >= 0, denominator > 0."""
    return (2 * numerator + denominator) // (2 * denominator)
