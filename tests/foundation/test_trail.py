"""The trail: RFC 6962 roots, canonical bodies, and one event for each change in the change's own transaction."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.trail import Change, Event, events_of, head, leaf_hash, record, root_of

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
OFFICER = Actor("p1", "a1", Role.CLAIM_OFFICER, "370323", "张三")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(("count", "root"), ROOTS.items())
def test_the_root_is_that_of_the_published_vectors(count: int, root: str) -> None:
    assert root_of(leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:count]) == root


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 as it is written: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_streamed_root_is_the_recursive_one(data: list[bytes]) -> None:
    leaves = [leaf_hash(item) for item in data]
    assert root_of(iter(leaves)) == plain_root(leaves).hex()


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


def test_the_head_is_the_root_over_all_events_in_order(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.transaction() as session:
        record(session, OFFICER, AT, [Change("x.done", "x", f"{number:032x}") for number in range(25)])
    with database.reading() as session:
        bodies = [event.body for event in events_of(session, [f"{number:032x}" for number in range(25)])]
        assert head(session).events == 25
        assert head(session).root == plain_root([leaf_hash(body.encode()) for body in bodies]).hex()
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
