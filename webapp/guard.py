"""Stands before every request: recognises the person, asks the rights table, checks the CSRF token and the limits.

Nothing here knows a feature. What a person may see of a list is held by their place, in every query.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, redirect, request, session, url_for
from markupsafe import Markup
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response

from foundation.actors import Actor
from foundation.errors import BadRequest, NotAllowedError, NotFound, SignInNeeded, TooManyRequests
from foundation.web.acting import acting, now, sealer, set_acting, surroundings
from foundation.web.requests import CSRF_FIELD
from webapp.rights import Open, Right, right_of
from webapp.services import access, sessions, tokens

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOUCH_EVERY = timedelta(minutes=1)
_MINUTE = timedelta(minutes=1)
LONGEST_NEXT = 900
_NEXT_PAGE = {
    "second_factor": "account.second_factor",
    "enrol": "account.enrol",
    "new_password": "account.new_password",
}


def register(app: Flask) -> None:
    """Puts the guard before every request."""
    app.before_request(_protect)
    app.jinja_env.globals["csrf_field"] = csrf_field


def is_api() -> bool:
    """Whether the request is for the API: tokens instead of cookies, problems instead of pages."""
    return request.path.startswith("/api/")


def _protect() -> Response | None:
    set_acting(None)
    g.person = None
    if request.endpoint is None or request.method == "OPTIONS":
        return None  # Flask answers: no such page, no such method, or which methods there are.
    right = right_of(request.endpoint, request.method)
    if right is None:
        raise MethodNotAllowed()
    if request.endpoint == "static":
        return None
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        raise NotFound  # no row has such an id, and PostgreSQL takes no text with it
    if is_api():
        _recognise_token(right)
        _check_role(right)
    else:
        _recognise_session(right)
        answer = _next_page(right)
        if answer is not None:
            return answer
        _check_role(right)  # before the form is read: an upload is large
        if request.method not in _SAFE:
            _check_csrf()
        _check_step_up(right)
    if right.most_a_minute is not None:
        _limit(right.most_a_minute, acting())
    return None


def _recognise_session(right: Right) -> None:
    secret = request.cookies.get(sessions.cookie_name(plain_http=current_app.config["FANGPIN_PLAIN_HTTP"]))
    if not secret:
        return
    at = now()
    with surroundings().database.reading() as database:
        person = sessions.recognise(database, secret, at)
    if person is None or (person.demo and not _demo()):
        return
    g.person = person
    set_acting(person.actor)
    # A page that asks by itself how far a job is keeps nobody signed in.
    if at - person.seen_at >= _TOUCH_EVERY and not right.polled:
        with surroundings().database.transaction() as database:
            sessions.touch(database, person.session_id, at)


def _recognise_token(right: Right) -> None:
    if right.open_to is Open.PUBLIC:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise SignInNeeded(
            "需要 API 令牌(Authorization: Bearer …)", "an API token is needed (Authorization: Bearer …)"
        )
    with surroundings().database.reading() as database:
        found = tokens.recognise_token(database, secret, now())
    if found is None or (found.demo and not _demo()):
        raise SignInNeeded("API 令牌无效、已过期或已撤销", "the API token is unknown, expired or revoked")
    g.token = found
    set_acting(found.actor)
    if right.scope is not None and right.scope not in found.scopes:
        raise NotAllowedError(f"令牌没有 {right.scope} 权限", f"the token lacks the scope {right.scope}")


def _next_page(right: Right) -> Response | None:
    """Where a person who is not wholly signed in has to go first; None when they may go on."""
    person = g.person
    if right.open_to is Open.PUBLIC:
        return None
    if person is None:
        if request.method in _SAFE and not request.headers.get("HX-Request"):
            return redirect(f"{url_for('account.sign_in')}?{urlencode({'next': here()})}", 303)
        raise SignInNeeded
    if right.open_to is Open.PASSWORD:
        return None
    if person.next_step in _NEXT_PAGE:
        if request.method in _SAFE:
            return redirect(url_for(_NEXT_PAGE[person.next_step]), 303)
        raise SignInNeeded("请先完成登录", "finish signing in first")
    return None


def here() -> str:
    """This address, to come back to; the home page for one that is too long to be carried along."""
    address = request.full_path.rstrip("?")
    return address if len(address) <= LONGEST_NEXT else "/"


def _demo() -> bool:
    """Whether this is the demo: elsewhere a demo account, whose password everybody knows, is nobody's."""
    return bool(current_app.extensions["fangpin_options"].demo)


def _check_role(right: Right) -> None:
    if right.open_to in (Open.PUBLIC, Open.PASSWORD):
        return
    person = g.person
    if right.open_to is Open.SIGNED_IN and person is not None and person.actor is None:
        return  # one's own account stays reachable when a role was taken away
    if person is not None and person.actor is None:
        raise NotAllowedError(
            "您目前没有有效的岗位,请联系安全管理员",
            "you hold no role at present; ask the security administrator",
        )
    actor = acting()
    if not actor.place.startswith(current_app.extensions["fangpin_options"].county):
        raise NotAllowedError("您的岗位不在本县", "your role is held in another county")
    if not right.allows(actor.role, actor.place):
        raise NotAllowedError("您的岗位不能使用此功能", "this is not for your role")


def _check_step_up(right: Right) -> None:
    if right.step_up and not sessions.is_stepped_up(g.person.second_factor_at, now()):
        raise StepUpNeeded


class StepUpNeeded(NotAllowedError):
    """A fresh second factor is asked for before this step."""

    code = "step_up_needed"

    def __init__(self) -> None:
        super().__init__("此操作须重新验证动态口令", "this step asks for a fresh code of your second factor")


def _limit(most: int, actor: Actor) -> None:
    """By person and by place, not by address: a whole office sits behind one."""
    kind = request.endpoint or ""
    with surroundings().database.transaction() as database:
        allowed = access.allow(database, kind, actor.account, now(), most, _MINUTE)
        allowed = access.allow(database, kind, f"place:{actor.place}", now(), most * 5, _MINUTE) and allowed
    if not allowed:
        raise TooManyRequests("操作过于频繁,请一分钟后再试", "too many in a minute; try again in one", 60)


# --- CSRF ------------------------------------------------------------------------------------------------------------


def csrf_token() -> str:
    """The token of this sign-in, or of this visitor before it: a keyed digest, so that no table holds it."""
    if g.get("person") is not None:
        whose = f"session:{g.person.session_id}"
    else:
        if "visitor" not in session:
            session["visitor"] = secrets.token_hex(16)
        whose = f"visitor:{session['visitor']}"
    return sealer().digest("csrf", whose.encode())


def csrf_field() -> Markup:
    """The hidden field that every form carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf_token())


def _check_csrf() -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        raise _forged()
    given: Any = request.form.get(CSRF_FIELD) or request.headers.get("X-CSRF-Token") or ""
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise _forged()


def _forged() -> BadRequest:
    return BadRequest(
        "页面已过期或请求来源不明,请返回刷新后再试",
        "the page is out of date or the request came from elsewhere; reload it",
    )
