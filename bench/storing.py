"""Storing decisions: our way of taking claims in against the bare bulk insert of the very same rows.

Ours serialises every decision with its facts, seals it, takes its keyed digest, writes an event for each change and
inserts it all in one transaction. The bare way gets the finished rows, of claims, decisions and events, and does
nothing but the driver's fastest insert into the same tables with the same guards in the same kind of transaction.
Both begin from a database that holds the policy and the roster.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pysqlite3.dbapi2 as sqlite3

from bench.bare_insert import bare, rows_of, since
from bench.packs import DEMO, TIMES, case_of, ten_times
from bench.rounds import Row, in_own_process, in_turns, spread, timed
from claims.deciding import Decided
from claims.models import ClaimRow, DecisionRow
from claims.pack import POLICY_FILE, Pack, read_pack
from claims.services.intake import take_in_claims
from foundation.actors import Actor, Role
from foundation.database import Base, Database, migrate
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from foundation.trail.events import Event
from households.services.roster import take_in_roster
from policies.policy import Policy
from policies.policy_file import load_policy
from policies.services import take_in_policy
from tests.servers import Postgres, running_postgres

ROUNDS = 9
GROWTH_RUNS = 3
QUOTED_PEER = 8.7
"""Claims a second that openIMIS submits and processes on this kind of machine; measured once, quoted here."""

ENGINES = ("SQLite", "PostgreSQL")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
ACTOR = Actor("bench", "bench", Role.SYSTEM, "370323", "bench")
TABLES: tuple[type[Base], ...] = (ClaimRow, DecisionRow, Event)


def measure() -> list[Row]:
    """Seconds of both sides on both engines; `ratio` is our time by the bare insert's."""
    intake = Intake.of(DEMO)
    rows: list[Row] = []
    for engine in ENGINES:
        with prepared(engine, intake) as databases:
            rows += [
                _against_bare_insert(engine, intake, databases),
                _with_deciding(engine, intake, databases),
            ]
    return rows + [_growth(engine) for engine in ENGINES]


@dataclass(frozen=True)
class Intake:
    """A pack, its policy, and the decisions on its claims."""

    pack: Pack
    policy: Policy
    decided: Sequence[Decided]
    towns: dict[str, str]

    @classmethod
    def of(cls, folder: Path) -> Intake:
        """Reads and decides a pack."""
        pack, policy = read_pack(folder), load_policy(folder / POLICY_FILE)
        towns = {row.id_number: row.town for row in pack.roster}
        return cls(pack, policy, case_of(pack, policy).decide_all(), towns)


@dataclass(frozen=True)
class Databases:
    """Where every run gets a database of its own, with policy and roster in it and nothing more."""

    fresh: Callable[[], str]
    drop: Callable[[str], None]
    sealer: Sealer
    policy_id: str
    household_ids: dict[str, str]

    @contextmanager
    def one(self) -> Iterator[str]:
        """The address of a fresh database, gone afterwards."""
        url = self.fresh()
        try:
            yield url
        finally:
            self.drop(url)

    def store(self, url: str, intake: Intake, decided: Sequence[Decided]) -> None:
        """Our way: one transaction."""
        database = Database(url)
        with database.transaction() as session:
            take_in_claims(
                session,
                self.sealer,
                ACTOR,
                AT,
                intake.policy,
                self.policy_id,
                decided,
                self.household_ids,
                intake.towns,
            )
        database.close()


@contextmanager
def prepared(engine: str, intake: Intake) -> Iterator[Databases]:
    """Databases of an engine to run on: a SQLite file to copy, or a template on a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as name:
        folder = Path(name)
        if engine == "SQLite":
            yield _prepare(intake, folder, f"sqlite:///{folder}/template.db", *_sqlite_copies(folder))
            return
        with running_postgres() as server:
            template = server.create()
            yield _prepare(intake, folder, server.url(template), *_postgres_copies(server, template))


def _sqlite_copies(folder: Path) -> tuple[Callable[[], str], Callable[[str], None]]:
    copy = folder / "fangpin.db"

    def fresh() -> str:
        shutil.copyfile(folder / "template.db", copy)
        return f"sqlite:///{copy}"

    def drop(_url: str) -> None:
        for path in folder.glob("fangpin.db*"):
            path.unlink()

    return fresh, drop


def _postgres_copies(server: Postgres, template: str) -> tuple[Callable[[], str], Callable[[str], None]]:
    def fresh() -> str:
        return server.url(server.create(template))

    def drop(url: str) -> None:
        server.drop(url.rpartition("/")[2])

    return fresh, drop


def _prepare(
    intake: Intake, folder: Path, url: str, fresh: Callable[[], str], drop: Callable[[str], None]
) -> Databases:
    migrate(url)
    database = Database(url)
    policy = intake.policy
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "bench.key")
        policy_id = take_in_policy(session, ACTOR, AT, policy)
        ids = take_in_roster(
            session, sealer, ACTOR, AT, policy.number, policy.period_to, intake.pack.roster
        ).households
    database.close()
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return Databases(fresh, drop, sealer, policy_id, ids)


def _against_bare_insert(engine: str, intake: Intake, databases: Databases) -> Row:
    connect, insert = bare(engine)
    with databases.one() as url:
        before = rows_of(connect(url), TABLES)
        databases.store(url, intake, intake.decided)
        stored = since(before, rows_of(connect(url), TABLES))

    def ours() -> float:
        with databases.one() as url:
            return timed(lambda: databases.store(url, intake, intake.decided))

    def plain() -> float:
        with databases.one() as url:
            return timed(lambda: insert(connect(url), stored))

    with databases.one() as url:
        insert(connect(url), stored)
        if since(before, rows_of(connect(url), TABLES)) != stored:
            raise AssertionError("the bare insert does not store the same rows")
    pairs = in_turns(ours, plain, ROUNDS)
    seconds, bare_seconds = (median(side) for side in zip(*pairs, strict=True))
    return {
        "case": f"decisions stored with facts, seals, digests and events, {engine}",
        "peer": f"bare {'executemany' if engine == 'SQLite' else 'COPY'} of the same stored rows",
        "rounds": ROUNDS,
        "count": len(intake.decided),
        "unit": "claims",
        "rows": sum(len(rows) for _, rows in stored.values()),
        "seconds": seconds,
        "peer_seconds": bare_seconds,
        "per_second": round(len(intake.decided) / seconds),
        "peer_per_second": round(len(intake.decided) / bare_seconds),
        **spread([own / other for own, other in pairs]),
        "goal": "≤ 4, then ≤ 1.5",
    }


def _with_deciding(engine: str, intake: Intake, databases: Databases) -> Row:
    """Rows read, then everything from putting households together to the commit."""

    def work(url: str) -> None:
        databases.store(url, intake, case_of(intake.pack, intake.policy).decide_all())

    seconds = []
    for _ in range(ROUNDS):
        with databases.one() as url:
            seconds.append(timed(lambda url=url: work(url)))  # type: ignore[misc]  # bound now, called now
    per_second = len(intake.decided) / median(seconds)
    return {
        "case": f"claims decided and stored, {engine}",
        "peer": "openIMIS submit + process, quoted and not measured here",
        "rounds": ROUNDS,
        "count": len(intake.decided),
        "unit": "claims",
        "seconds": median(seconds),
        "per_second": round(per_second),
        "peer_per_second": QUOTED_PEER,
        **spread([len(intake.decided) / run / QUOTED_PEER for run in seconds]),
        "goal": "≥ 100, then ≥ 500",
    }


def _growth(engine: str) -> Row:
    """The same with ten times the people and claims, each pack in processes of its own."""
    small, large = [], []
    for _ in range(2):
        small.append(in_own_process("bench.storing", engine, DEMO))
        large.append(in_own_process("bench.storing", engine, ten_times()))
    seconds = median(run for figures in large for run in figures["seconds"])
    small_seconds = median(run for figures in small for run in figures["seconds"])
    return {
        "case": f"decisions stored, ten times the people, {engine}",
        "peer": "the demo's pack",
        "count": large[0]["claims"],
        "unit": "claims",
        "seconds": seconds,
        "peer_seconds": small_seconds,
        "per_second": round(large[0]["claims"] / seconds),
        "peer_per_second": round(small[0]["claims"] / small_seconds),
        **spread(
            [median(high["seconds"]) / median(low["seconds"]) for low, high in zip(small, large, strict=True)]
        ),
        "goal": f"≤ {TIMES * 1.2:.0f}",
    }


def _run_one(engine: str, folder: str) -> Row:
    intake = Intake.of(Path(folder))
    seconds = []
    with prepared(engine, intake) as databases:
        for _ in range(GROWTH_RUNS):
            with databases.one() as url:
                seconds.append(timed(lambda url=url: databases.store(url, intake, intake.decided)))  # type: ignore[misc]
    return {"seconds": seconds, "claims": len(intake.decided)}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_run_one(sys.argv[1], sys.argv[2])))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
