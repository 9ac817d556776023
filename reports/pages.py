"""Pages of documents: what was issued, and the PDFs to download. A download is an event."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from claims.case_view import DIAGNOSIS_SEEN_BY
from foundation.actors import Actor, Role
from foundation.errors import BadRequest, NotFound
from foundation.files import load
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.downloads import download
from foundation.web.language import pick
from reports.queries import LETTER_KINDS, document_file, documents_of_kinds
from reports.terms import KINDS

blueprint = Blueprint("reports", __name__, template_folder="page_templates")

_SIZE = 50
_FINANCE = {Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON}
_COUNTY_KINDS = ("batch_summary", "programme_report", "audit_report")

KIND_NAMES = {
    "payment_notice": ("赔付通知书", "Payment notice"),
    "refusal_notice": ("拒赔通知书", "Refusal notice"),
    "calculation_sheet": ("赔款计算书", "Calculation sheet"),
    "batch_summary": ("支付批次汇总表", "Batch summary"),
    "programme_report": ("运行情况报告", "Programme report"),
    "audit_report": ("运行情况报告(审计备查)", "Audit report"),
}


def kinds_of(actor: Actor) -> tuple[str, ...]:
    """The kinds of documents that a role reads: finance those of money, case workers the letters, an auditor all."""
    if actor.role in _FINANCE:
        return _COUNTY_KINDS
    if actor.role in (Role.AUDITOR, Role.CENTER_LEAD):
        return tuple(KINDS)
    return LETTER_KINDS


@blueprint.get("/documents")
def documents() -> str:
    """What was issued, newest first, of the kinds and the place that the actor reads."""
    actor = acting()
    kinds = kinds_of(actor)
    if set(request.args) - {"kind", "before", "id"} or any(
        len(request.args.getlist(n)) > 1 for n in request.args
    ):
        raise BadRequest(
            "网址参数不对,请从列表重新打开", "the address has wrong parameters; open it from the list"
        )
    chosen = request.args.get("kind", "")
    if chosen and chosen not in kinds:
        raise BadRequest("没有这一类文书", "there is no such kind of document")
    with reading() as session:
        wanted = (chosen,) if chosen else kinds
        found = documents_of_kinds(
            session, wanted, actor.place, _before(), _SIZE + 1, diagnosis=actor.role in DIAGNOSIS_SEEN_BY
        )
    page, more = found[:_SIZE], len(found) > _SIZE
    last = page[-1] if page else None
    older = (
        url_for(".documents", kind=chosen or None, before=last.issued_at.isoformat(), id=last.id)
        if more and last is not None
        else None
    )
    return render_template(
        "reports/documents.html",
        documents=page,
        kinds=[(kind, pick(*KIND_NAMES[kind])) for kind in kinds],
        chosen=chosen,
        older_url=older,
        first_url=url_for(".documents", kind=chosen or None) if request.args.get("before") else None,
        kind_name=lambda kind: pick(*KIND_NAMES[kind]),
    )


def _before() -> tuple[datetime, str] | None:
    before, identity = request.args.get("before"), request.args.get("id")
    if before is None and identity is None:
        return None
    try:
        at = datetime.fromisoformat(before or "").astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or not identity or not identity.isalnum():
        raise BadRequest("页码不对,请从第一页开始", "the page is wrong; begin with the first one")
    return at, identity


@blueprint.post("/documents/<document_id>")
def hand_out(document_id: str) -> Response:
    """The PDF as it was issued, the same bytes each time."""
    actor = acting()
    with transaction() as session:
        found = document_file(
            session, document_id, kinds_of(actor), actor.place, diagnosis=actor.role in DIAGNOSIS_SEEN_BY
        )
        if found is None:
            raise NotFound
        name, file_id = found
        content = load(session, sealer(), file_id)
        record(session, actor, now(), [Change("document.downloaded", "issued_document", document_id)])
    return download(content, name, "application/pdf")
