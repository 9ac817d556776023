"""Adjudication: the one function that decides a claim, and the fold over a household's claims (rules.md §4–5).

Pure. The main job, the desk, the replay and the what-if all call `decide`; nothing else decides. Its unit is a
household's claims in order, since caps and accumulations never cross a household.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from claims.checks import GRAVITY, Check, all_checks, payee_of
from claims.facts import Claim, Facts, Surroundings, Used
from households.household import Household
from policies.benefit import (
    CalculationLine,
    fixed_amount,
    graded_amount,
    shortfall_amount,
    shortfall_cap,
    tiered_amount,
)
from policies.policy import Benefit, Policy, Terms

AMOUNT_REASONS = frozenset(code for code, gravity in GRAVITY.items() if gravity == "amount")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and why: every check with its clause and inputs, and the calculation line by line.

    `payable_fen` is 0 for a reject; for refer and supplement it is what would be payable if the doubt were cleared.
    The payee is frozen here: a later change of the household's account does not change it.
    """

    claim_no: str
    line: str
    benefit: str
    outcome: str
    payable_fen: int
    entitled_fen: int
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    calculation: tuple[CalculationLine, ...]
    payee_account: str | None
    payee_name: str | None
    bank_code: str | None
    policy_fingerprint: str

    @property
    def counts(self) -> bool:
        """Whether the claim uses up tiers and caps for the claims to come: approved, or rejected by amount alone."""
        if self.outcome == "reject":
            return bool(self.reasons) and AMOUNT_REASONS.issuperset(self.reasons)
        return self.outcome == "approve"


def decide(policy: Policy, facts: Facts) -> Decision:
    """The decision on one claim from its facts; the same facts and policy give the same decision for ever."""
    claim, household = facts.claim, facts.household
    if household is None:
        return _only(policy, claim, ("NOT_INSURED", False, policy.number, {"claim_no": claim.claim_no}))
    terms = policy.on(claim.event_on)
    line = terms.lines.get(claim.line)
    benefit = None if line is None else line.benefits.get(claim.benefit)
    if line is None or benefit is None:
        named = {"line": claim.line, "benefit": claim.benefit}
        return _only(policy, claim, ("LINE_NOT_IN_POLICY", False, policy.number, named))
    checks = all_checks(policy, terms, line, benefit, facts)
    calculation: list[CalculationLine] = []
    entitled, payable, amount_reason = _amounts(policy, terms, benefit, facts, household, calculation)
    failed = {check[0] for check in checks if check[1] is False}
    gravities = {GRAVITY[code] for code in failed}
    if "reject" in gravities:
        outcome = "reject"
    elif "supplement" in gravities:
        outcome = "supplement"
    elif "refer" in gravities:
        outcome = "refer"
    else:
        outcome = "reject" if amount_reason else "approve"
    if amount_reason:
        failed.add(amount_reason)
    account, name, bank_code = payee_of(claim, household) or (None, None, None)
    return Decision(
        claim.claim_no,
        claim.line,
        claim.benefit,
        outcome,
        0 if outcome == "reject" else payable,
        entitled,
        tuple(sorted(failed)),
        tuple(checks),
        tuple(calculation),
        account,
        name,
        bank_code,
        policy.fingerprint,
    )


def _only(policy: Policy, claim: Claim, check: Check) -> Decision:
    """A reject for a single reason beside which nothing else is looked at."""
    return Decision(
        claim.claim_no,
        claim.line,
        claim.benefit,
        "reject",
        0,
        0,
        (check[0],),
        (check,),
        (),
        None,
        None,
        None,
        policy.fingerprint,
    )


def _amounts(
    policy: Policy,
    terms: Terms,
    benefit: Benefit,
    facts: Facts,
    household: Household,
    lines: list[CalculationLine],
) -> tuple[int, int, str | None]:
    """(entitled, payable, amount reason) in fen, appending the calculation line by line (rules.md §5)."""
    claim, used, clause = facts.claim, facts.used, benefit.clause
    if benefit.kind == "expense":
        measure = used.measure_fen + claim.measure_fen
        values = {"this_fen": claim.measure_fen, "earlier_fen": used.measure_fen, "measure_fen": measure}
        lines.append(("measure", clause, values))
        category = household.members[facts.claimant].category
        gross = tiered_amount(benefit, measure, category, lines)
        limit = benefit.cap_fen
        held = _held(gross, limit, clause, lines)
        if used.entitled_fen:
            lines.append(("less_earlier", clause, {"held_fen": held, "earlier_fen": used.entitled_fen}))
        entitled = max(0, held - used.entitled_fen)
    elif benefit.kind == "shortfall":
        gross = shortfall_amount(
            benefit, policy.poverty_line_fen, claim.verified_income_fen, claim.members, lines
        )
        limit = shortfall_cap(benefit, claim.members)
        entitled = _held(gross, limit, clause, lines)
    else:
        if benefit.kind == "fixed":
            gross = fixed_amount(benefit, lines)
        else:
            gross = graded_amount(benefit, claim.grade or 0, lines)
        largest = max(other.sum_fen for other in terms.lines["accident"].benefits.values())
        limit = max(0, largest - used.entitled_fen)
        if used.entitled_fen:
            values = {"largest_fen": largest, "earlier_fen": used.entitled_fen, "left_fen": limit}
            lines.append(("accident_left", clause, values))
        entitled = _held(gross, limit, clause, lines)
    lines.append(("entitled", clause, {"entitled_fen": entitled}))
    payable = entitled
    if terms.household_cap_fen is not None:
        left = max(0, terms.household_cap_fen - used.household_fen)
        payable = min(entitled, left)
        values = {"cap_fen": terms.household_cap_fen, "earlier_fen": used.household_fen, "left_fen": left}
        lines.append(("household_cap", policy.number, values))
    lines.append(("payable", clause, {"payable_fen": payable}))
    if gross == 0:
        return entitled, payable, "BELOW_LINE"
    if entitled == 0:
        return 0, 0, "CAP_EXHAUSTED" if limit is not None and gross > limit else "NOTHING_MORE_DUE"
    return entitled, payable, None if payable else "HOUSEHOLD_CAP_EXHAUSTED"


def _held(amount: int, limit: int | None, clause: str, lines: list[CalculationLine]) -> int:
    if limit is None or amount <= limit:
        return amount
    lines.append(("held_to_cap", clause, {"amount_fen": amount, "cap_fen": limit}))
    return limit


@dataclass(slots=True)
class Usage:
    """What a household's claims have used so far, in the order in which they take effect."""

    measures: dict[tuple[str, ...], int] = field(default_factory=dict)
    entitled: dict[tuple[str, ...], int] = field(default_factory=dict)
    household_fen: int = 0
    income_claim: str | None = None

    def by(self, policy: Policy, claim: Claim, household: Household) -> Used:
        """What is used of what this claim draws on."""
        key = _key(policy, claim, household)
        income = self.income_claim if claim.line == "income" else None
        return Used(self.measures.get(key, 0), self.entitled.get(key, 0), self.household_fen, income)

    def add(self, policy: Policy, claim: Claim, household: Household, decision: Decision) -> None:
        """Takes an effective decision into account; one on refer or supplement uses up nothing."""
        if not decision.counts:
            return
        key = _key(policy, claim, household)
        if claim.benefit in _ACCIDENT_SUMS:
            if decision.outcome == "approve":
                self.entitled[key] = self.entitled.get(key, 0) + decision.entitled_fen
        else:
            self.measures[key] = self.measures.get(key, 0) + claim.measure_fen
            self.entitled[key] = self.entitled.get(key, 0) + decision.entitled_fen
        if decision.outcome == "approve":
            self.household_fen += decision.payable_fen
            if claim.line == "income":
                self.income_claim = self.income_claim or claim.claim_no


_ACCIDENT_SUMS = ("death", "disability")


def _key(policy: Policy, claim: Claim, household: Household) -> tuple[str, ...]:
    """The key on which a claim accumulates."""
    if claim.benefit in _ACCIDENT_SUMS:
        return "accident_sums", claim.id_number, claim.accident_no or ""
    line = policy.on(claim.event_on).lines.get(claim.line)
    benefit = None if line is None else line.benefits.get(claim.benefit)
    if benefit is None:
        return claim.line, claim.benefit
    whose = household.household_no if benefit.per_household else claim.id_number
    year = claim.academic_year or "" if benefit.over_academic_year else "policy_year"
    return claim.line, claim.benefit, whose, year


def adjudicate(
    policy: Policy,
    household: Household | None,
    claims: Iterable[tuple[Claim, Surroundings]],
    usage: Usage | None = None,
) -> Iterator[tuple[Facts, Decision]]:
    """Decides a household's claims in the order given, each taking effect for the next ones.

    `usage` carries what was determined before (it is changed); None starts from nothing.
    """
    usage = usage or Usage()
    places = (
        {}
        if household is None
        else {member.id_number: place for place, member in enumerate(household.members)}
    )
    for claim, surroundings in claims:
        if household is None:
            facts = Facts(claim, None, -1, surroundings, Used())
            yield facts, decide(policy, facts)
            continue
        used = usage.by(policy, claim, household)
        facts = Facts(claim, household, places[claim.id_number], surroundings, used)
        decision = decide(policy, facts)
        usage.add(policy, claim, household, decision)
        yield facts, decision
