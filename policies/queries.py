"""What can be asked of policies and of the county's standards."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.errors import Fault
from policies.agreement import disagreements
from policies.canonical import policy_from_canonical
from policies.models import MasterPolicy, Standard
from policies.policy import Policy
from policies.standard import Standards, standards_from_canonical, standards_from_content


def policy_by_id(session: Session, policy_id: str) -> Policy:
    """The policy of a stored version."""
    return _built(session.scalars(select(MasterPolicy.canonical).where(MasterPolicy.id == policy_id)).one())


@lru_cache(maxsize=32)
def _built(canonical: str) -> Policy:
    return policy_from_canonical(canonical)


def policies_by_id(session: Session, policy_ids: Iterable[str]) -> dict[str, Policy]:
    """The policies of stored versions by id, in one statement. Ids that are not there are left out."""
    query = select(MasterPolicy.id, MasterPolicy.canonical).where(MasterPolicy.id.in_(set(policy_ids)))
    return {row.id: _built(row.canonical) for row in session.execute(query)}


def periods(session: Session) -> dict[str, tuple[date, date]]:
    """Policy number → the first and the last day of its contract, over all its versions."""
    first, last = func.min(MasterPolicy.period_from), func.max(MasterPolicy.period_to)
    rows = session.execute(select(MasterPolicy.number, first, last).group_by(MasterPolicy.number))
    return {number: (begins, ends) for number, begins, ends in rows}


# --- the county's standards --------------------------------------------------------------------------

POLICY_FILE = "policy.toml"


def active_standards(session: Session, year: int) -> Standards | None:
    """The standards in force in a year; None where none were approved."""
    found = select(Standard.canonical).where(Standard.year == year, Standard.state == "active")
    canonical = session.scalar(found)
    return None if canonical is None else standards_of(canonical)


def latest_active(session: Session) -> Standards | None:
    """The standards in force of the latest year that has some."""
    found = select(Standard.canonical).where(Standard.state == "active")
    canonical = session.scalar(found.order_by(Standard.year.desc()).limit(1))
    return None if canonical is None else standards_of(canonical)


def first_standards() -> Standards:
    """What the first proposal starts from, where no year has standards yet: `first_standards.toml`."""
    text = files("policies").joinpath("first_standards.toml").read_text("utf-8")
    return standards_from_content(tomllib.loads(text))


@lru_cache(maxsize=64)
def standards_of(canonical: str) -> Standards:
    """The standards of a row's canonical JSON."""
    return standards_from_canonical(canonical)


def standard_rows(session: Session, year: int) -> Sequence[Standard]:
    """Every version of a year's standards, the newest first."""
    query = select(Standard).where(Standard.year == year)
    return session.scalars(query.order_by(Standard.proposed_at.desc(), Standard.id)).all()


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the list: what is in force there, or else what was handed in last; and what waits for a decision."""

    shown: Standard
    waiting: Standard | None


def years(session: Session) -> list[Year]:
    """The years that anybody has proposed standards for, the latest first."""
    query = select(Standard).order_by(Standard.year.desc(), Standard.proposed_at.desc(), Standard.id)
    by_year: dict[int, list[Standard]] = {}
    for row in session.scalars(query):
        by_year.setdefault(row.year, []).append(row)
    found = []
    for rows in by_year.values():
        in_state = {row.state: row for row in reversed(rows)}
        found.append(Year(in_state.get("active", rows[0]), in_state.get("proposed")))
    return found


def standards_waiting(session: Session) -> int:
    """How many proposals wait for a decision."""
    return session.scalar(select(func.count()).where(Standard.state == "proposed")) or 0


def years_due(session: Session, today: date) -> list[int]:
    """Years that ought to have standards and have none in force: this one, and in December the next.

    Empty for a county that has never approved any.
    """
    years = [today.year, today.year + 1] if today.month == 12 else [today.year]
    there = set(session.scalars(select(Standard.year).where(Standard.state == "active")))
    return [year for year in years if there and year not in there]


def policies_of_year(session: Session, year: int) -> list[Policy]:
    """The policies whose period begins in a year, by number, each as it was taken in last."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    query = select(MasterPolicy.number, MasterPolicy.canonical).where(
        MasterPolicy.period_from.between(first, last)
    )
    newest = {row.number: row.canonical for row in session.execute(query.order_by(MasterPolicy.taken_in_at))}
    return [_built(newest[number]) for number in sorted(newest)]


def standards_faults(session: Session, policy: Policy) -> tuple[Fault, ...]:
    """Where a policy differs from the standards in force in the year that its period begins in; () where none are."""
    standards = active_standards(session, policy.period_from.year)
    if standards is None:
        return ()
    found = disagreements(standards, policy)
    return tuple(Fault(f"{POLICY_FILE} {fault.place}", fault.zh, fault.en) for fault in found)
