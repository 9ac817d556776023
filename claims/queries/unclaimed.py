"""Departments' rows of insured people that nobody has claimed, decided as if they were claimed today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import orjson
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from claims.adjudication import Usage
from claims.facts import Facts
from claims.models import ClaimRow
from claims.owed import (
    DEATH_DAYS,
    FEEDS,
    Claimed,
    Owed,
    Row,
    SchoolCost,
    WouldBe,
    decide_owed,
    would_be_claims,
)
from claims.queries import Standing, by_household, open_decision, standings
from claims.queries.registered_facts import facts_from_register
from claims.states import WITHDRAWN
from claims.storing import load_claim
from foundation.collecting import without_cycle_search
from foundation.sealing import ERASED, Sealer
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, FeedRow
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.feed_rows import typed_row
from households.queries.views import View, in_portions, scopes_of
from policies.policy import Policy
from policies.queries import policy_by_id

_SCHOOL_COSTS = "school_costs"


@dataclass(frozen=True, slots=True)
class OwedTo:
    """What a person of a household is owed for one row."""

    household_id: str
    person_id: str
    village_code: str
    owed: Owed


def claims_were_erased(session: Session, policy_number: str) -> bool:
    """Whether claims under a policy are at the end of their term: what was claimed is not known any more then."""
    gone = exists().where(ClaimRow.policy_number == policy_number, ClaimRow.sealed == ERASED)
    return bool(session.scalar(select(gone)))


def claimed_under(
    session: Session, sealer: Sealer, policy_number: str, id_lookups: Collection[str] | None = None
) -> Claimed:
    """What has been claimed under a policy; by some people only where they are given, by keyed digest."""
    query = select(ClaimRow.id, ClaimRow.claim_no, ClaimRow.notified_on, ClaimRow.sealed).where(
        ClaimRow.policy_number == policy_number, ClaimRow.state != WITHDRAWN, ClaimRow.sealed != ERASED
    )
    if id_lookups is not None:
        query = query.where(ClaimRow.id_lookup.in_(id_lookups))
    rows = sorted(session.execute(query), key=lambda row: (row.notified_on, row.claim_no))
    claimed = Claimed()
    for row in rows:
        claimed.add(load_claim(sealer.reveal("claim", "sealed", row.id, row.sealed)))
    return claimed


def people_of(session: Session, household_ids: Collection[str]) -> dict[str, str]:
    """Keyed digest of the ID number → row id of everybody who belongs to some households on some day."""
    query = (
        select(Person.id_lookup, Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.household_id.in_(household_ids), believed(Membership))
    )
    return dict(session.execute(query).all())


@without_cycle_search()
def owed_to(
    session: Session,
    sealer: Sealer,
    policy: Policy,
    household_ids: Collection[str],
    claimed: Claimed,
    today: date,
) -> list[OwedTo]:
    """What some households are owed under a policy for rows that nobody has claimed, rejects and unknowns included.

    A household of whose determinations one was erased is left out: what it has used is not known any more.
    """
    people = people_of(session, household_ids)
    view = View(policy.number)
    rows = list(_rows(session, sealer, view, policy, people))
    if not rows:
        return []
    costs = _school_costs(session, sealer, people)
    would_be = would_be_claims(policy, rows, costs, claimed, today)
    facts = facts_from_register(session, sealer, view, policy, [one.claim for one in would_be], today)
    homes: dict[str, list[tuple[WouldBe, Facts]]] = defaultdict(list)
    for one in would_be:
        given = facts[one.claim.claim_no]
        if given.household is not None:  # somebody whom the policy has never covered is owed nothing under it
            homes[given.household.household_no].append((one, given))
    places = _places(session, homes, household_ids)
    used = _used(session, sealer, policy.number, {place.id for place in places.values()})
    found = []
    for number, items in homes.items():
        place = places.get(number)
        usage = Usage() if place is None else used.get(place.id, Usage())
        if place is None or usage is None:
            continue
        for owed in decide_owed(policy, items, usage, claimed):
            person_id = people[sealer.lookup("id_number", owed.facts.claim.id_number)]
            found.append(OwedTo(place.id, person_id, place.village_code, owed))
    return found


def _rows(
    session: Session, sealer: Sealer, view: View, policy: Policy, people: Mapping[str, str]
) -> Iterator[Row]:
    """The rows of some people that may be owed for; a death may follow an accident after the policy's last day."""
    scopes = scopes_of(session, view)
    seen: set[tuple[str, str]] = set()
    last = policy.period_to + timedelta(DEATH_DAYS)
    in_time = or_(FeedRow.on_day.is_(None), FeedRow.on_day.between(policy.period_from, last))
    for portion in in_portions(people):
        columns = (FeedRow.id, FeedRow.feed, FeedRow.scope, FeedRow.digest, FeedRow.sealed)
        query = select(*columns).where(
            FeedRow.id_lookup.in_(portion),
            FeedRow.feed.in_(FEEDS),
            FeedRow.retired_at.is_(None),
            in_time,
        )
        # One content is one row, by whichever road it came first.
        for identity, feed, scope, digest, sealed in session.execute(
            query.order_by(FeedRow.known_at, FeedRow.id)
        ):
            if scope in scopes.get(feed, ()) and sealed != ERASED and (feed, digest) not in seen:
                seen.add((feed, digest))
                yield Row(identity, feed, typed_row(sealer, feed, identity, sealed))


def _school_costs(
    session: Session, sealer: Sealer, people: Mapping[str, str]
) -> dict[tuple[str, str], SchoolCost]:
    """What the department of education knows of the cost of school 就学费用; no pack has this feed."""
    layout = layouts()[_SCHOOL_COSTS]
    found = {}
    for portion in in_portions(people):
        query = select(FeedRow.id, FeedRow.sealed).where(
            FeedRow.id_lookup.in_(portion),
            FeedRow.feed == _SCHOOL_COSTS,
            FeedRow.scope == DEPARTMENT,
            FeedRow.retired_at.is_(None),
            FeedRow.sealed != ERASED,
        )
        for identity, sealed in session.execute(query.order_by(FeedRow.known_at, FeedRow.id)):
            text = sealer.reveal("feed_row", "sealed", identity, sealed)
            values = layout.from_stored(orjson.loads(text))
            who = layout.field(values, "id_number"), layout.field(values, "academic_year")
            sums = ("tuition_fen", "boarding_fen", "books_fen", "aid_fen")
            found[who] = SchoolCost(*(layout.field(values, name) or 0 for name in sums))
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    id: str
    village_code: str


def _places(session: Session, numbers: Collection[str], household_ids: Collection[str]) -> dict[str, _Place]:
    """Household number → its row id and village, of those that were asked for: no other is decided here."""
    wanted = set(household_ids)
    found = {}
    for portion in in_portions(numbers):
        query = select(HouseholdRow.household_no, HouseholdRow.id, HouseholdRow.village_code)
        for number, identity, code in session.execute(query.where(HouseholdRow.household_no.in_(portion))):
            if identity in wanted:
                found[number] = _Place(identity, code)
    return found


def _used(
    session: Session, sealer: Sealer, policy_number: str, household_ids: Collection[str]
) -> dict[str, Usage | None]:
    """Household → what its real claims have used: the determined ones as determined, the others as they stand.

    None where one was erased. A household without claims is not there.
    """
    known = standings(session, policy_number, ClaimRow.household_id.in_(household_ids))
    standing = (item for item in known.values() if item.state != WITHDRAWN)
    return {key: _usage(session, sealer, items) for key, items in by_household(standing).items()}


def _usage(session: Session, sealer: Sealer, items: list[Standing]) -> Usage | None:
    usage = Usage()
    effective = sorted(items, key=lambda item: (item.determined_number is None, item.determined_number or 0))
    for item in effective:
        if item.erased:
            return None
        facts, made = open_decision(sealer, item.decision_id, item.sealed)
        if facts.household is not None:
            usage.add(policy_by_id(session, item.policy_id), facts.claim, facts.household, made)
    return usage
