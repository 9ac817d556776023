"""The trail in the API: the head, the events page by page, one event with a proof that holds, the blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, text

from foundation.trail.models import TrailBlock
from foundation.trail.proving import holds
from foundation.trail.sealing import seal
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web
from webapp import trail_queries


def every_event(who: Caller, path: str) -> list[dict[str, Any]]:
    rows, cursor = [], ""
    for _ in range(300):
        page = who.data(f"{path}{cursor and f'&cursor={cursor}'}")
        rows += page["rows"]
        cursor = page["pages"]["older"]
        if cursor is None:
            return rows
    raise AssertionError("the pages come to no end")


def test_the_head_is_the_last_block(county: Web) -> None:
    seal(county.database, county.clock.at, "sha256", None)
    with county.database.reading() as session:
        block = session.scalars(select(TrailBlock).order_by(TrailBlock.number.desc())).first()
    assert block is not None
    for role in ("AUDITOR", "LOG_ADMIN", "SEC_ADMIN"):
        found = caller(county, role).data("/trail")
        assert found["block"]["root"] == block.root and found["block"]["events"] == block.events
        assert found["checked"] is None


def test_an_empty_trail_has_no_head(web: Web) -> None:
    found = caller(web, "AUDITOR").data("/trail")
    assert found["block"] is None and found["anchor"] == "none" and found["checked"] is None


def test_the_events_are_narrowed_and_paged_over_every_one_once(
    county: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_queries, "OPENED", 700)
    who = caller(county, "AUDITOR")
    for query, condition in {
        "action=claim.determined": "action = 'claim.determined'",
        "role=FIN_RELEASER": 'body LIKE \'%"role":"FIN_RELEASER"%\'',
        "person=demo-person-3": 'body LIKE \'%"person":"demo-person-3"%\'',
        "day_to=2021-01-05&action=batch.made": "action = 'batch.made'",
    }.items():
        with county.database.reading() as session:
            wanted = list(session.scalars(text(f"SELECT id FROM event WHERE {condition} ORDER BY id DESC")))
        found = every_event(who, f"/trail/events?size=40&{query}")
        assert [row["id"] for row in found] == wanted and wanted, query


def test_an_event_comes_with_a_proof_that_holds_once_it_is_sealed(county: Web) -> None:
    who = caller(county, "LOG_ADMIN")
    newest = who.data("/trail/events?size=1")["rows"][0]
    assert who.data(f"/trail/events/{newest['id']}")["proof"] is None
    seal(county.database, county.clock.at, "sha256", None)
    whole = who.data(f"/trail/events/{newest['id']}")
    assert {name: whole[name] for name in newest} == newest
    assert holds(whole["proof"]) and whole["proof"]["event"]["body"] == whole["body"]
    assert whole["proof"]["tree"]["root"] == who.data("/trail")["block"]["root"]
    answer = who.get(
        f"/trail/events/{newest['id']}",
        If_None_Match=who.get(f"/trail/events/{newest['id']}").headers["ETag"],
    )
    assert answer.status_code == 304


@pytest.mark.parametrize("event_id", ["0", "99999999", "9" * 19, "abc"])
def test_an_event_that_is_not_there_is_not_found(web: Web, event_id: str) -> None:
    assert caller(web, "AUDITOR").get(f"/trail/events/{event_id}").status_code == 404


@pytest.mark.parametrize("query", ["action=x", "cursor=z9", "cursor=o", "role=KING", "sort=id", "day_from=x"])
def test_a_wrong_parameter_is_refused(web: Web, query: str) -> None:
    assert caller(web, "AUDITOR").get(f"/trail/events?{query}").status_code == 400


def test_the_blocks_are_linked_newest_first(county: Web) -> None:
    who = caller(county, "SEC_ADMIN")
    rows = every_event(who, "/trail/blocks?size=2")
    assert [row["number"] for row in rows] == list(range(len(rows), 0, -1)) and len(rows) > 2
    for later, earlier in pairwise(rows):
        assert later["previous"] == earlier["digest"] and later["events"] > earlier["events"]


@pytest.mark.parametrize("path", ["/trail", "/trail/events", "/trail/events/1", "/trail/blocks"])
def test_the_trail_asks_for_its_role_and_its_scope(web: Web, path: str) -> None:
    assert caller(web, "CLAIM_OFFICER").get(path).status_code == 403
    assert caller(web, "SYS_ADMIN").get(path).status_code == 403
    assert caller(web, "AUDITOR", scopes=["claims:read"]).get(path).status_code == 403
