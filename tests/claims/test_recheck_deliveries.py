"""Which claims a department's delivery makes be looked at again: those it is about, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Review
from claims.pack import read_pack
from claims.queries.concerned import households_of_delivery
from claims.services.recheck import Rechecked, recheck, recheck_delivery
from foundation.clock import FixedClock
from households.feeds import DepositRow, PayrollRow
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, FeedDelivery
from households.models.people import HouseholdRow
from households.services.deliveries import ADDITION, FULL, Delivery, take_in_delivery
from tests.claims.corrections import ACTOR
from tests.claims.counties import County, determined_county, homes, reviewed
from webapp.demo_actors import SYSTEM

AT = datetime(2021, 1, 5, 4, 0, tzinfo=UTC)


@pytest.fixture
def own_county(migrated_url: str, tmp_path: Path, small_pack: Path) -> Iterator[County]:
    """The small pack, determined."""
    found = determined_county(migrated_url, tmp_path / "key", small_pack, AT)
    yield found
    found.database.close()


@pytest.fixture
def deposits(small_pack: Path) -> list[DepositRow]:
    return read_pack(small_pack).feeds.deposits or []


def deliver(
    session: Session, county: County, feed: str, rows: list[Any], mode: str, digest: str, at: datetime
) -> str:
    delivery = Delivery(layouts()[feed], DEPARTMENT, mode, None, digest)
    return take_in_delivery(
        session, county.sealer, ACTOR, at, delivery, [astuple(row) for row in rows]
    ).delivery_id


def test_a_delivery_makes_exactly_the_households_be_looked_at_that_it_is_about(
    own_county: County, deposits: list[DepositRow]
) -> None:
    county, seen = own_county, []

    def looked(delivery_id: str, at: datetime) -> None:
        clock = FixedClock(at)
        recheck_delivery(
            county.database,
            county.sealer,
            SYSTEM,
            clock,
            delivery_id,
            lambda _done, total: seen.append(total),
        )

    with county.database.reading() as session:
        known = homes(session, county)
        claim_no, facts, _ = next(
            rows[0] for rows in known.values() if rows[0][2].outcome == "approve" and rows[0][1].household
        )
        assert facts.household is not None
        who = facts.household.members[0].id_number
        households = session.scalar(select(func.count(func.distinct(ClaimRow.household_id)))) or 0
    step = county.later
    with county.database.transaction() as session:
        first = deliver(session, county, "deposits", list(deposits), FULL, "a", step)
    looked(first, step + timedelta(minutes=1))
    assert seen[-1] >= households  # From now on the banks' own list answers: everybody is looked at once.
    with county.database.reading() as session:
        assert reviewed(session) == {}

    step += timedelta(hours=1)
    more = [*deposits, DepositRow(who, 80_000_00, facts.claim.event_on)]
    with county.database.transaction() as session:
        second = deliver(session, county, "deposits", more, FULL, "b", step)
    seen.clear()
    looked(second, step + timedelta(minutes=1))
    assert seen == [1]
    with county.database.reading() as session:
        assert claim_no in reviewed(session)
        known_claims = {row[0] for rows in known.values() for row in rows}
        assert set(reviewed(session)) <= known_claims

    step += timedelta(hours=1)
    with county.database.transaction() as session:
        third = deliver(session, county, "deposits", list(deposits), FULL, "c", step)
    seen.clear()
    looked(third, step + timedelta(minutes=1))
    assert seen == [1]  # What it took back concerns the same household.
    looked(third, step + timedelta(minutes=2))
    with county.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == len(reviewed(session))


def test_a_weeks_additions_do_not_take_the_packs_rows_back(own_county: County) -> None:
    county = own_county
    with county.database.transaction() as session:
        delivery_id = deliver(session, county, "medical", [], ADDITION, "a", county.later)
    clock = FixedClock(county.later)
    recheck_delivery(county.database, county.sealer, SYSTEM, clock, delivery_id, lambda *_: None)
    with county.database.reading() as session:
        everybody = session.scalars(select(HouseholdRow.id)).all()
    with county.database.transaction() as session:
        done = recheck(session, county.sealer, SYSTEM, county.later, everybody)
        assert done == Rechecked() and reviewed(session) == {}


def test_a_relative_on_the_payroll_makes_the_household_be_looked_at(
    own_county: County, small_pack: Path
) -> None:
    county = own_county
    pack = read_pack(small_pack).feeds
    assert pack.payroll is not None and pack.kin is not None
    with county.database.reading() as session:
        known = homes(session, county)
        found = next(
            (row, kin)
            for rows in known.values()
            for row, facts, made in rows
            for kin in pack.kin
            if made.outcome == "approve"
            and facts.household is not None
            and any(member.id_number == kin.id_number for member in facts.household.members)
            and all(spell.id_number != kin.relative_id_number for spell in pack.payroll)
        )
    claim_no, kin = found
    spell = PayrollRow(kin.relative_id_number, "某局", date(2019, 1, 1), None)
    clock = FixedClock(county.later + timedelta(hours=2))
    with county.database.transaction() as session:
        deliver(session, county, "payroll", list(pack.payroll), FULL, "a", county.later)
        at = county.later + timedelta(hours=1)
        delivery_id = deliver(session, county, "payroll", [*pack.payroll, spell], FULL, "b", at)
    recheck_delivery(county.database, county.sealer, SYSTEM, clock, delivery_id, lambda *_: None)
    with county.database.reading() as session:
        assert claim_no in reviewed(session)


def test_a_packs_own_deliveries_ask_nobody_to_be_looked_at(own_county: County) -> None:
    with own_county.database.reading() as session:
        deliveries = session.scalars(select(FeedDelivery)).all()
        assert len(deliveries) >= 10
        for delivery in deliveries:
            assert households_of_delivery(session, own_county.sealer, delivery.id) == []
