"""How long records are kept: the table of terms as data (retention.toml), and the arithmetic of terms.

Pure but for `shipped`, which reads the table beside this file. Of several terms the longest applies. A term's first day
is not counted; its last is the same day of a later year or month, or that month's last day (民法典 201, 202). A record
may go from the day after its last day on.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from foundation.errors import Fault, UnusableInput

Pair = tuple[str, str]
"""Chinese and English."""

MARKS = ("law", "unverified", "illustrative")
HOW = ("erase", "delete", "keep")
STARTS = (
    "booked",
    "contract_end",
    "long_contract_end",
    "received",
    "recorded",
    "relation_end",
    "short_contract_end",
)
"""What a term can run from; the records give the days. A rule whose day a record does not have does not apply to it."""

_TABLE = Path(__file__).with_name("retention.toml")
_RULE = {"code", "name", "source", "mark", "years", "months", "days", "permanent", "runs_from", "year_end"}
_GROUP = {"code", "name", "how", "rules", "covers"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One term of the law: so many months or days from a day of the record, or for ever."""

    code: str
    name: Pair
    months: int
    days: int
    runs_from: str | None
    """None for a permanent one."""
    year_end: bool
    source: Pair
    mark: str

    @property
    def permanent(self) -> bool:
        """Whether it never ends."""
        return self.runs_from is None

    def last_day(self, start: date) -> date:
        """The last day on which a record whose day is `start` must be there. Raises ValueError for a permanent rule."""
        if self.permanent:
            raise ValueError("a permanent term has no last day")
        first = date(start.year, 12, 31) if self.year_end else start
        return first + timedelta(days=self.days) if self.days else _months_on(first, self.months)

    def over_before(self, today: date) -> date:
        """Records of days before this one are past their term today: for rows that are deleted by a single cut.

        Only for a term that does not run from the end of a year.
        """
        day = today - timedelta(days=self.days) if self.days else _months_on(today, -self.months)
        while self.last_day(day) < today:
            day += timedelta(days=1)
        while self.last_day(day - timedelta(days=1)) >= today:
            day -= timedelta(days=1)
        return day


@dataclass(frozen=True, slots=True)
class Group:
    """What goes together when the last of its terms is over."""

    code: str
    name: Pair
    how: str
    rules: tuple[Rule, ...]
    covers: tuple[str, ...]
    """`table.column`, or a whole table."""

    def span(self, days: Mapping[str, date]) -> tuple[date, date] | None:
        """(the first of its terms to end, the last) for a record with these days; None when it is kept for ever.

        Raises ValueError when none of the rules applies: then nobody has said how long it is kept.
        """
        if any(rule.permanent for rule in self.rules):
            return None
        starts = ((rule, days.get(rule.runs_from or "")) for rule in self.rules)
        ends = [rule.last_day(start) for rule, start in starts if start is not None]
        if not ends:
            raise ValueError(f"no term of {self.code} applies")
        return min(ends), max(ends)


@dataclass(frozen=True, slots=True)
class RetentionTable:
    """The whole table, in its order."""

    rules: tuple[Rule, ...]
    groups: tuple[Group, ...]

    def group(self, code: str) -> Group:
        """A group by its code. Raises KeyError."""
        return {group.code: group for group in self.groups}[code]

    @property
    def erased(self) -> tuple[Group, ...]:
        """The groups whose content is taken out by an erasure."""
        return tuple(group for group in self.groups if group.how == "erase")


@cache
def shipped() -> RetentionTable:
    """The table that comes with the program. Raises UnusableInput when it is at fault."""
    return read_table(_TABLE.read_text("utf-8"))


def read_table(text: str) -> RetentionTable:
    """A table in a text laid out like retention.toml. Raises UnusableInput with every fault found."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnusableInput([_fault("retention.toml", str(error))]) from None
    faults = [_fault(name, "unknown") for name in sorted(data.keys() - {"rule", "group"})]
    rules: dict[str, Rule] = {}
    for place, entry in _entries(data, "rule", faults):
        _rule(place, entry, rules, faults)
    groups: dict[str, Group] = {}
    for place, entry in _entries(data, "group", faults):
        _group(place, entry, rules, groups, faults)
    used = {rule.code for group in groups.values() for rule in group.rules}
    faults += [_fault(f"rule {code}", "no group has it") for code in sorted(rules.keys() - used)]
    if faults:
        raise UnusableInput(faults)
    return RetentionTable(tuple(rules.values()), tuple(groups.values()))


def _entries(data: Mapping[str, Any], kind: str, faults: list[Fault]) -> Iterable[tuple[str, dict[str, Any]]]:
    entries = data.get(kind)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        faults.append(_fault(kind, f"[[{kind}]] is missing"))
        return []
    return [(f"{kind}[{number}] {entry.get('code', '?')}", entry) for number, entry in enumerate(entries)]


def _rule(place: str, entry: dict[str, Any], rules: dict[str, Rule], faults: list[Fault]) -> None:
    found = _unknown(place, entry, _RULE) + _named(place, entry, rules)
    found += _pairs(place, entry, "name", "source")
    terms = [name for name in ("years", "months", "days", "permanent") if name in entry]
    permanent = entry.get("permanent") is True
    length = entry.get(terms[0]) if len(terms) == 1 else None
    if not permanent and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
        found.append(
            _fault(place, "exactly one of years, months, days (whole, 1 or more) or permanent = true")
        )
    if permanent == ("runs_from" in entry) or (not permanent and entry.get("runs_from") not in STARTS):
        found.append(_fault(f"{place}.runs_from", f"one of {', '.join(STARTS)}; none for a permanent term"))
    if not isinstance(entry.get("year_end", False), bool):
        found.append(_fault(f"{place}.year_end", "true or false"))
    if entry.get("mark") not in MARKS:
        found.append(_fault(f"{place}.mark", f"one of {', '.join(MARKS)}"))
    if found:
        faults += found
        return
    rules[entry["code"]] = Rule(
        entry["code"],
        (entry["name"][0], entry["name"][1]),
        entry.get("years", 0) * 12 + entry.get("months", 0),
        entry.get("days", 0),
        entry.get("runs_from"),
        entry.get("year_end", False),
        (entry["source"][0], entry["source"][1]),
        entry["mark"],
    )


def _group(
    place: str, entry: dict[str, Any], rules: dict[str, Rule], groups: dict[str, Group], faults: list[Fault]
) -> None:
    found = _unknown(place, entry, _GROUP) + _named(place, entry, groups) + _pairs(place, entry, "name")
    if entry.get("how") not in HOW:
        found.append(_fault(f"{place}.how", f"one of {', '.join(HOW)}"))
    for name in ("rules", "covers"):
        words = entry.get(name)
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            found.append(_fault(f"{place}.{name}", "a list of words"))
        elif len(set(words)) < len(words):
            found.append(_fault(f"{place}.{name}", "a word stands there twice"))
    if not found:
        found += [_fault(f"{place}.rules", f"no rule {code}") for code in entry["rules"] if code not in rules]
    if found:
        faults += found
        return
    groups[entry["code"]] = Group(
        entry["code"],
        (entry["name"][0], entry["name"][1]),
        entry["how"],
        tuple(rules[code] for code in entry["rules"]),
        tuple(entry["covers"]),
    )


def _unknown(place: str, entry: Mapping[str, Any], known: set[str]) -> list[Fault]:
    return [_fault(f"{place}.{name}", "unknown") for name in sorted(entry.keys() - known)]


def _named(place: str, entry: Mapping[str, Any], taken: Mapping[str, Any]) -> list[Fault]:
    code = entry.get("code")
    if not isinstance(code, str) or not code.isascii() or not code.replace("_", "").isalnum():
        return [_fault(f"{place}.code", "a word of letters, digits and _")]
    return [_fault(f"{place}.code", "it stands there twice")] if code in taken else []


def _pairs(place: str, entry: Mapping[str, Any], *names: str) -> list[Fault]:
    wrong = []
    for name in names:
        pair = entry.get(name)
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(t, str) and t for t in pair):
            wrong.append(_fault(f"{place}.{name}", "a pair: Chinese and English"))
    return wrong


def _fault(place: str, what: str) -> Fault:
    return Fault(
        f"retention.toml {place}", f"保存期限表有误:{what}", f"the table of terms is at fault: {what}"
    )


@lru_cache(maxsize=4096)
def _months_on(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
