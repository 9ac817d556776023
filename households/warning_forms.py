"""Forms and addresses of early warning, each read strictly."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from foundation.web.fields import Choice, CleanText, IsoDate, Money, PlaceCode, RowId, TextSchema
from foundation.web.searched import SearchedIdNumber, SearchedName
from households.terms import (
    DISMISSALS,
    HAPPENED,
    TRANSFERS,
    WARNING_CHANNELS,
    WARNING_LINES,
    WARNING_STATES,
)

MOST_NOTE = 500
PEOPLE_CHANNELS = ("village", "town_window", "county_window")
"""The channels by which people report; which of them are somebody's depends on the role."""


class Nothing(TextSchema):
    """A form of one button, or a page without arguments."""


class ListArguments(TextSchema):
    """What the list is narrowed to, and the place in it."""

    line = Choice(WARNING_LINES)
    state = Choice(WARNING_STATES)
    source = Choice(WARNING_CHANNELS)
    place = PlaceCode()
    cursor = CleanText(max=600)


class WhomForm(TextSchema):
    """Whom a report is about: by name, by ID number, or by both."""

    name = SearchedName(max=100)
    id_number = SearchedIdNumber()

    @validates_schema
    def _somebody(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError([("请输入姓名或身份证号", "give a name or an ID number")], "name")


class ReportForm(TextSchema):
    """What has happened. `form_token` came with the form and makes its report the same one when it is sent twice."""

    form_token = RowId(required=True)
    what = Choice(HAPPENED, required=True)
    on = IsoDate(required=True)
    amount = Money()
    channel = Choice(PEOPLE_CHANNELS)
    note = CleanText(max=MOST_NOTE, lines=True)


class StrangerForm(ReportForm):
    """The same of somebody whom the register does not know."""

    name = SearchedName(max=100, required=True)
    id_number = SearchedIdNumber()
    village = PlaceCode(required=True)


class DismissForm(TextSchema):
    """Why nothing is to be done; a reason that nobody chose is asked for in words."""

    reason = Choice(DISMISSALS)


class TransferForm(TextSchema):
    """To whom a case is handed over."""

    reason = Choice(TRANSFERS)
