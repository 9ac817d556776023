"""Pages of county packs: uploading one, what was found in it, its errors, taking it in or throwing it away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from claims.consent import consent, consent_on, consents
from claims.error_workbook import error_workbook
from claims.models import PackUpload
from claims.phrases import FEEDS, LINES
from claims.queries.uploads import (
    CHECK,
    TAKE_IN,
    files_of,
    job_of,
    preview_of,
    upload_by_id,
    uploads,
)
from claims.services import uploads as services
from claims.states import UPLOAD_STATE_NAMES
from claims.terms import OUTCOME_NAMES
from claims.upload_preview import Preview
from claims.uploaded_files import sort_files
from foundation.actors import Role, actor_from
from foundation.blobs import BlobStore
from foundation.clock import SHANGHAI, business_day
from foundation.error_workbook import rows_in
from foundation.errors import Fault, InvalidInput, NotFound, UnusableInput
from foundation.privacy.exports import Stamp, Wanted, hand_out, needs_purpose, watermark
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.refusals import REFUSALS
from foundation.sealing import ERASED
from foundation.tables import RowError
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, sealer, surroundings, transaction
from foundation.web.disclosing import ExportForm, named_purposes, typed_reason
from foundation.web.downloads import download, numbered_name, sent_to_a_second_person
from foundation.web.fields import Choice, CleanText, StrictSchema
from foundation.web.language import _, language, pick
from foundation.web.large import MOST_BYTES, take_large
from foundation.web.requests import arguments, form
from foundation.web.working import Work, work_on
from webapp.jobs import ring_soon
from webapp.settings import files_folder

blueprint = Blueprint("packs", __name__)

_MOST_PARTS = 80
_SHOWN_CELLS = 200
_NOTHING: Mapping[str, str] = MappingProxyType({})
_PAGE = 30
_TAKERS = frozenset({Role.CLAIM_OFFICER, Role.CENTER_CERTIFIER})
"""Who has buttons here; the rights table is what holds them."""

_STATE_KINDS = {
    "checking": "info",
    "ready": "warn",
    "unusable": "bad",
    "taking_in": "info",
    "taken_in": "ok",
    "discarded": "neutral",
}
_OUTCOME_KINDS = {"approve": "ok", "reject": "bad", "supplement": "warn", "refer": "warn"}
_STEP = {"checking": 2, "ready": 3, "unusable": 2, "taking_in": 3, "taken_in": 4, "discarded": 3}


class _Nothing(StrictSchema):
    """A form of buttons and files only."""


class _UploadForm(StrictSchema):
    """Beside the files: which consent text the applicants have signed."""

    consent_version = Choice([text.version for text in consents()], required=True)


class _ListArguments(StrictSchema):
    """The list's query string."""

    cursor = CleanText(max=600)


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets this one route take large requests. Here, since the guard reads the form before any view is called."""
    if endpoint == "packs.upload" and request.method == "POST":
        take_large(_MOST_PARTS)


# --- the list ----------------------------------------------------------------------------------------


@blueprint.get("/packs")
def listed() -> str:
    """The packs that were uploaded, newest first, and the form for one more."""
    return _list_page((), arguments(_ListArguments).get("cursor"))


@blueprint.post("/packs")
def upload() -> Response | tuple[str, int]:
    """Takes an upload: its files, sealed on the disk first, then its row and the job to check it."""
    try:
        consent_version = form(_UploadForm)["consent_version"]
    except InvalidInput:
        fault = Fault(
            "", "请选择申请人签署的告知同意书版本", "choose the consent text that the applicants signed"
        )
        return _list_page((fault,), None), 422
    sent = [
        (file.filename or "", file.stream.read()) for file in request.files.getlist("files") if file.filename
    ]
    try:
        if not sent:
            raise UnusableInput(
                [Fault("", "请选择县包的文件,或它的压缩包", "choose the files of a pack, or its zip")]
            )
        received = services.receive(_store(), sort_files(sent))
    except UnusableInput as unusable:
        return _list_page(unusable.faults, None), 422
    with transaction() as session:
        upload_id = services.record_upload(session, sealer(), acting(), now(), received, consent_version)
    ring_soon(CHECK, upload_id, surroundings().database)
    return redirect(url_for(".shown", upload_id=upload_id), 303)


def _list_page(faults: tuple[Fault, ...], cursor: str | None) -> str:
    with reading() as session:
        page = uploads(session, cursor, _PAGE)
    return render_template(
        "packs/list.html",
        uploads=[_row(row) for row in page.rows],
        faults=[(fault.place, pick(fault.zh, fault.en)) for fault in faults],
        may=acting().role in _TAKERS,
        consents=[
            (text.version, _("%(version)s 版,自 %(day)s 起适用", version=text.version, day=text.applies_from))
            for text in consents()
        ],
        consent_now=(consent_on(business_day(now())) or consents()[-1]).version,
        most_megabytes=MOST_BYTES >> 20,
        newer_url=page.newer and url_for(".listed", cursor=page.newer),
        older_url=page.older and url_for(".listed", cursor=page.older),
    )


def _row(upload: PackUpload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "title": _title(upload),
        "uploaded_at": upload.uploaded_at,
        "by": actor_from(upload.uploaded_by).name,
        "files": len(files_of(upload)),
        "state": pick(*UPLOAD_STATE_NAMES[upload.state]),
        "kind": _STATE_KINDS[upload.state],
    }


def _title(upload: PackUpload) -> str:
    moment = upload.uploaded_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    return _("%(moment)s 上传的县包", moment=moment)


# --- one pack ----------------------------------------------------------------------------------------


@blueprint.get("/packs/<upload_id>")
def shown(upload_id: str) -> str:
    """One upload: how far it is, what was found in it, and what can be done with it."""
    arguments(_Nothing)
    return _pack_page(upload_id)


def _pack_page(
    upload_id: str, typed: Mapping[str, str] = _NOTHING, export_errors: Mapping[str, str] = _NOTHING
) -> str:
    """`typed` and `export_errors` are of a form for the workbook of errors that came back."""
    with reading() as session:
        upload = upload_by_id(session, upload_id)
        work = _work(session, upload)
    erased = upload.preview == ERASED
    preview = Preview(()) if erased else preview_of(sealer(), upload)
    return render_template(
        "packs/pack.html",
        upload=_row(upload) | {"state_key": upload.state, "taken_in_at": upload.taken_in_at},
        asked_by=None if upload.asked_by is None else actor_from(upload.asked_by).name,
        files=files_of(upload),
        consent=_consent(upload.consent_version, preview),
        work=work,
        step=_STEP[upload.state],
        erased=erased,
        preview=preview,
        refused=_refused(preview),
        shown_cells=_SHOWN_CELLS,
        asks_purpose=needs_purpose("error_workbook", rows_in(preview.refused)),
        purposes=named_purposes(EXPORT_PURPOSES),
        usual_purpose="correction",
        typed=typed,
        export_errors=export_errors,
        faults=[(fault.place, pick(fault.zh, fault.en)) for fault in preview.faults],
        may=acting().role in _TAKERS,
        line_name=lambda key: pick(*LINES[key]),
        outcome_name=lambda key: pick(*OUTCOME_NAMES[key]),
        outcome_kinds=_OUTCOME_KINDS,
        feed_name=lambda key: pick(*FEEDS[key]),
    )


def _consent(version: str | None, preview: Preview) -> dict[str, Any] | None:
    """The text that the applicants signed, and the earliest claim where that lies before it."""
    if version is None:
        return None
    text = consent(version)
    first = None if preview.summary is None else preview.summary.first_notified_on
    early = first if first is not None and date.fromisoformat(first) < text.applies_from else None
    return {"version": version, "applies_from": text.applies_from, "early": early}


@blueprint.get("/packs/<upload_id>/progress")
def progress(upload_id: str) -> Response | str:
    """How far the work is, as a part of the page; once there is nothing to wait for, the page is to be loaded anew."""
    arguments(_Nothing)
    with reading() as session:
        upload = upload_by_id(session, upload_id)
        work = _work(session, upload)
    if work is None or work.failed:
        return Response("", headers={"HX-Refresh": "true"})
    return render_template("packs/progress.html", upload={"id": upload.id}, work=work)


def _work(session: Session, upload: PackUpload) -> Work | None:
    """The work that the state of an upload waits for; None when it waits for a person, or for nothing."""
    if upload.state not in ("checking", "taking_in"):
        return None
    steps = (
        _("正在读取文件"),
        _("正在审核案件"),
        _("正在入库") if upload.state == "taking_in" else _("正在核对变化"),
    )
    return work_on(job_of(session, upload), steps)


def _refused(preview: Preview) -> list[dict[str, str]]:
    return [_refusal(error) for error in preview.refused[:_SHOWN_CELLS]]


def _refusal(error: RowError) -> dict[str, str]:
    words = REFUSALS[error.code]
    place = f"{error.file} › {error.sheet}" if error.sheet else error.file
    return {
        "place": place,
        "row": str(error.row),
        "column": error.column,
        "wrong": pick(*words.wrong),
        "remedy": pick(*words.remedy),
    }


# --- what can be done --------------------------------------------------------------------------------


@blueprint.post("/packs/<upload_id>/take-in")
def take_in(upload_id: str) -> Response:
    """Asks for a pack to be taken in. Of two persons who do, one is told that the other was first."""
    form(_Nothing)
    with transaction() as session:
        services.ask_take_in(session, acting(), now(), upload_id)
    ring_soon(TAKE_IN, upload_id, surroundings().database)
    return redirect(url_for(".shown", upload_id=upload_id), 303)


@blueprint.post("/packs/<upload_id>/again")
def again(upload_id: str) -> Response:
    """Asks again for work that failed."""
    form(_Nothing)
    with transaction() as session:
        services.ask_again(session, acting(), now(), upload_id)
    return redirect(url_for(".shown", upload_id=upload_id), 303)


@blueprint.post("/packs/<upload_id>/discard")
def discard(upload_id: str) -> Response:
    """Throws an upload away; its files are removed within a day."""
    form(_Nothing)
    with transaction() as session:
        services.discard(session, acting(), now(), upload_id)
    flash(_("县包已作废,没有入库任何内容"), "ok")
    return redirect(url_for(".listed"), 303)


@blueprint.post("/packs/<upload_id>/errors")
def errors(upload_id: str) -> Response | tuple[str, int]:
    """The workbook of errors. It holds faulty rows as they were handed in, so the register of exports has it."""
    with reading() as session:
        upload = upload_by_id(session, upload_id)
    refused = preview_of(sealer(), upload).refused
    if not refused or upload.state == "discarded":
        raise NotFound
    wanted_files = {error.file for error in refused}
    try:
        asked = form(ExportForm)
        with services.laid_out(_store(), files_of(upload), wanted_files) as folder:
            book = error_workbook(folder, refused, language())

        def make(stamp: Stamp) -> bytes:
            return book.written(watermark(stamp, pick(*stamp.line)))

        wanted = Wanted(
            "error_workbook",
            rows_in(refused),
            subject_id=upload_id,
            purpose=asked.get("purpose"),
            note=asked.get("note"),
        )
        with transaction() as session:
            taken = hand_out(session, sealer(), acting(), now(), wanted, make)
            if taken.content is not None:
                change = Change("pack.errors_downloaded", "pack_upload", upload_id)
                record(session, acting(), now(), [change])
    except InvalidInput as invalid:
        faults = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _pack_page(upload_id, typed_reason(), faults), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    day = upload.uploaded_at.astimezone(SHANGHAI).strftime("%Y%m%d")
    name = numbered_name(pick(f"县包错误-{day}.xlsx", f"pack-errors-{day}.xlsx"), taken.number)
    return download(taken.content, name, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def _store() -> BlobStore:
    return BlobStore(files_folder(surroundings().database.url), sealer())
