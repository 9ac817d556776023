"""What a claim draws on, and how much of it earlier claims of the household have used before this one.

It reads the facts and the decision as recorded, with the caps of the policy; nothing is worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass

from claims.adjudication import Decision
from claims.facts import Facts
from claims.terms import Pair
from policies.benefit import shortfall_cap
from policies.policy import Benefit, Policy, Terms


@dataclass(frozen=True, slots=True)
class Usage:
    """One cap: its name, what was used before, what this claim takes, and the cap (None: none), all in fen."""

    name: Pair
    used_fen: int
    this_fen: int
    cap_fen: int | None

    @property
    def left_fen(self) -> int | None:
        """What is left of the cap after this claim."""
        return None if self.cap_fen is None else max(0, self.cap_fen - self.used_fen - self.this_fen)


def usage_of(policy: Policy, facts: Facts, decision: Decision) -> tuple[Usage, ...]:
    """The cap of the benefit and that of the household; empty where nothing was calculated."""
    terms = policy.on(facts.claim.event_on)
    line = terms.lines.get(facts.claim.line)
    benefit = None if line is None else line.benefits.get(facts.claim.benefit)
    if benefit is None or not decision.calculation:
        return ()
    taken = decision.entitled_fen if decision.outcome != "reject" or decision.counts else 0
    own = Usage(_name(benefit), facts.used.entitled_fen, taken, _cap(benefit, terms, facts))
    if terms.household_cap_fen is None:
        return (own,)
    household = Usage(
        ("户限额(保单年度)", "household, policy year"),
        facts.used.household_fen,
        decision.payable_fen,
        terms.household_cap_fen,
    )
    return own, household


def _cap(benefit: Benefit, terms: Terms, facts: Facts) -> int | None:
    if benefit.kind == "expense":
        return benefit.cap_fen
    if benefit.kind == "shortfall":
        return shortfall_cap(benefit, facts.claim.members)
    return max(other.sum_fen for other in terms.lines["accident"].benefits.values())


def _name(benefit: Benefit) -> Pair:
    if benefit.kind in ("fixed", "graded"):
        return "身故与伤残合计(同一事故)", "death and disability, one accident"
    if benefit.kind == "shortfall":
        return "本项限额(户·保单年度)", "this benefit, household, policy year"
    whose = ("户", "household") if benefit.per_household else ("本人", "person")
    year = ("学年", "academic year") if benefit.over_academic_year else ("保单年度", "policy year")
    return f"本项限额({whose[0]}·{year[0]})", f"this benefit, {whose[1]}, {year[1]}"
