"""A policy that differs from the year's standards stops an upload before it is taken in, and a run with exit code 2."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from claims.queries.uploads import job_of, preview_of
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from policies.queries import active_standards, first_standards
from tests.claims.test_uploads import Desk, contents, desk
from tests.policies.approving import in_force
from webapp.cli import cli, guarded
from webapp.users import ensure_demo_accounts

__all__ = ["desk"]
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def other_pack(small_pack: Path, tmp_path: Path) -> Path:
    """The small pack with another base and another amount than the county's standards."""
    pack = tmp_path / "pack"
    shutil.copytree(small_pack, pack, ignore=shutil.ignore_patterns("expected"))
    policy = pack / "policy.toml"
    said = policy.read_text("utf-8")
    said = said.replace("basis = 19128.00", "basis = 20000.00").replace(
        "deposit = { amount_from = 50000.00", "deposit = { amount_from = 80000.00"
    )
    policy.write_text(said, "utf-8")
    return pack


PLACES = [
    "policy.toml poverty_line.basis",
    "policy.toml poverty_line",
    "policy.toml reverse_standards.deposit.amount_from",
]


def run(pack: Path, out: Path, database: Database) -> int:
    options = [
        "--out",
        str(out),
        "--database",
        database.url,
        "--key-file",
        str(out.parent / "key"),
        "--decide-only",
    ]
    return guarded(lambda: cli.main(["run", str(pack), *options], standalone_mode=False))


def stored(database: Database) -> list[int]:
    tables = ("policy", "household", "person", "claim", "pack_intake")
    with database.reading() as session:
        return [session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_a_run_with_a_policy_that_differs_writes_nothing_and_names_the_places(
    other_pack: Path, tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        in_force(session)
        events = len(session.scalars(select(Event.id)).all())
    assert run(other_pack, tmp_path / "out", database) == 2
    said = capsys.readouterr().err
    for place in PLACES:
        assert place in said
    assert "2020 年标准为 50,000.00 元,保单为 80,000.00 元" in said and "请改正保单文件" in said
    assert not list((tmp_path / "out").glob("**/*"))
    assert stored(database) == [0] * 5
    with database.reading() as session:
        assert len(session.scalars(select(Event.id)).all()) == events


def test_without_standards_or_with_those_that_it_says_a_run_goes_through(
    small_pack: Path, other_pack: Path, tmp_path: Path, database: Database
) -> None:
    assert run(other_pack, tmp_path / "out", database) == 1, "errors.csv has rows"
    with database.transaction() as session:
        in_force(session)
    assert run(small_pack, tmp_path / "again", database) == 1
    expected = small_pack / "expected" / "decisions.csv"
    assert (tmp_path / "again" / "decisions.csv").read_bytes() == expected.read_bytes()


def test_an_upload_that_differs_is_unusable_and_says_where(other_pack: Path, desk: Desk) -> None:
    with desk.database.transaction() as session:
        in_force(session)
    upload_id = desk.upload(contents(other_pack))
    desk.work()
    row = desk.row(upload_id)
    assert row.state == "unusable"
    assert [fault.place for fault in preview_of(desk.sealer, row).faults] == PLACES
    assert stored(desk.database) == [0] * 5


def test_an_upload_that_agrees_is_ready(small_pack: Path, desk: Desk) -> None:
    with desk.database.transaction() as session:
        in_force(session)
    upload_id = desk.upload(contents(small_pack))
    desk.work()
    assert desk.row(upload_id).state == "ready"


def test_a_pack_that_was_checked_before_the_standards_is_not_taken_in_after_them(
    other_pack: Path, desk: Desk
) -> None:
    upload_id = desk.upload(contents(other_pack))
    desk.work()
    assert desk.row(upload_id).state == "ready"
    with desk.database.transaction() as session:
        in_force(session)
    desk.ask_take_in(upload_id)
    desk.work()
    with desk.database.reading() as session:
        job = job_of(session, desk.row(upload_id))
    assert job is not None and (job.state, job.error_code) == ("failed", "unusable_input")
    assert stored(desk.database) == [0] * 5


def test_the_demo_has_the_county_s_standards_of_2020_by_two_people_and_once(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        ensure_demo_accounts(session, sealer, AT)
        assert active_standards(session, 2020) == first_standards()
    with database.transaction() as session:
        ensure_demo_accounts(session, sealer, AT)
        rows = session.execute(text("SELECT state, proposed_by, decided_by FROM standard")).all()
    assert [row.state for row in rows] == ["active"] and rows[0].proposed_by != rows[0].decided_by


def test_the_demo_does_not_lay_standards_over_a_policy_that_says_otherwise(
    other_pack: Path, tmp_path: Path, database: Database
) -> None:
    assert run(other_pack, tmp_path / "out", database) == 1
    with database.transaction() as session:
        ensure_demo_accounts(session, open_sealer(session, tmp_path / "key"), AT)
        assert active_standards(session, 2020) is None
