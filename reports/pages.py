"""Pages of documents: what was issued, the PDFs to download, and a village notice to issue. Each of the last two is an
event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from claims.case_view import DIAGNOSIS_SEEN_BY
from claims.notices import NOTICE_NAMES, RECOGNITION
from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import BadRequest, InvalidInput, NotFound
from foundation.files import load
from foundation.privacy import exports
from foundation.privacy.exports import MOST_ALONE, Wanted, needs_purpose
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import ExportForm, named_purposes, typed_reason
from foundation.web.downloads import download, numbered_name, sent_to_a_second_person
from foundation.web.language import _, pick
from foundation.web.requests import form
from reports.errors import NothingToPublish
from reports.handing_out import ONE_PERSON, people_in
from reports.notices import Village, notice_asked, villages
from reports.queries import LETTER_KINDS, Kept, Listed, document_file, documents_of_kinds
from reports.schemas import NoticeForm
from reports.services import ask_for_notice
from reports.terms import CLAIM_FORM, COVER_CERTIFICATE, KINDS, VILLAGE_NOTICE

blueprint = Blueprint("reports", __name__, template_folder="page_templates")

_SIZE = 50
_NOTHING: Mapping[str, str] = MappingProxyType({})
_FINANCE = {Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON}
_COUNTY_KINDS = ("batch_summary", "programme_report", "audit_report")

KIND_NAMES = {
    "payment_notice": ("赔付通知书", "Payment notice"),
    "refusal_notice": ("拒赔通知书", "Refusal notice"),
    "calculation_sheet": ("赔款计算书", "Calculation sheet"),
    "batch_summary": ("支付批次汇总表", "Batch summary"),
    "programme_report": ("运行情况报告", "Programme report"),
    "audit_report": ("运行情况报告(审计备查)", "Audit report"),
    "village_notice": ("村内公示表", "Village notice"),
    "cover_certificate": ("保险凭证", "Certificate of cover"),
    "claim_form": ("赔付申请表(免填单)", "Pre-filled claim form"),
}

PUBLISHERS = frozenset(
    {
        Role.CENTER_CERTIFIER,
        Role.CENTER_LEAD,
        Role.CLAIM_OFFICER,
        Role.TOWN_REVIEWER,
        Role.VILLAGE_OFFICER,
    }
)
"""Who has the form of village notices, for the villages of their own place; the rights table is what holds it."""


def kinds_of(actor: Actor) -> tuple[str, ...]:
    """The kinds of documents that a role reads: finance those of money, case workers the letters, an auditor all.

    A village notice is read by everybody whose place holds the village, a certificate by who works on cases there.
    """
    if actor.role in _FINANCE:
        return (*_COUNTY_KINDS, VILLAGE_NOTICE)
    if actor.role in (Role.AUDITOR, Role.CENTER_LEAD):
        return tuple(KINDS)
    return (*LETTER_KINDS, VILLAGE_NOTICE, COVER_CERTIFICATE, CLAIM_FORM)


@blueprint.get("/documents")
def documents() -> str:
    """What was issued, newest first, of the kinds and the place that the actor reads."""
    return _page(_usual_notice(), {})


@blueprint.post("/documents/notices")
def ask_notice() -> Response | tuple[str, int]:
    """A village notice is asked for; it is issued in the background."""
    actor = acting()
    try:
        asked = NoticeForm.asked(form(NoticeForm(business_day(now()))))
        with transaction() as session:
            known = {village.code for village in villages(session, actor.place)}
            if asked.village_code not in known:
                raise InvalidInput({"village": [("没有这个村(居)", "there is no such village")]})
            ask_for_notice(session, actor, now(), asked)
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
    except NothingToPublish as nothing:
        errors = {"period_from": pick(nothing.zh, nothing.en)}
    else:
        flash(_("已提交,出具后列在下面,请稍后刷新"), "ok")
        return redirect(url_for(".documents", kind=VILLAGE_NOTICE), 303)
    typed = {name: value[:40] for name, value in request.form.items() if name in NoticeForm.FIELDS}
    return _page(typed, errors), 422


def _usual_notice() -> dict[str, str]:
    """What the form offers: the results of the month before, from today on."""
    today = business_day(now())
    last = today.replace(day=1) - timedelta(1)
    days = {"period_from": last.replace(day=1), "period_to": last, "first_day": today}
    return {"result": RECOGNITION, **{name: day.isoformat() for name, day in days.items()}}


def _page(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
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
        places = villages(session, actor.place)
    named = {village.code: village for village in places}
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
        about=lambda document: _about(document, named),
        at_once=ONE_PERSON,
        may_publish=actor.role in PUBLISHERS,
        villages=[(village.code, f"{village.name} · {village.town}") for village in places],
        results=[(kind, pick(*names)) for kind, names in NOTICE_NAMES.items()],
        typed=typed,
        errors=errors,
    )


def _about(document: Listed, named: Mapping[str, Village]) -> str:
    """What a document is about: the claim's number, the household's, or a notice's village, period and result."""
    if document.kind == COVER_CERTIFICATE:
        return _("户编号 %(number)s", number=document.household_no or "")
    if document.kind != VILLAGE_NOTICE:
        return document.claim_no or document.warning_no or ""
    asked = notice_asked(document.subject_id)
    village = named.get(asked.village_code)
    where = asked.village_code if village is None else f"{village.town} {village.name}"
    return f"{where} · {asked.period_from}–{asked.period_to} · {pick(*NOTICE_NAMES[asked.kind])}"


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


@blueprint.get("/documents/<document_id>")
def document(document_id: str) -> str:
    """One document before it is handed out: a report about many people asks what it is taken for."""
    return _document_page(document_id)


def _document_page(
    document_id: str,
    typed: Mapping[str, str] = _NOTHING,
    errors: Mapping[str, str] = _NOTHING,
) -> str:
    with reading() as session:
        found = _found(session, document_id)
        people = people_in(session, found.kind, found.subject_id, found.issued_at)
    return render_template(
        "reports/document.html",
        document=found,
        kind_name=pick(*KIND_NAMES[found.kind]),
        people=people,
        asks_purpose=needs_purpose(_export_kind(found.kind), people),
        most_alone=MOST_ALONE,
        purposes=named_purposes(EXPORT_PURPOSES),
        typed=typed,
        errors=errors,
    )


@blueprint.post("/documents/<document_id>")
def hand_out(document_id: str) -> Response | tuple[str, int]:
    """The PDF as it was issued, the same bytes each time: the number of the export stands in the file's name."""
    try:
        with transaction() as session:
            found = _found(session, document_id)
            asked = form(ExportForm)
            people = people_in(session, found.kind, found.subject_id, found.issued_at)
            wanted = Wanted(
                _export_kind(found.kind),
                people,
                {"kind": found.kind},
                found.id,
                purpose=asked.get("purpose"),
                note=asked.get("note"),
            )
            content = load(session, sealer(), found.file_id)
            taken = exports.hand_out(session, sealer(), acting(), now(), wanted, lambda _stamp: content)
            if taken.content is not None:
                record(session, acting(), now(), [Change("document.downloaded", "issued_document", found.id)])
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _document_page(document_id, typed_reason(), errors), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    return download(taken.content, numbered_name(found.name, taken.number), "application/pdf")


def _export_kind(kind: str) -> str:
    """What a document is in the register of exports: a claim form holds an ID number in full."""
    return CLAIM_FORM if kind == CLAIM_FORM else "document"


def _found(session: Session, document_id: str) -> Kept:
    """A document that the person who acts may have. Raises NotFound."""
    actor = acting()
    diagnosis = actor.role in DIAGNOSIS_SEEN_BY
    found = document_file(session, document_id, kinds_of(actor), actor.place, diagnosis=diagnosis)
    if found is None:
        raise NotFound
    return found
