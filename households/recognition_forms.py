"""What the pages of recognition and of the three ledgers take in: their query strings and their forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.web.disclosing import FullViewForm
from foundation.web.fields import (
    Choice,
    CleanText,
    Flag,
    IsoDate,
    Money,
    PlaceCode,
    RowId,
    Several,
    TextSchema,
    Whole,
)
from households.spells import STANDINGS, Steps
from households.terms import CAUSES, FINDINGS, INCOME_SOURCES, MEASURES, TRACKS

MOST_NAME, MOST_NOTE, MOST_MEETING, MOST_ORGANISATION = 20, 300, 40, 60
SUMS = ("wages", "operating", "property", "transfer", "cost")
"""The sums of a survey in yuan, in the order of the form."""


class ListArguments(TextSchema):
    """What the list is narrowed to, and the place in it."""

    standing = Choice(STANDINGS)
    place = PlaceCode()
    cause = Choice(CAUSES)
    cursor = CleanText(max=600)


class BlankArguments(TextSchema):
    """For which household a proposal is begun: by its id, or by the number that somebody typed."""

    household_id = RowId()
    household_no = CleanText(max=40)


class SumsForm(TextSchema):
    """A household's income of a year by its four sources, and what producing it cost."""

    wages = Money(required=True)
    operating = Money(required=True)
    property = Money(required=True)
    transfer = Money(required=True)
    cost = Money(required=True)
    main_source = Choice(INCOME_SOURCES, required=True)


class ProposeForm(SumsForm):
    """A proposal; the papers of its steps come as files."""

    household_id = RowId(required=True)
    surveyed_on = IsoDate(required=True)
    surveyor_1 = CleanText(max=MOST_NAME, required=True)
    surveyor_2 = CleanText(max=MOST_NAME, required=True)
    appraised_on = IsoDate(required=True)
    present = Whole(1, 100_000, required=True)
    in_favour = Whole(0, 100_000, required=True)
    notice_from = IsoDate(required=True)
    notice_to = IsoDate(required=True)
    reasons = Several(RowId(), max=40)
    cause = Choice(CAUSES, required=True)
    track = Choice(TRACKS, required=True)


class DecideForm(TextSchema):
    """A proposal recognised or refused, with a reason where there has to be one."""

    decision = Choice(("approve", "refuse"), required=True)
    note = CleanText(max=MOST_NOTE, lines=True)


class ReviewForm(SumsForm):
    """A half-yearly review."""

    reviewed_on = IsoDate(required=True)
    finding = Choice(FINDINGS, required=True)
    cause = Choice(CAUSES, required=True)
    track = Choice(TRACKS, required=True)
    note = CleanText(max=MOST_NOTE, lines=True)
    extend = Flag()


class ExitForm(TextSchema):
    """An exit; the minute comes as a file."""

    exited_on = IsoDate(required=True)
    cause_gone = Flag()
    meeting = CleanText(max=MOST_MEETING)


class MeasureForm(TextSchema):
    """A measure for a household."""

    kind = Choice(MEASURES, required=True)
    begun_on = IsoDate(required=True)
    organisation = CleanText(max=MOST_ORGANISATION, required=True)
    note = CleanText(max=MOST_NOTE)


class LedgerArguments(TextSchema):
    """What a ledger is narrowed to, and the place in it."""

    town = PlaceCode()
    day_from = IsoDate()
    day_to = IsoDate()
    cursor = CleanText(max=600)


class LedgerExportForm(FullViewForm):
    """The filters of a ledger, and what it is taken out for."""

    town = PlaceCode()
    day_from = IsoDate()
    day_to = IsoDate()


class NoFields(TextSchema):
    """A form of one button."""


def steps_from(values: Mapping[str, Any]) -> Steps:
    """The three steps of a proposal's form."""
    return Steps(
        surveyed_on=values["surveyed_on"],
        surveyors=(values["surveyor_1"], values["surveyor_2"]),
        appraised_on=values["appraised_on"],
        present=values["present"],
        in_favour=values["in_favour"],
        notice_from=values["notice_from"],
        notice_to=values["notice_to"],
    )


def sums_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of a form under the names of `households.services.spell_steps.SurveyedSums`."""
    found: dict[str, Any] = {f"{name}_fen": int(values[name]) for name in SUMS}
    return found | {"main_source": values["main_source"]}
