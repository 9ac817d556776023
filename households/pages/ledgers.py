"""Pages of the three ledgers 三本台账: entries, totals by town, and the workbook by the register of exports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.privacy.exports import MOST_ALONE, needs_purpose, number_text
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import named_purposes, typed_reason
from foundation.web.downloads import download, sent_to_a_second_person
from foundation.web.language import pick
from foundation.web.requests import arguments, form
from households import recognition_forms as forms
from households.queries.ledgers import LEDGERS, Filters, page_of_entries, totals
from households.recognition_words import capital, named
from households.services.ledger_export import KIND, export_ledger
from households.terms import BASES, CAUSES, GROUP_OF_MEASURE, MEASURE_GROUPS, MEASURES, TRACKS

blueprint = Blueprint("ledgers", __name__, template_folder="../templates")

EXPORTERS = frozenset(
    {Role.AUDITOR, Role.CENTER_CERTIFIER, Role.CENTER_LEAD, Role.TOWN_REVIEWER, Role.VILLAGE_OFFICER}
)
"""Whose ledger has a button for the workbook: county and town keep them; the rights table is what holds it."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@blueprint.get("/ledgers/<ledger>")
def shown(ledger: str) -> str:
    """A ledger within one's place, the newest entries first, with its totals by town."""
    return _page(_known(ledger), arguments(forms.LedgerArguments))


@blueprint.post("/ledgers/<ledger>/export")
def export(ledger: str) -> Response | tuple[str, int]:
    """The filtered ledger as a workbook, or the notice that a second person has to agree first."""
    _known(ledger)
    asked: dict[str, Any] = {}
    try:
        asked = form(forms.LedgerExportForm)
        purpose, note = asked.pop("purpose", None), asked.pop("note", None)
        with transaction() as session:
            taken = export_ledger(session, sealer(), acting(), now(), ledger, Filters(**asked), purpose, note)
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _page(ledger, asked, typed_reason(), errors), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    number = number_text(taken.number)
    name = pick(f"{LEDGERS[ledger][0]}-{number}.xlsx", f"ledger-{ledger}-{number}.xlsx")
    return download(taken.content, name, _XLSX)


def _known(ledger: str) -> str:
    if ledger not in LEDGERS:
        raise NotFound
    return ledger


def _page(
    ledger: str,
    asked: Mapping[str, Any],
    typed: Mapping[str, str] = _NOTHING,
    errors: Mapping[str, str] = _NOTHING,
) -> str:
    """`typed` and `errors` are of a form for the workbook that came back."""
    filters = Filters(**{name: value for name, value in asked.items() if name in Filters.__slots__})
    with reading() as session:
        page = page_of_entries(
            session, sealer(), acting(), ledger, filters, business_day(now()), asked.get("cursor")
        )
        summed = totals(session, acting(), ledger, filters)
        everything = totals(session, acting(), ledger, Filters())
        staff = names(session)
    chosen = filters.chosen()
    return render_template(
        "households/recognition_ledger.html",
        ledger=ledger,
        title=capital(pick(*LEDGERS[ledger])),
        tabs=[
            (capital(pick(*words)), url_for(".shown", ledger=key), key == ledger, None)
            for key, words in LEDGERS.items()
        ],
        entries=page.rows,
        totals=summed,
        towns=[(town.code, town.town) for town in everything.towns],
        chosen=chosen,
        staff=staff,
        cause_names=dict(named(CAUSES)),
        track_names=dict(named(TRACKS)),
        basis_names=dict(named(BASES)),
        measure_names=dict(named(MEASURES)),
        group_names={key: capital(pick(*MEASURE_GROUPS[group])) for key, group in GROUP_OF_MEASURE.items()},
        may_export=acting().role in EXPORTERS,
        asks_purpose=needs_purpose(KIND, summed.households),
        purposes=named_purposes(EXPORT_PURPOSES),
        most_alone=MOST_ALONE,
        typed=typed,
        export_errors=errors,
        newer_url=page.newer and _url(ledger, chosen | {"cursor": page.newer}),
        older_url=page.older and _url(ledger, chosen | {"cursor": page.older}),
    )


def _url(ledger: str, values: Mapping[str, str]) -> str:
    return f"{url_for('.shown', ledger=ledger)}?{urlencode(values)}"
