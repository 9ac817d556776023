"""How a claim is decided, read a second time from the written rules alone: naive, slow, and without the program.

Plain dicts in, the rows of decisions.csv out. Money is yuan as exact decimals, worked with as fractions. Nothing here
imports a package of the program, so that a misreading has to be made twice to go unseen. Sections are rules.md's.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tests.claims.model_basics import (
    LISTING,
    Feeds,
    Row,
    benefit_of,
    cleaned,
    half_up,
    in_force,
    measure,
    poverty_line,
    two_decimals,
)
from tests.claims.model_checks import (
    GRAVITY,
    content_checks,
    earlier_checks,
    feed_checks,
    income_checks,
    payee_checks,
    person_checks,
    reverse_checks,
    time_checks,
)

Decision = tuple[str, str, str, str, str, str]

AMOUNT_REASONS = ("BELOW_LINE", "CAP_EXHAUSTED", "NOTHING_MORE_DUE", "HOUSEHOLD_CAP_EXHAUSTED")
ALL_CODES = (*GRAVITY, *AMOUNT_REASONS)


def decide(
    policy: Row, roster: list[Row], claims: list[Row], feeds: Feeds, clearances: list[Row]
) -> list[Decision]:
    """The rows of decisions.csv, in the order of deciding (§1, §6)."""
    policy = cleaned(policy)
    done: list[Row] = []
    for claim in sorted(claims, key=lambda claim: (claim["notified_on"], claim["claim_no"])):
        done.append(decide_one(policy, roster, feeds, clearances, claim, done))
    return [
        (
            each["claim"]["claim_no"],
            each["claim"]["line"],
            benefit_of(each["claim"]),
            each["outcome"],
            two_decimals(Fraction(0) if each["outcome"] == "reject" else each["payable"]),
            ";".join(sorted(each["codes"])),
        )
        for each in done
    ]


def decide_one(
    policy: Row, roster: list[Row], feeds: Feeds, clearances: list[Row], claim: Row, earlier: list[Row]
) -> Row:
    """One claim with its outcome, its codes and its amounts; `earlier` are all that were decided before it."""
    nothing = {
        "claim": claim,
        "household": None,
        "outcome": "reject",
        "counts": False,
        "payable": Fraction(0),
    }
    person = next((row for row in roster if row["id_number"] == claim["id_number"]), None)
    if person is None:
        return {**nothing, "codes": {"NOT_INSURED"}}
    line = policy["lines"].get(claim["line"])
    benefit = line and line["benefits"].get(benefit_of(claim))
    if not benefit:
        return {**nothing, "codes": {"LINE_NOT_IN_POLICY"}}

    household = [row for row in roster if row["household_no"] == person["household_no"]]
    codes: set[str] = set()
    codes |= time_checks(policy, line, claim, person)
    codes |= person_checks(policy, feeds, claim, person, household)
    codes |= payee_checks(roster, feeds, claim, person, household)
    codes |= income_checks(policy, line, feeds, claim, household)
    codes |= reverse_checks(policy, feeds, clearances, claim, household)
    codes |= content_checks(line, benefit, feeds, claim)
    codes |= feed_checks(policy, feeds, claim)
    codes |= earlier_checks(claim, person, earlier)

    entitled, payable, amount_reason = amounts(policy, benefit, claim, person, earlier)
    gravities = {GRAVITY[code] for code in codes}
    if "reject" in gravities:
        outcome = "reject"
    elif "supplement" in gravities:
        outcome = "supplement"
    elif "refer" in gravities:
        outcome = "refer"
    else:
        outcome = "reject" if amount_reason else "approve"
    return {
        "claim": claim,
        "household": person["household_no"],
        "outcome": outcome,
        "codes": codes | ({amount_reason} if amount_reason else set()),
        "counts": outcome == "approve" or not codes,
        "entitled": entitled,
        "payable": payable,
    }


# §5


def amounts(
    policy: Row, benefit: Row, claim: Row, person: Row, earlier: list[Row]
) -> tuple[Fraction, Fraction, str | None]:
    """(entitled, payable, amount reason)."""
    event = claim["event_on"]
    ours = [each for each in earlier if each["household"] == person["household_no"]]
    kind = LISTING[claim["line"], benefit_of(claim)]
    if kind == "expense":
        entitled, reason = expense(benefit, claim, person, ours)
    elif kind == "shortfall":
        entitled, reason = shortfall(policy, benefit, claim)
    else:
        entitled, reason = accident_sum(policy, benefit, claim, ours)

    payable = entitled
    household_cap = in_force(policy.get("household_cap"), event)
    if household_cap is not None:
        spent = sum((each["payable"] for each in ours if each["outcome"] == "approve"), Fraction(0))
        payable = max(Fraction(0), min(entitled, Fraction(household_cap) - spent))
    if entitled > 0 and payable == 0:
        reason = "HOUSEHOLD_CAP_EXHAUSTED"
    return entitled, payable, reason


def why_nothing(before_caps: Fraction, more_than_allowed: bool) -> str:
    """The amount reason of an `entitled` of 0."""
    if before_caps == 0:
        return "BELOW_LINE"
    return "CAP_EXHAUSTED" if more_than_allowed else "NOTHING_MORE_DUE"


def expense(benefit: Row, claim: Row, person: Row, ours: list[Row]) -> tuple[Fraction, str | None]:
    """Costs that accumulate on a key, through the tiers."""
    event = claim["event_on"]
    counting = []
    for each in ours:
        other = each["claim"]
        if (other["line"], benefit_of(other)) != (claim["line"], benefit_of(claim)) or not each["counts"]:
            continue
        if benefit["per"] == "person" and other["id_number"] != claim["id_number"]:
            continue
        if benefit["over"] == "academic_year" and other["academic_year"] != claim["academic_year"]:
            continue
        counting.append(each)
    total = sum((measure(each["claim"]) for each in counting), measure(claim))

    franchise = in_force(benefit.get("franchise", Decimal(0)), event)
    if isinstance(franchise, dict):
        franchise = franchise.get(person["category"], franchise["default"])
    before_cap = Fraction(0)
    if total > Fraction(franchise):
        tiers = in_force(benefit["tiers"], event)
        for place, (start, rate) in enumerate(tiers):
            end = Fraction(tiers[place + 1][0]) if place + 1 < len(tiers) else total
            inside = max(Fraction(0), min(total, end) - Fraction(start))
            before_cap += Fraction(rate) * inside
        before_cap = half_up(before_cap)
    cap = in_force(benefit.get("cap"), event)
    held = before_cap if cap is None else min(before_cap, Fraction(cap))
    entitled = max(Fraction(0), held - sum((each["entitled"] for each in counting), Fraction(0)))
    return entitled, None if entitled else why_nothing(before_cap, before_cap > held)


def accident_sum(policy: Row, benefit: Row, claim: Row, ours: list[Row]) -> tuple[Fraction, str | None]:
    """The sum at death, or the grade's part of it: together at most the larger of the two sums in force."""
    event = claim["event_on"]
    amount = Fraction(in_force(benefit["sum"], event))
    if benefit_of(claim) == "disability":
        amount = half_up(amount * Fraction(in_force(benefit["grades"], event)[claim["grade"] - 1]))
    benefits = policy["lines"]["accident"]["benefits"]
    sums = [
        Fraction(in_force(benefits[key]["sum"], event)) for key in ("death", "disability") if key in benefits
    ]
    spent = sum(
        (
            each["entitled"]
            for each in ours
            if each["outcome"] == "approve"
            and each["claim"]["line"] == "accident"
            and benefit_of(each["claim"]) in ("death", "disability")
            and each["claim"]["id_number"] == claim["id_number"]
            and each["claim"]["accident_no"] == claim["accident_no"]
        ),
        Fraction(0),
    )
    left = max(sums) - spent
    entitled = max(Fraction(0), min(amount, left))
    return entitled, None if entitled else why_nothing(amount, amount > left)


def shortfall(policy: Row, benefit: Row, claim: Row) -> tuple[Fraction, str | None]:
    """What the income falls short of the poverty line, for all of the household."""
    event = claim["event_on"]
    gap = max(Fraction(0), poverty_line(policy) - Fraction(claim["verified_income"]))
    amount = half_up(gap * claim["members"] * Fraction(in_force(benefit["rate"], event)))
    entitled = min(amount, Fraction(in_force(benefit["cap_per_head"], event)) * claim["members"])
    cap = in_force(benefit.get("cap"), event)
    if cap is not None:
        entitled = min(entitled, Fraction(cap))
    return entitled, None if entitled else why_nothing(amount, amount > entitled)
