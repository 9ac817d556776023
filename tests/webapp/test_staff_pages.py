"""Pages of people and rights: found, asked for, approved by somebody else, taken away; an auditor looks on."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from foundation.actors import Role
from foundation.staff.models import Account, DeterminationLimit, Kin, RoleGrant, StaffMember
from foundation.trail.events import Event
from tests.staffing import id_number_of
from tests.webapp.conftest import Web, post
from webapp.models import WebSession

ID_NUMBER = "370323194809155975"


@pytest.fixture
def first(web: Web) -> FlaskClient:
    return web.sign_in("SEC_ADMIN", person="first")


@pytest.fixture
def second(web: Web) -> FlaskClient:
    return web.sign_in("SEC_ADMIN", person="second")


def page(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def added(web: Web, client: FlaskClient, name: str = "张三", login: str = "zhang.san") -> tuple[str, str]:
    """A person added on the page: their id and their account's."""
    answer = post(client, "/staff", name=name, id_number=id_number_of(login), login=login)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    staff_id = answer.headers["Location"].rpartition("/")[2]
    with web.database.reading() as session:
        account = session.scalars(select(Account).where(Account.staff_id == staff_id)).one()
        return staff_id, account.id


def asked_role(web: Web, client: FlaskClient, role: str = "CLAIM_OFFICER") -> tuple[str, str]:
    """A role asked for on the page for a new person: the person's id and the grant's."""
    staff_id, account_id = added(web, client)
    fields = {
        "account_id": account_id,
        "role": role,
        "place": "370323",
        "department": "",
        "valid_from": "",
        "valid_to": "",
    }
    assert post(client, f"/staff/{staff_id}/roles", **fields).status_code == 303
    with web.database.reading() as session:
        grant = session.scalars(select(RoleGrant).where(RoleGrant.account_id == account_id)).one()
        return staff_id, grant.id


def decided(client: FlaskClient, kind: str, row_id: str, decision: str = "approve") -> int:
    return post(client, "/staff/decide", kind=kind, row_id=row_id, decision=decision).status_code


def actions(web: Web) -> list[str]:
    with web.database.reading() as session:
        return list(session.scalars(select(Event.action).order_by(Event.id)))


def test_a_person_is_added_asked_for_approved_by_another_and_found(
    web: Web, first: FlaskClient, second: FlaskClient
) -> None:
    staff_id, grant_id = asked_role(web, first)
    assert "待审批" in page(first, f"/staff/{staff_id}")
    assert decided(second, "role", grant_id) == 303
    shown = page(first, f"/staff/{staff_id}")
    assert "理赔员 · 沂源县" in shown and "有效" in shown
    listed = page(first, "/staff?text=zhang&role=CLAIM_OFFICER&state=active")
    assert "张三" in listed and "共 1 人" in listed
    assert "张三" not in page(first, "/staff?text=李四")
    assert actions(web) == ["staff.added", "account.added", "role.asked", "role.granted"]


def test_attack_26_whoever_asked_or_gains_sees_no_button_that_works_and_is_refused(
    web: Web, first: FlaskClient, second: FlaskClient
) -> None:
    _staff_id, grant_id = asked_role(web, first)
    waiting = page(first, "/staff/waiting")
    assert waiting.count(" disabled") == 2
    assert "您是申请人" in waiting
    assert decided(first, "role", grant_id) == 403
    # The same natural person through another account is still the one who asked.
    assert decided(web.sign_in("SEC_ADMIN", person="first"), "role", grant_id) == 403
    with web.database.reading() as session:
        own = session.scalars(select(Account).where(Account.staff_id == "second")).one().id
    answer = post(first, "/staff/second/roles", account_id=own, role="SEC_ADMIN", place="370323101")
    assert answer.status_code == 303
    with web.database.reading() as session:
        gained = session.scalars(
            select(RoleGrant.id).where(RoleGrant.state == "requested", RoleGrant.account_id == own)
        ).one()
    assert "不得审批本人的权限" in page(second, "/staff/waiting")
    assert decided(second, "role", gained) == 403
    with web.database.reading() as session:
        assert set(session.scalars(select(RoleGrant.state).where(RoleGrant.id.in_((grant_id, gained))))) == {
            "requested"
        }


def test_attack_26_a_system_administrator_reads_no_claim_and_grants_nothing(
    web: Web, first: FlaskClient
) -> None:
    staff_id, grant_id = asked_role(web, first)
    system = web.sign_in("SYS_ADMIN")
    for url in ("/claims", "/staff", f"/staff/{staff_id}", "/payments", "/documents"):
        assert system.get(url).status_code in (403, 404), url
    assert decided(system, "role", grant_id) == 403
    answer = post(system, f"/staff/{staff_id}/roles", account_id="x", role="SYS_ADMIN", place="370323")
    assert answer.status_code == 403


def test_attack_08_a_role_that_was_ended_is_gone_on_the_very_next_request(
    web: Web, first: FlaskClient
) -> None:
    officer = web.sign_in("CLAIM_OFFICER", person="officer")
    assert officer.get("/claims").status_code == 200
    with web.database.reading() as session:
        grant = session.scalars(
            select(RoleGrant.id)
            .join(Account, Account.id == RoleGrant.account_id)
            .where(Account.staff_id == "officer")
        ).one()
    assert post(first, "/staff/end", kind="role", row_id=grant).status_code == 303
    assert officer.get("/claims").status_code in (401, 403)
    assert actions(web) == ["role.ended"]


def test_attack_08_a_disabled_account_is_out_at_once_and_stays_out_when_enabled_again(
    web: Web, first: FlaskClient
) -> None:
    officer = web.sign_in("CLAIM_OFFICER", person="officer")
    with web.database.reading() as session:
        account = session.scalars(select(Account).where(Account.staff_id == "officer")).one().id
    url = f"/staff/accounts/{account}/state"
    assert post(first, url, state="disabled", version=1).status_code == 303
    assert officer.get("/claims").headers.get("Location", "").startswith("/sign-in")
    assert post(first, url, state="active", version=2).status_code == 303
    assert officer.get("/claims").headers.get("Location", "").startswith("/sign-in")
    assert actions(web) == ["account.disabled", "role.ended", "session.ended", "account.enabled"]


def test_an_account_that_somebody_changed_meanwhile_answers_409(web: Web, first: FlaskClient) -> None:
    _staff_id, account = added(web, first)
    url = f"/staff/accounts/{account}/state"
    assert post(first, url, state="disabled", version=7).status_code == 409
    assert post(first, url, state="disabled", version=1).status_code == 303
    assert post(first, url, state="disabled", version=1).status_code == 409


def test_a_second_click_on_approve_answers_409(web: Web, first: FlaskClient, second: FlaskClient) -> None:
    _staff_id, grant_id = asked_role(web, first)
    assert decided(second, "role", grant_id, "refuse") == 303
    assert decided(second, "role", grant_id) == 409
    assert decided(second, "role", "no-such-id") == 404


def test_a_one_time_password_is_shown_once_and_ends_every_sign_in(web: Web, first: FlaskClient) -> None:
    officer = web.sign_in("CLAIM_OFFICER", person="officer")
    with web.database.reading() as session:
        account = session.scalars(select(Account).where(Account.staff_id == "officer")).one()
    answer = post(first, f"/staff/accounts/{account.id}/password")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r'<code class="token">([a-z0-9-]{19})</code>', answer.get_data(as_text=True))
    assert found is not None
    with web.database.reading() as session:
        kept = session.get_one(Account, account.id)
        assert kept.password_must_change
        assert kept.password_hash is not None and found[1] not in kept.password_hash
        assert all(
            row.ended_at
            for row in session.scalars(select(WebSession).where(WebSession.account_id == account.id))
        )
    assert found[1] not in page(first, "/staff/officer")
    assert officer.get("/claims").headers.get("Location", "").startswith("/sign-in")
    assert "account.password_reset" in actions(web)


def test_resetting_a_password_or_second_factor_and_approving_ask_for_a_fresh_code(web: Web) -> None:
    stale = web.sign_in("SEC_ADMIN", person="stale")
    _staff_id, account = added(web, stale)
    web.clock.forward(minutes=11)
    for url, fields in (
        (f"/staff/accounts/{account}/password", {}),
        (f"/staff/accounts/{account}/second-factor", {}),
        ("/staff/decide", {"kind": "role", "row_id": "x", "decision": "approve"}),
    ):
        answer = post(stale, url, **fields)
        assert answer.status_code == 303
        assert "/step-up" in answer.headers["Location"]


def test_a_limit_is_asked_for_approved_and_ended(web: Web, first: FlaskClient, second: FlaskClient) -> None:
    staff_id, _account = added(web, first)
    fields = {"amount": "10000.00", "valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    assert post(first, f"/staff/{staff_id}/limits", **fields).status_code == 303
    with web.database.reading() as session:
        limit = session.scalars(select(DeterminationLimit)).one()
        assert limit.amount_fen == 10_000_00
    assert "无，不能核定" in page(first, f"/staff/{staff_id}")
    assert decided(second, "limit", limit.id) == 303
    assert "10,000.00 元" in page(first, f"/staff/{staff_id}")
    assert post(first, "/staff/end", kind="limit", row_id=limit.id).status_code == 303
    assert "无，不能核定" in page(first, f"/staff/{staff_id}")


def test_k7_answers_403_and_says_which_rule(web: Web, first: FlaskClient) -> None:
    staff_id, account = added(web, first)
    ask = {"account_id": account, "place": "370323"}
    assert post(first, f"/staff/{staff_id}/roles", role="LOG_ADMIN", **ask).status_code == 303
    answer = post(first, f"/staff/{staff_id}/roles", role="CLAIM_OFFICER", **ask)
    assert answer.status_code == 403
    assert "K7" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "fields", "said"),
    [
        ("limits", {"amount": "1e3"}, "应为金额"),
        ("limits", {"amount": "100", "valid_from": "2026-02-30"}, "应为日期"),
        (
            "limits",
            {"amount": "100", "valid_from": "2026-02-02", "valid_to": "2026-02-01"},
            "终止日不得早于起始日",
        ),
        ("accounts", {"login": "张三"}, "登录名为"),
        ("kin", {"kin_id_number": "370323194809155970", "relation": "配偶"}, "身份证号"),
    ],
)
def test_a_wrong_value_comes_back_beside_its_field_with_422(
    web: Web, first: FlaskClient, form: str, fields: dict[str, str], said: str
) -> None:
    staff_id, _account = added(web, first)
    answer = post(first, f"/staff/{staff_id}/{form}", **fields)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in text and "field-error" in text and 'id="errors"' in text
    assert "370323194809155970" not in text


def test_a_role_at_the_wrong_kind_of_place_is_said_beside_the_place(web: Web, first: FlaskClient) -> None:
    staff_id, account = added(web, first)
    answer = post(
        first, f"/staff/{staff_id}/roles", account_id=account, role="VILLAGE_OFFICER", place="370323"
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'href="#f-role-place"' in text and 'id="f-role-place-error"' in text


def test_a_person_who_is_there_already_is_named_and_no_id_number_is_shown(
    web: Web, first: FlaskClient
) -> None:
    assert post(first, "/staff", name="张三", id_number=ID_NUMBER, login="zhang").status_code == 303
    answer = post(first, "/staff", name="李四", id_number=ID_NUMBER, login="li.si")
    assert answer.status_code == 409
    assert "张三" in answer.get_data(as_text=True)
    assert ID_NUMBER not in answer.get_data(as_text=True)
    assert ID_NUMBER not in page(first, "/staff")
    wrong = post(first, "/staff", name="李四", id_number=ID_NUMBER[:-1], login="li.si")
    assert wrong.status_code == 422
    assert ID_NUMBER[:-1] not in wrong.get_data(as_text=True)


def test_a_declared_relative_counts_and_only_a_digest_is_kept(web: Web, first: FlaskClient) -> None:
    staff_id, _account = added(web, first)
    assert post(first, f"/staff/{staff_id}/kin", kin_id_number=ID_NUMBER, relation="配偶").status_code == 303
    assert "1 人" in page(first, f"/staff/{staff_id}")
    with web.database.reading() as session:
        assert session.scalars(select(Kin.id_lookup)).one() == web.sealer.lookup("id_number", ID_NUMBER)


def test_an_auditor_reads_and_finds_no_form_that_changes_anything(web: Web, first: FlaskClient) -> None:
    staff_id, grant_id = asked_role(web, first)
    auditor = web.sign_in("AUDITOR")
    for url in ("/staff", "/staff/waiting", f"/staff/{staff_id}"):
        shown = page(auditor, url)
        assert "张三" in shown
        assert 'action="/staff' not in shown.replace('action="/staff" role="search"', "")
    assert decided(auditor, "role", grant_id) == 403


def test_a_role_for_an_account_of_somebody_else_does_not_exist(web: Web, first: FlaskClient) -> None:
    staff_id, _account = added(web, first)
    _other, others_account = added(web, first, "李四", "li.si")
    answer = post(first, f"/staff/{staff_id}/roles", account_id=others_account, role="RECON", place="370323")
    assert answer.status_code == 404
    with web.database.reading() as session:
        assert session.scalars(select(RoleGrant).where(RoleGrant.role == "RECON")).all() == []


def test_the_pages_are_whole_in_english_too(web: Web, first: FlaskClient) -> None:
    first.set_cookie("fangpin_language", "en", domain="localhost")
    staff_id, _grant = asked_role(web, first)
    post(first, f"/staff/{staff_id}/limits", amount="5")
    with web.database.reading() as session:
        names = list(session.scalars(select(StaffMember.name)))
    for url in ("/staff", "/staff/waiting", f"/staff/{staff_id}"):
        shown = page(first, url)
        for name in (*names, "中文"):
            shown = shown.replace(name, "")
        assert not re.findall("[\u3400-\u9fff]+", shown), url


@pytest.mark.parametrize("query", ["nonsense=1", "role=BOSS", "state=x", "cursor=x", "text=a&text=b"])
def test_the_list_takes_only_what_it_knows(first: FlaskClient, query: str) -> None:
    assert first.get(f"/staff?{query}").status_code == 400


def test_the_list_costs_the_same_statements_however_many_people(web: Web, first: FlaskClient) -> None:
    counted: list[str] = []
    event.listen(
        web.database.engine, "before_cursor_execute", lambda *arguments: counted.append(arguments[2])
    )
    added(web, first)
    counted.clear()
    page(first, "/staff")
    few = len(counted)
    for number in range(8):
        web.sign_in(Role.CLAIM_OFFICER, person=f"more-{number}")
    counted.clear()
    page(first, "/staff")
    assert len(counted) == few
