"""Proofs for somebody who has not got the trail: that an event is in it, and that an earlier trail is its beginning.

A proof is plain data that JSON can hold; it is worth what the root in it is worth, so compare that with a printed
report or with an anchor. Leaves are read as stored hashes, a part of the tree at a time, in flat memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.errors import NotFound
from foundation.hashing import HASH_NAMES, HashName
from foundation.trail.anchors import TrailBroken
from foundation.trail.events import Event
from foundation.trail.merkle import (
    DIGEST_BYTES,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_by_inclusion,
    root_of,
    roots_by_consistency,
)
from foundation.trail.models import TrailBlock, TrailLeaf
from foundation.trail.reading import leaf_hashes

FORMAT = "fangpin-trail-proof"
VERSION = 1

Proof = dict[str, Any]
"""`format`, `version`, `kind` (`inclusion` or `consistency`), `hash`, `path`; and, of an inclusion, `event` (`leaf`,
`id`, `body`) and `tree` (`block`, `events`, `root`), of a consistency the trees `earlier` and `later`."""


def inclusion_proof(session: Session, event_id: int, block: int | None = None) -> Proof:
    """Proves that an event is in the trail up to a block, the last one unless named.

    Raises NotFound for an event that is not there or not sealed by then, TrailBroken when the stored hashes do not give
    the block's root.
    """
    found = session.execute(
        select(TrailLeaf.number, Event.body)
        .join(Event, Event.id == TrailLeaf.event_id)
        .where(TrailLeaf.event_id == event_id)
    ).first()
    tree = _tree(session, block)
    if found is None or found.number > tree.events:
        raise NotFound(
            f"编号 {event_id} 的事件不存在,或当时尚未封存",
            f"there is no event of id {event_id}, or it was not sealed by then",
        )
    ranges = inclusion_ranges(found.number - 1, tree.events)
    return _held(
        {
            **_form("inclusion", tree),
            "event": {"leaf": found.number, "id": event_id, "body": found.body},
            "tree": _told(tree),
            "path": _roots(session, ranges, tree.hash_name),
        }
    )


def event_of_leaf(session: Session, number: int) -> int:
    """The id of the event with a number in the sealed trail. Raises NotFound."""
    event_id = session.scalar(select(TrailLeaf.event_id).where(TrailLeaf.number == number))
    if event_id is None:
        raise NotFound(f"没有第 {number} 条事件", f"there is no event {number}")
    return event_id


def consistency_proof(session: Session, earlier: int, later: int | None = None) -> Proof:
    """Proves that the trail up to block `earlier` is the beginning of that up to `later`, the last one unless named.

    Raises NotFound for blocks that are not there, TrailBroken when the stored hashes do not give their roots.
    """
    first, last = _tree(session, earlier), _tree(session, later)
    if first.block > last.block:
        first, last = last, first
    ranges = consistency_ranges(first.events, last.events)
    return _held(
        {
            **_form("consistency", last),
            "earlier": _told(first),
            "later": _told(last),
            "path": _roots(session, ranges, last.hash_name),
        }
    )


def holds(proof: object) -> bool:
    """Whether a proof proves what it says; False also for what is no proof. Needs no database."""
    try:
        given = cast(Proof, proof)
        if (given["format"], given["version"]) != (FORMAT, VERSION) or given["hash"] not in HASH_NAMES:
            return False
        name = cast(HashName, given["hash"])
        path = [bytes.fromhex(node) for node in given["path"]]
        if any(len(node) != DIGEST_BYTES for node in path):
            return False
        if given["kind"] == "inclusion":
            event, tree = given["event"], given["tree"]
            leaf = leaf_hash(event["body"].encode(), name)
            found = root_by_inclusion(leaf, event["leaf"] - 1, tree["events"], path, name)
            return bool(found == tree["root"])
        earlier, later = given["earlier"], given["later"]
        roots = roots_by_consistency(earlier["events"], later["events"], earlier["root"], path, name)
        return given["kind"] == "consistency" and roots == (earlier["root"], later["root"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


@dataclass(frozen=True, slots=True)
class _Tree:
    block: int
    events: int
    root: str
    hash_name: HashName


def _tree(session: Session, block: int | None) -> _Tree:
    columns = (TrailBlock.number, TrailBlock.events, TrailBlock.root, TrailBlock.hash_name)
    query = select(*columns).order_by(TrailBlock.number.desc()).limit(1)
    if block is not None:
        query = query.where(TrailBlock.number == block)
    found = session.execute(query).first()
    if found is None:
        raise NotFound(
            "审计链没有此区块,或尚未封存任何区块", "the trail has no such block, or none was sealed yet"
        )
    return _Tree(found.number, found.events, found.root, cast(HashName, found.hash_name))


def _form(kind: str, tree: _Tree) -> Proof:
    return {"format": FORMAT, "version": VERSION, "kind": kind, "hash": tree.hash_name}


def _told(tree: _Tree) -> dict[str, Any]:
    return {"block": tree.block, "events": tree.events, "root": tree.root}


def _roots(session: Session, ranges: Iterable[tuple[int, int]], name: HashName) -> list[str]:
    return [root_of(leaf_hashes(session, first, after), name) for first, after in ranges]


def _held(proof: Proof) -> Proof:
    if not holds(proof):
        raise TrailBroken(
            "审计链的散列值与区块的根不符,无法出具证明。请运行 fangpin trail verify",
            "the trail's hashes do not give the block's root: nothing can be proved. Run fangpin trail verify",
        )
    return proof
