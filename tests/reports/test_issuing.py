"""Issuing: the same figures give the same document for ever, numbers have no gaps, and every issue is in the trail."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from claims.notices import RECOGNITION
from foundation import files, jobs
from foundation.clock import FixedClock
from foundation.masking import is_minor
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from foundation.trail.models import TrailLeaf
from reports import issuing, services
from reports.errors import NothingToPublish, RenderingFailed
from reports.figures import BatchFigures
from reports.models import DocumentNumber, IssuedDocument
from reports.notices import NoticeAsked, anything_to_publish, villages
from reports.queries import Issued, printed_head
from reports.tasks import letter
from reports.terms import VILLAGE_NOTICE
from tests.reports.county import AT, NAMES, OFFICER, SYSTEM, County
from tests.reports.reading import opened, words
from webapp.celery_app import carry_out_here

LATER = AT.replace(year=2021)


def content(county: County, document: Issued) -> bytes:
    with county.database.reading() as session:
        return files.load(session, county.sealer, document.file_id)


def some(county: County) -> list[str]:
    """Two approvals and two refusals in turn."""
    approved, refused = county.determinations("approve"), county.determinations("reject")
    return [approved[0], refused[0], approved[1], refused[1]]


def counts(county: County) -> tuple[int, ...]:
    with county.database.reading() as session:
        tables = (IssuedDocument, DocumentNumber, files.StoredFile, Event)
        return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_letters_are_issued_once_and_found_again(county: County, tmp_path: Path) -> None:
    ids = some(county)
    first = issuing.issue_letters(county.database, county.sealer, SYSTEM, AT, ids, NAMES)
    assert [document.subject_id for document in first] == ids
    assert [document.name for document in first] == [
        "payment-notice-2020-000001.pdf",
        "refusal-notice-2020-000001.pdf",
        "payment-notice-2020-000002.pdf",
        "refusal-notice-2020-000002.pdf",
    ]
    printed = [content(county, document) for document in first]
    before = counts(county)
    twice = [*ids, ids[0]]
    again = issuing.issue_letters(county.database, county.sealer, SYSTEM, LATER, twice, NAMES)
    assert again == [*first, first[0]]
    assert counts(county) == before
    assert [content(county, document) for document in first] == printed
    more = county.determinations("approve")[2:3]
    (third,) = issuing.issue_letters(county.database, county.sealer, SYSTEM, LATER, more, NAMES)
    assert third.name == "payment-notice-2021-000001.pdf"
    text = words(printed[0], tmp_path)
    assert "防贫赔〔2020〕1号" in text
    assert "第1页共1页" in text


def test_every_issue_is_in_the_trail_with_its_digest(county: County) -> None:
    (document,) = issuing.issue_letters(county.database, county.sealer, SYSTEM, AT, some(county)[:1])
    with county.database.reading() as session:
        bodies = session.scalars(select(Event.body).where(Event.subject_id == document.id)).all()
    (body,) = bodies
    assert '"action":"document.issued"' in body
    assert document.sha256 in body
    assert document.figures_digest in body


def test_a_number_taken_before_a_crash_is_the_number_after_it(county: County) -> None:
    ids = some(county)
    with county.database.reading() as session:
        drafts = services.prepare_letters(session, county.sealer, ids)
    with county.database.transaction() as session:
        numbered = services.number_documents(session, SYSTEM, AT, drafts)
    # Here the machine went down. Another letter is asked for first.
    later = issuing.issue_letters(
        county.database, county.sealer, SYSTEM, AT, county.determinations("approve")[5:6]
    )
    assert later[0].name == "payment-notice-2020-000003.pdf"
    done = issuing.issue_letters(county.database, county.sealer, SYSTEM, AT, ids)
    assert [document.name[-10:-4] for document in done] == [
        f"{numbered[document.key][1]:06d}" for document in done
    ]
    with county.database.reading() as session:
        rows = session.execute(select(DocumentNumber.kind, DocumentNumber.number)).all()
    assert sorted(tuple(row) for row in rows) == [
        *(("payment_notice", number) for number in (1, 2, 3)),
        *(("refusal_notice", number) for number in (1, 2)),
    ]


def test_two_who_print_the_same_document_file_one(county: County) -> None:
    with county.database.reading() as session:
        (draft,) = services.prepare_letters(session, county.sealer, some(county)[:1])
    filed = []
    for moment in (AT, LATER):
        with county.database.transaction() as session:
            numbered = services.number_documents(session, SYSTEM, AT, [draft])
        printed = list(services.printed([draft], numbered, moment, NAMES))
        with county.database.transaction() as session:
            filed += services.file_documents(session, county.sealer, SYSTEM, moment, printed)
    assert filed[0] == filed[1]
    assert counts(county)[:2] == (1, 1)


def test_jobs_give_letters_and_can_run_twice(county: County) -> None:
    set_current(Runtime(county.database, county.sealer, FixedClock(AT), SYSTEM))
    ids = some(county)
    with county.database.transaction() as session:
        letters = jobs.ask_for(session, "letter", ids, AT)
        sheets = jobs.ask_for(session, "calculation_sheet", ids[:2], AT)
    letter(letters[0])
    letter(*letters, *sheets)
    before = counts(county)
    assert before[0] == 6
    with county.database.reading() as session:
        of_these = jobs.Job.id.in_([*letters, *sheets])
        assert {*session.scalars(select(jobs.Job.state).where(of_these))} == {"done"}
        assert session.scalar(select(jobs.Job.attempts).where(jobs.Job.id == letters[0])) == 1
    letter(*letters)
    letter(sheets[0])
    assert counts(county) == before


def test_a_job_whose_letter_cannot_be_printed_is_marked_and_tried_again(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_current(Runtime(county.database, county.sealer, FixedClock(AT), SYSTEM))
    with county.database.transaction() as session:
        (job_id,) = jobs.ask_for(session, "letter", some(county)[:1], AT)
    with monkeypatch.context() as patch:
        patch.setattr("reports.pdf._CHILD", "raise SystemExit(3)")
        with pytest.raises(RenderingFailed):
            carry_out_here("letter", [job_id])
    with county.database.reading() as session:
        job = session.get_one(jobs.Job, job_id)
        assert (job.state, job.error_code) == ("failed", "rendering_failed")
    assert counts(county)[0] == 0
    carry_out_here("letter", [job_id])
    with county.database.reading() as session:
        assert session.get_one(jobs.Job, job_id).state == "done"
    assert counts(county)[0] == 1


def test_calculation_sheets_name_whoever_decided(county: County, tmp_path: Path) -> None:
    (sheet,) = issuing.issue_calculation_sheets(
        county.database, county.sealer, SYSTEM, AT, some(county)[:1], NAMES
    )
    text = words(content(county, sheet), tmp_path)
    assert "王敏（person-1）" in text
    assert "person-2" in text


def test_batch_summary_has_its_lines_totals_and_digests(county: County, tmp_path: Path) -> None:
    place = (county.database, county.sealer, SYSTEM, AT)
    document = issuing.issue_batch_summary(*place, county.batch_id, county.sealed(), NAMES)
    assert document.name == "batch-summary-2020-000001.pdf"
    printed = content(county, document)
    text = words(printed, tmp_path, "-layout")
    with county.database.reading() as session:
        figures = services.prepare_batch_summary(session, county.sealer, county.batch_id).figures
    assert isinstance(figures, BatchFigures)
    for line in figures.lines:
        assert line.reference in text
    for part in (
        figures.content_digest,
        *(file.sha256 for file in figures.files),
        "孙丽（person-3）",
        "person-5",
    ):
        assert part in text
    assert _attached(printed) == [[line.reference, str(line.sequence)] for line in figures.lines]


def _attached(printed: bytes) -> list[list[str]]:
    with opened(printed) as read:
        attached = read.attachments["payments.csv"].get_file().read_bytes()
    rows = csv.DictReader(io.StringIO(attached.decode("utf-8-sig"), newline=""))
    return [[row["业务参考号"], row["序号"]] for row in rows]


def test_programme_report_has_the_totals_and_a_figure_beside_each_table(
    county: County, tmp_path: Path
) -> None:
    place = (county.database, county.sealer, SYSTEM, AT)
    document = issuing.issue_programme_report(*place, county.policy.number, county.sealed(), NAMES)
    printed = content(county, document)
    text = words(printed, tmp_path)
    approved = [item.decision for item in county.decided if item.decision.outcome == "approve"]
    total = sum(decision.payable_fen for decision in approved)
    assert f"核定给付{len(approved)}件" in text
    assert f"{total / 100:,.2f}元" in text
    for part in ("图1", "图2", "图3", "表1", "表8", "防贫报〔2020〕1号", "数据截止2020年12月31日12:00"):
        assert part in text, part
    with opened(printed) as read:
        assert list(read.attachments) == ["programme.csv"]


def test_the_audit_report_has_its_tests_and_their_figures(county: County, tmp_path: Path) -> None:
    trail, place = county.sealed(), (county.database, county.sealer, SYSTEM, AT)
    document = issuing.issue_audit_report(*place, county.policy.number, trail, NAMES)
    printed = content(county, document)
    text = words(printed, tmp_path)
    for part in (
        trail.root,
        f"轨迹共{trail.events:,}条",
        "重复付款0笔，差错0处",
        "违反0处",
        "差额0.00元",
        "王敏（person-1）",
    ):
        assert part in text, part
    with opened(printed) as read:
        assert sorted(read.attachments) == ["payments.csv", "tests.csv"]
        assert read.open_metadata()["pdfaid:part"] == "3"


def test_every_report_of_the_county_prints_the_head_and_stays_when_nothing_changed(
    county: County, tmp_path: Path
) -> None:
    notice = a_notice(county).subject_id
    for issue, subject in (
        (issuing.issue_batch_summary, county.batch_id),
        (issuing.issue_programme_report, county.policy.number),
        (issuing.issue_audit_report, county.policy.number),
        (issuing.issue_village_notice, notice),
    ):
        trail = county.sealed()
        document = issue(county.database, county.sealer, SYSTEM, AT, subject, trail)
        printed = content(county, document)
        text = words(printed, tmp_path)
        assert trail.root in text, document.name
        assert f"{trail.events:,}" in text
        newer = county.sealed()
        assert newer.events > trail.events
        again = issue(county.database, county.sealer, SYSTEM, LATER, subject, newer)
        assert again == document
        assert content(county, again) == printed
        with county.database.reading() as session:
            assert printed_head(session, document.id) == trail


def test_a_letter_prints_no_head(county: County) -> None:
    (document,) = issuing.issue_letters(county.database, county.sealer, SYSTEM, AT, some(county)[:1])
    with county.database.reading() as session:
        assert printed_head(session, document.id) is None


def test_a_report_names_no_minor_and_no_diagnosis(sqlite_county: County, tmp_path: Path) -> None:
    county, head = sqlite_county, sqlite_county.sealed()
    place = (county.database, county.sealer, SYSTEM, AT)
    paid = [item for item in county.decided if item.decision.outcome == "approve"]
    members = [member for item in paid if item.facts.household for member in item.facts.household.members]
    adults = {member.name for member in members if not is_minor(member.id_number, date(2020, 12, 31))}
    minors = {member.name for member in members} - adults
    assert minors & {item.decision.payee_name for item in paid}
    causes = {item.facts.claim.cause for item in county.decided if item.facts.claim.line == "illness"} - {
        None
    }
    assert causes
    for document in (
        issuing.issue_batch_summary(*place, county.batch_id, head),
        issuing.issue_programme_report(*place, county.policy.number, head),
        issuing.issue_audit_report(*place, county.policy.number, head),
    ):
        printed = content(county, document)
        said = words(printed, tmp_path, "-layout")
        with opened(printed) as read:
            said += "".join(file.get_file().read_bytes().decode() for file in read.attachments.values())
        assert [name for name in minors if name in said] == []
        assert [cause for cause in causes if cause and cause in said] == []
        assert "某某" in said or document.kind == "programme_report"


def a_notice(county: County) -> NoticeAsked:
    """A notice of a village that has results, in the month in which the county was determined."""
    with county.database.reading() as session:
        for village in villages(session, "370323"):
            asked = NoticeAsked(
                village.code, RECOGNITION, date(2020, 12, 1), date(2020, 12, 31), date(2021, 1, 4)
            )
            if anything_to_publish(session, asked):
                return asked
    raise AssertionError("no village has a result")


def test_a_job_gives_a_notice_with_the_head_sealed_just_before(county: County) -> None:
    set_current(Runtime(county.database, county.sealer, FixedClock(AT), SYSTEM))
    asked = a_notice(county)
    with county.database.transaction() as session:
        services.ask_for_notice(session, OFFICER, AT, asked)
        (job_id,) = jobs.ask_for(session, VILLAGE_NOTICE, [asked.subject_id], AT)
    carry_out_here(VILLAGE_NOTICE, [job_id])
    before = counts(county)
    with county.database.reading() as session:
        document = session.scalars(select(IssuedDocument)).one()
        head = printed_head(session, document.id)
        assert session.get_one(jobs.Job, job_id).state == "done"
        asked_event = session.scalar(select(Event.id).where(Event.action == "notice.asked_for"))
        assert head is not None
        leaf = session.scalar(select(TrailLeaf.number).where(TrailLeaf.event_id == asked_event))
        assert leaf is not None
        assert leaf <= head.events
    assert document.name == "village-notice-2020-000001.pdf"
    with county.database.transaction() as session:
        services.ask_for_notice(session, OFFICER, LATER, asked)
    carry_out_here(VILLAGE_NOTICE, [job_id])
    assert counts(county)[:3] == before[:3]


def test_a_notice_of_nothing_is_not_issued(sqlite_county: County) -> None:
    county = sqlite_county
    nothing = replace(a_notice(county), period_from=date(2019, 12, 1), period_to=date(2019, 12, 31))
    with county.database.transaction() as session, pytest.raises(NothingToPublish):
        services.ask_for_notice(session, OFFICER, AT, nothing)
    place = (county.database, county.sealer, SYSTEM, AT)
    with pytest.raises(NothingToPublish):
        issuing.issue_village_notice(*place, nothing.subject_id, county.sealed())
    assert counts(county)[:2] == (0, 0)


def test_no_document_shows_a_whole_account_or_id_number(sqlite_county: County, tmp_path: Path) -> None:
    county = sqlite_county
    trail = county.sealed()
    place = (county.database, county.sealer, SYSTEM, AT)
    documents = [
        issuing.issue_batch_summary(*place, county.batch_id, trail),
        issuing.issue_programme_report(*place, county.policy.number, trail),
        issuing.issue_audit_report(*place, county.policy.number, trail),
        issuing.issue_village_notice(*place, a_notice(county).subject_id, trail),
        *issuing.issue_letters(*place, some(county)),
        *issuing.issue_calculation_sheets(*place, some(county)[:2]),
    ]
    hidden = {item.facts.claim.id_number for item in county.decided}
    hidden |= {item.decision.payee_account for item in county.decided if item.decision.payee_account} - {None}
    for document in documents:
        printed = content(county, document)
        text = words(printed, tmp_path)
        with opened(printed) as read:
            text += "".join(file.get_file().read_bytes().decode() for file in read.attachments.values())
        assert [number for number in hidden if number in text] == []
