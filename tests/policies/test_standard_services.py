"""Proposing and deciding the standards of a year: two persons, one in force, old ones stay; policies must agree."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound, UnusableInput
from foundation.trail.events import Event
from policies.models import MasterPolicy, Standard
from policies.queries import (
    active_standards,
    first_standards,
    latest_active,
    policies_of_year,
    standard_rows,
    standards_faults,
    years,
    years_due,
)
from policies.services import decide, propose, propose_next_year, take_in_policy
from policies.standard import Standards, reindexed
from tests.policies.approving import AT, CERTIFIER, GROUP, LEAD, in_force
from tests.policies.example import read

COUNTY = first_standards()
HIGHER = replace(COUNTY, elderly_from_age=65)
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")
UNLIMITED = (", within_years = 5 }", " }")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def actions(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(row.action, row.subject_id) for row in session.scalars(select(Event).order_by(Event.id))]


def rows(database: Database, year: int = 2020) -> dict[str, Standard]:
    with database.reading() as session:
        return {row.id: row for row in standard_rows(session, year)}


# Proposing and deciding


def test_a_proposal_is_in_force_once_another_person_has_approved_it(database: Database) -> None:
    with database.transaction() as session:
        row = propose(session, CERTIFIER, AT, COUNTY)
        assert active_standards(session, 2020) is None and latest_active(session) is None
    assert rows(database)[row.id].state == "proposed"
    with database.transaction() as session:
        decide(session, LEAD, AT + timedelta(days=1), row.id, approve=True)
    with database.reading() as session:
        assert active_standards(session, 2020) == COUNTY == latest_active(session)
        assert active_standards(session, 2019) is None
    there = rows(database)[row.id]
    assert (there.state, there.line_fen, there.fingerprint) == ("active", 631_200, COUNTY.fingerprint)
    assert (there.proposed_by, there.decided_by) == ("certifier", "lead")
    assert there.decided_at == AT + timedelta(days=1)
    assert actions(database) == [("standard.proposed", row.id), ("standard.approved", row.id)]


def test_a_refused_proposal_stays_and_leaves_what_is_in_force(database: Database) -> None:
    with database.transaction() as session:
        first = in_force(session)
        second = propose(session, CERTIFIER, AT, HIGHER)
        decide(session, GROUP, AT, second.id, approve=False)
    states = {identity: row.state for identity, row in rows(database).items()}
    assert states == {first.id: "active", second.id: "refused"}
    with database.reading() as session:
        assert active_standards(session, 2020) == COUNTY
    assert actions(database)[-1] == ("standard.refused", second.id)


def test_an_approval_replaces_what_was_in_force_in_the_same_transaction(database: Database) -> None:
    with database.transaction() as session:
        first = in_force(session)
        second = propose(session, CERTIFIER, AT, HIGHER)
    with database.transaction() as session:
        decide(session, LEAD, AT, second.id, approve=True)
        session.flush()
        session.rollback()
    assert rows(database)[first.id].state == "active", "half of it is nothing of it"
    with database.transaction() as session:
        decide(session, LEAD, AT, second.id, approve=True)
    states = {identity: row.state for identity, row in rows(database).items()}
    assert states == {first.id: "replaced", second.id: "active"}
    assert actions(database)[-2:] == [("standard.replaced", first.id), ("standard.approved", second.id)]
    with database.reading() as session:
        assert active_standards(session, 2020) == HIGHER
        (year,) = years(session)
        assert (year.shown.id, year.waiting) == (second.id, None)


def test_old_years_stay_beside_a_new_one(database: Database) -> None:
    with database.transaction() as session:
        in_force(session)
        row = propose_next_year(session, CERTIFIER, AT, 2_079_300, "统计公报")
        decide(session, LEAD, AT, row.id, approve=True)
    with database.reading() as session:
        assert active_standards(session, 2020) == COUNTY
        assert (
            active_standards(session, 2021)
            == reindexed(COUNTY, 2_079_300, "统计公报")
            == latest_active(session)
        )
        assert [year.shown.year for year in years(session)] == [2021, 2020]


def test_the_next_year_needs_one_to_go_on_from(database: Database) -> None:
    with database.transaction() as session, pytest.raises(ConflictError):
        propose_next_year(session, CERTIFIER, AT, 2_079_300)


@pytest.mark.parametrize(
    "refused",
    [
        lambda session: propose(session, CERTIFIER, AT, HIGHER),
        lambda session: propose(session, LEAD, AT, replace(COUNTY, reasons=())),
    ],
)
def test_a_year_has_one_proposal_at_a_time(database: Database, refused: Callable[[Any], Any]) -> None:
    with database.transaction() as session:
        propose(session, CERTIFIER, AT, COUNTY)
    with database.transaction() as session, pytest.raises(ConflictError, match="waiting for a decision"):
        refused(session)


def test_what_is_in_force_already_is_not_proposed_again(database: Database) -> None:
    with database.transaction() as session:
        in_force(session)
    with database.transaction() as session, pytest.raises(ConflictError, match="in force in 2020 already"):
        propose(session, CERTIFIER, AT, COUNTY)


def test_what_cannot_be_is_not_stored(database: Database) -> None:
    with database.transaction() as session, pytest.raises(InvalidInput):
        propose(session, CERTIFIER, AT, replace(COUNTY, year=2021))
    assert not rows(database, 2021) and not actions(database)


# Who


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CENTER_CERTIFIER, Role.CENTER_LEAD}))
def test_no_other_role_proposes(database: Database, role: Role) -> None:
    with database.transaction() as session, pytest.raises(NotAllowedError):
        propose(session, replace(CERTIFIER, role=role), AT, COUNTY)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.LEADING_GROUP, Role.CENTER_LEAD}))
def test_no_other_role_decides(database: Database, role: Role) -> None:
    with database.transaction() as session:
        row = propose(session, CERTIFIER, AT, COUNTY)
    with database.transaction() as session, pytest.raises(NotAllowedError):
        decide(session, replace(LEAD, role=role), AT, row.id, approve=True)


def test_nobody_decides_their_own_proposal_whatever_role_they_take(database: Database) -> None:
    with database.transaction() as session:
        row = propose(session, LEAD, AT, COUNTY)
    for approve in (True, False):
        with database.transaction() as session, pytest.raises(NotAllowedError):
            decide(
                session, replace(LEAD, role=Role.LEADING_GROUP, account="other"), AT, row.id, approve=approve
            )
    assert rows(database)[row.id].state == "proposed"


def test_a_proposal_that_there_is_not_is_not_found(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        decide(session, LEAD, AT, "0" * 32, approve=True)


# Two at once


def at_once(database: Database, *works: Callable[[Any], Any]) -> list[str]:
    """Does things at the same moment, each in a transaction; the class of what each raised, or "done"."""
    barrier = threading.Barrier(len(works))
    ended: list[str] = []

    def run(work: Callable[[Any], Any]) -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                work(session)
            ended.append("done")
        except Exception as error:
            ended.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


def test_of_two_proposals_at_once_one_wins_and_the_other_is_told(database: Database) -> None:
    ended = at_once(
        database,
        lambda session: propose(session, CERTIFIER, AT, COUNTY),
        lambda session: propose(session, LEAD, AT, HIGHER),
    )
    assert ended == ["ConflictError", "done"]
    assert len(rows(database)) == 1 == len(actions(database))


@pytest.mark.parametrize("second", [True, False])
def test_of_two_decisions_at_once_one_wins_and_the_other_is_told(database: Database, second: bool) -> None:
    with database.transaction() as session:
        first = in_force(session)
        row = propose(session, CERTIFIER, AT, HIGHER)
    ended = at_once(
        database,
        lambda session: decide(session, LEAD, AT, row.id, approve=True),
        lambda session: decide(session, GROUP, AT, row.id, approve=second),
    )
    assert ended == ["ConflictError", "done"]
    states = {identity: one.state for identity, one in rows(database).items()}
    assert states in ({first.id: "replaced", row.id: "active"}, {first.id: "active", row.id: "refused"})
    decided = [action for action, _ in actions(database)][3:]
    assert decided in (["standard.replaced", "standard.approved"], ["standard.refused"])


# What the database refuses by itself


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE standard SET state = 'active', decided_by = proposed_by, decided_at = proposed_at",
        "UPDATE standard SET state = 'active'",
        "UPDATE standard SET state = 'replaced', decided_by = 'lead', decided_at = proposed_at",
        "UPDATE standard SET line_fen = 1",
        "UPDATE standard SET canonical = '{}'",
        "UPDATE standard SET proposed_by = 'somebody'",
        "DELETE FROM standard",
    ],
)
def test_the_database_refuses_what_must_never_happen(database: Database, statement: str) -> None:
    with database.transaction() as session:
        propose(session, CERTIFIER, AT, COUNTY)
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text(statement))


def test_the_database_refuses_a_second_one_in_force(database: Database) -> None:
    with database.transaction() as session:
        in_force(session)
        propose(session, CERTIFIER, AT, HIGHER)
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(
            text(
                "UPDATE standard SET state = 'active', decided_by = 'lead', decided_at = proposed_at WHERE state = 'proposed'"
            )
        )


# What is due


def test_this_year_is_due_and_in_december_the_next(database: Database) -> None:
    with database.reading() as session:
        assert years_due(session, date(2021, 3, 1)) == [], (
            "a county that never approved any is told otherwise"
        )
    with database.transaction() as session:
        in_force(session)
        propose_next_year(session, CERTIFIER, AT, 2_079_300)
    with database.reading() as session:
        assert years_due(session, date(2020, 11, 30)) == []
        assert years_due(session, date(2020, 12, 1)) == [2021]
        assert years_due(session, date(2021, 12, 31)) == [2021, 2022], "a proposal is not in force"


# Policies


def test_a_policy_that_differs_is_not_taken_in_and_its_places_are_named(database: Database) -> None:
    policy = read(UNLIMITED, ("basis = 19128.00", "basis = 20000.00"))
    with database.transaction() as session:
        in_force(session)
    with database.transaction() as session, pytest.raises(UnusableInput) as refused:
        take_in_policy(session, SYSTEM, AT, policy)
    places = [fault.place for fault in refused.value.faults]
    assert places == ["policy.toml poverty_line.basis", "policy.toml poverty_line"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MasterPolicy)) == 0


@pytest.mark.parametrize("state", ["none", "proposed", "refused", "another year"])
def test_without_standards_in_force_in_its_year_any_policy_is_taken_in(
    database: Database, state: str
) -> None:
    other = replace(COUNTY, line=replace(COUNTY.line, base_fen=2_000_000))
    with database.transaction() as session:
        if state in ("proposed", "refused"):
            row = propose(session, CERTIFIER, AT, other)
        if state == "refused":
            decide(session, LEAD, AT, row.id, approve=False)
        if state == "another year":
            in_force(session, reindexed(COUNTY, 2_079_300))
    with database.transaction() as session:
        assert take_in_policy(session, SYSTEM, AT, read())


def test_a_policy_that_agrees_is_taken_in_once(database: Database) -> None:
    with database.transaction() as session:
        in_force(session)
    with database.transaction() as session:
        first = take_in_policy(session, SYSTEM, AT, read(UNLIMITED))
        assert take_in_policy(session, SYSTEM, AT, read(UNLIMITED)) == first
        assert standards_faults(session, read(UNLIMITED)) == ()


def test_a_policy_taken_in_before_is_held_against_corrected_standards(database: Database) -> None:
    corrected: Standards = replace(COUNTY, line=replace(COUNTY.line, base_fen=1_920_000))
    with database.transaction() as session:
        in_force(session)
        take_in_policy(session, SYSTEM, AT, read(UNLIMITED))
        in_force(session, corrected)
    with database.transaction() as session, pytest.raises(UnusableInput):
        take_in_policy(session, SYSTEM, AT, read(UNLIMITED))
    with database.reading() as session:
        (known,) = policies_of_year(session, 2020)
        assert len(standards_faults(session, known)) == 2


def test_of_a_policy_s_versions_the_last_one_taken_in_counts(database: Database) -> None:
    with database.transaction() as session:
        take_in_policy(session, SYSTEM, AT, read())
        take_in_policy(session, SYSTEM, AT + timedelta(seconds=1), read(UNLIMITED))
        take_in_policy(session, SYSTEM, AT, read(('number = "FPB-1"', 'number = "FPB-0"')))
        found = policies_of_year(session, 2020)
        assert [policy.number for policy in found] == ["FPB-0", "FPB-1"]
        assert found[1].fingerprint == read(UNLIMITED).fingerprint
        assert policies_of_year(session, 2021) == []


def test_events_hold_digests_and_the_year(database: Database) -> None:
    with database.transaction() as session:
        in_force(session)
    with database.reading() as session:
        bodies = [json.loads(event.body) for event in session.scalars(select(Event).order_by(Event.id))]
    assert [(body["after"], body["reason"]) for body in bodies] == [(COUNTY.fingerprint, "2020")] * 2
