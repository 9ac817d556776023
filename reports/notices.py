"""Figures of the village notice from what was determined or paid, and what a notice is asked for by. Read only.

A claim's record is opened for the household's name alone; nothing else of it leaves this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination
from claims.notices import (
    PAYMENT,
    RECOGNITION,
    Result,
    VillageNotice,
    entries,
    issuer_of,
    last_day,
    represented,
)
from claims.queries import open_decision
from foundation.clock import SHANGHAI
from foundation.places import VILLAGE_DIGITS, within
from foundation.sealing import ERASED, Erased, Sealer
from households.models import HouseholdRow
from payments.models import Batch, Payable, Payment
from policies.policy import Policy
from policies.queries import policy_by_id
from reports.errors import NothingToPublish

_MOST_IDS = 500
"""Households asked for in one statement."""


@dataclass(frozen=True, slots=True)
class NoticeAsked:
    """Which notice is asked for: a village, a kind of result, a period (both ends included), the day it is hung up."""

    village_code: str
    kind: str
    period_from: date
    period_to: date
    first_day: date

    @property
    def subject_id(self) -> str:
        """As the subject of its job and its document: the village's code, the kind, three days. Nothing personal."""
        days = (self.period_from, self.period_to, self.first_day)
        return ".".join((self.village_code, self.kind, *(day.isoformat() for day in days)))


_SUBJECT = re.compile(
    rf"([0-9]{{{VILLAGE_DIGITS}}})\.({RECOGNITION}|{PAYMENT})" + r"\.([0-9]{4}-[0-9]{2}-[0-9]{2})" * 3
)


def notice_asked(subject_id: str) -> NoticeAsked:
    """What a subject asks for. Raises ValueError for one of another kind of document."""
    found = _SUBJECT.fullmatch(subject_id)
    if found is None:
        raise ValueError("not the subject of a village notice")
    return NoticeAsked(found[1], found[2], *(date.fromisoformat(found[place]) for place in (3, 4, 5)))


@dataclass(frozen=True, slots=True)
class Village:
    """A village where households of the roster live."""

    code: str
    town: str
    name: str


def villages(session: Session, place: str) -> list[Village]:
    """The villages of a place, by code."""
    query = (
        select(HouseholdRow.village_code, HouseholdRow.town, HouseholdRow.village)
        .where(within(HouseholdRow.village_code, place))
        .distinct()
        .order_by(HouseholdRow.village_code, HouseholdRow.village, HouseholdRow.town)
    )
    named = {row.village_code: Village(*row) for row in session.execute(query)}
    return list(named.values())


def anything_to_publish(session: Session, asked: NoticeAsked) -> bool:
    """Whether there is a result for a notice to tell of. One whose decision was erased cannot be told of any more."""
    query = _results(asked).join(DecisionRow, DecisionRow.id == Determination.decision_id)
    return session.execute(query.where(DecisionRow.sealed != ERASED).limit(1)).first() is not None


def households_on(session: Session, asked: NoticeAsked) -> int:
    """How many households a notice names, each with one name."""
    return (
        session.scalar(
            select(func.count()).select_from(
                _results(asked)
                .with_only_columns(HouseholdRow.id, ClaimRow.policy_number)
                .distinct()
                .subquery()
            )
        )
        or 0
    )


def notice_figures(
    session: Session, sealer: Sealer, asked: NoticeAsked, complaint_phone: str
) -> VillageNotice:
    """The figures of a notice at this moment.

    Raises NothingToPublish where the period has no result, Erased where the name of a household on it is gone: a notice
    without that household would be wrong, and would point at those who are kept longer.
    """
    rows = session.execute(_results(asked)).all()
    if not rows:
        raise NothingToPublish
    stands = _Representatives(session, sealer, {row.household_id for row in rows})
    if any((row.household_id, row.policy_number) not in stands.of for row in rows):
        raise Erased
    results = [
        Result(
            f"{row.household_id} {row.policy_number}",
            stands.of[row.household_id, row.policy_number],
            row.amount_fen,
        )
        for row in rows
    ]
    village = next(village for village in villages(session, asked.village_code))
    return VillageNotice(
        kind=asked.kind,
        town=village.town,
        village=village.name,
        period_from=asked.period_from,
        period_to=asked.period_to,
        first_day=asked.first_day,
        last_day=last_day(asked.kind, asked.first_day),
        issuer=issuer_of(village.name),
        purchaser=stands.newest_policy().purchaser,
        complaint_phone=complaint_phone,
        entries=entries(results, village.name),
    )


def _results(asked: NoticeAsked) -> Select[str, str, int]:
    """(household, policy number, sum) of every claim that was approved, or whose payment went to the bank, in time."""
    since = datetime.combine(asked.period_from, time(), SHANGHAI)
    until = datetime.combine(asked.period_to + timedelta(1), time(), SHANGHAI)
    columns = (HouseholdRow.id.label("household_id"), ClaimRow.policy_number)
    if asked.kind == RECOGNITION:
        at: Any = Determination.determined_at
        query = select(*columns, Determination.amount_fen).select_from(Determination)
        query = query.where(Determination.outcome == "approve")
    else:
        at = Batch.exported_at
        query = (
            select(*columns, Payment.amount_fen)
            .select_from(Determination)
            .join(Payable, Payable.determination_id == Determination.id)
            .join(Payment, Payment.payable_id == Payable.id)
            .join(Batch, Batch.id == Payment.batch_id)
            .where(Payment.state == "sent")
        )
    return (
        query.join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .join(HouseholdRow, HouseholdRow.id == Determination.household_id)
        .where(HouseholdRow.village_code == asked.village_code, at >= since, at < until)
    )


class _Representatives:
    """Under which name each household stands under each of its policies, as long as a decision is kept."""

    def __init__(self, session: Session, sealer: Sealer, household_ids: Iterable[str]) -> None:
        self.of: dict[tuple[str, str], str] = {}
        self._policies: dict[str, Policy] = {}
        wanted = sorted(household_ids)
        for start in range(0, len(wanted), _MOST_IDS):
            for row in _approvals(session, wanted[start : start + _MOST_IDS]):
                key = (row.household_id, row.policy_number)
                if key in self.of:
                    continue  # The first approval under the policy counts, so that a later roster changes no name.
                if row.sealed == ERASED:
                    continue  # An earlier policy's, past its term; only a notice of that time would need it.
                facts, _ = open_decision(sealer, row.id, row.sealed)
                policy = self._policies[row.policy_id] = policy_by_id(session, row.policy_id)
                assert facts.household is not None  # What is approved was claimed by somebody of the roster.
                self.of[key] = represented(facts.household, policy.period_from)

    def newest_policy(self) -> Policy:
        """The newest of the policies. Only where a household stands at all: else there is none."""
        return max(self._policies.values(), key=lambda policy: policy.period_from)


def _approvals(session: Session, household_ids: Sequence[str]) -> Sequence[Any]:
    """Approving determinations of some households, in the order of determination."""
    query = (
        select(
            Determination.household_id,
            ClaimRow.policy_number,
            DecisionRow.id,
            DecisionRow.policy_id,
            DecisionRow.sealed,
        )
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .where(Determination.household_id.in_(household_ids), Determination.outcome == "approve")
        .order_by(Determination.household_id, Determination.number)
    )
    return session.execute(query).all()
