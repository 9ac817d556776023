"""Households in the API: the list, one household as it is or was on a day and known at a moment, and eligibility.

Names, masked ID numbers and masked accounts; they change nothing. An ID number goes in the body of a POST, never in an
address.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.errors import NotFound
from foundation.masking import Audience, account_for, id_number_for
from foundation.places import holds
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import (
    Choice,
    CleanText,
    IdNumber,
    IsoDate,
    Money,
    PlaceCode,
    StrictSchema,
    TextSchema,
)
from households.household import Household
from households.models.people import HouseholdRow
from households.queries.as_of import household_as_of, policy_on
from households.queries.households import Filters, Listed, household_row, page_of_households
from households.queries.registered import registered
from households.queries.views import View
from households.schemas import Moment
from households.terms import CATEGORIES, COVER_STATES
from policies.queries import periods

resources = Resources("households", __name__, "Households: who belongs to them, and who is covered on a day.")


class HouseholdArguments(Paged):
    """What the list is narrowed to."""

    place = PlaceCode()
    category = Choice(CATEGORIES)
    cover = Choice(("yes", "no"), metadata={"description": "Whether somebody there is covered today."})
    open = Choice(
        ("warning", "task"), metadata={"description": "Has an open warning, or task of the register."}
    )


class ListedHouseholdData(Output):
    """A household in the list."""

    id = fields.String(required=True)
    household_no = fields.String(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True)
    village_code = fields.String(required=True)
    head = fields.String(required=True, allow_none=True)
    """Null where there is no head today, or the personal data was erased at the end of its term."""
    members = fields.Integer(required=True)
    covered_today = fields.Integer(required=True)
    open_warnings = fields.Integer(required=True)
    open_tasks = fields.Integer(required=True)
    merged = fields.Boolean(required=True)


class AsOfArguments(TextSchema):
    """For which day, as known at which moment, under which policy."""

    on = IsoDate(metadata={"description": "The day that is asked about; today unless given."})
    known_at = Moment(metadata={"description": "What was known then; now unless given."})
    policy = CleanText(
        max=60, metadata={"description": "Number of the policy; the one of the day unless given."}
    )


class EnrolledData(Output):
    """A member with cover, as adjudication sees them; the ID number is masked."""

    name = fields.String(required=True)
    id_number = fields.String(required=True)
    relation = fields.String(required=True)
    category = fields.String(required=True)
    village_code = fields.String(required=True)
    cover_from = IsoDate(required=True)
    cover_to = IsoDate(required=True)
    deaths = fields.List(IsoDate(), required=True)


class HouseholdData(Output):
    """A household as adjudication would see it; empty of members where nobody there is insured under the policy."""

    id = fields.String(required=True)
    household_no = fields.String(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True)
    village_code = fields.String(required=True)
    on = IsoDate(required=True)
    known_at = fields.AwareDateTime(required=True)
    policy_number = fields.String(required=True, allow_none=True)
    members = fields.List(fields.Nested(EnrolledData), required=True)
    income_per_head = Money(required=True, allow_none=True)
    account = fields.String(required=True, allow_none=True)
    account_name = fields.String(required=True, allow_none=True)
    absent_feeds = fields.List(fields.String(), required=True)
    """Feeds that nobody has sent: no data, which is never read as clear."""


class EligibilityBody(StrictSchema):
    """Whose cover, on which day, as known when, under which policy."""

    id_number = IdNumber(required=True)
    on = IsoDate(required=True)
    known_at = Moment(metadata={"description": "Now unless given."})
    policy_number = CleanText(max=60)


class EligibilityData(Output):
    """Where somebody's cover stands on a day: `none` as well for who lives outside the token's place."""

    on = IsoDate(required=True)
    known_at = fields.AwareDateTime(required=True)
    policy_number = fields.String(required=True, allow_none=True)
    state = Choice(COVER_STATES, required=True)
    household_no = fields.String(required=True, allow_none=True)
    cover_from = IsoDate(required=True, allow_none=True)
    cover_to = IsoDate(required=True, allow_none=True)


@resources.at("/households")
@resources.parameters(HouseholdArguments)
@resources.answers(page_schema(ListedHouseholdData, "HouseholdPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The households within the token's place by village and number, page by page."""
    filters = Filters(**{name: asked.get(name) for name in ("place", "category", "cover", "open")})
    with reading() as session:
        page = page_of_households(
            session,
            sealer(),
            acting(),
            filters,
            business_day(now()),
            asked.get("cursor"),
            asked["size"],
        )
    return as_page(page, map(_row, page.rows))


@resources.at("/households/<row_id:household_id>")
@resources.parameters(AsOfArguments)
@resources.answers(HouseholdData)
def shown(asked: dict[str, Any], household_id: str) -> dict[str, Any]:
    """One household as adjudication sees it, for any day and as known at any moment."""
    on, known_at = _times(asked)
    with reading() as session:
        home = household_row(session, acting(), household_id)
        policy = _policy(session, asked.get("policy"), on)
        household = None
        if policy is not None:
            household = household_as_of(session, sealer(), home, policy, on, known_at)
    return _whole(home, household, on, known_at, policy)


@resources.at("/households/eligibility", "POST")
@resources.body(EligibilityBody)
@resources.answers(EligibilityData)
def eligibility(asked: dict[str, Any]) -> dict[str, Any]:
    """Where somebody's cover stands on a day, as known at a moment. It changes nothing and takes no Idempotency-Key."""
    on, known_at = _times(asked)
    with reading() as session:
        policy = _policy(session, asked.get("policy_number"), on)
        return {
            "on": on,
            "known_at": known_at,
            "policy_number": policy,
            **_cover(session, asked["id_number"], policy, on, known_at),
        }


def _times(asked: dict[str, Any]) -> tuple[date, datetime]:
    known_at = asked.get("known_at")
    return asked.get("on") or business_day(now()), min(known_at, now()) if known_at else now()


def _policy(session: Session, asked: str | None, on: date) -> str | None:
    """The policy asked for, or the one of the day. Raises NotFound for one that there is not."""
    if asked is None:
        return policy_on(session, on)
    if asked not in periods(session):
        raise NotFound
    return asked


def _cover(
    session: Session, id_number: str, policy: str | None, on: date, known_at: datetime
) -> dict[str, Any]:
    nothing = {"state": "none", "household_no": None, "cover_from": None, "cover_to": None}
    if policy is None:
        return nothing
    found = registered(session, sealer(), View(policy, known_at=known_at), {id_number}, (), on)
    mine = next((row for row in found.members if row.id_number == id_number), None)
    if mine is None:
        return nothing
    code = select(HouseholdRow.village_code).where(HouseholdRow.household_no == mine.household_no)
    if not holds(acting().place, session.scalar(code)):
        return nothing
    state = "covered" if mine.cover_from <= on <= mine.cover_to else "ended"
    return {
        "state": "not_yet" if on < mine.cover_from else state,
        "household_no": mine.household_no,
        "cover_from": mine.cover_from,
        "cover_to": mine.cover_to,
    }


def _row(row: Listed) -> dict[str, Any]:
    return {
        "id": row.id,
        "household_no": row.household_no,
        "town": row.town,
        "village": row.village,
        "village_code": row.village_code,
        "head": row.head,
        "members": row.members,
        "covered_today": row.covered,
        "open_warnings": row.warnings,
        "open_tasks": row.tasks,
        "merged": row.merged,
    }


def _whole(
    home: HouseholdRow, household: Household | None, on: date, known_at: datetime, policy: str | None
) -> dict[str, Any]:
    account = None if household is None else household.account_no
    return {
        "id": home.id,
        "household_no": home.household_no,
        "town": home.town,
        "village": home.village,
        "village_code": home.village_code,
        "on": on,
        "known_at": known_at,
        "policy_number": policy,
        "members": [
            {
                "name": one.name,
                "id_number": id_number_for(Audience.OFFICER, one.id_number),
                "relation": one.relation,
                "category": one.category,
                "village_code": one.village_code,
                "cover_from": one.cover_from,
                "cover_to": one.cover_to,
                "deaths": list(one.deaths),
            }
            for one in (() if household is None else household.members)
        ],
        "income_per_head": None if household is None else household.income_per_head_fen,
        "account": None if account is None else account_for(Audience.OFFICER, account),
        "account_name": None if household is None else household.account_name,
        "absent_feeds": [] if household is None else sorted(household.absent_feeds),
    }
