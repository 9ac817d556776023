"""Checks the whole trail in the database: each event, each block and link, and the anchors kept outside. One pass.

Every event's body gives its leaf hash, the leaf hashes give every block's root, the blocks are linked; numbers have no
gaps, ids rise. Whoever rewrote all of that consistently is found by what was written elsewhere: anchors and heads.
Events that no block holds yet have no hash: changing or cutting those is not found.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.hashing import new_hash
from foundation.trail.anchors import Anchor
from foundation.trail.blocks import BlockCheck
from foundation.trail.checks import VERIFIED
from foundation.trail.events import Change, record
from foundation.trail.merkle import DIGEST_BYTES
from foundation.trail.models import TrailCheck
from foundation.trail.reading import LeafRow, block_rows, events_without_leaf, leaf_rows
from foundation.trail.verdict import MOST_FAULTS, TrailFault, TrailHead, Verdict, event_fault, trail_fault

_BODY_KEYS = 8
_CANONICAL = orjson.OPT_SORT_KEYS


def verify(session: Session, anchors: Iterable[Anchor] = (), heads: Iterable[TrailHead] = ()) -> Verdict:
    """Checks the trail that a session sees; changes nothing. Give it a session of `Database.reading()`.

    `anchors` come in the order of their blocks (`foundation.trail.anchors.read_anchors`), `heads` in any. Read them
    before the session sees the database: a block sealed in between would look like a tail that was cut.
    """
    blocks = BlockCheck(block_rows(session), anchors, heads)
    found = _check_events(session, blocks)
    number, with_event, last_id = found
    blocks.end(number, last_id)
    faults = [*blocks.faults, *_left_out(session, last_id, with_event)]
    unsealed = session.scalar(text("SELECT count(*) FROM event WHERE id > :last"), {"last": last_id}) or 0
    head = blocks.done
    return Verdict(
        events=head.events,
        blocks=head.number,
        unsealed=unsealed,
        root=head.root or blocks.frontier.root(),
        faults=tuple(sorted(faults, key=lambda fault: fault.leaf)[:MOST_FAULTS]),
    )


def _check_events(session: Session, blocks: BlockCheck) -> tuple[int, int, int]:
    """Checks each sealed event and, on the way, each block.

    Returns the last leaf's number, how many leaves had their event, and the highest event id. The loop runs a million
    times in some seconds: it asks all at once whether an event is right, and only for one that is not, what is wrong.
    """
    new, loads, dumps, add = new_hash(blocks.hash_name), orjson.loads, orjson.dumps, blocks.frontier.add
    number = last_id = with_event = 0
    stop = blocks.stop
    for rows in leaf_rows(session):
        for row in rows:
            leaf_number, event_id, stored, _, at, action, subject, subject_id, body = row
            while leaf_number > stop:
                blocks.reach(number, last_id)
                number, stop = max(number, blocks.done.events), blocks.stop
            number += 1
            try:
                leaf = new(b"\x00" + body)
                event = loads(body)
                well = (
                    leaf_number == number
                    and event_id > last_id
                    and leaf.hexdigest().encode() == stored
                    and event["at"].encode() == at
                    and event["action"].encode() == action
                    and event["subject"].encode() == subject
                    and event["subject_id"].encode() == subject_id
                    and len(event) == _BODY_KEYS
                    and dumps(event, None, _CANONICAL) == body
                )
            except (TypeError, ValueError, KeyError, AttributeError):
                well = False
            if well:
                with_event += 1
                last_id = event_id
                add(leaf.digest())
                continue
            faults = _faults_of(row, number, last_id, blocks)
            if len(blocks.faults) < MOST_FAULTS:
                blocks.faults += faults
            number, with_event = leaf_number, with_event + (row[3] is not None)
            last_id = max(last_id, event_id) if isinstance(event_id, int) else last_id
            add(_leaf_of(row, blocks))
    return number, with_event, last_id


def _faults_of(row: LeafRow, number: int, last_id: int, blocks: BlockCheck) -> list[TrailFault]:
    """What is wrong with a leaf or its event; `number` is the one that should come, `last_id` the id before."""
    leaf_number, event_id, stored, found, *_, body = row
    faults = []
    if leaf_number != number:
        blocks.whole = False
        faults.append(
            event_fault("leaf_missing", number, None, "缺失:已被删除", "is missing: it was deleted")
        )
    if found is None:
        wrong = ("event_missing", "已被删除", "was deleted")
    elif not isinstance(event_id, int) or event_id <= last_id:
        wrong = ("event_order", "的编号不在其位:事件被调换", "is out of order by its id: events were swapped")
    elif new_hash(blocks.hash_name)(b"\x00" + (body or b"")).hexdigest().encode() != stored:
        wrong = ("event_changed", "的内容与其散列值不符:被改动", "does not give its hash: it was changed")
    elif columns := _differing_columns(row):
        wrong = (
            "event_columns",
            f"的检索列 {columns} 与其内容不符:被改动",
            f"has other columns than its body says: {columns} was changed",
        )
    elif leaf_number == number:
        wrong = ("event_form", "的内容不是规范的 JSON", "is not canonical JSON")
    else:
        return faults
    kind, zh, en = wrong
    return [*faults, event_fault(kind, leaf_number, event_id, zh, en)]


def _differing_columns(row: LeafRow) -> str:
    columns = dict(zip(("at", "action", "subject", "subject_id"), row[4:8], strict=True))
    try:
        event = orjson.loads(row[8])
        return ", ".join(name for name, value in columns.items() if event.get(name, "").encode() != value)
    except (ValueError, AttributeError):
        return ""


def _leaf_of(row: LeafRow, blocks: BlockCheck) -> bytes:
    """The leaf hash to go on with: the stored one, for the block's root to say whether that is the sealed one."""
    try:
        stored = bytes.fromhex(bytes(row[2]).decode("ascii"))
    except (TypeError, ValueError):
        stored = b""
    if len(stored) == DIGEST_BYTES:
        return stored
    digest: bytes = new_hash(blocks.hash_name)(b"\x00" + (row[8] or b"")).digest()
    return digest


def _left_out(session: Session, last_id: int, with_leaf: int) -> list[TrailFault]:
    """Events among the sealed ones that no leaf is for: put in later, or left out by deleting their leaves."""
    return [
        trail_fault(
            "event_without_leaf",
            number,
            f"第 {number} 条事件之后有一条未编号的事件(编号 {event_id}):事后插入,或其编号被删除",
            f"after event {number} there is one without a number (id {event_id}): it was inserted later, or its "
            "number was deleted",
        )
        for number, event_id, _ in events_without_leaf(session, last_id, with_leaf, MOST_FAULTS)
    ]


def record_check(session: Session, actor: Actor, at: datetime, verdict: Verdict) -> TrailCheck:
    """Stores what a check found, with its event `trail.verified`, in the caller's transaction."""
    first: dict[str, Any] | None = asdict(verdict.faults[0]) if verdict.faults else None
    check = TrailCheck(
        id=secrets.token_hex(16),
        asked_by=actor.person,
        checked_at=at,
        events=verdict.events,
        blocks=verdict.blocks,
        unsealed=verdict.unsealed,
        root=verdict.root,
        well=verdict.well,
        fault=None if first is None else json.dumps(first, ensure_ascii=False, sort_keys=True),
    )
    session.add(check)
    session.flush()
    reason = None if first is None else first["kind"]
    record(session, actor, at, [Change(VERIFIED, "trail_check", check.id, verdict.root, reason=reason)])
    return check
