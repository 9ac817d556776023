"""The database, its write-ahead log and summary.json hold no ID number, account, phone or cause in plain text."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from claims.pack import Pack, read_pack
from foundation.database import Database, migrate
from foundation.trail.events import Event
from policies.policy_file import load_policy
from tests.servers import Postgres
from webapp.run import Options, run_pack


def planted(pack: Pack) -> list[bytes]:
    """Everything personal in the pack: ID numbers, names, accounts, and the causes that the policy does not list."""
    policy = load_policy(pack.policy_path)
    listed = {
        cause for terms in policy.versions for line in terms.lines.values() for cause in line.excluded_causes
    }
    listed |= {
        cause
        for terms in policy.versions
        for line in terms.lines.values()
        for cause in line.covered_causes or ()
    }
    words = {row.id_number for row in pack.roster} | {row.name for row in pack.roster}
    words |= {row.account_no for row in pack.roster if row.account_no}
    for claim in pack.claims:
        words |= {claim.id_number, claim.name, *filter(None, (claim.payee_account, claim.payee_name))}
        if claim.cause and claim.cause not in listed:
            words.add(claim.cause)
    for rows in (pack.feeds.deaths, pack.feeds.medical, pack.feeds.kin):
        words |= {row.id_number for row in rows or ()}
    assert len(words) > 1000
    return [word.encode() for word in words if len(word) > 1]


def assert_none(words: list[bytes], place: str, content: bytes) -> None:
    found = [word for word in words if word in content]
    assert not found, f"{len(found)} personal values in plain text in {place}"


def test_sqlite_its_log_and_the_summary(small_pack: Path, tmp_path: Path) -> None:
    file = tmp_path / "fangpin.db"
    migrate(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    # An open reader keeps the write-ahead log from being folded in and removed at the end.
    with database.reading() as session:
        session.scalar(select(func.count()).select_from(Event))
        run_pack(
            Options(small_pack, tmp_path / "out", f"sqlite:///{file}", as_of=date(2020, 12, 31), letters=1),
            _quiet,
        )
        log = Path(f"{file}-wal").read_bytes()
        assert len(log) > 100_000
    words = planted(read_pack(small_pack))
    assert_none(words, "the write-ahead log", log)
    assert_none(words, "the database", file.read_bytes())
    assert_none(words, "summary.json", (tmp_path / "out" / "summary.json").read_bytes())
    database.close()


def test_postgresql(small_pack: Path, tmp_path: Path, postgres: Postgres, postgres_url: str) -> None:
    options = Options(
        small_pack,
        tmp_path / "out",
        postgres_url,
        as_of=date(2020, 12, 31),
        letters=1,
        key_file=tmp_path / "k",
    )
    run_pack(options, _quiet)
    name = postgres_url.rsplit("/", 1)[1]
    command = ["pg_dump", "--host=127.0.0.1", f"--port={postgres.port}", f"--username={postgres.user}", name]
    dump = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(dump) > 1_000_000
    assert_none(planted(read_pack(small_pack)), "the dump", dump)


@pytest.fixture(autouse=True)
def nothing_printed(capfd: pytest.CaptureFixture[str], small_pack: Path) -> object:
    """What is printed or logged meanwhile holds nothing personal either."""
    yield
    printed = "".join(capfd.readouterr()).encode()
    assert_none(planted(read_pack(small_pack)), "what was printed", printed)


def _quiet(_zh: str, _en: str) -> None:
    pass
