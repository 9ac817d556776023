"""Entering changes of a household: what can be entered, each form, its second look, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.clock import business_day
from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS
from foundation.web.acting import acting, now, reading, sealer, stored_files, transaction
from foundation.web.language import _, pick
from foundation.web.large import take_large
from foundation.web.requests import arguments, form
from households.pages import change_kinds, proposal_kinds
from households.pages.change_parts import About, Doing, Field, Kind
from households.pages.household_rows import capital, home_view, member_view
from households.queries.households import household_row, places_within
from households.queries.people import members_of
from households.queries.proposals import Paper
from households.schemas import AboutArguments
from households.services import papers
from households.services.register import DoubtfulPerson
from households.services.tasks import open_tasks
from policies.queries import periods

blueprint = Blueprint("changes", __name__)

RECORDERS = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER})
"""Whose pages have the links to these forms; the rights table is what holds them."""
KINDS: Mapping[str, Kind] = {**change_kinds.KINDS, **proposal_kinds.KINDS}

_MOST_PARTS = 200
_MOST_TYPED = 200
_NOT_YET = (Paper("-", 0, "0" * 64),)
"""Stands for the papers while a proposal is only looked at: they come along when it is made."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _OnlyLooked(Exception):
    """Ends the transaction of a second look: nothing of it stays."""


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets papers come along. Here, since the guard reads the form before any view is called."""
    if endpoint == "households.changes.entered" and request.method == "POST":
        take_large(_MOST_PARTS)


@blueprint.get("/households/<household_id>/change")
def offered(household_id: str) -> str:
    """Everything that can be entered of a household, and of each of its members."""
    today = business_day(now())
    with reading() as session:
        home = household_row(session, acting(), household_id)
        members = members_of(session, sealer(), home.id, today)
    of = {
        subject: [(key, capital(pick(*kind.title))) for key, kind in KINDS.items() if kind.subject == subject]
        for subject in ("household", "member")
    }
    return render_template(
        "households/changes.html",
        home=home_view(home),
        members=[member_view(member, today) for member in members],
        of_household=[one for one in of["household"] if not KINDS[one[0]].proposal],
        proposals=[one for one in of["household"] if KINDS[one[0]].proposal],
        of_member=of["member"],
    )


@blueprint.get("/households/<household_id>/change/<kind>")
def blank(household_id: str, kind: str) -> str:
    """A form, filled in with what is registered."""
    asked = arguments(AboutArguments)
    with reading() as session:
        about = _about(session, household_id, _kind(kind), asked.get("about"))
    typed = {one.name: one.value for one in _kind(kind).fields(about)}
    return _form_page(kind, about, typed, asked.get("about"), asked.get("task"))


@blueprint.post("/households/<household_id>/change/<kind>")
def entered(household_id: str, kind: str) -> Response | str | tuple[str, int]:
    """Looks at a form again with everything checked, goes back to it, or does it."""
    found = _kind(kind)
    about_id = request.form.get("about") or None
    with reading() as session:
        about = _about(session, household_id, found, about_id)
    typed = _typed()
    task = typed.pop("task", "") or None
    if request.form.get("step") == "edit":
        return _form_page(kind, about, typed, about_id, task)
    try:
        values = form(found.form(about))
        if values["step"] == "done":
            return _done(found, about, values)
        return _second_look(kind, found, about, values, typed, about_id, task)
    except DoubtfulPerson as doubtful:
        with transaction() as session:
            open_tasks(session, sealer(), acting(), now(), [doubtful.finding])
        return _form_page(kind, about, typed, about_id, task, said=pick(doubtful.zh, doubtful.en)), 409
    except ConflictError as conflict:
        return _form_page(kind, about, typed, about_id, task, said=pick(conflict.zh, conflict.en)), 409
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _form_page(kind, about, typed, about_id, task, errors=errors), 422


def _second_look(
    kind: str,
    found: Kind,
    about: About,
    values: Mapping[str, Any],
    typed: Mapping[str, str],
    about_id: str | None,
    task: str | None,
) -> str:
    """What would be done, tried out in a transaction that is rolled back."""
    adds: list[tuple[str, str]] = []
    doubts: list[str] = []
    try:
        with transaction() as session:
            doing = Doing(session, sealer(), acting(), now(), about, _NOT_YET if found.proposal else ())
            adds = found.adds(doing, values)
            doubts = [capital(pick(*pair)) for pair in found.doubts(doing, values)]
            found.run(doing, values)
            raise _OnlyLooked
    except _OnlyLooked:
        pass
    fields = found.fields(about)
    return render_template(
        "households/change_check.html",
        **_common(kind, found, about, about_id, task),
        rows=[_row(field, typed.get(field.name, "")) for field in fields],
        adds=adds,
        doubts=doubts,
        typed={field.name: typed[field.name] for field in fields if typed.get(field.name)},
    )


def _row(field: Field, value: str) -> tuple[str, str, bool]:
    """(label, what was filled in, whether that is in nobody's language) of a field."""
    if field.type == "select":
        return field.label, dict(field.options).get(value, ""), field.own_words
    if field.type == "check":
        return field.label, _("是") if value else _("否"), False
    return field.label, value, True


def _done(found: Kind, about: About, values: Mapping[str, Any]) -> Response:
    sent = [file.stream.read() for file in request.files.getlist("papers") if file.filename]
    received = papers.receive(stored_files(), sent) if found.proposal else ()
    with transaction() as session:
        found.run(Doing(session, sealer(), acting(), now(), about, received), values)
    said = (
        _("已提交,须由另一人审批")
        if found.proposal
        else _("已登记:%(what)s", what=capital(pick(*found.title)))
    )
    flash(said, "ok")
    with reading() as session:
        try:
            household_row(session, acting(), about.home.id)
        except NotFound:  # it has moved out of the place of who entered that
            return redirect(url_for("households.listed"), 303)
    return redirect(url_for("households.shown", household_id=about.home.id), 303)


def _kind(kind: str) -> Kind:
    """A kind of change. Raises NotFound for one that there is not."""
    if kind not in KINDS:
        raise NotFound
    return KINDS[kind]


def _about(session: Session, household_id: str, kind: Kind, about_id: str | None) -> About:
    """What a form is about. Raises NotFound for a member, cover or relative that the household does not have."""
    actor, today = acting(), business_day(now())
    home = household_row(session, actor, household_id)
    members = members_of(session, sealer(), home.id, today)
    member = cover = relative = None
    for one in members:
        if one.membership_id == about_id:
            member = one
        cover = next((line for line in one.covers if line.id == about_id), cover)
        relative = next((line for line in one.relatives if line.id == about_id), relative)
    needed = {"member": member, "cover": cover, "relative": relative}
    if kind.subject in needed and needed[kind.subject] is None:
        raise NotFound
    return About(
        home, today, members, periods(session), _villages(session, home.village_code), member, cover, relative
    )


def _villages(session: Session, village_code: str) -> list[tuple[str, str]]:
    """(code, town and village) of the county that a household is in."""
    found = []
    for code, town in places_within(session, village_code[:COUNTY_DIGITS]):
        if len(code) == TOWN_DIGITS:
            found += [(one, f"{town} {name}") for one, name in places_within(session, code)]
    return found


def _typed() -> dict[str, str]:
    return {
        name: value[:_MOST_TYPED]
        for name, value in request.form.items()
        if name not in ("csrf_token", "step", "about")
    }


def _form_page(
    kind: str,
    about: About,
    typed: Mapping[str, str],
    about_id: str | None,
    task: str | None,
    errors: Mapping[str, str] = _NOTHING,
    said: str = "",
) -> str:
    found = _kind(kind)
    fields = found.fields(about)
    shown = {"papers": errors["papers"]} if "papers" in errors else {}
    for name, text in errors.items():
        shown.setdefault(name if name in {field.name for field in fields} else "", text)
    return render_template(
        "households/change.html",
        **_common(kind, found, about, about_id, task),
        fields=fields,
        typed=typed,
        errors=shown,
        said=said,
    )


def _common(kind: str, found: Kind, about: About, about_id: str | None, task: str | None) -> dict[str, Any]:
    member = about.member
    return {
        "home": home_view(about.home),
        "kind": kind,
        "title": capital(pick(*found.title)),
        "proposal": found.proposal,
        "needs_paper": found.proposal and kind != "account",
        "who": None if member is None else member_view(member, about.today),
        "about_id": about_id or "",
        "task": task or "",
        "most_papers": papers.MOST_PAPERS,
        "most_megabytes": papers.MOST_BYTES >> 20,
    }
