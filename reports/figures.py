"""What the documents say, as plain data: frozen, without the database, and with a digest of its own.

Pure. Money is whole fen, days are dates of Asia/Shanghai. Personal data are masked here already, as the audience of
each document may see them (`reports.people`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from claims.wording import DecisionWords

APART: Mapping[str, bool] = {"digested": False}
"""Marks a field that the digest leaves out: how a thing is said, and not what it is."""


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """The master policy that a document speaks of."""

    number: str
    title: str
    purchaser: str
    insurer: str
    period_from: date
    period_to: date
    premium_per_head_fen: int
    poverty_line_fen: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """A determined claim: what a letter to the claimant and the calculation sheet are made of."""

    determination_id: str
    policy: PolicyFigures
    claim_no: str
    line_title: str
    benefit_title: str
    clause: str
    notified_on: date
    event_on: date
    determined_on: date
    claimant: str
    id_number: str
    """Masked: the first six and the last four characters."""
    age: int
    """Years on the day of the determination."""
    child: bool
    """Under 14 on that day: all that the document says of the claimant is sensitive (PIPL art. 28)."""
    deceased: bool
    household_no: str | None
    category: str | None
    village: str
    outcome: str
    amount_fen: int
    payee_name: str | None
    payee_account: str | None
    """Masked: the last four digits."""
    costs: tuple[tuple[str, str], ...]
    """What was claimed, item by item: name, and amount or count as people read it."""
    accumulates: bool
    """Whether the cost counts for claims to come: approved, or rejected by amount alone (rules.md §5)."""
    recommended_by: str
    determined_by: str
    record_digest: str
    """Keyed digest of the decision's record, which holds all facts, checks and lines."""
    words: DecisionWords = field(metadata=APART)


@dataclass(frozen=True, slots=True)
class Tally:
    """One row of a table: how many claims came, became what, and what they cost."""

    name: str
    claims: int
    approved: int
    rejected: int
    supplement: int
    refer: int
    people: int
    """Distinct claimants with an approved claim."""
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Count:
    """A name with a number of claims."""

    name: str
    claims: int


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """How the programme under one policy number stands."""

    policy: PolicyFigures
    covered_people: int
    covered_households: int
    households_paid: int
    total: Tally
    by_line: tuple[Tally, ...]
    by_town: tuple[Tally, ...]
    by_age: tuple[Tally, ...]
    by_sex: tuple[Tally, ...]
    by_category: tuple[Tally, ...]
    covered_by_town: Mapping[str, int]
    covered_by_category: Mapping[str, int]
    reject_reasons: tuple[Count, ...]
    open_reasons: tuple[Count, ...]
    received_fen: int
    sent_fen: int
    """In bank files handed to the bank."""
    batched_fen: int
    """In batches that are not exported yet."""
    pending_fen: int
    withheld_fen: int
    withheld: int
    reviews: int
    last_determined_on: date | None
    erased: int = 0
    """Claims whose personal data was erased at the end of its term: of unknown age, sex and category."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One payment of a batch."""

    sequence: int
    reference: str
    claim_no: str
    line_title: str
    town: str
    payee_name: str
    payee_account: str
    """Masked: the last four digits."""
    bank_code: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class FileFigures:
    """An exported bank file."""

    name: str
    format: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """A batch with its lines and control totals."""

    batch_id: str
    number: int
    message_id: str
    state: str
    insurer: str
    purchaser: str
    execution_on: date
    payments: int
    total_fen: int
    content_digest: str
    made_by: str
    made_at: datetime
    checked_by: str | None
    checked_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    exported_at: datetime | None
    files: tuple[FileFigures, ...]
    lines: tuple[BatchLine, ...]


@dataclass(frozen=True, slots=True)
class PaidCase:
    """One payment with its claim, its decision, and the people who decided and paid."""

    reference: str
    batch: int
    claim_no: str
    line_title: str
    town: str
    decision_id: str
    determination_id: str
    determined_fen: int
    paid_fen: int
    state: str
    payee_name: str
    payee_account: str
    recommended_by: str
    determined_by: str
    determined_at: datetime
    made_by: str
    checked_by: str
    released_by: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One test over raw rows: what was looked for, among how many, and in how many it was found. Expected: none."""

    code: str
    title: str
    definition: str
    tested: int
    found: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """One step of the money's way: how many and how much, and how far off what it must equal (expected: 0)."""

    name: str
    count: int
    amount_fen: int
    source: str
    equals: str = ""
    """The step whose figures it must have; empty where it stands by itself."""
    count_off: int = 0
    amount_off_fen: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A ledger account: debits, credits, and debits less credits."""

    code: str
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        """Debits less credits."""
        return self.debit_fen - self.credit_fen


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """Everything of the audit report but the head of the trail, which is printed beside it."""

    programme: ProgrammeFigures
    duplicates: tuple[Finding, ...]
    segregation: tuple[Finding, ...]
    controls: tuple[Control, ...]
    accounts: tuple[Account, ...]
    batches: tuple[BatchFigures, ...]
    """Without their lines."""
    cases: tuple[PaidCase, ...]


def plain(value: Any) -> Any:
    """Figures as what a JSON writer takes, without the fields that stand apart."""
    if is_dataclass(value):
        kept = [item for item in fields(value) if item.metadata.get("digested", True)]
        return {item.name: plain(getattr(value, item.name)) for item in kept}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Insured:
    """A person whom a certificate names, to the household itself: the name in full, the ID number masked."""

    name: str
    id_number: str
    relation: str
    category: str
    cover_from: date
    cover_to: date


@dataclass(frozen=True, slots=True)
class CoveredBenefit:
    """One benefit in words: from which sum on, how much of it, up to how much."""

    title: str
    clause: str
    franchise: str
    share: tuple[str, ...]
    cap: str


@dataclass(frozen=True, slots=True)
class CoveredLine:
    """A line of cover in words; `conditions` are whatever takes a case out of it."""

    title: str
    benefits: tuple[CoveredBenefit, ...]
    conditions: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CertificateFigures:
    """A household's certificate of cover 保险凭证 under a policy."""

    policy: PolicyFigures
    household_no: str
    town: str
    village: str
    head: str
    insured: tuple[Insured, ...]
    lines: tuple[CoveredLine, ...]
    household_cap_fen: int | None
    notice_days: int
    time_bar_years: int
    complaint_phone: str
    replaces: str | None = None
    """The number of the certificate whose place it takes."""
