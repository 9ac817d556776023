"""Pages of payments: the batches, one batch with its lines and its bank files. They change nothing but the trail."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.errors import BadRequest, NotFound
from foundation.files import load
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.downloads import download
from foundation.web.language import pick
from payments.models import Batch
from payments.queries import all_batches, bank_file, bank_files, batch_page, staff_of, waiting_payables
from payments.services.export import record_download
from payments.states import BATCH_STATE_NAMES, BATCH_STEPS

blueprint = Blueprint("payments", __name__, template_folder="templates")

_LINES = 100


@blueprint.get("/payments")
def batches() -> str:
    """Every batch, newest first, and what waits for one."""
    with reading() as session:
        found = all_batches(session)
        names = staff_of(session, found)
        waiting = waiting_payables(session)
    return render_template(
        "payments/batches.html", batches=found, names=names, waiting=waiting, state_of=_state, kind_of=_kind
    )


@blueprint.get("/payments/<batch_id>")
def batch(batch_id: str) -> str:
    """One batch: its persons, control totals, files and lines."""
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 10) or set(request.args) - {"after"}:
        raise BadRequest("页码不对,请从第一页开始", "the page is wrong; begin with the first one")
    with reading() as session:
        found = session.get(Batch, batch_id)
        if found is None:
            raise NotFound
        lines = batch_page(session, sealer(), batch_id, int(after), _LINES)
        files = bank_files(session, batch_id)
        names = staff_of(session, [found])
    steps = [pick(*BATCH_STATE_NAMES[state]) for state in BATCH_STEPS]
    return render_template(
        "payments/batch.html",
        batch=found,
        lines=lines,
        files=files,
        names=names,
        steps=steps,
        step=BATCH_STEPS.index(found.state) + 1,
        state_of=_state,
        kind_of=_kind,
        newer_url=url_for(".batch", batch_id=batch_id, after=max(0, int(after) - _LINES))
        if int(after)
        else None,
        older_url=url_for(".batch", batch_id=batch_id, after=lines[-1].sequence)
        if lines and lines[-1].sequence < found.payments
        else None,
    )


@blueprint.post("/payments/files/<file_id>")
def take_file(file_id: str) -> Response:
    """A bank file, the same bytes each time; that it was taken is an event."""
    with transaction() as session:
        found = bank_file(session, file_id)
        if found is None:
            raise NotFound
        record_download(session, acting(), now(), found)
        content = load(session, sealer(), found.file_id)
    return download(content, found.name, "application/octet-stream")


def _state(state: str) -> str:
    return pick(*BATCH_STATE_NAMES[state])


def _kind(state: str) -> str:
    return {"made": "warn", "checked": "warn", "released": "info", "exported": "ok"}[state]
