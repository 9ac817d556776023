"""The comparison 一站式比对: people against the departments' rows, each check HIT, CLEAR or NO DATA.

Pure. A feed that nobody has sent is NO DATA and never CLEAR. Most rows are judged by what stands of them in plain,
their day and sum; only where a word or a second day counts is a row opened, and only once the plain part has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from households.checks import CHECKS, Check
from households.layouts import layouts
from households.reverse_standards import counts, listed, on_payroll
from policies.policy import ReverseStandard


class State(StrEnum):
    """What a check came to for a person."""

    HIT = "hit"
    CLEAR = "clear"
    NO_DATA = "no_data"


class Candidate(NamedTuple):
    """A person who is compared, known by the keyed digest of the ID number. `key` is whatever the caller calls them.

    `village_code` None: then any official's relative is one, whichever the village.
    """

    key: str
    id_lookup: str
    household_id: str | None = None
    village_code: str | None = None


class Row(NamedTuple):
    """A department's row as it is stored; `sealed` is None where no check asks for its words."""

    id: str
    feed: str
    scope: str
    id_lookup: str
    on_day: date | None
    amount_fen: int | None
    sealed: str | None


class Hit(NamedTuple):
    """A row that hits a person; `through` is the near relative whose row it is, where it is not their own."""

    person: Candidate
    matter: str
    row_id: str
    through: Relative | None = None


class Relative(NamedTuple):
    """A near relative as the police have them."""

    relation: str
    id_number: str


@dataclass(frozen=True)
class Rules:
    """What is compared by: the day, the reverse standards in force, and the feeds that were delivered.

    `sources` is feed → the scope whose rows answer for it. A reverse standard that is not in force is not looked at.
    """

    day: date
    reverse: Mapping[str, ReverseStandard]
    sources: Mapping[str, str]

    def checks(self) -> list[Check]:
        """The checks that are made, in order."""
        return [check for check in CHECKS.values() if not check.reverse or check.key in self.reverse]


def state_of(check: Check, feeds: Collection[str], *, hit: bool) -> State:
    """What a check came to for a person of whom it found a row or none; `feeds` are those that were delivered."""
    if hit:
        return State.HIT
    return State.CLEAR if delivered(check, feeds) else State.NO_DATA


def delivered(check: Check, feeds: Collection[str]) -> bool:
    """Whether every feed that a check needs is there. Without the list of relatives nobody is clear of the payroll."""
    return all(feed in feeds for feed in check.feeds)


WORDED = frozenset({"housing", "companies", "payroll", "kin", "officials"})
"""Feeds whose rows are opened: for a use, a status, an end, a relative, a village."""


class Comparer:
    """Judges rows by the rules. `opened` gives a row's values in the order of its columns, days as ISO text."""

    def __init__(self, rules: Rules, opened: Callable[[Row], Sequence[Any]]) -> None:
        self._rules, self._opened = rules, opened
        tests = {"holding": self._holding, "payroll": self._payroll, "official": self._official}
        self._worded: dict[str, tuple[Check, Callable[[Check, Row, Candidate], bool]]] = {}
        self._present: dict[str, Check] = {}
        for check in rules.checks():
            if check.kind == "presence":
                self._present[check.feed] = check
            else:
                self._worded[check.feed] = check, tests[check.kind]

    def hits(self, people: Mapping[str, Candidate], rows: Iterable[Row]) -> list[Hit]:
        """The hits among the rows of some people, by their digests. All the rows of a person are given at once.

        Of a check that any row meets, the newest row stands for all.
        """
        sources, worded, present = self._rules.sources, self._worded, self._present
        found: list[Hit] = []
        newest: dict[tuple[str, str], Row] = {}
        for row in rows:
            _, feed, scope, lookup, _, _, _ = row
            if sources.get(feed) != scope:
                continue
            if feed in worded:
                check, test = worded[feed]
                person = people[lookup]
                if test(check, row, person):
                    found.append(Hit(person, check.key, row.id))
            elif feed in present:
                before = newest.get((lookup, feed))
                if before is None or _age(before) < _age(row):
                    newest[lookup, feed] = row
        found += [Hit(people[lookup], present[feed].key, row.id) for (lookup, feed), row in newest.items()]
        return found

    def relatives(self, rows: Iterable[Row]) -> list[tuple[str, Relative]]:
        """(digest of the person, relative) of the rows about near relatives, where the payroll is looked at."""
        if "payroll" not in self._worded or "payroll" not in self._rules.sources:
            return []
        source, layout = self._rules.sources.get("kin"), layouts()["kin"]
        number, relation = layout.place("relative_id_number"), layout.place("relation")
        found = []
        for row in rows:
            if row.feed == "kin" and row.scope == source:
                values = self._opened(row)
                found.append((row.id_lookup, Relative(values[relation], values[number])))
        return found

    def hits_through(
        self, kin: Mapping[str, Sequence[tuple[Candidate, Relative]]], rows: Iterable[Row]
    ) -> list[Hit]:
        """The hits of relatives' rows on the payroll: `kin` is digest of a relative → whose relative they are."""
        check, source = CHECKS["payroll"], self._rules.sources.get("payroll")
        found: dict[tuple[str, str], Hit] = {}
        for row in rows:
            if row.feed != "payroll" or row.scope != source:
                continue
            for person, relative in kin[row.id_lookup]:
                if (person.key, row.id) not in found and self._payroll(check, row, person):
                    found[person.key, row.id] = Hit(person, check.key, row.id, relative)
        return list(found.values())

    def _holding(self, check: Check, row: Row, _person: Candidate) -> bool:
        standard, on = self._rules.reverse[check.key], row[4]
        if on is None or not counts(standard, self._rules.day, on, row[5] or 0):
            return False
        if row[1] not in WORDED:
            return True
        return listed(standard, self._opened(row)[_place(row[1])])

    def _payroll(self, _check: Check, row: Row, _person: Candidate) -> bool:
        since = row[4]
        if since is None or not on_payroll(self._rules.day, since, None):
            return False
        until = self._opened(row)[_place("payroll")]
        return on_payroll(self._rules.day, since, None if until is None else date.fromisoformat(until))

    def _official(self, _check: Check, row: Row, person: Candidate) -> bool:
        return person.village_code is None or self._opened(row)[_place("officials")] == person.village_code


_WORDS = {"housing": "use", "companies": "status", "payroll": "to_date", "officials": "village_code"}
"""The field that counts in each feed whose rows are opened."""
_PLACES: dict[str, int] = {feed: layouts()[feed].place(field) for feed, field in _WORDS.items()}


def _place(feed: str) -> int:
    return _PLACES[feed]


def _age(row: Row) -> tuple[date, str]:
    return row.on_day or date.min, row.id
