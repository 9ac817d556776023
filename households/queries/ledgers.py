"""The three ledgers 三本台账: identification 识别认定, support 帮扶救助, exit 退出销号; by county and town.

Each entry is a row that another record made: nothing is copied, so that a ledger can never differ from what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import SHANGHAI
from foundation.masking import Audience, name_for
from foundation.places import TOWN_DIGITS, within
from foundation.sealing import Sealer
from foundation.web.paging import Page, keyset
from households.models.people import HouseholdRow
from households.models.recognition import Measure, Recognition
from households.queries.recognition import NO_HEAD, Head, heads_of
from households.spells import PROPOSED
from households.terms import Pair

IDENTIFICATION, SUPPORT, EXIT = "identification", "support", "exit"
LEDGERS: dict[str, Pair] = {
    IDENTIFICATION: ("识别认定台账", "ledger of identification"),
    SUPPORT: ("帮扶救助台账", "ledger of support"),
    EXIT: ("退出销号台账", "ledger of exits"),
}
PAGE = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What a ledger is narrowed to: a town by its code, and the days of its entries, both included."""

    town: str | None = None
    day_from: date | None = None
    day_to: date | None = None

    def chosen(self) -> dict[str, str]:
        """Those that are set, as they stand in an address or in the register of exports."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: a spell, or a measure. What a ledger does not have is None; the head's name is None once erased."""

    on: date
    number: str | None
    household_id: str
    household_no: str
    town: str
    village: str
    head: str | None
    recognition: Recognition | None
    measure: Measure | None


@dataclass(frozen=True, slots=True)
class TownCount:
    """How many entries a town has, and of how many households."""

    code: str
    town: str
    entries: int
    households: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The towns of the place, and the place as a whole, counted by itself: the two have to agree."""

    towns: tuple[TownCount, ...]
    entries: int
    households: int

    @property
    def agrees(self) -> bool:
        """Whether the county's number is the sum of its towns' (a household lies in one town)."""
        by_town = (sum(town.entries for town in self.towns), sum(town.households for town in self.towns))
        return by_town == (self.entries, self.households)


def _day_of(ledger: str) -> Any:
    if ledger == SUPPORT:
        return Measure.begun_on
    return Recognition.exited_on if ledger == EXIT else Recognition.decided_at


def _entries(actor: Actor, ledger: str, filters: Filters, *columns: Any) -> Select[*tuple[Any, ...]]:
    """A query over the entries of a ledger within the actor's place that the filters leave."""
    query = select(*columns)
    if ledger == SUPPORT:
        query = query.select_from(Measure).outerjoin(Recognition, Recognition.id == Measure.recognition_id)
        query = query.join(HouseholdRow, HouseholdRow.id == Measure.household_id)
    else:
        query = query.select_from(Recognition).join(HouseholdRow, HouseholdRow.id == Recognition.household_id)
        there = Recognition.exited_on.is_not(None) if ledger == EXIT else Recognition.state != PROPOSED
        query = query.where(there)
    query = query.where(within(HouseholdRow.village_code, actor.place))
    if filters.town is not None:
        query = query.where(within(HouseholdRow.village_code, filters.town))
    day = _day_of(ledger)
    if filters.day_from is not None:
        query = query.where(day >= _from(ledger, filters.day_from))
    if filters.day_to is not None:
        query = query.where(day <= _to(ledger, filters.day_to))
    return query


def _from(ledger: str, day: date) -> date | datetime:
    """The first moment of a day for the ledger that goes by moments."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC) if ledger == IDENTIFICATION else day


def _to(ledger: str, day: date) -> date | datetime:
    return datetime.combine(day, time.max, SHANGHAI).astimezone(UTC) if ledger == IDENTIFICATION else day


def totals(session: Session, actor: Actor, ledger: str, filters: Filters) -> Totals:
    """Entries and households by town, and of the place as a whole by a count of its own."""
    code = func.substr(HouseholdRow.village_code, 1, TOWN_DIGITS)
    households = func.count(func.distinct(HouseholdRow.id))
    by_town = _entries(actor, ledger, filters, code, func.min(HouseholdRow.town), func.count(), households)
    towns = [TownCount(*row) for row in session.execute(by_town.group_by(code).order_by(code))]
    whole = session.execute(_entries(actor, ledger, filters, func.count(), households)).one()
    return Totals(tuple(towns), *whole)


def page_of_entries(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    ledger: str,
    filters: Filters,
    today: date,
    cursor: str | None,
    size: int = PAGE,
) -> Page[Entry]:
    """Entries of a ledger, the newest first. Raises BadRequest for a cursor of another list."""
    row_id = Measure.id if ledger == SUPPORT else Recognition.id
    query = _entries(actor, ledger, filters, *_columns(ledger))
    page = keyset(session, query, [_day_of(ledger)], row_id, cursor, size, descending=True)
    return Page(_shown(session, sealer, ledger, page.rows, today), page.newer, page.older)


def all_entries(
    session: Session, sealer: Sealer, actor: Actor, ledger: str, filters: Filters, today: date
) -> list[Entry]:
    """Every entry that the filters leave, the oldest first."""
    row_id = Measure.id if ledger == SUPPORT else Recognition.id
    query = _entries(actor, ledger, filters, *_columns(ledger)).order_by(_day_of(ledger), row_id)
    return _shown(session, sealer, ledger, session.execute(query).all(), today)


def _columns(ledger: str) -> list[Any]:
    return [HouseholdRow, Recognition, Measure] if ledger == SUPPORT else [HouseholdRow, Recognition]


def _shown(session: Session, sealer: Sealer, ledger: str, rows: Sequence[Any], today: date) -> list[Entry]:
    heads = heads_of(session, sealer, [row[0].id for row in rows], today)
    found = []
    for row in rows:
        home, spell = row[0], row[1]
        measure = row[2] if ledger == SUPPORT else None
        found.append(
            Entry(
                on=_on(ledger, spell, measure),
                number=None if spell is None else spell.number,
                household_id=home.id,
                household_no=home.household_no,
                town=home.town,
                village=home.village,
                head=_named(heads.get(home.id, NO_HEAD)),
                recognition=spell,
                measure=measure,
            )
        )
    return found


def _named(head: Head) -> str | None:
    """As a list that goes into the files names somebody: a minor as 李某某."""
    return None if head.name is None else name_for(Audience.AUDITOR, head.name, minor=head.minor)


def _on(ledger: str, spell: Recognition | None, measure: Measure | None) -> date:
    if measure is not None:
        return measure.begun_on
    assert spell is not None  # the two ledgers of spells have one in every entry
    if ledger == EXIT:
        assert spell.exited_on is not None
        return spell.exited_on
    assert spell.decided_at is not None
    return spell.decided_at.astimezone(SHANGHAI).date()
