"""summary.json: what a run found and did, in figures. Nothing personal stands in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from claims.deciding import Decided
from claims.pack import Pack
from foundation.database import Database
from foundation.files import write_copy
from foundation.money import yuan_text
from foundation.sealing import Sealer
from foundation.trail import Head
from payments.queries import bank_files, batch_warnings, batches, funds_available, withheld
from policies.policy import Policy


def summarise(
    seconds: dict[str, float],
    decided: Sequence[Decided],
    pack: Pack,
    policy: Policy,
    database: Database,
    sealer: Sealer,
    trail: Head,
) -> dict[str, Any]:
    """Counts per outcome, line and reason, control totals, file digests, head of the trail, seconds per stage."""
    decisions = [item.decision for item in decided]
    approved = [item for item in decided if item.decision.outcome == "approve"]
    lines: dict[str, Counter[str]] = {}
    amounts: Counter[str] = Counter()
    for decision in decisions:
        lines.setdefault(decision.line, Counter())[decision.outcome] += 1
        if decision.outcome == "approve":
            amounts[decision.line] += decision.payable_fen
    with database.reading() as session:
        paid = [
            {
                "batch": batch.number,
                "message_id": batch.message_id,
                "state": batch.state,
                "payments": batch.payments,
                "total_yuan": yuan_text(batch.total_fen),
                "warnings": dict(Counter(row[1] for row in batch_warnings(session, sealer, batch.id))),
                "files": {row.name: row.sha256 for row in bank_files(session, batch.id)},
            }
            for batch in batches(session)
        ]
        kept_out = Counter(code for _, code in withheld(session))
        funds = funds_available(session)
    return {
        "policy": {"number": policy.number, "fingerprint": policy.fingerprint},
        "people": len(pack.roster),
        "claims": len(decisions),
        "refused_cells": len(pack.errors),
        "outcomes": dict(sorted(Counter(decision.outcome for decision in decisions).items())),
        "lines": {line: dict(sorted(counts.items())) for line, counts in sorted(lines.items())},
        "reasons": dict(sorted(Counter(code for decision in decisions for code in decision.reasons).items())),
        "approved_people": len({item.facts.claim.id_number for item in approved}),
        "approved_yuan": yuan_text(sum(amounts.values())),
        "approved_yuan_by_line": {line: yuan_text(fen) for line, fen in sorted(amounts.items())},
        "batches": paid,
        "withheld": dict(sorted(kept_out.items())),
        "funds_left_yuan": yuan_text(funds),
        "trail": {"events": trail.events, "root": trail.root},
        "seconds": seconds,
    }


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Writes summary.json, with the digest of every other file beside it."""
    folder = path.parent
    digests = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in (".csv", ".xml", ".pdf") and not file.name.startswith("."):
            digests[file.relative_to(folder).as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    write_copy(path, orjson.dumps({**summary, "files": digests}, option=orjson.OPT_INDENT_2) + b"\n")
