"""What can be done to claims: taking them in with their decisions, and determining them.

Decisions are made by `claims.adjudication` and nothing else. A household's determinations go one by one: its version is
counted up by compare-and-set, so that no cap and no franchise is used twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from claims.adjudication import Decision, Usage, decide
from claims.deciding import Decided
from claims.errors import HouseholdMoved
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.queries import Standing, by_household, reveal_record, standings
from claims.states import APPROVED, REJECTED, move
from claims.storing import decision_from_data, dump, dump_record, load_record
from foundation.actors import Actor, Role
from foundation.database import bulk_insert, one_at_a_time, table_of
from foundation.errors import NotAllowedError
from foundation.money import MOST_FEN
from foundation.sealing import Sealer
from foundation.trail import Change, record
from households.models import HouseholdRow
from policies.policy import Policy
from policies.queries import policy_by_id


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
            work.decision(item.facts, item.decision, known.get(item.decision.claim_no))
    standing_of = by_household(known.values())
    for household_id, items in groups.items():
        work.decide_anew(items, standing_of[household_id], known)
    return work.write()


class _Intake:
    """Collects the rows of one intake and writes them in bulk, each with its event."""

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
        query = select(ClaimRow.claim_no, ClaimRow.digest).where(ClaimRow.policy_number == policy.number)
        self._digests = {number: digest for number, digest in session.execute(query)}
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
            "sealed": self._sealer.seal("claim", "sealed", identity, content.decode()),
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

    def decision(self, facts: Facts, decision: Decision, known: Standing | None) -> str | None:
        """A decision row, unless the newest one of the claim says the same; its id if it is new."""
        content = dump_record(facts, decision)
        digest = self._sealer.digest("decision", content)
        number = decision.claim_no
        sequence, newest = self._newest.get(number, (0, ""))
        if newest == digest:
            return None
        row = _decision_row(
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
        for before in _in_determined_order(standing):
            facts, made = _open(self._session, self._sealer, before)
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
            self.decision(facts, decision, before_item)

    def _review(self, standing: Standing, facts: Facts, decision: Decision, made: Decision) -> None:
        same = (decision.outcome, decision.payable_fen, decision.reasons) == (
            made.outcome,
            made.payable_fen,
            made.reasons,
        )
        if same:
            return
        decision_id = self.decision(facts, decision, standing)
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

    def write(self) -> ClaimsTakenIn:
        """Writes everything that was collected."""
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
        return ClaimsTakenIn(len(self._added), len(self._changed), len(self._decisions), len(self._reviews))


def _newest_digests(session: Session, policy_number: str) -> dict[str, tuple[int, str]]:
    """Claim number → (sequence, digest) of its newest decision."""
    query = (
        select(ClaimRow.claim_no, DecisionRow.sequence, DecisionRow.digest)
        .join(DecisionRow, DecisionRow.claim_id == ClaimRow.id)
        .where(ClaimRow.policy_number == policy_number)
        .order_by(DecisionRow.sequence)
    )
    return {number: (sequence, digest) for number, sequence, digest in session.execute(query)}


def _decision_row(
    sealer: Sealer,
    claim_id: str,
    sequence: int,
    policy_id: str,
    decision: Decision,
    content: bytes,
    digest: str,
    at: datetime,
) -> dict[str, Any]:
    identity = secrets.token_hex(16)
    return {
        "id": identity,
        "claim_id": claim_id,
        "sequence": sequence,
        "policy_id": policy_id,
        "outcome": decision.outcome,
        # A doubtful claim may name any number of people; what the column cannot hold stands in the sealed record.
        "payable_fen": min(decision.payable_fen, MOST_FEN),
        "entitled_fen": min(decision.entitled_fen, MOST_FEN),
        "reasons": ";".join(decision.reasons),
        "sealed": sealer.seal("decision", "sealed", identity, content.decode()),
        "digest": digest,
        "made_at": at,
    }


def _open(session: Session, sealer: Sealer, standing: Standing) -> tuple[Facts, Decision]:
    facts, data = load_record(reveal_record(sealer, standing.decision_id, standing.sealed))
    return facts, decision_from_data(data)


def _in_determined_order(items: Iterable[Standing]) -> list[Standing]:
    return sorted(
        (item for item in items if item.determined_number is not None),
        key=lambda item: item.determined_number or 0,
    )


@dataclass(frozen=True, slots=True)
class Determined:
    """One claim that was determined now."""

    determination_id: str
    claim_id: str
    claim_no: str
    notified_on: date
    outcome: str
    amount_fen: int


def determine(
    session: Session, sealer: Sealer, recommender: Actor, determiner: Actor, at: datetime, policy_number: str
) -> list[Determined]:
    """Determines every claim whose decision is approve or reject, in the order of rules.md §1; returns them in order.

    Each is decided again at this moment against all that its household was determined since. Refer and supplement wait
    for an officer. Raises NotAllowedError for one person in both roles, HouseholdMoved when another determination of a
    household came first.
    """
    recommender.must_be(Role.CLAIM_OFFICER)
    determiner.must_be(Role.ADJUDICATOR)
    if recommender.person == determiner.person:
        raise NotAllowedError("建议与核定须由两人办理", "recommending and determining take two persons")
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
    return work.write()


def _count_up(session: Session, versions: Mapping[str, tuple[int, str]]) -> None:
    """Household versions up by one, each only if nobody else did so since it was read."""
    for household_id, (version, household_no) in versions.items():
        where = (HouseholdRow.id == household_id) & (HouseholdRow.version == version)
        changed = session.execute(update(HouseholdRow).where(where).values(version=version + 1))
        if changed.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise HouseholdMoved(household_no)


class _Determining:
    """Collects determinations and writes them in bulk, each with the events of its two persons."""

    def __init__(
        self, session: Session, sealer: Sealer, recommender: Actor, determiner: Actor, at: datetime
    ) -> None:
        self._session, self._sealer, self._at = session, sealer, at
        self._recommender, self._determiner = recommender, determiner
        self._decisions: list[dict[str, Any]] = []
        self._rows: list[tuple[Determined, dict[str, Any]]] = []
        self._proposed: list[Change] = []

    def household(self, items: Sequence[Standing]) -> bool:
        """Determines what can be of one household (or of one claimant who is not insured); whether anything was."""
        if all(
            item.determined_number is not None or item.outcome in ("refer", "supplement") for item in items
        ):
            return False
        usage = Usage()
        number = 0
        for item in _in_determined_order(items):
            facts, made = _open(self._session, self._sealer, item)
            if facts.household is not None:
                usage.add(policy_by_id(self._session, item.policy_id), facts.claim, facts.household, made)
            number = item.determined_number or 0
        before = number
        for item in items:
            if item.determined_number is not None:
                continue
            decision, decision_id = self._decided_now(item, usage)
            if decision.outcome in ("approve", "reject"):
                number += 1
                self._determine(item, decision, decision_id, number)
        return number > before

    def _decided_now(self, item: Standing, usage: Usage) -> tuple[Decision, str]:
        facts, made = _open(self._session, self._sealer, item)
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
        row = _decision_row(
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
