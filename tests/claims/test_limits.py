"""Determining within one's limit (attack 31) and never for oneself or a relative (K6), on a whole pack."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination
from claims.queries import standings
from claims.services.determination import DeterminationRound, determine
from claims.services.limits import WINDOW
from foundation.actors import Actor, Assurance, Role
from foundation.clock import as_of
from foundation.database import Database
from foundation.errors import NotAllowedError
from foundation.keyfile import open_sealer
from foundation.money import Money
from foundation.sealing import Sealer
from foundation.staff.models import DeterminationLimit, Kin
from households.models import Cover, Person
from tests.staffing import put_limit, put_person
from webapp.run import Options, run_pack

DAY = date(2020, 12, 31)
AT = as_of(DAY).now()
POLICY = "FPB-370323-2020-S"
OFFICER = Actor("officer", "a1", Role.CLAIM_OFFICER, "370323", "某某")
ADJUDICATOR = Actor("adjudicator", "a2", Role.ADJUDICATOR, "370323", "某某", Assurance.SECOND_FACTOR)
SENIOR = Actor("senior", "a3", Role.ADJ_SENIOR, "370323", "某某", Assurance.SECOND_FACTOR)
LIMIT = 100_000_00
"""As high as the highest single claim of the small pack, and lower than some households' claims together."""


@pytest.fixture
def decided(small_pack: Path, tmp_path: Path, database_url: str) -> Iterator[tuple[Database, Sealer]]:
    options = Options(
        small_pack,
        tmp_path / "out",
        database_url,
        DAY,
        decide_only=True,
        letters=0,
        key_file=tmp_path / "key",
    )
    run_pack(options, lambda *_: None)
    database = Database(database_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    yield database, sealer
    database.close()


def determined(session: Session, sealer: Sealer, determiner: Actor, at: datetime = AT) -> DeterminationRound:
    return determine(session, sealer, OFFICER, determiner, at, POLICY)


def sums(session: Session, person: str) -> dict[tuple[str, str], int]:
    """(household, line) → what a person determined for it, in fen."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    query = select(Determination.household_id, ClaimRow.line, Determination.amount_fen)
    joined = query.join(ClaimRow, ClaimRow.id == Determination.claim_id)
    for household, line, amount in session.execute(joined.where(Determination.determined_by == person)):
        found[str(household), line] += amount
    return found


def waiting_places(session: Session) -> Iterator[list[bool]]:
    """Of each household the claims ripe for determination, in order: whether each is determined."""
    households: dict[str, list[bool]] = defaultdict(list)
    for item in standings(session, POLICY).values():
        if item.household_id and item.outcome in ("approve", "reject"):
            households[item.household_id].append(item.determined_number is not None)
    yield from households.values()


def test_without_a_limit_in_force_nothing_is_determined(decided: tuple[Database, Sealer]) -> None:
    database, sealer = decided
    with database.transaction() as session:
        put_person(session, ADJUDICATOR.person)
    with pytest.raises(NotAllowedError, match="no limit"), database.transaction() as session:
        determined(session, sealer, ADJUDICATOR)
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, LIMIT)
        session.flush()
        limit = session.scalars(
            select(DeterminationLimit).where(DeterminationLimit.staff_id == ADJUDICATOR.person)
        ).one()
        limit.state, limit.ended_by, limit.ended_at = "ended", "test-ends", AT
    with pytest.raises(NotAllowedError, match="no limit"), database.transaction() as session:
        determined(session, sealer, ADJUDICATOR)
    with database.reading() as session:
        assert session.scalars(select(Determination)).all() == []


def test_attack_31_a_claim_above_the_limit_and_the_later_ones_of_its_household_stay_in_review(
    decided: tuple[Database, Sealer],
) -> None:
    database, sealer = decided
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, 30_000_00)
        done = determined(session, sealer, ADJUDICATOR)
    assert done.above_limit > 0
    assert len(done.determined) + done.above_limit == 157
    assert max(item.amount_fen for item in done.determined) == 30_000_00
    assert done.needed_fen > 30_000_00
    with database.reading() as session:
        left = session.scalars(
            select(ClaimRow.claim_no).where(
                ClaimRow.state.in_(("approved", "rejected")),
                ClaimRow.id.not_in(select(Determination.claim_id)),
            )
        ).all()
        assert left == []
        for places in waiting_places(session):
            # Once one waits, all later ones wait: none used a cap before its turn.
            assert places == sorted(places, reverse=True)


def test_attack_31_two_half_claims_count_together_and_somebody_with_a_higher_limit_finishes(
    decided: tuple[Database, Sealer], small_pack: Path
) -> None:
    database, sealer = decided
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, LIMIT)
        put_limit(session, SENIOR.person, 1_000_000_00)
        first = determined(session, sealer, ADJUDICATOR)
    assert first.above_limit > 0
    assert LIMIT < first.needed_fen <= 2 * LIMIT
    with database.reading() as session:
        totals = sums(session, ADJUDICATOR.person)
        assert max(totals.values()) == LIMIT
    with database.transaction() as session:
        again = determined(session, sealer, ADJUDICATOR, AT + timedelta(days=1))
        assert again.determined == []
        assert again.above_limit == first.above_limit
    with database.transaction() as session:
        rest = determined(session, sealer, SENIOR)
        assert rest.above_limit == 0
    assert len(first.determined) + len(rest.determined) == 157
    # Whoever determines, in one go or in two, every claim comes to the amount that the pack alone gives it.
    with (small_pack / "expected" / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        expected = {
            row["claim_no"]: Money.from_yuan(row["amount"])
            for row in csv.DictReader(file)
            if row["outcome"] == "approve"
        }
    amounts = {i.claim_no: i.amount_fen for i in (*first.determined, *rest.determined) if i.amount_fen}
    assert amounts == expected


def test_a_month_later_the_limit_counts_anew(decided: tuple[Database, Sealer]) -> None:
    database, sealer = decided
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, LIMIT)
        first = determined(session, sealer, ADJUDICATOR)
    with database.transaction() as session:
        later = determined(session, sealer, ADJUDICATOR, AT + WINDOW + timedelta(days=1))
    assert first.above_limit > later.above_limit
    assert later.determined


def test_the_highest_limit_in_force_counts_and_not_one_of_another_time(
    decided: tuple[Database, Sealer],
) -> None:
    database, sealer = decided
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, 30_000_00)
        put_limit(session, ADJUDICATOR.person, 1_000_000_00)
        limits = session.scalars(
            select(DeterminationLimit).where(DeterminationLimit.staff_id == ADJUDICATOR.person)
        )
        assert len(list(limits)) == 2
        done = determined(session, sealer, ADJUDICATOR)
    assert done.above_limit == 0


@pytest.mark.parametrize("whose", ["determiner", "recommender", "relative"])
def test_attack_23_a_household_of_ones_own_or_of_a_declared_relative_is_left_for_somebody_else(
    decided: tuple[Database, Sealer], whose: str
) -> None:
    database, sealer = decided
    with database.transaction() as session:
        ripe = [
            item
            for item in standings(session, POLICY).values()
            if item.household_id and item.outcome == "approve"
        ]
        household = ripe[0].household_id
        member = select(Person.id_lookup).join(Cover, Cover.person_id == Person.id)
        # Any member will do: the one who claims need not be the relative.
        lookup = session.scalars(
            member.where(Cover.household_id == household).order_by(Person.id.desc())
        ).first()
        put_person(session, OFFICER.person, id_lookup=lookup if whose == "recommender" else None)
        put_person(session, ADJUDICATOR.person, id_lookup=lookup if whose == "determiner" else None)
        if whose == "relative":
            session.add(
                Kin(
                    id="k1",
                    staff_id=ADJUDICATOR.person,
                    id_lookup=str(lookup),
                    relation="配偶",
                    declared_at=AT,
                )
            )
            session.flush()
        put_limit(session, ADJUDICATOR.person, 1_000_000_00)
        done = determined(session, sealer, ADJUDICATOR)
    of_household = [item for item in ripe_of(database) if item[0] == household]
    assert done.recused == len(of_household) > 0
    assert len(done.determined) == 157 - done.recused
    assert not any(is_determined for _, is_determined in of_household)
    other = Actor("other-officer", "a9", Role.CLAIM_OFFICER, "370323", "某某")
    with database.transaction() as session:
        put_limit(session, SENIOR.person, 1_000_000_00)
        rest = determine(session, sealer, other, SENIOR, AT, POLICY)
    assert len(rest.determined) == done.recused


def ripe_of(database: Database) -> list[tuple[str | None, bool]]:
    """(household, whether determined) of every claim that is approve or reject."""
    with database.reading() as session:
        return [
            (item.household_id, item.determined_number is not None)
            for item in standings(session, POLICY).values()
            if item.outcome in ("approve", "reject")
        ]


def test_one_person_in_both_roles_is_refused_whatever_the_account(decided: tuple[Database, Sealer]) -> None:
    database, sealer = decided
    twice = Actor(
        OFFICER.person, "another-account", Role.ADJUDICATOR, "370323", "某某", Assurance.SECOND_FACTOR
    )
    with database.transaction() as session:
        put_limit(session, OFFICER.person, LIMIT)
    with pytest.raises(NotAllowedError, match="K2"), database.transaction() as session:
        determine(session, sealer, OFFICER, twice, AT, POLICY)


@pytest.mark.parametrize("assurance", [Assurance.PASSWORD, Assurance.TOKEN, Assurance.PROGRAM])
def test_a_claim_is_determined_after_two_factors_only(
    decided: tuple[Database, Sealer], assurance: Assurance
) -> None:
    database, sealer = decided
    with database.transaction() as session, pytest.raises(NotAllowedError, match="second factor"):
        determined(session, sealer, replace(ADJUDICATOR, assurance=assurance))
