"""What holds a determiner back: their dated limit (with what they determined lately), and relatives (K6 回避)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination
from foundation.actors import Actor
from foundation.clock import business_day
from foundation.errors import NotAllowedError
from foundation.money import MOST_FEN
from foundation.staff.queries import limit_on, own_and_kin
from households.models import Cover, Person

WINDOW = timedelta(days=30)
"""What one person determines for a household and a line in this time counts together: two half claims are one."""


class Limit:
    """A determiner's limit on the day, and what they have determined within it."""

    def __init__(self, session: Session, determiner: Actor, at: datetime) -> None:
        """Raises NotAllowedError when no limit of the person is in force on the business day."""
        found = limit_on(session, determiner.person, business_day(at))
        if found is None:
            raise NotAllowedError(
                f"{determiner.name}没有有效的核定限额,不能核定;请安全管理员申请,由另一人审批",
                f"{determiner.name} has no limit of determination in force; the security administrator asks for one",
            )
        self._limit_fen = found
        self._sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        query = (
            select(Determination.household_id, ClaimRow.line, func.sum(Determination.amount_fen))
            .join(ClaimRow, ClaimRow.id == Determination.claim_id)
            .where(
                Determination.determined_by == determiner.person,
                Determination.household_id.is_not(None),
                Determination.determined_at > at - WINDOW,
                Determination.amount_fen > 0,
            )
            .group_by(Determination.household_id, ClaimRow.line)
        )
        for household_id, line, amount in session.execute(query):
            self._sums[str(household_id), line] = int(amount)
        self.needed_fen = 0
        """The highest sum that was asked for and refused."""

    def covers(self, key: str, line: str, amount_fen: int) -> bool:
        """Whether an amount for a household (or a claimant without one) and line is within; if so it counts at once."""
        together = self._sums[key, line] + amount_fen
        if together > self._limit_fen:
            self.needed_fen = max(self.needed_fen, together)
            return False
        self._sums[key, line] = together
        return True


def recused(session: Session, persons: Iterable[str]) -> set[str]:
    """Households, and claims of claimants without one, that concern these staff or a relative whom they declared (K6).

    Ids of both together. Staff without an ID number and without relatives cost one statement and no more.
    """
    concerned = own_and_kin(session, persons)
    if not concerned:
        return set()
    households = (
        select(Cover.household_id)
        .join(Person, Person.id == Cover.person_id)
        .where(Person.id_lookup.in_(concerned))
    )
    claims = select(func.coalesce(ClaimRow.household_id, ClaimRow.id)).where(
        ClaimRow.id_lookup.in_(concerned)
    )
    return set(session.scalars(households.union(claims)))


def highest_for_a_household(session: Session) -> int:
    """The highest sum in fen that one household has been determined or is proposed, over all policies and time."""
    newest = (
        select(DecisionRow.claim_id, func.max(DecisionRow.sequence).label("sequence"))
        .group_by(DecisionRow.claim_id)
        .subquery()
    )
    proposed = (
        select(ClaimRow.household_id, DecisionRow.payable_fen.label("fen"))
        .join(newest, newest.c.claim_id == ClaimRow.id)
        .join(
            DecisionRow,
            (DecisionRow.claim_id == ClaimRow.id) & (DecisionRow.sequence == newest.c.sequence),
        )
        .where(ClaimRow.state == "review", DecisionRow.outcome == "approve")
    )
    amounts = union_all(
        proposed, select(Determination.household_id, Determination.amount_fen.label("fen"))
    ).subquery()
    sums = select(func.sum(amounts.c.fen).label("fen")).group_by(amounts.c.household_id).subquery()
    return min(MOST_FEN, int(session.scalar(select(func.max(sums.c.fen))) or 0))
