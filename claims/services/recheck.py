"""Looking again at what was decided, once the register knows something new: a department's rows, or a correction.

Determined claims are decided again with the facts as known now, in the order of determination; where one would come out
otherwise, a review is opened for a person, and nothing is edited. Claims that nobody has determined yet get a new
proposed decision. What is known already is not written down again, so that the same work can be done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from claims.facts import Facts
from claims.models import ClaimRow
from claims.queries import Standing, by_household, standings
from claims.queries.concerned import households_of_delivery, sharing_accounts
from claims.queries.newest import Newest, newest_decisions
from claims.queries.policies import policies_in_use
from claims.queries.registered_facts import facts_from_register, with_documents
from claims.services.intake import claim_digest
from claims.services.listing import refresh
from claims.services.redeciding import Redeciding
from claims.states import REVIEW
from claims.storing import dump
from foundation.actors import Actor
from foundation.clock import Clock, business_day
from foundation.collecting import without_cycle_search
from foundation.database import Database, one_at_a_time
from foundation.privacy.erasing import parts
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.views import View
from policies.queries import policy_by_id

Report = Callable[[int, int], None]
_BLOCK = 100
"""Households that one transaction looks at again: short enough to hold nobody up."""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What looking again has written: decisions proposed, reviews opened, claims moved to another household."""

    decisions: int = 0
    reviews: int = 0
    moved: int = 0

    def plus(self, other: Rechecked) -> Rechecked:
        """Both together."""
        return Rechecked(
            self.decisions + other.decisions, self.reviews + other.reviews, self.moved + other.moved
        )


def recheck_household(
    database: Database, sealer: Sealer, actor: Actor, clock: Clock, subject_id: str
) -> None:
    """Looks again at the claims of a household that changed; the job's subject is `household id:random`."""
    with database.transaction() as session:
        recheck(session, sealer, actor, clock.now(), [subject_id.partition(":")[0]])


def recheck_delivery(
    database: Database, sealer: Sealer, actor: Actor, clock: Clock, delivery_id: str, report: Report
) -> None:
    """Looks again at the claims of the households that a department's delivery is about, some at a time."""
    with database.reading() as session:
        households = households_of_delivery(session, sealer, delivery_id)
    for place in range(0, len(households), _BLOCK):
        with database.transaction() as session:
            recheck(session, sealer, actor, clock.now(), households[place : place + _BLOCK])
        report(min(place + _BLOCK, len(households)), len(households))


@without_cycle_search()
def recheck(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, household_ids: Iterable[str]
) -> Rechecked:
    """Looks again at the claims of some households, of who belonged to them, and of who shares their account."""
    # A determination waits for this, and this for it: what was determined is what counts as used.
    one_at_a_time(session, "claims")
    wanted = set(household_ids)
    wanted |= sharing_accounts(session, wanted)
    done = Rechecked()
    for number, policy_id in policies_in_use(session).items():
        for some in parts(sorted(wanted)):
            done = done.plus(_Recheck(session, sealer, actor, at, number, policy_id).households(some))
    if done != Rechecked():
        refresh(session, at)
    return done


class _Recheck:
    """The claims of some households under one policy number, decided by the version of its newest pack."""

    def __init__(
        self, session: Session, sealer: Sealer, actor: Actor, at: datetime, number: str, policy_id: str
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        self._number, self._policy_id = number, policy_id
        self._policy = policy_by_id(session, policy_id)
        self._moves: list[Change] = []

    def households(self, household_ids: Collection[str]) -> Rechecked:
        """Looks at all claims of these households again."""
        homes = set(household_ids)
        while True:
            of = _concerned(homes)
            claims = newest_decisions(self._session, self._sealer, self._number, of)
            facts = self._facts(claims)
            ids = self._ids(facts.values())
            if homes.issuperset(ids.values()):
                break
            homes.update(ids.values())  # the claims beside which theirs count now have to be looked at, too
        if not facts:
            return Rechecked()
        known = standings(self._session, self._number, of).values()
        determined = by_household(item for item in known if item.determined_number is not None)
        waiting = self._waiting(claims, facts, ids)
        learnt = _with_new_facts(claims, facts)
        claim_ids = {claim.claim_no: claim.claim_id for claim in claims}
        again = Redeciding(
            self._session, self._sealer, self._actor, self._at, self._policy, self._policy_id, claim_ids, of
        )
        again.changes += self._moves
        for key in dict.fromkeys([*determined, *waiting]):
            before = determined.get(key, [])
            if _all_known(before, facts):
                usage = again.review(before, facts)
                # What was determined meanwhile is no new knowledge: it counts when they are determined in their turn.
                if any(item.claim.claim_no in learnt for item in waiting.get(key, ())):
                    again.decide_anew(waiting[key], usage)
        again.write()
        return Rechecked(again.decisions, again.reviews, len(self._moves))

    def _facts(self, claims: Sequence[Newest]) -> dict[str, Facts]:
        """Claim number → its facts as known now; nothing for a claim whose content was erased."""
        known = {claim.claim_no: claim.facts for claim in claims if claim.facts is not None}
        fresh = facts_from_register(
            self._session,
            self._sealer,
            View(self._number),
            self._policy,
            [facts.claim for facts in known.values()],
            business_day(self._at),
        )
        return {number: with_documents(fresh[number], before) for number, before in known.items()}

    def _ids(self, facts: Iterable[Facts]) -> dict[str, str]:
        """Number → row id of the households that the facts name."""
        numbers = sorted({item.household.household_no for item in facts if item.household is not None})
        found: dict[str, str] = {}
        for some in parts(numbers):
            query = select(HouseholdRow.household_no, HouseholdRow.id)
            found.update(dict(self._session.execute(query.where(HouseholdRow.household_no.in_(some))).all()))
        return found

    def _waiting(
        self, claims: Sequence[Newest], facts: Mapping[str, Facts], ids: Mapping[str, str]
    ) -> dict[str, list[Facts]]:
        """The claims that nobody has determined, in order, by the household that they belong to as known now."""
        found: dict[str, list[Facts]] = {}
        mine = [claim for claim in claims if claim.state == REVIEW and claim.claim_no in facts]
        for claim in sorted(mine, key=lambda one: (facts[one.claim_no].claim.notified_on, one.claim_no)):
            now = facts[claim.claim_no]
            home = claim.household_id
            if now.household is not None and ids[now.household.household_no] != home:
                home = ids[now.household.household_no]
                self._move(claim, now, home)
            found.setdefault(home or claim.claim_id, []).append(now)
        return found

    def _move(self, claim: Newest, facts: Facts, home: str) -> None:
        """A claim that belongs to another household as known now: there it is determined, and uses up caps."""
        town = self._session.scalars(select(HouseholdRow.town).where(HouseholdRow.id == home)).one()
        row = self._session.get_one(ClaimRow, claim.claim_id)
        digest = claim_digest(self._sealer, dump(facts.claim), home, town)
        self._moves.append(Change("claim.changed", "claim", row.id, after=digest, before=row.digest))
        values = {"household_id": home, "town": town, "digest": digest, "changed_at": self._at}
        self._session.execute(update(ClaimRow).where(ClaimRow.id == row.id).values(values))


def _concerned(household_ids: Collection[str]) -> ColumnElement[bool]:
    """Claims of some households, and of everybody who belongs to one of them on some day."""
    members = (
        select(Person.id_lookup)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.household_id.in_(household_ids), believed(Membership))
    )
    return or_(ClaimRow.household_id.in_(household_ids), ClaimRow.id_lookup.in_(members))


def _with_new_facts(claims: Sequence[Newest], facts: Mapping[str, Facts]) -> set[str]:
    """Numbers of the claims of which something else is known than their newest decision rests on."""
    before = {claim.claim_no: claim.facts for claim in claims if claim.facts is not None}
    return {number for number, known in before.items() if replace(facts[number], used=known.used) != known}


def _all_known(determined: Sequence[Standing], facts: Mapping[str, Facts]) -> bool:
    """Whether nothing of what the household was determined is erased: what it has used is not known any more else."""
    return all(not item.erased and item.claim_no in facts for item in determined)
