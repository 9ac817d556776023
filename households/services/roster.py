"""What can be done to people, households and cover: taking in a roster.

Bulk work: rows are compared by digest, only what is new or changed is written, each with its event.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.database import Base, bulk_insert, table_of
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Change, record
from households.facts import HEAD
from households.models import Cover, HouseholdRow, Person
from households.roster import RosterRow


@dataclass(frozen=True, slots=True)
class RosterIds:
    """Row ids after a roster was taken in: household number → id, and how many rows were new or changed."""

    households: dict[str, str]
    added: int
    changed: int


def take_in_roster(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    policy_to: date,
    roster: Sequence[RosterRow],
) -> RosterIds:
    """Stores people, households and cover of a roster; what is there already and the same stays untouched.

    Nobody is removed: a person who is missing from a later roster keeps the cover that was recorded.
    """
    households = _Upsert(session, sealer, HouseholdRow, "household_no")
    for head, rows in _households(roster):
        source = head or rows[0]
        personal = {
            "account_name": None if head is None else head.account_name,
            "account_no": None if head is None else head.account_no,
            "bank_code": None if head is None else head.bank_code,
            "income_per_head_fen": None if head is None else head.income_per_head_fen,
        }
        place: dict[str, Any] = {
            "town": source.town,
            "village": source.village,
            "village_code": source.village_code,
        }
        account = personal["account_no"]
        derived = {"account_lookup": None if account is None else sealer.lookup("account", str(account))}
        households.put(source.household_no, personal, place, derived, {"version": 0})
    people = _Upsert(session, sealer, Person, "id_lookup")
    ids = [
        people.put(sealer.lookup("id_number", r.id_number), {"id_number": r.id_number, "name": r.name})
        for r in roster
    ]
    cover = _Upsert(session, sealer, Cover, "person_id", {"policy_number": policy_number})
    for row, person_id in zip(roster, ids, strict=True):
        plain = {
            "household_id": households.ids[row.household_no],
            "relation": row.relation,
            "category": row.category,
            "village_code": row.village_code,
            "cover_from": row.cover_from,
            "cover_to": row.cover_to or policy_to,
            "renewal": row.renewal,
        }
        cover.put(person_id, None, plain)
    added = changed = 0
    for table in (households, people, cover):
        table.write(actor, at)
        added += len(table.new)
        changed += len(table.changed)
    return RosterIds(households.ids, added, changed)


def _households(roster: Sequence[RosterRow]) -> Iterable[tuple[RosterRow | None, list[RosterRow]]]:
    groups: dict[str, list[RosterRow]] = {}
    for row in roster:
        groups.setdefault(row.household_no, []).append(row)
    for rows in groups.values():
        yield next((row for row in rows if row.relation == HEAD), None), rows


class _Upsert:
    """Rows of one table by their key: new ones inserted, changed ones updated, the same ones left alone."""

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        model: type[Base],
        key: str,
        scope: dict[str, Any] | None = None,
    ) -> None:
        self._session, self._sealer, self._table, self._key = session, sealer, table_of(model), key
        self._scope = scope or {}
        columns = self._table.c
        query = select(columns[key], columns.id, columns.digest)
        for name, value in self._scope.items():
            query = query.where(columns[name] == value)
        rows = session.execute(query).all()
        self._digests: dict[str, str] = {row[0]: row[2] for row in rows}
        self.ids: dict[str, str] = {row[0]: row[1] for row in rows}
        self._erased: set[str] = set()
        if "sealed" in columns:
            # No longer the same, whatever its digest: what comes again is sealed anew.
            self._erased = set(
                session.scalars(query.with_only_columns(columns[key]).where(columns.sealed == ERASED))
            )
        self.new: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self._before: list[str] = []

    def put(
        self,
        key: str,
        personal: dict[str, Any] | None,
        plain: dict[str, Any] | None = None,
        derived: dict[str, Any] | None = None,
        first: dict[str, Any] | None = None,
    ) -> str:
        """Notes a row: `personal` is sealed, `derived` follows from it, `first` is set on a new row only. Its id."""
        name = self._table.name
        content = orjson.dumps([key, personal, plain], option=orjson.OPT_SORT_KEYS)
        digest = self._sealer.digest(name, content)
        known = self.ids.get(key)
        if known is not None and self._digests[key] == digest and key not in self._erased:
            return known
        identity = known or secrets.token_hex(16)
        row: dict[str, Any] = {
            **self._scope,
            "id": identity,
            self._key: key,
            **(plain or {}),
            **(derived or {}),
        }
        row["digest"] = digest
        if personal is not None:
            text = orjson.dumps(personal, option=orjson.OPT_SORT_KEYS).decode()
            row["sealed"] = self._sealer.seal(name, "sealed", identity, text)
        if known is None:
            self.new.append({**row, **(first or {})})
        else:
            self.changed.append(row)
            self._before.append(self._digests[key])
        self.ids[key], self._digests[key] = identity, digest
        return identity

    def write(self, actor: Actor, at: datetime) -> None:
        """Writes what was noted, each row with its event."""
        name = self._table.name
        for row in (*self.new, *self.changed):
            row["changed_at"] = at
        bulk_insert(self._session, self._table, self.new)
        if self.changed:
            values: dict[str, Any] = {
                column: bindparam(column) for column in self.changed[0] if column != "id"
            }
            where = self._table.c.id == bindparam("row_id")
            parameters = [{**row, "row_id": row["id"]} for row in self.changed]
            self._session.connection().execute(update(self._table).where(where).values(values), parameters)
        changes = [Change(f"{name}.added", name, row["id"], after=row["digest"]) for row in self.new]
        changes += [
            Change(f"{name}.changed", name, row["id"], after=row["digest"], before=before)
            for row, before in zip(self.changed, self._before, strict=True)
        ]
        record(self._session, actor, at, changes)
