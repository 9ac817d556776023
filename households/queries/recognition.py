"""What can be asked of recognitions: the list, one spell opened, what stands against it, and its part of a timeline.

Everything is held by the actor's place. A page opens the rows that it shows and no other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from flask import url_for
from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.errors import NotFound
from foundation.masking import Audience, id_number_for, is_minor
from foundation.places import within
from foundation.sealing import ERASED, Sealer
from foundation.web.paging import Page, keyset
from households.comparing import State
from households.key_villages import key_villages
from households.models.people import HouseholdRow, Membership, Person
from households.models.recognition import Measure, Recognition, RecognitionReview
from households.models.two_times import believed, true_on
from households.queries.comparison import matrix_of
from households.queries.people import identity
from households.queries.proposals import Paper, papers_from
from households.queries.views import in_portions
from households.registered import HEAD
from households.spells import (
    ACTIVE,
    DUE,
    EXITED,
    FOLLOW_UP,
    OVERDUE,
    PROPOSED,
    REFUSED,
    STANDINGS,
    standing,
    terms,
)
from households.terms import BASES, CAUSES, FINDINGS, MEASURES
from households.timeline import Item
from policies.models import MasterPolicy
from policies.queries import active_standards, policy_by_id
from policies.standard import Standards


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; None leaves a thing open."""

    standing: str | None = None
    """One of `households.spells.STANDINGS`; what is due or overdue is active too."""
    place: str | None = None
    cause: str | None = None

    def chosen(self) -> dict[str, str]:
        """Those that are set, as they stand in an address."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Listed:
    """A spell in a list. The head's name and masked ID number are None where there is no head, or once erased."""

    id: str
    number: str
    household_id: str
    household_no: str
    town: str
    village: str
    key_village: bool
    state: str
    standing: str
    basis: str
    cause: str
    track: str
    proposed_at: datetime
    started_on: date | None
    review_due: date | None
    exited_on: date | None
    follow_up_until: date | None
    head: str | None
    id_number: str | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A half-yearly review. `found` is {per_head_fen, line_fen, note, extended}, None once it was erased."""

    id: str
    reviewed_on: date
    reviewed_by: str
    finding: str
    found: dict[str, Any] | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Spell:
    """One spell with all that was recorded of it. `survey` and `decision` are None where erased or not there."""

    row: Recognition
    household: HouseholdRow
    standing: str
    survey: dict[str, Any] | None
    """{people, members, wages_fen … per_head_fen, line_fen, main_source} as it was surveyed."""
    decision: dict[str, Any] | None
    papers: tuple[Paper, ...]
    reviews: tuple[Reviewed, ...]
    measures: tuple[Measure, ...]
    before: tuple[str, str] | None
    """Id and number of the spell that this one follows."""


@dataclass(frozen=True, slots=True)
class Against:
    """What the last comparison has against a household: reverse standards that hit and were not cleared since.

    `no_data` are reverse standards that could not be looked at, which is never the same as clear.
    """

    number: str
    on_day: date
    hits: tuple[str, ...]
    no_data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A household's head. Name and masked ID number are None once they were erased."""

    name: str | None
    id_number: str | None
    minor: bool


NO_HEAD = Head(None, None, minor=False)
PAGE = 50
"""Spells on a page."""


# --- the list ------------------------------------------------------------------------------------------


def _spells(actor: Actor, *columns: Any) -> Select[*tuple[Any, ...]]:
    query = select(*columns).join(HouseholdRow, HouseholdRow.id == Recognition.household_id)
    return query.where(within(HouseholdRow.village_code, actor.place))


def standing_is(name: str, today: date) -> ColumnElement[bool]:
    """The condition for a standing on a day, as `households.spells.standing` has it; active takes in both reviews."""
    remind = today + timedelta(terms().remind_days)
    conditions: dict[str, ColumnElement[bool]] = {
        PROPOSED: Recognition.state == PROPOSED,
        ACTIVE: Recognition.state == ACTIVE,
        DUE: (Recognition.state == ACTIVE) & Recognition.review_due.between(today, remind),
        OVERDUE: (Recognition.state == ACTIVE) & (Recognition.review_due < today),
        FOLLOW_UP: (Recognition.state == EXITED) & (Recognition.follow_up_until >= today),
        EXITED: Recognition.state == EXITED,
        REFUSED: Recognition.state == REFUSED,
    }
    return conditions[name]


def counted(session: Session, actor: Actor, today: date) -> dict[str, int]:
    """How many spells stand how on a day, each standing with its number, in one statement."""
    sums = [func.sum(case((standing_is(name, today), 1), else_=0)) for name in STANDINGS]
    row = session.execute(_spells(actor, *sums)).one()
    return {name: int(count or 0) for name, count in zip(STANDINGS, row, strict=True)}


def page_of_spells(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    filters: Filters,
    today: date,
    cursor: str | None,
    size: int = PAGE,
) -> Page[Listed]:
    """The spells that the filters leave, the newest first. Raises BadRequest for a cursor of another list."""
    query = _spells(actor, Recognition, HouseholdRow)
    if filters.standing is not None:
        query = query.where(standing_is(filters.standing, today))
    if filters.place is not None:
        query = query.where(within(HouseholdRow.village_code, filters.place))
    if filters.cause is not None:
        query = query.where(Recognition.cause == filters.cause)
    order = [Recognition.proposed_at]
    page = keyset(session, query, order, Recognition.id, cursor, size, descending=True)
    return Page(_listed(session, sealer, page.rows, today), page.newer, page.older)


def _listed(session: Session, sealer: Sealer, rows: Sequence[Any], today: date) -> list[Listed]:
    heads = heads_of(session, sealer, [home.id for _, home in rows], today)
    return [
        Listed(
            id=spell.id,
            number=spell.number,
            household_id=home.id,
            household_no=home.household_no,
            town=home.town,
            village=home.village,
            key_village=home.village_code in key_villages(),
            state=spell.state,
            standing=standing(spell.state, spell.review_due, spell.follow_up_until, today),
            basis=spell.basis,
            cause=spell.cause,
            track=spell.track,
            proposed_at=spell.proposed_at,
            started_on=spell.started_on,
            review_due=spell.review_due,
            exited_on=spell.exited_on,
            follow_up_until=spell.follow_up_until,
            head=heads.get(home.id, NO_HEAD).name,
            id_number=heads.get(home.id, NO_HEAD).id_number,
        )
        for spell, home in rows
    ]


def heads_of(session: Session, sealer: Sealer, household_ids: Collection[str], day: date) -> dict[str, Head]:
    """Household → its head on a day; one that has none is left out."""
    query = select(Membership.household_id, Person).join(Person, Person.id == Membership.person_id)
    query = query.where(Membership.relation == HEAD, believed(Membership), true_on(Membership, day))
    found: dict[str, Head] = {}
    for portion in in_portions(set(household_ids)):
        there = query.where(Membership.household_id.in_(portion))
        for household_id, person in session.execute(there):
            number, name = identity(sealer, person)
            if number is None or name is None:
                found[household_id] = Head(None, None, minor=False)
            else:
                masked = id_number_for(Audience.OFFICER, number)
                found[household_id] = Head(name, masked, is_minor(number, day))
    return found


# --- one spell -----------------------------------------------------------------------------------------


def spell_row(session: Session, actor: Actor, recognition_id: str) -> tuple[Recognition, HouseholdRow]:
    """A spell and its household. Raises NotFound where there is none within the actor's place."""
    query = _spells(actor, Recognition, HouseholdRow).where(Recognition.id == recognition_id)
    row = session.execute(query).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def spell_by_id(session: Session, sealer: Sealer, actor: Actor, recognition_id: str, today: date) -> Spell:
    """A spell with its reviews, measures and papers. Raises NotFound."""
    row, home = spell_row(session, actor, recognition_id)
    before = None if row.follows is None else session.get_one(Recognition, row.follows)
    measures = select(Measure).where(Measure.household_id == home.id)
    return Spell(
        row=row,
        household=home,
        standing=standing(row.state, row.review_due, row.follow_up_until, today),
        survey=_opened(sealer, "recognition", "sealed", row.id, row.sealed),
        decision=_opened(sealer, "recognition", "decision", row.id, row.decision),
        papers=papers_from(row.evidence),
        reviews=tuple(reviews_of(session, sealer, [row.id])),
        measures=tuple(session.scalars(measures.order_by(Measure.begun_on, Measure.recorded_at, Measure.id))),
        before=None if before is None else (before.id, before.number),
    )


def reviews_of(session: Session, sealer: Sealer, recognition_ids: Collection[str]) -> list[Reviewed]:
    """The reviews of some spells, the earliest first."""
    mine = RecognitionReview.recognition_id.in_(recognition_ids)
    query = select(RecognitionReview).where(mine)
    order = (RecognitionReview.reviewed_on, RecognitionReview.recorded_at, RecognitionReview.id)
    return [
        Reviewed(
            row.id,
            row.reviewed_on,
            row.reviewed_by,
            row.finding,
            _opened(sealer, "recognition_review", "sealed", row.id, row.sealed),
            row.recorded_at,
        )
        for row in session.scalars(query.order_by(*order))
    ]


def _opened(
    sealer: Sealer, table: str, column: str, row_id: str, sealed: str | None
) -> dict[str, Any] | None:
    if sealed is None or sealed == ERASED:
        return None
    content: dict[str, Any] = orjson.loads(sealer.reveal(table, column, row_id, sealed))
    return content


def open_spell(session: Session, household_id: str) -> Recognition | None:
    """The spell of a household that is proposed or active; there is one at most."""
    mine = (Recognition.household_id == household_id) & Recognition.state.in_((PROPOSED, ACTIVE))
    return session.scalars(select(Recognition).where(mine)).first()


def followed_up(session: Session, household_id: str, today: date) -> Recognition | None:
    """The spell that a household has left and that is still followed up on a day; of several the last."""
    mine = (Recognition.household_id == household_id) & standing_is(FOLLOW_UP, today)
    query = select(Recognition).where(mine).order_by(Recognition.exited_on.desc(), Recognition.number.desc())
    return session.scalars(query.limit(1)).first()


# --- what it is measured by ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The line and the qualitative reasons of a year. Without approved standards the line is a policy's, if any."""

    year: int
    standards: Standards | None
    line_fen: int | None


def yardstick(session: Session, day: date) -> Yardstick:
    """What a survey on a day is measured by."""
    standards = active_standards(session, day.year)
    if standards is not None:
        return Yardstick(day.year, standards, standards.line_fen)
    in_period = (MasterPolicy.period_from <= day) & (MasterPolicy.period_to >= day)
    query = (
        select(MasterPolicy.id).where(in_period).order_by(MasterPolicy.taken_in_at.desc(), MasterPolicy.id)
    )
    policy_id = session.scalar(query.limit(1))
    line = None if policy_id is None else policy_by_id(session, policy_id).poverty_line_fen
    return Yardstick(day.year, None, line)


def against(session: Session, sealer: Sealer, household_id: str) -> Against | None:
    """What the last comparison of a household has against it; None where it was never compared."""
    matrix = matrix_of(session, sealer, household_id)
    if matrix is None:
        return None
    cells = [cell for line in matrix.lines for cell in line.cells if cell.check.reverse]
    hits = [
        cell.check.key
        for cell in cells
        if any(not hit.withdrawn and not (hit.answer and hit.answer.passed) for hit in cell.hits)
    ]
    missing = [cell.check.key for cell in cells if cell.state is State.NO_DATA]
    return Against(matrix.number, matrix.on_day, tuple(dict.fromkeys(hits)), tuple(dict.fromkeys(missing)))


# --- the timeline ------------------------------------------------------------------------------


def timeline_of(session: Session, sealer: Sealer, household_id: str) -> list[Item]:  # noqa: ARG001  # as every subject's
    """What recognition, reviews, measures and exits contribute to a household's timeline."""
    rows = list(session.scalars(select(Recognition).where(Recognition.household_id == household_id)))
    items = [item for row in rows for item in _of_spell(row)]
    addresses = {row.id: url_for("recognitions.shown", recognition_id=row.id) for row in rows}
    query = select(RecognitionReview.recognition_id, RecognitionReview.reviewed_on, RecognitionReview.finding)
    for spell_id, on, finding in session.execute(
        query.where(RecognitionReview.recognition_id.in_(addresses))
    ):
        said = FINDINGS[finding]
        items.append(Item(on, "recognition", ("半年复核", "half-yearly review"), said, addresses[spell_id]))
    measures = select(Measure).where(Measure.household_id == household_id)
    for measure in session.scalars(measures):
        address = addresses.get(measure.recognition_id or "", "")
        organisation = (measure.organisation, measure.organisation)
        items.append(Item(measure.begun_on, "measure", MEASURES[measure.kind], organisation, address))
    return items


def _of_spell(row: Recognition) -> list[Item]:
    address = url_for("recognitions.shown", recognition_id=row.id)
    cause = CAUSES[row.cause]
    items = [Item(row.surveyed_on, "recognition", ("入户调查", "household survey"), cause, address)]
    if row.started_on is not None:
        again = row.follows is not None
        title = (
            ("即时纳入", "taken in again") if again else ("认定为相对贫困户", "recognised as relatively poor")
        )
        items.append(Item(row.started_on, "recognition", title, BASES[row.basis], address))
    if row.state == REFUSED and row.decided_at is not None:
        refused = ("未认定", "not recognised")
        items.append(Item(business_day(row.decided_at), "recognition", refused, cause, address))
    if row.exited_on is not None and row.follow_up_until is not None:
        meeting = (f"会议记录 {row.exit_meeting}", f"minute {row.exit_meeting}")
        items.append(Item(row.exited_on, "exit", ("退出", "exit"), meeting, address))
        ended = ("退出后关注期满", "end of the follow-up")
        items.append(Item(row.follow_up_until, "exit", ended, ("", ""), address))
    return items
