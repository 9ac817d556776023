"""A small county for tests of early warning: two households, what departments send, what people report."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import jobs
from foundation.actors import Actor, Assurance, Role
from foundation.clock import FixedClock
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.runtime import Runtime, set_current
from foundation.sealing import Sealer
from households.layouts import layouts
from households.models.people import Person
from households.models.warnings import WarningCase, WarningReport
from households.roster import RosterRow
from households.services.arrivals import WARN
from households.services.deliveries import ADDITION, FULL, Delivery, take_in_delivery
from households.services.roster import take_in_roster
from households.services.warnings import Told, report_event
from households.tasks import warn
from tests.staffing import id_number_of

AT = datetime.fromisoformat("2020-12-31T04:00:00+00:00")
POLICY = "FPB-TEST-2020"
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")
VILLAGE = Actor("v-1", "account-v", Role.VILLAGE_OFFICER, "370323105207", "村专员", Assurance.PASSWORD)
ELSEWHERE = Actor("v-2", "account-w", Role.VILLAGE_OFFICER, "370323105208", "邻村专员", Assurance.PASSWORD)
WINDOW = Actor("t-1", "account-t", Role.TOWN_REVIEWER, "370323105", "镇审核", Assurance.PASSWORD)
CENTRE = Actor("c-1", "account-c", Role.CENTER_CERTIFIER, "370323", "核验", Assurance.PASSWORD)

PEOPLE = (
    ("张大山", "H1", "户主", "370323105207"),
    ("张小河", "H1", "子", "370323105207"),
    ("李明月", "H2", "户主", "370323105208"),
)
_digests = itertools.count(1)


def _row(place: int, name: str, household: str, relation: str, village: str) -> RosterRow:
    return RosterRow(
        household_no=household,
        relation=relation,
        name=name,
        id_number=id_number_of(name),
        town="中庄镇",
        village=f"{village[-3:]}村",
        village_code=village,
        category="重大变故户",
        income_per_head_fen=None,
        cover_from=date(2020, 1, 1),
        cover_to=date(2020, 12, 31),
        renewal=True,
        account_no=None,
        account_name=None,
        bank_code=None,
        row=place,
    )


@dataclass
class Desk:
    """The county with its people by name."""

    database: Database
    sealer: Sealer
    clock: FixedClock
    people: dict[str, str]

    def send(self, feed: str, *rows: dict[str, Any], scope: str = "", mode: str | None = None) -> None:
        """A department sends rows, by field, and the job that follows runs."""
        self.warn(self.deliver(feed, *rows, scope=scope, mode=mode))

    def deliver(self, feed: str, *rows: dict[str, Any], scope: str = "", mode: str | None = None) -> str:
        """The same without the job; the id of the delivery."""
        layout = layouts()[feed]
        values: list[Sequence[Any]] = []
        for row in rows:
            known = {"name": row["who"], "id_number": id_number_of(row["who"]), **row}
            values.append([known.get(column.field) for column in layout.columns])
        file = Delivery(layout, scope, mode or ADDITION, None, f"digest-{next(_digests)}")
        with self.database.transaction() as session:
            return take_in_delivery(session, self.sealer, SYSTEM, self.clock.now(), file, values).delivery_id

    def warn(self, delivery_id: str) -> None:
        """Runs the job of a delivery, also when it has run before."""
        with self.database.transaction() as session:
            ids = jobs.ask_for(session, WARN, [delivery_id], AT)
            jobs.reopen(session, ids, AT)
        warn(*ids)

    def report(
        self, who: str, what: str, on: date, actor: Actor = VILLAGE, channel: str = "village", **more: Any
    ) -> str:
        """Somebody reports; the id of the case."""
        told = Told(more.pop("report_id", None) or secrets.token_hex(16), what, on, channel, **more)
        with self.database.transaction() as session:
            return report_event(session, self.sealer, actor, self.clock.now(), self.people[who], told)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A view of the database."""
        with self.database.reading() as session:
            yield session

    def cases(self, **equal: Any) -> list[WarningCase]:
        """Cases by number."""
        with self.reading() as session:
            return list(session.scalars(select(WarningCase).filter_by(**equal).order_by(WarningCase.number)))

    def reports(self, case_id: str | None = None) -> list[WarningReport]:
        """Reports of a case or of all, in order."""
        query = select(WarningReport).order_by(WarningReport.reported_at, WarningReport.id)
        if case_id is not None:
            query = query.where(WarningReport.case_id == case_id)
        with self.reading() as session:
            return list(session.scalars(query))

    def count(self, model: Any) -> int:
        """How many rows a table has."""
        with self.reading() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


def open_desk(url: str, folder: Path) -> Desk:
    """The county on an empty database. Its clock stands; close the database at the end."""
    database = Database(url)
    clock = FixedClock(AT)
    with database.transaction() as session:
        sealer = open_sealer(session, folder / "desk.key")
        rows = [_row(place, *person) for place, person in enumerate(PEOPLE, start=2)]
        take_in_roster(session, sealer, SYSTEM, AT, POLICY, date(2020, 12, 31), rows)
        people = {
            name: session.scalar(
                select(Person.id).where(Person.id_lookup == sealer.lookup("id_number", id_number_of(name)))
            )
            or ""
            for name, *_rest in PEOPLE
        }
    set_current(Runtime(database, sealer, clock, SYSTEM))
    return Desk(database, sealer, clock, people)


def bill(who: str, number: str, on: date, yuan: int) -> dict[str, Any]:
    """A settlement that public payments bear nothing of."""
    paid = dict.fromkeys(("basic_fen", "major_fen", "aid_fen"), 0)
    return {"who": who, "document_no": number, "settled_on": on, "total_fen": yuan * 100, **paid}


def crash(who: str, number: str, on: date) -> dict[str, Any]:
    """A traffic accident."""
    return {"who": who, "accident_no": number, "occurred_on": on, "drunk": False}


__all__ = [
    "AT",
    "CENTRE",
    "ELSEWHERE",
    "FULL",
    "SYSTEM",
    "VILLAGE",
    "WINDOW",
    "Desk",
    "bill",
    "crash",
    "open_desk",
]
