"""What a run of the comparison found otherwise than the run before it: new hits, hits that are gone, data that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.sealing import Sealer
from foundation.web.paging import Page, keyset
from households.checks import Check
from households.comparison_setting import data_changes
from households.models.comparison import ComparisonHit
from households.queries.comparison_hits import HitView, hits_shown
from households.queries.comparison_runs import PAGE, Filters, Run, in_order, matching, run_by_id

CHANGES = ("new", "gone")


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed from `before` to `run` within the actor's place: how many hits of the filters, and which data."""

    run: Run
    before: Run
    new: int
    gone: int
    came: tuple[Check, ...]
    """Checks that had no data before and have some now."""
    went: tuple[Check, ...]
    """Checks that had data before and have none now."""


def differences(session: Session, actor: Actor, run: Run, filters: Filters) -> Differences:
    """A run against the one before it. Raises NotFound for a run that has none."""
    if run.previous_id is None:
        raise NotFound
    before = run_by_id(session, actor, run.previous_id)
    came, went = data_changes(before.setting, run.setting)
    count = select(func.count()).select_from(ComparisonHit)
    new, gone = (
        session.scalar(count.where(_changed(run, kind), matching(actor, filters))) or 0 for kind in CHANGES
    )
    return Differences(run, before, new, gone, tuple(came), tuple(went))


def page_of_changed(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    shown: Differences,
    kind: str,
    filters: Filters,
    cursor: str | None,
    size: int = PAGE,
) -> Page[HitView]:
    """The hits that are `new`, or `gone`, by village. Raises BadRequest for a cursor of another list."""
    query = select(ComparisonHit).where(_changed(shown.run, kind), matching(actor, filters))
    page = keyset(session, query, in_order(), ComparisonHit.id, cursor, size)
    setting = (shown.run if kind == "new" else shown.before).setting
    return Page(hits_shown(session, sealer, page.rows, setting), page.newer, page.older)


def changed_hits(
    session: Session, actor: Actor, shown: Differences, kind: str, filters: Filters
) -> Sequence[ComparisonHit]:
    """All the hits that are `new`, or `gone`, by village."""
    query = select(ComparisonHit).where(_changed(shown.run, kind), matching(actor, filters))
    return session.scalars(query.order_by(*in_order(), ComparisonHit.id)).all()


def _changed(run: Run, kind: str) -> ColumnElement[bool]:
    """Hits of a run that the one before lacks, or the reverse: the same are person, check and department's row."""
    here, there = (run.id, run.previous_id) if kind == "new" else (run.previous_id, run.id)
    same = tuple_(ComparisonHit.person_id, ComparisonHit.matter, ComparisonHit.feed_row_id)
    other = ComparisonHit.__table__.alias("other")
    known = select(other.c.person_id, other.c.matter, other.c.feed_row_id).where(other.c.run_id == there)
    return (ComparisonHit.run_id == here) & same.not_in(known)
