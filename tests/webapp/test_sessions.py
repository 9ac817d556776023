"""Sessions: who is recognised, in which role, how surely, and what ends a session at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from foundation.actors import Assurance, Role
from foundation.database import Database
from foundation.errors import NotFound
from foundation.staff.models import Account, RoleGrant
from foundation.trail.events import Event
from tests.staffing import put_account, put_grant
from tests.webapp.conftest import Web, post
from webapp.models import WebSession
from webapp.services import sessions
from webapp.services.sessions import Recognised

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


class Person:
    """An account with a role and an open session."""

    def __init__(self, database: Database, role: Role = Role.CLAIM_OFFICER, **session_of: Any) -> None:
        self.database = database
        with database.transaction() as session:
            self.account_id = put_account(session, "person-1", "zhao")
            self.grant_id = put_grant(session, self.account_id, role)
        self.secret = self.begin(**session_of)

    def begin(self, stage: str = "open", device: str = "Firefox · Linux", **more: Any) -> str:
        with self.database.transaction() as session:
            return sessions.begin(session, self.account_id, self.grant_id, stage, device, AT, **more)

    def change(self, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(update(Account).where(Account.id == self.account_id).values(**values))

    def end_grant(self) -> None:
        with self.database.transaction() as session:
            ended = update(RoleGrant).where(RoleGrant.id == self.grant_id)
            session.execute(ended.values(state="ended", ended_by="x", ended_at=AT))

    def recognised(self, at: datetime = AT, secret: str | None = None) -> Recognised | None:
        with self.database.reading() as session:
            return sessions.recognise(session, secret or self.secret, at)

    def known(self, at: datetime = AT, secret: str | None = None) -> Recognised:
        found = self.recognised(at, secret)
        assert found is not None
        return found


Make = Callable[..., Person]


@pytest.fixture
def make(database: Database) -> Make:
    return lambda *arguments, **options: Person(database, *arguments, **options)


def put_dated_grant(session: Session, account_id: str, valid_from: date, valid_to: date | None) -> None:
    """A role within dates, under the id `dated`."""
    session.add(
        RoleGrant(
            id="dated",
            account_id=account_id,
            role=Role.RECON,
            place="370323",
            valid_from=valid_from,
            valid_to=valid_to,
            state="active",
            requested_by="asks",
            requested_at=AT,
            decided_by="decides",
            decided_at=AT,
        )
    )
    session.flush()


def actions(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [
            (row[0], row[1])
            for row in session.execute(select(Event.action, Event.subject_id).order_by(Event.id))
        ]


def test_an_open_session_is_a_person_in_a_role_at_a_place(make: Make) -> None:
    person = make()
    found = person.known()
    assert found.actor is not None
    assert (found.actor.person, found.actor.account) == ("person-1", person.account_id)
    assert (found.actor.role, found.actor.place) == (Role.CLAIM_OFFICER, "370323")
    assert found.actor.assurance is Assurance.PASSWORD
    assert found.next_step is None
    assert [choice.id for choice in found.grants] == [person.grant_id]


def test_recognising_takes_one_statement_however_many_roles_there_are(make: Make, database: Database) -> None:
    person = make()
    with database.transaction() as session:
        for role in (Role.TOWN_REVIEWER, Role.RECON, Role.CENTER_LEAD):
            put_grant(session, person.account_id, role)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert len(person.known().grants) == 4
    assert sum(statement.startswith("SELECT") for statement in statements) == 1


def test_only_a_digest_of_the_secret_is_kept(make: Make, database: Database) -> None:
    person = make()
    assert len(person.secret) >= 43
    with database.reading() as session:
        kept = session.scalar(select(WebSession.secret_hash))
    assert kept == hashlib.sha256(person.secret.encode()).hexdigest()


@pytest.mark.parametrize("secret", ["", "x", "0" * 43, "汉" * 20, "\ud800"])
def test_an_unknown_secret_is_nobody(make: Make, secret: str) -> None:
    person = make()
    with person.database.reading() as session:
        assert sessions.recognise(session, secret, AT) is None


def test_a_session_ends_after_thirty_idle_minutes(make: Make) -> None:
    person = make()
    assert person.recognised(AT + timedelta(minutes=30)) is not None
    assert person.recognised(AT + timedelta(minutes=30, seconds=1)) is None


def test_a_session_that_is_used_lives_twelve_hours_and_no_longer(make: Make, database: Database) -> None:
    person = make()
    session_id = person.known().session_id
    for minutes in range(20, 12 * 60 + 1, 20):
        with database.transaction() as session:
            sessions.touch(session, session_id, AT + timedelta(minutes=minutes))
    assert person.recognised(AT + timedelta(hours=12)) is not None
    assert person.recognised(AT + timedelta(hours=12, seconds=1)) is None


def test_touching_never_turns_the_time_back(make: Make, database: Database) -> None:
    person = make()
    session_id = person.known().session_id
    with database.transaction() as session:
        sessions.touch(session, session_id, AT + timedelta(minutes=5))
        sessions.touch(session, session_id, AT + timedelta(minutes=4))
    assert person.known().seen_at == AT + timedelta(minutes=5)


def test_attack_08_a_disabled_account_is_nobody_on_the_next_request(make: Make) -> None:
    person = make()
    person.change(state="disabled")
    assert person.recognised() is None


def test_attack_08_a_role_that_was_taken_away_acts_no_more(make: Make) -> None:
    person = make()
    person.end_grant()
    found = person.known()
    assert (found.actor, found.next_step, found.grants) == (None, "no_role", ())


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "acts"),
    [
        (date(2026, 11, 24), None, True),
        (date(2026, 11, 25), None, False),
        (date(2020, 1, 1), date(2026, 11, 24), True),
        (date(2020, 1, 1), date(2026, 11, 23), False),
    ],
)
def test_attack_08_a_role_acts_within_its_dates_only(
    database: Database, valid_from: date, valid_to: date | None, acts: bool
) -> None:
    with database.transaction() as session:
        account_id = put_account(session, "person-1", "zhao")
        put_dated_grant(session, account_id, valid_from, valid_to)
        secret = sessions.begin(session, account_id, "dated", "open", "", AT)
    with database.reading() as session:
        found = sessions.recognise(session, secret, AT)
    assert found is not None
    assert (found.actor is not None) is acts


def test_days_are_those_of_shanghai(database: Database) -> None:
    evening = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    with database.transaction() as session:
        account_id = put_account(session, "person-1", "zhao")
        put_dated_grant(session, account_id, date(2026, 11, 25), None)
        secret = sessions.begin(session, account_id, "dated", "open", "", evening)
    with database.reading() as session:
        before = sessions.recognise(session, secret, evening)
        after = sessions.recognise(session, secret, evening + timedelta(seconds=1))
    assert before is not None and before.actor is None
    assert after is not None and after.actor is not None


def test_attack_11_a_session_before_its_second_factor_acts_as_nobody(make: Make) -> None:
    person = make(Role.FIN_RELEASER, stage="password")
    found = person.known()
    assert (found.actor, found.next_step) == (None, "enrol")
    person.change(totp_sealed="x", totp_confirmed_at=AT)
    assert person.known().next_step == "second_factor"


def test_a_password_that_must_change_comes_first(make: Make) -> None:
    person = make(Role.FIN_RELEASER, stage="password")
    person.change(totp_sealed="x", totp_confirmed_at=AT, password_must_change=True)
    assert person.known().next_step == "new_password"


def test_a_half_sign_in_with_nothing_left_to_ask_starts_over(make: Make) -> None:
    person = make(Role.CLAIM_OFFICER, stage="password")
    assert person.recognised() is None


def test_a_role_gained_later_asks_for_a_second_factor_when_it_is_acted_in(
    make: Make, database: Database
) -> None:
    person = make(Role.CLAIM_OFFICER)
    with database.transaction() as session:
        gained = put_grant(session, person.account_id, Role.FIN_RELEASER)
    assert person.known().actor is not None
    with database.transaction() as session:
        sessions.switch_role(session, person.known(), gained, AT)
    found = person.known()
    assert (found.actor, found.next_step) == (None, "enrol")


def test_once_there_is_a_second_factor_every_session_gives_it(make: Make) -> None:
    person = make(Role.CLAIM_OFFICER)
    person.change(totp_sealed="x", totp_confirmed_at=AT)
    found = person.known()
    assert (found.actor, found.next_step) == (None, "second_factor")


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Assurance.STEP_UP), (10, Assurance.STEP_UP), (20, Assurance.SECOND_FACTOR)]
)
def test_attack_17_a_second_factor_is_fresh_for_ten_minutes(
    make: Make, minutes: int, expected: Assurance
) -> None:
    person = make(Role.FIN_RELEASER, second_factor_at=AT)
    actor = person.known(AT + timedelta(minutes=minutes)).actor
    assert actor is not None
    assert actor.assurance is expected
    assert sessions.is_stepped_up(AT, AT + timedelta(minutes=minutes)) is (expected is Assurance.STEP_UP)


def test_a_step_up_makes_it_fresh_again_and_is_an_event(make: Make, database: Database) -> None:
    person = make(Role.FIN_RELEASER, second_factor_at=AT)
    later = AT + timedelta(minutes=20)
    with database.transaction() as session:
        sessions.step_up(session, person.known(later), later)
    found = person.known(later)
    assert found.actor is not None
    assert found.actor.assurance is Assurance.STEP_UP
    assert actions(database) == [("session.stepped_up", found.session_id)]


def test_a_person_switches_among_their_own_roles_only(make: Make, database: Database) -> None:
    person = make(Role.CLAIM_OFFICER)
    with database.transaction() as session:
        town = put_grant(session, person.account_id, Role.TOWN_REVIEWER, "370323101")
        foreign = put_grant(session, put_account(session, "person-2", "qian"), Role.RECON)
    with database.transaction() as session:
        sessions.switch_role(session, person.known(), town, AT)
    actor = person.known().actor
    assert actor is not None
    assert (actor.role, actor.place) == (Role.TOWN_REVIEWER, "370323101")
    assert actions(database) == [("session.role_switched", person.known().session_id)]
    for wrong in (foreign, "no-such"):
        with pytest.raises(NotFound), database.transaction() as session:
            sessions.switch_role(session, person.known(), wrong, AT)


def test_attack_16_a_person_sees_their_sessions_and_ends_one(make: Make, database: Database) -> None:
    person = make()
    other = person.begin(device="WeChat · Android")
    person.begin(device="gone", started_at=AT - timedelta(hours=13))
    mine = person.known()
    assert mine.actor is not None
    with database.transaction() as session:
        listed = sessions.own_sessions(session, person.account_id, AT)
        assert sorted(one.device for one in listed) == ["Firefox · Linux", "WeChat · Android"]
        wanted = next(one.id for one in listed if one.id != mine.session_id)
        sessions.end(session, mine.actor, person.account_id, wanted, "ended_by_owner", AT)
    assert person.recognised(secret=other) is None
    assert person.recognised() is not None
    assert actions(database) == [("session.ended", wanted)]


def test_nobody_ends_the_session_of_another_account(make: Make, database: Database) -> None:
    person = make()
    mine = person.known()
    assert mine.actor is not None
    with database.transaction() as session:
        stranger = put_account(session, "person-2", "qian")
        secret = sessions.begin(session, stranger, None, "open", "", AT)
    theirs = person.known(secret=secret).session_id
    with pytest.raises(NotFound), database.transaction() as session:
        sessions.end(session, mine.actor, person.account_id, theirs, "ended_by_owner", AT)
    assert person.recognised(secret=secret) is not None


def test_ending_all_leaves_the_one_that_is_asked_to_stay(make: Make, database: Database) -> None:
    person = make()
    others = [person.begin() for _ in range(3)]
    mine = person.known()
    assert mine.actor is not None
    with database.transaction() as session:
        ended = sessions.end_all(session, mine.actor, person.account_id, "x", AT, but=mine.session_id)
    assert ended == 3
    assert [person.recognised(secret=secret) for secret in others] == [None] * 3
    assert person.recognised() is not None
    assert len(actions(database)) == 3


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
            "Chromium · Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15", "Safari · macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", "Safari · iOS"),
        ("Mozilla/5.0 (Linux; Android 14; M1) Chrome/130 MicroMessenger/8.0.50", "WeChat · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("<script>alert(1)</script>\r\nX: y", "— · —"),
        ("", "— · —"),
    ],
)
def test_a_device_has_two_words_whatever_the_browser_says_of_itself(user_agent: str, name: str) -> None:
    assert sessions.device_name(user_agent) == name


# On the pages


def test_attack_07_a_cookie_is_dead_after_signing_out(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER")
    cookie = client.get_cookie(sessions.cookie_name(plain_http=True), domain="localhost")
    assert cookie is not None
    answer = post(client, "/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    thief = web.client()
    thief.set_cookie(cookie.key, cookie.value, domain="localhost")
    assert "/sign-in" in thief.get("/account").headers["Location"]
    assert ("account.signed_out", "account-1") in actions(web.database)


def test_attack_16_the_second_session_is_shown_and_may_be_ended(web: Web) -> None:
    first = web.sign_in("CLAIM_OFFICER")
    with web.database.transaction() as session:
        secret = sessions.begin(session, "account-1", "grant-1", "open", "WeChat · Android", web.clock.at)
    second = web.client()
    second.set_cookie(sessions.cookie_name(plain_http=True), secret, domain="localhost")
    assert "WeChat · Android" in first.get("/account").get_data(as_text=True)
    assert post(first, "/account/sessions").status_code == 303
    assert second.get("/account").status_code == 303
    assert first.get("/account").status_code == 200


def test_a_person_without_a_role_still_reaches_their_account_and_another_role(web: Web) -> None:
    client = web.sign_in("CLAIM_OFFICER")
    with web.database.transaction() as session:
        other = put_grant(session, "account-1", Role.RECON)
        ended = update(RoleGrant).where(RoleGrant.id == "grant-1")
        session.execute(ended.values(state="ended", ended_by="x", ended_at=web.clock.at))
    assert client.get("/claims").status_code == 403
    page = client.get("/account").get_data(as_text=True)
    assert "没有有效的岗位" in page
    assert post(client, "/account/role", grant=other).status_code == 303
    assert "对账员" in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize("name", ["language", "theme"])
def test_language_and_appearance_are_remembered_for_a_year(web: Web, name: str) -> None:
    client = web.client()
    chosen = {"language": "en", "theme": "dark"}[name]
    answer = post(client, f"/{name}", page="/sign-in", **{name: chosen, "next": "/sign-in?next=/claims"})
    assert answer.headers["Location"] == "/sign-in?next=/claims"
    page = client.get("/sign-in").get_data(as_text=True)
    assert {"language": 'lang="en"', "theme": 'data-bs-theme="dark"'}[name] in page
    cookie = client.get_cookie(f"fangpin_{name}", domain="localhost")
    assert cookie is not None
    assert cookie.max_age == 365 * 24 * 3600
    assert post(client, f"/{name}", page="/sign-in", **{name: "evil"}).status_code == 422
