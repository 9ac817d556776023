"""核查澄清: the answer to a hit of the comparison, asked for with evidence by one person and decided by another one.

It goes by the household and the reverse standard, as a county pack's do, and claims are looked at again at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.feeds import DEPARTMENT, Clearance
from households.queries.proposals import Asked
from households.services.arrivals import households_changed
from policies.policy import REVERSE_STANDARDS

ASKERS = (Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER)
DECIDERS = (Role.CENTER_CERTIFIER, Role.CENTER_LEAD)
KIND = "clearance"


def content_of(matter: str, cleared_on: date, *, passed: bool, note: str) -> dict[str, Any]:
    """What a proposal of this kind holds."""
    return {"matter": matter, "cleared_on": cleared_on.isoformat(), "passed": passed, "note": note}


def check(
    _session: Session,
    _sealer: Sealer,
    actor: Actor,
    at: datetime,
    _household_id: str,
    content: Mapping[str, Any],
) -> None:
    """Looks at a clearance that is asked for. Raises InvalidInput for another matter, or a day that is yet to come."""
    actor.must_be(*ASKERS)
    if content["matter"] not in REVERSE_STANDARDS:
        raise InvalidInput({"matter": [("没有这一项反向标准", "there is no such reverse standard")]})
    if date.fromisoformat(content["cleared_on"]) > business_day(at):
        raise InvalidInput({"cleared_on": [("不能晚于今天", "must not be later than today")]})


def carry_out(session: Session, _sealer: Sealer, actor: Actor, at: datetime, asked: Asked) -> None:
    """Writes the answer that a second person has agreed to. Its evidence is the proposal's."""
    actor.must_be(*DECIDERS)
    says, identity = asked.says, secrets.token_hex(16)
    session.add(
        Clearance(
            id=identity,
            scope=DEPARTMENT,
            household_no=asked.household_no,
            matter=says["matter"],
            cleared_on=date.fromisoformat(says["cleared_on"]),
            passed=says["passed"],
            evidence=orjson.dumps([asdict(paper) for paper in asked.papers]).decode(),
            asked_by=asked.asked_by,
            decided_by=actor.person,
            known_at=at,
        )
    )
    session.flush()
    reason = f"{says['matter']} {'passed' if says['passed'] else 'failed'}"
    record(session, actor, at, [Change("clearance.given", "clearance", identity, reason=reason)])
    households_changed(session, at, [asked.household_id])
