"""The course of a claim as its trail tells it: what happened, when, by whom in which role and place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy.orm import Session

from claims.case_view import heading, yuan
from claims.queries.case import Case
from claims.slots import Filling
from claims.terms import HAPPENINGS, OUTCOME_NAMES, REVIEW_NAMES, Pair
from foundation.actors import ROLE_NAMES, Role
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS
from foundation.privacy.purposes import PURPOSES
from foundation.trail.events import Event, events_of
from foundation.web.language import pick

_SYSTEM: Pair = ("系统", "the system")
_KINDS = {
    "claim.withdrawn": "neutral",
    "claim.changed": "neutral",
    "review.opened": "warn",
    "payable.withheld": "warn",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One event in words. `kind` colours its dot; empty for an ordinary one."""

    what: str
    at: datetime
    who: str
    remark: str
    kind: str


def course_of(
    session: Session, case: Case, fillings: Iterable[Filling], staff: Mapping[str, str]
) -> list[Step]:
    """The events of the claim and of what upper packages add to it, in order. An unknown action shows its name."""
    happenings, remarks = dict(HAPPENINGS), _remarks(case)
    subjects = case.subject_ids
    for filling in fillings:
        subjects += filling.subject_ids
        happenings |= filling.happenings
        remarks |= filling.remarks
    return [_step(event, case, happenings, remarks, staff) for event in events_of(session, subjects)]


def _step(
    event: Event,
    case: Case,
    happenings: Mapping[str, Pair],
    remarks: Mapping[str, Pair],
    staff: Mapping[str, str],
) -> Step:
    body = orjson.loads(event.body)
    reason = body["reason"]
    remark = remarks.get(event.subject_id)
    if event.action in ("claim.recommended", "claim.determined") and reason in OUTCOME_NAMES:
        remark = OUTCOME_NAMES[reason]
    if event.action == "claim.seen_in_full":
        remark = _purpose(reason)
    kind = _KINDS.get(event.action, "")
    if event.action == "claim.determined":
        kind = "ok" if reason == "approve" else "bad"
    return Step(
        heading(pick(*happenings.get(event.action, (event.action, event.action)))),
        event.at,
        _who(body["actor"], case, staff),
        "" if remark is None else heading(pick(*remark)),
        kind,
    )


def _purpose(reason: str) -> Pair:
    """What a full view was for: its event begins with the purpose's code."""
    purpose = PURPOSES[reason.partition(" ")[0].removeprefix("purpose=")]
    return purpose.zh, purpose.en


def _who(actor: Mapping[str, str], case: Case, staff: Mapping[str, str]) -> str:
    """Name, role and place of the actor; the program itself is just that."""
    if actor["role"] == Role.SYSTEM:
        return heading(pick(*_SYSTEM))
    name = staff.get(actor["person"], actor["person"])
    role = heading(pick(*ROLE_NAMES[Role(actor["role"])]))
    return " · ".join(filter(None, (name, role, _place(actor["place"], case))))


def _place(code: str, case: Case) -> str:
    """A town or village by its name where it is the claim's own, else by its code; nothing for the county."""
    if len(code) == COUNTY_DIGITS:
        return ""
    if case.village_code is None or not case.village_code.startswith(code):
        return code
    return case.town if len(code) == TOWN_DIGITS else f"{case.town} {case.village}"


def _remarks(case: Case) -> dict[str, Pair]:
    """What there is to say of the claim's own rows."""
    remarks: dict[str, Pair] = {}
    for row in case.decisions:
        zh, en = OUTCOME_NAMES[row.outcome]
        amount = yuan(row.payable_fen)
        remarks[row.id] = (
            f"第 {row.sequence} 次:{zh},应付 {amount} 元",
            f"no. {row.sequence}: {en}, payable {amount} yuan",
        )
    for review in case.reviews:
        remarks[review.id] = REVIEW_NAMES[review.reason]
    return remarks
