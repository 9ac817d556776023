"""The job table: leases, retries that grow apart, giving up, and asking again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from foundation import jobs
from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.errors import ConflictError
from foundation.jobs import DELAYS, LOST_AFTER, MOST_ATTEMPTS, Job
from foundation.trail.events import Event

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ADMIN = Actor("person-9", "account-9", Role.SYS_ADMIN, "370323", "管理员")
MOMENT = timedelta(seconds=1)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def asked(database: Database, kind: str = "letter", subject: str = "x") -> str:
    with database.transaction() as session:
        (job_id,) = jobs.ask_for(session, kind, [subject], AT)
    return job_id


def due(database: Database, at: datetime) -> list[str]:
    with database.reading() as session:
        return [job_id for _, job_id in jobs.sweep(session, at)]


def job(database: Database, job_id: str) -> Job:
    with database.reading() as session:
        return session.get_one(Job, job_id)


def test_a_job_waits_and_knows_when_it_was_asked_for(database: Database) -> None:
    job_id = asked(database)
    assert asked(database) == job_id, "asked for again, it is the same job"
    assert (job(database, job_id).state, job(database, job_id).asked_at) == ("waiting", AT)
    assert due(database, AT) == [job_id]


def test_of_many_workers_one_gets_the_job(database: Database) -> None:
    job_id = asked(database)
    barrier = threading.Barrier(4)
    taken: list[object] = []

    def take() -> None:
        barrier.wait()
        with database.transaction() as session:
            taken.append(jobs.start(session, job_id, AT))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 4
    assert sum(found is not None for found in taken) == 1


def test_a_lease_that_is_renewed_keeps_the_job_and_one_that_is_not_loses_it(database: Database) -> None:
    job_id = asked(database)
    late = AT + LOST_AFTER + MOMENT
    with database.transaction() as session:
        assert jobs.start(session, job_id, AT) is not None
        jobs.renew(session, [job_id], AT + LOST_AFTER / 2)
    assert due(database, late) == []
    assert due(database, late + LOST_AFTER) == [job_id]
    with database.transaction() as session:
        again = jobs.start(session, job_id, late + LOST_AFTER)
        assert again is not None and again.attempts == 2


def test_progress_is_seen_and_renews_the_lease(database: Database) -> None:
    job_id = asked(database)
    late = AT + LOST_AFTER + MOMENT
    with database.transaction() as session:
        jobs.start(session, job_id, AT)
        jobs.report(session, job_id, late, 2, 3)
    found = job(database, job_id)
    assert (found.progress_done, found.progress_total) == (2, 3)
    assert due(database, late) == []


def test_a_failed_job_comes_again_later_each_time_and_then_waits_for_a_person(database: Database) -> None:
    job_id = asked(database)
    at = AT
    for delay in DELAYS:
        with database.transaction() as session:
            jobs.start(session, job_id, at)
            jobs.finish(session, job_id, at, "database")
        assert due(database, at + delay - MOMENT) == []
        assert due(database, at + delay + MOMENT) == [job_id]
        at += delay + MOMENT
    with database.transaction() as session:
        jobs.start(session, job_id, at)
        jobs.finish(session, job_id, at, "database")
    assert due(database, at + timedelta(days=365)) == []
    assert job(database, job_id).attempts == MOST_ATTEMPTS


def test_a_job_that_cost_every_worker_its_life_is_given_up(database: Database) -> None:
    job_id = asked(database)
    at = AT
    for _ in range(MOST_ATTEMPTS):
        assert due(database, at) == [job_id]
        with database.transaction() as session:
            assert jobs.start(session, job_id, at) is not None
        at += LOST_AFTER + MOMENT
    assert due(database, at) == []
    with database.transaction() as session:
        jobs.give_up_lost(session, at)
    assert (job(database, job_id).state, job(database, job_id).error_code) == ("failed", jobs.WORKER_LOST)


@pytest.mark.parametrize("running", [True, False])
def test_an_error_is_noted_on_what_is_open_and_on_nothing_else(database: Database, running: bool) -> None:
    open_job, done_job = asked(database), asked(database, subject="y")
    with database.transaction() as session:
        if running:
            jobs.start(session, open_job, AT)
        jobs.start(session, done_job, AT)
        jobs.finish(session, done_job, AT)
        jobs.note_failure(session, [open_job, done_job], AT, "fault")
    noted = job(database, open_job)
    assert (noted.state, noted.error_code, noted.attempts) == ("failed", "fault", 1)
    assert job(database, done_job).state == "done"


def test_a_person_asks_again_once_and_the_trail_says_who(database: Database) -> None:
    job_id = asked(database)
    with pytest.raises(ConflictError), database.transaction() as session:
        jobs.ask_again(session, ADMIN, AT, job_id)
    with database.transaction() as session:
        jobs.start(session, job_id, AT)
        jobs.finish(session, job_id, AT, "fault")
    with database.transaction() as session:
        jobs.ask_again(session, ADMIN, AT, job_id)
    found = job(database, job_id)
    assert (found.state, found.attempts, found.error_code) == ("waiting", 0, None)
    with database.reading() as session:
        (event,) = session.scalars(select(Event))
    assert (event.action, event.subject_id) == ("job.asked_again", job_id)
    assert '"person":"person-9"' in event.body


def test_what_is_done_can_be_opened_again_by_whoever_asks_for_it(database: Database) -> None:
    job_id = asked(database)
    with database.transaction() as session:
        jobs.start(session, job_id, AT)
        jobs.finish(session, job_id, AT)
        jobs.reopen(session, [job_id], AT + MOMENT)
    found = job(database, job_id)
    assert (found.state, found.attempts, found.asked_at) == ("waiting", 0, AT + MOMENT)
