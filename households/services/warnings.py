"""What people do with early warning: reporting an event (一下), and dismissing, transferring or reopening a case.

Every step is a compare-and-set on the case's state; of two persons who take the same step one wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foundation import files
from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.places import holds
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import home_on, homes_of
from households.queries.warning_people import person_by_number
from households.services.tasks import Finding, open_tasks
from households.services.warning_filing import Arrival, file_reports, wait_for_turn
from households.services.warning_rows import arrivals_of, who_is
from households.terms import DISMISSALS, TRANSFERS, WARNING_STATES
from households.warning_rules import event_of

EVENT_OF: Mapping[str, tuple[str, str]] = {
    "illness": ("illness", "policy_year"),
    "school": ("education", "school_year"),
    "accident": ("accident", "accident"),
    "death": ("accident", "death"),
    "job_loss": ("income", "month"),
    "disaster": ("income", "month"),
    "housing": ("income", "housing"),
    "other": ("income", "month"),
}
"""What somebody says has happened (`households.terms.HAPPENED`) → the line and the kind of its event."""

CHANNELS_OF: Mapping[Role, tuple[str, ...]] = {
    Role.VILLAGE_OFFICER: ("village",),
    Role.TOWN_REVIEWER: ("town_window", "village"),
    Role.CENTER_CERTIFIER: ("county_window", "town_window", "village"),
    Role.CLAIM_OFFICER: ("county_window", "town_window", "village"),
}
"""By which channels a role reports, the usual one first."""

MOVERS = frozenset({Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER, Role.CENTER_LEAD, Role.CLAIM_OFFICER})
"""Who dismisses, transfers and reopens cases."""

MOST_DAYS_BACK = 2 * 366
"""An event that lies further back is barred by the time that claims have (《保险法》第二十六条)."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of a paper or of the damage, JPEG or PNG; stored under the id of its report."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody reports. `report_id` is given once with the form, so that a form sent twice is one report."""

    report_id: str
    what: str
    on: date
    channel: str
    amount_fen: int | None = None
    note: str | None = None
    photo: Photo | None = None


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody whom the register does not know, as far as they are known."""

    name: str
    id_number: str | None
    village_code: str


# --- reporting -----------------------------------------------------------------------------------------


def report_event(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, person_id: str, told: Told
) -> str:
    """Files a report on a person of the actor's place; the id of its case, the same for the same `report_id`.

    What the departments know of the event joins the case. Raises NotFound for a person outside the place, InvalidInput
    for a day that cannot be, NotAllowedError for a channel that is not the actor's.
    """
    _check(actor, at, told)
    home = home_on(homes_of(session, [person_id]).get(person_id, ()), told.on)
    if home is None or not holds(actor.place, home.village_code):
        raise NotFound
    wait_for_turn(session)
    there = session.get(WarningReport, told.report_id)
    if there is not None:
        return _of_place(session, actor, there.case_id).id
    line, kind = EVENT_OF[told.what]
    arrival = Arrival(
        person_id=person_id,
        event=event_of(line, kind, who_is(session, person_id), told.on),
        event_on=told.on,
        on=told.on,
        channel=told.channel,
        reported_at=at,
        content=_content(session, sealer, told),
        reported_by=actor.person,
        report_id=told.report_id,
    )
    filed = file_reports(session, sealer, actor, at, [arrival])
    file_reports(session, sealer, actor, at, arrivals_of(session, sealer, [person_id]))
    return filed.case_of[told.report_id]


def report_stranger(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, stranger: Stranger, told: Told
) -> str | None:
    """A report on somebody whom nobody knows: a task for the register with all that was written down.

    Whose ID number the register does have in the actor's place is reported on as everybody; then it gives the case's
    id. Raises as `report_event` does, and NotFound for a village outside the place.
    """
    _check(actor, at, told)
    if not holds(actor.place, stranger.village_code):
        raise NotFound
    number = stranger.id_number
    known = None if number is None else person_by_number(session, sealer, number)
    if known is not None:
        home = home_on(homes_of(session, [known]).get(known, ()), told.on)
        if home is not None and holds(actor.place, home.village_code):
            return report_event(session, sealer, actor, at, known, told)
    details = {
        "name": stranger.name,
        "id_number": stranger.id_number,
        "village_code": stranger.village_code,
        "channel": told.channel,
        "on": told.on.isoformat(),
        "reported_by": actor.person,
        "report_id": told.report_id,
        **_written(told),
    }
    fresh = open_tasks(session, sealer, actor, at, [Finding("unknown_person", None, None, details)])
    if fresh and told.photo is not None:
        files.store(session, sealer, told.photo.content, told.photo.media_type, told.report_id)
    return None


def _check(actor: Actor, at: datetime, told: Told) -> None:
    if told.channel not in CHANNELS_OF.get(actor.role, ()):
        raise NotAllowedError("您的岗位不能按此渠道上报", "your role does not report by this channel")
    today = business_day(at)
    if told.on > today:
        raise InvalidInput({"on": [("日期不能晚于今天", "the day must not lie ahead")]})
    if (today - told.on).days > MOST_DAYS_BACK:
        raise InvalidInput(
            {"on": [("已超过两年,请核对日期", "more than two years ago: look at the day again")]}
        )


def _content(session: Session, sealer: Sealer, told: Told) -> dict[str, Any]:
    """What was written down, with the picture stored."""
    if told.photo is not None:
        files.store(session, sealer, told.photo.content, told.photo.media_type, told.report_id)
    return _written(told)


def _written(told: Told) -> dict[str, Any]:
    content: dict[str, Any] = {"what": told.what, "amount_fen": told.amount_fen, "note": told.note}
    if told.photo is not None:
        picture = told.photo.content
        content["photo"] = {
            "sha256": hashlib.sha256(picture).hexdigest(),
            "size": len(picture),
            "media_type": told.photo.media_type,
        }
    return content


# --- moving a case -------------------------------------------------------------------------------------


def dismiss(session: Session, actor: Actor, at: datetime, case_id: str, reason: str) -> None:
    """Ends a case for which nothing is to be done. Raises NotFound, NotAllowedError, InvalidInput or ConflictError."""
    _end(session, actor, at, case_id, "dismissed", reason, DISMISSALS)


def transfer(session: Session, actor: Actor, at: datetime, case_id: str, reason: str) -> None:
    """Hands a case over to another measure 会商转办. Raises as `dismiss` does."""
    _end(session, actor, at, case_id, "transferred", reason, TRANSFERS)


def reopen(session: Session, actor: Actor, at: datetime, case_id: str) -> None:
    """Takes a dismissed case up again. Raises ConflictError where the event has another open case by now."""
    case = _mine(session, actor, case_id)
    values = {"closed_at": None, "closed_by": None, "outcome": None}
    try:
        with session.begin_nested():
            _move(session, case, at, "dismissed", "open", values)
    except IntegrityError:
        raise ConflictError(
            "同一事件已另有待处理的预警,请在那一件上办理",
            "the event has another open case by now; go on with that one",
        ) from None
    record(session, actor, at, [Change("warning.reopened", "warning_case", case_id)])


def mark_claimed(session: Session, actor: Actor, at: datetime, case_id: str, claim_no: str) -> None:
    """Ends an open case of which a claim was made. Raises ConflictError where it is not open."""
    case = session.get_one(WarningCase, case_id)
    values = {"closed_at": at, "closed_by": actor.person, "claim_no": claim_no}
    _move(session, case, at, "open", "claimed", values)
    record(session, actor, at, [Change("warning.claimed", "warning_case", case_id, reason=claim_no)])


def _end(
    session: Session,
    actor: Actor,
    at: datetime,
    case_id: str,
    state: str,
    reason: str,
    reasons: Mapping[str, tuple[str, str]],
) -> None:
    if reason not in reasons:
        raise InvalidInput({"reason": [("请选择一项理由", "choose a reason")]})
    case = _mine(session, actor, case_id)
    values = {"closed_at": at, "closed_by": actor.person, "outcome": reason}
    _move(session, case, at, "open", state, values)
    record(session, actor, at, [Change(f"warning.{state}", "warning_case", case_id, reason=reason)])


def _mine(session: Session, actor: Actor, case_id: str) -> WarningCase:
    actor.must_be(*sorted(MOVERS))
    return _of_place(session, actor, case_id)


def _of_place(session: Session, actor: Actor, case_id: str) -> WarningCase:
    case = session.get(WarningCase, case_id)
    if case is None or not holds(actor.place, case.village_code):
        raise NotFound
    return case


def _move(
    session: Session, case: WarningCase, at: datetime, start: str, end: str, values: Mapping[str, Any]
) -> None:
    still = (WarningCase.id == case.id) & (WarningCase.state == start)
    changed = session.execute(update(WarningCase).where(still).values(state=end, changed_at=at, **values))
    session.refresh(case)
    if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        zh, en = WARNING_STATES[case.state]
        raise ConflictError(
            f"该预警目前是“{zh}”,不能进行此操作,请刷新查看",
            f'the case is "{en}" now: this cannot be done; look at it again',
        )
