"""The county at a glance: who is at risk and why, who is covered, what is owed, how quickly news becomes a case.

Each figure is of the actor's place. Tables go from the county's towns, or a town's villages, down.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.models import OwedRow
from foundation.clock import business_day
from foundation.identifiers import birth_date
from foundation.places import COUNTY_DIGITS, within
from foundation.sealing import ERASED, Sealer
from households.key_villages import key_villages
from households.models.people import Cover, HouseholdRow, Income, Membership, Person
from households.models.recognition import Recognition
from households.models.two_times import believed, true_on
from households.models.warnings import CHANNELS, LINES, WarningCase, WarningReport
from households.queries.feed_uploads import late_feeds

BANDS = ((60, 70), (70, 80), (80, None))
"""Ages: [60, 70), [70, 80), [80, ∞)."""
LAGS_OF = timedelta(days=365)
"""Reports of the last year count for the lag."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One town of the county, or one village of a town. Sums in fen."""

    name: str
    people: int = 0
    covered: int = 0
    at_risk_households: int = 0
    at_risk_people: int = 0
    open_cases: int = 0
    owed: int = 0
    owed_fen: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """Days from the event to the report, of one channel: how many reports, and the (lower) median."""

    channel: str
    reports: int
    median: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All figures of one place on one day."""

    day: date
    places: Sequence[PlaceRow]
    causes: Mapping[str, int]
    """Recognised households by cause."""
    sources: Mapping[str | None, int]
    """Recognised households by main source of income; None: not surveyed."""
    key_villages: tuple[int, int] | None
    """Recognised households in key villages, and in others; None while the county has named no key villages."""
    bands: Mapping[tuple[int, int | None], int]
    """People of recognised households by age."""
    cases: Mapping[str, int]
    """Open warnings by line."""
    lags: Sequence[Lag]
    reviews_overdue: int
    late: Mapping[str, tuple[int, int]]
    """Department → how many of its feeds are late, and by how many days the latest."""
    totals: PlaceRow = field(default_factory=lambda: PlaceRow(""))


def dashboard(session: Session, sealer: Sealer, place: str, day: date, at: datetime) -> Dashboard:
    """The figures of a place: cover and members as of a day, all else as it stands at the moment.

    Opens the ID numbers of recognised households' members, for their ages alone.
    """
    risky = _recognised(session, place)
    members = _members(session, risky, day)
    rows = _by_place(session, place, day, risky, members)
    return Dashboard(
        day=day,
        places=rows,
        causes=_counted(row.cause for row in risky),
        sources=_sources(session, [row.id for row in risky], day),
        key_villages=_in_key_villages(risky),
        bands=_bands(session, sealer, [person for people in members.values() for person in people], day),
        cases=_cases(session, place),
        lags=_lags(session, place, at),
        reviews_overdue=sum(
            row.review_due is not None and row.review_due < business_day(at) for row in risky
        ),
        late=_late(session, business_day(at)),
        totals=_total(rows),
    )


def _recognised(session: Session, place: str) -> list[Any]:
    """The households that are recognised now: id, where, cause, when their review is due."""
    query = (
        select(
            HouseholdRow.id,
            HouseholdRow.town,
            HouseholdRow.village,
            HouseholdRow.village_code,
            Recognition.cause,
            Recognition.review_due,
        )
        .join(Recognition, Recognition.household_id == HouseholdRow.id)
        .where(Recognition.state == "active", within(HouseholdRow.village_code, place))
    )
    return list(session.execute(query))


def _members(session: Session, households: Iterable[Any], day: date) -> dict[str, list[str]]:
    """Household id → ids of the people who are in it on the day."""
    found: dict[str, list[str]] = defaultdict(list)
    recognised = select(Recognition.household_id).where(Recognition.state == "active")
    query = select(Membership.household_id, Membership.person_id).where(
        Membership.household_id.in_(recognised), believed(Membership), true_on(Membership, day)
    )
    ours = {row.id for row in households}
    for household_id, person_id in session.execute(query):
        if household_id in ours:
            found[household_id].append(person_id)
    return found


def _by_place(
    session: Session, place: str, day: date, risky: Sequence[Any], members: Mapping[str, list[str]]
) -> list[PlaceRow]:
    name = HouseholdRow.town if len(place) == COUNTY_DIGITS else HouseholdRow.village
    inside = within(HouseholdRow.village_code, place)
    figures: dict[str, Counter[str]] = defaultdict(Counter)

    def add(key: str, query: Any) -> None:
        for where, count in session.execute(query):
            figures[where][key] += int(count or 0)

    here = believed(Membership) & true_on(Membership, day) & inside
    people = func.count(func.distinct(Membership.person_id))
    of_household = HouseholdRow.id == Membership.household_id
    add("people", select(name, people).join(Membership, of_household).where(here).group_by(name))
    covered = believed(Cover) & (Cover.cover_from <= day) & (Cover.cover_to >= day) & inside
    counted = func.count(func.distinct(Cover.person_id))
    of_cover = HouseholdRow.id == Cover.household_id
    add("covered", select(name, counted).join(Cover, of_cover).where(covered).group_by(name))
    open_cases = (WarningCase.state == "open") & within(WarningCase.village_code, place)
    of_case = HouseholdRow.id == WarningCase.household_id
    add("open_cases", select(name, func.count()).join(WarningCase, of_case).where(open_cases).group_by(name))
    owed = (OwedRow.outcome == "approve") & within(OwedRow.village_code, place)
    of_owed = HouseholdRow.id == OwedRow.household_id
    add("owed", select(name, func.count()).join(OwedRow, of_owed).where(owed).group_by(name))
    sums = func.sum(OwedRow.payable_fen)
    add("owed_fen", select(name, sums).join(OwedRow, of_owed).where(owed).group_by(name))
    for row in risky:
        where = row.town if len(place) == COUNTY_DIGITS else row.village
        figures[where]["at_risk_households"] += 1
        figures[where]["at_risk_people"] += len(members.get(row.id, ()))
    order = session.execute(select(name, func.min(HouseholdRow.village_code)).where(inside).group_by(name))
    return [PlaceRow(where, **figures[where]) for where, _ in sorted(order, key=lambda row: row[1])]


def _total(rows: Sequence[PlaceRow]) -> PlaceRow:
    def summed(key: str) -> int:
        return sum(getattr(row, key) for row in rows)

    return PlaceRow(
        "",
        people=summed("people"),
        covered=summed("covered"),
        at_risk_households=summed("at_risk_households"),
        at_risk_people=summed("at_risk_people"),
        open_cases=summed("open_cases"),
        owed=summed("owed"),
        owed_fen=summed("owed_fen"),
    )


def _in_key_villages(risky: Sequence[Any]) -> tuple[int, int] | None:
    if not (named := key_villages()):
        return None
    inside = sum(row.village_code in named for row in risky)
    return inside, len(risky) - inside


def _sources(session: Session, household_ids: Sequence[str], day: date) -> dict[str | None, int]:
    """Households by what they mainly live on, as surveyed last; those that nobody has surveyed under None."""
    recognised = select(Recognition.household_id).where(Recognition.state == "active")
    query = (
        select(Income.household_id, Income.main_source)
        .where(
            Income.household_id.in_(recognised),
            Income.main_source.is_not(None),
            believed(Income),
            true_on(Income, day),
        )
        .order_by(Income.valid_from, Income.known_at)
    )
    newest = dict(session.execute(query).all())
    return _counted(newest.get(household_id) for household_id in household_ids)


def _bands(
    session: Session, sealer: Sealer, person_ids: Sequence[str], day: date
) -> dict[tuple[int, int | None], int]:
    found = dict.fromkeys(BANDS, 0)
    recognised = select(Recognition.household_id).where(Recognition.state == "active")
    of_them = select(Membership.person_id).where(Membership.household_id.in_(recognised))
    ours = set(person_ids)
    for identity, sealed in session.execute(select(Person.id, Person.sealed).where(Person.id.in_(of_them))):
        if identity not in ours or sealed == ERASED:
            continue
        number = orjson.loads(sealer.reveal("person", "sealed", identity, sealed))["id_number"]
        age = _age(birth_date(number), day)
        for low, high in BANDS:
            if low <= age and (high is None or age < high):
                found[low, high] += 1
    return found


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _cases(session: Session, place: str) -> dict[str, int]:
    query = (
        select(WarningCase.line, func.count())
        .where(WarningCase.state == "open", within(WarningCase.village_code, place))
        .group_by(WarningCase.line)
    )
    found = dict(session.execute(query).all())
    return {line: found.get(line, 0) for line in LINES}


def _lags(session: Session, place: str, at: datetime) -> list[Lag]:
    query = (
        select(WarningReport.channel, WarningReport.lag_days)
        .join(WarningCase, WarningCase.id == WarningReport.case_id)
        .where(WarningReport.reported_at >= at - LAGS_OF, within(WarningCase.village_code, place))
    )
    days: dict[str, list[int]] = defaultdict(list)
    for channel, lag in session.execute(query):
        days[channel].append(lag)
    return [
        Lag(channel, len(days[channel]), median_low(days[channel])) for channel in CHANNELS if days[channel]
    ]


def _late(session: Session, day: date) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for state in late_feeds(session, day):
        feeds, days = found.get(state.layout.department, (0, 0))
        found[state.layout.department] = feeds + 1, max(days, state.late_days)
    return found


def _counted(keys: Iterable[Any]) -> dict[Any, int]:
    """How often each key comes, the most frequent first, by name where alike."""
    counts = Counter(keys)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))))
