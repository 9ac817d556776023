"""The form of a clearance 核查澄清: an answer to a hit, with its evidence, for a second person to decide."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, stored_files, transaction
from foundation.web.language import _, pick
from foundation.web.large import take_large
from foundation.web.requests import arguments, form
from households.checks import CHECKS
from households.comparison_forms import ClearanceArguments, ClearanceForm
from households.pages.comparison_rows import matrix_view
from households.queries.comparison import matrix_of
from households.queries.households import household_row
from households.services import papers, proposals
from households.services.clearances import KIND, content_of
from policies.policy import REVERSE_STANDARDS

blueprint = Blueprint("clearances", __name__, template_folder="../templates")

_MOST_PARTS = 20
_NOTHING: Mapping[str, str] = MappingProxyType({})


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets papers come along. Here, since the guard reads the form before any view is called."""
    if endpoint == "clearances.ask" and request.method == "POST":
        take_large(_MOST_PARTS)


@blueprint.get("/households/<household_id>/clearance")
def blank(household_id: str) -> str:
    """The form, with how the household stands in the newest comparison beside it."""
    matter = arguments(ClearanceArguments).get("matter", "")
    return _form_page(household_id, {"matter": matter, "cleared_on": business_day(now()).isoformat()})


@blueprint.post("/households/<household_id>/clearance")
def ask(household_id: str) -> Response | tuple[str, int]:
    """Asks for a clearance: its papers are on the disk, sealed, before the proposal names them."""
    try:
        asked = form(ClearanceForm)
        with reading() as session:
            household_row(session, acting(), household_id)
        received = papers.receive(
            stored_files(), [file.stream.read() for file in request.files.getlist("papers") if file.filename]
        )
        content = content_of(
            asked["matter"], asked["cleared_on"], passed=asked["result"] == "passed", note=asked["note"]
        )
        with transaction() as session:
            asked_for = proposals.ask(
                session, sealer(), acting(), now(), KIND, household_id, content, received
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _form_page(household_id, _typed(), errors), 422
    flash(_("核查澄清已提交,须由县中心另一人审定"), "ok")
    return redirect(url_for("households.proposals.shown", proposal_id=asked_for), 303)


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "")[:500] for name in ("matter", "cleared_on", "result", "note")}


def _form_page(household_id: str, typed: Mapping[str, str], errors: Mapping[str, str] = _NOTHING) -> str:
    with reading() as session:
        home = household_row(session, acting(), household_id)
        matrix = matrix_of(session, sealer(), household_id)
        staff = names(session)
    return render_template(
        "households/comparison_clearance.html",
        home={"id": home.id, "household_no": home.household_no, "town": home.town, "village": home.village},
        matrix=None if matrix is None else matrix_view(matrix, staff),
        matters=[(key, pick(*CHECKS[key].title)) for key in REVERSE_STANDARDS],
        typed=typed,
        errors=errors,
        most_papers=papers.MOST_PAPERS,
        most_megabytes=papers.MOST_BYTES >> 20,
        may_clear=False,
    )
