"""Which claim answers an early warning: all of its bills, its accident, its school year, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from claims.facts import Claim
from claims.warning_answers import OpenCase, claim_for
from households.warning_rules import Event

MAY = date(2020, 5, 10)


def claim(number: str = "C1", **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "claim_no": number,
        "notified_on": date(2020, 6, 1),
        "channel": "个人申报",
        "name": "王五",
        "id_number": "370323197001010013",
        "evidence": (),
        "line": "illness",
        "benefit": "medical",
        "event_on": MAY,
    }
    return Claim(**{**values, **changes})


def case(line: str, kind: str, *parts: str, things: set[str] | None = None, on: date = MAY) -> OpenCase:
    return OpenCase("x", on, Event(line, kind, parts), things or set())


ILLNESS = ("illness", "policy_year", "p", "2020-01-01")


def test_a_case_of_bills_is_answered_once_all_of_them_are_claimed() -> None:
    bills = case(*ILLNESS, things={"1", "2"})
    first, second = claim("C1", document_no="1"), claim("C2", document_no="2", notified_on=date(2020, 7, 1))
    assert claim_for(bills, [first]) is None
    assert claim_for(bills, [first, second]) == "C2"
    assert claim_for(bills, [claim(document_no="9")]) is None


def test_a_case_that_only_people_told_of_is_answered_by_a_claim_of_the_year_notified_since() -> None:
    told = case(*ILLNESS)
    assert claim_for(told, [claim()]) == "C1"
    assert claim_for(told, [claim(notified_on=date(2020, 5, 9))]) is None
    assert claim_for(told, [claim(event_on=date(2021, 1, 1))]) is None
    assert claim_for(told, [claim(event_on=date(2020, 12, 31), notified_on=date(2021, 2, 1))]) == "C1"


@pytest.mark.parametrize(
    ("number", "on", "things", "answered"),
    [
        ("SG1", MAY, {"SG1"}, True),
        ("SG2", MAY, {"SG1"}, False),
        ("SG2", date(2020, 5, 13), set(), True),
        ("SG2", date(2020, 5, 14), set(), False),
    ],
)
def test_an_accident_is_answered_by_its_number_or_about_its_day(
    number: str, on: date, things: set[str], answered: bool
) -> None:
    open_case = case("accident", "accident", "p", "no SG1", things=things)
    found = claim_for(open_case, [claim(line="accident", accident_no=number, event_on=on)])
    assert (found is not None) is answered


def test_each_kind_is_answered_by_its_own_benefit() -> None:
    death = claim(line="accident", benefit="death")
    graded = claim(line="accident", benefit="disability", grade=3)
    assert claim_for(case("accident", "death", "p"), [graded]) is None
    assert claim_for(case("accident", "death", "p"), [death]) == "C1"
    assert claim_for(case("accident", "disability", "p", "2020-05-10"), [death, graded]) == "C1"
    school = claim(line="education", benefit="tuition", academic_year="2020-2021")
    assert (
        claim_for(case("education", "school_year", "p", "2020-2021", things={"2020-2021"}), [school]) == "C1"
    )
    assert claim_for(case("education", "school_year", "p", "2019-2020"), [school]) is None


def test_a_loss_of_income_is_answered_within_the_year_and_a_house_never() -> None:
    loss = claim(line="income", benefit="shortfall", event_on=date(2020, 12, 31))
    assert claim_for(case("income", "month", "2020-05"), [loss]) == "C1"
    assert claim_for(case("income", "month", "2021-01"), [loss]) is None
    assert claim_for(case("income", "month", "2019-12"), [loss]) is None
    assert claim_for(case("income", "housing"), [loss]) is None


def test_a_claim_on_another_line_answers_nothing() -> None:
    assert claim_for(case(*ILLNESS), [claim(line="accident")]) is None
