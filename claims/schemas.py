"""What the desk's pages take in: the filters of the list, a look-up by person."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, validates_schema

from claims.checks import GRAVITY
from claims.phrases import LINES, OUTCOMES
from claims.queries.listing import SORTS
from claims.queries.owed import DUE, LISTS
from claims.queries.owed import SORTS as OWED_SORTS
from claims.states import STATE_NAMES
from foundation.privacy.purposes import MOST_NOTE, PURPOSES
from foundation.web.fields import Choice, CleanText, Flag, IsoDate, PlaceCode, TextSchema, refused
from foundation.web.searched import SearchedIdNumber, SearchedName


class ClaimNumber(CleanText):
    """A part of a claim number. A name or an ID number is refused: what is searched for here stands in the address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if _PERSONAL.search(text):
            raise refused(
                "姓名和身份证号请用下面的“按人查找”,以免留在网址里",
                "look for a name or an ID number by the search form below, so that it stays out of the address",
            )
        return text


_PERSONAL = re.compile("[\u3400-\u9fff]|[0-9\uff10-\uff19]{14}")


class FilterForm(TextSchema):
    """What a list of claims is narrowed to."""

    line = Choice(LINES)
    state = Choice(STATE_NAMES)
    outcome = Choice(OUTCOMES)
    town = CleanText(max=60)
    reason = Choice(GRAVITY)
    policy = CleanText(max=60)
    notified_from = IsoDate()
    notified_to = IsoDate()
    number = ClaimNumber(max=60)
    review = Flag()


class ExportForm(FilterForm):
    """The list as a workbook: its filters, and what it is for."""

    purpose = Choice(PURPOSES)
    note = CleanText(max=MOST_NOTE)


class ListArguments(FilterForm):
    """The query string of the list: filters, order, place in the list."""

    sort = Choice(SORTS, load_default="notified")
    order = Choice(("ascending", "descending"), load_default="descending")
    cursor = CleanText(max=600)


class PersonForm(TextSchema):
    """Whom to look for: by name, by ID number, or by both."""

    name = SearchedName(max=5000)
    id_number = SearchedIdNumber()

    @validates_schema
    def _somebody(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError([("请输入姓名或身份证号", "give a name or an ID number")], "name")


class OwedForm(TextSchema):
    """What the list of what is owed is narrowed to."""

    shown = Choice(LISTS)
    line = Choice(LINES)
    town = PlaceCode()
    village = PlaceCode()
    due = Choice(DUE)


class OwedArguments(OwedForm):
    """The query string of that list."""

    sort = Choice(OWED_SORTS, load_default="due")
    cursor = CleanText(max=600)


class OwedExportForm(OwedForm):
    """That list as a workbook, and what it is for."""

    purpose = Choice(PURPOSES)
    note = CleanText(max=MOST_NOTE)
