"""Forms and addresses of the comparison, each read strictly."""

from __future__ import annotations

from foundation.privacy.purposes import MOST_NOTE, PURPOSES
from foundation.web.fields import Choice, CleanText, IsoDate, PlaceCode, RowId, TextSchema
from households.checks import CHECKS
from policies.policy import REVERSE_STANDARDS

MOST_PASTED = 240_000
"""Characters; a form takes no more. Longer lists come as a file."""
KINDS = ("examined", "record")


class Nothing(TextSchema):
    """A form of one button, or a page without arguments."""


class RunsArguments(TextSchema):
    """The place in the list of runs."""

    cursor = CleanText(max=600)


class HitsArguments(TextSchema):
    """What the hits of a run are narrowed to."""

    kind = Choice(KINDS, load_default="examined")
    place = PlaceCode()
    matter = Choice(CHECKS)
    cursor = CleanText(max=600)


class DifferencesArguments(HitsArguments):
    """The same, and which of the hits."""

    change = Choice(("new", "gone"), load_default="new")


class HitsExport(TextSchema):
    """The filters again, and what they are taken out for."""

    kind = Choice(KINDS, load_default="examined")
    place = PlaceCode()
    matter = Choice(CHECKS)
    purpose = Choice(PURPOSES)
    note = CleanText(max=MOST_NOTE)


class HouseholdForm(TextSchema):
    """Which household is to be compared."""

    household_id = RowId(required=True)


class PlaceForm(TextSchema):
    """Which place is to be compared."""

    place = PlaceCode(required=True)


class ListForm(TextSchema):
    """A list as it was pasted; a file comes beside it."""

    numbers = CleanText(max=MOST_PASTED, lines=True)


class CheckForm(ListForm):
    """An auditor's list: shown, or as a workbook."""

    answer = Choice(("show", "workbook"), required=True)
    purpose = Choice(PURPOSES)
    note = CleanText(max=MOST_NOTE)


class ClearanceArguments(TextSchema):
    """Which hit is to be answered."""

    matter = Choice(REVERSE_STANDARDS)


class ClearanceForm(TextSchema):
    """An answer to a hit; its papers come beside it."""

    matter = Choice(REVERSE_STANDARDS, required=True)
    cleared_on = IsoDate(required=True)
    result = Choice(("passed", "failed"), required=True)
    note = CleanText(max=500, required=True)
