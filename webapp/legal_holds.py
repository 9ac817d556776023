"""What legal holds keep: worked out over all packages from the claims, households and policies that are held.

A held claim keeps its household and people, its payments with their batches, its documents, and the packs that it came
in. A held household keeps its claims, a held policy everything under it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, Determination, ListingRow
from foundation.errors import InvalidInput
from foundation.places import VILLAGE_DIGITS
from foundation.privacy.holds import SUBJECTS, holds
from foundation.sealing import ERASED, Sealer
from households.models import Cover, HouseholdRow
from payments.models import Payable
from payments.services.erasing import ids_around
from policies.models import MasterPolicy
from reports.models import IssuedDocument

SUBJECT_NAMES: Mapping[str, tuple[str, str]] = {
    "claim": ("案件", "claim"),
    "household": ("家庭", "household"),
    "policy": ("保单", "policy"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What the holds in force keep. Claims and households by id, policies by number."""

    claims: frozenset[str] = frozenset()
    households: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    """Held as such: everything under them is kept."""
    touched_policies: frozenset[str] = frozenset()
    """Those under which something is held: the packs and reports that name it are kept."""
    villages: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()
    """Ids of claims, payables, payments, batches, bank files and documents that are kept."""

    @classmethod
    def of(cls, session: Session) -> Held:
        """What is held now. One statement where nothing is."""
        named: dict[str, set[str]] = {subject: set() for subject in SUBJECTS}
        for hold in holds(session, active=True):
            named[hold.subject].add(hold.subject_id)
        if not any(named.values()):
            return cls()
        which = or_(
            ClaimRow.id.in_(named["claim"]),
            ClaimRow.household_id.in_(named["household"]),
            ClaimRow.policy_number.in_(named["policy"]),
        )
        query = select(ClaimRow.id, ClaimRow.household_id, ClaimRow.policy_number, ListingRow.village_code)
        rows = session.execute(
            query.outerjoin(ListingRow, ListingRow.claim_id == ClaimRow.id).where(which)
        ).all()
        households = named["household"] | {row.household_id for row in rows if row.household_id}
        covered = select(Cover.policy_number).where(Cover.household_id.in_(named["household"])).distinct()
        policies = named["policy"] | {row.policy_number for row in rows}
        determinations = (
            select(Determination.id).join(ClaimRow, ClaimRow.id == Determination.claim_id).where(which)
        )
        documents = select(IssuedDocument.id).where(IssuedDocument.subject_id.in_(determinations))
        return cls(
            frozenset(row.id for row in rows),
            frozenset(households),
            frozenset(named["policy"]),
            frozenset(policies | set(session.scalars(covered))),
            frozenset(row.village_code for row in rows if row.village_code),
            frozenset(
                {row.id for row in rows}
                | ids_around(session, Payable.determination_id.in_(determinations))
                | set(session.scalars(documents))
            ),
        )

    def insured(self, households: set[str], policy_numbers: set[str]) -> bool:
        """Whether somebody of these households, covered under these policies, is kept."""
        return not (self.households.isdisjoint(households) and self.policies.isdisjoint(policy_numbers))

    @property
    def anybody(self) -> bool:
        """Whether anything is held at all."""
        return bool(self.claims or self.households or self.policies)

    def about(self, subject_id: str | None) -> bool:
        """Whether a thing (a claim, a payment, a batch, a file) is kept, and what is noted about it."""
        return subject_id in self.around

    def county_document(self, subject_id: str) -> bool:
        """Whether a report on a policy number, or a notice of a village, names somebody who is kept."""
        return subject_id in self.touched_policies or subject_id[:VILLAGE_DIGITS] in self.villages

    def upload(self, policy_number: str | None) -> bool:
        """Whether a pack may name somebody who is kept. Of an unreadable one nobody knows whom it names."""
        if policy_number is None:
            return bool(self.touched_policies)
        return policy_number in self.touched_policies


def subject_by_number(session: Session, subject: str, number: str) -> str:
    """The id that a hold names, from what people call the thing: a claim, household or policy number.

    Raises InvalidInput where there is none, or more than one.
    """
    query = {
        "claim": select(ClaimRow.id).where(ClaimRow.claim_no == number),
        "household": select(HouseholdRow.id).where(HouseholdRow.household_no == number),
        "policy": select(MasterPolicy.number).where(MasterPolicy.number == number).distinct(),
    }[subject]
    found = session.scalars(query.limit(2)).all()
    if len(found) == 1 and subject == "claim" and _is_erased(session, found[0]):
        raise InvalidInput(
            {
                "number": [
                    (
                        "该案件的个人信息已清除,无可保全",
                        "the claim's personal data is erased; nothing is left to hold",
                    )
                ]
            }
        )
    if len(found) == 1:
        return found[0]
    zh, en = SUBJECT_NAMES[subject]
    if found:
        raise InvalidInput(
            {"number": [(f"有多个{zh}用此编号,请在网页案件页核对", f"more than one {en} has this number")]}
        )
    raise InvalidInput({"number": [(f"没有此编号的{zh}", f"there is no {en} of this number")]})


def _is_erased(session: Session, claim_id: str) -> bool:
    return session.scalar(select(ClaimRow.sealed).where(ClaimRow.id == claim_id)) == ERASED


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A hold as it is listed. `reason` is None once it was erased."""

    id: str
    subject: str
    number: str
    reason: str | None
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


def listed_holds(session: Session, sealer: Sealer) -> list[HoldShown]:
    """Every hold, newest first, with the number that people know its thing by."""
    found = holds(session)
    numbers = _numbers(session, [(hold.subject, hold.subject_id) for hold in found])
    return [
        HoldShown(
            hold.id,
            hold.subject,
            numbers.get(hold.subject_id, hold.subject_id),
            None if hold.reason == ERASED else sealer.reveal("legal_hold", "reason", hold.id, hold.reason),
            hold.set_by,
            hold.set_at,
            hold.lifted_by,
            hold.lifted_at,
        )
        for hold in found
    ]


def _numbers(session: Session, things: Sequence[tuple[str, str]]) -> dict[str, str]:
    claims = [identity for subject, identity in things if subject == "claim"]
    households = [identity for subject, identity in things if subject == "household"]
    rows = [
        *session.execute(select(ClaimRow.id, ClaimRow.claim_no).where(ClaimRow.id.in_(claims))),
        *session.execute(
            select(HouseholdRow.id, HouseholdRow.household_no).where(HouseholdRow.id.in_(households))
        ),
    ]
    return {row[0]: row[1] for row in rows}
