"""A policy from its canonical content: plain values as `policies.policy_file` writes and the database stores them.

Pure. A dated value is `[[first day or "", value], …]`, ascending; for every day on which something changes the policy
has its own `Terms`, so that nothing can be read as of another day than the event date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from policies.policy import (
    AMOUNT_KEYS,
    BENEFIT_KINDS,
    REVERSE_STANDARDS,
    Benefit,
    Line,
    Policy,
    Rate,
    ReverseStandard,
    Terms,
    Tier,
)

_NO_DAY = date.min


def policy_from_canonical(canonical: str) -> Policy:
    """The policy whose canonical content this is (as stored beside its fingerprint)."""
    content = json.loads(canonical)
    head, period, line = content["policy"], content["policy"]["period"], content["poverty_line"]
    ratio = Rate.of(line["ratio"])
    starts = sorted({date.fromisoformat(day) for day in _days_in(content) if day} | {_NO_DAY})
    return Policy(
        number=head["number"],
        title=head["title"],
        purchaser=head["purchaser"],
        insurer=head["insurer"],
        jurisdiction=head["jurisdiction"],
        period_from=date.fromisoformat(period["from"]),
        period_to=date.fromisoformat(period["to"]),
        premium_per_head_fen=head["premium_per_head"],
        # Rounded down to the whole yuan (rules.md §1).
        poverty_line_fen=line["basis"] * ratio.numerator // (ratio.denominator * 100) * 100,
        poverty_line_basis_fen=line["basis"],
        poverty_line_ratio=ratio,
        poverty_line_clause=line["clause"],
        starts=tuple(starts),
        versions=tuple(_terms(content, day) for day in starts),
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
        canonical=canonical,
    )


def _days_in(content: Any) -> Iterable[str]:
    """First days of every dated value; a dated value is the only list of lists that begin with a date or ""."""
    if isinstance(content, dict):
        for value in content.values():
            yield from _days_in(value)
    elif isinstance(content, list):
        for item in content:
            if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
                yield item[0]


def _terms(content: dict[str, Any], day: date) -> Terms:
    def value(table: dict[str, Any], key: str, absent: Any = None) -> Any:
        steps = table.get(key)
        if steps is None:
            return absent
        current = steps[0][1]
        for first, item in steps:
            if first and date.fromisoformat(first) <= day:
                current = item
        return current

    def reverse(key: str, table: dict[str, Any]) -> ReverseStandard:
        return ReverseStandard(
            key=key,
            clause=table["clause"],
            from_fen=value(table, AMOUNT_KEYS.get(key, ""), 0),
            uses=frozenset(value(table, "uses", ())),
            within_years=value(table, "within_years"),
            statuses=frozenset(value(table, "statuses", ())),
        )

    def benefit(line: str, key: str, table: dict[str, Any], papers: list[str]) -> Benefit:
        rate = value(table, "rate")
        return Benefit(
            line=line,
            key=key,
            kind=table["kind"],
            clause=table["clause"],
            evidence=tuple(dict.fromkeys([*papers, *value(table, "evidence", [])])),
            per_household=table.get("per") == "household",
            over_academic_year=table.get("over") == "academic_year",
            franchise_fen=value(table, "franchise"),
            tiers=tuple(Tier(start, Rate.of(text)) for start, text in value(table, "tiers", [])),
            cap_fen=value(table, "cap"),
            sum_fen=value(table, "sum", 0),
            grades=tuple(Rate.of(text) for text in value(table, "grades", [])),
            rate=None if rate is None else Rate.of(rate),
            cap_per_head_fen=value(table, "cap_per_head", 0),
        )

    def line(key: str, table: dict[str, Any]) -> Line:
        ceiling, covered, levels = (
            value(table, "income_ceiling"),
            value(table, "covered_causes"),
            value(table, "levels"),
        )
        papers = value(table, "evidence", [])
        return Line(
            key=key,
            title=table["title"],
            clause=table["clause"],
            income_ceiling=None if ceiling is None else Fraction(ceiling),
            income_ceiling_text=ceiling,
            waiting_days=value(table, "waiting_days", 0),
            excluded_causes=frozenset(value(table, "excluded_causes", [])),
            covered_causes=None if covered is None else frozenset(covered),
            levels=None if levels is None else frozenset(levels),
            benefits={name: benefit(key, name, item, papers) for name, item in table["benefits"].items()},
        )

    standards = content.get("reverse_standards", {})
    return Terms(
        notice_days=value(content, "notice_days"),
        time_bar_years=value(content, "time_bar_years"),
        household_cap_fen=value(content, "household_cap"),
        lines={key: line(key, content["lines"][key]) for key in BENEFIT_KINDS if key in content["lines"]},
        reverse={key: reverse(key, standards[key]) for key in REVERSE_STANDARDS if key in standards},
    )
