"""Amounts in capital characters 大写金额, as vouchers and payment slips bear them (支付结算办法附一).

Pure.
"""

from __future__ import annotations

from foundation.money import Money

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ((1000, "仟"), (100, "佰"), (10, "拾"), (1, ""))
_UNITS = ((10**8, "亿"), (10**4, "万"))


def amount_in_capitals(fen: int) -> str:
    """An amount in fen as `人民币…元…角…分`.

    整 closes an amount without fen, after 角 too: banks leave that open, the accounting rules ask for it.
    Where the rules leave 零 open, it stands before 角 when the yuan end in 0, and not before 仟.
    Raises ValueError for an amount out of the range of `Money` or below zero (no such form exists: a recovery
    is printed as positive under its own title), TypeError for anything but an int.
    """
    amount = Money(fen)
    if amount < 0:
        raise ValueError("an amount in capitals cannot be negative")
    yuan, rest = divmod(int(amount), 100)
    jiao, cents = divmod(rest, 10)
    text = "人民币"
    if yuan or not rest:
        text += (_whole(yuan) or _DIGITS[0]) + "元"
    if jiao:
        zero = _DIGITS[0] if yuan and yuan % 10 == 0 else ""
        text += zero + _DIGITS[jiao] + "角"
    elif cents and yuan:
        text += _DIGITS[0]
    return text + (_DIGITS[cents] + "分" if cents else "整")


def _whole(number: int) -> str:
    """A whole number in capitals, nothing for 0. Above 亿 the count of 亿 is itself such a number: 壹万亿."""
    for unit, name in _UNITS:
        if number >= unit:
            upper, lower = divmod(number, unit)
            zero = _DIGITS[0] if 0 < lower < unit // 10 else ""
            return _whole(upper) + name + zero + _whole(lower)
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    text = ""
    skipped = False
    for place, name in _PLACES:
        digit = number // place % 10
        if not digit:
            skipped = True
            continue
        if skipped and text:
            text += _DIGITS[0]
        text += _DIGITS[digit] + name
        skipped = False
    return text
