"""The people who work with the system, what they sign in with, and what the web keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import foundation.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_count",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("window_start", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("times > 0", name=op.f("ck_access_count_times")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_count")),
        sa.UniqueConstraint(
            "kind", "whose", "window_start", name=op.f("uq_access_count_kind_whose_window_start")
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_access_count_window_start"), "access_count", ["window_start"], unique=False)
    op.create_table(
        "pack_upload",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("uploaded_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("taken_in_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("changed_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'taken_in') = (taken_in_at IS NOT NULL)", name=op.f("ck_pack_upload_taken_in")
        ),
        sa.CheckConstraint(
            "state IN ('checking', 'ready', 'unusable', 'taking_in', 'taken_in', 'discarded')",
            name=op.f("ck_pack_upload_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_upload")),
        sqlite_strict=True,
    )
    op.create_table(
        "staff_member",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id_lookup", sa.String(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("created_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_member")),
        sa.UniqueConstraint("id_lookup", name=op.f("uq_staff_member_id_lookup")),
        sqlite_strict=True,
    )
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("password_set_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("password_must_change", sa.Boolean(), nullable=False),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_account_state")),
        sa.CheckConstraint(
            "failures >= 0 AND totp_step >= 0 AND version > 0", name=op.f("ck_account_counts")
        ),
        sa.CheckConstraint(
            "totp_confirmed_at IS NULL OR totp_sealed IS NOT NULL", name=op.f("ck_account_totp")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_member.id"], name=op.f("fk_account_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_account_staff_id"), "account", ["staff_id"], unique=False)
    op.create_table(
        "determination_limit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_by IS NOT NULL)", name=op.f("ck_determination_limit_ended")
        ),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_by IS NULL)", name=op.f("ck_determination_limit_decided")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'refused', 'ended')", name=op.f("ck_determination_limit_state")
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000000000", name=op.f("ck_determination_limit_amount_fen")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by",
            name=op.f("ck_determination_limit_two_persons"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_determination_limit_dates")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_determination_limit_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_determination_limit")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_determination_limit_staff_id"), "determination_limit", ["staff_id"], unique=False
    )
    op.create_index(op.f("ix_determination_limit_state"), "determination_limit", ["state"], unique=False)
    op.create_table(
        "kin",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("id_lookup", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("declared_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_member.id"], name=op.f("fk_kin_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kin")),
        sa.UniqueConstraint("staff_id", "id_lookup", name=op.f("uq_kin_staff_id_id_lookup")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_kin_id_lookup"), "kin", ["id_lookup"], unique=False)
    op.create_table(
        "kept_answer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("begun_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.CheckConstraint("(status IS NULL) = (sealed IS NULL)", name=op.f("ck_kept_answer_answer")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_kept_answer_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answer")),
        sa.UniqueConstraint("account_id", "route", "key", name=op.f("uq_kept_answer_account_id_route_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role = 'DEPARTMENT') = (department IS NOT NULL)", name=op.f("ck_role_grant_department")
        ),
        sa.CheckConstraint("(state = 'ended') = (ended_by IS NOT NULL)", name=op.f("ck_role_grant_ended")),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_by IS NULL)", name=op.f("ck_role_grant_decided")
        ),
        sa.CheckConstraint(
            "role IN ('VILLAGE_OFFICER', 'TOWN_REVIEWER', 'CENTER_CERTIFIER', 'CENTER_LEAD', 'DEPARTMENT', 'LEADING_GROUP', 'CLAIM_OFFICER', 'ADJUDICATOR', 'ADJ_SENIOR', 'FIN_MAKER', 'FIN_CHECKER', 'FIN_RELEASER', 'RECON', 'AUDITOR', 'SYS_ADMIN', 'SEC_ADMIN', 'LOG_ADMIN')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'refused', 'ended')", name=op.f("ck_role_grant_state")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_role_grant_two_persons")
        ),
        sa.CheckConstraint("length(place) IN (6, 9, 12)", name=op.f("ck_role_grant_place")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_role_grant_dates")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_grant_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_role_grant_account_id"), "role_grant", ["account_id"], unique=False)
    op.create_index(op.f("ix_role_grant_state"), "role_grant", ["state"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("expires_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("revoked_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_token_account_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["role_grant.id"], name=op.f("fk_api_token_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_token_secret_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_api_token_account_id"), "api_token", ["account_id"], unique=False)
    op.create_table(
        "web_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("started_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("seen_at", foundation.database.Instant(timezone=True), nullable=False),
        sa.Column("second_factor_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("ended_at", foundation.database.Instant(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.CheckConstraint("stage IN ('password', 'open')", name=op.f("ck_web_session_stage")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_web_session_ended")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_session_account_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["role_grant.id"], name=op.f("fk_web_session_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_web_session_secret_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"], unique=False)
    op.add_column("claim", sa.Column("id_lookup", sa.String(), nullable=True))
    op.add_column("claim", sa.Column("name_lookup", sa.String(), nullable=True))
    op.create_index(op.f("ix_claim_id_lookup"), "claim", ["id_lookup"], unique=False)
    op.create_index(op.f("ix_claim_name_lookup"), "claim", ["name_lookup"], unique=False)
    op.create_index(op.f("ix_claim_notified_on_claim_no"), "claim", ["notified_on", "claim_no"], unique=False)
    op.add_column("job", sa.Column("asked_at", foundation.database.Instant(timezone=True), nullable=True))
    op.add_column("job", sa.Column("progress_done", sa.BigInteger(), nullable=True))
    op.add_column("job", sa.Column("progress_total", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_job_state_changed_at"), "job", ["state", "changed_at"], unique=False)
