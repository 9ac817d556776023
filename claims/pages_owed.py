"""Pages of what is owed and not claimed 应赔未赔: the list, one row with how its amount comes about, opening a case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from claims.case_view import case_view, heading, yuan
from claims.owed import UNKNOWN
from claims.owed_view import as_case, owed_shown
from claims.phrases import LINES
from claims.queries.owed import (
    DUE,
    LISTS,
    OwedFilters,
    explained,
    lists_of_owed,
    owed_by_id,
    page_of_owed,
    places_of_owed,
    totals_of_owed,
)
from claims.schemas import OwedArguments, OwedExportForm
from claims.services.owed import MAY_OPEN, MAY_WORK_OUT, ask_for_owed, open_case
from claims.services.owed_export import KIND, export_owed
from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.places import COUNTY_DIGITS, VILLAGE_DIGITS
from foundation.privacy.exports import MOST_ALONE, needs_purpose, number_text
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import named_purposes, typed_reason
from foundation.web.downloads import download, sent_to_a_second_person
from foundation.web.fields import TextSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form

blueprint = Blueprint("owed", __name__, template_folder="templates")

EXPORTERS = frozenset(
    {
        Role.AUDITOR,
        Role.CLAIM_OFFICER,
        Role.TOWN_REVIEWER,
        Role.CENTER_CERTIFIER,
        Role.CENTER_LEAD,
    }
)
"""Whose list has a button for the workbook; the rights table is what holds it."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/owed")
def listed() -> str:
    """Who is owed, how much, and how many days are left to report."""
    return _list_page(arguments(OwedArguments))


def _list_page(
    asked: Mapping[str, Any],
    typed: Mapping[str, str] = _NOTHING,
    export_errors: Mapping[str, str] = _NOTHING,
) -> str:
    filters, sort = _filters(asked), asked.get("sort", "due")
    actor, today = acting(), business_day(now())
    with reading() as session:
        page = page_of_owed(session, sealer(), actor, filters, today, sort=sort, cursor=asked.get("cursor"))
        totals = totals_of_owed(session, actor, filters, today)
        counts = lists_of_owed(session, actor)
        places = places_of_owed(session, actor, filters.town or _own_town(actor))
    chosen = filters.chosen()
    ordered = {} if sort == "due" else {"sort": sort}
    narrowed = {name: value for name, value in chosen.items() if name != "shown"}
    return render_template(
        "claims/owed_list.html",
        rows=[owed_shown(row) for row in page.rows],
        totals=totals,
        lists=[
            (
                heading(pick(*title)),
                _url(narrowed | ({} if key == OwedFilters().shown else {"shown": key})),
                key == filters.shown,
                counts[key],
            )
            for key, title in LISTS.items()
        ],
        shown=filters.shown,
        known=filters.shown != UNKNOWN,
        chosen=chosen,
        narrowed=bool(narrowed),
        places=places,
        options={
            "line": [(key, heading(pick(*title))) for key, title in LINES.items()],
            "due": [(key, heading(pick(*title))) for key, title in DUE.items()],
        },
        sort=sort,
        by_due=_url(chosen),
        by_amount=_url(chosen | {"sort": "amount"}),
        newer_url=page.newer and _url(chosen | ordered | {"cursor": page.newer}),
        older_url=page.older and _url(chosen | ordered | {"cursor": page.older}),
        may_work_out=actor.role in MAY_WORK_OUT and len(actor.place) == COUNTY_DIGITS,
        may_open=actor.role in MAY_OPEN,
        may_export=actor.role in EXPORTERS,
        asks_purpose=needs_purpose(KIND, totals.people),
        most_alone=MOST_ALONE,
        purposes=named_purposes(EXPORT_PURPOSES),
        typed=typed,
        export_errors=export_errors,
        yuan=yuan,
    )


@blueprint.get("/owed/<row_id:owed_id>")
def shown(owed_id: str) -> str:
    """One row, decided again now by the same function, with every check and every line of the calculation."""
    actor, at = acting(), now()
    today = business_day(at)
    with reading() as session:
        row = owed_by_id(session, sealer(), actor, owed_id, today)
        found = explained(session, sealer(), owed_id, today)
    case = view = None
    if found is not None:
        policy, owed = found
        case = as_case(row, policy, owed, at)
        view = case_view(case, actor.role)
    return render_template(
        "claims/owed_row.html",
        item=owed_shown(row),
        row=row,
        case=case,
        view=view,
        now_owed=None if found is None else found[1],
        may_open=actor.role in MAY_OPEN,
        heading=heading,
        yuan=yuan,
    )


@blueprint.post("/owed/<row_id:owed_id>/case")
def opened(owed_id: str) -> Response:
    """Turns a row into a case of early warning, once."""
    form(TextSchema)
    with transaction() as session:
        done = open_case(session, sealer(), acting(), now(), owed_id)
    if done.fresh:
        flash(_("已立案。请通知家庭签字报案"), "ok")
    else:
        flash(_("该事件已有预警案件,未重复立案"), "info")
    return redirect(url_for("warnings.shown", case_id=done.case_id), 303)


@blueprint.post("/owed/again")
def again() -> Response:
    """Asks for the list to be worked out again."""
    form(TextSchema)
    with transaction() as session:
        ask_for_owed(session, acting(), now())
    flash(_("已开始重新计算,完成后刷新即可看到"), "ok")
    return redirect(url_for(".listed"), 303)


@blueprint.post("/owed/export")
def export() -> Response | tuple[str, int]:
    """The filtered list as a workbook without personal data, or the notice that a second person has to agree first."""
    asked = form(OwedExportForm)
    try:
        with transaction() as session:
            taken = export_owed(
                session, sealer(), acting(), now(), _filters(asked), asked.get("purpose"), asked.get("note")
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _list_page(asked, typed_reason(), errors), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    number = number_text(taken.number)
    return download(taken.content, pick(f"应赔未赔清单-{number}.xlsx", f"owed-{number}.xlsx"), _XLSX)


def _filters(values: Mapping[str, Any]) -> OwedFilters:
    known = {name: values[name] for name in OwedFilters.__slots__ if values.get(name) is not None}
    return OwedFilters(**known)


def _own_town(actor: Actor) -> str | None:
    """A town sees its villages to choose from without naming itself; a village has nothing to choose."""
    return actor.place if COUNTY_DIGITS < len(actor.place) < VILLAGE_DIGITS else None


def _url(values: Mapping[str, str]) -> str:
    query = urlencode(values)
    return f"{url_for('owed.listed')}?{query}" if query else url_for("owed.listed")
