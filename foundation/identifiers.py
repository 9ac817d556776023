"""Numbers that carry a check: ID numbers, social credit codes, bank codes, card numbers.

Pure. Nothing is cleaned here: upper case, half-width digits and no spaces are the caller's doing. A function
`..._valid` answers False for any text that is not of its form and never raises. No error shows the number.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def id_number_valid(text: str) -> bool:
    """Whether text is an ID number 公民身份号码 of GB 11643.

    That is 17 digits and a digit or `X`, with a right check character and a birth date that exists.
    Any region is accepted, since people keep the code of their first registration.
    """
    # Hundreds of thousands of rows come through here. Each piece is looked up in a table that holds only what
    # may stand there, with its weighted sum; a piece with a letter, or a thirteenth month, is in none.
    try:
        year, day = text[6:10], text[10:14]
        total = (
            _AREA_FIRST[text[:3]]
            + _AREA_LAST[text[3:6]]
            + _YEAR[year]
            + _DAY[day]
            + _SEQUENCE[text[14:17]]
            - _CHECK[text[17:]]
        )
    except KeyError:
        return False
    return total % 11 == 0 and (day != "0229" or _is_leap(int(year)))


def birth_date(id_number: str) -> date:
    """The birth date in an ID number. Raises ValueError when `id_number_valid` refuses the number."""
    _refuse_invalid(id_number)
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def sex(id_number: str) -> Literal["male", "female"]:
    """The sex in an ID number: an odd sequence number is male. Raises ValueError like `birth_date`."""
    _refuse_invalid(id_number)
    return "male" if int(id_number[16]) % 2 else "female"


def social_credit_code_valid(text: str) -> bool:
    """Whether text is a social credit code 统一社会信用代码 of GB 32100.

    That is 18 characters of its alphabet (no I O S V Z), the third to the eighth of them digits (the region),
    with a right check character. The organisation code inside has a check of its own: that is not looked at.
    """
    if len(text) != 18 or not _is_digits(text[2:8]) or not all(char in _CREDIT_ALPHABET for char in text):
        return False
    total = 0
    weight = 1
    for char in text[:17]:
        total += _CREDIT_ALPHABET.index(char) * weight
        weight = weight * 3 % 31
    return _CREDIT_ALPHABET[-total % 31] == text[17]


def cnaps_valid(text: str) -> bool:
    """Whether text is a bank code 联行号: 12 digits whose last is the check of ISO 7064 MOD 11,10.

    That rule was inferred from published codes, not taken from a standard: a failure is a warning only.
    """
    if len(text) != 12 or not _is_digits(text):
        return False
    product = 10
    for char in text[:11]:
        product = ((product + int(char)) % 10 or 10) * 2 % 11
    return (product + int(text[11])) % 10 == 1


def luhn_valid(text: str) -> bool:
    """Whether text is digits, any number of them, with a right Luhn check digit, as bank cards have.

    Passbooks and accounts of firms do not follow Luhn: ask this of a card only.
    """
    if not _is_digits(text):
        return False
    total = 0
    for place, char in enumerate(reversed(text)):
        digit = int(char)
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def _refuse_invalid(id_number: str) -> None:
    if not id_number_valid(id_number):
        raise ValueError("not a valid ID number")


def _is_digits(text: str) -> bool:
    """One or more of 0 to 9, and not the digits of other scripts."""
    return text.isascii() and text.isdigit()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _sums(pieces: list[str], position: int) -> dict[str, int]:
    """The weighted sum of every piece that may stand at a position of an ID number."""

    def weighted(piece: str) -> int:
        return sum(int(char) * _ID_WEIGHTS[position + place] for place, char in enumerate(piece))

    return {piece: weighted(piece) for piece in pieces}


_THREE_DIGITS = [f"{number:03d}" for number in range(1000)]
_LEAP_YEAR = range(date(2000, 1, 1).toordinal(), date(2001, 1, 1).toordinal())
_AREA_FIRST = _sums(_THREE_DIGITS, 0)
_AREA_LAST = _sums(_THREE_DIGITS, 3)
_YEAR = _sums([f"{year:04d}" for year in range(date.min.year, date.max.year + 1)], 6)
_DAY = _sums([date.fromordinal(number).strftime("%m%d") for number in _LEAP_YEAR], 10)
_SEQUENCE = _sums(_THREE_DIGITS, 14)
_CHECK = {char: remainder for remainder, char in enumerate(_ID_CHECKS)}
