"""Sealing the trail: every event in one block, in the order of the ids, whatever transactions are open meanwhile."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.trail import sealing
from foundation.trail.anchors import Anchor, TrailBroken, add_anchors, read_anchors
from foundation.trail.events import Change, Event, record
from foundation.trail.merkle import leaf_hash, root_of
from foundation.trail.models import TrailBlock, TrailLeaf
from foundation.trail.sealing import (
    FIRST_PREVIOUS,
    Sealed,
    begin_new_anchors,
    head,
    header,
    seal,
    unsealed,
)

OFFICER = Actor("p1", "a1", Role.CLAIM_OFFICER, "370323", "张三")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    return tmp_path / "fangpin.anchors"


def write(database: Database, first: int, count: int) -> None:
    with database.transaction() as session:
        record(
            session, OFFICER, AT, [Change("x.done", "x", f"{n:032x}") for n in range(first, first + count)]
        )


def bodies(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Event.body).order_by(Event.id)))


def test_blocks_are_linked_and_the_head_is_the_root_over_all(
    database: Database, anchors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST_IN_BLOCK", 7)
    write(database, 0, 50)
    assert seal(database, AT, "sha256", anchors) == Sealed(8, 50)
    write(database, 50, 3)
    assert seal(database, AT, "sha256", anchors) == Sealed(1, 3)
    assert seal(database, AT, "sha256", anchors) == Sealed(0, 0)
    with database.reading() as session:
        blocks = list(session.scalars(select(TrailBlock).order_by(TrailBlock.number)))
        leaves = session.execute(select(TrailLeaf.number, TrailLeaf.hash).order_by(TrailLeaf.number)).all()
        found, open_ones = head(session), unsealed(session)
    hashed = [leaf_hash(body.encode()) for body in bodies(database)]
    assert [tuple(leaf) for leaf in leaves] == [(n, leaf.hex()) for n, leaf in enumerate(hashed, start=1)]
    assert [block.previous for block in blocks] == [FIRST_PREVIOUS, *(block.digest for block in blocks[:-1])]
    assert [block.events for block in blocks] == [7, 14, 21, 28, 35, 42, 49, 50, 53]
    for block in blocks:
        assert block.root == root_of(hashed[: block.events])
        assert block.digest == hashlib.sha256(header(block)).hexdigest()
    assert (found.events, found.root, found.block, open_ones) == (53, root_of(hashed), 9, 0)
    assert [(anchor.block, anchor.digest) for anchor in read_anchors(anchors)] == [
        (block.number, block.digest) for block in blocks
    ]


def test_a_trail_by_sm3_goes_on_by_sm3(database: Database) -> None:
    write(database, 0, 5)
    seal(database, AT, "sm3", None)
    write(database, 5, 5)
    seal(database, AT, "sha256", None)
    with database.reading() as session:
        assert head(session).root == root_of(
            [leaf_hash(body.encode(), "sm3") for body in bodies(database)], "sm3"
        )


def test_an_event_written_early_and_committed_late_is_not_left_out(
    migrated_postgres_url: str, anchors: Path
) -> None:
    """The order that breaks a sealer which looks at the last id only: the lower id commits after the higher one."""
    database = Database(migrated_postgres_url)
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with database.transaction() as session:
            record(session, OFFICER, AT, [Change("x.slow", "x", "slow")])
            written.set()
            assert go_on.wait(30)

    writer = threading.Thread(target=slow)
    writer.start()
    assert written.wait(30)
    write(database, 0, 3)
    assert seal(database, AT, "sha256", anchors) == Sealed(0, 0, kept_out=True)
    go_on.set()
    writer.join()
    assert seal(database, AT, "sha256", anchors) == Sealed(1, 4)
    with database.reading() as session:
        first = session.scalar(select(TrailLeaf.event_id).where(TrailLeaf.number == 1))
        assert first is not None
        assert session.get_one(Event, first).action == "x.slow"
    database.close()


def test_several_sealers_at_once_make_one_chain(database: Database, anchors: Path) -> None:
    write(database, 0, 30)
    start = threading.Barrier(4)
    done: list[int] = []

    def run() -> None:
        start.wait()
        for _ in range(50):
            found = seal(database, AT, "sha256", anchors)
            done.append(found.events)
            if not found.kept_out:
                break

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TrailLeaf)) == 30
    assert sum(done) == 30
    assert [anchor.events for anchor in read_anchors(anchors)] == [30]


def test_anchors_that_a_killed_sealer_left_out_are_added_by_the_next(
    database: Database, anchors: Path
) -> None:
    anchors.touch()  # made before the first block
    write(database, 0, 3)
    seal(database, AT, "sha256", None)
    seal(database, AT, "sha256", anchors)
    assert [anchor.block for anchor in read_anchors(anchors)] == [1]


def test_a_lost_anchor_file_is_not_quietly_written_anew(database: Database, anchors: Path) -> None:
    write(database, 0, 3)
    assert seal(database, AT, "sha256", anchors).anchored
    anchors.unlink()
    write(database, 3, 3)
    assert seal(database, AT, "sha256", anchors) == Sealed(1, 3, anchored=False)
    assert not anchors.exists()
    begin_new_anchors(database, OFFICER, AT, anchors)
    assert seal(database, AT, "sha256", anchors) == Sealed(1, 1)
    assert [anchor.block for anchor in read_anchors(anchors)] == [1, 2, 3]
    with database.reading() as session:
        assert "trail.anchors_begun" in set(session.scalars(select(Event.action)))


def test_a_place_for_anchors_that_is_away_holds_up_no_sealing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    write(database, 0, 3)
    for away in (tmp_path / "file" / "anchors", tmp_path):  # below a file; a folder
        write(database, 3, 1)
        found = seal(database, AT, "sha256", away)
        assert found.events > 0
        assert not found.anchored


def test_a_sealer_that_was_overtaken_finds_nothing_broken(
    database: Database, anchors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sealer seals and anchors one more block just before this one gets the file."""
    write(database, 0, 3)
    seal(database, AT, "sha256", anchors)
    write(database, 3, 3)
    overtaken: list[bool] = []

    def late(path: Path, blocks_from: Callable[[int], Sequence[Anchor]]) -> int:
        if not overtaken:
            overtaken.append(True)
            seal(database, AT, "sha256", anchors)
        return add_anchors(path, blocks_from)

    monkeypatch.setattr(sealing, "add_anchors", late)
    assert seal(database, AT, "sha256", anchors) == Sealed(0, 0)
    assert [anchor.block for anchor in read_anchors(anchors)] == [1, 2]


def test_nothing_is_sealed_on_a_trail_that_is_not_the_anchored_one(
    database: Database, anchors: Path, migrated_sqlite_file: Path, tmp_path: Path
) -> None:
    write(database, 0, 3)
    seal(database, AT, "sha256", anchors)
    other_file = tmp_path / "other.db"
    other_file.write_bytes(migrated_sqlite_file.read_bytes())
    other = Database(f"sqlite:///{other_file}")
    write(other, 0, 4)
    with pytest.raises(TrailBroken, match="block 1"):
        seal(other, AT, "sha256", anchors)
    other.close()


def test_a_changed_last_block_is_not_built_upon(database: Database, anchors: Path) -> None:
    write(database, 0, 3)
    seal(database, AT, "sha256", None)
    with database.engine.begin() as connection:
        tail = "" if connection.dialect.name == "sqlite" else " ON trail_block"
        connection.execute(text(f"DROP TRIGGER trail_block_no_update{tail}"))
        connection.execute(text("UPDATE trail_block SET frontier = root, events = 4"))
    write(database, 3, 3)
    with pytest.raises(TrailBroken):
        seal(database, AT, "sha256", None)
