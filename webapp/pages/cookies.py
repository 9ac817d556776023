"""Cookies that our own pages set, and local paths to go back to."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.services import sessions

_YEAR = timedelta(days=365)


def safe_next(wanted: str | None) -> str:
    """A path of this application to go to, or the home page for anything else.

    One `/` and no other slash or backslash after it, visible ASCII only: browsers drop tabs and line breaks, and read
    a backslash as a slash, which would lead to another host.
    """
    home = url_for("home.home")
    if not wanted or not wanted.startswith("/") or wanted[1:2] == "/":
        return home
    return wanted if all("!" <= char <= "~" and char != "\\" for char in wanted) else home


def session_secret() -> str | None:
    """What the browser holds of a session."""
    return request.cookies.get(_session_cookie())


def keep_session(response: Response, secret: str) -> None:
    """Gives the browser a session's secret, until it is closed."""
    response.set_cookie(_session_cookie(), secret, secure=_secure(), httponly=True, samesite="Lax", path="/")


def drop_session(response: Response) -> None:
    """Takes the secret from the browser, and what it keeps of our pages."""
    response.delete_cookie(_session_cookie(), secure=_secure(), httponly=True, samesite="Lax", path="/")
    response.headers["Clear-Site-Data"] = '"cache"'


def remembering(name: str, value: str, wanted: str | None) -> Response:
    """Back to where the person was, with a choice remembered for a year."""
    response = redirect(safe_next(wanted), 303)
    response.set_cookie(name, value, max_age=_YEAR, secure=_secure(), httponly=True, samesite="Lax", path="/")
    return response


def _secure() -> bool:
    return not current_app.config["FANGPIN_PLAIN_HTTP"]


def _session_cookie() -> str:
    return sessions.cookie_name(plain_http=current_app.config["FANGPIN_PLAIN_HTTP"])
