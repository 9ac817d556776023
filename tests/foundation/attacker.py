"""An attacker who owns the database: no guards, no foreign keys, any statement; and a trail to attack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite3
from sqlalchemy import create_engine, text

from foundation.actors import Actor, Role
from foundation.database import Database
from foundation.guards import live_guards
from foundation.trail import sealing
from foundation.trail.events import Change, record

OFFICER = Actor("p1", "a1", Role.CLAIM_OFFICER, "370323", "张三")
AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
EVENTS = 35
IN_BLOCK = 10
OPEN = 3
"""Events of `written_trail` that no block holds."""


class Attacker:
    """Statements on a database from outside the program; the guards are dropped at once."""

    def __init__(self, url: str) -> None:
        module = {"module": sqlite3} if url.startswith("sqlite") else {}
        self.engine = create_engine(url, **module)
        self.sqlite = self.engine.dialect.name == "sqlite"
        with self.engine.begin() as connection:
            for name, table in live_guards(connection).items():
                connection.execute(text(f"DROP TRIGGER {name}{'' if self.sqlite else f' ON {table}'}"))

    def run(self, *statements: str, **values: Any) -> None:
        """Carries out statements, past every foreign key."""
        with self.engine.begin() as connection:
            if not self.sqlite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement), values)

    def ask(self, statement: str, **values: Any) -> Any:
        """One value."""
        with self.engine.connect() as connection:
            return connection.execute(text(statement), values).scalar_one()

    def event_id(self, leaf: int) -> int:
        """The event with a number."""
        return int(self.ask("SELECT event_id FROM trail_leaf WHERE number = :leaf", leaf=leaf))

    def insert_event(self, event_id: int, body: str) -> None:
        """An event under an id of one's choice, its columns as its body says."""
        overriding = "" if self.sqlite else "OVERRIDING SYSTEM VALUE"
        self.run(
            f"INSERT INTO event (id, at, action, subject, subject_id, body) {overriding} "
            "SELECT :id, at, action, subject, subject_id, :body FROM event WHERE id = (SELECT min(id) FROM event)",
            id=event_id,
            body=body,
        )

    def renumber(self, after: int, by: int) -> None:
        """Moves the numbers of all leaves after one, without a clash on the way."""
        self.run(
            "UPDATE trail_leaf SET number = number + 1000000 WHERE number > :after",
            "UPDATE trail_leaf SET number = number - 1000000 + :by WHERE number > 1000000",
            after=after,
            by=by,
        )

    def close(self) -> None:
        """Gives the connections back."""
        self.engine.dispose()


def written_trail(database: Database, attacker: Attacker, anchors: Path | None) -> None:
    """A sealed trail of 35 events in blocks of ten, with a free id between each two, and three open events.

    The caller has set `sealing.MOST_IN_BLOCK` to IN_BLOCK.
    """
    assert sealing.MOST_IN_BLOCK == IN_BLOCK
    with database.transaction() as session:
        for number in range(1, EVENTS + 1):
            moment = AT + timedelta(seconds=number)
            changes = [Change("x.done", "x", f"{number:032x}", reason="更正")]
            record(session, OFFICER, moment, [*changes, Change("x.gap", "x", "gap")])
    attacker.run("DELETE FROM event WHERE action = 'x.gap'")
    sealing.seal(database, AT, "sha256", anchors)
    with database.transaction() as session:
        record(session, OFFICER, AT, [Change("x.open", "x", f"open {number}") for number in range(OPEN)])
