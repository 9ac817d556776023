"""Measures 帮扶措施 1+N of a household: what was done for it, since when, by whom. One plan a household 一户一策."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.recognition import Measure
from households.queries.households import household_row
from households.queries.recognition import followed_up, open_spell
from households.services.writing import refuse_merged
from households.spells import ACTIVE
from households.terms import MEASURES

RECORDERS = (Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER, Role.CENTER_LEAD)


def record_measure(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    kind: str,
    begun_on: date,
    organisation: str,
    note: str | None = None,
) -> str:
    """Notes a measure for a household; its id. It belongs to the spell that is active or still followed up, if any.

    Nothing is taken back: what ended has a new entry with a note. Raises NotAllowedError, NotFound, InvalidInput for a
    measure that there is not, or a day that has not come.
    """
    actor.must_be(*RECORDERS)
    home = household_row(session, actor, household_id)
    refuse_merged(home)
    today = business_day(at)
    if kind not in MEASURES:
        raise InvalidInput({"kind": [("没有这项帮扶措施", "there is no such measure")]})
    if begun_on > today:
        raise InvalidInput({"begun_on": [("不能晚于今天", "must not be after today")]})
    spell = open_spell(session, household_id)
    if spell is None or spell.state != ACTIVE:
        spell = followed_up(session, household_id, today)
    identity = secrets.token_hex(16)
    digest = sealer.digest("measure", f"{household_id} {kind} {begun_on} {organisation}".encode())
    session.add(
        Measure(
            id=identity,
            household_id=household_id,
            recognition_id=None if spell is None else spell.id,
            kind=kind,
            begun_on=begun_on,
            organisation=organisation,
            note=note,
            recorded_by=actor.person,
            recorded_at=at,
        )
    )
    session.flush()
    record(session, actor, at, [Change("measure.recorded", "measure", identity, after=digest, reason=kind)])
    return identity
