"""Segregation of duties K1–K8, in one place: who may not do what, seen over the whole history of a case.

Pure. A case's history is the list of acts on it, each a natural person and a duty; every service that adds an act asks
`refuse_conflict` first. The database refuses what it can see by itself as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from foundation.actors import ADMIN_ROLES, Role
from foundation.errors import NotAllowedError


class Duty(StrEnum):
    """What a person does on a case."""

    SUBMIT = "submit"
    SURVEY = "survey"
    CERTIFY = "certify"
    RECOMMEND = "recommend"
    DETERMINE = "determine"
    CHANGE_ACCOUNT = "change_account"
    VERIFY_ACCOUNT = "verify_account"
    MAKE_BATCH = "make_batch"
    CHECK_BATCH = "check_batch"
    RELEASE_BATCH = "release_batch"
    RECONCILE = "reconcile"
    HEAR_APPEAL = "hear_appeal"


DUTY_NAMES = {
    Duty.SUBMIT: ("提交", "submitting"),
    Duty.SURVEY: ("查勘", "surveying"),
    Duty.CERTIFY: ("资格核验", "certifying"),
    Duty.RECOMMEND: ("理算建议", "recommending"),
    Duty.DETERMINE: ("核定", "determining"),
    Duty.CHANGE_ACCOUNT: ("变更收款账户", "changing the payee account"),
    Duty.VERIFY_ACCOUNT: ("核验账户变更", "verifying the account change"),
    Duty.MAKE_BATCH: ("制单", "making the batch"),
    Duty.CHECK_BATCH: ("复核", "checking the batch"),
    Duty.RELEASE_BATCH: ("授权", "releasing the batch"),
    Duty.RECONCILE: ("对账", "reconciling"),
    Duty.HEAR_APPEAL: ("复核申诉", "hearing the appeal"),
}

_BATCH = frozenset({Duty.MAKE_BATCH, Duty.CHECK_BATCH, Duty.RELEASE_BATCH})
_FIRST_DECISION = frozenset({Duty.SUBMIT, Duty.SURVEY, Duty.CERTIFY, Duty.RECOMMEND, Duty.DETERMINE})

APART: tuple[tuple[str, frozenset[Duty], frozenset[Duty]], ...] = (
    ("K1", frozenset({Duty.SUBMIT}), frozenset({Duty.CERTIFY, Duty.DETERMINE})),
    ("K1", frozenset({Duty.CERTIFY}), frozenset({Duty.DETERMINE})),
    ("K2", frozenset({Duty.SURVEY, Duty.RECOMMEND}), frozenset({Duty.DETERMINE})),
    ("K3", frozenset({Duty.MAKE_BATCH}), frozenset({Duty.CHECK_BATCH, Duty.RELEASE_BATCH})),
    ("K3", _BATCH, frozenset({Duty.SURVEY, Duty.CERTIFY, Duty.RECOMMEND, Duty.DETERMINE})),
    ("K3", frozenset({Duty.RECONCILE}), frozenset({Duty.MAKE_BATCH})),
    ("K4", frozenset({Duty.CHANGE_ACCOUNT}), frozenset({Duty.VERIFY_ACCOUNT, Duty.RELEASE_BATCH})),
    ("K4", frozenset({Duty.VERIFY_ACCOUNT}), frozenset({Duty.RELEASE_BATCH})),
    ("K5", frozenset({Duty.HEAR_APPEAL}), _FIRST_DECISION),
)
"""Rule, and two sets of duties: nobody does one of each on the same case."""

_CHECK_AND_RELEASE = ("K3", frozenset({Duty.CHECK_BATCH}), frozenset({Duty.RELEASE_BATCH}))
"""Also apart while a batch takes three persons; by setting two, the checker may release."""


@dataclass(frozen=True, slots=True)
class Act:
    """One duty that a natural person has done on a case."""

    person: str
    duty: Duty


def conflict(
    history: Iterable[Act], person: str, duty: Duty, batch_persons: int = 3
) -> tuple[str, Duty] | None:
    """The rule that keeps a person from a duty on this case and the duty that they did before; None if they may.

    `history` holds every act on the case: for a batch, of all claims in it. `batch_persons` is 2 or 3 by setting.
    """
    rules = APART + ((_CHECK_AND_RELEASE,) if batch_persons >= 3 else ())
    done = {act.duty for act in history if act.person == person}
    for rule, ones, others in rules:
        for mine, theirs in ((ones, others), (others, ones)):
            if duty in mine and (found := sorted(done & theirs)):
                return rule, found[0]
    return None


def refuse_conflict(history: Iterable[Act], person: str, duty: Duty, batch_persons: int = 3) -> None:
    """Raises NotAllowedError when K1–K5 keep the person from this duty on this case."""
    found = conflict(history, person, duty, batch_persons)
    if found is not None:
        rule, done = found
        raise NotAllowedError(
            f"职责分离({rule}):您已在本案办理过“{DUTY_NAMES[done][0]}”,“{DUTY_NAMES[duty][0]}”须由他人办理",
            f"segregation of duties ({rule}): you did {DUTY_NAMES[done][1]} on this case; "
            f"{DUTY_NAMES[duty][1]} is for somebody else",
        )


def refuse_kin(own_and_relatives: Collection[str], concerned: Iterable[str]) -> None:
    """Raises NotAllowedError (K6 回避) when the case concerns the person, their household or a declared relative.

    Both are keyed digests of ID numbers: of the person with everyone declared, and of everyone whom the case concerns.
    """
    if not set(own_and_relatives).isdisjoint(concerned):
        raise NotAllowedError(
            "回避(K6):本案涉及您本人、家庭成员或已申报的亲属,须由他人办理",
            "recusal (K6): the case concerns yourself, your household or a declared relative; it is for somebody else",
        )


def refuse_roles_together(roles: Iterable[Role]) -> None:
    """Raises NotAllowedError (K7) when one person would hold two IT admin roles, or one with a business role."""
    held = set(roles)
    admin = held & ADMIN_ROLES
    if len(admin) > 1 or (admin and held - ADMIN_ROLES):
        raise NotAllowedError(
            "职责分离(K7):一人不得兼任两个管理员岗位,也不得兼任管理员与业务岗位",
            "segregation of duties (K7): nobody holds two administrator roles, nor one with a business role",
        )


def may_write(role: Role, purpose: str) -> bool:
    """K8: an auditor writes nothing but these; every other role is held by the rights table alone."""
    return role is not Role.AUDITOR or purpose in AUDITOR_WRITES


AUDITOR_WRITES = frozenset(
    {"download", "reveal", "annotate", "refer", "sample", "finding", "compare", "own_account"}
)
"""What an auditor may POST: looking closer, and saying what was found. `own_account` is their own sign-in."""
