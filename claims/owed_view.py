"""What is owed in words, and a would-be claim as the claim page shows a claim: by the same explanation.

Nothing is worked out here; the record that adjudication made is worded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from claims.case_view import heading
from claims.owed import MISSING, OWED_OUTCOMES, Owed
from claims.queries.case import Case, DecisionMade
from claims.queries.owed import OwedPerson
from claims.terms import BENEFIT_NAMES, REASON_NAMES
from foundation.web.language import _, pick
from households.layouts import layouts
from policies.policy import Policy

SOON_DAYS = 30
"""A row with fewer days left to report is marked."""
_KINDS = {"approve": "ok", "refer": "warn", "supplement": "warn", "unknown": "info", "reject": "neutral"}


@dataclass(frozen=True, slots=True)
class OwedShown:
    """A row in the words of the list."""

    row: OwedPerson
    line: str
    benefit: str
    source: str
    """The department's file that says so."""
    outcome: str
    outcome_kind: str
    why: tuple[str, ...]
    """What nobody knows, and what calls for a look."""
    left: str
    left_kind: str
    papers: str


def owed_shown(row: OwedPerson) -> OwedShown:
    """A row in the reader's language."""
    missing = [] if row.missing is None else [pick(*MISSING[row.missing])]
    return OwedShown(
        row,
        heading(pick(*row.line_title)),
        heading(pick(*BENEFIT_NAMES[row.benefit])),
        heading(pick(*layouts()[row.feed].title)),
        heading(pick(*OWED_OUTCOMES[row.outcome])),
        _KINDS[row.outcome],
        tuple(heading(text) for text in [*missing, *(pick(*REASON_NAMES[code]) for code in row.reasons)]),
        _left(row.days_left),
        "bad" if row.days_left < 0 else "warn" if row.days_left <= SOON_DAYS else "ok",
        pick("、", ", ").join(row.papers),
    )


def _left(days: int) -> str:
    if days < 0:
        return _("已过 %(count)s 天", count=-days)
    return _("还有 %(count)s 天", count=days)


def as_case(row: OwedPerson, policy: Policy, owed: Owed, at: datetime) -> Case:
    """A would-be claim in the form in which the claim page takes one. It is not stored, and has no state of its own."""
    decision = owed.decision
    made = DecisionMade(
        id=row.id,
        sequence=1,
        policy_id=policy.number,
        outcome=decision.outcome,
        payable_fen=decision.payable_fen,
        entitled_fen=decision.entitled_fen,
        reasons=";".join(decision.reasons),
        made_at=at,
    )
    return Case(
        claim_id=row.id,
        claim_no="",
        state="review",
        line=row.line,
        benefit=row.benefit,
        event_on=row.event_on,
        notified_on=owed.facts.claim.notified_on,
        town=row.town,
        village=row.village,
        village_code=None,
        decisions=(made,),
        shown=made,
        opened={made.id: (owed.facts, decision)},
        policies={policy.number: policy},
        determined=None,
        reviews=(),
        others=(),
    )
