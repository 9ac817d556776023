"""Pages of the register: the list, looking for somebody, one household with its timeline, and as it was on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.clock import SHANGHAI, business_day
from foundation.errors import InvalidInput
from foundation.masking import Audience, id_number_for
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS
from foundation.privacy.disclosures import Disclosed
from foundation.staff.queries import names
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import FullViewForm, grant_full_view, offered_purposes, told, typed_reason
from foundation.web.language import pick
from foundation.web.requests import arguments, form
from households import slots
from households.actions import offered
from households.layouts import layouts
from households.models.people import HouseholdRow
from households.pages import people_forms, proposals, tasks
from households.pages.comparison_runs import may_run, newest_matrix
from households.pages.household_rows import (
    account_view,
    capital,
    facts_view,
    home_view,
    income_bars,
    income_views,
    member_view,
    named,
)
from households.pages.proposals import proposal_row
from households.pages.tasks import task_row
from households.queries.as_of import household_as_of, policy_on
from households.queries.households import (
    Filters,
    accounts_of,
    household_row,
    incomes_of,
    page_of_households,
    places_within,
    residences_of,
)
from households.queries.people import members_of
from households.queries.proposals import proposals_of, waiting
from households.queries.search import MOST_FOUND, found_by_person
from households.queries.tasks import open_tasks_count, tasks_of
from households.queries.timeline import timeline_of
from households.schemas import AsOfArguments, FindForm, HouseholdArguments, HouseholdPageArguments
from households.services.clearances import ASKERS
from households.services.recognition import PROPOSERS
from households.terms import CATEGORIES
from households.timeline import KINDS, Item
from policies.queries import periods

blueprint = Blueprint("households", __name__, template_folder="../templates")
blueprint.register_blueprint(people_forms.blueprint)
blueprint.register_blueprint(proposals.blueprint)
blueprint.register_blueprint(tasks.blueprint)

_NOTHING: Mapping[str, str] = MappingProxyType({})
_KIND_MARKS = {
    "warning": "warn",
    "recognition": "ok",
    "measure": "ok",
    "comparison": "warn",
    "exit": "neutral",
}


# --- the list ------------------------------------------------------------------------------------------


@blueprint.get("/households")
def listed() -> str:
    """Households of one's place by village and number, with the look-up by person."""
    asked = arguments(HouseholdArguments)
    cursor = asked.pop("cursor", None)
    filters, actor, today = Filters(**asked), acting(), business_day(now())
    chosen = filters.chosen()
    with reading() as session:
        page = page_of_households(session, sealer(), actor, filters, today, cursor)
        places = _places(session, actor.place, filters.place)
        counts = waiting(session, actor), open_tasks_count(session, actor)
    return render_template(
        "households/list.html",
        households=page.rows,
        masked=_masked,
        chosen=chosen,
        places=places,
        categories=named(CATEGORIES),
        waiting=counts[0],
        open_tasks=counts[1],
        newer_url=page.newer and _list_url(chosen | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | {"cursor": page.older}),
        person={},
        errors={},
    )


def _places(session: Session, place: str, chosen: str | None) -> list[tuple[str, str]]:
    """Towns of the county, and the villages of the town that was chosen or that one is in."""
    found = places_within(session, place)
    if len(place) == COUNTY_DIGITS and chosen is not None:
        town = chosen[:TOWN_DIGITS]
        villages = [(code, f"· {name}") for code, name in places_within(session, town)]
        place_of_town = next((at for at, one in enumerate(found) if one[0] == town), len(found) - 1)
        found[place_of_town + 1 : place_of_town + 1] = villages
    return found if len(found) > 1 else []


def _masked(number: str | None) -> str:
    return "" if number is None else id_number_for(Audience.OFFICER, number)


def _list_url(values: Mapping[str, str]) -> str:
    query = urlencode(values)
    return f"{url_for('households.listed')}?{query}" if query else url_for("households.listed")


@blueprint.post("/households/find")
def find() -> str | tuple[str, int]:
    """The households of a person, by exact name or by ID number; that somebody looked is an event."""
    errors: Mapping[str, list[tuple[str, str]]] = {}
    found = None
    person: dict[str, Any] = {}
    try:
        person = form(FindForm)
    except InvalidInput as invalid:
        errors = invalid.fields
    else:
        looked = Change("households.searched", "household", "-", reason=",".join(person))
        with transaction() as session:
            record(session, acting(), now(), [looked])
        with reading() as session:
            found = found_by_person(
                session,
                sealer(),
                acting(),
                business_day(now()),
                person.get("name"),
                person.get("id_number"),
            )
    page = render_template(
        "households/found.html",
        households=found,
        masked=_masked,
        most=MOST_FOUND,
        person=person,
        errors={name: pick(*pairs[0]) for name, pairs in errors.items()},
    )
    return (page, 422) if errors else page


# --- one household -------------------------------------------------------------------------------------


@blueprint.get("/households/<household_id>")
def shown(household_id: str) -> str:
    """One household: members with cover and relatives, incomes, accounts, what waits, and its one timeline."""
    return _household_page(household_id, arguments(HouseholdPageArguments).get("kind"))


@blueprint.get("/households/<household_id>/full")
def masked_again(household_id: str) -> Response:
    """Whoever opens the address of a full view again gets the household as it is shown to everybody."""
    return redirect(url_for(".shown", household_id=household_id), 303)


@blueprint.post("/households/<household_id>/full")
def full(household_id: str) -> str | tuple[str, int]:
    """The same page with ID numbers and accounts in full, this once: for a purpose, counted, and an event."""
    asked = None
    with reading() as session:
        home = household_row(session, acting(), household_id)
        has_account = bool(accounts_of(session, sealer(), home.id))
    fields = ("id_number", "account") if has_account else ("id_number",)
    try:
        asked = form(FullViewForm)
        seen = grant_full_view("household", household_id, fields, asked)
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _household_page(household_id, None, typed=typed_reason(), errors=errors), 422
    return _household_page(household_id, None, seen=seen)


def _household_page(
    household_id: str,
    kind: str | None,
    *,
    seen: Disclosed | None = None,
    typed: Mapping[str, str] = _NOTHING,
    errors: Mapping[str, str] = _NOTHING,
) -> str:
    actor, today, in_full = acting(), business_day(now()), seen is not None
    with reading() as session:
        home = household_row(session, actor, household_id)
        members = members_of(session, sealer(), home.id, today)
        incomes = incomes_of(session, sealer(), home.id)
        accounts = accounts_of(session, sealer(), home.id)
        happenings = timeline_of(session, sealer(), home.id, today)
        happenings += slots.filled(session, sealer(), home.id)
        asked, found = proposals_of(session, sealer(), [home.id]), tasks_of(session, sealer(), [home.id])
        into = None if home.merged_into is None else session.get(HouseholdRow, home.merged_into)
        staff = names(session)
        moved = residences_of(session, home.id)
        matrix = newest_matrix(session, home.id)
    rows = [member_view(member, today, in_full=in_full) for member in members]
    return render_template(
        "households/household.html",
        home=home_view(home),
        offers=offered(home),
        may_propose=actor.role in PROPOSERS,
        into=None if into is None or not into.village_code.startswith(actor.place) else home_view(into),
        members=[row for row in rows if row["there"]],
        former=[row for row in rows if not row["there"]],
        has_head=any(row["head"] and row["there"] for row in rows),
        incomes=income_views(incomes),
        bars=income_bars(incomes),
        accounts=[account_view(one, today, staff, in_full=in_full) for one in accounts],
        lived=moved,
        matrix=matrix,
        may_compare=may_run(),
        may_clear=actor.role in ASKERS,
        proposals=[proposal_row(one, staff) for one in asked if one.state == "asked"],
        tasks=[task_row(task, staff) for task in found if task.state == "open"],
        happenings=_ordered(happenings, kind),
        kinds=[
            (
                capital(pick(*words)),
                url_for(".shown", household_id=home.id, kind=key) + "#timeline",
                key == kind,
                sum(item.kind == key for item in happenings),
            )
            for key, words in KINDS.items()
        ],
        all_url=url_for(".shown", household_id=home.id) + "#timeline",
        kind=kind,
        kind_names={key: capital(pick(*words)) for key, words in KINDS.items()},
        marks=_KIND_MARKS,
        may_change=actor.role in people_forms.RECORDERS and home.merged_into is None,
        purposes=offered_purposes(),
        seen=None if seen is None else told(seen),
        typed=typed,
        errors=errors,
        today=today.isoformat(),
    )


def _ordered(items: list[Item], kind: str | None) -> list[dict[str, Any]]:
    """The newest first; of one day as they were gathered."""
    chosen = [item for item in items if kind is None or item.kind == kind]
    return [
        {
            "on": item.on,
            "kind": item.kind,
            "title": capital(pick(*item.title)),
            "text": pick(*item.text),
            "url": item.url,
        }
        for item in sorted(chosen, key=lambda item: item.on, reverse=True)
    ]


# --- as it was on a day, as known at a moment ------------------------------------------------------------


@blueprint.get("/households/<household_id>/as-of")
def as_of(household_id: str) -> str:
    """What adjudication would see of the household for an event on a day, as known at the end of another day."""
    asked, today = arguments(AsOfArguments), business_day(now())
    on, known_on = asked.get("on", today), asked.get("known_on", today)
    with reading() as session:
        home = household_row(session, acting(), household_id)
        policy = asked.get("policy") or policy_on(session, on)
        numbers = sorted(periods(session))
        household = None
        if policy is not None:
            known_at = end_of_day(known_on, now())
            household = household_as_of(session, sealer(), home, policy, on, known_at)
    return render_template(
        "households/as_of.html",
        home=home_view(home),
        on=on.isoformat(),
        known_on=known_on.isoformat(),
        policy=policy or "",
        policies=[(number, number) for number in numbers],
        facts=None if household is None else facts_view(household),
        feeds={name: pick(*layout.title) for name, layout in layouts().items()},
    )


def end_of_day(day: date, at: datetime) -> datetime:
    """The last instant of a business day, or now where that is still to come."""
    midnight = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
    return min(midnight - timedelta(microseconds=1), at)
