"""The child of the bare way to read a roster: the limits of `foundation.workbook_child`, and nothing else of it.

A module of its own, so that it starts as quickly as ours does.
"""

from __future__ import annotations

import sys

import orjson
from python_calamine import CalamineWorkbook

from foundation.workbook_child import limit_resources

_ROWS_A_FRAME = 500


def main(path: str, sheet: str) -> None:
    """Reads a sheet whole and hands it over: 4 bytes of length and JSON for every so many rows, at last 4 zeros."""
    limit_resources()
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    out = sys.stdout.buffer
    for start in range(0, len(rows), _ROWS_A_FRAME):
        frame = orjson.dumps(rows[start : start + _ROWS_A_FRAME])
        out.write(len(frame).to_bytes(4, "big") + frame)
    out.write(bytes(4))
    out.flush()
