"""A household's spell of support 识别认定至退出: its steps, reviews, one year, follow-up, and where it stands.

Pure but for reading `spells.toml`, which holds the days and months with their sources. Days are dates of Asia/Shanghai;
money is in fen.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

Pair = tuple[str, str]
Faults = dict[str, list[Pair]]
_TABLE = Path(__file__).with_name("spells.toml")

PROPOSED, ACTIVE, REFUSED, EXITED = "proposed", "active", "refused", "exited"
"""States of a spell in the database."""
DUE, OVERDUE, FOLLOW_UP = "due", "overdue", "follow_up"
"""What they are on a day: an active spell may be due or overdue for its review, an exited one be followed up."""
STANDINGS = (PROPOSED, ACTIVE, DUE, OVERDUE, FOLLOW_UP, EXITED, REFUSED)

STAYS, CHANGED, MAY_EXIT = "stays", "changed", "may_exit"
"""What a review finds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The days and months of `spells.toml`."""

    notice_days: int
    review_months: int
    remind_days: int
    """How many days ahead a review is called due."""
    most_months: int
    follow_up_months: int


@cache
def terms() -> Terms:
    """The days and months that the program works with."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return Terms(
        notice_days=table["notice"]["days"],
        review_months=table["review"]["months"],
        remind_days=table["review"]["remind_days"],
        most_months=table["support"]["months"],
        follow_up_months=table["follow_up"]["months"],
    )


# --- days ----------------------------------------------------------------------------------------------


def months_after(day: date, months: int) -> date:
    """The same day so many months later; where that month is shorter, its last day: 31 August + 6 → 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def first_review(started_on: date) -> date:
    """When a spell has to be reviewed for the first time."""
    return months_after(started_on, terms().review_months)


def year_ends(started_on: date) -> date:
    """The day on which the year of support is over."""
    return months_after(started_on, terms().most_months)


def next_review(started_on: date, reviewed_on: date, *, extended: bool) -> date:
    """When a spell has to be reviewed next: in half a year; without an extension at the year's end at the latest."""
    regular = months_after(reviewed_on, terms().review_months)
    return regular if extended else min(regular, year_ends(started_on))


def was_extended(started_on: date, review_due: date) -> bool:
    """Whether the Centre's lead has let a spell go on beyond its year: only then does a review fall after it."""
    return review_due > year_ends(started_on)


def needs_extension(started_on: date, reviewed_on: date) -> bool:
    """Whether a review on this day lets support go on only by an extension: the year is over."""
    return reviewed_on >= year_ends(started_on)


def followed_until(exited_on: date) -> date:
    """The last day of the follow-up after an exit; a household proposed until then is taken in again 即时纳入."""
    return months_after(exited_on, terms().follow_up_months)


def standing(state: str, review_due: date | None, follow_up_until: date | None, today: date) -> str:
    """What a spell is on a day: one of `STANDINGS`."""
    if state == ACTIVE and review_due is not None:
        if review_due < today:
            return OVERDUE
        return DUE if review_due <= today + timedelta(terms().remind_days) else ACTIVE
    if state == EXITED and follow_up_until is not None and today <= follow_up_until:
        return FOLLOW_UP
    return state


# --- the survey and its steps --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Steps:
    """The three steps: survey by two, democratic appraisal, village notice (both its days counted)."""

    surveyed_on: date
    surveyors: tuple[str, str]
    appraised_on: date
    present: int
    in_favour: int
    notice_from: date
    notice_to: date


def step_faults(steps: Steps, today: date) -> Faults:
    """What is wrong with the steps, by the name of the field."""
    faults: Faults = {}
    days = terms().notice_days
    if steps.surveyed_on > today:
        faults["surveyed_on"] = [("不能晚于今天", "must not be after today")]
    if steps.surveyors[0] == steps.surveyors[1]:
        faults["surveyor_2"] = [("须由两人入户调查", "two people have to survey")]
    if not steps.surveyed_on <= steps.appraised_on <= today:
        faults["appraised_on"] = [
            ("应不早于入户调查,不晚于今天", "must not be before the survey, nor after today")
        ]
    if steps.in_favour > steps.present:
        faults["in_favour"] = [("不能多于到会人数", "must not be more than were present")]
    elif 2 * steps.in_favour <= steps.present:
        faults["in_favour"] = [
            ("同意人数未过半,评议没有通过", "no majority was in favour: the appraisal has failed")
        ]
    if not steps.appraised_on <= steps.notice_from <= today:
        faults["notice_from"] = [
            ("应不早于民主评议,不晚于今天", "must not be before the appraisal, nor after today")
        ]
    elif steps.notice_to < steps.notice_from + timedelta(days - 1):
        faults["notice_to"] = [
            (f"公示不得少于 {days} 日", f"the notice has to hang for at least {days} days")
        ]
    return faults


def basis_of(per_head_fen: int, line_fen: int | None, reasons: int) -> str | None:
    """By what a household is recognised: below the line, else by a qualitative reason; None: by neither."""
    if line_fen is not None and per_head_fen < line_fen:
        return "quantitative"
    return "qualitative" if reasons else None


def exit_faults(per_head_fen: int, line_fen: int | None, *, cause_gone: bool, meeting: str | None) -> Faults:
    """Why a household cannot leave: income above the line, the cause gone, and the meeting's minute, all three."""
    faults: Faults = {}
    if line_fen is None or per_head_fen <= line_fen:
        faults["cause_gone"] = [
            ("最近一次核实的收入没有超过标准,不能退出", "the income last verified is not above the line")
        ]
    elif not cause_gone:
        faults["cause_gone"] = [("须确认致困原因已经消除", "confirm that the cause of the hardship is gone")]
    if not meeting:
        faults["meeting"] = [
            ("须填写村民代表会议记录编号", "name the minute of the villagers' representative meeting")
        ]
    return faults
