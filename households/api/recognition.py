"""Recognitions in the API: the list and one spell with its reviews and measures. No name, no ID number, no note."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from foundation.clock import business_day
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, IsoDate, Money, PlaceCode
from households.key_villages import key_villages
from households.models.recognition import RECOGNITION_MOVES
from households.queries.recognition import Filters, Listed, Spell, page_of_spells, spell_by_id
from households.spells import STANDINGS
from households.terms import BASES, CAUSES, FINDINGS, INCOME_SOURCES, MEASURES, TRACKS

resources = Resources("recognitions", __name__, "Households recognised as relatively poor, reviewed, ended.")


class RecognitionArguments(Paged):
    """What the list is narrowed to."""

    standing = Choice(STANDINGS)
    place = PlaceCode()
    cause = Choice(CAUSES)


class ListedRecognition(Output):
    """A spell in the list. `standing` is what its state means on the day of the call."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    household_id = fields.String(required=True)
    household_no = fields.String(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True)
    key_village = fields.Boolean(required=True)
    state = Choice(RECOGNITION_MOVES, required=True)
    standing = Choice(STANDINGS, required=True)
    basis = Choice(BASES, required=True)
    cause = Choice(CAUSES, required=True)
    track = Choice(TRACKS, required=True)
    proposed_at = fields.AwareDateTime(required=True)
    started_on = IsoDate(required=True, allow_none=True)
    review_due = IsoDate(required=True, allow_none=True)
    exited_on = IsoDate(required=True, allow_none=True)
    follow_up_until = IsoDate(required=True, allow_none=True)


class HalfYearlyReviewData(Output):
    """A half-yearly review; sums in yuan a head, null once erased."""

    id = fields.String(required=True)
    reviewed_on = IsoDate(required=True)
    finding = Choice(FINDINGS, required=True)
    per_head = Money(required=True, allow_none=True)
    line = Money(required=True, allow_none=True)
    extended = fields.Boolean(required=True, allow_none=True)
    reviewed_by = fields.String(required=True)


class MeasureData(Output):
    """A measure for the household."""

    id = fields.String(required=True)
    kind = Choice(MEASURES, required=True)
    begun_on = IsoDate(required=True)
    organisation = fields.String(required=True)
    recorded_by = fields.String(required=True)


class SurveyData(Output):
    """The survey: income of the year by its sources, in yuan."""

    members = fields.Integer(required=True)
    wages = Money(required=True)
    operating = Money(required=True)
    property = Money(required=True)
    transfer = Money(required=True)
    cost = Money(required=True)
    per_head = Money(required=True)
    line = Money(required=True, allow_none=True)
    main_source = Choice(INCOME_SOURCES, required=True)


class RecognitionData(ListedRecognition):
    """One spell; persons are named by their ids. The survey is null once erased."""

    reasons = fields.List(fields.String(), required=True)
    standard_year = fields.Integer(required=True, allow_none=True)
    surveyed_on = IsoDate(required=True)
    appraised_on = IsoDate(required=True)
    notice_from = IsoDate(required=True)
    notice_to = IsoDate(required=True)
    follows = fields.String(required=True, allow_none=True)
    proposed_by = fields.String(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    exit_meeting = fields.String(required=True, allow_none=True)
    survey = fields.Nested(SurveyData, required=True, allow_none=True)
    reviews = fields.List(fields.Nested(HalfYearlyReviewData), required=True)
    measures = fields.List(fields.Nested(MeasureData), required=True)


@resources.at("/recognitions")
@resources.parameters(RecognitionArguments)
@resources.answers(page_schema(ListedRecognition, "RecognitionPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The spells within the place of the token, the newest first."""
    cursor, size = asked.pop("cursor", None), asked.pop("size")
    today = business_day(now())
    with reading() as session:
        page = page_of_spells(session, sealer(), acting(), Filters(**asked), today, cursor, size)
    return as_page(page, [_listed(row) for row in page.rows])


@resources.at("/recognitions/<row_id:recognition_id>")
@resources.tagged
@resources.answers(RecognitionData)
def shown(recognition_id: str) -> dict[str, Any]:
    """One spell."""
    with reading() as session:
        return _whole(spell_by_id(session, sealer(), acting(), recognition_id, business_day(now())))


_PLAIN = tuple(ListedRecognition._declared_fields)


def _listed(row: Listed) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _PLAIN}


def _whole(spell: Spell) -> dict[str, Any]:
    row, home = spell.row, spell.household
    own = {name: getattr(row, name) for name in RecognitionData._declared_fields if hasattr(row, name)}
    return own | {
        "household_no": home.household_no,
        "town": home.town,
        "village": home.village,
        "key_village": home.village_code in key_villages(),
        "standing": spell.standing,
        "reasons": [key for key in row.reasons.split(";") if key],
        "survey": _survey(spell.survey),
        "reviews": [
            {
                "id": one.id,
                "reviewed_on": one.reviewed_on,
                "finding": one.finding,
                "per_head": None if one.found is None else one.found["per_head_fen"],
                "line": None if one.found is None else one.found["line_fen"],
                "extended": None if one.found is None else one.found["extended"],
                "reviewed_by": one.reviewed_by,
            }
            for one in spell.reviews
        ],
        "measures": [
            {name: getattr(one, name) for name in MeasureData._declared_fields} for one in spell.measures
        ],
    }


def _survey(survey: dict[str, Any] | None) -> dict[str, Any] | None:
    if survey is None:
        return None
    sums = ("wages", "operating", "property", "transfer", "cost", "per_head", "line")
    found = {name: survey[f"{name}_fen"] for name in sums}
    return found | {"members": survey["members"], "main_source": survey["main_source"]}
