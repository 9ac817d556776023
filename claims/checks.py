"""The checks of rules.md §4, each with its result, clause and inputs.

Pure. A check is `(code, result, clause, inputs)`: result True holds, False fails, None could not be looked into (the
feed is absent, or there is no payee). All checks of a claim are made, and all that fail are reported. Whether a check
applies to a claim at all (a school level is asked of no illness) is said where it stands: then it leaves no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from claims.facts import TRAFFIC_ACCIDENT, Claim, Facts
from foundation.calendar import before_birthday, later_than_years_after
from households.household import Holding, Household, Member
from households.reverse_standards import HOLDING_FEEDS, cleared_on, counts, listed, on_payroll
from policies.policy import REVERSE_STANDARDS, Benefit, Line, Policy, ReverseStandard, Terms

Check = tuple[str, "bool | None", str, dict[str, Any]]

REJECT, REFER, SUPPLEMENT, AMOUNT = "reject", "refer", "supplement", "amount"

GRAVITY: Mapping[str, str] = {
    "NOT_INSURED": REJECT,
    "LINE_NOT_IN_POLICY": REJECT,
    "OUTSIDE_POLICY_PERIOD": REJECT,
    "NOT_COVERED_AT_EVENT": REJECT,
    "WAITING_PERIOD": REJECT,
    "NOTICE_BEFORE_EVENT": REFER,
    "TIME_BARRED": REFER,
    "LATE_NOTICE": REFER,
    "NAME_MISMATCH": REFER,
    "CLAIMANT_DECEASED": REFER,
    "DEATH_COVER_LIMIT": REFER,
    "NO_ACCOUNT": REFER,
    "PAYEE_DECEASED": REFER,
    "PAYEE_NOT_FAMILY": REFER,
    "SHARED_ACCOUNT": REFER,
    "INCOME_ABOVE_CEILING": REFER,
    "REVERSE_DEPOSIT": REFER,
    "REVERSE_MACHINERY": REFER,
    "REVERSE_HOUSING": REFER,
    "REVERSE_VEHICLE": REFER,
    "REVERSE_COMPANY": REFER,
    "REVERSE_PAYROLL": REFER,
    "OFFICIAL_RELATIVE": REFER,
    "MISSING_EVIDENCE": SUPPLEMENT,
    "EXCLUDED_CAUSE": REJECT,
    "CAUSE_NOT_COVERED": REJECT,
    "LEVEL_NOT_COVERED": REJECT,
    "DUPLICATE_CLAIM": REJECT,
    "INVOICE_REUSED": REFER,
    "NOT_IN_FEED": REFER,
    "FEED_MISMATCH": REFER,
    "NO_DATA": REFER,
    "MEMBERS_MISMATCH": REFER,
    "ALREADY_CLAIMED": REJECT,
    "BELOW_LINE": AMOUNT,
    "CAP_EXHAUSTED": AMOUNT,
    "NOTHING_MORE_DUE": AMOUNT,
    "HOUSEHOLD_CAP_EXHAUSTED": AMOUNT,
}
"""What a failed check does to the outcome (rules.md §4, §5)."""

LAW: Mapping[str, str] = {
    "TIME_BARRED": "《保险法》第二十六条",
    "LATE_NOTICE": "《保险法》第二十一条",
    "NOTICE_BEFORE_EVENT": "《保险法》第二十一条",
    "MISSING_EVIDENCE": "《保险法》第二十二条",
    "DEATH_COVER_LIMIT": "《保险法》第三十三条、《民法典》第二十条",
    "CLAIMANT_DECEASED": "《保险法》第四十二条",
    "PAYEE_DECEASED": "《保险法》第四十二条",
}
"""Statutes that a check rests on where the policy's own clause does not say it."""

REVERSE_CODES: Mapping[str, str] = {key: f"REVERSE_{key.upper()}" for key in REVERSE_STANDARDS}
_NO_DEATH_CHECK = ("property", "shortfall")
_DEATH_DAYS = 180
_ADULT_ENOUGH = 8
"""Years below which a person has no civil capacity (《民法典》第二十条)."""


def all_checks(policy: Policy, terms: Terms, line: Line, benefit: Benefit, facts: Facts) -> list[Check]:
    """Every check of a claim whose claimant is in the roster and whose benefit the policy has."""
    household = facts.household
    if household is None:
        raise ValueError("checks are made for an insured claimant only")
    member = household.members[facts.claimant]
    claim = facts.claim
    checks: list[Check] = []
    _cover(checks, policy, line, claim, member)
    _notice(checks, terms, claim)
    _person(checks, line, claim, member, household)
    _payee(checks, line, facts, household)
    _income_ceiling(checks, policy, line, benefit, claim, household)
    _reverse_standards(checks, terms, claim, household)
    _official_kin(checks, line, member, household)
    _evidence(checks, line, benefit, claim)
    _cause(checks, line, facts)
    _documents(checks, line, facts)
    _feeds(checks, line, facts, member, household)
    if claim.line == "income":
        _income(checks, line, facts, household)
    _no_data(checks, terms, line, claim, household)
    return checks


def covered_members(household: Household, day: date) -> int:
    """How many members are covered on a day, dead or not."""
    return sum(1 for member in household.members if member.cover_from <= day <= member.cover_to)


def payee_of(claim: Claim, household: Household) -> tuple[str, str, str | None] | None:
    """(account, holder, bank code) that is paid: the claim's pair if it names both, else the household's, else None.

    A claim names no bank code; the household's serves where the account is the same.
    """
    if claim.payee_account and claim.payee_name:
        same = claim.payee_account == household.account_no
        return claim.payee_account, claim.payee_name, household.bank_code if same else None
    if household.account_no and household.account_name:
        return household.account_no, household.account_name, household.bank_code
    return None


def _cover(checks: list[Check], policy: Policy, line: Line, claim: Claim, member: Member) -> None:
    event = claim.event_on
    checks.append(
        (
            "OUTSIDE_POLICY_PERIOD",
            policy.period_from <= event <= policy.period_to,
            line.clause,
            {"event_on": event, "from": policy.period_from, "to": policy.period_to},
        )
    )
    cover = {"event_on": event, "from": member.cover_from, "to": member.cover_to}
    checks.append(("NOT_COVERED_AT_EVENT", member.cover_from <= event <= member.cover_to, line.clause, cover))
    days = line.waiting_days
    if days:
        served = member.renewal or event.toordinal() >= member.cover_from.toordinal() + days
        inputs = {"event_on": event, "from": member.cover_from, "days": days, "renewal": member.renewal}
        checks.append(("WAITING_PERIOD", served, line.clause, inputs))


def _notice(checks: list[Check], terms: Terms, claim: Claim) -> None:
    event, notified = claim.event_on, claim.notified_on
    if claim.line == "accident":
        inputs: dict[str, Any] = {"event_on": event, "notified_on": notified}
        checks.append(("NOTICE_BEFORE_EVENT", notified >= event, LAW["NOTICE_BEFORE_EVENT"], inputs))
    years = terms.time_bar_years
    barred = later_than_years_after(notified, event, years)
    inputs = {"event_on": event, "notified_on": notified, "years": years}
    checks.append(("TIME_BARRED", not barred, LAW["TIME_BARRED"], inputs))
    if barred:  # then nothing is said of the notice: it fails no second check, and it was not in time either
        return
    late = notified.toordinal() > event.toordinal() + terms.notice_days
    inputs = {"event_on": event, "notified_on": notified, "days": terms.notice_days}
    checks.append(("LATE_NOTICE", not late, LAW["LATE_NOTICE"], inputs))


def _person(checks: list[Check], line: Line, claim: Claim, member: Member, household: Household) -> None:
    inputs: dict[str, Any] = {"claim_name": claim.name, "roster_name": member.name}
    checks.append(("NAME_MISMATCH", claim.name == member.name, line.clause, inputs))
    known = "deaths" not in household.absent_feeds
    if claim.benefit not in _NO_DEATH_CHECK:
        earlier = [day for day in member.deaths if day < claim.event_on]
        inputs = {"event_on": claim.event_on, "died_on": earlier[0] if earlier else None}
        checks.append(("CLAIMANT_DECEASED", not earlier if known else None, LAW["CLAIMANT_DECEASED"], inputs))
    if claim.benefit == "death":
        young = before_birthday(claim.event_on, member.born_on, _ADULT_ENOUGH)
        inputs = {"event_on": claim.event_on, "born_on": member.born_on, "years": _ADULT_ENOUGH}
        checks.append(("DEATH_COVER_LIMIT", not young, LAW["DEATH_COVER_LIMIT"], inputs))


def _payee(checks: list[Check], line: Line, facts: Facts, household: Household) -> None:
    claim = facts.claim
    payee = payee_of(claim, household)
    if payee is None:
        checks.append(("NO_ACCOUNT", False, line.clause, {}))
        return
    account, name, _ = payee
    own = account == household.account_no and name == household.account_name
    checks.append(("NO_ACCOUNT", True, line.clause, {"holder": name, "of_household": own}))
    family = dead = False
    died_on: date | None = None
    for member in household.members:
        if member.name == name:
            family = True
            for day in member.deaths:
                if day <= claim.notified_on:
                    dead, died_on = True, day
    known = "deaths" not in household.absent_feeds
    inputs: dict[str, Any] = {"holder": name, "died_on": died_on, "notified_on": claim.notified_on}
    checks.append(("PAYEE_DECEASED", not dead if known else None, LAW["PAYEE_DECEASED"], inputs))
    checks.append(("PAYEE_NOT_FAMILY", family, line.clause, {"holder": name}))
    other = facts.surroundings.account_also_of
    checks.append(("SHARED_ACCOUNT", other is None, line.clause, {"household_no": other}))


def _income_ceiling(
    checks: list[Check], policy: Policy, line: Line, benefit: Benefit, claim: Claim, household: Household
) -> None:
    ceiling, income = line.income_ceiling, household.income_per_head_fen
    if ceiling is None or income is None:
        return
    people = covered_members(household, claim.event_on) or 1
    measure = claim.measure_fen if benefit.kind == "expense" else 0
    # income − measure ÷ people > ceiling × line, multiplied out so that nothing is rounded.
    left = (income * people - measure) * ceiling.denominator
    above = left > ceiling.numerator * policy.poverty_line_fen * people
    inputs: dict[str, Any] = {
        "income_fen": income,
        "measure_fen": measure,
        "people": people,
        "ceiling": line.income_ceiling_text,
        "poverty_line_fen": policy.poverty_line_fen,
    }
    checks.append(("INCOME_ABOVE_CEILING", not above, f"{policy.poverty_line_clause};{line.clause}", inputs))


def _reverse_standards(checks: list[Check], terms: Terms, claim: Claim, household: Household) -> None:
    absent, holdings, event = household.absent_feeds, household.holdings, claim.event_on
    for key, standard in terms.reverse.items():
        # Most households hold nothing at all: then there is nothing to look through and nothing to clear.
        found: list[dict[str, Any]] = []
        if key == "payroll":
            known = "payroll" not in absent
            if household.payroll:
                found = _payroll_hits(household, event)
        else:
            known = HOLDING_FEEDS[key] not in absent
            if key in holdings:
                found = _holding_hits(holdings[key], standard, event)
        cleared = cleared_on(household.clearances, key, claim.notified_on) if found else None
        result = None if not known else not found or cleared is not None
        inputs = {"hits": found, "cleared_on": cleared, "from_fen": standard.from_fen}
        checks.append((REVERSE_CODES[key], result, standard.clause, inputs))


def _payroll_hits(household: Household, event: date) -> list[dict[str, Any]]:
    return [
        {"person": spell.person, "relative_of": spell.relative_of, "since": spell.since, "until": spell.until}
        for spell in household.payroll
        if on_payroll(event, spell.since, spell.until)
    ]


def _holding_hits(
    holdings: Sequence[Holding], standard: ReverseStandard, event: date
) -> list[dict[str, Any]]:
    return [
        {"person": holding.member, "what": holding.what, "amount_fen": holding.amount_fen, "on": holding.on}
        for holding in holdings
        if counts(standard, event, holding.on, holding.amount_fen) and listed(standard, holding.what)
    ]


def _official_kin(checks: list[Check], line: Line, member: Member, household: Household) -> None:
    kin = list(dict.fromkeys(name for code, name in household.official_kin if code == member.village_code))
    known = "officials" not in household.absent_feeds
    checks.append(("OFFICIAL_RELATIVE", not kin if known else None, line.clause, {"members": kin}))


def _evidence(checks: list[Check], line: Line, benefit: Benefit, claim: Claim) -> None:
    missing = [paper for paper in benefit.evidence if paper not in claim.evidence]
    inputs = {"missing": missing, "asked": benefit.evidence}
    checks.append(("MISSING_EVIDENCE", not missing, f"{line.clause};{LAW['MISSING_EVIDENCE']}", inputs))


def _cause(checks: list[Check], line: Line, facts: Facts) -> None:
    claim = facts.claim
    cause = claim.cause
    if cause is not None:
        drunk = (
            claim.line == "accident"
            and cause == TRAFFIC_ACCIDENT
            and any(r.drunk for r in facts.surroundings.accidents)
        )
        excluded = cause in line.excluded_causes or drunk
        checks.append(("EXCLUDED_CAUSE", not excluded, line.clause, {"cause": cause, "drunk": drunk}))
        if line.covered_causes is not None:
            checks.append(("CAUSE_NOT_COVERED", cause in line.covered_causes, line.clause, {"cause": cause}))
    if claim.line == "education" and line.levels is not None:
        checks.append(("LEVEL_NOT_COVERED", claim.level in line.levels, line.clause, {"level": claim.level}))


def _documents(checks: list[Check], line: Line, facts: Facts) -> None:
    claim = facts.claim
    if not claim.document_no:
        return
    around = facts.surroundings
    inputs = {"document_no": claim.document_no, "claim_no": around.duplicate_of}
    checks.append(("DUPLICATE_CLAIM", around.duplicate_of is None, line.clause, inputs))
    inputs = {"document_no": claim.document_no, "claim_no": around.invoice_also_in}
    checks.append(("INVOICE_REUSED", around.invoice_also_in is None, line.clause, inputs))


def _feeds(checks: list[Check], line: Line, facts: Facts, member: Member, household: Household) -> None:
    """NOT_IN_FEED and FEED_MISMATCH, a row for each feed that the claim is looked up in."""
    claim, around, absent = facts.claim, facts.surroundings, household.absent_feeds
    looked: list[tuple[str, bool, bool, list[Any]]] = []
    if claim.line == "illness" and "medical" not in absent:
        burden = claim.total_fen - claim.basic_fen - claim.major_fen - claim.aid_fen
        rows = around.medical
        agrees = any(r.burden_fen == burden and r.settled_on == claim.event_on for r in rows)
        looked.append(
            ("medical", bool(rows), agrees, [{"burden_fen": r.burden_fen, "on": r.settled_on} for r in rows])
        )
    elif claim.line == "education" and "education" not in absent:
        levels = around.enrolled_levels
        looked.append(("education", bool(levels), claim.level in levels, list(levels)))
    elif claim.line == "accident":
        if claim.cause == TRAFFIC_ACCIDENT and "accidents" not in absent:
            accidents = around.accidents
            agrees = any(r.occurred_on == claim.event_on for r in accidents)
            looked.append(("accidents", bool(accidents), agrees, [{"on": r.occurred_on} for r in accidents]))
        if claim.benefit == "death" and "deaths" not in absent:
            event = claim.event_on.toordinal()
            agrees = any(0 <= day.toordinal() - event <= _DEATH_DAYS for day in member.deaths)
            looked.append(("deaths", bool(member.deaths), agrees, [{"on": day} for day in member.deaths]))
    for feed, there, agrees, rows_found in looked:
        checks.append(("NOT_IN_FEED", there, line.clause, {"feed": feed}))
        if there:
            checks.append(("FEED_MISMATCH", agrees, line.clause, {"feed": feed, "rows": rows_found}))


def _income(checks: list[Check], line: Line, facts: Facts, household: Household) -> None:
    claim, event = facts.claim, facts.claim.event_on
    alive = sum(
        1
        for member in household.members
        if member.cover_from <= event <= member.cover_to and not any(day < event for day in member.deaths)
    )
    inputs: dict[str, Any] = {"claimed": claim.members, "counted": alive}
    checks.append(("MEMBERS_MISMATCH", claim.members == alive, line.clause, inputs))
    earlier = facts.used.income_claim
    checks.append(("ALREADY_CLAIMED", earlier is None, line.clause, {"claim_no": earlier}))


def _no_data(checks: list[Check], terms: Terms, line: Line, claim: Claim, household: Household) -> None:
    asked = ["deaths", "officials"]
    if claim.line == "illness":
        asked.append("medical")
    elif claim.line == "education":
        asked.append("education")
    elif claim.line == "accident" and claim.cause == TRAFFIC_ACCIDENT:
        asked.append("accidents")
    for key in terms.reverse:
        if key == "payroll":
            asked += ["payroll", "kin"]
        else:
            asked.append(HOLDING_FEEDS[key])
    absent = [feed for feed in asked if feed in household.absent_feeds]
    checks.append(("NO_DATA", not absent, line.clause, {"absent": absent, "asked": asked}))
