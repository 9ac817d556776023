"""The facts of households that adjudication uses, put together from the register's and the departments' rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from foundation.identifiers import birth_date
from foundation.sealing import Sealer
from households.feeds import ClearanceRow, Feeds
from households.household import Clearance, Holding, Household, Member, PayrollSpell
from households.queries.feed_rows import feeds_of
from households.queries.registered import registered
from households.queries.views import View
from households.registered import HEAD, NO_FIGURES, Enrolled, Registered
from households.terms import MATTER_KEYS


def facts_of(
    session: Session,
    sealer: Sealer,
    view: View,
    id_numbers: Collection[str],
    payee_accounts: Collection[str] = (),
    day: date | None = None,
) -> tuple[Registered, Feeds]:
    """What adjudication needs about some people and their households, from the database.

    As the register has it on `day`, or as a policy's pack has it, and as known at the view's moment.
    `FactsOfHouseholds` puts it together; the claims' own surroundings are found in the feeds (`claims.matching`).
    """
    people = registered(session, sealer, view, id_numbers, payee_accounts, day)
    numbers = {*id_numbers, *(member.id_number for member in people.members)}
    households = {member.household_no for member in people.members}
    return people, feeds_of(session, sealer, view, numbers, households)


class FactsOfHouseholds:
    """Households with what the feeds have about their members. Nothing depends on the order of rows."""

    def __init__(self, registered: Registered, feeds: Feeds) -> None:
        self._registered = registered
        self._rows: dict[str, list[Enrolled]] = defaultdict(list)
        self._household_of: dict[str, str] = {}
        for row in sorted(registered.members, key=_in_order):
            self._rows[row.household_no].append(row)
            self._household_of[row.id_number] = row.household_no
        self._index_feeds(feeds)

    def household_no(self, id_number: str) -> str | None:
        """The household that a person is in, or None for somebody who is not insured."""
        return self._household_of.get(id_number)

    def account_also_of(self, account_no: str, household_no: str) -> str | None:
        """Another household that has this account (the first by number), or None."""
        others = self._registered.accounts.get(account_no, ())
        return min((number for number in others if number != household_no), default=None)

    def deaths(self, id_number: str) -> tuple[date, ...]:
        """Days of death that were reported for a person, ascending."""
        return tuple(sorted(self._deaths.get(id_number, ())))

    def household(self, household_no: str) -> Household:
        """The facts of one household."""
        rows = self._rows[household_no]
        figures = self._registered.figures.get(household_no, NO_FIGURES)
        kin = {(code, row.name) for row in rows for code in self._official_kin.get(row.id_number, ())}
        return Household(
            household_no=household_no,
            members=tuple(self._member(row) for row in rows),
            income_per_head_fen=figures.income_per_head_fen,
            account_no=figures.account_no,
            account_name=figures.account_name,
            bank_code=figures.bank_code,
            holdings={
                key: found for key, index in self._holdings.items() if (found := _of_members(index, rows))
            },
            payroll=tuple(sorted(set(self._payroll_spells(rows)), key=_by_text)),
            clearances=tuple(sorted(self._clearances.get(household_no, ()), key=_by_text)),
            official_kin=tuple(sorted(kin)),
            absent_feeds=self._absent,
        )

    def _member(self, row: Enrolled) -> Member:
        return Member(
            id_number=row.id_number,
            name=row.name,
            relation=row.relation,
            category=row.category,
            village_code=row.village_code,
            cover_from=row.cover_from,
            cover_to=row.cover_to,
            renewal=row.renewal,
            born_on=birth_date(row.id_number),
            deaths=self.deaths(row.id_number),
        )

    def _payroll_spells(self, rows: Iterable[Enrolled]) -> Iterable[PayrollSpell]:
        for row in rows:
            for since, until in self._payroll.get(row.id_number, ()):
                yield PayrollSpell(row.name, None, since, until)
            for relative, relation in self._kin.get(row.id_number, ()):
                for since, until in self._payroll.get(relative, ()):
                    yield PayrollSpell(relation, row.name, since, until)

    def _index_feeds(self, feeds: Feeds) -> None:
        self._absent = frozenset(feeds.absent())
        self._deaths: dict[str, set[date]] = defaultdict(set)
        for death in feeds.deaths or ():
            self._deaths[death.id_number].add(death.died_on)
        for row in self._registered.members:
            if row.died_on is not None:
                self._deaths[row.id_number].add(row.died_on)
        self._payroll: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
        for spell in feeds.payroll or ():
            self._payroll[spell.id_number].append((spell.from_date, spell.to_date))
        self._kin: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for kin in feeds.kin or ():
            self._kin[kin.id_number].append((kin.relative_id_number, kin.relation))
        self._official_kin: dict[str, list[str]] = defaultdict(list)
        for official in feeds.officials or ():
            self._official_kin[official.relative_id_number].append(official.village_code)
        self._clearances: dict[str, set[Clearance]] = defaultdict(set)
        for answer in feeds.clearances:
            self._clearances[answer.household_no].add(_clearance(answer))
        self._index_holdings(feeds)

    def _index_holdings(self, feeds: Feeds) -> None:
        holdings: dict[str, dict[str, list[tuple[str, int, date]]]] = {
            key: defaultdict(list) for key in ("deposit", "machinery", "housing", "vehicle", "company")
        }
        for deposit in feeds.deposits or ():
            holdings["deposit"][deposit.id_number].append(("", deposit.amount_fen, deposit.as_of))
        for machine in feeds.machinery or ():
            holdings["machinery"][machine.id_number].append(
                (machine.name, machine.price_fen, machine.registered_on)
            )
        for flat in feeds.housing or ():
            holdings["housing"][flat.id_number].append((flat.use, 0, flat.registered_on))
        for vehicle in feeds.vehicles or ():
            holdings["vehicle"][vehicle.id_number].append(
                (vehicle.plate, vehicle.price_fen, vehicle.registered_on)
            )
        for company in feeds.companies or ():
            holdings["company"][company.id_number].append(
                (company.status, company.capital_fen, company.founded_on)
            )
        self._holdings = holdings


def _in_order(row: Enrolled) -> tuple[bool, str, str]:
    """The head first, then the eldest first: the same whatever the order of the sheet."""
    return row.relation != HEAD, row.id_number[6:14], row.id_number


def _by_text(fact: Any) -> str:
    """Any order will do, as long as it is the same one whenever the facts are."""
    return str(fact)


def _of_members(
    index: Mapping[str, list[tuple[str, int, date]]], rows: Iterable[Enrolled]
) -> tuple[Holding, ...]:
    found = {
        Holding(row.name, what, amount, on)
        for row in rows
        for what, amount, on in index.get(row.id_number, ())
    }
    return tuple(sorted(found, key=_by_text))


def _clearance(row: ClearanceRow) -> Clearance:
    return Clearance(MATTER_KEYS[row.matter], row.cleared_on, row.passed)
