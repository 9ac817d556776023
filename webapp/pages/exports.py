"""The register of exports 导出登记: who took what, about how many people, what for; what waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from claims.phrases import LINES
from claims.services.listing_export import NUMBER_HIDDEN
from claims.states import STATE_NAMES as CLAIM_STATES
from claims.terms import OUTCOME_NAMES, REASON_NAMES
from foundation.privacy import exports
from foundation.privacy.exports import KIND_NAMES, MOST_ALONE, STATE_NAMES, number_text, state_of
from foundation.privacy.models import Export
from foundation.sealing import ERASED
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.disclosing import purpose_words
from foundation.web.fields import Choice, CleanText, IsoDate, RowId, StrictSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.checks import CHECKS
from households.comparison_words import KINDS as HIT_KINDS
from households.queries.ledgers import LEDGERS
from reports.pages import KIND_NAMES as DOCUMENT_NAMES
from webapp import export_queries as queries
from webapp.export_queries import DECIDES, SEES_ALL, RegisterFilters
from webapp.views import role_name

blueprint = Blueprint("exports", __name__)

STATE_KINDS = {"asked": "warn", "approved": "info", "taken": "ok", "refused": "bad", "lapsed": "neutral"}

_WORDS: Mapping[str, tuple[str, str]] = {
    "line": ("险种", "line"),
    "state": ("状态", "state"),
    "outcome": ("系统结论", "outcome"),
    "reason": ("原因", "reason"),
    "town": ("镇(街道)", "town"),
    "policy": ("保单", "policy"),
    "notified_from": ("报案日从", "notified from"),
    "notified_to": ("报案日到", "notified to"),
    "number": ("报案号的一部分", "part of the claim number"),
    "review": ("只看待复查", "to be reviewed"),
    "kind": ("文书种类", "kind of document"),
    "format": ("文件格式", "file format"),
    "run": ("比对", "comparison"),
    "before": ("与之相比", "against"),
    "hits": ("类别", "kind of hits"),
    "check": ("核查项目", "check"),
    "place": ("区划代码", "area code"),
    "list": ("名单摘要", "digest of the list"),
    "ledger": ("台账", "ledger"),
    "day_from": ("日期从", "from"),
    "day_to": ("日期到", "to"),
    "paper": ("材料", "paper"),
    "events": ("事件数", "events"),
}
_VALUES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "line": LINES,
    "state": CLAIM_STATES,
    "outcome": OUTCOME_NAMES,
    "reason": REASON_NAMES,
    "kind": DOCUMENT_NAMES,
    "ledger": LEDGERS,
    "hits": HIT_KINDS,
    "check": {key: check.title for key, check in CHECKS.items()},
}


class _ListArguments(StrictSchema):
    """The register's query string."""

    kind = Choice(KIND_NAMES)
    state = Choice(STATE_NAMES)
    person = CleanText(max=50)
    day_from = IsoDate()
    day_to = IsoDate()
    cursor = CleanText(max=600)


class _DecisionForm(StrictSchema):
    """Which export is decided, and how."""

    export_id = RowId(required=True)
    decision = Choice(("approve", "refuse"), required=True)


@blueprint.get("/exports")
def listed() -> str:
    """The register: one's own, or everybody's for who watches over it; what waits, and what may be taken."""
    asked = arguments(_ListArguments)
    cursor = asked.pop("cursor", None)
    filters, actor = RegisterFilters(**asked), acting()
    with reading() as session:
        page = queries.register(session, actor, now(), filters, cursor)
        summed = queries.totals(session, actor, now(), filters)
        waiting = queries.waiting(session, actor)
        to_take = queries.to_take(session, actor, now())
        people = names(session)
    chosen = {name: str(value) for name, value in asdict(filters).items() if value is not None}
    return render_template(
        "exports/list.html",
        exports=[_row(export, people) for export in page.rows],
        waiting=[_row(export, people) for export in waiting],
        to_take=[_row(export, people) | {"take": _take(export)} for export in to_take],
        totals=summed,
        chosen=chosen,
        kinds=[(kind, pick(*words)) for kind, words in KIND_NAMES.items()],
        states=[(state, pick(*words)) for state, words in STATE_NAMES.items()],
        sees_all=actor.role in SEES_ALL,
        decides=actor.role in DECIDES,
        most_alone=MOST_ALONE,
        newer_url=page.newer and f"{url_for('.listed')}?{urlencode(chosen | {'cursor': page.newer})}",
        older_url=page.older and f"{url_for('.listed')}?{urlencode(chosen | {'cursor': page.older})}",
    )


@blueprint.post("/exports/decide")
def decide() -> Response:
    """Approves or refuses an export that another person asked for."""
    asked = form(_DecisionForm)
    approve = asked["decision"] == "approve"
    with transaction() as session:
        exports.decide(session, acting(), now(), asked["export_id"], approve=approve)
    flash(_("已批准,申请人可在 24 小时内领取一次") if approve else _("已退回,不得导出"), "ok")
    return redirect(url_for(".listed"), 303)


def _row(export: Export, people: Mapping[str, str]) -> dict[str, Any]:
    state = state_of(export, now())
    return {
        "id": export.id,
        "number": number_text(export.number),
        "kind": pick(*KIND_NAMES[export.kind]),
        "what": _told(orjson.loads(export.arguments)),
        "people": export.people,
        "purpose": "" if export.purpose is None else purpose_words(export.purpose),
        "note": _note(export),
        "who": people.get(export.person, export.person),
        "role": role_name(export.role),
        "own": export.person == acting().person,
        "asked_at": export.asked_at,
        "taken_at": export.taken_at,
        "decided_by": None if export.decided_by is None else people.get(export.decided_by, export.decided_by),
        "decided_at": export.decided_at,
        "sha256": export.sha256,
        "size": export.size,
        "state": pick(*STATE_NAMES[state]),
        "state_kind": STATE_KINDS[state],
    }


def _note(export: Export) -> str:
    """What stands beside the purpose: for whoever decides or audits, and for whoever wrote it."""
    if export.note is None or not (acting().role in SEES_ALL or export.person == acting().person):
        return ""
    if export.note == ERASED:
        return _("(已按保存期限清除)")
    return sealer().reveal("export", "note", export.id, export.note)


def _told(chosen: Mapping[str, str]) -> str:
    """What an export was narrowed to, in words."""
    told = []
    for name, value in chosen.items():
        words = _VALUES.get(name, {}).get(value)
        bare = name == "review" or (name == "number" and value.startswith(NUMBER_HIDDEN))
        title = pick(*_WORDS.get(name, (name, name)))
        told.append(title if bare else f"{title} {value if words is None else pick(*words)}")
    return pick("、", ", ").join(told)


def _take(export: Export) -> tuple[str, dict[str, str]] | None:
    """Where an approved export is taken: address and fields of its form; None where it is asked for in its list again.

    A part of a claim number is not kept, so that the filters have to be set once more.
    """
    chosen: dict[str, str] = orjson.loads(export.arguments)
    reason = {"purpose": export.purpose or ""}
    note = _note(export)
    if note:
        reason["note"] = note
    if export.kind == "claims_workbook":
        return None if "number" in chosen else (url_for("claims.export"), chosen | reason)
    if export.kind == "document":
        return url_for("reports.hand_out", document_id=export.subject_id), reason
    if export.kind == "bank_file":
        return url_for("payments.take_file", file_id=export.subject_id), reason
    if export.kind == "ledger_workbook":
        ledger = chosen.pop("ledger")
        return url_for("ledgers.export", ledger=ledger), chosen | reason
    if export.kind == "error_workbook":
        return url_for("packs.errors", upload_id=export.subject_id), reason
    return None
