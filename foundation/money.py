"""Money: whole fen (分) in an int. No binary floating point anywhere near it.

One type, one guarded constructor. Arithmetic inside the calculators is done on plain ints of fen (fields
whose names end in `_fen`), since an int is what is stored; a `Money` is made where a figure enters or leaves.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

MOST_FEN = 10**14
"""No single amount is above this, one million million yuan; the database refuses more, too."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?", re.ASCII)
_CENT = Decimal("0.01")
_EXACT = Context(prec=28)
_MOST_YUAN_EXPONENT = 12


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
        """Yuan as text `12.34` (no sign, no grouping, at most two decimals) or as an exact Decimal, to Money.

        Raises ValueError for other text, a part of a fen, or an amount out of range.
        """
        if isinstance(yuan, Decimal):
            return cls(_fen_of(yuan))
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
        return _text(self, ",")

    def __repr__(self) -> str:
        return f"Money({int(self)})"


def _fen_of(yuan: Decimal) -> int:
    """An exact Decimal in yuan as fen, whatever precision the surroundings have set."""
    if not yuan.is_finite():
        raise ValueError("not a whole number of fen")
    # The size is looked at first: a number of many digits cannot be cut to two decimals without rounding.
    if yuan and yuan.adjusted() > _MOST_YUAN_EXPONENT:
        raise ValueError("amount out of range")
    cents = yuan.quantize(_CENT, context=_EXACT)
    if cents != yuan:
        raise ValueError("not a whole number of fen")
    return int(cents.scaleb(2, context=_EXACT))


def yuan_text(fen: int) -> str:
    """Whole fen as yuan with two decimals, `-` in front of a negative amount."""
    return _text(fen, "")


def _text(fen: int, grouping: str) -> str:
    sign = "-" if fen < 0 else ""
    whole, part = divmod(abs(int(fen)), 100)
    return f"{sign}{whole:{grouping}}.{part:02d}"


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded half up to a whole number.

    Raises ValueError unless numerator >= 0 and denominator > 0: below zero "half up" has two meanings.
    """
    if numerator < 0 or denominator <= 0:
        raise ValueError("rounding needs a numerator of at least 0 and a denominator above 0")
    return (2 * numerator + denominator) // (2 * denominator)
