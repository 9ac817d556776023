"""No event, no change: whatever transaction changes business data has written an event of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from claims.models import ClaimRow
from foundation.database import Database
from foundation.trail.events import Event
from migrations.schema import METADATA
from payments.models import Batch, Payable, Payment
from tests.watching import WITHOUT_EVENTS, watched
from webapp.run import Options, run_pack

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
STATE_OF_LAST = {
    "claim.taken_in": "review",
    "claim.changed": "review",
    "claim.withdrawn": "withdrawn",
    "payable.owed": "pending",
    "payable.withheld": "withheld",
    "payment.batched": "batched",
    "payment.sent": "sent",
    "batch.made": "made",
    "batch.checked": "checked",
    "batch.released": "released",
    "batch.exported": "exported",
}
"""The state that an event leaves its thing in."""
ELSEWHERE = {
    "determination": "claim.determined, on its claim",
    "review": "review.opened, on its claim",
    "ledger_entry": "the event of what it books",
    "stored_file": "the event of the document or bank file that names it",
    "role_grant": "role.asked",
    "person": "cover.added, of the roster's row",
    "membership": "cover.added, of the roster's row",
    "income": "household.added or household.changed",
    "bank_account": "household.added or household.changed",
    "feed_row": "feed.taken_in, of its delivery",
    "clearance": "pack.taken_in",
}


@pytest.fixture
def database(small_pack: Path, tmp_path: Path, database_url: str) -> Iterator[Database]:
    """After a whole run, whose every transaction was watched."""
    options = Options(
        small_pack, tmp_path / "out", database_url, date(2020, 12, 31), False, 2, tmp_path / "key"
    )
    with watched() as faults:
        run_pack(options, lambda _zh, _en: None)
    assert faults == []
    opened = Database(database_url)
    yield opened
    opened.close()


def test_every_row_of_a_run_has_an_event_and_every_state_is_that_of_the_last_one(database: Database) -> None:
    with database.reading() as session:
        events: dict[tuple[str, str], list[str]] = {}
        for event in session.scalars(select(Event).order_by(Event.id)):
            events.setdefault((event.subject, event.subject_id), []).append(event.action)
        seen = set()
        for name, table in METADATA.tables.items():
            if name in WITHOUT_EVENTS or name in ELSEWHERE or "id" not in table.c:
                continue
            for row_id in session.scalars(select(table.c.id)):
                assert (name, row_id) in events, f"{name} {row_id} has no event"
                seen.add(name)
        assert {"claim", "decision", "payable", "payment", "batch", "household", "cover"} <= seen
        models: tuple[Any, ...] = (ClaimRow, Payable, Payment, Batch)
        for model in models:
            for thing in session.scalars(select(model)):
                last = [
                    a
                    for a in events[model.__tablename__, thing.id]
                    if a in STATE_OF_LAST or "determined" in a
                ]
                state = thing.state
                if last[-1] == "claim.determined":
                    assert state in ("approved", "rejected")
                elif (model, state) not in ((Payable, "batched"), (Payable, "sent")):  # told of its payment
                    assert state == STATE_OF_LAST[last[-1]], (model.__tablename__, thing.id)


def test_a_change_without_an_event_is_noticed(database: Database) -> None:
    with watched() as faults, database.transaction() as session:
        session.execute(text("UPDATE household SET changed_at = changed_at"))
    assert faults == ["household"]
    with watched() as faults, database.transaction() as session:
        session.execute(text("UPDATE job SET attempts = attempts"))
    assert faults == []
