"""Pages of the county's standards: the years, one year with how its line came about, proposing, deciding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.places import COUNTY_DIGITS
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, transaction
from foundation.web.fields import TextSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from policies.models import Standard
from policies.policy import AMOUNT_KEYS, REVERSE_STANDARDS
from policies.queries import (
    active_standards,
    first_standards,
    latest_active,
    policies_of_year,
    standard_rows,
    standards_of,
    years,
    years_due,
)
from policies.schemas import (
    MOST_REASONS,
    MOST_TEXT,
    DecisionForm,
    NextYearForm,
    ProposalArguments,
    StandardsForm,
    YearArguments,
    form_of,
    standards_from,
)
from policies.services import DECIDERS, PROPOSERS, decide, propose, propose_next_year
from policies.standard import FIRST_YEAR, LAST_YEAR, REASON_GROUPS, Standards, percent_text, reindexed
from policies.standard_view import (
    calculation,
    capital,
    differences,
    policies_view,
    reasons_view,
    reverse_view,
    rounding_words,
    version_view,
)
from policies.terms import REASON_GROUPS as GROUP_WORDS
from policies.terms import REVERSE_NAMES, ROUNDINGS, UNITS, VALUES

blueprint = Blueprint("standards", __name__, template_folder="templates")

Faults = Mapping[str, Sequence[tuple[str, str]]]
_NONE: Faults = MappingProxyType({})
_NEW_REASONS = 3
"""Empty rows at the end of the form."""


@blueprint.get("/standards")
def listed() -> str:
    """The years, the latest first."""
    arguments(TextSchema)
    return _list_page()


@blueprint.post("/standards/next-year")
def next_year() -> Response | tuple[str, int]:
    """Proposes the year after the latest: one new figure, all else carried over."""
    try:
        typed = form(NextYearForm)
        with transaction() as session:
            row = propose_next_year(session, acting(), now(), typed["next_base"], typed["next_source"])
    except InvalidInput as invalid:
        return _list_page(_renamed(invalid.fields)), 422
    return _proposed(row)


@blueprint.get("/standards/new")
def blank() -> str:
    """The form of a proposal, filled in with the latest standards."""
    year = arguments(ProposalArguments).get("year")
    with reading() as session:
        start = _start(session, year)
    return _form_page(form_of(start))


@blueprint.post("/standards/new")
def add() -> Response | tuple[str, int]:
    """Proposes the standards of a year."""
    try:
        standards = standards_from(form(StandardsForm))
        with transaction() as session:
            row = propose(session, acting(), now(), standards)
    except InvalidInput as invalid:
        return _form_page(request.form, invalid.fields), 422
    return _proposed(row)


@blueprint.get("/standards/<int:year>")
def shown(year: int) -> str:
    """One year: how its line came about, reverse standards, reasons, versions, what differs from the year before."""
    version = arguments(YearArguments).get("version")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound
    today = business_day(now())
    with reading() as session:
        rows = standard_rows(session, year)
        row = _chosen(rows, version)
        before = active_standards(session, year - 1)
        due = years_due(session, today)
        policies = policies_of_year(session, year) if row.state == "active" else []
        people = names(session)
    standards = standards_of(row.canonical)
    waiting = next((one for one in rows if one.state == "proposed"), None)
    return render_template(
        "policies/year.html",
        year=year,
        due=due,
        standards=standards,
        edition=version_view(row, people),
        waiting=waiting if waiting is not row else None,
        versions=[version_view(one, people) for one in rows],
        calculation=calculation(standards),
        rounding=rounding_words(standards),
        reverse=reverse_view(standards),
        reasons=reasons_view(standards),
        differences=None if before is None else differences(before, standards),
        policies=policies_view(standards, policies),
        may_propose=_may_propose(acting()),
        may_decide=acting().role in DECIDERS and _at_county(acting()),
        own=row.proposed_by == acting().person,
    )


@blueprint.post("/standards/<standard_id>/decide")
def decided(standard_id: str) -> Response:
    """Approves or refuses a proposal."""
    approve = form(DecisionForm)["decision"] == "approve"
    with transaction() as session:
        row = decide(session, acting(), now(), standard_id, approve=approve)
    said = (
        _("%(year)s 年标准已批准执行", year=row.year)
        if approve
        else _("%(year)s 年标准已退回", year=row.year)
    )
    flash(said, "ok")
    return redirect(url_for(".shown", year=row.year), 303)


def _proposed(row: Standard) -> Response:
    flash(_("已提出 %(year)s 年标准,须由另一人批准", year=row.year), "ok")
    return redirect(url_for(".shown", year=row.year, version=row.id), 303)


def _list_page(faults: Faults = _NONE) -> str:
    today = business_day(now())
    with reading() as session:
        found = years(session)
        latest = latest_active(session)
        due = years_due(session, today)
        people = names(session)
    return render_template(
        "policies/list.html",
        years=[
            {"shown": version_view(year.shown, people), "waiting": year.waiting not in (None, year.shown)}
            for year in found
        ],
        due=due,
        latest=latest,
        ratio="" if latest is None else percent_text(latest.line.ratio),
        next_waiting=latest is not None
        and any(year.waiting and year.waiting.year == latest.year + 1 for year in found),
        may_propose=_may_propose(acting()),
        typed=request.form if faults else {"next_source": "" if latest is None else latest.line.source},
        errors={name: pick(*pairs[0]) for name, pairs in faults.items()},
        most=MOST_TEXT,
    )


def _form_page(typed: Mapping[str, str], faults: Faults = _NONE) -> str:
    rows = max((n for n in range(1, MOST_REASONS + 1) if typed.get(f"reason_{n}_zh")), default=0)
    errors = {name: pick(*pairs[0]) for name, pairs in faults.items()}
    return render_template(
        "policies/form.html",
        typed=typed,
        errors=errors,
        reverse=[
            {
                "key": key,
                "title": capital(pick(*REVERSE_NAMES[key])),
                "fields": [(f"{key}_{name}", _label(name)) for name in _names_of(key)],
            }
            for key in REVERSE_STANDARDS
        ],
        rows=range(1, min(rows + _NEW_REASONS, MOST_REASONS) + 1),
        groups=[(key, capital(pick(*GROUP_WORDS[key]))) for key in REASON_GROUPS],
        roundings=[(key, pick(*words)) for key, words in ROUNDINGS.items()],
        units=[(key, pick(*words)) for key, words in UNITS.items()],
        most=MOST_TEXT,
    )


def _names_of(key: str) -> list[str]:
    """The values of a reverse standard in the order of the form."""
    more = {"housing": ["uses", "within_years"], "company": ["statuses"]}
    return [*([AMOUNT_KEYS[key]] if key in AMOUNT_KEYS else []), *more.get(key, [])]


def _label(name: str) -> str:
    label = capital(pick(*VALUES[name]))
    return _("%(what)s（元）", what=label) if name in AMOUNT_KEYS.values() else label


def _start(session: Session, year: int | None) -> Standards:
    """What a proposal for a year begins with: that year's own, or the latest carried over without its base."""
    latest = latest_active(session)
    if latest is None:
        return first_standards()
    if year is None:
        year = latest.year + 1
    return active_standards(session, year) or reindexed(latest, 0, year=year)


def _chosen(rows: Sequence[Standard], version: str | None) -> Standard:
    """The version asked for; else what is in force; else the newest. Raises NotFound where there is none."""
    if version is not None:
        rows = [row for row in rows if row.id == version]
    if not rows:
        raise NotFound
    return next((row for row in rows if row.state == "active"), rows[0])


def _renamed(faults: Faults) -> Faults:
    """Faults under the names that the short form has."""
    short = {"base": "next_base", "source": "next_source"}
    return {short.get(name, name): pairs for name, pairs in faults.items()}


def _at_county(actor: Actor) -> bool:
    return len(actor.place) == COUNTY_DIGITS


def _may_propose(actor: Actor) -> bool:
    return actor.role in PROPOSERS and _at_county(actor)
