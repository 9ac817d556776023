"""A county's whole roster into the register: 576,000 people, read, checked, sealed and stored with two times.

Ours reads the workbook with every check and takes it in: people, households, cover, membership, incomes, accounts, each
person and household with an event, in one transaction. The bare way reads the same workbook with nothing but
python-calamine in the same kind of child, and inserts the very same finished rows into the same tables with the same
guards, as fast as the driver can. Each side is a process of its own, so that neither has the other's memory to carry.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from bench.bare_insert import bare, rows_of, since
from bench.packs import large_roster
from bench.reading import bare_roster
from bench.rounds import Row, in_own_process, in_turns, peak_mb, spread, timed
from foundation.actors import Actor, Role
from foundation.database import Base, Database, migrate
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from households import roster
from households.models.people import BankAccount, Cover, HouseholdRow, Income, Membership, Person
from households.models.proposals import RegistryTask
from households.roster import read_roster
from households.services.roster import take_in_roster
from tests.servers import running_postgres

PEOPLE = 576_000
ROUNDS = 3
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
ACTOR = Actor("bench", "bench", Role.SYSTEM, "370323", "bench")
TABLES: tuple[type[Base], ...] = (
    HouseholdRow,
    Person,
    Cover,
    Membership,
    Income,
    BankAccount,
    Event,
    RegistryTask,
)


def measure() -> list[Row]:
    """Seconds of both sides on both engines; `ratio` is our time by the bare way's."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as name:
        folder = Path(name)
        large_roster(PEOPLE, folder / roster.FILE)
        rows = [_against_bare("SQLite", folder, f"sqlite:///{folder}/fangpin.db")]
        with running_postgres() as server:
            rows.append(_against_bare("PostgreSQL", folder, server.url(server.create())))
        return rows


def _against_bare(engine: str, folder: Path, url: str) -> Row:
    people = 0

    def side(way: str) -> float:
        nonlocal people
        figures = in_own_process("bench.registering", way, engine, folder, url)
        people = max(people, int(figures["people"]))
        peaks.setdefault(way, []).append(float(figures["peak_mb"]))
        return float(figures["seconds"])

    peaks: dict[str, list[float]] = {}
    pairs = in_turns(lambda: side("fangpin"), lambda: side("bare"), ROUNDS)
    seconds, bare_seconds = (median(one) for one in zip(*pairs, strict=True))
    return {
        "case": f"roster of a county read, sealed and stored in the register, {engine}",
        "peer": "bare python-calamine in the same kind of child, and bare insert of the same rows",
        "rounds": ROUNDS,
        "count": people,
        "unit": "people",
        "seconds": seconds,
        "peer_seconds": bare_seconds,
        "per_second": round(people / seconds),
        "peer_per_second": round(people / bare_seconds),
        **spread([own / plain for own, plain in pairs]),
        "peak_mb": round(max(peaks["fangpin"])),
        "peer_peak_mb": round(max(peaks["bare"])),
        "goal": "≤ 3",
    }


# --- in a process of its own -------------------------------------------------------------------------


def empty(url: str) -> None:
    """A database with the schema and no row: SQLite's file anew, PostgreSQL's tables emptied without their guards."""
    if url.startswith("sqlite"):
        for path in Path(url.removeprefix("sqlite:///")).parent.glob("fangpin.db*"):
            path.unlink()
    else:
        database = Database(url)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        database.close()
    migrate(url)


def _ours(folder: Path, url: str) -> tuple[float, int]:
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "bench.key")
    count = 0

    def work() -> None:
        nonlocal count
        people, _ = read_roster(folder / roster.FILE)
        count = len(people)
        with database.transaction() as session:
            take_in_roster(session, sealer, ACTOR, AT, "BENCH", date(2020, 12, 31), people)

    seconds = timed(work)
    database.close()
    return seconds, count


def _bare(engine: str, folder: Path, url: str) -> tuple[float, int]:
    connect, insert = bare(engine)
    before = rows_of(connect(url), TABLES)
    _, count = _ours(folder, url)
    stored = since(before, rows_of(connect(url), TABLES))
    empty(url)

    def work() -> None:
        bare_roster(folder / roster.FILE)
        insert(connect(url), stored)

    seconds = timed(work)
    if {table: len(rows) for table, (_, rows) in rows_of(connect(url), TABLES).items()} != {
        table: len(rows) for table, (_, rows) in stored.items()
    }:
        raise AssertionError("the bare insert does not store the same rows")
    return seconds, count


def _run_one(way: str, engine: str, folder: str, url: str) -> Row:
    for path in Path(folder).glob("bench.key*"):
        path.unlink()
    empty(url)
    seconds, count = _ours(Path(folder), url) if way == "fangpin" else _bare(engine, Path(folder), url)
    return {"seconds": seconds, "people": count, "peak_mb": peak_mb()}


if __name__ == "__main__":
    if len(sys.argv) == 5:
        print(json.dumps(_run_one(*sys.argv[1:])))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
