"""What the forms of changes are made of: their fields, what they are about, with what they are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.sealing import Sealer
from foundation.web.language import _
from households import schemas
from households.models.people import HouseholdRow
from households.pages.household_rows import named
from households.queries.people import CoverLine, Member, RelativeLine
from households.queries.proposals import Paper
from households.terms import RELATIONS, Pair

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: `type` is text, date, money, select, check or hidden."""

    name: str
    label: str
    type: str = "text"
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    required: bool = True
    own_words: bool = False
    """Whether the options are names and the like, which no language changes."""


@dataclass(frozen=True, slots=True)
class About:
    """What a form is about, read for it: the household, and of it the member, cover or relative that was named."""

    home: HouseholdRow
    today: date
    members: Sequence[Member]
    policies: Mapping[str, tuple[date, date]]
    villages: Sequence[tuple[str, str]] = ()
    member: Member | None = None
    cover: CoverLine | None = None
    relative: RelativeLine | None = None

    @property
    def who(self) -> Member:
        """The member whom the form is about; forms of members are offered with one only."""
        assert self.member is not None
        return self.member

    def there(self) -> list[Member]:
        """Who is in the household today."""
        return [member for member in self.members if member.is_there(self.today)]


@dataclass(frozen=True, slots=True)
class Doing:
    """With what a change is done: the open transaction, the person, the moment, and the papers that came along."""

    session: Session
    sealer: Sealer
    actor: Actor
    at: datetime
    about: About
    papers: Sequence[Paper] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change. `subject` is whom it is about: household, member, cover or relative."""

    title: Pair
    subject: str
    fields: Callable[[About], list[Field]]
    run: Callable[[Doing, Values], None]
    schema: type[schemas.StepForm] | None = None
    schema_of: Callable[[About], type[schemas.StepForm]] | None = None
    """Where the fields depend on the household."""
    proposal: bool = False
    """Whether another person has to decide; papers then come along."""
    adds: Callable[[Doing, Values], list[tuple[str, str]]] = field(default=lambda _doing, _values: [])
    """What the second look says beside the values: (label, text)."""
    doubts: Callable[[Doing, Values], list[Pair]] = field(default=lambda _doing, _values: [])
    """What should be looked at twice."""

    def form(self, about: About) -> type[schemas.StepForm]:
        """The schema of the form."""
        if self.schema_of is not None:
            return self.schema_of(about)
        assert self.schema is not None
        return self.schema


def today_field(about: About, name: str, label: str, **options: Any) -> Field:
    """A day, today unless somebody says otherwise."""
    return Field(name, label, "date", about.today.isoformat(), **options)


def relation_field(value: str = "") -> Field:
    """How somebody stands to the head."""
    return Field("relation", _("与户主关系"), "select", value, named(RELATIONS))
