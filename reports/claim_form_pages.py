"""The pre-filled claim form 免填单 of a case of early warning: looked at on the page, and printed in the background."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.clock import business_day
from foundation.jobs import Job
from foundation.sealing import Sealer
from foundation.web.acting import acting, now, reading, ring, sealer, transaction
from foundation.web.fields import TextSchema
from foundation.web.language import _
from foundation.web.requests import arguments, form
from foundation.web.working import work_on
from households.queries.warning_case import CaseView, case_by_id
from households.warning_slots import Link, fill
from reports.claim_forms import claim_form_figures, form_policy
from reports.documents import number_text
from reports.models import DocumentNumber, IssuedDocument
from reports.services import ask_for_claim_form
from reports.terms import CLAIM_FORM

blueprint = Blueprint("claim_forms", __name__, template_folder="page_templates")


class _Nothing(TextSchema):
    """A form of one button, or a page without arguments."""


def register(app: Flask) -> None:
    """Fills the slot `form` of an application's page of a warning."""
    fill(app, "form", _link)


def _link(session: Session, _sealer: Sealer, case: CaseView) -> Link | None:
    """The way to the form, for a case that is open and that a policy answers for."""
    if case.case.state != "open" or form_policy(session, case) is None:
        return None
    url = url_for("claim_forms.shown", case_id=case.case.id)
    return Link(_("免填单"), url, _("已知的都已填好,家庭核对后签一次名"))


@blueprint.get("/warnings/<case_id>/form")
def shown(case_id: str) -> str:
    """The form as it would be printed now, the ID number masked; and those that were printed."""
    arguments(_Nothing)
    with reading() as session:
        figures = claim_form_figures(session, sealer(), acting(), case_id, business_day(now()))
        view = case_by_id(session, sealer(), acting(), case_id)
        issued = session.execute(_issued(case_id)).all()
        job = session.scalar(select(Job).where(Job.kind == CLAIM_FORM, Job.subject_id == case_id))
    work = None if job is None or job.state == "done" else work_on(job, [_("正在打印")])
    return render_template(
        "reports/claim_form.html",
        f=figures.masked(),
        view=view,
        issued=[(row.id, number_text(CLAIM_FORM, row.year, row.number), row.issued_at) for row in issued],
        work=work,
    )


@blueprint.post("/warnings/<case_id>/form")
def ask(case_id: str) -> Response:
    """Asks for the form; it is printed in the background."""
    form(_Nothing)
    with transaction() as session:
        ask_for_claim_form(session, sealer(), acting(), now(), case_id)
    ring(CLAIM_FORM, case_id)
    flash(_("已提交打印,稍后刷新即可下载"), "ok")
    return redirect(url_for(".shown", case_id=case_id), 303)


def _issued(case_id: str) -> Select[*tuple[Any, ...]]:
    same = (
        (DocumentNumber.kind == IssuedDocument.kind)
        & (DocumentNumber.subject_id == IssuedDocument.subject_id)
        & (DocumentNumber.figures_digest == IssuedDocument.figures_digest)
    )
    return (
        select(IssuedDocument.id, DocumentNumber.year, DocumentNumber.number, IssuedDocument.issued_at)
        .join(DocumentNumber, same)
        .where(IssuedDocument.kind == CLAIM_FORM, IssuedDocument.subject_id == case_id)
        .order_by(IssuedDocument.issued_at.desc())
    )
