"""What surrounds each claim: the departments' rows that fit it, and the other claims that share its documents.

Pure. These are the facts that another household's claims or another office can change, so they come into a decision
from outside the household (rules.md §4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from claims.checks import payee_of
from claims.facts import AccidentRecord, Claim, MedicalRecord, Surroundings
from households.facts import FactsOfHouseholds
from households.feeds import Feeds
from households.household import Household

T = TypeVar("T")

ENROLLED = "在籍"


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """Claims in the order in which they are decided: day of notice, then claim number by code point (rules.md §1)."""
    return sorted(claims, key=lambda claim: (claim.notified_on, claim.claim_no))


class Matcher:
    """Looks up the surroundings of any claim of a set of claims that is in order."""

    def __init__(self, claims: Sequence[Claim], feeds: Feeds, households: FactsOfHouseholds) -> None:
        self._households = households
        self._medical: dict[tuple[str, str], list[MedicalRecord]] = defaultdict(list)
        for row in feeds.medical or ():
            burden = row.total_fen - row.basic_fen - row.major_fen - row.aid_fen
            self._medical[row.document_no, row.id_number].append(MedicalRecord(burden, row.settled_on))
        self._levels: dict[tuple[str, str], list[str]] = defaultdict(list)
        for pupil in feeds.education or ():
            if pupil.status == ENROLLED:
                self._levels[pupil.id_number, pupil.academic_year].append(pupil.level)
        self._accidents: dict[tuple[str, str], list[AccidentRecord]] = defaultdict(list)
        for accident in feeds.accidents or ():
            record = AccidentRecord(accident.occurred_on, accident.drunk)
            self._accidents[accident.accident_no, accident.id_number].append(record)
        self._duplicates: dict[str, str] = {}
        self._reused: dict[str, str] = {}
        self._find_shared_documents(claims)

    def _find_shared_documents(self, claims: Sequence[Claim]) -> None:
        first_by_person: dict[tuple[str, str, str, str], str] = {}
        by_document: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for claim in claims:
            if not claim.document_no:
                continue
            own = (claim.line, claim.benefit, claim.document_no, claim.id_number)
            if own in first_by_person:
                self._duplicates[claim.claim_no] = first_by_person[own]
            else:
                first_by_person[own] = claim.claim_no
            shared = by_document[claim.line, claim.document_no]
            other = next((number for person, number in shared if person != claim.id_number), None)
            if other is not None:
                self._reused[claim.claim_no] = other
            if all(person != claim.id_number for person, _ in shared):
                shared.append((claim.id_number, claim.claim_no))

    def surroundings(self, claim: Claim, household: Household | None) -> Surroundings:
        """The surroundings of one claim; `household` is None for a claimant who is not in the roster."""
        document = (claim.document_no or "", claim.id_number)
        payee = None if household is None else payee_of(claim, household)
        shared = None
        if household is not None and payee is not None:
            shared = self._households.account_also_of(payee[0], household.household_no)
        accident = (claim.accident_no or "", claim.id_number)
        return Surroundings(
            medical=_sorted(self._medical.get(document, ())) if claim.line == "illness" else (),
            enrolled_levels=(
                _sorted(self._levels.get((claim.id_number, claim.academic_year or ""), ()))
                if claim.line == "education"
                else ()
            ),
            accidents=_sorted(self._accidents.get(accident, ())) if claim.line == "accident" else (),
            duplicate_of=self._duplicates.get(claim.claim_no),
            invoice_also_in=self._reused.get(claim.claim_no),
            account_also_of=shared,
        )


def _sorted(rows: Iterable[T]) -> tuple[T, ...]:
    """Each row once, in an order that does not depend on the file's."""
    return tuple(sorted(set(rows), key=str))
