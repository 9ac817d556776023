"""The facts that a claim is decided from: plain frozen data, and its stored form.

Pure. A decision is made from `Facts` and a policy and nothing else, so whoever holds both can make it again
(`claims.adjudication.decide`). Money is in fen, days are dates, a feed that was absent is named in `absent_feeds`:
no data is never read as clear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from foundation.records import day_from_text, record_from_data
from households.household import Household, household_from_data

TRAFFIC_ACCIDENT = "交通事故"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim as handed in (rules.md §2). Fields that its line does not have are None or 0."""

    claim_no: str
    notified_on: date
    channel: str
    name: str
    id_number: str
    evidence: tuple[str, ...]
    payee_account: str | None = None
    payee_name: str | None = None
    line: str
    benefit: str
    event_on: date
    cause: str | None = None
    document_no: str | None = None
    academic_year: str | None = None
    school: str | None = None
    level: str | None = None
    accident_no: str | None = None
    grade: int | None = None
    measure_fen: int = 0
    """What counts towards an expense benefit: cost less what others paid; 0 for every other benefit."""
    total_fen: int = 0
    basic_fen: int = 0
    major_fen: int = 0
    aid_fen: int = 0
    other_fen: int = 0
    tuition_fen: int = 0
    lodging_fen: int = 0
    books_fen: int = 0
    grants_fen: int = 0
    expense_fen: int = 0
    third_party_fen: int = 0
    verified_income_fen: int = 0
    members: int = 0


@dataclass(frozen=True, slots=True)
class MedicalRecord:
    """A settlement of the medical insurance that fits the claim: cost less the three public payments, and its day."""

    burden_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class AccidentRecord:
    """A traffic accident that fits the claim."""

    occurred_on: date
    drunk: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about one claim from the departments' rows that fit it and from other claims and households."""

    medical: tuple[MedicalRecord, ...] = ()
    enrolled_levels: tuple[str, ...] = ()
    """学历层次 of the 在籍 rows of this person and academic year."""
    accidents: tuple[AccidentRecord, ...] = ()
    duplicate_of: str | None = None
    """Number of an earlier claim of the same person, line and benefit with the same document number."""
    invoice_also_in: str | None = None
    """Number of an earlier claim of the same line by another person with the same document number."""
    account_also_of: str | None = None
    """Number of another household whose head has the payee's account in the roster."""


@dataclass(frozen=True, slots=True)
class Used:
    """What earlier claims of the household have used of what this claim draws on (rules.md §5)."""

    measure_fen: int = 0
    """Sum of the measures that count on this claim's key (expense)."""
    entitled_fen: int = 0
    """Sum of `entitled` of the claims that count on the key; for death and disability, of the same accident."""
    household_fen: int = 0
    """Sum of `payable` of the household's approved claims on all lines."""
    income_claim: str | None = None
    """Number of the household's income claim that was approved."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one decision is made from. `household` is None for a claimant who is not in the roster."""

    claim: Claim
    household: Household | None
    claimant: int
    """Index of the claimant among the household's members; -1 without a household."""
    surroundings: Surroundings
    used: Used


def facts_from_data(data: dict[str, Any]) -> Facts:
    """Facts from their stored form (what a JSON writer makes of the dataclasses: objects, lists, ISO dates)."""
    household = data["household"]
    surroundings = data["surroundings"]
    return Facts(
        claim=claim_from_data(data["claim"]),
        household=None if household is None else household_from_data(household),
        claimant=data["claimant"],
        surroundings=record_from_data(
            Surroundings,
            surroundings,
            medical=lambda rows: tuple(
                record_from_data(MedicalRecord, row, settled_on=day_from_text) for row in rows
            ),
            enrolled_levels=tuple,
            accidents=lambda rows: tuple(
                record_from_data(AccidentRecord, row, occurred_on=day_from_text) for row in rows
            ),
        ),
        used=record_from_data(Used, data["used"]),
    )


def claim_from_data(data: dict[str, Any]) -> Claim:
    """A claim from its stored form."""
    return record_from_data(Claim, data, event_on=day_from_text, notified_on=day_from_text, evidence=tuple)
