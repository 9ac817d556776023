"""Tasks of the register: what does not fit together is put before a person, once, and never settled by the program."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.database import bulk_insert, table_of
from foundation.privacy.erasing import parts
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.people import HouseholdRow
from households.models.proposals import RegistryTask


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: a kind of `TASK_KINDS`, whom it is about, and the details."""

    kind: str
    household_id: str | None
    person_id: str | None
    details: dict[str, Any]


def open_tasks(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, findings: Sequence[Finding]
) -> int:
    """Opens a task for each finding that has none yet, open or settled; how many. What was settled stays so."""
    by_digest = {_digest(sealer, finding): finding for finding in findings}
    if not by_digest:
        return 0
    digests = list(by_digest)
    known: set[str] = set()
    for part in parts(digests):
        some = RegistryTask.digest.in_(part)
        known.update(session.scalars(select(RegistryTask.digest).where(some)))
    fresh = {digest: finding for digest, finding in by_digest.items() if digest not in known}
    villages = _villages(session, [item.household_id for item in fresh.values() if item.household_id])
    rows: list[dict[str, Any]] = []
    for digest, finding in fresh.items():
        identity = secrets.token_hex(16)
        text = orjson.dumps(finding.details, option=orjson.OPT_SORT_KEYS)
        rows.append(
            {
                "id": identity,
                "kind": finding.kind,
                "state": "open",
                "household_id": finding.household_id,
                "person_id": finding.person_id,
                "village_code": villages.get(finding.household_id or ""),
                "sealed": sealer.seal("registry_task", "sealed", identity, text),
                "digest": digest,
                "opened_at": at,
                "settled_by": None,
                "settled_at": None,
                "settlement": None,
            }
        )
    bulk_insert(session, table_of(RegistryTask), rows)
    changes = [
        Change("registry_task.opened", "registry_task", row["id"], after=row["digest"], reason=row["kind"])
        for row in rows
    ]
    record(session, actor, at, changes)
    return len(rows)


def _digest(sealer: Sealer, finding: Finding) -> str:
    content = [finding.kind, finding.household_id, finding.person_id, finding.details]
    return sealer.digest("registry_task", orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def _villages(session: Session, household_ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts(household_ids):
        some = HouseholdRow.id.in_(part)
        query = select(HouseholdRow.id, HouseholdRow.village_code).where(some)
        found.update(dict(session.execute(query).all()))
    return found
