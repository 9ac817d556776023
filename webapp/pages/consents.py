"""Pages of the consent texts 告知同意书: their versions, each to be read out or printed, and the lawful bases."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from claims.consent import LAWFUL_BASES, Consent, Form, consent, consent_on, consents
from foundation.clock import business_day
from foundation.errors import NotFound
from foundation.web.acting import now
from foundation.web.fields import StrictSchema
from foundation.web.language import pick
from foundation.web.requests import arguments
from webapp.trail_view import grouped

blueprint = Blueprint("consents", __name__)


class _Nothing(StrictSchema):
    """An address without parameters."""


@blueprint.get("/consents")
def listed() -> str:
    """Every version of the text, and on what ground of law each set of data is processed."""
    arguments(_Nothing)
    today = consent_on(business_day(now()))
    return render_template(
        "consents/list.html",
        consents=[_row(found) | {"applies": found == today} for found in consents()],
        bases=[
            {
                "data": _capital(pick(*basis.data)),
                "who": _capital(pick(*basis.who)),
                "ground": _capital(pick(*basis.ground)),
                "source": pick(*basis.source),
            }
            for basis in LAWFUL_BASES
        ],
    )


@blueprint.get("/consents/<version>/<form_code>")
def shown(version: str, form_code: str) -> str:
    """One text as one kind of signer gets it, fit to be printed on A4 and signed."""
    arguments(_Nothing)
    try:
        found = consent(version)
        text = found.form(form_code)
    except KeyError:
        raise NotFound from None
    return render_template(
        "consents/text.html",
        consent=_row(found),
        form=_form(text),
        forms=[(form.code, pick(*form.name)) for form in found.forms],
    )


def _row(found: Consent) -> dict[str, Any]:
    return {
        "version": found.version,
        "title": pick(*found.title),
        "applies_from": found.applies_from,
        "basis": [pick(*pair) for pair in found.basis],
        "digest": grouped(found.digest),
        "forms": [(form.code, pick(*form.name)) for form in found.forms],
    }


def _form(text: Form) -> dict[str, Any]:
    return {
        "code": text.code,
        "name": pick(*text.name),
        "opening": pick(*text.opening),
        "sections": [
            (pick(*part.title), [pick(*paragraph) for paragraph in part.text]) for part in text.sections
        ],
        "boxes": [pick(*box.text) for box in text.boxes],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
