"""What an erasure leaves: sums, hashes and tests as before, a trail of every record, and nothing personal."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from claims.models import ClaimRow
from foundation.runtime import Runtime
from foundation.sealing import ERASED
from foundation.trail.events import Event
from foundation.trail.sealing import seal_trail
from foundation.trail.verifying import verify
from foundation.upkeep import Upkeep
from households.models.people import BankAccount, Income
from payments.models import Payment
from tests.webapp.conftest import Web
from tests.webapp.conftest import _web as opened
from tests.webapp.erasing import (
    ERASED_CLAIMS,
    PAID_UNTIL,
    REFUSED_UNTIL,
    approve,
    ask,
    count,
    due,
    erase,
    personal,
    runtime_on,
    sums,
)
from webapp.services import erasures


@pytest.fixture
def runtime(county: Web, tmp_path: Path) -> Runtime:
    return runtime_on(county, tmp_path)


def test_sums_hashes_and_tests_are_the_same_before_and_after(county: Web, runtime: Runtime) -> None:
    before = sums(county)
    head = seal_trail(runtime)
    erase(county, date(2052, 1, 1))
    assert sums(county) == before
    after = seal_trail(runtime)
    assert after.events > head.events
    with county.database.reading() as session:
        verdict = verify(session)
    assert verdict.faults == () and verdict.events == after.events


def test_the_trail_names_every_erased_record_with_its_digest(county: Web, runtime: Runtime) -> None:
    upkeep_id = erase(county, date(2052, 1, 1))
    with county.database.reading() as session:
        upkeep = session.get_one(Upkeep, upkeep_id)
        events = [
            json.loads(body)
            for body in session.scalars(select(Event.body).where(Event.action.like("%.erased")))
        ]
        digests = dict(session.execute(select(ClaimRow.id, ClaimRow.digest)).all())
        asked = session.scalars(
            select(Event.body).where(Event.action.like("erasure.%")).order_by(Event.id)
        ).all()
    named = {(event["subject"], event["subject_id"]) for event in events}
    claims = [event for event in events if event["action"] == "claim.erased"]
    assert all(event["before"] == digests[event["subject_id"]] for event in claims)
    assert all(event["reason"].startswith(f"erasure={upkeep_id} group=") for event in events)
    assert len(claims) == count(county, ERASED_CLAIMS) > 0
    for group in erasures.kept_plan(upkeep).groups:
        assert group.due.keys() <= {subject_id for _, subject_id in named}
    steps = [json.loads(body) for body in asked]
    assert [step["action"] for step in steps] == ["erasure.asked", "erasure.approved", "erasure.finished"]
    assert [step["actor"]["person"] for step in steps] == ["security-1", "security-2", "system"]
    assert upkeep.done == erasures.kept_plan(upkeep).total


def test_nothing_of_an_erased_person_is_left_in_the_rows(county: Web, runtime: Runtime) -> None:
    before = personal(county)
    with county.database.reading() as session:
        open_homes = set(session.scalars(select(ClaimRow.household_id).where(ClaimRow.state == "review")))
    erase(county, date(2052, 1, 1))
    after = dict(personal(county))
    gone = [(place, value) for place, value in before if after.get(place) != value]
    assert {place.split()[0] for place, _ in gone} == {place.split()[0] for place, _ in before}
    with county.database.reading() as session:
        for fact in (Income, BankAccount):
            had = set(session.scalars(select(fact.household_id)))
            kept = set(session.scalars(select(fact.household_id).where(fact.sealed != ERASED)))
            assert kept == open_homes & had != set()
        assert session.scalar(select(func.count()).select_from(Payment).where(Payment.sealed != ERASED)) == 0
    left = set(after.values())
    assert left.isdisjoint({value for place, value in gone if "sealed" in place})


def test_the_file_of_the_database_holds_nothing_of_what_was_erased(
    county_sqlite: tuple[str, Path], county_key_file: Path, tmp_path: Path
) -> None:
    """On PostgreSQL the server clears its files by itself, in time (docs/decisions/0017-retention.md)."""
    file = Path(county_sqlite[0].removeprefix("sqlite:///"))
    for web in opened(county_sqlite[0], county_key_file):
        runtime_on(web, tmp_path)
        before = dict(personal(web))
        assert all(present(value, content_of(file)) for value in before.values()), (
            "the test sees what is there"
        )
        erase(web, date(2052, 1, 1))
        after = dict(personal(web))
        left = set(after.values())
        erased = {value for place, value in before.items() if after.get(place) != value} - left
        bytes_now = content_of(file)
        assert len(erased) > 500 and [value for value in erased if present(value, bytes_now)] == []


def present(value: str, content: bytes) -> bool:
    """Whether the beginning of a value, which lies on one page, stands in the bytes."""
    return value[:60].encode() in content


def content_of(file: Path) -> bytes:
    wal = file.with_name(f"{file.name}-wal")
    return file.read_bytes() + (wal.read_bytes() if wal.exists() else b"")


def test_an_erasure_that_was_interrupted_is_resumed_to_the_same_end(
    county: Web, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "_PORTION", 20)
    upkeep_id = ask(county, date(2052, 1, 1))
    approve(county, upkeep_id)

    class Killed(Exception):
        pass

    def killed_at(portions: int) -> None:
        seen = 0

        def report(_done: int, _total: int) -> None:
            nonlocal seen
            seen += 1
            if seen == portions:
                raise Killed

        with pytest.raises(Killed):
            erasures.carry_out(runtime, upkeep_id, report)

    killed_at(2)
    with county.database.reading() as session:
        upkeep = session.get_one(Upkeep, upkeep_id)
        assert (upkeep.state, upkeep.done) == ("running", 40)
    assert count(county, ERASED_CLAIMS) == 40
    killed_at(7)
    progress: list[tuple[int, int]] = []
    done = erasures.carry_out(runtime, upkeep_id, lambda *step: progress.append(step))
    with county.database.reading() as session:
        upkeep = session.get_one(Upkeep, upkeep_id)
    total = erasures.kept_plan(upkeep).total
    assert (done, upkeep.done, upkeep.state) == (total, total, "finished")
    assert progress == sorted(progress) and progress[-1] == (total, total)
    assert erasures.carry_out(runtime, upkeep_id, lambda *_: None) == total, "a second time does nothing"
    erased = "event WHERE action = 'claim.erased'"
    assert count(county, erased) == count(county, ERASED_CLAIMS), "each once"


def test_an_earlier_erasure_takes_only_what_was_due_then(county: Web, runtime: Runtime) -> None:
    erase(county, REFUSED_UNTIL + timedelta(days=1))
    assert count(county, "claim WHERE sealed = 'erased' AND state <> 'rejected'") == 0
    assert count(county, "claim WHERE sealed <> 'erased' AND state = 'rejected'") == 0
    assert count(county, "payment WHERE sealed = 'erased'") == 0
    assert sums(county)["findings"] == [(code, 0) for code, _ in sums(county)["findings"]]
    assert due(county, PAID_UNTIL) == {}
