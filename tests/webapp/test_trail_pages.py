"""The pages of the trail: its head, the search, one event with its proof, blocks, the export, and verifying it."""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from foundation.actors import Actor, Assurance, Role
from foundation.privacy.models import Export
from foundation.runtime import Runtime, set_current
from foundation.trail.anchors import add_anchors
from foundation.trail.events import Change, Event, record
from foundation.trail.models import TrailBlock, TrailCheck
from foundation.trail.sealing import anchor_of, seal, seal_trail
from tests.foundation.attacker import Attacker
from tests.webapp.conftest import COUNTY, Web, csrf, post
from webapp import trail_queries
from webapp.demo_actors import SYSTEM
from webapp.services.verification import VERIFY, ask_nightly
from webapp.worker import carry_out_due

ROOT = Path(__file__).resolve().parents[2]
OFFICER = Actor("person-x", "account-x", Role.CLAIM_OFFICER, COUNTY, "测试", Assurance.PASSWORD)


def text_of(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, url
    return html.unescape(answer.get_data(as_text=True))


def written(web: Web, *changes: Change, actor: Actor = OFFICER, at: datetime | None = None) -> None:
    with web.database.transaction() as session:
        record(session, actor, at or web.clock.at, changes)


def sealed(web: Web, anchors: Path | None = None) -> None:
    seal(web.database, web.clock.at, "sha256", anchors)


def event_ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'href="/trail/events/(\d+)"', page)]


def every_page(client: FlaskClient, url: str) -> list[int]:
    """The events of a search, page after page as the links lead."""
    found: list[int] = []
    for _ in range(200):
        page = text_of(client, url)
        found += event_ids(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is None:
            return found
        url = older[1]
    raise AssertionError("the pages come to no end")


def ids_where(web: Web, condition: str) -> list[int]:
    with web.database.reading() as session:
        return list(session.scalars(text(f"SELECT id FROM event WHERE {condition} ORDER BY id DESC")))


def checked(file: Path, *options: str) -> int:
    """What the offline verifier says of a file, in another process without the program."""
    command = [sys.executable, "-I", str(ROOT / "tools" / "verify_trail.py"), *options, str(file)]
    return subprocess.run(command, capture_output=True, cwd=file.parent, check=False).returncode


# --- the head --------------------------------------------------------------------------------------------------------


def test_the_head_shows_block_root_in_groups_and_what_is_not_sealed(county: Web) -> None:
    sealed(county)
    with county.database.reading() as session:
        block = session.scalars(select(TrailBlock).order_by(TrailBlock.number.desc())).first()
    assert block is not None
    written(county, Change("claim.changed", "claim", "a"), Change("claim.changed", "claim", "b"))
    page = text_of(county.sign_in("LOG_ADMIN"), "/trail")
    groups = re.findall("[0-9a-f]{8}", re.sub("<[^>]*>", " ", page))
    assert "".join(groups).count(block.root) == 1 and "".join(groups).count(block.digest) == 1
    for word in (f"第 {block.number:,} 区块", f"{block.events:,}", "最早 2026-11-24 10:00:00", "从未验证"):
        assert word in page, word
    assert re.search(r"尚未封存</span>\s*<span[^>]*>2<", page)


def test_an_empty_trail_says_so(web: Web) -> None:
    page = text_of(web.sign_in("AUDITOR"), "/trail")
    assert "还没有区块" in page and "还没有事件" in page
    assert "还没有区块" in text_of(web.sign_in("AUDITOR"), "/trail/blocks")


def test_the_anchor_file_is_compared_with_the_head(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "anchors"
    monkeypatch.setenv("FANGPIN_ANCHORS", str(file))
    written(web, Change("claim.changed", "claim", "a"))
    sealed(web)
    auditor = web.sign_in("AUDITOR")
    assert "尚未锚定" in text_of(auditor, "/trail")
    with web.database.reading() as session:
        (block,) = session.scalars(select(TrailBlock))
    add_anchors(file, lambda _: [anchor_of(block)])
    assert "与锚定文件一致" in text_of(auditor, "/trail")
    whole = file.read_text("ascii")
    file.write_text(whole.replace(block.root, "0" * 64), "ascii")
    assert "与锚定文件不符" in text_of(auditor, "/trail")
    file.write_text("nonsense\n", "ascii")
    assert "锚定文件已损坏" in text_of(auditor, "/trail")


# --- the search ------------------------------------------------------------------------------------------------------


def test_every_filter_finds_exactly_its_events_newest_first(county: Web) -> None:
    auditor = county.sign_in("AUDITOR")
    written(county, Change("claim.changed", "claim", "later"))
    for query, condition in {
        "action=claim.determined": "action = 'claim.determined'",
        "role=FIN_CHECKER": 'body LIKE \'%"role":"FIN_CHECKER"%\'',
        "person=演示制单员": 'body LIKE \'%"person":"demo-person-3"%\'',
        "person=系统安装": 'body LIKE \'%"person":"system-setup"%\'',
        "role=ADJUDICATOR&action=claim.determined": "action = 'claim.determined'",
        "day_from=2021-01-05&day_to=2021-01-05&action=batch.made": "action = 'batch.made'",
        "day_from=2021-01-06": "at >= '2021-01-05T16:00:00.000000+00:00'",
        "day_to=2021-01-04": "id < 0",
    }.items():
        wanted = ids_where(county, condition)
        assert every_page(auditor, f"/trail?{query}") == wanted, query
        assert wanted or query == "day_to=2021-01-04", query


def test_pages_go_down_and_back_up_over_every_event_once(county: Web) -> None:
    auditor = county.sign_in("AUDITOR")
    assert every_page(auditor, "/trail?action=decision.proposed") == ids_where(
        county, "action = 'decision.proposed'"
    )
    first = text_of(auditor, "/trail?action=decision.proposed")
    second = text_of(auditor, re.findall(r'rel="next" href="([^"]+)"', first)[0])
    back = text_of(auditor, re.findall(r'rel="prev" href="([^"]+)"', second)[0])
    assert event_ids(back) == event_ids(first) and event_ids(second)[0] < event_ids(first)[-1]


def test_a_claim_is_found_by_its_number_and_leads_to_its_story(county: Web) -> None:
    with county.database.reading() as session:
        claim_id, number = session.execute(text("SELECT id, claim_no FROM claim LIMIT 1")).one()
    auditor = county.sign_in("AUDITOR")
    by_number, by_id = (text_of(auditor, f"/trail?thing={thing}") for thing in (number, claim_id))
    assert event_ids(by_number) == event_ids(by_id) == ids_where(county, f"subject_id = '{claim_id}'")
    assert f"/trail/cases/{claim_id}" in by_number
    assert f'href="/claims/{claim_id}"' in by_number
    administrator = text_of(county.sign_in("LOG_ADMIN"), f"/trail?thing={claim_id}")
    assert number not in administrator and f"/claims/{claim_id}" not in administrator


@pytest.mark.parametrize(("looked_at", "opened"), [(30, 10), (7, 3)])
def test_a_search_reads_a_bounded_number_of_events_and_still_finds_all(
    county: Web, monkeypatch: pytest.MonkeyPatch, looked_at: int, opened: int
) -> None:
    monkeypatch.setattr(trail_queries, "LOOKED_AT", looked_at)
    monkeypatch.setattr(trail_queries, "OPENED", opened)
    written(county, *(Change("claim.changed", "claim", str(n)) for n in range(40)), at=county.clock.at)
    wanted = trail_queries.Wanted(role="FIN_MAKER")
    with county.database.reading() as session:
        found = trail_queries.search(session, wanted, None, None, 50)
        assert found.rows == [] and found.went_to == found.older
        last = max(ids_where(county, "1 = 1"))
        assert found.went_to == last + 1 - opened
        rows, older = [], found.older
        while older is not None:
            found = trail_queries.search(session, wanted, older, None, 50)
            rows += found.rows
            older = found.older
        assert [row.id for row in rows] == ids_where(county, 'body LIKE \'%"role":"FIN_MAKER"%\'')
        days = trail_queries.Wanted(
            day_from=datetime(2021, 1, 5).date(), day_to=datetime(2021, 1, 5).date(), action="batch.made"
        )
        rows, older, asked = [], None, 0
        while asked == 0 or older is not None:
            found = trail_queries.search(session, days, older, None, 50)
            rows, older, asked = rows + found.rows, found.older, asked + 1
        assert [row.id for row in rows] == ids_where(county, "action = 'batch.made'") and asked > 1


def test_words_within_a_reason_are_taken_for_no_actor(web: Web) -> None:
    written(web, Change("claim.changed", "claim", "a", reason='"role":"AUDITOR","person":"person-9"'))
    auditor = web.sign_in("LOG_ADMIN")
    assert every_page(auditor, "/trail?role=AUDITOR") == []
    assert len(every_page(auditor, "/trail?role=CLAIM_OFFICER")) == 1


@pytest.mark.parametrize(
    "query",
    [
        "action=x",
        "role=KING",
        "older=0",
        "older=1&newer=1",
        "day_from=2021-13-01",
        "sort=id",
        "older=99999999999999999999",
    ],
)
def test_a_wrong_query_is_refused(web: Web, query: str) -> None:
    assert web.sign_in("AUDITOR").get(f"/trail?{query}").status_code == 400


def test_a_person_is_found_by_login_and_by_part_of_a_name(web: Web) -> None:
    auditor = web.sign_in("AUDITOR")
    web.sign_in("CLAIM_OFFICER")
    person = Actor("person-2", "account-2", Role.CLAIM_OFFICER, COUNTY, "测试2", Assurance.PASSWORD)
    written(web, Change("claim.changed", "claim", "a"), Change("claim.changed", "claim", "b"), actor=person)
    written(web, Change("claim.changed", "claim", "c"))
    wanted = ids_where(web, "subject_id IN ('a', 'b')")
    for name in ("user2", "USER2", "试2", "测试2", "person-2"):
        assert every_page(auditor, f"/trail?person={name}") == wanted, name


def test_a_name_that_nobody_has_finds_nothing(county: Web) -> None:
    page = text_of(county.sign_in("AUDITOR"), "/trail?person=没有此人")
    assert event_ids(page) == [] and "没有符合条件的事件" in page


# --- one event, blocks, export: what can be taken away and checked -----------------------------------------------------


def test_the_steps_of_an_event_lead_to_the_head_and_its_proof_is_checked_offline(
    county: Web, tmp_path: Path
) -> None:
    sealed(county)
    auditor = county.sign_in("AUDITOR")
    with county.database.reading() as session:
        root = session.scalar(select(TrailBlock.root).order_by(TrailBlock.number.desc()).limit(1))
        numbers = list(session.scalars(text("SELECT event_id FROM trail_leaf ORDER BY number")))
    for event_id in (numbers[0], numbers[len(numbers) // 2], numbers[-1]):
        page = text_of(auditor, f"/trail/events/{event_id}")
        proof = page.partition('id="proof"')[2].partition("</table>")[0]
        groups = re.findall("[0-9a-f]{8}", re.sub("<[^>]*>", " ", proof))
        assert "".join(groups[-16:]) == f"{root}{root}"[-128:], "the last step gives the root"
        answer = auditor.get(f"/trail/events/{event_id}/proof")
        file = tmp_path / f"{event_id}.json"
        file.write_bytes(answer.data)
        assert "attachment" in answer.headers["Content-Disposition"]
        assert checked(file, "--proof") == 0
        forged = json.loads(answer.data)
        forged["event"]["body"] = forged["event"]["body"].replace("370323", "370324")
        file.write_text(json.dumps(forged), "utf-8")
        assert checked(file, "--proof") == 1


def test_an_event_shows_who_what_why_and_its_text(web: Web) -> None:
    written(web, Change("claim.determined", "claim", "c" * 32, "after-digest", "before-digest", "approve"))
    (event_id,) = ids_where(web, "action = 'claim.determined'")
    page = text_of(web.sign_in("SEC_ADMIN"), f"/trail/events/{event_id}")
    for word in (
        "核定",
        "给付",
        "理赔员",
        "密码",
        "after-digest",
        "before-digest",
        "c" * 32,
        "claim.determined",
    ):
        assert word in page, word
    with web.database.reading() as session:
        assert session.get_one(Event, event_id).body in page
    assert "还没有封进区块" in page
    assert web.sign_in("AUDITOR").get(f"/trail/events/{event_id}/proof").status_code == 404


@pytest.mark.parametrize("number", ["0", "999999", str(2**63), "9" * 40])
def test_an_event_that_is_not_there_is_not_found(web: Web, number: str) -> None:
    auditor = web.sign_in("AUDITOR")
    assert auditor.get(f"/trail/events/{number}").status_code == 404
    assert auditor.get(f"/trail/events/{number}/proof").status_code == 404


def test_a_proof_between_two_blocks_is_checked_offline(web: Web, tmp_path: Path) -> None:
    for number in range(4):
        written(web, *(Change("claim.changed", "claim", f"{number}-{n}") for n in range(3 + number)))
        sealed(web)
    auditor = web.sign_in("AUDITOR")
    assert "一致性证明" in text_of(auditor, "/trail/blocks")
    for earlier, later in ((1, 4), (2, 3), (4, 2), (3, 3)):
        answer = auditor.get(f"/trail/consistency?earlier={earlier}&later={later}")
        file = tmp_path / "proof.json"
        file.write_bytes(answer.data)
        assert checked(file, "--proof") == 0
        proof = json.loads(answer.data)
        assert (proof["earlier"]["block"], proof["later"]["block"]) == (
            min(earlier, later),
            max(earlier, later),
        )
    assert auditor.get("/trail/consistency?earlier=1&later=9").status_code == 404
    assert auditor.get("/trail/consistency?earlier=1").status_code == 400


def test_the_export_is_checked_offline_and_stands_in_the_register(county: Web, tmp_path: Path) -> None:
    sealed(county)
    written(county, Change("claim.changed", "claim", "open"))
    auditor = county.sign_in("AUDITOR")
    answer = post(auditor, "/trail/export", purpose="audit")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    file = tmp_path / "trail.txt"
    file.write_bytes(answer.data)
    assert checked(file) == 0
    with county.database.reading() as session:
        (row,) = session.scalars(select(Export).where(Export.kind == "trail"))
        assert (row.state, row.purpose, row.people) == ("taken", "audit", 0)
        assert row.sha256 == hashlib.sha256(answer.data).hexdigest() and row.size == len(answer.data)
        taken = session.scalars(select(Event).where(Event.subject_id == row.id)).one()
    assert taken.action == "export.taken"
    file.write_bytes(answer.data.replace(b"claim.determined", b"claim.determinet", 1))
    assert checked(file) == 1


@pytest.mark.parametrize("fields", [{}, {"purpose": "curiosity"}, {"purpose": "authority"}])
def test_without_a_purpose_nothing_is_exported(web: Web, fields: dict[str, str]) -> None:
    administrator = web.sign_in("LOG_ADMIN")
    answer = post(administrator, "/trail/export", **fields)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/trail")
    assert 'role="alert"' in text_of(administrator, "/trail")
    with web.database.reading() as session:
        assert session.scalars(select(Export)).all() == []


# --- verifying ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_work(county: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The county with a worker at hand and an anchor file."""
    monkeypatch.setenv("FANGPIN_ANCHORS", str(tmp_path / "anchors"))
    (tmp_path / "anchors").touch()  # all blocks are to be anchored here; a file that is missing was lost
    runtime = Runtime(county.database, county.sealer, county.clock, SYSTEM, anchors=tmp_path / "anchors")
    set_current(runtime)
    while carry_out_due():
        pass  # what the feeds of the county's pack have set off
    seal_trail(runtime)
    return county


def test_asked_for_a_verification_runs_and_says_what_it_found(at_work: Web) -> None:
    auditor = at_work.sign_in("AUDITOR", person="the-auditor")
    assert post(auditor, "/trail/verify").status_code == 303
    page = text_of(auditor, "/trail")
    assert "正在验证审计链" in page and '<meta http-equiv="refresh"' in page and "hx-get" in page
    assert "正在验证审计链" in text_of(auditor, "/trail/progress")
    assert carry_out_due() == 1
    assert auditor.get("/trail/progress").headers["HX-Refresh"] == "true"
    with at_work.database.reading() as session:
        check = session.scalars(select(TrailCheck)).one()
        found = session.scalars(select(Event).where(Event.subject_id == check.id)).one()
    assert check.well and check.asked_by == "the-auditor" and check.events > 1000
    assert json.loads(found.body)["actor"] == {
        "account": "account-1", "assurance": "step_up", "person": "the-auditor", "place": COUNTY, "role": "AUDITOR",
    }  # fmt: skip
    page = text_of(auditor, "/trail")
    assert "无误" in page and "正在验证审计链" not in page
    assert "无误" in text_of(auditor, "/trail/blocks")
    assert post(auditor, "/trail/verify").status_code == 303
    assert carry_out_due() == 1, "it can be asked for again"


def test_a_changed_event_is_named_on_the_page_and_an_alert_for_who_watches(at_work: Web, county: Web) -> None:
    sealed(at_work)
    attacker = Attacker(str(county.database.engine.url.render_as_string(hide_password=False)))
    event_id = attacker.event_id(17)
    attacker.run("UPDATE event SET body = replace(body, '370323', '370324') WHERE id = :id", id=event_id)
    attacker.close()
    auditor = at_work.sign_in("AUDITOR")
    post(auditor, "/trail/verify")
    carry_out_due()
    page = text_of(auditor, "/trail")
    assert "审计链有误" in page and "第 17 条事件" in page and f"/trail/events/{event_id}" in page
    for role in ("AUDITOR", "LOG_ADMIN", "SEC_ADMIN"):
        assert "审计链有误" in text_of(at_work.sign_in(role), "/"), role
    assert "审计链有误" not in text_of(at_work.sign_in("CLAIM_OFFICER"), "/")
    english = at_work.sign_in("AUDITOR")
    english.set_cookie("fangpin_language", "en", domain="localhost")
    assert "event 17" in text_of(english, "/trail")


def test_a_verification_that_was_made_well_afterwards_is_shown_as_faulty(at_work: Web) -> None:
    sealed(at_work)
    attacker = Attacker(at_work.database.engine.url.render_as_string(hide_password=False))
    event_id = attacker.event_id(17)
    attacker.run("UPDATE event SET body = replace(body, '370323', '370324') WHERE id = :id", id=event_id)
    auditor = at_work.sign_in("AUDITOR")
    post(auditor, "/trail/verify")
    carry_out_due()
    attacker.run("UPDATE trail_check SET well = TRUE, fault = NULL")
    attacker.close()
    for address in ("/trail", "/trail/blocks"):
        assert "这次验证的记录与审计链中的事件不符" in text_of(auditor, address), address
    assert "审计链有误" in text_of(auditor, "/")


def test_an_event_whose_proof_does_not_hold_says_so(county: Web) -> None:
    sealed(county)
    attacker = Attacker(county.database.engine.url.render_as_string(hide_password=False))
    event_id = attacker.event_id(5)
    attacker.run("UPDATE event SET body = replace(body, '370323', '370324') WHERE id = :id", id=event_id)
    attacker.close()
    assert "无法证明" in text_of(county.sign_in("AUDITOR"), f"/trail/events/{event_id}")


def test_a_damaged_anchor_file_is_a_fault(at_work: Web, tmp_path: Path) -> None:
    (tmp_path / "anchors").write_text("nonsense\n", "ascii")
    auditor = at_work.sign_in("AUDITOR")
    post(auditor, "/trail/verify")
    carry_out_due()
    with at_work.database.reading() as session:
        assert not session.scalars(select(TrailCheck.well)).one()
    assert "审计链有误" in text_of(auditor, "/trail")


def test_the_program_verifies_once_a_day_by_itself(at_work: Web) -> None:
    night = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)  # half past two in Shanghai
    for hours, wanted in ((-1, True), (0, True), (1, False), (22, False), (24, True)):
        at_work.clock.at = night + timedelta(hours=hours)
        with at_work.database.transaction() as session:
            assert ask_nightly(session, at_work.clock.at) is wanted, hours
        assert carry_out_due() == wanted
    with at_work.database.reading() as session:
        assert set(session.scalars(select(TrailCheck.asked_by))) == {"system"}
        kinds = session.execute(text("SELECT kind, subject_id FROM job WHERE kind LIKE 'trail%'")).all()
    assert [tuple(row) for row in kinds] == [(VERIFY, "system")]


# --- one case ----------------------------------------------------------------------------------------------------------


def paid_claim(web: Web) -> dict[str, str]:
    with web.database.reading() as session:
        row = session.execute(
            text(
                "SELECT claim.id AS claim, claim.claim_no, determination.id AS determination, payable.id AS payable, "
                "payment.id AS payment, payment.batch_id AS batch, payment.reference, issued_document.id AS document "
                "FROM claim JOIN determination ON determination.claim_id = claim.id "
                "JOIN payable ON payable.determination_id = determination.id "
                "JOIN payment ON payment.payable_id = payable.id "
                "JOIN issued_document ON issued_document.subject_id = determination.id LIMIT 1"
            )
        ).one()
    return dict(row._mapping)


def test_a_case_tells_all_that_happened_in_order_with_who_and_why(county: Web) -> None:
    found = paid_claim(county)
    auditor = county.sign_in("AUDITOR")
    post(auditor, f"/claims/{found['claim']}/full", page=f"/claims/{found['claim']}", purpose="audit")
    post(auditor, "/claims/export", page="/claims", purpose="audit")
    page = text_of(auditor, f"/trail/cases/{found['claim']}")
    ids = event_ids(page)
    assert ids == sorted(ids)
    wanted = [found[name] for name in ("claim", "payable", "payment", "batch", "document")]
    listed = ", ".join(f"'{one}'" for one in wanted)
    assert set(ids_where(county, f"subject_id IN ({listed})")) <= set(ids)
    for word in (
        found["claim_no"], found["reference"], "受理入库", "系统审核", "核定", "批次授权", "送交银行", "出具文书",
        "生成银行文件", "演示核赔人", "查看完整信息", "导出", "审计检查",
    ):  # fmt: skip
        assert word in page, word


def test_a_case_without_the_right_to_claims_shows_no_number_and_no_sum(county: Web) -> None:
    found = paid_claim(county)
    auditor = text_of(county.sign_in("AUDITOR"), f"/trail/cases/{found['claim']}")
    administrator = text_of(county.sign_in("LOG_ADMIN"), f"/trail/cases/{found['claim']}")
    assert event_ids(administrator) == event_ids(auditor)
    assert found["claim_no"] not in administrator and found["reference"] not in administrator
    assert " 元" in auditor and " 元" not in administrator
    assert county.sign_in("AUDITOR").get(f"/trail/cases/{'0' * 32}").status_code == 404


def test_the_claim_page_leads_to_the_story_for_the_auditor_alone(county: Web) -> None:
    claim_id = paid_claim(county)["claim"]
    link = f"/trail/cases/{claim_id}"
    assert link in text_of(county.sign_in("AUDITOR"), f"/claims/{claim_id}")
    assert link not in text_of(county.sign_in("CLAIM_OFFICER"), f"/claims/{claim_id}")


def test_a_form_without_its_token_verifies_and_exports_nothing(web: Web) -> None:
    auditor = web.sign_in("AUDITOR")
    assert csrf(auditor)
    assert auditor.post("/trail/verify", data={}).status_code == 400
    assert auditor.post("/trail/export", data={"purpose": "audit"}).status_code == 400
