"""Tables of reports: every document that was issued, its number, and the digests of its figures and its bytes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import append_only


class DocumentNumber(Base):
    """The number 发文字号 of a document, gap-free by kind and year.

    It is given before the document is printed, since it is printed on it; a document that is printed again keeps it.
    """

    __tablename__ = "document_number"
    __table_args__ = strict(
        UniqueConstraint("kind", "subject_id", "figures_digest"),
        UniqueConstraint("kind", "year", "number"),
        CheckConstraint("number > 0 AND year > 2000", name="number"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String, index=True)
    figures_digest: Mapped[str] = mapped_column(String)
    year: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(Instant)


class IssuedDocument(Base):
    """A document as issued. The same figures asked for again give this row, and the same bytes."""

    __tablename__ = "issued_document"
    __table_args__ = strict(UniqueConstraint("kind", "subject_id", "figures_digest"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String, index=True)
    figures_digest: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String)
    file_id: Mapped[str] = mapped_column(ForeignKey("stored_file.id"))
    sha256: Mapped[str] = mapped_column(String)
    issued_at: Mapped[datetime] = mapped_column(Instant)


GUARDS = [*append_only("document_number", "id"), *append_only("issued_document", "id")]
