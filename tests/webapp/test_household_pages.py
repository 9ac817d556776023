"""Pages of the register: finding a household, seeing it, entering changes, deciding proposals, settling tasks."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from claims.queries.listing import stale
from foundation.actors import Actor, Role
from households.queries.people import members_of
from households.services.tasks import Finding, open_tasks
from tests.households.people import id_number
from tests.webapp.conftest import COUNTY, Web, csrf, post
from tests.webapp.register_desk import (
    Home,
    a_home,
    a_home_with_a_claim,
    enter,
    hand_in,
    household,
    members,
    newest_proposal,
)

SYSTEM = Actor("system", "system", Role.SYSTEM, COUNTY, "系统")
BABY = id_number(7, "20261001")


def page(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return html.unescape(answer.get_data(as_text=True))


def officer(web: Web, home: Home) -> FlaskClient:
    return web.sign_in("VILLAGE_OFFICER", home.village_code)


def reviewer(web: Web, home: Home) -> FlaskClient:
    return web.sign_in("TOWN_REVIEWER", home.town)


def full_numbers(web: Web, home: Home) -> list[str]:
    with web.database.reading() as session:
        people = members_of(session, web.sealer, home.id, web.clock.at.date())
    return [one.id_number or "" for one in people]


def actions(web: Web, like: str) -> int:
    with web.database.reading() as session:
        query = text("SELECT count(*) FROM event WHERE action LIKE :like")
        return int(session.execute(query, {"like": like}).scalar_one())


# --- finding and seeing --------------------------------------------------------------------------------


def test_a_village_officer_sees_the_households_of_the_village_and_no_other(county: Web) -> None:
    home, other = a_home(county), a_home(county, skip=1)
    assert other.village_code != home.village_code
    client = officer(county, home)
    listed = page(client, "/households")
    assert home.household_no in listed and other.household_no not in listed
    assert client.get(home.url).status_code == 200
    assert client.get(other.url).status_code == 404
    assert client.get(f"{other.url}/as-of").status_code == 404


def test_no_page_of_the_register_shows_a_whole_id_number_or_account(county: Web) -> None:
    home = a_home_with_a_claim(county)
    client = reviewer(county, home)
    numbers = full_numbers(county, home)
    for url in ("/households", home.url, f"{home.url}/as-of?on=2020-06-01", f"{home.url}/change"):
        shown = page(client, url)
        assert not [number for number in numbers if number in shown], url
        assert not re.search(r"\b62\d{14,17}\b", shown), url
    assert "********" in page(client, home.url)


def test_the_list_is_narrowed_by_place_category_and_cover(county: Web) -> None:
    home = a_home(county)
    client = county.sign_in("CENTER_CERTIFIER")
    assert home.household_no in page(client, f"/households?place={home.village_code}&cover=no")
    assert home.household_no not in page(client, f"/households?place={home.village_code}&cover=yes")
    assert home.household_no not in page(client, f"/households?place={home.village_code}&open=task")
    there = [
        name
        for name in ("相对贫困户", "脱贫享受政策户", "临时大额支出户", "重大变故户")
        if home.household_no in page(client, f"/households?place={home.village_code}&category={name}")
    ]
    assert len(there) >= 1
    assert client.get("/households?category=没有这种").status_code == 400


def test_a_person_is_found_by_post_and_looking_is_an_event(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    number = full_numbers(county, home)[0]
    answer = post(client, "/households/find", id_number=number.lower())
    assert home.household_no in answer.get_data(as_text=True)
    assert actions(county, "households.searched") == 1
    elsewhere = officer(county, a_home(county, skip=1))
    assert home.household_no not in post(elsewhere, "/households/find", id_number=number).get_data(
        as_text=True
    )
    assert post(client, "/households/find").status_code == 422


def test_the_timeline_holds_roster_claims_and_payments_the_newest_first(county: Web) -> None:
    home = a_home_with_a_claim(county)
    shown = page(county.sign_in("CLAIM_OFFICER"), home.url)
    for words in ("列入参保名册", "报案", "核定", "付款"):
        assert words in shown, words
    days = re.findall(r'class="event-when">(\d{4}-\d\d-\d\d)', shown)
    assert len(days) >= 4 and days == sorted(days, reverse=True)
    only = page(county.sign_in("CLAIM_OFFICER"), f"{home.url}?kind=payment")
    assert "付款" in only and "列入参保名册" not in only


def test_a_full_view_asks_for_a_purpose_and_is_an_event(county: Web) -> None:
    home = a_home_with_a_claim(county)
    client = county.sign_in("CENTER_CERTIFIER")
    number = full_numbers(county, home)[0]
    assert post(client, f"{home.url}/full").status_code == 422
    shown = post(client, f"{home.url}/full", purpose="identity").get_data(as_text=True)
    assert number in shown
    assert actions(county, "household.seen_in_full") == 1
    assert number not in page(client, home.url)
    assert post(officer(county, home), f"{home.url}/full", purpose="identity").status_code == 403
    assert home.household_no in page(county.sign_in("SEC_ADMIN"), "/access")


# --- entering changes ----------------------------------------------------------------------------------


def test_a_birth_is_looked_at_again_before_it_is_entered(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    fields = {"how": "birth", "name": "新生", "id_number": BABY, "relation": "孙子"}
    before = len(members(county, home))
    looked = enter(client, home, "add", "check", **fields)
    assert looked.status_code == 200 and "尚未办理" in looked.get_data(as_text=True)
    assert len(members(county, home)) == before and actions(county, "member.added") == 0
    back = enter(client, home, "add", "edit", **fields).get_data(as_text=True)
    assert f'value="{BABY}"' in back
    done = enter(client, home, "add", **fields)
    assert done.status_code == 303 and done.headers["Location"].endswith(home.url)
    born = [one for one in members(county, home) if one.began_by == "birth"]
    assert [str(one.valid_from) for one in born] == ["2026-10-01"]
    assert actions(county, "member.added") == actions(county, "person.added") == 1


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_entered(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    wrong = enter(client, home, "add", "check", how="birth", name="新生", id_number="1", relation="孙子")
    assert wrong.status_code == 422 and "18 位身份证号" in wrong.get_data(as_text=True)
    later = enter(
        client,
        home,
        "leave",
        about=members(county, home)[1].id,
        how="moved_out",
        on="2027-01-01",
    )
    assert later.status_code == 422 and "不能晚于今天" in later.get_data(as_text=True)
    assert actions(county, "member.%") == 0


def test_an_id_number_under_another_name_becomes_a_task(county: Web) -> None:
    home, other = a_home(county), a_home(county, skip=1)
    number = full_numbers(county, other)[0]
    fields = {
        "how": "moved_in",
        "name": "另一个",
        "id_number": number,
        "relation": "其他",
        "on": "2026-11-01",
    }
    answer = enter(officer(county, home), home, "add", **fields)
    assert answer.status_code == 409 and "待核实" in answer.get_data(as_text=True)
    assert actions(county, "registry_task.opened") == 1 and actions(county, "member.added") == 0
    tasks = page(reviewer(county, home), "/registry-tasks?state=open")
    assert "同一身份证号" in tasks


def test_somebody_who_is_in_another_household_has_to_leave_it_first(county: Web) -> None:
    home, other = a_home(county), a_home(county, skip=1)
    spell = members(county, other)[1]
    with county.database.reading() as session:
        people = members_of(session, county.sealer, other.id, county.clock.at.date())
    who = next(one for one in people if one.membership_id == spell.id)
    fields = {
        "how": "marriage",
        "name": who.name or "",
        "id_number": who.id_number or "",
        "relation": "儿媳",
        "on": "2026-11-01",
    }
    client = officer(county, home)
    assert enter(client, home, "add", **fields).status_code == 409
    left = enter(officer(county, other), other, "leave", about=spell.id, how="marriage", on="2026-11-01")
    assert left.status_code == 303
    assert enter(client, home, "add", **fields).status_code == 303
    assert "婚嫁迁入" in page(client, home.url)
    assert "婚嫁迁出" in page(officer(county, other), other.url)


def test_a_household_that_moves_is_seen_from_its_new_place_at_once(county: Web) -> None:
    home = a_home_with_a_claim(county)
    other = next(
        one
        for one in (a_home(county, skip=skip) for skip in range(9))
        if one.village_code != home.village_code
    )
    client, there = officer(county, home), officer(county, other)
    moved = enter(client, home, "move", village_code=other.village_code, on="2026-11-01")
    assert moved.status_code == 303 and moved.headers["Location"].endswith("/households")
    assert client.get(home.url).status_code == 404
    assert "住址登记" in page(there, home.url)
    with county.database.reading() as session:
        assert stale(session) == 0


def test_an_income_is_shown_by_the_head_before_it_is_entered(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    fields = {
        "year": "2026",
        "members": "3",
        "wages": "10000.00",
        "operating": "2000",
        "property": "0",
        "transfer": "1000.01",
        "cost": "500",
        "main_source": "wages",
    }
    assert "4166.67" in enter(client, home, "income", "check", **fields).get_data(as_text=True)
    assert enter(client, home, "income", **fields).status_code == 303
    shown = page(client, home.url)
    assert "4,166.67" in shown and "登记 2026 年收入" in shown and "<svg" in shown


def test_cover_of_a_newborn_is_entered_and_ended(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    baby = id_number(9, "20200301")
    enter(client, home, "add", how="birth", name="小宝", id_number=baby, relation="孙子")
    spell = next(one for one in members(county, home) if one.began_by == "birth")
    policy = "FPB-370323-2020-S"
    fields = {"policy_number": policy, "category": "相对贫困户", "cover_from": "2020-03-01"}
    assert enter(client, home, "cover", about=spell.id, **fields, cover_to="2021-01-01").status_code == 422
    assert enter(client, home, "cover", about=spell.id, **fields, cover_to="2020-12-31").status_code == 303
    seen = page(client, f"{home.url}/as-of?on=2020-06-01")
    assert "小宝" in seen and "2020-03-01" in seen
    assert "小宝" not in page(client, f"{home.url}/as-of?on=2020-06-01&known_on=2026-11-20")
    cover = re.search(
        r"kind=cover_end|change/cover_end\?about=([0-9a-f]{32})", page(client, f"{home.url}/change")
    )
    assert cover is not None


# --- two persons ---------------------------------------------------------------------------------------


def grown(web: Web, home: Home) -> str:
    with web.database.reading() as session:
        people = members_of(session, web.sealer, home.id, web.clock.at.date())
    return next(one.name or "" for one in people if one.born_on and one.born_on.year < 2000)


def test_an_account_takes_two_persons_and_is_masked(county: Web) -> None:
    home = a_home(county)
    client, second = officer(county, home), reviewer(county, home)
    fields = {"account_name": grown(county, home), "account_no": "6217000012345671", "on": "2026-11-01"}
    looked = enter(client, home, "account", "check", **fields).get_data(as_text=True)
    assert "卡号的校验位不对" in looked
    assert hand_in(client, home, "account", **fields).status_code == 303
    proposal = newest_proposal(county)
    assert "****5671" in page(second, f"/proposals/{proposal}")
    assert "6217000012345671" not in page(second, f"/proposals/{proposal}")
    assert post(client, f"/proposals/{proposal}/decide", decision="approve").status_code == 403
    wrong = post(second, f"/proposals/{proposal}/decide", decision="approve", again="6217000012345670")
    assert wrong.status_code == 422 and "与申请的号码不一致" in wrong.get_data(as_text=True)
    decided = post(second, f"/proposals/{proposal}/decide", decision="approve", again="6217 0000 1234 5671")
    assert decided.status_code == 303
    shown = page(client, home.url)
    assert "****5671" in shown and "现用" in shown and "收款账户变更" in shown
    assert post(second, f"/proposals/{proposal}/decide", decision="approve").status_code == 409


def test_the_account_of_a_stranger_is_refused(county: Web) -> None:
    home = a_home(county)
    fields = {"account_name": "陌生人", "account_no": "6217000012345678", "on": "2026-11-01"}
    answer = enter(officer(county, home), home, "account", "check", **fields)
    assert answer.status_code == 422 and "户名应为本户成年成员" in answer.get_data(as_text=True)


def test_nobody_refuses_without_a_reason_and_the_asker_may_withdraw(county: Web) -> None:
    home = a_home(county)
    client, second = officer(county, home), reviewer(county, home)
    fields = {"account_name": grown(county, home), "account_no": "6217000012345678", "on": "2026-11-01"}
    hand_in(client, home, "account", **fields)
    first = newest_proposal(county)
    assert post(second, f"/proposals/{first}/decide", decision="refuse").status_code == 422
    assert post(second, f"/proposals/{first}/decide", decision="refuse", reason="材料不清").status_code == 303
    assert "材料不清" in page(client, f"/proposals/{first}")
    county.clock.forward(minutes=1)
    hand_in(client, home, "account", **fields)
    again = newest_proposal(county)
    assert again != first
    assert post(second, f"/proposals/{again}/withdraw").status_code == 403
    assert post(client, f"/proposals/{again}/withdraw").status_code == 303
    assert "已撤回" in page(client, f"/proposals/{again}")


def test_a_paper_is_handed_out_as_it_came_under_the_programs_own_name(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    fields = {"account_name": grown(county, home), "account_no": "6217000012345678", "on": "2026-11-01"}
    hand_in(client, home, "account", **fields)
    proposal = newest_proposal(county)
    answer = post(reviewer(county, home), f"/proposals/{proposal}/papers/0")
    assert answer.data == b"%PDF-1.7 a paper" and answer.mimetype == "application/pdf"
    assert "户口簿" not in answer.headers["Content-Disposition"]
    elsewhere = reviewer(county, a_home(county, skip=1))
    assert post(elsewhere, f"/proposals/{proposal}/papers/0").status_code in (200, 404)
    outside = county.sign_in("TOWN_REVIEWER", "370323999")
    assert post(outside, f"/proposals/{proposal}/papers/0").status_code == 404


def test_a_split_and_a_merge_take_two_persons_and_a_paper(county: Web) -> None:
    home = a_home(county)
    client, second = officer(county, home), reviewer(county, home)
    there = members(county, home)
    going = next(one for one in there if one.relation != "户主")
    fields = {"village_code": home.village_code, "on": "2026-11-01", f"relation_{going.person_id}": "户主"}
    assert enter(client, home, "split", **fields).status_code == 422  # no paper
    assert hand_in(client, home, "split", **fields).status_code == 303
    assert post(second, f"/proposals/{newest_proposal(county)}/decide", decision="approve").status_code == 303
    with county.database.reading() as session:
        fresh = session.execute(
            text("SELECT id, household_no, village_code FROM household WHERE household_no LIKE '%F%'")
        ).one()
    new = Home(*fresh)
    assert [one.person_id for one in members(county, new)] == [going.person_id]
    assert "分户" in page(client, home.url) and "分户" in page(client, new.url)
    county.clock.forward(minutes=1)
    back = {"into": home.household_no, "on": "2026-11-10", f"relation_{going.person_id}": "其他"}
    assert hand_in(client, new, "merge", **back).status_code == 303
    assert post(second, f"/proposals/{newest_proposal(county)}/decide", decision="approve").status_code == 303
    assert household(county, new.id).merged_into == home.id
    assert "本户已并入他户" in page(client, new.url)
    assert enter(client, new, "income", "check").status_code in (409, 422)


# --- tasks ---------------------------------------------------------------------------------------------


def a_task(web: Web, kind: str, home: Home, person_id: str | None, details: dict[str, Any]) -> str:
    with web.database.transaction() as session:
        finding = Finding(kind, home.id, person_id, details)
        open_tasks(session, web.sealer, SYSTEM, web.clock.at, [finding])
        return str(session.execute(text("SELECT id FROM registry_task")).scalar_one())


def test_a_name_is_taken_from_the_roster_by_a_person_with_a_reason(county: Web) -> None:
    home = a_home(county)
    person = members(county, home)[0].person_id
    task = a_task(county, "two_names", home, person, {"name": "改过名"})
    second = reviewer(county, home)
    assert "改过名" in page(second, f"/registry-tasks/{task}")
    assert post(second, f"/registry-tasks/{task}/settle", settlement="take_roster").status_code == 422
    fields = {"settlement": "take_roster", "reason": "户口簿为准"}
    assert post(officer(county, home), f"/registry-tasks/{task}/settle", **fields).status_code == 403
    assert post(second, f"/registry-tasks/{task}/settle", **fields).status_code == 303
    assert "改过名" in page(second, home.url)
    assert post(second, f"/registry-tasks/{task}/settle", **fields).status_code == 409
    assert "户口簿为准" in page(second, f"/registry-tasks/{task}")


def test_two_records_of_one_person_lead_to_the_form_of_the_correction(county: Web) -> None:
    home = a_home(county)
    with county.database.reading() as session:
        lookups = session.execute(
            text(
                "SELECT id_lookup FROM person JOIN membership ON person.id = person_id WHERE household_id = :home"
            ),
            {"home": home.id},
        ).scalars()
        pair = sorted(lookups)[:2]
    task = a_task(county, "two_numbers", home, None, {"people": pair})
    client = reviewer(county, home)
    led = post(client, f"/registry-tasks/{task}/settle", settlement="same_person")
    assert led.status_code == 303 and "/change/identity?task=" in led.headers["Location"]
    wrong, right = members(county, home)[1], id_number(77, "19600101")
    fields = {"person": wrong.person_id, "id_number": right, "task": task}
    assert hand_in(client, home, "identity", **fields).status_code == 303
    assert "已处理" in page(client, f"/registry-tasks/{task}")
    second = county.sign_in("CENTER_LEAD")
    assert (
        post(
            second, f"/proposals/{newest_proposal(county)}/decide", decision="approve", again=right
        ).status_code
        == 303
    )
    assert right in full_numbers(county, home)
    with county.database.reading() as session:
        linked = session.execute(text("SELECT count(*) FROM person WHERE same_as IS NOT NULL")).scalar_one()
    assert linked == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_the_register_stands_in_both_languages(county: Web, language: str) -> None:
    home = a_home(county)
    client = reviewer(county, home)
    client.set_cookie("fangpin_language", language, domain="localhost")
    person = members(county, home)[0]
    task = a_task(county, "two_names", home, person.person_id, {"name": "甲乙"})
    fields = {"account_name": grown(county, home), "account_no": "6217000012345671", "on": "2026-11-01"}
    hand_in(client, home, "account", **fields)
    urls = [
        "/households",
        home.url,
        f"{home.url}/as-of",
        f"{home.url}/change",
        "/proposals",
        f"/proposals/{newest_proposal(county)}",
        "/registry-tasks",
        f"/registry-tasks/{task}",
        *(f"{home.url}/change/{kind}" for kind in ("add", "move", "income", "account", "split", "merge")),
        *(
            f"{home.url}/change/{kind}?about={person.id}"
            for kind in ("leave", "correct", "relative", "cover")
        ),
    ]
    for url in urls:
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page(client, url), url


def test_a_change_without_its_token_is_refused(county: Web) -> None:
    home = a_home(county)
    client = officer(county, home)
    csrf(client)
    assert client.post(f"{home.url}/change/add", data={"step": "done"}).status_code == 400
