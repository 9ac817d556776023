"""What every template may use: language, who acts, navigation by role, how sums, days and instants are shown."""

from __future__ import annotations

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
from webapp.rights import right_of

THEMES = ("auto", "light", "dark")

MENU: tuple[tuple[str, str, str], ...] = (
    ("home.home", "首页", "Home"),
    ("claims.listed", "理赔案件", "Claims"),
    ("packs.listed", "县包导入", "County packs"),
    ("payments.batches", "赔款支付", "Payments"),
    ("reports.documents", "文书报表", "Documents"),
    ("staff.people", "人员权限", "People and rights"),
    ("jobs.listed", "后台任务", "Jobs"),
)
"""Endpoint and title; a person sees those that the rights table opens to their role."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the navigation."""

    url: str
    title: str
    current: bool
    count: int | None = None


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
    here = (request.blueprint or "").partition(".")[0]
    return [
        MenuItem(url_for(endpoint), pick(zh, en), endpoint.partition(".")[0] == here)
        for endpoint, zh, en in MENU
        if (right := right_of(endpoint, "GET")) is not None and right.allows(actor.role, actor.place)
    ]


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
