"""Deciding again what was decided before: what comes out otherwise is proposed beside it, and nothing is edited.

A newer pack and a correction of the register go this one road. Where a determined claim would now be decided otherwise,
or the newest pack has it no more, a review is opened for a person; a claim that nobody has determined yet gets a new
proposed decision, against what its household's determined claims have used.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, select, true
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Review
from claims.queries import Standing
from claims.services.decisions import decision_row, in_determined_order, opened
from claims.storing import dump_record
from foundation.actors import Actor
from foundation.database import bulk_insert, table_of
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from policies.policy import Policy
from policies.queries import policy_by_id

OTHERWISE, GONE = "otherwise", "gone"
"""Why a determined claim is reviewed: it would now be decided otherwise, or the newest pack has it no more."""


class Redeciding:
    """Collects decisions and reviews, each with its event, until they are written in one block.

    `claim_ids` is claim number → row id, and may grow meanwhile. `changes` are the events so far; a caller who writes
    other rows in the same block puts theirs among them. `of` narrows which claims are known.
    """

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        actor: Actor,
        at: datetime,
        policy: Policy,
        policy_id: str,
        claim_ids: Mapping[str, str],
        of: ColumnElement[bool] | None = None,
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        self._policy, self._policy_id, self._claim_ids = policy, policy_id, claim_ids
        self._newest = _newest_digests(session, policy.number, true() if of is None else of)
        known = select(Review.claim_id, Review.reason)
        if of is not None:
            known = known.join(ClaimRow, ClaimRow.id == Review.claim_id).where(of)
        self._open_reviews = {tuple(row) for row in session.execute(known)}
        self._decisions: list[dict[str, Any]] = []
        self._reviews: list[dict[str, Any]] = []
        self.changes: list[Change] = []
        self.decisions = self.reviews = 0
        """How many were written."""

    def propose(self, facts: Facts, decision: Decision) -> str | None:
        """A decision row, unless the newest one of the claim says the same; its id if it is new."""
        content = dump_record(facts, decision)
        digest = self._sealer.digest("decision", content)
        number = decision.claim_no
        sequence, newest = self._newest.get(number, (0, ""))
        if newest == digest:
            return None
        row = decision_row(
            self._sealer,
            self._claim_ids[number],
            sequence + 1,
            self._policy_id,
            decision,
            content,
            digest,
            self._at,
        )
        self._newest[number] = (sequence + 1, digest)
        self._decisions.append(row)
        before = newest or None
        self.changes.append(Change("decision.proposed", "decision", row["id"], after=digest, before=before))
        return str(row["id"])

    def review(self, standing: Sequence[Standing], fresh: Mapping[str, Facts]) -> Usage:
        """Reviews the determined claims of a household against the new facts, by claim number; what they have used."""
        usage = Usage()
        for before in in_determined_order(standing):
            if before.erased:
                continue  # nothing is left to compare; no claim of such a household is determined by itself
            old, made = opened(self._sealer, before)
            facts = fresh.get(before.claim_no)
            if facts is None:
                self._open_review(before, GONE, None)
            else:
                self._review(before, facts, made, usage)
            if old.household is not None:
                usage.add(policy_by_id(self._session, before.policy_id), old.claim, old.household, made)
        return usage

    def _review(self, before: Standing, facts: Facts, made: Decision, usage: Usage) -> None:
        if facts.household is not None:
            facts = replace(facts, used=usage.by(self._policy, facts.claim, facts.household))
        decision = decide(self._policy, facts)
        same = (decision.outcome, decision.payable_fen, decision.reasons) == (
            made.outcome,
            made.payable_fen,
            made.reasons,
        )
        if not same:
            decision_id = self.propose(facts, decision)
            if decision_id is not None:
                self._open_review(before, OTHERWISE, decision_id)

    def _open_review(self, before: Standing, reason: str, decision_id: str | None) -> None:
        if decision_id is None and (before.claim_id, reason) in self._open_reviews:
            return
        row: dict[str, Any] = {
            "id": secrets.token_hex(16),
            "claim_id": before.claim_id,
            "reason": reason,
            "decision_id": decision_id,
            "opened_at": self._at,
        }
        self._reviews.append(row)
        self.changes.append(Change("review.opened", "review", row["id"], after=decision_id, reason=reason))

    def decide_anew(self, items: Iterable[Facts], usage: Usage) -> None:
        """The claims of a household that nobody has determined yet, against what its determined ones have used."""
        for given in items:
            household, facts = given.household, given
            if household is not None:
                facts = replace(given, used=usage.by(self._policy, given.claim, household))
            decision = decide(self._policy, facts)
            if household is not None:
                usage.add(self._policy, facts.claim, household, decision)
            self.propose(facts, decision)

    def write(self) -> None:
        """Writes what was collected, with its events."""
        bulk_insert(self._session, table_of(DecisionRow), self._decisions)
        bulk_insert(self._session, table_of(Review), self._reviews)
        record(self._session, self._actor, self._at, self.changes)
        self.decisions += len(self._decisions)
        self.reviews += len(self._reviews)
        for rows in (self._decisions, self._reviews, self.changes):
            rows.clear()


def _newest_digests(
    session: Session, policy_number: str, of: ColumnElement[bool]
) -> dict[str, tuple[int, str]]:
    """Claim number → (sequence, digest) of its newest decision."""
    query = (
        select(
            ClaimRow.claim_no,
            DecisionRow.sequence,
            # One that was erased says nothing any more: what comes again is decided, and written down, anew.
            case((DecisionRow.sealed == ERASED, ""), else_=DecisionRow.digest),
        )
        .join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
        .where(ClaimRow.policy_number == policy_number, of)
        .order_by(DecisionRow.sequence)
    )
    return {number: (sequence, digest) for number, sequence, digest in session.execute(query)}
