"""The sealed trail, upkeep of keys and retention, full views, exports, holds and assessments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from foundation.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("fields", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_disclosure_at"), "disclosure", ["at"], unique=False)
    op.create_index(op.f("ix_disclosure_person_seen_on"), "disclosure", ["person", "seen_on"], unique=False)
    op.create_index(op.f("ix_disclosure_subject_id"), "disclosure", ["subject_id"], unique=False)
    op.create_table(
        "export",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("asked_at", Instant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", Instant(timezone=True), nullable=True),
        sa.Column("taken_at", Instant(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'taken') = (sha256 IS NOT NULL)", name=op.f("ck_export_sha256")),
        sa.CheckConstraint("(state = 'taken') = (taken_at IS NOT NULL)", name=op.f("ck_export_taken_at")),
        sa.CheckConstraint(
            "people <= 5000 OR state = 'asked' OR decided_by IS NOT NULL",
            name=op.f("ck_export_second_person"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'approved', 'taken', 'refused', 'lapsed')", name=op.f("ck_export_state")
        ),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_export_decided")),
        sa.CheckConstraint("(sha256 IS NULL) = (size IS NULL)", name=op.f("ck_export_size")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> person", name=op.f("ck_export_two_persons")),
        sa.CheckConstraint("people <= 50 OR purpose IS NOT NULL", name=op.f("ck_export_purpose")),
        sa.CheckConstraint("people >= 0", name=op.f("ck_export_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sa.UniqueConstraint("number", name=op.f("uq_export_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_export_asked_at"), "export", ["asked_at"], unique=False)
    op.create_index(op.f("ix_export_state"), "export", ["state"], unique=False)
    op.create_table(
        "impact_assessment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("risks", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "conclusion IN ('acceptable', 'acceptable_with_measures', 'not_acceptable')",
            name=op.f("ck_impact_assessment_conclusion"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_impact_assessment_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impact_assessment")),
        sa.UniqueConstraint("subject", "version", name=op.f("uq_impact_assessment_subject_version")),
        sqlite_strict=True,
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", Instant(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_at", Instant(timezone=True), nullable=True),
        sa.CheckConstraint("subject IN ('claim', 'household', 'policy')", name=op.f("ck_legal_hold_subject")),
        sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name=op.f("ck_legal_hold_lifted")),
        sa.CheckConstraint(
            "lifted_by IS NULL OR lifted_by <> set_by", name=op.f("ck_legal_hold_two_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_legal_hold_subject_subject_id"), "legal_hold", ["subject", "subject_id"], unique=False
    )
    op.create_table(
        "trail_check",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("checked_at", Instant(timezone=True), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("blocks", sa.BigInteger(), nullable=False),
        sa.Column("unsealed", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint("(fault IS NULL) = well", name=op.f("ck_trail_check_fault")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail_check")),
        sqlite_strict=True,
    )
    op.create_table(
        "upkeep",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", Instant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", Instant(timezone=True), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'rotation') = (key_id IS NOT NULL)", name=op.f("ck_upkeep_key_id")),
        sa.CheckConstraint("(state = 'finished') = (ended_at IS NOT NULL)", name=op.f("ck_upkeep_ended")),
        sa.CheckConstraint(
            "kind = 'rotation' OR state = 'asked' OR decided_by IS NOT NULL",
            name=op.f("ck_upkeep_erasure_decided"),
        ),
        sa.CheckConstraint("kind IN ('rotation', 'erasure')", name=op.f("ck_upkeep_kind")),
        sa.CheckConstraint(
            "state IN ('asked', 'running', 'finished', 'refused')", name=op.f("ck_upkeep_state")
        ),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_upkeep_decided")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_upkeep_two_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upkeep")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_upkeep_running",
        "upkeep",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "trail_block",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("hash_name", sa.String(), nullable=False),
        sa.Column("sealed_at", Instant(timezone=True), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
        sa.CheckConstraint("hash_name IN ('sha256', 'sm3')", name=op.f("ck_trail_block_hash_name")),
        sa.CheckConstraint("events >= number", name=op.f("ck_trail_block_events")),
        sa.CheckConstraint(
            "length(root) = 64 AND length(previous) = 64 AND length(digest) = 64",
            name=op.f("ck_trail_block_digests"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_trail_block_number")),
        sa.ForeignKeyConstraint(["last_event_id"], ["event.id"], name=op.f("fk_trail_block_last_event_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_block")),
        sa.UniqueConstraint("events", name=op.f("uq_trail_block_events")),
        sa.UniqueConstraint("last_event_id", name=op.f("uq_trail_block_last_event_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "trail_leaf",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_trail_leaf_hash")),
        sa.CheckConstraint("number > 0", name=op.f("ck_trail_leaf_number")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_trail_leaf_event_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_trail_leaf_event_id")),
        sqlite_strict=True,
    )
    op.add_column("pack_upload", sa.Column("consent_version", sa.String(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":  # SQLite has TEXT for both
        op.alter_column("key_check", "proof", type_=sa.Text())
