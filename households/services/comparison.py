"""Runs of the comparison 一站式比对: a household or a list at once, a place in the background, everyone each night.

What is stored is the exception: hits, and with each run the standards and the state of every feed then. An auditor's
list is compared and not stored at all.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor, Assurance, Role
from foundation.clock import Clock, business_day
from foundation.counters import take_numbers
from foundation.database import Database, bulk_insert, one_at_a_time, table_of
from foundation.errors import ConfigurationError, ConflictError, InvalidInput, NotFound
from foundation.jobs import Job
from foundation.places import within
from foundation.sealing import Sealer
from foundation.trail.events import Change, Event, record
from households.comparing import Candidate, Hit
from households.models.comparison import ComparisonHit, ComparisonPerson, ComparisonRun
from households.models.feeds import FeedDelivery
from households.models.people import HouseholdRow, Membership
from households.queries import county_of
from households.queries.comparison_lists import CheckedList, people_of_list
from households.queries.comparison_people import people_of_household, people_of_numbers, people_of_place
from households.queries.comparison_runs import COMPARE
from households.queries.comparison_setting import Measure, measure_on
from households.queries.probing import Compared, compared
from policies.models import MasterPolicy, Standard

RUNNERS = (Role.CENTER_CERTIFIER, Role.SYSTEM)
MOST_LISTED = 20_000
"""ID numbers in one list."""

_ASKED = "comparison.asked"
_NIGHTLY = "nightly"
_AFTER = timedelta(hours=1)
"""The night's run is due from one in the morning on; a worker that starts later makes up for it."""


@dataclass(frozen=True, slots=True)
class ListRun:
    """A run over a list, and how many of its numbers the register does not know: those were not compared."""

    run_id: str
    unknown: int


def run_household(session: Session, sealer: Sealer, actor: Actor, at: datetime, household_id: str) -> str:
    """Compares one household at once; the run. Raises NotFound outside the actor's place, ConflictError when empty."""
    actor.must_be(*RUNNERS)
    mine = (HouseholdRow.id == household_id) & within(HouseholdRow.village_code, actor.place)
    place = session.scalar(select(HouseholdRow.village_code).where(mine))
    if place is None:
        raise NotFound
    measure = measure_on(session, business_day(at))
    people = people_of_household(session, household_id, measure.rules.day)
    if not people:
        raise ConflictError(
            "本户目前没有成员,无法比对", "nobody is in this household now: there is no one to compare"
        )
    done = compared(session, sealer, measure.rules, people)
    return _store(session, sealer, actor, at, _Run("household", place, measure, done, household_id))


def run_list(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, id_numbers: Sequence[str]
) -> ListRun:
    """Compares the people of a list at once. Raises InvalidInput when nobody of it is in the register."""
    actor.must_be(*RUNNERS)
    numbers = _checked(id_numbers)
    measure = measure_on(session, business_day(at))
    people = people_of_numbers(session, sealer, actor, numbers, measure.rules.day)
    if not people:
        raise InvalidInput(
            {"numbers": [("名单中的人员都不在登记中", "nobody of the list is in the register")]}
        )
    done = compared(session, sealer, measure.rules, people)
    run_id = _store(session, sealer, actor, at, _Run("list", actor.place, measure, done))
    rows = [{"run_id": run_id, "person_id": person.key} for person in people]
    bulk_insert(session, table_of(ComparisonPerson), rows)
    return ListRun(run_id, len(numbers) - len(people))


def check_list(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, id_numbers: Sequence[str]
) -> CheckedList:
    """Compares an auditor's list and stores nothing of it: the event has how many people, which checks, and a digest.

    Nobody of it has to be in the register. Raises InvalidInput for an empty list or too long a one.
    """
    actor.must_be(Role.AUDITOR)
    numbers = _checked(id_numbers)
    measure = measure_on(session, business_day(at))
    homes = {
        person.id_lookup: person.village_code
        for person in people_of_numbers(session, sealer, actor, numbers, measure.rules.day)
    }
    lookups = [sealer.lookup("id_number", number) for number in numbers]
    people = [
        Candidate(str(place), lookup, None, homes.get(lookup))
        for place, lookup in enumerate(lookups, start=1)
    ]
    done = compared(session, sealer, measure.rules, people)
    digest = sealer.digest("comparison_list", "\n".join(sorted(numbers)).encode())
    reason = f"people={len(people)} checks={','.join(measure.setting.checks)}"
    change = Change("comparison.list_checked", "comparison_list", "-", after=digest, reason=reason)
    record(session, actor, at, [change])
    return CheckedList(digest, measure.setting, people_of_list(session, sealer, numbers, done))


def _checked(id_numbers: Iterable[str]) -> list[str]:
    """The numbers of a list, each once. Raises InvalidInput for none, or too many."""
    numbers = list(dict.fromkeys(id_numbers))
    if not numbers:
        raise InvalidInput({"numbers": [("名单中没有身份证号", "there is no ID number in the list")]})
    if len(numbers) > MOST_LISTED:
        most = f"{MOST_LISTED:,}"
        raise InvalidInput(
            {"numbers": [(f"一次最多比对 {most} 人,请分成几份", f"at most {most} people at once: split it")]}
        )
    return numbers


# --- in the background ---------------------------------------------------------------------------------


def ask_place(session: Session, actor: Actor, at: datetime, place: str) -> str:
    """Asks for everyone in a county, town or village to be compared; the job's subject.

    Raises NotFound for a place that is not within the actor's or where nobody lives, ConflictError while another one
    asked for the same.
    """
    actor.must_be(*RUNNERS)
    there = select(HouseholdRow.id).where(within(HouseholdRow.village_code, place)).limit(1)
    if not place.startswith(actor.place) or session.scalar(there) is None:
        raise NotFound
    one_at_a_time(session, "comparison")  # two at once would both find none
    if session.scalar(select(Job.id).where(_of_place(place), Job.state.in_(("waiting", "running")))):
        raise ConflictError(
            "该范围的比对正在进行,请稍候", "this place is being compared already; please wait"
        )
    subject = f"{place}:{secrets.token_hex(8)}"
    (job_id,) = jobs.ask_for(session, COMPARE, [subject], at)
    record(session, actor, at, [Change(_ASKED, "job", job_id, reason=place)])
    return subject


def _of_place(place: str) -> ColumnElement[bool]:
    return (Job.kind == COMPARE) & Job.subject_id.startswith(f"{place}:", autoescape=True)


def ask_nightly(session: Session, at: datetime) -> bool:
    """Asks for the night's run over the whole county, where it is due and anything has come in since the last one.

    Every so many days by setting FANGPIN_COMPARISON_DAYS (1; 0 is never), from one in the morning on.
    """
    every = nightly_days()
    county = county_of(session)
    if not every or county is None:
        return False
    query = select(func.max(ComparisonRun.run_at)).where(ComparisonRun.scheduled)
    last = session.scalar(query)
    today = business_day(at - _AFTER)
    if last is not None and (
        (today - business_day(last - _AFTER)).days < every or not _anything_since(session, last)
    ):
        return False
    (job_id,) = jobs.ask_for(session, COMPARE, [f"{county}:{_NIGHTLY}"], at)
    jobs.reopen(session, [job_id], at)
    return True


def nightly_days() -> int:
    """Every how many days the whole county is compared. Raises ConfigurationError for what is no number of days."""
    text = os.environ.get("FANGPIN_COMPARISON_DAYS", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise ConfigurationError(
            "FANGPIN_COMPARISON_DAYS 应为天数,0 为不自动比对",
            "FANGPIN_COMPARISON_DAYS must be a number of days; 0 for never",
        )
    return int(text)


def _anything_since(session: Session, moment: datetime) -> bool:
    """Whether a department, the register or the standards have said anything new: else a run would repeat itself."""
    news: tuple[ColumnElement[bool], ...] = (
        FeedDelivery.taken_in_at > moment,
        (Membership.known_at > moment) | (Membership.retired_at > moment),
        Standard.decided_at > moment,
        MasterPolicy.taken_in_at > moment,
    )
    models: tuple[Any, ...] = (FeedDelivery, Membership, Standard, MasterPolicy)
    return any(
        session.scalar(select(model.id).where(new).limit(1)) is not None
        for model, new in zip(models, news, strict=True)
    )


def carry_out(
    database: Database,
    sealer: Sealer,
    clock: Clock,
    program: Actor,
    job: Job,
) -> None:
    """Compares everyone of the place that a job names, and ends the job with the run. Run twice, it makes one run.

    It reads in one consistent view, and writes once that is done, so that nobody waits for it.
    """
    place, _, asker = job.subject_id.partition(":")
    at = clock.now()
    with database.reading() as session:
        actor = program if asker == _NIGHTLY else _asked_by(session, job, program)
        measure = measure_on(session, business_day(at))
        done = compared(session, sealer, measure.rules, people_of_place(session, place, measure.rules.day))
    with database.transaction() as session:
        if session.scalar(select(Job.state).where(Job.id == job.id).with_for_update()) != "running":
            return
        run = _Run("everyone", place, measure, done, scheduled=asker == _NIGHTLY)
        _store(session, sealer, actor, at, run)
        jobs.finish(session, job.id, clock.now())


def _asked_by(session: Session, job: Job, program: Actor) -> Actor:
    """The person who asked, as the event has them."""
    query = select(Event.body).where(Event.subject_id == job.id, Event.action == _ASKED)
    body = session.scalar(query.order_by(Event.id.desc()).limit(1))
    if body is None:
        return program
    who = orjson.loads(body)["actor"]
    return Actor(
        who["person"], who["account"], Role(who["role"]), who["place"], "", Assurance(who["assurance"])
    )


# --- storing -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    scope: str
    place: str
    measure: Measure
    done: Compared
    household_id: str | None = None
    scheduled: bool = False


def _store(session: Session, sealer: Sealer, actor: Actor, at: datetime, run: _Run) -> str:
    run_id = secrets.token_hex(16)
    (number,) = take_numbers(session, "comparison")
    session.add(
        ComparisonRun(
            id=run_id,
            number=f"BD{number:06d}",
            scope=run.scope,
            place=run.place,
            household_id=run.household_id,
            on_day=run.measure.rules.day,
            feeds=run.measure.setting.as_text(),
            people=run.done.people,
            hits=len(run.done.hits),
            asked_by=actor.person,
            run_at=at,
            scheduled=run.scheduled,
            previous_id=_previous(session, run),
        )
    )
    session.flush()
    bulk_insert(session, table_of(ComparisonHit), [_hit_row(sealer, run_id, hit) for hit in run.done.hits])
    reason = f"scope={run.scope} people={run.done.people} hits={len(run.done.hits)}"
    record(session, actor, at, [Change("comparison.run", "comparison_run", run_id, reason=reason)])
    return run_id


def _previous(session: Session, run: _Run) -> str | None:
    """The run before it over the same people. A list is compared with nothing: the next one names others."""
    if run.scope == "list":
        return None
    same = (ComparisonRun.scope == run.scope) & (ComparisonRun.place == run.place)
    same &= ComparisonRun.household_id.is_not_distinct_from(run.household_id)
    query = select(ComparisonRun.id).where(same)
    return session.scalar(query.order_by(ComparisonRun.run_at.desc(), ComparisonRun.number.desc()).limit(1))


def _hit_row(sealer: Sealer, run_id: str, hit: Hit) -> dict[str, Any]:
    identity = secrets.token_hex(16)
    through = None
    if hit.through is not None:
        through = sealer.seal("comparison_hit", "through", identity, orjson.dumps(hit.through._asdict()))
    return {
        "id": identity,
        "run_id": run_id,
        "person_id": hit.person.key,
        "household_id": hit.person.household_id,
        "village_code": hit.person.village_code,
        "matter": hit.matter,
        "feed_row_id": hit.row_id,
        "through": through,
    }
