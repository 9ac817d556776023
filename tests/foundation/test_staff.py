"""People, accounts, roles and limits: what makes someone gain takes two persons, and everything is in the trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.sealing import KeyRing, Sealer, SealingKey
from foundation.staff import grants, queries, services
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember
from foundation.trail.events import Event
from tests.staffing import put_account, put_grant, put_limit, put_person

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
ASKER = Actor("asker", "a1", Role.SEC_ADMIN, "370323", "甲")
DECIDER = Actor("decider", "a2", Role.SEC_ADMIN, "370323", "乙")
OFFICER = Actor("officer", "a3", Role.CLAIM_OFFICER, "370323", "丙")
SYSTEM_ADMIN = Actor("system-admin", "a4", Role.SYS_ADMIN, "370323", "丁")
SEALER = Sealer(KeyRing.of_one(SealingKey("k1", b"s" * 32), b"l" * 32))
ID_NUMBER, OTHER_ID_NUMBER = "370323194809155975", "370323196002290016"


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def account_id(database: Database) -> str:
    """The account of a person who has no role yet."""
    with database.transaction() as session:
        return put_account(session, "gainer", "gainer")


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Event.action).order_by(Event.id)))


def state_of(database: Database, model: type[RoleGrant] | type[DeterminationLimit]) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(model.state)))


# --- people and accounts ---------------------------------------------------------------------------------------------


def test_a_person_and_an_account_are_added_and_stand_in_the_trail(database: Database) -> None:
    with database.transaction() as session:
        member = services.add_person(session, SEALER, ASKER, AT, " 张 三 ", ID_NUMBER)
        account = services.add_account(session, ASKER, AT, member.id, " Zhang.San ")
    assert (member.name, account.login, account.state) == ("张三", "zhang.san", "active")
    assert actions(database) == ["staff.added", "account.added"]
    with database.reading() as session:
        stored = session.execute(text("SELECT sealed, id_lookup FROM staff_member")).one()
        assert ID_NUMBER not in str(stored)
        assert (
            SEALER.reveal("staff_member", "sealed", member.id, stored[0]) == f'{{"id_number":"{ID_NUMBER}"}}'
        )


def test_one_id_number_is_one_person_and_the_message_names_who_is_there(database: Database) -> None:
    with database.transaction() as session:
        services.add_person(session, SEALER, ASKER, AT, "张三", ID_NUMBER)
    with pytest.raises(ConflictError) as conflict, database.transaction() as session:
        services.add_person(session, SEALER, ASKER, AT, "李四", ID_NUMBER.lower())
    assert "张三" in conflict.value.zh
    with database.transaction() as session:
        services.add_person(session, SEALER, ASKER, AT, "张三", OTHER_ID_NUMBER)


@pytest.mark.parametrize("login", ["ab", "a" * 33, "张三", "a b c", "a/b/c", "", "ａｂｃ", "a;drop"])
def test_logins_are_three_to_thirty_two_plain_characters(database: Database, login: str) -> None:
    with database.transaction() as session:
        put_person(session, "p1")
    with pytest.raises(InvalidInput) as invalid, database.transaction() as session:
        services.add_account(session, ASKER, AT, "p1", login)
    assert set(invalid.value.fields) == {"login"}


def test_a_login_is_somebodys_alone_whatever_its_case(database: Database, account_id: str) -> None:
    with pytest.raises(ConflictError, match="gainer"), database.transaction() as session:
        services.add_account(session, ASKER, AT, "gainer", "GAINER")


@pytest.mark.parametrize(
    ("name", "number", "field"),
    [("", None, "name"), ("张" * 51, None, "name"), ("张三", "370323194809155970", "id_number")],
)
def test_a_person_needs_a_name_and_a_right_id_number(
    database: Database, name: str, number: str | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as invalid, database.transaction() as session:
        services.add_person(session, SEALER, ASKER, AT, name, number)
    assert set(invalid.value.fields) == {field}
    assert number is None or number not in str(invalid.value)


def test_only_a_security_administrator_changes_people(database: Database, account_id: str) -> None:
    auditor = Actor("auditor", "a5", Role.AUDITOR, "370323", "戊")
    services_of_it: list[Callable[[Session, Actor], object]] = [
        lambda s, actor: services.add_person(s, SEALER, actor, AT, "张三"),
        lambda s, actor: services.add_account(s, actor, AT, "gainer", "another"),
        lambda s, actor: services.set_state(s, actor, AT, account_id, "disabled", 1),
        lambda s, actor: services.set_password_hash(s, actor, AT, account_id, "hash", must_change=True),
        lambda s, actor: services.reset_second_factor(s, actor, AT, account_id),
        lambda s, actor: grants.ask_role(s, actor, AT, account_id, Role.CLAIM_OFFICER, "370323"),
        lambda s, actor: grants.decide_grant(s, actor, AT, "x", approve=True),
        lambda s, actor: grants.end_grant(s, actor, AT, "x"),
        lambda s, actor: grants.ask_limit(s, actor, AT, "gainer", 100),
        lambda s, actor: grants.decide_limit(s, actor, AT, "x", approve=True),
        lambda s, actor: grants.end_limit(s, actor, AT, "x"),
    ]
    for actor in (OFFICER, SYSTEM_ADMIN, auditor):
        for service in services_of_it:
            with pytest.raises(NotAllowedError), database.transaction() as session:
                service(session, actor)
    assert actions(database) == []


def test_an_account_changed_meanwhile_is_not_changed_again(database: Database, account_id: str) -> None:
    with database.transaction() as session:
        services.set_state(session, ASKER, AT, account_id, "disabled", 1)
    for version, state in ((1, "active"), (2, "disabled"), (3, "active")):
        with pytest.raises(ConflictError), database.transaction() as session:
            services.set_state(session, DECIDER, AT, account_id, state, version)
    with database.transaction() as session:
        account = services.set_state(session, DECIDER, AT, account_id, "active", 2)
        assert (account.state, account.version) == ("active", 3)
    assert actions(database) == ["account.disabled", "account.enabled"]


def test_a_new_password_unlocks_and_a_reset_second_factor_is_gone(
    database: Database, account_id: str
) -> None:
    with database.transaction() as session:
        locked = {
            "failures": 6,
            "locked_until": AT + timedelta(minutes=9),
            "totp_sealed": "x",
            "totp_confirmed_at": AT,
        }
        session.execute(update(Account).where(Account.id == account_id).values(locked))
    with database.transaction() as session:
        services.set_password_hash(session, ASKER, AT, account_id, "hash", must_change=True)
        account = services.reset_second_factor(session, ASKER, AT, account_id)
    assert (account.password_hash, account.password_must_change) == ("hash", True)
    assert (account.failures, account.locked_until) == (0, None)
    assert (account.totp_sealed, account.totp_confirmed_at) == (None, None)
    with pytest.raises(ConflictError), database.transaction() as session:
        services.reset_second_factor(session, ASKER, AT, account_id)
    assert actions(database) == ["account.password_reset", "account.second_factor_reset"]


def test_a_relative_is_kept_as_a_digest_and_declared_once(database: Database) -> None:
    with database.transaction() as session:
        put_person(session, "officer", id_lookup=SEALER.lookup("id_number", ID_NUMBER))
        services.declare_kin(session, SEALER, OFFICER, AT, "officer", OTHER_ID_NUMBER, "配偶")
    with pytest.raises(ConflictError), database.transaction() as session:
        services.declare_kin(session, SEALER, ASKER, AT, "officer", OTHER_ID_NUMBER, "配偶")
    with pytest.raises(NotAllowedError), database.transaction() as session:
        services.declare_kin(session, SEALER, SYSTEM_ADMIN, AT, "officer", ID_NUMBER, "本人")
    with database.reading() as session:
        digests = {SEALER.lookup("id_number", number) for number in (ID_NUMBER, OTHER_ID_NUMBER)}
        assert queries.own_and_kin(session, ["officer", "nobody"]) == digests
        assert queries.kin_count(session, "officer") == 1


# --- roles -----------------------------------------------------------------------------------------------------------


def test_a_role_is_asked_for_by_one_person_approved_by_another_and_ended_by_one(
    database: Database, account_id: str
) -> None:
    with database.transaction() as session:
        asked = grants.ask_role(session, ASKER, AT, account_id, Role.CLAIM_OFFICER, "370323")
        assert (asked.state, asked.valid_from) == ("requested", TODAY)
    with database.transaction() as session:
        granted = grants.decide_grant(session, DECIDER, AT, asked.id, approve=True)
        assert (granted.state, granted.decided_by) == ("active", "decider")
    with database.transaction() as session:
        ended = grants.end_grant(session, ASKER, AT, asked.id)
        assert (ended.state, ended.ended_by) == ("ended", "asker")
    assert actions(database) == ["role.asked", "role.granted", "role.ended"]


def test_attack_26_nobody_approves_what_they_asked_for_or_gain(database: Database) -> None:
    with database.transaction() as session:
        own = put_account(session, "asker", "asker")
        mine = grants.ask_role(session, ASKER, AT, own, Role.SEC_ADMIN, "370323").id
        theirs = grants.ask_role(session, DECIDER, AT, own, Role.SEC_ADMIN, "370323100", valid_to=TODAY).id
    for grant_id in (mine, theirs):
        with pytest.raises(NotAllowedError), database.transaction() as session:
            grants.decide_grant(session, ASKER, AT, grant_id, approve=True)
    second_account = Actor("asker", "another-account", Role.SEC_ADMIN, "370323", "甲")
    with pytest.raises(NotAllowedError), database.transaction() as session:
        grants.decide_grant(session, second_account, AT, mine, approve=True)
    with database.transaction() as session:
        assert grants.decide_grant(session, DECIDER, AT, mine, approve=True).state == "active"


def test_attack_26_the_database_refuses_one_person_who_asks_approves_or_gains_alone(
    database: Database, account_id: str
) -> None:
    with database.transaction() as session:
        grant_id = grants.ask_role(session, ASKER, AT, account_id, Role.CLAIM_OFFICER, "370323").id
        limit_id = grants.ask_limit(session, ASKER, AT, "gainer", 100).id
    for table, row_id in (("role_grant", grant_id), ("determination_limit", limit_id)):
        for person in ("asker", "gainer"):
            statement = f"UPDATE {table} SET state = 'active', decided_by = '{person}' WHERE id = '{row_id}'"
            with pytest.raises(DBAPIError), database.transaction() as session:
                session.execute(text(statement))
    assert state_of(database, RoleGrant) == ["requested"]
    assert state_of(database, DeterminationLimit) == ["requested"]


def test_a_second_click_finds_a_conflict(database: Database, account_id: str) -> None:
    with database.transaction() as session:
        first = grants.ask_role(session, ASKER, AT, account_id, Role.CLAIM_OFFICER, "370323").id
        limit = grants.ask_limit(session, ASKER, AT, "gainer", 100).id
    with pytest.raises(ConflictError), database.transaction() as session:
        grants.ask_role(session, DECIDER, AT, account_id, Role.CLAIM_OFFICER, "370323")
    with database.transaction() as session:
        grants.decide_grant(session, DECIDER, AT, first, approve=False)
        grants.decide_limit(session, DECIDER, AT, limit, approve=True)
        grants.end_limit(session, DECIDER, AT, limit)
    repeated: list[Callable[[Session], object]] = [
        lambda s: grants.decide_grant(s, DECIDER, AT, first, approve=True),
        lambda s: grants.end_grant(s, DECIDER, AT, first),
        lambda s: grants.decide_limit(s, DECIDER, AT, limit, approve=True),
        lambda s: grants.end_limit(s, DECIDER, AT, limit),
    ]
    for click in repeated:
        with pytest.raises(ConflictError), database.transaction() as session:
            click(session)
    assert state_of(database, RoleGrant) == ["refused"]
    assert state_of(database, DeterminationLimit) == ["ended"]


def test_k7_counts_all_accounts_of_a_person_and_what_is_only_asked_for(database: Database) -> None:
    with database.transaction() as session:
        one, other = put_account(session, "gainer", "one"), put_account(session, "gainer", "other")
        asked = grants.ask_role(session, ASKER, AT, one, Role.LOG_ADMIN, "370323").id
    for role in (Role.SYS_ADMIN, Role.CLAIM_OFFICER, Role.AUDITOR):
        with pytest.raises(NotAllowedError, match="K7"), database.transaction() as session:
            grants.ask_role(session, ASKER, AT, other, role, "370323")
    with database.transaction() as session:
        grants.decide_grant(session, DECIDER, AT, asked, approve=False)
        grants.ask_role(session, ASKER, AT, other, Role.CLAIM_OFFICER, "370323")


def test_k7_is_refused_by_the_database_too(database: Database) -> None:
    with database.transaction() as session:
        one, other = put_account(session, "gainer", "one"), put_account(session, "gainer", "other")
        put_grant(session, one, Role.LOG_ADMIN)
    with pytest.raises(DBAPIError), database.transaction() as session:
        put_grant(session, other, Role.CLAIM_OFFICER)


@pytest.mark.parametrize(
    ("role", "place", "department", "field"),
    [
        (Role.VILLAGE_OFFICER, "370323100", None, "place"),
        (Role.TOWN_REVIEWER, "370323", None, "place"),
        (Role.CLAIM_OFFICER, "37032", None, "place"),
        (Role.CLAIM_OFFICER, "３７０３２３", None, "place"),
        (Role.CLAIM_OFFICER, "370323", "MEDINS", "department"),
        (Role.DEPARTMENT, "370323", None, "department"),
        (Role.SYSTEM, "370323", None, "role"),
    ],
)
def test_a_role_belongs_to_its_kind_of_place(
    database: Database, account_id: str, role: Role, place: str, department: str | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as invalid, database.transaction() as session:
        grants.ask_role(session, ASKER, AT, account_id, role, place, department)
    assert set(invalid.value.fields) == {field}


def test_a_last_day_before_the_first_and_things_that_are_not_there_are_refused(
    database: Database, account_id: str
) -> None:
    yesterday = TODAY - timedelta(days=1)
    with pytest.raises(InvalidInput), database.transaction() as session:
        grants.ask_role(session, ASKER, AT, account_id, Role.RECON, "370323", valid_to=yesterday)
    for amount in (0, -1, 10**14 + 1):
        with pytest.raises(InvalidInput), database.transaction() as session:
            grants.ask_limit(session, ASKER, AT, "gainer", amount)
    missing: list[Callable[[Session], object]] = [
        lambda s: grants.ask_role(s, ASKER, AT, "x", Role.RECON, "370323"),
        lambda s: grants.ask_limit(s, ASKER, AT, "x", 1),
        lambda s: grants.decide_grant(s, ASKER, AT, "x", approve=True),
        lambda s: grants.decide_limit(s, ASKER, AT, "x", approve=True),
        lambda s: grants.end_grant(s, ASKER, AT, "x"),
        lambda s: grants.end_limit(s, ASKER, AT, "x"),
        lambda s: services.add_account(s, ASKER, AT, "x", "somebody"),
    ]
    for call in missing:
        with pytest.raises(NotFound), database.transaction() as session:
            call(session)


# --- limits and lists ------------------------------------------------------------------------------------------------


def test_the_limit_of_a_day_is_the_highest_in_force(database: Database) -> None:
    with database.transaction() as session:
        put_person(session, "adjudicator")
        asked = [
            grants.ask_limit(session, ASKER, AT, "adjudicator", amount, begins, ends).id
            for amount, begins, ends in (
                (100, date(2026, 1, 1), date(2026, 6, 30)),
                (300, date(2026, 6, 30), date(2026, 12, 31)),
                (200, date(2026, 1, 1), None),
                (900, date(2026, 1, 1), None),
            )
        ]
        for limit_id in asked[:3]:
            grants.decide_limit(session, DECIDER, AT, limit_id, approve=True)
    with database.reading() as session:
        days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 12, 31), date(2027, 1, 1))
        found = [queries.limit_on(session, "adjudicator", day) for day in days]
        assert found == [None, 200, 300, 300, 200]
        assert queries.limit_on(session, "somebody", TODAY) is None
    with database.transaction() as session:
        grants.end_limit(session, ASKER, AT, asked[1])
        assert queries.limit_on(session, "adjudicator", TODAY) == 200


def test_people_are_found_by_name_login_role_and_state(database: Database) -> None:
    with database.transaction() as session:
        for number, name in enumerate(("王五", "李四", "张%三")):
            account = put_account(session, f"p{number}", f"login_{number}")
            session.get_one(StaffMember, f"p{number}").name = name
            if number < 2:
                put_grant(session, account, (Role.CLAIM_OFFICER, Role.RECON)[number])
        grants.ask_limit(session, ASKER, AT, "p0", 100)
        session.execute(update(Account).where(Account.login == "login_2").values(state="disabled"))
    with database.reading() as session:

        def found(**asked: str) -> set[str]:
            return {line.staff_id for line in queries.people(session, **asked).rows}

        assert found() == {"p0", "p1", "p2"}
        assert found(text="五") == {"p0"}
        assert found(text="LOGIN_1") == {"p1"}
        assert found(text="%") == {"p2"}
        assert found(text="_") == {"p0", "p1", "p2"}
        assert found(role="RECON") == {"p1"}
        assert found(state="disabled") == {"p2"}
        assert found(state="active", role="CLAIM_OFFICER", text="李") == set()
        (line,) = queries.people(session, text="王五").rows
        assert (line.waiting, [grant.role for grant in line.grants]) == (1, ["CLAIM_OFFICER"])
        assert queries.names(session)["p1"] == "李四"


def test_what_waits_is_listed_the_oldest_first(database: Database, account_id: str) -> None:
    with database.transaction() as session:
        grants.ask_limit(session, ASKER, AT + timedelta(hours=1), "gainer", 100)
        grants.ask_role(session, DECIDER, AT, account_id, Role.DEPARTMENT, "370323", "MEDINS")
        put_limit(session, "gainer", 50)
    with database.reading() as session:
        waiting = queries.waiting(session)
        assert [(item.kind, item.requested_by, item.staff_id) for item in waiting] == [
            ("role", "decider", "gainer"),
            ("limit", "asker", "gainer"),
        ]


def test_security_administrators_are_counted_by_natural_person(database: Database) -> None:
    with database.transaction() as session:
        for login in ("one", "two"):
            put_grant(session, put_account(session, "same", login), Role.SEC_ADMIN)
        assert queries.security_administrators(session, TODAY) == 1
        other = put_account(session, "other", "three")
        put_grant(session, other, Role.SEC_ADMIN)
        assert queries.security_administrators(session, TODAY) == 2
        services.set_state(session, ASKER, AT, other, "disabled", 1)
        assert queries.security_administrators(session, TODAY) == 1
