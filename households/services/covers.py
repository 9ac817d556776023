"""Cover that the register keeps beside the rosters: for the newborn and the newly recognised; ended or extended.

Once the register says anything of somebody's cover under a policy it says all of it: what a roster has there is taken
over as the register's own. A roster's row stays what it is, for the pack that it came with.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import Cover, HouseholdRow, Membership
from households.models.two_times import REGISTER, ROSTER, believed
from households.queries.people import counting, identity, person_of_place, spells_of
from households.services.writing import Writing, begin, refuse_future, share_a_day
from policies.queries import periods


def add_cover(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    person_id: str,
    policy_number: str,
    category: str,
    first: date,
    last: date,
) -> str:
    """Cover of a member under a policy from day to day; the row's id.

    Raises NotFound outside the actor's place, InvalidInput for days outside the policy's period, ConflictError for
    somebody who is in no household on the first day, or who has cover then.
    """
    work = begin(session, sealer, actor, at)
    person = person_of_place(session, actor, person_id)
    refuse_future(at, "cover_from", first)
    begins = _check_days(session, policy_number, first, last)
    if first < begins:
        raise InvalidInput({"cover_from": [(f"不能早于 {begins}", f"must not be before {begins}")]})
    spell = next(
        (
            one
            for one in spells_of(session, [person_id])
            if share_a_day((one.valid_from, one.valid_to), (first, first))
        ),
        None,
    )
    if spell is None:
        raise ConflictError("此人在起保日不属于任何一户", "this person is in no household on the first day")
    there = counting(covers_under(session, person_id, policy_number))
    if any(share_a_day((row.cover_from, row.cover_to), (first, last)) for row in there):
        raise ConflictError(
            "此人在该保单下已有这段时间的保障", "this person has cover under the policy then already"
        )
    _take_over(work, there)
    _, name = identity(sealer, person)
    home = session.get_one(HouseholdRow, spell.household_id)
    values = {
        "policy_number": policy_number,
        "person_id": person_id,
        "household_id": home.id,
        "relation": spell.relation,
        "category": category,
        "village_code": home.village_code,
        "cover_from": first,
        "cover_to": last,
        "renewal": False,
    }
    written = write_cover(work, values, name or "")
    work.note(
        Change(
            "cover.added",
            "cover",
            written,
            after=work.digest("cover", [person_id, policy_number, str(first), str(last)]),
        )
    )
    work.touches(home.id)
    work.finish()
    return written


def change_cover(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, cover_id: str, last: date
) -> str:
    """Cover ends on another day, earlier or later; the id of the row that says so now.

    Raises NotFound outside the actor's place, InvalidInput for a day outside the policy's period, ConflictError where
    it meets other cover, or for one that does not count any more.
    """
    work = begin(session, sealer, actor, at)
    row = session.get(Cover, cover_id)
    if row is None:
        raise NotFound
    person_of_place(session, actor, row.person_id)
    there = counting(covers_under(session, row.person_id, row.policy_number))
    if row.id not in {one.id for one in there}:
        raise ConflictError(
            "这项登记已被他人更改,请刷新后再办", "somebody else has changed this; look again and retry"
        )
    if last == row.cover_to:
        raise ConflictError("终保日期没有变化", "that is the last day already")
    _check_days(session, row.policy_number, row.cover_from, last)
    others = [one for one in there if one.id != row.id]
    if any(share_a_day((one.cover_from, one.cover_to), (row.cover_from, last)) for one in others):
        raise ConflictError(
            "此人在该保单下已有这段时间的保障", "this person has cover under the policy then already"
        )
    if row.source == REGISTER:
        work.retire(row)
    else:
        _take_over(work, others)
    written = write_cover(work, {**cover_values(row), "cover_to": last}, work.revealed(row))
    after = work.digest("cover", [row.person_id, row.policy_number, str(last)])
    work.note(Change("cover.changed", "cover", written, after=after, before=row.digest))
    work.touches(row.household_id, *_homes_now(session, row.person_id))
    work.finish()
    return written


def write_cover(work: Writing, values: dict[str, Any], name: str) -> str:
    """A row of cover of the register, with its digest; its id."""
    content = [str(values[key]) for key in sorted(values)]
    return work.add(Cover, name, **values, digest=work.digest("cover", [*content, name]))


def _take_over(work: Writing, rows: Iterable[Cover]) -> None:
    """A roster's cover as the register's own, so that the register says all of it."""
    for row in rows:
        if row.source == ROSTER:
            write_cover(work, cover_values(row), work.revealed(row))


def cover_values(row: Cover) -> dict[str, Any]:
    """What a row of cover says, without its times, name and digest."""
    names = (
        "policy_number",
        "person_id",
        "household_id",
        "relation",
        "category",
        "village_code",
        "cover_from",
        "cover_to",
        "renewal",
    )
    return {name: getattr(row, name) for name in names}


def covers_under(session: Session, person_id: str, policy_number: str) -> list[Cover]:
    """Everything that is believed of somebody's cover under a policy, from rosters and from the register."""
    mine = (Cover.person_id == person_id) & (Cover.policy_number == policy_number) & believed(Cover)
    return list(session.scalars(select(Cover).where(mine)))


def _homes_now(session: Session, person_id: str) -> list[str]:
    query = select(Membership.household_id).where(Membership.person_id == person_id, believed(Membership))
    return list(session.scalars(query))


def _check_days(session: Session, policy_number: str, first: date, last: date) -> date:
    """The first day of the policy's period. Raises InvalidInput for a last day outside of it or before the first."""
    period = periods(session).get(policy_number)
    if period is None:
        raise InvalidInput({"policy_number": [("没有这份保单", "there is no such policy")]})
    begins, ends = period
    if last < first:
        raise InvalidInput({"cover_to": [("不能早于起保日期", "must not be before the first day")]})
    if not begins <= last <= ends:
        wrong = (f"须在 {begins} 至 {ends} 之间", f"must be from {begins} to {ends}")
        raise InvalidInput({"cover_to": [wrong]})
    return begins
