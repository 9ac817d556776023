"""Pages for reporting an event (一下): made for a phone first, and whole without scripts.

Three steps: whom it is about, what has happened, and done. A name or an ID number is looked for by POST, so that none
ever stands in an address.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.places import VILLAGE_DIGITS
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.language import _, pick
from foundation.web.large import take_large
from foundation.web.requests import arguments, form
from households.queries.households import village_of
from households.queries.warning_people import (
    MOST_FOUND,
    households_with,
    member_of_place,
    villages_within,
)
from households.services.papers import ENDINGS
from households.services.warnings import (
    CHANNELS_OF,
    Photo,
    Stranger,
    Told,
    report_event,
    report_stranger,
)
from households.terms import HAPPENED, WARNING_CHANNELS
from households.warning_forms import MOST_NOTE, Nothing, ReportForm, StrangerForm, WhomForm

blueprint = Blueprint("warning_reports", __name__, template_folder="../templates")

MOST_PHOTO = 8 << 20
"""Bytes of a picture."""
_MOST_PARTS = 20
_PICTURES = {"jpg": "image/jpeg", "png": "image/png"}
_NOTHING: Mapping[str, str] = MappingProxyType({})


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets the two forms with a picture be large. Here, since the guard reads the form before any view is called."""
    if endpoint in ("warning_reports.add", "warning_reports.add_stranger") and request.method == "POST":
        take_large(_MOST_PARTS)


# --- whom ----------------------------------------------------------------------------------------------


@blueprint.get("/warnings/report")
def whom() -> str:
    """Whom it is about."""
    arguments(Nothing)
    return render_template("households/warnings_whom.html", person={}, found=None, errors={}, most=MOST_FOUND)


@blueprint.post("/warnings/report")
def found() -> str | tuple[str, int]:
    """The households of the place in which somebody has this name or number, to choose from."""
    errors: Mapping[str, str] = _NOTHING
    person: dict[str, Any] = {}
    homes = None
    try:
        person = form(WhomForm)
    except InvalidInput as invalid:
        errors = _said(invalid)
    else:
        with transaction() as session:
            change = Change("warning.person_searched", "warning_case", "-", reason=",".join(person))
            record(session, acting(), now(), [change])
        with reading() as session:
            day = business_day(now())
            homes = households_with(
                session, sealer(), acting(), day, person.get("name"), person.get("id_number")
            )
    page = render_template(
        "households/warnings_whom.html",
        person={"name": person.get("name", "")},
        found=homes,
        errors=errors,
        most=MOST_FOUND,
    )
    return (page, 422) if errors else page


# --- what has happened ---------------------------------------------------------------------------------


@blueprint.get("/warnings/report/<person_id>")
def blank(person_id: str) -> str:
    """What has happened to somebody of the place."""
    arguments(Nothing)
    return _form_page(person_id, {"form_token": secrets.token_hex(16)})


@blueprint.post("/warnings/report/<person_id>")
def add(person_id: str) -> Response | tuple[str, int]:
    """Files the report with its case."""
    try:
        told = _told(acting(), form(ReportForm))
        with transaction() as session:
            case_id = report_event(session, sealer(), acting(), now(), person_id, told)
    except InvalidInput as invalid:
        return _form_page(person_id, request.form, _said(invalid)), 422
    flash(_("已上报"), "ok")
    return redirect(url_for("warnings.shown", case_id=case_id), 303)


def _form_page(person_id: str, typed: Mapping[str, str], errors: Mapping[str, str] = _NOTHING) -> str:
    with reading() as session:
        home, member = member_of_place(session, sealer(), acting(), person_id, business_day(now()))
    return render_template(
        "households/warnings_report.html",
        home=home,
        member=member,
        typed=typed,
        errors=errors,
        **_offered(acting()),
    )


# --- somebody whom nobody knows ------------------------------------------------------------------------


@blueprint.get("/warnings/report/unknown")
def blank_stranger() -> str:
    """A report on somebody whom the register does not know."""
    arguments(Nothing)
    return _stranger_page({"form_token": secrets.token_hex(16)})


@blueprint.post("/warnings/report/unknown")
def add_stranger() -> Response | tuple[str, int]:
    """Files it with the person's case where the number is known after all, and else as a task for the register."""
    try:
        asked = form(StrangerForm)
        told = _told(acting(), asked)
        with transaction() as session:
            if village_of(session, asked["village"]) is None:
                raise InvalidInput({"village": [("没有这个村(居)", "there is no such village")]})
            person = Stranger(asked["name"], asked.get("id_number"), asked["village"])
            case_id = report_stranger(session, sealer(), acting(), now(), person, told)
    except NotFound:
        return _stranger_page(request.form, {"village": _("没有这个村(居)")}), 422
    except InvalidInput as invalid:
        return _stranger_page(request.form, _said(invalid)), 422
    if case_id is not None:
        flash(_("已上报"), "ok")
        return redirect(url_for("warnings.shown", case_id=case_id), 303)
    flash(_("已记下并交县中心核对身份,核对后会并入登记"), "ok")
    return redirect(url_for("warnings.listed"), 303)


def _stranger_page(typed: Mapping[str, str], errors: Mapping[str, str] = _NOTHING) -> str:
    actor = acting()
    with reading() as session:
        villages = villages_within(session, actor.place)
    alone = actor.place if len(actor.place) == VILLAGE_DIGITS else ""
    return render_template(
        "households/warnings_stranger.html",
        villages=villages,
        village=alone,
        typed=typed,
        errors=errors,
        **_offered(actor),
    )


# --- both forms ----------------------------------------------------------------------------------------


def _offered(actor: Actor) -> dict[str, Any]:
    """What both forms offer."""
    channels: Sequence[str] = CHANNELS_OF[actor.role]
    return {
        "happened": [(key, pick(*words), "") for key, words in HAPPENED.items()],
        "channels": [(key, pick(*WARNING_CHANNELS[key])) for key in channels],
        "today": business_day(now()).isoformat(),
        "most_note": MOST_NOTE,
        "most_megabytes": MOST_PHOTO >> 20,
    }


def _told(actor: Actor, asked: Mapping[str, Any]) -> Told:
    amount = asked.get("amount")
    return Told(
        report_id=asked["form_token"],
        what=asked["what"],
        on=asked["on"],
        channel=asked.get("channel") or CHANNELS_OF[actor.role][0],
        amount_fen=None if amount is None else int(amount),
        note=asked.get("note"),
        photo=_photo(),
    )


def _photo() -> Photo | None:
    """The picture that was sent, if any. Raises InvalidInput for one that is too large or no picture."""
    sent = request.files.get("photo")
    content = b"" if sent is None else sent.read(MOST_PHOTO + 1)
    if not content:
        return None
    if len(content) > MOST_PHOTO:
        wrong = (f"照片不超过 {MOST_PHOTO >> 20} MB", f"a picture of at most {MOST_PHOTO >> 20} MB")
        raise InvalidInput({"photo": [wrong]})
    kind = next((kind for start, kind in ENDINGS.items() if content.startswith(start)), "")
    if kind not in _PICTURES:
        raise InvalidInput({"photo": [("请上传 JPG 或 PNG 照片", "send a JPG or PNG picture")]})
    return Photo(_PICTURES[kind], content)


def _said(invalid: InvalidInput) -> dict[str, str]:
    return {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
