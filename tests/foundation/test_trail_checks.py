"""A verification's record counts as its event has it: nobody makes a faulty trail well by a line in `trail_check`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from foundation.database import Database
from foundation.trail.checks import Checked, newest_checks
from foundation.trail.events import Change, record
from foundation.trail.verdict import Verdict, event_fault
from foundation.trail.verifying import record_check
from tests.foundation.attacker import AT, OFFICER, Attacker

ROOT, OTHER = "ab" * 32, "cd" * 32
FAULTY = Verdict(35, 4, 3, ROOT, (event_fault("event_changed", 17, 33, "被改动", "was changed"),))
WELL = Verdict(35, 4, 3, ROOT, ())


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def attacker(migrated_url: str) -> Iterator[Attacker]:
    made = Attacker(migrated_url)
    yield made
    made.close()


def recorded(database: Database, *verdicts: Verdict) -> None:
    for number, verdict in enumerate(verdicts):
        with database.transaction() as session:
            record_check(session, OFFICER, AT + timedelta(microseconds=number), verdict)


def newest(database: Database, most: int = 10) -> list[Checked]:
    with database.reading() as session:
        return newest_checks(session, most)


def test_the_newest_come_first_as_they_were_recorded(database: Database) -> None:
    assert newest(database) == []
    recorded(database, WELL, FAULTY)
    last, first = newest(database)
    assert (first.well, first.fault, first.root, first.asked_by, first.checked_at) == (
        True,
        None,
        ROOT,
        "p1",
        AT,
    )
    assert (last.events, last.blocks, last.unsealed) == (35, 4, 3)
    assert last.fault is not None
    assert (last.well, last.fault["kind"], last.fault["event_id"]) == (False, "event_changed", 33)
    assert newest(database, 1) == [last]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_check SET well = TRUE, fault = NULL",
        "UPDATE trail_check SET fault = '{}'",
        "UPDATE trail_check SET fault = 'x'",
        "UPDATE trail_check SET fault = '[]'",
        f"UPDATE trail_check SET root = '{OTHER}'",
        "UPDATE trail_check SET asked_by = 'p2'",
        "UPDATE trail_check SET checked_at = '2099-01-01T00:00:00.000000+00:00'",
        "UPDATE trail_check SET id = 'x'",
        "DELETE FROM event WHERE action = 'trail.verified'",
        "UPDATE event SET action = 'x.done'",
        "UPDATE event SET body = 'x'",
        "UPDATE event SET body = '[]'",
    ],
)
def test_a_record_that_differs_from_its_event_is_not_well(
    database: Database, attacker: Attacker, statement: str
) -> None:
    recorded(database, FAULTY)
    attacker.run(statement)
    (found,) = newest(database)
    assert found.fault is not None
    assert (found.well, found.fault["kind"]) == (False, "check_changed")
    assert "记录被改动" in found.fault["zh"] and "it was changed" in found.fault["en"]


def test_a_record_without_any_verification_is_not_well(database: Database, attacker: Attacker) -> None:
    recorded(database, FAULTY)
    attacker.run(
        "INSERT INTO trail_check (id, asked_by, checked_at, events, blocks, unsealed, root, well) "
        f"VALUES ('new', 'p1', '2021-01-01T00:00:00.000000+00:00', 35, 4, 0, '{ROOT}', TRUE)"
    )
    assert [check.well for check in newest(database)] == [False, False]
    assert [check.fault and check.fault["kind"] for check in newest(database)] == [
        "check_changed", "event_changed",
    ]  # fmt: skip


def test_a_second_event_about_a_verification_is_no_help(database: Database, attacker: Attacker) -> None:
    recorded(database, FAULTY)
    attacker.run("UPDATE trail_check SET well = TRUE, fault = NULL")
    with database.transaction() as session:
        check_id = attacker.ask("SELECT id FROM trail_check")
        record(session, OFFICER, AT, [Change("trail.verified", "trail_check", check_id, ROOT)])
    assert not newest(database)[0].well
