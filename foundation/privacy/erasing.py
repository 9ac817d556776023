"""Taking personal content out of rows whose term is over; rows, sums, states and digests stay.

Every feature erases its own tables with these. The database allows it only while an erasure runs that one person asked
for and another one approved (`foundation.guards.erased_for_good`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from foundation.clock import business_day
from foundation.database import Base, table_of
from foundation.files import StoredFile
from foundation.privacy.models import Disclosure, Export, LegalHold
from foundation.sealing import ERASED
from foundation.trail.events import Change

T = TypeVar("T")

MOST_IDS = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sealed text beside a record: the day that its term runs from (None: still open), and what it is about."""

    id: str
    day: date | None
    subject_id: str | None


def parts(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """Ids in the portions that one statement takes."""
    for start in range(0, len(ids), MOST_IDS):
        yield ids[start : start + MOST_IDS]


def chosen(
    column: InstrumentedAttribute[str] | ColumnElement[str], ids: Sequence[str] | None
) -> ColumnElement[bool]:
    """A condition for some ids; for None, which stands for all, one that is always true."""
    return true() if ids is None else column.in_(ids)


def take_out(session: Session, model: type[Base], ids: Sequence[str], values: dict[str, Any]) -> None:
    """Puts values into the rows with these ids."""
    table = table_of(model)
    for part in parts(ids):
        session.execute(update(table).where(table.c.id.in_(part)).values(values))


def file_is_there() -> ColumnElement[bool]:
    """Whether a stored file still has its content. Its length is asked for, and the content not read."""
    return func.length(StoredFile.content) != len(ERASED)


def erase_files(session: Session, file_ids: Sequence[str]) -> None:
    """Takes the content out of stored files; name, size and SHA-256 stay."""
    take_out(session, StoredFile, file_ids, {"content": ERASED.encode()})


# --- the notes of this package's own tables ---------------------------------------------------------------------------


def disclosure_notes(session: Session, ids: Sequence[str] | None = None) -> list[Note]:
    """What was written beside full views, and is still there."""
    query = select(Disclosure.id, Disclosure.seen_on, Disclosure.subject_id)
    return _notes(session, query.where(_kept(Disclosure.note), chosen(Disclosure.id, ids)))


def export_notes(session: Session, ids: Sequence[str] | None = None) -> list[Note]:
    """What was written in the export register, and is still there. What nobody has decided or taken is open."""
    query = select(Export.id, Export.asked_at, Export.subject_id, Export.state)
    return [
        Note(
            row.id, None if row.state in ("asked", "approved") else business_day(row.asked_at), row.subject_id
        )
        for row in session.execute(query.where(_kept(Export.note), chosen(Export.id, ids)))
    ]


def hold_reasons(session: Session, ids: Sequence[str] | None = None) -> list[Note]:
    """Why something was held. A hold that is in force is open."""
    query = select(LegalHold.id, LegalHold.lifted_at)
    return [
        Note(row.id, None if row.lifted_at is None else business_day(row.lifted_at), None)
        for row in session.execute(query.where(_kept(LegalHold.reason), chosen(LegalHold.id, ids)))
    ]


def erase_notes(session: Session, group: str, ids: Sequence[str], reason: str) -> list[Change]:
    """Takes notes out: `group` is `disclosure_note`, `export_note` or `hold_reason`. The events, not yet recorded."""
    model, column, action = _NOTES[group]
    take_out(session, model, ids, {column: ERASED})
    return [Change(action, table_of(model).name, identity, reason=reason) for identity in ids]


_NOTES: dict[str, tuple[type[Base], str, str]] = {
    "disclosure_note": (Disclosure, "note", "disclosure.erased"),
    "export_note": (Export, "note", "export.erased"),
    "hold_reason": (LegalHold, "reason", "hold.erased"),
}


def _kept(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column != ERASED)


def _notes(session: Session, query: Any) -> list[Note]:
    return [Note(*row) for row in session.execute(query)]
