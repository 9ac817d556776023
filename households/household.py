"""A household as the roster and the departments have it: plain frozen data, and its stored form.

Pure. A feed that was absent is named in `absent_feeds`: no data is never read as clear. Money is in fen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from foundation.records import day_from_text, record_from_data


@dataclass(frozen=True, slots=True)
class Member:
    """One roster row of a household: who, since when covered, and the days of death that a department reported."""

    id_number: str
    name: str
    relation: str
    category: str
    village_code: str
    cover_from: date
    cover_to: date
    renewal: bool
    born_on: date
    deaths: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """Something of value that a department has on a member: a deposit, a machine, a flat, a vehicle, a company.

    `what` is its 用途 or 状态 where the standard asks for one, `on` its day of registration, founding or cut-off.
    """

    member: str
    what: str
    amount_fen: int
    on: date


@dataclass(frozen=True, slots=True)
class PayrollSpell:
    """A member's, or their relative's, time on the public payroll; `until` None is open."""

    person: str
    relative_of: str | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer to a hit of the comparison for a household: `matter` is a reverse standard's key."""

    matter: str
    on: date
    passed: bool


@dataclass(frozen=True, slots=True)
class Household:
    """A household as the roster and the departments have it; the same for each of its claims."""

    household_no: str
    members: tuple[Member, ...]
    income_per_head_fen: int | None
    account_no: str | None
    account_name: str | None
    bank_code: str | None
    holdings: dict[str, tuple[Holding, ...]]
    """By the key of the reverse standard: deposit, machinery, housing, vehicle, company."""
    payroll: tuple[PayrollSpell, ...]
    clearances: tuple[Clearance, ...]
    official_kin: tuple[tuple[str, str], ...]
    """(village code, member's name) for each member whom a village's official names as a relative."""
    absent_feeds: frozenset[str]


def household_from_data(data: dict[str, Any]) -> Household:
    """A household from its stored form."""

    def member(row: dict[str, Any]) -> Member:
        days = {"cover_from": day_from_text, "cover_to": day_from_text, "born_on": day_from_text}
        return record_from_data(Member, row, deaths=lambda rows: tuple(map(day_from_text, rows)), **days)

    def holdings(table: dict[str, Any]) -> dict[str, tuple[Holding, ...]]:
        return {
            key: tuple(record_from_data(Holding, row, on=day_from_text) for row in rows)
            for key, rows in table.items()
        }

    return record_from_data(
        Household,
        data,
        members=lambda rows: tuple(map(member, rows)),
        holdings=holdings,
        payroll=lambda rows: tuple(
            record_from_data(
                PayrollSpell,
                row,
                since=day_from_text,
                until=lambda day: None if day is None else day_from_text(day),
            )
            for row in rows
        ),
        clearances=lambda rows: tuple(record_from_data(Clearance, row, on=day_from_text) for row in rows),
        official_kin=lambda rows: tuple((code, name) for code, name in rows),
        absent_feeds=frozenset,
    )
