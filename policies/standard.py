"""The county's standards of one year 标准确定科学化: the quantitative line, reverse standards, qualitative reasons.

Pure. A year's line is a share of the rural income per head of the year before (19,128 yuan × 33% = 6,312 yuan for
2020). Standards are stored as canonical JSON; the next year's are made from them with one new figure, `reindexed`.
`policies.agreement` says where a policy differs from them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from foundation.errors import InvalidInput
from foundation.money import MOST_FEN, half_up
from policies.policy import AMOUNT_KEYS, REVERSE_STANDARDS, Rate, ReverseStandard

Pair = tuple[str, str]
ROUNDINGS = ("down", "half_up")
UNITS: Mapping[str, int] = {"yuan": 100, "fen": 1}
"""What the line is rounded to, in fen."""
REASON_GROUPS = ("guarantees", "temporary", "special", "elderly")
"""两不愁三保障, temporary hardship by cause, special hardship, poor elderly: the parts of the survey form."""
FIRST_YEAR, LAST_YEAR = 2000, 2999
_REASON_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_AGES = range(40, 121)


@dataclass(frozen=True, slots=True)
class QuantitativeLine:
    """The quantitative line 定量标准: base × ratio, rounded `down` or `half_up` to a whole yuan or fen."""

    base_name: str
    """What the base is, as published: 2019年农民人均可支配收入."""
    base_year: int
    base_fen: int
    ratio: Rate
    rounding: str
    unit: str
    source: str
    """Where base and ratio are laid down or published."""

    @property
    def product(self) -> tuple[int, int]:
        """Base times ratio before it is rounded: whole number and power of ten to divide by, in fen."""
        return self.base_fen * self.ratio.numerator, self.ratio.denominator

    @property
    def result_fen(self) -> int:
        """The line a head and year, in fen."""
        (value, divisor), unit = self.product, UNITS[self.unit]
        steps = half_up(value, divisor * unit) if self.rounding == "half_up" else value // (divisor * unit)
        return steps * unit


@dataclass(frozen=True, slots=True)
class Reason:
    """One qualitative reason 定性标准: an item of the survey form that holds or does not."""

    key: str
    group: str
    """One of `REASON_GROUPS`."""
    title: Pair
    """As it stands in the form, in Chinese and English."""


@dataclass(frozen=True)
class Standards:
    """The standards of one year. A reverse standard that is not in `reverse` is not looked at in that year."""

    year: int
    line: QuantitativeLine
    reverse: Mapping[str, ReverseStandard]
    reasons: tuple[Reason, ...]
    elderly_from_age: int

    @property
    def line_fen(self) -> int:
        """The quantitative line a head and year, in fen."""
        return self.line.result_fen

    @property
    def canonical(self) -> str:
        """Canonical JSON: keys in order, no spaces, sums in fen, the ratio as text."""
        return json.dumps(_content(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def standards_from_canonical(canonical: str) -> Standards:
    """The standards whose canonical JSON this is."""
    return standards_from_content(json.loads(canonical))


def standards_from_content(content: Mapping[str, Any]) -> Standards:
    """The standards of plain values, as the canonical JSON or `first_standards.toml` holds them."""
    line = content["line"]
    return Standards(
        year=content["year"],
        line=QuantitativeLine(
            base_name=line["base_name"],
            base_year=line["base_year"],
            base_fen=line["base"],
            ratio=Rate.of(line["ratio"]),
            rounding=line["rounding"],
            unit=line["unit"],
            source=line["source"],
        ),
        reverse={
            key: _reverse_standard(key, content["reverse_standards"][key])
            for key in REVERSE_STANDARDS
            if key in content["reverse_standards"]
        },
        reasons=tuple(
            Reason(reason["key"], reason["group"], (reason["zh"], reason["en"]))
            for reason in content["reasons"]
        ),
        elderly_from_age=content["elderly_from_age"],
    )


def _reverse_standard(key: str, table: Mapping[str, Any]) -> ReverseStandard:
    return ReverseStandard(
        key=key,
        clause=table["clause"],
        from_fen=table.get(AMOUNT_KEYS.get(key, ""), 0),
        uses=frozenset(table.get("uses", ())),
        within_years=table.get("within_years"),
        statuses=frozenset(table.get("statuses", ())),
    )


def reverse_values(one: ReverseStandard) -> dict[str, Any]:
    """The values of a reverse standard by their keys in policy.toml: sums in fen, words sorted, None for none."""
    key = one.key
    values: dict[str, Any] = {AMOUNT_KEYS[key]: one.from_fen} if key in AMOUNT_KEYS else {}
    if key == "housing":
        values |= {"uses": sorted(one.uses), "within_years": one.within_years}
    if key == "company":
        values["statuses"] = sorted(one.statuses)
    return values


def _content(standards: Standards) -> dict[str, Any]:
    line = standards.line
    return {
        "year": standards.year,
        "line": {
            "base_name": line.base_name,
            "base_year": line.base_year,
            "base": line.base_fen,
            "ratio": line.ratio.text,
            "rounding": line.rounding,
            "unit": line.unit,
            "source": line.source,
        },
        "reverse_standards": {
            key: {"clause": one.clause}
            | {name: value for name, value in reverse_values(one).items() if value is not None}
            for key, one in standards.reverse.items()
        },
        "reasons": [
            {"key": one.key, "group": one.group, "zh": one.title[0], "en": one.title[1]}
            for one in standards.reasons
        ],
        "elderly_from_age": standards.elderly_from_age,
    }


def reindexed(old: Standards, base_fen: int, source: str | None = None, year: int | None = None) -> Standards:
    """The standards of the next year, or of a later `year`: the base of the year before it, all else carried over.

    The base keeps its name but for the year in it. `source` is where the new base is published; None keeps the old one.
    """
    year = old.year + 1 if year is None else year
    line = replace(
        old.line,
        base_name=old.line.base_name.replace(str(old.line.base_year), str(year - 1)),
        base_year=year - 1,
        base_fen=base_fen,
        source=old.line.source if source is None else source,
    )
    return replace(old, year=year, line=line)


def check_standards(standards: Standards) -> None:
    """Raises InvalidInput that names what cannot be: `year`, `base`, `ratio`, `deposit`, a reason's key …"""
    faults: dict[str, list[Pair]] = {}

    def refuse(name: str, zh: str, en: str) -> None:
        faults.setdefault(name, []).append((zh, en))

    if not FIRST_YEAR <= standards.year <= LAST_YEAR:
        refuse("year", "年度不对", "is not a year")
    _check_line(standards, refuse)
    for key, one in standards.reverse.items():
        if key not in REVERSE_STANDARDS or one.key != key:
            refuse(key, "没有这一项反向标准", "there is no such reverse standard")
            continue
        if not one.clause:
            refuse(key, "须写明依据", "its clause is missing")
        if any(value == [] for value in reverse_values(one).values()):
            refuse(key, "须至少写一种", "name at least one kind")
    if len({reason.key for reason in standards.reasons}) < len(standards.reasons):
        refuse("reasons", "定性情形重复", "a reason stands twice")
    for reason in standards.reasons:
        well = _REASON_KEY.fullmatch(reason.key) and reason.group in REASON_GROUPS and all(reason.title)
        if not well:
            refuse("reasons", "定性情形须有类别和中英文名称", "a reason needs a group and both titles")
    if standards.elderly_from_age not in _AGES:
        refuse("elderly_from_age", "年龄应在 40 至 120 之间", "an age from 40 to 120")
    if faults:
        raise InvalidInput(faults)


def _check_line(standards: Standards, refuse: Any) -> None:
    line = standards.line
    if line.base_year != standards.year - 1:
        refuse(
            "year",
            "基数须为上一年度的农民人均可支配收入",
            "the base is the rural income per head of the year before",
        )
    if not line.base_name:
        refuse("base_name", "不能为空", "must not be empty")
    if set(_YEAR.findall(line.base_name)) - {str(line.base_year)}:
        refuse(
            "base_name",
            f"名称中的年份与上一年度({line.base_year} 年)不符",
            f"the year in the name is not the year before, {line.base_year}",
        )
    if not line.source:
        refuse("source", "不能为空", "must not be empty")
    if not 0 < line.base_fen <= MOST_FEN:
        refuse("base", "金额须大于 0,且不超过上限", "above 0 and not over the maximum")
    if not 0 < line.ratio.numerator <= line.ratio.denominator:
        refuse("ratio", "比例须大于 0,不超过 100%", "above 0 and not over 100%")
    if line.rounding not in ROUNDINGS or line.unit not in UNITS:
        refuse("rounding", "没有这种取整方法", "there is no such rounding")
    elif min(line.base_fen, line.ratio.numerator) > 0 and line.result_fen == 0:
        refuse("base", "按此计算标准为 0", "the line would be 0")


def product_text(line: QuantitativeLine) -> str:
    """Base times ratio in yuan, exactly, grouped by three, at least two decimals: `6,312.24`."""
    value, divisor = line.product
    whole, rest = divmod(value, divisor * 100)
    decimals = str(rest).rjust(len(str(divisor * 100)) - 1, "0")
    kept = decimals[:2] + decimals[2:].rstrip("0")
    return f"{whole:,}.{kept}"


def percent_text(rate: Rate) -> str:
    """A rate in per cent, exactly: `33%`, `33.5%`."""
    whole, rest = divmod(rate.numerator * 100, rate.denominator)
    decimals = str(rest).rjust(len(str(rate.denominator)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"
