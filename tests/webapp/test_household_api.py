"""Households in the API: masked, within the token's place, as of any day and as known at any moment."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from foundation.actors import Actor, Role
from households.queries.people import members_of
from households.services.register import leave
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, Web
from tests.webapp.register_desk import Home, a_home, a_home_with_a_claim, members

POLICY = "FPB-370323-2020-S"
DAY = "2020-06-10"
OFFICER = Actor("officer", "officer", Role.VILLAGE_OFFICER, COUNTY, "村专员")


def number_of(web: Web, home: Home, membership: str) -> str:
    with web.database.reading() as session:
        people = members_of(session, web.sealer, home.id, web.clock.at.date())
    return next(one.id_number or "" for one in people if one.membership_id == membership)


def test_the_list_is_of_the_tokens_place_and_pages_on(county: Web) -> None:
    home = a_home(county)
    village = caller(county, "VILLAGE_OFFICER", home.village_code)
    rows = village.data("/households")["rows"]
    assert home.household_no in {row["household_no"] for row in rows}
    assert {row["village_code"] for row in rows} == {home.village_code}
    centre = caller(county, "CENTER_CERTIFIER")
    first = centre.data("/households?size=2")
    second = centre.data(f"/households?size=2&cursor={first['pages']['older']}")
    assert len({row["id"] for row in first["rows"] + second["rows"]}) == 4
    assert centre.get("/households?cover=maybe").status_code == 400


def test_a_household_is_masked_and_outside_the_place_not_there(county: Web) -> None:
    home = a_home_with_a_claim(county)
    centre = caller(county, "CENTER_CERTIFIER")
    answer = centre.get(f"/households/{home.id}?on={DAY}")
    body = answer.get_data(as_text=True)
    assert re.search(r'"id_number":"\d{6}\*{8}', body) and not re.search(r"\b\d{17}[0-9X]\b", body)
    data = answer.get_json()
    assert data["policy_number"] == POLICY and data["account"].startswith("****")
    elsewhere = caller(county, "VILLAGE_OFFICER", a_home(county, skip=3).village_code)
    assert elsewhere.get(f"/households/{home.id}").status_code in (200, 404)
    outside = caller(county, "TOWN_REVIEWER", "370323999")
    assert outside.get(f"/households/{home.id}").status_code == 404


def test_an_older_moment_answers_as_it_did_then(county: Web) -> None:
    home = a_home(county)
    centre = caller(county, "CENTER_CERTIFIER")
    spell = members(county, home)[1]
    address = f"/households/{home.id}?on={DAY}"
    before = centre.data(address)
    known_at = county.clock.at.isoformat().replace("+00:00", "Z")
    county.clock.forward(minutes=5)
    with county.database.transaction() as session:
        leave(session, county.sealer, OFFICER, county.clock.at, spell.id, "moved_out", date(2020, 6, 1))
    after = centre.data(address)
    assert len(after["members"]) == len(before["members"]) - 1
    again = centre.data(f"{address}&known_at={known_at}")
    assert again["members"] == before["members"]


def test_eligibility_says_where_cover_stands_on_a_day(county: Web) -> None:
    home = a_home(county)
    centre = caller(county, "CENTER_CERTIFIER")
    number = number_of(county, home, members(county, home)[0].id)
    said = {
        day: centre.post("/households/eligibility", {"id_number": number, "on": day}).get_json()
        for day in ("2000-01-01", DAY, "2021-06-10")
    }
    assert [one["state"] for one in said.values()] == ["not_yet", "covered", "ended"]
    assert said[DAY]["household_no"] == home.household_no and said[DAY]["policy_number"] == POLICY
    village = caller(county, "VILLAGE_OFFICER", a_home(county, skip=1).village_code)
    answer = village.post("/households/eligibility", {"id_number": number, "on": DAY}).get_json()
    assert (answer["state"], answer["household_no"]) == ("none", None)


def test_eligibility_as_known_before_anything_was_known_is_none(county: Web) -> None:
    home = a_home(county)
    number = number_of(county, home, members(county, home)[0].id)
    body = {"id_number": number, "on": DAY, "known_at": "2019-01-01T00:00:00+08:00"}
    answer = caller(county, "AUDITOR").post("/households/eligibility", body)
    assert answer.get_json()["state"] == "none"


@pytest.mark.parametrize(
    "body",
    [
        {"id_number": "370323199901010000", "on": DAY},
        {"on": DAY},
        {"id_number": "37032319800101001X", "on": "10.6.2020"},
        {"id_number": "37032319800101001X", "on": DAY, "known_at": "2020-06-10T00:00:00"},
        {"id_number": "37032319800101001X", "on": DAY, "known_at": "0001-01-01T00:00:00+08:00"},
        {"id_number": "37032319800101001X", "on": DAY, "more": 1},
    ],
    ids=["check digit", "nobody", "no such day", "no zone", "too early", "unknown field"],
)
def test_a_malformed_question_is_refused(county: Web, body: dict[str, object]) -> None:
    assert caller(county, "CENTER_CERTIFIER").post("/households/eligibility", body).status_code == 422


def test_a_policy_that_there_is_not_is_not_found(county: Web) -> None:
    home = a_home(county)
    assert caller(county, "AUDITOR").get(f"/households/{home.id}?policy=nowhere").status_code == 404


def test_a_token_without_the_scope_is_refused(county: Web) -> None:
    program = caller(county, "CENTER_CERTIFIER", scopes=["claims:read"])
    assert program.get("/households").status_code == 403
    assert program.post("/households/eligibility", {}).status_code == 403


def test_a_moment_that_is_to_come_is_now(county: Web) -> None:
    home = a_home(county)
    later = (county.clock.at + timedelta(days=400)).isoformat().replace("+00:00", "Z")
    data = caller(county, "CENTER_CERTIFIER").data(f"/households/{home.id}?known_at={later}")
    assert data["known_at"].startswith("2026-11-24")
