"""Tables of claims: what was handed in, every decision proposed, and the determination by two persons.

Decisions and determinations are never edited; a changed pack adds a decision, and opens a review where a claim was
already determined. What was claimed, why, and everything a decision rests on is sealed.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from claims.states import MOVES, UPLOAD_MOVES
from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import (
    Guard,
    append_only,
    append_only_sealed,
    erased_for_good,
    frozen,
    only_moves,
)
from foundation.money import MOST_FEN


class PackIntake(Base):
    """A county pack that was taken in, by the digest of its files. The same pack again is this row."""

    __tablename__ = "pack_intake"
    __table_args__ = strict(UniqueConstraint("sequence"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policy.id"))
    policy_number: Mapped[str] = mapped_column(String, index=True)
    digest: Mapped[str] = mapped_column(String, index=True)
    files: Mapped[str] = mapped_column(Text)
    """JSON {file: SHA-256}."""
    people: Mapped[int] = mapped_column(BigInteger)
    claims: Mapped[int] = mapped_column(BigInteger)
    refused_cells: Mapped[int] = mapped_column(BigInteger)
    taken_in_at: Mapped[datetime] = mapped_column(Instant)


class PackUpload(Base):
    """A county pack as uploaded: looked at in the background, shown to its uploader, then taken in or thrown away."""

    __tablename__ = "pack_upload"
    __table_args__ = strict(
        CheckConstraint(
            "state IN ('checking', 'ready', 'unusable', 'taking_in', 'taken_in', 'discarded')", name="state"
        ),
        CheckConstraint("(state = 'taken_in') = (taken_in_at IS NOT NULL)", name="taken_in"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    state: Mapped[str] = mapped_column(String)
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    uploaded_by: Mapped[str] = mapped_column(Text)
    """JSON of the acting person: person, account, role, place, name, assurance."""
    files: Mapped[str] = mapped_column(Text)
    """JSON [{name, size, blob}]: the file's place in a pack, and its address among the sealed files on disk."""
    preview: Mapped[str | None] = mapped_column(SealedText)
    """Sealed JSON: what is in it, what it would change, its refused cells and faults."""
    asked_by: Mapped[str | None] = mapped_column(Text)
    """JSON of the person who asked for it to be taken in."""
    taken_in_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    consent_version: Mapped[str | None] = mapped_column(String)
    """The text that the applicants have signed, as its uploader declares (`claims.consent`)."""


class ClaimRow(Base):
    """A claim. Its personal content is sealed; where it stands is its `state`."""

    __tablename__ = "claim"
    __table_args__ = strict(
        UniqueConstraint("policy_number", "claim_no"),
        CheckConstraint("state IN ('review', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint("line IN ('illness', 'education', 'accident', 'income')", name="line"),
        Index(None, "state"),
        Index(None, "notified_on", "claim_no"),
        Index(None, "id_lookup"),
        Index(None, "name_lookup"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    policy_number: Mapped[str] = mapped_column(String)
    claim_no: Mapped[str] = mapped_column(String)
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"), index=True)
    line: Mapped[str] = mapped_column(String)
    benefit: Mapped[str] = mapped_column(String)
    town: Mapped[str] = mapped_column(String)
    notified_on: Mapped[date] = mapped_column(Date)
    event_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON of `claims.facts.Claim`."""
    digest: Mapped[str] = mapped_column(String)
    id_lookup: Mapped[str | None] = mapped_column(String)
    """Keyed digest of the claimant's ID number, so that a claim is found by it."""
    name_lookup: Mapped[str | None] = mapped_column(String)
    """Keyed digest of the claimant's name."""
    changed_at: Mapped[datetime] = mapped_column(Instant)


class DecisionRow(Base):
    """A decision proposed by adjudication; the newest `sequence` of a claim counts."""

    __tablename__ = "decision"
    __table_args__ = strict(
        UniqueConstraint("claim_id", "sequence"),
        CheckConstraint("outcome IN ('approve', 'reject', 'supplement', 'refer')", name="outcome"),
        CheckConstraint(f"payable_fen >= 0 AND payable_fen <= {MOST_FEN}", name="payable_fen"),
        CheckConstraint(f"entitled_fen >= 0 AND entitled_fen <= {MOST_FEN}", name="entitled_fen"),
        CheckConstraint("outcome <> 'reject' OR payable_fen = 0", name="reject"),
        CheckConstraint("outcome <> 'approve' OR (payable_fen > 0 AND reasons = '')", name="approve"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"))
    sequence: Mapped[int] = mapped_column(BigInteger)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policy.id"))
    outcome: Mapped[str] = mapped_column(String)
    payable_fen: Mapped[int] = mapped_column(BigInteger)
    entitled_fen: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[str] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON {facts, decision}: what `decide` was given and what it gave."""
    digest: Mapped[str] = mapped_column(String)
    made_at: Mapped[datetime] = mapped_column(Instant)


class Determination(Base):
    """核定: a decision made effective by a person, on the recommendation of another one. One for each claim."""

    __tablename__ = "determination"
    __table_args__ = strict(
        UniqueConstraint("claim_id"),
        UniqueConstraint("decision_id"),
        UniqueConstraint("household_id", "number"),
        CheckConstraint("outcome IN ('approve', 'reject')", name="outcome"),
        CheckConstraint("recommended_by <> determined_by", name="two_persons"),
        CheckConstraint("(outcome = 'approve') = (amount_fen > 0)", name="amount_fen"),
        CheckConstraint("number > 0", name="number"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"))
    decision_id: Mapped[str] = mapped_column(ForeignKey("decision.id"))
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    """Order of determination within the household; 1 for a claimant without one."""
    outcome: Mapped[str] = mapped_column(String)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    recommended_by: Mapped[str] = mapped_column(String)
    determined_by: Mapped[str] = mapped_column(String)
    determined_at: Mapped[datetime] = mapped_column(Instant)


class ListingRow(Base):
    """What the list of claims shows, filters, sorts and sums by: one narrow row a claim, with the decision that counts.

    It follows from the claim, its household, its decisions and its determination (`claims.queries.listing.standing`),
    and is brought up to date in every transaction that changes one of them, by `claims.services.listing.refresh`.
    A list over the tables themselves would read every claim's long sealed rows to sum up a few numbers.
    """

    __tablename__ = "claim_listing"
    __table_args__ = strict(
        Index(None, "notified_on", "claim_id"),
        Index(None, "event_on", "claim_id"),
        Index(None, "claim_no", "claim_id"),
        Index(None, "payable_fen", "claim_id"),
        Index(None, "policy_number", "town", "village_code"),
    )
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    policy_number: Mapped[str] = mapped_column(String)
    claim_no: Mapped[str] = mapped_column(String)
    line: Mapped[str] = mapped_column(String)
    benefit: Mapped[str] = mapped_column(String)
    town: Mapped[str] = mapped_column(String)
    village: Mapped[str | None] = mapped_column(String)
    village_code: Mapped[str | None] = mapped_column(String)
    """None for a claimant whom the roster does not know."""
    notified_on: Mapped[date] = mapped_column(Date)
    event_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decision.id"))
    policy_id: Mapped[str] = mapped_column(String)
    outcome: Mapped[str] = mapped_column(String)
    payable_fen: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[str] = mapped_column(String)
    determined_fen: Mapped[int | None] = mapped_column(BigInteger)
    """None until it is determined."""


class Review(Base):
    """A determined claim whose facts a later pack changed: to be looked at by a person, never edited."""

    __tablename__ = "review"
    __table_args__ = strict(
        UniqueConstraint("claim_id", "decision_id"),
        CheckConstraint("reason IN ('otherwise', 'gone')", name="reason"),
        CheckConstraint("(reason = 'gone') = (decision_id IS NULL)", name="decision_id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"))
    reason: Mapped[str] = mapped_column(String)
    decision_id: Mapped[str | None] = mapped_column(ForeignKey("decision.id"))
    """The decision that the new facts would give; none for a claim that is gone."""
    opened_at: Mapped[datetime] = mapped_column(Instant)


class OwedRow(Base):
    """应赔未赔: what would be paid for a department's row that nobody has claimed. Worked out anew each night.

    It is no claim, uses up no cap and moves no money; from here a case is opened, and the family is asked to sign.
    """

    __tablename__ = "owed"
    __table_args__ = strict(
        CheckConstraint("outcome IN ('approve', 'reject', 'supplement', 'refer', 'unknown')", name="outcome"),
        CheckConstraint("line IN ('illness', 'education', 'accident', 'income')", name="line"),
        CheckConstraint("payable_fen >= 0", name="payable_fen"),
        UniqueConstraint("policy_number", "feed_row_id", "benefit"),
        Index(None, "village_code"),
        Index(None, "household_id"),
        Index(None, "report_by", "id"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    """Follows from the policy, the row and the benefit, so that it is the same every night."""
    policy_number: Mapped[str] = mapped_column(String)
    feed_row_id: Mapped[str] = mapped_column(ForeignKey("feed_row.id"))
    benefit: Mapped[str] = mapped_column(String)
    policy_id: Mapped[str] = mapped_column(ForeignKey("policy.id"))
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    village_code: Mapped[str] = mapped_column(String)
    line: Mapped[str] = mapped_column(String)
    event_on: Mapped[date] = mapped_column(Date)
    outcome: Mapped[str] = mapped_column(String)
    """As `claims.adjudication` says; `unknown` where the department's row does not say what it cost."""
    payable_fen: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[str] = mapped_column(String)
    missing: Mapped[str | None] = mapped_column(String)
    """What the row does not say, where the outcome is `unknown`: a key of `claims.owed.MISSING`."""
    report_by: Mapped[date] = mapped_column(Date)
    """The last day on which a report is not late."""
    computed_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [
    *append_only("pack_intake", "id"),
    *frozen("pack_upload", ("id", "uploaded_at", "uploaded_by", "files", "consent_version")),
    only_moves("pack_upload", UPLOAD_MOVES),
    *erased_for_good("pack_upload", "preview"),
    *append_only_sealed(
        "decision",
        ["id"],
        (
            "id",
            "claim_id",
            "sequence",
            "policy_id",
            "outcome",
            "payable_fen",
            "entitled_fen",
            "reasons",
            "digest",
            "made_at",
        ),
        "sealed",
    ),
    *append_only("determination", "id", "claim_id", "decision_id"),
    *append_only("review", "id"),
    only_moves("claim", MOVES),
    *erased_for_good("claim", "sealed", returns=True),
    Guard("claim_no_delete", "claim", "BEFORE DELETE", "TRUE"),
    Guard(
        "claim_determined_frozen",
        "claim",
        "BEFORE UPDATE",
        "OLD.state NOT IN ('review', 'withdrawn') AND "
        "(OLD.digest <> NEW.digest OR OLD.claim_no <> NEW.claim_no OR (OLD.sealed <> NEW.sealed AND "
        "NOT EXISTS (SELECT 1 FROM upkeep WHERE upkeep.state = 'running')))",
    ),
    Guard(
        "determination_agrees",
        "determination",
        "BEFORE INSERT",
        "NOT EXISTS (SELECT 1 FROM decision WHERE decision.id = NEW.decision_id AND decision.claim_id = NEW.claim_id "
        "AND decision.outcome = NEW.outcome AND decision.payable_fen = NEW.amount_fen)",
    ),
]
