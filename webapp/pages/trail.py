"""Pages of the trail: its head and whether it holds, its events by filter, its blocks; and verifying it now."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.actors import Role
from foundation.errors import BadRequest
from foundation.job_troubles import trouble
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.trail.checks import Checked, newest_checks
from foundation.trail.models import TrailBlock
from foundation.web.acting import acting, now, reading, surroundings, transaction
from foundation.web.disclosing import named_purposes
from foundation.web.fields import Choice, CleanText, IsoDate, StrictSchema, Whole
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from webapp import trail_queries as queries
from webapp.jobs import ring_soon
from webapp.services import verification
from webapp.settings import anchor_file
from webapp.trail_view import exact, grouped, people_names, shown
from webapp.trail_words import ACTIONS, GROUPS, role_words

blueprint = Blueprint("trail", __name__)

_PAGE = 50
_BLOCKS = 20
_CHECKS = 10
_MOST_ID = 2**63 - 1
EXPORTERS = frozenset({Role.AUDITOR, Role.LOG_ADMIN})
"""Whose page has the form for the export; the rights table is what holds it."""

ANCHOR_WORDS = {
    "agrees": ("ok", "与锚定文件一致", "agrees with the anchor file"),
    "differs": ("bad", "与锚定文件不符", "differs from the anchor file"),
    "damaged": ("bad", "锚定文件已损坏", "the anchor file is damaged"),
    "none": ("warn", "尚未锚定", "not anchored yet"),
}


class SearchArguments(StrictSchema):
    """The search's query string. `older` and `newer` are ids of events to go on from."""

    action = Choice(ACTIONS)
    thing = CleanText(max=64)
    person = CleanText(max=50)
    role = Choice(list(Role))
    day_from = IsoDate()
    day_to = IsoDate()
    older = Whole(1, _MOST_ID)
    newer = Whole(0, _MOST_ID)


class _BlockArguments(StrictSchema):
    cursor = CleanText(max=600)


class _Nothing(StrictSchema):
    """A form of one button, or an address without parameters."""


# --- the head and the search -----------------------------------------------------------------------------------------


@blueprint.get("/trail")
def listed() -> str:
    """The head of the trail, whether it holds, and its events by filter, newest first."""
    asked = arguments(SearchArguments)
    older, newer = asked.pop("older", None), asked.pop("newer", None)
    if older is not None and newer is not None:
        raise BadRequest("older 与 newer 只能有一个", "give older or newer, not both")
    with reading() as session:
        wanted, claim_ids = wanted_of(session, asked)
        found = queries.search(session, wanted, older, newer, _PAGE)
        rows = shown(session, acting(), found.rows)
        head = _head(session)
    chosen = {name: str(value) for name, value in asked.items()}
    return render_template(
        "trail/list.html",
        rows=rows,
        chosen=chosen,
        went_to=found.went_to,
        newer_url=found.newer and _address(chosen, newer=found.newer),
        older_url=found.older and _address(chosen, older=found.older),
        groups=[
            (pick(*title), [(action, pick(*words)) for action, words in actions.items()])
            for title, actions in GROUPS
        ],
        roles=[(role.value, pick(*role_words(role))) for role in Role],
        claim_ids=claim_ids,
        may_export=acting().role in EXPORTERS,
        purposes=named_purposes(EXPORT_PURPOSES),
        **head,
    )


def _address(chosen: dict[str, str], **place: int) -> str:
    return f"{url_for('.listed')}?{urlencode({**chosen, **place})}"


def wanted_of(session: Session, asked: dict[str, Any]) -> tuple[queries.Wanted, list[str]]:
    """What a search's words stand for, and the claims that have the number which was looked for."""
    claim_ids: list[str] = []
    subject_ids = persons = None
    if "thing" in asked:
        claim_ids = list(queries.claims_numbered(session, asked["thing"]))
        subject_ids = (asked["thing"], *claim_ids)
    if "person" in asked:
        persons = queries.persons_named(session, asked["person"])
    wanted = queries.Wanted(
        asked.get("action"),
        subject_ids,
        persons,
        asked.get("role"),
        asked.get("day_from"),
        asked.get("day_to"),
    )
    return wanted, claim_ids


def _head(session: Session) -> dict[str, Any]:
    """How the trail stands, for the top of the page."""
    standing = queries.standing(session)
    anchored = queries.anchored(session, anchor_file(surroundings().database.url))
    kind, zh, en = ANCHOR_WORDS[anchored.state]
    job = verification.failed(session)
    return {
        "head": standing.block and block_shown(standing.block),
        "unsealed": standing.unsealed,
        "unsealed_since": exact(standing.unsealed_since),
        "check": standing.checked and check_shown(standing.checked, people_names(session)),
        "anchored": anchored,
        "anchor_kind": kind,
        "anchor_words": pick(zh, en),
        "working": verification.under_way(session) is not None,
        "trouble": "" if job is None else pick(*trouble(job.error_code)),
    }


def block_shown(block: TrailBlock) -> dict[str, Any]:
    """A block for a page."""
    return {
        "number": block.number,
        "events": block.events,
        "root": grouped(block.root),
        "digest": grouped(block.digest),
        "hash": {"sha256": "SHA-256", "sm3": "SM3"}[block.hash_name],
        "sealed_at": exact(block.sealed_at),
    }


def check_shown(check: Checked, people: dict[str, str]) -> dict[str, Any]:
    """A verification for a page; `fault` is the first one in words."""
    fault = check.fault
    return {
        "at": exact(check.checked_at),
        "by": people.get(check.asked_by, check.asked_by),
        "well": check.well,
        "events": check.events,
        "blocks": check.blocks,
        "unsealed": check.unsealed,
        "fault": "" if fault is None else pick(fault["zh"], fault["en"]),
        "event_id": None if fault is None else fault.get("event_id"),
        "block": None if fault is None else fault.get("block"),
    }


# --- verifying -------------------------------------------------------------------------------------------------------


@blueprint.post("/trail/verify")
def verify_now() -> Response:
    """Asks for the whole trail to be checked, in the background."""
    form(_Nothing)
    with transaction() as session:
        verification.ask_verification(session, acting(), now())
    ring_soon(verification.VERIFY, acting().person, surroundings().database)
    flash(_("已开始验证,完成后本页显示结果"), "info")
    return redirect(url_for(".listed"), 303)


@blueprint.get("/trail/progress")
def progress() -> Response | str:
    """Whether a verification is under way, as a part of the page; once it is over, the page is to be loaded anew."""
    arguments(_Nothing)
    with reading() as session:
        job = verification.under_way(session)
    if job is None:
        return Response("", headers={"HX-Refresh": "true"})
    return render_template("trail/progress.html")


# --- blocks ----------------------------------------------------------------------------------------------------------


@blueprint.get("/trail/blocks")
def blocks() -> str:
    """The sealed blocks, newest first, and the last verifications."""
    cursor = arguments(_BlockArguments).get("cursor")
    with reading() as session:
        page = queries.blocks(session, cursor, _BLOCKS)
        people = people_names(session)
        checks = [check_shown(check, people) for check in newest_checks(session, _CHECKS)]
    return render_template(
        "trail/blocks.html",
        blocks=[block_shown(block) for block in page.rows],
        checks=checks,
        newer_url=page.newer and url_for(".blocks", cursor=page.newer),
        older_url=page.older and url_for(".blocks", cursor=page.older),
    )
