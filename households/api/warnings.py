"""Early warning in the API: the cases of a place, one with its reports, and a report from another system of the county.

ID numbers are masked; what a person wrote beside a report stays on the page.
"""

from __future__ import annotations

import secrets
from typing import Any

from marshmallow import fields

from foundation.errors import NotFound
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, CleanText, IdNumber, IsoDate, Money, PlaceCode, StrictSchema
from foundation.web.idempotency import idempotent, writing
from households.queries.warning_case import CaseView, case_by_id
from households.queries.warning_people import person_by_number
from households.queries.warnings import Filters, ListedCase, page_of_cases
from households.services.warnings import CHANNELS_OF, Told, report_event
from households.terms import CASE_OUTCOMES, HAPPENED, WARNING_CHANNELS, WARNING_LINES, WARNING_STATES
from households.warning_forms import MOST_NOTE, PEOPLE_CHANNELS

resources = Resources("warnings", __name__, "Cases of early warning, and reports of events.")


class WarningArguments(Paged):
    """What the list is narrowed to. Open cases come first, the earliest event first."""

    line = Choice(WARNING_LINES)
    state = Choice(WARNING_STATES)
    source = Choice(WARNING_CHANNELS)
    place = PlaceCode()


class ListedWarningData(Output):
    """A case. `notify_by` is the last day of notice under the policy that covers the person, null without one."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    state = Choice(WARNING_STATES, required=True)
    line = Choice(WARNING_LINES, required=True)
    event_on = IsoDate(required=True)
    amount = Money(required=True, allow_none=True)
    opened_on = IsoDate(required=True)
    household_no = fields.String(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    sources = fields.List(Choice(WARNING_CHANNELS), required=True)
    notify_by = IsoDate(required=True, allow_none=True)
    claim_no = fields.String(required=True, allow_none=True)
    outcome = Choice(CASE_OUTCOMES, required=True, allow_none=True)


class WarningReportData(Output):
    """A report of a case; `feed` and `rule` are of a department's row, `what` of a person's."""

    source = Choice(WARNING_CHANNELS, required=True)
    department = fields.String(required=True, allow_none=True)
    feed = fields.String(required=True, allow_none=True)
    rule = fields.String(required=True, allow_none=True)
    what = Choice(HAPPENED, required=True, allow_none=True)
    reported_at = fields.AwareDateTime(required=True)
    lag_days = fields.Integer(required=True)
    amount = Money(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class WarningData(ListedWarningData):
    """A case with everything that was reported."""

    reports = fields.List(fields.Nested(WarningReportData), required=True)


class WarningReportBody(StrictSchema):
    """What has happened to somebody of the token's place. `channel` left out is the role's usual one."""

    id_number = IdNumber(required=True)
    what = Choice(HAPPENED, required=True)
    on = IsoDate(required=True)
    amount = Money()
    channel = Choice(PEOPLE_CHANNELS)
    note = CleanText(max=MOST_NOTE, lines=True)


@resources.at("/warnings")
@resources.parameters(WarningArguments)
@resources.answers(page_schema(ListedWarningData, "WarningPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The cases of the token's place."""
    filters = Filters(asked.get("line"), asked.get("place"), asked.get("state"), asked.get("source"))
    with reading() as session:
        page = page_of_cases(session, sealer(), acting(), filters, asked.get("cursor"), asked["size"])
    return as_page(page, [_case(case) for case in page.rows])


@resources.at("/warnings/<row_id:case_id>")
@resources.tagged
@resources.answers(WarningData)
def shown(case_id: str) -> dict[str, Any]:
    """One case with its reports."""
    with reading() as session:
        return _whole(case_by_id(session, sealer(), acting(), case_id))


@resources.at("/warnings", "POST")
@idempotent
@resources.body(WarningReportBody)
@resources.answers(WarningData)
def reported(asked: dict[str, Any]) -> dict[str, Any]:
    """Files a report; the answer is its case, new or not. 404 for somebody whom the place's register does not have."""
    session, actor = writing(), acting()
    person_id = person_by_number(session, sealer(), asked["id_number"])
    if person_id is None:
        raise NotFound
    amount = asked.get("amount")
    told = Told(
        report_id=secrets.token_hex(16),
        what=asked["what"],
        on=asked["on"],
        channel=asked.get("channel") or CHANNELS_OF[actor.role][0],
        amount_fen=None if amount is None else int(amount),
        note=asked.get("note"),
    )
    case_id = report_event(session, sealer(), actor, now(), person_id, told)
    return _whole(case_by_id(session, sealer(), actor, case_id))


def _case(case: ListedCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number,
        "state": case.state,
        "line": case.line,
        "event_on": case.event_on,
        "amount": case.amount_fen,
        "opened_on": case.opened_on,
        "household_no": case.household_no,
        "town": case.town,
        "village": case.village,
        "name": case.name,
        "id_number": case.id_number,
        "sources": list(case.channels),
        "notify_by": case.notify_by,
        "claim_no": case.claim_no,
        "outcome": case.outcome,
    }


def _whole(view: CaseView) -> dict[str, Any]:
    return {
        **_case(view.case),
        "reports": [
            {
                "source": report.channel,
                "department": report.department,
                "feed": report.feed,
                "rule": report.rule,
                "what": report.what,
                "reported_at": report.reported_at,
                "lag_days": report.lag_days,
                "amount": report.amount_fen,
                "withdrawn_at": report.withdrawn_at,
            }
            for report in view.reports
        ],
    }
