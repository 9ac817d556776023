"""Under which policy people are covered on days of their own: the policy's newest version, for the days it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from households.queries.people import covers_of
from policies.models import MasterPolicy
from policies.policy import Policy
from policies.queries import policies_by_id


@dataclass(frozen=True, slots=True)
class Insured:
    """A person and the day that is asked for."""

    person_id: str
    on: date


def policies_covering(session: Session, asked: Iterable[Insured]) -> dict[Insured, Policy]:
    """The policy of each that covers the person on the day; who is not covered then is left out.

    Of several the one that begins last counts. Three statements, however many.
    """
    wanted = list(dict.fromkeys(asked))
    covers = covers_of(session, {one.person_id for one in wanted})
    numbers: dict[Insured, str] = {}
    for one in wanted:
        lines = [line for line in covers.get(one.person_id, ()) if line.cover_from <= one.on <= line.cover_to]
        if lines:
            numbers[one] = max(lines, key=lambda line: (line.cover_from, line.policy_number)).policy_number
    policies = _newest(session, set(numbers.values()))
    return {one: policies[number] for one, number in numbers.items() if number in policies}


def _newest(session: Session, numbers: Iterable[str]) -> Mapping[str, Policy]:
    query = select(MasterPolicy.number, MasterPolicy.id).where(MasterPolicy.number.in_(sorted(numbers)))
    newest = dict(session.execute(query.order_by(MasterPolicy.taken_in_at)).all())
    policies = policies_by_id(session, newest.values())
    return {number: policies[identity] for number, identity in newest.items()}


def last_day_of_notice(policy: Policy, event_on: date) -> date:
    """The last day on which an event is notified in time, by the terms in force on its day."""
    return event_on + timedelta(policy.on(event_on).notice_days)
