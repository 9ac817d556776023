"""应赔未赔, pure: what a household would be paid for the departments' rows that nobody has claimed.

Each row becomes a claim as if it were handed in today with all its papers, and is decided by `claims.adjudication`
after the household's real claims. Nothing of it is a claim. Sums in fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from claims.adjudication import AMOUNT_REASONS, Decision, Usage, decide
from claims.checks import GRAVITY, REJECT
from claims.facts import TRAFFIC_ACCIDENT, Claim, Facts
from claims.prefilled import claim_from_row
from claims.terms import Pair
from policies.policy import Benefit, Policy

FEEDS = ("medical", "education", "accidents", "deaths")
"""The feeds whose rows may be owed for."""
UNKNOWN = "unknown"
"""The outcome where the department's row does not say what it cost."""
OWED_OUTCOMES: Mapping[str, Pair] = {
    "approve": ("应赔", "owed"),
    "refer": ("待核实", "to be looked into"),
    "supplement": ("待补材料", "papers to come"),
    UNKNOWN: ("费用待查明", "cost not known"),
    "reject": ("不赔", "not owed"),
}
MISSING: Mapping[str, Pair] = {
    "school_cost": ("学费、住宿费、教材费和已获资助", "tuition, lodging, books, and grants received"),
    "accident_cost": ("医疗费用票据或伤残鉴定", "the medical bills, or the assessment of a disability"),
    "cause_of_death": ("死亡原因(是否因意外)", "what the person died of, and whether by accident"),
}
"""What a row does not say and somebody has to ask."""

DEATH_DAYS = 180
"""A death counts as one by an accident up to this many days after it (as in `claims.checks`)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A department's row: its id, its feed, and its values as in `households.feeds`."""

    id: str
    feed: str
    values: Any


@dataclass(frozen=True, slots=True)
class SchoolCost:
    """What a school year cost a pupil, as the department of education has it 就学费用, in fen."""

    tuition_fen: int
    lodging_fen: int
    books_fen: int
    grants_fen: int

    @property
    def measure_fen(self) -> int:
        """What counts: cost less what was granted."""
        return self.tuition_fen + self.lodging_fen + self.books_fen - self.grants_fen


SchoolCosts = Mapping[tuple[str, str], SchoolCost]
"""(ID number, school year) → its cost."""


@dataclass(frozen=True, slots=True)
class WouldBe:
    """A claim that a row would be, without the claimant's name; `missing` is what nobody knows, a key of MISSING."""

    row_id: str
    claim: Claim
    missing: str | None


@dataclass(frozen=True, slots=True)
class Owed:
    """A would-be claim as decided. `payable_fen` is 0 for a reject and where the cost is not known."""

    would_be: WouldBe
    facts: Facts
    decision: Decision
    outcome: str
    payable_fen: int
    reasons: tuple[str, ...]
    report_by: date
    """The last day on which a report is not late."""


@dataclass(slots=True)
class Claimed:
    """What has been claimed already, by the things that a department's row shares with a claim."""

    papers: set[tuple[str, str]] = field(default_factory=set)
    """(ID number, number of a settlement or receipt)."""
    school_years: set[tuple[str, str]] = field(default_factory=set)
    accidents: set[tuple[str, str]] = field(default_factory=set)
    deaths: set[str] = field(default_factory=set)
    first_by_paper: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)
    """(line, number) → (ID number, claim number) of the first claim of each person with it, in order."""

    def add(self, claim: Claim) -> None:
        """Takes a claim into account. Claims come in the order in which they are decided."""
        person = claim.id_number
        if claim.document_no:
            self.papers.add((person, claim.document_no))
            there = self.first_by_paper.setdefault((claim.line, claim.document_no), [])
            if all(other != person for other, _ in there):
                there.append((person, claim.claim_no))
        if claim.line == "education" and claim.academic_year:
            self.school_years.add((person, claim.academic_year))
        if claim.line == "accident":
            if claim.accident_no:
                self.accidents.add((person, claim.accident_no))
            if claim.benefit == "death":
                self.deaths.add(person)

    def has(self, claim: Claim) -> bool:
        """Whether what a row is about has been claimed."""
        person = claim.id_number
        if claim.line == "illness":
            return (person, claim.document_no or "") in self.papers
        if claim.line == "education":
            return (person, claim.academic_year or "") in self.school_years
        if claim.benefit == "death":
            return person in self.deaths
        return (person, claim.accident_no or "") in self.accidents

    def paper_also_in(self, claim: Claim) -> str | None:
        """The first claim of the same line by another person with this document."""
        there = self.first_by_paper.get((claim.line, claim.document_no or ""), ())
        return next((number for person, number in there if person != claim.id_number), None)


def would_be_claims(
    policy: Policy, rows: Iterable[Row], costs: SchoolCosts, claimed: Claimed, today: date
) -> list[WouldBe]:
    """The claims that rows would be, of events within the policy and for benefits that it has; in order of event."""
    rows = list(rows)
    accidents = [row.values for row in rows if row.feed == "accidents"]
    found = []
    for row in rows:
        made = claim_from_row(row.feed, row.values, claim_no=row.id, notified_on=today, name="", evidence=())
        if made is None:
            continue
        if made.benefit == "death":
            made = _by_accident(made, accidents)
        if made.line == "education":
            made = _with_cost(made, costs)
        benefit = benefit_of(policy, made)
        if benefit is None or not policy.period_from <= made.event_on <= min(policy.period_to, today):
            continue
        if not claimed.has(made):
            # The number sorts by event, so that of two the earlier uses up a cap first.
            number = f"{made.event_on.isoformat()}-{row.id}"
            whole = replace(made, claim_no=number, evidence=benefit.evidence)
            found.append(WouldBe(row.id, whole, _missing(whole)))
    return sorted(found, key=lambda one: one.claim.claim_no)


def _with_cost(claim: Claim, costs: SchoolCosts) -> Claim:
    """A claim for a school year with what it cost, where the department of education has said so."""
    cost = costs.get((claim.id_number, claim.academic_year or ""))
    if cost is None or cost.measure_fen < 0:
        return claim
    return replace(
        claim,
        tuition_fen=cost.tuition_fen,
        lodging_fen=cost.lodging_fen,
        books_fen=cost.books_fen,
        grants_fen=cost.grants_fen,
        measure_fen=cost.measure_fen,
    )


def _by_accident(death: Claim, accidents: Iterable[Any]) -> Claim:
    """A claim for a death with the accident that may have caused it: the last one before it, within 180 days."""
    mine = [
        row
        for row in accidents
        if row.id_number == death.id_number
        and timedelta() <= death.event_on - row.occurred_on <= timedelta(DEATH_DAYS)
    ]
    if not mine:
        return death
    last = max(mine, key=lambda row: (row.occurred_on, row.accident_no))
    return replace(death, event_on=last.occurred_on, accident_no=last.accident_no, cause=TRAFFIC_ACCIDENT)


def benefit_of(policy: Policy, claim: Claim) -> Benefit | None:
    """The benefit that a claim is for, as in force on its event day; None where the policy has none."""
    line = policy.on(claim.event_on).lines.get(claim.line)
    return None if line is None else line.benefits.get(claim.benefit)


def _missing(claim: Claim) -> str | None:
    if claim.line == "education":
        known = claim.tuition_fen or claim.lodging_fen or claim.books_fen
        return None if known else "school_cost"
    if claim.line != "accident":
        return None
    if claim.benefit == "death":
        return "cause_of_death" if claim.cause is None else None
    return "accident_cost"


def decide_owed(
    policy: Policy, items: Sequence[tuple[WouldBe, Facts]], usage: Usage, claimed: Claimed
) -> list[Owed]:
    """Would-be claims of one household (or of one person without) decided in order, each counting for the next.

    `usage` is what the household's real claims have used, and is changed. A row whose cost is not known uses up
    nothing; the checks are made all the same, and one that rejects is the answer.
    """
    first: dict[tuple[str, str], str] = {}
    found = []
    for would_be, given in items:
        facts = _whole(given, first, claimed)
        if facts.household is not None:
            facts = replace(facts, used=usage.by(policy, facts.claim, facts.household))
        decision = decide(policy, facts)
        if facts.household is not None and would_be.missing is None:
            usage.add(policy, facts.claim, facts.household, decision)
        outcome, payable, reasons = decision.outcome, decision.payable_fen, decision.reasons
        if would_be.missing is not None:
            reasons = tuple(code for code in reasons if code not in AMOUNT_REASONS)
            rejected = any(GRAVITY[code] == REJECT for code in reasons)
            outcome, payable = "reject" if rejected else UNKNOWN, 0
        days = policy.on(facts.claim.event_on).notice_days
        report_by = facts.claim.event_on + timedelta(days)
        found.append(Owed(would_be, facts, decision, outcome, payable, reasons, report_by))
    return found


def _whole(facts: Facts, first: dict[tuple[str, str], str], claimed: Claimed) -> Facts:
    """Facts with the claimant's name as the register has it, and with the other claims that have the same document."""
    claim = facts.claim
    if facts.household is not None:
        claim = replace(claim, name=facts.household.members[facts.claimant].name)
    duplicate_of = None
    if claim.document_no:
        number = first.setdefault((claim.id_number, claim.document_no), claim.claim_no)
        duplicate_of = None if number == claim.claim_no else number
    around = replace(
        facts.surroundings, duplicate_of=duplicate_of, invoice_also_in=claimed.paper_also_in(claim)
    )
    return replace(facts, claim=claim, surroundings=around)
