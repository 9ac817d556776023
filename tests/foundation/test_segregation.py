"""Segregation of duties K1–K8, seen over the whole history of a case and by natural person."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.actors import ADMIN_ROLES, Role
from foundation.errors import NotAllowedError
from foundation.segregation import (
    APART,
    AUDITOR_WRITES,
    DUTY_NAMES,
    Act,
    Duty,
    conflict,
    may_write,
    refuse_conflict,
    refuse_kin,
    refuse_roles_together,
)

# domain.md §5.1, pair by pair, written down again here: rule, what one person did, what they may not do on this case.
FORBIDDEN = [
    ("K1", Duty.SUBMIT, Duty.CERTIFY),
    ("K1", Duty.SUBMIT, Duty.DETERMINE),
    ("K1", Duty.CERTIFY, Duty.DETERMINE),
    ("K2", Duty.SURVEY, Duty.DETERMINE),
    ("K2", Duty.RECOMMEND, Duty.DETERMINE),
    ("K3", Duty.MAKE_BATCH, Duty.CHECK_BATCH),
    ("K3", Duty.MAKE_BATCH, Duty.RELEASE_BATCH),
    ("K3", Duty.CHECK_BATCH, Duty.RELEASE_BATCH),
    ("K3", Duty.RECOMMEND, Duty.MAKE_BATCH),
    ("K3", Duty.RECOMMEND, Duty.CHECK_BATCH),
    ("K3", Duty.RECOMMEND, Duty.RELEASE_BATCH),
    ("K3", Duty.DETERMINE, Duty.MAKE_BATCH),
    ("K3", Duty.DETERMINE, Duty.CHECK_BATCH),
    ("K3", Duty.DETERMINE, Duty.RELEASE_BATCH),
    ("K3", Duty.SURVEY, Duty.RELEASE_BATCH),
    ("K3", Duty.CERTIFY, Duty.MAKE_BATCH),
    ("K3", Duty.MAKE_BATCH, Duty.RECONCILE),
    ("K4", Duty.CHANGE_ACCOUNT, Duty.VERIFY_ACCOUNT),
    ("K4", Duty.CHANGE_ACCOUNT, Duty.RELEASE_BATCH),
    ("K4", Duty.VERIFY_ACCOUNT, Duty.RELEASE_BATCH),
    ("K5", Duty.RECOMMEND, Duty.HEAR_APPEAL),
    ("K5", Duty.DETERMINE, Duty.HEAR_APPEAL),
    ("K5", Duty.SUBMIT, Duty.HEAR_APPEAL),
]


@pytest.mark.parametrize(("rule", "did", "wants"), FORBIDDEN)
def test_a_pair_of_duties_is_kept_apart_in_either_order(rule: str, did: Duty, wants: Duty) -> None:
    assert conflict([Act("p1", did)], "p1", wants) == (rule, did)
    assert conflict([Act("p1", wants)], "p1", did) == (rule, wants)
    with pytest.raises(NotAllowedError, match=rule) as refusal:
        refuse_conflict([Act("p1", did)], "p1", wants)
    assert DUTY_NAMES[did][0] in refusal.value.zh


def test_pairs_that_no_rule_names_may_be_one_persons() -> None:
    apart = {frozenset((did, wants)) for _, did, wants in FORBIDDEN}
    ruled = {frozenset((a, b)) for _, ones, others in APART for a in ones for b in others if a is not b}
    free = {frozenset(pair) for pair in combinations(Duty, 2)} - ruled - apart
    assert frozenset((Duty.SUBMIT, Duty.SURVEY)) in free
    for one, other in map(tuple, free):
        assert conflict([Act("p1", one)], "p1", other) is None


def test_by_setting_two_the_checker_may_release_and_the_maker_still_may_not() -> None:
    history = [Act("maker", Duty.MAKE_BATCH), Act("checker", Duty.CHECK_BATCH)]
    assert conflict(history, "checker", Duty.RELEASE_BATCH, batch_persons=2) is None
    assert conflict(history, "checker", Duty.RELEASE_BATCH, batch_persons=3) is not None
    assert conflict(history, "maker", Duty.RELEASE_BATCH, batch_persons=2) is not None


@given(
    st.lists(st.builds(Act, st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Duty))), max_size=12),
    st.sampled_from(list(Duty)),
)
def test_what_others_did_never_keeps_anyone_from_a_duty(history: list[Act], wants: Duty) -> None:
    refuse_conflict(history, "somebody else", wants)
    for person in ("a", "b", "c"):
        own = [act for act in history if act.person == person]
        assert conflict(history, person, wants) == conflict(own, person, wants)


def test_a_relative_among_those_concerned_recuses() -> None:
    refuse_kin({"mine", "spouse"}, ["x", "y"])
    refuse_kin(set(), ["x"])
    with pytest.raises(NotAllowedError, match="K6"):
        refuse_kin({"mine", "spouse"}, ["x", "spouse"])


@pytest.mark.parametrize("pair", [*combinations(sorted(ADMIN_ROLES), 2)])
def test_nobody_holds_two_administrator_roles(pair: tuple[Role, Role]) -> None:
    with pytest.raises(NotAllowedError, match="K7"):
        refuse_roles_together(pair)


@pytest.mark.parametrize("admin", sorted(ADMIN_ROLES))
@pytest.mark.parametrize(
    "business", [Role.CLAIM_OFFICER, Role.FIN_RELEASER, Role.AUDITOR, Role.VILLAGE_OFFICER]
)
def test_nobody_holds_an_administrator_role_with_a_business_role(admin: Role, business: Role) -> None:
    refuse_roles_together([admin])
    refuse_roles_together([business, Role.ADJUDICATOR])
    with pytest.raises(NotAllowedError, match="K7"):
        refuse_roles_together([admin, business])


def test_an_auditor_writes_nothing_but_what_looking_closer_takes() -> None:
    assert not may_write(Role.AUDITOR, "business")
    assert all(may_write(Role.AUDITOR, purpose) for purpose in AUDITOR_WRITES)
    assert may_write(Role.CLAIM_OFFICER, "business")
