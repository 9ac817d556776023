"""The pre-filled claim form: masked on the page, whole in print for a purpose, the same bytes again, gone at its term."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from foundation.privacy.models import Export
from tests.reports.reading import words
from tests.webapp.conftest import Web, post
from tests.webapp.erasing import erase, runtime_on
from tests.webapp.warning_pages import (
    Somebody,
    carry_out,
    case_of,
    in_its_year,
    issued,
    page_of,
    people,
    report,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def county_then(county: Web) -> Web:
    """The county in its policy's year."""
    return in_its_year(county)


@pytest.fixture
def somebody(county_then: Web) -> Somebody:
    return people(county_then)[0]


# --- the pre-filled form -------------------------------------------------------------------------------


def test_the_form_is_masked_on_the_page_and_whole_in_print_for_a_purpose(
    county_then: Web, somebody: Somebody, tmp_path: Path
) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    case_id = case_of(report(client, somebody))
    page = page_of(client, f"/warnings/{case_id}/form")
    assert somebody.id_number not in page
    for paper in ("身份证", "出院记录", "费用结算单"):
        assert paper in page
    assert post(client, f"/warnings/{case_id}/form").status_code == 303
    carry_out(county_then, "claim_form")
    (document,) = issued(county_then)
    assert document in page_of(client, f"/warnings/{case_id}/form")
    assert post(client, f"/documents/{document}").status_code == 422
    taken = post(client, f"/documents/{document}", purpose="signing")
    assert taken.mimetype == "application/pdf"
    read = words(taken.get_data(), tmp_path)
    for said in (somebody.name, somebody.id_number, "18,000.00", "生病、住院", "告知同意书", "只签这一次"):
        assert said in read, said
    with county_then.database.reading() as session:
        assert session.scalar(select(Export.kind).where(Export.subject_id == document)) == "claim_form"


def test_the_same_form_asked_for_again_is_the_same_bytes(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    case_id = case_of(report(client, somebody))
    for _again in range(2):
        post(client, f"/warnings/{case_id}/form")
        carry_out(county_then, "claim_form")
    assert len(issued(county_then)) == 1
    report(client, somebody, on="2020-06-01", amount="30000")
    post(client, f"/warnings/{case_id}/form")
    carry_out(county_then, "claim_form")
    assert len(issued(county_then)) == 2


def test_an_event_that_no_policy_answers_for_has_no_form(county_then: Web, somebody: Somebody) -> None:
    client = county_then.sign_in("CENTER_CERTIFIER")
    case_id = case_of(report(client, somebody, what="housing"))
    assert "免填单" not in page_of(client, f"/warnings/{case_id}").split('id="case"')[1]
    assert client.get(f"/warnings/{case_id}/form").status_code == 409
    assert post(client, f"/warnings/{case_id}/form").status_code == 409


def test_another_village_does_not_get_the_form(county_then: Web, somebody: Somebody) -> None:
    other = next(one for one in people(county_then) if one.village != somebody.village)
    client = county_then.sign_in("VILLAGE_OFFICER", somebody.village)
    case_id = case_of(report(client, somebody))
    post(client, f"/warnings/{case_id}/form")
    carry_out(county_then, "claim_form")
    (document,) = issued(county_then)
    there = county_then.sign_in("VILLAGE_OFFICER", other.village)
    assert there.get(f"/documents/{document}").status_code == 404
    assert document not in page_of(there, "/documents")
    assert document in page_of(client, "/documents")


# --- the end of the term -------------------------------------------------------------------------------


def test_an_erased_household_s_case_stays_without_its_content_form_and_picture(
    county_then: Web, somebody: Somebody, tmp_path: Path
) -> None:
    client = county_then.sign_in("CENTER_CERTIFIER")
    case_id = case_of(report(client, somebody, note="住院两周", photo=(BytesIO(PNG), "a.png")))
    photo = re.search(
        rf'action="(/warnings/{case_id}/photos/[0-9a-f]+)"', page_of(client, f"/warnings/{case_id}")
    )
    post(client, f"/warnings/{case_id}/form")
    carry_out(county_then, "claim_form")
    (document,) = issued(county_then)
    runtime_on(county_then, tmp_path)
    erase(county_then, date(2052, 1, 1))
    client = county_then.sign_in("CENTER_CERTIFIER")
    page = page_of(client, f"/warnings/{case_id}")
    assert "住院两周" not in page
    assert photo
    assert post(client, photo[1]).status_code == 404
    assert post(client, f"/documents/{document}", purpose="signing").status_code >= 400
    assert client.get(f"/warnings/{case_id}/form").status_code >= 400
