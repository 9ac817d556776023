"""A later correction changes no past decision and raises a review: against a small plain model, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.pack import read_pack
from claims.queries import open_decision, standings
from claims.queries.listing import stale
from claims.queries.registered_facts import facts_from_register, with_documents
from claims.services.decisions import opened
from claims.services.pack import take_in_pack
from claims.services.recheck import Rechecked, recheck, recheck_household
from claims.storing import dump_record
from foundation.clock import FixedClock, business_day
from foundation.database import migrate
from foundation.trail.events import Event
from households.feeds import COLUMNS, DepositRow, file_of
from households.household import Household
from households.models.people import HouseholdRow, Membership
from households.models.two_times import believed
from households.queries.views import View
from policies.queries import policy_by_id
from tests.claims.corrections import (
    Correction,
    CoverEnds,
    Deposits,
    Died,
    NewAccount,
    Register,
    Renamed,
)
from tests.claims.counties import County, determined_county, homes, reviewed
from tests.conftest import PROOF
from tests.servers import Postgres
from webapp.demo_actors import SYSTEM

AT = datetime(2021, 1, 5, 4, 0, tzinfo=UTC)
SMALL = Path(__file__).resolve().parents[1] / "packs" / "small"


class _Undone(Exception):
    pass


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def county(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[County]:
    """The small pack, determined. Tests that change it do so in a transaction that is rolled back."""
    kept = tmp_path_factory.mktemp(f"recheck-{request.param}")
    name = postgres.create() if request.param == "postgresql" else ""
    url = postgres.url(name) if name else f"sqlite:///{kept}/county.db"
    migrate(url)
    found = determined_county(url, kept / "key", SMALL, AT)
    yield found
    found.database.close()
    if name:
        postgres.drop(name)


@pytest.fixture(scope="module")
def deposits() -> list[DepositRow]:
    return read_pack(SMALL).feeds.deposits or []


@contextmanager
def undone(county: County) -> Iterator[Session]:
    """A transaction of which nothing stays."""
    try:
        with county.database.transaction() as session:
            yield session
            raise _Undone
    except _Undone:
        pass


def triple(decision: Decision) -> tuple[str, int, tuple[str, ...]]:
    return decision.outcome, decision.payable_fen, decision.reasons


def otherwise(
    county: County, rows: list[tuple[str, Facts, Decision]], corrections: list[Correction]
) -> set[str]:
    """The plain model: the claims that would be decided otherwise, had one known it then."""
    usage, found = Usage(), set()
    for number, facts, made in rows:
        corrected = facts
        for correction in corrections:
            corrected = correction.model(corrected)
        assert facts.household is not None and corrected.household is not None
        corrected = replace(corrected, used=usage.by(county.policy, facts.claim, corrected.household))
        if triple(decide(county.policy, corrected)) != triple(made):
            found.add(number)
        usage.add(county.policy, facts.claim, facts.household, made)
    return found


def past(session: Session, before: datetime) -> list[Any]:
    """Every decision and determination of the past, whole."""
    found: list[Any] = []
    for table, made in ((DecisionRow, DecisionRow.made_at), (Determination, Determination.determined_at)):
        columns = table.__table__.columns
        found += session.execute(select(*columns).where(made < before).order_by(table.id)).all()
    return found


def corrections_of(draw: Any, household: Household) -> list[Correction]:
    """Some corrections of a household, one of a kind: the model does not care for their order then."""
    members = st.integers(0, len(household.members) - 1)
    days = st.dates(date(2019, 6, 1), date(2021, 1, 4))
    one_of_each: list[st.SearchStrategy[Correction]] = [
        st.builds(Died, members, days),
        st.builds(CoverEnds, members, days),
        st.builds(NewAccount, st.just("6217000099990001"), st.none() | members),
        st.builds(Deposits, members, st.sampled_from((None, 49_999_99, 50_000_00, 10**9)), days),
        st.builds(Renamed, members, st.sampled_from(("改名", household.members[0].name))),
    ]
    kinds = draw(st.sets(st.integers(0, len(one_of_each) - 1), min_size=1, max_size=3))
    return [draw(one_of_each[kind]) for kind in sorted(kinds)]


@given(data=st.data())
@settings(
    max_examples=300 if PROOF else 40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_review_is_opened_exactly_where_the_plain_model_decides_otherwise_and_nothing_is_edited(
    county: County, deposits: list[DepositRow], data: st.DataObject
) -> None:
    with undone(county) as session:
        known = homes(session, county)
        number = data.draw(st.sampled_from(sorted(known)))
        household = known[number][0][1].household
        assert household is not None
        corrections = corrections_of(data.draw, household)
        register = Register(session, county.sealer, county.later, deposits)
        before = past(session, county.later)
        for correction in corrections:
            correction.write(register, household)
        ids = [register.household_id(household)]
        looked = county.later + timedelta(minutes=1)
        done = recheck(session, county.sealer, SYSTEM, looked, ids)
        expected = otherwise(county, known[number], corrections)
        assert reviewed(session) == dict.fromkeys(expected, "otherwise")
        assert done.reviews == len(expected) and past(session, county.later) == before
        assert stale(session) == 0
        # Looking again finds nothing new.
        assert recheck(session, county.sealer, SYSTEM, looked + timedelta(minutes=1), ids) == Rechecked()


def remade(session: Session, county: County, row: DecisionRow, view: View) -> str:
    """The digest of a decision that is made again from the register as it was known when it was made."""
    recorded, _ = open_decision(county.sealer, row.id, row.sealed)
    policy = policy_by_id(session, row.policy_id)
    today = business_day(row.made_at)
    facts = facts_from_register(session, county.sealer, view, policy, [recorded.claim], today)
    again = replace(
        with_documents(facts[recorded.claim.claim_no], recorded), used=recorded.used, claim=recorded.claim
    )
    return county.sealer.digest("decision", dump_record(again, decide(policy, again)))


def test_what_was_decided_at_a_moment_is_decided_so_again_from_what_was_known_then(
    county: County, deposits: list[DepositRow]
) -> None:
    with undone(county) as session:
        known = homes(session, county)
        first, second = (rows[0][1].household for rows in list(known.values())[:2])
        assert first is not None and second is not None
        number = county.policy.number
        step = county.later
        for round_ in range(3):
            register = Register(session, county.sealer, step, deposits)
            day = date(2020, 1, 1) + timedelta(30 * round_)
            for household in (first, second):
                CoverEnds(0, day).write(register, household)
                Renamed(0, f"改名{round_}").write(register, household)
                NewAccount(f"621700009999000{round_}", None).write(register, household)
            Deposits(0, 60_000_00 + round_, day).write(register, first)
            if round_ == 1:
                Died(0, day).write(register, second)
            ids = [register.household_id(home) for home in (first, second)]
            recheck(session, county.sealer, SYSTEM, step + timedelta(minutes=1), ids)
            step += timedelta(hours=1)
        rows = session.scalars(select(DecisionRow)).all()
        late = [row for row in rows if row.made_at > county.later]
        assert len({row.made_at for row in late}) == 3
        for row in rows:
            assert remade(session, county, row, View(number, known_at=row.made_at)) == row.digest


def test_a_claim_that_nobody_has_determined_is_proposed_anew(
    county: County, deposits: list[DepositRow]
) -> None:
    with undone(county) as session:
        item = next(
            item
            for item in standings(session, county.policy.number).values()
            if item.determined_number is None
            and item.state == "review"
            and item.household_id
            and opened(county.sealer, item)[0].claim.event_on > date(2020, 2, 1)
        )
        facts, before = opened(county.sealer, item)
        assert facts.household is not None
        event = facts.claim.event_on - timedelta(1)
        place = facts.claimant
        register = Register(session, county.sealer, county.later, deposits)
        CoverEnds(place, event).write(register, facts.household)
        done = recheck(session, county.sealer, SYSTEM, county.later, [item.household_id or ""])
        assert done.decisions >= 1
        now = standings(session, county.policy.number)[item.claim_no]
        _, decision = opened(county.sealer, now)
        assert now.sequence == item.sequence + 1 and now.state == "review"
        assert "NOT_COVERED_AT_EVENT" in decision.reasons and "NOT_COVERED_AT_EVENT" not in before.reasons
        assert decision.outcome == "reject"
        assert stale(session) == 0
        events = session.scalars(select(Event.action).where(Event.subject_id == now.decision_id)).all()
        assert events == ["decision.proposed"]


def test_a_claim_goes_with_the_claimant_whom_the_register_puts_into_another_household(
    county: County,
) -> None:
    """There it is determined, and there it uses up the caps."""
    with undone(county) as session:
        known = standings(session, county.policy.number).values()
        item = next(
            one
            for one in known
            if one.determined_number is None and one.state == "review" and one.household_id
        )
        facts, _ = opened(county.sealer, item)
        assert facts.household is not None
        other = session.scalars(select(HouseholdRow).where(HouseholdRow.id != item.household_id)).first()
        assert other is not None
        register = Register(session, county.sealer, county.later)
        person_id = register.person_id(facts.household.members[facts.claimant])
        row = session.scalars(
            select(Membership).where(Membership.person_id == person_id, believed(Membership))
        ).one()
        register.retire(Membership, row.id)
        register.add(
            Membership,
            person_id=person_id,
            household_id=other.id,
            relation="其他",
            began_by="corrected",
        )
        done = recheck(session, county.sealer, SYSTEM, county.later, [item.household_id or ""])
        claim = session.get_one(ClaimRow, item.claim_id)
        assert done.moved == 1 and claim.household_id == other.id and claim.town == other.town
        assert done.decisions >= 1 and stale(session) == 0
        changed = (
            select(func.count())
            .select_from(Event)
            .where(Event.subject_id == claim.id, Event.action == "claim.changed")
        )
        assert session.scalar(changed) == 1


def test_whoever_shares_a_changed_account_is_looked_at_again(county: County) -> None:
    with undone(county) as session:
        known = homes(session, county)
        approved = [
            rows[0]
            for rows in known.values()
            if rows[0][2].outcome == "approve" and not rows[0][1].claim.payee_account
        ]
        (number, facts, _), (_, others, _) = approved[0], approved[1]
        assert facts.household is not None and others.household is not None
        taken = facts.household.account_no
        assert taken is not None
        register = Register(session, county.sealer, county.later)
        NewAccount(taken, 0).write(register, others.household)
        recheck(session, county.sealer, SYSTEM, county.later, [register.household_id(others.household)])
        assert number in reviewed(session)


def test_a_newer_pack_does_not_forget_what_the_register_knows(county: County) -> None:
    """It is compared with what was determined as the register has it, which it changes nothing of."""
    with undone(county) as session:
        known = homes(session, county)
        _, facts, _ = next(rows[0] for rows in known.values() if rows[0][2].outcome == "approve")
        assert facts.household is not None
        register = Register(session, county.sealer, county.later)
        CoverEnds(facts.claimant, facts.claim.event_on - timedelta(1)).write(register, facts.household)
        looked = county.later + timedelta(minutes=1)
        done = recheck(session, county.sealer, SYSTEM, looked, [register.household_id(facts.household)])
        assert done.reviews > 0
        pack, files = read_pack(SMALL), {"claims.xlsx": "another workbook with the same rows"}
        files |= {file_of(feed): "the same" for feed in COLUMNS}
        again = looked + timedelta(hours=1)
        taken_in, decided = take_in_pack(session, county.sealer, SYSTEM, again, pack, files, county.policy)
        assert not taken_in.unchanged and taken_in.reviews == 0
        of_determined = (
            select(func.count())
            .select_from(DecisionRow)
            .join(Determination, Determination.claim_id == DecisionRow.claim_id)
        )
        assert session.scalar(of_determined.where(DecisionRow.made_at == again)) == 0
        of_pack = {item.decision.claim_no: triple(item.decision) for item in decided}
        assert all(of_pack[number] == triple(made) for rows in known.values() for number, _, made in rows)


@pytest.fixture
def own_county(migrated_url: str, tmp_path: Path) -> Iterator[County]:
    """The small pack in a database of the test's own."""
    found = determined_county(migrated_url, tmp_path / "key", SMALL, AT)
    yield found
    found.database.close()


def test_two_that_look_again_at_once_open_one_review(own_county: County) -> None:
    """Each looks in a transaction of its own, as two workers do with one job that was handed out twice."""
    county = own_county
    with county.database.transaction() as session:
        known = homes(session, county)
        _, facts, _ = next(rows[0] for rows in known.values() if rows[0][2].outcome == "approve")
        assert facts.household is not None
        register = Register(session, county.sealer, county.later)
        CoverEnds(facts.claimant, facts.claim.event_on - timedelta(1)).write(register, facts.household)
        household_id = register.household_id(facts.household)
    clock = FixedClock(county.later + timedelta(minutes=1))
    both = [
        Thread(
            target=recheck_household,
            args=(county.database, county.sealer, SYSTEM, clock, f"{household_id}:{number}"),
        )
        for number in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with county.database.reading() as session:
        found = session.execute(select(Review.claim_id, func.count()).group_by(Review.claim_id)).all()
        assert found and all(count == 1 for _, count in found)
