"""JSON as RFC 8259 and I-JSON have it, and nothing looser: no NaN, no key twice, no lone surrogate, no deep nesting."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from flask import request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import UnsupportedMediaType

from foundation.errors import BadRequest

MOST_LEVELS = 20
"""Objects and lists in one another; none of ours goes deeper than a handful."""

# A string, taken whole even where its end is missing, so that the scan never goes back; or a bracket.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class BadJson(ValueError):
    """The text is not JSON as we take it. The message says what is wrong and holds nothing of the text."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises BadJson, and nothing else, for any other text."""
    try:
        text = text.decode() if isinstance(text, bytes) else text
        text.encode()
        _refuse_depth(text)
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, strict=True
        )
        if _SURROGATE_ESCAPE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise BadJson("文字编码有误,应为 UTF-8", "the text is not valid UTF-8") from None
    except BadJson:
        raise
    except (ValueError, RecursionError):
        raise BadJson("不是有效的 JSON", "this is not valid JSON") from None
    return value


def _refuse_depth(text: str) -> None:
    level = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        mark = found[0]
        if mark in "[{":
            level += 1
            if level > MOST_LEVELS:
                raise BadJson(
                    f"JSON 嵌套超过 {MOST_LEVELS} 层", f"JSON nested deeper than {MOST_LEVELS} levels"
                )
        elif mark in "]}":
            level -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("JSON 中有重复的键", "a key stands twice in a JSON object")
    return found


def _constant(_name: str) -> Any:
    raise BadJson("JSON 中不能有 NaN 或 Infinity", "NaN and Infinity are not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise BadJson("JSON 中的数太大", "a number in the JSON is too large")
    return number


class StrictJson(DefaultJSONProvider):
    """The application's JSON: strict when it reads, plain UTF-8 in the order given when it writes."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return parse(s)

    def dumps(self, obj: Any, **options: Any) -> str:
        return super().dumps(obj, **{"allow_nan": False, "separators": (",", ":"), **options})


def read_body() -> Any:
    """The JSON body of this request. Raises UnsupportedMediaType for another type, BadRequest for bad JSON."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset != "utf-8":
        raise UnsupportedMediaType
    try:
        return parse(request.get_data(cache=True))
    except BadJson as error:
        raise BadRequest(error.zh, error.en) from None
