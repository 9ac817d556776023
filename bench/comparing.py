"""The comparison of 20,000 people with five feeds of 500,000 rows each, against the bare SQL join.

Ours is `households.queries.probing.compared` with the county's first standards: thresholds, words that are opened,
HIT, CLEAR or NO DATA for each person and check. The bare way is one join of the same people with the same stored rows
by the same index, which gives the same columns to Python (`fetchall` of the driver) and judges nothing; the people
stand in a table of their own that the planner knows. Both sides have read the pages once before.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import orjson

from bench.rounds import Row, in_turns, spread, timed
from foundation.database import Database, bulk_insert, migrate, table_of
from foundation.keyfile import open_sealer
from foundation.sealing import Sealer
from households.comparing import Candidate, Rules, state_of
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedRow
from households.queries.probing import Compared, compared
from policies.queries import first_standards
from tests.servers import running_postgres

PEOPLE = 20_000
FEED_ROWS = 500_000
FEEDS = ("deposits", "machinery", "housing", "vehicles", "companies")
ROUNDS = 9
DAY = date(2020, 12, 31)
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
_COUNTY = 1_200_000
"""People of whom the feeds have rows: a feed of 500,000 then names some 8,300 of 20,000."""
_PORTION = 20_000

_SELECT = (
    "SELECT f.id, f.feed, f.scope, f.id_lookup, f.on_day, f.amount_fen, "
    "CASE WHEN f.feed IN ('housing', 'companies') THEN f.sealed END "
)
_BARE = (
    _SELECT + "FROM candidate AS c JOIN feed_row AS f ON f.id_lookup = c.id_lookup WHERE f.retired_at IS NULL"
)
ENGINES = ("SQLite", "PostgreSQL")


def measure() -> list[Row]:
    """Seconds of both sides on both engines; `ratio` is our time by the bare join's."""
    return [_engine(engine) for engine in ENGINES]


def _engine(engine: str) -> Row:
    with _filled(engine, FEED_ROWS) as (database, sealer, people):
        counts: dict[str, Any] = {}

        def ours() -> float:
            with database.reading() as session:
                return timed(lambda: counts.update(done=_judged(compared(session, sealer, _rules(), people))))

        def bare() -> float:
            connection = database.engine.raw_connection()
            try:
                cursor = connection.cursor()
                _candidates(cursor, engine, people)
                return timed(lambda: counts.update(rows=len(cursor.execute(_BARE).fetchall())))
            finally:
                connection.rollback()
                connection.close()

        ours(), bare()  # the pages are in memory for both
        pairs = in_turns(ours, bare, ROUNDS)
    own, plain = (median(side) for side in zip(*pairs, strict=True))
    done = counts["done"]
    return {
        "case": f"{PEOPLE:,} people compared with five feeds of {FEED_ROWS:,}, {engine}",
        "peer": "bare SQL join, fetched",
        "unit": "people",
        "rounds": ROUNDS,
        "count": PEOPLE,
        "seconds": own,
        "peer_seconds": plain,
        "per_second": round(PEOPLE / own),
        "peer_per_second": round(PEOPLE / plain),
        **spread([one / other for one, other in pairs]),
        "goal": "≤ 2, then ≤ 1.5",
        "note": f"the join gives {counts['rows']:,} rows; {done['hit']:,} checks hit, {done['clear']:,} are clear",
    }


def _candidates(cursor: Any, engine: str, people: list[Candidate]) -> None:
    """The people as a table of the connection's own, known to the planner: the best that a plain join can have."""
    cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS candidate (id_lookup TEXT PRIMARY KEY)")
    cursor.execute("DELETE FROM candidate")
    mark = "?" if engine == "SQLite" else "%s"
    cursor.executemany(f"INSERT INTO candidate VALUES ({mark})", [(one.id_lookup,) for one in people])
    cursor.execute("ANALYZE candidate")


def _judged(done: Compared) -> dict[str, int]:
    """How many checks of people hit, and how many of the others are clear or have no data."""
    rules, hits = (
        _rules(),
        Counter(matter for _, matter in {(hit.person.key, hit.matter) for hit in done.hits}),
    )
    found: dict[str, int] = {"hit": 0, "clear": 0, "no_data": 0}
    for check in rules.checks():
        if check.feed in FEEDS:
            found["hit"] += hits[check.key]
            found[state_of(check, rules.sources, hit=False)] += done.people - hits[check.key]
    return found


def _rules() -> Rules:
    return Rules(DAY, first_standards().reverse, dict.fromkeys(FEEDS, DEPARTMENT))


# --- what is compared --------------------------------------------------------------------------------


@contextmanager
def _filled(engine: str, rows: int) -> Iterator[tuple[Database, Sealer, list[Candidate]]]:
    """A database of an engine with the five feeds, and the people."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-", dir=_roomy()) as name:
        folder = Path(name)
        if engine == "SQLite":
            yield from _fill(f"sqlite:///{folder}/fangpin.db", folder, rows)
            return
        with running_postgres() as server:
            yield from _fill(server.url(server.create()), folder, rows)


def _roomy() -> str:
    """The larger of memory's folder and the usual one: two gigabytes are needed."""
    folders = [Path("/dev/shm"), Path(tempfile.gettempdir())]  # a place to measure in
    return str(
        max((folder for folder in folders if folder.is_dir()), key=lambda one: shutil.disk_usage(one).free)
    )


def _fill(url: str, folder: Path, rows: int) -> Iterator[tuple[Database, Sealer, list[Candidate]]]:
    migrate(url)
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "bench.key")
    people = Random(370323)
    lookups = [sealer.lookup("id_number", _id_number(number)) for number in range(_COUNTY)]
    for place, feed in enumerate(FEEDS):
        with database.transaction() as session:
            _add_delivery(session, feed, place, rows)
        for start in range(0, rows, _PORTION):
            portion = _rows(sealer, feed, people, lookups, min(_PORTION, rows - start))
            with database.transaction() as session:
                bulk_insert(session, table_of(FeedRow), portion)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    chosen = people.sample(range(_COUNTY), PEOPLE)
    yield database, sealer, [Candidate(str(number), lookups[number], None, None) for number in chosen]
    database.close()


def _add_delivery(session: Any, feed: str, place: int, rows: int) -> None:
    session.add(
        FeedDelivery(
            id=feed, sequence=place + 1, feed=feed, scope=DEPARTMENT, mode="full", as_of=DAY, digest=feed,
            rows=rows, added=rows, retired=0, refused_cells=0, taken_in_at=AT,
        )
    )  # fmt: skip


_VALUES: dict[str, Callable[[Random, str, int, date], tuple[Any, ...]]] = {
    "deposits": lambda _dice, who, amount, on: (who, amount, on),
    "machinery": lambda _dice, who, amount, on: (who, "拖拉机", amount, on),
    "housing": lambda dice, who, _amount, on: (who, dice.choice(("商品住宅", "农村宅基地", "商铺")), on),
    "vehicles": lambda dice, who, amount, on: (who, f"鲁C{dice.randrange(100_000):05d}", amount, on),
    "companies": lambda dice, who, amount, on: (who, "某某商店", amount, on, dice.choice(("存续", "注销"))),
}
"""The values of a row in the order of its columns."""


def _rows(sealer: Sealer, feed: str, dice: Random, lookups: list[str], count: int) -> list[dict[str, Any]]:
    has_amount = layouts()[feed].amount >= 0
    found = []
    for _ in range(count):
        identity, who = f"{dice.getrandbits(128):032x}", dice.randrange(_COUNTY)
        on, amount = DAY - timedelta(days=dice.randrange(-30, 4000)), dice.randrange(100, 20_000_000)
        content = orjson.dumps(_VALUES[feed](dice, _id_number(who), amount, on))
        found.append(
            {
                "id": identity,
                "feed": feed,
                "scope": DEPARTMENT,
                "delivery_id": feed,
                "id_lookup": lookups[who],
                "on_day": on,
                "amount_fen": amount if has_amount else None,
                "sealed": sealer.seal("feed_row", "sealed", identity, content),
                "digest": f"{dice.getrandbits(256):064x}",
                "known_at": AT,
                "retired_at": None,
            }
        )
    return found


def _id_number(number: int) -> str:
    """Eighteen digits that are nobody's: they are looked up and sealed, never read as an ID number."""
    return f"{number:018d}"
