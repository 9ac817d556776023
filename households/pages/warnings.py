"""Pages of early warning: the list of a place, one case with all that was reported, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.files import load
from foundation.places import COUNTY_DIGITS
from foundation.privacy.exports import Wanted, hand_out
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.downloads import download, numbered_name
from foundation.web.fields import TextSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households import warning_slots
from households.departments import departments
from households.layouts import layouts
from households.queries.comparison import Matrix, matrix_of
from households.queries.households import places_within
from households.queries.warning_case import CaseView, ReportLine, case_by_id, photo_of
from households.queries.warnings import (
    Filters,
    ListedCase,
    lags,
    open_cases,
    open_cases_by_town,
    page_of_cases,
)
from households.services.warnings import CHANNELS_OF, MOVERS, dismiss, reopen, transfer
from households.terms import (
    CASE_OUTCOMES,
    DISMISSALS,
    HAPPENED,
    TRANSFERS,
    WARNING_CHANNELS,
    WARNING_LINES,
    WARNING_STATES,
    Pair,
)
from households.thresholds import thresholds
from households.warning_forms import DismissForm, ListArguments, Nothing, TransferForm

blueprint = Blueprint("warnings", __name__, template_folder="../templates")

STATE_KINDS = {"open": "warn", "claimed": "ok", "dismissed": "neutral", "transferred": "info"}
SOON_DAYS = 30
"""A case with fewer days left to report is marked."""
_LAGS_OF = timedelta(183)
SYSTEM = "system"
"""The person of what the program does by itself."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


# --- the list ------------------------------------------------------------------------------------------


@blueprint.get("/warnings")
def listed() -> str:
    """Cases of the actor's place, the open ones first, of them those whose time runs out first."""
    asked = arguments(ListArguments)
    filters = Filters(asked.get("line"), asked.get("place"), asked.get("state"), asked.get("source"))
    actor, today = acting(), business_day(now())
    with reading() as session:
        page = page_of_cases(session, sealer(), actor, filters, asked.get("cursor"))
        standing = open_cases(session, actor.place)
        towns, late = _oversight(session, actor, today)
        places = places_within(session, actor.place)
    chosen = filters.chosen()
    return render_template(
        "households/warnings_list.html",
        cases=[case_row(case, today) for case in page.rows],
        standing=standing,
        towns=towns,
        lags=late,
        chosen=chosen,
        places=places if len(places) > 1 else [],
        options={
            "line": _named(WARNING_LINES),
            "state": _named(WARNING_STATES),
            "source": _named(WARNING_CHANNELS),
        },
        lines=_named(WARNING_LINES),
        newer_url=page.newer and _list_url(chosen | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | {"cursor": page.older}),
        may_report=actor.role in CHANNELS_OF,
    )


def _oversight(session: Session, actor: Actor, today: date) -> tuple[list[Any], list[Any]]:
    """For the county: open cases by town, and how many days pass from an event to its first report."""
    if len(actor.place) != COUNTY_DIGITS:
        return [], []
    months = lags(session, actor.place, today - _LAGS_OF)
    return open_cases_by_town(session, actor.place), [
        (lag.month, pick(*WARNING_CHANNELS[lag.channel]), lag.cases, lag.median_days) for lag in months
    ]


def case_row(case: ListedCase, today: date) -> dict[str, Any]:
    """A case in the words of a list."""
    left = case.days_left(today) if case.state == "open" else None
    return {
        "case": case,
        "line": pick(*WARNING_LINES[case.line]),
        "state": pick(*WARNING_STATES[case.state]),
        "kind": STATE_KINDS[case.state],
        "sources": pick("、", ", ").join(pick(*WARNING_CHANNELS[channel]) for channel in case.channels),
        "since": case.days_since(today),
        "left": left,
        "left_words": _left(left),
        "left_kind": _left_kind(left),
        "amount": case.amount_fen,
    }


def _left(days: int | None) -> str:
    if days is None:
        return ""
    if days < 0:
        return _("已过 %(count)s 天", count=-days)
    return _("还有 %(count)s 天", count=days)


def _left_kind(days: int | None) -> str:
    if days is None:
        return "neutral"
    return "bad" if days < 0 else "warn" if days <= SOON_DAYS else "ok"


def _list_url(values: Mapping[str, str]) -> str:
    return f"{url_for('.listed')}?{urlencode(values)}"


def _named(pairs: Mapping[str, Pair]) -> list[tuple[str, str]]:
    return [(key, pick(*pair)) for key, pair in pairs.items()]


# --- one case ------------------------------------------------------------------------------------------


@blueprint.get("/warnings/<case_id>")
def shown(case_id: str) -> str:
    """One case: whom it concerns, what was reported by whom and when, and what comes next."""
    arguments(Nothing)
    return _case_page(case_id)


def _case_page(case_id: str, errors: Mapping[str, str] = _NOTHING) -> str:
    actor, today = acting(), business_day(now())
    with reading() as session:
        case = case_by_id(session, sealer(), actor, case_id)
        staff = names(session)
        matrix = matrix_of(session, sealer(), case.case.household_id)
        links = warning_slots.filled(session, sealer(), case)
    return render_template(
        "households/warnings_case.html",
        view=case,
        row=case_row(case.case, today),
        reports=[_report(report, case.case.id, staff) for report in case.reports],
        hits=[] if matrix is None else _hits(matrix),
        compared_on=None if matrix is None else matrix.on_day,
        outcome=pick(*CASE_OUTCOMES[case.case.outcome]) if case.case.outcome else "",
        closed_by=_("系统自动办理") if case.closed_by == SYSTEM else staff.get(case.closed_by or "", ""),
        next_steps=_next_steps(case, today),
        links=links,
        may_move=actor.role in MOVERS,
        dismissals=_named(DISMISSALS),
        transfers=_named(TRANSFERS),
        errors=errors,
    )


def _report(report: ReportLine, case_id: str, staff: Mapping[str, str]) -> dict[str, Any]:
    """A report in words."""
    by_row = report.feed is not None
    rules = thresholds().by_key
    source = pick(*WARNING_CHANNELS[report.channel])
    department = pick(*departments()[report.department]) if report.department else ""
    what = pick(*HAPPENED[report.what]) if report.what else ""
    if by_row:
        layout = layouts().get(report.feed or "")
        rule = rules.get(report.rule or "")
        what = pick(*rule.name) if rule else pick(*layout.title) if layout else report.feed or ""
    return {
        "report": report,
        "what": what,
        "source": " · ".join(filter(None, (source, department))),
        "who": "" if report.reported_by is None else staff.get(report.reported_by, report.reported_by),
        "details": [(pick(*words), value) for words, value in report.details],
        "photo_url": url_for(".photo", case_id=case_id, report_id=report.id) if report.photo else "",
    }


def _hits(matrix: Matrix) -> list[tuple[str, str]]:
    """(name, check) of the hits in the newest comparison that have to be looked into."""
    return [
        (line.name or _("已清除"), pick(*cell.check.title))
        for line in matrix.lines
        for cell in line.cells
        if cell.hits and cell.check.examined
    ]


def _next_steps(case: CaseView, today: date) -> list[str]:
    """What is to be done with an open case, the most urgent first."""
    if case.case.state != "open":
        return []
    steps = []
    left = case.case.days_left(today)
    if case.refer:
        steps.append(_("不属保险责任,请转办给有关部门"))
    elif left is None:
        steps.append(_("事件日不在保障期内:核对参保情况,不能理赔的请转办"))
    else:
        if left < 0:
            steps.append(_("已超过报案期限:仍可申请,保险公司会核查迟报原因"))
        steps.append(_("打印免填单,请家庭核对后签一次名,连同缺的材料交理赔员"))
    if not case.feed_rows:
        steps.append(_("部门数据里还没有:请入户核实,并请家庭保留票据"))
    if any(report.withdrawn_at is not None for report in case.reports):
        steps.append(_("部门撤回了部分数据:请先与部门核对"))
    return steps


# --- what is done --------------------------------------------------------------------------------------


@blueprint.post("/warnings/<case_id>/dismiss")
def dismissed(case_id: str) -> Response | tuple[str, int]:
    """Ends a case for which nothing is to be done."""
    return _ended(case_id, DismissForm, dismiss, _("已排除这件预警"), "dismiss")


@blueprint.post("/warnings/<case_id>/transfer")
def transferred(case_id: str) -> Response | tuple[str, int]:
    """Hands a case over to another measure."""
    return _ended(case_id, TransferForm, transfer, _("已转办"), "transfer")


def _ended(
    case_id: str, schema: type[TextSchema], end: Callable[..., None], said: str, field: str
) -> Response | tuple[str, int]:
    try:
        reason = form(schema).get("reason") or ""
        with transaction() as session:
            end(session, acting(), now(), case_id, reason)
    except InvalidInput as invalid:
        (pairs, *_more) = invalid.fields.values()
        return _case_page(case_id, {field: pick(*pairs[0])}), 422
    flash(said, "ok")
    return redirect(url_for(".shown", case_id=case_id), 303)


@blueprint.post("/warnings/<case_id>/reopen")
def reopened(case_id: str) -> Response:
    """Takes a dismissed case up again."""
    form(Nothing)
    with transaction() as session:
        reopen(session, acting(), now(), case_id)
    flash(_("已恢复为待处理"), "ok")
    return redirect(url_for(".shown", case_id=case_id), 303)


@blueprint.post("/warnings/<case_id>/photos/<report_id>")
def photo(case_id: str, report_id: str) -> Response:
    """The picture of a report, handed out as every file about a person: numbered, and an event."""
    form(Nothing)
    with transaction() as session:
        file_id, media_type = photo_of(session, sealer(), acting(), case_id, report_id)
        content = load(session, sealer(), file_id)
        wanted = Wanted("warning_photo", 1, subject_id=case_id)
        taken = hand_out(session, sealer(), acting(), now(), wanted, lambda _stamp: content)
    name = numbered_name(f"{pick('上报照片', 'photo')}.{_ENDINGS[media_type]}", taken.number)
    return download(taken.content or b"", name, media_type)
