"""The list of what is owed and not claimed: filtered, page by page, with its sums; and one row explained on demand.

Everything is held by the actor's place. A page opens the people that it shows and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from claims.models import OwedRow
from claims.owed import UNKNOWN, Owed
from claims.queries.unclaimed import claimed_under, owed_to, people_of
from claims.terms import Pair, line_name
from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.masking import Audience, id_number_for
from foundation.places import TOWN_DIGITS, within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models.feeds import FeedRow
from households.models.people import HouseholdRow, Person
from households.models.warnings import WarningCase, WarningReport
from policies.policy import Policy
from policies.queries import policies_by_id, policy_by_id

OWED_NOW = "owed"
"""What a list shows unless asked otherwise: what would be paid, or would be once a doubt is cleared."""
LISTS: Mapping[str, Pair] = {
    OWED_NOW: ("应赔未赔", "owed"),
    UNKNOWN: ("费用待查明", "cost not known"),
    "reject": ("不赔", "not owed"),
}
DUE: Mapping[str, Pair] = {
    "late": ("已逾期", "late"),
    "7": ("7 天以内", "within 7 days"),
    "30": ("30 天以内", "within 30 days"),
}
"""How many days are left to report."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class OwedFilters:
    """What the list is narrowed to. `shown` is a key of LISTS, `due` one of DUE, towns and villages by their codes."""

    shown: str = OWED_NOW
    line: str | None = None
    town: str | None = None
    village: str | None = None
    due: str | None = None

    def chosen(self) -> dict[str, str]:
        """Those that are set, as they stand in an address or a form."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: value
            for name, value in values.items()
            if value is not None and (name, value) != ("shown", OWED_NOW)
        }


@dataclass(frozen=True, slots=True)
class WhatIsOwed:
    """A row of the list without its person. `days_left` below zero is late, which is no refusal."""

    id: str
    policy_number: str
    household_id: str
    household_no: str
    town: str
    village: str
    line: str
    line_title: Pair
    benefit: str
    event_on: date
    outcome: str
    payable_fen: int
    reasons: tuple[str, ...]
    missing: str | None
    report_by: date
    days_left: int
    papers: tuple[str, ...]
    """What the policy asks for."""
    feed: str
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class OwedPerson(WhatIsOwed):
    """A row as the list shows it; name and masked ID number are None once they were erased."""

    name: str | None
    id_number: str | None
    case_id: str | None
    case_number: str | None
    """The case of early warning that was made of it."""


@dataclass(frozen=True, slots=True)
class OwedTotals:
    """Of everything that was filtered: rows, people, what they come to in fen."""

    rows: int
    people: int
    payable_fen: int
    computed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwedPlaces:
    """Towns, and villages of the chosen town, in which there are rows: (code, name)."""

    towns: tuple[tuple[str, str], ...]
    villages: tuple[tuple[str, str], ...]


_COLUMNS = (
    OwedRow.id,
    OwedRow.policy_number,
    OwedRow.policy_id,
    OwedRow.household_id,
    OwedRow.person_id,
    OwedRow.feed_row_id,
    HouseholdRow.household_no,
    HouseholdRow.town,
    HouseholdRow.village,
    OwedRow.line,
    OwedRow.benefit,
    OwedRow.event_on,
    OwedRow.outcome,
    OwedRow.payable_fen,
    OwedRow.reasons,
    OwedRow.missing,
    OwedRow.report_by,
    OwedRow.computed_at,
    FeedRow.feed,
)
SORTS: Mapping[str, Any] = {"due": OwedRow.report_by, "amount": OwedRow.payable_fen}


def page_of_owed(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: OwedFilters,
    today: date,
    *,
    sort: str = "due",
    cursor: str | None = None,
    size: int = PAGE,
) -> Page[OwedPerson]:
    """One page: whose time runs out first, or the highest amount first. Raises BadRequest for a foreign cursor."""
    query = _filtered(_of_place(actor, *_COLUMNS), filters, today)
    page = keyset(session, query, [SORTS[sort]], OwedRow.id, cursor, size, descending=sort == "amount")
    return Page(_opened(session, sealer, page.rows, today), page.newer, page.older)


def totals_of_owed(session: Session, actor: Actor, filters: OwedFilters, today: date) -> OwedTotals:
    """How many rows and people the filters leave, and what they come to."""
    columns = (
        func.count(),
        func.count(func.distinct(OwedRow.person_id)),
        func.sum(OwedRow.payable_fen),
        func.max(OwedRow.computed_at),
    )
    rows, people, payable, at = session.execute(_filtered(_of_place(actor, *columns), filters, today)).one()
    if at is None:
        at = session.scalar(select(func.max(OwedRow.computed_at)))
    return OwedTotals(rows, people, int(payable or 0), at)


def lists_of_owed(session: Session, actor: Actor) -> dict[str, int]:
    """Rows in each list of LISTS within the actor's place."""
    kind = case((OwedRow.outcome == UNKNOWN, UNKNOWN), (OwedRow.payable_fen > 0, OWED_NOW), else_="reject")
    query = _of_place(actor, kind.label("kind"), func.count()).group_by(kind)
    counted: dict[str, int] = dict(session.execute(query).all())
    return {name: counted.get(name, 0) for name in LISTS}


def places_of_owed(session: Session, actor: Actor, town: str | None) -> OwedPlaces:
    """Where there are rows within the actor's place."""
    query = _of_place(actor, HouseholdRow.village_code, HouseholdRow.town, HouseholdRow.village).distinct()
    rows = session.execute(query).all()
    towns = {row.village_code[:TOWN_DIGITS]: row.town for row in rows}
    villages = {
        row.village_code: row.village
        for row in rows
        if town is not None and row.village_code.startswith(town)
    }
    return OwedPlaces(tuple(sorted(towns.items())), tuple(sorted(villages.items())))


def owed_to_export(session: Session, actor: Actor, filters: OwedFilters, today: date) -> list[WhatIsOwed]:
    """Every filtered row, whose time runs out first. Nothing that is sealed is opened."""
    query = _filtered(_of_place(actor, *_COLUMNS), filters, today)
    rows = session.execute(query.order_by(OwedRow.report_by, OwedRow.id)).all()
    policies = policies_by_id(session, (row.policy_id for row in rows))
    return [WhatIsOwed(**_shown(row, policies, today)) for row in rows]


def owed_by_id(session: Session, sealer: Sealer, actor: Actor, owed_id: str, today: date) -> OwedPerson:
    """One row. Raises NotFound where there is none within the actor's place."""
    query = _of_place(actor, *_COLUMNS).where(OwedRow.id == owed_id)
    found = _opened(session, sealer, session.execute(query).all(), today)
    if not found:
        raise NotFound
    return found[0]


def explained(session: Session, sealer: Sealer, owed_id: str, today: date) -> tuple[Policy, Owed] | None:
    """A row decided again now, by the same function; None where it is owed no more: claimed, or corrected."""
    row = session.get_one(OwedRow, owed_id)
    policy = policy_by_id(session, row.policy_id)
    households = [row.household_id]
    # Only where somebody else has handed in the same document does one need to look at everybody's claims.
    of = None if "INVOICE_REUSED" in row.reasons else people_of(session, households)
    claimed = claimed_under(session, sealer, policy.number, of)
    for item in owed_to(session, sealer, policy, households, claimed, today):
        owed = item.owed
        if (owed.would_be.row_id, owed.facts.claim.benefit) == (row.feed_row_id, row.benefit):
            return policy, owed
    return None


def _of_place(actor: Actor, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(OwedRow)
        .join(HouseholdRow, HouseholdRow.id == OwedRow.household_id)
        .join(FeedRow, FeedRow.id == OwedRow.feed_row_id)
        .where(within(OwedRow.village_code, actor.place))
    )


def _filtered(query: Select[Any], filters: OwedFilters, today: date) -> Select[Any]:
    if filters.shown == OWED_NOW:
        query = query.where(OwedRow.outcome != UNKNOWN, OwedRow.payable_fen > 0)
    elif filters.shown == UNKNOWN:
        query = query.where(OwedRow.outcome == UNKNOWN)
    else:
        query = query.where(OwedRow.outcome != UNKNOWN, OwedRow.payable_fen == 0)
    if filters.line is not None:
        query = query.where(OwedRow.line == filters.line)
    for code in (filters.town, filters.village):
        if code is not None:
            query = query.where(within(OwedRow.village_code, code))
    if filters.due == "late":
        query = query.where(OwedRow.report_by < today)
    elif filters.due is not None:
        last = today + timedelta(int(filters.due))
        query = query.where(OwedRow.report_by.between(today, last))
    return query


def _opened(session: Session, sealer: Sealer, rows: Sequence[Any], today: date) -> list[OwedPerson]:
    """Rows of `_COLUMNS` with their people opened, and the cases that were made of them."""
    policies = policies_by_id(session, (row.policy_id for row in rows))
    sealed = select(Person.id, Person.sealed).where(Person.id.in_([row.person_id for row in rows]))
    people = {
        row.id: orjson.loads(sealer.reveal("person", "sealed", row.id, row.sealed))
        for row in session.execute(sealed)
        if row.sealed != ERASED
    }
    reports = (
        select(WarningReport.feed_row_id, WarningCase.id, WarningCase.number)
        .join(WarningCase, WarningCase.id == WarningReport.case_id)
        .where(WarningReport.feed_row_id.in_([row.feed_row_id for row in rows]))
        .order_by(WarningCase.opened_at)
    )
    cases = {row_id: (case_id, number) for row_id, case_id, number in session.execute(reports)}
    found = []
    for row in rows:
        person = people.get(row.person_id)
        case_id, number = cases.get(row.feed_row_id, (None, None))
        found.append(
            OwedPerson(
                **_shown(row, policies, today),
                name=None if person is None else person["name"],
                id_number=None if person is None else id_number_for(Audience.OFFICER, person["id_number"]),
                case_id=case_id,
                case_number=number,
            )
        )
    return found


def _shown(row: Any, policies: Mapping[str, Policy], today: date) -> dict[str, Any]:
    policy = policies[row.policy_id]
    line = policy.on(row.event_on).lines.get(row.line)
    benefit = None if line is None else line.benefits.get(row.benefit)
    return {
        "id": row.id,
        "policy_number": row.policy_number,
        "household_id": row.household_id,
        "household_no": row.household_no,
        "town": row.town,
        "village": row.village,
        "line": row.line,
        "line_title": line_name(policy, row.line, row.event_on),
        "benefit": row.benefit,
        "event_on": row.event_on,
        "outcome": row.outcome,
        "payable_fen": row.payable_fen,
        "reasons": tuple(filter(None, row.reasons.split(";"))),
        "missing": row.missing,
        "report_by": row.report_by,
        "days_left": (row.report_by - today).days,
        "papers": () if benefit is None else benefit.evidence,
        "feed": row.feed,
        "computed_at": row.computed_at,
    }
