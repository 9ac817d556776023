"""Upkeep of sealed data: rotations of keys and erasures at the end of retention. One runs at a time.

While one runs, and only then, the database lets sealed columns of kept records change (`foundation.guards`). Each is
a row that says who asked for it, who approved it and how far it is; interrupted, it goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import Guard, frozen, no_replace, only_moves, set_once

ROTATION, ERASURE = "rotation", "erasure"

MOVES: Mapping[str, frozenset[str]] = {
    "asked": frozenset({"running", "refused"}),
    "running": frozenset({"finished"}),
    "finished": frozenset(),
    "refused": frozenset(),
}


class Upkeep(Base):
    """One rotation or erasure. A rotation runs at once; an erasure waits for a second person."""

    __tablename__ = "upkeep"
    __table_args__ = strict(
        CheckConstraint("kind IN ('rotation', 'erasure')", name="kind"),
        CheckConstraint("state IN ('asked', 'running', 'finished', 'refused')", name="state"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
        CheckConstraint(
            "kind = 'rotation' OR state = 'asked' OR decided_by IS NOT NULL", name="erasure_decided"
        ),
        CheckConstraint("(kind = 'rotation') = (key_id IS NOT NULL)", name="key_id"),
        CheckConstraint("(state = 'finished') = (ended_at IS NOT NULL)", name="ended"),
        Index(
            "uq_upkeep_running",
            "state",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    key_id: Mapped[str | None] = mapped_column(String)
    """Of a rotation: the new key."""
    plan: Mapped[str] = mapped_column(Text)
    """JSON: what is to be done, counted when it was asked for: cells by column, or records by rule."""
    asked_by: Mapped[str] = mapped_column(String)
    """Person."""
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    """Who approved or refused an erasure: another person."""
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    done: Mapped[int] = mapped_column(BigInteger)
    """How many cells or records so far."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


GUARDS = [
    *frozen("upkeep", ("id", "kind", "key_id", "plan", "asked_by", "asked_at")),
    no_replace("upkeep", "id"),
    set_once("upkeep", ("decided_by", "decided_at", "ended_at")),
    only_moves("upkeep", MOVES),
    Guard("upkeep_forward", "upkeep", "BEFORE UPDATE", "NEW.done < OLD.done"),
    Guard(
        "upkeep_begins",
        "upkeep",
        "BEFORE INSERT",
        "NEW.state NOT IN ('asked', 'running') OR (NEW.kind = 'erasure' AND NEW.state <> 'asked')",
    ),
]
