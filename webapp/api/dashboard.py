"""The county at a glance in the API: the figures of the token's place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from foundation.clock import business_day
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.api import Output, Resources
from foundation.web.fields import IsoDate, Money, TextSchema
from webapp.dashboard_queries import PlaceRow, dashboard

resources = Resources(
    "dashboard", __name__, "Households at risk, cover, warnings and what is owed, by place."
)


class DashboardArguments(TextSchema):
    """The day whose cover and members are counted; left out, today."""

    on = IsoDate()


class PlaceData(Output):
    """One town of the county, or one village of a town; the total has no name."""

    name = fields.String(required=True)
    people = fields.Integer(required=True)
    covered = fields.Integer(required=True)
    at_risk_households = fields.Integer(required=True)
    at_risk_people = fields.Integer(required=True)
    open_cases = fields.Integer(required=True)
    owed = fields.Integer(required=True)
    owed_amount = Money(required=True)


class LagData(Output):
    """Days from the event to the report, of one channel, in the last year."""

    channel = fields.String(required=True)
    reports = fields.Integer(required=True)
    median = fields.Integer(required=True)


class BandData(Output):
    """People of recognised households from an age on, and below another (null: any)."""

    from_age = fields.Integer(required=True)
    below = fields.Integer(required=True, allow_none=True)
    people = fields.Integer(required=True)


class KeyVillageData(Output):
    """Recognised households in key villages, and in others."""

    inside = fields.Integer(required=True)
    others = fields.Integer(required=True)


class LateData(Output):
    """A department whose feeds are late: how many, and by how many days the latest."""

    department = fields.String(required=True)
    feeds = fields.Integer(required=True)
    days = fields.Integer(required=True)


class DashboardData(Output):
    """All figures of the place."""

    day = IsoDate(required=True)
    places = fields.List(fields.Nested(PlaceData), required=True)
    total = fields.Nested(PlaceData, required=True)
    causes = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    income_sources = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    """`unknown`: nobody has surveyed it."""
    key_villages = fields.Nested(KeyVillageData, required=True, allow_none=True)
    """Null while the county has named no key villages."""
    ages = fields.List(fields.Nested(BandData), required=True)
    open_cases = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    lags = fields.List(fields.Nested(LagData), required=True)
    reviews_overdue = fields.Integer(required=True)
    late = fields.List(fields.Nested(LateData), required=True)


@resources.at("/dashboard")
@resources.parameters(DashboardArguments)
@resources.answers(DashboardData)
def shown(asked: dict[str, Any]) -> dict[str, Any]:
    """The figures of the token's place: cover and members as of a day, all else as it stands now."""
    at = now()
    with reading() as session:
        found = dashboard(session, sealer(), acting().place, asked.get("on") or business_day(at), at)
    return {
        "day": found.day,
        "places": [_place(row) for row in found.places],
        "total": _place(found.totals),
        "causes": found.causes,
        "income_sources": {source or "unknown": count for source, count in found.sources.items()},
        "key_villages": found.key_villages
        and dict(zip(("inside", "others"), found.key_villages, strict=True)),
        "ages": [
            {"from_age": low, "below": high, "people": people} for (low, high), people in found.bands.items()
        ],
        "open_cases": found.cases,
        "lags": [asdict(lag) for lag in found.lags],
        "reviews_overdue": found.reviews_overdue,
        "late": [
            {"department": key, "feeds": feeds, "days": days} for key, (feeds, days) in found.late.items()
        ],
    }


def _place(row: PlaceRow) -> dict[str, Any]:
    data = asdict(row)
    return {**data, "owed_amount": data.pop("owed_fen")}
