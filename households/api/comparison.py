"""Comparisons in the API: the runs, one run with its hits, and starting one. ID numbers come in by the body only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, after_this_request
from marshmallow import fields

from foundation.errors import InvalidInput
from foundation.web.acting import acting, now, reading, ring, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, IdNumber, IsoDate, PlaceCode, RowId, Several, StrictSchema
from foundation.web.idempotency import idempotent, writing
from households.checks import CHECKS
from households.comparing import State
from households.comparison_forms import KINDS
from households.comparison_setting import Setting
from households.models.comparison import SCOPES
from households.queries.comparison_hits import HitView
from households.queries.comparison_runs import COMPARE, Filters, Run, page_of_hits, page_of_runs, run_by_id
from households.services.comparison import MOST_LISTED, ask_place, run_household, run_list

resources = Resources(
    "comparisons", __name__, "People compared with the departments' data: HIT, CLEAR or NO DATA."
)


class HitArguments(Paged):
    """Which hits of a run, and which page of them."""

    kind = Choice(
        KINDS,
        load_default="examined",
        metadata={"description": "Hits to be looked into, or mere records of a department."},
    )
    matter = Choice(CHECKS)
    place = PlaceCode()


class ComparisonOrder(StrictSchema):
    """Whom to compare: exactly one of the three."""

    household_id = RowId()
    id_numbers = Several(IdNumber(), max=MOST_LISTED)
    place = PlaceCode()


class ComparedFeedData(Output):
    """A feed as it stood: `as_of` null where it came with a county pack; null as a whole: nobody ever sent it."""

    feed = fields.String(required=True)
    as_of = IsoDate(required=True, allow_none=True)
    taken_in_on = IsoDate(required=True, allow_none=True)
    late_days = fields.Integer(required=True, allow_none=True)
    delivered = fields.Boolean(required=True)


class ComparedCheckData(Output):
    """A check that a run made. `unhit` is what it came to for whoever it does not hit: clear or no_data."""

    check = fields.String(required=True)
    examined = fields.Boolean(required=True)
    unhit = Choice([State.CLEAR, State.NO_DATA], required=True)
    feeds = fields.List(fields.Nested(ComparedFeedData), required=True)


class ComparisonData(Output):
    """A run; counts are of the token's place, and `people` is null where the run was over more than that."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    scope = Choice(SCOPES, required=True)
    place = fields.String(required=True)
    household_id = fields.String(required=True, allow_none=True)
    on_day = IsoDate(required=True)
    run_at = fields.AwareDateTime(required=True)
    scheduled = fields.Boolean(required=True)
    previous_id = fields.String(required=True, allow_none=True)
    people = fields.Integer(required=True, allow_none=True)
    hits = fields.Integer(required=True)
    examined = fields.Integer(required=True)


class ComparisonClearance(Output):
    """The newest answer to a hit."""

    on = IsoDate(required=True)
    passed = fields.Boolean(required=True)


class ComparisonHitData(Output):
    """A hit: a person, the check, the department's row as far as it is shown; the ID number is masked."""

    person_id = fields.String(required=True)
    household_id = fields.String(required=True, allow_none=True)
    household_no = fields.String(required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    check = fields.String(required=True)
    feed = fields.String(required=True)
    details = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    clearance = fields.Nested(ComparisonClearance, required=True, allow_none=True)
    withdrawn = fields.Boolean(required=True)


class ComparisonWithHits(ComparisonData):
    """A run with the state of every feed then, and a page of its hits."""

    checks = fields.List(fields.Nested(ComparedCheckData), required=True)
    found = fields.Nested(page_schema(ComparisonHitData, "ComparisonHitPage"), required=True)


class ComparisonStarted(Output):
    """What was started. `id` is null for a place, which is compared in the background: look for it in the list.

    `not_compared` is how many of a list the register does not know; they were not compared.
    """

    id = fields.String(required=True, allow_none=True)
    not_compared = fields.Integer(required=True)


@resources.at("/comparisons")
@resources.parameters(Paged)
@resources.answers(page_schema(ComparisonData, "ComparisonPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The runs that the token may see, the newest first."""
    with reading() as session:
        page = page_of_runs(session, acting(), asked.get("cursor"), asked["size"])
    return as_page(page, [_run(run) for run in page.rows])


@resources.at("/comparisons", "POST")
@idempotent
@resources.body(ComparisonOrder)
@resources.answers(ComparisonStarted)
def started(order: dict[str, Any]) -> dict[str, Any]:
    """Compares a household or a list at once, or asks for a place to be compared in the background."""
    if len(order) != 1:
        wrong = ("请只写 household_id、id_numbers、place 之一", "name one of household_id, id_numbers, place")
        raise InvalidInput({"": [wrong]})
    session = writing()
    if "household_id" in order:
        run_id = run_household(session, sealer(), acting(), now(), order["household_id"])
        return {"id": run_id, "not_compared": 0}
    if "place" in order:
        subject = ask_place(session, acting(), now(), order["place"])

        @after_this_request
        def ring_once_it_is_committed(response: Response) -> Response:
            ring(COMPARE, subject)
            return response

        return {"id": None, "not_compared": 0}
    done = run_list(session, sealer(), acting(), now(), order["id_numbers"])
    return {"id": done.run_id, "not_compared": done.unknown}


@resources.at("/comparisons/<row_id:run_id>")
@resources.parameters(HitArguments)
@resources.answers(ComparisonWithHits)
def shown(asked: dict[str, Any], run_id: str) -> dict[str, Any]:
    """One run, the state of every feed then, and a page of its hits."""
    filters = Filters(asked["kind"], asked.get("place"), asked.get("matter"))
    with reading() as session:
        run = run_by_id(session, acting(), run_id)
        page = page_of_hits(
            session, sealer(), acting(), run, filters, asked.get("cursor"), size=asked["size"]
        )
    found = as_page(page, [_hit(hit) for hit in page.rows])
    return {**_run(run), "checks": _checks(run.setting), "found": found}


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "number": run.number,
        "scope": run.scope,
        "place": run.place,
        "household_id": run.household_id,
        "on_day": run.on_day,
        "run_at": run.run_at,
        "scheduled": run.scheduled,
        "previous_id": run.previous_id,
        "people": run.people,
        "hits": run.hits,
        "examined": run.examined,
    }


def _checks(setting: Setting) -> list[Mapping[str, Any]]:
    return [
        {
            "check": check.key,
            "examined": check.examined,
            "unhit": setting.state(check, hit=False),
            "feeds": [_feed(setting, feed) for feed in check.feeds],
        }
        for check in setting.made()
    ]


def _feed(setting: Setting, feed: str) -> dict[str, Any]:
    source = setting.feeds.get(feed)
    return {
        "feed": feed,
        "as_of": None if source is None else source.as_of,
        "taken_in_on": None if source is None else source.taken_in_on,
        "late_days": None if source is None else source.late_days,
        "delivered": source is not None,
    }


def _hit(hit: HitView) -> dict[str, Any]:
    answer = hit.answer if CHECKS[hit.matter].reverse else None
    return {
        "person_id": hit.person_id,
        "household_id": hit.household_id,
        "household_no": hit.household_no,
        "id_number": hit.id_number,
        "check": hit.matter,
        "feed": hit.feed,
        "details": {title[1]: value for title, value in hit.details},
        "clearance": None if answer is None else {"on": answer.on, "passed": answer.passed},
        "withdrawn": hit.withdrawn,
    }
