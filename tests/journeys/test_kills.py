"""Killed with -9 at any moment and run again, the main job ends as if it had not been interrupted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from claims.models import ClaimRow, DecisionRow, Determination
from foundation.database import Database
from foundation.trail.events import Event
from payments.models import BankFile, Batch, LedgerEntry, Payable, Payment

State = dict[str, object]


def started(pack: Path, out: Path, url: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "run",
        str(pack),
        "--out",
        str(out),
    ]
    options = [
        "--database",
        url,
        "--as-of",
        "2020-12-31",
        "--letters",
        "2",
        "--key-file",
        str(out.parent / "kill.key"),
    ]
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [*command, *options],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def fresh_databases(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """As many empty databases of an engine as are asked for."""
    number = 0
    while True:
        number += 1
        if engine == "sqlite":
            yield f"sqlite:///{folder}/{number}.db"
        else:
            server = request.getfixturevalue("postgres")
            yield server.url(server.create())


def end_state(out: Path, url: str) -> State:
    """Everything that must not depend on interruptions: ids and sealed bytes are random, the rest is compared."""
    database = Database(url)
    with database.reading() as session:
        state: State = {
            "claims": sorted(
                map(tuple, session.execute(select(ClaimRow.claim_no, ClaimRow.state, ClaimRow.town)))
            ),
            "decisions": sorted(
                map(
                    tuple,
                    session.execute(
                        select(
                            ClaimRow.claim_no,
                            DecisionRow.sequence,
                            DecisionRow.outcome,
                            DecisionRow.payable_fen,
                        ).join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
                    ),
                )
            ),
            "determinations": sorted(
                map(
                    tuple,
                    session.execute(
                        select(ClaimRow.claim_no, Determination.number, Determination.amount_fen).join(
                            Determination, Determination.claim_id == ClaimRow.id
                        )
                    ),
                )
            ),
            "payables": sorted(
                map(tuple, session.execute(select(Payable.number, Payable.amount_fen, Payable.state)))
            ),
            "payments": sorted(
                map(tuple, session.execute(select(Payment.reference, Payment.amount_fen, Payment.state)))
            ),
            "batches": sorted(
                map(tuple, session.execute(select(Batch.message_id, Batch.state, Batch.total_fen)))
            ),
            "bank files": sorted(map(tuple, session.execute(select(BankFile.name, BankFile.sha256)))),
            "ledger": sorted(
                map(
                    tuple,
                    session.execute(select(LedgerEntry.debit, LedgerEntry.credit, LedgerEntry.amount_fen)),
                )
            ),
            "events": sorted(
                map(tuple, session.execute(select(Event.action, func.count()).group_by(Event.action)))
            ),
            "documents": sorted(
                map(tuple, session.execute(text("SELECT kind, count(*) FROM issued_document GROUP BY kind")))
            ),
            "jobs": sorted(
                map(
                    tuple, session.execute(text("SELECT kind, state, count(*) FROM job GROUP BY kind, state"))
                )
            ),
        }
    database.close()
    state["copies"] = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.suffix in (".csv", ".xml")
    }
    state["pdfs"] = sorted(path.name for path in out.rglob("*.pdf"))
    state["left over"] = [path.name for path in out.rglob(".*.part")]
    return state


def finished(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors.decode()) == (1, "")
    return process.returncode


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_killed_run_ends_like_an_uninterrupted_one(
    small_pack: Path, tmp_path: Path, proof: bool, engine: str, request: pytest.FixtureRequest
) -> None:
    databases = fresh_databases(engine, tmp_path, request)
    reference = tmp_path / "reference" / "out"
    begun = time.monotonic()
    url = next(databases)
    assert finished(started(small_pack, reference, url)) == 1
    takes = time.monotonic() - begun
    expected = end_state(reference, url)
    wanted = 10 * (20 if proof else 1)
    chance, kills, round_number = random.Random(20201231), 0, 0
    while kills < wanted:
        round_number += 1
        out, url = tmp_path / f"round{round_number}" / "out", next(databases)
        while True:
            process = started(small_pack, out, url)
            try:
                process.wait(timeout=chance.uniform(0.2, takes * 1.1))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                if kills < wanted or kills % 3:
                    continue
                process = started(small_pack, out, url)
            assert finished(process) == 1
            break
        assert end_state(out, url) == expected, f"round {round_number}, after {kills} kills"
    assert kills >= wanted
