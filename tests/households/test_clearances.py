"""核查澄清: asked for with evidence by one person, decided by another, and then a fact of adjudication."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from foundation.actors import Role
from foundation.blobs import BlobStore
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from households.checks import CHECKS
from households.facts import FactsOfHouseholds, facts_of
from households.models.feeds import Clearance
from households.queries.comparison import matrix_of, timeline_of
from households.queries.proposals import Paper
from households.queries.views import View
from households.reverse_standards import cleared_on
from households.services import papers, proposals
from households.services.arrivals import RECHECK_HOUSEHOLD
from households.services.clearances import KIND, content_of
from households.services.comparison import run_household
from policies.services import take_in_policy
from tests.households.comparing import (
    CERTIFIER,
    HERE,
    POLICY,
    SYSTEM,
    THERE,
    TODAY,
    County,
    in_roster,
    town_reviewer,
)
from tests.households.people import id_number
from tests.watching import watched

LEAD = replace(CERTIFIER, person="lead", account="lead", role=Role.CENTER_LEAD)
REVIEWER = town_reviewer(HERE[:9])
PDF = b"%PDF-1.7 proof"


@pytest.fixture(autouse=True)
def every_change_has_its_event() -> Iterator[None]:
    with watched() as faults:
        yield
    assert faults == []


@pytest.fixture
def county(migrated_url: str, tmp_path: Path) -> Iterator[County]:
    """A household whose head has a costly car."""
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "test.key")
        take_in_policy(session, SYSTEM, County(database, sealer).at, POLICY)
    county = County(database, sealer)
    county.roster(in_roster(1), in_roster(3, "H2", THERE))
    county.feed("vehicles", [(id_number(1), "鲁C12345", 10_000_000, date(2019, 5, 1))])
    yield county
    database.close()


@pytest.fixture
def paper(county: County, tmp_path: Path) -> Paper:
    """A paper, sealed on the disk."""
    (received,) = papers.receive(BlobStore(tmp_path / "files", county.sealer), [PDF])
    return received


def ask(
    county: County, *evidence: Paper, matter: str = "vehicle", on: date = TODAY, passed: bool = True
) -> str:
    content = content_of(matter, on, passed=passed, note="车辆已于年初出售")
    with county.database.transaction() as session:
        home = county.household_id()
        return proposals.ask(session, county.sealer, REVIEWER, county.later(), KIND, home, content, evidence)


def approve(county: County, proposal_id: str) -> None:
    with county.database.transaction() as session:
        proposals.decide(session, county.sealer, LEAD, county.later(), proposal_id, approve=True)


def cleared(county: County, by: date = TODAY) -> date | None:
    """The day of the clearance that adjudication finds."""
    with county.database.reading() as session:
        people, feeds = facts_of(session, county.sealer, View(POLICY.number), [id_number(1)], day=TODAY)
    household = FactsOfHouseholds(people, feeds).household("H1")
    assert household.holdings["vehicle"]  # the hit stays what it is
    return cleared_on(household.clearances, "vehicle", by)


def test_an_approved_clearance_is_a_fact_of_adjudication_and_claims_are_looked_at_again(
    county: County, paper: Paper
) -> None:
    proposal_id = ask(county, paper)
    assert cleared(county) is None  # asked for is not given
    with county.database.reading() as session:
        before = set(session.scalars(select(Job.id).where(Job.kind == RECHECK_HOUSEHOLD)))
    approve(county, proposal_id)
    assert cleared(county) == TODAY
    assert cleared(county, TODAY - timedelta(1)) is None
    with county.database.reading() as session:
        row = session.scalars(select(Clearance)).one()
        subjects = session.scalars(
            select(Job.subject_id).where(Job.kind == RECHECK_HOUSEHOLD, Job.id.not_in(before))
        ).all()
    assert (row.scope, row.household_no, row.asked_by, row.decided_by) == ("", "H1", REVIEWER.person, "lead")
    assert orjson.loads(row.evidence or "")[0]["blob"] == paper.blob
    assert [subject.partition(":")[0] for subject in subjects] == [county.household_id()]


def test_of_two_answers_the_later_counts_and_of_one_day_the_refusal(county: County, paper: Paper) -> None:
    approve(county, ask(county, paper, on=TODAY - timedelta(5)))
    assert cleared(county) == TODAY - timedelta(5)
    approve(county, ask(county, paper, on=TODAY - timedelta(5), passed=False))
    assert cleared(county) is None
    approve(county, ask(county, paper, on=TODAY))
    assert cleared(county) == TODAY


def test_the_answer_stands_beside_the_hit_and_in_the_timeline(county: County, paper: Paper) -> None:
    home = county.household_id()
    with county.database.transaction() as session:
        run_household(session, county.sealer, CERTIFIER, county.later(), home)
    approve(county, ask(county, paper))
    with county.database.reading() as session:
        matrix = matrix_of(session, county.sealer, home)
        items = timeline_of(session, county.sealer, home)
    assert matrix is not None
    answer = matrix.answers["vehicle"]
    assert (answer.on, answer.passed, answer.by) == (TODAY, True, "lead")
    assert [item.title[0] for item in items] == ["比对命中", "核查澄清:通过"]
    assert all(item.text == CHECKS["vehicle"].title for item in items)


def test_it_needs_a_paper_a_matter_that_there_is_and_a_day_that_was(county: County, paper: Paper) -> None:
    with pytest.raises(InvalidInput):
        ask(county)
    with pytest.raises(InvalidInput):
        ask(county, paper, matter="death")
    with pytest.raises(InvalidInput):
        ask(county, paper, on=TODAY + timedelta(1))


def test_it_takes_two_persons_of_the_right_roles_and_the_right_place(county: County, paper: Paper) -> None:
    proposal_id = ask(county, paper)

    def decide(role: Role, person: str) -> None:
        actor = replace(CERTIFIER, person=person, account=person, role=role)
        with county.database.transaction() as session:
            proposals.decide(session, county.sealer, actor, county.later(), proposal_id, approve=True)

    with pytest.raises(NotAllowedError):
        decide(Role.CENTER_LEAD, REVIEWER.person)  # the same person in another role
    with pytest.raises(NotAllowedError):
        decide(Role.CLAIM_OFFICER, "officer")
    content = content_of("vehicle", TODAY, passed=True, note="x")
    with county.database.transaction() as session:
        with pytest.raises(NotFound):
            elsewhere = town_reviewer(THERE[:9])
            home = county.household_id()
            proposals.ask(session, county.sealer, elsewhere, county.later(), KIND, home, content, [paper])
        with pytest.raises(NotAllowedError):
            proposals.ask(session, county.sealer, LEAD, county.later(), KIND, home, content, [paper])
    assert cleared(county) is None
    decide(Role.CENTER_CERTIFIER, "certifier")
    assert cleared(county) == TODAY
    with pytest.raises(ConflictError):
        decide(Role.CENTER_LEAD, "lead")


@pytest.mark.parametrize("column", ["asked_by", "evidence", "decided_by"])
def test_the_database_refuses_one_without_two_persons_and_a_paper(county: County, column: str) -> None:
    values = {"asked_by": "'a'", "decided_by": "'b'", "evidence": "'[]'"} | {column: "NULL"}
    if column == "decided_by":
        values["decided_by"] = "'a'"
    names, given = ", ".join(values), ", ".join(values.values())
    statement = (
        f"INSERT INTO clearance (id, scope, household_no, matter, cleared_on, passed, known_at, {names}) "
        f"VALUES ('c', '', 'H1', 'vehicle', '2020-12-31', :passed, '2020-12-31T04:00:00.000000+00:00', {given})"
    )
    sqlite = county.database.engine.dialect.name == "sqlite"
    with pytest.raises(DBAPIError), county.database.transaction() as session:
        session.execute(text(statement), {"passed": 1 if sqlite else True})
