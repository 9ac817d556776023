"""The model's ground: dated values, rounding, and who and what a claim is about (rules.md §1 to §3)."""

from __future__ import annotations

import unicodedata
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

Row = dict[str, Any]
Feeds = dict[str, list[Row] | None]

LISTING = {
    ("illness", "medical"): "expense",
    ("education", "tuition"): "expense",
    ("accident", "death"): "fixed",
    ("accident", "disability"): "graded",
    ("accident", "medical"): "expense",
    ("accident", "property"): "expense",
    ("income", "shortfall"): "shortfall",
}


def cleaned(thing: Any) -> Any:
    """Text as §1 reads it, all through a policy: NFKC, no zero-width characters, trimmed."""
    if isinstance(thing, dict):
        return {cleaned(key): cleaned(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [cleaned(each) for each in thing]
    if isinstance(thing, str):
        zero_width = [*map(chr, range(0x200B, 0x2010)), "\u2060", "\ufeff"]
        return "".join(
            sign for sign in unicodedata.normalize("NFKC", thing) if sign not in zero_width
        ).strip()
    return thing


def in_force(value: Any, day: date) -> Any:
    """A value that may be dated: the latest not after the day, before the first date the first."""
    if not (isinstance(value, dict) and "since" in value):
        return value
    dated = {date.fromisoformat(text): what for text, what in value["since"].items()}
    past = [since for since in dated if since <= day]
    return dated[max(past) if past else min(dated)]


def poverty_line(policy: Row) -> Fraction:
    """Basis × ratio, rounded down to the whole yuan."""
    line = policy["poverty_line"]
    return Fraction(floor(Fraction(line["basis"]) * Fraction(line["ratio"])))


def half_up(yuan: Fraction) -> Fraction:
    """Half up to the fen."""
    return Fraction(floor(yuan * 100 + Fraction(1, 2)), 100)


def two_decimals(yuan: Fraction) -> str:
    """Yuan with two decimals."""
    fen = yuan * 100
    assert fen.denominator == 1
    return f"{fen.numerator // 100}.{fen.numerator % 100:02d}"


def years_from(day: date, years: int) -> date:
    """The same day some years on or back; 29 February is 28 February where the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 2, 28)


def benefit_of(claim: Row) -> str:
    """The name that the listing has for what is claimed."""
    names = {"illness": "medical", "education": "tuition", "income": "shortfall"}
    return str(names.get(claim["line"]) or claim["benefit"])


def measure(claim: Row) -> Fraction:
    """What is claimed under a benefit of kind expense (§2), else 0."""
    kind = LISTING[claim["line"], benefit_of(claim)]
    if kind != "expense":
        return Fraction(0)
    plus = {"illness": ["total"], "education": ["tuition", "lodging", "books"], "accident": ["expense"]}
    less = {
        "illness": ["basic", "major", "aid", "other"],
        "education": ["grants"],
        "accident": ["third_party"],
    }
    total = sum((Fraction(claim[name]) for name in plus[claim["line"]]), Fraction(0))
    return total - sum((Fraction(claim[name]) for name in less[claim["line"]]), Fraction(0))


def head_of(rows: list[Row]) -> Row | None:
    """The household's head: of two, the first."""
    return next((row for row in rows if row["relation"] == "户主"), None)


def covered(policy: Row, row: Row, day: date) -> bool:
    """Whether a roster row's cover has that day in it, both ends included."""
    last: date = row["cover_to"] or policy["policy"]["period"]["to"]
    first: date = row["cover_from"]
    return first <= day <= last


def deaths_of(feeds: Feeds, id_number: str) -> list[date]:
    """Every day that deaths.csv has for a person; without deaths nobody counts as dead."""
    return [row["died_on"] for row in feeds["deaths"] or [] if row["id_number"] == id_number]
