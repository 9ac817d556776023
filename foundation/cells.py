"""Reading one cell of a handed-in table: every type of rules.md §1 "Reading cells".

Pure. A parser takes a raw cell as a workbook or a CSV has it and gives the value, None for an empty cell, or
raises `CellError` with the code that errors.csv shows. It raises nothing else, whatever the cell is. Money comes out
in fen. No arithmetic is done on binary floats: a number cell is written out in decimal digits first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import TypeVar

from foundation.identifiers import id_number_valid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A cell that holds an error of the spreadsheet (`#N/A`) or a value that cannot be: of no type."""

    value: str


Cell = str | int | float | bool | datetime | date | time | timedelta | ErrorCell | None
"""A raw cell. None and text that is empty once cleaned are a missing value."""

Parser = Callable[[Cell], T | None]


class CellError(Exception):
    """The cell is not of its type. `code` is the code of rules.md §1."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


MOST_AMOUNT_FEN = 99_999_999_99
"""No amount is above 99,999,999.99 yuan,"""
MOST_CAPITAL_FEN = 999_999_999_999_99
"""and no 注册资本 above 999,999,999,999.99 yuan."""

_ZERO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff]")


def clean(text: str) -> str:
    """Text as it counts everywhere: NFKC-normalised, zero-width characters dropped, trimmed, in this order.

    White space is what Python's `str.strip` takes for it.
    """
    if text.isascii():
        return text.strip()
    text = unicodedata.normalize("NFKC", text)
    # Letters and digits only, as most names and words are: there is nothing to drop or trim.
    return text if text.isalnum() else _ZERO_WIDTH.sub("", text).strip()


def is_empty(cell: Cell) -> bool:
    """Whether a cell is a missing value: nothing, or text of which nothing is left once cleaned."""
    return cell is None or (isinstance(cell, str) and not clean(cell))


_LONGEST = 32_000
"""Characters that a spreadsheet's cell can hold, a little less than its limit."""


def as_text(cell: Cell) -> str:
    """A raw cell as it was read, for a person to look at: days as ISO, whole numbers by their digits."""
    if cell is None:
        return ""
    if isinstance(cell, ErrorCell):
        return cell.value
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and isfinite(cell) and cell.is_integer() and abs(cell) < 10**21:
        # The fifteen digits that a spreadsheet keeps and shows, then zeros.
        return str(int(Decimal(f"{cell:.14e}")))
    return str(cell)[:_LONGEST]


# --- amount ------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"¥?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(元|万元|万)?")
_MOST_YUAN_DIGITS = 13
"""More digits than this before the point are above every limit: text of any length is refused at once."""


def amount_parser(most_fen: int = MOST_AMOUNT_FEN) -> Parser[int]:
    """A parser of amounts up to `most_fen`, in fen; refuses with `amount`."""

    def parse(cell: Cell) -> int | None:
        if cell is None:
            return None
        if isinstance(cell, str):
            text = clean(cell)
            if not text:
                return None
            fen = _fen_of_text(text)
        else:
            fen = _fen_of_number(cell)
        if fen is None or fen > most_fen:
            raise CellError("amount")
        return fen

    return parse


_PLAIN_AMOUNTS = re.compile(r"(?:[0-9]{1,8}\.[0-9]{2}\n)*[0-9]{1,8}\.[0-9]{2}")
"""Amounts as feeds write them, one a line, each below every limit."""


def plain_amounts(cells: Sequence[Cell]) -> list[int] | None:
    """Many amounts at once, in fen, when all are written like 1234.56; else None, and each is to be parsed."""
    try:
        text = "\n".join(cells)  # type: ignore[arg-type]  # any other cell than text: not plain
    except TypeError:
        return None
    if _PLAIN_AMOUNTS.fullmatch(text) is None:
        return None
    amounts = list(map(int, text.replace(".", "").split("\n")))
    return amounts if len(amounts) == len(cells) else None


def _fen_of_text(text: str) -> int | None:
    # 1234.56, as nearly every amount of a feed is written, is read without taking it apart any further.
    yuan, _, fen = text.partition(".")
    if (
        len(fen) == 2
        and len(yuan) <= _MOST_YUAN_DIGITS
        and text.isascii()
        and (yuan + fen).isdigit()
        and yuan
    ):
        return int(yuan + fen)
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    whole, decimals, unit = found.groups()
    whole = whole.replace(",", "").lstrip("0")
    decimals = (decimals or "").rstrip("0")
    places = 6 if unit and unit[0] == "万" else 2
    if len(whole) > _MOST_YUAN_DIGITS or len(decimals) > places:
        return None
    return int((whole + decimals.ljust(places, "0")) or "0")


def _fen_of_number(cell: Cell) -> int | None:
    number = _number(cell)
    if number is None or number < 0:
        return None
    # 15 significant digits, `d.dddddddddddddde±xx`: all that a spreadsheet keeps, and no binary fraction is left
    # of 12.34, which a float cannot hold.
    mantissa, _, exponent = f"{number:.14e}".partition("e")
    digits = int(mantissa.replace(".", ""))
    power = int(exponent) - 14 + 2
    fen, rest = divmod(digits * 10 ** max(power, 0), 10 ** max(-power, 0))
    return None if rest else int(fen)


def _number(cell: Cell) -> float | None:
    """A number cell as the float that a spreadsheet holds; None for any other cell and for no finite number."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if isfinite(number) else None


parse_amount = amount_parser()
parse_capital = amount_parser(MOST_CAPITAL_FEN)


# --- date --------------------------------------------------------------------------------------------

_DATE = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日|([0-9]{2})([0-9]{2}))"
)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
_SERIAL_ZERO = date(1899, 12, 30).toordinal()


def parse_date(cell: Cell) -> date | None:
    """A day; refuses with `date`. The time of day of a date cell is dropped."""
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        text = clean(cell)
        if not text:
            return None
        return _day_of_text(text)
    number = _number(cell)
    if number is None or not number.is_integer():
        raise CellError("date")
    if _FIRST_SERIAL <= number <= _LAST_SERIAL:
        return date.fromordinal(_SERIAL_ZERO + int(number))
    if 10_000_000 <= number <= 99_999_999:
        return _day_of_text(str(int(number)))
    raise CellError("date")


def _day_of_text(text: str) -> date:
    found = _DATE.fullmatch(text)
    if found is None:
        raise CellError("date")
    year, _, *parts = found.groups()
    month, day = (int(part) for part in parts if part is not None)
    try:
        return date(int(year), month, day)
    except ValueError:
        raise CellError("date") from None


# --- text, names, words ------------------------------------------------------------------------------

_DIGITS_KEPT = 10**15
_DOTS = str.maketrans(dict.fromkeys("·•‧・．.", "·"))


def parse_text(cell: Cell) -> str | None:
    """Text; a number cell without fraction is read as its digits. Refuses with `digits_lost` or `text`."""
    if cell is None:
        return None
    if isinstance(cell, str):
        text = clean(cell)
        # No sheet and no CSV of a county holds U+0000; a database that takes text refuses it.
        if "\0" in text:
            raise CellError("text")
        return text or None
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise CellError("text")
    # From here on a spreadsheet, which keeps 15 digits, has lost some, whichever the sign.
    if abs(cell) >= _DIGITS_KEPT:
        raise CellError("digits_lost")
    if cell != cell or cell != int(cell):
        raise CellError("text")
    return str(int(cell))


def parse_name(cell: Cell) -> str | None:
    """A name: as text, without any white space, every middle dot written `·`."""
    text = parse_text(cell)
    return text if text is None or text.isalnum() else "".join(text.split()).translate(_DOTS)


def choice_parser(words: Mapping[str, T]) -> Parser[T]:
    """A parser of one of the words listed, giving what the word stands for; refuses with `choice`."""

    def parse(cell: Cell) -> T | None:
        if is_empty(cell):
            return None
        text = clean(cell) if isinstance(cell, str) else None
        if text is None or text not in words:
            raise CellError("choice")
        return words[text]

    return parse


def words_parser(*words: str) -> Parser[str]:
    """A parser of one of the words listed, giving the word; refuses with `choice`."""
    return choice_parser({word: word for word in words})


# --- numbers and numbers that name something ---------------------------------------------------------

_DIGITS = re.compile(r"[0-9]+")
_TWELVE = re.compile(r"[0-9]{12}")
_ACADEMIC_YEAR = re.compile(r"([0-9]{4})[-—–/~至]([0-9]{4})(?:学年)?")
_MOST_WHOLE = 10**18


def parse_id_number(cell: Cell) -> str | None:
    """An ID number 身份证号, `x` written `X`; refuses with `id_number`, a number cell too."""
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise CellError("id_number")
    text = clean(cell)
    if not text:
        return None
    if text[-1] == "x":
        text = text[:-1] + "X"
    if len(text) != 18 or not id_number_valid(text):
        raise CellError("id_number")
    return text


def parse_whole(cell: Cell) -> int | None:
    """A whole number, not negative; refuses with `number`, also 10^18 or more, which nothing counts up to."""
    whole = whole_or_more(cell)
    if whole is not None and whole >= _MOST_WHOLE:
        raise CellError("number")
    return whole


def whole_or_more(cell: Cell) -> int | None:
    """A whole number, not negative; 10^18 stands for that and anything above. Refuses with `number`."""
    if is_empty(cell):
        return None
    if isinstance(cell, str):
        text = clean(cell)
        if _DIGITS.fullmatch(text) is None:
            raise CellError("number")
        digits = text.lstrip("0")
        return _MOST_WHOLE if len(digits) > 18 else int(digits or "0")
    number = _number(cell)
    if number is None or number < 0 or not number.is_integer():
        raise CellError("number")
    return min(int(number), _MOST_WHOLE)


def parse_twelve_digits(cell: Cell) -> str | None:
    """Twelve digits (a village code, a bank code); refuses with `number`."""
    if is_empty(cell):
        return None
    if isinstance(cell, str):
        text = clean(cell)
    else:
        number = _number(cell)
        text = "" if number is None or number < 0 or not number.is_integer() else str(int(number))
    if _TWELVE.fullmatch(text) is None:
        raise CellError("number")
    return text


def parse_academic_year(cell: Cell) -> str | None:
    """An academic year 学年 as `2020-2021`; refuses with `academic_year`."""
    if is_empty(cell):
        return None
    found = _ACADEMIC_YEAR.fullmatch(clean(cell)) if isinstance(cell, str) else None
    if found is None or int(found[1]) + 1 != int(found[2]):
        raise CellError("academic_year")
    return f"{found[1]}-{found[2]}"


def keep(cell: Cell) -> Cell:
    """The raw cell, for a column whose type depends on another cell of its row."""
    return None if is_empty(cell) else cell
