"""The main job on a county pack, end to end, on both engines."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from claims.adjudication import decide
from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.queries import reveal_record, standings
from claims.storing import decision_from_data, dump, dump_record, load_record
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from payments.models import BankFile, Batch, FundReceipt, LedgerEntry, Payable, Payment
from payments.queries import balance, funds_available
from policies.queries import policy_by_id
from webapp.run import Options, Run, run_pack

DAY = date(2020, 12, 31)


def quiet(_zh: str, _en: str) -> None:
    """No progress in tests."""


def run(pack: Path, out: Path, url: str, **options: Any) -> Run:
    return run_pack(
        Options(pack, out, url, as_of=DAY, letters=0, key_file=out.parent / "test.key", **options),
        quiet,
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_small_pack_gives_the_expected_files_byte_for_byte(
    small_pack: Path, out: Path, database_url: str
) -> None:
    run(small_pack, out, database_url)
    for name in ("decisions.csv", "errors.csv"):
        assert (out / name).read_bytes() == (small_pack / "expected" / name).read_bytes()


def test_demo_pack_matches_the_published_pilot(demo_pack: Path, out: Path, database_url: str) -> None:
    summary = run(demo_pack, out, database_url).summary
    assert (summary["people"], summary["approved_people"], summary["approved_yuan"]) == (
        16783,
        1659,
        "7102000.00",
    )
    assert [batch["total_yuan"] for batch in summary["batches"]] == ["7102000.00"]


def test_both_engines_write_the_same_bytes(
    small_pack: Path, tmp_path: Path, sqlite_url: str, postgres_url: str
) -> None:
    written = []
    for name, url in (("a", sqlite_url), ("b", postgres_url)):
        out = tmp_path / name / "out"
        run(small_pack, out, url)
        paths = [out / "decisions.csv", out / "errors.csv", *sorted((out / "payments").iterdir())]
        written.append({path.name: path.read_bytes() for path in paths})
    assert len(written[0]) == 4
    assert written[0] == written[1]


def counts(url: str) -> dict[str, int]:
    tables = (
        Event,
        ClaimRow,
        DecisionRow,
        Determination,
        Review,
        Payable,
        Payment,
        Batch,
        BankFile,
        LedgerEntry,
        FundReceipt,
    )
    database = Database(url)
    try:
        with database.reading() as session:
            return {t.__tablename__: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    finally:
        database.close()


def test_same_pack_again_changes_nothing_and_says_so(small_pack: Path, out: Path, database_url: str) -> None:
    first = run(small_pack, out, database_url)
    before, files = counts(database_url), {p.name: p.read_bytes() for p in (out / "payments").iterdir()}
    shutil.rmtree(out)
    again = run(small_pack, out, database_url)
    assert first.taken_in is not None and not first.taken_in.unchanged
    assert again.taken_in is not None and again.taken_in.unchanged
    assert counts(database_url) == before
    assert {p.name: p.read_bytes() for p in (out / "payments").iterdir()} == files
    assert again.summary["trail"] == first.summary["trail"]


def test_decide_only_stops_before_determination(small_pack: Path, out: Path, database_url: str) -> None:
    run(small_pack, out, database_url, decide_only=True)
    found = counts(database_url)
    assert found["decision"] == 300
    assert (found["determination"], found["payable"], found["batch"]) == (0, 0, 0)
    run(small_pack, out, database_url)
    assert counts(database_url)["determination"] == 157


def test_books_agree_with_the_decisions(small_pack: Path, out: Path, database_url: str) -> None:
    summary = run(small_pack, out, database_url).summary
    database = Database(database_url)
    with database.reading() as session:
        approved = int(session.scalar(select(func.sum(Determination.amount_fen))) or 0)
        assert summary["approved_yuan"] == f"{approved // 100}.{approved % 100:02d}"
        assert balance(session, "CLAIMS") == approved
        assert balance(session, "TRANSIT") == -approved
        assert balance(session, "PAYABLE") == 0
        assert balance(session, "BANK") - approved == funds_available(session) >= 0
        persons = session.execute(
            select(Determination.recommended_by, Determination.determined_by).distinct()
        ).all()
        batch = session.scalars(select(Batch)).one()
        assert len({*persons[0], batch.made_by, batch.checked_by, batch.released_by}) == 5
    database.close()


def test_every_decision_is_made_again_from_its_stored_facts(
    small_pack: Path, out: Path, database_url: str
) -> None:
    run(small_pack, out, database_url)
    database = Database(database_url)
    with database.transaction() as session:
        sealer = open_sealer(session, out.parent / "test.key")
        found = standings(session, "FPB-370323-2020-S")
        assert len(found) == 300
        for item in found.values():
            text = reveal_record(sealer, item.decision_id, item.sealed)
            facts, stored = load_record(text)
            again = decide(policy_by_id(session, item.policy_id), facts)
            assert dump_record(facts, again) == text.encode()
            assert dump(decision_from_data(stored)) == dump(again)
    database.close()


def test_a_changed_pack_decides_the_open_claims_anew_and_reviews_the_rest(
    small_pack: Path, tmp_path: Path, out: Path, database_url: str
) -> None:
    run(small_pack, out, database_url)
    before = counts(database_url)
    changed = tmp_path / "changed"
    shutil.copytree(small_pack, changed)
    text = (changed / "policy.toml").read_text(encoding="utf-8")
    (changed / "policy.toml").write_text(
        text.replace("[50000.00, 0.70]", "[50000.00, 0.60]"), encoding="utf-8"
    )
    again = run(changed, out, database_url)
    after = counts(database_url)
    assert again.taken_in is not None and not again.taken_in.unchanged
    assert again.taken_in.reviews > 0
    assert after["review"] == again.taken_in.reviews
    assert after["decision"] > before["decision"]
    # What was determined and paid stays as it was.
    assert (after["batch"], after["payment"]) == (before["batch"], before["payment"])
    # decisions.csv is of the pack alone: the pack on a new database gives the same.
    alone = tmp_path / "alone" / "out"
    run(changed, alone, f"sqlite:///{tmp_path}/alone.db", decide_only=True)
    assert (alone / "decisions.csv").read_bytes() == (out / "decisions.csv").read_bytes()
    third = run(changed, out, database_url)
    assert third.taken_in is not None and third.taken_in.unchanged
    assert counts(database_url) == after


def test_summary_says_what_was_found(small_pack: Path, out: Path, database_url: str) -> None:
    run(small_pack, out, database_url)
    summary = orjson.loads((out / "summary.json").read_bytes())
    assert summary["outcomes"] == {"approve": 75, "refer": 132, "reject": 82, "supplement": 11}
    assert summary["refused_cells"] == 98
    assert set(summary["files"]) >= {"decisions.csv", "errors.csv"}
    assert len(summary["trail"]["root"]) == 64
    assert set(summary["seconds"]) >= {"read", "take_in", "determine", "pay"}
