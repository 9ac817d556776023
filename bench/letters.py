"""Printing decision letters: our way against WeasyPrint as it comes, the same HTML and style sheet on both sides.

Ours prints in child processes under limits, one or two of them, with small fonts, style sheets and font configuration
read once; starting the children counts. WeasyPrint as it comes makes every letter with a call of its own and the full
Noto fonts as system fonts, in one process; its start does not count. Ours makes PDF/A-3b, the other a plain PDF.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from bench.packs import DEMO, case_of
from bench.rounds import ROOT, Row, in_turns, spread, timed
from claims.pack import POLICY_FILE, read_pack
from policies.policy_file import load_policy
from reports import cases
from reports.cases import DeterminedRow
from reports.documents import number_text, printable
from reports.fonts import font_folders, prepared
from reports.pdf import Printable, print_pdfs
from reports.services import LETTER_OF_OUTCOME

LETTERS = 100
ROUNDS = 3
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)


def measure(letters: int = LETTERS, rounds: int = ROUNDS) -> list[Row]:
    """Seconds of both sides, with one and with two of our processes; `ratio` is the other's seconds by ours."""
    documents = _letters(letters)
    prepared()
    _same_text(documents[:2])
    rows = []
    with _as_it_comes(documents) as peer:
        for processes, goal in ((1, "≥ 1.7"), (2, "≥ 3")):

            def ours(processes: int = processes) -> float:
                return timed(lambda: list(print_pdfs(documents, processes)))

            pairs = in_turns(ours, peer, rounds)
            seconds, peer_seconds = (median(side) for side in zip(*pairs, strict=True))
            rows.append(
                {
                    "case": f"decision letters printed, {processes} process{'es' if processes > 1 else ''}",
                    "peer": "WeasyPrint as it comes, one process",
                    "rounds": rounds,
                    "count": letters,
                    "unit": "letters",
                    "seconds": seconds,
                    "peer_seconds": peer_seconds,
                    "per_second": round(letters / seconds, 1),
                    "peer_per_second": round(letters / peer_seconds, 1),
                    "seconds_a_letter": round(seconds / letters, 4),
                    "peer_seconds_a_letter": round(peer_seconds / letters, 4),
                    **spread([theirs / own for own, theirs in pairs]),
                    "goal": goal,
                }
            )
    return rows


def _letters(count: int) -> list[Printable]:
    """Letters on the demo's first approved and rejected claims, in the order of deciding."""
    policy = load_policy(DEMO / POLICY_FILE)
    found: list[Printable] = []
    for item in case_of(read_pack(DEMO), policy).decide_all():
        kind = LETTER_OF_OUTCOME.get(item.decision.outcome)
        if kind is None:
            continue
        row = DeterminedRow(
            item.decision.claim_no,
            item.decision.outcome,
            item.decision.payable_fen,
            *("demo-person-1", "demo-person-2", AT, "0" * 64, "历山街道", "南李家坡村"),
        )
        figures = cases.case_of(policy, item.facts, item.decision, row)
        found.append(printable(kind, figures, number_text(kind, 2020, len(found) + 1), AT, {}))
        if len(found) == count:
            return found
    raise LookupError("the demo has fewer letters")


@contextmanager
def _as_it_comes(documents: Sequence[Printable]) -> Iterator[Any]:
    """A process that has WeasyPrint imported and the letters at hand; asked, it prints them all and says how long."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        fonts = Path(folder) / "fonts.conf"
        folders = "".join(f"<dir>{path}</dir>" for path in font_folders())
        fonts.write_text(f"<fontconfig>{folders}<cachedir>{folder}/cache</cachedir></fontconfig>", "utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.letters"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps([[item.html, item.stylesheet] for item in documents]) + b"\n")
        process.stdin.flush()

        def printed() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        try:
            printed()  # Its fonts' cache is made, as a system's is.
            yield printed
        finally:
            process.stdin.close()
            process.wait(60)


def _same_text(documents: Sequence[Printable]) -> None:
    """Both sides must print the same words."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        for number, content in enumerate(print_pdfs(documents)):
            path = Path(folder) / f"{number}.pdf"
            path.write_bytes(content)
            done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
            if "核定" not in done.stdout or "12378" not in done.stdout:
                raise AssertionError("a letter lacks its words")


def main() -> None:
    """The other side's process: the letters on the first line, then a run for each further line."""
    from weasyprint import CSS, HTML

    letters = orjson.loads(sys.stdin.buffer.readline())

    def print_all() -> None:
        for html, stylesheet in letters:
            HTML(string=html).write_pdf(stylesheets=[CSS(string=stylesheet)])

    while sys.stdin.buffer.readline():
        print(timed(print_all), flush=True)


if __name__ == "__main__":
    main()
