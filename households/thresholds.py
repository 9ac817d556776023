"""When a department's rows become a warning, as data: `thresholds.toml` beside this file, each entry with its source.

Pure but for reading that file. Sums in fen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from foundation.money import Money
from households.terms import Pair

MARKS = ("law", "unverified", "illustrative")
EVENTS = ("policy_year", "school_year", "accident", "disability", "death", "month", "housing")
"""What makes two reports one event: a person's policy year or school year, accident, certificate or death; a
household's month; a household's house."""
OF_A_HOUSEHOLD = frozenset({"month", "housing"})
"""Events that are a household's and no single member's."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One rule of early warning.

    `plus` and `less` are the fields of a row that add up to what the family bears; empty where its rows have no such
    sum. `compare` is a field that is compared instead. `thing` is the field that names what a row is about.
    """

    key: str
    name: Pair
    feed: str
    line: str
    event: str
    thing: str | None
    where: Mapping[str, frozenset[str]]
    listed: bool
    refer: bool
    plus: tuple[str, ...]
    less: tuple[str, ...]
    compare: str | None
    at_least_fen: int | None
    at_least_registered_fen: int | None
    more_than_fen: int | None
    mark: str
    source: Pair

    def reached(self, total_fen: int, *, registered: bool) -> bool:
        """Whether a sum is one to warn of; `registered`: the person is of a category that is registered as poor."""
        if self.more_than_fen is not None:
            return total_fen > self.more_than_fen
        least = self.at_least_fen
        if registered and self.at_least_registered_fen is not None:
            least = self.at_least_registered_fen
        return least is None or total_fen >= least


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All rules by feed, the categories that count as registered, and how many days apart one accident may be told."""

    by_feed: Mapping[str, tuple[Threshold, ...]]
    registered: frozenset[str]
    accident_days_apart: int

    @property
    def by_key(self) -> dict[str, Threshold]:
        """Every rule by its key."""
        return {rule.key: rule for rules in self.by_feed.values() for rule in rules}


@cache
def thresholds() -> Thresholds:
    """The rules that are in force."""
    return thresholds_from(tomllib.loads(files("households").joinpath("thresholds.toml").read_text("utf-8")))


def thresholds_from(data: Mapping[str, Any]) -> Thresholds:
    """Rules from their file. Raises KeyError, TypeError or ValueError for one that is not as the others."""
    rules = [_threshold(entry) for entry in data["threshold"]]
    by_feed: dict[str, tuple[Threshold, ...]] = {}
    for rule in rules:
        by_feed[rule.feed] = (*by_feed.get(rule.feed, ()), rule)
    return Thresholds(by_feed, frozenset(data["registered"]), data["accident_days_apart"])


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    amount = entry.get("amount", {"plus": [], "less": []})
    if entry["event"] not in EVENTS or entry["mark"] not in MARKS:
        raise ValueError(f"threshold {entry['key']}: no such event or mark")
    return Threshold(
        key=entry["key"],
        name=tuple(entry["name"]),
        feed=entry["feed"],
        line=entry["line"],
        event=entry["event"],
        thing=entry.get("thing"),
        where={field: frozenset(words) for field, words in entry.get("where", {}).items()},
        listed=entry.get("listed", False),
        refer=entry.get("refer", False),
        plus=tuple(amount["plus"]),
        less=tuple(amount["less"]),
        compare=entry.get("compare"),
        at_least_fen=_fen(entry, "at_least"),
        at_least_registered_fen=_fen(entry, "at_least_registered"),
        more_than_fen=_fen(entry, "more_than"),
        mark=entry["mark"],
        source=tuple(entry["source"]),
    )


def _fen(entry: Mapping[str, Any], name: str) -> int | None:
    return int(Money.from_yuan(entry[name])) if name in entry else None
