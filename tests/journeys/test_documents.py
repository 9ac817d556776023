"""The documents of a run: what a claimant, the finance officer and the auditor hold in their hands."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import select

from claims.pack import read_pack
from foundation.capitals import amount_in_capitals
from foundation.database import Database
from foundation.masking import Audience, account_for
from foundation.trail.events import Event
from foundation.trail.merkle import leaf_hash, root_of
from foundation.trail.models import TrailBlock
from webapp.run import Options, Run, run_pack

DAY = date(2020, 12, 31)


def words(pdf: Path) -> str:
    printed = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True
    ).stdout.decode()
    return "".join(printed.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def run(folder: Path, small_pack: Path) -> Run:
    return run_pack(Options(small_pack, folder / "out", as_of=DAY, letters=4), lambda *_: None)


@pytest.fixture(scope="module")
def reports(run: Run) -> Path:
    return run.options.out / "reports"


def test_every_kind_of_document_is_there(reports: Path) -> None:
    kinds = {path.name.rsplit("-", 2)[0] for path in reports.glob("*.pdf")}
    assert kinds == {
        "audit-report",
        "batch-summary",
        "calculation-sheet",
        "payment-notice",
        "programme-report",
        "refusal-notice",
    }
    assert len(list(reports.glob("payment-notice*"))) + len(list(reports.glob("refusal-notice*"))) == 4


def test_letters_say_what_they_must(reports: Path) -> None:
    for letter in reports.glob("payment-notice*"):
        text = words(letter)
        for said in ("赔付通知书", "已获核定", "人民币", "您的权利", "60日", "12378", "《保险法》第二十三条"):
            assert said in text, (letter.name, said)
    for letter in reports.glob("refusal-notice*"):
        text = words(letter)
        for said in (
            "拒绝赔偿（给付）保险金通知书",
            "很抱歉",
            "依据",
            "人民币零元整",
            "60日",
            "《保险法》第二十四条",
        ):
            assert said in text, (letter.name, said)


def test_the_batch_summary_has_the_control_totals(run: Run, reports: Path) -> None:
    (summary,) = reports.glob("batch-summary*")
    text = words(summary)
    (batch,) = run.summary["batches"]
    fen = int(batch["total_yuan"].replace(".", ""))
    assert amount_in_capitals(fen) in text
    assert f"{fen // 100:,}.{fen % 100:02d}" in text
    for digest in batch["files"].values():
        assert digest in text
    for name in ("制单", "复核", "授权"):
        assert name in text


def test_the_audit_report_finds_no_duplicate_and_prints_the_head(run: Run, reports: Path) -> None:
    (report,) = reports.glob("audit-report*")
    text = words(report)
    assert "审计备查" in text
    assert "重复付款0笔" in text
    assert run.summary["outcomes"]["approve"] == 75
    assert "第75笔" in text or "至75笔" in text


def test_the_printed_head_is_the_root_over_the_events_up_to_it(run: Run, reports: Path) -> None:
    (report,) = reports.glob("audit-report*")
    found = re.search(r"事件数([0-9,]+)末尾区块([0-9,]+)根摘要([0-9a-f]{64})", words(report))
    assert found is not None
    count, block, root = int(found[1].replace(",", "")), int(found[2].replace(",", "")), found[3]
    database = Database(f"sqlite:///{run.options.out}/fangpin.db")
    with database.reading() as session:
        bodies = session.scalars(select(Event.body).order_by(Event.id).limit(count)).all()
    database.close()
    assert len(bodies) == count > 1000
    assert root_of(leaf_hash(body.encode()) for body in bodies) == root
    assert run.summary["trail_on_audit_report"] == {"events": count, "root": root, "block": block}


def test_every_report_of_the_county_prints_a_head_of_the_trail(run: Run, reports: Path) -> None:
    for kind in ("batch-summary", "programme-report"):
        (report,) = reports.glob(f"{kind}*")
        found = re.search(r"第([0-9,]+)区块·([0-9,]+)条事件·根摘要([0-9a-f]{64})", words(report))
        assert found is not None, kind
        block, events = (int(found[place].replace(",", "")) for place in (1, 2))
        database = Database(f"sqlite:///{run.options.out}/fangpin.db")
        with database.reading() as session:
            sealed = session.get_one(TrailBlock, block)
            assert (sealed.events, sealed.root) == (events, found[3])
        database.close()


def test_no_document_shows_a_whole_id_number_or_account(
    folder: Path, small_pack: Path, reports: Path
) -> None:
    pack = read_pack(small_pack)
    ids = {row.id_number for row in pack.roster} | {claim.id_number for claim in pack.claims}
    accounts = {row.account_no for row in pack.roster if row.account_no and len(row.account_no) > 8}
    for pdf in reports.glob("*.pdf"):
        text = words(pdf)
        assert not [number for number in ids | accounts if number in text], pdf.name
    assert account_for(Audience.OFFICER, "6217000000000000012") == "****0012"


def test_fonts_are_embedded_and_reports_are_pdf_a_with_their_figures(reports: Path) -> None:
    for path in reports.glob("*.pdf"):
        with pikepdf.open(path) as pdf:
            fonts = [
                descendant.FontDescriptor
                for page in pdf.pages
                for font in page.Resources.get("/Font", {}).values()
                for descendant in font.get("/DescendantFonts", [])
            ]
            assert fonts, path.name
            assert all("/FontFile3" in font or "/FontFile2" in font for font in fonts), path.name
            if "report" in path.name or "summary" in path.name:
                assert pdf.attachments, path.name
                with pdf.open_metadata() as metadata:
                    assert metadata["pdfaid:part"] == "3"
                    assert metadata["pdfaid:conformance"] == "B"


def test_the_same_pack_again_gives_the_same_documents(run: Run, reports: Path, small_pack: Path) -> None:
    before = {path.name: path.read_bytes() for path in reports.glob("*.pdf")}
    for path in reports.glob("*.pdf"):
        path.unlink()
    run_pack(Options(small_pack, run.options.out, as_of=DAY, letters=4), lambda *_: None)
    assert {path.name: path.read_bytes() for path in reports.glob("*.pdf")} == before


def test_more_letters_may_be_asked_for_later(run: Run, reports: Path, small_pack: Path) -> None:
    run_pack(Options(small_pack, run.options.out, as_of=DAY, letters=7), lambda *_: None)
    assert len(list(reports.glob("calculation-sheet*"))) == 7
