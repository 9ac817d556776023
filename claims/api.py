"""Claims in the API: the list and one claim with its decision as data; ID numbers masked, no diagnosis.

They change nothing but the trail: the full view is granted for a purpose, counted, and an event each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from claims.full_view import fields_of, refuse_erased
from claims.phrases import LINES, OUTCOMES
from claims.queries.case import Case, case_by_id
from claims.queries.listing import Filters, ListedClaim, page_of_claims
from claims.states import STATE_NAMES
from foundation.masking import Audience, account_for, id_number_for
from foundation.money import yuan_text
from foundation.privacy.purposes import PURPOSES
from foundation.web.acting import acting, reading, sealer
from foundation.web.api import Output, Paged, Resources, as_page, page_schema
from foundation.web.disclosing import FullView, grant_full_view
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
    claimant = fields.Nested(Claimant, required=True, allow_none=True)
    """Null once the personal data was erased at the end of its term."""


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
    claimant = fields.Nested(Claimant, required=True, allow_none=True)
    """Null once the personal data was erased at the end of its term."""
    decision = fields.Nested(DecisionData, required=True)
    determination = fields.Nested(DeterminationData, required=True, allow_none=True)
    reviews = fields.List(fields.Nested(ReviewData), required=True)


class PersonInFull(Output):
    """Somebody with the ID number in full."""

    name = fields.String(required=True)
    id_number = fields.String(required=True)


class AccountInFull(Output):
    """A bank account in full."""

    name = fields.String(required=True)
    account = fields.String(required=True)


class FullViewData(Output):
    """The people of a claim with ID numbers and accounts in full; what for, and how many views are left today."""

    id = fields.String(required=True)
    claim_no = fields.String(required=True)
    claimant = fields.Nested(PersonInFull, required=True)
    members = fields.List(fields.Nested(PersonInFull), required=True)
    payee = fields.Nested(AccountInFull, required=True, allow_none=True)
    purpose = Choice(PURPOSES, required=True)
    seen_at = fields.AwareDateTime(required=True)
    left_today = fields.Integer(required=True)


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


@resources.at("/claims/<row_id:claim_id>/full-view", "POST")
@resources.body(FullView)
@resources.answers(FullViewData)
def full_view(asked: dict[str, Any], claim_id: str) -> dict[str, Any]:
    """One claim's people in full, for a purpose. Each call is a look of its own, so there is no Idempotency-Key.

    A person has 200 full views a day, on pages and here together; one more is 429. A court's or supervisory body's
    request needs a `note` that names its letter.
    """
    with reading() as session:
        case = case_by_id(session, sealer(), acting(), claim_id)
    refuse_erased(case)
    seen = grant_full_view("claim", claim_id, fields_of(case), asked)
    claim, household, account = case.facts.claim, case.facts.household, case.decision.payee_account
    members = () if household is None else household.members
    return {
        "id": case.claim_id,
        "claim_no": case.claim_no,
        "claimant": {"name": claim.name, "id_number": claim.id_number},
        "members": [{"name": member.name, "id_number": member.id_number} for member in members],
        "payee": None if account is None else {"name": case.decision.payee_name or "", "account": account},
        "purpose": seen.purpose,
        "seen_at": seen.at,
        "left_today": seen.left,
    }


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
        "claimant": None if claim.name is None else {"name": claim.name, "id_number": claim.id_number},
    }


def _whole(case: Case) -> dict[str, Any]:
    claim, determined = None if case.erased else case.facts.claim, case.determined
    return {
        "id": case.claim_id,
        "claim_no": case.claim_no,
        "state": case.state,
        "line": case.line,
        "benefit": case.benefit,
        "event_on": case.event_on,
        "notified_on": case.notified_on,
        "town": case.town,
        "village": case.village,
        "claimant": None
        if claim is None
        else {"name": claim.name, "id_number": id_number_for(Audience.OFFICER, claim.id_number)},
        "decision": _erased_decision(case) if case.erased else _decision(case),
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
    # Neither a diagnosis nor a grade of disability goes to anybody through the API: no caller of it decides by one.
    hidden = {"cause"} if case.line == "illness" else set()
    if case.benefit == "disability":
        hidden = {"grade", "rate"}
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
        "payee": None
        if account is None
        else {"name": decision.payee_name, "account": account_for(Audience.OFFICER, account)},
        "policy_fingerprint": decision.policy_fingerprint,
    }


def _erased_decision(case: Case) -> dict[str, Any]:
    """What stays of a decision when its term is over: outcome, sums and reasons, without what they rest on."""
    made = case.shown
    return {
        "id": made.id,
        "sequence": made.sequence,
        "made_at": made.made_at,
        "outcome": made.outcome,
        "entitled": made.entitled_fen,
        "payable": made.payable_fen,
        "reasons": [code for code in made.reasons.split(";") if code],
        "checks": [],
        "calculation": [],
        "payee": None,
        "policy_fingerprint": case.policy.fingerprint,
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
