"""Every operation of the OpenAPI description, called with whatever schemathesis makes up: no 5xx, answers as described."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from sqlalchemy import text

from tests.policies.approving import in_force
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web

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
    "GET /api/v1/accounts",
    "GET /api/v1/accounts/{account_id}",
    "PATCH /api/v1/accounts/{account_id}",
]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


def description(web: Web) -> Any:
    """The description as schemathesis reads it."""
    found = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", web.app)
    found.config.generation.with_security_parameters = False  # the token is given beside what is made up
    return found


def operation_of(web: Web, name: str) -> Any:
    method, path = name.split()
    return description(web)[path][method]


def who_calls(web: Web, name: str) -> Caller:
    return caller(web, "SEC_ADMIN" if name.startswith("PATCH") else "AUDITOR")


def real_ids(web: Web) -> dict[str, str]:
    """Something that is there, for each id in a path."""
    other = caller(web, "CLAIM_OFFICER").actor.account
    with web.database.transaction() as session:
        year = in_force(session).year
    with web.database.reading() as session:
        one = {
            table: str(session.scalar(text(f"SELECT id FROM {table} ORDER BY id LIMIT 1")))
            for table in ("claim", "batch")
        }
    return {
        "claim_id": one["claim"],
        "batch_id": one["batch"],
        "account_id": other,
        "event_id": "1",
        "year": str(year),
    }


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
        max_examples=2000 if proof else 100 if name.startswith("PATCH") else 20,
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    def call(case: Any, there: bool) -> None:
        wanted = set(case.path_parameters or ()) & ids.keys()
        if there and wanted:
            case.path_parameters = {**case.path_parameters, **{one: ids[one] for one in wanted}}
        if there and name.startswith("PATCH"):
            case.headers["If-Match"] = who.get(f"/accounts/{ids['account_id']}").headers["ETag"]
        answer = case.call(headers={"Authorization": f"Bearer {who.secret}"})
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=chosen)

    call()
    assert 200 in statuses and not statuses & {401, 403}
