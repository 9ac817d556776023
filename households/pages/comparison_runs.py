"""Pages of one run of the comparison: its hits, a household's matrix, what changed since the run before."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.errors import InvalidInput, NotFound
from foundation.places import COUNTY_DIGITS
from foundation.privacy.exports import MOST_ALONE, HandedOut, needs_purpose, number_text
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import named_purposes, typed_reason
from foundation.web.downloads import download, sent_to_a_second_person
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.checks import CHECKS
from households.comparison_forms import DifferencesArguments, HitsArguments, HitsExport, Nothing
from households.pages.comparison_rows import feed_rows, hit_row, matrix_view, run_row
from households.queries.comparison import matrix_of
from households.queries.comparison_differences import differences, page_of_changed
from households.queries.comparison_runs import (
    Filters,
    Run,
    counts_by_place,
    page_of_hits,
    place_names_of,
    run_by_id,
)
from households.queries.households import household_row
from households.services.clearances import ASKERS
from households.services.comparison_export import KIND, export_differences, export_run

blueprint = Blueprint("runs", __name__, template_folder="../templates")

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
"""Whose pages have a button for the workbook; the rights table is what holds it."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/comparison/<run_id>")
def shown(run_id: str) -> str:
    """One run: where its hits are, the hits themselves by filters, and the state of every feed then."""
    return _run_page(run_id, arguments(HitsArguments))


def _run_page(
    run_id: str,
    asked: Mapping[str, Any],
    typed: Mapping[str, str] = _NOTHING,
    export_errors: Mapping[str, str] = _NOTHING,
) -> str:
    """`typed` and `export_errors` are of a form for the workbook that came back."""
    filters = _filters(asked)
    with reading() as session:
        run = run_by_id(session, acting(), run_id)
        page = page_of_hits(session, sealer(), acting(), run, filters, asked.get("cursor"))
        counts = counts_by_place(session, acting(), run)
        staff = names(session)
        places = place_names_of(session, [run.place])
    chosen: dict[str, Any] = filters.chosen()
    return render_template(
        "households/comparison_run.html",
        run=run_row(run, staff, places),
        hits=[hit_row(hit, staff) for hit in page.rows],
        counts=counts,
        feeds=feed_rows(run.setting),
        **_filter_words(run, chosen),
        kinds=[
            (
                _("需核查"),
                url_for(".shown", run_id=run_id, **(chosen | {"kind": "examined"})),
                filters.kind == "examined",
                run.examined,
            ),
            (
                _("部门有记录"),
                url_for(".shown", run_id=run_id, **(chosen | {"kind": "record"})),
                filters.kind == "record",
                run.hits - run.examined,
            ),
        ],
        newer_url=page.newer and url_for(".shown", run_id=run_id, **chosen, cursor=page.newer),
        older_url=page.older and url_for(".shown", run_id=run_id, **chosen, cursor=page.older),
        export_url=url_for(".export", run_id=run_id),
        typed=typed,
        export_errors=export_errors,
        **_export_words(run.hits),
    )


def _filters(asked: Mapping[str, Any]) -> Filters:
    matter = asked.get("matter")
    if matter is not None:
        return Filters("examined" if CHECKS[matter].examined else "record", asked.get("place"), matter)
    return Filters(asked.get("kind", "examined"), asked.get("place"), None)


def _filter_words(run: Run, chosen: Mapping[str, str]) -> dict[str, Any]:
    kind = chosen["kind"]
    return {
        "chosen": chosen,
        "matters": [
            (check.key, pick(*check.title))
            for check in run.setting.made()
            if check.examined == (kind == "examined")
        ],
        "may_clear": acting().role in ASKERS,
    }


def _export_words(hits: int) -> dict[str, Any]:
    return {
        "may_export": acting().role in EXPORTERS,
        # There are no more people than hits, and counting those costs nothing here.
        "asks_purpose": needs_purpose(KIND, hits),
        "most_alone": MOST_ALONE,
        "purposes": named_purposes(EXPORT_PURPOSES),
    }


@blueprint.post("/comparison/<run_id>/export")
def export(run_id: str) -> Response | tuple[str, int]:
    """The hits that the filters leave, as a workbook, or the notice that a second person has to agree first."""
    asked = form(HitsExport)
    try:
        with transaction() as session:
            run = run_by_id(session, acting(), run_id)
            reason = asked.get("purpose"), asked.get("note")
            taken = export_run(session, sealer(), acting(), now(), run, _filters(asked), *reason)
    except InvalidInput as invalid:
        return _run_page(run_id, asked, typed_reason(), first_faults(invalid)), 422
    return handed_out(taken)


@blueprint.get("/comparison/<run_id>/households/<household_id>")
def household(run_id: str, household_id: str) -> str:
    """A household in a run: members × checks, each HIT, CLEAR or NO DATA."""
    arguments(Nothing)
    with reading() as session:
        run = run_by_id(session, acting(), run_id)
        home = household_row(session, acting(), household_id)
        matrix = matrix_of(session, sealer(), household_id, run_id)
        if matrix is None:
            raise NotFound
        staff = names(session)
    return render_template(
        "households/comparison_household.html",
        run={"id": run.id, "number": run.number, "run_at": run.run_at, "scope": run.scope},
        home={"id": home.id, "household_no": home.household_no, "town": home.town, "village": home.village},
        matrix=matrix_view(matrix, staff),
        may_run=may_run(),
        may_clear=acting().role in ASKERS,
    )


# --- what changed --------------------------------------------------------------------------------------


@blueprint.get("/comparison/<run_id>/differences")
def changed(run_id: str) -> str:
    """What a run found otherwise than the run before it."""
    return _differences_page(run_id, arguments(DifferencesArguments))


def _differences_page(
    run_id: str,
    asked: Mapping[str, Any],
    typed: Mapping[str, str] = _NOTHING,
    export_errors: Mapping[str, str] = _NOTHING,
) -> str:
    filters, change = _filters(asked), asked.get("change", "new")
    with reading() as session:
        run = run_by_id(session, acting(), run_id)
        found = differences(session, acting(), run, filters)
        page = page_of_changed(session, sealer(), acting(), found, change, filters, asked.get("cursor"))
        staff = names(session)
        places = place_names_of(session, [run.place])
        offered = counts_by_place(session, acting(), run)
    chosen: dict[str, Any] = filters.chosen() | {"change": change}
    here = [
        (title, url_for(".changed", run_id=run_id, **(chosen | {"change": key})), change == key, count)
        for key, title, count in (
            ("new", _("新增命中"), found.new),
            ("gone", _("不再命中"), found.gone),
        )
    ]
    return render_template(
        "households/comparison_differences.html",
        run=run_row(found.run, staff, places),
        before=run_row(found.before, staff, places),
        hits=[hit_row(hit, staff) for hit in page.rows],
        counts=offered,
        came=[pick(*check.title) for check in found.came],
        went=[pick(*check.title) for check in found.went],
        changes=here,
        change=change,
        **_filter_words(run, chosen),
        kinds=[("examined", _("需核查")), ("record", _("部门有记录"))],
        newer_url=page.newer and url_for(".changed", run_id=run_id, **chosen, cursor=page.newer),
        older_url=page.older and url_for(".changed", run_id=run_id, **chosen, cursor=page.older),
        export_url=url_for(".export_changed", run_id=run_id),
        export_fields=filters.chosen(),
        typed=typed,
        export_errors=export_errors,
        **_export_words(found.new + found.gone),
    )


@blueprint.post("/comparison/<run_id>/differences/export")
def export_changed(run_id: str) -> Response | tuple[str, int]:
    """What changed, as a workbook, or the notice that a second person has to agree first."""
    asked = form(HitsExport)
    try:
        with transaction() as session:
            run = run_by_id(session, acting(), run_id)
            reason = asked.get("purpose"), asked.get("note")
            taken = export_differences(session, sealer(), acting(), now(), run, _filters(asked), *reason)
    except InvalidInput as invalid:
        return _differences_page(run_id, asked, typed_reason(), first_faults(invalid)), 422
    return handed_out(taken)


def newest_matrix(session: Session, household_id: str) -> dict[str, Any] | None:
    """The newest matrix of a household, as `households/comparison_matrix.html` shows it; None before any run."""
    matrix = matrix_of(session, sealer(), household_id)
    return None if matrix is None else matrix_view(matrix, names(session))


def handed_out(taken: HandedOut) -> Response:
    """The workbook of an export, or the register where it waits for a second person."""
    if taken.content is None:
        return sent_to_a_second_person(taken)
    number = number_text(taken.number)
    return download(taken.content, pick(f"比对结果-{number}.xlsx", f"comparison-{number}.xlsx"), _XLSX)


def first_faults(invalid: InvalidInput) -> dict[str, str]:
    """The first fault of each field, in the request's language."""
    return {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}


def may_run() -> bool:
    """Whether the person who acts has buttons to compare; the rights table is what holds them."""
    return acting().role is Role.CENTER_CERTIFIER and len(acting().place) == COUNTY_DIGITS
