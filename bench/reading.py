"""Reading what a county hands in, with every check of every cell, against the bare parser.

A roster is read by `households.roster.read_roster`, in a fresh process that starts the child which opens the
workbook. The bare way is the same process and the same kind of child with the same limits, which does nothing but
python-calamine's `to_python` and hands the rows over in the same frames of JSON; nothing looks at a cell.

A feed of the departments is read as `households.feeds` reads it; the bare way is `csv.reader` over the same file, its
rows dropped. Both sides write nothing.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import orjson

from bench.packs import DEMO, TIMES, of_copy, ten_times, with_shared_strings
from bench.rounds import ROOT, Row, held_mb, in_own_process, in_turns, peak_mb, spread, timed
from households import roster
from households.feeds import COLUMNS, file_of, read_feeds
from households.roster import SHEET, read_roster

ROUNDS = 7
LARGE_ROUNDS = 3
FEED_ROWS = 500_000

_CHILD = "import sys; sys.path.append(sys.argv[1]); from bench.bare_child import main; main(*sys.argv[2:])"


def measure() -> list[Row]:
    """Seconds and memory of both sides; `ratio` is our time by the bare reader's."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        shared, feeds = Path(folder, "shared.xlsx"), Path(folder)
        with_shared_strings(DEMO / roster.FILE, shared)
        write_feed(feeds, FEED_ROWS)
        small = _roster("the demo's roster", DEMO / roster.FILE, ROUNDS)
        large = _roster("ten times the people", ten_times() / roster.FILE, LARGE_ROUNDS)
        return [
            small,
            _roster("the demo's roster, its words in one shared table", shared, ROUNDS),
            large,
            _growth(small, large),
            _feed(feeds),
        ]


def _roster(what: str, path: Path, rounds: int) -> Row:
    return {
        "case": f"roster.xlsx read with every check: {what}",
        "peer": "bare python-calamine in the same kind of child, handed over",
        "unit": "rows",
        **_both("roster", path, rounds),
        "goal": "≤ 3, then ≤ 1.5",
    }


def _feed(folder: Path) -> Row:
    return {
        "case": "feeds/medical.csv read with every check",
        "peer": "bare csv.reader, rows dropped",
        "unit": "rows",
        **_both("feed", folder, LARGE_ROUNDS),
        "goal": "≤ 3, then ≤ 1.5",
    }


def _both(kind: str, path: Path, rounds: int) -> Row:
    runs: dict[str, list[dict[str, float]]] = {"fangpin": [], "bare": []}

    def side(name: str) -> float:
        figures = in_own_process("bench.reading", name, kind, path)
        runs[name].append(figures)
        return float(figures["seconds"])

    pairs = in_turns(partial(side, "fangpin"), partial(side, "bare"), rounds)
    seconds, bare_seconds = (median(side) for side in zip(*pairs, strict=True))
    most = {
        name: {key: max(run[key] for run in figures) for key in figures[0]} for name, figures in runs.items()
    }
    count = most["bare"]["rows"]
    return {
        "rounds": rounds,
        "count": count,
        "seconds": seconds,
        "peer_seconds": bare_seconds,
        "per_second": round(count / seconds),
        "peer_per_second": round(count / bare_seconds),
        **spread([own / plain for own, plain in pairs]),
        **{
            f"{prefix}{key}": round(most[name][key])
            for prefix, name in (("", "fangpin"), ("peer_", "bare"))
            for key in ("peak_mb", "growth_mb", "child_peak_mb")
        },
    }


def _growth(small: Row, large: Row) -> Row:
    """From the two measurements before."""
    seconds, small_seconds = large["seconds"], small["seconds"]
    assert isinstance(seconds, float)
    assert isinstance(small_seconds, float)
    return {
        "case": "roster.xlsx read, ten times the people",
        "peer": "the demo's roster",
        "unit": "rows",
        "seconds": seconds,
        "peer_seconds": small_seconds,
        **spread([seconds / small_seconds]),
        "goal": f"≤ {TIMES * 1.2:.0f}",
    }


def write_feed(folder: Path, rows: int) -> None:
    """A medical feed of made-up people, in GB18030, at its place in a pack."""
    path = folder / file_of("medical")
    path.parent.mkdir()
    dice = Random(370323)
    names = ("王秀英", "李建国", "阿依古丽·买买提", "𠮷田花", "欧阳春晓")
    with path.open("w", encoding="gb18030", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.name for column in COLUMNS["medical"][1]])
        for number in range(rows):
            day = f"{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}"
            digits = f"370323{dice.randrange(1930, 2020)}{day}{dice.randrange(1000):03d}0"
            total, basic = dice.randrange(100, 20_000_000), dice.randrange(100)
            row = [f"YB2020{number:08d}", of_copy(digits, 1 + number % 9), names[number % len(names)]]
            row += [f"2020-{day[:2]}-{day[2:]}", f"{total / 100:.2f}", f"{total * basic // 100 / 100:.2f}"]
            row += ["0.00", "" if number % 1000 == 0 else "0.00"]  # now and then a cell that is refused
            writer.writerow(row)


# --- in a process of its own -------------------------------------------------------------------------


def _our_roster(path: Path) -> int:
    people, errors = read_roster(path)
    return len(people) + len({error.row for error in errors})


def _our_feed(folder: Path) -> int:
    feeds, errors = read_feeds(folder)
    return len(feeds.medical or ()) + len({error.row for error in errors})


def _bare_feed(folder: Path) -> int:
    with (folder / file_of("medical")).open(encoding="gb18030", newline="") as text:
        return sum(1 for _ in csv.reader(text)) - 1


def bare_roster(path: Path) -> int:
    """The parent's side of the bare way: frames as `foundation.spreadsheets` has them, and nothing done to a cell."""
    command = [sys.executable, "-I", "-c", _CHILD, str(ROOT), str(path), SHEET]
    rows: list[list[Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        while size := int.from_bytes(child.stdout.read(4), "big"):
            rows += orjson.loads(child.stdout.read(size))
    return len(rows) - 2  # a title and the header


WAYS: dict[tuple[str, str], Callable[[Path], int]] = {
    ("fangpin", "roster"): _our_roster,
    ("bare", "roster"): bare_roster,
    ("fangpin", "feed"): _our_feed,
    ("bare", "feed"): _bare_feed,
}


def _run_one(name: str, kind: str, path: str) -> Row:
    """Read once, in this process, and say what it took of time and memory."""
    before = held_mb()
    rows = 0

    def read() -> None:
        nonlocal rows
        rows = WAYS[name, kind](Path(path))

    seconds = timed(read)
    # Of the child's the kernel keeps the most of all that were waited for; it began no larger than this one was.
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    peak = peak_mb()
    return {
        "seconds": seconds,
        "rows": rows,
        "peak_mb": peak,
        "growth_mb": peak - before,
        "child_peak_mb": child if kind == "roster" else 0,
    }


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_run_one(*sys.argv[1:])))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
