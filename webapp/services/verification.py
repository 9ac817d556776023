"""Verifying the trail in the background: asked for by a person, and once a day by the program itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor, Assurance, Role
from foundation.clock import business_day
from foundation.jobs import Job
from foundation.trail.events import Change, Event, record
from foundation.trail.models import TrailCheck

VERIFY = "trail.verify"
"""The kind of job. Its subject is who asked: a person, or `system`."""
NIGHTLY = "system"
_ASKED = "trail.verify_asked"
_AFTER = timedelta(hours=2)
"""The day's verification is due from two in the morning on; a worker that starts later makes up for it."""


def ask_verification(session: Session, actor: Actor, at: datetime) -> None:
    """Asks for the whole trail to be verified. Asked for again while it waits or runs, it is the same work."""
    (job_id,) = jobs.ask_for(session, VERIFY, [actor.person], at)
    jobs.reopen(session, [job_id], at)
    record(session, actor, at, [Change(_ASKED, "job", job_id)])


def ask_nightly(session: Session, at: datetime) -> bool:
    """Asks for the day's verification, once a day; whether it was due."""
    last = session.scalar(select(func.max(TrailCheck.checked_at)))
    today = business_day(at - _AFTER)
    if last is not None and business_day(last - _AFTER) >= today:
        return False
    (job_id,) = jobs.ask_for(session, VERIFY, [NIGHTLY], at)
    jobs.reopen(session, [job_id], at)
    return True


def asked_by(session: Session, job: Job, program: Actor) -> Actor:
    """Who asked for a verification last: the person as the event has them, or the program."""
    if job.subject_id == NIGHTLY:
        return program
    query = (
        select(Event.body)
        .where(Event.subject_id == job.id, Event.action == _ASKED)
        .order_by(Event.id.desc())
        .limit(1)
    )
    body = session.scalar(query)
    if body is None:
        return program
    who = orjson.loads(body)["actor"]
    return Actor(
        who["person"], who["account"], Role(who["role"]), who["place"], "", Assurance(who["assurance"])
    )


def under_way(session: Session) -> Job | None:
    """A verification that waits or runs, the one that runs first."""
    query = select(Job).where(Job.kind == VERIFY, Job.state.in_(("waiting", "running"))).order_by(Job.state)
    return session.scalars(query.limit(1)).first()


def failed(session: Session) -> Job | None:
    """The last verification that could not be carried out, when it is the last one of all."""
    query = select(Job).where(Job.kind == VERIFY).order_by(Job.changed_at.desc()).limit(1)
    job = session.scalars(query).first()
    return job if job is not None and job.state == "failed" else None
