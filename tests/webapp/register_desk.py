"""The register of a county as pages are tried on it: a household to work on, and what its forms send."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from households.models.people import HouseholdRow, Membership
from households.models.two_times import believed
from tests.webapp.conftest import Web, csrf, post

PDF = b"%PDF-1.7 a paper"


@dataclass(frozen=True)
class Home:
    """A household of the county with more than one member, and what its head's row says."""

    id: str
    household_no: str
    village_code: str

    @property
    def town(self) -> str:
        return self.village_code[:9]

    @property
    def url(self) -> str:
        return f"/households/{self.id}"


def a_home(web: Web, members: int = 3, skip: int = 0) -> Home:
    """A household with at least so many members."""
    with web.database.reading() as session:
        row = session.execute(
            text(
                "SELECT household.id, household_no, village_code FROM household "
                "JOIN membership ON membership.household_id = household.id "
                "GROUP BY household.id, household_no, village_code HAVING count(*) >= :members "
                "ORDER BY household_no LIMIT 1 OFFSET :skip"
            ),
            {"members": members, "skip": skip},
        ).one()
    return Home(*row)


def a_home_with_a_claim(web: Web) -> Home:
    """A household that was paid something."""
    with web.database.reading() as session:
        row = session.execute(
            text(
                "SELECT household.id, household_no, village_code FROM household "
                "JOIN claim ON claim.household_id = household.id "
                "JOIN determination ON determination.claim_id = claim.id "
                "JOIN payable ON payable.determination_id = determination.id "
                "JOIN payment ON payment.payable_id = payable.id ORDER BY household_no LIMIT 1"
            )
        ).one()
    return Home(*row)


def members(web: Web, home: Home) -> list[Membership]:
    """The spells of a household that are believed, the head's first."""
    with web.database.reading() as session:
        rows = session.scalars(
            select(Membership).where(Membership.household_id == home.id, believed(Membership))
        )
        return sorted(rows, key=lambda one: (one.relation != "户主", one.id))


def household(web: Web, household_id: str) -> HouseholdRow:
    with web.database.reading() as session:
        return session.get_one(HouseholdRow, household_id)


def enter(client: FlaskClient, home: Home, kind: str, step: str = "done", **fields: str) -> TestResponse:
    """Sends the form of a change; `step` is check, edit or done."""
    return post(client, f"{home.url}/change/{kind}", step=step, **fields)


def hand_in(client: FlaskClient, home: Home, kind: str, **fields: str) -> TestResponse:
    """Sends a proposal with a paper."""
    data: dict[str, Any] = {**fields, "step": "done", "csrf_token": csrf(client)}
    data["papers"] = (io.BytesIO(PDF), "王五的户口簿.pdf")
    return client.post(f"{home.url}/change/{kind}", data=data, content_type="multipart/form-data")


def newest_proposal(web: Web) -> str:
    with web.database.reading() as session:
        found = session.scalar(text("SELECT id FROM proposal ORDER BY asked_at DESC LIMIT 1"))
    return str(found)
