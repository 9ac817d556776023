"""应赔未赔: working out each night what nobody has claimed, and opening a case of early warning from one row.

Households are decided block by block, each in a reading of its own, and what comes out waits in an unnamed file: memory
is flat, and nobody is held up. Then one short transaction puts a policy's new list in the place of the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from claims.models import OwedRow
from claims.owed import UNKNOWN, Claimed
from claims.queries.policies import policies_in_use
from claims.queries.unclaimed import OwedTo, claimed_under, claims_were_erased, owed_to
from foundation import jobs
from foundation.actors import Actor, Role
from foundation.clock import Clock, business_day
from foundation.database import Database, bulk_insert, one_at_a_time, table_of
from foundation.errors import NotFound
from foundation.jobs import Job
from foundation.places import holds
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.people import HouseholdRow
from households.models.warnings import WarningCase
from households.services.warning_filing import wait_for_turn
from households.services.warning_rows import open_for_row
from policies.policy import Policy
from policies.queries import policy_by_id

JOB = "claims.owed"
"""The kind of job; its one subject is ALL."""
ALL = "all"
MAY_WORK_OUT = frozenset({Role.CENTER_CERTIFIER, Role.CENTER_LEAD})
MAY_OPEN = frozenset(
    {
        Role.VILLAGE_OFFICER,
        Role.TOWN_REVIEWER,
        Role.CENTER_CERTIFIER,
        Role.CENTER_LEAD,
        Role.CLAIM_OFFICER,
    }
)
"""Who turns a row into a case of early warning."""

_HOUSEHOLDS, _ROWS = 300, 2000
_AFTER = timedelta(hours=2)
"""The night's list is due from two in the morning on."""

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """What came of one policy: rows, and of those that are owed (not rejected, cost known) how many and how much."""

    policy_number: str
    rows: int
    owed: int
    owed_fen: int
    unknown: int


def ask_for_owed(session: Session, actor: Actor, at: datetime) -> None:
    """Asks for the list to be worked out again. Asked for again while it waits or runs, it is the same work."""
    actor.must_be(*sorted(MAY_WORK_OUT))
    (job_id,) = jobs.ask_for(session, JOB, [ALL], at)
    jobs.reopen(session, [job_id], at)
    record(session, actor, at, [Change("owed.asked", "job", job_id)])


def ask_nightly(session: Session, at: datetime) -> bool:
    """Asks for the night's list, once a day, where there is a policy with claims; whether it was due."""
    last = session.scalar(select(Job.asked_at).where(Job.kind == JOB, Job.subject_id == ALL))
    if last is not None and business_day(last - _AFTER) >= business_day(at - _AFTER):
        return False
    if not policies_in_use(session):
        return False
    (job_id,) = jobs.ask_for(session, JOB, [ALL], at)
    jobs.reopen(session, [job_id], at)
    return True


def work_out(
    database: Database, sealer: Sealer, actor: Actor, clock: Clock, report: Report | None = None
) -> list[WorkedOut]:
    """Works out the list of every policy under which there are claims, as of the clock's day."""
    at = clock.now()
    with database.reading() as session:
        policies = policies_in_use(session)
        policy_of = {policy_id: policy_by_id(session, policy_id) for policy_id in policies.values()}
        households = session.scalar(select(func.count()).select_from(HouseholdRow)) or 0
    done = 0
    found = []
    for policy_id in policies.values():
        with TemporaryFile() as spool:
            work = _Night(database, sealer, policy_of[policy_id], policy_id, at)
            for count in work.blocks(spool):
                done += count
                if report is not None:
                    report(done, households * len(policies))
            spool.seek(0)
            with database.transaction() as session:
                found.append(work.replace(session, actor, spool))
    return found


class _Night:
    """One policy's list on its way: worked out into a file, then put in the place of the old one."""

    def __init__(
        self, database: Database, sealer: Sealer, policy: Policy, policy_id: str, at: datetime
    ) -> None:
        self._database, self._sealer, self._at = database, sealer, at
        self._policy, self._policy_id = policy, policy_id
        self._rows = self._owed = self._owed_fen = self._unknown = 0

    def blocks(self, spool: IO[bytes]) -> Iterator[int]:
        """Writes the rows, one line each; gives the number of households after each block."""
        with self._database.reading() as session:
            if claims_were_erased(session, self._policy.number):
                return
            claimed = claimed_under(session, self._sealer, self._policy.number)
        last = ""
        while True:
            with self._database.reading() as session:
                query = select(HouseholdRow.id).where(HouseholdRow.id > last).order_by(HouseholdRow.id)
                households = list(session.scalars(query.limit(_HOUSEHOLDS)))
                if not households:
                    return
                self._write(session, spool, households, claimed)
            last = households[-1]
            yield len(households)

    def _write(self, session: Session, spool: IO[bytes], households: list[str], claimed: Claimed) -> None:
        today = business_day(self._at)
        for item in owed_to(session, self._sealer, self._policy, households, claimed, today):
            spool.write(orjson.dumps(_content(self._policy, item)) + b"\n")
            self._rows += 1
            if item.owed.outcome == UNKNOWN:
                self._unknown += 1
            elif item.owed.payable_fen:
                self._owed += 1
                self._owed_fen += item.owed.payable_fen

    def replace(self, session: Session, actor: Actor, spool: IO[bytes]) -> WorkedOut:
        """Puts the list in the place of the old one; a list that was begun later stays."""
        number = self._policy.number
        one_at_a_time(session, f"owed:{number}")
        mine = OwedRow.policy_number == number
        newest = session.scalar(select(func.max(OwedRow.computed_at)).where(mine))
        done = WorkedOut(number, self._rows, self._owed, self._owed_fen, self._unknown)
        if newest is not None and newest > self._at:
            return done
        session.execute(delete(OwedRow).where(mine))
        lines = iter(spool)
        while block := list(islice(lines, _ROWS)):
            rows = [_row(orjson.loads(line), self._policy_id, self._at) for line in block]
            bulk_insert(session, table_of(OwedRow), rows)
        counts = f"rows={done.rows} owed={done.owed} fen={done.owed_fen} unknown={done.unknown}"
        record(
            session, actor, self._at, [Change("owed.worked_out", "policy", self._policy_id, reason=counts)]
        )
        return done


def owed_id(policy_number: str, feed_row_id: str, benefit: str) -> str:
    """The id of a row of the list: the same every night."""
    return hashlib.sha256(f"{policy_number}|{feed_row_id}|{benefit}".encode()).hexdigest()[:32]


def _content(policy: Policy, item: OwedTo) -> dict[str, Any]:
    owed, claim = item.owed, item.owed.facts.claim
    return {
        "id": owed_id(policy.number, owed.would_be.row_id, claim.benefit),
        "policy_number": policy.number,
        "feed_row_id": owed.would_be.row_id,
        "benefit": claim.benefit,
        "household_id": item.household_id,
        "person_id": item.person_id,
        "village_code": item.village_code,
        "line": claim.line,
        "event_on": claim.event_on,
        "outcome": owed.outcome,
        "payable_fen": owed.payable_fen,
        "reasons": ";".join(owed.reasons),
        "missing": owed.would_be.missing if owed.outcome == UNKNOWN else None,
        "report_by": owed.report_by,
    }


def _row(content: dict[str, Any], policy_id: str, at: datetime) -> dict[str, Any]:
    days = {name: date.fromisoformat(content[name]) for name in ("event_on", "report_by")}
    return {**content, **days, "policy_id": policy_id, "computed_at": at}


@dataclass(frozen=True, slots=True)
class Opened:
    """The case of a row; `fresh` unless there was one already."""

    case_id: str
    fresh: bool


def open_case(session: Session, sealer: Sealer, actor: Actor, at: datetime, owed_row_id: str) -> Opened:
    """Turns a row of the list into a case of early warning; where the event has one already, it is that.

    Raises NotFound outside the actor's place, NotAllowedError, or ConflictError for a row that makes no case.
    """
    actor.must_be(*sorted(MAY_OPEN))
    row = session.get(OwedRow, owed_row_id)
    if row is None or not holds(actor.place, row.village_code):
        raise NotFound
    wait_for_turn(session)
    there = session.scalars(select(WarningCase.id).where(WarningCase.household_id == row.household_id)).all()
    case_id = open_for_row(session, sealer, actor, at, row.person_id, row.feed_row_id)
    return Opened(case_id, fresh=case_id not in there)
