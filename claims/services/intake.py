"""Taking in claims with their decisions, in bulk, each row with its event."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from claims.deciding import Decided
from claims.facts import Facts
from claims.models import ClaimRow
from claims.queries import Standing, by_household, standings
from claims.services.redeciding import Redeciding
from claims.states import REVIEW, WITHDRAWN
from claims.storing import dump
from foundation.actors import Actor
from foundation.collecting import without_cycle_search
from foundation.database import bulk_insert, table_of
from foundation.sealing import Sealer
from foundation.trail.events import Change
from policies.policy import Policy

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
    again = work.again
    known = standings(session, policy.number)
    determined = by_household(item for item in known.values() if item.determined_number is not None)
    fresh = {item.decision.claim_no: item.facts for item in decided}
    open_of: dict[str, list[Facts]] = {}
    for item in decided:
        household = item.facts.household
        household_id = None if household is None else household_ids[household.household_no]
        before = known.get(item.decision.claim_no)
        work.claim(item, household_id, towns.get(item.facts.claim.id_number, ""), before)
        if before is not None and before.determined_number is not None:
            continue
        if household_id in determined:
            open_of.setdefault(household_id, []).append(item.facts)
        else:
            again.propose(item.facts, item.decision)
        work.write_full_block()
    for key, standing in determined.items():
        usage = again.review(standing, fresh)
        again.decide_anew(open_of.get(key, ()), usage)
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
        self._session, self._sealer, self._at, self._policy = session, sealer, at, policy
        self._claim_ids: dict[str, str] = {}
        self.again = Redeciding(session, sealer, actor, at, policy, policy_id, self._claim_ids)
        self._changes = self.again.changes
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._withdrawn: list[dict[str, Any]] = []
        self._rows_added = self._rows_changed = 0
        query = select(ClaimRow.claim_no, ClaimRow.digest).where(ClaimRow.policy_number == policy.number)
        self._digests = {row[0]: row[1] for row in session.execute(query)}

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
            self._new.append(row)
            self._changes.append(Change("claim.taken_in", "claim", identity, after=digest))

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
        return ClaimsTakenIn(self._rows_added, self._rows_changed, self.again.decisions, self.again.reviews)

    def _write(self) -> None:
        bulk_insert(self._session, table_of(ClaimRow), self._new)
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
        self.again.write()
        self._rows_added += len(self._new)
        self._rows_changed += len(self._changed) + len(self._withdrawn)
        for rows in (self._new, self._changed, self._withdrawn):
            rows.clear()
