"""Pages of payments: the batches, one batch with its lines and its bank files. They change nothing but the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.errors import BadRequest, InvalidInput, NotFound
from foundation.privacy.disclosures import Disclosed
from foundation.privacy.exports import needs_purpose
from foundation.privacy.purposes import EXPORT_PURPOSES, view_purposes
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import (
    ExportForm,
    FullViewForm,
    grant_full_view,
    named_purposes,
    told,
    typed_reason,
)
from foundation.web.downloads import download, sent_to_a_second_person
from foundation.web.language import pick
from foundation.web.requests import form
from payments.models import Batch
from payments.queries import (
    all_batches,
    bank_file,
    bank_files,
    batch_page,
    full_account,
    payment_of_line,
    staff_of,
    waiting_payables,
)
from payments.services.export import hand_out_file
from payments.states import BATCH_STATE_NAMES, BATCH_STEPS

blueprint = Blueprint("payments", __name__, template_folder="templates")

_LINES = 100
_VIEW, _USUAL = "bank_account", "to_bank"
"""What a line is looked at in full for, and what a bank file is usually taken for."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


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
    return _batch_page(batch_id, int(after))


def _batch_page(
    batch_id: str,
    after: int = 0,
    typed: Mapping[str, str] = _NOTHING,
    errors: Mapping[str, str] = _NOTHING,
    seen: tuple[int, Disclosed] | None = None,
) -> str:
    """`typed` and `errors` are of the form for a bank file that came back; `seen` the line that was granted in full."""
    with reading() as session:
        found = session.get(Batch, batch_id)
        if found is None:
            raise NotFound
        lines = batch_page(session, sealer(), batch_id, after, _LINES)
        if seen is not None:
            account = full_account(session, sealer(), batch_id, seen[0])
            lines = [replace(row, account=account) if row.sequence == seen[0] else row for row in lines]
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
        may_see=_VIEW in view_purposes(acting().role),
        view_purpose=_VIEW,
        seen=None if seen is None else told(seen[1]),
        seen_line=None if seen is None else seen[0],
        purposes=named_purposes(EXPORT_PURPOSES),
        asks_purpose=needs_purpose("bank_file", found.payments),
        usual_purpose=_USUAL,
        typed=typed,
        errors=errors,
        newer_url=url_for(".batch", batch_id=batch_id, after=max(0, after - _LINES)) if after else None,
        older_url=url_for(".batch", batch_id=batch_id, after=lines[-1].sequence)
        if lines and lines[-1].sequence < found.payments
        else None,
    )


@blueprint.get("/payments/<batch_id>/lines/<int:sequence>/full")
def masked_again(batch_id: str, sequence: int) -> Response:
    """Whoever opens the address of a full view again gets the line as it is shown to everybody."""
    return redirect(url_for(".batch", batch_id=batch_id, after=_page_of(sequence)), 303)


@blueprint.post("/payments/<batch_id>/lines/<int:sequence>/full")
def full(batch_id: str, sequence: int) -> str:
    """The batch with one line's account in full, this once: to compare it with the bank, counted, and an event."""
    asked = form(FullViewForm)
    with reading() as session:
        payment_id = payment_of_line(session, batch_id, sequence)
        if payment_id is None:
            raise NotFound
    seen = grant_full_view("payment", payment_id, ("account",), asked)
    return _batch_page(batch_id, _page_of(sequence), seen=(sequence, seen))


def _page_of(sequence: int) -> int:
    """The line before the page that a line stands on."""
    return max(0, sequence - 1) // _LINES * _LINES


@blueprint.post("/payments/files/<file_id>")
def take_file(file_id: str) -> Response | tuple[str, int]:
    """A bank file, the same bytes under the name that the bank expects each time; the register says who took it."""
    with reading() as session:
        found = bank_file(session, file_id)
    if found is None:
        raise NotFound
    try:
        asked = form(ExportForm)
        with transaction() as session:
            taken = hand_out_file(
                session, sealer(), acting(), now(), found, asked.get("purpose"), asked.get("note")
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _batch_page(found.batch_id, typed=typed_reason(), errors=errors), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    return download(taken.content, found.name, "application/octet-stream")


def _state(state: str) -> str:
    return pick(*BATCH_STATE_NAMES[state])


def _kind(state: str) -> str:
    return {"made": "warn", "checked": "warn", "released": "info", "exported": "ok"}[state]
