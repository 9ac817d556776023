"""What is owed and not claimed, in the API: the list, ID numbers masked. It changes nothing."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from claims.owed import MISSING, OWED_OUTCOMES
from claims.phrases import LINES
from claims.queries.owed import DUE, LISTS, SORTS, OwedFilters, OwedPerson, page_of_owed
from foundation.clock import business_day
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, IsoDate, Money, PlaceCode

resources = Resources("owed", __name__, "What would be paid for departments' rows that nobody has claimed.")


class OwedParameters(Paged):
    """What the list is narrowed to and sorted by. `due` is how many days are left to report."""

    shown = Choice(LISTS, load_default="owed")
    line = Choice(LINES)
    town = PlaceCode()
    village = PlaceCode()
    due = Choice(DUE)
    sort = Choice(SORTS, load_default="due")


class OwedToWhom(Output):
    """Who is owed; the ID number is masked."""

    name = fields.String(required=True)
    id_number = fields.String(required=True)


class OwedRowData(Output):
    """A row. The amount is null where the department's row does not say what it cost; `missing` says what is not known.

    Papers are assumed to be there; `papers` are those that the policy asks for. `days_left` below zero is late, which
    is no refusal.
    """

    id = fields.String(required=True)
    policy_number = fields.String(required=True)
    household_no = fields.String(required=True)
    person = fields.Nested(OwedToWhom, required=True, allow_none=True)
    """Null once the personal data was erased at the end of its term."""
    town = fields.String(required=True)
    village = fields.String(required=True)
    line = Choice(LINES, required=True)
    benefit = fields.String(required=True)
    feed = fields.String(required=True)
    event_on = IsoDate(required=True)
    outcome = Choice(OWED_OUTCOMES, required=True)
    amount = Money(required=True, allow_none=True)
    reasons = fields.List(fields.String(), required=True)
    missing = Choice(MISSING, required=True, allow_none=True)
    papers = fields.List(fields.String(), required=True)
    report_by = IsoDate(required=True)
    days_left = fields.Integer(required=True)
    warning_case = fields.String(required=True, allow_none=True)
    computed_at = fields.AwareDateTime(required=True)


@resources.at("/owed")
@resources.parameters(OwedParameters)
@resources.answers(page_schema(OwedRowData, "OwedPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """What is owed within the token's place, page by page; worked out each night."""
    filters = OwedFilters(**{name: asked.get(name) for name in OwedFilters.__slots__})  # type: ignore[arg-type]
    with reading() as session:
        page = page_of_owed(
            session,
            sealer(),
            acting(),
            filters,
            business_day(now()),
            sort=asked["sort"],
            cursor=asked.get("cursor"),
            size=asked["size"],
        )
    return as_page(page, map(_row, page.rows))


def _row(row: OwedPerson) -> dict[str, Any]:
    return {
        "id": row.id,
        "policy_number": row.policy_number,
        "household_no": row.household_no,
        "person": None if row.name is None else {"name": row.name, "id_number": row.id_number},
        "town": row.town,
        "village": row.village,
        "line": row.line,
        "benefit": row.benefit,
        "feed": row.feed,
        "event_on": row.event_on,
        "outcome": row.outcome,
        "amount": None if row.outcome == "unknown" else row.payable_fen,
        "reasons": row.reasons,
        "missing": row.missing,
        "papers": row.papers,
        "report_by": row.report_by,
        "days_left": row.days_left,
        "warning_case": row.case_number,
        "computed_at": row.computed_at,
    }
