"""Events: canonical bodies, and one event for each change in the change's own transaction."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.trail.events import Change, Event, events_of, record

OFFICER = Actor("p1", "a1", Role.CLAIM_OFFICER, "370323", "张三")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)


def test_an_event_says_who_when_what_and_why(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.transaction() as session:
        record(
            session,
            OFFICER,
            AT,
            [Change("claim.changed", "claim", "c1", after="b" * 64, before="a" * 64, reason='更正"姓名"')],
        )
    with database.reading() as session:
        (event,) = events_of(session, ["c1"])
        assert json.loads(event.body) == {
            "action": "claim.changed",
            "actor": {
                "account": "a1",
                "assurance": "program",
                "person": "p1",
                "place": "370323",
                "role": "CLAIM_OFFICER",
            },
            "after": "b" * 64,
            "at": "2020-12-31T04:00:00.000000+00:00",
            "before": "a" * 64,
            "reason": '更正"姓名"',
            "subject": "claim",
            "subject_id": "c1",
        }
        canonical = json.dumps(
            json.loads(event.body), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        assert event.body == canonical
        assert event.at == AT
    database.close()


def test_what_is_rolled_back_leaves_no_event(migrated_url: str) -> None:
    database = Database(migrated_url)

    def interrupted() -> None:
        with database.transaction() as session:
            record(session, OFFICER, AT, [Change("x.done", "x", "1")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    with database.reading() as session:
        assert session.query(Event).count() == 0
    database.close()
