"""How comparisons are shown: runs, hits, a household's matrix, as rows in the request's language for the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import url_for

from foundation.masking import Audience, id_number_for
from foundation.web.language import _, pick
from households.checks import CHECKS, Check
from households.comparing import State
from households.comparison_setting import Setting, Source
from households.comparison_words import (
    ANSWERS,
    SCOPES,
    STATE_KINDS,
    STATES,
    answer_words,
    as_of_words,
    basis_words,
    detail_words,
    source_words,
)
from households.departments import departments
from households.layouts import layouts
from households.queries.comparison import Cell, Matrix
from households.queries.comparison_hits import Answer, HitView
from households.queries.comparison_lists import CheckedList
from households.queries.comparison_runs import Run


def run_row(run: Run, people: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Any]:
    """A run; `people` are names of the staff, `places` names of the places by code: the county has none."""
    missing = run.setting.without_data()
    return {
        "id": run.id,
        "number": run.number,
        "scope": pick(*SCOPES[run.scope]),
        "place": places.get(run.place, ""),
        "run_at": run.run_at,
        "on_day": run.on_day,
        "by": pick("系统定时", "by schedule") if run.scheduled else people.get(run.asked_by, run.asked_by),
        "people": run.people,
        "hits": run.hits,
        "examined": run.examined,
        "missing": len(missing),
        "basis": basis_words(run.setting),
        "previous": run.previous_id,
        "url": run_url(run),
    }


def run_url(run: Run) -> str:
    """Where a run is shown: of a household, its matrix."""
    if run.household_id is not None:
        return url_for("comparison.runs.household", run_id=run.id, household_id=run.household_id)
    return url_for("comparison.runs.shown", run_id=run.id)


def state_badge(check: Check, state: State) -> tuple[str, str]:
    """Mark and word of a state. A mere record of a department is no alarm."""
    kind = "info" if state is State.HIT and not check.examined else STATE_KINDS[state]
    return kind, pick(*STATES[state])


def answer_badge(answer: Answer | None) -> tuple[str, str]:
    """Mark and words of a clearance, or of a hit that nobody has answered."""
    if answer is None:
        return "neutral", pick(*ANSWERS["none"])
    return "ok" if answer.passed else "bad", answer_words(answer)


def hit_row(hit: HitView, staff: Mapping[str, str]) -> dict[str, Any]:
    """A hit with the department's row, its source, and whether it was answered, when and by whom."""
    check = CHECKS[hit.matter]
    answer = hit.answer if check.reverse else None
    return {
        "household_id": hit.household_id,
        "household_no": hit.household_no,
        "town": hit.town,
        "village": hit.village,
        "name": hit.name,
        "id_number": hit.id_number,
        "matter": hit.matter,
        "check": pick(*check.title),
        "badge": state_badge(check, State.HIT),
        "source": source_words(hit.feed, hit.source),
        "details": detail_words(hit.details),
        "answer": answer_badge(answer) if check.reverse else None,
        "answered_by": _answered_by(answer, staff),
        "withdrawn": hit.withdrawn,
        "clears": check.reverse and hit.household_id is not None,
    }


def _answered_by(answer: Answer | None, staff: Mapping[str, str]) -> str:
    if answer is None:
        return ""
    return (
        pick("县包带入", "came with a county pack") if answer.by is None else staff.get(answer.by, answer.by)
    )


def feed_rows(setting: Setting) -> list[dict[str, Any]]:
    """The state of every feed of a run: each check with the feeds that it asks, and whether there is data."""
    return [
        {
            "check": pick(*check.title),
            "feeds": [_feed(check, feed, setting.feeds.get(feed)) for feed in check.feeds],
            "badge": _data_badge(setting, check),
        }
        for check in setting.made()
    ]


def _feed(check: Check, feed: str, source: Source | None) -> tuple[str, str]:
    """The feed's title, where it says more than the check's, and who sent it, as of which day."""
    title = layouts()[feed].title
    same = check.feeds == (feed,) and title[0] == check.title[0]
    return "" if same else pick(*title), source_words(feed, source)


def _data_badge(setting: Setting, check: Check) -> tuple[str, str]:
    if check in setting.without_data():
        return "warn", pick(*STATES[State.NO_DATA])
    if check in setting.overdue():
        return "warn", _("有数据,已超期")
    return "ok", _("有数据")


def matrix_view(matrix: Matrix, staff: Mapping[str, str]) -> dict[str, Any]:
    """A household's matrix in two tables: what has to be looked into, and mere records."""
    parts = (
        [check for check in matrix.checks if check.examined],
        [check for check in matrix.checks if not check.examined],
    )
    return {
        "run_id": matrix.run_id,
        "number": matrix.number,
        "on_day": matrix.on_day,
        "basis": basis_words(matrix.setting),
        "tables": [_table(matrix, checks, staff) for checks in parts if checks],
    }


def _table(matrix: Matrix, checks: Sequence[Check], staff: Mapping[str, str]) -> dict[str, Any]:
    keys = {check.key for check in checks}
    return {
        "examined": checks[0].examined,
        "checks": [
            {
                "title": pick(*check.title),
                "sources": _sources(check, matrix.setting),
            }
            for check in checks
        ],
        "lines": [
            {
                "name": line.name,
                "id_number": line.id_number,
                "cells": [
                    _cell(cell, matrix.setting, matrix.answers, staff)
                    for cell in line.cells
                    if cell.check.key in keys
                ],
            }
            for line in matrix.lines
        ],
    }


def _sources(check: Check, setting: Setting) -> list[tuple[str, str]]:
    """(department, as of which day) of each feed that a check asks."""
    return [
        (pick(*departments()[layouts()[feed].department]), as_of_words(setting.feeds.get(feed)))
        for feed in check.feeds
    ]


def _cell(
    cell: Cell, setting: Setting, answers: Mapping[str, Answer], staff: Mapping[str, str]
) -> dict[str, Any]:
    cleared = cell.state is State.HIT and cell.check.reverse
    answer = answers.get(cell.check.key) if cleared else None
    return {
        "label": pick(*cell.check.title),
        "badge": state_badge(cell.check, cell.state),
        "note": _cell_note(cell, setting),
        "hits": [detail_words(hit.details) for hit in cell.hits if hit.details],
        "answer": answer_badge(answer) if cleared else None,
        "answered_by": _answered_by(answer, staff),
        "matter": cell.check.key if cleared else None,
    }


def _cell_note(cell: Cell, setting: Setting) -> str:
    """What is missing for NO DATA, where it could be one of several; a warning where the data is overdue."""
    if cell.state is State.NO_DATA:
        if len(cell.check.feeds) == 1:
            return ""
        names = pick("、", ", ").join(pick(*layouts()[feed].title) for feed in cell.missing)
        return _("缺:%(feeds)s", feeds=names)
    return _("数据已超期") if cell.check in setting.overdue() else ""


def list_view(checked: CheckedList, most: int) -> dict[str, Any]:
    """An auditor's list: those whom anything to be looked into hits first, then the others; at most so many."""
    checks = checked.setting.made()
    ranked = sorted(checked.people, key=lambda one: (not _examined(one.hits), not one.hits, one.place))
    rows = [
        {
            "place": one.place,
            "id_number": id_number_for(Audience.AUDITOR, one.id_number),
            "hits": [
                (
                    state_badge(check, State.HIT),
                    pick(*check.title),
                    [detail_words(said) for said in one.hits[check.key]],
                )
                for check in checks
                if check.key in one.hits
            ],
        }
        for one in ranked[:most]
    ]
    return {
        "rows": rows,
        "people": len(checked.people),
        "hit": sum(_examined(one.hits) for one in checked.people),
        "basis": basis_words(checked.setting),
        "feeds": feed_rows(checked.setting),
        "missing": [pick(*check.title) for check in checked.setting.without_data()],
    }


def _examined(hits: Iterable[str]) -> bool:
    return any(CHECKS[matter].examined for matter in hits)
