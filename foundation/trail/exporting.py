"""The trail as a text file that a small program checks without this one (`tools/verify_trail.py`, docs/trail.md).

The same state of the trail gives the same bytes, and what an attacker did to the database is exported as it lies there.
Memory stays flat.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.files import whole_or_not
from foundation.hashing import HASH_NAMES
from foundation.trail.events import Event
from foundation.trail.models import TrailBlock, TrailLeaf
from foundation.trail.reading import BlockRow, block_rows, event_rows, events_without_leaf, leaf_rows
from foundation.trail.sealing import head, header_text

FORMAT = "fangpin-trail"
VERSION = 1
_MOST_LEFT_OUT = 1000


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export: what is in it, and size in bytes and SHA-256 of the file."""

    events: int
    blocks: int
    unsealed: int
    root: str
    size: int
    sha256: str


def export_pieces(session: Session) -> Iterator[bytes]:
    """The bytes of the export, some thousand lines at a time. Give it a session of `Database.reading()`."""
    totals = _totals(session)
    shown = orjson.dumps(totals, None, orjson.OPT_SORT_KEYS)
    so_far = hashlib.sha256()
    lines = [b"%s %d %s\n" % (FORMAT.encode(), VERSION, shown)]

    def flushed() -> bytes:
        piece = b"".join(lines)
        so_far.update(piece)
        lines.clear()
        return piece

    blocks = block_rows(session)
    block = next(blocks, None)
    last_id = with_event = 0
    for rows in leaf_rows(session):
        for number, event_id, stored, found, _, _, _, _, body in rows:
            while block is not None and number > block.events:
                yield flushed()
                lines.append(_block_line(block, so_far.hexdigest()))
                block = next(blocks, None)
            lines.append(b"E %d %d %s %s\n" % (number, event_id, stored, body or b""))
            last_id, with_event = max(last_id, event_id), with_event + (found is not None)
        yield flushed()
    while block is not None:
        yield flushed()
        lines.append(_block_line(block, so_far.hexdigest()))
        block = next(blocks, None)
    for _, event_id, body in events_without_leaf(session, last_id, with_event, _MOST_LEFT_OUT):
        lines.append(b"U %d %s\n" % (event_id, body))
    for listed in event_rows(session, last_id):
        lines += [b"U %d %s\n" % (event_id, body) for event_id, body in listed]
        yield flushed()
    yield flushed()
    yield b"Z %s %s\n" % (shown, so_far.hexdigest().encode())


def _totals(session: Session) -> dict[str, int | str]:
    """Of the first line and the last: what the file holds."""
    last = head(session)
    name = session.scalar(select(TrailBlock.hash_name).order_by(TrailBlock.number).limit(1))
    sealed = select(func.coalesce(func.max(TrailLeaf.event_id), 0)).scalar_subquery()
    unsealed = session.scalar(select(func.count()).select_from(Event).where(Event.id > sealed)) or 0
    return {
        "blocks": last.block,
        "events": last.events,
        "hash": name if name in HASH_NAMES else "sha256",
        "root": last.root,
        "unsealed": unsealed,
    }


def _block_line(block: BlockRow, so_far: str) -> bytes:
    header = header_text(block._asdict(), block.sealed_at)
    return b"B %s %s %s\n" % (header, block.digest.encode(), so_far.encode())


@contextmanager
def export_to_file(session: Session, path: Path) -> Iterator[Exported]:
    """Writes the export beside `path`; at the end of the block it gets its name, unless the block raised.

    So what must be recorded about it is recorded before it is there.
    """
    totals = _totals(session)
    digest, size = hashlib.sha256(), 0
    with whole_or_not(path) as file:
        os.fchmod(file.fileno(), 0o600)
        for piece in export_pieces(session):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        counts = {name: cast(int, totals[name]) for name in ("events", "blocks", "unsealed")}
        yield Exported(**counts, root=str(totals["root"]), size=size, sha256=digest.hexdigest())
