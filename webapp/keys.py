"""The keys of an installation, as its page and its command line show them: what is under each, and past rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.blobs import BlobStore
from foundation.database import Database, sealed_columns
from foundation.jobs import Job
from foundation.keyfile import KeyCheck, former_keys, waiting_keys
from foundation.rotation import running_upkeep, why_not_retire
from foundation.sealing import Sealer
from foundation.trail.events import Event
from foundation.upkeep import ROTATION, Upkeep
from foundation.vault import Vault

ROTATE = "keys.rotate"
"""Kind of the job; its subject is the rotation."""

Pair = tuple[str, str]

KEY_STATES: Mapping[str, tuple[str, str, str]] = {
    "current": ("ok", "在用", "current"),
    "former": ("warn", "旧密钥,可读", "former, readable"),
    "waiting": ("info", "已备好,未启用", "ready, not in use yet"),
    "retired": ("neutral", "已停用", "retired"),
}
COLUMN_NAMES: Mapping[str, Pair] = {
    "account.totp_sealed": ("账号的动态口令", "Second factors of accounts"),
    "claim.sealed": ("案件", "Claims"),
    "decision.sealed": ("系统结论", "Decisions"),
    "disclosure.note": ("查看完整信息的说明", "Notes of full views"),
    "export.note": ("导出的说明", "Notes of exports"),
    "household.sealed": ("户", "Households"),
    "kept_answer.sealed": ("接口的保留答复", "Kept answers of the API"),
    "legal_hold.reason": ("暂缓清除的理由", "Reasons of legal holds"),
    "pack_upload.preview": ("县包预览", "Previews of county packs"),
    "payable.sealed": ("应付", "Payables"),
    "payment.sealed": ("付款", "Payments"),
    "person.sealed": ("参保人", "People"),
    "staff_member.sealed": ("工作人员", "Staff"),
    "stored_file.content": ("银行文件和文书", "Bank files and documents"),
}
"""Every sealed column that a rotation seals anew, in words."""
FILES: Pair = ("上传的文件", "Uploaded files")


def vault_of(database: Database, sealer: Sealer, files: BlobStore) -> Vault:
    """What an installation has sealed: every sealed column of the schema, and its folder of uploads."""
    from migrations.schema import METADATA  # the whole schema: a column left out would be lost with its key

    columns = [column for column in sealed_columns(METADATA) if column.table.name != KeyCheck.__tablename__]
    return Vault(database, sealer, columns, files)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key that ever sealed here, or is about to. `since` is None for the key that the installation began with."""

    key_id: str
    cipher: str
    state: str
    since: datetime | None
    retired_at: datetime | None
    cells: Mapping[str, int]
    """By `table.column`."""
    files: int

    @property
    def total(self) -> int:
        """Cells and files."""
        return sum(self.cells.values()) + self.files


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page and the command line show."""

    keys: Sequence[KeyLine]
    running: Upkeep | None
    """The rotation that is under way."""
    job: Job | None
    """Its job; None when it was begun on the command line."""
    past: Sequence[Upkeep]
    unknown: int
    """Cells and files under keys that the key file has not."""
    why_not_retire: Pair | None

    @property
    def left_over(self) -> int:
        """Cells and files that former keys have sealed."""
        return sum(key.total for key in self.keys if key.state == "former")


def overview(session: Session, vault: Vault, at: datetime) -> Overview:
    """Everything about the keys. Reads every sealed column once."""
    vault.sealer.look_again()
    ring = vault.sealer.keys
    counts = vault.count(session)
    files = vault.files.under_each_key()
    rotations = session.scalars(
        select(Upkeep).where(Upkeep.kind == ROTATION).order_by(Upkeep.asked_at.desc(), Upkeep.id)
    ).all()
    running = running_upkeep(session)
    running = running if running is not None and running.kind == ROTATION else None
    retired_at = dict(
        session.execute(select(Event.subject_id, Event.at).where(Event.action == "keys.retired")).all()
    )
    begun = {str(upkeep.key_id): upkeep.asked_at for upkeep in rotations}  # the oldest comes last, and stays
    states = dict.fromkeys(former_keys(ring), "former") | dict.fromkeys(waiting_keys(ring), "waiting")
    gone = set(session.scalars(select(KeyCheck.key_id))) - ring.keys.keys()
    lines = [
        KeyLine(
            key_id,
            "" if key_id in gone else str(ring.keys[key_id].cipher),
            "retired" if key_id in gone else states.get(key_id, "current"),
            begun.get(key_id),
            retired_at.get(key_id) if key_id in gone else None,
            {count.column: count.cells.get(key_id, 0) for count in counts},
            files[key_id],
        )
        for key_id in (*reversed(list(ring.keys)), *sorted(gone))
    ]
    unknown = sum(count.unknown for count in counts)
    unknown += sum(number for key_id, number in files.items() if key_id not in ring.keys)
    return Overview(
        lines,
        running,
        None if running is None else job_of(session, running.id),
        [upkeep for upkeep in rotations if upkeep.state == "finished"],
        unknown,
        why_not_retire(session, vault, counts, at),
    )


def job_of(session: Session, upkeep_id: str) -> Job | None:
    """The job of a rotation."""
    return session.scalars(select(Job).where(Job.kind == ROTATE, Job.subject_id == upkeep_id)).one_or_none()
