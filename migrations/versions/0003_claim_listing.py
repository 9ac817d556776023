"""One narrow row a claim for the list of claims, filled from what is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILL = """
INSERT INTO claim_listing (claim_id, policy_number, claim_no, line, benefit, town, village, village_code, notified_on,
    event_on, state, decision_id, policy_id, outcome, payable_fen, reasons, determined_fen)
SELECT claim.id, claim.policy_number, claim.claim_no, claim.line, claim.benefit, claim.town, household.village,
    household.village_code, claim.notified_on, claim.event_on, claim.state, decision.id, decision.policy_id,
    decision.outcome, decision.payable_fen, decision.reasons, determination.amount_fen
FROM claim
LEFT JOIN household ON household.id = claim.household_id
LEFT JOIN determination ON determination.claim_id = claim.id
JOIN decision ON decision.id = coalesce(determination.decision_id, (
    SELECT last.id FROM decision AS last WHERE last.claim_id = claim.id ORDER BY last.sequence DESC LIMIT 1))
"""


def upgrade() -> None:
    op.create_table(
        "claim_listing",
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("policy_number", sa.String(), nullable=False),
        sa.Column("claim_no", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("benefit", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("village", sa.String(), nullable=True),
        sa.Column("village_code", sa.String(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("policy_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("determined_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_listing_claim_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_claim_listing_decision_id")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_listing")),
        sqlite_strict=True,
    )
    for column in ("notified_on", "event_on", "claim_no", "payable_fen"):
        op.create_index(
            op.f(f"ix_claim_listing_{column}_claim_id"), "claim_listing", [column, "claim_id"], unique=False
        )
    op.create_index(
        op.f("ix_claim_listing_policy_number_town_village_code"),
        "claim_listing",
        ["policy_number", "town", "village_code"],
        unique=False,
    )
    op.execute(_FILL)
