"""Verifying the trail: whatever an attacker who owns the database does to it is found, and its place is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from foundation.database import Base, Database
from foundation.hashing import HashName
from foundation.trail import sealing
from foundation.trail.anchors import read_anchors
from foundation.trail.events import Event
from foundation.trail.merkle import leaf_hash
from foundation.trail.models import TrailBlock, TrailCheck, TrailLeaf
from foundation.trail.sealing import head, seal
from foundation.trail.verdict import MOST_FAULTS, TrailHead, Verdict
from foundation.trail.verifying import record_check, verify
from tests.foundation.attacker import AT, EVENTS, IN_BLOCK, OFFICER, OPEN, Attacker, written_trail

FORGED = (
    '{"action":"x.done","actor":{"account":"a1","assurance":"program","person":"p1","place":"370323",'
    '"role":"CLAIM_OFFICER"},"after":null,"at":"2020-12-31T04:00:01.000000+00:00","before":null,'
    '"reason":"forged","subject":"x","subject_id":"00000000000000000000000000000001"}'
)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def attacker(migrated_url: str) -> Iterator[Attacker]:
    made = Attacker(migrated_url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def trail(
    database: Database, attacker: Attacker, anchors: Path, monkeypatch: pytest.MonkeyPatch
) -> TrailHead:
    """The trail, and the head that stands on a report."""
    monkeypatch.setattr(sealing, "MOST_IN_BLOCK", IN_BLOCK)
    written_trail(database, attacker, anchors)
    with database.reading() as session:
        found = head(session)
    return TrailHead(found.events, found.root)


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    return tmp_path / "fangpin.anchors"


def checked(database: Database, anchors: Path | None = None, *heads: TrailHead) -> Verdict:
    known = read_anchors(anchors) if anchors else []
    with database.reading() as session:
        return verify(session, known, heads)


def kinds(verdict: Verdict) -> list[tuple[str, int]]:
    return [(fault.kind, fault.leaf) for fault in verdict.faults]


def rewritten_leaf(attacker: Attacker, leaf: int) -> None:
    """Gives an event's leaf the hash of what the event says now."""
    body = attacker.ask(
        "SELECT body FROM event JOIN trail_leaf ON event_id = id WHERE number = :leaf", leaf=leaf
    )
    attacker.run(
        "UPDATE trail_leaf SET hash = :hash WHERE number = :leaf",
        hash=leaf_hash(body.encode()).hex(),
        leaf=leaf,
    )


def sealed_anew(database: Database, attacker: Attacker) -> None:
    """Every leaf and block made anew from the events as they are: all hashes fit together again."""
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf")
    seal(database, AT, "sha256", None)


# What is right is found right


def test_a_sound_trail_is_well(database: Database, anchors: Path, trail: TrailHead) -> None:
    verdict = checked(database, anchors, trail)
    assert verdict == Verdict(EVENTS, 4, OPEN, trail.root, ())
    assert verdict.well


def test_a_trail_by_sm3_is_well(database: Database, attacker: Attacker) -> None:
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf")
    seal(database, AT, "sm3", None)
    assert checked(database).faults == ()
    attacker.run("UPDATE trail_leaf SET hash = hash || '' WHERE number = 3")
    attacker.run("UPDATE event SET body = :body WHERE id = :id", body=FORGED, id=attacker.event_id(3))
    assert kinds(checked(database)) == [("event_changed", 3)]


def test_no_trail_is_well_unless_there_was_one(
    database: Database, attacker: Attacker, anchors: Path, trail: TrailHead
) -> None:
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf", "DELETE FROM event")
    assert checked(database).well
    assert kinds(checked(database, anchors)) == [("tail_cut", 1)]
    assert kinds(checked(database, None, trail)) == [("tail_cut", 1)]


def test_events_of_the_last_minute_have_no_hash_and_may_be_cut(
    database: Database, attacker: Attacker
) -> None:
    """What nothing can find, written down so that nobody promises otherwise (docs/trail.md)."""
    attacker.run("DELETE FROM event WHERE action = 'x.open'")
    verdict = checked(database)
    assert (verdict.well, verdict.unsealed) == (True, 0)


def test_any_head_ever_printed_is_checked(database: Database, trail: TrailHead) -> None:
    with database.reading() as session:
        old = [TrailHead(row.events, row.root) for row in session.scalars(select(TrailBlock))]
    assert checked(database, None, *old, *old, trail).well
    wrong = TrailHead(20, "0" * 64)
    verdict = checked(database, None, wrong, *old)
    assert kinds(verdict) == [("head", 20)]
    assert "20" in verdict.faults[0].zh and "20" in verdict.faults[0].en


# One event


def test_a_changed_body_is_named(database: Database, attacker: Attacker) -> None:
    event_id = attacker.event_id(17)
    attacker.run("UPDATE event SET body = :body WHERE id = :id", body=FORGED, id=event_id)
    (fault,) = checked(database).faults
    assert (fault.kind, fault.leaf, fault.event_id) == ("event_changed", 17, event_id)
    assert fault.zh.startswith(f"第 17 条事件(编号 {event_id})")
    assert fault.en.startswith(f"event 17 (id {event_id})")


def test_a_changed_leaf_hash_is_named(database: Database, attacker: Attacker) -> None:
    attacker.run("UPDATE trail_leaf SET hash = :hash WHERE number = 17", hash="ab" * 32)
    assert kinds(checked(database))[0] == ("event_changed", 17)


def test_a_body_changed_with_its_hash_is_found_in_its_block(database: Database, attacker: Attacker) -> None:
    attacker.run(
        "UPDATE event SET body = replace(body, '更正', '改正') WHERE id = :id", id=attacker.event_id(17)
    )
    rewritten_leaf(attacker, 17)
    (fault,) = checked(database).faults  # and no later block looks wrong
    assert (fault.kind, fault.block) == ("block_root", 2)
    assert "第 2 区块(第 11–20 条事件)" in fault.zh
    assert "block 2 (events 11–20)" in fault.en


def test_a_trail_rewritten_as_a_whole_is_found_by_what_was_kept_elsewhere(
    database: Database, attacker: Attacker, anchors: Path, trail: TrailHead
) -> None:
    attacker.run(
        "UPDATE event SET body = replace(body, '更正', '改正') WHERE id = :id", id=attacker.event_id(17)
    )
    sealed_anew(database, attacker)
    assert checked(database).well
    (fault,) = checked(database, anchors).faults
    assert (fault.kind, fault.block, fault.leaf) == ("anchor", 2, 20)
    assert kinds(checked(database, None, trail)) == [("head", EVENTS)]


@pytest.mark.parametrize("column", ["at", "action", "subject", "subject_id"])
def test_a_column_that_differs_from_the_body_is_named(
    database: Database, attacker: Attacker, column: str
) -> None:
    value = "2021-01-01T00:00:00.000000+00:00" if column == "at" else "y"
    attacker.run(f"UPDATE event SET {column} = '{value}' WHERE id = :id", id=attacker.event_id(17))
    (fault,) = checked(database).faults
    assert (fault.kind, fault.leaf) == ("event_columns", 17)
    assert column in fault.en


def test_a_body_that_is_no_canonical_json_is_named(database: Database, attacker: Attacker) -> None:
    attacker.run("UPDATE event SET body = body || ' ' WHERE id = :id", id=attacker.event_id(17))
    rewritten_leaf(attacker, 17)
    assert kinds(checked(database)) == [("event_form", 17), ("block_root", 20)]


def test_a_dropped_event_is_named(database: Database, attacker: Attacker) -> None:
    event_id = attacker.event_id(17)
    attacker.run("DELETE FROM event WHERE id = :id", id=event_id)
    (fault,) = checked(database).faults
    assert (fault.kind, fault.leaf, fault.event_id) == ("event_missing", 17, event_id)


def test_an_event_dropped_with_its_leaf_is_named(database: Database, attacker: Attacker) -> None:
    attacker.run("DELETE FROM event WHERE id = :id", id=attacker.event_id(17))
    attacker.run("DELETE FROM trail_leaf WHERE number = 17")
    (fault,) = checked(database).faults
    assert (fault.kind, fault.leaf) == ("leaf_missing", 17)
    assert "第 17 条事件" in fault.zh


@pytest.mark.parametrize(("leaf", "block"), [(1, 1), (10, 1), (20, 2), (35, 4)])
def test_a_dropped_leaf_is_named_wherever_it_was(
    database: Database, attacker: Attacker, leaf: int, block: int
) -> None:
    attacker.run("DELETE FROM trail_leaf WHERE number = :leaf", leaf=leaf)
    found = kinds(checked(database))
    assert found[0] in [("leaf_missing", leaf), ("event_without_leaf", leaf - 1)]
    assert ("leaf_missing", leaf) in found


def test_an_event_dropped_with_all_numbers_moved_up_is_found_in_its_block(
    database: Database, attacker: Attacker
) -> None:
    attacker.run("DELETE FROM event WHERE id = :id", id=attacker.event_id(17))
    attacker.run("DELETE FROM trail_leaf WHERE number = 17")
    attacker.renumber(17, -1)
    first = checked(database).faults[0]
    assert (first.kind, first.block) == ("block_root", 2)


def test_swapped_bodies_are_named_at_the_first(database: Database, attacker: Attacker) -> None:
    ids = [attacker.event_id(leaf) for leaf in (14, 27)]
    swap(attacker, "event", "body", "id", *ids)
    assert kinds(checked(database)) == [("event_changed", 14), ("event_changed", 27)]


def test_bodies_swapped_with_their_hashes_and_columns_are_found_in_their_block(
    database: Database, attacker: Attacker
) -> None:
    ids = [attacker.event_id(leaf) for leaf in (14, 17)]
    for column in ("body", "at", "action", "subject", "subject_id"):
        swap(attacker, "event", column, "id", *ids)
    swap(attacker, "trail_leaf", "hash", "number", 14, 17)
    assert kinds(checked(database)) == [("block_root", 20)]


def test_swapped_leaves_are_named_at_the_first(database: Database, attacker: Attacker) -> None:
    swap_ids(attacker, 14, 17)
    assert kinds(checked(database))[0] == ("event_changed", 14)
    swap(attacker, "trail_leaf", "hash", "number", 14, 17)
    assert kinds(checked(database))[0] == ("event_order", 15)


def test_an_event_put_in_without_a_number_is_named(database: Database, attacker: Attacker) -> None:
    free = attacker.event_id(17) + 1
    attacker.insert_event(free, FORGED)
    (fault,) = checked(database).faults
    assert (fault.kind, fault.leaf) == ("event_without_leaf", 17)
    assert f"编号 {free}" in fault.zh and f"id {free}" in fault.en


def test_an_event_put_in_with_a_number_is_found_in_its_block(database: Database, attacker: Attacker) -> None:
    free = attacker.event_id(17) + 1
    attacker.insert_event(free, FORGED)
    attacker.renumber(17, 1)
    attacker.run(
        "INSERT INTO trail_leaf (number, event_id, hash) VALUES (18, :id, :hash)",
        id=free,
        hash=leaf_hash(FORGED.encode()).hex(),
    )
    first = checked(database).faults[0]
    assert (first.kind, first.block) == ("block_root", 2)


# Blocks


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("sealed_at = '2020-12-30T00:00:00.000000+00:00'", "block_digest"),
        ("digest = root", "block_digest"),
        ("root = digest", "block_root"),
        ("previous = root", "block_link"),
        ("frontier = root", "block_frontier"),
        ("frontier = ''", "block_frontier"),
        ("last_event_id = last_event_id + 1", "block_last_event"),
        ("hash_name = 'sm3'", "block_hash"),
    ],
)
def test_a_changed_block_is_named(database: Database, attacker: Attacker, change: str, kind: str) -> None:
    attacker.run(f"UPDATE trail_block SET {change} WHERE number = 2")
    faults = checked(database).faults
    assert (faults[0].kind, faults[0].block) == (kind, 2)
    assert "第 2 区块(第 11–20 条事件)" in faults[0].zh


@pytest.mark.parametrize("name", ["sha256", "sm3"])
@pytest.mark.parametrize("where", ["number = 1", "TRUE"])
def test_a_first_block_that_names_another_hash_is_the_fault_and_no_event_is(
    database: Database, attacker: Attacker, name: HashName, where: str
) -> None:
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf")
    seal(database, AT, name, None)
    other = "sm3" if name == "sha256" else "sha256"
    attacker.run(f"UPDATE trail_block SET hash_name = '{other}' WHERE {where}")
    faults = checked(database).faults
    assert (faults[0].kind, faults[0].block, faults[0].event_id) == ("block_hash", 1, None)
    assert {fault.kind for fault in faults} == {"block_hash", "block_digest"}
    assert {fault.block for fault in faults} == ({1} if where != "TRUE" else {1, 2, 3, 4})
    attacker.run("UPDATE event SET body = :body WHERE id = :id", body=FORGED, id=attacker.event_id(3))
    assert kinds(checked(database))[0] == ("event_changed", 3)


@pytest.mark.parametrize("events", [19, 21])
def test_a_block_of_another_size_is_found(database: Database, attacker: Attacker, events: int) -> None:
    attacker.run("UPDATE trail_block SET events = :events WHERE number = 2", events=events)
    assert checked(database).faults[0].block == 2


def test_a_dropped_block_is_named(database: Database, attacker: Attacker) -> None:
    attacker.run("DELETE FROM trail_block WHERE number = 2")
    first = checked(database).faults[0]
    assert (first.kind, first.block) == ("block_missing", 2)


def test_a_dropped_last_block_leaves_numbers_without_a_block(database: Database, attacker: Attacker) -> None:
    attacker.run("DELETE FROM trail_block WHERE number = 4")
    assert kinds(checked(database)) == [("leaf_without_block", 31)]


def test_a_tail_cut_with_everything_is_found_by_what_was_kept_elsewhere(
    database: Database, attacker: Attacker, anchors: Path, trail: TrailHead
) -> None:
    last = attacker.event_id(30)
    attacker.run("DELETE FROM trail_block WHERE number = 4", "DELETE FROM trail_leaf WHERE number > 30")
    attacker.run("DELETE FROM event WHERE id > :last", last=last)
    assert checked(database).well
    (fault,) = checked(database, anchors).faults
    assert (fault.kind, fault.block) == ("tail_cut", 4)
    assert "第 4–4 区块" in fault.zh and "block 3" in fault.en
    assert kinds(checked(database, None, trail)) == [("tail_cut", 31)]


def test_a_tail_sealed_anew_is_found_by_its_anchor(
    database: Database, attacker: Attacker, anchors: Path
) -> None:
    """As after a restore from yesterday's backup: other events follow the same beginning."""
    last = attacker.event_id(30)
    attacker.run("DELETE FROM trail_block WHERE number = 4", "DELETE FROM trail_leaf WHERE number > 30")
    attacker.run("DELETE FROM event WHERE id > :last", last=last)
    attacker.insert_event(last + 1, FORGED)
    seal(database, AT, "sha256", None)
    assert kinds(checked(database, anchors)) == [("anchor", 31)]


def test_every_column_counts(database: Database, attacker: Attacker, anchors: Path) -> None:
    """Each column of a sealed event, leaf and block, also of one that is added some day."""
    tables: list[tuple[type[Base], str, object]] = [
        (Event, "id", attacker.event_id(15)),
        (TrailLeaf, "number", 15),
        (TrailBlock, "number", 2),
    ]
    for model, key, value in tables:
        for column in model.__table__.columns:
            if column.name == key:
                continue
            table = model.__tablename__
            where = f"FROM {table} WHERE {key} = {value}"
            before = attacker.ask(f"SELECT {column.name} {where}")
            kind = column.type.python_type
            moment = "1999-01-01T00:00:00.000000+00:00"
            other = {"at": moment, "sealed_at": moment, "hash_name": "sm3"}.get(column.name, "ab" * 32)
            attacker.run(
                f"UPDATE {table} SET {column.name} = :other WHERE {key} = {value}",
                other=999_999 if kind is int else other,
            )
            assert not checked(database, anchors).well, (table, column.name)
            attacker.run(f"UPDATE {table} SET {column.name} = :before WHERE {key} = {value}", before=before)
            assert checked(database, anchors).well, (table, column.name)


def test_of_a_million_faults_the_first_ones_are_named(database: Database, attacker: Attacker) -> None:
    attacker.run("UPDATE event SET body = :body", body=FORGED)
    faults = checked(database).faults
    assert len(faults) == MOST_FAULTS
    assert [fault.leaf for fault in faults] == [*range(1, MOST_FAULTS + 1)]


# What a check leaves behind


def test_a_check_is_recorded_with_its_event(database: Database, attacker: Attacker) -> None:
    well = checked(database)
    attacker.run("UPDATE event SET body = :body WHERE id = :id", body=FORGED, id=attacker.event_id(17))
    faulty = checked(database)
    with database.transaction() as session:
        first = record_check(session, OFFICER, AT, well).id
        second = record_check(session, OFFICER, AT, faulty).id
    with database.reading() as session:
        checks = {check.id: check for check in session.scalars(select(TrailCheck))}
        events = session.scalars(select(Event).where(Event.action == "trail.verified")).all()
    assert (checks[first].well, checks[first].fault, checks[first].asked_by) == (True, None, "p1")
    assert (checks[first].events, checks[first].blocks, checks[first].unsealed) == (EVENTS, 4, OPEN)
    told = json.loads(checks[second].fault or "")
    assert (checks[second].well, told["kind"], told["leaf"]) == (False, "event_changed", 17)
    assert told["zh"] and told["en"]
    assert [event.subject_id for event in events] == [first, second]
    assert json.loads(events[1].body)["reason"] == "event_changed"


def swap(attacker: Attacker, table: str, column: str, key: str, one: int, other: int) -> None:
    """Swaps a column's values of two rows."""
    values = [
        attacker.ask(f"SELECT {column} FROM {table} WHERE {key} = :key", key=key_) for key_ in (one, other)
    ]
    for key_, value in zip((other, one), values, strict=True):
        attacker.run(f"UPDATE {table} SET {column} = :value WHERE {key} = :key", value=value, key=key_)


def swap_ids(attacker: Attacker, one: int, other: int) -> None:
    """Swaps which events two leaves are for; the column is unique."""
    first, second = attacker.event_id(one), attacker.event_id(other)
    for leaf, event_id in ((one, -1), (other, first), (one, second)):
        attacker.run("UPDATE trail_leaf SET event_id = :id WHERE number = :leaf", id=event_id, leaf=leaf)
