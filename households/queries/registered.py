"""What a roster or the register says of the households of some people: members, cover, figures, shared accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.sealing import ERASED, Sealer
from households.models.people import (
    BankAccount,
    Cover,
    HouseholdRow,
    Income,
    Membership,
    Person,
    PersonCategory,
    PersonName,
    Residence,
)
from households.models.two_times import REGISTER, ROSTER, Dated, believed, true_on
from households.queries.views import View, in_portions
from households.registered import HEAD, Enrolled, Figures, Registered

_ACCOUNT = ("account_no", "account_name", "bank_code")


def registered(
    session: Session,
    sealer: Sealer,
    view: View,
    id_numbers: Collection[str],
    payee_accounts: Collection[str] = (),
    day: date | None = None,
) -> Registered:
    """The households of some people on a day, and which households have their accounts or the payees'.

    `day` counts in the register only: a roster says nothing of the days of membership (rules.md §4: “Household” is
    every roster row with the claimant's 户编号). A person of whom the policy has no cover at all is left out.
    """
    people = {sealer.lookup("id_number", number) for number in id_numbers}
    if view.pack_only:
        members = _of_roster(session, sealer, view, people)
    else:
        members = _of_register(session, sealer, view, people, day or date.max)
    homes = {row.household_id: row.enrolled.household_no for row in members}
    figures = _figures(session, sealer, view, homes, day)
    accounts = {*payee_accounts, *(row.account_no for row in figures.values() if row.account_no)}
    return Registered([row.enrolled for row in members], figures, _shared(session, sealer, view, accounts))


@dataclass(frozen=True, slots=True)
class _Member:
    household_id: str
    enrolled: Enrolled


# --- of a roster ---------------------------------------------------------------------------------------


def _of_roster(session: Session, sealer: Sealer, view: View, people: Collection[str]) -> list[_Member]:
    mine = (
        (Cover.policy_number == view.policy_number)
        & (Cover.source == ROSTER)
        & believed(Cover, view.known_at)
    )
    homes: set[str] = set()
    for portion in in_portions(people):
        query = select(Cover.household_id).join(Person, Person.id == Cover.person_id)
        homes.update(session.scalars(query.where(Person.id_lookup.in_(portion), mine)))
    members = []
    for portion in in_portions(homes):
        query = _covers().where(Cover.household_id.in_(portion), mine)
        for row in session.execute(query):
            if row.person_sealed != ERASED:
                members.append(_Member(row.household_id, _enrolled(sealer, row)))
    return members


def _covers() -> Any:
    return (
        select(
            Cover.id,
            Cover.person_id,
            Cover.household_id,
            Cover.relation,
            Cover.category,
            Cover.village_code,
            Cover.cover_from,
            Cover.cover_to,
            Cover.renewal,
            Cover.source,
            Cover.sealed,
            Person.sealed.label("person_sealed"),
            HouseholdRow.household_no,
        )
        .join(Person, Person.id == Cover.person_id)
        .join(HouseholdRow, HouseholdRow.id == Cover.household_id)
    )


def _enrolled(sealer: Sealer, row: Any) -> Enrolled:
    person = orjson.loads(sealer.reveal("person", "sealed", row.person_id, row.person_sealed))
    return Enrolled(
        household_no=row.household_no,
        relation=row.relation,
        name=sealer.reveal("cover", "sealed", row.id, row.sealed),
        id_number=person["id_number"],
        category=row.category,
        village_code=row.village_code,
        cover_from=row.cover_from,
        cover_to=row.cover_to,
        renewal=row.renewal,
    )


# --- of the register -----------------------------------------------------------------------------------


def _of_register(
    session: Session, sealer: Sealer, view: View, people: Collection[str], day: date
) -> list[_Member]:
    homes: set[str] = set()
    for portion in in_portions(people):
        mine = select(Person.id).where(Person.id_lookup.in_(portion))
        there = session.scalars(
            select(Membership).where(Membership.person_id.in_(mine), believed(Membership, view.known_at))
        )
        homes.update(member.household_id for member in _on_day(there, day))
    members = []
    for portion in in_portions(homes):
        of_homes = select(Membership.person_id).where(Membership.household_id.in_(portion))
        everyone = session.scalars(
            select(Membership).where(Membership.person_id.in_(of_homes), believed(Membership, view.known_at))
        )
        here = [member for member in _on_day(everyone, day) if member.household_id in portion]
        members += _with_cover(session, sealer, view, here, day)
    return members


def _on_day(memberships: Iterable[Membership], day: date) -> list[Membership]:
    """The membership of each person that holds on a day; of somebody who has none then, the last one before it.

    Whoever has died stays a member of the household: their heirs claim, and they count among its covered members.
    """
    best: dict[str, Membership] = {}
    for member in memberships:
        if member.valid_from is not None and member.valid_from > day:
            continue
        there = best.get(member.person_id)
        if there is None or (member.valid_from or date.min) > (there.valid_from or date.min):
            best[member.person_id] = member
    return [
        member
        for member in best.values()
        if member.valid_to is None or member.valid_to >= day or member.ended_by in (None, "death")
    ]


def _with_cover(
    session: Session, sealer: Sealer, view: View, members: list[Membership], day: date
) -> list[_Member]:
    ids = [member.person_id for member in members]
    covers: dict[str, list[Any]] = defaultdict(list)
    mine = (Cover.policy_number == view.policy_number) & believed(Cover, view.known_at)
    for row in session.execute(_covers().where(Cover.person_id.in_(ids), mine)):
        covers[row.person_id].append(row)
    names = {
        row.person_id: sealer.reveal("person_name", "sealed", row.id, row.sealed)
        for row in session.scalars(_in_force(PersonName, view, day).where(PersonName.person_id.in_(ids)))
        if row.sealed != ERASED
    }
    categories = {
        row.person_id: row.category
        for row in session.scalars(
            _in_force(PersonCategory, view, day).where(PersonCategory.person_id.in_(ids))
        )
    }
    homes = HouseholdRow.id.in_({member.household_id for member in members})
    query = select(HouseholdRow.id, HouseholdRow.household_no).where(homes)
    numbers = dict(session.execute(query).all())
    rows: dict[str, Any] = {person_id: _cover_on(own, day) for person_id, own in covers.items()}
    villages = _villages(session, view, members, rows, day)
    found = []
    for member in members:
        cover = rows.get(member.person_id)
        if cover is None or cover.person_sealed == ERASED:
            continue
        plain = _enrolled(sealer, cover)
        enrolled = Enrolled(
            household_no=numbers[member.household_id],
            relation=member.relation,
            name=names.get(member.person_id, plain.name),
            id_number=plain.id_number,
            category=categories.get(member.person_id, plain.category),
            village_code=villages.get(member.person_id, plain.village_code),
            cover_from=plain.cover_from,
            cover_to=plain.cover_to,
            renewal=plain.renewal,
            died_on=member.valid_to if member.ended_by == "death" else None,
        )
        found.append(_Member(member.household_id, enrolled))
    return found


def _villages(
    session: Session, view: View, members: Sequence[Membership], rows: Mapping[str, Any], day: date
) -> dict[str, str]:
    """Person → their village on a day, where it is another one than their cover says: that of their household.

    The register says where a household lived; where it says nothing, whoever came into the household has the village
    of those who are insured there.
    """
    homes = {member.household_id for member in members}
    query = _in_force(Residence, view, day).where(Residence.household_id.in_(homes))
    kept = {row.household_id: row.village_code for row in session.scalars(query)}
    covers = sorted(rows.values(), key=lambda row: (row.relation != HEAD, row.village_code), reverse=True)
    insured = {row.household_id: row.village_code for row in covers}
    found = {}
    for member in members:
        home, row = member.household_id, rows.get(member.person_id)
        if home in kept:
            found[member.person_id] = kept[home]
        elif row is not None and row.household_id != home and home in insured:
            found[member.person_id] = insured[home]
    return found


def _in_force(model: type[Dated], view: View, day: date) -> Any:
    return select(model).where(believed(model, view.known_at), true_on(model, day))


def _cover_on(rows: Iterable[Any], day: date) -> Any:
    """The cover that counts on a day: the register's where it has any, and of several the nearest."""
    rows = list(rows)
    mine = [row for row in rows if row.source == REGISTER] or rows
    return min(mine, key=lambda row: (_distance(row, day), row.cover_from), default=None)


def _distance(row: Any, day: date) -> int:
    if row.cover_from <= day <= row.cover_to:
        return 0
    return int(min(abs((day - row.cover_from).days), abs((day - row.cover_to).days)))


# --- figures and accounts ------------------------------------------------------------------------------


def _figures(
    session: Session, sealer: Sealer, view: View, homes: dict[str, str], day: date | None
) -> dict[str, Figures]:
    """Household number → its figures. Of the register, what holds on the day and was learnt last."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for portion in in_portions(homes):
        for row in _facts(session, Income, view, portion, day):
            income = orjson.loads(sealer.reveal("income", "sealed", row.id, row.sealed))
            found[homes[row.household_id]]["income_per_head_fen"] = income["per_head_fen"]
        for row in _facts(session, BankAccount, view, portion, day):
            account = orjson.loads(sealer.reveal("bank_account", "sealed", row.id, row.sealed))
            found[homes[row.household_id]] |= {name: account[name] for name in _ACCOUNT}
    return {number: Figures(**found[number]) for number in homes.values()}


def _facts(
    session: Session,
    model: type[Income] | type[BankAccount],
    view: View,
    household_ids: Collection[str],
    day: date | None,
) -> list[Any]:
    """The facts of some households, those that count last: the register's after the roster's."""
    query = select(model).where(model.household_id.in_(household_ids), believed(model, view.known_at))
    own = (model.source == ROSTER) & (model.policy_number == view.policy_number)
    if view.pack_only:
        query = query.where(own)
    else:
        kept = (model.source == REGISTER) & (
            true_on(model, day) if day is not None else model.valid_to.is_(None)
        )
        query = query.where(own | kept)
    rows: list[Any] = [row for row in session.scalars(query) if row.sealed != ERASED]  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: (row.source == REGISTER, row.known_at, row.valid_from or date.min))


def _shared(session: Session, sealer: Sealer, view: View, accounts: Collection[str]) -> dict[str, list[str]]:
    """Account number → numbers of the households that have it."""
    by_lookup = {sealer.lookup("account", account): account for account in accounts}
    found: dict[str, list[str]] = defaultdict(list)
    for portion in in_portions(by_lookup):
        query = (
            select(BankAccount.account_lookup, HouseholdRow.household_no)
            .join(HouseholdRow, HouseholdRow.id == BankAccount.household_id)
            .where(BankAccount.account_lookup.in_(portion), view.sources(BankAccount))
        )
        if view.pack_only:
            query = query.where(BankAccount.policy_number == view.policy_number)
        for lookup, number in session.execute(query):
            found[by_lookup[lookup or ""]].append(number)
    return found
