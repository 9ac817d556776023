"""What the pages of a spell show, as plain data: the form of a proposal, and a spell with all that was recorded."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.masking import Audience, id_number_for
from foundation.sealing import Sealer
from foundation.staff.queries import names
from foundation.web.language import pick
from households.actions import offered
from households.checks import CHECKS
from households.models.people import HouseholdRow
from households.models.recognition import Measure
from households.queries.people import Member, members_of
from households.queries.recognition import (
    Reviewed,
    Spell,
    Yardstick,
    against,
    followed_up,
    open_spell,
    spell_by_id,
    yardstick,
)
from households.recognition_forms import MOST_MEETING, MOST_NAME, MOST_NOTE, MOST_ORGANISATION
from households.recognition_words import STANDING_KINDS, capital, named
from households.services.papers import MOST_BYTES, MOST_PAPERS
from households.spells import ACTIVE, months_after, terms, was_extended, year_ends
from households.terms import (
    BASES,
    CAUSES,
    FINDINGS,
    GROUP_OF_MEASURE,
    INCOME_SOURCES,
    MEASURE_GROUPS,
    MEASURES,
    RECOGNITION_STATES,
    STEPS,
    TRACKS,
)
from policies.terms import REASON_GROUPS


def _limits() -> dict[str, int]:
    return {
        "most_name": MOST_NAME,
        "most_note": MOST_NOTE,
        "most_meeting": MOST_MEETING,
        "most_organisation": MOST_ORGANISATION,
        "most_papers": MOST_PAPERS,
        "most_megabytes": MOST_BYTES >> 20,
    }


def _choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "causes": named(CAUSES),
        "tracks": named(TRACKS),
        "sources": named(INCOME_SOURCES),
        "findings": named(FINDINGS),
    }


def form_view(session: Session, sealer: Sealer, home: HouseholdRow, today: date) -> dict[str, Any]:
    """The form of a proposal: the household, what it is measured by, and the items of the survey."""
    measured = yardstick(session, today)
    before = followed_up(session, home.id, today)
    return {
        "home": home,
        "members": _people(members_of(session, sealer, home.id, today), today),
        "measured": measured,
        "reasons": _reasons(measured),
        "is_open": open_spell(session, home.id) is not None,
        "before": before,
        "notice_days": terms().notice_days,
        "today": today,
        **_choices(),
        **_limits(),
    }


def _reasons(measured: Yardstick) -> list[tuple[str, list[tuple[str, str]]]]:
    """The qualitative reasons by group, in the order of the standards."""
    if measured.standards is None:
        return []
    grouped = groupby(measured.standards.reasons, key=lambda reason: reason.group)
    return [
        (capital(pick(*REASON_GROUPS[group])), [(one.key, pick(*one.title)) for one in reasons])
        for group, reasons in grouped
    ]


def spell_view(
    session: Session, sealer: Sealer, actor: Actor, recognition_id: str, today: date
) -> dict[str, Any]:
    """A spell as its page shows it. Raises NotFound."""
    spell = spell_by_id(session, sealer, actor, recognition_id, today)
    row = spell.row
    measured = yardstick(session, row.surveyed_on)
    everybody = members_of(session, sealer, spell.household.id, row.surveyed_on)
    last = spell.reviews[-1] if spell.reviews else None
    return {
        "spell": spell,
        "row": row,
        "home": spell.household,
        "standing": capital(pick(*RECOGNITION_STATES[spell.standing])),
        "standing_kind": STANDING_KINDS[spell.standing],
        "basis": capital(pick(*BASES[row.basis])),
        "cause": capital(pick(*CAUSES[row.cause])),
        "track": capital(pick(*TRACKS[row.track])),
        "survey": spell.survey,
        "main_source": _main_source(spell),
        "reasons": _titles(measured, row.reasons),
        "surveyed": _surveyed(spell, everybody, row.surveyed_on),
        "steps": _steps(spell),
        "against": _against(session, sealer, spell),
        "reviews": [_review(one) for one in spell.reviews],
        "plan": _plan(spell.measures),
        "measures": _offered_measures(),
        "staff": names(session),
        "decision_note": None if spell.decision is None else spell.decision["note"],
        "decision_hits": [] if spell.decision is None else _check_titles(spell.decision["hits"]),
        "notice_over": today > row.notice_to,
        "may_exit_found": last is not None and last.finding == "may_exit",
        "exit_reviewer": None if last is None else last.reviewed_by,
        "ends_on": None if row.started_on is None else year_ends(row.started_on),
        "extended": _extended(spell),
        "near_end": _near_end(spell, today),
        "uncovered": row.state == ACTIVE and _uncovered(session, sealer, spell, today),
        "offers": offered(spell.household),
        **_choices(),
        **_limits(),
    }


def _main_source(spell: Spell) -> str:
    return "" if spell.survey is None else capital(pick(*INCOME_SOURCES[spell.survey["main_source"]]))


def _titles(measured: Yardstick, keys: str) -> list[str]:
    """The reasons of a spell in the words of its year's standards."""
    titles = {} if measured.standards is None else {one.key: one.title for one in measured.standards.reasons}
    return [pick(*titles.get(key, (key, key))) for key in keys.split(";") if key]


def _people(members: list[Member], day: date) -> list[dict[str, Any]]:
    """Who is in the household on a day, with masked ID numbers; None where they were erased."""
    return [
        {
            "name": one.name,
            "relation": one.relation,
            "id_number": None if one.id_number is None else id_number_for(Audience.OFFICER, one.id_number),
            "born_on": one.born_on,
            "category": one.category,
        }
        for one in members
        if one.is_there(day)
    ]


def _surveyed(spell: Spell, members: list[Member], day: date) -> list[dict[str, Any]]:
    """Those of whom the survey says that they belonged to the household."""
    if spell.survey is None:
        return []
    people = {person_id for person_id, _relation in spell.survey["people"]}
    return _people([one for one in members if one.person_id in people], day)


def _steps(spell: Spell) -> list[dict[str, Any]]:
    """The steps in order, each with its days and its papers by their place."""
    row = spell.row
    present, in_favour = row.appraisal.split("/")
    told: dict[str, tuple[str, tuple[str, str]]] = {
        "survey": (row.surveyed_on.isoformat(), (f"调查人:{row.surveyors}", f"surveyors: {row.surveyors}")),
        "appraisal": (
            row.appraised_on.isoformat(),
            (f"到会 {present} 人,同意 {in_favour} 人", f"{present} present, {in_favour} in favour"),
        ),
        "notice": (
            row.notice_from.isoformat(),
            (f"公示至 {row.notice_to}", f"until {row.notice_to}"),
        ),
    }
    if row.exited_on is not None:
        minute = (f"会议记录 {row.exit_meeting}", f"minute {row.exit_meeting}")
        told["exit"] = (row.exited_on.isoformat(), minute)
    papers = [] if spell.survey is None else list(enumerate(spell.papers))
    return [
        {
            "title": capital(pick(*STEPS[key])),
            "on": on,
            "text": pick(*text),
            "papers": [(place, one) for place, one in papers if one.name.startswith(f"{key}-")],
        }
        for key, (on, text) in told.items()
    ]


def _against(session: Session, sealer: Sealer, spell: Spell) -> dict[str, Any] | None:
    """The comparison as it stands, while that still matters."""
    if spell.row.state not in ("proposed", "active"):
        return None
    found = against(session, sealer, spell.household.id)
    if found is None:
        return {"compared": False, "hits": [], "no_data": []}
    return {
        "compared": True,
        "number": found.number,
        "on_day": found.on_day,
        "hits": _check_titles(found.hits),
        "no_data": _check_titles(found.no_data),
    }


def _check_titles(keys: list[str] | tuple[str, ...]) -> list[str]:
    return [capital(pick(*CHECKS[key].title)) for key in keys]


def _review(one: Reviewed) -> dict[str, Any]:
    return {
        "on": one.reviewed_on,
        "by": one.reviewed_by,
        "finding": capital(pick(*FINDINGS[one.finding])),
        "found": one.found,
    }


def _plan(measures: tuple[Measure, ...]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The measures by group, in the order of the catalogue's groups."""
    return [
        (
            capital(pick(*words)),
            [
                {
                    "kind": capital(pick(*MEASURES[one.kind])),
                    "on": one.begun_on,
                    "organisation": one.organisation,
                    "note": one.note,
                    "by": one.recorded_by,
                }
                for one in measures
                if GROUP_OF_MEASURE[one.kind] == group
            ],
        )
        for group, words in MEASURE_GROUPS.items()
    ]


def _offered_measures() -> list[tuple[str, str]]:
    return [
        (key, f"{capital(pick(*MEASURE_GROUPS[GROUP_OF_MEASURE[key]]))} · {pick(*words)}")
        for key, words in MEASURES.items()
    ]


def _uncovered(session: Session, sealer: Sealer, spell: Spell, today: date) -> bool:
    """Whether nobody in the household is covered today, under whichever policy."""
    there = [one for one in members_of(session, sealer, spell.household.id, today) if one.is_there(today)]
    return not any(one.cover_state(today) == "covered" for one in there)


def _extended(spell: Spell) -> bool:
    row = spell.row
    return (
        row.started_on is not None
        and row.review_due is not None
        and was_extended(row.started_on, row.review_due)
    )


def _near_end(spell: Spell, today: date) -> bool:
    """Whether half a year from today lies beyond the year of support: then the lead may extend it."""
    started = spell.row.started_on
    return started is not None and months_after(today, terms().review_months) > year_ends(started)
