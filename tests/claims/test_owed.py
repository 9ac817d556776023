"""应赔未赔: what nobody has claimed is decided as it would be if somebody did, and nothing of it is a claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.deciding import cases_of_pack
from claims.facts import Claim
from claims.models import ClaimRow, OwedRow
from claims.owed import OWED_OUTCOMES, Owed
from claims.pack import Pack, read_pack
from claims.queries import standings
from claims.queries.unclaimed import claimed_under, owed_to
from claims.services.decisions import opened
from claims.services.owed import work_out
from claims.services.pack import take_in_pack
from claims.services.reading import read_whole_pack
from foundation.clock import FixedClock, as_of
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from foundation.trail.events import Event
from households.feeds import AccidentRow, DeathRow, EducationRow, MedicalRow
from households.layouts import layouts
from households.models.feeds import DEPARTMENT
from households.models.people import HouseholdRow
from households.services.deliveries import ADDITION, FULL, Delivery, take_in_delivery
from migrations.schema import METADATA
from policies.policy import Policy
from tests.claims.counties import County, determined_county
from webapp.demo_actors import SYSTEM

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
TODAY = date(2020, 12, 31)


class _Undone(Exception):
    pass


@contextmanager
def taken_in(url: str, key: Path, folder: Path, keep: Any) -> Iterator[tuple[Session, Sealer, Policy, Pack]]:
    """A pack without the claims that `keep` does not keep, in a transaction of which nothing stays."""
    database = Database(url)
    policy, files, pack = read_whole_pack(folder)
    kept = replace(pack, claims=[claim for claim in pack.claims if keep(claim)])
    try:
        with database.transaction() as session:
            sealer = open_sealer(session, key)
            take_in_pack(session, sealer, SYSTEM, AT, kept, files, policy)
            yield session, sealer, policy, pack
            raise _Undone
    except _Undone:
        pass
    database.close()


def everything_owed(session: Session, sealer: Sealer, policy: Policy, today: date = TODAY) -> list[Owed]:
    claimed = claimed_under(session, sealer, policy.number)
    households = session.scalars(select(HouseholdRow.id)).all()
    return [item.owed for item in owed_to(session, sealer, policy, households, claimed, today)]


def said(decision: Decision) -> tuple[str, int, tuple[str, ...]]:
    return decision.outcome, decision.payable_fen, decision.reasons


def as_handed_in(owed: Owed, row: MedicalRow, pack: Pack, policy: Policy) -> Claim:
    """The claim that a family would hand in for a settlement today, put together by hand."""
    name = next(person.name for person in pack.roster if person.id_number == row.id_number)
    return Claim(
        claim_no=owed.would_be.claim.claim_no,
        notified_on=TODAY,
        channel="个人申报",
        name=name,
        id_number=row.id_number,
        evidence=policy.on(row.settled_on).lines["illness"].benefits["medical"].evidence,
        line="illness",
        benefit="medical",
        event_on=row.settled_on,
        document_no=row.document_no,
        measure_fen=row.total_fen - row.basic_fen - row.major_fen - row.aid_fen,
        total_fen=row.total_fen,
        basic_fen=row.basic_fen,
        major_fen=row.major_fen,
        aid_fen=row.aid_fen,
    )


@pytest.mark.parametrize("pack", ["small_pack", "demo_pack"])
def test_whoever_is_owed_would_get_just_that_by_claiming_today(
    pack: str, migrated_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every second illness claim of a county is forgotten: what is owed is what a pack with claims for it decides."""
    folder: Path = request.getfixturevalue(pack)

    def keep(claim: Claim) -> bool:
        return claim.notified_on < TODAY and (
            claim.line != "illness" or sum(map(ord, claim.claim_no)) % 2 == 0
        )

    with taken_in(migrated_url, tmp_path / "key", folder, keep) as (session, sealer, policy, whole):
        found = {owed.would_be.claim.claim_no: owed for owed in everything_owed(session, sealer, policy)}
        medical = {(row.document_no, row.id_number): row for row in whole.feeds.medical or ()}
        of_illness = {number: owed for number, owed in found.items() if owed.would_be.claim.line == "illness"}
        handed_in = [
            as_handed_in(
                owed,
                medical[owed.would_be.claim.document_no or "", owed.would_be.claim.id_number],
                whole,
                policy,
            )
            for owed in of_illness.values()
        ]
        kept = [claim for claim in whole.claims if keep(claim)]
        decided = cases_of_pack(whole.roster, [*kept, *handed_in], whole.feeds, policy).decide_all()
        expected = {item.decision.claim_no: said(item.decision) for item in decided}
        assert len(of_illness) > (20 if pack == "small_pack" else 200)
        for number, owed in of_illness.items():
            assert (owed.outcome, owed.payable_fen, owed.reasons) == expected[number]
            assert owed.report_by == owed.would_be.claim.event_on + timedelta(180)
        # The real claims come out as they stand.
        for item in standings(session, policy.number).values():
            _, made = opened(sealer, item)
            assert said(made) == expected[item.claim_no]
        assert sum(owed.payable_fen for owed in of_illness.values()) > 0
        assert {"approve", "refer", "reject"} <= {owed.outcome for owed in of_illness.values()}


def test_nothing_is_owed_for_what_was_claimed(migrated_url: str, tmp_path: Path, small_pack: Path) -> None:
    with taken_in(migrated_url, tmp_path / "key", small_pack, lambda _: True) as (
        session,
        sealer,
        policy,
        whole,
    ):
        claimed = {(claim.document_no, claim.id_number) for claim in whole.claims}
        for owed in everything_owed(session, sealer, policy):
            claim = owed.would_be.claim
            assert claim.line != "illness" or (claim.document_no, claim.id_number) not in claimed


def test_a_school_year_is_owed_for_once_its_cost_is_known(
    migrated_url: str, tmp_path: Path, small_pack: Path
) -> None:
    with taken_in(migrated_url, tmp_path / "key", small_pack, lambda claim: claim.line != "education") as (
        session,
        sealer,
        policy,
        _whole,
    ):
        found = [
            owed for owed in everything_owed(session, sealer, policy) if owed.facts.claim.line == "education"
        ]
        outcomes = Counter(owed.outcome for owed in found)
        assert outcomes["unknown"] > 5 and set(outcomes) <= {"unknown", "reject"}
        for owed in found:
            assert owed.payable_fen == 0 and owed.would_be.missing == "school_cost"
            rejected = {"LEVEL_NOT_COVERED", "NOT_COVERED_AT_EVENT", "WAITING_PERIOD"}
            assert (owed.outcome == "reject") == (not rejected.isdisjoint(owed.reasons))
        unknown = next(owed for owed in found if owed.outcome == "unknown" and not owed.reasons)
        who, year = unknown.facts.claim.id_number, unknown.facts.claim.academic_year
        # 12,000 + 1,200 + 300 − 1,500 = 12,000: the first 8,000 are one's own, 60 % of the next 4,000 are paid.
        row = (who, unknown.facts.claim.name, year, 12_000_00, 1_200_00, 300_00, 1_500_00)
        layout = layouts()["school_costs"]
        delivery = Delivery(layout, DEPARTMENT, FULL, TODAY, "costs")
        take_in_delivery(session, sealer, SYSTEM, AT + timedelta(hours=1), delivery, [row])
        again = {owed.would_be.row_id: owed for owed in everything_owed(session, sealer, policy)}
        paid = again[unknown.would_be.row_id]
        assert (paid.outcome, paid.payable_fen, paid.would_be.missing) == ("approve", 2_400_00, None)


# --- from what departments send ------------------------------------------------------------------------


@pytest.fixture
def county(migrated_url: str, tmp_path: Path, small_pack: Path) -> Iterator[County]:
    """The small pack, determined."""
    found = determined_county(migrated_url, tmp_path / "key", small_pack, AT)
    yield found
    found.database.close()


def deliver(county: County, feed: str, rows: Sequence[Any], digest: str = "a") -> None:
    with county.database.transaction() as session:
        delivery = Delivery(layouts()[feed], DEPARTMENT, ADDITION, None, digest)
        take_in_delivery(
            session, county.sealer, SYSTEM, county.later, delivery, [astuple(row) for row in rows]
        )


def sound_person(county: County) -> tuple[str, str, int]:
    """Somebody with an approved illness claim and nothing in the way: ID number, name, cost that counts so far."""
    with county.database.reading() as session:
        known = [opened(county.sealer, item) for item in standings(session, county.policy.number).values()]
    claim = next(facts.claim for facts, made in known if made.outcome == "approve" and made.line == "illness")
    mine = [facts.claim for facts, made in known if made.line == "illness" and made.counts]
    so_far = sum(other.measure_fen for other in mine if other.id_number == claim.id_number)
    return claim.id_number, claim.name, so_far


def owed_rows(county: County) -> list[OwedRow]:
    with county.database.reading() as session:
        return list(session.scalars(select(OwedRow).order_by(OwedRow.id)))


def worked_out(county: County, day: date = TODAY) -> list[OwedRow]:
    work_out(county.database, county.sealer, SYSTEM, as_of(day))
    return owed_rows(county)


def test_what_was_determined_has_used_up_the_franchise_of_what_is_owed(county: County) -> None:
    who, name, so_far = sound_person(county)
    deliver(county, "medical", [MedicalRow("NEW-1", who, name, date(2020, 12, 1), 4_000_00, 0, 0, 0)])
    with county.database.reading() as session:
        found = everything_owed(session, county.sealer, county.policy)
    (owed,) = [owed for owed in found if owed.would_be.claim.document_no == "NEW-1"]
    assert owed.facts.used.measure_fen == so_far
    assert owed.outcome == "approve" and owed.payable_fen > 0
    assert owed.decision.calculation[-1][2]["payable_fen"] == owed.payable_fen


def test_of_two_that_are_owed_the_earlier_uses_the_franchise_and_the_same_bill_is_owed_once(
    county: County,
) -> None:
    who, name, so_far = sound_person(county)
    first = MedicalRow("NEW-1", who, name, date(2020, 11, 1), 4_000_00, 0, 0, 0)
    second = replace(first, document_no="NEW-2", settled_on=date(2020, 12, 1))
    deliver(county, "medical", [second, first, replace(second, total_fen=5_000_00)])
    with county.database.reading() as session:
        found = everything_owed(session, county.sealer, county.policy)
    new = [owed for owed in found if (owed.would_be.claim.document_no or "").startswith("NEW")]
    assert [owed.would_be.claim.document_no for owed in new] == ["NEW-1", "NEW-2", "NEW-2"]
    assert new[1].facts.used.measure_fen == so_far + 4_000_00
    assert "DUPLICATE_CLAIM" in new[2].reasons and new[2].outcome == "reject"


def test_somebody_elses_bill_is_looked_into(county: County) -> None:
    with county.database.reading() as session:
        items = [opened(county.sealer, item)[0] for item in standings(session, county.policy.number).values()]
    taken = next(facts.claim for facts in items if facts.claim.line == "illness" and facts.household)
    who, name, _ = sound_person(county)
    assert taken.document_no is not None and taken.id_number != who
    deliver(
        county, "medical", [MedicalRow(taken.document_no, who, name, date(2020, 12, 1), 9_000_00, 0, 0, 0)]
    )
    (owed,) = [one for one in worked_out(county) if one.line == "illness" and one.event_on == date(2020, 12, 1)
               and "INVOICE_REUSED" in one.reasons]  # fmt: skip
    assert owed.outcome == "refer" and owed.payable_fen > 0


def test_a_death_after_an_accident_is_owed_for_and_any_other_is_a_question(county: County) -> None:
    who, name, _ = sound_person(county)
    day = date(2020, 10, 1)
    deliver(county, "accidents", [AccidentRow("ACC-1", who, day, drunk=False)])
    deliver(county, "deaths", [DeathRow(who, name, day + timedelta(180))])
    rows = {
        (row.line, row.benefit): row for row in worked_out(county, date(2021, 4, 20)) if row.event_on == day
    }
    death, bill = rows["accident", "death"], rows["accident", "medical"]
    assert death.payable_fen == 30_000_00 and death.outcome in ("approve", "refer")
    assert (bill.outcome, bill.payable_fen, bill.missing) == ("unknown", 0, "accident_cost")
    assert death.report_by == day + timedelta(180)
    with county.database.reading() as session:
        deaths = select(OwedRow).where(OwedRow.benefit == "death", OwedRow.id != death.id)
        others = session.scalars(deaths).all()
    assert others and all(row.outcome in ("unknown", "reject") for row in others)
    assert all(row.missing == "cause_of_death" for row in others if row.outcome == "unknown")


def test_a_drunken_drivers_accident_is_not_owed_for(county: County) -> None:
    who, _, _ = sound_person(county)
    deliver(county, "accidents", [AccidentRow("ACC-1", who, date(2020, 10, 1), drunk=True)])
    (row,) = [row for row in worked_out(county) if row.line == "accident" and row.benefit == "medical"]
    assert row.outcome == "reject" and "EXCLUDED_CAUSE" in row.reasons


def test_late_is_no_refusal(county: County) -> None:
    who, name, _ = sound_person(county)
    deliver(county, "medical", [MedicalRow("NEW-1", who, name, date(2020, 3, 1), 9_000_00, 0, 0, 0)])
    (row,) = [row for row in worked_out(county) if row.event_on == date(2020, 3, 1) and row.line == "illness"]
    assert row.report_by == date(2020, 8, 28) and row.outcome == "refer" and row.payable_fen > 0
    assert row.reasons == "LATE_NOTICE"


# --- what is stored --------------------------------------------------------------------------------------


def dumped(county: County) -> dict[str, list[Any]]:
    """Every table, but for the list itself and the trail."""
    own = {"owed", "event", "trail_leaf", "trail_block", "trail_check", "alembic_version"}
    with county.database.reading() as session:
        return {
            name: sorted(map(tuple, session.execute(table.select())), key=str)
            for name, table in METADATA.tables.items()
            if name not in own
        }


def test_working_it_out_leaves_every_claim_decision_and_sum_as_it_was(county: County) -> None:
    who, name, _ = sound_person(county)
    deliver(county, "medical", [MedicalRow("NEW-1", who, name, date(2020, 12, 1), 90_000_00, 0, 0, 0)])
    before = dumped(county)
    assert {row.outcome for row in worked_out(county)} <= set(OWED_OUTCOMES)
    assert dumped(county) == before
    with county.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimRow)) == len(before["claim"])
        body = session.scalar(select(Event.body).where(Event.action == "owed.worked_out"))
        rows, fen = session.execute(select(func.count(), func.sum(OwedRow.payable_fen))).one()
        assert body is not None and f"rows={rows} " in body and f"fen={fen} " in body


def test_each_night_the_list_is_made_anew_and_a_slower_night_before_does_not_come_back(
    county: County,
) -> None:
    who, name, _ = sound_person(county)
    bill = MedicalRow("NEW-1", who, name, date(2020, 12, 1), 9_000_00, 0, 0, 0)
    deliver(county, "medical", [bill])
    first = worked_out(county)
    assert [row.id for row in first] == [row.id for row in worked_out(county)]
    assert any(row.event_on == bill.settled_on and row.line == "illness" for row in first)
    # The department takes it back: it is gone with the next night.
    with county.database.transaction() as session:
        delivery = Delivery(layouts()["medical"], DEPARTMENT, FULL, None, "b")
        rows = [astuple(row) for row in read_pack(Path("tests/packs/small")).feeds.medical or ()]
        take_in_delivery(session, county.sealer, SYSTEM, county.later, delivery, rows)
    second = worked_out(county, TODAY + timedelta(1))
    assert {row.id for row in first} - {row.id for row in second} == {
        row.id for row in first if row.event_on == bill.settled_on and row.line == "illness"
    }
    work_out(county.database, county.sealer, SYSTEM, FixedClock(AT))
    assert {row.computed_at for row in owed_rows(county)} == {as_of(TODAY + timedelta(1)).now()}


def test_a_pupil_who_is_not_enrolled_is_owed_nothing(county: County) -> None:
    who, name, _ = sound_person(county)
    deliver(county, "education", [EducationRow(who, name, "2020-2021", "某校", "本科", "休学")])
    assert not [row for row in worked_out(county) if row.line == "education" and row.outcome == "approve"]
