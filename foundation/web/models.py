"""The table of answers that the API keeps for repeated writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, SealedText, strict


class KeptAnswer(Base):
    """The answer to a write that carried an `Idempotency-Key`: the same key and body get it again."""

    __tablename__ = "kept_answer"
    __table_args__ = strict(
        UniqueConstraint("account_id", "route", "key"),
        CheckConstraint("(status IS NULL) = (sealed IS NULL)", name="answer"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    route: Mapped[str] = mapped_column(String)
    """Method and path."""
    key: Mapped[str] = mapped_column(String)
    request_digest: Mapped[str] = mapped_column(String)
    """Keyed digest of the body."""
    begun_at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[int | None] = mapped_column(BigInteger)
    """None while the first request is still at work."""
    sealed: Mapped[str | None] = mapped_column(SealedText)
    """JSON {headers, body}."""
