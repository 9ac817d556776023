"""The model's checks, one by one (rules.md §4)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from tests.claims.model_basics import (
    Feeds,
    Row,
    benefit_of,
    covered,
    deaths_of,
    head_of,
    in_force,
    measure,
    poverty_line,
    years_from,
)

GRAVITY = {
    "NOT_INSURED": "reject",
    "LINE_NOT_IN_POLICY": "reject",
    "OUTSIDE_POLICY_PERIOD": "reject",
    "NOT_COVERED_AT_EVENT": "reject",
    "WAITING_PERIOD": "reject",
    "NOTICE_BEFORE_EVENT": "refer",
    "TIME_BARRED": "refer",
    "LATE_NOTICE": "refer",
    "NAME_MISMATCH": "refer",
    "CLAIMANT_DECEASED": "refer",
    "DEATH_COVER_LIMIT": "refer",
    "NO_ACCOUNT": "refer",
    "PAYEE_DECEASED": "refer",
    "PAYEE_NOT_FAMILY": "refer",
    "SHARED_ACCOUNT": "refer",
    "INCOME_ABOVE_CEILING": "refer",
    "REVERSE_DEPOSIT": "refer",
    "REVERSE_MACHINERY": "refer",
    "REVERSE_HOUSING": "refer",
    "REVERSE_VEHICLE": "refer",
    "REVERSE_COMPANY": "refer",
    "REVERSE_PAYROLL": "refer",
    "OFFICIAL_RELATIVE": "refer",
    "MISSING_EVIDENCE": "supplement",
    "EXCLUDED_CAUSE": "reject",
    "CAUSE_NOT_COVERED": "reject",
    "LEVEL_NOT_COVERED": "reject",
    "DUPLICATE_CLAIM": "reject",
    "INVOICE_REUSED": "refer",
    "NOT_IN_FEED": "refer",
    "FEED_MISMATCH": "refer",
    "NO_DATA": "refer",
    "MEMBERS_MISMATCH": "refer",
    "ALREADY_CLAIMED": "reject",
}

TRAFFIC = "交通事故"
STANDARD_FEED = {
    "deposit": "deposits",
    "machinery": "machinery",
    "housing": "housing",
    "vehicle": "vehicles",
    "company": "companies",
    "payroll": "payroll",
}
MATTER = {
    "deposit": "存款",
    "machinery": "农机具",
    "housing": "商品房",
    "vehicle": "车辆",
    "company": "企业",
    "payroll": "财政供养",
}


def time_checks(policy: Row, line: Row, claim: Row, person: Row) -> set[str]:
    """Period, cover, waiting time, notice and time bar."""
    codes = set()
    event, notified = claim["event_on"], claim["notified_on"]
    period = policy["policy"]["period"]
    if not period["from"] <= event <= period["to"]:
        codes.add("OUTSIDE_POLICY_PERIOD")
    if not covered(policy, person, event):
        codes.add("NOT_COVERED_AT_EVENT")
    waiting = in_force(line.get("waiting_days", 0), event)
    if waiting > 0 and not person["renewal"] and event < person["cover_from"] + timedelta(waiting):
        codes.add("WAITING_PERIOD")
    if claim["line"] == "accident" and notified < event:
        codes.add("NOTICE_BEFORE_EVENT")
    if notified > years_from(event, in_force(policy["time_bar_years"], event)):
        codes.add("TIME_BARRED")
    elif notified > event + timedelta(in_force(policy["notice_days"], event)):
        codes.add("LATE_NOTICE")
    return codes


def person_checks(policy: Row, feeds: Feeds, claim: Row, person: Row, household: list[Row]) -> set[str]:
    """Who claims: name, death, age, and kin of the village's officials."""
    codes = set()
    event, benefit = claim["event_on"], benefit_of(claim)
    if claim["name"] != person["name"]:
        codes.add("NAME_MISMATCH")
    dead_before = any(died < event for died in deaths_of(feeds, claim["id_number"]))
    if dead_before and benefit not in ("property", "shortfall"):
        codes.add("CLAIMANT_DECEASED")
    number = claim["id_number"]
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    if benefit == "death" and event < years_from(born, 8):
        codes.add("DEATH_COVER_LIMIT")
    members = {row["id_number"] for row in household}
    for row in feeds["officials"] or []:
        if row["village_code"] == person["village_code"] and row["relative_id_number"] in members:
            codes.add("OFFICIAL_RELATIVE")
    return codes


def payee_checks(roster: list[Row], feeds: Feeds, claim: Row, person: Row, household: list[Row]) -> set[str]:
    """Who is paid."""
    head = head_of(household)
    if claim["payee_account"] and claim["payee_name"]:
        account, name = claim["payee_account"], claim["payee_name"]
    elif head is not None and head["account_no"] and head["account_name"]:
        account, name = head["account_no"], head["account_name"]
    else:
        return {"NO_ACCOUNT"}
    codes = set()
    of_that_name = [row for row in household if row["name"] == name]
    if not of_that_name:
        codes.add("PAYEE_NOT_FAMILY")
    for row in of_that_name:
        if any(died <= claim["notified_on"] for died in deaths_of(feeds, row["id_number"])):
            codes.add("PAYEE_DECEASED")
    for number in {row["household_no"] for row in roster} - {person["household_no"]}:
        other = head_of([row for row in roster if row["household_no"] == number])
        if other is not None and other["account_no"] == account:
            codes.add("SHARED_ACCOUNT")
    return codes


def income_checks(policy: Row, line: Row, feeds: Feeds, claim: Row, household: list[Row]) -> set[str]:
    """The ceiling of income per head, and the number of people that an income claim gives."""
    codes = set()
    event = claim["event_on"]
    ceiling = in_force(line.get("income_ceiling"), event)
    head = head_of(household)
    income = None if head is None else head["income_per_head"]
    there = [row for row in household if covered(policy, row, event)]
    if ceiling is not None and income is not None:
        after = Fraction(income) - measure(claim) / max(1, len(there))
        if after > Fraction(ceiling) * poverty_line(policy):
            codes.add("INCOME_ABOVE_CEILING")
    if claim["line"] == "income":
        alive = [row for row in there if not any(died < event for died in deaths_of(feeds, row["id_number"]))]
        if claim["members"] != len(alive):
            codes.add("MEMBERS_MISMATCH")
    return codes


def reverse_checks(
    policy: Row, feeds: Feeds, clearances: list[Row], claim: Row, household: list[Row]
) -> set[str]:
    """Each reverse standard that stands, unless the household was cleared of it."""
    codes = set()
    for key, standard in policy.get("reverse_standards", {}).items():
        rows = feeds[STANDARD_FEED[key]]
        if rows is None or not reverse_hit(key, standard, rows, feeds["kin"], claim["event_on"], household):
            continue
        answers = [
            row
            for row in clearances
            if row["household_no"] == household[0]["household_no"]
            and row["matter"] == MATTER[key]
            and row["cleared_on"] <= claim["notified_on"]
        ]
        latest = [row for row in answers if row["cleared_on"] == max(each["cleared_on"] for each in answers)]
        if latest and all(row["passed"] for row in latest):
            continue
        codes.add("REVERSE_" + key.upper())
    return codes


def reverse_hit(
    key: str, standard: Row, rows: list[Row], kin: list[Row] | None, event: date, household: list[Row]
) -> bool:
    """Whether a member of the household is hit by one standard on the event date."""
    members = {row["id_number"] for row in household}
    limits = {name: in_force(value, event) for name, value in standard.items() if name != "clause"}
    if key == "payroll":
        people = members | {row["relative_id_number"] for row in kin or [] if row["id_number"] in members}
        return any(
            row["id_number"] in people
            and row["from_date"] <= event
            and (row["to_date"] is None or event <= row["to_date"])
            for row in rows
        )
    for row in rows:
        if row["id_number"] not in members:
            continue
        if key == "deposit":
            hit = row["amount"] >= limits["amount_from"] and row["as_of"] <= event
        elif key in ("machinery", "vehicle"):
            hit = row["price"] >= limits["price_from"] and row["registered_on"] <= event
        elif key == "housing":
            hit = row["use"] in limits["uses"] and row["registered_on"] <= event
            if limits.get("within_years") is not None:
                hit = hit and row["registered_on"] >= years_from(event, -limits["within_years"])
        else:
            hit = (
                row["status"] in limits["statuses"]
                and row["capital"] >= limits["capital_from"]
                and row["founded_on"] <= event
            )
        if hit:
            return True
    return False


def content_checks(line: Row, benefit: Row, feeds: Feeds, claim: Row) -> set[str]:
    """Papers, causes and levels."""
    codes = set()
    event = claim["event_on"]
    asked = [*in_force(line.get("evidence", []), event), *in_force(benefit.get("evidence", []), event)]
    if any(word not in claim["evidence"] for word in asked):
        codes.add("MISSING_EVIDENCE")
    if claim["line"] == "education":
        if claim["level"] not in in_force(line["levels"], event):
            codes.add("LEVEL_NOT_COVERED")
        return codes
    if claim["cause"] in in_force(line.get("excluded_causes", []), event):
        codes.add("EXCLUDED_CAUSE")
    if traffic(claim) and any(row["drunk"] for row in accident_rows(feeds, claim)):
        codes.add("EXCLUDED_CAUSE")
    if "covered_causes" in line and claim["cause"] not in in_force(line["covered_causes"], event):
        codes.add("CAUSE_NOT_COVERED")
    return codes


def traffic(claim: Row) -> bool:
    """An accident claim with cause 交通事故."""
    return bool(claim["line"] == "accident" and claim["cause"] == TRAFFIC)


def accident_rows(feeds: Feeds, claim: Row) -> list[Row]:
    """Rows of accidents.csv with the claim's accident number and person."""
    return [
        row
        for row in feeds["accidents"] or []
        if (row["accident_no"], row["id_number"]) == (claim["accident_no"], claim["id_number"])
    ]


def feed_checks(policy: Row, feeds: Feeds, claim: Row) -> set[str]:
    """What the departments have about this very event, and which of them sent nothing."""
    event, person = claim["event_on"], claim["id_number"]
    looked_into = {"deaths", "officials"}
    looks: list[tuple[str, list[Row], list[Row]]] = []
    if claim["line"] == "illness":
        rows = [
            row
            for row in feeds["medical"] or []
            if (row["document_no"], row["id_number"]) == (claim["document_no"], person)
        ]
        looks.append(
            ("medical", rows, [row for row in rows if row["settled_on"] == event and same_cost(row, claim)])
        )
    if claim["line"] == "education":
        rows = [
            row
            for row in feeds["education"] or []
            if (row["id_number"], row["academic_year"], row["status"])
            == (person, claim["academic_year"], "在籍")
        ]
        looks.append(("education", rows, [row for row in rows if row["level"] == claim["level"]]))
    if traffic(claim):
        rows = accident_rows(feeds, claim)
        looks.append(("accidents", rows, [row for row in rows if row["occurred_on"] == event]))
    if benefit_of(claim) == "death":
        rows = [row for row in feeds["deaths"] or [] if row["id_number"] == person]
        last = event + timedelta(180)
        looks.append(("deaths", rows, [row for row in rows if event <= row["died_on"] <= last]))

    codes = set()
    for feed, rows, agreeing in looks:
        looked_into.add(feed)
        if feeds[feed] is None:
            continue
        if not rows:
            codes.add("NOT_IN_FEED")
        elif not agreeing:
            codes.add("FEED_MISMATCH")
    for key in policy.get("reverse_standards", {}):
        looked_into.add(STANDARD_FEED[key])
        if key == "payroll":
            looked_into.add("kin")
    if any(feeds[feed] is None for feed in looked_into):
        codes.add("NO_DATA")
    return codes


def same_cost(row: Row, claim: Row) -> bool:
    """Whether both have the same total less the three public payments."""
    ours, theirs = (
        Fraction(each["total"]) - Fraction(each["basic"]) - Fraction(each["major"]) - Fraction(each["aid"])
        for each in (claim, row)
    )
    return ours == theirs


def earlier_checks(claim: Row, person: Row, earlier: list[Row]) -> set[str]:
    """Documents that were used before, and income that was made good before."""
    codes = set()
    number = claim.get("document_no")
    for each in earlier:
        other = each["claim"]
        if number and other["line"] == claim["line"] and other.get("document_no") == number:
            if other["id_number"] != claim["id_number"]:
                codes.add("INVOICE_REUSED")
            elif benefit_of(other) == benefit_of(claim):
                codes.add("DUPLICATE_CLAIM")
        same_household = each["household"] == person["household_no"]
        if claim["line"] == other["line"] == "income" and same_household and each["outcome"] == "approve":
            codes.add("ALREADY_CLAIMED")
    return codes
