"""The tables of the main job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import foundation.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("payments", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("checked_digest", sa.String(), nullable=True),
        sa.Column("execution_on", sa.Date(), nullable=False),
        sa.Column("persons_required", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=True),
        sa.Column("checked_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("exported_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'exported') = (exported_at IS NOT NULL)", name=op.f("ck_batch_exported")
        ),
        sa.CheckConstraint("(state = 'made') = (checked_by IS NULL)", name=op.f("ck_batch_checked")),
        sa.CheckConstraint(
            "(state IN ('made', 'checked')) = (released_by IS NULL)", name=op.f("ck_batch_released")
        ),
        sa.CheckConstraint(
            "state IN ('made', 'checked', 'released', 'exported')", name=op.f("ck_batch_state")
        ),
        sa.CheckConstraint("checked_by IS NULL OR checked_by <> made_by", name=op.f("ck_batch_checker")),
        sa.CheckConstraint(
            "checked_digest IS NULL OR checked_digest = content_digest", name=op.f("ck_batch_digest")
        ),
        sa.CheckConstraint("payments > 0 AND total_fen > 0", name=op.f("ck_batch_totals")),
        sa.CheckConstraint(
            "persons_required = 2 OR released_by IS NULL OR released_by <> checked_by",
            name=op.f("ck_batch_three"),
        ),
        sa.CheckConstraint("persons_required IN (2, 3)", name=op.f("ck_batch_persons_required")),
        sa.CheckConstraint("released_by IS NULL OR released_by <> made_by", name=op.f("ck_batch_releaser")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("message_id", name=op.f("uq_batch_message_id")),
        sa.UniqueConstraint("number", name=op.f("uq_batch_number")),
        sqlite_strict=True,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("ck_counter_last")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        sqlite_strict=True,
    )
    op.create_table(
        "document_number",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("figures_digest", sa.String(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0 AND year > 2000", name=op.f("ck_document_number_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_number")),
        sa.UniqueConstraint(
            "kind",
            "subject_id",
            "figures_digest",
            name=op.f("uq_document_number_kind_subject_id_figures_digest"),
        ),
        sa.UniqueConstraint("kind", "year", "number", name=op.f("uq_document_number_kind_year_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_document_number_subject_id"), "document_number", ["subject_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_event_subject_id"), "event", ["subject_id"], unique=False)
    op.create_table(
        "fund_receipt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000000000", name=op.f("ck_fund_receipt_amount_fen")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_receipt")),
        sa.UniqueConstraint("number", name=op.f("uq_fund_receipt_number")),
        sa.UniqueConstraint("purpose", name=op.f("uq_fund_receipt_purpose")),
        sqlite_strict=True,
    )
    op.create_table(
        "household",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_no", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("village", sa.String(), nullable=False),
        sa.Column("village_code", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account_lookup", sa.String(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_household_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("household_no", name=op.f("uq_household_household_no")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_household_account_lookup"), "household", ["account_lookup"], unique=False)
    op.create_index(op.f("ix_household_village_code"), "household", ["village_code"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_job_state")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_job_kind_subject_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "key_check",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_check")),
        sqlite_strict=True,
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("debit", sa.String(), nullable=False),
        sa.Column("credit", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "debit IN ('BANK', 'CLAIMS', 'PAYABLE', 'PREMIUM', 'TRANSIT') AND credit IN ('BANK', 'CLAIMS', 'PAYABLE', 'PREMIUM', 'TRANSIT')",
            name=op.f("ck_ledger_entry_known"),
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000000000", name=op.f("ck_ledger_entry_amount_fen")
        ),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_entry_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("event_key", name=op.f("uq_ledger_entry_event_key")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_ledger_entry_credit"), "ledger_entry", ["credit"], unique=False)
    op.create_index(op.f("ix_ledger_entry_debit"), "ledger_entry", ["debit"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("id_lookup", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("id_lookup", name=op.f("uq_person_id_lookup")),
        sqlite_strict=True,
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("taken_in_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_policy_fingerprint")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_policy_number"), "policy", ["number"], unique=False)
    op.create_table(
        "stored_file",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_stored_file_sha256")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_stored_file_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sqlite_strict=True,
    )
    op.create_table(
        "bank_file",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("exported_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "format IN ('pain.001.001.09', 'disbursement_csv')", name=op.f("ck_bank_file_format")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_bank_file_batch_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_bank_file_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("batch_id", "format", name=op.f("uq_bank_file_batch_id_format")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_file_sha256")),
        sqlite_strict=True,
    )
    op.create_table(
        "claim",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("claim_no", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("benefit", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "line IN ('illness', 'education', 'accident', 'income')", name=op.f("ck_claim_line")
        ),
        sa.CheckConstraint(
            "state IN ('review', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_claim_state")
        ),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_claim_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("policy_number", "claim_no", name=op.f("uq_claim_policy_number_claim_no")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_claim_household_id"), "claim", ["household_id"], unique=False)
    op.create_index(op.f("ix_claim_state"), "claim", ["state"], unique=False)
    op.create_table(
        "cover",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("village_code", sa.String(), nullable=False),
        sa.Column("cover_from", sa.Date(), nullable=False),
        sa.Column("cover_to", sa.Date(), nullable=False),
        sa.Column("renewal", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_cover_household_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_cover_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover")),
        sa.UniqueConstraint("policy_number", "person_id", name=op.f("uq_cover_policy_number_person_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cover_household_id"), "cover", ["household_id"], unique=False)
    op.create_index(op.f("ix_cover_person_id"), "cover", ["person_id"], unique=False)
    op.create_table(
        "issued_document",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("figures_digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("issued_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_issued_document_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_document")),
        sa.UniqueConstraint(
            "kind",
            "subject_id",
            "figures_digest",
            name=op.f("uq_issued_document_kind_subject_id_figures_digest"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_issued_document_subject_id"), "issued_document", ["subject_id"], unique=False)
    op.create_table(
        "pack_intake",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.String(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("refused_cells", sa.BigInteger(), nullable=False),
        sa.Column("taken_in_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_pack_intake_policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_intake")),
        sa.UniqueConstraint("sequence", name=op.f("uq_pack_intake_sequence")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_pack_intake_digest"), "pack_intake", ["digest"], unique=False)
    op.create_index(op.f("ix_pack_intake_policy_number"), "pack_intake", ["policy_number"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("entitled_fen", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome <> 'approve' OR (payable_fen > 0 AND reasons = '')", name=op.f("ck_decision_approve")
        ),
        sa.CheckConstraint("outcome <> 'reject' OR payable_fen = 0", name=op.f("ck_decision_reject")),
        sa.CheckConstraint(
            "outcome IN ('approve', 'reject', 'supplement', 'refer')", name=op.f("ck_decision_outcome")
        ),
        sa.CheckConstraint(
            "entitled_fen >= 0 AND entitled_fen <= 100000000000000", name=op.f("ck_decision_entitled_fen")
        ),
        sa.CheckConstraint(
            "payable_fen >= 0 AND payable_fen <= 100000000000000", name=op.f("ck_decision_payable_fen")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_decision_claim_id")),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_decision_policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("claim_id", "sequence", name=op.f("uq_decision_claim_id_sequence")),
        sqlite_strict=True,
    )
    op.create_table(
        "determination",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("recommended_by", sa.String(), nullable=False),
        sa.Column("determined_by", sa.String(), nullable=False),
        sa.Column("determined_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'approve') = (amount_fen > 0)", name=op.f("ck_determination_amount_fen")
        ),
        sa.CheckConstraint("outcome IN ('approve', 'reject')", name=op.f("ck_determination_outcome")),
        sa.CheckConstraint("number > 0", name=op.f("ck_determination_number")),
        sa.CheckConstraint("recommended_by <> determined_by", name=op.f("ck_determination_two_persons")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_determination_claim_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_determination_decision_id")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_determination_household_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_determination")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_determination_claim_id")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_determination_decision_id")),
        sa.UniqueConstraint("household_id", "number", name=op.f("uq_determination_household_id_number")),
        sqlite_strict=True,
    )
    op.create_table(
        "review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=True),
        sa.Column("opened_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("(reason = 'gone') = (decision_id IS NULL)", name=op.f("ck_review_decision_id")),
        sa.CheckConstraint("reason IN ('otherwise', 'gone')", name=op.f("ck_review_reason")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_review_claim_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_review_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("claim_id", "decision_id", name=op.f("uq_review_claim_id_decision_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "payable",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("determination_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("withheld_code", sa.String(), nullable=True),
        sa.Column("created_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'withheld') = (withheld_code IS NOT NULL)", name=op.f("ck_payable_withheld")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'withheld', 'batched', 'sent')", name=op.f("ck_payable_state")
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000000000", name=op.f("ck_payable_amount_fen")
        ),
        sa.ForeignKeyConstraint(
            ["determination_id"], ["determination.id"], name=op.f("fk_payable_determination_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payable")),
        sa.UniqueConstraint("determination_id", name=op.f("uq_payable_determination_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payable_state"), "payable", ["state"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("payable_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("account_lookup", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('batched', 'sent')", name=op.f("ck_payment_state")),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000000000", name=op.f("ck_payment_amount_fen")
        ),
        sa.CheckConstraint("attempt > 0 AND sequence > 0", name=op.f("ck_payment_numbers")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_payment_batch_id")),
        sa.ForeignKeyConstraint(["payable_id"], ["payable.id"], name=op.f("fk_payment_payable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("batch_id", "sequence", name=op.f("uq_payment_batch_id_sequence")),
        sa.UniqueConstraint("payable_id", "attempt", name=op.f("uq_payment_payable_id_attempt")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_reference")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_account_lookup"), "payment", ["account_lookup"], unique=False)
    op.create_index(
        "uq_payment_live",
        "payment",
        ["payable_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('batched', 'sent')"),
        postgresql_where=sa.text("state IN ('batched', 'sent')"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_payment_live",
        table_name="payment",
        sqlite_where=sa.text("state IN ('batched', 'sent')"),
        postgresql_where=sa.text("state IN ('batched', 'sent')"),
    )
    op.drop_index(op.f("ix_payment_account_lookup"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(op.f("ix_payable_state"), table_name="payable")
    op.drop_table("payable")
    op.drop_table("review")
    op.drop_table("determination")
    op.drop_table("decision")
    op.drop_index(op.f("ix_pack_intake_policy_number"), table_name="pack_intake")
    op.drop_index(op.f("ix_pack_intake_digest"), table_name="pack_intake")
    op.drop_table("pack_intake")
    op.drop_index(op.f("ix_issued_document_subject_id"), table_name="issued_document")
    op.drop_table("issued_document")
    op.drop_index(op.f("ix_cover_person_id"), table_name="cover")
    op.drop_index(op.f("ix_cover_household_id"), table_name="cover")
    op.drop_table("cover")
    op.drop_index(op.f("ix_claim_state"), table_name="claim")
    op.drop_index(op.f("ix_claim_household_id"), table_name="claim")
    op.drop_table("claim")
    op.drop_table("bank_file")
    op.drop_table("stored_file")
    op.drop_index(op.f("ix_policy_number"), table_name="policy")
    op.drop_table("policy")
    op.drop_table("person")
    op.drop_index(op.f("ix_ledger_entry_debit"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_credit"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("key_check")
    op.drop_table("job")
    op.drop_index(op.f("ix_household_village_code"), table_name="household")
    op.drop_index(op.f("ix_household_account_lookup"), table_name="household")
    op.drop_table("household")
    op.drop_table("fund_receipt")
    op.drop_index(op.f("ix_event_subject_id"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_document_number_subject_id"), table_name="document_number")
    op.drop_table("document_number")
    op.drop_table("counter")
    op.drop_table("batch")
