"""The page of background work: what waits, runs, is done or has failed, and asking again for what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from claims.models import Determination
from foundation import jobs
from foundation.actors import Actor, Role
from foundation.errors import NotFound
from foundation.job_troubles import trouble
from foundation.jobs import Job
from foundation.web.acting import acting, now, reading, transaction
from foundation.web.fields import Choice, CleanText, StrictSchema
from foundation.web.language import _, pick
from foundation.web.paging import keyset
from foundation.web.requests import arguments, form
from webapp.job_words import KIND_NAMES, STATE_KINDS, STATE_NAMES
from webapp.rights import right_of

blueprint = Blueprint("jobs", __name__)

_PAGE = 50


class _ListArguments(StrictSchema):
    """The list's query string."""

    kind = Choice(KIND_NAMES)
    state = Choice(STATE_NAMES)
    cursor = CleanText(max=600)


class _Nothing(StrictSchema):
    """A form of one button."""


@blueprint.get("/jobs")
def listed() -> str:
    """Jobs, the last changed first."""
    asked = arguments(_ListArguments)
    cursor = asked.pop("cursor", None)
    query = select(Job)
    for name, value in asked.items():
        query = query.where(getattr(Job, name) == value)
    with reading() as session:
        page = keyset(session, query, [Job.changed_at], Job.id, cursor, _PAGE, descending=True)
        links = _links(session, acting(), page.rows)
    return render_template(
        "jobs/list.html",
        jobs=[_row(job, links.get(job.id, "")) for job in page.rows],
        chosen=asked,
        kinds=[(key, pick(*words)) for key, words in KIND_NAMES.items()],
        states=[(key, pick(*words)) for key, words in STATE_NAMES.items()],
        may=acting().role is Role.SYS_ADMIN,
        newer_url=page.newer and url_for(".listed", **asked, cursor=page.newer),
        older_url=page.older and url_for(".listed", **asked, cursor=page.older),
    )


@blueprint.post("/jobs/<job_id>/again")
def again(job_id: str) -> Response:
    """Asks again for a job that failed."""
    form(_Nothing)
    with transaction() as session:
        if session.get(Job, job_id) is None:
            raise NotFound
        jobs.ask_again(session, acting(), now(), job_id)
    flash(_("已重新排队"), "ok")
    return redirect(url_for(".listed"), 303)


def _row(job: Job, url: str) -> dict[str, Any]:
    kind = KIND_NAMES.get(job.kind, (job.kind, job.kind))
    return {
        "id": job.id,
        "kind": pick(*kind),
        "url": url,
        "state": pick(*STATE_NAMES[job.state]),
        "state_kind": STATE_KINDS[job.state],
        "failed": job.state == "failed",
        "attempts": job.attempts,
        "asked_at": job.asked_at,
        "changed_at": job.changed_at,
        "error": "" if job.error_code is None else pick(*trouble(job.error_code)),
        "code": job.error_code or "",
        "done": job.progress_done,
        "total": job.progress_total,
        "running": job.state == "running",
    }


def _links(session: Session, actor: Actor, rows: Sequence[Job]) -> dict[str, str]:
    """Job → the page of its subject, where the actor may open it."""
    documents = [job.subject_id for job in rows if job.kind in ("letter", "calculation_sheet")]
    found = session.execute(
        select(Determination.id, Determination.claim_id).where(Determination.id.in_(documents))
    )
    claim_of = dict(found.all())
    links = {}
    for job in rows:
        if job.kind.startswith("pack."):
            endpoint, url = "packs.shown", url_for("packs.shown", upload_id=job.subject_id)
        elif job.kind == "bank_files":
            endpoint, url = "payments.batch", url_for("payments.batch", batch_id=job.subject_id)
        elif job.subject_id in claim_of:
            endpoint, url = "claims.shown", url_for("claims.shown", claim_id=claim_of[job.subject_id])
        else:
            continue
        right = right_of(endpoint, "GET")
        if right is not None and right.allows(actor.role, actor.place):
            links[job.id] = url
    return links
