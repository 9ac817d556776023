"""Determining claims: two persons, within the determiner's limit, one household's claims one by one.

A household's version is counted up by compare-and-set, so that no cap and no franchise is used twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.errors import HouseholdMoved
from claims.models import ClaimRow, DecisionRow, Determination
from claims.queries import Standing, by_household, standings
from claims.services.decisions import decision_row, in_determined_order, opened
from claims.services.limits import Limit, recused
from claims.services.listing import refresh
from claims.states import APPROVED, REJECTED, REVIEW, move
from claims.storing import dump_record
from foundation.actors import TWICE_SURE, Actor, Role
from foundation.collecting import without_cycle_search
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.sealing import Sealer
from foundation.segregation import Act, Duty, refuse_conflict
from foundation.trail.events import Change, record
from households.models import HouseholdRow
from policies.queries import policy_by_id


@dataclass(frozen=True, slots=True)
class Determined:
    """One claim that was determined now."""

    determination_id: str
    claim_id: str
    claim_no: str
    notified_on: date
    outcome: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class DeterminationRound:
    """What came of determining a policy's claims: those determined, in the order of rules.md §1, and how many wait."""

    determined: list[Determined]
    above_limit: int
    """Claims that wait for somebody with a higher limit, with the later ones of their households."""
    recused: int
    """Claims that wait for somebody whom they do not concern (K6)."""
    needed_fen: int
    """The limit that the highest of those above it asks for; 0 where there is none."""
    unknown: int = 0
    """Claims of households whose earlier determinations were erased: what they have used is not known any more."""


@without_cycle_search()
def determine(
    session: Session, sealer: Sealer, recommender: Actor, determiner: Actor, at: datetime, policy_number: str
) -> DeterminationRound:
    """Determines every claim whose decision is approve or reject, in the order of rules.md §1.

    Each is decided again at this moment against all that its household was determined since. Refer and supplement wait
    for an officer. What is above the determiner's limit stays in review, and so do the later claims of that household:
    none may use a cap before its turn. So does what concerns either person or a relative.

    Raises NotAllowedError for one person in both roles and for a determiner without a limit on this business day,
    HouseholdMoved when another determination of a household came first.
    """
    recommender.must_be(Role.CLAIM_OFFICER)
    determiner.must_be(Role.ADJUDICATOR, Role.ADJ_SENIOR)
    determiner.must_be_sure(*TWICE_SURE)
    refuse_conflict([Act(recommender.person, Duty.RECOMMEND)], determiner.person, Duty.DETERMINE)
    one_at_a_time(session, "claims")
    work = _Determining(session, sealer, recommender, determiner, at)
    versions = {
        row[0]: (row[1], row[2])
        for row in session.execute(select(HouseholdRow.id, HouseholdRow.version, HouseholdRow.household_no))
    }
    moved: list[str] = []
    for key, items in by_household(standings(session, policy_number).values()).items():
        if work.household(items) and key in versions:
            moved.append(key)
    _count_up(session, {key: versions[key] for key in moved})
    return DeterminationRound(
        work.write(), work.above_limit, work.recused, work.limit.needed_fen, work.unknown
    )


def _count_up(session: Session, versions: Mapping[str, tuple[int, str]]) -> None:
    """Household versions up by one, each only if nobody else did so since it was read."""
    for household_id, (version, household_no) in versions.items():
        where = (HouseholdRow.id == household_id) & (HouseholdRow.version == version)
        changed = session.execute(update(HouseholdRow).where(where).values(version=version + 1))
        if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise HouseholdMoved(household_no)


def _to_determine(waiting: Sequence[Standing]) -> int:
    """How many of these are ripe for determination by the decision that they have."""
    return sum(item.outcome in ("approve", "reject") for item in waiting)


class _Determining:
    """Collects determinations and writes them in bulk, each with the events of its two persons."""

    def __init__(
        self, session: Session, sealer: Sealer, recommender: Actor, determiner: Actor, at: datetime
    ) -> None:
        self._session, self._sealer, self._at = session, sealer, at
        self._recommender, self._determiner = recommender, determiner
        self.limit = Limit(session, determiner, at)
        self._recused = recused(session, (recommender.person, determiner.person))
        self.above_limit = self.recused = self.unknown = 0
        self._decisions: list[dict[str, Any]] = []
        self._rows: list[tuple[Determined, dict[str, Any]]] = []
        self._proposed: list[Change] = []
        # Numbered within the household over all its policies.
        query = select(Determination.household_id, func.max(Determination.number))
        grouped = query.where(Determination.household_id.is_not(None)).group_by(Determination.household_id)
        self._numbers: dict[str, int] = {str(row[0]): row[1] for row in session.execute(grouped)}

    def household(self, items: Sequence[Standing]) -> bool:
        """Determines what can be of one household (or of one claimant who is not insured); whether anything was."""
        waiting = [item for item in items if item.determined_number is None and item.state == REVIEW]
        if all(item.outcome in ("refer", "supplement") for item in waiting):
            return False
        key = waiting[0].household_id or waiting[0].claim_id
        if key in self._recused:
            self.recused += _to_determine(waiting)
            return False
        earlier = in_determined_order(items)
        if any(item.erased for item in earlier):
            self.unknown += _to_determine(waiting)
            return False
        usage = Usage()
        for item in earlier:
            facts, made = opened(self._sealer, item)
            if facts.household is not None:
                usage.add(policy_by_id(self._session, item.policy_id), facts.claim, facts.household, made)
        before = number = self._numbers.get(waiting[0].household_id or "", 0)
        for place, item in enumerate(waiting):
            decision, decision_id = self._decided_now(item, usage)
            if decision.outcome not in ("approve", "reject"):
                continue
            if decision.outcome == "approve" and not self.limit.covers(
                key, decision.line, decision.payable_fen
            ):
                self.above_limit += 1 + _to_determine(waiting[place + 1 :])
                break
            number += 1
            self._determine(item, decision, decision_id, number)
        return number > before

    def _decided_now(self, item: Standing, usage: Usage) -> tuple[Decision, str]:
        facts, made = opened(self._sealer, item)
        policy = policy_by_id(self._session, item.policy_id)
        household = facts.household
        if household is None:
            return made, item.decision_id
        used = usage.by(policy, facts.claim, household)
        if used != facts.used:
            facts = replace(facts, used=used)
        decision = decide(policy, facts)
        usage.add(policy, facts.claim, household, decision)
        content = dump_record(facts, decision)
        digest = self._sealer.digest("decision", content)
        if digest == item.digest:
            return decision, item.decision_id
        row = decision_row(
            self._sealer,
            item.claim_id,
            item.sequence + 1,
            item.policy_id,
            decision,
            content,
            digest,
            self._at,
        )
        self._decisions.append(row)
        self._proposed.append(
            Change("decision.proposed", "decision", row["id"], after=digest, before=item.digest)
        )
        return decision, str(row["id"])

    def _determine(self, item: Standing, decision: Decision, decision_id: str, number: int) -> None:
        amount = decision.payable_fen if decision.outcome == "approve" else 0
        row: dict[str, Any] = {
            "id": secrets.token_hex(16),
            "claim_id": item.claim_id,
            "decision_id": decision_id,
            "household_id": item.household_id,
            "number": number,
            "outcome": decision.outcome,
            "amount_fen": amount,
            "recommended_by": self._recommender.person,
            "determined_by": self._determiner.person,
            "determined_at": self._at,
        }
        move(item.state, APPROVED if decision.outcome == "approve" else REJECTED)
        done = Determined(row["id"], item.claim_id, item.claim_no, item.notified_on, decision.outcome, amount)
        self._rows.append((done, row))

    def write(self) -> list[Determined]:
        """Writes everything that was collected, in the order of rules.md §1."""
        session, at = self._session, self._at
        self._rows.sort(key=lambda pair: (pair[0].notified_on, pair[0].claim_no))
        rows = [row for _, row in self._rows]
        bulk_insert(session, table_of(DecisionRow), self._decisions)
        bulk_insert(session, table_of(Determination), rows)
        states = [
            {"row_id": row["claim_id"], "to": APPROVED if row["outcome"] == "approve" else REJECTED, "at": at}
            for row in rows
        ]
        if states:
            table = table_of(ClaimRow)
            statement = update(table).where(table.c.id == bindparam("row_id"))
            session.connection().execute(
                statement.values(state=bindparam("to"), changed_at=bindparam("at")), states
            )
            refresh(session, at)
        record(session, self._recommender, at, self._proposed)
        recommended = [
            Change("claim.recommended", "claim", r["claim_id"], after=r["decision_id"], reason=r["outcome"])
            for r in rows
        ]
        record(session, self._recommender, at, recommended)
        determined = [
            Change(
                "claim.determined",
                "claim",
                r["claim_id"],
                after=r["id"],
                before="review",
                reason=r["outcome"],
            )
            for r in rows
        ]
        record(session, self._determiner, at, determined)
        return [done for done, _ in self._rows]
