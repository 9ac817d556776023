"""Taking in claims with their decisions, in bulk, each row with its event."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.deciding import Decided
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Review
from claims.queries import Standing, by_household, standings
from claims.services.decisions import decision_row, in_determined_order, opened
from claims.storing import dump, dump_record
from foundation.actors import Actor
from foundation.database import bulk_insert, table_of
from foundation.sealing import Sealer
from foundation.trail import Change, record
from policies.policy import Policy
from policies.queries import policy_by_id

_BLOCK = 4000
"""Changes, two for a new claim with its decision, that are written at once."""


@dataclass(frozen=True, slots=True)
class ClaimsTakenIn:
    """What taking in claims changed: rows added and changed, decisions proposed, reviews opened."""

    added: int
    changed: int
    decisions: int
    reviews: int


def take_in_claims(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy: Policy,
    policy_id: str,
    decided: Sequence[Decided],
    household_ids: Mapping[str, str],
    towns: Mapping[str, str],
) -> ClaimsTakenIn:
    """Stores the claims of a pack with their decisions.

    `decided` are all claims, decided from the pack alone, in order. A claim that nobody has determined yet is decided
    anew against what its household's determined claims have used; where a determined claim would now be decided
    otherwise, a review is opened and nothing is edited. `towns` by ID number.
    """
    work = _Intake(session, sealer, actor, at, policy, policy_id)
    known = standings(session, policy.number)
    determined_households = {
        item.household_id for item in known.values() if item.determined_number is not None
    }
    groups: dict[str, list[Decided]] = {}
    for item in decided:
        household = item.facts.household
        household_id = None if household is None else household_ids[household.household_no]
        work.claim(
            item, household_id, towns.get(item.facts.claim.id_number, ""), known.get(item.decision.claim_no)
        )
        if household_id is not None and household_id in determined_households:
            groups.setdefault(household_id, []).append(item)
        else:
            work.decision(item.facts, item.decision)
        work.write_full_block()
    standing_of = by_household(known.values())
    for household_id, items in groups.items():
        work.decide_anew(items, standing_of[household_id], known)
        work.write_full_block()
    return work.finish()


class _Intake:
    """Collects the rows of one intake and writes them in blocks, each row with its event.

    Blocks keep the memory flat: a decision's record is long, and a county has many.
    """

    def __init__(
        self, session: Session, sealer: Sealer, actor: Actor, at: datetime, policy: Policy, policy_id: str
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        self._policy, self._policy_id = policy, policy_id
        self._claim_ids: dict[str, str] = {}
        self._added: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._decisions: list[dict[str, Any]] = []
        self._reviews: list[dict[str, Any]] = []
        self._changes: list[Change] = []
        self._written = ClaimsTakenIn(0, 0, 0, 0)
        query = select(ClaimRow.claim_no, ClaimRow.digest).where(ClaimRow.policy_number == policy.number)
        self._digests = {row[0]: row[1] for row in session.execute(query)}
        self._newest = _newest_digests(session, policy.number)

    def claim(self, item: Decided, household_id: str | None, town: str, known: Standing | None) -> None:
        """A claim row: new, changed while nobody has determined it, or left as it is."""
        claim = item.facts.claim
        content = dump(claim)
        digest = self._sealer.digest("claim", content)
        identity = known.claim_id if known else secrets.token_hex(16)
        self._claim_ids[claim.claim_no] = identity
        if known and (self._digests[claim.claim_no] == digest or known.determined_number is not None):
            return
        row = {
            "id": identity,
            "policy_number": self._policy.number,
            "claim_no": claim.claim_no,
            "household_id": household_id,
            "line": claim.line,
            "benefit": claim.benefit,
            "town": town,
            "notified_on": claim.notified_on,
            "event_on": claim.event_on,
            "state": "review",
            "sealed": self._sealer.seal("claim", "sealed", identity, content),
            "digest": digest,
            "changed_at": self._at,
        }
        if known:
            self._changed.append(row)
            before = self._digests[claim.claim_no]
            self._changes.append(Change("claim.changed", "claim", identity, after=digest, before=before))
        else:
            self._added.append(row)
            self._changes.append(Change("claim.taken_in", "claim", identity, after=digest))

    def decision(self, facts: Facts, decision: Decision) -> str | None:
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
        self._changes.append(Change("decision.proposed", "decision", row["id"], after=digest, before=before))
        return str(row["id"])

    def decide_anew(
        self, items: Sequence[Decided], standing: Sequence[Standing], known: Mapping[str, Standing]
    ) -> None:
        """A household of which something is determined: the rest is decided against that, the determined reviewed."""
        fresh = {item.decision.claim_no: item for item in items}
        usage = Usage()
        for before in in_determined_order(standing):
            facts, made = opened(self._sealer, before)
            item = fresh.get(before.claim_no)
            if item is not None and facts.household is not None and item.facts.household is not None:
                new_facts = replace(
                    item.facts, used=usage.by(self._policy, item.facts.claim, item.facts.household)
                )
                self._review(before, new_facts, decide(self._policy, new_facts), made)
            if facts.household is not None:
                usage.add(policy_by_id(self._session, before.policy_id), facts.claim, facts.household, made)
        for item in items:
            before_item = known.get(item.decision.claim_no)
            if before_item is not None and before_item.determined_number is not None:
                continue
            household = item.facts.household
            if household is None:
                continue
            facts = replace(item.facts, used=usage.by(self._policy, item.facts.claim, household))
            decision = decide(self._policy, facts)
            usage.add(self._policy, facts.claim, household, decision)
            self.decision(facts, decision)

    def _review(self, standing: Standing, facts: Facts, decision: Decision, made: Decision) -> None:
        same = (decision.outcome, decision.payable_fen, decision.reasons) == (
            made.outcome,
            made.payable_fen,
            made.reasons,
        )
        if same:
            return
        decision_id = self.decision(facts, decision)
        if decision_id is None:
            return
        row: dict[str, Any] = {
            "id": secrets.token_hex(16),
            "claim_id": standing.claim_id,
            "decision_id": decision_id,
            "opened_at": self._at,
        }
        self._reviews.append(row)
        self._changes.append(Change("review.opened", "review", row["id"], after=decision_id))

    def write_full_block(self) -> None:
        """Writes what was collected, once that is enough for a block."""
        if len(self._changes) >= _BLOCK:
            self._write()

    def finish(self) -> ClaimsTakenIn:
        """Writes the last block; how much was written in all."""
        self._write()
        return self._written

    def _write(self) -> None:
        bulk_insert(self._session, table_of(ClaimRow), self._added)
        if self._changed:
            table = table_of(ClaimRow)
            values: dict[str, Any] = {
                name: bindparam(name) for name in self._changed[0] if name not in ("id", "state")
            }
            statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
            parameters = [{**row, "row_id": row["id"]} for row in self._changed]
            for row in parameters:
                del row["id"], row["state"]
            self._session.connection().execute(statement, parameters)
        bulk_insert(self._session, table_of(DecisionRow), self._decisions)
        bulk_insert(self._session, table_of(Review), self._reviews)
        record(self._session, self._actor, self._at, self._changes)
        done = self._written
        self._written = ClaimsTakenIn(
            done.added + len(self._added),
            done.changed + len(self._changed),
            done.decisions + len(self._decisions),
            done.reviews + len(self._reviews),
        )
        for rows in (self._added, self._changed, self._decisions, self._reviews, self._changes):
            rows.clear()


def _newest_digests(session: Session, policy_number: str) -> dict[str, tuple[int, str]]:
    """Claim number → (sequence, digest) of its newest decision."""
    query = (
        select(ClaimRow.claim_no, DecisionRow.sequence, DecisionRow.digest)
        .join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
        .where(ClaimRow.policy_number == policy_number)
        .order_by(DecisionRow.sequence)
    )
    return {number: (sequence, digest) for number, sequence, digest in session.execute(query)}
