"""Pages of claims: the list with its filters, the look-up by person, the workbook, one claim with all it rests on.

They only read. A name or an ID number is looked for by POST, so that none ever stands in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from claims import slots
from claims.case_view import CaseView, case_view, heading, what_changed, yuan
from claims.course import course_of
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
from claims.schemas import FilterForm, ListArguments, PersonForm
from claims.services.listing_export import export_listing
from claims.states import STATE_NAMES
from claims.terms import BENEFIT_NAMES, OUTCOME_NAMES, REASON_NAMES, REVIEW_NAMES, Pair
from foundation.actors import Role
from foundation.capitals import amount_in_capitals
from foundation.errors import InvalidInput
from foundation.masking import mask_id_number
from foundation.staff.queries import names
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.downloads import download
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

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STATE_KINDS = {"review": "info", "approved": "ok", "rejected": "bad", "withdrawn": "neutral"}
_OUTCOME_KINDS = {"approve": "ok", "reject": "bad", "supplement": "warn", "refer": "warn"}


@blueprint.get("/claims")
def listed() -> str:
    """The list: one page of what the filters leave, with the totals of all of it."""
    asked = arguments(ListArguments)
    filters = _filters(asked)
    descending = asked["order"] == "descending"
    with reading() as session:
        page = page_of_claims(
            session,
            sealer(),
            acting(),
            filters,
            asked["sort"],
            descending=descending,
            cursor=asked.get("cursor"),
        )
        summed = totals(session, acting(), filters)
        offered = choices(session, acting())
    chosen = _chosen(filters)
    order = {"sort": asked["sort"], "order": asked["order"]}
    return render_template(
        "claims/list.html",
        claims=page.rows,
        totals=summed,
        chosen=chosen,
        options=_options(),
        towns=[(town, town) for town in offered.towns],
        policies=[(number, number) for number in offered.policies],
        sorting=_sorting(asked["sort"], chosen, descending=descending),
        order=order,
        newer_url=page.newer and _list_url(chosen | order | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | order | {"cursor": page.older}),
        may_export=acting().role in EXPORTERS,
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
        masked=mask_id_number(person["id_number"]) if "id_number" in person else "",
        errors={name: pick(*pairs[0]) for name, pairs in errors.items()},
        **_words(),
    )
    return (page, 422) if errors else page


@blueprint.post("/claims/export")
def export() -> Response:
    """The filtered list as a workbook without personal data."""
    filters = _filters(form(FilterForm))
    with transaction() as session:
        content = export_listing(session, acting(), now(), filters)
    name = pick("理赔案件清单.xlsx", "claims.xlsx")
    return download(content, name, _XLSX)


@blueprint.get("/claims/<claim_id>")
def shown(claim_id: str) -> str:
    """One claim: household, papers, checks, calculation, decision, and what became of it."""
    role = acting().role
    with reading() as session:
        case = case_by_id(session, sealer(), acting(), claim_id)
        staff = names(session)
        determination_id = None if case.determined is None else case.determined.id
        fillings = slots.filled(session, sealer(), slots.CaseIds(case.claim_id, determination_id))
        course = course_of(session, case, fillings.values(), staff)
    view = case_view(case, role)
    return render_template(
        "claims/case.html",
        case=case,
        view=view,
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


def _chosen(filters: Filters) -> dict[str, str]:
    """The filters that are set, as they stand in an address or a form."""
    values = {field.name: getattr(filters, field.name) for field in fields(Filters)}
    return {name: "1" if value is True else str(value) for name, value in values.items() if value is not None}


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
