"""What holds of every decision: caps, the order of outcomes, and the record that it can be made again from."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.adjudication import Decision, Usage, adjudicate, decide
from claims.checks import payee_of
from claims.deciding import Decided
from claims.storing import decision_from_data, dump, dump_record, load_record
from policies.policy import Policy
from tests.claims.converting import case_of
from tests.claims.dice import SeededDice
from tests.claims.model import AMOUNT_REASONS
from tests.claims.model_checks import GRAVITY
from tests.claims.tidy import (
    WIFE,
    accident,
    decided,
    decisions,
    family,
    illness,
    income,
    results,
    world_of,
)
from tests.claims.worlds import Row, id_number, random_world
from tests.policies.example import POLICY

WORLDS = 3000 if os.environ.get("FANGPIN_PROOF") == "1" else 250
FEN = Decimal("0.01")

Case = tuple[Policy, list[Decided]]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Small worlds of every kind, each with all its decisions; other ones than the model is asked about."""
    made = [case_of(random_world(SeededDice(1_000_000 + seed))) for seed in range(WORLDS)]
    return [(case.policy, case.decide_all()) for case in made]


# Caps


def test_entitled_is_at_least_payable_and_neither_is_below_zero(cases: list[Case]) -> None:
    for decision in every_decision(cases):
        assert 0 <= decision.payable_fen <= decision.entitled_fen
        assert decision.payable_fen == 0 or decision.outcome != "reject"
        assert decision.payable_fen > 0 or decision.outcome != "approve"


def test_no_cap_is_ever_exceeded(cases: list[Case]) -> None:
    """A dated cap may fall: what all claims together took is then held to the largest that was in force."""
    full = 0
    for policy, items in cases:
        taken: dict[object, int] = defaultdict(int)
        largest: dict[object, int] = defaultdict(int)
        for item in items:
            for key, cap, amount in drawn(policy, item):
                largest[key] = max(largest[key], cap)
                taken[key] += amount
        assert all(taken[key] <= cap for key, cap in largest.items())
        full += sum(0 < cap == taken[key] for key, cap in largest.items())
    assert full > 50  # else nothing was tried


def drawn(policy: Policy, item: Decided) -> list[tuple[object, int, int]]:
    """(what is capped, its cap in force, what the claim took of it) in fen."""
    claim, household, decision = item.facts.claim, item.facts.household, item.decision
    if household is None or not decision.counts:
        return []
    terms = policy.on(claim.event_on)
    benefits = terms.lines[claim.line].benefits
    benefit = benefits[claim.benefit]
    taken: list[tuple[object, int, int]] = []
    if benefit.kind == "expense" and benefit.cap_fen is not None:
        who = household.household_no if benefit.per_household else claim.id_number
        year = claim.academic_year if benefit.over_academic_year else None
        taken.append(((claim.line, claim.benefit, who, year), benefit.cap_fen, decision.entitled_fen))
    if decision.outcome != "approve":
        return taken
    if benefit.kind in ("fixed", "graded"):
        sums = max(other.sum_fen for other in benefits.values())
        taken.append(((claim.id_number, claim.accident_no), sums, decision.entitled_fen))
    if benefit.kind == "shortfall":
        heads = benefit.cap_per_head_fen * claim.members
        cap = heads if benefit.cap_fen is None else min(heads, benefit.cap_fen)
        taken.append(((household.household_no, "income"), cap, decision.entitled_fen))
    if terms.household_cap_fen is not None:
        taken.append((household.household_no, terms.household_cap_fen, decision.payable_fen))
    return taken


@given(
    parts=st.lists(st.integers(0, 200_000_00), min_size=2, max_size=5),
    starts=st.lists(st.integers(1, 150_000_00), max_size=4, unique=True),
    rates=st.lists(st.integers(0, 1000), min_size=5, max_size=5),
    franchise=st.sampled_from([0, 1, 5_000_00, 10_000_00]),
    cap=st.sampled_from([None, 0, 1, 3_333_33, 100_000_00]),
    household_cap=st.sampled_from([None, 1, 2_500_00, 150_000_00]),
)
def test_a_bill_in_parts_gives_what_the_whole_bill_gives(
    parts: list[int],
    starts: list[int],
    rates: list[int],
    franchise: int,
    cap: int | None,
    household_cap: int | None,
) -> None:
    tiers = [
        [in_yuan(start), f"{rate / Decimal(1000)}"]
        for start, rate in zip([0, *sorted(starts)], rates, strict=False)
    ]
    listed = ", ".join(f"[{start}, {rate}]" for start, rate in tiers)
    lines = [f"franchise = {in_yuan(franchise)}", f"tiers = [{listed}]"]
    lines += [] if cap is None else [f"cap = {in_yuan(cap)}"]
    start, end = POLICY.index("franchise = {"), POLICY.index("[lines.education]")
    toml = POLICY[:start] + "\n".join(lines) + "\n\n" + POLICY[end:]
    limit = "" if household_cap is None else f"household_cap = {in_yuan(household_cap)}"
    toml = toml.replace("household_cap = 150000.00", limit)

    def paid(amounts: list[int]) -> tuple[int, int]:
        bills = [illness(f"C{number}", in_yuan(amount)) for number, amount in enumerate(amounts)]
        made = decisions(*bills, toml=toml)
        assert all(set(decision.reasons) <= set(AMOUNT_REASONS) for decision in made)
        return sum(one.payable_fen for one in made), sum(one.entitled_fen for one in made)

    assert paid(parts) == paid([sum(parts)])


def in_yuan(fen: int) -> str:
    return str((fen * FEN).quantize(FEN))


# Outcomes and reasons


def test_reasons_are_sorted_codes_of_the_rules_each_once_with_one_amount_reason_at_most(
    cases: list[Case],
) -> None:
    for decision in every_decision(cases):
        assert list(decision.reasons) == sorted(set(decision.reasons))
        assert set(decision.reasons) <= {*GRAVITY, *AMOUNT_REASONS}
        assert len(set(decision.reasons) & set(AMOUNT_REASONS)) <= 1


def test_the_outcome_follows_from_the_gravest_reason(cases: list[Case]) -> None:
    for decision in every_decision(cases):
        gravities = {GRAVITY[code] for code in decision.reasons if code in GRAVITY}
        order = [name for name in ("reject", "supplement", "refer") if name in gravities]
        assert decision.outcome == (order[0] if order else "reject" if decision.reasons else "approve")


FAULTS: dict[str, Row] = {
    "reject": {"cause": "整形美容"},
    "supplement": {"evidence": []},
    "refer": {"name": "李建囯"},
    "amount": {"total": Decimal("1.00")},
}


@pytest.mark.parametrize("faults", [pair for size in range(5) for pair in combinations(FAULTS, size)])
def test_reject_before_supplement_before_refer_before_the_amount(faults: tuple[str, ...]) -> None:
    claim = illness("C1", "20000.00")
    for fault in faults:
        claim |= FAULTS[fault]
    codes = {
        "reject": "EXCLUDED_CAUSE",
        "supplement": "MISSING_EVIDENCE",
        "refer": "NAME_MISMATCH",
        "amount": "BELOW_LINE",
    }
    first = faults[0] if faults else "approve"
    outcome = "reject" if first == "amount" else first
    amount = "0.00" if outcome == "reject" or "amount" in faults else "4500.00"
    assert results(claim) == [(outcome, amount, ";".join(sorted(codes[fault] for fault in faults)))]


# What counts for the claims to come


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, "2400.00"),  # 6,000 below the line and 7,000: 13,000 in all
        ({"name": "李建囯"}, None),
        ({"evidence": []}, None),
        ({"cause": "整形美容"}, None),
    ],
)
def test_only_a_claim_approved_or_rejected_for_its_amount_alone_counts(
    first: Row, second: str | None
) -> None:
    made = results(illness("C1", "6000.00", **first), illness("C2", "7000.00"))
    assert made[1] == (("approve", second, "") if second else ("reject", "0.00", "BELOW_LINE"))


def test_income_that_was_not_approved_bars_no_later_claim() -> None:
    doubtful = income("C1", "5000.33", members=4)
    assert results(doubtful, income("C2", "5000.33"))[1] == ("approve", "3935.01", "")


def test_what_was_determined_before_is_taken_into_account() -> None:
    case = case_of(world_of([illness("C1", "6000.00"), illness("C2", "7000.00")]))
    household, claims = next(case.by_household())
    assert household is not None
    usage = Usage()
    (_, first, around), (_, second, around_second) = claims
    list(adjudicate(case.policy, household, [(first, around)], usage))
    [(facts, decision)] = adjudicate(case.policy, household, [(second, around_second)], usage)
    assert (facts.used.measure_fen, decision.payable_fen) == (6_000_00, 2_400_00)
    [(_, anew)] = adjudicate(case.policy, household, [(second, around_second)])
    assert anew.reasons == ("BELOW_LINE",)


def test_claims_are_decided_by_day_of_notice_and_then_by_number_as_text() -> None:
    claims = [
        illness("C10", "1.00"),
        illness("C2", "1.00"),
        illness("c1", "1.00"),
        illness("C3", "1.00", notified_on=date(2020, 6, 14)),
        accident("案1", "medical", "500.00"),
        income("B9", "5000.00"),
    ]
    assert [decision.claim_no for decision in decisions(*claims)] == ["C3", "B9", "C10", "C2", "c1", "案1"]


# The payee


def test_the_bank_code_goes_with_the_households_account_only() -> None:
    [item] = decided(world_of([illness("C1", "20000.00")]))
    assert item.facts.household is not None
    claim, household = item.facts.claim, replace(item.facts.household, bank_code="105453000012")
    assert payee_of(claim, household) == ("6217001", "李建国", "105453000012")
    own = replace(claim, payee_account="6217001", payee_name="王秀英")
    assert payee_of(own, household) == ("6217001", "王秀英", "105453000012")
    other = replace(claim, payee_account="999", payee_name="王秀英")
    assert payee_of(other, household) == ("999", "王秀英", None)
    named = replace(other, payee_name="李建国")
    for given_claim, own_pair in ((claim, True), (own, False), (other, False), (named, False)):
        made = decide(
            case_of(world_of([])).policy, replace(item.facts, claim=given_claim, household=household)
        )
        [check] = [check for check in made.checks if check[0] == "NO_ACCOUNT"]
        assert check[3]["of_household"] is own_pair


# The record


def test_a_decision_made_again_from_its_record_is_the_same_to_the_byte(cases: list[Case]) -> None:
    for policy, items in cases:
        for item in items:
            record = dump_record(item.facts, item.decision)
            facts, stored = load_record(record)
            assert facts == item.facts
            again = decide(policy, facts)
            assert again == item.decision
            assert dump_record(facts, again) == record
            assert dump(decision_from_data(stored)) == dump(item.decision)


def test_a_record_holds_sums_beyond_64_bits() -> None:
    """家庭人口 may be any whole number: such a claim is referred, and its record must not stop the county's run."""
    toml = POLICY.replace("cap = 10000.00", "")
    case = case_of(world_of([income("C1", "0.00", members=10**17)], toml=toml))
    [item] = case.decide_all()
    assert item.decision.reasons == ("MEMBERS_MISMATCH",)
    assert item.decision.entitled_fen == 300_000 * 10**17
    record = dump_record(item.facts, item.decision)
    facts, stored = load_record(record.decode())
    assert facts == item.facts
    assert decision_from_data(stored).entitled_fen == item.decision.entitled_fen
    assert dump_record(facts, decide(case.policy, facts)) == record


def test_long_digits_in_a_text_stay_text_in_the_record() -> None:
    account = "[1234567890123456789012"
    pair = {"payee_account": account, "payee_name": "王秀英", "document_no": ":12345678901234567890"}
    [item] = decided(world_of([illness("C1", "20000.00", **pair)]))
    facts, stored = load_record(dump_record(item.facts, item.decision))
    assert facts == item.facts
    assert stored["payee_account"] == account


def test_a_record_with_other_fields_than_todays_is_refused() -> None:
    [item] = decided(world_of([illness("C1", "20000.00")]))
    record = dump_record(item.facts, item.decision).replace(b'"event_on"', b'"event_day"')
    with pytest.raises(ValueError, match="other fields"):
        load_record(record)


def test_every_decision_carries_the_policys_fingerprint(cases: list[Case]) -> None:
    assert all(
        item.decision.policy_fingerprint == policy.fingerprint for policy, items in cases for item in items
    )


def test_the_surroundings_name_the_earlier_claim_and_the_other_household() -> None:
    others = [
        {**family()[0], "household_no": f"H{serial}", "id_number": id_number("19800101", serial)}
        for serial in (3, 2)
    ]
    bills = [illness("C1", "20000.00", document_no="D"), illness("C2", "20000.00", document_no="D")]
    theirs = illness("C3", "20000.00", person=WIFE, document_no="D")
    world = world_of([*bills, theirs], roster=[*family(), *others])
    around = [item.facts.surroundings for item in decided(world)]
    assert [(one.duplicate_of, one.invoice_also_in) for one in around] == [
        (None, None),
        ("C1", None),
        (None, "C1"),
    ]
    assert {one.account_also_of for one in around} == {"H2"}


def every_decision(cases: list[Case]) -> list[Decision]:
    return [item.decision for _, items in cases for item in items]


def test_a_pack_without_claims_is_decided_too() -> None:
    assert case_of(world_of([])).decide_all() == []
