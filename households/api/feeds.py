"""Departments' data in the API: how feeds stand, a file sent by a department's own program, and what became of it.

A file is looked at in the background; the answer says where to ask. No row of a file ever comes out of here.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, after_this_request, g, request, url_for
from marshmallow import fields
from werkzeug.exceptions import UnsupportedMediaType

from foundation.clock import business_day
from foundation.error_workbook import rows_in
from foundation.errors import BadRequest
from foundation.web.acting import acting, now, reading, ring, sealer, stored_files
from foundation.web.api import Output, Resources
from foundation.web.fields import Choice, Flag, IsoDate, TextSchema
from foundation.web.idempotency import idempotent_over, writing
from foundation.web.language import pick
from foundation.web.large import take_large
from households.departments import departments
from households.feed_words import column_words
from households.layouts import MODES, Layout
from households.models.feeds import FeedDelivery, FeedUpload
from households.queries.feed_uploads import (
    CHECK,
    FeedState,
    feed_states,
    layout_for,
    layouts_of,
    preview_of,
    upload_by_id,
    upload_for,
)
from households.services import feed_uploads as services
from households.terms import UPLOAD_STATES

resources = Resources(
    "feeds", __name__, "Data that departments send, and how each feed stands by its calendar."
)

_BINARY = {"type": "string", "format": "binary", "minLength": 1}
_RAW = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_MULTIPART = "multipart/form-data"
_MOST_PARTS = 20
_SHOWN_CELLS = 200

Headed = tuple[dict[str, Any], dict[str, str]]
"""A body and its headers."""


class DeliveryArguments(TextSchema):
    """What the file is."""

    mode = Choice(MODES, required=True, metadata={"description": "The whole list, or more rows."})
    as_of = IsoDate(required=True, metadata={"description": "The day that the data are of; not after today."})
    take_in = Flag(
        metadata={
            "type": "string",
            "enum": ["1"],
            "description": "1: taken in by itself when every cell can be read and a full list is no shorter than half "
            "of the last one. Else, and without this, a person looks at it on the page first.",
        }
    )


class ColumnData(Output):
    """A column of a feed's file; `takes` says in words what stands in it."""

    name = fields.String(required=True)
    takes = fields.String(required=True)
    required = fields.Boolean(required=True)


class DeliveryData(Output):
    """A file that was taken in; counts are rows."""

    as_of = IsoDate(required=True, allow_none=True)
    taken_in_at = fields.AwareDateTime(required=True)
    mode = fields.String(required=True)
    rows = fields.Integer(required=True)
    added = fields.Integer(required=True)
    retired = fields.Integer(required=True)
    refused_cells = fields.Integer(required=True)


class FeedData(Output):
    """A feed: whose, what was sent last, when the next file is due (null: no calendar), and how late it is."""

    feed = fields.String(required=True)
    title = fields.String(required=True)
    department = fields.String(required=True)
    department_name = fields.String(required=True)
    usual_mode = Choice(MODES, required=True)
    last = fields.Nested(DeliveryData, required=True, allow_none=True)
    due_on = IsoDate(required=True, allow_none=True)
    late_days = fields.Integer(required=True)


class FeedsData(Output):
    """The feeds that the token may look at."""

    feeds = fields.List(fields.Nested(FeedData), required=True)


class FeedWithColumns(FeedData):
    """A feed with the columns of its files."""

    columns = fields.List(fields.Nested(ColumnData), required=True)


class RefusedCell(Output):
    """A cell that could not be read: its row as a spreadsheet counts, its column, and the code of what is wrong."""

    row = fields.Integer(required=True)
    column = fields.String(required=True)
    code = fields.String(required=True)


class FoundData(Output):
    """What a usable file holds and would change, in rows. `shrunk`: a person has to confirm it on the page."""

    rows = fields.Integer(required=True)
    new = fields.Integer(required=True)
    same = fields.Integer(required=True)
    gone = fields.Integer(required=True)
    shrunk = fields.Boolean(required=True)
    same_file = fields.Boolean(required=True)


class FeedUploadData(Output):
    """A file that was sent, and where it stands. `found` is null until it was looked at, and for an unusable one."""

    id = fields.String(required=True)
    feed = fields.String(required=True)
    mode = Choice(MODES, required=True)
    as_of = IsoDate(required=True)
    state = Choice(UPLOAD_STATES, required=True)
    uploaded_at = fields.AwareDateTime(required=True)
    faults = fields.List(fields.String(), required=True)
    found = fields.Nested(FoundData, required=True, allow_none=True)
    refused_cells = fields.Integer(required=True)
    refused_rows = fields.Integer(required=True)
    first_refused = fields.List(fields.Nested(RefusedCell), required=True)
    unchanged = fields.Boolean(required=True, allow_none=True)
    """Whether it was the same file as the one before; null until it is taken in."""


@resources.url_value_preprocessor  # type: ignore[untyped-decorator]  # the library has no types
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets this one operation take large requests."""
    if endpoint == "api_feeds.delivered":
        take_large(_MOST_PARTS)


@resources.at("/feeds")
@resources.answers(FeedsData)
def listed() -> dict[str, Any]:
    """The feeds that the token may look at (a department's own, else all), by department."""
    with reading() as session:
        states = feed_states(session, layouts_of(acting()), business_day(now()))
    return {"feeds": [_feed(state) for state in states]}


@resources.at("/feeds/<feed>")
@resources.tagged
@resources.answers(FeedWithColumns)
def shown(feed: str) -> dict[str, Any]:
    """One feed with the columns of its files. 403 for another department's."""
    layout = layout_for(acting(), feed)
    with reading() as session:
        (state,) = feed_states(session, [layout], business_day(now()))
    return {**_feed(state), "columns": _columns(layout)}


def _sent_file() -> dict[str, Any]:
    """The file that was sent, stored under seal before any transaction; what repetitions are compared by.

    Raises NotAllowedError before anything is stored for another department's feed.
    """
    layout = layout_for(acting(), str((request.view_args or {})["feed"]))
    services.refuse_other_departments(acting(), layout)
    content = _content()
    g.feed_file = services.receive(stored_files(), layout, content)
    query = sorted((name, values) for name, values in request.args.lists())
    return {"query": query, "file": hashlib.sha256(content).hexdigest()}


def _content() -> bytes:
    if request.mimetype in _RAW:
        return request.get_data()
    if request.mimetype != _MULTIPART:
        raise UnsupportedMediaType
    sent = request.files.getlist("file")
    if len(sent) != 1 or len(request.files) != 1 or request.form:
        raise BadRequest("应有且只有一个名为 file 的文件", "there must be one part, a file named file")
    return sent[0].stream.read()


@resources.at("/feeds/<feed>/deliveries", "POST")
@resources.doc(  # type: ignore[untyped-decorator]  # the library has no types
    requestBody={
        "required": True,
        "description": "A GB18030 CSV or an xlsx, as the body itself or as the one part of a form; at most 64 MB.",
        "content": {
            **{media: {"schema": _BINARY} for media in _RAW},
            _MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {"file": _BINARY},
                    "required": ["file"],
                    "additionalProperties": False,
                }
            },
        },
    }
)
@idempotent_over(_sent_file)
@resources.parameters(DeliveryArguments)
@resources.answers(FeedUploadData, 202)
def delivered(asked: dict[str, Any], feed: str) -> Headed:
    """Takes a file; it is looked at in the background. The header Location says where to ask what became of it."""
    session = writing()
    sent = services.Sent(layout_for(acting(), feed), asked["mode"], asked["as_of"])
    upload_id = services.record_upload(
        session, sealer(), acting(), now(), sent, g.pop("feed_file"), take_in=asked.get("take_in", False)
    )

    @after_this_request
    def ring_once_it_is_committed(response: Response) -> Response:
        ring(CHECK, upload_id)
        return response

    return _upload_data(upload_by_id(session, upload_id)), {
        "Location": url_for("api_feeds.uploaded", upload_id=upload_id)
    }


@resources.at("/feed-uploads/<row_id:upload_id>")
@resources.tagged
@resources.answers(FeedUploadData)
def uploaded(upload_id: str) -> dict[str, Any]:
    """A file that was sent: where it stands, what was found in it, its first refused cells."""
    with reading() as session:
        return _upload_data(upload_for(session, acting(), upload_id))


def _feed(state: FeedState) -> dict[str, Any]:
    layout = state.layout
    return {
        "feed": layout.feed,
        "title": pick(*layout.title),
        "department": layout.department,
        "department_name": pick(*departments()[layout.department]),
        "usual_mode": layout.mode,
        "last": None if state.last is None else _delivery(state.last),
        "due_on": None if state.standing is None else state.standing.due_on,
        "late_days": state.late_days,
    }


def _delivery(row: FeedDelivery) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DeliveryData().fields}


def _columns(layout: Layout) -> list[dict[str, Any]]:
    return [
        {"name": column.name, "takes": pick(*column_words(layout, place)), "required": column.required}
        for place, column in enumerate(layout.columns)
    ]


def _upload_data(upload: FeedUpload) -> dict[str, Any]:
    preview = preview_of(sealer(), upload)
    found = preview.found
    return {
        "id": upload.id,
        "feed": upload.feed,
        "mode": upload.mode,
        "as_of": upload.as_of,
        "state": upload.state,
        "uploaded_at": upload.uploaded_at,
        "faults": [pick(fault.zh, fault.en) for fault in preview.faults],
        "found": None
        if found is None
        else {
            "rows": found.rows,
            "new": found.new,
            "same": found.same,
            "gone": found.gone,
            "shrunk": found.shrunk is not None,
            "same_file": found.same_file,
        },
        "refused_cells": len(preview.refused),
        "refused_rows": rows_in(preview.refused),
        "first_refused": [
            {"row": cell.row, "column": cell.column, "code": cell.code}
            for cell in preview.refused[:_SHOWN_CELLS]
        ],
        "unchanged": None if preview.taken_in is None else preview.taken_in.unchanged,
    }
