"""The rules of the reverse standards 反向标准 (rules.md §4): which of a department's rows hits, and what answers a hit.

Pure. Adjudication asks them for one household on the day of an event, the comparison for thousands of people today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from foundation.calendar import earlier_than_years_before
from households.household import Clearance
from policies.policy import ReverseStandard

HOLDING_FEEDS: Mapping[str, str] = {
    "deposit": "deposits",
    "machinery": "machinery",
    "housing": "housing",
    "vehicle": "vehicles",
    "company": "companies",
}
"""The feed that each standard about something of value is looked up in; payroll asks `payroll` and `kin`."""


def counts(standard: ReverseStandard, day: date, on: date, amount_fen: int) -> bool:
    """Whether something of value counts on a day, as far as its own day and its sum say."""
    return (
        on <= day
        and amount_fen >= standard.from_fen
        and not (
            standard.within_years is not None and earlier_than_years_before(on, day, standard.within_years)
        )
    )


def listed(standard: ReverseStandard, what: str) -> bool:
    """Whether the word counts that a standard asks for: the use 用途 of a building, the status 状态 of a company."""
    if standard.key == "housing":
        return what in standard.uses
    return standard.key != "company" or what in standard.statuses


def on_payroll(day: date, since: date, until: date | None) -> bool:
    """Whether a spell on the public payroll holds on a day; `until` None is open."""
    return since <= day and (until is None or day <= until)


def cleared_on(clearances: Iterable[Clearance], matter: str, by: date) -> date | None:
    """Day of the latest clearance of the matter up to `by`, if it says 通过; of one date, 不通过 wins."""
    latest: date | None = None
    passed = False
    for clearance in clearances:
        if clearance.matter != matter or clearance.on > by:
            continue
        if latest is None or clearance.on > latest:
            latest, passed = clearance.on, clearance.passed
        elif clearance.on == latest:
            passed = passed and clearance.passed
    return latest if passed else None
