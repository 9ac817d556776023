"""A wrong ID number 身份更正, or two records of one person: the record's facts go to the right one, linked for good.

Nothing vanishes: what was believed before is retired, and the wrong record says which one it was found to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import ConflictError, InvalidInput
from foundation.identifiers import id_number_valid
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import Cover, Person, PersonCategory, PersonName, Relative
from households.models.two_times import believed
from households.queries.households import household_row
from households.queries.people import counting, identity, person_of_place, spells_of
from households.queries.proposals import Asked
from households.services.covers import cover_values, write_cover
from households.services.register import new_person
from households.services.writing import Writing, begin, share_a_day


def check(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    content: Mapping[str, Any],
) -> None:
    """Looks at `{person, id_number}`: the person's right ID number, whether somebody has it already or nobody.

    Raises NotFound outside the actor's place, InvalidInput for a number that cannot be, ConflictError where one of the
    two was linked to another before, or both are in different households on one day.
    """
    _ = at
    household_row(session, actor, household_id)
    person = person_of_place(session, actor, content["person"])
    number, _name = identity(sealer, person)
    if not id_number_valid(content["id_number"]):
        raise InvalidInput({"id_number": [("身份证号有误", "this is no valid ID number")]})
    if number == content["id_number"]:
        raise InvalidInput({"id_number": [("与现有号码相同", "that is the number that is registered")]})
    other = person_of_number(session, sealer, content["id_number"])
    if other is not None and other.same_as is not None:
        raise ConflictError("该号码已更正为另一号码", "this ID number was corrected to another one before")
    if other is None:
        return
    theirs = spells_of(session, [other.id])
    for spell in spells_of(session, [person.id]):
        for there in theirs:
            shared = share_a_day((spell.valid_from, spell.valid_to), (there.valid_from, there.valid_to))
            if shared and there.household_id != spell.household_id:
                raise ConflictError(
                    "两条记录同时登记在不同的户,请先办理迁出或更正",
                    "the two records are in different households at one time: first enter a leaving or a correction",
                )


def person_of_number(session: Session, sealer: Sealer, id_number: str) -> Person | None:
    """The person with an ID number, wherever they live; None where nobody has it."""
    lookup = sealer.lookup("id_number", id_number)
    return session.scalars(select(Person).where(Person.id_lookup == lookup)).first()


def carry_out(session: Session, sealer: Sealer, actor: Actor, at: datetime, asked: Asked) -> None:
    """The right record takes over what the wrong one has, where it has nothing of its own for those days."""
    content = asked.says
    check(session, sealer, actor, at, asked.household_id, content)
    work = begin(session, sealer, actor, at)
    wrong = session.get_one(Person, content["person"])
    right = person_of_number(session, sealer, content["id_number"])
    if right is None:
        _, name = identity(sealer, wrong)
        right_id = new_person(work, content["id_number"], name or "")
    else:
        right_id = right.id
    _memberships(work, wrong.id, right_id)
    _covers(work, wrong.id, right_id)
    for model in (PersonCategory, PersonName, Relative):
        _facts(work, model, wrong.id, right_id)
    statement = update(Person).where(Person.id == wrong.id).values(same_as=right_id)
    session.execute(statement.execution_options(synchronize_session=False))
    work.note(Change("person.linked", "person", wrong.id, after=work.digest("person", [right_id])))
    work.finish()


def _memberships(work: Writing, wrong: str, right: str) -> None:
    theirs = spells_of(work.session, [right])
    for spell in spells_of(work.session, [wrong]):
        work.retire(spell)
        days = (spell.valid_from, spell.valid_to)
        if not any(share_a_day((one.valid_from, one.valid_to), days) for one in theirs):
            work.again(spell, days, person_id=right)
        work.touches(spell.household_id)


def _covers(work: Writing, wrong: str, right: str) -> None:
    """Cover under each policy that the right record has none under; a roster's row stays what it is."""
    query = select(Cover).where(Cover.person_id.in_((wrong, right)), believed(Cover))
    rows = list(work.session.scalars(query))
    insured = {row.policy_number for row in rows if row.person_id == right}
    mine = [row for row in rows if row.person_id == wrong]
    for number in sorted({row.policy_number for row in mine}):
        under = [row for row in mine if row.policy_number == number]
        if number not in insured:
            for row in counting(under):
                write_cover(work, {**cover_values(row), "person_id": right}, work.revealed(row))
        for row in under:
            if row.source == "register":
                work.retire(row)


def _facts(
    work: Writing,
    model: type[PersonCategory] | type[PersonName] | type[Relative],
    wrong: str,
    right: str,
) -> None:
    def of(person_id: str) -> list[Any]:
        return list(work.session.scalars(select(model).where(model.person_id == person_id, believed(model))))

    has_own = bool(of(right)) and model is not Relative
    for row in of(wrong):
        work.retire(row)
        if not has_own:
            work.again(row, (row.valid_from, row.valid_to), person_id=right)
