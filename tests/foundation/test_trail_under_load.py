"""Sealing while eight people write: every event ends in exactly one block, and nobody waits long for the sealer.

Three seconds in the usual run; a minute in `make proof`, where the longest wait is asserted and printed. The sealer is a
process of its own, as in an installation, and runs a thousand times as often as there.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import Queue
from multiprocessing.synchronize import Event as EventType
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_events
from sqlalchemy import func, select

from foundation.actors import Actor, Role
from foundation.database import Database, is_sqlite
from foundation.trail.anchors import read_anchors
from foundation.trail.events import Change, Event, record
from foundation.trail.models import TrailLeaf
from foundation.trail.sealing import seal
from foundation.trail.verifying import verify

WRITERS = 8
LONGEST_WAIT = 0.5
PAUSE = 0.05
"""Seconds between two rounds of sealing; in an installation it is a minute."""
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
Span = tuple[float, float]
"""Begin and end."""
LOCKED = "pg_advisory_xact_lock_shared("
ALONE = "pg_advisory_xact_lock(%(lock)s"


@dataclass
class Sealing:
    """What the sealer did: the end of its work, in a form that goes between processes."""

    sealed: int = 0
    rounds: int = 0
    kept_out: int = 0
    held: list[Span] = field(default_factory=list)
    """When it asked for the lock alone or had it (PostgreSQL), or was writing (SQLite): the others wait for that."""


def seal_on(url: str, anchors: Path, ended: EventType, told: Queue[Sealing]) -> None:
    """Seals again and again, and once more after the end."""
    database, done = Database(url), Sealing()

    @sqlalchemy_events.listens_for(database.engine, "begin")
    def begin(connection: Any) -> None:
        connection.info["began"] = monotonic()

    @sqlalchemy_events.listens_for(database.engine, "before_cursor_execute")
    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO trail_leaf") or ALONE in statement:
            connection.info["holding"] = True

    @sqlalchemy_events.listens_for(database.engine, "checkin")
    def checkin(_connection: Any, pooled: Any) -> None:
        if pooled.info.pop("holding", False):
            done.held.append((pooled.info["began"], monotonic()))

    last = False
    while not last:
        last = ended.wait(PAUSE)
        found = seal(database, AT, "sha256", anchors)
        done.rounds += 1
        done.sealed += found.events
        done.kept_out += found.kept_out
    database.close()
    told.put(done)


@dataclass
class Load:
    """Eight writers, each in a thread of its own; what they did and how long they waited."""

    database: Database
    seconds: float
    written: list[int] = field(default_factory=list)
    waits: list[Span] = field(default_factory=list)
    """Of each transaction, the wait for the trail's lock (PostgreSQL) or for the write lock (SQLite)."""
    failures: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        """Writes for so many seconds."""

        @sqlalchemy_events.listens_for(self.database.engine, "before_cursor_execute")
        def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            connection.info["asked"] = monotonic()

        @sqlalchemy_events.listens_for(self.database.engine, "after_cursor_execute")
        def after(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if LOCKED in statement:
                self.waits.append((connection.info["asked"], monotonic()))

        until = monotonic() + self.seconds
        threads = [threading.Thread(target=self._guarded, args=(number, until)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _guarded(self, number: int, until: float) -> None:
        try:
            self._write(number, until)
        except BaseException as error:
            self.failures.append(error)

    def _write(self, number: int, until: float) -> None:
        chance = Random(number)
        actor = Actor(f"p{number}", f"a{number}", Role.CLAIM_OFFICER, "370323", "x")
        turn = 0
        while monotonic() < until:
            turn += 1
            count = chance.choice([1, 1, 2, 5, 50])
            started = monotonic()
            with self.database.transaction() as session:
                sqlite = is_sqlite(session)  # begins the transaction: on SQLite this waits for the write lock
                if sqlite:
                    self.waits.append((started, monotonic()))
                record(
                    session, actor, AT, [Change("x.done", "x", f"{number}-{turn}-{n}") for n in range(count)]
                )
                if number == 0 and not sqlite and turn % 20 == 0:
                    sleep(1)  # a long transaction; on SQLite everybody would wait for it, sealer or not
                elif chance.random() < 0.1:
                    session.rollback()
                    count = 0
            self.written.append(count)
            sleep(chance.random() * 0.02)


def longest(spans: list[Span]) -> float:
    return max((end - start for start, end in spans), default=0.0)


def longest_share(waits: list[Span], held: list[Span]) -> float:
    """The longest that one wait went on while the sealer held what was waited for."""
    shares = [0.0]
    for start, end in waits:
        shares.append(sum(max(0.0, min(end, to) - max(start, since)) for since, to in held))
    return max(shares)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def test_every_event_is_in_one_block_and_nobody_waits_long(
    database: Database, tmp_path: Path, proof: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    anchors = tmp_path / "fangpin.anchors"
    spawn = multiprocessing.get_context("spawn")
    ended, told = spawn.Event(), spawn.Queue()
    sealer = spawn.Process(target=seal_on, args=(database.url, anchors, ended, told), daemon=True)
    sealer.start()
    load = Load(database, 60 if proof else 3)
    load.run()
    ended.set()
    sealing: Sealing = told.get(timeout=60)
    sealer.join(60)
    total = sum(load.written)
    with database.reading() as session:
        verdict = verify(session, read_anchors(anchors))
        events = session.scalar(select(func.count()).select_from(Event))
        leaves = session.execute(
            select(func.count(), func.count(TrailLeaf.event_id.distinct()), func.max(TrailLeaf.number))
        ).one()
        sqlite = is_sqlite(session)
    assert total > 100
    assert verdict.faults == ()
    assert (events, tuple(leaves)) == (total, (total, total, total))
    assert (verdict.events, verdict.unsealed, sealing.sealed) == (total, 0, total)
    assert verdict.blocks > 1
    assert len(load.waits) >= len(load.written)
    if proof:
        other = Database(database.url)
        alone = Load(other, 20)
        alone.run()
        other.close()
        due = longest_share(load.waits, sealing.held)
        with capsys.disabled():
            print(
                f"\n{'SQLite' if sqlite else 'PostgreSQL'}: {total} events of {len(load.written)} transactions, "
                f"{sealing.rounds} rounds of sealing, {sealing.kept_out} kept out; longest wait "
                f"{longest(load.waits):.3f} s, for the sealer {due:.3f} s, without one {longest(alone.waits):.3f} s; "
                f"sealer's longest hold {longest(sealing.held):.3f} s"
            )
        assert due <= LONGEST_WAIT
