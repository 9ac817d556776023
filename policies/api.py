"""The county's standards in the API: the years, and what is in force in one of them. They change nothing."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from foundation.errors import NotFound
from foundation.web.acting import reading
from foundation.web.api import Output, Resources
from foundation.web.fields import Choice, Money
from policies.models import STANDARD_MOVES, Standard
from policies.queries import standard_rows, standards_of, years
from policies.standard import (
    FIRST_YEAR,
    LAST_YEAR,
    REASON_GROUPS,
    ROUNDINGS,
    UNITS,
    Standards,
    reverse_values,
)

resources = Resources("standards", __name__, "The county's standards of each year.")


class YearData(Output):
    """A year: what is in force there, or else what was proposed last."""

    year = fields.Integer(required=True)
    state = Choice(STANDARD_MOVES, required=True)
    line = Money(required=True)
    fingerprint = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class YearsData(Output):
    """The years, the latest first."""

    rows = fields.List(fields.Nested(YearData), required=True)


class QuantitativeLineData(Output):
    """How the quantitative line came about: base × ratio, rounded; the ratio is a decimal as text."""

    base_name = fields.String(required=True)
    base_year = fields.Integer(required=True)
    base = Money(required=True)
    ratio = fields.String(required=True)
    rounding = Choice(ROUNDINGS, required=True)
    unit = Choice(UNITS, required=True)
    result = Money(required=True)
    source = fields.String(required=True)


class ReverseStandardData(Output):
    """One reverse standard. What a kind does not have is null."""

    key = fields.String(required=True)
    clause = fields.String(required=True)
    amount_from = Money(required=True, allow_none=True)
    price_from = Money(required=True, allow_none=True)
    capital_from = Money(required=True, allow_none=True)
    uses = fields.List(fields.String(), required=True, allow_none=True)
    within_years = fields.Integer(required=True, allow_none=True)
    statuses = fields.List(fields.String(), required=True, allow_none=True)


class ReasonData(Output):
    """One qualitative reason, as it stands in the survey form."""

    key = fields.String(required=True)
    group = Choice(REASON_GROUPS, required=True)
    title_zh = fields.String(required=True)
    title_en = fields.String(required=True)


class StandardsData(Output):
    """The standards in force in a year; persons are named by their ids."""

    id = fields.String(required=True)
    year = fields.Integer(required=True)
    line = fields.Nested(QuantitativeLineData, required=True)
    reverse_standards = fields.List(fields.Nested(ReverseStandardData), required=True)
    reasons = fields.List(fields.Nested(ReasonData), required=True)
    elderly_from_age = fields.Integer(required=True)
    fingerprint = fields.String(required=True)
    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True)


@resources.at("/standards")
@resources.answers(YearsData)
def listed() -> dict[str, Any]:
    """The years that anybody has proposed standards for."""
    with reading() as session:
        found = years(session)
    return {"rows": [_year(year.shown) for year in found]}


@resources.at("/standards/<int:year>")
@resources.tagged
@resources.answers(StandardsData)
def shown(year: int) -> dict[str, Any]:
    """What is in force in a year; 404 where nothing is."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound
    with reading() as session:
        active = [row for row in standard_rows(session, year) if row.state == "active"]
    if not active:
        raise NotFound
    return _whole(active[0], standards_of(active[0].canonical))


def _year(row: Standard) -> dict[str, Any]:
    return {
        "year": row.year,
        "state": row.state,
        "line": row.line_fen,
        "fingerprint": row.fingerprint,
        "proposed_at": row.proposed_at,
        "decided_at": row.decided_at,
    }


def _whole(row: Standard, standards: Standards) -> dict[str, Any]:
    line = standards.line
    nothing = dict.fromkeys(("amount_from", "price_from", "capital_from", "uses", "within_years", "statuses"))
    return {
        "id": row.id,
        "year": row.year,
        "line": {
            "base_name": line.base_name,
            "base_year": line.base_year,
            "base": line.base_fen,
            "ratio": line.ratio.text,
            "rounding": line.rounding,
            "unit": line.unit,
            "result": line.result_fen,
            "source": line.source,
        },
        "reverse_standards": [
            nothing | {"key": key, "clause": one.clause} | reverse_values(one)
            for key, one in standards.reverse.items()
        ],
        "reasons": [
            {"key": one.key, "group": one.group, "title_zh": one.title[0], "title_en": one.title[1]}
            for one in standards.reasons
        ],
        "elderly_from_age": standards.elderly_from_age,
        "fingerprint": row.fingerprint,
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
    }
