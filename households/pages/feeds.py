"""Pages of the departments' data: how each feed stands, its layout and template, uploading a file, and taking it in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.actors import actor_from
from foundation.clock import SHANGHAI, business_day
from foundation.error_workbook import rows_in
from foundation.errors import Fault, InvalidInput, NotFound, UnusableInput
from foundation.privacy.exports import Stamp, Wanted, hand_out, needs_purpose, watermark
from foundation.privacy.purposes import EXPORT_PURPOSES
from foundation.sealing import ERASED
from foundation.spreadsheets import write_template
from foundation.trail.events import Change, record
from foundation.web.acting import acting, now, reading, ring, sealer, stored_files, transaction
from foundation.web.disclosing import ExportForm, named_purposes, typed_reason
from foundation.web.downloads import download, numbered_name, sent_to_a_second_person
from foundation.web.fields import Choice, CleanText, Flag, IsoDate, TextSchema
from foundation.web.language import _, language, pick
from foundation.web.large import MOST_BYTES, take_large
from foundation.web.requests import arguments, form
from households.departments import departments
from households.feed_files import feed_error_workbook
from households.feed_words import column_words, template_note
from households.layouts import MODES, Layout, uploaded_layouts
from households.pages.feed_rows import delivery_row, refusal_row, state_row, upload_row, work_of
from households.queries.feed_uploads import (
    CHECK,
    SENDERS,
    TAKE_IN,
    deliveries_of,
    feed_states,
    layout_for,
    layouts_of,
    open_uploads,
    preview_of,
    upload_for,
)
from households.services import feed_uploads as services
from households.services.feed_checking import laid_out
from households.terms import FEED_MODES

blueprint = Blueprint("feeds", __name__, template_folder="../templates")

_PAGE = 20
_MOST_PARTS = 20
_SHOWN_CELLS = 200
_NOTHING: Mapping[str, str] = MappingProxyType({})
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STEP = {"checking": 2, "ready": 3, "unusable": 2, "taking_in": 3, "taken_in": 4, "discarded": 3}


class _Nothing(TextSchema):
    """A form of one button, or a page without arguments."""


class _FeedArguments(TextSchema):
    """The place in a feed's history."""

    cursor = CleanText(max=600)


class _UploadForm(TextSchema):
    """What a file is, beside the file itself."""

    mode = Choice(MODES, required=True)
    as_of = IsoDate(required=True)


class _TakeInForm(TextSchema):
    """Whether the person has confirmed a list that became much shorter."""

    confirmed = Flag()


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets this one route take large requests. Here, since the guard reads the form before any view is called."""
    if endpoint == "feeds.upload" and request.method == "POST":
        take_large(_MOST_PARTS)


# --- all feeds ---------------------------------------------------------------------------------------


@blueprint.get("/feeds")
def listed() -> str:
    """Every feed that the actor may look at, by department: what was sent last, and when the next file is due."""
    arguments(_Nothing)
    with reading() as session:
        states = feed_states(session, layouts_of(acting()), business_day(now()))
        waiting = open_uploads(session, [state.layout.feed for state in states])
    rows = [state_row(state) for state in states]
    return render_template(
        "households/feeds_list.html",
        rows=rows,
        late=sum(row["late"] for row in rows),
        waiting=[upload_row(upload) for upload in waiting],
        may=acting().role in SENDERS,
    )


# --- one feed ----------------------------------------------------------------------------------------


@blueprint.get("/feeds/<feed>")
def shown(feed: str) -> str:
    """One feed: its columns, when it is due, what was sent, and the form for one more file."""
    return _feed_page(layout_for(acting(), feed), arguments(_FeedArguments).get("cursor"))


def _feed_page(
    layout: Layout,
    cursor: str | None = None,
    typed: Mapping[str, str] = _NOTHING,
    errors: Mapping[str, str] = _NOTHING,
) -> str:
    """`typed` and `errors` are of an upload form that came back."""
    with reading() as session:
        (state,) = feed_states(session, [layout], business_day(now()))
        page = deliveries_of(session, layout.feed, cursor, _PAGE)
        waiting = open_uploads(session, [layout.feed])
    return render_template(
        "households/feeds_feed.html",
        state=state_row(state),
        columns=[
            (column.name, pick(*column_words(layout, place)), column.required)
            for place, column in enumerate(layout.columns)
        ],
        mode=pick(*FEED_MODES[layout.mode]),
        deliveries=[delivery_row(row) for row in page.rows],
        newer_url=page.newer and url_for(".shown", feed=layout.feed, cursor=page.newer),
        older_url=page.older and url_for(".shown", feed=layout.feed, cursor=page.older),
        waiting=[upload_row(upload) for upload in waiting],
        modes=[(mode, pick(*FEED_MODES[mode]), _mode_note(mode)) for mode in MODES],
        typed={"mode": layout.mode, "as_of": business_day(now()).isoformat(), **typed},
        errors=errors,
        may=acting().role in SENDERS,
        most_megabytes=MOST_BYTES >> 20,
    )


def _mode_note(mode: str) -> str:
    if mode == "full":
        return _("截至某日的全部名单;名单中不再有的行视为已失效")
    return _("只报新增的行,以前报过的都保留")


@blueprint.get("/feeds/<feed>/template")
def template(feed: str) -> Response:
    """The workbook to be filled in: a note, the names of the columns, cells that are text."""
    arguments(_Nothing)
    layout = layout_for(acting(), feed)
    names = [column.name for column in layout.columns]
    widths = [22 if kind == "id_number" else max(12, 2 * len(name) + 4)
              for kind, name in zip(layout.types, names, strict=True)]  # fmt: skip
    title = layout.title[0]
    content = write_template(title, pick(*template_note(layout)), names, widths)
    return download(content, pick(f"{title}模板.xlsx", f"{layout.feed}-template.xlsx"), _XLSX)


@blueprint.post("/feeds/<feed>")
def upload(feed: str) -> Response | tuple[str, int]:
    """Takes a file: sealed on the disk first, then its row and the job to check it."""
    layout = layout_for(acting(), feed)
    services.refuse_other_departments(acting(), layout)
    try:
        asked = form(_UploadForm)
        sent = services.Sent(layout, asked["mode"], asked["as_of"])
        file = services.receive(stored_files(), layout, _sent_file())
        with transaction() as session:
            upload_id = services.record_upload(session, sealer(), acting(), now(), sent, file)
    except InvalidInput as invalid:
        found = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _feed_page(layout, typed=_typed(), errors=found), 422
    except UnusableInput as unusable:
        fault = unusable.faults[0]
        return _feed_page(layout, typed=_typed(), errors={"file": pick(fault.zh, fault.en)}), 422
    ring(CHECK, upload_id)
    return redirect(url_for(".uploaded", upload_id=upload_id), 303)


def _sent_file() -> bytes:
    sent = [file for file in request.files.getlist("file") if file.filename]
    if len(sent) != 1:
        raise UnusableInput([Fault("", "请选择一个文件", "choose one file")])
    return sent[0].stream.read()


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "")[:20] for name in ("mode", "as_of")}


# --- one file ----------------------------------------------------------------------------------------


@blueprint.get("/feed-uploads/<upload_id>")
def uploaded(upload_id: str) -> str:
    """One file: how far it is, what was found in it, and what can be done with it."""
    arguments(_Nothing)
    return _upload_page(upload_id)


def _upload_page(
    upload_id: str, typed: Mapping[str, str] = _NOTHING, export_errors: Mapping[str, str] = _NOTHING
) -> str:
    """`typed` and `export_errors` are of a form for the workbook of errors that came back."""
    with reading() as session:
        upload = upload_for(session, acting(), upload_id)
        work = work_of(session, upload)
    layout = uploaded_layouts()[upload.feed]
    preview = preview_of(sealer(), upload)
    return render_template(
        "households/feeds_upload.html",
        upload=upload_row(upload),
        feed_title=pick(*layout.title),
        department=pick(*departments()[layout.department]),
        asked_by=None if upload.asked_by is None else actor_from(upload.asked_by).name,
        work=work,
        step=_STEP[upload.state],
        erased=upload.preview == ERASED,
        preview=preview,
        is_full=upload.mode == "full",
        columns=[column.name for column in layout.columns],
        refused=[refusal_row(error) for error in preview.refused[:_SHOWN_CELLS]],
        refused_rows=rows_in(preview.refused),
        shown_cells=_SHOWN_CELLS,
        asks_purpose=needs_purpose("error_workbook", rows_in(preview.refused)),
        purposes=named_purposes(EXPORT_PURPOSES),
        usual_purpose="correction",
        typed=typed,
        export_errors=export_errors,
        faults=[pick(fault.zh, fault.en) for fault in preview.faults],
        may=acting().role in SENDERS,
    )


@blueprint.get("/feed-uploads/<upload_id>/progress")
def progress(upload_id: str) -> Response | str:
    """How far the work is, as a part of the page; once there is nothing to wait for, the page is to be loaded anew."""
    arguments(_Nothing)
    with reading() as session:
        upload = upload_for(session, acting(), upload_id)
        work = work_of(session, upload)
    if work is None or work.failed:
        return Response("", headers={"HX-Refresh": "true"})
    return render_template("households/feeds_progress.html", upload={"id": upload.id}, work=work)


# --- what can be done --------------------------------------------------------------------------------


@blueprint.post("/feed-uploads/<upload_id>/take-in")
def take_in(upload_id: str) -> Response:
    """Asks for a file to be taken in. Of two persons who do, one is told that the other was first."""
    confirmed = form(_TakeInForm).get("confirmed", False)
    with transaction() as session:
        upload_for(session, acting(), upload_id)
        services.ask_take_in(session, sealer(), acting(), now(), upload_id, confirmed=confirmed)
    ring(TAKE_IN, upload_id)
    return redirect(url_for(".uploaded", upload_id=upload_id), 303)


@blueprint.post("/feed-uploads/<upload_id>/again")
def again(upload_id: str) -> Response:
    """Asks again for work that failed."""
    form(_Nothing)
    with transaction() as session:
        upload_for(session, acting(), upload_id)
        services.ask_again(session, acting(), now(), upload_id)
    return redirect(url_for(".uploaded", upload_id=upload_id), 303)


@blueprint.post("/feed-uploads/<upload_id>/discard")
def discard(upload_id: str) -> Response:
    """Throws a file away; it is removed from the disk within a day."""
    form(_Nothing)
    with transaction() as session:
        feed = upload_for(session, acting(), upload_id).feed
        services.discard(session, acting(), now(), upload_id)
    flash(_("文件已作废,没有入库任何内容"), "ok")
    return redirect(url_for(".shown", feed=feed), 303)


@blueprint.post("/feed-uploads/<upload_id>/errors")
def errors(upload_id: str) -> Response | tuple[str, int]:
    """The workbook of errors. It holds faulty rows as they were handed in, so the register of exports has it."""
    with reading() as session:
        upload = upload_for(session, acting(), upload_id)
    refused = preview_of(sealer(), upload).refused
    if not refused or upload.state == "discarded":
        raise NotFound
    layout = uploaded_layouts()[upload.feed]
    try:
        asked = form(ExportForm)
        with laid_out(stored_files(), upload) as path:
            book = feed_error_workbook(path, layout, refused, language())

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
                change = Change("feed.errors_downloaded", "feed_upload", upload_id)
                record(session, acting(), now(), [change])
    except InvalidInput as invalid:
        faults = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _upload_page(upload_id, typed_reason(), faults), 422
    if taken.content is None:
        return sent_to_a_second_person(taken)
    day = upload.uploaded_at.astimezone(SHANGHAI).strftime("%Y%m%d")
    name = pick(f"{layout.title[0]}错误-{day}.xlsx", f"{layout.feed}-errors-{day}.xlsx")
    return download(taken.content, numbered_name(name, taken.number), _XLSX)
