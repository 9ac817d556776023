"""Settling a task of the register: a person says what is so, and why; what follows from that is done in one go."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.errors import ConflictError, InvalidInput
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.models.people import BankAccount, Cover, HouseholdRow
from households.models.proposals import RegistryTask
from households.models.two_times import ROSTER, believed
from households.queries.households import household_row
from households.queries.people import spells_of
from households.queries.tasks import Task, account_of, task_by_id
from households.services import register, residences
from households.services.person_facts import give_name
from households.services.proposals import ask
from households.services.writing import begin, refuse_future, refuse_merged
from households.terms import SETTLEMENTS_OF

SETTLERS = (Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER, Role.CENTER_LEAD)


def settle(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    task_id: str,
    settlement: str,
    reason: str,
    on: date | None = None,
) -> Task:
    """Settles a task. `take_roster` corrects the register from the day `on`; an account then waits for a second person.

    Raises NotFound outside the actor's place, InvalidInput for a settlement that this kind of task does not have or a
    day that is missing or has not come, ConflictError when somebody else has settled it meanwhile.
    """
    actor.must_be(*SETTLERS)
    begin(session, sealer, actor, at)
    task = task_by_id(session, sealer, actor, task_id)
    if settlement not in SETTLEMENTS_OF[task.kind]:
        raise InvalidInput({"settlement": [("请选择处理结果", "choose how it is settled")]})
    if not reason:
        raise InvalidInput({"reason": [("请写明理由", "say why")]})
    _move(session, sealer, actor, at, task, settlement, reason)
    if settlement == "take_roster":
        _take_roster(session, sealer, actor, at, task, on)
    change = Change("registry_task.settled", "registry_task", task_id, reason=settlement)
    record(session, actor, at, [change])
    return task


def _move(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, task: Task, settlement: str, reason: str
) -> None:
    values: dict[str, Any] = {
        "state": "settled",
        "settlement": settlement,
        "settled_by": actor.person,
        "settled_at": at,
        "reason": sealer.seal("registry_task", "reason", task.id, reason),
    }
    still = (RegistryTask.id == task.id) & (RegistryTask.state == "open")
    statement = update(RegistryTask).where(still).values(values).execution_options(synchronize_session=False)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError("这一事项已由他人处理,请刷新", "somebody else has settled this; look again")


def _take_roster(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, task: Task, on: date | None
) -> None:
    if task.kind == "two_names":
        if task.person_id is None or "name" not in task.details:
            raise ConflictError("此事项的内容已到期清除", "what was found was erased at the end of its term")
        give_name(session, sealer, actor, at, task.person_id, task.details["name"], on)
        return
    if on is None:
        raise InvalidInput({"on": [("请填写从哪一天起", "say from which day on")]})
    refuse_future(at, "on", on)
    if task.kind == "account_differs":
        _ask_for_account(session, sealer, actor, at, task, on)
    elif task.person_id is not None:
        _into_roster_household(session, sealer, actor, at, task, on)
    else:
        _into_roster_place(session, sealer, actor, at, task, on)


def _ask_for_account(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, task: Task, on: date
) -> None:
    """The roster's account is asked for as any other one: a second person decides."""
    assert task.household_id is not None  # as the finding has it
    mine = (BankAccount.household_id == task.household_id) & (BankAccount.source == ROSTER)
    rows = session.scalars(select(BankAccount).where(mine, believed(BankAccount)))
    for row in rows:
        if row.account_lookup == task.details.get("account") and row.sealed != ERASED:
            content = {**account_of(sealer, row), "on": on.isoformat()}
            ask(session, sealer, actor, at, "account", task.household_id, content)
            return
    raise ConflictError(
        "名册中已没有这个账户,请选择其他处理结果", "no roster has this account any more: settle it otherwise"
    )


def _into_roster_household(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, task: Task, on: date
) -> None:
    """The person is in the household that the roster names, from the day on."""
    assert task.household_id is not None  # as the finding has it
    assert task.person_id is not None
    home = household_row(session, actor, task.household_id)
    refuse_merged(home)
    mine = (Cover.person_id == task.person_id) & (Cover.household_id == home.id) & (Cover.source == ROSTER)
    relation = session.scalar(select(Cover.relation).where(mine, believed(Cover)).limit(1))
    if relation is None:
        raise ConflictError(
            "名册中此人已不在该户,请选择其他处理结果",
            "no roster has this person in that household any more: settle it otherwise",
        )
    work = begin(session, sealer, actor, at)
    spells = spells_of(session, [task.person_id])
    moved = None
    for spell in spells:
        if spell.ended_by != "death" and spell.household_id != home.id:
            work.touches(spell.household_id)
            moved = register.transfer(work, spell, home.id, relation, on, "corrected") or moved
    if moved is None:
        raise ConflictError(
            "此人在该日不在任何一户,请在户页面办理迁入",
            "this person is in no household then: enter on the household's page that they came",
        )
    work.note(
        Change(
            "member.corrected",
            "membership",
            moved,
            after=work.digest("membership", [task.person_id, home.id, str(on)]),
        )
    )
    work.touches(home.id)
    work.finish()


def _into_roster_place(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, task: Task, on: date
) -> None:
    """The household lives where the roster says, from the day on."""
    assert task.household_id is not None  # as the finding has it
    home: HouseholdRow = household_row(session, actor, task.household_id)
    if "village_code" not in task.details:
        raise ConflictError("此事项的内容已到期清除", "what was found was erased at the end of its term")
    place = residences.Place(task.details["town"], task.details["village"], task.details["village_code"])
    work = begin(session, sealer, actor, at)
    residences.settle_in(work, home, place, on)
    work.finish()
