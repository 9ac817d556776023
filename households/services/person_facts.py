"""What the register says of a person by themself: category, name, guardians 监护人 and heirs 继承人."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import Person, PersonCategory, PersonName, Relative
from households.models.two_times import believed
from households.queries.people import identity, person_of_place, spells_of
from households.services.writing import Writing, begin, refuse_future

_ONE = timedelta(days=1)


def give_category(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    person_id: str,
    category: str,
    first: date,
    last: date | None,
) -> str:
    """The person has a category from a day to another one (None: until further notice); the row's id.

    Raises NotFound outside the actor's place, InvalidInput for days that cannot be.
    """
    work = _work(session, sealer, actor, at, person_id)
    refuse_future(at, "on", first)
    _in_order(first, last, "until")
    mine = (PersonCategory.person_id == person_id) & believed(PersonCategory)
    rows = list(session.scalars(select(PersonCategory).where(mine)))
    written = work.overlay(rows, PersonCategory, (first, last), person_id=person_id, category=category)
    work.note(
        Change(
            "person.category",
            "person_category",
            written,
            after=work.digest("person_category", [person_id, category, str(first), str(last)]),
        )
    )
    work.finish()
    return written


def give_name(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    person_id: str,
    name: str,
    on: date | None = None,
) -> str:
    """The person's name is another one: from a day on, or (None) it always was and the other was a slip.

    Raises NotFound, InvalidInput for a day that has not come, ConflictError for the name that they have.
    """
    work = _work(session, sealer, actor, at, person_id)
    refuse_future(at, "on", on)
    person = session.get_one(Person, person_id)
    number, before = identity(sealer, person)
    if number is None or before is None:
        raise ConflictError("此人的信息已到期清除", "the person was erased at the end of the term")
    if before == name:
        raise ConflictError("姓名与现有登记相同", "that is the name that is registered")
    mine = (PersonName.person_id == person_id) & believed(PersonName)
    rows = list(session.scalars(select(PersonName).where(mine)))
    if on is not None and not rows:
        work.add(PersonName, before, person_id=person_id, valid_from=None, valid_to=on - _ONE)
    written = work.overlay(rows, PersonName, (on, None), name, person_id=person_id)
    _newest_name(work, person, number, name)
    work.note(
        Change(
            "person.named",
            "person_name",
            written,
            after=work.digest("person_name", [person_id, name, str(on)]),
        )
    )
    work.finish()
    return written


def _newest_name(work: Writing, person: Person, number: str, name: str) -> None:
    text = orjson.dumps({"id_number": number, "name": name}, option=orjson.OPT_SORT_KEYS)
    values = {
        "sealed": work.sealer.seal("person", "sealed", person.id, text),
        "name_lookup": work.sealer.lookup("name", name),
        "digest": work.digest("person", [person.id_lookup, name]),
        "changed_at": work.at,
    }
    statement = update(Person).where(Person.id == person.id).values(values)
    work.session.execute(statement.execution_options(synchronize_session=False))


@dataclass(frozen=True, slots=True)
class NewRelative:
    """A guardian or an heir, and the paper that proves it: its kind and its number."""

    kind: str
    relation: str
    name: str
    paper: str
    id_number: str | None = None
    phone: str | None = None


def add_relative(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    person_id: str,
    who: NewRelative,
    on: date,
) -> str:
    """The person has a guardian or an heir from a day on; the row's id.

    Raises NotFound outside the actor's place, InvalidInput for a day that has not come, ConflictError for one that is
    there already.
    """
    work = _work(session, sealer, actor, at, person_id)
    refuse_future(at, "on", on)
    lookup = None if who.id_number is None else sealer.lookup("id_number", who.id_number)
    if lookup is not None and lookup == session.get_one(Person, person_id).id_lookup:
        raise InvalidInput({"id_number": [("不能是本人", "must be somebody else")]})
    there = (Relative.person_id == person_id) & (Relative.kind == who.kind) & believed(Relative)
    for row in session.scalars(select(Relative).where(there, Relative.valid_to.is_(None))):
        if lookup is not None and row.id_lookup == lookup:
            raise ConflictError("此人已登记", "this one is there already")
    text = orjson.dumps(
        {"name": who.name, "id_number": who.id_number, "phone": who.phone}, option=orjson.OPT_SORT_KEYS
    )
    written = work.add(
        Relative,
        text.decode(),
        person_id=person_id,
        kind=who.kind,
        relation=who.relation,
        paper=who.paper,
        id_lookup=lookup,
        valid_from=on,
        valid_to=None,
    )
    work.note(
        Change(
            "relative.added",
            "relative",
            written,
            after=work.digest("relative", [person_id, text.decode()]),
            reason=who.kind,
        )
    )
    work.finish()
    return written


def end_relative(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, relative_id: str, on: date
) -> None:
    """A guardian or an heir is one no more after a day. Raises NotFound, InvalidInput, ConflictError."""
    row = session.get(Relative, relative_id)
    if row is None:
        raise NotFound
    work = _work(session, sealer, actor, at, row.person_id)
    refuse_future(at, "on", on)
    _in_order(row.valid_from, on, "on")
    if row.valid_to is not None and row.valid_to <= on:
        raise ConflictError("此前已终止", "it had ended before")
    work.retire(row)
    work.again(row, (row.valid_from, on))
    work.note(
        Change(
            "relative.ended", "relative", row.id, after=work.digest("relative", [str(on)]), reason=row.kind
        )
    )
    work.finish()


def _work(session: Session, sealer: Sealer, actor: Actor, at: datetime, person_id: str) -> Writing:
    """Work on a person of the actor's place, with the households that they are or were in."""
    work = begin(session, sealer, actor, at)
    person_of_place(session, actor, person_id)
    work.touches(*(spell.household_id for spell in spells_of(session, [person_id])))
    return work


def _in_order(first: date | None, last: date | None, name: str) -> None:
    if first is not None and last is not None and last < first:
        raise InvalidInput({name: [("不能早于开始日期", "must not be before the first day")]})
