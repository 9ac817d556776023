"""Pages of impact assessments: what has to be assessed and when it is due, and each version on the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.privacy.assessments import (
    CONCLUSIONS,
    KEPT_YEARS,
    MOST_TEXT,
    SUBJECTS,
    Written,
    newest,
    record_assessment,
    versions,
)
from foundation.privacy.models import ImpactAssessment
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.fields import Choice, CleanText, IsoDate, StrictSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from webapp.trail_view import people_names

blueprint = Blueprint("assessments", __name__)

_KINDS = {"acceptable": "ok", "acceptable_with_measures": "warn", "not_acceptable": "bad"}


class _AssessmentForm(StrictSchema):
    """A new assessment."""

    assessed_on = IsoDate(required=True)
    purpose = CleanText(max=MOST_TEXT, lines=True, required=True)
    risks = CleanText(max=MOST_TEXT, lines=True, required=True)
    measures = CleanText(max=MOST_TEXT, lines=True, required=True)
    conclusion = Choice(CONCLUSIONS, required=True)


class _Nothing(StrictSchema):
    """An address without parameters."""


@blueprint.get("/assessments")
def listed() -> str:
    """What has to be assessed, its newest version, and when the next one is due."""
    arguments(_Nothing)
    with reading() as session:
        there = newest(session)
    today = business_day(now())
    return render_template(
        "assessments/list.html",
        subjects=[
            {
                "code": code,
                "title": pick(subject.zh, subject.en.capitalize()),
                "clause": pick(*subject.clause),
                "here": pick(*subject.here),
                "last": there.get(code) and _row(there[code]),
                "overdue": code not in there or there[code].next_due_on < today,
            }
            for code, subject in SUBJECTS.items()
        ],
        kept_years=KEPT_YEARS,
    )


@blueprint.get("/assessments/<subject>")
def shown(subject: str) -> str:
    """One subject: every version, the newest first, and the form for the next one."""
    arguments(_Nothing)
    return _page(subject)


@blueprint.post("/assessments/<subject>")
def add(subject: str) -> Response | tuple[str, int]:
    """Puts the next version on the record."""
    try:
        written = Written(**form(_AssessmentForm))
        with transaction() as session:
            record_assessment(session, sealer(), acting(), now(), subject, written)
    except InvalidInput as invalid:
        return _page(subject, invalid.fields), 422
    flash(_("已登记新一版影响评估"), "ok")
    return redirect(url_for(".shown", subject=subject), 303)


def _page(subject: str, faults: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> str:
    about = SUBJECTS.get(subject)
    if about is None:
        raise NotFound
    with reading() as session:
        found = versions(session, subject)
        people = people_names(session)
    today = business_day(now())
    errors = {name: pick(*pairs[0]) for name, pairs in (faults or {}).items()}
    return render_template(
        "assessments/subject.html",
        subject=subject,
        title=pick(about.zh, about.en.capitalize()),
        clause=pick(*about.clause),
        here=pick(*about.here),
        versions=[_row(row) | {"by": people.get(row.recorded_by, row.recorded_by)} for row in found],
        overdue=not found or found[0].next_due_on < today,
        may_write=acting().role is Role.SEC_ADMIN,
        conclusions=[(code, pick(*words), "") for code, words in CONCLUSIONS.items()],
        typed=request.form if faults is not None else {"assessed_on": today.isoformat()},
        errors=errors,
        most=MOST_TEXT,
        kept_years=KEPT_YEARS,
    )


def _row(row: ImpactAssessment) -> dict[str, Any]:
    conclusion = pick(*CONCLUSIONS[row.conclusion])
    return {
        "version": row.version,
        "assessed_on": row.assessed_on,
        "next_due_on": row.next_due_on,
        "purpose": row.purpose,
        "risks": row.risks,
        "measures": row.measures,
        "conclusion": conclusion[:1].upper() + conclusion[1:],
        "kind": _KINDS[row.conclusion],
        "recorded_at": row.recorded_at,
    }
