"""For tests of retention: the whole way of an erasure, and what must be the same before and after it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from claims.models import ClaimRow, DecisionRow, Determination, ListingRow
from claims.queries.listing import stale
from foundation.actors import Actor, Assurance, Role
from foundation.blobs import BlobStore
from foundation.clock import SHANGHAI
from foundation.jobs import Job
from foundation.privacy.holds import set_hold
from foundation.privacy.retention import shipped
from foundation.runtime import Runtime, set_current
from foundation.upkeep import Upkeep
from payments.models import Batch, LedgerEntry, Payable, Payment
from reports.audit import audit_figures
from reports.models import IssuedDocument
from reports.programme import programme_figures
from tests.webapp.conftest import COUNTY, Web
from webapp.celery_app import carry_out_here
from webapp.demo_actors import SYSTEM
from webapp.retention import Plan, plan
from webapp.services import erasures

POLICY = "FPB-370323-2020-S"
PAID_UNTIL = date(2051, 12, 31)
"""The last day of vouchers of 2021, the year in which the county of these tests was paid."""
REFUSED_UNTIL = date(2031, 1, 5)
"""Ten years after the determination of 2021-01-05, which came after the end of the contract."""


ERASED_CLAIMS = "claim WHERE sealed = 'erased'"


def officer(number: int) -> Actor:
    person = f"security-{number}"
    return Actor(person, f"account-{person}", Role.SEC_ADMIN, COUNTY, person, Assurance.STEP_UP)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)


def runtime_on(web: Web, folder: Path) -> Runtime:
    """What the background works with, on a database of the web and its clock."""
    files = BlobStore(folder / "files", web.sealer)
    runtime = Runtime(web.database, web.sealer, web.clock, SYSTEM, files=files, anchors=folder / "heads")
    set_current(runtime)
    return runtime


def planned(web: Web, day: date) -> Plan:
    with web.database.reading() as session:
        return plan(session, web.sealer, shipped(), day)


def due(web: Web, day: date) -> dict[str, int]:
    return {group.code: len(group.due) for group in planned(web, day).groups if group.due}


def ask(web: Web, day: date) -> str:
    web.clock.at = noon(day)
    with web.database.transaction() as session:
        return erasures.ask(session, web.sealer, officer(1), web.clock.now())


def approve(web: Web, upkeep_id: str) -> str:
    with web.database.transaction() as session:
        return erasures.approve(session, officer(2), web.clock.now(), upkeep_id)


def erase(web: Web, day: date) -> str:
    """The whole way, as people and a worker go it; the upkeep."""
    upkeep_id = ask(web, day)
    carry_out_here("retention.erase", [approve(web, upkeep_id)])
    with web.database.reading() as session:
        assert session.scalars(select(Job.state).where(Job.kind == "retention.erase")).one() == "done"
        assert session.get_one(Upkeep, upkeep_id).state == "finished"
    return upkeep_id


def count(web: Web, condition: str) -> int:
    with web.database.reading() as session:
        return int(session.scalar(text(f"SELECT COUNT(*) FROM {condition}")) or 0)


def hold(web: Web, subject: str, subject_id: str, actor: Actor | None = None) -> str:
    with web.database.transaction() as session:
        return set_hold(
            session,
            web.sealer,
            actor or officer(1),
            web.clock.now(),
            subject,
            subject_id,
            "某案在审,资料须保全",
        )


def a_paid_claim(web: Web) -> Any:
    with web.database.reading() as session:
        return session.execute(
            select(
                ClaimRow.id,
                ClaimRow.household_id,
                Determination.id.label("determination_id"),
                Payment.batch_id,
            )
            .join(Determination, Determination.claim_id == ClaimRow.id)
            .join(Payable, Payable.determination_id == Determination.id)
            .join(Payment, Payment.payable_id == Payable.id)
            .order_by(ClaimRow.claim_no)
            .limit(1)
        ).one()


def personal(web: Web) -> list[tuple[str, str]]:
    """(place, value) of everything sealed or looked up about insured people, as the database holds it."""
    found: list[tuple[str, str]] = []
    with web.database.reading() as session:
        for table, column in (
            ("claim", "sealed"), ("claim", "id_lookup"), ("claim", "name_lookup"), ("decision", "sealed"),
            ("payable", "sealed"), ("payment", "sealed"), ("payment", "account_lookup"), ("income", "sealed"),
            ("bank_account", "sealed"), ("bank_account", "account_lookup"), ("cover", "sealed"), ("person", "sealed"),
            ("person", "id_lookup"), ("person", "name_lookup"), ("feed_row", "sealed"), ("feed_row", "id_lookup"),
        ):  # fmt: skip
            rows = session.execute(text(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL"))
            found += [(f"{table}.{column} {row[0]}", row[1]) for row in rows]
    return found


def sums(web: Web) -> dict[str, Any]:
    """Everything about money and decisions that must be the same before and after."""
    with web.database.reading() as session:
        audit = audit_figures(session, web.sealer, POLICY)
        programme = programme_figures(session, web.sealer, POLICY)
        tables = {
            "ledger": (LedgerEntry.amount_fen, LedgerEntry.id),
            "payments": (Payment.amount_fen, Payment.reference),
            "payables": (Payable.amount_fen, Payable.id),
            "determinations": (Determination.amount_fen, Determination.id),
            "batches": (Batch.total_fen, Batch.content_digest),
            "listing": (ListingRow.payable_fen, ListingRow.reasons),
            "decisions": (DecisionRow.payable_fen, DecisionRow.digest),
            "claims": (ClaimRow.claim_no, ClaimRow.digest),
            "documents": (IssuedDocument.name, IssuedDocument.sha256),
        }
        return {
            **{name: sorted(map(tuple, session.execute(select(*columns)))) for name, columns in tables.items()},
            "controls": [(c.name, c.count, c.amount_fen, c.count_off, c.amount_off_fen) for c in audit.controls],
            "findings": [(t.code, t.found) for t in (*audit.duplicates, *audit.segregation)],
            "tested": [
                (t.code, t.tested) for t in (*audit.duplicates, *audit.segregation)
                if t.code not in ("D8", "D9", "D11", "D12")
            ],
            "accounts": [asdict(account) for account in audit.accounts],
            "paid": [(c.reference, c.claim_no, c.paid_fen, c.determined_fen, c.town) for c in audit.cases],
            "by line": [(t.name, t.claims, t.approved, t.amount_fen) for t in programme.by_line],
            "by town": [(t.name, t.claims, t.approved, t.amount_fen) for t in programme.by_town],
            "covered": (programme.covered_people, programme.covered_households, programme.covered_by_category),
            "money": (programme.sent_fen, programme.received_fen, programme.total.amount_fen),
            "stale": stale(session),
        }  # fmt: skip
