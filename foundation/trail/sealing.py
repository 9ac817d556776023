"""Sealing the trail: events are numbered in the order of their ids and closed into linked blocks.

A block's root is the Merkle root of RFC 6962 over every event up to its end, so one head vouches for the whole trail
before it. Nobody waits long for the sealer: on PostgreSQL it holds the trail's lock alone for the moment in which it
reads the last id (all events up to that one are then committed, and no other will ever come below it), and gives up
after a fifth of a second when a long transaction keeps it out; hashing and writing happen without that lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any, cast

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.database import Database, bulk_insert, instant_text, is_sqlite, one_at_a_time, table_of
from foundation.errors import ConfigurationError
from foundation.hashing import HashName, new_hash
from foundation.runtime import Runtime
from foundation.trail.anchors import Anchor, TrailBroken, add_anchors, begin_anchors
from foundation.trail.events import LOCK, Change, Event, record
from foundation.trail.merkle import Frontier
from foundation.trail.models import TrailBlock, TrailLeaf

MOST_IN_BLOCK = 1000
"""A fault that was covered up is named by its block: the fewer events in one, the nearer the place."""
_BLOCKS_AT_ONCE = 5
"""Blocks of one transaction: on SQLite nobody else writes meanwhile."""
_GAP = 0.05
"""Seconds that SQLite's write lock is left to others between two such transactions.

Whoever waits for it only looks every so often, and would find it taken again and again while a long trail is sealed.
"""
_PATIENCE = "200ms"
FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the sealed trail: its last block, how many events it has, and the root over all of them."""

    events: int
    root: str
    block: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing did: new blocks and events. `kept_out` when a long transaction kept the sealer from looking."""

    blocks: int
    events: int
    kept_out: bool = False
    anchored: bool = True
    """Whether the blocks could be anchored: not where the file was lost, or nothing can be written to its place."""


def head(session: Session) -> Head:
    """The head of the sealed trail. Events that no block holds yet are not in it: `seal` first."""
    columns = (TrailBlock.events, TrailBlock.root, TrailBlock.number)
    block = session.execute(select(*columns).order_by(TrailBlock.number.desc()).limit(1)).first()
    return Head(0, Frontier().root(), 0) if block is None else Head(*block)


def unsealed(session: Session) -> int:
    """How many events no block holds yet."""
    last = select(func.coalesce(func.max(TrailBlock.last_event_id), 0)).scalar_subquery()
    return session.scalar(select(func.count()).select_from(Event).where(Event.id > last)) or 0


def header(block: TrailBlock | dict[str, Any]) -> bytes:
    """The canonical JSON of a block that its digest is over."""
    values = block if isinstance(block, dict) else vars(block)
    return header_text(values, instant_text(values["sealed_at"]))


def header_text(values: Mapping[str, Any], sealed_at: str) -> bytes:
    """The same from columns by name and the instant as ISO text."""
    content = {
        "events": values["events"],
        "hash": values["hash_name"],
        "number": values["number"],
        "previous": values["previous"],
        "root": values["root"],
        "sealed_at": sealed_at,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def seal_trail(runtime: Runtime, tries: int = 1) -> Head:
    """Seals what is open in the trail of a runtime, and anchors it; the head then.

    `tries` is how often a long transaction may keep the sealer out: before a report it is worth waiting for its end.
    """
    for _ in range(tries):
        done = seal(runtime.database, runtime.clock.now(), runtime.sealer.hash_name, runtime.anchors)
        if not done.anchored:
            structlog.get_logger().error("trail not anchored")
        if not done.kept_out:
            break
    with runtime.database.reading() as session:
        return head(session)


BEFORE_A_REPORT = 25
"""Tries before a report is printed: five seconds at most."""


def seal(database: Database, at: datetime, hash_name: HashName, anchor_file: Path | None) -> Sealed:
    """Seals every event that is certain to have none before it to come, and anchors the blocks.

    `hash_name` is for a trail that begins; one that has blocks goes on with its own. A place for anchors that is away
    stops nothing: blocks are sealed, and anchored once it is back. Raises TrailBroken when the trail is not the one
    that was anchored.
    """
    # What a killed sealer left out, and a look before anything is built on top.
    anchored = _anchor(database, anchor_file)
    boundary = _settled(database)
    if boundary is None:
        return Sealed(0, 0, kept_out=True, anchored=anchored)
    blocks = events = 0
    overtaken = True
    while overtaken:
        overtaken = False
        for rows, leaves in _new_blocks(database, boundary, at, hash_name):
            if blocks and database.engine.dialect.name == "sqlite":
                sleep(_GAP)
            if not _write(database, rows, leaves):
                overtaken = True  # another sealer was quicker: on from where it ended
                break
            blocks += len(rows)
            events += len(leaves)
    if blocks and anchored:
        anchored = _anchor(database, anchor_file)
    return Sealed(blocks, events, anchored=anchored)


def _settled(database: Database) -> int | None:
    """The last event's id, once nobody can add one below it; None when a writer's transaction stays open too long."""
    last = select(func.coalesce(func.max(Event.id), 0))
    with database.reading() as session:
        if is_sqlite(session):
            return session.scalar(last)
    try:
        with database.transaction() as session:
            session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            return session.scalar(last)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_not_available
            return None
        raise


def _new_blocks(
    database: Database, boundary: int, at: datetime, hash_name: HashName
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """(rows of blocks, rows of leaves), a few blocks at a time, worked out with no lock held."""
    with database.reading() as session:
        last = session.scalars(select(TrailBlock).order_by(TrailBlock.number.desc()).limit(1)).first()
        ended = session.scalar(
            select(TrailLeaf.event_id).where(TrailLeaf.number == (last.events if last else 0))
        )
    number, previous, after = 0, FIRST_PREVIOUS, 0
    frontier = Frontier(hash_name)
    if last is not None:
        number, previous, after = last.number, last.digest, last.last_event_id
        frontier = _frontier_of(last, ended)
    hash_ = new_hash(frontier.hash_name)
    while True:
        with database.reading() as session:
            found = session.execute(
                select(Event.id, Event.body)
                .where(Event.id > after, Event.id <= boundary)
                .order_by(Event.id)
                .limit(MOST_IN_BLOCK * _BLOCKS_AT_ONCE)
            ).all()
        if not found:
            return
        blocks: list[dict[str, Any]] = []
        leaves: list[dict[str, Any]] = []
        for start in range(0, len(found), MOST_IN_BLOCK):
            part = found[start : start + MOST_IN_BLOCK]
            for event_id, body in part:
                leaf = hash_(b"\x00" + body.encode()).digest()
                frontier.add(leaf)
                leaves.append({"number": frontier.size, "event_id": event_id, "hash": leaf.hex()})
            number, after = number + 1, part[-1][0]
            block = {
                "number": number,
                "events": frontier.size,
                "last_event_id": after,
                "root": frontier.root(),
                "previous": previous,
                "hash_name": frontier.hash_name,
                "sealed_at": at,
                "frontier": frontier.text(),
            }
            previous = block["digest"] = hash_(header(block)).hexdigest()
            blocks.append(block)
        yield blocks, leaves


def _frontier_of(block: TrailBlock, last_event_id: int | None) -> Frontier:
    """What the next block is worked out from, once the last one is seen to be what was sealed."""
    name = cast(HashName, block.hash_name)
    try:
        frontier = Frontier.of_text(block.frontier, block.events, name)
    except ValueError:
        frontier = None
    changed = new_hash(name)(header(block)).hexdigest() != block.digest
    changed = changed or block.last_event_id != last_event_id
    if changed or frontier is None or frontier.root() != block.root:
        raise TrailBroken(
            f"审计链第 {block.number} 区块与其默克尔根不符,已停止封存。请运行 fangpin trail verify",
            f"block {block.number} of the trail does not give its Merkle root; nothing more is sealed. "
            "Run fangpin trail verify",
        )
    return frontier


def _write(database: Database, blocks: list[dict[str, Any]], leaves: list[dict[str, Any]]) -> bool:
    """Writes blocks behind the one that they follow; False when another sealer has written meanwhile."""
    with database.transaction() as session:
        one_at_a_time(session, "trail sealing")
        there = session.scalar(select(func.coalesce(func.max(TrailBlock.number), 0)))
        if there != blocks[0]["number"] - 1:
            return False
        bulk_insert(session, table_of(TrailLeaf), leaves)
        bulk_insert(session, table_of(TrailBlock), blocks)
    return True


def begin_new_anchors(database: Database, actor: Actor, at: datetime, anchor_file: Path) -> None:
    """Begins an anchor file anew where the old one was lost: an event says so, and by whom."""
    with database.transaction() as session:
        record(
            session,
            actor,
            at,
            [Change("trail.anchors_begun", "trail_block", "-", reason=f"block={head(session).block}")],
        )
    begin_anchors(anchor_file)


def _anchor(database: Database, anchor_file: Path | None) -> bool:
    """Anchors what is not yet; whether that was possible. Raises TrailBroken."""
    if anchor_file is None:
        return True

    def blocks_from(number: int) -> list[Anchor]:
        query = select(TrailBlock).where(TrailBlock.number >= number).order_by(TrailBlock.number)
        with database.reading() as session:
            return [anchor_of(block) for block in session.scalars(query)]

    try:
        if not anchor_file.exists():
            with database.reading() as session:
                lost = head(session).block > 0
            if lost:
                return False  # never quietly written anew: that would hide that it was taken away
            begin_anchors(anchor_file)
        add_anchors(anchor_file, blocks_from)
    except OSError:
        return False
    except ConfigurationError as error:
        if isinstance(error.__cause__, OSError):
            return False
        raise
    return True


def anchor_of(block: TrailBlock) -> Anchor:
    """A block as the anchor file has it."""
    return Anchor(block.number, block.events, block.root, block.digest, instant_text(block.sealed_at))
