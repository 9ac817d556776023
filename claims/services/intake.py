"""Taking in claims with their decisions, in bulk, each row with its event."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.deciding import Decided
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Review
from claims.queries import Standing, by_household, standings
from claims.services.decisions import decision_row, in_determined_order, opened
from claims.states import REVIEW, WITHDRAWN
from claims.storing import dump, dump_record
from foundation.actors import Actor
from foundation.collecting import without_cycle_search
from foundation.database import bulk_insert, table_of
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from policies.policy import Policy
from policies.queries import policy_by_id

OTHERWISE, GONE = "otherwise", "gone"
"""Why a determined claim is reviewed: it would now be decided otherwise, or the newest pack has it no more."""

_BLOCK = 4000
"""Changes, two for a new claim with its decision, that are written at once."""


@dataclass(frozen=True, slots=True)
class ClaimsTakenIn:
    """What taking in claims changed: rows added and changed, decisions proposed, reviews opened."""

    added: int
    changed: int
    decisions: int
    reviews: int


@without_cycle_search()
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
    anew against what its household's determined claims have used, or withdrawn when the pack has it no more. Where a
    determined claim would now be decided otherwise, or is gone, a review is opened and nothing is edited. `towns` by
    ID number.
    """
    work = _Intake(session, sealer, actor, at, policy, policy_id)
    known = standings(session, policy.number)
    determined = by_household(item for item in known.values() if item.determined_number is not None)
    fresh = {item.decision.claim_no: item for item in decided}
    open_of: dict[str, list[Decided]] = {}
    for item in decided:
        household = item.facts.household
        household_id = None if household is None else household_ids[household.household_no]
        before = known.get(item.decision.claim_no)
        work.claim(item, household_id, towns.get(item.facts.claim.id_number, ""), before)
        if before is not None and before.determined_number is not None:
            continue
        if household_id in determined:
            open_of.setdefault(household_id, []).append(item)
        else:
            work.decision(item.facts, item.decision)
        work.write_full_block()
    for key, standing in determined.items():
        usage = work.review(standing, fresh)
        work.decide_anew(open_of.get(key, ()), usage)
        work.write_full_block()
    for number, before in known.items():
        if number not in fresh and before.state == REVIEW:
            work.withdraw(before)
    return work.finish()


def claim_digest(sealer: Sealer, content: bytes, household_id: str | None, town: str) -> str:
    """The keyed digest of a claim row: another one says that the claim, its household or its town has changed."""
    return sealer.digest("claim", content + f"|{household_id}|{town}".encode())


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
        self._withdrawn: list[dict[str, Any]] = []
        self._changes: list[Change] = []
        self._written = ClaimsTakenIn(0, 0, 0, 0)
        query = select(ClaimRow.claim_no, ClaimRow.digest).where(ClaimRow.policy_number == policy.number)
        self._digests = {row[0]: row[1] for row in session.execute(query)}
        self._newest = _newest_digests(session, policy.number)
        self._open_reviews = {tuple(row) for row in session.execute(select(Review.claim_id, Review.reason))}

    def claim(self, item: Decided, household_id: str | None, town: str, known: Standing | None) -> None:
        """A claim row: new, changed while nobody has determined it, or left as it is."""
        claim = item.facts.claim
        content = dump(claim)
        digest = claim_digest(self._sealer, content, household_id, town)
        identity = known.claim_id if known else secrets.token_hex(16)
        self._claim_ids[claim.claim_no] = identity
        if known and known.determined_number is not None:
            return
        if known and known.state == REVIEW and self._digests[claim.claim_no] == digest:
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
            "state": REVIEW,
            "sealed": self._sealer.seal("claim", "sealed", identity, content),
            "digest": digest,
            "id_lookup": self._sealer.lookup("id_number", claim.id_number),
            "name_lookup": self._sealer.lookup("name", claim.name),
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

    def review(self, standing: Sequence[Standing], fresh: Mapping[str, Decided]) -> Usage:
        """Reviews the determined claims of a household against the new facts; what they have used."""
        usage = Usage()
        for before in in_determined_order(standing):
            if before.erased:
                continue  # nothing is left to compare; no claim of such a household is determined by itself
            facts, made = opened(self._sealer, before)
            item = fresh.get(before.claim_no)
            if item is None:
                self._open_review(before, GONE, None)
            else:
                self._review(before, item, made, usage)
            if facts.household is not None:
                usage.add(policy_by_id(self._session, before.policy_id), facts.claim, facts.household, made)
        return usage

    def _review(self, before: Standing, item: Decided, made: Decision, usage: Usage) -> None:
        facts = item.facts
        if facts.household is not None:
            facts = replace(facts, used=usage.by(self._policy, facts.claim, facts.household))
        decision = decide(self._policy, facts)
        same = (decision.outcome, decision.payable_fen, decision.reasons) == (
            made.outcome,
            made.payable_fen,
            made.reasons,
        )
        if not same:
            decision_id = self.decision(facts, decision)
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
        self._changes.append(Change("review.opened", "review", row["id"], after=decision_id, reason=reason))

    def decide_anew(self, items: Sequence[Decided], usage: Usage) -> None:
        """The claims of a household that nobody has determined yet, against what its determined ones have used."""
        for item in items:
            household = item.facts.household
            if household is None:
                continue
            facts = replace(item.facts, used=usage.by(self._policy, item.facts.claim, household))
            decision = decide(self._policy, facts)
            usage.add(self._policy, facts.claim, household, decision)
            self.decision(facts, decision)

    def withdraw(self, before: Standing) -> None:
        """A claim that the newest pack has no more, and that nobody has determined: it is not decided, nor paid."""
        self._withdrawn.append({"row_id": before.claim_id, "state": WITHDRAWN, "changed_at": self._at})
        self._changes.append(Change("claim.withdrawn", "claim", before.claim_id, before=before.state))

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
            values: dict[str, Any] = {name: bindparam(name) for name in self._changed[0] if name != "id"}
            statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
            self._session.connection().execute(
                statement, [{**row, "row_id": row["id"]} for row in self._changed]
            )
        if self._withdrawn:
            table = table_of(ClaimRow)
            values = {name: bindparam(name) for name in ("state", "changed_at")}
            statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
            self._session.connection().execute(statement, self._withdrawn)
        bulk_insert(self._session, table_of(DecisionRow), self._decisions)
        bulk_insert(self._session, table_of(Review), self._reviews)
        record(self._session, self._actor, self._at, self._changes)
        done = self._written
        self._written = ClaimsTakenIn(
            done.added + len(self._added),
            done.changed + len(self._changed) + len(self._withdrawn),
            done.decisions + len(self._decisions),
            done.reviews + len(self._reviews),
        )
        for rows in (
            self._added,
            self._changed,
            self._decisions,
            self._reviews,
            self._withdrawn,
            self._changes,
        ):
            rows.clear()


def _newest_digests(session: Session, policy_number: str) -> dict[str, tuple[int, str]]:
    """Claim number → (sequence, digest) of its newest decision."""
    query = (
        select(
            ClaimRow.claim_no,
            DecisionRow.sequence,
            # One that was erased says nothing any more: what comes again is decided, and written down, anew.
            case((DecisionRow.sealed == ERASED, ""), else_=DecisionRow.digest),
        )
        .join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
        .where(ClaimRow.policy_number == policy_number)
        .order_by(DecisionRow.sequence)
    )
    return {number: (sequence, digest) for number, sequence, digest in session.execute(query)}
