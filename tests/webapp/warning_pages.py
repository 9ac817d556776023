"""The small pack's county in its policy's year, with people who report by the pages: for tests of early warning."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from foundation.jobs import Job
from foundation.runtime import Runtime, set_current
from reports.models import IssuedDocument
from tests.webapp.conftest import Web, post
from webapp import demo_actors as actors
from webapp.celery_app import carry_out_here

NOW = datetime(2020, 12, 20, 2, 0, tzinfo=UTC)
MAY = "2020-05-10"


@dataclass(frozen=True)
class Somebody:
    """A covered adult of the small pack's register."""

    person_id: str
    name: str
    id_number: str
    village: str
    household_id: str


def in_its_year(county: Web) -> Web:
    """The county in its policy's year, so that events of the year are in time."""
    county.clock.at = NOW
    set_current(Runtime(county.database, county.sealer, county.clock, actors.SYSTEM))
    return county


def people(web: Web) -> list[Somebody]:
    """Covered heads who have not claimed anything, by village."""
    query = text(
        "SELECT person.id, person.sealed, household.village_code, household.id FROM person "
        "JOIN membership ON membership.person_id = person.id "
        "JOIN household ON household.id = membership.household_id "
        "JOIN cover ON cover.person_id = person.id "
        "WHERE membership.relation = '户主' AND cover.cover_from <= '2020-05-01' AND cover.cover_to >= '2020-12-31' "
        "AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.household_id = household.id) "
        "ORDER BY household.village_code, household.household_no"
    )
    found = []
    with web.database.reading() as session:
        for person_id, sealed, village, household_id in session.execute(query):
            content = orjson.loads(web.sealer.reveal("person", "sealed", person_id, sealed))
            found.append(Somebody(person_id, content["name"], content["id_number"], village, household_id))
    return found


def page_of(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return html.unescape(answer.get_data(as_text=True))


def token_on(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]


def report(client: FlaskClient, who: Somebody, **changes: Any) -> TestResponse:
    """Fills in the form of a person and sends it."""
    url = f"/warnings/report/{who.person_id}"
    fields = {"form_token": token_on(page_of(client, url)), "what": "illness", "on": MAY, "amount": "18000"}
    return post(client, url, **{**fields, **changes})


def case_of(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.get_data(as_text=True)[-3000:]
    return answer.headers["Location"].rsplit("/", 1)[1]


def count(web: Web, model: Any) -> int:
    with web.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def carry_out(web: Web, kind: str) -> None:
    with web.database.reading() as session:
        waiting = list(session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "waiting")))
    carry_out_here(kind, waiting)


def issued(web: Web) -> list[str]:
    with web.database.reading() as session:
        return list(session.scalars(select(IssuedDocument.id).where(IssuedDocument.kind == "claim_form")))
