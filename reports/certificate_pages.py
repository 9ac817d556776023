"""The page that asks for certificates of cover 保险凭证: of a household by its number, or of a whole village."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.errors import InvalidInput
from foundation.web.acting import acting, now, reading, ring, transaction
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.actions import offer
from households.models import HouseholdRow
from reports.certificates import CertificatesAsked, household_by_number, offered_policies
from reports.errors import NotCovered
from reports.notices import villages
from reports.pages import PUBLISHERS
from reports.schemas import CertificateArguments, CertificateForm
from reports.services import ask_for_certificates
from reports.terms import COVER_CERTIFICATE

blueprint = Blueprint("certificates", __name__, template_folder="page_templates")

_NOTHING: Mapping[str, str] = MappingProxyType({})


def register(app: Flask) -> None:
    """Puts the link to the form on the pages of an application's households."""
    offer(app, _offered)


def _offered(home: HouseholdRow) -> tuple[tuple[str, str], str] | None:
    if acting().role not in PUBLISHERS:
        return None
    words = ("出具保险凭证", "issue a certificate of cover")
    return words, url_for("certificates.blank", household_no=home.household_no)


@blueprint.get("/certificates")
def blank() -> str:
    """The form; from a household's page with its number."""
    return _page({name: str(value) for name, value in arguments(CertificateArguments).items()}, _NOTHING)


@blueprint.post("/certificates")
def ask() -> Response | tuple[str, int]:
    """Certificates are asked for; they are issued in the background."""
    try:
        asked = form(CertificateForm)
        with transaction() as session:
            wanted = _wanted(session, asked)
            ask_for_certificates(session, acting(), now(), wanted)
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
    except NotCovered as nobody:
        errors = {"policy": pick(nobody.zh, nobody.en)}
    else:
        ring(COVER_CERTIFICATE, wanted.subject_id)
        flash(_("已提交,出具后列在文书报表中,请稍后刷新"), "ok")
        return redirect(url_for("reports.documents", kind=COVER_CERTIFICATE), 303)
    typed = {name: value[:60] for name, value in request.form.items() if name in CertificateForm.FIELDS}
    return _page(typed, errors), 422


def _wanted(session: Session, asked: Mapping[str, str]) -> CertificatesAsked:
    """What a form asks for. Raises InvalidInput for what lies outside the actor's place."""
    actor = acting()
    if asked["policy"] not in {policy.number for policy in offered_policies(session)}:
        raise InvalidInput({"policy": [("没有这张保单", "there is no such policy")]})
    if "village" in asked:
        if asked["village"] not in {village.code for village in villages(session, actor.place)}:
            raise InvalidInput({"village": [("没有这个村(居)", "there is no such village")]})
        return CertificatesAsked(asked["village"], asked["policy"])
    household = household_by_number(session, actor.place, asked["household_no"])
    if household is None:
        raise InvalidInput(
            {"household_no": [("没有找到这一户,或不在您的管辖范围内", "not found, or outside your place")]}
        )
    return CertificatesAsked(household, asked["policy"])


def _page(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with reading() as session:
        policies = offered_policies(session)
        places = villages(session, acting().place)
    return render_template(
        "reports/certificates.html",
        policies=[(policy.number, f"{policy.number} · {policy.title}") for policy in policies],
        villages=[(village.code, f"{village.name} · {village.town}") for village in places],
        kind=COVER_CERTIFICATE,
        typed=typed,
        errors=errors,
    )
