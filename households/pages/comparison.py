"""Pages of the comparison 一站式比对: the runs, starting one, and an auditor's list.

ID numbers are given by POST or as a file, and never stand in an address; they are masked wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.errors import InvalidInput
from foundation.privacy.exports import MOST_ALONE
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, ring, sealer, stored_files, transaction
from foundation.web.disclosing import named_purposes, typed_reason
from foundation.web.language import _, pick
from foundation.web.large import take_large
from foundation.web.requests import arguments, form
from households.comparison_forms import CheckForm, HouseholdForm, ListForm, Nothing, PlaceForm, RunsArguments
from households.comparison_list import Numbers
from households.pages import comparison_runs
from households.pages.comparison_rows import list_view, run_row
from households.pages.comparison_runs import first_faults, handed_out, may_run
from households.queries.comparison_runs import (
    COMPARE,
    newest_over,
    page_of_runs,
    place_names_of,
    places_to_compare,
    under_way,
)
from households.services.comparison import (
    MOST_LISTED,
    ask_place,
    check_list,
    run_household,
    run_list,
)
from households.services.comparison_export import export_list
from households.services.comparison_files import numbers_of

blueprint = Blueprint("comparison", __name__, template_folder="../templates")
blueprint.register_blueprint(comparison_runs.blueprint)

_RUNS = 30
_SHOWN_PEOPLE = 500
_MOST_PARTS = 10
_NOTHING: Mapping[str, str] = MappingProxyType({})
_LISTS = ("comparison.listed_people", "comparison.check")


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets lists be large. Here, since the guard reads the form before any view is called."""
    if endpoint in _LISTS and request.method == "POST":
        take_large(_MOST_PARTS)


# --- the runs, and starting one ------------------------------------------------------------------------


@blueprint.get("/comparison")
def listed() -> str:
    """The runs that the actor may see, the newest hits of their place, and the forms for one more."""
    return _list_page(arguments(RunsArguments).get("cursor"))


def _list_page(
    cursor: str | None = None, typed: Mapping[str, str] = _NOTHING, errors: Mapping[str, str] = _NOTHING
) -> str:
    """`typed` and `errors` are of a form that came back."""
    actor = acting()
    with reading() as session:
        page = page_of_runs(session, actor, cursor, _RUNS)
        newest = newest_over(session, actor)
        staff = names(session)
        places = place_names_of(session, [run.place for run in page.rows])
        working = under_way(session, actor)
        runs = may_run()
        offered = places_to_compare(session, actor) if runs else []
    return render_template(
        "households/comparison_list.html",
        runs=[run_row(run, staff, places) for run in page.rows],
        newest=None if newest is None else run_row(newest, staff, places),
        missing=[] if newest is None else [pick(*check.title) for check in newest.setting.without_data()],
        late=[] if newest is None else [pick(*check.title) for check in newest.setting.overdue()],
        working=working,
        may_run=runs,
        may_check=actor.role is Role.AUDITOR,
        places=[(actor.place, _("全县")), *offered],
        most_listed=f"{MOST_LISTED:,}",
        most_alone=MOST_ALONE,
        purposes=named_purposes(EXPORT_PURPOSES),
        typed=typed,
        errors=errors,
        newer_url=page.newer and url_for(".listed", cursor=page.newer),
        older_url=page.older and url_for(".listed", cursor=page.older),
    )


@blueprint.get("/comparison/progress")
def progress() -> Response | str:
    """What is being compared, as a part of the page; once nothing is, the page is to be loaded anew."""
    arguments(Nothing)
    with reading() as session:
        working = under_way(session, acting())
    if not working:
        return Response("", headers={"HX-Refresh": "true"})
    return render_template("households/comparison_progress.html", working=working)


@blueprint.post("/comparison/household")
def one_household() -> Response:
    """Compares one household at once."""
    household_id = form(HouseholdForm)["household_id"]
    with transaction() as session:
        run_id = run_household(session, sealer(), acting(), now(), household_id)
    return redirect(url_for(".runs.household", run_id=run_id, household_id=household_id), 303)


@blueprint.post("/comparison/place")
def everyone() -> Response:
    """Asks for everyone of a place to be compared, in the background."""
    place = form(PlaceForm)["place"]
    with transaction() as session:
        subject = ask_place(session, acting(), now(), place)
    ring(COMPARE, subject)
    flash(_("已开始比对,完成后出现在下表"), "ok")
    return redirect(url_for(".listed"), 303)


@blueprint.post("/comparison/list")
def listed_people() -> Response | tuple[str, int]:
    """Compares the people of a list at once."""
    try:
        numbers = _numbers(form(ListForm).get("numbers"))
        with transaction() as session:
            done = run_list(session, sealer(), acting(), now(), numbers.numbers)
    except InvalidInput as invalid:
        return _list_page(errors=first_faults(invalid)), 422
    if done.unknown:
        flash(_("名单中有 %(count)s 人不在登记中,未比对;请先登记", count=f"{done.unknown:,}"), "warn")
    return redirect(url_for(".runs.shown", run_id=done.run_id), 303)


def _numbers(text: str | None) -> Numbers:
    sent = [file for file in request.files.getlist("file") if file.filename]
    return numbers_of(stored_files(), text, sent[0].stream.read() if sent else b"")


# --- an auditor's list ---------------------------------------------------------------------------------


@blueprint.post("/comparison/check")
def check() -> Response | str | tuple[str, int]:
    """An auditor's list: compared, shown or handed out as a workbook in this request, and not stored."""
    try:
        asked = form(CheckForm)
        numbers = _numbers(asked.get("numbers"))
        with transaction() as session:
            checked = check_list(session, sealer(), acting(), now(), numbers.numbers)
            taken = None
            if asked["answer"] == "workbook":
                taken = export_list(
                    session, sealer(), acting(), now(), checked, asked.get("purpose"), asked.get("note")
                )
    except InvalidInput as invalid:
        return _list_page(typed=typed_reason(), errors=first_faults(invalid)), 422
    if taken is not None:
        return handed_out(taken)
    return render_template(
        "households/comparison_checked.html",
        view=list_view(checked, _SHOWN_PEOPLE),
        doubles=numbers.doubles,
        most=_SHOWN_PEOPLE,
    )
