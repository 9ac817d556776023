"""Two households become one 并户, and one becomes two 分户: what is asked for, and carrying it out.

Everybody who is in the household on the day, or comes into it later, goes over; who left or died before stays in its
history. Incomes and accounts stay with the household that they were of.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.counters import take_numbers
from foundation.database import table_of
from foundation.errors import ConflictError, InvalidInput
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import HouseholdRow, Membership, Residence
from households.queries.households import household_row, village_of
from households.queries.people import spells_in
from households.queries.proposals import Asked
from households.registered import HEAD
from households.services.register import new_relation, transfer
from households.services.writing import Writing, begin, refuse_future, refuse_merged, share_a_day

Content = Mapping[str, Any]
_SERIES = "household_split"


def check_merge(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, household_id: str, content: Content
) -> None:
    """Looks at `{into, on, relations: {person: relation}}`: the household goes into another one.

    Raises NotFound for one outside the actor's place, InvalidInput for what is missing, ConflictError for one that was
    merged, or where there would be two heads.
    """
    _ = sealer
    home = household_row(session, actor, household_id)
    into = household_row(session, actor, content["into"])
    refuse_merged(home)
    refuse_merged(into)
    if home.id == into.id:
        raise InvalidInput({"into": [("不能并入本户", "must be another household")]})
    on = date.fromisoformat(content["on"])
    refuse_future(at, "on", on)
    going = [spell for spell in spells_in(session, household_id) if _is_left(spell, on)]
    if not going:
        raise ConflictError("本户在该日没有成员", "nobody is in the household then")
    relations = content["relations"]
    missing = [spell for spell in going if not relations.get(spell.person_id)]
    if missing:
        raise InvalidInput(
            {"relations": [("请填写每位成员与新户主的关系", "say how each stands to the new head")]}
        )
    heads = [spell for spell in spells_in(session, into.id) if spell.relation == HEAD and _is_left(spell, on)]
    if HEAD in relations.values() and (heads or list(relations.values()).count(HEAD) > 1):
        raise ConflictError("并入的户已有户主", "the household that it goes into has a head")


def carry_out_merge(session: Session, sealer: Sealer, actor: Actor, at: datetime, asked: Asked) -> None:
    """Everybody who is left in the household from the day on is in the other one."""
    content = asked.says
    check_merge(session, sealer, actor, at, asked.household_id, content)
    on, into = date.fromisoformat(content["on"]), content["into"]
    work = begin(session, sealer, actor, at)
    for spell in spells_in(session, asked.household_id):
        if _is_left(spell, on):
            transfer(work, spell, into, content["relations"][spell.person_id], on, "merged")
    statement = update(HouseholdRow).where(HouseholdRow.id == asked.household_id).values(merged_into=into)
    session.execute(statement.execution_options(synchronize_session=False))
    work.note(
        Change(
            "household.merged",
            "household",
            asked.household_id,
            after=work.digest("household", [into, content["on"]]),
        )
    )
    work.note(
        Change(
            "household.took_in",
            "household",
            into,
            after=work.digest("household", [asked.household_id, content["on"]]),
        )
    )
    work.touches(asked.household_id, into)
    work.finish()


def check_split(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, household_id: str, content: Content
) -> None:
    """Looks at `{on, relations: {person: relation}, village_code, head}`: some members make a household of their own.

    `relations` are those of who goes, one of them the head; `head`: of those who stay, if theirs goes.
    Raises InvalidInput for what is missing or cannot be, ConflictError for a household that was merged.
    """
    _ = sealer
    refuse_merged(household_row(session, actor, household_id))
    on = date.fromisoformat(content["on"])
    refuse_future(at, "on", on)
    if village_of(session, content["village_code"]) is None:
        raise InvalidInput({"village_code": [("没有这个村", "there is no such village")]})
    there = [spell for spell in spells_in(session, household_id) if _is_there(spell, on)]
    going, staying = _parted(there, content["relations"])
    if not going or len(going) < len(content["relations"]):
        raise InvalidInput({"relations": [("请选择分出的成员", "choose the members who go")]})
    if not staying:
        raise InvalidInput({"relations": [("至少一人留在本户", "somebody has to stay")]})
    if list(content["relations"].values()).count(HEAD) != 1:
        raise InvalidInput({"relations": [("分出的户须有一位户主", "the new household needs one head")]})
    if not any(spell.relation == HEAD for spell in staying):
        heads = {spell.person_id for spell in staying}
        if content.get("head") not in heads:
            raise InvalidInput(
                {"head": [("请选择留下成员中的新户主", "choose the new head of those who stay")]}
            )


def carry_out_split(session: Session, sealer: Sealer, actor: Actor, at: datetime, asked: Asked) -> None:
    """A new household with a number of its own, and those who go in it from the day on."""
    content = asked.says
    check_split(session, sealer, actor, at, asked.household_id, content)
    on = date.fromisoformat(content["on"])
    work = begin(session, sealer, actor, at)
    fresh = _new_household(work, content["village_code"], on)
    for spell in spells_in(session, asked.household_id):
        relation = content["relations"].get(spell.person_id)
        if relation is not None and _is_left(spell, on):
            transfer(work, spell, fresh, relation, on, "split")
        elif spell.person_id == content.get("head") and _is_there(spell, on) and spell.relation != HEAD:
            new_relation(work, spell, HEAD, on)
    work.note(
        Change(
            "household.split",
            "household",
            asked.household_id,
            after=work.digest("household", [fresh, content["on"]]),
        )
    )
    work.touches(asked.household_id, fresh)
    work.finish()


def _new_household(work: Writing, village_code: str, on: date) -> str:
    """The new household's row id. Its number has an F for 分户, which no roster's has."""
    names = village_of(work.session, village_code)
    assert names is not None  # looked at before
    place = {"town": names[0], "village": names[1], "village_code": village_code}
    (count,) = take_numbers(work.session, _SERIES)
    number = f"{village_code[-6:]}F{count:05d}"
    identity = secrets.token_hex(16)
    digest = work.digest("household", [number, place])
    work.session.execute(
        insert(table_of(HouseholdRow)).values(
            id=identity,
            household_no=number,
            **place,
            merged_into=None,
            digest=digest,
            version=0,
            changed_at=work.at,
        )
    )
    work.add(Residence, household_id=identity, **place, valid_from=on, valid_to=None)
    work.note(
        Change("household.added", "household", identity, after=work.digest("household", [number, place]))
    )
    return identity


def _is_left(spell: Membership, on: date) -> bool:
    """Whether anything of a spell is left from a day on."""
    return spell.valid_to is None or spell.valid_to >= on


def _is_there(spell: Membership, on: date) -> bool:
    return share_a_day((spell.valid_from, spell.valid_to), (on, on))


def _parted(
    spells: list[Membership], relations: Mapping[str, str]
) -> tuple[list[Membership], list[Membership]]:
    going = [spell for spell in spells if spell.person_id in relations]
    return going, [spell for spell in spells if spell.person_id not in relations]
