"""A department's rows of one person → warnings 一上: which event they tell of, and whether a case is to be opened.

Pure. Rows come with their values by field name, so that a rule (`thresholds.toml`) works for every feed that has a
layout. Sums in fen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from households.thresholds import OF_A_HOUSEHOLD, Threshold, Thresholds

_SCHOOL_YEAR_BEGINS = (9, 1)
"""Month and day: a row of 学籍 has no day of its own, and the school year begins on 1 September."""


@dataclass(frozen=True, slots=True)
class Event:
    """What makes several reports one event. `parts` are what tells it from another one of its kind."""

    line: str
    kind: str
    """One of `households.thresholds.EVENTS`."""
    parts: tuple[str, ...]

    @property
    def of_household(self) -> bool:
        """Whether it is the household's, and no single member's."""
        return self.kind in OF_A_HOUSEHOLD


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A department's row of a person: the day that it is about (None: it has none), its values by field name."""

    id: str
    known_at: datetime
    on: date | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Who:
    """The person whose rows they are. `periods` are the years of their policies, from day to day, both included."""

    person_id: str
    categories: frozenset[str]
    periods: tuple[tuple[date, date], ...] = ()

    def policy_year(self, day: date) -> date:
        """The first day of the policy year that a day falls in; the calendar year's where no policy covers it."""
        begun = [first for first, last in self.periods if first <= day <= last]
        return max(begun, default=date(day.year, 1, 1))


@dataclass(frozen=True, slots=True)
class RowTold:
    """What one row says of an event: its day, what the family bears by it, and what it is about (a bill's number)."""

    row_id: str
    known_at: datetime
    on: date
    amount_fen: int | None
    thing: str | None


@dataclass(frozen=True, slots=True)
class Alert:
    """An event that a department's rows tell of. `due`: the rule's line is reached, so that a case is to be opened.

    Below it the rows only join a case that is there. `event_on` is the day on which the line was reached.
    """

    rule: str
    event: Event
    event_on: date
    due: bool
    rows: tuple[RowTold, ...]
    """By day."""


def alerts(feed: str, rows: Iterable[SeenRow], who: Who, rules: Thresholds) -> list[Alert]:
    """Every event that a person's rows of a feed tell of, by rule and day. Nothing depends on the order of the rows."""
    seen = list(rows)
    found = [alert for rule in rules.by_feed.get(feed, ()) for alert in _of_rule(rule, seen, who, rules)]
    return sorted(found, key=lambda alert: (alert.rule, alert.event_on, alert.event.parts))


def _of_rule(rule: Threshold, rows: Sequence[SeenRow], who: Who, rules: Thresholds) -> list[Alert]:
    registered = not who.categories.isdisjoint(rules.registered)
    if rule.listed and not registered:
        return []
    by_event: dict[Event, list[tuple[RowTold, int]]] = defaultdict(list)
    for row in _newest_of_each_thing(rule, rows):
        if all(row.values[field] in words for field, words in rule.where.items()):
            event, told = _told(rule, row, who)
            compared = row.values[rule.compare] or 0 if rule.compare else told.amount_fen or 0
            by_event[event].append((told, compared))
    return [_alert(rule, event, told, registered=registered) for event, told in by_event.items()]


def alert_of_row(feed: str, row: SeenRow, who: Who, rules: Thresholds) -> Alert | None:
    """The event that one row tells of by itself, whether or not it reaches a line; None for a feed without rules."""
    of_feed = rules.by_feed.get(feed, ())
    if not of_feed:
        return None
    fitting = (
        rule for rule in of_feed if all(row.values[name] in words for name, words in rule.where.items())
    )
    rule = next(fitting, of_feed[0])
    event, told = _told(rule, row, who)
    return Alert(rule.key, event, told.on, True, (told,))


def _told(rule: Threshold, row: SeenRow, who: Who) -> tuple[Event, RowTold]:
    """The event of a row, and what the row says of it."""
    on = row.on or _day_of(rule, row)
    bears = _bears(rule, row) if rule.plus else None
    return _event(rule, row, on, who), RowTold(row.id, row.known_at, on, bears, _thing(rule, row))


def _alert(rule: Threshold, event: Event, told: list[tuple[RowTold, int]], *, registered: bool) -> Alert:
    told.sort(key=lambda item: (item[0].on, item[0].row_id))
    total = 0
    reached_on: date | None = None
    for row, compared in told:
        total += compared
        if reached_on is None and rule.reached(total, registered=registered):
            reached_on = row.on
    rows = tuple(row for row, _compared in told)
    due = rule.reached(total, registered=registered)
    return Alert(rule.key, event, reached_on or rows[-1].on, due, rows)


def _newest_of_each_thing(rule: Threshold, rows: Sequence[SeenRow]) -> list[SeenRow]:
    """Of several rows about one bill the one that was learnt last: a correction takes the place of what it corrects."""
    if rule.thing is None or not rule.plus:
        return list(rows)
    newest: dict[str, SeenRow] = {}
    for row in rows:
        thing = str(row.values[rule.thing])
        there = newest.get(thing)
        if there is None or (row.known_at, row.id) > (there.known_at, there.id):
            newest[thing] = row
    return list(newest.values())


def _bears(rule: Threshold, row: SeenRow) -> int:
    cost = sum(row.values[field] or 0 for field in rule.plus)
    return max(0, cost - sum(row.values[field] or 0 for field in rule.less))


def _thing(rule: Threshold, row: SeenRow) -> str | None:
    return None if rule.thing is None else str(row.values[rule.thing])


def _day_of(rule: Threshold, row: SeenRow) -> date:
    """The day of a row that has none of its own: the school year's first."""
    if rule.event != "school_year":
        raise ValueError(f"the rows of {rule.feed} have no day")
    return school_year_began(row.values["academic_year"])


def _event(rule: Threshold, row: SeenRow, on: date, who: Who) -> Event:
    if rule.event == "accident":
        return accident(who.person_id, row.values["accident_no"])
    if rule.event == "school_year":
        return school_year(who.person_id, row.values["academic_year"])
    return event_of(rule.line, rule.event, who, on)


# --- events --------------------------------------------------------------------------------------------


def event_of(line: str, kind: str, who: Who, on: date) -> Event:
    """The event of a kind that a day belongs to, for whoever knows no more than the day.

    An accident is then named by its day: a department's number finds it by the days between them.
    """
    if kind == "policy_year":
        return Event(line, kind, (who.person_id, who.policy_year(on).isoformat()))
    if kind == "school_year":
        return school_year(who.person_id, school_year_of(on))
    if kind == "death":
        return Event(line, kind, (who.person_id,))
    if kind == "month":
        return Event(line, kind, (on.strftime("%Y-%m"),))
    if kind == "housing":
        return Event(line, kind, ())
    return Event(line, kind, (who.person_id, on.isoformat()))


def accident(person_id: str, accident_no: str) -> Event:
    """An accident that has a number."""
    return Event("accident", "accident", (person_id, f"no {accident_no}"))


def school_year(person_id: str, academic_year: str) -> Event:
    """A person's school year `2020-2021`."""
    return Event("education", "school_year", (person_id, academic_year))


def school_year_of(day: date) -> str:
    """The school year that a day falls in: `2020-2021` from 1 September 2020 on."""
    first = day.year if (day.month, day.day) >= _SCHOOL_YEAR_BEGINS else day.year - 1
    return f"{first}-{first + 1}"


def school_year_began(academic_year: str) -> date:
    """The first day of a school year."""
    return date(int(academic_year[:4]), *_SCHOOL_YEAR_BEGINS)


# --- what a case comes to -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum that a report of a case gives: `source` is its feed, or None where a person told it."""

    source: str | None
    thing: str | None
    told_at: datetime
    amount_fen: int


def what_is_borne(sums: Iterable[Sum]) -> int | None:
    """What a family bears by an event as far as it is known, or None where nobody says.

    A department's bills add up, each once (of one bill the newest row counts). Of several departments that may speak of
    the same loss the largest sum counts; what people told by guess counts only where no department gives a sum.
    """
    by_source: dict[str, dict[str, Sum]] = defaultdict(dict)
    guesses: list[int] = []
    for place, item in enumerate(sorted(sums, key=lambda item: (item.told_at, item.amount_fen))):
        if item.source is None:
            guesses.append(item.amount_fen)
        else:
            by_source[item.source][item.thing or str(place)] = item
    if by_source:
        return max(sum(item.amount_fen for item in bills.values()) for bills in by_source.values())
    return max(guesses, default=None)
