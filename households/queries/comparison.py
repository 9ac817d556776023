"""One household in the comparison: members × checks, each HIT, CLEAR or NO DATA; and its part of the timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.masking import Audience, id_number_for
from foundation.sealing import Sealer
from households.checks import CHECKS, EXAMINED, Check
from households.comparing import State
from households.comparison_setting import Setting, setting_from
from households.models.comparison import ComparisonHit, ComparisonPerson, ComparisonRun
from households.models.feeds import Clearance
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.comparison_hits import Answer, HitView, answers_of, hits_shown
from households.queries.comparison_people import members_then, prefixes
from households.queries.people import identity
from households.timeline import Item


@dataclass(frozen=True, slots=True)
class Cell:
    """A check of a person. `missing`: the feeds that were not there, where it is NO DATA."""

    check: Check
    state: State
    hits: tuple[HitView, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A person's checks, in the order of the matrix; name and masked number are None once erased."""

    person_id: str
    name: str | None
    id_number: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """A household in one run. `answers` by matter are the newest, whenever they were given."""

    run_id: str
    number: str
    on_day: date
    setting: Setting
    checks: tuple[Check, ...]
    lines: tuple[Line, ...]
    answers: dict[str, Answer]


def matrix_of(
    session: Session, sealer: Sealer, household_id: str, run_id: str | None = None
) -> Matrix | None:
    """A household in a run, or in the newest that looked at it; None where none has. The caller looks at the place."""
    home = session.get_one(HouseholdRow, household_id)
    run = session.scalar(_runs_over(home, run_id))
    if run is None:
        return None
    members = members_then(session, household_id, run.on_day, run.run_at)
    if run.scope == "list":
        mine = ComparisonPerson.run_id == run.id
        listed = set(session.scalars(select(ComparisonPerson.person_id).where(mine)))
        members = [person_id for person_id in members if person_id in listed]
    if not members:
        return None
    setting = setting_from(run.feeds)
    found = (ComparisonHit.run_id == run.id) & ComparisonHit.person_id.in_(members)
    rows = session.scalars(select(ComparisonHit).where(found).order_by(ComparisonHit.id)).all()
    hits: dict[tuple[str, str], list[HitView]] = defaultdict(list)
    for hit in hits_shown(session, sealer, rows, setting):
        hits[hit.person_id, hit.matter].append(hit)
    checks = tuple(setting.made())
    people = session.scalars(select(Person).where(Person.id.in_(members)).order_by(Person.id))
    answers = answers_of(session, [home.household_no])
    return Matrix(
        run_id=run.id,
        number=run.number,
        on_day=run.on_day,
        setting=setting,
        checks=checks,
        lines=tuple(_line(sealer, person, checks, hits, setting) for person in people),
        answers={matter: answer for (_, matter), answer in answers.items()},
    )


def _line(
    sealer: Sealer,
    person: Person,
    checks: Sequence[Check],
    hits: dict[tuple[str, str], list[HitView]],
    setting: Setting,
) -> Line:
    number, name = identity(sealer, person)
    cells = []
    for check in checks:
        found = tuple(hits.get((person.id, check.key), ()))
        state = setting.state(check, hit=bool(found))
        missing = tuple(feed for feed in check.feeds if feed not in setting.feeds)
        cells.append(Cell(check, state, found, missing if state is State.NO_DATA else ()))
    masked = None if number is None else id_number_for(Audience.OFFICER, number)
    return Line(person.id, name, masked, tuple(cells))


def _runs_over(home: HouseholdRow, run_id: str | None) -> Select[ComparisonRun]:
    """The newest run, or this one, that looked at a household."""
    listed = exists().where(
        ComparisonPerson.run_id == ComparisonRun.id,
        ComparisonPerson.person_id == Membership.person_id,
        Membership.household_id == home.id,
        believed(Membership),
    )
    over = or_(
        (ComparisonRun.scope == "household") & (ComparisonRun.household_id == home.id),
        (ComparisonRun.scope == "everyone") & ComparisonRun.place.in_(prefixes(home.village_code)),
        (ComparisonRun.scope == "list") & listed,
    )
    query = select(ComparisonRun).where(over)
    if run_id is not None:
        query = query.where(ComparisonRun.id == run_id)
    return query.order_by(ComparisonRun.run_at.desc(), ComparisonRun.number.desc()).limit(1)


# --- the timeline ----------------------------------------------------------------------------------------


def timeline_of(session: Session, sealer: Sealer, household_id: str) -> list[Item]:  # noqa: ARG001  # as every subject's
    """What the comparison has to say of a household's time: each hit to be looked into once, and each answer."""
    first = func.min(ComparisonRun.run_at)
    query = (
        select(ComparisonHit.matter, first)
        .join(ComparisonRun, ComparisonRun.id == ComparisonHit.run_id)
        .where(ComparisonHit.household_id == household_id, ComparisonHit.matter.in_(EXAMINED))
        .group_by(ComparisonHit.matter, ComparisonHit.person_id, ComparisonHit.feed_row_id)
    )
    items = [
        Item(business_day(at), "comparison", ("比对命中", "hit in the comparison"), CHECKS[matter].title)
        for matter, at in session.execute(query.order_by(first, ComparisonHit.matter))
    ]
    number = select(HouseholdRow.household_no).where(HouseholdRow.id == household_id).scalar_subquery()
    there = (Clearance.household_no == number) & Clearance.retired_at.is_(None)
    for row in session.scalars(select(Clearance).where(there)):
        title = ("核查澄清:通过", "cleared") if row.passed else ("核查澄清:不通过", "not cleared")
        items.append(Item(row.cleared_on, "comparison", title, CHECKS[row.matter].title))
    return sorted(dict.fromkeys(items), key=lambda item: item.on)
