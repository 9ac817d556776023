"""What is due on a day and what is not; two persons for each erasure; what is held stays."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from claims.models import ClaimRow, Determination
from foundation.actors import Actor, Assurance, Role
from foundation.database import sealed_columns
from foundation.errors import ConflictError, NotAllowedError
from foundation.privacy.holds import lift_hold, set_hold
from foundation.privacy.retention import shipped
from foundation.runtime import Runtime
from foundation.sealing import ERASED
from foundation.upkeep import ROTATION, Upkeep
from households.models import Cover, Person
from households.models.people import Income
from migrations.schema import METADATA
from payments.models import Payable
from tests.webapp.conftest import COUNTY, Web
from tests.webapp.erasing import (
    ERASED_CLAIMS,
    PAID_UNTIL,
    POLICY,
    REFUSED_UNTIL,
    a_paid_claim,
    approve,
    ask,
    count,
    due,
    erase,
    hold,
    officer,
    planned,
    runtime_on,
)
from webapp.celery_app import carry_out_here
from webapp.services import erasures


@pytest.fixture
def runtime(county: Web, tmp_path: Path) -> Runtime:
    return runtime_on(county, tmp_path)


# --- what is due, and when --------------------------------------------------------------------------------------------


def test_nothing_is_due_on_the_last_day_of_its_term_and_all_of_it_the_day_after(county: Web) -> None:
    assert "paid_claim" not in due(county, PAID_UNTIL)
    with county.database.reading() as session:
        paid = session.scalar(select(func.count()).select_from(Payable).where(Payable.state == "sent"))
        refused = session.scalar(
            select(func.count()).select_from(Determination).where(Determination.outcome == "reject")
        )
    assert due(county, PAID_UNTIL + timedelta(days=1))["paid_claim"] == paid
    assert "unpaid_claim" not in due(county, REFUSED_UNTIL)
    assert due(county, REFUSED_UNTIL + timedelta(days=1))["unpaid_claim"] == refused


def test_people_without_a_claim_are_due_ten_years_after_their_cover(county: Web) -> None:
    assert due(county, date(2030, 12, 31)) == {}
    found = due(county, date(2031, 1, 1))
    assert set(found) == {"household", "person", "delivery"}
    with county.database.reading() as session:
        claimed = select(ClaimRow.household_id).where(ClaimRow.household_id.is_not(None))
        without = session.scalar(
            select(func.count(func.distinct(Cover.person_id))).where(Cover.household_id.not_in(claimed))
        )
    assert 0 < found["person"] <= (without or 0)


def test_the_longest_term_that_applies_counts_and_the_plan_says_so(county: Web) -> None:
    groups = {group.code: group for group in planned(county, date(2040, 6, 1)).groups}
    paid = groups["paid_claim"]
    assert not paid.due and paid.longer and not paid.running  # ten years are over, thirty are not
    assert groups["person"].longer, "the household of a paid claim is kept with it"


def test_open_business_is_never_due(county: Web) -> None:
    claims = {group.code: group for group in planned(county, date(2999, 1, 1)).groups}["unpaid_claim"]
    with county.database.reading() as session:
        waiting = session.scalar(select(func.count()).select_from(ClaimRow).where(ClaimRow.state == "review"))
    assert claims.open == waiting != 0
    with county.database.reading() as session:
        open_homes = set(session.scalars(select(ClaimRow.household_id).where(ClaimRow.state == "review")))
    homes = {group.code: group for group in planned(county, date(2999, 1, 1)).groups}["household"]
    assert open_homes.isdisjoint(homes.due)


def test_a_policy_of_more_than_a_year_keeps_its_files_ten_years_from_its_end() -> None:
    group = shipped().group("unpaid_claim")
    end = date(2022, 2, 28)
    assert group.span({"short_contract_end": end, "relation_end": end}) == (
        date(2027, 2, 28),
        date(2032, 2, 28),
    )
    assert group.span({"long_contract_end": end, "relation_end": end}) == (
        date(2032, 2, 28),
        date(2032, 2, 28),
    )


def test_somebody_who_is_insured_again_is_kept_by_the_new_cover(county: Web) -> None:
    day = date(2031, 6, 1)
    (person_id, *_) = {group.code: group for group in planned(county, day).groups}["person"].due
    with county.database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO policy SELECT 'later', 'LATER', title, 'later', canonical, '2030-01-01', '2030-12-31', "
                "taken_in_at FROM policy LIMIT 1"
            )
        )
        session.execute(
            text(
                "INSERT INTO cover (id, policy_number, person_id, household_id, relation, category, village_code, "
                "cover_from, cover_to, renewal, sealed, digest, source, known_at, retired_at) SELECT 'again', 'LATER', person_id, household_id, relation, category, village_code, "
                "'2030-01-01', '2030-12-31', renewal, 'sealed', digest, source, known_at, retired_at "
                "FROM cover WHERE person_id = :person"
            ),
            {"person": person_id},
        )
    groups = {group.code: group for group in planned(county, day).groups}
    assert person_id not in groups["person"].due
    assert (
        person_id in {group.code: group for group in planned(county, date(2041, 1, 1)).groups}["person"].due
    )


# --- two persons ------------------------------------------------------------------------------------------------------


def test_an_erasure_takes_two_persons_each_with_a_fresh_code(county: Web) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    for actor, error in (
        (officer(1), NotAllowedError),
        (Actor("x", "x", Role.SEC_ADMIN, COUNTY, "x", Assurance.SECOND_FACTOR), NotAllowedError),
        (Actor("x", "x", Role.AUDITOR, COUNTY, "x", Assurance.STEP_UP), NotAllowedError),
    ):
        with pytest.raises(error), county.database.transaction() as session:
            erasures.approve(session, actor, county.clock.now(), upkeep_id)
    assert count(county, ERASED_CLAIMS) == 0


def test_the_database_itself_asks_for_the_second_person(county: Web) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    for statement in (
        "UPDATE upkeep SET state = 'running'",
        "UPDATE upkeep SET state = 'running', decided_by = asked_by, decided_at = asked_at",
        "UPDATE upkeep SET plan = '{}'",
    ):
        with pytest.raises(DBAPIError), county.database.transaction() as session:
            session.execute(text(statement))
    with county.database.reading() as session:
        assert session.get_one(Upkeep, upkeep_id).state == "asked"


def test_without_an_erasure_that_runs_the_database_lets_nothing_be_erased(county: Web) -> None:
    columns = [
        column
        for column in sealed_columns(METADATA)
        if column.table.name not in ("staff_member", "account", "key_check", "kept_answer")
    ]
    with county.database.transaction() as session:
        set_hold(session, county.sealer, officer(1), county.clock.now(), "policy", POLICY, "某案在审")
        session.add(
            Upkeep(
                id="rotation", kind=ROTATION, state="running", key_id="k", plan="{}", asked_by="x",
                asked_at=county.clock.now(), done=0,
            )
        )  # fmt: skip
    accepted, refusals = [], []
    for column in columns:
        table = column.table.name
        if count(county, table) == 0:
            continue
        word = "'erased'" if table != "stored_file" else "CAST('erased' AS BLOB)"
        if table == "stored_file" and county.database.engine.dialect.name == "postgresql":
            word = "'erased'::bytea"
        try:
            with county.database.transaction() as session:
                session.execute(text(f"UPDATE {table} SET {column.name} = {word}"))
            accepted.append(str(column))
        except DBAPIError as error:
            refusals.append(str(error.orig))
    assert accepted == []
    assert all("fangpin guard" in refusal for refusal in refusals) and len(refusals) >= 8


def test_a_rotation_that_runs_keeps_an_erasure_from_beginning(county: Web) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    with county.database.transaction() as session:
        session.add(
            Upkeep(
                id="rotation", kind=ROTATION, state="running", key_id="k", plan="{}", asked_by="x",
                asked_at=county.clock.now(), done=0,
            )
        )  # fmt: skip
    with pytest.raises(ConflictError, match="rotation"):
        approve(county, upkeep_id)


def test_one_erasure_at_a_time_and_none_of_nothing(county: Web) -> None:
    with pytest.raises(ConflictError, match="nothing is due"):
        ask(county, date(2026, 1, 1))
    ask(county, date(2052, 1, 1))
    with pytest.raises(ConflictError, match="already"):
        ask(county, date(2052, 1, 2))


def test_what_was_refused_is_not_carried_out(county: Web, runtime: Runtime) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    with county.database.transaction() as session:
        erasures.refuse(session, officer(2), county.clock.now(), upkeep_id)
    with pytest.raises(ConflictError):
        erasures.carry_out(runtime, upkeep_id, lambda *_: None)
    with pytest.raises(ConflictError):
        approve(county, upkeep_id)
    assert count(county, ERASED_CLAIMS) == 0


# --- holds -----------------------------------------------------------------------------------------------------------


def test_a_held_claim_keeps_its_household_its_people_its_bank_file_and_its_reports(
    county: Web, runtime: Runtime
) -> None:
    claim = a_paid_claim(county)
    hold_id = hold(county, "claim", claim.id)
    groups = {group.code: group for group in planned(county, date(2052, 1, 1)).groups}
    assert claim.id not in groups["paid_claim"].due and groups["paid_claim"].held == 1
    assert claim.batch_id not in groups["batch"].due and groups["batch"].held == 1
    assert groups["county_document"].held == 1
    assert claim.household_id not in groups["household"].due
    erase(county, date(2052, 1, 1))
    with county.database.reading() as session:
        assert session.get_one(ClaimRow, claim.id).sealed != ERASED
        incomes = session.scalars(
            select(Income.sealed).where(Income.household_id == claim.household_id)
        ).all()
        assert incomes and ERASED not in incomes
        people = session.scalars(
            select(Person.sealed).join(Cover, Cover.person_id == Person.id)
            .where(Cover.household_id == claim.household_id)
        ).all()  # fmt: skip
        payee = session.scalars(
            select(Payable.sealed).where(Payable.determination_id == claim.determination_id)
        ).one()
    assert people and ERASED not in people and payee != ERASED
    client = county.sign_in("AUDITOR")
    assert client.get(f"/claims/{claim.id}").status_code == 200
    with county.database.transaction() as session:
        lift_hold(session, officer(2), county.clock.now(), hold_id)
    assert (
        claim.id
        in {group.code: group for group in planned(county, date(2052, 1, 2)).groups}["paid_claim"].due
    )


def test_a_held_household_keeps_all_its_claims_and_a_held_policy_everything(county: Web) -> None:
    claim = a_paid_claim(county)
    first = hold(county, "household", claim.household_id)
    with county.database.reading() as session:
        siblings = set(
            session.scalars(select(ClaimRow.id).where(ClaimRow.household_id == claim.household_id))
        )
    groups = {group.code: group for group in planned(county, date(2052, 1, 1)).groups}
    assert siblings.isdisjoint({*groups["paid_claim"].due, *groups["unpaid_claim"].due})
    with county.database.transaction() as session:
        lift_hold(session, officer(2), county.clock.now(), first)
    hold(county, "policy", POLICY)
    assert due(county, date(2052, 1, 1)) == {}


def test_a_hold_that_is_set_after_the_asking_is_respected(county: Web, runtime: Runtime) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    job_id = approve(county, upkeep_id)
    claim = a_paid_claim(county)
    hold(county, "claim", claim.id)
    carry_out_here("retention.erase", [job_id])
    with county.database.reading() as session:
        assert session.get_one(ClaimRow, claim.id).sealed != ERASED
        upkeep = session.get_one(Upkeep, upkeep_id)
        assert upkeep.state == "finished" and 0 < upkeep.done < erasures.kept_plan(upkeep).total


def test_what_is_freed_after_the_asking_waits_for_the_next_erasure(county: Web, runtime: Runtime) -> None:
    claim = a_paid_claim(county)
    hold_id = hold(county, "claim", claim.id)
    upkeep_id = ask(county, date(2052, 1, 1))
    with county.database.transaction() as session:
        lift_hold(session, officer(2), county.clock.now(), hold_id)
    carry_out_here("retention.erase", [approve(county, upkeep_id)])
    with county.database.reading() as session:
        assert session.get_one(ClaimRow, claim.id).sealed != ERASED, "never more than the plan"


def test_a_hold_is_lifted_by_another_person_and_set_once(county: Web) -> None:
    claim = a_paid_claim(county)
    hold_id = hold(county, "claim", claim.id)
    with pytest.raises(ConflictError):
        hold(county, "claim", claim.id)
    with pytest.raises(NotAllowedError), county.database.transaction() as session:
        lift_hold(session, officer(1), county.clock.now(), hold_id)
    with pytest.raises(DBAPIError), county.database.transaction() as session:
        session.execute(text("UPDATE legal_hold SET lifted_by = set_by, lifted_at = set_at"))
    with county.database.transaction() as session:
        lift_hold(session, officer(2), county.clock.now(), hold_id)
    with pytest.raises(ConflictError), county.database.transaction() as session:
        lift_hold(session, officer(3), county.clock.now(), hold_id)
