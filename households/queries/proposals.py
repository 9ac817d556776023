"""Proposals, opened: what one person asked for, with its papers, and who decided it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import NotFound
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.models.people import HouseholdRow
from households.models.proposals import Proposal


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that proves something: its cleaned name, its size in bytes, its address among the sealed files."""

    name: str
    size: int
    blob: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal. `content` is what is to be done, as its kind has it; None once it was erased."""

    id: str
    kind: str
    household_id: str
    household_no: str
    town: str
    village: str
    village_code: str
    state: str
    content: dict[str, Any] | None
    papers: tuple[Paper, ...]
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @property
    def says(self) -> dict[str, Any]:
        """What is to be done. Raises NotFound once it was erased."""
        if self.content is None:
            raise NotFound
        return self.content


PAGE = 30
"""Proposals on a page."""


def proposal_by_id(session: Session, sealer: Sealer, actor: Actor, proposal_id: str) -> Asked:
    """A proposal about a household within the actor's place. Raises NotFound where there is none."""
    query = _asked().where(Proposal.id == proposal_id, within(HouseholdRow.village_code, actor.place))
    row = session.execute(query).first()
    if row is None:
        raise NotFound
    return _opened(sealer, row)


def page_of_proposals(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    state: str | None,
    kind: str | None,
    cursor: str | None,
    size: int = PAGE,
) -> Page[Asked]:
    """Proposals within the actor's place, the newest first. Raises BadRequest for a cursor of another list."""
    query = _asked().where(within(HouseholdRow.village_code, actor.place))
    if state is not None:
        query = query.where(Proposal.state == state)
    if kind is not None:
        query = query.where(Proposal.kind == kind)
    page = keyset(session, query, [Proposal.asked_at], Proposal.id, cursor, size, descending=True)
    return Page([_opened(sealer, row) for row in page.rows], page.newer, page.older)


def proposals_of(session: Session, sealer: Sealer, household_ids: Collection[str]) -> list[Asked]:
    """All proposals about some households, the newest first."""
    query = _asked().where(Proposal.household_id.in_(household_ids))
    rows = session.execute(query.order_by(Proposal.asked_at.desc(), Proposal.id))
    return [_opened(sealer, row) for row in rows]


def waiting(session: Session, actor: Actor) -> int:
    """How many proposals within the actor's place wait for somebody else than the actor to decide."""
    open_ones = (Proposal.state == "asked") & (Proposal.asked_by != actor.person)
    query = select(func.count()).select_from(Proposal).join(HouseholdRow, _home()).where(open_ones)
    return session.scalar(query.where(within(HouseholdRow.village_code, actor.place))) or 0


def papers_in_use(session: Session) -> set[str]:
    """Addresses of every paper that a proposal names."""
    found = session.scalars(select(Proposal.evidence).where(Proposal.evidence.is_not(None)))
    return {paper.blob for text in found for paper in papers_from(text)}


def papers_from(text: str | None) -> tuple[Paper, ...]:
    """Papers from their stored form."""
    return () if text is None else tuple(Paper(**paper) for paper in orjson.loads(text))


def _home() -> ColumnElement[bool]:
    return HouseholdRow.id == Proposal.household_id


def _asked() -> Any:
    return select(
        Proposal.id,
        Proposal.kind,
        Proposal.household_id,
        HouseholdRow.household_no,
        HouseholdRow.town,
        HouseholdRow.village,
        HouseholdRow.village_code,
        Proposal.state,
        Proposal.sealed,
        Proposal.evidence,
        Proposal.asked_by,
        Proposal.asked_at,
        Proposal.decided_by,
        Proposal.decided_at,
        Proposal.reason,
    ).join(HouseholdRow, _home())


def _opened(sealer: Sealer, row: Any) -> Asked:
    values = row._asdict()
    sealed, evidence, reason = values.pop("sealed"), values.pop("evidence"), values.pop("reason")
    content = None
    if sealed != ERASED:
        content = orjson.loads(sealer.reveal("proposal", "sealed", row.id, sealed))
    if reason is not None and reason != ERASED:
        reason = sealer.reveal("proposal", "reason", row.id, reason)
    return Asked(**values, content=content, papers=papers_from(evidence), reason=reason)
