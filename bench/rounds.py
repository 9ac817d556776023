"""Taking turns: two sides of a comparison measured in one run, so that a busy machine slows both alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

Row = dict[str, object]
"""One line of the table and one object of build/bench.json."""


Clock = Callable[[], float]


def timed(work: Callable[[], object], clock: Clock = perf_counter) -> float:
    """Seconds that one run of the work takes, on the wall's clock or on another."""
    start = clock()
    work()
    return clock() - start


def in_turns(
    first: Callable[[], float], second: Callable[[], float], rounds: int
) -> list[tuple[float, float]]:
    """Both sides' seconds, round after round; who goes first changes every round.

    A side times itself, so that it can get ready and tidy up off the clock.
    """
    pairs = []
    for number in range(rounds):
        if number % 2:
            later = second()
            pairs.append((first(), later))
        else:
            pairs.append((first(), second()))
    return pairs


def spread(ratios: Sequence[float]) -> Row:
    """The median of the rounds' ratios and how far they lie apart."""
    return {
        "ratio": round(median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
    }


def in_own_process(module: str, *arguments: object) -> dict[str, Any]:
    """Runs `python -m module arguments` and takes the JSON object that it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def peak_mb() -> float:
    """The most memory that this process has held, in MB (getrusage would count its parent's, too)."""
    return _status_mb("VmHWM")


def held_mb() -> float:
    """The memory that this process holds now, in MB."""
    return _status_mb("VmRSS")


def _status_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)
