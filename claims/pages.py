"""Pages of claims: the list with its filters, the look-up by person, the workbook, one claim with all it rests on.

They change nothing but the trail. A name or an ID number is looked for by POST, so that none ever stands in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from claims import slots
from claims.case_view import CaseView, case_view, heading, what_changed, yuan
from claims.course import Step, course_of
from claims.full_view import fields_of, in_full, refuse_erased
from claims.phrases import LINES
from claims.queries.case import Case, case_by_id
from claims.queries.listing import (
    MOST_FOUND,
    Filters,
    choices,
    found_by_person,
    page_of_claims,
    totals,
)
from claims.schemas import ExportForm, ListArguments, PersonForm
from claims.services.listing_export import export_listing
from claims.states import STATE_NAMES
from claims.terms import BENEFIT_NAMES, OUTCOME_NAMES, REASON_NAMES, REVIEW_NAMES, Pair, line_name
from foundation.actors import Role
from foundation.capitals import amount_in_capitals
from foundation.errors import InvalidInput
from foundation.masking import Audience, id_number_for
from foundation.privacy.disclosures import Disclosed
from foundation.privacy.exports import MOST_ALONE, needs_purpose, number_text
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.staff.queries import names
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import (
    FullViewForm,
    grant_full_view,
    named_purposes,
    offered_purposes,
    told,
    typed_reason,
)
from foundation.web.downloads import download, sent_to_a_second_person
from foundation.web.language import _, language, pick
from foundation.web.requests import arguments, form

blueprint = Blueprint("claims", __name__, template_folder="templates")

EXPORTERS = frozenset(
    {
        Role.AUDITOR,
        Role.CLAIM_OFFICER,
        Role.ADJUDICATOR,
        Role.ADJ_SENIOR,
        Role.CENTER_CERTIFIER,
        Role.CENTER_LEAD,
    }
)
"""Whose list has a button for the workbook; the rights table is what holds it."""

NOTHING: Mapping[str, str] = MappingProxyType({})

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STATE_KINDS = {"review": "info", "approved": "ok", "rejected": "bad", "withdrawn": "neutral"}
_OUTCOME_KINDS = {"approve": "ok", "reject": "bad", "supplement": "warn", "refer": "warn"}


@blueprint.get("/claims")
def listed() -> str:
    """The list: one page of what the filters leave, with the totals of all of it."""
    return _list_page(arguments(ListArguments))


def _list_page(
    asked: Mapping[str, Any],
    typed: Mapping[str, str] = NOTHING,
    export_errors: Mapping[str, str] = NOTHING,
) -> str:
    """The list as asked for. `typed` and `export_errors` are of a form for the workbook that came back."""
    filters = _filters(asked)
    sort, order = asked.get("sort", "notified"), asked.get("order", "descending")
    with reading() as session:
        page = page_of_claims(
            session,
            sealer(),
            acting(),
            filters,
            sort,
            descending=order == "descending",
            cursor=asked.get("cursor"),
        )
        summed = totals(session, acting(), filters)
        offered = choices(session, acting())
    chosen = filters.chosen()
    ordered = {"sort": sort, "order": order}
    return render_template(
        "claims/list.html",
        claims=page.rows,
        totals=summed,
        chosen=chosen,
        options=_options(),
        towns=[(town, town) for town in offered.towns],
        policies=[(number, number) for number in offered.policies],
        sorting=_sorting(sort, chosen, descending=order == "descending"),
        order=ordered,
        newer_url=page.newer and _list_url(chosen | ordered | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | ordered | {"cursor": page.older}),
        may_export=acting().role in EXPORTERS,
        # There are no more people than claims, and counting those costs nothing here.
        asks_purpose=needs_purpose("claims_workbook", summed.claims),
        most_alone=MOST_ALONE,
        purposes=named_purposes(EXPORT_PURPOSES),
        typed=typed,
        export_errors=export_errors,
        person={},
        errors={},
        **_words(),
    )


@blueprint.post("/claims/find")
def find() -> str | tuple[str, int]:
    """The claims of a person, by exact name or by ID number."""
    errors: Mapping[str, list[Pair]] = {}
    found = None
    person: dict[str, Any] = {}
    try:
        person = form(PersonForm)
    except InvalidInput as invalid:
        errors = invalid.fields
    else:
        with transaction() as session:
            record(
                session, acting(), now(), [Change("claims.searched", "claim", "-", reason=",".join(person))]
            )
        with reading() as session:
            found = found_by_person(session, sealer(), acting(), person.get("name"), person.get("id_number"))
    page = render_template(
        "claims/found.html",
        claims=found,
        most=MOST_FOUND,
        person=person,
        masked=id_number_for(Audience.OFFICER, person["id_number"]) if "id_number" in person else "",
        errors={name: pick(*pairs[0]) for name, pairs in errors.items()},
        **_words(),
    )
    return (page, 422) if errors else page


@blueprint.post("/claims/export")
def export() -> Response | tuple[str, int]:
    """The filtered list as a workbook without personal data, or the notice that a second person has to agree first."""
    asked = form(ExportForm)
    filters = _filters(asked)
    try:
        with transaction() as session:
            taken = export_listing(
                session, sealer(), acting(), now(), filters, asked.get("purpose"), asked.get("note")
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _list_page(asked, typed_reason(), errors), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    number = number_text(taken.number)
    return download(taken.content, pick(f"理赔案件清单-{number}.xlsx", f"claims-{number}.xlsx"), _XLSX)


@blueprint.get("/claims/<claim_id>")
def shown(claim_id: str) -> str:
    """One claim: household, papers, checks, calculation, decision, and what became of it."""
    return _case_page(*_case(claim_id))


@blueprint.get("/claims/<claim_id>/full")
def masked_again(claim_id: str) -> Response:
    """Whoever opens the address of a full view again gets the claim as it is shown to everybody."""
    return redirect(url_for(".shown", claim_id=claim_id), 303)


@blueprint.post("/claims/<claim_id>/full")
def full(claim_id: str) -> str | tuple[str, int]:
    """The same page with ID numbers and accounts in full, this once: for a purpose, counted, and an event."""
    case, fillings, course, staff = _case(claim_id)
    refuse_erased(case)
    try:
        seen = grant_full_view("claim", claim_id, fields_of(case), form(FullViewForm))
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _case_page(case, fillings, course, staff, typed=typed_reason(), errors=errors), 422
    return _case_page(case, fillings, course, staff, seen=seen)


def _case(claim_id: str) -> tuple[Case, Mapping[str, slots.Filling], list[Step], Mapping[str, str]]:
    """A claim, what upper packages show on its page, its course, and the names of the staff."""
    with reading() as session:
        case = case_by_id(session, sealer(), acting(), claim_id)
        staff = names(session)
        determination_id = None if case.determined is None else case.determined.id
        fillings = slots.filled(session, sealer(), slots.CaseIds(case.claim_id, determination_id))
        return case, fillings, course_of(session, case, fillings.values(), staff), staff


def _case_page(
    case: Case,
    fillings: Mapping[str, slots.Filling],
    course: list[Step],
    staff: Mapping[str, str],
    *,
    seen: Disclosed | None = None,
    typed: Mapping[str, str] = NOTHING,
    errors: Mapping[str, str] = NOTHING,
) -> str:
    """The page of a claim; `seen` is the full view that was granted, `typed` and `errors` of a form that came back."""
    if case.erased:
        return _erased_page(case, fillings, course, staff)
    role = acting().role
    view = case_view(case, role)
    return render_template(
        "claims/case.html",
        case=case,
        view=view if seen is None else in_full(view, case),
        seen=None if seen is None else told(seen),
        purposes=offered_purposes(),
        typed=typed,
        errors=errors,
        course=course,
        staff=staff,
        slots=fillings,
        sections=_sections(case, view, fillings),
        reviews=[
            (review, [] if review.decision_id is None else what_changed(case, review.decision_id, role))
            for review in case.reviews
        ],
        review_names=_named(REVIEW_NAMES),
        yuan=yuan,
        capitals=amount_in_capitals(case.shown.payable_fen) if language() == "zh" else "",
        **_words(),
    )


def _erased_page(
    case: Case, fillings: Mapping[str, slots.Filling], course: list[Step], staff: Mapping[str, str]
) -> str:
    """What stays of a claim when its term is over: what it was, what it came to, who did what when."""
    return render_template(
        "claims/erased.html",
        case=case,
        line_title=heading(pick(*line_name(case.policy, case.line, case.event_on))),
        reasons=[code for code in case.shown.reasons.split(";") if code],
        course=course,
        staff=staff,
        slots=fillings,
        **_words(),
    )


def _sections(
    case: Case, view: CaseView, fillings: Mapping[str, slots.Filling]
) -> list[tuple[str, str, bool, int | None]]:
    """Links to the parts of the page, as `tabs` takes them; the count is of what calls for a look."""
    missing = sum(paper.kind == "bad" for paper in view.papers)
    doubtful = view.counted["failed"] + view.counted["unknown"]
    parts: list[tuple[str, str, int | None]] = [
        (_("家庭"), "household", None),
        (_("材料"), "papers", missing or None),
        (_("核验"), "checks", doubtful or None),
    ]
    if view.calculation:
        parts.append((_("计算"), "calculation", None))
    if "payments" in fillings:
        parts.append((_("支付"), "payments", None))
    parts.append((_("申请内容"), "said", None))
    if case.facts.household is not None:
        parts.append((_("本户其他案件"), "others", len(case.others) or None))
    parts += [(_("审核决定"), "decision", None), (_("办理过程"), "course", None)]
    return [(title, f"#{part}", False, count) for title, part, count in parts]


def _filters(values: Mapping[str, Any]) -> Filters:
    known = {field.name for field in fields(Filters)}
    return Filters(**{name: value for name, value in values.items() if name in known})


def _list_url(values: Mapping[str, str]) -> str:
    query = urlencode(values)
    return f"{url_for('claims.listed')}?{query}" if query else url_for("claims.listed")


def _sorting(sort: str, chosen: dict[str, str], *, descending: bool) -> dict[str, tuple[str, str]]:
    """Column → (address that sorts by it, how it is sorted now). The sorted one turns round."""
    links = {}
    for column in ("notified", "event", "number", "amount"):
        now_sorted = column == sort
        turned = "ascending" if now_sorted and descending else "descending"
        current = ("descending" if descending else "ascending") if now_sorted else ""
        links[column] = (_list_url(chosen | {"sort": column, "order": turned}), current)
    return links


def _options() -> dict[str, list[tuple[str, str]]]:
    """What the filters with fixed words offer."""
    return {
        "line": list(_named(LINES).items()),
        "state": list(_named(STATE_NAMES).items()),
        "outcome": list(_named(OUTCOME_NAMES).items()),
        "reason": list(_named(REASON_NAMES).items()),
    }


def _named(pairs: Mapping[str, Pair]) -> dict[str, str]:
    return {key: heading(pick(*pair)) for key, pair in pairs.items()}


def _words() -> dict[str, Any]:
    """The words that the list and the claim page both use."""
    return {
        "heading": heading,
        "state_names": _named(STATE_NAMES),
        "state_kinds": _STATE_KINDS,
        "outcome_names": _named(OUTCOME_NAMES),
        "outcome_kinds": _OUTCOME_KINDS,
        "reason_names": _named(REASON_NAMES),
        "benefit_names": _named(BENEFIT_NAMES),
    }
