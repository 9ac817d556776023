"""A department's file taken in: 500,000 settlements read with every check, sealed and stored, with flat memory.

Ours reads the CSV block by block (`households.feed_files.open_feed`) into `take_in_delivery`, one transaction: each row
is compared with what is there, sealed and noted. The bare way reads the same file with `csv.reader` and inserts the
very same finished rows into the same tables with the same guards, as fast as the driver can. Each side is a process of
its own. The job of an upload opens the sealed file first, which takes twice its size for a moment: not measured here.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from statistics import median

from bench.bare_insert import bare, rows_of, since
from bench.reading import write_feed
from bench.registering import empty
from bench.rounds import Row, held_mb, in_own_process, in_turns, peak_mb, spread, timed
from foundation.actors import Actor, Role
from foundation.database import Base, Database
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from foundation.trail.events import Event
from households.feed_files import open_feed
from households.feeds import file_of
from households.layouts import FULL, layouts
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedRow
from households.services.deliveries import Delivery, take_in_delivery
from tests.servers import running_postgres

ROWS, FEW_ROWS = 500_000, 50_000
ROUNDS = 3
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
ACTOR = Actor("bench", "bench", Role.SYSTEM, "370323", "bench")
TABLES: tuple[type[Base], ...] = (FeedDelivery, FeedRow, Event, Job)


def measure() -> list[Row]:
    """Seconds and memory of both sides on both engines; `ratio` is our time by the bare way's."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as name:
        folder = Path(name)
        for rows in (FEW_ROWS, ROWS):
            (folder / str(rows)).mkdir()
            write_feed(folder / str(rows), rows)
        sqlite = f"sqlite:///{folder}/fangpin.db"
        found = [_against_bare("SQLite", folder, sqlite)]
        with running_postgres() as server:
            url = server.url(server.create())
            found.append(_against_bare("PostgreSQL", folder, url))
            found += [_memory("SQLite", folder, sqlite), _memory("PostgreSQL", folder, url)]
        return found


def _against_bare(engine: str, folder: Path, url: str) -> Row:
    taken = 0

    def side(way: str) -> float:
        nonlocal taken
        figures = in_own_process("bench.feeds", way, engine, folder, url, ROWS)
        taken = max(taken, int(figures["rows"]))
        peaks.setdefault(way, []).append(float(figures["peak_mb"]))
        return float(figures["seconds"])

    peaks: dict[str, list[float]] = {}
    pairs = in_turns(lambda: side("fangpin"), lambda: side("bare"), ROUNDS)
    seconds, bare_seconds = (median(one) for one in zip(*pairs, strict=True))
    return {
        "case": f"a department's CSV read, sealed and stored, {engine}",
        "peer": "bare csv.reader, and bare insert of the same rows",
        "rounds": ROUNDS,
        "count": taken,
        "unit": "rows",
        "seconds": seconds,
        "peer_seconds": bare_seconds,
        "per_second": round(taken / seconds),
        "peer_per_second": round(taken / bare_seconds),
        **spread([own / plain for own, plain in pairs]),
        "peak_mb": round(max(peaks["fangpin"])),
        "peer_peak_mb": round(max(peaks["bare"])),
        "goal": "≤ 3",
    }


def _memory(engine: str, folder: Path, url: str) -> Row:
    """What the process grew by over ten times the rows, by what it grew by over a tenth."""
    few, many = (
        in_own_process("bench.feeds", "fangpin", engine, folder, url, rows) for rows in (FEW_ROWS, ROWS)
    )
    grown, grown_few = float(many["growth_mb"]), float(few["growth_mb"])
    return {
        "case": f"memory of the same, ten times the rows, {engine}",
        "peer": f"{FEW_ROWS:,} rows",
        "unit": "rows",
        "count": ROWS,
        **spread([float(many["peak_mb"]) / float(few["peak_mb"])]),
        "peak_mb": round(float(many["peak_mb"])),
        "growth_mb": round(grown),
        "peer_peak_mb": round(float(few["peak_mb"])),
        "peer_growth_mb": round(grown_few),
        "goal": "≤ 1.2",
    }


# --- in a process of its own -------------------------------------------------------------------------


def _ours(folder: Path, url: str) -> tuple[float, int, float]:
    """Seconds, rows taken in, and by how many MB the process grew."""
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "bench.key")
    count = 0
    layout = layouts()["medical"]
    delivery = Delivery(layout, DEPARTMENT, FULL, date(2020, 12, 31), "bench")

    def work() -> None:
        nonlocal count
        with open_feed(folder / file_of("medical"), layout) as blocks, database.transaction() as session:
            rows = chain.from_iterable(block.rows for block in blocks)
            count = take_in_delivery(session, sealer, ACTOR, AT, delivery, rows).rows

    before = held_mb()
    seconds = timed(work)
    grown = peak_mb() - before
    database.close()
    return seconds, count, grown


def _bare(engine: str, folder: Path, url: str) -> tuple[float, int]:
    connect, insert = bare(engine)
    before = rows_of(connect(url), TABLES)
    _, count, _ = _ours(folder, url)
    stored = since(before, rows_of(connect(url), TABLES))
    empty(url)

    def work() -> None:
        with (folder / file_of("medical")).open(encoding="gb18030", newline="") as text:
            for _ in csv.reader(text):
                pass
        insert(connect(url), stored)

    seconds = timed(work)
    if len(rows_of(connect(url), (FeedRow,))["feed_row"][1]) != count:
        raise AssertionError("the bare insert does not store the same rows")
    return seconds, count


def _run_one(way: str, engine: str, folder: str, url: str, rows: str) -> Row:
    place = Path(folder, rows)
    for path in place.glob("bench.key*"):
        path.unlink()
    empty(url)
    if way == "bare":
        seconds, count = _bare(engine, place, url)
        return {"seconds": seconds, "rows": count, "peak_mb": peak_mb(), "growth_mb": 0}
    seconds, count, grown = _ours(place, url)
    return {"seconds": seconds, "rows": count, "peak_mb": peak_mb(), "growth_mb": grown}


if __name__ == "__main__":
    if len(sys.argv) == 6:
        print(json.dumps(_run_one(*sys.argv[1:])))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
