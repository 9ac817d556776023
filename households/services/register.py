"""Who belongs to a household, from day to day: coming, leaving, dying, relations, corrections.

A change from day D retires the spell that is believed now and writes the one up to the day before and the one from D.
A correction retires what was wrong and writes what is believed instead. Days that have not come are refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.database import table_of
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.identifiers import birth_date
from foundation.places import within
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import HouseholdRow, Membership, Person
from households.queries.households import household_row
from households.queries.people import identity, spells_in, spells_of
from households.registered import HEAD
from households.services.tasks import Finding, open_tasks
from households.services.writing import (
    Days,
    Writing,
    begin,
    left_over,
    refuse_future,
    refuse_merged,
    share_a_day,
)

COMING = ("birth", "marriage", "moved_in", "returned")
"""How somebody comes into a household, of `households.terms.BEGINNINGS`."""
LEAVING = ("death", "marriage", "moved_out")
"""How somebody leaves one, of `households.terms.ENDINGS`."""
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who comes into a household. `on` None is the birthday, for a birth."""

    name: str
    id_number: str
    relation: str
    how: str
    on: date | None = None


class DoubtfulPerson(ConflictError):
    """The ID number is known under another name: somebody has to look. `finding` is the task to be opened.

    The transaction that raised it is rolled back; whoever catches it opens the task in one of its own.
    """

    code = "doubtful_person"

    def __init__(self, finding: Finding) -> None:
        super().__init__(
            "该身份证号已登记在另一姓名下,未作登记;已转为待核实事项",
            "this ID number is known under another name: nothing was entered, and the matter is put among the tasks",
        )
        self.finding = finding


def add_person(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, household_id: str, who: Newcomer
) -> str:
    """Somebody belongs to the household from a day on; the id of the membership. A new person where nobody has the
    ID number.

    Raises NotFound outside the actor's place, InvalidInput for days that cannot be, ConflictError for somebody who is
    in a household then or has died, DoubtfulPerson where the ID number is known under another name.
    """
    work = begin(session, sealer, actor, at)
    refuse_merged(household_row(session, actor, household_id))
    born = birth_date(who.id_number)
    if who.how == "birth" and who.on not in (None, born):
        wrong = (
            "出生登记以出生日期为准,请不填或填出生日期",
            "for a birth leave it empty: it is the birthday",
        )
        raise InvalidInput({"on": [wrong]})
    day = born if who.how == "birth" else who.on
    if day is None:
        raise InvalidInput({"on": [("请填写日期", "give the day")]})
    refuse_future(at, "id_number" if who.how == "birth" else "on", day)
    if day < born:
        raise InvalidInput({"on": [("不能早于出生日期", "must not be before the birthday")]})
    person_id = _person(work, household_id, who, day)
    if who.relation == HEAD:
        _refuse_second_head(session, household_id, day)
    return _joined(work, person_id, household_id, who, day)


def _joined(work: Writing, person_id: str, household_id: str, who: Newcomer, day: date) -> str:
    membership = work.add(
        Membership,
        person_id=person_id,
        household_id=household_id,
        relation=who.relation,
        began_by=who.how,
        ended_by=None,
        valid_from=day,
        valid_to=None,
    )
    work.note(
        Change(
            "member.added",
            "membership",
            membership,
            after=work.digest("membership", [person_id, household_id, str(day)]),
            reason=who.how,
        )
    )
    work.touches(household_id)
    work.finish()
    _look_for_twins(work, household_id, person_id, who)
    return membership


def _person(work: Writing, household_id: str, who: Newcomer, day: date) -> str:
    lookup = work.sealer.lookup("id_number", who.id_number)
    person = work.session.scalars(select(Person).where(Person.id_lookup == lookup)).first()
    if person is None:
        return new_person(work, who.id_number, who.name)
    if person.same_as is not None:
        raise ConflictError(
            "该身份证号已更正为另一号码,请使用更正后的号码",
            "this ID number was corrected to another one: use that",
        )
    if person.name_lookup != work.sealer.lookup("name", who.name):
        raise DoubtfulPerson(Finding("two_names", household_id, person.id, {"name": who.name}))
    for spell in spells_of(work.session, [person.id]):
        if spell.ended_by == "death":
            raise ConflictError("此人已登记死亡", "this person is registered as dead")
        if share_a_day((spell.valid_from, spell.valid_to), (day, None)):
            raise _elsewhere(spell, household_id)
    return person.id


def _elsewhere(spell: Membership, household_id: str) -> ConflictError:
    if spell.household_id == household_id:
        return ConflictError("此人已是本户成员", "this person is a member of the household already")
    return ConflictError(
        "此人在该日仍登记在另一户,请先在原户办理迁出",
        "this person is in another household on that day: first enter there that they left",
    )


def new_person(work: Writing, id_number: str, name: str) -> str:
    """A new person; the id. Two at once with one ID number: the database refuses the second."""
    identity_ = secrets.token_hex(16)
    text = orjson.dumps({"id_number": id_number, "name": name}, option=orjson.OPT_SORT_KEYS)
    lookup = work.sealer.lookup("id_number", id_number)
    work.session.execute(
        insert(table_of(Person)).values(
            id=identity_,
            id_lookup=lookup,
            name_lookup=work.sealer.lookup("name", name),
            sealed=work.sealer.seal("person", "sealed", identity_, text),
            digest=work.digest("person", [lookup, name]),
            same_as=None,
            changed_at=work.at,
        )
    )
    work.note(Change("person.added", "person", identity_, after=work.digest("person", [lookup, name])))
    return identity_


def _look_for_twins(work: Writing, household_id: str, person_id: str, who: Newcomer) -> None:
    """Another one in the household of the same name and birthday: perhaps one person under two ID numbers."""
    own = work.sealer.lookup("id_number", who.id_number)
    ids = {spell.person_id for spell in spells_in(work.session, household_id)} - {person_id}
    for person in work.session.scalars(select(Person).where(Person.id.in_(ids))):
        number, name = identity(work.sealer, person)
        if number is not None and name == who.name and number[6:14] == who.id_number[6:14]:
            finding = Finding("two_numbers", household_id, None, {"people": sorted((own, person.id_lookup))})
            open_tasks(work.session, work.sealer, work.actor, work.at, [finding])


def leave(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, membership_id: str, how: str, on: date
) -> None:
    """A member leaves: dies on a day, or is in the household no more from a day on.

    Raises NotFound, InvalidInput for days that cannot be, ConflictError where something later is entered already.
    """
    refuse_future(at, "on", on)
    work, member = _work(session, sealer, actor, at, membership_id)
    last = on if how == "death" else on - _ONE
    if how == "death":
        _refuse_before_birth(session, sealer, member.person_id, on)
    stay = _stay_of(session, member)
    spell = _on(stay, last)
    _refuse_later(session, stay, last)
    for row in stay[stay.index(spell) :]:
        work.retire(row)
    work.again(spell, (spell.valid_from, last), ended_by=how)
    after = work.digest("membership", [member.person_id, str(on)])
    work.note(Change("member.left", "membership", spell.id, after=after, reason=how))
    work.touches(member.household_id)
    work.finish()


def change_relation(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    membership_id: str,
    relation: str,
    on: date,
) -> None:
    """A member stands otherwise to the head from a day on, as when there is a new head.

    Raises as `leave` does, and ConflictError where the household would have two heads.
    """
    refuse_future(at, "on", on)
    work, member = _work(session, sealer, actor, at, membership_id)
    spell = _on(_stay_of(session, member), on)
    if relation == HEAD:
        _refuse_second_head(session, spell.household_id, on, but=spell.person_id)
    new_relation(work, spell, relation, on)
    work.touches(spell.household_id)
    work.finish()


def new_relation(work: Writing, spell: Membership, relation: str, on: date) -> None:
    """The spell up to the day before, and the one from the day on with another relation."""
    work.retire(spell)
    rest: Days = (on, spell.valid_to)
    if spell.valid_from is None or spell.valid_from < on:
        work.again(spell, (spell.valid_from, on - _ONE), ended_by="relation")
        work.again(spell, rest, relation=relation, began_by="relation")
    else:
        work.again(spell, rest, relation=relation)
    work.note(
        Change(
            "member.relation",
            "membership",
            spell.id,
            after=work.digest("membership", [spell.person_id, relation, str(on)]),
        )
    )


@dataclass(frozen=True, slots=True)
class Corrected:
    """What is believed of a membership instead; `valid_to` None has no end. `died` says that the end is a death."""

    relation: str
    valid_from: date | None
    valid_to: date | None
    died: bool = False


def correct_membership(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    membership_id: str,
    now_said: Corrected | None,
) -> None:
    """What was entered of a membership was wrong: it was otherwise, or (None) never was.

    Raises NotFound, InvalidInput for days that cannot be, ConflictError where the person would be in two households.
    """
    work, spell = _work(session, sealer, actor, at, membership_id)
    if now_said is not None:
        _check_corrected(session, sealer, at, spell, now_said)
    work.retire(spell)
    if now_said is not None:
        ended = None
        if now_said.valid_to is not None:
            kept = spell.ended_by if spell.ended_by not in (None, "death") else "corrected"
            ended = "death" if now_said.died else kept
        days = (now_said.valid_from, now_said.valid_to)
        work.again(spell, days, relation=now_said.relation, ended_by=ended)
    content = None if now_said is None else [str(now_said.valid_from), str(now_said.valid_to)]
    work.note(Change("member.corrected", "membership", spell.id, after=work.digest("membership", content)))
    work.touches(spell.household_id)
    work.finish()


def _check_corrected(
    session: Session, sealer: Sealer, at: datetime, spell: Membership, said: Corrected
) -> None:
    refuse_future(at, "valid_from", said.valid_from)
    refuse_future(at, "valid_to", said.valid_to)
    if said.died and said.valid_to is None:
        raise InvalidInput({"valid_to": [("请填写死亡日期", "give the day of death")]})
    if said.valid_from is not None and said.valid_to is not None and said.valid_to < said.valid_from:
        raise InvalidInput({"valid_to": [("不能早于开始日期", "must not be before the first day")]})
    for name, day in (("valid_from", said.valid_from), ("valid_to", said.valid_to)):
        if day is not None:
            _refuse_before_birth(session, sealer, spell.person_id, day, name)
    days = (said.valid_from, said.valid_to)
    for other in spells_of(session, [spell.person_id]):
        if other.id != spell.id and share_a_day((other.valid_from, other.valid_to), days):
            raise _elsewhere(other, spell.household_id)
    if said.relation == HEAD and spell.relation != HEAD:
        _refuse_second_head(session, spell.household_id, said.valid_from, said.valid_to, but=spell.person_id)


# --- what several of these need ------------------------------------------------------------------------


def transfer(work: Writing, spell: Membership, to: str, relation: str, on: date, by: str) -> str | None:
    """What is left of a spell from a day on is in another household; the id there, None where nothing is left."""
    if spell.valid_to is not None and spell.valid_to < on:
        return None
    work.retire(spell)
    begins = on if spell.valid_from is None or spell.valid_from < on else spell.valid_from
    for part in left_over((spell.valid_from, spell.valid_to), (begins, None)):
        work.again(spell, part, ended_by=by)
    values: dict[str, Any] = {"household_id": to, "relation": relation}
    if begins == on:
        values["began_by"] = by
    return work.again(spell, (begins, spell.valid_to), **values)


def _work(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, membership_id: str
) -> tuple[Writing, Membership]:
    """The membership that is to be changed. Raises NotFound, ConflictError for one that is believed no more."""
    work = begin(session, sealer, actor, at)
    mine = select(Membership).join(HouseholdRow, HouseholdRow.id == Membership.household_id)
    spell = session.scalars(
        mine.where(Membership.id == membership_id, within(HouseholdRow.village_code, actor.place))
    ).first()
    if spell is None:
        raise NotFound
    if spell.retired_at is not None:
        raise ConflictError(
            "这项登记已被他人更改,请刷新后再办", "somebody else has changed this; look again and retry"
        )
    return work, spell


def _stay_of(session: Session, member: Membership) -> list[Membership]:
    """The spells of a person in a household without a gap, of which this is one: they differ by the relation only."""
    stay: list[Membership] = []
    for spell in spells_of(session, [member.person_id]):
        goes_on = stay and stay[-1].valid_to is not None and spell.valid_from == stay[-1].valid_to + _ONE
        same = spell.household_id == member.household_id
        if stay and not (same and goes_on):
            if member in stay:
                break
            stay = []
        if same:
            stay.append(spell)
    return stay


def _on(stay: Sequence[Membership], day: date) -> Membership:
    """The spell that holds on a day. Raises InvalidInput before the first one, ConflictError after the last."""
    first, last = stay[0], stay[-1]
    if first.valid_from is not None and day < first.valid_from:
        raise InvalidInput({"on": [("须晚于加入本户的日期", "must be after the day of coming")]})
    if last.valid_to is not None and day >= last.valid_to:
        raise ConflictError("此人此前已离开本户", "this person had left the household before")
    return next(spell for spell in stay if share_a_day((spell.valid_from, spell.valid_to), (day, day)))


def _refuse_before_birth(
    session: Session, sealer: Sealer, person_id: str, day: date, name: str = "on"
) -> None:
    person = session.get_one(Person, person_id)
    number, _ = identity(sealer, person)
    if number is not None and day < birth_date(number):
        raise InvalidInput({name: [("不能早于出生日期", "must not be before the birthday")]})


def _refuse_later(session: Session, stay: Sequence[Membership], last: date) -> None:
    """Raises ConflictError where the person has something else entered for after a day, in whichever household."""
    for other in spells_of(session, [stay[0].person_id]):
        if other not in stay and other.valid_from is not None and other.valid_from > last:
            raise ConflictError(
                "该日之后已有登记,请用更正办理",
                "something later is entered already: enter this as a correction",
            )


def _refuse_second_head(
    session: Session,
    household_id: str,
    first: date | None,
    last: date | None = None,
    but: str | None = None,
) -> None:
    """Raises ConflictError where the household has a head on a day of these already, who is not `but`."""
    for spell in spells_in(session, household_id):
        other = spell.relation == HEAD and spell.person_id != but
        if other and share_a_day((spell.valid_from, spell.valid_to), (first, last)):
            raise ConflictError(
                "本户在该日已有户主,请先变更原户主的关系",
                "the household has a head then: first change how that one stands",
            )
