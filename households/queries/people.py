"""People of the register: who is or was in a household, under which name and category, with which cover and relatives.

What is believed at a moment, for a day. ID numbers are opened here for who may see them; pages mask them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.identifiers import birth_date, id_number_valid
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from households.models.people import (
    Cover,
    HouseholdRow,
    Membership,
    Person,
    PersonCategory,
    PersonName,
    Relative,
)
from households.models.two_times import REGISTER, believed, true_on


@dataclass(frozen=True, slots=True)
class CoverLine:
    """Cover under a policy from day to day; `source` is roster or register."""

    id: str
    policy_number: str
    cover_from: date
    cover_to: date
    category: str
    renewal: bool
    source: str

    def state(self, day: date) -> str:
        """Where it stands on a day: a key of `households.terms.COVER_STATES`."""
        if day < self.cover_from:
            return "not_yet"
        return "covered" if day <= self.cover_to else "ended"


@dataclass(frozen=True, slots=True)
class RelativeLine:
    """A guardian or an heir of a person, with the paper that proves it. What was erased is None."""

    id: str
    kind: str
    relation: str
    paper: str
    name: str | None
    id_number: str | None
    phone: str | None
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Member:
    """A person's spell in a household. `name`, `id_number` and `born_on` are None once they were erased."""

    membership_id: str
    person_id: str
    household_id: str
    relation: str
    valid_from: date | None
    valid_to: date | None
    began_by: str
    ended_by: str | None
    source: str
    name: str | None
    id_number: str | None
    category: str | None
    covers: tuple[CoverLine, ...]
    relatives: tuple[RelativeLine, ...]

    @property
    def born_on(self) -> date | None:
        """The birthday in the ID number."""
        number = self.id_number
        return birth_date(number) if number is not None and id_number_valid(number) else None

    @property
    def died_on(self) -> date | None:
        """The day of death that the register has."""
        return self.valid_to if self.ended_by == "death" else None

    def is_there(self, day: date) -> bool:
        """Whether the spell holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or self.valid_to >= day
        )

    def cover_state(self, day: date) -> str:
        """Where their cover stands on a day, under whichever policy is best for them."""
        states = {cover.state(day) for cover in self.covers}
        return next((state for state in ("covered", "not_yet", "ended") if state in states), "none")


def people_of(session: Session, household_ids: Collection[str]) -> set[str]:
    """Everybody who is believed to be, or to have been, in these households."""
    query = select(Membership.person_id).where(
        Membership.household_id.in_(household_ids), believed(Membership)
    )
    return set(session.scalars(query))


def person_of_place(session: Session, actor: Actor, person_id: str) -> Person:
    """A person who is or was in a household within the actor's place. Raises NotFound where there is none."""
    homes = (
        select(Membership.id)
        .join(HouseholdRow, HouseholdRow.id == Membership.household_id)
        .where(
            Membership.person_id == Person.id,
            believed(Membership),
            within(HouseholdRow.village_code, actor.place),
        )
    )
    person = session.scalars(select(Person).where(Person.id == person_id, homes.exists())).first()
    if person is None:
        raise NotFound
    return person


def spells_of(session: Session, person_ids: Collection[str]) -> list[Membership]:
    """All believed spells of some people in whichever households, the earliest first."""
    query = select(Membership).where(Membership.person_id.in_(person_ids), believed(Membership))
    return sorted(session.scalars(query), key=lambda spell: (spell.valid_from or date.min, spell.id))


def spells_in(session: Session, household_id: str) -> list[Membership]:
    """All believed spells in a household, the earliest first."""
    query = select(Membership).where(Membership.household_id == household_id, believed(Membership))
    return sorted(session.scalars(query), key=lambda spell: (spell.valid_from or date.min, spell.id))


def members_of(
    session: Session, sealer: Sealer, household_id: str, day: date, known_at: datetime | None = None
) -> list[Member]:
    """Everybody who is or was in a household, as believed at a moment: who is there then first, the head on top."""
    query = select(Membership).where(Membership.household_id == household_id, believed(Membership, known_at))
    spells = list(session.scalars(query))
    ids = {spell.person_id for spell in spells}
    people = {row.id: row for row in session.scalars(select(Person).where(Person.id.in_(ids)))}
    covers = covers_of(session, ids, known_at)
    names = _names(session, sealer, ids, day, known_at)
    categories = _categories(session, ids, day, known_at)
    relatives = _relatives(session, sealer, ids, known_at)
    members = [
        _member(sealer, spell, people[spell.person_id], day, covers, names, categories, relatives)
        for spell in spells
    ]
    return sorted(
        members,
        key=lambda one: (
            not one.is_there(day),
            one.relation != "户主",
            one.born_on or date.max,
            one.person_id,
            one.valid_from or date.min,
        ),
    )


def covers_of(
    session: Session, person_ids: Collection[str], known_at: datetime | None = None
) -> dict[str, tuple[CoverLine, ...]]:
    """Person → the covers that count: of each policy the register's where it has any, else the roster's."""
    query = select(Cover).where(Cover.person_id.in_(person_ids), believed(Cover, known_at))
    rows: dict[tuple[str, str], list[Cover]] = defaultdict(list)
    for row in session.scalars(query):
        rows[row.person_id, row.policy_number].append(row)
    found: dict[str, list[CoverLine]] = defaultdict(list)
    for (person_id, _), covers in rows.items():
        found[person_id] += [_cover_line(cover) for cover in counting(covers)]
    return {
        person_id: tuple(sorted(lines, key=lambda line: (line.cover_from, line.policy_number)))
        for person_id, lines in found.items()
    }


def counting(covers: Iterable[Cover]) -> list[Cover]:
    """Of somebody's covers under one policy those that count: the register's, or the roster's where it has none."""
    rows = list(covers)
    return [row for row in rows if row.source == REGISTER] or rows


def identity(sealer: Sealer, person: Person) -> tuple[str | None, str | None]:
    """(ID number, newest name) of a person; both None once they were erased."""
    if person.sealed == ERASED:
        return None, None
    content = orjson.loads(sealer.reveal("person", "sealed", person.id, person.sealed))
    return content["id_number"], content["name"]


def _member(
    sealer: Sealer,
    spell: Membership,
    person: Person,
    day: date,
    covers: Mapping[str, tuple[CoverLine, ...]],
    names: Mapping[str, str],
    categories: Mapping[str, str],
    relatives: Mapping[str, tuple[RelativeLine, ...]],
) -> Member:
    number, name = identity(sealer, person)
    lines = covers.get(person.id, ())
    nearest = min(lines, key=lambda line: _distance(line, day), default=None)
    return Member(
        membership_id=spell.id,
        person_id=person.id,
        household_id=spell.household_id,
        relation=spell.relation,
        valid_from=spell.valid_from,
        valid_to=spell.valid_to,
        began_by=spell.began_by,
        ended_by=spell.ended_by,
        source=spell.source,
        name=None if name is None else names.get(person.id, name),
        id_number=number,
        category=categories.get(person.id, nearest.category if nearest is not None else None),
        covers=lines,
        relatives=relatives.get(person.id, ()),
    )


def _distance(line: CoverLine, day: date) -> int:
    if line.cover_from <= day <= line.cover_to:
        return 0
    return min(abs((day - line.cover_from).days), abs((day - line.cover_to).days))


def _cover_line(row: Cover) -> CoverLine:
    return CoverLine(
        row.id, row.policy_number, row.cover_from, row.cover_to, row.category, row.renewal, row.source
    )


def _names(
    session: Session, sealer: Sealer, ids: Collection[str], day: date, known_at: datetime | None
) -> dict[str, str]:
    mine = PersonName.person_id.in_(ids) & believed(PersonName, known_at) & true_on(PersonName, day)
    return {
        row.person_id: sealer.reveal("person_name", "sealed", row.id, row.sealed)
        for row in session.scalars(select(PersonName).where(mine))
        if row.sealed != ERASED
    }


def _categories(
    session: Session, ids: Collection[str], day: date, known_at: datetime | None
) -> dict[str, str]:
    mine = (
        PersonCategory.person_id.in_(ids) & believed(PersonCategory, known_at) & true_on(PersonCategory, day)
    )
    query = select(PersonCategory.person_id, PersonCategory.category).where(mine)
    return dict(session.execute(query).all())


def _relatives(
    session: Session, sealer: Sealer, ids: Collection[str], known_at: datetime | None
) -> dict[str, tuple[RelativeLine, ...]]:
    query = select(Relative).where(Relative.person_id.in_(ids), believed(Relative, known_at))
    found: dict[str, list[RelativeLine]] = defaultdict(list)
    for row in session.scalars(query.order_by(Relative.kind, Relative.known_at, Relative.id)):
        opened: dict[str, Any] = {"name": None, "id_number": None, "phone": None}
        if row.sealed != ERASED:
            opened = orjson.loads(sealer.reveal("relative", "sealed", row.id, row.sealed))
        found[row.person_id].append(
            RelativeLine(
                row.id,
                row.kind,
                row.relation,
                row.paper,
                opened["name"],
                opened["id_number"],
                opened["phone"],
                row.valid_from,
                row.valid_to,
            )
        )
    return {person_id: tuple(rows) for person_id, rows in found.items()}
