"""`fangpin users`: people and accounts from the command line, the first two security administrators, the demo's accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from foundation.actors import SECOND_FACTOR_ROLES, Actor, Role
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.staff.grants import ask_role, decide_grant
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember
from foundation.staff.queries import limit_on
from foundation.trail.events import Event
from tests.staffing import id_number_of, put_account, put_grant
from webapp import demo_actors, demo_people
from webapp.cli import cli, guarded
from webapp.passwords import Passwords
from webapp.run import Options, run_pack
from webapp.second_factor import matching_step
from webapp.services import sessions
from webapp.users import DEMO_PASSWORD, ensure_demo_accounts

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
Command = Callable[..., int]


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def users(migrated_url: str, tmp_path: Path) -> Command:
    """Runs `fangpin users …` on the test's database; its exit code."""

    def run(*arguments: str) -> int:
        options = ["--database", migrated_url, "--key-file", str(tmp_path / "key")]
        return guarded(lambda: cli.main(["users", *arguments, *options], standalone_mode=False))

    return run


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing costs a fifth of a second on purpose; not here."""
    cheap = Passwords(memory_kib=64, rounds=1, lanes=1)
    monkeypatch.setattr("webapp.users.Passwords", lambda: cheap)
    monkeypatch.setattr("webapp.demo_people.Passwords", lambda: cheap)


def grants(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        query = select(Account.login, RoleGrant.state).join(RoleGrant, RoleGrant.account_id == Account.id)
        return [
            (row[0], row[1]) for row in session.execute(query.order_by(RoleGrant.requested_at, Account.login))
        ]


def test_help_is_in_both_languages(users: Command, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["users", "--help"], ["users", "grant", "--help"], ["users", "demo", "--help"]):
        assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 0  # noqa: B023
        printed = capsys.readouterr().out
        assert any("\u4e00" <= character <= "\u9fff" for character in printed)
        assert any(word in printed for word in ("People, accounts", "ask for a role", "demo account"))


def test_an_account_is_added_listed_disabled_and_enabled(
    users: Command, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert users("add", "Zhang.San", "--name", "张三", "--id-number", id_number_of("zhang")) == 0
    assert users("list") == 0
    printed = capsys.readouterr().out
    assert "zhang.san" in printed and "张三" in printed and "1 accounts" in printed.splitlines()[-1]
    with database.reading() as session:
        person = session.scalars(select(StaffMember.id)).one()
    assert users("add", "zhang.2", "--person", person) == 0
    assert users("disable", "zhang.san") == 0
    assert users("disable", "zhang.san") == 3
    assert users("enable", "zhang.san") == 0
    with database.reading() as session:
        assert len(session.scalars(select(Account).where(Account.staff_id == person)).all()) == 2
        by_whom = session.scalars(select(Event.body)).all()
        assert all('"person":"command-line"' in body for body in by_whom)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "ab", "--name", "张三", "--id-number", id_number_of("ab")], 2),
        (["add", "zhang", "--name", "张三", "--id-number", "370323194809155970"], 2),
        (["add", "zhang"], 2),
        (["add", "zhang", "--name", "张三", "--person", "x"], 2),
        (["add", "zhang", "--person", "x"], 3),
        (["disable", "nobody"], 3),
        (["password", "nobody"], 3),
        (["code", "nobody"], 3),
        (["limit", "nobody", "100"], 3),
        (["limit", "nobody", "1e3"], 2),
        (["limit", "nobody", "-5"], 2),
        (["grant", "nobody", "SYSTEM", "--place", "370323"], 2),
        (["grant", "nobody", "RECON"], 2),
        (["grant", "nobody", "RECON", "--place", "370323", "--from", "2026-02-30"], 2),
        (["grant", "nobody", "DEPARTMENT", "--place", "370323", "--department", "secret"], 2),
    ],
)
def test_what_cannot_be_is_refused_with_words(
    users: Command, database: Database, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    assert users(*arguments) == code
    assert capsys.readouterr().err.strip()
    with database.reading() as session:
        assert session.scalars(select(StaffMember)).all() == []


def test_the_first_two_security_administrators_are_granted_and_everybody_else_is_only_asked_for(
    users: Command, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    for login in ("sec-1", "sec-2", "sec-3", "officer"):
        assert users("add", login, "--name", f"某{login}", "--id-number", id_number_of(login)) == 0
    assert users("grant", "officer", "CLAIM_OFFICER", "--place", "370323") == 0
    assert "待另一人审批" in capsys.readouterr().out
    for login in ("sec-1", "sec-2", "sec-3"):
        assert users("grant", login, "sec_admin", "--place", "370323") == 0
    assert grants(database) == [
        ("officer", "requested"),
        ("sec-1", "active"),
        ("sec-2", "active"),
        ("sec-3", "requested"),
    ]
    with database.reading() as session:
        first = session.scalars(select(RoleGrant).where(RoleGrant.state == "active")).first()
        assert first is not None
        assert (first.requested_by, first.decided_by) == ("command-line", "installation")


def test_one_person_with_two_accounts_is_one_security_administrator(
    users: Command, database: Database
) -> None:
    with database.transaction() as session:
        for login in ("one", "two"):
            put_account(session, "same", login)
        put_account(session, "other", "three")
    for login in ("one", "two", "three"):
        assert users("grant", login, "SEC_ADMIN", "--place", "370323") == 0
    assert [state for _, state in grants(database)] == ["active"] * 3


def test_a_request_that_the_only_security_administrator_made_is_granted(
    users: Command, database: Database
) -> None:
    only = Actor("only", "a1", Role.SEC_ADMIN, "370323", "甲")
    with database.transaction() as session:
        put_grant(session, put_account(session, "only", "only"), Role.SEC_ADMIN)
        second = put_account(session, "second", "second")
        ask_role(session, only, AT, second, Role.SEC_ADMIN, "370323")
    assert users("grant", "second", "SEC_ADMIN", "--place", "370323") == 0
    assert dict(grants(database)) == {"only": "active", "second": "active"}


def test_a_limit_waits_for_a_second_person(users: Command, database: Database) -> None:
    with database.transaction() as session:
        put_account(session, "adjudicator", "adjudicator")
    assert users("limit", "adjudicator", "10000.00", "--from", "2026-01-01", "--to", "2026-12-31") == 0
    with database.reading() as session:
        limit = session.scalars(select(DeterminationLimit)).one()
        assert (limit.amount_fen, limit.state, limit.valid_from, limit.valid_to) == (
            10_000_00,
            "requested",
            date(2026, 1, 1),
            date(2026, 12, 31),
        )
        assert limit_on(session, "adjudicator", date(2026, 6, 1)) is None


def test_a_one_time_password_works_once_and_ends_every_sign_in(
    users: Command, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        account_id = put_account(session, "officer", "officer")
        secret = sessions.begin(session, account_id, None, "open", "test", datetime.now(UTC))
    assert users("password", "officer") == 0
    printed = capsys.readouterr().out.split()[-1]
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", printed)
    with database.reading() as session:
        account = session.get_one(Account, account_id)
        assert Passwords(memory_kib=64, rounds=1, lanes=1).matches(account.password_hash, printed)
        assert account.password_must_change
        assert sessions.recognise(session, secret, datetime.now(UTC)) is None


def test_only_a_demo_accounts_code_is_shown(
    users: Command, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert users("demo") == 0
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        real = put_account(session, "real", "real")
        session.get_one(Account, real).totp_sealed = sealer.seal("account", "totp_sealed", real, "A" * 32)
        releaser = session.scalars(select(Account).where(Account.login == "demo-releaser")).one()
        secret = sealer.reveal("account", "totp_sealed", releaser.id, str(releaser.totp_sealed))
    capsys.readouterr()
    assert users("code", "demo-releaser") == 0
    code = capsys.readouterr().out.strip()
    assert matching_step(secret, code, datetime.now(UTC)) is not None
    assert users("code", "real") == 3
    assert users("code", "demo-auditor") == 3
    assert not re.search(r"\d{6}", capsys.readouterr().out)


def test_the_demo_has_an_account_for_every_role_and_making_it_again_changes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        made = ensure_demo_accounts(session, sealer, AT)
    assert {account.role for account in made} == set(Role) - {Role.SYSTEM}
    assert [account.login for account in made if account.role is Role.SEC_ADMIN] == [
        "demo-security",
        "demo-security-2",
    ]
    assert {account.role for account in made if account.needs_code} >= SECOND_FACTOR_ROLES
    with database.reading() as session:
        rows = session.scalars(select(Account)).all()
        assert all(row.demo and row.state == "active" and not row.password_must_change for row in rows)
        assert len({row.password_hash for row in rows}) == 1
        assert Passwords(memory_kib=64, rounds=1, lanes=1).matches(rows[0].password_hash, DEMO_PASSWORD)
        assert len({row.totp_sealed for row in rows if row.totp_sealed}) == sum(a.needs_code for a in made)
        known = {row.login: row.staff_id for row in rows}
        for actor in demo_actors.PEOPLE:
            assert known[actor.account] == actor.person
        events = len(session.scalars(select(Event.id)).all())
    monkeypatch.delattr(demo_people, "Passwords")  # hashing again would need it
    with database.transaction() as session:
        assert ensure_demo_accounts(session, sealer, AT) == made
    with database.reading() as session:
        assert len(session.scalars(select(Event.id)).all()) == events


def test_two_demo_security_administrators_can_approve_for_each_other(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        ensure_demo_accounts(session, open_sealer(session, tmp_path / "key"), AT)
        rows = session.scalars(select(Account).where(Account.login.like("demo-security%"))).all()
        one, two = (Actor(row.staff_id, row.id, Role.SEC_ADMIN, "370323", "某") for row in rows)
        target = put_account(session, "new", "new")
        asked = ask_role(session, one, AT, target, Role.RECON, "370323")
        assert decide_grant(session, two, AT, asked.id, approve=True).state == "active"


def test_a_real_account_under_a_demo_login_is_left_alone(
    users: Command, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        put_account(session, "real", "demo-auditor")
    assert users("demo") == 3
    assert "demo-auditor" in capsys.readouterr().err
    with database.reading() as session:
        assert [account.login for account in session.scalars(select(Account))] == ["demo-auditor"]


def test_the_demos_people_work_where_the_households_are(
    small_pack: Path, database: Database, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    options = Options(small_pack, tmp_path / "out", database.url, date(2020, 12, 31), True, 0, key)
    run_pack(options, lambda *_: None)
    with database.transaction() as session:
        made = {a.login: a for a in ensure_demo_accounts(session, open_sealer(session, key), AT)}
        county, town, village = demo_people.demo_places(session)
        # A run has made the five people already, with a limit for the determiner.
        assert limit_on(session, "demo-person-2", date(2020, 12, 31)) == 150_000_00
        assert limit_on(session, "demo-person-2", date(1999, 12, 31)) is None
    assert county == "370323" and village.startswith(town) and town.startswith(county)
    assert (made["demo-town"].place, made["demo-village"].place) == (town, village)
    assert made["demo-lead"].place == county
