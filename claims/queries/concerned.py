"""Which households with claims a piece of new knowledge concerns: a department's delivery, a change of the register."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from claims.models import ClaimRow
from claims.queries.policies import policies_in_use
from foundation.sealing import ERASED, Sealer
from households.feeds import FEEDS
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedRow
from households.models.people import BankAccount, Membership, Person
from households.models.two_times import believed
from households.queries.feed_rows import typed_row
from households.queries.views import View, in_portions, scopes_of

FULL = "full"


def households_of_delivery(session: Session, sealer: Sealer, delivery_id: str) -> list[str]:
    """Households with claims about whose members the delivery brought, or took back, a row.

    None for the delivery of a pack: its claims were decided, and compared, from it in the transaction that took it in.
    All of them where it changes who answers for the feed: with the department's first whole list the packs' copies
    count no more, and where a pack has none, its first rows are data where there was no data.
    """
    delivery = session.get(FeedDelivery, delivery_id)
    if delivery is None or delivery.scope != DEPARTMENT or delivery.feed not in FEEDS:
        return []
    if _changes_who_answers(session, delivery):
        return sorted(session.scalars(_with_claims()))
    touched = (
        (FeedRow.feed == delivery.feed)
        & (FeedRow.scope == DEPARTMENT)
        & or_(FeedRow.delivery_id == delivery.id, FeedRow.retired_at == delivery.taken_in_at)
    )
    people = select(FeedRow.id_lookup).where(touched)
    found = set(session.scalars(_with_claims().where(Person.id_lookup.in_(people))))
    if delivery.feed == "payroll":
        found |= _of_relatives(session, sealer, people)
    return sorted(found)


def _changes_who_answers(session: Session, delivery: FeedDelivery) -> bool:
    earlier = (
        (FeedDelivery.feed == delivery.feed)
        & (FeedDelivery.scope == DEPARTMENT)
        & (FeedDelivery.sequence < delivery.sequence)
    )
    modes = set(session.scalars(select(FeedDelivery.mode).where(earlier).distinct()))
    if delivery.mode == FULL:
        return FULL not in modes
    if modes:
        return False
    return any(
        delivery.feed not in scopes_of(session, View(number, pack_only=True))
        for number in policies_in_use(session)
    )


def _with_claims() -> Select[str]:
    """Households of which, or of one of whose members, there is a claim."""
    member = aliased(Membership)
    own = select(ClaimRow.household_id).where(ClaimRow.household_id.is_not(None))
    of_members = (
        select(member.household_id)
        .join(Person, Person.id == member.person_id)
        .join(ClaimRow, ClaimRow.id_lookup == Person.id_lookup)
        .where(believed(member))
    )
    return (
        select(Membership.household_id)
        .join(Person, Person.id == Membership.person_id)
        .where(believed(Membership), Membership.household_id.in_(own.union(of_members)))
        .distinct()
    )


def _of_relatives(session: Session, sealer: Sealer, people: Select[str]) -> set[str]:
    """Households with claims of whose members one of the people is a near relative, by the rows of 直系亲属."""
    query = (
        _with_claims()
        .join(FeedRow, FeedRow.id_lookup == Person.id_lookup)
        .where(FeedRow.feed == "kin", FeedRow.retired_at.is_(None))
        .add_columns(FeedRow.id, FeedRow.sealed)
    )
    homes: dict[str, set[str]] = {}
    for household_id, row_id, sealed in session.execute(query):
        if sealed != ERASED:
            relative = typed_row(sealer, "kin", row_id, sealed).relative_id_number
            homes.setdefault(sealer.lookup("id_number", relative), set()).add(household_id)
    found: set[str] = set()
    for portion in in_portions(homes):
        for lookup in session.scalars(people.where(FeedRow.id_lookup.in_(portion))):
            found |= homes[lookup]
    return found


def sharing_accounts(session: Session, household_ids: Collection[str]) -> set[str]:
    """Households that have, or had, an account that one of these has or had: who shares one is asked about it."""
    found: set[str] = set()
    for portion in in_portions(household_ids):
        theirs = select(BankAccount.account_lookup).where(
            BankAccount.household_id.in_(portion), BankAccount.account_lookup.is_not(None)
        )
        found.update(
            session.scalars(select(BankAccount.household_id).where(BankAccount.account_lookup.in_(theirs)))
        )
    return found
