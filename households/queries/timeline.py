"""The register's own happenings of a household: who came and went, moves, accounts, incomes, cover, proposals, tasks.

From the facts that are believed now, each on the day that it is true from; a correction stands on the day it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import orjson
from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.clock import business_day
from foundation.masking import Audience, account_for
from foundation.money import Money
from foundation.sealing import Sealer
from foundation.staff.queries import names
from foundation.trail.events import Event
from households.models.people import Cover, HouseholdRow, Membership
from households.models.two_times import REGISTER, ROSTER
from households.queries import comparison, recognition, warnings
from households.queries.households import accounts_of, incomes_of, residences_of
from households.queries.people import Member, members_of
from households.queries.proposals import proposals_of
from households.queries.tasks import tasks_of
from households.terms import (
    BEGINNINGS,
    ENDINGS,
    PROPOSAL_STATES,
    PROPOSALS,
    RELATIVES,
    SETTLEMENTS,
    TASKS,
    Pair,
)
from households.timeline import Item

_KIND = "register"
_QUIET = ("roster", "corrected")
"""Beginnings and endings that are no happening of their own."""


def timeline_of(session: Session, sealer: Sealer, household_id: str, today: date) -> list[Item]:
    """Everything that the packages up to this one know of a household's time, in no order."""
    found = list(_register(session, sealer, household_id, today))
    for subject in (warnings, recognition, comparison):
        found += subject.timeline_of(session, sealer, household_id)
    return found


def _register(session: Session, sealer: Sealer, household_id: str, today: date) -> Iterator[Item]:
    members = members_of(session, sealer, household_id, today)
    for member in members:
        yield from _of_member(member)
    yield from _of_figures(session, sealer, household_id)
    yield from _of_household(session, household_id)
    yield from _of_covers(session, household_id, members)
    yield from _of_proposals(session, sealer, household_id)
    yield from _of_tasks(session, sealer, household_id)
    yield from _corrections(session, household_id)


def _both(text: str | None) -> Pair:
    return (text or "", text or "")


def _of_member(member: Member) -> Iterator[Item]:
    named = _both(member.name)
    if member.valid_from is not None and member.began_by not in _QUIET:
        zh, en = BEGINNINGS[member.began_by]
        title = (
            (zh, en)
            if member.began_by == "relation"
            else (f"加入本户:{zh}", f"Came into the household: {en}")
        )
        yield Item(member.valid_from, _KIND, title, named)
    if member.valid_to is not None and member.ended_by not in (None, "relation", *_QUIET):
        zh, en = ENDINGS[member.ended_by or ""]
        on = member.valid_to if member.ended_by == "death" else member.valid_to + timedelta(days=1)
        yield Item(on, _KIND, (f"离开本户:{zh}", f"Left the household: {en}"), named)
    for one in member.relatives:
        zh, en = RELATIVES[one.kind]
        if one.valid_from is not None:
            yield Item(one.valid_from, _KIND, (f"登记{zh}", f"Entered: {en}"), named)
        if one.valid_to is not None:
            yield Item(one.valid_to, _KIND, (f"{zh}终止", f"Ended: {en}"), named)


def _of_figures(session: Session, sealer: Sealer, household_id: str) -> Iterator[Item]:
    staff = names(session)
    for account in accounts_of(session, sealer, household_id):
        if account.source != REGISTER or account.valid_from is None:
            continue
        who = "、".join(staff.get(one or "", one or "") for one in (account.asked_by, account.decided_by))
        masked = account_for(Audience.OFFICER, account.account_no or "")
        yield Item(account.valid_from, _KIND, ("收款账户变更", "Another account"), _both(f"{masked} {who}"))
    for income in incomes_of(session, sealer, household_id):
        if income.source == REGISTER and income.valid_from is not None:
            year = income.valid_from.year
            head = None if income.figures is None else income.figures.per_head_fen
            title = (f"登记 {year} 年收入", f"Income of {year} entered")
            text = ("", "")
            if head is not None:
                text = (f"人均 {Money(head).grouped} 元", f"{Money(head).grouped} yuan a head")
            yield Item(business_day(income.known_at), _KIND, title, text)


def _of_household(session: Session, household_id: str) -> Iterator[Item]:
    for place in residences_of(session, household_id):
        if place.valid_from is not None:
            where = _both(f"{place.town} {place.village}")
            yield Item(place.valid_from, _KIND, ("住址登记", "Lives here from this day"), where)
    others = select(HouseholdRow.household_no, HouseholdRow.changed_at).where(
        HouseholdRow.merged_into == household_id
    )
    for number, at in session.execute(others):
        yield Item(business_day(at), _KIND, ("他户并入", "Another household merged into it"), _both(number))


def _of_covers(session: Session, household_id: str, members: list[Member]) -> Iterator[Item]:
    """The register's cover of each person by itself, a roster's of all of them together."""
    mine = (Cover.household_id == household_id) & (Cover.source == ROSTER)
    rosters = select(Cover.policy_number, Cover.known_at).where(mine).distinct()
    days = {(number, business_day(at)) for number, at in session.execute(rosters)}
    for number, on in sorted(days):
        yield Item(on, _KIND, ("列入参保名册", "In a roster"), _both(number))
    seen = set()
    for member in members:
        for cover in member.covers:
            if cover.source == REGISTER and cover.id not in seen:
                seen.add(cover.id)
                text = f"{cover.policy_number} {cover.cover_from}–{cover.cover_to} {member.name or ''}"
                yield Item(cover.cover_from, _KIND, ("登记保障", "Cover entered"), _both(text.strip()))


def _of_proposals(session: Session, sealer: Sealer, household_id: str) -> Iterator[Item]:
    staff = names(session)
    for asked in proposals_of(session, sealer, [household_id]):
        zh, en = PROPOSALS[asked.kind]
        who = _both(staff.get(asked.asked_by, asked.asked_by))
        url = url_for("households.proposals.shown", proposal_id=asked.id)
        yield Item(business_day(asked.asked_at), _KIND, (f"申请:{zh}", f"Asked for: {en}"), who, url)
        if asked.decided_at is not None and asked.decided_by is not None:
            done = PROPOSAL_STATES[asked.state]
            title = (f"{zh}:{done[0]}", f"{en[:1].upper()}{en[1:]}: {done[1]}")
            by = _both(staff.get(asked.decided_by, asked.decided_by))
            yield Item(business_day(asked.decided_at), _KIND, title, by, url)


def _of_tasks(session: Session, sealer: Sealer, household_id: str) -> Iterator[Item]:
    for task in tasks_of(session, sealer, [household_id]):
        zh, en = TASKS[task.kind]
        url = url_for("households.tasks.shown", task_id=task.id)
        yield Item(business_day(task.opened_at), _KIND, ("待核实事项", "To be looked into"), (zh, en), url)
        if task.settled_at is not None and task.settlement is not None:
            said = SETTLEMENTS[task.settlement]
            yield Item(business_day(task.settled_at), _KIND, ("核实处理", "Settled"), said, url)


def _corrections(session: Session, household_id: str) -> Iterator[Item]:
    """What was entered wrongly and put right: by the events, since the wrong rows are believed no more."""
    staff = names(session)
    rows = select(Membership.id).where(Membership.household_id == household_id)
    corrected = Event.subject_id.in_(rows) & (Event.action == "member.corrected")
    for at, body in session.execute(select(Event.at, Event.body).where(corrected).order_by(Event.id)):
        person = orjson.loads(body)["actor"]["person"]
        who = _both(staff.get(person, person))
        yield Item(business_day(at), _KIND, ("更正成员登记", "Membership corrected"), who)
