"""No ID number, name, account, phone, diagnosis, company or plate of a pack stands anywhere in plain text after a run.

The database file, its write-ahead log, backups, summary.json, what is printed, and messages on the command line. What a
served installation leaves behind is looked at in `test_nothing_personal_while_served.py`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NoReturn

import psycopg
import pysqlite3.dbapi2 as sqlite3
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from foundation.database import Database, migrate
from foundation.trail.events import Event
from tests.planted import Planted, planted
from tests.servers import Postgres
from webapp.cli import cli, guarded
from webapp.run import Options, run_pack


@pytest.fixture(scope="session")
def secrets(small_pack: Path) -> Planted:
    """Everything personal in the small pack."""
    return planted(small_pack)


@pytest.fixture(autouse=True)
def nothing_printed(capfd: pytest.CaptureFixture[str], secrets: Planted) -> Iterator[None]:
    """What is printed or logged meanwhile holds nothing personal either."""
    yield
    assert secrets.found_in("".join(capfd.readouterr()).encode()) == [], "what was printed"


def test_the_list_of_what_is_personal_is_complete(secrets: Planted) -> None:
    counts = {kind: len(values) for kind, values in secrets.values.items()}
    assert all(counts.values())
    assert counts["id_number"] > 600 and counts["name"] > 400 and counts["account"] > 200
    for content in (
        "x脑卒中y",
        r'{"name": "x\u8111\u5352\u4e2dy"}',
        "/claims?q=%E8%84%91%E5%8D%92%E4%B8%AD",
        "/claims?q=%e8%84%91%e5%8d%92%e4%b8%ad",
    ):
        assert secrets.found_in(content.encode()) == ["脑卒中"]


def test_sqlite_its_log_its_backups_and_the_summary(
    small_pack: Path, tmp_path: Path, secrets: Planted
) -> None:
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
    with closing(sqlite3.connect(file)) as plain, closing(sqlite3.connect(tmp_path / "backup")) as backup:
        plain.execute("VACUUM INTO ?", [str(tmp_path / "vacuumed")])
        plain.backup(backup)
    places = {
        "the write-ahead log": log,
        "the database": file.read_bytes(),
        "the backup": (tmp_path / "backup").read_bytes(),
        "the vacuumed backup": (tmp_path / "vacuumed").read_bytes(),
        "summary.json": (tmp_path / "out" / "summary.json").read_bytes(),
        "the anchors": Path(f"{file}.anchors").read_bytes(),
        "the names of files": "\n".join(str(path) for path in tmp_path.rglob("*")).encode(),
    }
    assert len(places["the backup"]) > 1_000_000 and len(places["the vacuumed backup"]) > 1_000_000
    assert {place: found for place, content in places.items() if (found := secrets.found_in(content))} == {}
    database.close()


def test_postgresql(
    small_pack: Path, tmp_path: Path, postgres: Postgres, postgres_url: str, secrets: Planted
) -> None:
    options = Options(
        small_pack,
        tmp_path / "out",
        postgres_url,
        as_of=date(2020, 12, 31),
        letters=1,
        key_file=tmp_path / "k",
    )
    run_pack(options, _quiet)
    dump = dumped(postgres, postgres_url)
    assert len(dump) > 1_000_000
    assert secrets.found_in(dump) == []


def dumped(postgres: Postgres, url: str) -> bytes:
    """The whole database as pg_dump writes it."""
    name = url.rsplit("/", 1)[1]
    command = ["pg_dump", "--host=127.0.0.1", f"--port={postgres.port}", f"--username={postgres.user}", name]
    return subprocess.run(command, capture_output=True, check=True).stdout


# --- messages on the command line -----------------------------------------------------------------------------------


def _heading_gone(pack: Path) -> None:
    """A row of data stands where the headings should be."""
    book = load_workbook(pack / "roster.xlsx")
    sheet = book["参保名册"]
    sheet.delete_rows(1, 3)
    book.save(pack / "roster.xlsx")


def _twice_the_heading(pack: Path) -> None:
    book = load_workbook(pack / "claims.xlsx")
    book["因病"]["B2"] = book["因病"]["I2"].value
    book.save(pack / "claims.xlsx")


def _sheet_called_like_a_person(pack: Path) -> None:
    book = load_workbook(pack / "roster.xlsx")
    book["参保名册"].title = "黄艳琴370323196806027002"
    book.save(pack / "roster.xlsx")


def _feed_without_headings(pack: Path) -> None:
    lines = (pack / "feeds" / "deaths.csv").read_bytes().splitlines(keepends=True)
    (pack / "feeds" / "deaths.csv").write_bytes(b"".join(lines[1:]))


def _feed_in_no_encoding(pack: Path) -> None:
    whole = (pack / "feeds" / "deaths.csv").read_bytes()
    (pack / "feeds" / "deaths.csv").write_bytes("370323196806027002,黄艳琴\n".encode("utf-16") + whole)


HARMS = (
    _heading_gone,
    _twice_the_heading,
    _sheet_called_like_a_person,
    _feed_without_headings,
    _feed_in_no_encoding,
)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__.strip("_"))
def test_a_pack_that_cannot_be_used_is_refused_without_a_word_of_what_is_in_it(
    small_pack: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], secrets: Planted, harm: object
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(small_pack, pack)
    assert callable(harm)
    harm(pack)
    arguments = ["run", str(pack), "--out", str(tmp_path / "out"), "--as-of", "2020-12-31"]
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 2
    said = capfd.readouterr()
    assert said.err
    assert secrets.found_in((said.out + said.err).encode()) == []


WORDS = "黄艳琴 370323196806027002 6217002334339753282 脑卒中"


def _program_fault() -> NoReturn:
    raise RuntimeError(WORDS)


def _integrity() -> NoReturn:
    raise IntegrityError("INSERT", {}, psycopg.errors.UniqueViolation(f"Key (name)=({WORDS}) already exists"))


def _data() -> NoReturn:
    raise DataError(
        "INSERT", {}, psycopg.errors.InvalidTextRepresentation(f'invalid input syntax: "{WORDS}"')
    )


def _sqlite_data() -> NoReturn:
    raise DataError("INSERT", {}, sqlite3.DataError(WORDS))


def _no_database() -> NoReturn:
    raise OperationalError("SELECT", {"name": WORDS}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(
    "fault",
    [_program_fault, _integrity, _data, _sqlite_data, _no_database],
    ids=lambda fault: fault.__name__.strip("_"),
)
def test_a_fault_on_the_command_line_shows_its_place_and_not_its_message(
    capfd: pytest.CaptureFixture[str], secrets: Planted, fault: object
) -> None:
    assert callable(fault)
    assert secrets.found_in(WORDS.encode()) != []
    assert guarded(fault) in (2, 3)
    said = capfd.readouterr()
    assert said.err and "Traceback" not in said.err
    assert secrets.found_in((said.out + said.err).encode()) == []


def _quiet(_zh: str, _en: str) -> None:
    pass
