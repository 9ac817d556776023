"""The page of the keys: each key and what is under it, a rotation and how far it is, the end of a former key.

The security administrator acts here, with a fresh second factor; an auditor looks on. Nothing of a key itself is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation import jobs, rotation
from foundation.actors import Role
from foundation.blobs import BlobStore
from foundation.job_troubles import trouble
from foundation.jobs import MOST_ATTEMPTS, Job
from foundation.staff import queries
from foundation.upkeep import ROTATION, Upkeep
from foundation.vault import Vault
from foundation.web.acting import acting, now, reading, sealer, surroundings, transaction
from foundation.web.fields import StrictSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from webapp.jobs import ring_soon
from webapp.keys import COLUMN_NAMES, KEY_STATES, ROTATE, KeyLine, Overview, job_of, overview, vault_of
from webapp.settings import files_folder
from webapp.users import COMMAND_LINE

blueprint = Blueprint("keys", __name__)


class _Nothing(StrictSchema):
    """No arguments, and a form of one button."""


@dataclass(frozen=True, slots=True)
class _Work:
    """How far the rotation that is under way is. `stopped`: nobody is at work on it."""

    text: str
    done: int
    total: int
    stopped: bool = False


@blueprint.get("/keys")
def listed() -> str:
    """The keys, what is under each, and past rotations."""
    arguments(_Nothing)
    vault = _vault()
    with reading() as session:
        found = overview(session, vault, now())
        names = queries.names(session) | {COMMAND_LINE.person: _("命令行")}
    return render_template(
        "keys/keys.html",
        keys=[_row(key) for key in found.keys],
        held=[key.key_id for key in found.keys if key.state != "retired"],
        kinds=_kinds(found),
        unknown=found.unknown,
        left_over=found.left_over,
        work=None if found.running is None else _work(found.running, found.job),
        past=[_past(upkeep, names) for upkeep in found.past],
        why_not_retire="" if found.why_not_retire is None else pick(*found.why_not_retire),
        former=[key.key_id for key in found.keys if key.state == "former"],
        may=acting().role is Role.SEC_ADMIN,
    )


@blueprint.get("/keys/progress")
def progress() -> Response | str:
    """How far the rotation is, as a part of the page; once there is none at work, the page is to be loaded anew."""
    arguments(_Nothing)
    with reading() as session:
        running = _running(session)
        work = None if running is None else _work(running, job_of(session, running.id))
    if work is None or work.stopped:
        return Response("", headers={"HX-Refresh": "true"})
    return render_template("keys/progress.html", work=work)


@blueprint.post("/keys/rotate")
def rotate() -> Response:
    """Begins a rotation, or has the one that is under way carried on. The work itself is a job."""
    form(_Nothing)
    vault = _vault()
    with reading() as session:
        running = _running(session)
    plan = None if running is not None else rotation.make_plan(vault)
    with transaction() as session:
        if plan is not None:
            running = rotation.begin(session, vault, acting(), now(), plan)
        assert running is not None
        job = job_of(session, running.id)
        if job is None:
            jobs.ask_for(session, ROTATE, [running.id], now())
        elif job.state == "failed":
            jobs.ask_again(session, acting(), now(), job.id)
    ring_soon(ROTATE, running.id, surroundings().database)
    flash(_("密钥轮换已开始,完成后请备份密钥文件"), "ok")
    return redirect(url_for(".listed"), 303)


@blueprint.post("/keys/retire")
def retire() -> Response:
    """Takes the former key out of the key file."""
    form(_Nothing)
    gone = rotation.retire(_vault(), acting(), now())
    flash(_("已停用旧密钥 %(keys)s", keys="、".join(gone)), "ok")
    return redirect(url_for(".listed"), 303)


def _vault() -> Vault:
    database = surroundings().database
    return vault_of(database, sealer(), BlobStore(files_folder(database.url), sealer()))


def _running(session: Session) -> Upkeep | None:
    found = rotation.running_upkeep(session)
    return found if found is not None and found.kind == ROTATION else None


def _work(upkeep: Upkeep, job: Job | None) -> _Work:
    total = rotation.planned(upkeep)
    done = min(upkeep.done, total)
    if job is None:
        return _Work(_("轮换由命令行发起,尚未完成"), done, total, stopped=True)
    if job.state == "failed":
        again = "" if job.attempts >= MOST_ATTEMPTS else _("系统稍后会自动重试,也可以现在重试。")
        return _Work(f"{pick(*trouble(job.error_code))} {again}".strip(), done, total, stopped=True)
    if job.state == "waiting":
        return _Work(_("排队中,马上开始"), done, total)
    return _Work(_("已重新加密 %(done)s / %(total)s 处", done=done, total=total), done, total)


def _row(key: KeyLine) -> dict[str, Any]:
    kind, zh, en = KEY_STATES[key.state]
    return {
        "id": key.key_id,
        "cipher": key.cipher,
        "kind": kind,
        "state": pick(zh, en),
        "since": key.since,
        "retired_at": key.retired_at,
        "cells": sum(key.cells.values()),
        "files": key.files,
        "retired": key.state == "retired",
        "waiting": key.state == "waiting",
    }


def _kinds(found: Overview) -> list[tuple[str, list[int]]]:
    """What is sealed, in words, and how much of it is under each key; only what there is."""
    held = [key for key in found.keys if key.state != "retired"]
    rows = [
        (pick(*words), [key.cells.get(column, 0) for key in held]) for column, words in COLUMN_NAMES.items()
    ]
    rows.append((_("上传的文件"), [key.files for key in held]))
    return [(name, numbers) for name, numbers in rows if sum(numbers)]


def _past(upkeep: Upkeep, names: dict[str, str]) -> dict[str, Any]:
    return {
        "key_id": upkeep.key_id,
        "by": names.get(upkeep.asked_by, upkeep.asked_by),
        "begun": upkeep.asked_at,
        "ended": upkeep.ended_at,
        "done": upkeep.done,
    }
