"""Strict fields for everything that comes in from outside: JSON bodies, forms and query strings.

A value is taken in one way of writing only; nothing is guessed, rounded or cut. Messages are pairs (Chinese, English)
that say what to write, and never hold the value. `schema.from_text` tells a field that it reads text (a form, a query
string) and not JSON: a whole number is then digits, and a flag is a ticked box.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields

from foundation import money
from foundation.identifiers import id_number_valid

T = TypeVar("T")
Pair = tuple[str, str]
"""A sentence in Chinese and in English."""

REQUIRED: Pair = ("必填", "required")
NOT_EMPTY: Pair = ("不能为空", "must not be empty")
UNKNOWN: Pair = ("没有这一项", "there is no such field")
NOT_AN_OBJECT: Pair = ("应为一个对象", "must be an object")
NOT_TEXT: Pair = ("应为文字", "must be text")
NOT_VALID: Pair = ("填写有误", "is not valid")

_ASCII_SPACE = " \t\r\n"


class StrictSchema(Schema):
    """Base of every schema for input: what it does not list is refused, and the whole must be an object."""

    from_text = False
    """Whether the values are text of a form or a query string. `foundation.web.requests` sets it."""

    error_messages: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # one tuple a sentence, not a str
        "unknown": UNKNOWN,
        "type": NOT_AN_OBJECT,
    }

    class Meta:
        unknown = RAISE


class TextSchema(StrictSchema):
    """A schema of a form or a query string."""

    from_text = True


def sentences(error: ValidationError) -> dict[str, list[Pair]]:
    """What marshmallow found, flat: `lines.0.amount` → sentences; `""` is the whole."""
    found: dict[str, list[Pair]] = {}
    _gather({error.field_name: error.messages}, "", found)
    return found


def _gather(messages: Any, path: str, found: dict[str, list[Pair]]) -> None:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = "" if name == "_schema" else str(name)
            _gather(inner, ".".join(part for part in (path, step) if part), found)
    elif isinstance(messages, list):
        for inner in messages:
            _gather(inner, path, found)
    else:
        found.setdefault(path, []).append(messages if isinstance(messages, tuple) else NOT_VALID)


def refused(zh: str, en: str) -> ValidationError:
    """The error of one field."""
    return ValidationError([(zh, en)])


_MESSAGES: dict[str, Any] = {
    "required": [REQUIRED],
    "null": [NOT_EMPTY],
    "validator_failed": [NOT_VALID],
    "invalid": [("应为一个列表", "must be a list")],
}


class Strict(fields.Field[T]):
    """Base of our fields: messages in pairs, and what stands about the type in the OpenAPI."""

    default_error_messages = _MESSAGES
    documented: ClassVar[dict[str, Any]] = {}

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(metadata={**self.documented, **(metadata or {})}, **options)

    @property
    def from_text(self) -> bool:
        """Whether this reads a form or a query string."""
        return bool(getattr(self.root, "from_text", False))


def _text(value: Any) -> str:
    """Text without ASCII white space around it. Raises ValidationError for anything but text."""
    if not isinstance(value, str):
        raise refused(*NOT_TEXT)
    return value.strip(_ASCII_SPACE)


class Money(Strict[money.Money]):
    """An amount in yuan, as text: `1234.5`. Not a JSON number, no sign, no grouping, at most 999,999,999.99."""

    PATTERN = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$"
    documented: ClassVar[dict[str, Any]] = {"type": "string", "format": "decimal", "pattern": PATTERN}
    _FORM = re.compile(PATTERN[1:-1], re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> money.Money:  # noqa: ARG002
        if not isinstance(value, str):
            raise refused('金额应为文字,如 "1234.50"', 'an amount is text, like "1234.50"')
        text = value.strip(_ASCII_SPACE)
        if any(char.isnumeric() and not char.isascii() for char in text[:40]):
            raise refused("金额请用半角数字", "write the amount in half-width digits")
        if self._FORM.fullmatch(text) is None:
            raise refused(
                "应为金额:元,最多两位小数,不超过 999999999.99",
                "must be an amount in yuan with at most two decimals, up to 999999999.99",
            )
        return money.Money.from_yuan(text)

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else money.yuan_text(value)


_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2028\u2029\u2800\u3164\uffa0\ufffd")
"""Characters that show nothing, or stand for broken text, though their category is not of control or format."""
_HAN_PLANES = range(0x20000, 0x3FFFE)
"""Rare characters of names that are newer than this Python's tables are let through here."""


def _forbidden(char: str) -> bool:
    if char in _INVISIBLE or "\ufe00" <= char <= "\ufe0f" or "\U000e0000" <= char <= "\U000e0fff":
        return True
    if "\u180b" <= char <= "\u180f":
        return True
    category = unicodedata.category(char)
    if category == "Cn":
        return ord(char) not in _HAN_PLANES or ord(char) & 0xFFFE == 0xFFFE
    return category in {"Cc", "Cf", "Cs", "Co"}


class CleanText(Strict[str]):
    """Text of 1 to `max` characters, in NFC, trimmed, every kind of space written as one of ASCII.

    Refused are characters that cannot be seen or that mislead: control, zero-width, direction, variation, lone
    surrogates, private use. `lines` lets line breaks through, as `\\n`.
    """

    documented: ClassVar[dict[str, Any]] = {"type": "string"}

    def __init__(self, *, max: int = 200, lines: bool = False, **options: Any) -> None:  # noqa: A002
        metadata = {"minLength": 1, "maxLength": max, **(options.pop("metadata", None) or {})}
        super().__init__(metadata=metadata, **options)
        self.most, self.lines = max, lines

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise refused(*NOT_TEXT)
        # Looked at before it is normalised, which takes long on very long text.
        if len(value) > 4 * self.most + 100:
            raise self._too_long()
        text = value.replace("\r\n", "\n") if self.lines else value
        text = unicodedata.normalize("NFC", text.strip())
        if any(_forbidden(char) for char in text if not (self.lines and char == "\n")):
            raise refused(
                "含有看不见的字符、控制字符或无法识别的字符,请删去后重新输入",
                "holds a character that cannot be seen or read; remove it and type it again",
            )
        text = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
        if not text:
            raise refused(*NOT_EMPTY)
        if len(text) > self.most:
            raise self._too_long()
        return text

    def _too_long(self) -> ValidationError:
        return refused(f"最多 {self.most} 个字", f"at most {self.most} characters")


class Secret(Strict[str]):
    """A password as it was typed, neither trimmed nor normalised; 1 to `max` characters."""

    documented: ClassVar[dict[str, Any]] = {"type": "string", "format": "password"}

    def __init__(self, *, max: int = 256, **options: Any) -> None:  # noqa: A002
        super().__init__(load_only=True, **options)
        self.most = max

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise refused(*NOT_TEXT)
        if not value:
            raise refused(*NOT_EMPTY)
        if len(value) > self.most:
            raise refused(f"最多 {self.most} 个字", f"at most {self.most} characters")
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
            raise refused("含有控制字符", "holds a control character")
        return value


class _Shaped(Strict[str]):
    """Text of one shape, ASCII only."""

    SHAPE: ClassVar[re.Pattern[str]]
    HINT: ClassVar[Pair]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        text = _text(value)
        if self.SHAPE.fullmatch(text) is None:
            raise refused(*self.HINT)
        return text


class IdNumber(Strict[str]):
    """An ID number 身份证号 with a right check character; a last `x` becomes `X`."""

    documented: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]{17}[0-9Xx]$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        text = _text(value)
        if text.endswith("x"):
            text = f"{text[:-1]}X"
        if len(text) != 18 or not id_number_valid(text):
            raise refused(
                "应为 18 位身份证号(半角,无空格),请核对是否有误",
                "must be an ID number of 18 half-width characters without spaces; look for a slip",
            )
        return text


class RowId(_Shaped):
    """The public id of a row: random letters and digits."""

    documented: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"}
    SHAPE = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
    HINT = ("编号的格式不对", "is not an id")


class PlaceCode(_Shaped):
    """An area code: 6 digits for the county, 9 for a town, 12 for a village."""

    documented: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": "^([0-9]{6}|[0-9]{9}|[0-9]{12})$",
    }
    SHAPE = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}", re.ASCII)
    HINT = ("应为 6、9 或 12 位数字的区划代码", "must be an area code of 6, 9 or 12 digits")


class Digits(Strict[str]):
    """Exactly `length` digits, such as the code of a second factor."""

    def __init__(self, length: int, **options: Any) -> None:
        pattern = f"[0-9]{{{length}}}"
        super().__init__(metadata={"type": "string", "pattern": f"^{pattern}$"}, **options)
        self.length, self.shape = length, re.compile(pattern, re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        text = _text(value)
        if self.shape.fullmatch(text) is None:
            raise refused(f"应为 {self.length} 位半角数字", f"must be {self.length} half-width digits")
        return text


class IsoDate(Strict[date]):
    """A day as `YYYY-MM-DD`, from 1900 to 2100, that exists."""

    documented: ClassVar[dict[str, Any]] = {"type": "string", "format": "date"}
    _FORM = re.compile(r"(19[0-9]{2}|20[0-9]{2}|2100)-([0-9]{2})-([0-9]{2})", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> date:  # noqa: ARG002
        found = self._FORM.fullmatch(_text(value))
        try:
            if found is not None:
                return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass  # no such day: said below
        raise refused(
            "应为日期 年年年年-月月-日日,如 2024-02-09", "must be a day as YYYY-MM-DD, like 2024-02-09"
        )

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else value.isoformat()


class Flag(Strict[bool]):
    """Yes or no: in JSON `true` or `false` only; in a form a ticked box sends `1`, an empty one nothing."""

    documented: ClassVar[dict[str, Any]] = {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:  # noqa: ARG002
        if self.from_text:
            if value == "1":
                return True
            raise refused("应为 1 或不填", "must be 1 or left out")
        if not isinstance(value, bool):
            raise refused("应为 true 或 false", "must be true or false")
        return value


class Whole(Strict[int]):
    """A whole number from `min` to `max`: in JSON an integer, in text ASCII digits without a sign."""

    documented: ClassVar[dict[str, Any]] = {"type": "integer"}

    def __init__(self, min: int = 0, max: int = 10**9, **options: Any) -> None:  # noqa: A002
        metadata = {"minimum": min, "maximum": max, **(options.pop("metadata", None) or {})}
        super().__init__(metadata=metadata, **options)
        self.least, self.most = min, max

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:  # noqa: ARG002
        number = self._number(value)
        if number is None or not self.least <= number <= self.most:
            raise refused(
                f"应为 {self.least} 到 {self.most} 的整数(半角)",
                f"must be a whole number from {self.least} to {self.most}",
            )
        return number

    def _number(self, value: Any) -> int | None:
        if self.from_text:
            return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None


class Choice(Strict[str]):
    """One of some words, exactly as written. Words of a StrEnum come out as its members."""

    documented: ClassVar[dict[str, Any]] = {"type": "string"}

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        self.words = {str(word): word for word in words}
        metadata = {"enum": list(self.words), **(options.pop("metadata", None) or {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str) or value not in self.words:
            listed = "、".join(self.words), ", ".join(self.words)
            raise refused(f"只能是:{listed[0]}", f"must be one of: {listed[1]}")
        return self.words[value]


class Several(fields.List[T]):
    """A list of at most `max` values of one field; in a form or a query string the name is repeated."""

    default_error_messages = _MESSAGES

    def __init__(self, inner: fields.Field[T], *, max: int = 100, **options: Any) -> None:  # noqa: A002
        super().__init__(inner, metadata={"maxItems": max}, **options)
        self.most = max

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[T | None]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self.most:
            raise refused(f"最多 {self.most} 项", f"at most {self.most} entries")
        return super()._deserialize(value, attr, data, **options)
