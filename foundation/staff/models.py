"""Tables of the staff: natural persons, accounts, role grants, limits of determination, declared relatives.

Whatever makes someone gain (a role, a limit) is asked for by one person and approved by another one, who is not the
one who gains: by CHECK and by guard. Nothing is deleted; a grant that ends keeps its row.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.actors import ADMIN_ROLES, Role
from foundation.database import Base, Instant, SealedText, strict
from foundation.guards import Guard, frozen, only_moves, set_once
from foundation.money import MOST_FEN

GRANT_MOVES = {
    "requested": frozenset({"active", "refused"}),
    "active": frozenset({"ended"}),
    "refused": frozenset(),
    "ended": frozenset(),
}
"""A role or a limit: asked for, in force (within its dates), refused by the second person, taken away."""

_ROLES = ", ".join(f"'{role}'" for role in Role if role is not Role.SYSTEM)
_STATES = "state IN ('requested', 'active', 'refused', 'ended')"
_TWO_PERSONS = "decided_by IS NULL OR decided_by <> requested_by"
_DECIDED = "(state = 'requested') = (decided_by IS NULL)"
_ENDED = "(state = 'ended') = (ended_by IS NOT NULL)"
_DATES = "valid_to IS NULL OR valid_to >= valid_from"


class StaffMember(Base):
    """A natural person who works with the system. Four eyes are counted by this row, not by account."""

    __tablename__ = "staff_member"
    __table_args__ = strict(UniqueConstraint("id_lookup"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    """As it is printed on documents and shown on pages."""
    id_lookup: Mapped[str | None] = mapped_column(String)
    """Keyed digest of the ID number: one human being is one row, and recusal (K6) finds relatives by it."""
    sealed: Mapped[str | None] = mapped_column(SealedText)
    """JSON {id_number}."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class Account(Base):
    """What a person signs in with. One person may have several."""

    __tablename__ = "account"
    __table_args__ = strict(
        UniqueConstraint("login"),
        CheckConstraint("state IN ('active', 'disabled')", name="state"),
        CheckConstraint("failures >= 0 AND totp_step >= 0 AND version > 0", name="counts"),
        CheckConstraint("totp_confirmed_at IS NULL OR totp_sealed IS NOT NULL", name="totp"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    login: Mapped[str] = mapped_column(String)
    """Lower case."""
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_member.id"), index=True)
    state: Mapped[str] = mapped_column(String)
    password_hash: Mapped[str | None] = mapped_column(String)
    password_set_at: Mapped[datetime | None] = mapped_column(Instant)
    password_must_change: Mapped[bool] = mapped_column(Boolean)
    totp_sealed: Mapped[str | None] = mapped_column(SealedText)
    """The second factor's secret (base32), sealed."""
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    totp_step: Mapped[int] = mapped_column(BigInteger)
    """The last time step whose code was used: each code works once."""
    failures: Mapped[int] = mapped_column(BigInteger)
    """Failed attempts since the last success."""
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    demo: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(BigInteger)
    """Counts the changes that an administrator sees (ETag)."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class RoleGrant(Base):
    """A role at a place, from a day on, for an account."""

    __tablename__ = "role_grant"
    __table_args__ = strict(
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
        CheckConstraint(_STATES, name="state"),
        CheckConstraint(_TWO_PERSONS, name="two_persons"),
        CheckConstraint(_DECIDED, name="decided"),
        CheckConstraint(_ENDED, name="ended"),
        CheckConstraint(_DATES, name="dates"),
        CheckConstraint("length(place) IN (6, 9, 12)", name="place"),
        CheckConstraint("(role = 'DEPARTMENT') = (department IS NOT NULL)", name="department"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String)
    place: Mapped[str] = mapped_column(String)
    department: Mapped[str | None] = mapped_column(String)
    """The key of the department that a DEPARTMENT works for (`households.departments`)."""
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String, index=True)
    requested_by: Mapped[str] = mapped_column(String)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class DeterminationLimit(Base):
    """Up to how much a person may determine, from a day on. No row in force: nothing may be determined."""

    __tablename__ = "determination_limit"
    __table_args__ = strict(
        CheckConstraint(f"amount_fen > 0 AND amount_fen <= {MOST_FEN}", name="amount_fen"),
        CheckConstraint(_STATES, name="state"),
        CheckConstraint(_TWO_PERSONS, name="two_persons"),
        CheckConstraint(_DECIDED, name="decided"),
        CheckConstraint(_ENDED, name="ended"),
        CheckConstraint(_DATES, name="dates"),
    )
    id: Mapped[str] = mapped_column(String, primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_member.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String, index=True)
    requested_by: Mapped[str] = mapped_column(String)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Kin(Base):
    """A relative whom a staff member has declared, by keyed digest of the ID number (K6)."""

    __tablename__ = "kin"
    __table_args__ = strict(UniqueConstraint("staff_id", "id_lookup"), Index(None, "id_lookup"))
    id: Mapped[str] = mapped_column(String, primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_member.id"))
    id_lookup: Mapped[str] = mapped_column(String)
    relation: Mapped[str] = mapped_column(String)
    declared_at: Mapped[datetime] = mapped_column(Instant)


_ADMIN = ", ".join(f"'{role}'" for role in sorted(ADMIN_ROLES))
_HOLDS_TOO = (
    "EXISTS (SELECT 1 FROM role_grant AS other JOIN account AS theirs ON theirs.id = other.account_id "  # noqa: S608
    "JOIN account AS mine ON mine.id = NEW.account_id WHERE theirs.staff_id = mine.staff_id "
    "AND other.id <> NEW.id AND other.state = 'active' AND other.role <> NEW.role "
    f"AND (other.role IN ({_ADMIN}) OR NEW.role IN ({_ADMIN})))"
)
_GAINER_DECIDES = (
    "EXISTS (SELECT 1 FROM account WHERE account.id = NEW.account_id AND account.staff_id = NEW.decided_by)"
)
_GRANT = ("id", "valid_from", "valid_to", "requested_by", "requested_at")

GUARDS = [
    Guard("staff_member_no_delete", "staff_member", "BEFORE DELETE", "TRUE"),
    Guard("staff_member_same", "staff_member", "BEFORE UPDATE", "OLD.id <> NEW.id"),
    Guard("account_no_delete", "account", "BEFORE DELETE", "TRUE"),
    Guard(
        "account_same",
        "account",
        "BEFORE UPDATE",
        "OLD.id <> NEW.id OR OLD.staff_id <> NEW.staff_id OR OLD.login <> NEW.login OR OLD.demo <> NEW.demo",
    ),
    Guard("account_step_forward", "account", "BEFORE UPDATE", "NEW.totp_step < OLD.totp_step"),
    *frozen("role_grant", (*_GRANT, "account_id", "role", "place", "department")),
    only_moves("role_grant", GRANT_MOVES),
    set_once("role_grant", ("decided_by", "decided_at", "ended_by", "ended_at")),
    *(
        guard
        for when, name in (("BEFORE INSERT", "insert"), ("BEFORE UPDATE", "update"))
        for guard in (
            Guard(f"role_grant_k7_{name}", "role_grant", when, f"NEW.state = 'active' AND {_HOLDS_TOO}"),
            Guard(
                f"role_grant_gainer_{name}", "role_grant", when, f"NEW.state = 'active' AND {_GAINER_DECIDES}"
            ),
        )
    ),
    *frozen("determination_limit", (*_GRANT, "staff_id", "amount_fen")),
    only_moves("determination_limit", GRANT_MOVES),
    set_once("determination_limit", ("decided_by", "decided_at", "ended_by", "ended_at")),
    *(
        Guard(
            f"determination_limit_gainer_{name}",
            "determination_limit",
            when,
            "NEW.state = 'active' AND NEW.decided_by = NEW.staff_id",
        )
        for when, name in (("BEFORE INSERT", "insert"), ("BEFORE UPDATE", "update"))
    ),
]
