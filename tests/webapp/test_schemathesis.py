"""Every operation of the OpenAPI description, called with whatever schemathesis makes up: no 5xx, answers as described."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from sqlalchemy import text

from households.layouts import uploaded_layouts
from households.models.people import Person
from households.queries.feed_uploads import UploadedFile
from households.queries.people import identity
from households.services.comparison import run_household
from households.services.feed_uploads import Sent, record_upload
from tests.policies.approving import in_force
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web
from tests.webapp.test_dashboard import recognised
from tests.webapp.warned import a_warning

OPERATIONS = [
    "GET /api/v1/me",
    "GET /api/v1/claims",
    "GET /api/v1/claims/{claim_id}",
    "POST /api/v1/claims/{claim_id}/full-view",
    "GET /api/v1/trail",
    "GET /api/v1/trail/events",
    "GET /api/v1/trail/events/{event_id}",
    "GET /api/v1/trail/blocks",
    "GET /api/v1/batches",
    "GET /api/v1/batches/{batch_id}",
    "GET /api/v1/standards",
    "GET /api/v1/standards/{year}",
    "GET /api/v1/feeds",
    "GET /api/v1/feeds/{feed}",
    "POST /api/v1/feeds/{feed}/deliveries",
    "GET /api/v1/feed-uploads/{upload_id}",
    "GET /api/v1/warnings",
    "GET /api/v1/warnings/{case_id}",
    "POST /api/v1/warnings",
    "GET /api/v1/dashboard",
    "GET /api/v1/owed",
    "GET /api/v1/households",
    "GET /api/v1/households/{household_id}",
    "POST /api/v1/households/eligibility",
    "GET /api/v1/comparisons",
    "POST /api/v1/comparisons",
    "GET /api/v1/comparisons/{run_id}",
    "GET /api/v1/recognitions",
    "GET /api/v1/recognitions/{recognition_id}",
    "GET /api/v1/accounts",
    "GET /api/v1/accounts/{account_id}",
    "PATCH /api/v1/accounts/{account_id}",
]
RIGHT = {
    "POST /api/v1/claims/{claim_id}/full-view": {"purpose": "audit"},
    "POST /api/v1/comparisons": {"household_id": "household_id"},
    "POST /api/v1/households/eligibility": {"id_number": "id_number", "on": "2020-06-30"},
}
"""Bodies that are right, where luck hardly makes one; a word that names a real id stands for it."""
SURVEY = (
    '{"people":[],"wages_fen":1,"operating_fen":1,"property_fen":1,"transfer_fen":1,"cost_fen":1,"per_head_fen":1,'
    '"members":1,"main_source":"wages","line_fen":1}'
)
WRITES = (
    "PATCH",
    "POST /api/v1/feeds",
    "POST /api/v1/warnings",
    "POST /api/v1/comparisons",
    "POST /api/v1/households",
)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


@schemathesis.serializer("text/csv")
def as_it_is(_context: Any, body: Any) -> bytes:
    """A file is sent as its bytes, whatever they are."""
    return bytes(getattr(body, "data", None) or str(body).encode())


def description(web: Web) -> Any:
    """The description as schemathesis reads it."""
    found = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", web.app)
    found.config.generation.with_security_parameters = False  # the token is given beside what is made up
    return found


def operation_of(web: Web, name: str) -> Any:
    method, path = name.split()
    return description(web)[path][method]


def who_calls(web: Web, name: str) -> Caller:
    if name.endswith(("/deliveries", "POST /api/v1/warnings", "POST /api/v1/comparisons")):
        return caller(web, "CENTER_CERTIFIER")
    return caller(web, "SEC_ADMIN" if name.startswith("PATCH") else "AUDITOR")


def an_upload(web: Web) -> str:
    """A department's file, as nobody has looked at it yet."""
    actor = caller(web, "CENTER_CERTIFIER").actor
    sent = Sent(uploaded_layouts()["medical"], "full", date(2021, 1, 31))
    with web.database.transaction() as session:
        file = UploadedFile("medical.csv", 1, "0" * 64)
        return record_upload(session, web.sealer, actor, web.clock.at, sent, file)


def real_ids(web: Web) -> dict[str, str]:
    """Something that is there, for each id in a path."""
    other = caller(web, "CLAIM_OFFICER").actor.account
    with web.database.transaction() as session:
        year = in_force(session).year
        case_id, warned = a_warning(session, web.sealer)
    with web.database.reading() as session:
        one = {
            table: str(session.scalar(text(f"SELECT id FROM {table} ORDER BY id LIMIT 1")))
            for table in ("claim", "batch", "household")
        }
        person = session.get_one(Person, warned)
        number, _name = identity(web.sealer, person)
    return {
        "claim_id": one["claim"],
        "household_id": one["household"],
        "run_id": a_run(web, one["household"]),
        "recognition_id": a_spell(web, one["household"]),
        "batch_id": one["batch"],
        "account_id": other,
        "event_id": "1",
        "feed": "medical",
        "upload_id": an_upload(web),
        "year": str(year),
        "case_id": case_id,
        "id_number": number or "",
    }


def a_run(web: Web, household_id: str) -> str:
    """A comparison of one household."""
    actor = caller(web, "CENTER_CERTIFIER").actor
    with web.database.transaction() as session:
        return run_household(session, web.sealer, actor, web.clock.at, household_id)


def a_spell(web: Web, household_id: str) -> str:
    """A household that is recognised."""
    with web.database.transaction() as session:
        spell = recognised(session, household_id, 1, "illness")
        spell.sealed = web.sealer.seal("recognition", "sealed", spell.id, SURVEY)
        session.add(spell)
        return spell.id


def test_the_operations_are_those_of_the_description(web: Web) -> None:
    found = {f"{one.ok().method.upper()} {one.ok().path}" for one in description(web).get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_described_whatever_it_is_sent(county: Web, name: str, proof: bool) -> None:
    operation, who, ids = operation_of(county, name), who_calls(county, name), real_ids(county)
    chosen = [checks.CHECKS.get_one(check) for check in CHECKS]
    statuses: set[int] = set()

    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @given(case=st.one_of(good, bad), there=st.booleans())
    @settings(
        # A change that is right needs more luck than a look; Hypothesis draws from the constants of the whole code.
        max_examples=2000 if proof else 100 if name.startswith(WRITES) else 20,
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    def call(case: Any, there: bool) -> None:
        wanted = set(case.path_parameters or ()) & ids.keys()
        if there and wanted:
            case.path_parameters = {**case.path_parameters, **{one: ids[one] for one in wanted}}
        if there and name.endswith("/deliveries") and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.query, case.media_type, case.body = {**case.query, "as_of": "2021-01-31"}, "text/csv", "a,b"
        if there and name.startswith("POST /api/v1/warnings") and isinstance(case.body, dict):
            known = {"id_number": ids["id_number"], "on": county.clock.at.date().isoformat()}
            case.body = {field: known.get(field, value) for field, value in case.body.items()}
        if there and case.meta.generation.mode is GenerationMode.POSITIVE and name in RIGHT:
            case.body = {field: ids.get(value, value) for field, value in RIGHT[name].items()}
        if there and name.startswith("PATCH"):
            case.headers["If-Match"] = who.get(f"/accounts/{ids['account_id']}").headers["ETag"]
        county.clock.forward(seconds=3)  # or the limit of calls in a minute answers
        answer = case.call(headers={"Authorization": f"Bearer {who.secret}"})
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=chosen)

    call()
    assert statuses & {200, 202} and not statuses & {401, 403}
