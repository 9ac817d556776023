"""What every template may use: language, who acts, navigation by role, how sums, days and instants are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from flask import Flask, current_app, g, get_flashed_messages, request, url_for

from foundation.actors import ROLE_NAMES, Actor, Role
from foundation.clock import SHANGHAI
from foundation.money import Money
from foundation.web.acting import now, reading
from foundation.web.language import LANGUAGES, pick, template_globals
from households.queries import place_names
from webapp.rights import may_open

THEMES = ("auto", "light", "dark")

MENU: tuple[tuple[str, str, str], ...] = (
    ("home.home", "首页", "Home"),
    ("dashboard.shown", "县情总览", "Overview"),
    ("claims.listed", "理赔案件", "Claims"),
    ("packs.listed", "县包导入", "County packs"),
    ("households.listed", "户籍登记", "Register"),
    ("warnings.listed", "预警案件", "Early warnings"),
    ("owed.listed", "应赔未赔", "Owed, not claimed"),
    ("recognitions.listed", "识别认定", "Recognition"),
    ("comparison.listed", "一站式比对", "Comparison"),
    ("feeds.listed", "部门数据", "Departments' data"),
    ("standards.listed", "标准", "Standards"),
    ("payments.batches", "赔款支付", "Payments"),
    ("reports.documents", "文书报表", "Documents"),
    ("staff.people", "人员权限", "People and rights"),
    ("trail.listed", "审计链", "Trail"),
    ("exports.listed", "导出登记", "Exports"),
    ("access.listed", "访问日志", "Access log"),
    ("consents.listed", "告知同意书", "Consent texts"),
    ("assessments.listed", "影响评估", "Impact assessments"),
    ("retention.listed", "保存期限", "Retention"),
    ("keys.listed", "密钥", "Keys"),
    ("jobs.listed", "后台任务", "Jobs"),
)
"""Endpoint and title; a person sees those that the rights table opens to their role."""

_OVERSIGHT, _PRIVACY, _SYSTEM = ("监督", "Oversight"), ("个人信息", "Privacy"), ("系统", "System")
_MORE = ("更多", "More")
_HOUSEHOLDS = ("户籍与预警", "Households")
GROUPS: dict[str, tuple[str, str]] = {
    "dashboard.shown": _HOUSEHOLDS,
    "households.listed": _HOUSEHOLDS,
    "warnings.listed": _HOUSEHOLDS,
    "owed.listed": _HOUSEHOLDS,
    "recognitions.listed": _HOUSEHOLDS,
    "comparison.listed": _HOUSEHOLDS,
    "feeds.listed": _HOUSEHOLDS,
    "standards.listed": _HOUSEHOLDS,
    "trail.listed": _OVERSIGHT,
    "access.listed": _OVERSIGHT,
    "exports.listed": _OVERSIGHT,
    "consents.listed": _PRIVACY,
    "assessments.listed": _PRIVACY,
    "retention.listed": _PRIVACY,
    "keys.listed": _PRIVACY,
    "staff.people": _SYSTEM,
    "jobs.listed": _SYSTEM,
}
"""What folds under one heading. A heading over a single page is none: such pages stand together under 更多."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the navigation: a page, or with `items` a heading that folds."""

    url: str
    title: str
    current: bool
    count: int | None = None
    items: tuple[MenuItem, ...] = ()


def register(app: Flask) -> None:
    """Sets the language of each request and the templates' context."""
    app.before_request(_choose_language)
    app.context_processor(_context)
    app.jinja_env.globals.update(money_text=money_text, day=day, moment=moment, role_name_of=role_name)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _choose_language() -> None:
    chosen = request.cookies.get("fangpin_language")
    if chosen not in LANGUAGES:
        accepted = request.accept_languages.best_match(["zh", "zh-CN", "en"])
        chosen = "en" if accepted == "en" else "zh"
    g.language = chosen


def _context() -> dict[str, Any]:
    actor: Actor | None = None if g.get("failed") else g.get("actor")
    options = current_app.extensions["fangpin_options"]
    theme = request.cookies.get("fangpin_theme")
    return template_globals() | {
        "actor": actor,
        "person": g.get("person"),
        "role_name": None if actor is None else role_name(actor.role),
        "place_name": None if actor is None else place_name(actor.place),
        "navigation": [] if actor is None else _navigation(actor),
        "demo_mode": options.demo,
        "system_name": pick(
            f"{options.county_name[0]}防贫保险理赔支付系统",
            f"{options.county_name[1]} Poverty-Prevention Insurance",
        ),
        "messages": get_flashed_messages(with_categories=True),
        "theme": theme if theme in THEMES else "auto",
        "csp_nonce": g.get("csp_nonce", ""),
        "version": _version(),
        "data_as_of": moment(now()),
    }


@cache
def _version() -> str:
    return version("fangpin")


def _navigation(actor: Actor) -> list[MenuItem]:
    """The pages that the actor may open, in order; those of a group under its heading, where its first one would be."""
    here = (request.blueprint or "").partition(".")[0]
    entries: list[tuple[tuple[str, str] | None, MenuItem]] = [
        (
            GROUPS.get(endpoint),
            MenuItem(url_for(endpoint), pick(zh, en), endpoint.partition(".")[0] == here),
        )
        for endpoint, zh, en in MENU
        if may_open(actor, endpoint)
    ]
    sizes = Counter(group for group, _item in entries)
    alone = sum(group is not None and sizes[group] == 1 for group, _item in entries)
    folded: dict[tuple[str, str], list[MenuItem]] = {}
    navigation: list[MenuItem | tuple[str, str]] = []
    for group, item in entries:
        if group is not None and sizes[group] == 1:
            group = _MORE if alone > 1 else None
        if group is None:
            navigation.append(item)
            continue
        if group not in folded:
            navigation.append(group)
        folded.setdefault(group, []).append(item)
    return [one if isinstance(one, MenuItem) else _heading(one, folded[one]) for one in navigation]


def _heading(title: tuple[str, str], items: Sequence[MenuItem]) -> MenuItem:
    return MenuItem("", pick(*title), any(item.current for item in items), items=tuple(items))


def role_name(role: Role | str) -> str:
    """A role in the request's language."""
    return pick(*ROLE_NAMES[Role(role)])


def place_name(code: str) -> str:
    """A place as people say it: the county's name, a town, or town and village. The code itself where it is unknown."""
    options = current_app.extensions["fangpin_options"]
    if code == options.county:
        return pick(*options.county_name)
    with reading() as session:
        return " · ".join(place_names(session, code)) or code


def money_text(fen: int) -> str:
    """Yuan grouped by three, two decimals: `20,016.00`."""
    return Money(fen).grouped


def day(value: date | None) -> str:
    """An ISO date, or a dash."""
    return "—" if value is None else value.isoformat()


def moment(value: datetime | None) -> str:
    """An instant in Shanghai time to the minute: `2026-11-24 19:05`."""
    return "—" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
