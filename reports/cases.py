"""A determined claim as figures: what letters and calculation sheets say of it.

Pure. The decision is printed as it was recorded; nothing of it is worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from claims.adjudication import Decision
from claims.facts import Claim, Facts
from claims.wording import explain
from foundation.clock import business_day
from foundation.identifiers import birth_date
from foundation.masking import Audience, account_for, id_number_for, is_child
from foundation.money import Money
from policies.policy import Policy
from reports.figures import CaseFigures, PolicyFigures
from reports.people import age_on
from reports.terms import BENEFITS


@dataclass(frozen=True, slots=True)
class DeterminedRow:
    """What is stored of a determination beside the record of its decision, whose keyed digest is `digest`."""

    id: str
    outcome: str
    amount_fen: int
    recommended_by: str
    determined_by: str
    determined_at: datetime
    digest: str
    town: str
    village: str | None


def policy_figures(policy: Policy) -> PolicyFigures:
    """A policy as documents name it."""
    return PolicyFigures(
        policy.number,
        policy.title,
        policy.purchaser,
        policy.insurer,
        policy.period_from,
        policy.period_to,
        policy.premium_per_head_fen,
        policy.poverty_line_fen,
        policy.fingerprint,
    )


def case_of(policy: Policy, facts: Facts, decision: Decision, row: DeterminedRow) -> CaseFigures:
    """The figures of a determined claim from its decision's record and its row."""
    claim, household = facts.claim, facts.household
    member = None if household is None else household.members[facts.claimant]
    line = policy.on(claim.event_on).lines.get(claim.line)
    benefit = None if line is None else line.benefits.get(claim.benefit)
    day = business_day(row.determined_at)
    return CaseFigures(
        determination_id=row.id,
        policy=policy_figures(policy),
        claim_no=claim.claim_no,
        line_title=claim.line if line is None else line.title,
        benefit_title=BENEFITS[claim.benefit],
        clause=policy.number if benefit is None else benefit.clause,
        notified_on=claim.notified_on,
        event_on=claim.event_on,
        determined_on=day,
        claimant=claim.name,
        id_number=id_number_for(Audience.OFFICER, claim.id_number),
        age=age_on(birth_date(claim.id_number), day),
        child=is_child(claim.id_number, day),
        deceased=claim.benefit == "death"
        or (member is not None and any(death <= day for death in member.deaths)),
        household_no=None if household is None else household.household_no,
        category=None if member is None else member.category,
        village=f"{row.town}{row.village or ''}",
        outcome=row.outcome,
        amount_fen=row.amount_fen,
        payee_name=decision.payee_name,
        payee_account=None
        if decision.payee_account is None
        else account_for(Audience.OFFICER, decision.payee_account),
        costs=_costs(policy, claim),
        accumulates=decision.counts and benefit is not None and benefit.kind == "expense",
        recommended_by=row.recommended_by,
        determined_by=row.determined_by,
        record_digest=row.digest,
        words=explain(policy, facts, decision, "zh"),
    )


def _costs(policy: Policy, claim: Claim) -> tuple[tuple[str, str], ...]:
    """What was claimed, item by item, as people read it."""
    sums: tuple[tuple[str, int], ...]
    if claim.line == "illness":
        sums = (
            ("医疗总费用", claim.total_fen),
            ("基本医保支付", claim.basic_fen),
            ("大病保险支付", claim.major_fen),
            ("医疗救助支付", claim.aid_fen),
            ("其他补偿", claim.other_fen),
        )
    elif claim.line == "education":
        sums = (
            ("学费", claim.tuition_fen),
            ("住宿费", claim.lodging_fen),
            ("教材费", claim.books_fen),
            ("资助金额", claim.grants_fen),
        )
    elif claim.line == "income":
        sums = (("相对贫困线", policy.poverty_line_fen), ("核定人均纯收入", claim.verified_income_fen))
        return (*((name, f"{_grouped(fen)}元") for name, fen in sums), ("家庭人口", f"{claim.members}人"))
    elif claim.benefit == "disability":
        return (("伤残等级", f"{claim.grade}级"),)
    elif claim.benefit == "death":
        return ()
    else:
        sums = (("费用金额", claim.expense_fen), ("第三方赔付", claim.third_party_fen))
    measured = (*sums, ("本次计入费用", claim.measure_fen))
    return tuple((name, f"{_grouped(fen)}元") for name, fen in measured)


def _grouped(fen: int) -> str:
    return Money(fen).grouped
