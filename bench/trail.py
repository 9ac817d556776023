"""The trail: a million events sealed, verified on both engines, exported, and checked by the auditor's tool.

Every step runs in a process of its own, so that its memory is its own. The peer is the goal: so many events a second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from bench.rounds import ROOT, Row, in_own_process, peak_mb, spread
from foundation.actors import Actor, Role
from foundation.database import Database, migrate
from foundation.trail.anchors import read_anchors
from foundation.trail.events import Change, record
from foundation.trail.exporting import export_to_file
from foundation.trail.sealing import seal
from foundation.trail.verifying import verify
from tests.servers import running_postgres

EVENTS = 1_000_000
AT_ONCE = 20_000
"""Events of one transaction, as a big pack writes them."""
ROUNDS = 3
GOAL = 100_000
"""Events a second that a verification should reach."""
ENGINES = ("SQLite", "PostgreSQL")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
ACTOR = Actor("b" * 32, "a" * 32, Role.CLAIM_OFFICER, "370323", "bench")
TOOL = ROOT / "tools" / "verify_trail.py"


def measure(events: int = EVENTS) -> list[Row]:
    """Events a second of each step; `ratio` is that by the goal."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as name:
        folder = Path(name)
        for engine in ENGINES:
            with _database(engine, folder) as url:
                rows += _on_engine(engine, url, folder, events)
    return rows


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str]:
    if engine == "SQLite":
        yield f"sqlite:///{folder}/fangpin.db"
        return
    with running_postgres() as server:
        yield server.url(server.create())


def _on_engine(engine: str, url: str, folder: Path, events: int) -> list[Row]:
    anchors, file = folder / f"{engine}.anchors", folder / "fangpin.trail"
    written = in_own_process("bench.trail", "write", url, events)
    sealed = in_own_process("bench.trail", "seal", url, anchors)
    verified = [in_own_process("bench.trail", "verify", url, anchors) for _ in range(ROUNDS)]
    for figures in (sealed, *verified):
        if figures["events"] != events:
            raise AssertionError(f"{figures['events']} events instead of {events}")
    note = f"{round(events / written['seconds']):,} events/s written before, {AT_ONCE:,} a transaction; "
    rows = [
        _row(f"{events:,} events sealed, {engine}", events, [sealed], goal="", note=note),
        _row(f"{events:,} events verified by the program, {engine}", events, verified, goal="≥ 1"),
    ]
    if engine == "SQLite":
        exported = in_own_process("bench.trail", "export", url, file)
        rows.append(_row(f"{events:,} events exported, {engine}", events, [exported], goal=""))
        checked = [_tool(file, anchors) for _ in range(ROUNDS)]
        rows.append(_row(f"{events:,} events checked by tools/verify_trail.py", events, checked, goal="≥ 1"))
    return rows


def _row(case: str, events: int, runs: list[dict[str, Any]], *, goal: str, note: str = "") -> Row:
    seconds = median(run["seconds"] for run in runs)
    processor = round(events / median(run["processor"] for run in runs))
    return {
        "case": case,
        "peer": "the goal" if goal else "no goal",
        "count": events,
        "unit": "events",
        "seconds": seconds,
        "per_second": round(events / seconds),
        "peer_per_second": GOAL if goal else None,
        "peak_mb": round(median(run["peak_mb"] for run in runs), 1),
        **spread([events / run["seconds"] / GOAL for run in runs]),
        "goal": goal,
        "note": f"{note}{processor:,} events/s by its own processor time, which a busy machine changes less",
    }


def _tool(file: Path, anchors: Path) -> dict[str, Any]:
    """The tool in a Python of its own, without anything of ours, timed from its start to its end."""
    script = (
        "import runpy, sys, time\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally:\n    sys.stderr.write(open('/proc/self/status').read() + f'CPU: {time.process_time()}')\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(TOOL), str(file), "--anchors", str(anchors)]
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = perf_counter() - start
    found = dict(line.split(":", 1) for line in done.stderr.splitlines())
    peak = int(found["VmHWM"].split()[0]) / 1024
    return {"seconds": seconds, "processor": float(found["CPU"]), "peak_mb": peak}


def _write(url: str, events: int) -> int:
    migrate(url)
    database = Database(url)
    for start in range(0, events, AT_ONCE):
        changes = [
            Change("claim.determined", "claim", f"{number:032x}", after="b" * 64, before="c" * 64)
            for number in range(start, min(events, start + AT_ONCE))
        ]
        with database.transaction() as session:
            record(session, ACTOR, AT + timedelta(seconds=start), changes)
    database.close()
    return events


def _seal(url: str, anchors: str) -> int:
    return seal(Database(url), AT, "sha256", Path(anchors)).events


def _verify(url: str, anchors: str) -> int:
    known = read_anchors(Path(anchors))
    with Database(url).reading() as session:
        verdict = verify(session, known)
    if not verdict.well:
        raise AssertionError(verdict.faults[0].en)
    return verdict.events


def _export(url: str, file: str) -> int:
    with Database(url).reading() as session, export_to_file(session, Path(file)) as done:
        return done.events


_STEPS: dict[str, Callable[..., int]] = {
    "write": lambda url, events: _write(url, int(events)),
    "seal": _seal,
    "verify": _verify,
    "export": _export,
}


def _step(name: str, *arguments: str) -> Row:
    start, processor = perf_counter(), process_time()
    events = _STEPS[name](*arguments)
    seconds, processor = perf_counter() - start, process_time() - processor
    return {"seconds": seconds, "processor": processor, "events": events, "peak_mb": peak_mb()}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(_step(*sys.argv[1:])))
    else:
        for row in measure(*map(int, sys.argv[1:])):
            print(json.dumps(row, ensure_ascii=False))
