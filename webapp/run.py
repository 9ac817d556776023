"""The main job: files in → decisions → determined → paid → bank files → PDFs (design.md §4).

Each stage is one transaction and does what is still missing, so a run that was killed is finished by the next one, and
the same pack again changes nothing. decisions.csv and errors.csv depend on the pack alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from claims.deciding import DECISION_COLUMNS, PackCase, decision_rows
from claims.pack import POLICY_FILE, Pack, errors_csv, read_pack
from claims.services.determination import determine
from claims.services.pack import PackTakenIn, pack_files, take_in_pack
from foundation.clock import Clock, SystemClock, as_of
from foundation.csvfiles import csv_bytes
from foundation.database import Database, migrate, one_at_a_time
from foundation.errors import Fault, UnusableInput
from foundation.files import load, write_copy
from foundation.keyfile import open_sealer
from foundation.money import Money
from foundation.runtime import Runtime, set_current
from foundation.sealing import Sealer
from foundation.trail import Head, head
from households.queries import insured_people
from payments.models import Batch
from payments.queries import bank_files, batches, funds_available
from payments.services import (
    check_batch,
    make_batch,
    owe,
    record_contribution,
    reference_prefix,
    release_batch,
)
from policies.policy import Policy
from policies.policy_file import load_policy
from webapp import demo_actors as actors
from webapp.documents import issue_documents
from webapp.jobs import carry_out
from webapp.settings import default_database, default_key_file
from webapp.summary import summarise, write_summary

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
    determined: int = 0
    owed: int = 0
    summary: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def stage(self, key: str, zh: str, en: str) -> Iterator[None]:
        """One stage, timed."""
        self.progress(zh, en)
        begun = time.perf_counter()
        yield
        self.seconds[key] = round(time.perf_counter() - begun, 3)


STAGES = 7
"""How many stages a whole run has; the progress bar counts them."""


def run_pack(options: Options, progress: Progress) -> Run:
    """Carries out the main job. Raises UnusableInput before anything is written when the input cannot be used."""
    run = Run(options, progress)
    with run.stage("read", "读取文件", "reading the files"):
        policy, files, pack = read_input(options.pack)
    with run.stage("decide", "审核案件", "deciding the claims"):
        decided = PackCase(pack.roster, pack.claims, pack.feeds, policy).decide_all()
    url = options.database or default_database(options.out)
    clock: Clock = SystemClock() if options.as_of is None else as_of(options.as_of)
    migrate(url)
    database = Database(url)
    try:
        with database.transaction() as session:
            sealer = open_sealer(session, options.key_file or default_key_file(url))
        set_current(Runtime(database, sealer, clock, actors.SYSTEM, actors.NAMES))
        with run.stage("take_in", "入库", "taking in"), database.transaction() as session:
            run.taken_in = take_in_pack(
                session, sealer, actors.SYSTEM, clock.now(), pack, files, policy, decided
            )
        write_copy(options.out / "decisions.csv", csv_bytes(DECISION_COLUMNS, decision_rows(decided)))
        write_copy(options.out / "errors.csv", errors_csv(pack.errors))
        trail = _pay(run, database, sealer, clock, policy) if not options.decide_only else _head(database)
        run.summary = summarise(run.seconds, decided, pack, policy, database, sealer, trail)
        write_summary(options.out / "summary.json", run.summary)
    finally:
        database.close()
    return run


def read_input(folder: Path) -> tuple[Policy, dict[str, str], Pack]:
    """The policy, file digests and content of a pack. Raises UnusableInput that names every fault of every file."""
    faults: list[Fault] = []
    policy: Policy | None = None
    if (folder / POLICY_FILE).is_file():
        try:
            policy = load_policy(folder / POLICY_FILE)
        except UnusableInput as unusable:
            faults.extend(unusable.faults)
    try:
        files = pack_files(folder)
        pack = read_pack(folder)
    except UnusableInput as unusable:
        raise UnusableInput([*faults, *unusable.faults]) from None
    if policy is None:
        raise UnusableInput(faults)
    return policy, files, pack


def _pay(run: Run, database: Database, sealer: Sealer, clock: Clock, policy: Policy) -> Head:
    """Determination, payment and documents; the head of the trail over what they record."""
    options = run.options
    with run.stage("determine", "核定", "determining"), database.transaction() as session:
        at = clock.now()
        done = determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, at, policy.number)
        run.determined = len(done)
        premium = Money(policy.premium_per_head_fen * insured_people(session, policy.number))
        if premium > 0:
            record_contribution(
                session, actors.MAKER, at, f"premium:{policy.number}", policy.purchaser, premium
            )
        run.owed = owe(session, sealer, actors.SYSTEM, at)
    with run.stage("pay", "组批付款", "batching and paying"):
        _batch(database, sealer, clock, policy)
        carry_out(database, clock, "bank_files", _exportable(database))
        for name, content in _bank_file_copies(database, sealer):
            write_copy(options.out / "payments" / name, content)
    with run.stage("documents", "打印文书", "printing the documents"):
        return issue_documents(database, sealer, clock, policy, options.out / "reports", options.letters)


def _batch(database: Database, sealer: Sealer, clock: Clock, policy: Policy) -> None:
    """Takes every open batch one step further until all are released; makes one of what is pending first."""
    with database.transaction() as session:
        make_batch(session, sealer, actors.MAKER, clock.now(), reference_prefix(policy.number))
    for state in ("made", "checked"):
        with database.transaction() as session:
            # A second run on the same database waits here, and then finds nothing left to do.
            one_at_a_time(session, "payments")
            for batch in [batch for batch in batches(session) if batch.state == state]:
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


def _exportable(database: Database) -> list[str]:
    with database.reading() as session:
        return [batch.id for batch in batches(session) if batch.state == "released"]


def _bank_file_copies(database: Database, sealer: Sealer) -> Iterator[tuple[str, bytes]]:
    with database.reading() as session:
        for batch in batches(session):
            for row in bank_files(session, batch.id):
                yield row.name, load(session, sealer, row.file_id)


def _head(database: Database) -> Head:
    with database.reading() as session:
        return head(session)
