"""Two people start the same thing at the same moment: it happens once, and nobody is told a falsehood."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from claims.models import Determination
from claims.services.determination import determine
from foundation.clock import as_of
from foundation.database import Database
from foundation.errors import ConflictError, NotAllowedError
from foundation.keyfile import open_sealer
from foundation.money import Money
from payments.errors import FundsShort
from payments.models import BankFile, Batch, Payable, Payment
from payments.services.batches import check_batch, make_batch, release_batch
from payments.services.export import PayingAccount, export_batch
from payments.services.owing import owe, record_contribution
from webapp import demo_actors as actors
from webapp.run import Options, run_pack

DAY = date(2020, 12, 31)
AT = as_of(DAY).now()
PAYER = PayingAccount("示例保险", "37050163860000001", None)


def test_three_runs_at_once_are_one_run(small_pack: Path, tmp_path: Path, database_url: str) -> None:
    command = [
        sys.executable,
        "-c",
        "from webapp.cli import main; main()",
        "run",
        str(small_pack),
        "--as-of",
        "2020-12-31",
    ]
    options = ["--database", database_url, "--key-file", str(tmp_path / "key"), "--letters", "0"]
    root = Path(__file__).parents[2]
    runs = [
        subprocess.Popen(
            [*command, *options, "--out", str(tmp_path / f"out{n}")],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for n in range(3)
    ]
    errors = [run.communicate(timeout=300)[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [1, 1, 1], errors
    assert errors == ["", "", ""]
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / f"out{n}" / "payments").iterdir()} for n in range(3)
    ]
    assert files[0] == files[1] == files[2]
    database = Database(database_url)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Determination)) == 157
        assert session.scalar(select(func.count()).select_from(Payable)) == 75
        assert session.scalar(select(func.count()).select_from(Payment)) == 75
        assert session.scalar(select(func.count()).select_from(Batch)) == 1
    database.close()


@pytest.fixture
def decided(small_pack: Path, tmp_path: Path, database_url: str) -> Database:
    key = tmp_path / "key"
    run_pack(
        Options(small_pack, tmp_path / "out", database_url, as_of=DAY, decide_only=True, key_file=key),
        lambda *_: None,
    )
    return Database(database_url)


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """What each work gave, or the error that it raised; all begin at the same moment."""
    results: list[object] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = works[place]()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_each_step_of_paying_has_one_winner(decided: Database, tmp_path: Path) -> None:
    with decided.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")

    def in_transaction(step: Callable[..., object]) -> Callable[[], object]:
        def run() -> object:
            with decided.transaction() as session:
                return step(session)

        return run

    def determined(session: object) -> object:
        done = determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, AT, "FPB-370323-2020-S")  # type: ignore[arg-type]
        return len(done.determined)

    assert sorted(at_once([in_transaction(determined)] * 4), key=str) == [0, 0, 0, 157]
    owed = at_once([in_transaction(lambda s: owe(s, sealer, actors.SYSTEM, AT))] * 4)
    assert sorted(owed, key=str) == [0, 0, 0, 75]
    made = at_once(
        [in_transaction(lambda s: make_batch(s, sealer, actors.MAKER, AT, "FPB-370323-2020-S"))] * 4
    )
    (batch,) = [item for item in made if isinstance(item, Batch)]
    assert made.count(None) == 3
    with pytest.raises(NotAllowedError), decided.transaction() as session:
        check_batch(session, sealer, actors.MAKER, AT, batch.id)
    checked = at_once([in_transaction(lambda s: check_batch(s, sealer, actors.CHECKER, AT, batch.id))] * 4)
    assert sum(isinstance(item, Batch) for item in checked) == 1
    assert sum(isinstance(item, ConflictError) for item in checked) == 3
    with pytest.raises(FundsShort), decided.transaction() as session:
        release_batch(session, actors.RELEASER, AT, batch.id)
    with decided.transaction() as session:
        record_contribution(session, actors.MAKER, AT, "test", "county", Money(10**10))
    released = at_once([in_transaction(lambda s: release_batch(s, actors.RELEASER, AT, batch.id))] * 4)
    assert sum(isinstance(item, Batch) for item in released) == 1
    exported = at_once(
        [
            in_transaction(
                lambda s: [f.sha256 for f in export_batch(s, sealer, actors.RELEASER, AT, batch.id, PAYER)]
            )
        ]
        * 4
    )
    assert isinstance(exported[0], list), exported
    assert exported == [exported[0]] * 4, "a second export gives the same bytes"
    with decided.reading() as session:
        assert session.scalar(select(func.count()).select_from(BankFile)) == 2
    decided.close()
