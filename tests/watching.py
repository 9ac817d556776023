"""Watches every transaction: whatever changes business data must write an event in the same one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.orm import Session

from foundation import database
from migrations.schema import METADATA

WITHOUT_EVENTS = {
    "access_count": "counts for limits",
    "alembic_version": "the schema's own",
    "claim_listing": "follows from the claim in the same transaction",
    "counter": "counts up with what it numbers",
    "event": "the trail itself",
    "job": "asked for with the change that it serves; a repeat by a person has its event",
    "kept_answer": "the answer to a write that has its own event",
    "key_check": "one sealed word of a key",
    "trail_block": "seals the trail",
    "trail_leaf": "seals the trail",
}
"""Tables that change without an event, and why."""
WITHOUT_EVENTS_IN_COLUMNS = {
    "web_session": {"seen_at", "offered_secret"},
    "account": {"failures", "locked_until", "password_hash", "totp_step"},
    "upkeep": {"done"},
}
"""Columns that change without one: when somebody was last seen, wrong passwords, an argon2 hash made anew."""

_CHANGE = re.compile(
    r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)(?:\s+SET\s+(.*?)(?:\s+WHERE\s|$))?", re.I | re.S
)
_COLUMN = re.compile(r"(\w+)\s*=")


class _Watch:
    """Listens to every connection, and notes what a transaction changes until it is committed."""

    def __init__(self, when: Callable[[], bool]) -> None:
        self._when = when
        self.faults: list[str] = []

    def begun(self, connection: Connection) -> None:
        connection.info["changed"], connection.info["recorded"] = set(), False

    def executed(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        found = _CHANGE.match(statement)
        table = "" if found is None else found[2].lower()
        if table == "event":
            connection.info["recorded"] = True
        if found is None or table not in METADATA.tables or table in WITHOUT_EVENTS:
            return
        columns = set(_COLUMN.findall(found[3] or ""))
        if not columns or columns - WITHOUT_EVENTS_IN_COLUMNS.get(table, set()):
            connection.info.setdefault("changed", set()).add(table)

    def committed(self, connection: Connection) -> None:
        changed = connection.info.get("changed")
        if changed and not connection.info.get("recorded") and self._when():
            self.faults.append(" ".join(sorted(changed)))


@contextmanager
def watched(when: Callable[[], bool] = lambda: True) -> Iterator[list[str]]:
    """Gives a list that fills with the tables of each committed transaction that changed them without an event.

    `when` says at the commit whether this transaction counts.
    """
    watch = _Watch(when)
    real_insert = database.bulk_insert

    def copied(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
        """COPY goes past the listeners; what it inserts is noted here."""
        if rows:
            watch.executed(session.connection(), None, f"INSERT INTO {table.name}")
        real_insert(session, table, rows)

    listeners: dict[str, Callable[..., Any]] = {
        "begin": watch.begun,
        "before_cursor_execute": watch.executed,
        "commit": watch.committed,
    }
    holders = [module for module in _modules() if getattr(module, "bulk_insert", None) is real_insert]
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    for module in holders:
        module.bulk_insert = copied
    try:
        yield watch.faults
    finally:
        for module in holders:
            module.bulk_insert = real_insert
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)


def _modules() -> list[Any]:
    packages = ("foundation", "policies", "households", "claims", "payments", "reports", "webapp")
    return [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages]
