"""Runs of the comparison and their hits, as the actor may see them.

Everything is held by the actor's place: a town sees a county's run with its own hits, another town's run not at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.jobs import Job
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS, within
from foundation.sealing import Sealer
from foundation.web.paging import Page, keyset
from households.checks import EXAMINED
from households.comparison_setting import Setting, setting_from
from households.models.comparison import ComparisonHit, ComparisonRun
from households.models.people import HouseholdRow
from households.queries import place_names
from households.queries.comparison_hits import HitView, hits_shown
from households.queries.comparison_people import prefixes


@dataclass(frozen=True)
class Run:
    """A run as the actor sees it: `hits` and `examined` (those to be looked into) are of their place.

    `people` is None where the run was over more than the actor's place.
    """

    id: str
    number: str
    scope: str
    place: str
    household_id: str | None
    on_day: date
    run_at: datetime
    asked_by: str
    scheduled: bool
    previous_id: str | None
    setting: Setting
    people: int | None
    hits: int
    examined: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What the hits are narrowed to. `kind`: `examined`, those to be looked into, or `record`, the others."""

    kind: str = "examined"
    place: str | None = None
    matter: str | None = None

    def chosen(self) -> dict[str, str]:
        """The filters in use, as the address has them."""
        values = {"kind": self.kind, "place": self.place, "matter": self.matter}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """The hits of a town or village of a run; `code` None: of people who are in no household."""

    code: str | None
    name: str
    examined: int
    hits: int

    @property
    def pair(self) -> tuple[str | None, str]:
        """Code and name, as a select takes them."""
        return self.code, self.name


PAGE = 50
"""Hits, or runs, on a page."""
COMPARE = "comparison.run"
"""The kind of job. Its subject is the place, a colon, and who asked: `nightly` or something random."""


def page_of_runs(session: Session, actor: Actor, cursor: str | None, size: int = PAGE) -> Page[Run]:
    """The runs that the actor may see, the newest first. Raises BadRequest for a cursor of another list."""
    query = select(ComparisonRun).where(_visible(actor))
    page = keyset(session, query, [ComparisonRun.run_at], ComparisonRun.id, cursor, size, descending=True)
    return Page(_seen(session, actor, page.rows), page.newer, page.older)


def run_by_id(session: Session, actor: Actor, run_id: str) -> Run:
    """A run that the actor may see. Raises NotFound for any other."""
    row = session.scalar(select(ComparisonRun).where(ComparisonRun.id == run_id, _visible(actor)))
    if row is None:
        raise NotFound
    return _seen(session, actor, [row])[0]


def newest_over(session: Session, actor: Actor) -> Run | None:
    """The newest run over everyone of a place that holds the actor's; None where there is none."""
    whole = (ComparisonRun.scope == "everyone") & ComparisonRun.place.in_(prefixes(actor.place))
    order = (ComparisonRun.run_at.desc(), ComparisonRun.number.desc())
    row = session.scalar(select(ComparisonRun).where(whole).order_by(*order).limit(1))
    return None if row is None else _seen(session, actor, [row])[0]


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Runs over a place that holds the actor's, or lies in it; of a list, where somebody of the actor's place hits."""
    place = actor.place
    around = or_(
        ComparisonRun.place.in_(prefixes(place)),
        ComparisonRun.place.between(place, place.ljust(VILLAGE_DIGITS, "9")),
    )
    if len(place) == COUNTY_DIGITS:
        return around
    mine = and_(ComparisonHit.run_id == ComparisonRun.id, within(ComparisonHit.village_code, place))
    return around & or_(ComparisonRun.scope != "list", select(ComparisonHit.id).where(mine).exists())


def _seen(session: Session, actor: Actor, rows: Collection[ComparisonRun]) -> list[Run]:
    """Runs with the counts of the actor's place: one statement, however many."""
    ids = [row.id for row in rows]
    examined = func.sum(case((ComparisonHit.matter.in_(EXAMINED), 1), else_=0))
    query = select(ComparisonHit.run_id, func.count(), examined).where(
        ComparisonHit.run_id.in_(ids), within(ComparisonHit.village_code, actor.place)
    )
    counts = {row[0]: (row[1], int(row[2])) for row in session.execute(query.group_by(ComparisonHit.run_id))}
    return [
        Run(
            id=row.id,
            number=row.number,
            scope=row.scope,
            place=row.place,
            household_id=row.household_id,
            on_day=row.on_day,
            run_at=row.run_at,
            asked_by=row.asked_by,
            scheduled=row.scheduled,
            previous_id=row.previous_id,
            setting=setting_from(row.feeds),
            people=row.people if row.place.startswith(actor.place) else None,
            hits=counts.get(row.id, (0, 0))[0],
            examined=counts.get(row.id, (0, 0))[1],
        )
        for row in rows
    ]


# --- hits ------------------------------------------------------------------------------------------------


def matching(actor: Actor, filters: Filters) -> ColumnElement[bool]:
    """The condition for the hits that filters leave of the actor's place."""
    condition = within(ComparisonHit.village_code, actor.place)
    if filters.matter is not None:
        condition &= ComparisonHit.matter == filters.matter
    else:
        examined = ComparisonHit.matter.in_(EXAMINED)
        condition &= examined if filters.kind == "examined" else ~examined
    if filters.place is not None:
        inside = filters.place, filters.place.ljust(VILLAGE_DIGITS, "9")
        condition &= ComparisonHit.village_code.between(*inside)
    return condition


def in_order() -> list[Any]:
    """The order of hits, by village and person; the id comes last. Nobody's village comes first."""
    return [func.coalesce(ComparisonHit.village_code, ""), ComparisonHit.person_id]


def page_of_hits(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    run: Run,
    filters: Filters,
    cursor: str | None,
    size: int = PAGE,
) -> Page[HitView]:
    """The hits of a run within the actor's place, by village. Raises BadRequest for a cursor of another list."""
    query = select(ComparisonHit).where(ComparisonHit.run_id == run.id, matching(actor, filters))
    page = keyset(session, query, in_order(), ComparisonHit.id, cursor, size)
    return Page(hits_shown(session, sealer, page.rows, run.setting), page.newer, page.older)


def counts_by_place(session: Session, actor: Actor, run: Run) -> list[PlaceCount]:
    """The hits of a run by town, for a town by village, most to be looked into first."""
    digits = TOWN_DIGITS if len(actor.place) == COUNTY_DIGITS else VILLAGE_DIGITS
    code = func.substr(ComparisonHit.village_code, 1, digits)
    examined = func.sum(case((ComparisonHit.matter.in_(EXAMINED), 1), else_=0))
    mine = (ComparisonHit.run_id == run.id) & within(ComparisonHit.village_code, actor.place)
    rows = session.execute(select(code, examined, func.count()).where(mine).group_by(code)).all()
    names = _place_names(session, actor, digits)
    found = [PlaceCount(row[0], names.get(row[0] or "", row[0] or ""), int(row[1]), row[2]) for row in rows]
    return sorted(found, key=lambda one: (-one.examined, -one.hits, one.code or ""))


def _place_names(session: Session, actor: Actor, digits: int) -> dict[str, str]:
    """Code → name of every town, or of every village, of the actor's place."""
    code = func.substr(HouseholdRow.village_code, 1, digits)
    name = HouseholdRow.town if digits == TOWN_DIGITS else HouseholdRow.village
    query = select(code, func.min(name)).where(within(HouseholdRow.village_code, actor.place)).group_by(code)
    return {row[0]: row[1] for row in session.execute(query)}


def places_to_compare(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """(code, name) of every town and, under it, every village of the actor's place where somebody lives."""
    query = (
        select(HouseholdRow.village_code, func.min(HouseholdRow.town), func.min(HouseholdRow.village))
        .where(within(HouseholdRow.village_code, actor.place))
        .group_by(HouseholdRow.village_code)
        .order_by(HouseholdRow.village_code)
    )
    found: dict[str, str] = {}
    for code, town, village in session.execute(query):
        found.setdefault(code[:TOWN_DIGITS], town)
        found[code] = f"{town} · {village}"
    return list(found.items())


def place_names_of(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Code → name of some places: town, or town and village. The county's name is the shell's to say."""
    found = {}
    for code in set(codes):
        named = place_names(session, code)
        if named:
            found[code] = " · ".join(named)
    return found


@dataclass(frozen=True, slots=True)
class Working:
    """A place that is being compared, or whose comparison failed."""

    place: str
    name: str
    state: str


def under_way(session: Session, actor: Actor) -> list[Working]:
    """What waits, runs or has failed of the comparisons of places within the actor's."""
    open_ones = (Job.kind == COMPARE) & Job.state.in_(("waiting", "running", "failed"))
    rows = session.execute(select(Job.subject_id, Job.state).where(open_ones).order_by(Job.asked_at))
    places = [(subject.partition(":")[0], state) for subject, state in rows]
    mine = [(place, state) for place, state in places if place.startswith(actor.place)]
    names = place_names_of(session, [place for place, _ in mine])
    return [Working(place, names.get(place, ""), state) for place, state in mine]
