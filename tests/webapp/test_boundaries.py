"""Where one thing ends with another: tokens with passwords, documents with a diagnosis, addresses that are too long."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import text

from tests.claims.desk import one, open_review
from tests.webapp.api_client import caller
from tests.webapp.conftest import Web, post


@pytest.mark.parametrize("what", ["password", "state"])
def test_a_token_ends_when_its_account_is_given_a_password_or_disabled(web: Web, what: str) -> None:
    program = caller(web, "CLAIM_OFFICER")
    assert program.get("/me").status_code == 200
    admin = web.sign_in("SEC_ADMIN")
    fields: dict[str, Any] = {"state": "disabled", "version": 1} if what == "state" else {}
    answer = post(admin, f"/staff/accounts/{program.actor.account}/{what}", **fields)
    assert answer.status_code in (200, 303)
    assert program.get("/me").status_code == 401


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2020-01-01", "x"]
)
def test_a_page_before_an_impossible_moment_is_refused(web: Web, moment: str) -> None:
    client = web.sign_in("AUDITOR")
    answer = client.get("/documents", query_string={"before": moment, "id": "x"})
    assert answer.status_code in ((200, 400) if moment == "2020-01-01" else (400,))


def illness_sheet(county: Web) -> tuple[str, str]:
    """A calculation sheet of a claim that now counts as one of illness: its id, and the village of its household."""
    with county.database.transaction() as session:
        row = session.execute(
            text(
                "SELECT issued_document.id, household.village_code, claim.id FROM issued_document "
                "JOIN determination ON determination.id = issued_document.subject_id "
                "JOIN claim ON claim.id = determination.claim_id JOIN household ON household.id = claim.household_id "
                "WHERE issued_document.kind = 'calculation_sheet' LIMIT 1"
            )
        ).one()
        session.execute(text("UPDATE claim SET line = 'illness' WHERE id = :id"), {"id": row[2]})
        return row[0], row[1]


def test_a_document_that_can_name_a_diagnosis_is_for_those_who_decide(county: Web) -> None:
    document, village = illness_sheet(county)
    assert post(county.sign_in("CLAIM_OFFICER"), f"/documents/{document}").status_code == 200
    for role, place in (("VILLAGE_OFFICER", village), ("TOWN_REVIEWER", village[:9]), ("AUDITOR", "370323")):
        client = county.sign_in(role, place)
        assert post(client, f"/documents/{document}").status_code == 404, role
        if role == "AUDITOR":
            assert document not in client.get("/documents").get_data(as_text=True)


def test_claims_in_doubt_are_found_from_the_home_page(county: Web) -> None:
    claim = one(county, outcome="approve", state="approved")
    open_review(county, claim, replace(claim.decision, payable_fen=claim.decision.payable_fen + 100))
    client = county.sign_in("CLAIM_OFFICER")
    assert "/claims?review=1" in client.get("/").get_data(as_text=True)
    page = client.get("/claims?review=1").get_data(as_text=True)
    assert f"/claims/{claim.id}" in page
    assert page.count('href="/claims/') == 1


def test_an_address_that_is_too_long_to_come_back_to_leads_home(web: Web) -> None:
    answer = web.client().get("/claims", query_string={"cursor": "x" * 1200})
    assert answer.headers["Location"] == "/sign-in?next=%2F"
    assert web.client().get(answer.headers["Location"]).status_code == 200


def test_a_large_form_is_not_read_for_whoever_may_not_send_it(web: Web) -> None:
    class Unread(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the form was read")

    client = web.sign_in("VILLAGE_OFFICER", "370323001201")
    answer = client.post(
        "/packs", input_stream=Unread(), content_type="multipart/form-data; boundary=x", content_length=1000
    )
    assert answer.status_code == 403
