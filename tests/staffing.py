"""Staff for tests, made straight in the database: people, accounts, roles and limits in force."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from foundation.actors import Role
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FOREVER = date(2000, 1, 1)


def put_person(session: Session, person: str, name: str = "某某", id_lookup: str | None = None) -> str:
    """A natural person under an id of the test's own, if not there yet; the id."""
    if session.get(StaffMember, person) is None:
        session.add(StaffMember(id=person, name=name, id_lookup=id_lookup, created_at=LONG_AGO))
        session.flush()
    return person


def put_limit(session: Session, person: str, amount_fen: int, name: str = "某某") -> None:
    """A limit of determination in force since 2000, with the person where they are not there yet."""
    session.add(
        DeterminationLimit(
            id=secrets.token_hex(16),
            staff_id=put_person(session, person, name),
            amount_fen=amount_fen,
            valid_from=FOREVER,
            state="active",
            requested_by="test-asks",
            requested_at=LONG_AGO,
            decided_by="test-decides",
            decided_at=LONG_AGO,
        )
    )
    session.flush()


def put_account(session: Session, person: str, login: str) -> str:
    """An account of a person, who is added where they are not there yet; the account's id."""
    account = Account(
        id=secrets.token_hex(16),
        login=login,
        staff_id=put_person(session, person),
        state="active",
        password_must_change=False,
        totp_step=0,
        failures=0,
        demo=False,
        version=1,
        created_at=LONG_AGO,
    )
    session.add(account)
    session.flush()
    return account.id


def put_grant(session: Session, account_id: str, role: Role, place: str = "370323") -> str:
    """A role in force since 2000; the grant's id."""
    grant = RoleGrant(
        id=secrets.token_hex(16),
        account_id=account_id,
        role=role,
        place=place,
        department="MEDINS" if role is Role.DEPARTMENT else None,
        valid_from=FOREVER,
        state="active",
        requested_by="test-asks",
        requested_at=LONG_AGO,
        decided_by="test-decides",
        decided_at=LONG_AGO,
    )
    session.add(grant)
    session.flush()
    return grant.id


def id_number_of(whom: str) -> str:
    """A valid ID number for anybody, another one for another name."""
    number = int.from_bytes(whom.encode()) % 7919
    digits = f"370323{1950 + number // 999}0101{number % 999:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Of GB 11643-1999."""
