"""The main job: files in → decisions → determined → paid → bank files → PDFs (design.md §4).

Each stage is one transaction and does what is still missing, so a run that was killed is finished by the next one, and
the same pack again changes nothing. decisions.csv and errors.csv depend on the pack alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import Session

from claims.deciding import DECISION_COLUMNS, decision_rows
from claims.pack import errors_csv
from claims.services.determination import determine
from claims.services.limits import highest_for_a_household
from claims.services.pack import PackTakenIn, take_in_pack
from claims.services.reading import read_whole_pack
from foundation.clock import Clock, SystemClock, as_of, business_day
from foundation.csvfiles import csv_bytes
from foundation.database import Database, one_at_a_time
from foundation.errors import Fault, UnusableInput
from foundation.files import load, write_copy
from foundation.money import MOST_FEN, Money
from foundation.runtime import Runtime
from foundation.sealing import Erased, Sealer
from foundation.trail.sealing import BEFORE_A_REPORT, Head, seal_trail
from households.queries import insured_people
from payments.models import Batch
from payments.queries import bank_files, batches, funds_available
from payments.services.batches import check_batch, make_batch, release_batch
from payments.services.owing import owe, record_contribution
from policies.policy import Policy
from webapp import demo_actors as actors
from webapp.documents import issue_documents
from webapp.jobs import carry_out
from webapp.opening import opened
from webapp.settings import default_database
from webapp.summary import summarise

Progress = Callable[[str, str], None]
"""Called at the start of every stage with its name in Chinese and in English."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the main job is asked to do. `letters` is how many decision letters to print; None is all of them."""

    pack: Path
    out: Path
    database: str | None = None
    as_of: date | None = None
    decide_only: bool = False
    letters: int | None = 20
    key_file: Path | None = None


@dataclass(slots=True)
class Run:
    """A run under way and what came of it."""

    options: Options
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    taken_in: PackTakenIn | None = None
    written: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that this run wrote, by its name in the results' folder."""
    summary: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, content: bytes) -> None:
        """Writes a copy into the results' folder."""
        write_copy(self.options.out / name, content)
        self.written[name] = hashlib.sha256(content).hexdigest()

    @contextmanager
    def stage(self, key: str, zh: str, en: str) -> Iterator[None]:
        """One stage, timed."""
        self.progress(zh, en)
        begun = time.perf_counter()
        yield
        self.seconds[key] = round(time.perf_counter() - begun, 3)


STAGES = 5
"""How many stages a whole run has; the progress bar counts them."""


def run_pack(options: Options, progress: Progress) -> Run:
    """Carries out the main job. Raises UnusableInput before anything is written when the input cannot be used."""
    run = Run(options, progress)
    _refuse_folders(options)
    with run.stage("read", "读取文件", "reading the files"):
        policy, files, pack = read_whole_pack(options.pack)
    url = options.database or default_database(options.out)
    clock: Clock = SystemClock() if options.as_of is None else as_of(options.as_of)
    with opened(url, options.key_file, clock) as runtime:
        database, sealer = runtime.database, runtime.sealer
        with run.stage("take_in", "入库并审核", "taking in and deciding"), database.transaction() as session:
            at = clock.now()
            run.taken_in, decided = take_in_pack(session, sealer, actors.SYSTEM, at, pack, files, policy)
            actors.ensure_demo_staff(session, at, highest_for_a_household(session))
        run.write("decisions.csv", csv_bytes(DECISION_COLUMNS, decision_rows(decided)))
        run.write("errors.csv", errors_csv(pack.errors))
        trail, printed = (
            (seal_trail(runtime, BEFORE_A_REPORT), None)
            if options.decide_only
            else _pay(run, runtime, policy)
        )
        with database.reading() as session:
            run.summary = summarise(session, sealer, policy, pack, decided)
        run.summary |= {
            "as_of": business_day(clock.now()).isoformat(),
            "taken_in": asdict(run.taken_in),
            "trail": asdict(trail),
            "trail_on_audit_report": None if printed is None else asdict(printed),
            "seconds": run.seconds,
            "files": dict(sorted(run.written.items())),
        }
        write_copy(
            options.out / "summary.json", orjson.dumps(run.summary, option=orjson.OPT_INDENT_2) + b"\n"
        )
    return run


def _refuse_folders(options: Options) -> None:
    """Folders that cannot serve: one that no file name can be made of, and results among the county's own files."""
    faults = []
    for folder in (options.pack, options.out):
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            faults.append(
                Fault(repr(str(folder)), "文件夹名不是有效的 UTF-8", "the folder's name is not valid UTF-8")
            )
    if not faults and options.pack.resolve() == options.out.resolve():
        faults.append(
            Fault(
                str(options.out),
                "结果不能写入县包文件夹,请另选",
                "results cannot go into the pack; choose another folder",
            )
        )
    if faults:
        raise UnusableInput(faults)


def _pay(run: Run, runtime: Runtime, policy: Policy) -> tuple[Head, Head | None]:
    """Determination, payment and documents; the head of the trail at the end, and the one on the audit report."""
    options, database, sealer, clock = run.options, runtime.database, runtime.sealer, runtime.clock
    with run.stage("determine", "核定", "determining"), database.transaction() as session:
        at = clock.now()
        _determine(session, sealer, at, policy)
        premium = Money(policy.premium_per_head_fen * insured_people(session, policy.number))
        if premium > 0:
            record_contribution(
                session, actors.MAKER, at, f"premium:{policy.number}", policy.purchaser, premium
            )
        owe(session, sealer, actors.SYSTEM, at)
    with run.stage("pay", "组批付款", "batching and paying"):
        _batch(database, sealer, clock, policy)
        carry_out(database, clock, "bank_files", _exportable(database, policy))
        for name, content in _bank_file_copies(database, sealer, policy):
            run.write(f"payments/{name}", content)
    with run.stage("documents", "打印文书", "printing the documents"):
        return issue_documents(runtime, policy, run.write, options.letters)


def _determine(session: Session, sealer: Sealer, at: datetime, policy: Policy) -> None:
    """Determines all that can be; the demo's limit is raised where a claim decided again came out higher."""
    needed = 0
    while True:
        done = determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, at, policy.number)
        if not needed < done.needed_fen <= MOST_FEN:
            return
        needed = done.needed_fen
        actors.ensure_demo_staff(session, at, needed)


def _batch(database: Database, sealer: Sealer, clock: Clock, policy: Policy) -> None:
    """Takes every open batch one step further until all are released; makes one of what is pending first."""
    with database.transaction() as session:
        make_batch(session, sealer, actors.MAKER, clock.now(), policy.number)
    for state in ("made", "checked"):
        with database.transaction() as session:
            # A second run on the same database waits here, and then finds nothing left to do.
            one_at_a_time(session, "payments")
            for batch in [batch for batch in batches(session, policy.number) if batch.state == state]:
                at = clock.now()
                if state == "made":
                    check_batch(session, sealer, actors.CHECKER, at, batch.id)
                else:
                    _cover_shortfall(session, at, policy, batch)
                    release_batch(session, actors.RELEASER, at, batch.id)


def _cover_shortfall(session: Session, at: datetime, policy: Policy, batch: Batch) -> None:
    """The demo's county makes up what the premium does not cover, as the model contract has it."""
    short = batch.total_fen - funds_available(session)
    if short > 0:
        record_contribution(
            session, actors.MAKER, at, f"top_up:{batch.number}", policy.purchaser, Money(short)
        )


def _exportable(database: Database, policy: Policy) -> list[str]:
    with database.reading() as session:
        return [batch.id for batch in batches(session, policy.number) if batch.state == "released"]


def _bank_file_copies(database: Database, sealer: Sealer, policy: Policy) -> Iterator[tuple[str, bytes]]:
    with database.reading() as session:
        for batch in batches(session, policy.number):
            for row in bank_files(session, batch.id):
                with suppress(Erased):  # past its term there is no copy to be had
                    yield row.name, load(session, sealer, row.file_id)
