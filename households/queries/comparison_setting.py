"""What people are compared by on a day: the standards in force, and which feed's rows answer, as of which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from households.comparing import Rules
from households.comparison_setting import Basis, Setting, Source
from households.layouts import layouts
from households.models.feeds import FeedDelivery
from households.queries.views import View, answering
from households.reporting import standing
from policies.models import MasterPolicy, Standard
from policies.policy import Policy, ReverseStandard
from policies.queries import active_standards, policy_by_id, standards_of


@dataclass(frozen=True, slots=True)
class Measure:
    """The rules for comparing, and what a run keeps of them."""

    rules: Rules
    setting: Setting


def measure_on(session: Session, day: date) -> Measure:
    """What people are compared by on a day.

    The county's standards of the year come first, then a policy that is in force, then the last of either before it.
    Departments' own deliveries come before the copy in the pack of that policy.
    """
    policy = _policy(session, day)
    basis, reverse = _basis(session, policy, day)
    scopes = answering(session, View("" if policy is None else policy.number))
    rules = Rules(day, reverse, scopes)
    checks = tuple(check.key for check in rules.checks())
    return Measure(rules, Setting(basis, checks, _sources(session, scopes, day)))


def _policy(session: Session, day: date) -> Policy | None:
    """The policy that is in force on a day, taken in last; else the last one that began before it."""
    query = select(MasterPolicy.id).where(MasterPolicy.period_from <= day)
    order = ((MasterPolicy.period_to >= day).desc(), MasterPolicy.period_from.desc())
    found = session.scalar(query.order_by(*order, MasterPolicy.taken_in_at.desc(), MasterPolicy.id).limit(1))
    return None if found is None else policy_by_id(session, found)


def _basis(
    session: Session, policy: Policy | None, day: date
) -> tuple[Basis | None, dict[str, ReverseStandard]]:
    standards = active_standards(session, day.year)
    if standards is not None:
        return Basis("standard", str(standards.year), stale=False), dict(standards.reverse)
    if policy is not None and policy.period_to >= day:
        return Basis("policy", policy.number, stale=False), dict(policy.on(day).reverse)
    earlier = select(Standard.canonical).where(Standard.state == "active", Standard.year < day.year)
    canonical = session.scalar(earlier.order_by(Standard.year.desc()).limit(1))
    if canonical is not None:
        standards = standards_of(canonical)
        return Basis("standard", str(standards.year), stale=True), dict(standards.reverse)
    if policy is not None:
        return Basis("policy", policy.number, stale=True), dict(policy.on(day).reverse)
    return None, {}


def _sources(session: Session, scopes: dict[str, str], day: date) -> dict[str, Source]:
    """Each feed that answers, as of the newest day that a delivery of it was of."""
    query = select(
        FeedDelivery.id, FeedDelivery.feed, FeedDelivery.scope, FeedDelivery.as_of, FeedDelivery.taken_in_at
    )
    as_of: dict[str, date | None] = {}
    newest: dict[str, tuple[str, date]] = {}
    for row in session.execute(query.where(FeedDelivery.mode != "absent").order_by(FeedDelivery.sequence)):
        if scopes.get(row.feed) == row.scope:
            newest[row.feed] = row.id, business_day(row.taken_in_at)
            before = as_of.get(row.feed)
            as_of[row.feed] = row.as_of if before is None else max(before, row.as_of or before)
    found = {}
    for feed, (delivery_id, taken_in_on) in newest.items():
        calendar = layouts()[feed].calendar
        of_day = as_of[feed] or taken_in_on
        late = 0 if calendar is None else standing(calendar, of_day, day).late_days
        found[feed] = Source(delivery_id, as_of[feed], taken_in_on, late)
    return found
