"""Rotation of the sealing key: interrupted at any point, it is resumed by asking again, to the same end.

The new key is put into the key file, readable and not yet current; a row says that it runs; the new key is made the one
that seals; then everything that is under another key is sealed anew, found by the data itself, until nothing is left.
The former key stays readable for a day after that, since a transaction, a paused process or a backup may still need it,
and is then taken out by `retire`. What seals at each moment stands in the key file alone.

The look-up key is not rotated: its digests stand in the append-only trail and are what people are found by.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.clock import SHANGHAI, Clock, stopwatch
from foundation.database import Database, is_sqlite
from foundation.errors import ConfigurationError, ConflictError
from foundation.keyfile import (
    add_check,
    check_keys,
    file_of,
    former_keys,
    hold_key_file,
    keep_copy,
    make_key,
    read_key_file,
    replace_key_file,
    waiting_keys,
    with_current,
    with_key,
    with_keys_of,
    without_former,
)
from foundation.sealing import LOOK_AGAIN_SECONDS, Sealer
from foundation.trail.events import Change, record
from foundation.upkeep import ROTATION, Upkeep
from foundation.vault import ColumnCount, Vault, write

KEEP_FORMER = timedelta(hours=24)
"""How long a former key stays readable after the rotation's end."""
NOTICED_SECONDS = 2 * LOOK_AGAIN_SECONDS
"""By then every other process that seals has noticed the new key."""
LONGEST_WAIT_SECONDS = 60.0
"""How long the last pass waits for transactions that were open before; what they bring later, `retire` finds."""
BREATH_SECONDS = 0.02
"""Pause between two portions, in which others come to write."""

Progress = Callable[[int, int], None]
"""Called with how many cells and files are done and how many there were when it was asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rotation has to seal anew, counted when it is asked for."""

    cells: dict[str, int]
    """By `table.column`."""
    files: int
    left_over: int
    """Cells and files that a former key has sealed, not the current one: an earlier rotation left them."""

    @property
    def total(self) -> int:
        """Cells and files."""
        return sum(self.cells.values()) + self.files

    def text(self) -> str:
        """As the table `upkeep` keeps it."""
        return json.dumps({"cells": self.cells, "files": self.files}, sort_keys=True)


def planned(upkeep: Upkeep) -> int:
    """How many cells and files a rotation had to seal anew when it was asked for."""
    plan: dict[str, Any] = json.loads(upkeep.plan)
    return int(sum(plan["cells"].values()) + plan["files"])


def make_plan(vault: Vault) -> Plan:
    """Counts what is to be sealed anew; reads every sealed column.

    Raises ConfigurationError when something is under a key that the file has not: it could never be finished.
    """
    vault.sealer.look_again()
    ring = vault.sealer.keys
    with vault.database.reading() as session:
        counts = vault.count(session)
    files = vault.files.under_each_key()
    unknown = sum(count.unknown for count in counts)
    unknown += sum(number for key_id, number in files.items() if key_id not in ring.keys)
    if unknown:
        raise ConfigurationError(
            f"有 {unknown} 处密文的密钥不在密钥文件中,请先用 fangpin keys restore 从旧密钥文件找回",
            f"{unknown} sealed values are under keys that the key file has not; bring them back from an older key file "
            "first: fangpin keys restore",
        )
    former = set(ring.keys) - {ring.current}
    left_over = sum(count.cells.get(key_id, 0) for count in counts for key_id in former)
    left_over += sum(files[key_id] for key_id in former)
    wanted = former if left_over else {ring.current}
    cells = {count.column: sum(count.cells.get(key_id, 0) for key_id in wanted) for count in counts}
    there = {column: number for column, number in cells.items() if number}
    return Plan(there, sum(files[key_id] for key_id in wanted), left_over)


def running_upkeep(session: Session) -> Upkeep | None:
    """The rotation or erasure that is under way."""
    return session.scalars(select(Upkeep).where(Upkeep.state == "running")).one_or_none()


def begin(session: Session, vault: Vault, actor: Actor, at: datetime, plan: Plan) -> Upkeep:
    """Begins a rotation: a new key in the key file, and the row that says that it runs. `carry_on` does the work.

    A key that an interrupted beginning left in the file is used instead of a new one. Where a former key has sealed
    something still, no new key is made: that is first sealed anew with the current one. Raises ConflictError while a
    rotation or an erasure is under way, NotAllowedError, and ConfigurationError when the key file cannot be used.
    """
    _refuse_actor(actor)
    hold_key_file(session, vault.sealer)
    running = running_upkeep(session)
    if running is not None:
        raise _under_way(running)
    ring = vault.sealer.keys
    key_id = ring.current if plan.left_over else _next_key(session, vault.sealer)
    upkeep = Upkeep(
        id=secrets.token_hex(16),
        kind=ROTATION,
        state="running",
        key_id=key_id,
        plan=plan.text(),
        asked_by=actor.person,
        asked_at=at,
        done=0,
    )
    session.add(upkeep)
    session.flush()
    reason = f"key={key_id} planned={plan.total}"
    record(session, actor, at, [Change("keys.rotation_started", "upkeep", upkeep.id, reason=reason)])
    return upkeep


def _next_key(session: Session, sealer: Sealer) -> str:
    """The id of a key that is in the file, readable, and has its check in the database."""
    ring = sealer.keys
    waiting = waiting_keys(ring)
    if waiting:
        key_id = waiting[0]
    else:
        key = make_key()
        ring, key_id = with_key(ring, key), key.key_id
        replace_key_file(file_of(sealer), ring)
    add_check(session, Sealer(with_current(ring, key_id)))
    return key_id


def rotate(vault: Vault, actor: Actor, clock: Clock, progress: Progress | None = None) -> Upkeep:
    """Rotates the key from beginning to end, or goes on with the rotation that is under way. Gives it, finished.

    Raises ConflictError while an erasure is under way, NotAllowedError, ConfigurationError.
    """
    with vault.database.reading() as session:
        upkeep = running_upkeep(session)
    if upkeep is None:
        plan = make_plan(vault)
        with vault.database.transaction() as session:
            upkeep = begin(session, vault, actor, clock.now(), plan)
    elif upkeep.kind != ROTATION:
        raise _under_way(upkeep)
    return carry_on(vault, actor, clock, upkeep.id, progress)


def carry_on(
    vault: Vault, actor: Actor, clock: Clock, upkeep_id: str, progress: Progress | None = None
) -> Upkeep:
    """Goes on with a rotation to its end, wherever it stands. Gives it, finished.

    Raises ConfigurationError when the key file is missing or lacks the new key, or when something does not open; the
    rotation then stays under way, and nothing is lost.
    """
    with vault.database.reading() as session:
        upkeep = session.get_one(Upkeep, upkeep_id)
    if upkeep.state != "running":
        return upkeep
    key_id = str(upkeep.key_id)
    _make_current(vault, key_id)
    begun, settled = stopwatch(), False
    work = _Work(vault, upkeep_id, key_id, planned(upkeep), progress)
    while True:
        found = work.one_pass()
        if found == 0 and settled:
            break
        if found == 0:
            _settle(vault.database, begun)
            settled = True
    return _finish(vault, actor, clock.now(), upkeep_id, key_id)


def _make_current(vault: Vault, key_id: str) -> None:
    with vault.database.transaction() as session:
        hold_key_file(session, vault.sealer)
        ring = vault.sealer.keys
        if key_id not in ring.keys:
            raise ConfigurationError(
                "本机的密钥文件中没有本次轮换的新密钥,请从发起轮换的机器复制密钥文件",
                "this machine's key file lacks the new key of the rotation; copy it from where the rotation was begun",
            )
        if ring.current != key_id:
            replace_key_file(file_of(vault.sealer), with_current(ring, key_id))
    vault.must_seal_with(key_id)


class _Work:
    """One rotation at work: passes over everything, until one finds nothing."""

    def __init__(
        self, vault: Vault, upkeep_id: str, key_id: str, total: int, progress: Progress | None
    ) -> None:
        self._vault, self._upkeep_id, self._key_id = vault, upkeep_id, key_id
        self._total, self._progress = total, progress

    def one_pass(self) -> int:
        """Seals anew what it finds; how much that was. Raises ConfigurationError when what is left does not open."""
        found = changed = 0
        faulty: list[str] = []
        for column in self._vault.columns:
            for portion in self._vault.portions(self._key_id, column):
                with self._vault.database.transaction() as session:
                    written = write(session, portion)
                    done = self._count(session, written)
                self._say(done)
                found += len(portion.cells) + len(portion.faulty)
                changed += written
                faulty += portion.faulty
                time.sleep(BREATH_SECONDS)
        for address in self._vault.files.not_under(self._key_id):
            self._vault.must_seal_with(self._key_id)
            found += 1
            try:
                written = int(self._vault.files.seal_anew(address))
            except ConfigurationError:
                faulty.append(f"file {address}")
                continue
            changed += written
            with self._vault.database.transaction() as session:
                done = self._count(session, written)
            self._say(done)
        if faulty and not changed:
            raise ConfigurationError(
                f"有 {len(faulty)} 处密文无法解开(被移动、篡改或损坏),第一处为 {faulty[0]};"
                "轮换未完成,请从备份恢复后继续",
                f"{len(faulty)} sealed values do not open (moved, changed or damaged), the first is {faulty[0]}; "
                "the rotation is not finished: restore them from the backup and go on",
            )
        return found

    def _count(self, session: Session, written: int) -> int:
        """Counts up in the transaction of the change; how many are done."""
        running = (Upkeep.id == self._upkeep_id) & (Upkeep.state == "running")
        session.execute(update(Upkeep).where(running).values(done=Upkeep.done + written))
        return session.scalar(select(Upkeep.done).where(Upkeep.id == self._upkeep_id)) or 0

    def _say(self, done: int) -> None:
        if self._progress is not None:
            self._progress(min(done, self._total), self._total)


def _settle(database: Database, begun: float) -> None:
    """Waits until every other process has noticed the new key, and what was open before then has ended."""
    time.sleep(max(0.0, NOTICED_SECONDS - (stopwatch() - begun)))
    with database.transaction() as session:  # on SQLite that waits for the writer at hand
        if is_sqlite(session):
            return
        moment = session.scalar(select(func.clock_timestamp()))
    open_before = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < :moment"
    )
    give_up = stopwatch() + LONGEST_WAIT_SECONDS
    while stopwatch() < give_up:
        with database.reading() as session:
            if not session.scalar(open_before, {"moment": moment}):
                return
        time.sleep(LOOK_AGAIN_SECONDS / 5)


def _finish(vault: Vault, actor: Actor, at: datetime, upkeep_id: str, key_id: str) -> Upkeep:
    with vault.database.transaction() as session:
        running = (Upkeep.id == upkeep_id) & (Upkeep.state == "running")
        ended = session.execute(update(Upkeep).where(running).values(state="finished", ended_at=at))
        upkeep = session.get_one(Upkeep, upkeep_id, populate_existing=True)
        if ended.rowcount == 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            reason = f"key={key_id} sealed={upkeep.done}"
            record(session, actor, at, [Change("keys.rotated", "upkeep", upkeep_id, reason=reason)])
    return upkeep


# --- the former key goes --------------------------------------------------------------------------------------------


def why_not_retire(
    session: Session, vault: Vault, counts: Sequence[ColumnCount], at: datetime
) -> tuple[str, str] | None:
    """Why the former keys cannot be taken out of the key file yet, in both languages; None when they can.

    `counts` are the vault's.
    """
    former = former_keys(vault.sealer.keys)
    if not former:
        return "密钥文件中没有旧密钥", "there is no former key in the key file"
    running = running_upkeep(session)
    if running is not None:
        refusal = _under_way(running)
        return refusal.zh, refusal.en
    ended = session.scalar(
        select(func.max(Upkeep.ended_at)).where(Upkeep.kind == ROTATION, Upkeep.state == "finished")
    )
    if ended is None:
        return "本数据库没有完成过轮换", "no rotation has ended on this database"
    left = sum(count.cells.get(key_id, 0) for count in counts for key_id in former)
    files = vault.files.under_each_key()
    left += sum(files[key_id] for key_id in former)
    if left:
        return (
            f"还有 {left} 处数据由旧密钥加密,请再执行一次轮换",
            f"a former key still seals {left} values; ask for a rotation once more",
        )
    if at < ended + KEEP_FORMER:
        until = (ended + KEEP_FORMER).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        return (
            f"轮换结束后 24 小时内旧密钥须保留,{until} 以后才能停用",
            f"a former key is kept for 24 hours after the rotation; it can be retired from {until}",
        )
    return None


def retire(vault: Vault, actor: Actor, at: datetime) -> Sequence[str]:
    """Takes the former keys out of the key file; their ids. A copy of the file from before stays beside it.

    The copy is for the security administrator to take away. Raises ConflictError with the reason when the keys have to
    stay, NotAllowedError, ConfigurationError.
    """
    _refuse_actor(actor)
    vault.sealer.look_again()
    with vault.database.reading() as session:
        reason = why_not_retire(session, vault, vault.count(session), at)
    if reason is not None:
        raise ConflictError(*reason)
    # First the event, then the key: interrupted between them, a key is left that can be retired again.
    with vault.database.transaction() as session:
        former = _still_former(session, vault)
        changes = [Change("keys.retired", "key_check", key_id) for key_id in former]
        record(session, actor, at, changes)
    with vault.database.transaction() as session:
        if former != _still_former(session, vault):
            raise ConflictError(
                "密钥文件刚被他人改动,旧密钥未停用,请刷新后再试",
                "somebody else has just changed the key file; nothing was retired, look again",
            )
        file = file_of(vault.sealer)
        keep_copy(file, vault.sealer.keys)
        replace_key_file(file, without_former(vault.sealer.keys))
    vault.sealer.look_again()
    return former


def restore(vault: Vault, actor: Actor, at: datetime, copy: Path) -> Sequence[str]:
    """Makes keys readable again that were retired, from a copy of the key file; their ids. A rotation then reseals.

    Raises NotAllowedError, ConflictError when the copy has none that is missing, ConfigurationError for a copy that
    cannot be read or is another database's.
    """
    _refuse_actor(actor)
    other = read_key_file(copy)
    with vault.database.transaction() as session:
        hold_key_file(session, vault.sealer)
        ring = vault.sealer.keys
        back = [key_id for key_id in other.keys if key_id not in ring.keys]
        if not back:
            raise ConflictError("该副本中没有缺失的密钥", "the copy has no key that is missing")
        check_keys(session, Sealer(other))
        record(session, actor, at, [Change("keys.restored", "key_check", key_id) for key_id in back])
        replace_key_file(file_of(vault.sealer), with_keys_of(ring, other))
    vault.sealer.look_again()
    return back


def _still_former(session: Session, vault: Vault) -> Sequence[str]:
    hold_key_file(session, vault.sealer)
    running = running_upkeep(session)
    if running is not None:
        raise _under_way(running)
    return former_keys(vault.sealer.keys)


def _refuse_actor(actor: Actor) -> None:
    actor.must_be(Role.SEC_ADMIN, Role.SYSTEM)
    actor.must_be_sure(Assurance.STEP_UP, Assurance.PROGRAM)


def _under_way(upkeep: Upkeep) -> ConflictError:
    if upkeep.kind == ROTATION:
        return ConflictError("密钥轮换正在进行", "a rotation of keys is under way")
    return ConflictError(
        "到期清除正在进行,请等它结束",
        "an erasure at the end of retention is under way; wait for its end",
    )
