"""Reading policy.toml (rules.md §3): strict, every fault named with its place, nothing guessed.

Pure but for opening the file. A file becomes canonical content first (plain values, money in fen, decimals and dates
as text, words cleaned), then a `Policy`; the fingerprint is taken of the canonical content, and a stored one can be
turned into the same policy again.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from foundation.cells import clean
from foundation.errors import Fault, UnusableInput
from foundation.money import MOST_FEN
from policies.canonical import policy_from_canonical
from policies.policy import AMOUNT_KEYS, BENEFIT_KINDS, REVERSE_STANDARDS, Policy

Parser = Callable[[Any, str], Any]
_MOST_DIGITS = 30
"""More digits than this before the point are no amount, rate or multiple of anything,"""
_MOST_DECIMALS = 1000
"""and behind it more than this are no number that anybody wrote: `1e-999999999` would fill the memory."""
_MOST_WHOLE = 10**9
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Refused(Exception):
    """A value that is not what it must be: where, and why in both languages."""

    def __init__(self, place: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.fault = Fault(place, zh, en)


def load_policy(path: Path) -> Policy:
    """The policy of a file. Raises UnusableInput that names every fault with its place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableInput(
            [Fault(path.name, f"无法打开({error.strerror})", f"cannot be opened ({error.strerror})")]
        ) from error
    return parse_policy(data, path.name)


def parse_policy(data: bytes, file: str = "policy.toml") -> Policy:
    """The policy of a file's bytes (UTF-8). Raises UnusableInput that names every fault with its place."""
    try:
        raw = tomllib.loads(data.decode("utf-8").removeprefix("\ufeff"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise UnusableInput(
            [
                Fault(
                    file,
                    f"第 {error.start} 字节不是 UTF-8,请另存为 UTF-8",
                    f"byte {error.start} is not UTF-8; save as UTF-8",
                )
            ]
        ) from error
    except (tomllib.TOMLDecodeError, ArithmeticError, ValueError, RecursionError) as error:
        raise UnusableInput([_not_toml(file, data, error)]) from error
    reader = _Reader()
    content = _read_file(reader, raw)
    if reader.faults:
        raise UnusableInput(
            Fault(f"{file} {fault.place}".rstrip(), fault.zh, fault.en) for fault in reader.faults
        )
    return policy_from_canonical(
        json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    )


def _not_toml(file: str, data: bytes, error: Exception) -> Fault:
    """What is wrong with a file that is no TOML: the line, as it stands there, and the reader's own word for it."""
    found = re.search(r"at line ([0-9]+)", str(error))
    if found is None:
        return Fault(
            file, "不是有效的 TOML(嵌套过深、数值过大或不完整)", f"not valid TOML: {type(error).__name__}"
        )
    number = int(found[1])
    line = data.decode("utf-8").splitlines()[number - 1].strip()[:60]
    word = "键重复" if "overwrite" in str(error).lower() or "twice" in str(error) else "格式有误"
    return Fault(f"{file} line {number}", f"第 {number} 行{word}:{line}", f"{error}: {line}")


# --- from TOML to canonical content ----------------------------------------------------------------------------------


class _Reader:
    """Walks the raw tables, collects the faults, and notices unknown and missing keys."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def refuse(self, place: str, zh: str, en: str) -> None:
        self.faults.append(Fault(place, zh, en))

    def table(
        self, raw: Any, place: str, required: dict[str, Parser], optional: dict[str, Parser]
    ) -> dict[str, Any]:
        """Reads one table: the keys of `required` must be there, those of `optional` may, no other one."""
        if not isinstance(raw, dict):
            self.refuse(place, "应为表", "must be a table")
            return {}
        for key in raw:
            if key not in required and key not in optional:
                self.refuse(_join(place, key), "未知的键", "unknown key")
        found: dict[str, Any] = {}
        for key, parser in (required | optional).items():
            if key not in raw:
                if key in required:
                    self.refuse(_join(place, key), "缺少此键", "missing key")
                continue
            try:
                found[key] = parser(raw[key], _join(place, key))
            except _Refused as refused:
                self.faults.append(refused.fault)
        return found


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _number(value: Any, place: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Refused(place, "应为数字", "must be a number")
    number = Decimal(value) if isinstance(value, Decimal) or abs(value) < 10**30 else Decimal("Infinity")
    if not number.is_finite() or number.adjusted() > _MOST_DIGITS:
        raise _Refused(place, "数值过大或不是数", "number too large, or not a number")
    if number.is_signed() and number != 0:
        raise _Refused(place, "不得为负", "must not be negative")
    return number


def _scaled(number: Decimal, shift: int) -> tuple[int, int]:
    """number × 10^shift exactly, as (whole number, power of ten to divide by): contexts would round long numbers."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("not finite")
    value = int("".join(map(str, digits)))
    power = exponent + shift
    return (value * 10**power, 1) if power >= 0 else (value, 10**-power)


def _amount(value: Any, place: str) -> int:
    number = _number(value, place)
    if number.as_tuple().exponent < -_MOST_DECIMALS:  # type: ignore[operator]  # finite: _number saw to it
        raise _Refused(place, "小数位过多", "too many decimals")
    whole, divisor = _scaled(number, 2)
    fen, rest = divmod(whole, divisor)
    if rest:
        raise _Refused(place, "金额须为整分", "an amount must be whole fen")
    if fen > MOST_FEN:
        raise _Refused(place, "金额过大", "amount too large")
    return fen


def _multiple(value: Any, place: str) -> str:
    number = _number(value, place)
    if number.as_tuple().exponent < -_MOST_DECIMALS:  # type: ignore[operator]  # finite: _number saw to it
        raise _Refused(place, "小数位过多", "too many decimals")
    text = format(number.copy_abs(), "f")  # of -0.0 the sign is dropped
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _rate(value: Any, place: str) -> str:
    if _number(value, place) > 1:
        raise _Refused(place, "比例须在 0 至 1 之间", "a rate must lie between 0 and 1")
    return _multiple(value, place)


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Refused(place, "应为不带小数点的整数", "must be a whole number without a point")
    if value < 0:
        raise _Refused(place, "不得为负", "must not be negative")
    if value > _MOST_WHOLE:
        raise _Refused(place, "数值过大", "number too large")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _Refused(place, "应为文字", "must be text")
    cleaned = clean(value)
    if not cleaned:
        raise _Refused(place, "不得为空", "must not be empty")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned):
        raise _Refused(place, "含有控制字符", "holds a control character")
    return cleaned


def _day(value: Any, place: str) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _Refused(place, "应为日期", "must be a date")
    return value.isoformat()


def _word(*words: str) -> Parser:
    def parse(value: Any, place: str) -> str:
        text = _text(value, place)
        if text not in words:
            listed = "、".join(words)
            raise _Refused(place, f"应为其中之一:{listed}", f"must be one of: {', '.join(words)}")
        return text

    return parse


def _items(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Refused(place, "应为列表", "must be a list")
    return value


def _words(value: Any, place: str) -> list[str]:
    return [_text(item, f"{place}[{index}]") for index, item in enumerate(_items(value, place))]


def _tiers(value: Any, place: str) -> list[list[Any]]:
    tiers: list[list[Any]] = []
    for index, item in enumerate(_items(value, place)):
        here = f"{place}[{index}]"
        if not isinstance(item, list) or len(item) != 2:
            raise _Refused(here, "应为 [起点, 比例]", "must be [from, rate]")
        start, rate = _amount(item[0], here), _rate(item[1], here)
        if not tiers and start != 0:
            raise _Refused(here, "首档须从 0 起", "the first tier must start from 0")
        if tiers and start <= tiers[-1][0]:
            raise _Refused(here, "各档起点须递增", "tiers must be strictly ascending")
        tiers.append([start, rate])
    if not tiers:
        raise _Refused(place, "至少一档", "needs at least one tier")
    return tiers


def _grades(value: Any, place: str) -> list[str]:
    grades = [_rate(item, f"{place}[{index}]") for index, item in enumerate(_items(value, place))]
    if len(grades) != 10:
        raise _Refused(place, f"应为十级,现为 {len(grades)} 级", f"must have ten grades, has {len(grades)}")
    return grades


def _franchise(value: Any, place: str) -> dict[str, int]:
    if not isinstance(value, dict):
        return {"default": _amount(value, place)}
    table: dict[str, int] = {}
    for key, amount in value.items():
        category = clean(key)
        if category in table:
            raise _Refused(_join(place, key), "类别重复", "category stands twice")
        table[category] = _amount(amount, _join(place, key))
    if "default" not in table:
        raise _Refused(_join(place, "default"), "缺少此键", "missing key")
    return table


def _dated(parser: Parser) -> Parser:
    """A value that may be dated as a whole: canonical form `[[first day or "", value], …]`, ascending."""

    def parse(value: Any, place: str) -> list[list[Any]]:
        if not isinstance(value, dict) or "since" not in value:
            return [["", parser(value, place)]]
        for key in value:
            if key != "since":
                raise _Refused(_join(place, key), "未知的键", "unknown key")
        steps = value["since"]
        here = _join(place, "since")
        if not isinstance(steps, dict) or not steps:
            raise _Refused(here, "应为 日期 = 值 的表,且不为空", "must be a table of date = value, not empty")
        found: list[list[Any]] = []
        for key, item in steps.items():
            there = _join(here, key)
            try:
                day = date.fromisoformat(key) if _DAY.fullmatch(key) else None
            except ValueError:
                day = None
            if day is None:
                raise _Refused(there, "应为日期,如 2020-07-01", "must be a date such as 2020-07-01")
            found.append([day.isoformat(), parser(item, there)])
        return sorted(found, key=lambda step: str(step[0]))

    return parse


def _read_file(reader: _Reader, raw: Any) -> dict[str, Any]:
    def policy(value: Any, place: str) -> Any:
        required = dict.fromkeys(("number", "title", "purchaser", "insurer", "jurisdiction"), _text)
        return reader.table(value, place, {**required, "period": period, "premium_per_head": _amount}, {})

    def period(value: Any, place: str) -> Any:
        found = reader.table(value, place, {"from": _day, "to": _day}, {})
        if len(found) == 2 and found["to"] < found["from"]:
            raise _Refused(place, "终止日早于起始日", "ends before it begins")
        return found

    def poverty_line(value: Any, place: str) -> Any:
        return reader.table(value, place, {"basis": _amount, "ratio": _rate, "clause": _text}, {})

    def reverse(value: Any, place: str) -> Any:
        def standard(key: str) -> Parser:
            required: dict[str, Parser] = {"clause": _text}
            optional: dict[str, Parser] = {}
            if key in AMOUNT_KEYS:
                required[AMOUNT_KEYS[key]] = _dated(_amount)
            if key == "company":
                required["statuses"] = _dated(_words)
            if key == "housing":
                required["uses"] = _dated(_words)
                optional["within_years"] = _dated(_whole)
            return lambda value, place: reader.table(value, place, required, optional)

        return reader.table(value, place, {}, {key: standard(key) for key in REVERSE_STANDARDS})

    def lines(value: Any, place: str) -> Any:
        return reader.table(value, place, {}, {key: _line_reader(reader, key) for key in BENEFIT_KINDS})

    return reader.table(
        raw,
        "",
        {
            "notice_days": _dated(_whole),
            "time_bar_years": _dated(_whole),
            "policy": policy,
            "poverty_line": poverty_line,
            "lines": lines,
        },
        {"household_cap": _dated(_amount), "reverse_standards": reverse},
    )


def _line_reader(reader: _Reader, line: str) -> Parser:
    optional: dict[str, Parser] = {
        "income_ceiling": _dated(_multiple),
        "waiting_days": _dated(_whole),
        "evidence": _dated(_words),
        "excluded_causes": _dated(_words),
        "covered_causes": _dated(_words),
    }

    def benefits(value: Any, place: str) -> Any:
        parsers = {key: _benefit_reader(reader, line, kind) for key, kind in BENEFIT_KINDS[line].items()}
        return reader.table(value, place, {}, parsers)

    required: dict[str, Parser] = {"title": _text, "clause": _text, "benefits": benefits}
    if line == "education":
        required["levels"] = _dated(_words)
    return lambda value, place: reader.table(value, place, required, optional)


def _benefit_reader(reader: _Reader, line: str, kind: str) -> Parser:
    required: dict[str, Parser] = {"kind": _word(kind), "clause": _text}
    optional: dict[str, Parser] = {"evidence": _dated(_words)}
    if kind == "expense":
        over = ("policy_year", "academic_year") if line == "education" else ("policy_year",)
        required |= {"per": _word("person", "household"), "over": _word(*over), "tiers": _dated(_tiers)}
        optional |= {"franchise": _dated(_franchise), "cap": _dated(_amount)}
    elif kind == "shortfall":
        required |= {"rate": _dated(_rate), "cap_per_head": _dated(_amount)}
        optional["cap"] = _dated(_amount)
    else:
        required["sum"] = _dated(_amount)
        if kind == "graded":
            required["grades"] = _dated(_grades)
    return lambda value, place: reader.table(value, place, required, optional)
