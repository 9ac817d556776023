"""The list of claims: filtered, sorted, page by page, with the totals of what was filtered; and looked up by person.

Everything is held by the actor's place. A page opens the claims that it shows and no other; how many statements it
takes does not depend on how many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from claims.models import ClaimRow, DecisionRow, Determination, ListingRow, Review
from claims.storing import load_claim
from claims.terms import Pair, line_name
from foundation.actors import Actor
from foundation.database import table_of
from foundation.masking import Audience, id_number_for
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models import HouseholdRow
from policies.policy import Policy
from policies.queries import policies_by_id


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None leaves a thing open. `number` is a part of the claim number."""

    line: str | None = None
    state: str | None = None
    outcome: str | None = None
    town: str | None = None
    reason: str | None = None
    policy: str | None = None
    notified_from: date | None = None
    notified_to: date | None = None
    number: str | None = None
    review: bool | None = None
    """Only claims that a later pack has put in doubt."""

    def chosen(self) -> dict[str, str]:
        """Those that are set, as they stand in an address or a form."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: "1" if value is True else str(value) for name, value in values.items() if value is not None
        }


@dataclass(frozen=True, slots=True)
class ExportedClaim:
    """A claim without its claimant. The outcome and amount are those of the effective decision, else of the newest."""

    id: str
    policy_number: str
    claim_no: str
    line: str
    benefit: str
    town: str
    village: str | None
    event_on: date
    notified_on: date
    state: str
    outcome: str
    payable_fen: int
    reasons: tuple[str, ...]
    policy_id: str
    line_title: Pair
    """As the policy names the line, and in English."""


@dataclass(frozen=True, slots=True)
class ListedClaim(ExportedClaim):
    """A claim as a list shows it."""

    name: str | None
    id_number: str | None
    """Masked. Both are None once they were erased at the end of their term."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of everything that was filtered: claims, their payable amounts, and what of it was determined, in fen."""

    claims: int
    payable_fen: int
    determined_fen: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What a list can be narrowed to within the actor's place."""

    towns: tuple[str, ...]
    policies: tuple[str, ...]


SORTS: Mapping[str, Any] = {
    "notified": ListingRow.notified_on,
    "event": ListingRow.event_on,
    "number": ListingRow.claim_no,
    "amount": ListingRow.payable_fen,
}
"""Columns that a list can be sorted by."""

PAGE = 50
"""Claims on a page."""
MOST_FOUND = 200
"""Claims that a look-up by person shows."""


class _Found(NamedTuple):
    """What is selected of a claim for a list, as the database has it."""

    id: str
    policy_number: str
    claim_no: str
    line: str
    benefit: str
    town: str
    village: str | None
    event_on: date
    notified_on: date
    state: str
    outcome: str
    payable_fen: int
    reasons: str
    policy_id: str


_COLUMNS = (
    ListingRow.claim_id,
    ListingRow.policy_number,
    ListingRow.claim_no,
    ListingRow.line,
    ListingRow.benefit,
    ListingRow.town,
    ListingRow.village,
    ListingRow.event_on,
    ListingRow.notified_on,
    ListingRow.state,
    ListingRow.outcome,
    ListingRow.payable_fen,
    ListingRow.reasons,
    ListingRow.policy_id,
)
"""In the order of `_Found`."""

STANDING_COLUMNS = (
    ClaimRow.id,
    ClaimRow.policy_number,
    ClaimRow.claim_no,
    ClaimRow.line,
    ClaimRow.benefit,
    ClaimRow.town,
    HouseholdRow.village,
    HouseholdRow.village_code,
    ClaimRow.notified_on,
    ClaimRow.event_on,
    ClaimRow.state,
    DecisionRow.id,
    DecisionRow.policy_id,
    DecisionRow.outcome,
    DecisionRow.payable_fen,
    DecisionRow.reasons,
    Determination.amount_fen,
)
"""Of `standing`, in the order of the columns of `ListingRow`."""


def standing(*columns: Any) -> Select[Any]:
    """Columns of all claims, each with the decision that counts for it: what the rows of the list are made from.

    That is the decision that was determined, else the newest: every claim has one from the moment that it is taken in.
    """
    last = aliased(DecisionRow)
    newest = (
        select(last.id)
        .where(last.claim_id == ClaimRow.id)
        .order_by(last.sequence.desc())
        .limit(1)
        .correlate(ClaimRow)
        .scalar_subquery()
    )
    return (
        select(*columns)
        .select_from(ClaimRow)
        .outerjoin(HouseholdRow, HouseholdRow.id == ClaimRow.household_id)
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .join(DecisionRow, DecisionRow.id == func.coalesce(Determination.decision_id, newest))
    )


def stale(session: Session) -> int:
    """How many rows of the list differ from what they are made from: 0, or somebody changed a claim and told no one."""
    rows, made = select(*table_of(ListingRow).columns), standing(*STANDING_COLUMNS)
    differing = (one.except_(other).subquery() for one, other in ((made, rows), (rows, made)))
    return sum(session.scalar(select(func.count()).select_from(part)) or 0 for part in differing)


def of_place(actor: Actor, *columns: Any) -> Select[Any]:
    """Columns of the listed claims within an actor's place."""
    return select(*columns).select_from(ListingRow).where(within(ListingRow.village_code, actor.place))


def filtered(query: Select[Any], filters: Filters) -> Select[Any]:
    """A query over `of_place`, narrowed."""
    equal = (
        (ListingRow.line, filters.line),
        (ListingRow.state, filters.state),
        (ListingRow.town, filters.town),
        (ListingRow.policy_number, filters.policy),
        (ListingRow.outcome, filters.outcome),
    )
    for column, value in equal:
        if value is not None:
            query = query.where(column == value)
    if filters.reason is not None:
        codes = func.concat(";", ListingRow.reasons, ";")
        query = query.where(codes.contains(f";{filters.reason};", autoescape=True))
    if filters.notified_from is not None:
        query = query.where(ListingRow.notified_on >= filters.notified_from)
    if filters.notified_to is not None:
        query = query.where(ListingRow.notified_on <= filters.notified_to)
    if filters.review:
        query = query.where(exists().where(Review.claim_id == ListingRow.claim_id))
    if filters.number is not None:
        query = query.where(ListingRow.claim_no.icontains(filters.number, autoescape=True))
    return query


def page_of_claims(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    sort: str,
    *,
    descending: bool,
    cursor: str | None,
    size: int = PAGE,
) -> Page[ListedClaim]:
    """One page of the list, sorted by one of `SORTS`. Raises BadRequest for a cursor that is not of this list."""
    query = filtered(of_place(actor, *_COLUMNS), filters)
    page = keyset(session, query, [SORTS[sort]], ListingRow.claim_id, cursor, size, descending=descending)
    return Page(_opened(session, sealer, page.rows), page.newer, page.older)


def totals(session: Session, actor: Actor, filters: Filters) -> Totals:
    """How many claims the filters leave, and what they come to."""
    query = of_place(
        actor, func.count(), func.sum(ListingRow.payable_fen), func.sum(ListingRow.determined_fen)
    )
    count, payable, determined = session.execute(filtered(query, filters)).one()
    return Totals(count, int(payable or 0), int(determined or 0))


def people(session: Session, actor: Actor, filters: Filters) -> int:
    """How many claimants the filters leave. Nothing that is sealed is opened: who is who shows by keyed digests."""
    claimant = func.coalesce(ClaimRow.id_lookup, ClaimRow.id)
    query = of_place(actor, func.count(func.distinct(claimant)))
    query = query.join(ClaimRow, ClaimRow.id == ListingRow.claim_id)
    return session.scalar(filtered(query, filters)) or 0


def choices(session: Session, actor: Actor) -> Choices:
    """Towns and policies that have claims within the actor's place."""
    query = of_place(actor, ListingRow.town, ListingRow.policy_number).distinct()
    rows = session.execute(query).all()
    towns = {row.town for row in rows if row.town}
    return Choices(tuple(sorted(towns)), tuple(sorted({row.policy_number for row in rows})))


def found_by_person(
    session: Session, sealer: Sealer, actor: Actor, name: str | None, id_number: str | None
) -> list[ListedClaim]:
    """The claims of a person, newest first, at most `MOST_FOUND`; by exact name, by ID number, or by both."""
    query = of_place(actor, *_COLUMNS).join(ClaimRow, ClaimRow.id == ListingRow.claim_id)
    if name is not None:
        query = query.where(ClaimRow.name_lookup == sealer.lookup("name", name))
    if id_number is not None:
        query = query.where(ClaimRow.id_lookup == sealer.lookup("id_number", id_number))
    query = query.order_by(ListingRow.notified_on.desc(), ListingRow.claim_id).limit(MOST_FOUND)
    return _opened(session, sealer, session.execute(query))


def claims_of_household(
    session: Session, sealer: Sealer, actor: Actor, household_id: str, but: str
) -> list[ListedClaim]:
    """A household's claims by day of notice, without the one that is looked at."""
    query = (
        of_place(actor, *_COLUMNS)
        .join(ClaimRow, ClaimRow.id == ListingRow.claim_id)
        .where(ClaimRow.household_id == household_id, ClaimRow.id != but)
        .order_by(ListingRow.notified_on, ListingRow.claim_no)
    )
    return _opened(session, sealer, session.execute(query))


def claims_to_export(session: Session, actor: Actor, filters: Filters) -> list[ExportedClaim]:
    """Every filtered claim by day of notice. Nothing that is sealed is opened."""
    query = filtered(of_place(actor, *_COLUMNS), filters)
    ordered = query.order_by(ListingRow.notified_on, ListingRow.claim_no, ListingRow.claim_id)
    rows = [_Found(*row) for row in session.execute(ordered)]
    policies = policies_by_id(session, (row.policy_id for row in rows))
    return [ExportedClaim(**_shown(row, policies)) for row in rows]


def _opened(session: Session, sealer: Sealer, rows: Iterable[Any]) -> list[ListedClaim]:
    """Rows of `_COLUMNS` with their claimants opened and their lines named."""
    found = [_Found(*row) for row in rows]
    policies = policies_by_id(session, (row.policy_id for row in found))
    sealed = select(ClaimRow.id, ClaimRow.sealed).where(ClaimRow.id.in_([row.id for row in found]))
    claims = {
        row.id: load_claim(sealer.reveal("claim", "sealed", row.id, row.sealed))
        for row in session.execute(sealed)
        if row.sealed != ERASED
    }
    return [
        ListedClaim(
            **_shown(row, policies),
            name=claims[row.id].name if row.id in claims else None,
            id_number=id_number_for(Audience.OFFICER, claims[row.id].id_number) if row.id in claims else None,
        )
        for row in found
    ]


def _shown(row: _Found, policies: Mapping[str, Policy]) -> dict[str, Any]:
    return row._asdict() | {
        "reasons": tuple(filter(None, row.reasons.split(";"))),
        "line_title": line_name(policies[row.policy_id], row.line, row.event_on),
    }
