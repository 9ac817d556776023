"""A case with the data of its people in full: what a full view of a claim adds to what the page shows anyway.

A diagnosis is no part of it: that stays with the roles that may read one (`claims.case_view.DIAGNOSIS_SEEN_BY`).
"""

from __future__ import annotations

from dataclasses import replace

from claims.case_view import CaseView
from claims.queries.case import Case
from foundation.sealing import Erased


def refuse_erased(case: Case) -> None:
    """Raises Erased for a claim whose personal data was taken out at the end of its term."""
    if case.erased:
        raise Erased


def fields_of(case: Case) -> tuple[str, ...]:
    """The kinds of data that a full view of a case shows, of `foundation.privacy.disclosures.FIELD_NAMES`."""
    has_account = case.decision.payee_account or case.facts.claim.payee_account
    return ("id_number", "account") if has_account else ("id_number",)


def in_full(view: CaseView, case: Case) -> CaseView:
    """The view with every ID number and account of the case in full."""
    claim, household, decision = case.facts.claim, case.facts.household, case.decision
    numbers = () if household is None else tuple(member.id_number for member in household.members)
    return replace(
        view,
        id_number=claim.id_number,
        members=tuple(
            replace(member, id_number=number) for member, number in zip(view.members, numbers, strict=True)
        ),
        fields=_fields(view, case),
        payee=None if view.payee is None else (view.payee[0], decision.payee_account or ""),
    )


def _fields(view: CaseView, case: Case) -> tuple[tuple[str, str], ...]:
    """What the claim says; the account that it names stands last there."""
    claim = case.facts.claim
    if not (claim.payee_account and claim.payee_name):
        return view.fields
    *others, (title, _masked) = view.fields
    return (*others, (title, f"{claim.payee_name} {claim.payee_account}"))
