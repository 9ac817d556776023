"""A case as the claim page shows it: every word in the reader's language, every sum and day ready to print.

It reads the record and words it; nothing is decided or worked out again. Who may not see a diagnosis gets it nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from claims.adjudication import Decision
from claims.checks import GRAVITY
from claims.facts import Claim, Facts
from claims.queries.case import Case
from claims.terms import (
    BENEFIT_NAMES,
    CHANNEL_NAMES,
    CLAIM_FIELDS,
    EVENT_DAY_NAMES,
    REASON_NAMES,
    RELATION_NAMES,
    Pair,
    line_name,
)
from claims.usage import Usage, usage_of
from claims.wording import DecisionWords, explain
from foundation.actors import Role
from foundation.identifiers import birth_date
from foundation.masking import Audience, account_for, diagnosis_for, id_number_for
from foundation.web.language import language, pick, typeset
from households.household import Member

DIAGNOSIS_SEEN_BY = frozenset(
    {Role.CLAIM_OFFICER, Role.ADJUDICATOR, Role.ADJ_SENIOR, Role.CENTER_CERTIFIER, Role.CENTER_LEAD}
)
"""Roles that decide or certify. For all others a diagnosis and a grade of disability stay hidden, in the claim, its
checks and its calculation.
"""

_HIDDEN: Pair = ("(按权限不显示)", "(not shown to your role)")
_WAITS: dict[str, Pair] = {
    "reject": ("须拒赔", "refuse"),
    "refer": ("须核实", "to be looked into"),
    "supplement": ("须补材料", "papers to come"),
}


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A check: kind of badge, result, what a failure leads to, title, clause, finding."""

    kind: str
    result: str
    follows: str
    title: str
    clause: str
    finding: str


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line of the calculation; `amount` is yuan, empty where the line has no sum."""

    text: str
    clause: str
    amount: str


@dataclass(frozen=True, slots=True)
class MemberShown:
    """A member of the household on the event day."""

    name: str
    relation: str
    category: str
    age: int
    id_number: str
    cover_from: date
    cover_to: date
    died_on: date | None
    claimant: bool


@dataclass(frozen=True, slots=True)
class PaperShown:
    """A paper: asked for and there, asked for and missing, or handed in beside."""

    name: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything that the claim page prints of a case."""

    claimant: str
    id_number: str
    line_title: str
    benefit_title: str
    event_day_name: str
    channel: str
    reasons: tuple[CheckShown, ...]
    checks: tuple[CheckShown, ...]
    counted: dict[str, int]
    """How many checks passed, failed, could not be looked into."""
    alone: bool
    """Whether a single check decided, beside which nothing else was looked at."""
    calculation: tuple[LineShown, ...]
    usage: tuple[Usage, ...]
    members: tuple[MemberShown, ...]
    papers: tuple[PaperShown, ...]
    fields: tuple[tuple[str, str], ...]
    payee: tuple[str, str] | None
    """Holder and masked account, as the decision froze them."""
    terms_from: date | None
    """First day of the terms that were in force on the event day; None where the policy has one set of terms only."""


def case_view(case: Case, role: Role) -> CaseView:
    """A case in words for a role."""
    facts, decision = _seen(case, case.shown.id, role)
    words = explain(case.policy, facts, decision, language())
    claim = facts.claim
    results = [result for _, result, _, _ in decision.checks]
    account = decision.payee_account
    return CaseView(
        claimant=claim.name,
        id_number=id_number_for(Audience.OFFICER, claim.id_number),
        line_title=heading(pick(*line_name(case.policy, case.line, case.event_on))),
        benefit_title=heading(pick(*BENEFIT_NAMES[case.benefit])),
        event_day_name=heading(pick(*EVENT_DAY_NAMES[case.line])),
        channel=heading(pick(*CHANNEL_NAMES.get(claim.channel, (claim.channel, claim.channel)))),
        reasons=_reasons(words),
        checks=_checks(words, decision),
        counted={
            "passed": results.count(True),
            "failed": results.count(False),
            "unknown": results.count(None),
        },
        alone=not decision.calculation,
        calculation=tuple(
            LineShown(said(line.text), line.clause, "" if line.amount_fen is None else yuan(line.amount_fen))
            for line in words.calculation
        ),
        usage=usage_of(case.policy, facts, decision),
        members=_members(facts),
        papers=_papers(claim, decision),
        fields=_fields(claim),
        payee=None
        if account is None
        else (decision.payee_name or "", account_for(Audience.OFFICER, account)),
        terms_from=_terms_from(case),
    )


def heading(text: str) -> str:
    """English words with a capital in front, as they stand at the head of a cell; Chinese as it is."""
    return text[:1].upper() + text[1:]


def said(text: str) -> str:
    """A sentence of the record as it is printed: Chinese with its own marks, English with a capital in front."""
    return typeset(text) if language() == "zh" else heading(text)


def yuan(fen: int) -> str:
    """Yuan grouped by three. A doubtful claim may come to more than any `Money` holds, and is shown all the same."""
    return f"{fen // 100:,}.{fen % 100:02d}"


def _seen(case: Case, decision_id: str, role: Role) -> tuple[Facts, Decision]:
    """The record of an opened decision as a role may see it."""
    facts, decision = case.opened[decision_id]
    if case.benefit == "disability" and role not in DIAGNOSIS_SEEN_BY:
        return _without_grade(facts, decision)
    cause = facts.claim.cause
    if case.line != "illness" or cause is None:
        return facts, decision
    seen = diagnosis_for(Audience.OFFICER, cause, permitted=role in DIAGNOSIS_SEEN_BY) or pick(*_HIDDEN)
    checks = tuple(
        (code, result, clause, {**inputs, "cause": seen} if "cause" in inputs else inputs)
        for code, result, clause, inputs in decision.checks
    )
    return replace(facts, claim=replace(facts.claim, cause=seen)), replace(decision, checks=checks)


def _without_grade(facts: Facts, decision: Decision) -> tuple[Facts, Decision]:
    """Without the grade of a disability: its line of the calculation becomes a fixed sum."""
    calculation = tuple(
        ("sum", clause, {"sum_fen": values["amount_fen"]}) if label == "grade" else (label, clause, values)
        for label, clause, values in decision.calculation
    )
    return replace(facts, claim=replace(facts.claim, grade=None)), replace(decision, calculation=calculation)


_KINDS = {"reject": "bad", "refer": "warn", "supplement": "warn", "amount": "bad"}
_FIRST = {False: 0, None: 1, True: 2}


def _checks(words: DecisionWords, decision: Decision) -> tuple[CheckShown, ...]:
    """Every check, those that failed first, then those without data; otherwise in the order of the record."""
    shown = []
    for check, (code, result, _, _) in zip(words.checks, decision.checks, strict=True):
        gravity = GRAVITY[code]
        kind = {True: "ok", None: "neutral"}.get(result, _KINDS[gravity])
        follows = pick(*_WAITS[gravity]) if result is False else ""
        row = CheckShown(
            kind, heading(check.result), follows, said(check.title), check.clause, said(check.sentence)
        )
        shown.append((_FIRST[result], row))
    return tuple(row for _, row in sorted(shown, key=lambda pair: pair[0]))


def _reasons(words: DecisionWords) -> tuple[CheckShown, ...]:
    """Why it was decided so, the gravest first: failed checks, and what the amount says."""
    order = ("reject", "amount", "supplement", "refer")
    ranked = sorted(words.reasons, key=lambda check: order.index(GRAVITY[check.code]))
    return tuple(
        CheckShown(
            _KINDS[GRAVITY[check.code]],
            heading(check.result),
            "",
            heading(pick(*REASON_NAMES[check.code])),
            check.clause,
            said(check.sentence),
        )
        for check in ranked
    )


def _members(facts: Facts) -> tuple[MemberShown, ...]:
    if facts.household is None:
        return ()
    return tuple(
        _member(member, facts.claim.event_on, place == facts.claimant)
        for place, member in enumerate(facts.household.members)
    )


def _member(member: Member, day: date, claimant: bool) -> MemberShown:
    relation = RELATION_NAMES.get(member.relation, (member.relation, member.relation))
    return MemberShown(
        name=member.name,
        relation=heading(pick(*relation)),
        category=member.category,
        age=_age(birth_date(member.id_number), day),
        id_number=id_number_for(Audience.OFFICER, member.id_number),
        cover_from=member.cover_from,
        cover_to=member.cover_to,
        died_on=min(member.deaths, default=None),
        claimant=claimant,
    )


def _age(born_on: date, day: date) -> int:
    return max(0, day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day)))


def _papers(claim: Claim, decision: Decision) -> tuple[PaperShown, ...]:
    """The papers that the check asked for, each there or missing, and what was handed in beside them."""
    inputs: dict[str, Any] = next(
        (inputs for code, _, _, inputs in decision.checks if code == "MISSING_EVIDENCE"), {}
    )
    asked, missing = inputs.get("asked", ()), inputs.get("missing", ())
    there, absent = pick("已收", "There"), pick("缺", "Missing")
    beside = pick("另交", "Beside") if asked else pick("已交", "Handed in")
    return (
        *(PaperShown(paper, "bad", absent) for paper in asked if paper in missing),
        *(PaperShown(paper, "ok", there) for paper in asked if paper not in missing),
        *(PaperShown(paper, "neutral", beside) for paper in claim.evidence if paper not in asked),
    )


def _fields(claim: Claim) -> tuple[tuple[str, str], ...]:
    """What the claim says, field by field; sums that its benefit does not have are left out."""
    shown = []
    for name, zh, en in CLAIM_FIELDS[claim.line]:
        value = getattr(claim, name)
        if value is None or (name.endswith("_fen") and claim.benefit in ("death", "disability")):
            continue
        shown.append((heading(pick(zh, en)), yuan(value) if name.endswith("_fen") else str(value)))
    if claim.payee_account and claim.payee_name:
        title = heading(pick("指定收款账户", "payee's account named"))
        shown.append((title, f"{claim.payee_name} {account_for(Audience.OFFICER, claim.payee_account)}"))
    return tuple(shown)


def _terms_from(case: Case) -> date | None:
    starts = case.policy.starts
    if len(starts) < 2:
        return None
    return max((start for start in starts if start <= case.event_on), default=starts[0])


def what_changed(case: Case, decision_id: str, role: Role) -> list[str]:
    """How the decision that a review names differs from the shown one, in sentences: outcome, amount, reasons."""
    (old_facts, old), (new_facts, new) = _seen(case, case.shown.id, role), _seen(case, decision_id, role)
    policy_id = next(row.policy_id for row in case.decisions if row.id == decision_id)
    before = explain(case.policy, old_facts, old, language())
    after = explain(case.policies[policy_id], new_facts, new, language())
    changes = []
    if old.outcome != new.outcome:
        was, now = heading(before.outcome), heading(after.outcome)
        changes.append(pick(f"结论:{was} → {now}", f"Outcome: {was} → {now}"))
    if old.payable_fen != new.payable_fen:
        was, now = yuan(old.payable_fen), yuan(new.payable_fen)
        changes.append(pick(f"应付金额:{was} 元 → {now} 元", f"Payable: {was} → {now} yuan"))
    held, holds = ({check.code for check in words.reasons} for words in (before, after))
    for check in after.reasons:
        if check.code not in held:
            changes.append(pick(f"新增原因:{check.sentence}", f"New reason: {check.sentence}"))
    for check in before.reasons:
        if check.code not in holds:
            changes.append(pick(f"原因已消除:{check.title}", f"Holds no more: {check.title}"))
    return changes
