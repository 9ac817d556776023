"""Writes sent again: one effect, the same answer; and what happens to a first try that dies, on both engines."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from foundation.database import Database
from foundation.trail.events import Event
from foundation.web.idempotency import REPLAYED
from foundation.web.models import KeptAnswer
from tests.webapp.api_client import Caller, caller
from tests.webapp.conftest import Web

DISABLE = {"state": "disabled"}


class Change:
    """An account that a token disables, and how often that was done."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.admin: Caller = caller(web, "SEC_ADMIN")
        self.path = f"/accounts/{caller(web, 'CLAIM_OFFICER').actor.account}"
        self.tag = self.admin.get(self.path).headers["ETag"]

    def send(self, body: Any = DISABLE, key: str | None = "one", **headers: str) -> Any:
        return self.admin.patch(self.path, body, key, **{"If_Match": self.tag, **headers})

    @property
    def times(self) -> int:
        with self.web.database.reading() as session:
            query = select(func.count()).select_from(Event).where(Event.action == "account.disabled")
            return session.scalar(query) or 0

    @property
    def kept(self) -> int:
        with self.web.database.reading() as session:
            return session.scalar(select(func.count()).select_from(KeptAnswer)) or 0


@pytest.fixture
def change(web: Web) -> Change:
    return Change(web)


def test_the_same_key_and_body_get_the_first_answer_again(change: Change) -> None:
    first = change.send()
    assert first.status_code == 200 and REPLAYED not in first.headers
    for _ in range(3):
        again = change.send()
        assert (again.status_code, again.get_data()) == (first.status_code, first.get_data())
        assert {name: again.headers[name] for name in ("Content-Type", "ETag")} == {
            name: first.headers[name] for name in ("Content-Type", "ETag")
        }
        assert again.headers[REPLAYED] == "true"
    assert change.times == 1


def test_spaces_and_the_order_of_keys_make_no_other_body(change: Change) -> None:
    first = change.send()
    headers = change.admin.headers(If_Match=change.tag, Idempotency_Key="one")
    spaced = change.admin.client.patch(
        f"/api/v1{change.path}",
        data=b'{ "state" :\n"disabled" }',
        content_type="application/json",
        headers=headers,
    )
    assert spaced.get_data() == first.get_data() and change.times == 1


def test_attack_145_the_same_key_with_another_body_is_refused(change: Change) -> None:
    assert change.send().status_code == 200
    other = change.send({"state": "active"})
    assert other.status_code == 422 and other.get_json()["errors"][0]["field"] == "Idempotency-Key"
    assert change.admin.data(change.path)["state"] == "disabled"


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 129, "a\tb", "键"])
def test_a_write_without_a_proper_key_is_malformed(change: Change, key: str) -> None:
    headers = change.admin.headers(If_Match=change.tag)
    sent = list(headers.items()) + ([("Idempotency-Key", key)] if key else [])
    answer = change.admin.client.patch(f"/api/v1{change.path}", json=DISABLE, headers=sent)
    assert answer.status_code == 400 and change.times == 0
    twice = [*headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert change.admin.client.patch(f"/api/v1{change.path}", json=DISABLE, headers=twice).status_code == 400


def test_a_key_is_one_callers_own_and_holds_for_one_path(change: Change, web: Web) -> None:
    assert change.send().status_code == 200
    colleague, other = caller(web, "SEC_ADMIN"), f"/accounts/{caller(web, 'ADJUDICATOR').actor.account}"
    tag = colleague.get(change.path).headers["ETag"]
    mine = colleague.patch(change.path, {"state": "active"}, "one", If_Match=tag)
    assert mine.status_code == 200 and mine.get_json()["state"] == "active"
    tag = change.admin.get(other).headers["ETag"]
    elsewhere = change.admin.patch(other, DISABLE, "one", If_Match=tag)
    assert elsewhere.status_code == 200 and REPLAYED not in elsewhere.headers


def test_a_refused_try_gives_its_key_back(change: Change) -> None:
    for headers, body, status in (
        ({"If_Match": '"v99"'}, DISABLE, 412),
        ({}, {"state": "gone"}, 422),
    ):
        assert change.send(body, **headers).status_code == status
        assert change.kept == 0
    assert change.send().status_code == 200 and change.times == 1


def test_the_kept_answer_is_sealed(change: Change) -> None:
    login = change.send().get_json()["login"]
    with change.web.database.reading() as session:
        (row,) = session.execute(text("SELECT * FROM kept_answer")).all()
    assert login not in str(tuple(row)) and "disabled" not in str(tuple(row))


def test_effect_and_answer_are_there_together_or_not_at_all(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the power went out just before the commit")

    with monkeypatch.context() as patch:
        patch.setattr("foundation.web.idempotency._keep", fail)
        assert change.send().status_code == 500
    assert change.times == 0 and change.kept == 0 and change.admin.data(change.path)["state"] == "active"
    assert change.send().status_code == 200 and change.times == 1


def under_way(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves a first try that died: its key is put down, its effect never came."""

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("foundation.web.idempotency._keep", die)
        with pytest.raises(KeyboardInterrupt):
            change.send()
    assert change.kept == 1 and change.times == 0


def test_a_repetition_while_the_first_is_at_work_is_told_to_wait(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way(change, monkeypatch)
    answer = change.send()
    assert answer.status_code == 409 and answer.get_json()["code"] == "still_at_work"
    assert int(answer.headers["Retry-After"]) > 0 and change.times == 0


def test_a_first_try_that_died_is_taken_over_after_ten_minutes(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way(change, monkeypatch)
    change.web.clock.forward(minutes=9, seconds=59)
    assert change.send().status_code == 409
    change.web.clock.forward(seconds=1)
    assert change.send().status_code == 200 and change.times == 1
    assert change.send().headers[REPLAYED] == "true" and change.times == 1


def test_a_first_try_that_was_only_slow_commits_nothing_once_it_is_taken_over(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foundation.web import idempotency

    keep = idempotency._keep

    def overtaken(session: Any, mine: Any, response: Any) -> None:
        # What another process that took the key over has left behind, as this one sees it.
        session.execute(update(KeptAnswer).values(begun_at=change.web.clock.at + timedelta(minutes=11)))
        keep(session, mine, response)

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_keep", overtaken)
        assert change.send().status_code == 409
    assert change.times == 0 and change.admin.data(change.path)["state"] == "active"


def test_many_at_once_have_one_effect_and_one_answer(change: Change) -> None:
    barrier, answers = threading.Barrier(6), []

    def send() -> None:
        barrier.wait()
        answers.append(change.send())

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6 and {answer.status_code for answer in answers} <= {200, 409}
    good = {answer.get_data() for answer in answers if answer.status_code == 200}
    assert len(good) == 1 and change.times == 1
    assert {answer.get_json()["code"] for answer in answers if answer.status_code == 409} <= {"still_at_work"}
    assert change.send().get_data() in good


def test_the_database_refuses_an_answer_without_a_status(migrated_url: str) -> None:
    from sqlalchemy.exc import IntegrityError

    database = Database(migrated_url)
    values = "('a', 'nobody', 'PATCH /x', 'k', 'd', '2026-01-01T00:00:00.000000+00:00', 200, NULL)"
    columns = "id, account_id, route, key, request_digest, begun_at, status, sealed"
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(f"INSERT INTO kept_answer ({columns}) VALUES {values}"))
    database.close()
