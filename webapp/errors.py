"""The one place that maps errors to answers of pages and API: status, sentence in the person's language, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import structlog
from flask import Flask, g, redirect, render_template, request, url_for
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError
from werkzeug.wrappers import Response

from foundation.errors import (
    BadRequest,
    ConfigurationError,
    ConflictError,
    FangpinError,
    InvalidInput,
    NotAllowedError,
    NotFound,
    SignInNeeded,
    TooManyRequests,
    UnusableInput,
)
from foundation.guards import refused
from foundation.sealing import Erased
from foundation.web.acting import now, surroundings
from foundation.web.idempotency import StillAtWork
from foundation.web.language import pick
from webapp.api.problems import problem
from webapp.guard import LONGEST_NEXT, StepUpNeeded, here, is_api
from webapp.logs import place_of
from webapp.services import access

_COUNTED = 1_000_000
"""Refusals of a person in a day that are counted; none is turned away for it."""

STATUS: dict[type[FangpinError], int] = {
    BadRequest: 400,
    SignInNeeded: 401,
    NotAllowedError: 403,
    NotFound: 404,
    ConflictError: 409,
    Erased: 410,
    InvalidInput: 422,
    UnusableInput: 422,
    TooManyRequests: 429,
    ConfigurationError: 503,
}

_OF_FLASK: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "请求有误,请返回后重试", "the request is malformed; go back and try again"),
    404: ("not_found", "没有此页面,请核对地址", "there is no such page; check the address"),
    405: ("method_not_allowed", "此地址不支持这种操作", "this address does not take that method"),
    406: ("not_acceptable", "无法按要求的格式回答", "the answer cannot be given in that format"),
    413: (
        "too_large",
        "提交的内容超过大小或数量上限,请分几次提交",
        "what was sent is over the limit in size or number; send it in parts",
    ),
    415: ("unsupported_media_type", "提交的格式不对", "what was sent is of the wrong type"),
    422: ("invalid_input", "填写的内容有误", "some values are wrong"),
    428: ("precondition_required", "请带上 If-Match", "send If-Match"),
    412: ("precondition_failed", "内容已被他人改动,请刷新后再试", "somebody has changed it; look again"),
}
_FAULT = (
    "fault",
    "程序出错,未作任何变动。请把下面的编号报给系统管理员",
    "a fault of the program; nothing was changed. Report the number below to the administrator",
)
_UNAVAILABLE = (
    "unavailable",
    "数据库暂时无法使用,未作任何变动,请稍后再试",
    "the database is not available; nothing was changed, try again later",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a failed request is answered with. `fields` are the faults of single values."""

    status: int
    code: str
    sentence: str
    fields: dict[str, list[str]]
    headers: dict[str, str]


def register(app: Flask) -> None:
    """Maps every exception of a request."""
    app.register_error_handler(Exception, _handle)


def answer_to(error: Exception) -> Answer:
    """Status and words for any exception."""
    if isinstance(error, FangpinError):
        return _domain(error)
    if isinstance(error, HTTPException):
        return _of_flask(error)
    if isinstance(error, DBAPIError):
        conflict = refused(error)
        if conflict is not None:
            return _domain(conflict)
        code, zh, en = _UNAVAILABLE
        return Answer(503, code, pick(zh, en), {}, {"Retry-After": "10"})
    code, zh, en = _FAULT
    return Answer(500, code, pick(zh, en), {}, {})


def _domain(error: FangpinError) -> Answer:
    status = next((number for kind, number in STATUS.items() if isinstance(error, kind)), 409)
    fields: dict[str, list[str]] = {}
    headers: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        fields = {name: [pick(*pair) for pair in pairs] for name, pairs in error.fields.items()}
    if isinstance(error, UnusableInput):
        for fault in error.faults:
            fields.setdefault(fault.place, []).append(pick(fault.zh, fault.en))
    if isinstance(error, TooManyRequests | StillAtWork):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, SignInNeeded) and is_api():
        headers["WWW-Authenticate"] = "Bearer"
    return Answer(status, error.code, pick(error.zh, error.en), fields, headers)


def _of_flask(error: HTTPException) -> Answer:
    status = error.code or 500
    code, zh, en = _OF_FLASK.get(status, _FAULT if status >= 500 else _OF_FLASK[400])
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    data = getattr(error, "data", None)  # webargs puts its messages here
    fields = (
        _flat(data["messages"]) if isinstance(data, dict) and isinstance(data.get("messages"), dict) else {}
    )
    return Answer(status, code, pick(zh, en), fields, headers)


def _flat(messages: dict[str, object], before: str = "") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in messages.items():
        where = f"{before}{name}"
        if isinstance(value, dict):
            found |= _flat(value, f"{where}.")
        else:
            found[where] = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return found


def _handle(error: Exception) -> Response | tuple[str, int, dict[str, str]]:
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()  # a redirect of the router's
    if isinstance(error, SecurityError):
        # An untrusted host: no address can be built for it, so there is no page either.
        return Response(
            pick("主机名不受信任", "this host name is not served here") + "\n", 400, mimetype="text/plain"
        )
    answer = answer_to(error)
    if answer.status >= 500:
        g.failed = True  # the error page asks the database for nothing
        structlog.get_logger().error("fault", error=type(error).__name__, place=place_of(error))
    if answer.status in (403, 404, 429):
        _count_refusal(answer.status)
    if is_api():
        return problem(answer.status, answer.code, answer.sentence, answer.fields, answer.headers)
    if isinstance(error, StepUpNeeded):
        back = here() if request.method == "GET" else _came_from()
        return redirect(url_for("account.step_up", next=back), 303)
    page = render_template(
        "error.html",
        status=answer.status,
        status_name=HTTPStatus(answer.status).phrase,
        sentence=answer.sentence,
        fields=answer.fields,
        request_id=g.get("request_id", ""),
    )
    return page, answer.status, answer.headers


def _count_refusal(status: int) -> None:
    """Counts what a signed-in person was refused, by the day. No event: a GET writes none."""
    actor = g.get("actor")
    if actor is None or request.endpoint is None:
        return
    try:
        with surroundings().database.transaction() as session:
            access.allow(session, f"refused_{status}", actor.account, now(), _COUNTED, timedelta(days=1))
    except DBAPIError as error:
        structlog.get_logger().error("not counted", error=type(error).__name__)


def _came_from() -> str:
    """The local page that a refused POST was sent from, so that the person comes back to it after the step-up."""
    referrer = request.referrer or ""
    start = request.host_url
    back = "/" + referrer.removeprefix(start) if referrer.startswith(start) else "/"
    return back if len(back) <= LONGEST_NEXT else "/"
