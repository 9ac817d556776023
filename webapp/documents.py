"""The documents of a run (filled in with the reports)."""

from __future__ import annotations

from pathlib import Path

from foundation.clock import Clock
from foundation.database import Database
from foundation.sealing import Sealer
from foundation.trail import Head, head
from policies.policy import Policy


def issue_documents(
    database: Database, sealer: Sealer, clock: Clock, policy: Policy, folder: Path, letters: int | None
) -> Head:
    with database.reading() as session:
        return head(session)
