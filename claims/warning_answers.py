"""Which claim answers an early warning: the comparison of a case's event with claims. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from claims.facts import Claim
from households.thresholds import thresholds
from households.warning_rules import Event


@dataclass(slots=True)
class OpenCase:
    """An open case as far as a claim may answer it.

    `things` are what its departments' rows are about (numbers of bills or of an accident, school years).
    """

    id: str
    event_on: date
    event: Event
    things: set[str] = field(default_factory=set)


def claim_for(case: OpenCase, claims: Sequence[Claim]) -> str | None:
    """The number of the claim that answers a case, of several the last by day of notice; None while there is none.

    `claims` are those of its person and of its household's income. Pure.
    """
    fitting = [claim for claim in claims if _fits(case, claim)]
    if case.things and not case.things <= {thing for claim in fitting for thing in _things(claim)}:
        return None
    last = max(fitting, key=lambda claim: (claim.notified_on, claim.claim_no), default=None)
    return None if last is None else last.claim_no


def _fits(case: OpenCase, claim: Claim) -> bool:
    """Whether a claim is for the event of a case, as far as either of them says."""
    return (
        claim.line == case.event.line
        and case.event.kind in _FITTING
        and _FITTING[case.event.kind](case, claim)
    )


def _of_policy_year(case: OpenCase, claim: Claim) -> bool:
    """A claim for one of the bills; where no bill is known, for any of that year that was notified since."""
    if case.things:
        return claim.document_no in case.things
    began = date.fromisoformat(case.event.parts[1])
    return _within_a_year(began, claim.event_on) and claim.notified_on >= case.event_on


def _of_school_year(case: OpenCase, claim: Claim) -> bool:
    return claim.academic_year == case.event.parts[1]


def _of_accident(case: OpenCase, claim: Claim) -> bool:
    """A claim for the accident's number; where none is known, for one of about that day."""
    if case.things:
        return claim.accident_no in case.things
    apart = abs((claim.event_on - case.event_on).days)
    return claim.benefit != "death" and apart <= thresholds().accident_days_apart


def _of_benefit(case: OpenCase, claim: Claim) -> bool:
    return claim.benefit == case.event.kind


def _of_month(case: OpenCase, claim: Claim) -> bool:
    """The income of a year is reckoned once, in or after the month in which it broke away."""
    return _within_a_year(date.fromisoformat(f"{case.event.parts[0]}-01"), claim.event_on)


_FITTING: Mapping[str, Callable[[OpenCase, Claim], bool]] = {
    "policy_year": _of_policy_year,
    "school_year": _of_school_year,
    "accident": _of_accident,
    "death": _of_benefit,
    "disability": _of_benefit,
    "month": _of_month,
}
"""By the kind of event; a house has no claim."""


def _things(claim: Claim) -> set[str]:
    """What a claim is about, by the names that departments' rows have for it."""
    about = (claim.document_no, claim.accident_no, claim.academic_year)
    return {thing for thing in about if thing}


def _within_a_year(begins: date, day: date) -> bool:
    """Whether a day falls in the year that begins on a day."""
    return begins <= day and (day.year - 1, day.month, day.day) < (begins.year, begins.month, begins.day)
