"""Pages of the register's tasks: what does not fit together, what each side says, and settling it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from foundation.clock import business_day
from foundation.errors import InvalidInput
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, transaction
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.pages.household_rows import capital, named
from households.pages.people_forms import RECORDERS
from households.queries.tasks import Task, both_sides, page_of_tasks, task_by_id
from households.schemas import SettlementForm, TaskArguments
from households.services.settling import SETTLERS, settle
from households.terms import SETTLEMENTS, SETTLEMENTS_OF, TASKS

blueprint = Blueprint("tasks", __name__)

_NEEDS_DAY = frozenset({"roster_differs", "account_differs"})
_MOST_TYPED = 500
_NOTHING: Mapping[str, str] = MappingProxyType({})


def task_row(task: Task, staff: Mapping[str, str]) -> dict[str, Any]:
    """A task in the words of a list."""
    return {
        "id": task.id,
        "kind": capital(pick(*TASKS[task.kind])),
        "household_id": task.household_id,
        "household_no": task.household_no or "",
        "place": " ".join(part for part in (task.town, task.village) if part),
        "open": task.state == "open",
        "opened_at": task.opened_at,
        "settled_by": staff.get(task.settled_by or "", task.settled_by or ""),
        "settled_at": task.settled_at,
        "settlement": "" if task.settlement is None else capital(pick(*SETTLEMENTS[task.settlement])),
        "reason": task.reason or "",
    }


@blueprint.get("/registry-tasks")
def listed() -> str:
    """Tasks of one's place, the newest first."""
    asked = arguments(TaskArguments)
    state, kind = asked.get("state"), asked.get("kind")
    chosen = {name: value for name, value in (("state", state), ("kind", kind)) if value}
    with reading() as session:
        page = page_of_tasks(session, sealer(), acting(), state, kind, asked.get("cursor"))
        staff = names(session)
    return render_template(
        "households/tasks.html",
        tasks=[task_row(task, staff) for task in page.rows],
        chosen=chosen,
        kinds=named(TASKS),
        newer_url=page.newer and _list_url(chosen | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | {"cursor": page.older}),
    )


def _list_url(values: Mapping[str, str]) -> str:
    return f"{url_for('.listed')}?{urlencode(values)}"


@blueprint.get("/registry-tasks/<task_id>")
def shown(task_id: str) -> str:
    """One task: what rosters say, what the register says, and how it can be settled."""
    return _task_page(task_id)


@blueprint.post("/registry-tasks/<task_id>/settle")
def settled(task_id: str) -> Response | tuple[str, int]:
    """Settles a task; two records of one person lead to the form of the correction, which settles it."""
    try:
        said = form(SettlementForm)
        with reading() as session:
            task = task_by_id(session, sealer(), acting(), task_id)
            sides = both_sides(session, sealer(), acting(), task)
        homes = [home for person in sides.people for home in person.homes]
        if said["settlement"] == "same_person" and homes and acting().role in RECORDERS:
            there = url_for(
                "households.changes.blank", household_id=homes[0][0], kind="identity", task=task_id
            )
            return redirect(there, 303)
        with transaction() as session:
            settle(
                session,
                sealer(),
                acting(),
                now(),
                task_id,
                said["settlement"],
                said.get("reason") or "",
                said.get("on"),
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _task_page(task_id, errors), 422
    flash(_("已处理"), "ok")
    return redirect(url_for(".shown", task_id=task_id), 303)


def _task_page(task_id: str, errors: Mapping[str, str] = _NOTHING) -> str:
    today = business_day(now())
    with reading() as session:
        task = task_by_id(session, sealer(), acting(), task_id)
        sides = both_sides(session, sealer(), acting(), task)
        staff = names(session)
    typed = {name: request.form.get(name, "")[:_MOST_TYPED] for name in ("settlement", "reason", "on")}
    return render_template(
        "households/task.html",
        task=task_row(task, staff),
        sides=sides,
        settlements=[(key, capital(pick(*SETTLEMENTS[key])), "") for key in SETTLEMENTS_OF[task.kind]],
        needs_day=task.kind in _NEEDS_DAY,
        account=task.kind == "account_differs",
        may_settle=task.state == "open" and acting().role in SETTLERS,
        typed=typed if errors else {"on": today.isoformat()},
        errors=errors,
    )
