"""The register gives adjudication the very facts that the packs gave it: on both packs, on both engines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.adjudication import decide
from claims.deciding import Decided
from claims.facts import Claim
from claims.models import ClaimRow, DecisionRow, Review
from claims.queries import standings
from claims.queries.registered_facts import as_registered, facts_from_register, with_documents
from claims.services.decisions import opened
from claims.services.recheck import Rechecked, recheck
from claims.storing import dump_record
from foundation.database import Database, migrate
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from households.facts import facts_of
from households.feeds import COLUMNS, Feeds, file_of
from households.queries.views import View
from households.registered import Registered
from households.services.deliveries import take_in_pack_feeds
from households.services.roster import take_in_roster
from policies.queries import policy_by_id
from policies.services import take_in_policy
from tests.claims.converting import case_of, feeds_of, roster_of
from tests.claims.counties import County, all_claims, all_households, determined_county
from tests.claims.dice import SeededDice
from tests.claims.worlds import random_world
from tests.conftest import PROOF
from tests.servers import Postgres
from webapp.demo_actors import SYSTEM

AT = datetime(2021, 1, 5, 4, 0, tzinfo=UTC)
WORLDS, PROOF_WORLDS = 25, 1000
COUNTIES = [(pack, engine) for pack in ("small", "demo") for engine in ("sqlite", "postgresql")]


@pytest.fixture(scope="module", params=COUNTIES, ids=["-".join(pair) for pair in COUNTIES])
def county(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[County]:
    """A pack taken in and determined. Tests leave it as it is: what they try is rolled back."""
    pack, engine = request.param
    folder: Path = request.getfixturevalue(f"{pack}_pack")
    kept = tmp_path_factory.mktemp(f"{pack}-{engine}")
    name = postgres.create() if engine == "postgresql" else ""
    url = postgres.url(name) if name else f"sqlite:///{kept}/county.db"
    migrate(url)
    found = determined_county(url, kept / "key", folder, AT)
    yield found
    found.database.close()
    if name:
        postgres.drop(name)


def views(county: County) -> tuple[View, View]:
    return View(county.policy.number), View(county.policy.number, pack_only=True)


def alike(facts: tuple[Registered, Feeds]) -> Any:
    """Facts without the order of their rows."""
    people, feeds = facts
    rows = {name: None if (rows := getattr(feeds, name)) is None else sorted(map(astuple, rows), key=str)
            for name in Feeds.__slots__}  # fmt: skip
    accounts = {number: sorted(homes) for number, homes in people.accounts.items()}
    return sorted(map(astuple, people.members), key=str), dict(people.figures), accounts, rows


def by_event_day(claims: list[Claim]) -> dict[date, list[Claim]]:
    found: dict[date, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.event_on].append(claim)
    return found


def test_both_views_have_the_same_facts_for_every_claim_on_its_event_day(county: County) -> None:
    register, pack = views(county)
    with county.database.reading() as session:
        claims = all_claims(session, county)
        assert len(claims) > 100
        for day, some in by_event_day(claims).items():
            people = {claim.id_number for claim in some}
            payees = {claim.payee_account for claim in some if claim.payee_account}
            of_register = facts_of(session, county.sealer, register, people, payees, day)
            of_pack = facts_of(session, county.sealer, pack, people, payees)
            assert alike(of_register) == alike(of_pack)


def test_every_decision_is_made_again_from_the_register_byte_for_byte(county: County) -> None:
    number = county.policy.number
    with county.database.reading() as session:
        for view in views(county):
            claims = all_claims(session, county)
            facts = facts_from_register(session, county.sealer, view, county.policy, claims, AT.date())
            known = standings(session, number)
            assert known.keys() == facts.keys()
            for item in known.values():
                recorded, _ = opened(county.sealer, item)
                again = replace(with_documents(facts[item.claim_no], recorded), used=recorded.used)
                decision = decide(policy_by_id(session, item.policy_id), again)
                assert county.sealer.digest("decision", dump_record(again, decision)) == item.digest


def test_looking_again_at_every_household_right_after_a_run_finds_nothing(county: County) -> None:
    def counted(session: Session) -> list[int]:
        tables = (DecisionRow, Review, Event, ClaimRow)
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]

    with county.database.transaction() as session:
        before = counted(session)
        assert recheck(session, county.sealer, SYSTEM, county.later, all_households(session)) == Rechecked()
        assert counted(session) == before
        assert before[1] == 0


def test_a_pack_in_an_empty_register_is_decided_from_nothing_else(county: County) -> None:
    with county.database.reading() as session:
        known = [opened(county.sealer, item) for item in standings(session, county.policy.number).values()]
        decided = [Decided(place, facts, made) for place, (facts, made) in enumerate(known)]
        assert as_registered(session, county.sealer, county.policy, decided, AT.date()) is decided


class _Undone(Exception):
    """Rolls back what a world brought into the database."""


def test_any_small_world_is_decided_from_the_register_as_from_its_files(
    migrated_url: str, tmp_path: Path
) -> None:
    """Villages, covers and names by chance, and no order in them: the register must not tidy anything up."""
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    digests = {file_of(feed): feed for feed in COLUMNS}
    for seed in range(PROOF_WORLDS if PROOF else WORLDS):
        world = random_world(SeededDice(seed))
        case, people = case_of(world), roster_of(world)
        policy = case.policy
        with suppress(_Undone), database.transaction() as session:
            take_in_policy(session, SYSTEM, AT, policy)
            take_in_roster(session, sealer, SYSTEM, AT, policy.number, policy.period_to, people)
            feeds = feeds_of(world.feeds, world.clearances)
            take_in_pack_feeds(session, sealer, SYSTEM, AT, policy.number, feeds, digests)
            decided = case.decide_all()
            claims = [item.facts.claim for item in decided]
            for pack_only in (True, False):
                view = View(policy.number, pack_only=pack_only)
                facts = facts_from_register(session, sealer, view, policy, claims, AT.date())
                for item in decided:
                    given = with_documents(facts[item.decision.claim_no], item.facts)
                    assert replace(given, used=item.facts.used) == item.facts, f"world {seed}"
            raise _Undone
    database.close()
