"""What the trail proves: one event with its proof, a proof between two blocks, and the whole of it as a file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from flask import Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.hashing import HashName
from foundation.privacy.exports import Wanted, number_text, register_file
from foundation.privacy.purposes import EXPORT_PURPOSES, MOST_NOTE, check_purpose
from foundation.trail.anchors import TrailBroken
from foundation.trail.exporting import export_to_file
from foundation.trail.proving import Proof, consistency_proof, inclusion_proof
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.downloads import download
from foundation.web.fields import Choice, CleanText, StrictSchema, Whole
from foundation.web.language import pick
from foundation.web.requests import arguments, form
from webapp import trail_queries as queries
from webapp.pages import trail
from webapp.trail_proof import steps
from webapp.trail_view import grouped, shown

blueprint = trail.blueprint
MOST_ID = 2**63 - 1
_PIECE = 1 << 20


class _BlocksArguments(StrictSchema):
    """Two blocks by their numbers."""

    earlier = Whole(1, MOST_ID, required=True)
    later = Whole(1, MOST_ID, required=True)


class _ExportForm(StrictSchema):
    """What the trail is taken out for."""

    purpose = Choice(EXPORT_PURPOSES, required=True)
    note = CleanText(max=MOST_NOTE)


class _Nothing(StrictSchema):
    """An address without parameters."""


@blueprint.get("/trail/events/<int:event_id>")
def event(event_id: int) -> str:
    """One event: all that it says, and the proof that it is in the trail."""
    arguments(_Nothing)
    if event_id > MOST_ID:
        raise NotFound
    with reading() as session:
        row = queries.event_by_id(session, event_id)
        if row is None:
            raise NotFound
        (line,) = shown(session, acting(), [queries.opened(row)])
        sealed = queries.leaf_of(session, event_id)
        proof, broken = None, ""
        if sealed is not None:
            try:
                proof = inclusion_proof(session, event_id)
            except TrailBroken as error:
                broken = pick(error.zh, error.en)
    return render_template(
        "trail/event.html",
        event=line,
        body=row.body,
        leaf=None if sealed is None else {"number": sealed[0].number, "hash": grouped(sealed[0].hash)},
        block=None if sealed is None else trail.block_shown(sealed[1]),
        broken=broken,
        tree=None if proof is None else proof["tree"],
        root=None if proof is None else grouped(proof["tree"]["root"]),
        steps=[] if proof is None or sealed is None else _steps(proof, sealed[0].hash),
    )


def _steps(proof: Proof, leaf: str) -> list[dict[str, Any]]:
    name = cast(HashName, proof["hash"])
    found = steps(leaf, proof["event"]["leaf"] - 1, proof["tree"]["events"], proof["path"], name)
    return [
        {
            "left": grouped(step.left),
            "right": grouped(step.right),
            "result": grouped(step.result),
            "ours": step.ours,
        }
        for step in found
    ]


@blueprint.get("/trail/events/<int:event_id>/proof")
def event_proof(event_id: int) -> Response:
    """The proof that an event is in the trail, as a file that `tools/verify_trail.py --proof` checks."""
    arguments(_Nothing)
    if event_id > MOST_ID:
        raise NotFound
    with reading() as session:
        proof = inclusion_proof(session, event_id)
    return _as_file(proof, f"trail-event-{event_id}.json")


@blueprint.get("/trail/consistency")
def consistency() -> Response:
    """The proof that the trail up to one block is the beginning of that up to another one, as a file."""
    asked = arguments(_BlocksArguments)
    with reading() as session:
        proof = consistency_proof(session, asked["earlier"], asked["later"])
    return _as_file(proof, f"trail-blocks-{proof['earlier']['block']}-{proof['later']['block']}.json")


def _as_file(proof: Proof, name: str) -> Response:
    content = json.dumps(proof, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return download(content.encode(), name, "application/json")


@blueprint.post("/trail/export")
def export() -> AnyResponse:
    """The whole trail as a file; that it was taken is an event and a row of the register before it is handed out."""
    try:
        asked = form(_ExportForm)
        check_purpose(asked["purpose"], asked.get("note"), EXPORT_PURPOSES)  # before the long work
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trail"
            with (
                reading() as session,
                export_to_file(session, path) as exported,
                transaction() as writing,
            ):
                wanted = Wanted("trail", 0, {"events": str(exported.events)}, **asked)
                number = register_file(
                    writing, sealer(), acting(), now(), wanted, exported.sha256, exported.size
                )
            file = path.open("rb")
    except InvalidInput as invalid:
        for pairs in invalid.fields.values():
            flash(pick(*pairs[0]), "bad")
        return redirect(url_for(".listed", _anchor="export"), 303)
    day = business_day(now()).strftime("%Y%m%d")
    name = pick(f"审计链-{day}-{number_text(number)}.txt", f"trail-{day}-{number_text(number)}.txt")

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    answer = download(pieces(), name, "text/plain")
    answer.content_length = exported.size
    answer.call_on_close(file.close)
    return answer
