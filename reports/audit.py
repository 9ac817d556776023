"""Figures of the audit report: every payment with its claim, decision and people, and tests over raw rows. Read only.

The tests do not lean on the constraints that forbid what they look for: each counts in the tables what is there, in the
whole database where it can. Every test is expected to find nothing; what it finds is named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision, decide
from claims.models import ClaimRow, DecisionRow, Determination
from claims.queries import open_decision
from foundation.clock import business_day
from foundation.masking import Audience, account_for
from foundation.sealing import ERASED, Sealer
from households.models import HouseholdRow
from payments.models import Batch, Payable, Payment
from payments.queries import Payee, payee_if_kept
from policies.queries import policy_by_id
from reports.audit_tests import controls, duplicate_tests, ledger_accounts, segregation_tests
from reports.figures import AuditFigures, Finding, PaidCase
from reports.people import minors_of, payee_for_auditor
from reports.programme import programme_figures
from reports.queries import batch_figures, line_title
from reports.terms import ERASED_WORD

_EXAMPLES = 5
"""How many cases of a finding are named."""


def audit_figures(session: Session, sealer: Sealer, policy_number: str) -> AuditFigures:
    """The figures of the audit report on one policy number at this moment."""
    decided = _Decided(session, sealer, policy_number)
    cases = []
    payees = []
    for row in _payments(session, policy_number):
        payee, kept = payee_if_kept(sealer, "payment", row.id, row.sealed), decided.kept.get(row.decision_id)
        if payee is None or kept is None:  # erased at the end of its term, both together
            cases.append(_paid_case(session, row, ERASED_WORD, ""))
            continue
        name = payee_for_auditor(payee.name, kept.minors)
        cases.append(_paid_case(session, row, name, account_for(Audience.AUDITOR, payee.account)))
        payees.append((row.reference, payee, kept.payee))
    batches = [
        batch_figures(session, sealer, batch_id, with_lines=False)
        for batch_id in session.scalars(select(Batch.id).order_by(Batch.number))
    ]
    return AuditFigures(
        programme=programme_figures(session, sealer, policy_number),
        duplicates=(
            *duplicate_tests(session),
            same_document(decided.approved),
            same_household_income(decided.approved),
            _same_payee(payees),
            decided.same_again(),
        ),
        segregation=segregation_tests(session),
        controls=controls(session, sealer),
        accounts=ledger_accounts(session),
        batches=tuple(batches),
        cases=tuple(cases),
    )


def _payments(session: Session, policy_number: str) -> Iterator[Row[Any]]:
    query = (
        select(
            Payment.id,
            Payment.reference,
            Payment.amount_fen,
            Payment.sealed,
            Payment.state,
            Batch.number.label("batch"),
            Batch.made_by,
            Batch.checked_by,
            Batch.released_by,
            Determination.id.label("determination_id"),
            Determination.decision_id,
            Determination.amount_fen.label("determined_fen"),
            Determination.recommended_by,
            Determination.determined_by,
            Determination.determined_at,
            DecisionRow.policy_id,
            ClaimRow.claim_no,
            ClaimRow.line,
            ClaimRow.event_on,
            ClaimRow.town,
        )
        .join(Batch, Batch.id == Payment.batch_id)
        .join(Payable, Payable.id == Payment.payable_id)
        .join(Determination, Determination.id == Payable.determination_id)
        .join(DecisionRow, DecisionRow.id == Determination.decision_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy_number)
        .order_by(Batch.number, Payment.sequence)
    )
    return iter(session.execute(query))


def _paid_case(session: Session, row: Row[Any], payee_name: str, payee_account: str) -> PaidCase:
    policy = policy_by_id(session, row.policy_id)
    return PaidCase(
        reference=row.reference,
        batch=row.batch,
        claim_no=row.claim_no,
        line_title=line_title(policy, row.line, row.event_on),
        town=row.town,
        decision_id=row.decision_id,
        determination_id=row.determination_id,
        determined_fen=row.determined_fen,
        paid_fen=row.amount_fen,
        state=row.state,
        payee_name=payee_name,
        payee_account=payee_account,
        recommended_by=row.recommended_by,
        determined_by=row.determined_by,
        determined_at=row.determined_at,
        made_by=row.made_by,
        checked_by=row.checked_by or "",
        released_by=row.released_by or "",
    )


class Approved(NamedTuple):
    """What the tests ask of an approving determination."""

    claim_no: str
    line: str
    document: str | None
    household: str | None


class _Kept(NamedTuple):
    """What is kept of an approving decision's record for its payment: the payee that it froze, and whom to mask."""

    payee: Payee
    minors: frozenset[str]


def _payee_of(decision: Decision) -> Payee:
    return Payee(decision.payee_account or "", decision.payee_name or "", decision.bank_code)


class _Decided:
    """Every determined claim of a policy number, opened once, and the test that only the records allow.

    A record that was erased at the end of its term is left out of `kept` and of what is decided again.
    """

    def __init__(self, session: Session, sealer: Sealer, policy_number: str) -> None:
        self.kept: dict[str, _Kept] = {}
        self.approved: list[Approved] = []
        self._differing: list[str] = []
        self._tested = 0
        query = (
            select(
                Determination.outcome,
                Determination.determined_at,
                DecisionRow.id,
                DecisionRow.sealed,
                DecisionRow.policy_id,
                ClaimRow.claim_no,
                ClaimRow.line,
                HouseholdRow.household_no,
            )
            .join(DecisionRow, DecisionRow.id == Determination.decision_id)
            .join(ClaimRow, ClaimRow.id == Determination.claim_id)
            .outerjoin(HouseholdRow, HouseholdRow.id == Determination.household_id)
            .where(ClaimRow.policy_number == policy_number)
            .execution_options(yield_per=500)
        )
        for row in session.execute(query):
            if row.sealed == ERASED:
                # What needs no personal data is still tested; its facts are gone, so it is not decided again.
                if row.outcome == "approve":
                    self.approved.append(Approved(row.claim_no, row.line, None, row.household_no))
                continue
            facts, decision = open_decision(sealer, row.id, row.sealed)
            self._tested += 1
            claim, household = facts.claim, facts.household
            if _conclusion(decide(policy_by_id(session, row.policy_id), facts)) != _conclusion(decision):
                self._differing.append(claim.claim_no)
            if row.outcome == "approve":
                minors = minors_of(facts, business_day(row.determined_at))
                self.kept[row.id] = _Kept(_payee_of(decision), minors)
                number = None if household is None else household.household_no
                self.approved.append(Approved(claim.claim_no, claim.line, claim.document_no, number))

    def same_again(self) -> Finding:
        """A determined claim whose decision does not come out the same from its stored facts."""
        return _finding(
            "D12",
            "重算不一致",
            "按留存的事实和保单重新计算每一件核定案件,结论、理由、金额或收款信息与留存决定不同",
            self._tested,
            self._differing,
        )


def same_document(approved: Iterable[Approved]) -> Finding:
    """One bill of one line that was approved more than once, for whomever."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in approved:
        if item.document:
            groups[item.line, item.document].append(item.claim_no)
    return _finding(
        "D9",
        "同一单证重复获赔",
        "同一险种下,同一结算单号、缴费凭证号或凭证号在两件以上给付案件中出现",
        len(groups),
        ("、".join(sorted(numbers)) for numbers in groups.values() if len(numbers) > 1),
    )


def same_household_income(approved: Iterable[Approved]) -> Finding:
    """A household whose shortfall of income was made up more than once."""
    counted = Counter(item.household for item in approved if item.line == "income")
    found = (f"户 {household}" for household, number in counted.items() if number > 1)
    definition = "同一户在本保单下有两件以上收入责任险给付案件"
    return _finding("D10", "同户重复获收入险赔付", definition, len(counted), found)


def _conclusion(decision: Decision) -> tuple[object, ...]:
    sums = decision.payable_fen, decision.entitled_fen
    return decision.outcome, decision.reasons, *sums, _payee_of(decision)


def _same_payee(payees: Sequence[tuple[str, Payee, Payee]]) -> Finding:
    found = [reference for reference, paid, frozen in payees if paid != frozen]
    definition = "付款的账号、户名或联行号与核定时冻结的收款信息不同"
    return _finding("D11", "收款信息被改动", definition, len(payees), found)


def _finding(code: str, title: str, definition: str, tested: int, found: Iterable[str]) -> Finding:
    names = list(found)
    return Finding(code, title, definition, tested, len(names), tuple(names[:_EXAMPLES]))
