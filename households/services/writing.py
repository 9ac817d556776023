"""Writing facts of the register with their two times: what was believed is retired, what is believed now is a new row.

One `Writing` is what one person records at one moment. It keeps the events of what it wrote and the households that it
touched; `finish` records the events and asks for the work that follows, in the transaction of the change.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.database import Base, one_at_a_time, table_of
from foundation.errors import ConflictError, InvalidInput
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.models.people import HouseholdRow
from households.models.two_times import REGISTER, Dated
from households.services.arrivals import households_changed
from households.services.roster import REGISTER_WORK

Days = tuple[date | None, date | None]
"""First and last day, both included; None is without end."""
_ONE = timedelta(days=1)


def left_over(spell: Days, cut: Days) -> list[Days]:
    """The parts of a spell before and after another one; all of it where they share no day."""
    first, last = spell
    begin, end = cut
    parts: list[Days] = []
    if begin is not None and (first is None or first < begin):
        before = begin - _ONE
        parts.append((first, before if last is None else min(last, before)))
    if end is not None and (last is None or last > end):
        after = end + _ONE
        parts.append((after if first is None else max(first, after), last))
    return parts


def share_a_day(one: Days, other: Days) -> bool:
    """Whether two spells have a day in common."""
    first = max(one[0] or date.min, other[0] or date.min)
    return first <= min(one[1] or date.max, other[1] or date.max)


def refuse_future(at: datetime, name: str, day: date | None) -> None:
    """Raises InvalidInput for a day that has not come: the register holds nothing that is still to happen."""
    if day is not None and day > business_day(at):
        raise InvalidInput({name: [("不能晚于今天", "must not be after today")]})


def refuse_merged(home: HouseholdRow) -> None:
    """Raises ConflictError for a household that another one took over."""
    if home.merged_into is not None:
        raise ConflictError("本户已并入他户,不能再变更", "this household was merged into another one")


@dataclass
class Writing:
    """What one person records at one moment. `begin` makes one."""

    session: Session
    sealer: Sealer
    actor: Actor
    at: datetime
    changes: list[Change] = field(default_factory=list)
    households: dict[str, None] = field(default_factory=dict)
    moved: bool = False
    """Whether a household lives elsewhere now."""

    @property
    def today(self) -> date:
        """The business day of the moment."""
        return business_day(self.at)

    def add(self, model: type[Base], sealed: str | None = None, **values: Any) -> str:
        """A new row that is believed from now on; its id. `sealed` is the plain text of its sealed column."""
        identity = secrets.token_hex(16)
        row: dict[str, Any] = {"id": identity, "source": REGISTER, "known_at": self.at, **values}
        if sealed is not None:
            row["sealed"] = self.sealer.seal(table_of(model).name, "sealed", identity, sealed)
        self.session.execute(insert(table_of(model)).values(row))
        return identity

    def retire(self, row: Any) -> None:
        """A row that is believed no more. Raises ConflictError when somebody else has retired it meanwhile."""
        table = table_of(type(row))
        still = (table.c.id == row.id) & table.c.retired_at.is_(None)
        if self.session.execute(update(table).where(still).values(retired_at=self.at)).rowcount != 1:  # type: ignore[attr-defined]
            raise ConflictError(
                "这项登记已被他人更改,请刷新后再办", "somebody else has changed this; look again and retry"
            )

    def again(self, row: Any, days: Days, **changed: Any) -> str:
        """A row like another one for other days, as the register has it now; its id."""
        table = table_of(type(row))
        kept = {"id", "sealed", "known_at", "retired_at", "source", "valid_from", "valid_to"}
        values = {
            column.name: getattr(row, column.name) for column in table.columns if column.name not in kept
        }
        values |= {"valid_from": days[0], "valid_to": days[1], **changed}
        text = self.revealed(row) if "sealed" in table.c else None
        return self.add(type(row), text, **values)

    def revealed(self, row: Any) -> str:
        """The plain text of a row's sealed column. Raises ConflictError once it was erased."""
        if row.sealed == ERASED:
            raise ConflictError(
                "这项登记的内容已到期清除", "the content of this entry was erased at the end of its term"
            )
        return self.sealer.reveal(table_of(type(row)).name, "sealed", row.id, row.sealed)

    def overlay(
        self,
        rows: Sequence[Any],
        model: type[Dated],
        days: Days,
        sealed: str | None = None,
        **values: Any,
    ) -> str:
        """A dated fact over those believed so far: each of them stays for its other days only. The new row's id."""
        for row in rows:
            spell = (row.valid_from, row.valid_to)
            if share_a_day(spell, days):
                self.retire(row)
                for part in left_over(spell, days):
                    self.again(row, part)
        return self.add(model, sealed, valid_from=days[0], valid_to=days[1], **values)  # type: ignore[arg-type]

    def note(self, change: Change) -> None:
        """Keeps an event of what was written; its `after` is a digest with a key, its `reason` a word of our own."""
        self.changes.append(change)

    def digest(self, table: str, content: Any) -> str:
        """The keyed digest of some content."""
        return self.sealer.digest(table, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))

    def touches(self, *household_ids: str) -> None:
        """Households of which the register says something else now."""
        self.households.update(dict.fromkeys(household_ids))

    def finish(self) -> None:
        """Records the events, and asks for what was decided on these households to be looked at again."""
        record(self.session, self.actor, self.at, self.changes)
        touched = list(self.households)
        if touched:
            statement = update(HouseholdRow).where(HouseholdRow.id.in_(touched)).values(changed_at=self.at)
            self.session.execute(statement.execution_options(synchronize_session=False))
            households_changed(self.session, self.at, touched)
        if self.moved:
            for follower in _FOLLOWERS.values():
                follower(self.session, self.at)


Follower = Callable[[Session, datetime], None]
_FOLLOWERS: dict[str, Follower] = {}


def follow(name: str, follower: Follower) -> None:
    """Names what an upper package keeps of households' places and brings up to date with a move, in its transaction.

    It is called with the instant that stands in `household.changed_at` of those that moved.
    """
    _FOLLOWERS[name] = follower


def begin(session: Session, sealer: Sealer, actor: Actor, at: datetime) -> Writing:
    """Begins to change the register: others wait until this transaction ends, so what is read now stays so."""
    one_at_a_time(session, REGISTER_WORK)
    return Writing(session, sealer, actor, at)
