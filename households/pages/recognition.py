"""Pages of recognition 识别认定: the list, proposing a household, one spell with all that was recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.clock import business_day
from foundation.errors import InvalidInput, NotFound
from foundation.privacy.exports import Stamp, Wanted, hand_out
from foundation.web.acting import acting, now, reading, sealer, stored_files, transaction
from foundation.web.downloads import download, numbered_name
from foundation.web.language import _, pick
from foundation.web.large import take_large
from foundation.web.requests import arguments, form
from households import recognition_forms as forms
from households.pages.recognition_rows import form_view, spell_view
from households.queries.households import household_of_number, household_row, places_within
from households.queries.proposals import Paper
from households.queries.recognition import Filters, counted, page_of_spells, spell_by_id, spell_row
from households.recognition_words import STANDING_KINDS, named
from households.services import papers
from households.services.measures import RECORDERS, record_measure
from households.services.recognition import DECIDERS, EVIDENCE, PROPOSERS, Proposed, decide, propose
from households.services.recognition_reviews import REVIEWERS, Finding, Leaving, end, review
from households.services.spell_steps import SurveyedSums
from households.spells import STANDINGS
from households.terms import BASES, CAUSES, RECOGNITION_STATES, TRACKS

blueprint = Blueprint("recognitions", __name__, template_folder="../templates")

PAPERS = "paper"
"""Kind of export: the papers of a spell."""
_MOST_PARTS = 90
_MOST_TYPED = 400
_NOTHING: Mapping[str, str] = MappingProxyType({})
_TAKING_FILES = {"recognitions.add", "recognitions.leave"}

Faults = Mapping[str, Sequence[tuple[str, str]]]


@blueprint.url_value_preprocessor
def _widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Lets papers come along. Here, since the guard reads the form before any view is called."""
    if endpoint in _TAKING_FILES and request.method == "POST":
        take_large(_MOST_PARTS)


# --- the list ------------------------------------------------------------------------------------------


@blueprint.get("/recognitions")
def listed() -> str:
    """The spells of one's place, the newest first, by where they stand."""
    asked = arguments(forms.ListArguments)
    cursor = asked.pop("cursor", None)
    filters, today = Filters(**asked), business_day(now())
    with reading() as session:
        page = page_of_spells(session, sealer(), acting(), filters, today, cursor)
        counts = counted(session, acting(), today)
        places = places_within(session, acting().place)
    chosen = filters.chosen()
    rest = {name: value for name, value in chosen.items() if name != "standing"}
    return render_template(
        "households/recognition_list.html",
        spells=page.rows,
        chosen=chosen,
        tabs=[
            (_("全部"), _list_url(rest), filters.standing is None, None),
            *(
                (
                    pick(*RECOGNITION_STATES[name]),
                    _list_url({"standing": name, **rest}),
                    filters.standing == name,
                    counts[name],
                )
                for name in STANDINGS
            ),
        ],
        places=places,
        causes=named(CAUSES),
        cause_names=dict(named(CAUSES)),
        track_names=dict(named(TRACKS)),
        basis_names=dict(named(BASES)),
        standing_names=dict(named(RECOGNITION_STATES)),
        standing_kinds=STANDING_KINDS,
        may_propose=acting().role in PROPOSERS,
        newer_url=page.newer and _list_url(chosen | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | {"cursor": page.older}),
    )


def _list_url(values: Mapping[str, str]) -> str:
    query = urlencode(values)
    return f"{url_for('.listed')}?{query}" if query else url_for(".listed")


# --- proposing -----------------------------------------------------------------------------------------


@blueprint.get("/recognitions/new")
def blank() -> Response | str:
    """The form of a proposal for a household; by its number one is led to its id."""
    asked = arguments(forms.BlankArguments)
    if "household_no" in asked:
        with reading() as session:
            home = household_of_number(session, acting(), asked["household_no"])
        if home is None:
            flash(_("没有找到这个户编号,或不在您的管辖范围内"), "bad")
            return redirect(url_for(".listed"), 303)
        return redirect(url_for(".blank", household_id=home.id), 303)
    if "household_id" not in asked:
        return redirect(url_for(".listed"), 303)
    return _form_page(asked["household_id"], _NOTHING)


@blueprint.post("/recognitions/new")
def add() -> Response | tuple[str, int]:
    """Proposes a household: its papers are on the disk, sealed, before the row names them."""
    household_id = request.form.get("household_id", "")[:64]
    with reading() as session:
        household_row(session, acting(), household_id)
    faults: dict[str, list[tuple[str, str]]] = {}
    try:
        typed = form(forms.ProposeForm)
        received = [paper for step in EVIDENCE for paper in _received(step)]
        proposed = Proposed(
            forms.steps_from(typed),
            SurveyedSums(**forms.sums_from(typed)),
            tuple(typed.get("reasons", ())),
            typed["cause"],
            typed["track"],
            received,
        )
        with transaction() as session:
            spell_id = propose(session, sealer(), acting(), now(), household_id, proposed)
    except InvalidInput as invalid:
        faults = invalid.fields
    if faults:
        return _form_page(household_id, _typed(), faults), 422
    flash(_("已提出,由县中心另一人认定"), "ok")
    return redirect(url_for(".shown", recognition_id=spell_id), 303)


def _received(step: str) -> tuple[Paper, ...]:
    """The papers of a step, under names of the program's own: `survey-1.jpg`."""
    field = f"{step}_papers"
    sent = [file.stream.read() for file in request.files.getlist(field) if file.filename]
    return papers.receive(stored_files(), sent, f"{step}-", field)


def _form_page(household_id: str, typed: Mapping[str, str], faults: Faults = MappingProxyType({})) -> str:
    with reading() as session:
        home = household_row(session, acting(), household_id)
        view = form_view(session, sealer(), home, business_day(now()))
    return render_template(
        "households/recognition_form.html",
        **view,
        typed=typed,
        ticked=set(request.form.getlist("reasons")),
        errors={name: pick(*pairs[0]) for name, pairs in faults.items()},
    )


# --- one spell -----------------------------------------------------------------------------------------


@blueprint.get("/recognitions/<recognition_id>")
def shown(recognition_id: str) -> str:
    """One spell: survey, steps, decision, reviews, the plan of measures, the exit."""
    arguments(forms.NoFields)
    return _spell_page(recognition_id)


@blueprint.post("/recognitions/<recognition_id>/decide")
def decided(recognition_id: str) -> Response | tuple[str, int]:
    """Recognises the household, or refuses it."""

    def work(session: Session) -> None:
        typed = form(forms.DecideForm)
        approve = typed["decision"] == "approve"
        decide(session, sealer(), acting(), now(), recognition_id, approve=approve, note=typed.get("note"))

    return _done_or_shown(recognition_id, "decide", work, _("已办理"))


@blueprint.post("/recognitions/<recognition_id>/reviews")
def reviewed(recognition_id: str) -> Response | tuple[str, int]:
    """Records a half-yearly review."""

    def work(session: Session) -> None:
        typed = form(forms.ReviewForm)
        found = Finding(
            typed["reviewed_on"],
            typed["finding"],
            SurveyedSums(**forms.sums_from(typed)),
            typed["cause"],
            typed["track"],
            typed.get("note"),
            typed.get("extend", False),
        )
        review(session, sealer(), acting(), now(), recognition_id, found)

    return _done_or_shown(recognition_id, "review", work, _("复核已登记"))


@blueprint.post("/recognitions/<recognition_id>/exit")
def leave(recognition_id: str) -> Response | tuple[str, int]:
    """Ends the spell."""
    with reading() as session:
        spell_row(session, acting(), recognition_id)

    def work(session: Session) -> None:
        typed = form(forms.ExitForm)
        leaving = Leaving(typed["exited_on"], typed.get("cause_gone", False), typed.get("meeting"), minute)
        end(session, sealer(), acting(), now(), recognition_id, leaving)

    try:
        minute = _received("exit")
    except InvalidInput as invalid:
        return _spell_page(recognition_id, "exit", invalid.fields), 422
    return _done_or_shown(recognition_id, "exit", work, _("已退出,继续关注三个月"))


@blueprint.post("/recognitions/<recognition_id>/measures")
def measure(recognition_id: str) -> Response | tuple[str, int]:
    """Adds a measure to the household's plan."""

    def work(session: Session) -> None:
        typed = form(forms.MeasureForm)
        _row, home = spell_row(session, acting(), recognition_id)
        record_measure(session, sealer(), acting(), now(), home.id, **typed)

    return _done_or_shown(recognition_id, "measure", work, _("帮扶措施已登记"))


@blueprint.post("/recognitions/<recognition_id>/papers/<int:place>")
def paper(recognition_id: str, place: int) -> Response:
    """One of a spell's papers, by the register of exports."""
    form(forms.NoFields)
    today = business_day(now())
    with transaction() as session:
        spell = spell_by_id(session, sealer(), acting(), recognition_id, today)
        if spell.survey is None or not 0 <= place < len(spell.papers):
            raise NotFound
        found = spell.papers[place]
        wanted = Wanted(PAPERS, len(spell.survey["people"]), {"paper": found.name}, recognition_id)

        def content(_stamp: Stamp) -> bytes:
            return stored_files().get(found.blob)

        taken = hand_out(session, sealer(), acting(), now(), wanted, content)
    assert taken.content is not None  # a household is far smaller than what a second person has to agree to
    ending = found.name.rpartition(".")[2]
    return download(taken.content, numbered_name(found.name, taken.number), papers.MEDIA_TYPES[ending])


def _done_or_shown(
    recognition_id: str, which: str, work: Callable[[Session], None], done: str
) -> Response | tuple[str, int]:
    """Does the work of one of the page's forms; shows the page again, with what is wrong, where it cannot."""
    try:
        with transaction() as session:
            work(session)
    except InvalidInput as invalid:
        return _spell_page(recognition_id, which, invalid.fields), 422
    flash(done, "ok")
    return redirect(url_for(".shown", recognition_id=recognition_id), 303)


def _spell_page(recognition_id: str, which: str = "", faults: Faults = MappingProxyType({})) -> str:
    """`which` form came back with faults."""
    today, actor = business_day(now()), acting()
    with reading() as session:
        view = spell_view(session, sealer(), actor, recognition_id, today)
    errors = {name: pick(*pairs[0]) for name, pairs in faults.items()}
    return render_template(
        "households/recognition_spell.html",
        **view,
        which=which,
        typed=_typed() if which else _NOTHING,
        errors=errors,
        summary=[(f"{which}-{name}" if name else "", text) for name, text in errors.items()],
        may_decide=actor.role in DECIDERS,
        may_review=actor.role in REVIEWERS,
        may_measure=actor.role in RECORDERS,
        own=view["row"].proposed_by == actor.person,
        today=today,
    )


def _typed() -> dict[str, str]:
    """What was typed into a form that comes back."""
    return {name: value[:_MOST_TYPED] for name, value in request.form.items()}
