"""Taking in a roster 参保名册: people, households, cover and membership, in bulk, with two times on every fact.

Rows are compared by digest; only what is new or changed is written. What a policy's newest roster has no more is
retired, never deleted. The register's own facts stay: where a roster contradicts them, a task is opened for a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.collecting import without_cycle_search
from foundation.database import Base, bulk_insert, one_at_a_time, table_of
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.people import BankAccount, Cover, HouseholdRow, Income, Membership, Person
from households.models.two_times import ROSTER
from households.queries.known import KnownCover, KnownPerson, KnownRegister
from households.registered import Figures, IncomeFigures, by_household, figures_of, head_of
from households.roster import RosterRow
from households.services.tasks import Finding, open_tasks

REGISTER_WORK = "register"
"""What `foundation.database.one_at_a_time` is asked for by whoever changes the register's facts."""
_BLOCK = 4000
"""People whose rows are written at once: memory stays flat, and SQLite writes no faster with more."""


@dataclass(frozen=True, slots=True)
class RosterIds:
    """Row ids after a roster was taken in: household number → id; how many rows were new, changed, or gone."""

    households: dict[str, str]
    added: int
    changed: int


@without_cycle_search()
def take_in_roster(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    policy_to: date,
    roster: Sequence[RosterRow],
) -> RosterIds:
    """Stores a policy's roster; what is there already and the same stays untouched."""
    one_at_a_time(session, REGISTER_WORK)
    work = _Roster(session, sealer, actor, at, policy_number, policy_to)
    for rows in by_household(roster).values():
        work.household(rows)
        work.write_full_block()
    work.retire_the_rest()
    work.write()
    return RosterIds(work.household_ids, work.added, work.changed)


class _Roster:
    """Collects the rows of a roster and writes them in blocks, each person and each household with an event."""

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        actor: Actor,
        at: datetime,
        policy_number: str,
        policy_to: date,
    ) -> None:
        self._session, self._sealer, self._actor, self._at = session, sealer, actor, at
        self._policy_number, self._policy_to = policy_number, policy_to
        self._known = KnownRegister(session, policy_number)
        self.household_ids = {number: known.id for number, known in self._known.households.items()}
        self.added = self.changed = 0
        self._new: dict[type[Base], list[dict[str, Any]]] = {
            table: [] for table in (HouseholdRow, Person, Cover, Membership, Income, BankAccount)
        }
        self._updated: list[dict[str, Any]] = []
        self._retired: dict[type[Base], list[str]] = {
            table: [] for table in (Cover, Membership, Income, BankAccount)
        }
        self._changes: list[Change] = []
        self._findings: list[Finding] = []
        self._seen: set[str] = set()

    # --- a household ---------------------------------------------------------------------------------

    def household(self, rows: Sequence[RosterRow]) -> None:
        """A household with its members: new, changed, or left as it is."""
        source = head_of(rows) or rows[0]
        number, figures = source.household_no, figures_of(rows)
        place = {"town": source.town, "village": source.village, "village_code": source.village_code}
        digest = self._digest("household", [number, place])
        known = self._known.households.get(number)
        identity = secrets.token_hex(16) if known is None else known.id
        registered = self._known.places.get(identity)
        if known is not None and registered not in (None, place):
            self._findings.append(Finding("roster_differs", identity, None, place))
            place, digest = registered, known.digest
        row = {"id": identity, **place, "digest": digest, "changed_at": self._at}
        before = None if known is None else known.digest
        changed = self._figures(identity, figures)
        if known is None:
            self._new[HouseholdRow].append({**row, "household_no": number, "merged_into": None, "version": 0})
            self.household_ids[number] = identity
            self.added += 1
            self._changes.append(Change("household.added", "household", identity, after=digest))
        elif changed or digest != before:
            self._updated.append(row)
            self.changed += 1
            self._changes.append(
                Change("household.changed", "household", identity, after=digest, before=before)
            )
        for member in rows:
            self._member(member, identity)
        if len(rows) > 1:
            self._two_numbers(rows, identity)

    def _figures(self, household_id: str, figures: Figures) -> bool:
        """The household's income and account as the roster has them; whether either is another one than before."""
        income = None if figures.income_per_head_fen is None else IncomeFigures(figures.income_per_head_fen)
        account = {
            "account_no": figures.account_no,
            "account_name": figures.account_name,
            "bank_code": figures.bank_code,
        }
        changed = self._fact(
            Income, household_id, None if income is None else asdict(income), {"main_source": None}
        )
        lookup = None if figures.account_no is None else self._sealer.lookup("account", figures.account_no)
        there = any(account.values())
        people = {"account_lookup": lookup, "asked_by": None, "decided_by": None}
        other = self._fact(BankAccount, household_id, account if there else None, people)
        held = self._known.register_accounts.get(household_id)
        if other and lookup is not None and held is not None and held != lookup:
            self._findings.append(Finding("account_differs", household_id, None, {"account": lookup}))
        return changed or other

    def _fact(
        self, table: type[Income] | type[BankAccount], household_id: str, content: Any, plain: dict[str, Any]
    ) -> bool:
        """One dated fact of a household, the old one retired where it is another; whether it is."""
        name = table.__tablename__
        known = self._known.facts[table].get(household_id)
        digest = None if content is None else self._digest(name, [household_id, content])
        if (None if known is None else known.digest) == digest and not (known and known.erased):
            return False
        if known is not None:
            self._retired[table].append(known.id)
        if digest is not None:
            identity = secrets.token_hex(16)
            text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
            self._new[table].append(
                {
                    "id": identity,
                    "household_id": household_id,
                    "policy_number": self._policy_number,
                    **plain,
                    "sealed": self._sealer.seal(name, "sealed", identity, text),
                    "digest": digest,
                    **self._times(),
                    "valid_from": None,
                    "valid_to": None,
                }
            )
        return True

    def _two_numbers(self, rows: Sequence[RosterRow], household_id: str) -> None:
        """Two of a household with one name and one birthday: perhaps one person under two ID numbers."""
        first: dict[tuple[str, str], str] = {}
        for row in rows:
            alike = (row.name, row.id_number[6:14])
            other = first.setdefault(alike, row.id_number)
            if other != row.id_number:
                numbers = sorted(
                    self._sealer.lookup("id_number", number) for number in (other, row.id_number)
                )
                self._findings.append(Finding("two_numbers", household_id, None, {"people": numbers}))

    # --- a person ------------------------------------------------------------------------------------

    def _member(self, row: RosterRow, household_id: str) -> None:
        lookup = self._sealer.lookup("id_number", row.id_number)
        name_lookup = self._sealer.lookup("name", row.name)
        person_id = self._person(row, lookup, name_lookup, household_id)
        cover_to = row.cover_to or self._policy_to
        content = [
            lookup,
            household_id,
            row.name,
            row.relation,
            row.category,
            row.village_code,
            row.cover_from.isoformat(),
            cover_to.isoformat(),
            row.renewal,
        ]
        digest = self._digest("cover", content)
        known = self._known.covers.get(person_id)
        self._seen.add(person_id)
        if known is not None and known.digest == digest:
            return
        identity = secrets.token_hex(16)
        self._new[Cover].append(
            {
                "id": identity,
                "policy_number": self._policy_number,
                "person_id": person_id,
                "household_id": household_id,
                "relation": row.relation,
                "category": row.category,
                "village_code": row.village_code,
                "cover_from": row.cover_from,
                "cover_to": cover_to,
                "renewal": row.renewal,
                "sealed": self._sealer.seal("cover", "sealed", identity, row.name),
                "digest": digest,
                **self._times(),
            }
        )
        if known is None:
            self.added += 1
            self._changes.append(Change("cover.added", "cover", identity, after=digest))
        else:
            self._retired[Cover].append(known.id)
            self.changed += 1
            self._changes.append(
                Change("cover.changed", "cover", identity, after=digest, before=known.digest)
            )
        self._membership(person_id, household_id, row.relation, known)

    def _person(self, row: RosterRow, lookup: str, name_lookup: str, household_id: str) -> str:
        """The person of a row by the ID number; a new one where nobody has it. Another name is a task for somebody."""
        known = self._known.people.get(lookup)
        if known is not None:
            if known.name_lookup != name_lookup:
                self._findings.append(Finding("two_names", household_id, known.id, {"name": row.name}))
            return known.id
        identity = secrets.token_hex(16)
        text = orjson.dumps({"id_number": row.id_number, "name": row.name}, option=orjson.OPT_SORT_KEYS)
        self._new[Person].append(
            {
                "id": identity,
                "id_lookup": lookup,
                "name_lookup": name_lookup,
                "sealed": self._sealer.seal("person", "sealed", identity, text),
                "digest": self._digest("person", [lookup, row.name]),
                "changed_at": self._at,
            }
        )
        self._known.people[lookup] = KnownPerson(identity, name_lookup)
        return identity

    def _membership(
        self, person_id: str, household_id: str, relation: str, before: KnownCover | None
    ) -> None:
        """Membership as the roster has it, where the register does not say otherwise."""
        there = self._known.memberships.get(person_id, ())
        if any(member.household_id == household_id and member.goes_on for member in there):
            return
        if person_id in self._known.linked:
            self._findings.append(Finding("roster_differs", household_id, person_id, {"linked": True}))
            return
        mine = [
            member
            for member in there
            if member.source == ROSTER and before is not None and member.household_id == before.household_id
        ]
        if len(mine) < len(there):
            self._findings.append(Finding("roster_differs", household_id, person_id, {}))
            return
        self._retired[Membership] += [member.id for member in mine]
        self._new[Membership].append(
            {
                "id": secrets.token_hex(16),
                "person_id": person_id,
                "household_id": household_id,
                "relation": relation,
                "began_by": "roster",
                "ended_by": None,
                **self._times(),
                "valid_from": None,
                "valid_to": None,
            }
        )

    def retire_the_rest(self) -> None:
        """Cover of people whom the policy's newest roster has no more."""
        for person_id, known in self._known.covers.items():
            if person_id not in self._seen:
                self._retired[Cover].append(known.id)
                self.changed += 1
                self._changes.append(Change("cover.retired", "cover", known.id, before=known.digest))

    # --- writing -------------------------------------------------------------------------------------

    def write_full_block(self) -> None:
        """Writes what was collected, once that is enough for a block."""
        if len(self._new[Cover]) >= _BLOCK:
            self.write()

    def write(self) -> None:
        """Writes what was collected: first what is retired, so that two rows never hold at once."""
        for table, ids in self._retired.items():
            retire(self._session, table, ids, self._at)
            ids.clear()
        self._update_households()
        for table, rows in self._new.items():
            bulk_insert(self._session, table_of(table), rows)
            rows.clear()
        record(self._session, self._actor, self._at, self._changes)
        self._changes.clear()
        open_tasks(self._session, self._sealer, self._actor, self._at, self._findings)
        self._findings.clear()

    def _update_households(self) -> None:
        if self._updated:
            table = table_of(HouseholdRow)
            values: dict[str, Any] = {
                name: bindparam(name) for name in ("town", "village", "village_code", "digest", "changed_at")
            }
            statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
            rows = [{**row, "row_id": row["id"]} for row in self._updated]
            self._session.connection().execute(statement, rows)
            self._updated.clear()

    def _times(self) -> dict[str, Any]:
        return {"source": ROSTER, "known_at": self._at, "retired_at": None}

    def _digest(self, table: str, content: Any) -> str:
        return self._sealer.digest(table, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def retire(session: Session, table: type[Base], ids: Sequence[str], at: datetime) -> None:
    """Facts that are believed no more from this moment on."""
    if ids:
        rows = table_of(table)
        statement = update(rows).where(rows.c.id == bindparam("row_id")).values(retired_at=at)
        session.connection().execute(statement, [{"row_id": identity} for identity in ids])
