"""Tables of what two persons do together, and of what somebody has to look at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import Guard, erased_for_good, frozen, only_moves, sealed_only_anew, set_once

PROPOSAL_KINDS = ("account", "merge", "split", "identity", "clearance")
"""account: another bank account; merge, split: of households; identity: a wrong ID number, or two records of one;
clearance: the answer to a hit of the comparison."""
PROPOSAL_MOVES = {
    "asked": frozenset({"approved", "refused", "withdrawn"}),
    "approved": frozenset(),
    "refused": frozenset(),
    "withdrawn": frozenset(),
}
TASK_KINDS = ("roster_differs", "account_differs", "two_names", "two_numbers", "unknown_person")
"""roster_differs: a roster has a person in another household than the register; account_differs: it brings another
account; two_names: one ID number under two names; two_numbers: one person under two ID numbers; unknown_person: a
report names somebody whom nobody knows."""


class Proposal(Base):
    """A change to the register that one person asks for and another one decides."""

    __tablename__ = "proposal"
    __table_args__ = strict(
        CheckConstraint(f"kind IN ({', '.join(map(repr, PROPOSAL_KINDS))})", name="kind"),
        CheckConstraint("state IN ('asked', 'approved', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by"),
        CheckConstraint(
            "state = 'withdrawn' OR decided_by IS NULL OR decided_by <> asked_by", name="two_persons"
        ),
        Index(None, "household_id"),
        Index(None, "state"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    household_id: Mapped[str] = mapped_column(ForeignKey("household.id"))
    state: Mapped[str] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON: what is to be done, as its kind has it."""
    digest: Mapped[str] = mapped_column(String)
    evidence: Mapped[str | None] = mapped_column(Text)
    """JSON [{name, size, blob}] of the papers, which lie sealed on disk."""
    asked_by: Mapped[str] = mapped_column(String)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(SealedText)
    """Why it was refused, in the words of whoever did."""


class RegistryTask(Base):
    """Something that does not fit together and that a person has to settle; the program never does so by itself."""

    __tablename__ = "registry_task"
    __table_args__ = strict(
        CheckConstraint(f"kind IN ({', '.join(map(repr, TASK_KINDS))})", name="kind"),
        CheckConstraint("state IN ('open', 'settled')", name="state"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_by"),
        Index(None, "state"),
        Index(None, "person_id"),
        Index(None, "digest"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    village_code: Mapped[str | None] = mapped_column(String)
    sealed: Mapped[str] = mapped_column(SealedText)
    """JSON: what was found, as its kind has it."""
    digest: Mapped[str] = mapped_column(String)
    """Keyed digest of kind and finding: the same finding again is this task."""
    opened_at: Mapped[datetime] = mapped_column(Instant)
    settled_by: Mapped[str | None] = mapped_column(String)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settlement: Mapped[str | None] = mapped_column(String)
    """How it was settled: a key of `households.terms.SETTLEMENTS`."""
    reason: Mapped[str | None] = mapped_column(SealedText)
    """Why, in the words of whoever settled it."""


def _reason_kept(table: str) -> list[Guard]:
    """A reason is written once; after that an upkeep seals it anew or takes it out."""
    changed = "OLD.reason IS NOT NULL AND OLD.reason IS DISTINCT FROM NEW.reason"
    running = "EXISTS (SELECT 1 FROM upkeep WHERE upkeep.state = 'running')"
    kept = Guard(f"{table}_reason_kept", table, "BEFORE UPDATE", f"{changed} AND NOT {running}")
    return [kept, *erased_for_good(table, "reason")]


GUARDS = [
    *frozen("proposal", ("id", "kind", "household_id", "digest", "asked_by", "asked_at")),
    only_moves("proposal", PROPOSAL_MOVES),
    set_once("proposal", ("decided_by", "decided_at")),
    *sealed_only_anew("proposal", "sealed"),
    *_reason_kept("proposal"),
    *frozen("registry_task", ("id", "kind", "household_id", "person_id", "digest", "opened_at")),
    only_moves("registry_task", {"open": {"settled"}, "settled": ()}),
    set_once("registry_task", ("settled_by", "settled_at", "settlement")),
    *sealed_only_anew("registry_task", "sealed"),
    *_reason_kept("registry_task"),
    Guard(
        "proposal_evidence",
        "proposal",
        "BEFORE UPDATE",
        "OLD.evidence IS DISTINCT FROM NEW.evidence AND NEW.evidence IS NOT NULL",
    ),
]
