"""How feeds, deliveries, uploads and their work are shown: rows in the request's language, for the pages' templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from foundation.actors import actor_from
from foundation.clock import SHANGHAI
from foundation.refusals import REFUSALS
from foundation.tables import RowError
from foundation.web.language import _, pick
from foundation.web.working import Work, work_on
from households.departments import departments
from households.feed_words import calendar_words
from households.layouts import uploaded_layouts
from households.models.feeds import FeedDelivery, FeedUpload
from households.queries.feed_uploads import FeedState, job_of
from households.terms import FEED_MODES, UPLOAD_STATES

_STATE_KINDS = {
    "checking": "info",
    "ready": "warn",
    "unusable": "bad",
    "taking_in": "info",
    "taken_in": "ok",
    "discarded": "neutral",
}


def state_row(state: FeedState) -> dict[str, Any]:
    """How a feed stands: what was sent last, and when the next file is due."""
    layout, last = state.layout, state.last
    return {
        "feed": layout.feed,
        "department": pick(*departments()[layout.department]),
        "title": pick(*layout.title),
        "calendar": pick(*calendar_words(layout)),
        "last": None if last is None else delivery_row(last),
        "as_of": state.as_of,
        "in_pack": state.in_pack,
        "late": state.late_days > 0,
        **_standing_words(state),
    }


def _standing_words(state: FeedState) -> dict[str, Any]:
    """When the next file is due, and in a badge whether it is late, by how many days."""
    standing = state.standing
    if standing is None:
        return {"due_on": None, "kind": "neutral", "standing": _("不定期")}
    if standing.due_on is None:
        words = _("缺 %(year)s 年工作日历,无法推算", year=standing.missing_year)
        return {"due_on": None, "kind": "warn", "standing": words}
    if standing.late_days:
        words = _("逾期 %(count)s 天", count=standing.late_days)
        return {"due_on": standing.due_on, "kind": "bad", "standing": words}
    return {"due_on": standing.due_on, "kind": "ok", "standing": _("按期")}


def delivery_row(delivery: FeedDelivery) -> dict[str, Any]:
    """A file that was taken in."""
    return {
        "as_of": delivery.as_of,
        "taken_in_at": delivery.taken_in_at,
        "mode": pick(*FEED_MODES[delivery.mode]),
        "rows": delivery.rows,
        "added": delivery.added,
        "retired": delivery.retired,
        "refused_cells": delivery.refused_cells,
    }


def upload_row(upload: FeedUpload) -> dict[str, Any]:
    """An uploaded file and where it stands."""
    return {
        "id": upload.id,
        "feed": upload.feed,
        "title": _title(upload),
        "by": actor_from(upload.uploaded_by).name,
        "as_of": upload.as_of,
        "mode": pick(*FEED_MODES[upload.mode]),
        "state_key": upload.state,
        "state": pick(*UPLOAD_STATES[upload.state]),
        "kind": _STATE_KINDS[upload.state],
    }


def _title(upload: FeedUpload) -> str:
    layout = uploaded_layouts()[upload.feed]
    moment = upload.uploaded_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return _("%(title)s · %(moment)s 上传", title=pick(*layout.title), moment=moment)


def refusal_row(error: RowError) -> dict[str, str]:
    """A refused cell, what is wrong with it, and how to mend it."""
    words = REFUSALS[error.code]
    return {
        "row": str(error.row),
        "column": error.column,
        "wrong": pick(*words.wrong),
        "remedy": pick(*words.remedy),
    }


def work_of(session: Session, upload: FeedUpload) -> Work | None:
    """The work that the state of an upload waits for; None when it waits for a person, or for nothing."""
    if upload.state not in ("checking", "taking_in"):
        return None
    work = work_on(job_of(session, upload), [""])
    if work.failed or work.text:
        return work
    text = _("正在读取文件") if not work.done else _("已核对 %(count)s 行", count=f"{work.done:,}")
    # How many rows there are is known at the end only: the bar stays empty, the words count.
    return replace(work, text=_("正在入库") if upload.state == "taking_in" else text, done=0, total=1)
