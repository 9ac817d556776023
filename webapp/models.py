"""Tables of the web: sessions, API tokens, counts of access.

Sessions and counts are the only tables that a GET may write, beside the answers that are kept for repeated requests
(`foundation.web.models`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from foundation.database import Base, Instant, strict
from foundation.guards import Guard, frozen, set_once


class WebSession(Base):
    """A sign-in. The cookie holds a random secret, this row its SHA-256; ended here, it is dead at once."""

    __tablename__ = "web_session"
    __table_args__ = strict(
        UniqueConstraint("secret_hash"),
        CheckConstraint("stage IN ('password', 'open')", name="stage"),
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    """Random; shown in the list of one's own sessions."""
    secret_hash: Mapped[str] = mapped_column(String)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    grant_id: Mapped[str | None] = mapped_column(ForeignKey("role_grant.id"))
    """The role that the person acts in."""
    stage: Mapped[str] = mapped_column(String)
    """`password`: the password was right, the second factor is still asked for; `open`: signed in."""
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    second_factor_at: Mapped[datetime | None] = mapped_column(Instant)
    """When a second factor was last given: a step-up asks for one that is fresh."""
    device: Mapped[str] = mapped_column(String)
    """Browser and system in two words, so that a person knows their own sessions."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_because: Mapped[str | None] = mapped_column(String)


class ApiToken(Base):
    """A key to the API for one account in one role, with scopes and an end. Only its SHA-256 is kept."""

    __tablename__ = "api_token"
    __table_args__ = strict(UniqueConstraint("secret_hash"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("role_grant.id"))
    name: Mapped[str] = mapped_column(String)
    scopes: Mapped[str] = mapped_column(String)
    """Space-separated, in order."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class AccessCount(Base):
    """How often something was done in a window of time: sign-in attempts, searches, reveals."""

    __tablename__ = "access_count"
    __table_args__ = strict(
        UniqueConstraint("kind", "whose", "window_start"),
        CheckConstraint("times > 0", name="times"),
        Index(None, "window_start"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    whose: Mapped[str] = mapped_column(String)
    """An account's id, or the keyed digest of an address or of a login that was tried."""
    window_start: Mapped[datetime] = mapped_column(Instant)
    times: Mapped[int] = mapped_column(BigInteger)


GUARDS = [
    *frozen(
        "api_token", ("id", "secret_hash", "account_id", "grant_id", "scopes", "created_at", "expires_at")
    ),
    set_once("api_token", ("revoked_at",)),
    Guard(
        "web_session_same",
        "web_session",
        "BEFORE UPDATE",
        "OLD.account_id <> NEW.account_id OR OLD.secret_hash <> NEW.secret_hash",
    ),
    set_once("web_session", ("ended_at", "ended_because")),
]
