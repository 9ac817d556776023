"""Hits as a page shows them: whom, by which row of which department, and whether it was answered 核查澄清."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.masking import Audience, id_number_for
from foundation.sealing import ERASED, Sealer
from households.checks import CHECKS
from households.comparing import Relative
from households.comparison_details import OPENED, Detail, details, of_relative
from households.comparison_setting import Setting, Source
from households.models.comparison import ComparisonHit
from households.models.feeds import DEPARTMENT, Clearance, FeedRow
from households.models.people import HouseholdRow, Person
from households.queries.people import identity
from households.queries.views import in_portions


@dataclass(frozen=True, slots=True)
class Answer:
    """The latest clearance of a matter of a household; `by` is who decided it, None for one that a pack brought."""

    on: date
    passed: bool
    by: str | None


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit. `name` and `id_number` (masked) are None once they were erased; `source` where its feed is known.

    `withdrawn`: the department does not stand by the row any more.
    """

    id: str
    person_id: str
    name: str | None
    id_number: str | None
    household_id: str | None
    household_no: str | None
    town: str | None
    village: str | None
    matter: str
    feed: str
    source: Source | None
    details: tuple[Detail, ...]
    answer: Answer | None
    withdrawn: bool


def hits_shown(
    session: Session, sealer: Sealer, hits: Sequence[ComparisonHit], setting: Setting
) -> list[HitView]:
    """Some hits of a run, in their order: four statements, however many."""
    people = _by_id(session, Person, {hit.person_id for hit in hits})
    homes = _by_id(session, HouseholdRow, {hit.household_id for hit in hits if hit.household_id})
    rows = _by_id(session, FeedRow, {hit.feed_row_id for hit in hits})
    answers = answers_of(session, {home.household_no for home in homes.values()})
    return [_shown(sealer, hit, people, homes, rows, answers, setting) for hit in hits]


def answers_of(session: Session, household_nos: Collection[str]) -> dict[tuple[str, str], Answer]:
    """(household number, matter) → the latest answer; of one day, 不通过 wins."""
    found: dict[tuple[str, str], list[Clearance]] = defaultdict(list)
    for portion in in_portions(household_nos):
        there = Clearance.household_no.in_(portion) & Clearance.retired_at.is_(None)
        for row in session.scalars(select(Clearance).where(there)):
            found[row.household_no, row.matter].append(row)
    return {place: _latest(rows) for place, rows in found.items()}


def _latest(rows: Iterable[Clearance]) -> Answer:
    row = max(rows, key=lambda one: (one.cleared_on, not one.passed, one.scope == DEPARTMENT))
    return Answer(row.cleared_on, row.passed, row.decided_by)


def _by_id(session: Session, model: Any, ids: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for portion in in_portions(ids):
        found |= {row.id: row for row in session.scalars(select(model).where(model.id.in_(portion)))}
    return found


def _shown(
    sealer: Sealer,
    hit: ComparisonHit,
    people: Mapping[str, Person],
    homes: Mapping[str, HouseholdRow],
    rows: Mapping[str, FeedRow],
    answers: Mapping[tuple[str, str], Answer],
    setting: Setting,
) -> HitView:
    number, name = identity(sealer, people[hit.person_id])
    home = homes.get(hit.household_id or "")
    row = rows[hit.feed_row_id]
    said = row_details(sealer, hit.matter, row)
    if hit.through is not None and hit.through != ERASED:
        through = orjson.loads(sealer.reveal("comparison_hit", "through", hit.id, hit.through))
        said += of_relative(Relative(**through))
    return HitView(
        id=hit.id,
        person_id=hit.person_id,
        name=name,
        id_number=None if number is None else id_number_for(Audience.OFFICER, number),
        household_id=hit.household_id,
        household_no=None if home is None else home.household_no,
        town=None if home is None else home.town,
        village=None if home is None else home.village,
        matter=hit.matter,
        feed=row.feed,
        source=setting.feeds.get(row.feed),
        details=tuple(said),
        answer=None if home is None else answers.get((home.household_no, hit.matter)),
        withdrawn=row.retired_at is not None,
    )


def row_details(sealer: Sealer, matter: str, row: FeedRow) -> list[Detail]:
    """What is said of a department's row; of one that was erased, its day."""
    values = None
    examined = matter in CHECKS and CHECKS[matter].kind != "presence"
    if examined and row.feed in OPENED and row.sealed != ERASED:
        values = orjson.loads(sealer.reveal("feed_row", "sealed", row.id, row.sealed))
    return details(matter, row.on_day, values)
