"""Claims in the API: the list and one claim with its decision as data. Read only; ID numbers masked, no diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from claims.phrases import LINES, OUTCOMES
from claims.queries.case import Case, case_by_id
from claims.queries.listing import Filters, ListedClaim, page_of_claims
from claims.states import STATE_NAMES
from foundation.masking import mask_account, mask_id_number
from foundation.money import yuan_text
from foundation.web.acting import acting, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.fields import Choice, CleanText, IsoDate, Money

resources = Resources("claims", __name__, "Claims and how they were decided.")

_SORTS = {"notified_on": "notified", "amount": "amount", "claim_no": "number"}
"""What a caller sorts by, and the list's own name for it."""


class ClaimArguments(Paged):
    """What the list is narrowed to and sorted by."""

    line = Choice(LINES)
    town = CleanText(max=60)
    state = Choice(STATE_NAMES)
    outcome = Choice(OUTCOMES)
    sort = Choice(_SORTS, load_default="notified_on")
    order = Choice(("ascending", "descending"), load_default="descending")


class Claimant(Output):
    """Whose claim it is; the ID number is masked."""

    name = fields.String(required=True)
    id_number = fields.String(required=True)


class ListedClaimData(Output):
    """A claim in the list. Outcome and amount are those of the decision in force, else of the newest."""

    id = fields.String(required=True)
    claim_no = fields.String(required=True)
    policy_number = fields.String(required=True)
    line = Choice(LINES, required=True)
    benefit = fields.String(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True, allow_none=True)
    event_on = IsoDate(required=True)
    notified_on = IsoDate(required=True)
    state = Choice(STATE_NAMES, required=True)
    outcome = Choice(OUTCOMES, required=True)
    amount = Money(required=True)
    reasons = fields.List(fields.String(), required=True)
    claimant = fields.Nested(Claimant, required=True)


class CheckData(Output):
    """One check: whether it holds (null: no data to look into), its clause, and what went in."""

    code = fields.String(required=True)
    holds = fields.Boolean(required=True, allow_none=True)
    clause = fields.String(required=True)
    inputs = fields.Dict(required=True)


class LineData(Output):
    """One line of the calculation: its label, its clause and its values; sums in yuan."""

    label = fields.String(required=True)
    clause = fields.String(required=True)
    values = fields.Dict(required=True)


class PayeeData(Output):
    """Who is paid, as the decision froze it; the account is masked."""

    name = fields.String(required=True, allow_none=True)
    account = fields.String(required=True)


class DecisionData(Output):
    """The decision that counts for the claim: the one that was determined, else the newest."""

    id = fields.String(required=True)
    sequence = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True)
    outcome = Choice(OUTCOMES, required=True)
    entitled = Money(required=True)
    payable = Money(required=True)
    reasons = fields.List(fields.String(), required=True)
    checks = fields.List(fields.Nested(CheckData), required=True)
    calculation = fields.List(fields.Nested(LineData), required=True)
    payee = fields.Nested(PayeeData, required=True, allow_none=True)
    policy_fingerprint = fields.String(required=True)


class DeterminationData(Output):
    """What two persons made effective; they are named by their ids."""

    outcome = fields.String(required=True)
    amount = Money(required=True)
    recommended_by = fields.String(required=True)
    determined_by = fields.String(required=True)
    determined_at = fields.AwareDateTime(required=True)


class ReviewData(Output):
    """What a later pack puts in doubt."""

    id = fields.String(required=True)
    reason = fields.String(required=True)
    opened_at = fields.AwareDateTime(required=True)


class ClaimData(Output):
    """A claim with its decision."""

    id = fields.String(required=True)
    claim_no = fields.String(required=True)
    state = Choice(STATE_NAMES, required=True)
    line = Choice(LINES, required=True)
    benefit = fields.String(required=True)
    event_on = IsoDate(required=True)
    notified_on = IsoDate(required=True)
    town = fields.String(required=True)
    village = fields.String(required=True, allow_none=True)
    claimant = fields.Nested(Claimant, required=True)
    decision = fields.Nested(DecisionData, required=True)
    determination = fields.Nested(DeterminationData, required=True, allow_none=True)
    reviews = fields.List(fields.Nested(ReviewData), required=True)


@resources.at("/claims")
@resources.parameters(ClaimArguments)
@resources.answers(page_schema(ListedClaimData, "ClaimPage"))
def listed(asked: dict[str, Any]) -> dict[str, Any]:
    """The claims within the token's place, page by page."""
    filters = Filters(**{name: asked.get(name) for name in ("line", "town", "state", "outcome")})
    with reading() as session:
        page = page_of_claims(
            session,
            sealer(),
            acting(),
            filters,
            _SORTS[asked["sort"]],
            descending=asked["order"] == "descending",
            cursor=asked.get("cursor"),
            size=asked["size"],
        )
    return as_page(page, map(_row, page.rows))


@resources.at("/claims/<row_id:claim_id>")
@resources.tagged
@resources.answers(ClaimData)
def shown(claim_id: str) -> dict[str, Any]:
    """One claim: its decision with every check and every line of the calculation, and what became of it."""
    with reading() as session:
        case = case_by_id(session, sealer(), acting(), claim_id)
    return _whole(case)


def _row(claim: ListedClaim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "claim_no": claim.claim_no,
        "policy_number": claim.policy_number,
        "line": claim.line,
        "benefit": claim.benefit,
        "town": claim.town,
        "village": claim.village,
        "event_on": claim.event_on,
        "notified_on": claim.notified_on,
        "state": claim.state,
        "outcome": claim.outcome,
        "amount": claim.payable_fen,
        "reasons": claim.reasons,
        "claimant": {"name": claim.name, "id_number": claim.id_number},
    }


def _whole(case: Case) -> dict[str, Any]:
    claim, determined = case.facts.claim, case.determined
    return {
        "id": case.claim_id,
        "claim_no": case.claim_no,
        "state": case.state,
        "line": case.line,
        "benefit": case.benefit,
        "event_on": case.event_on,
        "notified_on": claim.notified_on,
        "town": case.town,
        "village": case.village,
        "claimant": {"name": claim.name, "id_number": mask_id_number(claim.id_number)},
        "decision": _decision(case),
        "determination": None
        if determined is None
        else {
            "outcome": determined.outcome,
            "amount": determined.amount_fen,
            "recommended_by": determined.recommended_by,
            "determined_by": determined.determined_by,
            "determined_at": determined.determined_at,
        },
        "reviews": [
            {"id": review.id, "reason": review.reason, "opened_at": review.opened_at}
            for review in case.reviews
        ],
    }


def _decision(case: Case) -> dict[str, Any]:
    decision, made = case.decision, case.shown
    account = decision.payee_account
    # A diagnosis goes to nobody through the API: no caller of it decides by one.
    hidden = {"cause"} if case.line == "illness" else set()
    return {
        "id": made.id,
        "sequence": made.sequence,
        "made_at": made.made_at,
        "outcome": decision.outcome,
        "entitled": decision.entitled_fen,
        "payable": decision.payable_fen,
        "reasons": decision.reasons,
        "checks": [
            {"code": code, "holds": holds, "clause": clause, "inputs": _in_yuan(inputs, hidden)}
            for code, holds, clause, inputs in decision.checks
        ],
        "calculation": [
            {"label": label, "clause": clause, "values": _in_yuan(values, hidden)}
            for label, clause, values in decision.calculation
        ],
        "payee": None if account is None else {"name": decision.payee_name, "account": mask_account(account)},
        "policy_fingerprint": decision.policy_fingerprint,
    }


def _in_yuan(data: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
    """Recorded data with every sum, there in fen as `…_fen`, as text in yuan under the name without that ending."""
    shown: dict[str, Any] = {}
    for name, value in data.items():
        if name in hidden:
            continue
        if name.endswith("_fen"):
            shown[name.removesuffix("_fen")] = None if value is None else yuan_text(value)
        elif isinstance(value, Mapping):
            shown[name] = _in_yuan(value, hidden)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            shown[name] = [_in_yuan(item, hidden) if isinstance(item, Mapping) else item for item in value]
        else:
            shown[name] = value
    return shown
