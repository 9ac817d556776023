"""The trail in the API: its head, its events by filter, one event with its proof, its blocks. Read only."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import fields

from foundation.actors import Role
from foundation.errors import BadRequest, NotFound
from foundation.hashing import HASH_NAMES
from foundation.trail.models import TrailBlock
from foundation.trail.proving import inclusion_proof
from foundation.web.acting import reading, surroundings
from foundation.web.api import Around, Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, IsoDate, RowId
from webapp import trail_queries as queries
from webapp.settings import anchor_file
from webapp.trail_words import ACTIONS, ASSURANCES

resources = Resources("trail", __name__, "The trail: every change, sealed in linked Merkle blocks.")

_CURSOR = re.compile("([on])([0-9]{1,18})", re.ASCII)


class EventArguments(Paged):
    """What the events are narrowed to. `person` is a person's id, days are business days, both included."""

    action = Choice(ACTIONS)
    subject_id = RowId()
    person = RowId()
    role = Choice(list(Role))
    day_from = IsoDate()
    day_to = IsoDate()


class ActorData(Output):
    """Who acted, in which role and place, and how surely that was known."""

    person = fields.String(required=True)
    account = fields.String(required=True)
    role = Choice(list(Role), required=True)
    place = fields.String(required=True)
    assurance = Choice(ASSURANCES, required=True)


class EventData(Output):
    """An event. `before` and `after` are digests, states or ids, as the action has them; nothing personal."""

    id = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    subject_id = fields.String(required=True)
    actor = fields.Nested(ActorData, required=True)
    reason = fields.String(required=True, allow_none=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)


class EventPage(Output):
    """A page of events, the newest first. `went_to`: down to which id an unfinished search has looked."""

    rows = fields.List(fields.Nested(EventData), required=True)
    pages = fields.Nested(Around, required=True)
    went_to = fields.Integer(required=True, allow_none=True)


class WholeEventData(EventData):
    """An event with its text, whose hash is its leaf, and the proof that it is in the trail (null: not sealed yet)."""

    body = fields.String(required=True)
    proof = fields.Dict(required=True, allow_none=True)


class BlockData(Output):
    """A sealed block. `root` is over every event up to its end, `digest` is what the next block refers to."""

    number = fields.Integer(required=True)
    events = fields.Integer(required=True)
    last_event_id = fields.Integer(required=True)
    root = fields.String(required=True)
    previous = fields.String(required=True)
    digest = fields.String(required=True)
    hash = Choice(HASH_NAMES, required=True)
    sealed_at = fields.AwareDateTime(required=True)


class VerificationData(Output):
    """A verification of the whole trail."""

    checked_at = fields.AwareDateTime(required=True)
    well = fields.Boolean(required=True)
    events = fields.Integer(required=True)
    blocks = fields.Integer(required=True)
    root = fields.String(required=True)


class HeadData(Output):
    """How the trail stands: its last block, what no block holds yet, its last verification, and its anchor file."""

    block = fields.Nested(BlockData, required=True, allow_none=True)
    unsealed = fields.Integer(required=True)
    unsealed_since = fields.AwareDateTime(required=True, allow_none=True)
    checked = fields.Nested(VerificationData, required=True, allow_none=True)
    anchor = Choice(("agrees", "differs", "damaged", "none"), required=True)
    anchored_block = fields.Integer(required=True, allow_none=True)


@resources.at("/trail")
@resources.answers(HeadData)
def head() -> dict[str, Any]:
    """The head of the trail, to be compared with a printed one."""
    with reading() as session:
        standing = queries.standing(session)
        anchored = queries.anchored(session, anchor_file(surroundings().database.url))
    return {
        "block": standing.block and _block(standing.block),
        "unsealed": standing.unsealed,
        "unsealed_since": standing.unsealed_since,
        "checked": standing.checked,
        "anchor": anchored.state,
        "anchored_block": anchored.last and anchored.last.block,
    }


@resources.at("/trail/events")
@resources.parameters(EventArguments)
@resources.answers(EventPage)
def events(asked: dict[str, Any]) -> dict[str, Any]:
    """The events by filter, newest first. A search looks at a bounded number of them; `older` goes on from there."""
    older, newer = _place(asked.get("cursor"))
    wanted = queries.Wanted(
        asked.get("action"),
        (asked["subject_id"],) if "subject_id" in asked else None,
        (asked["person"],) if "person" in asked else None,
        asked.get("role"),
        asked.get("day_from"),
        asked.get("day_to"),
    )
    with reading() as session:
        found = queries.search(session, wanted, older, newer, asked["size"])
    return {
        "rows": found.rows,
        "pages": {"newer": found.newer and f"n{found.newer}", "older": found.older and f"o{found.older}"},
        "went_to": found.went_to,
    }


def _place(cursor: str | None) -> tuple[int | None, int | None]:
    """The id to go on from: (older than it, newer than it)."""
    if cursor is None:
        return None, None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadRequest(
            "翻页参数无效,请从第一页重新开始", "this is no place in the list; start at the first page"
        )
    number = int(found[2])
    return (number, None) if found[1] == "o" else (None, number)


@resources.at("/trail/events/<row_id:event_id>")
@resources.tagged
@resources.answers(WholeEventData)
def event(event_id: str) -> dict[str, Any]:
    """One event with the proof that it is in the trail: `python3 tools/verify_trail.py --proof FILE` checks it."""
    if re.fullmatch("[0-9]{1,18}", event_id, re.ASCII) is None:
        raise NotFound
    with reading() as session:
        row = queries.event_by_id(session, int(event_id))
        if row is None:
            raise NotFound
        sealed = queries.leaf_of(session, row.id) is not None
        line, body = queries.opened(row), row.body
        proof = inclusion_proof(session, row.id) if sealed else None
    return {name: getattr(line, name) for name in line.__slots__} | {"body": body, "proof": proof}


@resources.at("/trail/blocks")
@resources.parameters(Paged)
@resources.answers(page_schema(BlockData, "BlockPage"))
def blocks(asked: dict[str, Any]) -> dict[str, Any]:
    """The sealed blocks, the newest first."""
    with reading() as session:
        page = queries.blocks(session, asked.get("cursor"), asked["size"])
    return as_page(page, map(_block, page.rows))


def _block(block: TrailBlock) -> dict[str, Any]:
    names = ("number", "events", "last_event_id", "root", "previous", "digest", "sealed_at")
    return {name: getattr(block, name) for name in names} | {"hash": block.hash_name}
