"""Every reader lives with erased rows: lists, pages, API, downloads, reports, and the next pack."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from claims.models import ClaimRow, Determination, ListingRow, PackUpload
from claims.queries.listing import stale
from claims.queries.uploads import blobs_in_use
from claims.services.determination import determine
from claims.services.search_keys import fill_search_keys
from claims.upload_preview import Preview, dump_preview
from foundation.actors import Actor, Role
from foundation.blobs import BlobStore
from foundation.errors import ConfigurationError
from foundation.privacy.disclosures import disclose
from foundation.privacy.holds import lift_hold
from foundation.privacy.models import Disclosure
from foundation.runtime import Runtime, stored_files
from foundation.sealing import ERASED
from foundation.tables import RowError
from foundation.trail.events import Event
from foundation.trail.verifying import verify
from households.models import Person
from households.models.people import Income
from reports.audit import audit_figures
from reports.models import IssuedDocument
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, SMALL, Web, post
from tests.webapp.erasing import (
    ERASED_CLAIMS,
    PAID_UNTIL,
    POLICY,
    a_paid_claim,
    count,
    due,
    erase,
    hold,
    noon,
    officer,
    planned,
    runtime_on,
)
from webapp.demo_actors import DETERMINER, RECOMMENDER, ensure_demo_staff
from webapp.legal_holds import HoldShown, listed_holds
from webapp.run import Options, run_pack
from webapp.services import access
from webapp.tidying import forget_logs


@pytest.fixture
def runtime(county: Web, tmp_path: Path) -> Runtime:
    return runtime_on(county, tmp_path)


@pytest.fixture
def erased(county: Web, runtime: Runtime) -> Web:
    """The county after everything that is due was erased."""
    erase(county, date(2052, 1, 1))
    return county


def test_the_list_the_claim_and_the_look_up_live_with_erased_rows(erased: Web) -> None:
    client = erased.sign_in("AUDITOR")
    page = client.get("/claims").get_data(as_text=True)
    assert page.count("已清除") > 0
    claim = a_paid_claim(erased)
    shown = client.get(f"/claims/{claim.id}")
    text_of = shown.get_data(as_text=True)
    assert shown.status_code == 200
    assert "已按保存期限清除" in text_of and "个人信息到期清除" in text_of and "收款信息到期清除" in text_of
    for path in ("/claims?state=approved", "/claims?state=rejected", "/claims?sort=amount&order=ascending"):
        assert client.get(path).status_code == 200
    assert post(client, "/claims/find", "/claims", name="任何人").status_code == 200
    english = erased.sign_in("AUDITOR")
    english.set_cookie("fangpin_language", "en", domain="localhost")
    assert "was erased at the end of its term" in english.get(f"/claims/{claim.id}").get_data(as_text=True)


def test_every_erased_claim_can_be_opened_by_everybody_who_may_see_it(erased: Web) -> None:
    client = erased.sign_in("AUDITOR")
    with erased.database.reading() as session:
        ids = session.scalars(select(ClaimRow.id).where(ClaimRow.sealed == ERASED)).all()
    assert [client.get(f"/claims/{claim_id}").status_code for claim_id in ids] == [200] * len(ids)


def test_a_full_view_of_what_is_gone_is_refused_as_gone_and_not_counted(erased: Web) -> None:
    claim = a_paid_claim(erased)
    client = erased.sign_in("CLAIM_OFFICER")
    assert post(client, f"/claims/{claim.id}/full", purpose="adjudication").status_code == 410
    with erased.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Disclosure)) == 0


def test_the_api_lives_with_erased_rows(erased: Web) -> None:
    claim = a_paid_claim(erased)
    program = caller(erased, "AUDITOR")
    rows = program.data("/claims?state=approved")["rows"]
    assert rows and all(row["claimant"] is None for row in rows)
    one = program.data(f"/claims/{claim.id}")
    assert one["claimant"] is None and one["decision"]["checks"] == [] and one["decision"]["payee"] is None
    with erased.database.reading() as session:
        paid = session.scalars(
            select(Determination.amount_fen).where(Determination.claim_id == claim.id)
        ).one()
    assert one["determination"]["amount"].replace(".", "") == str(paid)
    batch = program.data(f"/batches/{claim.batch_id}")
    assert all(line["payee_name"] is None and line["account"] is None for line in batch["lines"])


def test_payments_and_documents_say_that_the_content_is_gone(erased: Web) -> None:
    claim = a_paid_claim(erased)
    maker = erased.sign_in("FIN_MAKER")
    page = maker.get(f"/payments/{claim.batch_id}").get_data(as_text=True)
    assert "已清除" in page
    with erased.database.reading() as session:
        file_id = session.scalars(text("SELECT id FROM bank_file LIMIT 1")).one()
        letter = session.scalars(
            select(IssuedDocument.id).where(IssuedDocument.kind == "payment_notice").limit(1)
        ).one()
        report = session.scalars(
            select(IssuedDocument.id).where(IssuedDocument.kind == "programme_report")
        ).one()
    taken = post(maker, f"/payments/files/{file_id}", purpose="to_bank")
    assert taken.status_code == 410 and "保存期限" in taken.get_data(as_text=True)
    auditor = erased.sign_in("AUDITOR")
    gone = post(auditor, f"/documents/{letter}", purpose="audit")
    assert gone.status_code == 410 and "保存期限" in gone.get_data(as_text=True)
    assert auditor.get("/documents").status_code == 200
    kept = post(auditor, f"/documents/{report}", purpose="audit")
    assert kept.status_code == 200 and kept.data.startswith(b"%PDF"), "a programme report names nobody"


def test_a_list_without_personal_data_is_exported_as_before(erased: Web) -> None:
    client = erased.sign_in("AUDITOR")
    assert post(client, "/claims/export", "/claims", purpose="audit").status_code == 200


def test_the_reports_name_what_was_erased(erased: Web) -> None:
    with erased.database.reading() as session:
        audit = audit_figures(session, erased.sealer, POLICY)
    assert {case.payee_name for case in audit.cases} == {"已清除"}
    assert audit.programme.erased > 0
    (row,) = [tally for tally in audit.programme.by_sex if tally.name == "已清除"]
    assert row.claims == audit.programme.erased


def test_search_keys_are_not_asked_of_erased_claims(erased: Web) -> None:
    with erased.database.transaction() as session:
        assert fill_search_keys(session, erased.sealer) == 0


# --- the next pack ----------------------------------------------------------------------------------------------------


def test_the_main_job_runs_again_on_a_database_with_erased_rows(
    erased: Web, county_key_file: Path, tmp_path: Path
) -> None:
    """People who come again are new people, their household is sealed anew, and what was paid stays as it was."""
    postgresql = erased.database.engine.dialect.name == "postgresql"
    key_file = county_key_file.with_name("county-postgres.key") if postgresql else county_key_file
    pack = tmp_path / "pack"
    shutil.copytree(SMALL, pack, ignore=shutil.ignore_patterns("expected"))
    for round_, comment in enumerate(("", "# the same policy, in other bytes\n")):
        with (pack / "policy.toml").open("a", encoding="utf-8") as file:
            file.write(comment)
        before, money = count(erased, ERASED_CLAIMS), count(erased, "payment")
        options = Options(
            pack, tmp_path / f"out{round_}", erased.database.url, date(2052, 2, 1), False, 4, key_file
        )
        done = run_pack(options, lambda _zh, _en: None)
        assert done.summary["determined"]
        assert (count(erased, ERASED_CLAIMS), count(erased, "payment")) == (before, money)
    with erased.database.reading() as session:
        now = (Income.source == "roster") & Income.retired_at.is_(None)
        assert set(session.scalars(select(Income.sealed == ERASED).where(now))) == {False}
        gone = Person.id_lookup.startswith("erased:")
        assert session.scalar(select(func.count()).select_from(Person).where(gone, Person.sealed == ERASED))
        again = select(func.count()).select_from(Person).where(Person.sealed != ERASED)
        assert session.scalar(again) == 400
        assert stale(session) == 0
        assert verify(session).faults == ()


def test_nothing_is_determined_for_a_household_whose_earlier_claims_were_erased(erased: Web) -> None:
    """What its earlier claims have used of the caps is not known any more: a person has to look."""
    with erased.database.transaction() as session:
        home = session.scalars(
            select(ClaimRow.household_id).join(Determination, Determination.claim_id == ClaimRow.id)
            .where(ClaimRow.sealed == ERASED, ClaimRow.state == "approved").limit(1)
        ).one()  # fmt: skip
        waiting = session.scalars(
            select(ListingRow.claim_id).where(ListingRow.state == "review", ListingRow.outcome == "approve")
        ).all()
        session.execute(text("UPDATE claim SET household_id = :home WHERE state = 'review'"), {"home": home})
        ensure_demo_staff(session, erased.clock.now(), 10**9)
        done = determine(session, erased.sealer, RECOMMENDER, DETERMINER, erased.clock.now(), POLICY)
    assert done.determined == [] and done.unknown >= len(waiting)


# --- packs and notes --------------------------------------------------------------------------------------------------


def an_upload(web: Web, store: BlobStore, state: str, at: datetime) -> tuple[str, str]:
    """An uploaded pack with one file; its id and the file's address."""
    identity, blob = secrets.token_hex(16), store.put(f"身份证 370323199001010013 {state}".encode())
    preview = Preview(("notes.txt",), refused=(RowError("roster.xlsx", "", 2, "id_number", "id_number"),))
    with web.database.transaction() as session:
        session.add(
            PackUpload(
                id=identity, state=state, uploaded_at=at, uploaded_by=json.dumps(asdict(officer(1))), changed_at=at,
                files=json.dumps([{"name": "roster.xlsx", "size": 3, "blob": blob}]),
                preview=web.sealer.seal("pack_upload", "preview", identity, dump_preview(preview)),
                taken_in_at=at if state == "taken_in" else None,
            )
        )  # fmt: skip
    return identity, blob


def test_packs_are_kept_as_vouchers_and_their_files_leave_the_disk(county: Web, runtime: Runtime) -> None:
    store = stored_files(runtime)
    at = noon(date(2021, 1, 5))
    taken, of_taken = an_upload(county, store, "taken_in", at)
    thrown, of_thrown = an_upload(county, store, "unusable", at)
    waiting, of_waiting = an_upload(county, store, "ready", at)
    assert {
        group.code: len(group.due)
        for group in planned(county, date(2031, 1, 6)).groups
        if group.code in ("upload", "unused_upload")
    } == {"upload": 0, "unused_upload": 1}
    assert "unused_upload" not in due(county, date(2031, 1, 5))
    assert due(county, PAID_UNTIL + timedelta(days=1))["upload"] == 1 and "upload" not in due(
        county, PAID_UNTIL
    )
    erase(county, PAID_UNTIL + timedelta(days=1))
    with county.database.reading() as session:
        assert blobs_in_use(session) == {of_waiting}
    for address in (of_taken, of_thrown):
        with pytest.raises(ConfigurationError):
            store.get(address)
    assert store.get(of_waiting)
    client = county.sign_in("CLAIM_OFFICER")
    assert "已按保存期限清除" in client.get(f"/packs/{taken}").get_data(as_text=True)
    assert client.get(f"/packs/{thrown}").status_code == client.get(f"/packs/{waiting}").status_code == 200
    assert post(client, f"/packs/{thrown}/errors", purpose="adjudication").status_code == 410
    assert client.get("/packs").status_code == 200


def test_notes_of_full_views_go_after_three_years_and_the_record_stays(county: Web, runtime: Runtime) -> None:
    at = noon(date(2028, 2, 29))
    claim = a_paid_claim(county)
    with county.database.transaction() as session:
        disclose(
            session, county.sealer, Actor("p", "a", Role.CLAIM_OFFICER, COUNTY, "p"), at, "claim", claim.id,
            ("id_number",), "identity", "给王五看",
        )  # fmt: skip
    assert "disclosure_note" not in due(county, date(2031, 2, 28))
    assert due(county, date(2031, 3, 1))["disclosure_note"] == 1
    hold_id = hold(county, "claim", claim.id)
    assert "disclosure_note" not in due(county, date(2031, 3, 1)), "what was noted about a held claim is held"
    with county.database.transaction() as session:
        lift_hold(session, officer(2), noon(date(2031, 3, 1)), hold_id)
    erase(county, date(2031, 3, 1))
    with county.database.reading() as session:
        row = session.scalars(select(Disclosure)).one()
        assert (row.note, row.purpose, row.subject_id, row.person) == (ERASED, "identity", claim.id, "p")


def test_the_reasons_of_holds_go_thirty_years_after_the_year_in_which_they_were_lifted(
    county: Web, runtime: Runtime
) -> None:
    hold_id = hold(county, "policy", POLICY)
    lifted = noon(date(2027, 6, 1))
    with county.database.transaction() as session:
        lift_hold(session, officer(2), lifted, hold_id)
    assert "hold_reason" not in due(county, date(2057, 12, 31))
    assert due(county, date(2058, 1, 1))["hold_reason"] == 1
    erase(county, date(2058, 1, 1))
    (shown,) = _holds(county)
    assert (shown.reason, shown.number) == (None, POLICY)


def _holds(web: Web) -> list[HoldShown]:
    with web.database.reading() as session:
        return listed_holds(session, web.sealer)


# --- logs -------------------------------------------------------------------------------------------------------------


def test_sign_ins_and_counts_are_deleted_after_six_months_and_answers_after_thirty_days(county: Web) -> None:
    county.clock.at = noon(date(2026, 8, 31))
    county.sign_in("AUDITOR")
    with county.database.transaction() as session:
        access.allow(session, "search", "x", county.clock.now(), 5, timedelta(minutes=1))
    for day, left in ((date(2027, 2, 28), 1), (date(2027, 3, 1), 0)):
        with county.database.transaction() as session:
            forget_logs(session, noon(day))
        assert (count(county, "web_session"), count(county, "access_count")) == (left, left)
    with county.database.reading() as session:
        assert (
            session.scalar(select(func.count()).select_from(Event).where(Event.action == "session.forgotten"))
            == 1
        )
