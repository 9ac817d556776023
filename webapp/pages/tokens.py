"""One's own API tokens: the list, making one (shown once, after a step-up) and revoking one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from foundation.errors import InvalidInput
from foundation.web.acting import acting, now, reading, transaction
from foundation.web.fields import Choice, CleanText, RowId, Several, TextSchema, Whole
from foundation.web.language import _, pick
from foundation.web.requests import form
from webapp.services import tokens
from webapp.services.tokens import MOST_DAYS, SCOPES
from webapp.views import place_name, role_name

blueprint = Blueprint("tokens", __name__)


class TokenForm(TextSchema):
    """A token to be made."""

    name = CleanText(max=60, required=True)
    grant_id = RowId(required=True)
    scopes = Several(Choice(SCOPES), max=len(SCOPES), required=True)
    days = Whole(1, MOST_DAYS, required=True)


class NoFields(TextSchema):
    """A form of one button."""


@blueprint.get("/account/tokens")
def listed() -> str:
    """My tokens."""
    return _page()


@blueprint.post("/account/tokens")
def make_token() -> str | tuple[str, int]:
    """Makes a token and shows its secret, this once."""
    try:
        asked = form(TokenForm)
        with transaction() as session:
            _made, secret = tokens.make_token(session, acting(), now(), **asked)
    except InvalidInput as error:
        return _page(faults=error.fields), 422
    return _page(secret=secret)


@blueprint.post("/account/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> Response:
    """Ends a token at once."""
    form(NoFields)
    with transaction() as session:
        tokens.revoke_token(session, acting(), now(), token_id)
    flash(_("令牌已撤销,立即失效"), "ok")
    return redirect(url_for("tokens.listed"), 303)


def _page(secret: str = "", faults: dict[str, list[tuple[str, str]]] | None = None) -> str:
    person: Any = g.person
    with reading() as session:
        found = tokens.tokens_of(session, person.account_id)
    roles = {grant.id: f"{role_name(grant.role)} · {place_name(grant.place)}" for grant in person.grants}
    errors = {name: "; ".join(pick(*pair) for pair in pairs) for name, pairs in (faults or {}).items()}
    return render_template(
        "account/tokens.html",
        tokens=found,
        roles=roles,
        scopes=[(scope, pick(*names)) for scope, names in SCOPES.items()],
        secret=secret,
        errors=errors,
        typed=request.form if errors else MultiDict(),
        most_days=MOST_DAYS,
        now=now(),
    )
