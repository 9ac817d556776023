"""Corrected packs, other policies, and packs with nothing in them: the ordinary second week."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text

from claims.models import ClaimRow, Review
from foundation.database import Database
from webapp.cli import cli, guarded
from webapp.run import Options, Run, run_pack

DAY = date(2020, 12, 31)


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Callable[..., Run]:
    def go(pack: Path, **options: object) -> Run:
        chosen = {"letters": 0, **options}
        return run_pack(
            Options(pack, tmp_path / "out", database_url, as_of=DAY, key_file=tmp_path / "key", **chosen),  # type: ignore[arg-type]
            lambda *_: None,
        )

    return go


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def changed(source: Path, target: Path, edit: Callable[[str, list[str], list[object]], bool]) -> Path:
    """A copy of a pack; `edit(sheet, header, row)` changes a row in place and says whether it stays."""
    shutil.copytree(source, target)
    for name in ("roster.xlsx", "claims.xlsx"):
        book = load_workbook(target / name)
        for sheet in book.worksheets:
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
            at = next(
                (n for n, row in enumerate(rows[:10]) if row.count(None) < len(row) / 2 and len(row) > 5), 0
            )
            header = ["".join(str(cell or "").split()).replace("\u200b", "") for cell in rows[at]]
            kept = rows[: at + 1] + [row for row in rows[at + 1 :] if edit(sheet.title, header, row)]
            sheet.delete_rows(1, sheet.max_row)
            for row in kept:
                sheet.append(row)
        book.save(target / name)
    return target


def without_claim(number: str) -> Callable[[str, list[str], list[object]], bool]:
    return lambda sheet, header, row: number not in [str(cell or "").strip() for cell in row]


def approved_claim(database: Database) -> tuple[str, str]:
    with database.reading() as session:
        row = session.execute(
            select(ClaimRow.id, ClaimRow.claim_no).where(ClaimRow.state == "approved")
        ).first()
        assert row is not None
        return row.id, row.claim_no


def test_a_claim_that_the_corrected_pack_has_no_more_is_not_paid(
    small_pack: Path, tmp_path: Path, run: Callable[..., Run], database: Database
) -> None:
    run(small_pack, decide_only=True)
    corrected = changed(small_pack, tmp_path / "corrected", without_claim("BA7"))
    summary = run(corrected).summary
    with database.reading() as session:
        assert session.scalar(select(ClaimRow.state).where(ClaimRow.claim_no == "BA7")) == "withdrawn"
    assert summary["determined_yuan"] == summary["owed_yuan"] == summary["approved_yuan"]
    assert summary["batches"][0]["payments"] == summary["outcomes"]["approve"]
    # And back again: it is reviewed, decided and paid.
    again = run(small_pack).summary
    assert again["determined_yuan"] == again["approved_yuan"]
    with database.reading() as session:
        assert session.scalar(select(ClaimRow.state).where(ClaimRow.claim_no == "BA7")) == "approved"


@pytest.mark.parametrize("harm", ["gone", "left the roster", "moved"])
def test_a_determined_claim_whose_ground_is_gone_is_reviewed_and_not_edited(
    small_pack: Path, tmp_path: Path, run: Callable[..., Run], database: Database, harm: str
) -> None:
    run(small_pack)
    claim_id, number = approved_claim(database)

    def edit(sheet: str, header: list[str], row: list[object]) -> bool:
        words = [str(cell or "").strip() for cell in row]
        if harm == "gone":
            return number not in words
        if sheet == "参保名册" and identity in words:
            if harm == "left the roster":
                return False
            row[next(n for n, name in enumerate(header) if "户编号" in name)] = "ZZ999"
        return True

    from claims.pack import read_pack

    identity = next(claim.id_number for claim in read_pack(small_pack).claims if claim.claim_no == number)
    summary = run(changed(small_pack, tmp_path / "corrected", edit)).summary
    assert summary["reviews_open"] >= 1
    with database.reading() as session:
        assert session.scalar(select(ClaimRow.state).where(ClaimRow.id == claim_id)) == "approved"
        assert claim_id in session.scalars(select(Review.claim_id)).all()
        reviews = len(session.scalars(select(Review.id)).all())
    (tmp_path / "corrected" / "policy.toml").open("a", encoding="utf-8").write("\n# the same policy\n")
    run(tmp_path / "corrected")
    with database.reading() as session:
        assert len(session.scalars(select(Review.id)).all()) == reviews, (
            "the same doubt opens no second review"
        )


def test_two_policies_in_one_database_do_not_touch_each_other(
    small_pack: Path, tmp_path: Path, run: Callable[..., Run]
) -> None:
    first = run(small_pack).summary
    other = tmp_path / "other"
    shutil.copytree(small_pack, other)
    policy = other / "policy.toml"
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("FPB-370323-2020-S", "FPB-370323-2021"), encoding="utf-8"
    )
    second = run(other).summary
    assert second["outcomes"] == first["outcomes"]
    assert [batch["message_id"] for batch in second["batches"]] == ["FPB-370323-2021-B000002"]
    assert second["batches"][0]["total_yuan"] == first["batches"][0]["total_yuan"]
    again = run(small_pack)
    assert again.taken_in is not None and again.taken_in.unchanged
    assert again.summary["batches"] == first["batches"]


def headers_only(sheet: str, header: list[str], row: list[object]) -> bool:
    return False


def test_a_pack_without_claims_or_people_runs_to_the_end(
    small_pack: Path, tmp_path: Path, run: Callable[..., Run]
) -> None:
    summary = run(changed(small_pack, tmp_path / "empty", headers_only), letters=2).summary
    assert (summary["people"], summary["claims"], summary["batches"]) == (0, 0, [])
    assert summary["outcomes"] == {"approve": 0, "reject": 0, "supplement": 0, "refer": 0}
    assert any(name.startswith("reports/programme-report") for name in summary["files"])


def test_a_mistyped_year_is_decided_and_does_not_stop_the_reports(
    small_pack: Path, tmp_path: Path, run: Callable[..., Run]
) -> None:
    def edit(sheet: str, header: list[str], row: list[object]) -> bool:
        for place, name in enumerate(header):
            if name in ("结算日期", "注册日期") and row[place] and str(row[0] or "")[-1:] in "37":
                row[place] = "9999-12-31" if str(row[0])[-1:] == "3" else "1800-01-01"
        return True

    summary = run(changed(small_pack, tmp_path / "slips", edit), letters=6).summary
    assert summary["reasons"]["OUTSIDE_POLICY_PERIOD"] > 10
    assert any(name.startswith("reports/audit-report") for name in summary["files"])


def test_a_newer_database_is_refused_with_a_sentence(
    small_pack: Path,
    tmp_path: Path,
    run: Callable[..., Run],
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(small_pack, decide_only=True)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    arguments = ["run", str(small_pack), "--out", str(tmp_path / "out"), "--database", database.url]
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 2
    assert "newer version" in capsys.readouterr().err


def test_a_fault_of_the_program_is_no_success(
    small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("370323197001010013")

    monkeypatch.setattr("webapp.run.determine", broken)
    arguments = ["run", str(small_pack), "--out", str(tmp_path / "out")]
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 3
    message = capsys.readouterr().err
    assert "RuntimeError" in message
    assert "370323197001010013" not in message
    assert not (tmp_path / "out" / "summary.json").exists()


def test_results_do_not_go_into_the_pack(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(small_pack, pack)
    assert guarded(lambda: cli.main(["run", str(pack), "--out", str(pack)], standalone_mode=False)) == 2
    assert not (pack / "decisions.csv").exists()


def test_a_misspelt_feed_is_named(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(small_pack, pack)
    (pack / "feeds" / "deaths.csv").rename(pack / "feeds" / "death.csv")
    guarded(
        lambda: cli.main(
            ["run", str(pack), "--out", str(tmp_path / "out"), "--decide-only"], standalone_mode=False
        )
    )
    page = capsys.readouterr().out
    assert "feeds/death.csv" in page
    assert "deaths" in page
