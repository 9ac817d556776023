"""`python -m bench [NAME …]`: carries out the measurements, prints one table, writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path

from bench.rounds import ROOT, Row

RESULT = ROOT / "build" / "bench.json"

MEASUREMENTS: Mapping[str, str] = {
    "deciding": "a claim decided with its explanation, against zen-engine with trace",
    "storing": "decisions stored, against the bare insert of the same rows, on both engines",
    "reading": "a roster and a feed read with every check, against the bare parsers",
    "comparing": "20,000 people compared with five feeds of 500,000 rows, against the bare SQL join, on both engines",
    "registering": "a whole roster taken into the register, against bare reading and insert, on both engines",
    "feeds": "a department's file of 500,000 rows taken in, against bare reading and insert, on both engines",
    "xml_writing": "pain.001 written, against lxml.etree.xmlfile",
    "letters": "decision letters printed, against WeasyPrint as it comes",
    "pages": "the list of claims and a claim's page, against one ORM object for each row, on both engines",
    "trail": "a million events sealed, verified and exported, and the export checked by the auditor's tool",
}
"""Modules of this package, in the order in which they run, and what each is about."""

_GOALS: Mapping[str, str] = {"xml_writing": "≥ 1, then ≥ 3"}
"""Goals of measurements whose rows do not name their own."""

_LIBRARIES = (
    "zen-engine", "orjson", "cryptography", "sqlalchemy", "psycopg", "pysqlite3", "python-calamine", "xlsxwriter",
    "lxml", "weasyprint", "flask", "jinja2",
)  # fmt: skip
_HEADER = ("what", "ours", "against", "theirs", "ratio", "min – max", "goal", "reached")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for, or everything; 0 when it ran, whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(MEASUREMENTS)}; all if none"
    )
    parser.add_argument("--list", action="store_true", help="name the measurements and run none")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}")
    if options.list:
        print("\n".join(f"{name:12} {what}" for name, what in MEASUREMENTS.items()))
        return 0
    before = machine()
    print(_machine_line(before), file=sys.stderr)
    rows: list[Row] = []
    for name in options.names or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr)
        for row in import_module(f"bench.{name}").measure():
            goal = str(row.get("goal", _GOALS.get(name, "")))
            rows.append({"measurement": name, **row, "goal": goal, "reached": reached(row["ratio"], goal)})
            print(f"  {row['ratio']}  {row['case']}", file=sys.stderr)
    print(table([_HEADER, *map(_cells, rows)]))
    print("\n".join(_memory(rows) + _notes(rows)))
    print(_machine_line(before))
    RESULT.parent.mkdir(exist_ok=True)
    content = {"machine": before, "load_after": os.getloadavg()[0], "rows": rows}
    RESULT.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(RESULT.relative_to(ROOT))
    return 0


def reached(ratio: object, goal: str) -> str:
    """How many of a goal's steps (`≥ 8, then ≥ 15`) a ratio reaches: no, first, yes; nothing without a goal."""
    steps = re.findall(r"([≤≥]) ([0-9.]+)", goal)
    if not steps or not isinstance(ratio, int | float):
        return ""
    met = [ratio >= float(bound) if sign == "≥" else ratio <= float(bound) for sign, bound in steps]
    if all(met):
        return "yes"
    return "first" if met[0] else "no"


def machine() -> dict[str, object]:
    """What it was measured on, and how busy that was before we began."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": found[1] if found else platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
    }


def _machine_line(known: Mapping[str, object]) -> str:
    versions = known["versions"]
    assert isinstance(versions, dict)
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    line = f"{known['cpu']}, {known['cores']} cores, Python {known['python']}, {libraries}"
    busy = f"{known['load_before']:.1f}"
    if float(busy) > 0.5:
        line += f"\nThe machine was busy before we began (load {busy}): trust the ratios less, the seconds not at all."
    return line


def table(rows: Iterable[Sequence[str]]) -> str:
    """Lines in columns, the first one underlined."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in listed
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    low, high = row.get("ratio_min"), row.get("ratio_max")
    return (
        str(row["case"]),
        _speed(row.get("seconds"), row.get("per_second"), row.get("unit")),
        str(row["peer"]),
        _speed(row.get("peer_seconds"), row.get("peer_per_second"), row.get("unit")),
        f"{row['ratio']}",
        "" if low is None else f"{low} – {high}",
        str(row["goal"]),
        str(row["reached"]),
    )


def _speed(seconds: object, per_second: object, unit: object) -> str:
    parts = []
    if isinstance(seconds, int | float):
        parts.append(f"{seconds:.3f} s")
    if isinstance(per_second, int | float):
        parts.append(f"{per_second:,} {unit or ''}/s".replace(" /s", "/s"))
    return ", ".join(parts)


def _memory(rows: Iterable[Row]) -> list[str]:
    """A line for each row that measured memory: the whole process, what it grew by, and its child."""
    keys = (("peak_mb", ""), ("growth_mb", "grown by "), ("child_peak_mb", "child "))
    lines = []
    for row in rows:
        sides = [
            ", ".join(f"{word}{row[prefix + key]}" for key, word in keys if row.get(prefix + key))
            for prefix in ("", "peer_")
        ]
        if any(sides):
            lines.append(f"MB at most: {row['case']}: ours {sides[0]}; {row['peer']} {sides[1]}")
    return lines


def _notes(rows: Iterable[Row]) -> list[str]:
    """A line for each row that has more to say than fits into the table."""
    return [f"{row['case']}: {row['note']}" for row in rows if row.get("note")]


if __name__ == "__main__":
    sys.exit(main())
