"""Tables of paying: money received, what is owed, batches and their payments, bank files, the ledger.

The central guard: at most one live payment for a payable, by a partial unique index. What is paid to whom is frozen
when the payment is put into its batch.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import ERASING, Guard, append_only, frozen, only_moves, sealed_only_anew, set_once
from foundation.money import MOST_FEN
from payments.states import BATCH_MOVES, PAYABLE_MOVES, PAYMENT_MOVES

_SUM = f"amount_fen > 0 AND amount_fen <= {MOST_FEN}"
_LIVE = text("state IN ('batched', 'sent')")


class FundReceipt(Base):
    """Money received for the programme: the county's contribution."""

    __tablename__ = "fund_receipt"
    __table_args__ = strict(
        UniqueConstraint("number"), UniqueConstraint("purpose"), CheckConstraint(_SUM, name="amount_fen")
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(String)
    """What it is for, once: `premium:<policy number>`, `top_up:<batch number>`."""
    payer: Mapped[str] = mapped_column(String)
    received_on: Mapped[date] = mapped_column(Date)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(String)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Payable(Base):
    """What a determination owes, once; the payee is the one that the decision froze."""

    __tablename__ = "payable"
    __table_args__ = strict(
        UniqueConstraint("determination_id"),
        CheckConstraint(_SUM, name="amount_fen"),
        CheckConstraint("state IN ('pending', 'withheld', 'batched', 'sent')", name="state"),
        CheckConstraint("(state = 'withheld') = (withheld_code IS NOT NULL)", name="withheld"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    determination_id: Mapped[str] = mapped_column(ForeignKey("determination.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    """Order in which payables arose: the order of determination."""
    policy_number: Mapped[str] = mapped_column(String)
    town: Mapped[str] = mapped_column(String)
    line: Mapped[str] = mapped_column(String)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {payee_account, payee_name, bank_code}."""
    state: Mapped[str] = mapped_column(String, index=True)
    withheld_code: Mapped[str | None] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Batch(Base):
    """A payment batch with its control totals. Maker, checker and releaser are persons, never accounts."""

    __tablename__ = "batch"
    __table_args__ = strict(
        UniqueConstraint("number"),
        UniqueConstraint("message_id"),
        CheckConstraint("state IN ('made', 'checked', 'released', 'exported')", name="state"),
        CheckConstraint("payments > 0 AND total_fen > 0", name="totals"),
        CheckConstraint("persons_required IN (2, 3)", name="persons_required"),
        CheckConstraint("checked_by IS NULL OR checked_by <> made_by", name="checker"),
        CheckConstraint("released_by IS NULL OR released_by <> made_by", name="releaser"),
        CheckConstraint(
            "persons_required = 2 OR released_by IS NULL OR released_by <> checked_by", name="three"
        ),
        CheckConstraint("(state = 'made') = (checked_by IS NULL)", name="checked"),
        CheckConstraint("(state IN ('made', 'checked')) = (released_by IS NULL)", name="released"),
        CheckConstraint("(state = 'exported') = (exported_at IS NOT NULL)", name="exported"),
        CheckConstraint("checked_digest IS NULL OR checked_digest = content_digest", name="digest"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    policy_number: Mapped[str] = mapped_column(String)
    message_id: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    payments: Mapped[int] = mapped_column(BigInteger)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    content_digest: Mapped[str] = mapped_column(String)
    """SHA-256 over reference, amount and keyed account of every line: what was checked is what is exported."""
    checked_digest: Mapped[str | None] = mapped_column(String)
    execution_on: Mapped[date] = mapped_column(Date)
    persons_required: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String)
    made_at: Mapped[datetime] = mapped_column(Instant)
    checked_by: Mapped[str | None] = mapped_column(String)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    released_by: Mapped[str | None] = mapped_column(String)
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    exported_at: Mapped[datetime | None] = mapped_column(Instant)


class Payment(Base):
    """One attempt to pay one payable: a line of a batch, with a reference that is unique for ever."""

    __tablename__ = "payment"
    __table_args__ = strict(
        UniqueConstraint("reference"),
        UniqueConstraint("batch_id", "sequence"),
        UniqueConstraint("payable_id", "attempt"),
        Index("uq_payment_live", "payable_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        CheckConstraint(_SUM, name="amount_fen"),
        CheckConstraint("state IN ('batched', 'sent')", name="state"),
        CheckConstraint("attempt > 0 AND sequence > 0", name="numbers"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    payable_id: Mapped[str] = mapped_column(ForeignKey("payable.id"))
    attempt: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"))
    sequence: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(String)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {payee_account, payee_name, bank_code} as paid."""
    account_lookup: Mapped[str] = mapped_column(String, index=True)
    state: Mapped[str] = mapped_column(String)


class BankFile(Base):
    """The exported bytes of a batch in one format; a second export is this row again."""

    __tablename__ = "bank_file"
    __table_args__ = strict(
        UniqueConstraint("batch_id", "format"),
        UniqueConstraint("sha256"),
        CheckConstraint("format IN ('pain.001.001.09', 'disbursement_csv')", name="format"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"))
    format: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String)
    file_id: Mapped[str] = mapped_column(ForeignKey("stored_file.id"))
    sha256: Mapped[str] = mapped_column(String)
    exported_at: Mapped[datetime] = mapped_column(Instant)


class LedgerEntry(Base):
    """One debit and one credit of one sum: every row balances by construction, and is never changed."""

    __tablename__ = "ledger_entry"
    __table_args__ = strict(
        UniqueConstraint("event_key"),
        CheckConstraint(_SUM, name="amount_fen"),
        CheckConstraint("debit <> credit", name="accounts"),
        CheckConstraint(
            "debit IN ('BANK', 'CLAIMS', 'PAYABLE', 'PREMIUM', 'TRANSIT') "
            "AND credit IN ('BANK', 'CLAIMS', 'PAYABLE', 'PREMIUM', 'TRANSIT')",
            name="known",
        ),
        Index(None, "debit"),
        Index(None, "credit"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    event_key: Mapped[str] = mapped_column(String)
    """What it books, once: `payable:<id>:approved`, `payment:<id>:exported`."""
    debit: Mapped[str] = mapped_column(String)
    credit: Mapped[str] = mapped_column(String)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    booked_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


_ACTED = (
    "EXISTS (SELECT 1 FROM payment JOIN payable ON payable.id = payment.payable_id "
    "JOIN determination ON determination.id = payable.determination_id WHERE payment.batch_id = NEW.id AND "
    "(determination.recommended_by IN (NEW.made_by, NEW.checked_by, NEW.released_by) "
    "OR determination.determined_by IN (NEW.made_by, NEW.checked_by, NEW.released_by)))"
)

GUARDS = [
    *append_only("fund_receipt", "id", "number", "purpose"),
    *append_only("bank_file", "id", "sha256"),
    *append_only("ledger_entry", "id", "event_key"),
    *frozen(
        "payable",
        ("id", "determination_id", "number", "policy_number", "town", "line", "amount_fen"),
    ),
    *sealed_only_anew("payable", "sealed"),
    only_moves("payable", PAYABLE_MOVES),
    Guard(
        "payable_agrees",
        "payable",
        "BEFORE INSERT",
        "NOT EXISTS (SELECT 1 FROM determination WHERE determination.id = NEW.determination_id "
        "AND determination.outcome = 'approve' AND determination.amount_fen = NEW.amount_fen)",
    ),
    *frozen(
        "payment",
        ("id", "payable_id", "attempt", "batch_id", "sequence", "reference", "amount_fen"),
    ),
    *sealed_only_anew("payment", "sealed"),
    Guard(
        "payment_account_kept",
        "payment",
        "BEFORE UPDATE",
        "OLD.account_lookup <> NEW.account_lookup AND NOT "
        f"(NEW.account_lookup = 'erased' AND NEW.sealed = 'erased' AND {ERASING})",
    ),
    only_moves("payment", PAYMENT_MOVES),
    Guard(
        "payment_agrees",
        "payment",
        "BEFORE INSERT",
        "NOT EXISTS (SELECT 1 FROM payable WHERE payable.id = NEW.payable_id AND payable.amount_fen = NEW.amount_fen)",
    ),
    Guard(
        "payment_batch_open",
        "payment",
        "BEFORE INSERT",
        "NOT EXISTS (SELECT 1 FROM batch WHERE batch.id = NEW.batch_id AND batch.state = 'made')",
    ),
    *frozen(
        "batch",
        (
            "id",
            "number",
            "policy_number",
            "message_id",
            "payments",
            "total_fen",
            "content_digest",
            "execution_on",
            "persons_required",
            "made_by",
            "made_at",
        ),
    ),
    set_once(
        "batch", ("checked_by", "checked_at", "checked_digest", "released_by", "released_at", "exported_at")
    ),
    only_moves("batch", BATCH_MOVES),
    Guard("batch_segregation", "batch", "BEFORE UPDATE", _ACTED),
    Guard(
        "batch_totals",
        "batch",
        "BEFORE UPDATE",
        "OLD.state = 'made' AND NEW.state = 'checked' AND "
        "(SELECT COUNT(*) FROM payment WHERE payment.batch_id = NEW.id) <> NEW.payments OR "
        "OLD.state = 'made' AND NEW.state = 'checked' AND "
        "(SELECT SUM(amount_fen) FROM payment WHERE payment.batch_id = NEW.id) <> NEW.total_fen",
    ),
]
