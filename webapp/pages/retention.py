"""The page of retention: what is due today, erasures and who asked and approved them, legal holds, the table of terms.

Security administrators act here: one asks, another approves, each with a fresh second factor; an auditor looks on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation import jobs
from foundation.actors import Role
from foundation.clock import SHANGHAI, business_day
from foundation.errors import InvalidInput
from foundation.job_troubles import trouble
from foundation.jobs import Job
from foundation.privacy.holds import LONGEST_REASON, SHORTEST_REASON, SUBJECTS, lift_hold, set_hold
from foundation.privacy.retention import Group, Rule, shipped
from foundation.staff import queries
from foundation.upkeep import Upkeep
from foundation.web.acting import acting, now, reading, sealer, surroundings, transaction
from foundation.web.downloads import download
from foundation.web.fields import Choice, CleanText, IsoDate, TextSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from webapp.destroyed import destroyed_csv
from webapp.jobs import ring_soon
from webapp.legal_holds import SUBJECT_NAMES, HoldShown, listed_holds, subject_by_number
from webapp.retention import plan
from webapp.services import erasures
from webapp.users import COMMAND_LINE

blueprint = Blueprint("retention", __name__)

_STATES = {
    "asked": ("warn", "待审批", "waiting for approval"),
    "running": ("info", "清除中", "under way"),
    "finished": ("ok", "已完成", "finished"),
    "refused": ("bad", "未批准", "refused"),
}
_HOW = {
    "erase": ("到期清除个人信息", "personal data erased"),
    "delete": ("到期删除", "deleted"),
    "keep": ("长期保存", "kept"),
}
_MARKS = {
    "law": ("ok", "法定", "law"),
    "unverified": ("warn", "待核对", "to be verified"),
    "illustrative": ("neutral", "示例", "illustrative"),
}
_STARTS = {
    "booked": ("入账日", "the day of booking"),
    "contract_end": ("合同终止日", "the end of the contract"),
    "long_contract_end": ("保险合同终止日", "the end of the contract"),
    "short_contract_end": ("保险合同终止日", "the end of the contract"),
    "received": ("收到或作废日", "the day of receipt or disposal"),
    "recorded": ("记录日", "the day of the record"),
    "relation_end": ("业务关系或交易结束日", "the end of the relation or transaction"),
}


class _PageArguments(TextSchema):
    """The day of the dry run; today unless given."""

    as_of = IsoDate()


class _Nothing(TextSchema):
    """A form of one button, and an address without parameters."""


class _DecideForm(TextSchema):
    """An erasure approved or refused."""

    decision = Choice(("approve", "refuse"), required=True)


class _HoldForm(TextSchema):
    """What is held, by the number that people know it by, and why."""

    subject = Choice(SUBJECTS, required=True)
    number = CleanText(max=60, required=True)
    reason = CleanText(max=LONGEST_REASON, required=True)


@blueprint.get("/retention")
def listed() -> str:
    """The whole page; with a day, the dry run for that day."""
    return _page(arguments(_PageArguments).get("as_of"))


@blueprint.post("/retention/ask")
def ask() -> Response:
    """Asks for the erasure of what is due today."""
    form(_Nothing)
    with transaction() as session:
        erasures.ask(session, sealer(), acting(), now())
    flash(_("已申请清除,待另一位安全管理员审批"), "ok")
    return _back()


@blueprint.post("/retention/<upkeep_id>/decide")
def decide(upkeep_id: str) -> Response:
    """Approves or refuses an erasure, as a second person. The work itself is a job."""
    approve = form(_DecideForm)["decision"] == "approve"
    with transaction() as session:
        if approve:
            erasures.approve(session, acting(), now(), upkeep_id)
        else:
            erasures.refuse(session, acting(), now(), upkeep_id)
    if approve:
        ring_soon(erasures.JOB, upkeep_id, surroundings().database)
    flash(_("已批准,开始清除") if approve else _("已退回,未批准"), "ok")
    return _back()


@blueprint.post("/retention/<upkeep_id>/again")
def again(upkeep_id: str) -> Response:
    """Asks again for the work on an erasure that was interrupted."""
    form(_Nothing)
    with transaction() as session:
        erasures.approved(session, upkeep_id)
        (job_id,) = jobs.ask_for(session, erasures.JOB, [upkeep_id], now())
        jobs.ask_again(session, acting(), now(), job_id)
    ring_soon(erasures.JOB, upkeep_id, surroundings().database)
    flash(_("清除将继续"), "ok")
    return _back()


@blueprint.get("/retention/<upkeep_id>/list")
def destroyed(upkeep_id: str) -> Response:
    """What an erasure has destroyed, as CSV: numbers, days and digests, nothing personal."""
    arguments(_Nothing)
    with reading() as session:
        upkeep = erasures.erasure(session, upkeep_id)
        content = destroyed_csv(session, shipped(), upkeep)
    day = upkeep.asked_at.astimezone(SHANGHAI).strftime("%Y%m%d")
    return download(content, pick(f"销毁清册-{day}.csv", f"erased-records-{day}.csv"), "text/csv")


@blueprint.post("/retention/holds")
def hold() -> Response | tuple[str, int]:
    """Holds a claim, a household or a policy."""
    try:
        asked = form(_HoldForm)
        with transaction() as session:
            subject_id = subject_by_number(session, asked["subject"], asked["number"])
            set_hold(session, sealer(), acting(), now(), asked["subject"], subject_id, asked["reason"])
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _page(None, {name: request.form.get(name, "") for name in _HoldForm().fields}, errors), 422
    flash(_("已设置保全"), "ok")
    return _back("holds")


@blueprint.post("/retention/holds/<hold_id>/lift")
def lift(hold_id: str) -> Response:
    """Lifts a hold, as another person than the one who set it."""
    form(_Nothing)
    with transaction() as session:
        lift_hold(session, acting(), now(), hold_id)
    flash(_("已解除保全"), "ok")
    return _back("holds")


def _back(part: str = "") -> Response:
    return redirect(url_for(".listed", _anchor=part or None), 303)


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(
    as_of: date | None, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> str:
    """`typed` and `errors` are of a form for a hold that came back."""
    today = business_day(now())
    table = shipped()
    with reading() as session:
        found = plan(session, sealer(), table, as_of or today)
        names = queries.names(session) | {COMMAND_LINE.person: _("命令行")}
        held = [_hold(item, names) for item in listed_holds(session, sealer())]
        past = [_erasure(session, item, names) for item in erasures.erasures(session)]
    open_one = any(row["state_key"] in ("asked", "running") for row in past)
    return render_template(
        "retention/page.html",
        day=found.day,
        today=today,
        groups=[(pick(*table.group(group.code).name), group) for group in found.groups],
        total=found.total,
        may=acting().role is Role.SEC_ADMIN,
        may_ask=found.total > 0 and found.day == today and not open_one,
        erasures=past,
        holds=held,
        subjects=[(key, pick(*SUBJECT_NAMES[key])) for key in SUBJECTS],
        shortest=SHORTEST_REASON,
        longest=LONGEST_REASON,
        terms=[_terms(group) for group in table.groups],
        typed=typed or {},
        errors=errors or {},
    )


def _erasure(session: Session, upkeep: Upkeep, names: Mapping[str, str]) -> dict[str, Any]:
    asked = erasures.kept_plan(upkeep)
    kind, zh, en = _STATES[upkeep.state]
    job = None
    if upkeep.state == "running":
        of_it = select(Job).where(Job.kind == erasures.JOB, Job.subject_id == upkeep.id)
        job = session.scalars(of_it).first()
    failed = job is not None and job.state == "failed"
    return {
        "id": upkeep.id,
        "state_key": upkeep.state,
        "state": (kind, pick(zh, en)),
        "day": asked.day,
        "planned": asked.total,
        "done": upkeep.done,
        "groups": [
            (pick(*shipped().group(group.code).name), len(group.due), group.oldest)
            for group in asked.groups
            if group.due
        ],
        "asked_by": names.get(upkeep.asked_by, upkeep.asked_by),
        "asked_at": upkeep.asked_at,
        "decided_by": names.get(upkeep.decided_by or "", upkeep.decided_by or ""),
        "decided_at": upkeep.decided_at,
        "ended_at": upkeep.ended_at,
        "mine": upkeep.asked_by == acting().person,
        "trouble": pick(*trouble(job.error_code)) if failed and job is not None else "",
    }


def _hold(item: HoldShown, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": item.id,
        "subject": pick(*SUBJECT_NAMES[item.subject]),
        "number": item.number,
        "reason": _("已清除") if item.reason is None else item.reason,
        "set_by": names.get(item.set_by, item.set_by),
        "set_at": item.set_at,
        "lifted_by": names.get(item.lifted_by or "", item.lifted_by or ""),
        "lifted_at": item.lifted_at,
        "mine": item.set_by == acting().person,
    }


def _terms(group: Group) -> dict[str, Any]:
    return {
        "name": pick(*group.name),
        "how": pick(*_HOW[group.how]),
        "rules": [_rule(rule) for rule in group.rules],
        "longest": len(group.rules) > 1,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    kind, zh, en = _MARKS[rule.mark]
    return {
        "name": pick(*rule.name),
        "term": _term(rule),
        "source": pick(*rule.source),
        "mark": (kind, pick(zh, en)),
    }


def _term(rule: Rule) -> str:
    """`30 年,自入账日所在年度终了起`."""
    if rule.runs_from is None:
        return pick("永久", "permanent")
    if rule.days:
        length = pick(f"{rule.days} 天", f"{rule.days} days")
    elif rule.months % 12:
        length = pick(f"{rule.months} 个月", f"{rule.months} months")
    else:
        length = pick(f"{rule.months // 12} 年", f"{rule.months // 12} years")
    zh, en = _STARTS[rule.runs_from]
    if rule.year_end:
        return pick(f"{length},自{zh}所在年度终了起", f"{length} from the end of the year of {en}")
    return pick(f"{length},自{zh}起", f"{length} from {en}")
