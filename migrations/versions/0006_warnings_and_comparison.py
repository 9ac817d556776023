"""Early warning, recognition, measures, the comparison, and what is owed and not claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from foundation.database import Instant, SealedText

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparison_run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("feeds", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("run_at", Instant(timezone=True), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("previous_id", sa.String(), nullable=True),
        sa.CheckConstraint(
            "scope IN ('household', 'list', 'everyone')", name=op.f("ck_comparison_run_scope")
        ),
        sa.CheckConstraint("people >= 0 AND hits >= 0", name=op.f("ck_comparison_run_counts")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_comparison_run_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["comparison_run.id"], name=op.f("fk_comparison_run_previous_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison_run")),
        sa.UniqueConstraint("number", name=op.f("uq_comparison_run_number")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_comparison_run_place_run_at"), "comparison_run", ["place", "run_at"], unique=False
    )
    op.create_table(
        "recognition",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("standard_year", sa.BigInteger(), nullable=True),
        sa.Column("surveyed_on", sa.Date(), nullable=False),
        sa.Column("surveyors", sa.String(), nullable=False),
        sa.Column("appraised_on", sa.Date(), nullable=False),
        sa.Column("appraisal", sa.String(), nullable=False),
        sa.Column("notice_from", sa.Date(), nullable=False),
        sa.Column("notice_to", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("sealed", SealedText(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("follows", sa.String(), nullable=True),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", Instant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", Instant(timezone=True), nullable=True),
        sa.Column("decision", SealedText(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("exited_on", sa.Date(), nullable=True),
        sa.Column("exit_meeting", sa.String(), nullable=True),
        sa.Column("follow_up_until", sa.Date(), nullable=True),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'exited') = (exited_on IS NOT NULL)", name=op.f("ck_recognition_exited_on")
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)", name=op.f("ck_recognition_decided")
        ),
        sa.CheckConstraint(
            "(state IN ('active', 'exited')) = (started_on IS NOT NULL)",
            name=op.f("ck_recognition_started_on"),
        ),
        sa.CheckConstraint("basis IN ('quantitative', 'qualitative')", name=op.f("ck_recognition_basis")),
        sa.CheckConstraint(
            "state IN ('proposed', 'active', 'refused', 'exited')", name=op.f("ck_recognition_state")
        ),
        sa.CheckConstraint(
            "(exited_on IS NULL) = (exit_meeting IS NULL)", name=op.f("ck_recognition_exit_meeting")
        ),
        sa.CheckConstraint(
            "appraised_on >= surveyed_on AND notice_from >= appraised_on", name=op.f("ck_recognition_steps")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_recognition_two_persons")
        ),
        sa.CheckConstraint(
            "exited_on IS NULL OR exited_on >= started_on", name=op.f("ck_recognition_exit_after_start")
        ),
        sa.CheckConstraint("notice_to >= notice_from", name=op.f("ck_recognition_notice")),
        sa.CheckConstraint(
            "started_on IS NULL OR started_on >= notice_to", name=op.f("ck_recognition_after_notice")
        ),
        sa.ForeignKeyConstraint(["follows"], ["recognition.id"], name=op.f("fk_recognition_follows")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_recognition_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recognition")),
        sa.UniqueConstraint("number", name=op.f("uq_recognition_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_recognition_household_id"), "recognition", ["household_id"], unique=False)
    op.create_index(
        op.f("ix_recognition_state_review_due"), "recognition", ["state", "review_due"], unique=False
    )
    op.create_index(
        "uq_recognition_open",
        "recognition",
        ["household_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'active')"),
        postgresql_where=sa.text("state IN ('proposed', 'active')"),
    )
    op.create_table(
        "warning_case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("village_code", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.Column("closed_at", Instant(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("claim_no", sa.String(), nullable=True),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name=op.f("ck_warning_case_closed_at")),
        sa.CheckConstraint(
            "line IN ('illness', 'education', 'accident', 'income')", name=op.f("ck_warning_case_line")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'claimed', 'dismissed', 'transferred')", name=op.f("ck_warning_case_state")
        ),
        sa.CheckConstraint("amount_fen IS NULL OR amount_fen >= 0", name=op.f("ck_warning_case_amount_fen")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_warning_case_household_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_warning_case_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning_case")),
        sa.UniqueConstraint("number", name=op.f("uq_warning_case_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_warning_case_opened_at"), "warning_case", ["opened_at"], unique=False)
    op.create_index(op.f("ix_warning_case_person_id"), "warning_case", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_warning_case_village_code_state"), "warning_case", ["village_code", "state"], unique=False
    )
    op.create_index(
        "uq_warning_case_open",
        "warning_case",
        ["household_id", "event_key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "comparison_hit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("village_code", sa.String(), nullable=True),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("feed_row_id", sa.String(), nullable=False),
        sa.Column("through", SealedText(), nullable=True),
        sa.ForeignKeyConstraint(["feed_row_id"], ["feed_row.id"], name=op.f("fk_comparison_hit_feed_row_id")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_comparison_hit_household_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_comparison_hit_person_id")),
        sa.ForeignKeyConstraint(["run_id"], ["comparison_run.id"], name=op.f("fk_comparison_hit_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison_hit")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_comparison_hit_household_id"), "comparison_hit", ["household_id"], unique=False)
    op.create_index(op.f("ix_comparison_hit_person_id"), "comparison_hit", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_comparison_hit_run_id_village_code"),
        "comparison_hit",
        ["run_id", "village_code"],
        unique=False,
    )
    op.create_table(
        "comparison_person",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_comparison_person_person_id")),
        sa.ForeignKeyConstraint(["run_id"], ["comparison_run.id"], name=op.f("fk_comparison_person_run_id")),
        sa.PrimaryKeyConstraint("run_id", "person_id", name=op.f("pk_comparison_person")),
        sqlite_strict=True,
    )
    op.create_table(
        "measure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("recognition_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("begun_on", sa.Date(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_measure_household_id")),
        sa.ForeignKeyConstraint(
            ["recognition_id"], ["recognition.id"], name=op.f("fk_measure_recognition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_measure_household_id"), "measure", ["household_id"], unique=False)
    op.create_table(
        "owed",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("feed_row_id", sa.String(), nullable=False),
        sa.Column("benefit", sa.String(), nullable=False),
        sa.Column("policy_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("village_code", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("missing", sa.String(), nullable=True),
        sa.Column("report_by", sa.Date(), nullable=False),
        sa.Column("computed_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "line IN ('illness', 'education', 'accident', 'income')", name=op.f("ck_owed_line")
        ),
        sa.CheckConstraint(
            "outcome IN ('approve', 'reject', 'supplement', 'refer', 'unknown')", name=op.f("ck_owed_outcome")
        ),
        sa.CheckConstraint("payable_fen >= 0", name=op.f("ck_owed_payable_fen")),
        sa.ForeignKeyConstraint(["feed_row_id"], ["feed_row.id"], name=op.f("fk_owed_feed_row_id")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_owed_household_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_owed_person_id")),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name=op.f("fk_owed_policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owed")),
        sa.UniqueConstraint(
            "policy_number",
            "feed_row_id",
            "benefit",
            name=op.f("uq_owed_policy_number_feed_row_id_benefit"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_owed_household_id"), "owed", ["household_id"], unique=False)
    op.create_index(op.f("ix_owed_report_by_id"), "owed", ["report_by", "id"], unique=False)
    op.create_index(op.f("ix_owed_village_code"), "owed", ["village_code"], unique=False)
    op.create_table(
        "recognition_review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("recognition_id", sa.String(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("sealed", SealedText(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "finding IN ('stays', 'changed', 'may_exit')", name=op.f("ck_recognition_review_finding")
        ),
        sa.ForeignKeyConstraint(
            ["recognition_id"], ["recognition.id"], name=op.f("fk_recognition_review_recognition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recognition_review")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_recognition_review_recognition_id"), "recognition_review", ["recognition_id"], unique=False
    )
    op.create_table(
        "warning_report",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("feed_row_id", sa.String(), nullable=True),
        sa.Column("reported_at", Instant(timezone=True), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=True),
        sa.Column("lag_days", sa.BigInteger(), nullable=False),
        sa.Column("sealed", SealedText(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(channel IN ('department', 'owed')) = (feed_row_id IS NOT NULL)",
            name=op.f("ck_warning_report_feed_row_id"),
        ),
        sa.CheckConstraint(
            "channel IN ('department', 'village', 'town_window', 'county_window', 'owed')",
            name=op.f("ck_warning_report_channel"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["warning_case.id"], name=op.f("fk_warning_report_case_id")),
        sa.ForeignKeyConstraint(["feed_row_id"], ["feed_row.id"], name=op.f("fk_warning_report_feed_row_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning_report")),
        sa.UniqueConstraint("case_id", "feed_row_id", name=op.f("uq_warning_report_case_id_feed_row_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_warning_report_case_id"), "warning_report", ["case_id"], unique=False)
    op.create_index(op.f("ix_warning_report_feed_row_id"), "warning_report", ["feed_row_id"], unique=False)
