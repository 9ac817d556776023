"""The access log 访问日志: who saw whom in full and why, who looked for whom, who was refused, who signed in.

The security administrator, the auditor and the log administrator read it; what somebody wrote beside a purpose is for
the first two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, render_template, url_for
from sqlalchemy.orm import Session

from foundation.actors import Role
from foundation.privacy.disclosures import most_a_day
from foundation.privacy.exports import MOST_ALONE, number_text
from foundation.privacy.models import Disclosure
from foundation.sealing import ERASED
from foundation.staff.queries import names
from foundation.trail.events import Event
from foundation.web.acting import acting, reading, sealer
from foundation.web.disclosing import field_words, purpose_words
from foundation.web.fields import Choice, CleanText, IsoDate, StrictSchema
from foundation.web.language import _, pick
from foundation.web.paging import Page
from foundation.web.requests import arguments
from webapp import access_queries as queries
from webapp.access_queries import MANY_REFUSED, AccessFilters
from webapp.rights import right_of
from webapp.views import role_name

blueprint = Blueprint("access", __name__)

READS_NOTES = frozenset({Role.SEC_ADMIN, Role.AUDITOR})

PARTS: Mapping[str, tuple[str, str]] = {
    "views": ("完整信息查看", "Full views"),
    "searches": ("按人查找", "Searches for people"),
    "refusals": ("被拒请求", "Refused requests"),
    "sign-ins": ("登录", "Sign-ins"),
    "alerts": ("预警", "Alerts"),
}
SIGN_IN_NAMES = {
    "account.signed_in": ("ok", "登录成功", "Signed in"),
    "account.sign_in_failed": ("warn", "登录失败", "Failed"),
    "account.locked": ("bad", "账号锁定", "Account locked"),
    "account.signed_out": ("neutral", "退出登录", "Signed out"),
}
_WRONG = {"password": ("密码不对", "Wrong password"), "code": ("动态口令不对", "Wrong code")}
_SEARCHED = {"name": ("姓名", "name"), "id_number": ("身份证号", "ID number")}
_ALERTS = {
    "limit": ("bad", "当日查看已满后继续查看", "Came for one more full view than a day has"),
    "refused": ("warn", "一天内多次被拒", "Was refused many times in a day"),
    "export": ("warn", "大批量导出", "A large export"),
}


class _ListArguments(StrictSchema):
    """Which part of the log, and what it is narrowed to."""

    part = Choice(PARTS, load_default="views")
    person = CleanText(max=50)
    day_from = IsoDate()
    day_to = IsoDate()
    cursor = CleanText(max=600)


@blueprint.get("/access")
def listed() -> str:
    """One part of the log by person and day, newest first."""
    asked = arguments(_ListArguments)
    part, cursor = asked.pop("part"), asked.pop("cursor", None)
    filters = AccessFilters(**asked)
    with reading() as session:
        people = names(session)
        page, more = _READERS[part](session, filters, cursor, people)
    chosen = {name: str(value) for name, value in asdict(filters).items() if value is not None}

    def address(**values: str) -> str:
        return f"{url_for('.listed')}?{urlencode({'part': part} | chosen | values)}"

    return render_template(
        "access/list.html",
        part=part,
        part_title=pick(*PARTS[part]),
        tabs=[(pick(*words), address(part=key), key == part, None) for key, words in PARTS.items()],
        rows=page.rows,
        total=page.total,
        chosen=chosen,
        most_a_day=most_a_day(),
        many_refused=MANY_REFUSED,
        most_alone=MOST_ALONE,
        reads_notes=acting().role in READS_NOTES,
        newer_url=page.newer and address(cursor=page.newer),
        older_url=page.older and address(cursor=page.older),
        **more,
    )


Shown = tuple[Page[dict[str, Any]], dict[str, Any]]
"""A page of rows ready to print, and what the part's template takes beside it."""


def _with(page: Page[Any], rows: list[dict[str, Any]]) -> Page[dict[str, Any]]:
    return Page(rows, page.newer, page.older, page.total)


def _views(session: Session, filters: AccessFilters, cursor: str | None, people: Mapping[str, str]) -> Shown:
    page = queries.views(session, filters, cursor)
    things = queries.things(session, page.rows)
    days = queries.views_by_day(session, filters)
    rows = [_view(row, things, people) for row in page.rows]
    by_day = [
        {"day": row.seen_on, "who": people.get(row.person, row.person), "views": row.views} for row in days
    ]
    return _with(page, rows), {"by_day": by_day, "most_days": queries.MOST_DAYS}


def _view(
    row: Disclosure, things: Mapping[str, tuple[str, str]], people: Mapping[str, str]
) -> dict[str, Any]:
    name, page_id = things.get(row.subject_id, (row.subject_id[:8], ""))
    return {
        "at": row.at,
        "who": people.get(row.person, row.person),
        "role": role_name(row.role),
        "thing": name,
        "url": _page_of(row.subject, page_id),
        "fields": field_words(row.fields.split(",")),
        "purpose": purpose_words(row.purpose),
        "note": _note(row),
    }


_PAGES = {"claim": ("claims.shown", "claim_id"), "household": ("households.shown", "household_id")}
"""Where a thing is shown, and under which name its page takes the id; a payment in its batch."""


def _page_of(subject: str, page_id: str) -> str:
    """The page of a thing, where the person who looks may open it; else ''."""
    endpoint, argument = _PAGES.get(subject, ("payments.batch", "batch_id"))
    right = right_of(endpoint, "GET")
    if not page_id or right is None or not right.allows(acting().role, acting().place):
        return ""
    named: dict[str, Any] = {argument: page_id}
    return url_for(endpoint, **named)


def _note(row: Disclosure) -> str:
    if row.note is None or acting().role not in READS_NOTES:
        return ""
    if row.note == ERASED:
        return _("(已按保存期限清除)")
    return sealer().reveal("disclosure", "note", row.id, row.note)


def _searches(
    session: Session, filters: AccessFilters, cursor: str | None, people: Mapping[str, str]
) -> Shown:
    page = queries.searches(session, filters, cursor)
    return _with(page, [_search(event, people) for event in page.rows]), {}


def _search(event: Event, people: Mapping[str, str]) -> dict[str, Any]:
    body = orjson.loads(event.body)
    actor = body["actor"]
    looked_by = [pick(*_SEARCHED[name]) for name in body["reason"].split(",") if name in _SEARCHED]
    return {
        "at": event.at,
        "who": people.get(actor["person"], actor["person"]),
        "role": role_name(actor["role"]),
        "by": pick("、", ", ").join(looked_by),
    }


def _refusals(
    session: Session, filters: AccessFilters, cursor: str | None, people: Mapping[str, str]
) -> Shown:
    page = queries.refusals(session, filters, cursor)
    rows = [
        {
            "at": row.at,
            "who": people.get(row.person, row.person),
            "login": row.login,
            "forbidden": int(row.forbidden),
            "not_found": int(row.not_found),
            "too_many": int(row.too_many),
            "times": int(row.times),
        }
        for row in page.rows
    ]
    return _with(page, rows), {"totals": queries.refusals_by_kind(session, filters)}


def _sign_ins(
    session: Session, filters: AccessFilters, cursor: str | None, people: Mapping[str, str]
) -> Shown:
    page = queries.sign_ins(session, filters, cursor)
    counted = queries.sign_ins_by_action(session, filters)
    rows = [
        {
            "at": row.Event.at,
            "who": people.get(row.staff_id, row.staff_id),
            "login": row.login,
            "kind": SIGN_IN_NAMES[row.Event.action][0],
            "what": pick(*SIGN_IN_NAMES[row.Event.action][1:]),
            "why": _why(row.Event),
        }
        for row in page.rows
    ]
    totals = [(pick(zh, en), counted.get(action, 0)) for action, (_kind, zh, en) in SIGN_IN_NAMES.items()]
    return _with(page, rows), {"totals": totals}


def _why(event: Event) -> str:
    words = _WRONG.get(orjson.loads(event.body)["reason"] or "")
    return "" if words is None else pick(*words)


def _alerts(session: Session, filters: AccessFilters, cursor: str | None, people: Mapping[str, str]) -> Shown:
    page = queries.alerts(session, filters, cursor)
    rows = [
        {
            "at": row.at,
            "who": people.get(row.person, row.person),
            "kind": _ALERTS[row.kind][0],
            "what": pick(*_ALERTS[row.kind][1:]),
            "more": _more(row),
        }
        for row in page.rows
    ]
    return _with(page, rows), {}


def _more(row: Any) -> str:
    if row.kind == "refused":
        return _("当日 %(count)s 次", count=int(row.number))
    if row.kind == "export":
        return _(
            "%(number)s · %(people)s 人", number=number_text(int(row.thing)), people=f"{int(row.number):,}"
        )
    return _("已拒绝")


_READERS: Mapping[str, Callable[[Session, AccessFilters, str | None, Mapping[str, str]], Shown]] = {
    "views": _views,
    "searches": _searches,
    "refusals": _refusals,
    "sign-ins": _sign_ins,
    "alerts": _alerts,
}
