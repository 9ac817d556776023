"""The facts of households that adjudication uses, put together from the roster's and the departments' rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from foundation.identifiers import birth_date
from households.feeds import ClearanceRow, Feeds
from households.household import Clearance, Holding, Household, Member, PayrollSpell
from households.roster import RosterRow

HEAD = "户主"

MATTERS: Mapping[str, str] = {
    "存款": "deposit",
    "农机具": "machinery",
    "商品房": "housing",
    "车辆": "vehicle",
    "企业": "company",
    "财政供养": "payroll",
}
"""事项 of a clearance, and the reverse standard that it answers."""


class FactsOfHouseholds:
    """All households of a roster, with what the feeds have about their members.

    `cover_to` left empty in the roster is the policy's last day (rules.md §2).
    """

    def __init__(self, roster: Sequence[RosterRow], feeds: Feeds, policy_to: date) -> None:
        self._feeds = feeds
        self._policy_to = policy_to
        self._rows: dict[str, list[RosterRow]] = defaultdict(list)
        self._household_of: dict[str, str] = {}
        for row in roster:
            self._rows[row.household_no].append(row)
            self._household_of[row.id_number] = row.household_no
        self._heads = {
            number: head for number, rows in self._rows.items() if (head := _head(rows)) is not None
        }
        self._accounts: dict[str, list[str]] = defaultdict(list)
        for number, head in self._heads.items():
            if head.account_no:
                self._accounts[head.account_no].append(number)
        self._index_feeds(feeds)

    def household_no(self, id_number: str) -> str | None:
        """The household that a person is in, or None for somebody who is not in the roster."""
        return self._household_of.get(id_number)

    def account_also_of(self, account_no: str, household_no: str) -> str | None:
        """Another household whose head has this account in the roster (the first by number), or None."""
        return min(
            (number for number in self._accounts.get(account_no, ()) if number != household_no), default=None
        )

    def deaths(self, id_number: str) -> tuple[date, ...]:
        """Days of death that were reported for a person, ascending."""
        return tuple(sorted(self._deaths.get(id_number, ())))

    def household(self, household_no: str) -> Household:
        """The facts of one household."""
        rows = self._rows[household_no]
        head = self._heads.get(household_no)
        return Household(
            household_no=household_no,
            members=tuple(self._member(row) for row in rows),
            income_per_head_fen=None if head is None else head.income_per_head_fen,
            account_no=None if head is None else head.account_no,
            account_name=None if head is None else head.account_name,
            bank_code=None if head is None else head.bank_code,
            holdings={
                key: found for key, index in self._holdings.items() if (found := _of_members(index, rows))
            },
            payroll=tuple(self._payroll_spells(rows)),
            clearances=tuple(self._clearances.get(household_no, ())),
            official_kin=tuple(
                (code, row.name) for row in rows for code in self._official_kin.get(row.id_number, ())
            ),
            absent_feeds=self._absent,
        )

    def _member(self, row: RosterRow) -> Member:
        return Member(
            id_number=row.id_number,
            name=row.name,
            relation=row.relation,
            category=row.category,
            village_code=row.village_code,
            cover_from=row.cover_from,
            cover_to=row.cover_to or self._policy_to,
            renewal=row.renewal,
            born_on=birth_date(row.id_number),
            deaths=self.deaths(row.id_number),
        )

    def _payroll_spells(self, rows: Iterable[RosterRow]) -> Iterable[PayrollSpell]:
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
        self._payroll: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
        for spell in feeds.payroll or ():
            self._payroll[spell.id_number].append((spell.from_date, spell.to_date))
        self._kin: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for kin in feeds.kin or ():
            self._kin[kin.id_number].append((kin.relative_id_number, kin.relation))
        self._official_kin: dict[str, list[str]] = defaultdict(list)
        for official in feeds.officials or ():
            self._official_kin[official.relative_id_number].append(official.village_code)
        self._clearances: dict[str, list[Clearance]] = defaultdict(list)
        for row in feeds.clearances:
            self._clearances[row.household_no].append(_clearance(row))
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


def _head(rows: Sequence[RosterRow]) -> RosterRow | None:
    """The household's head 户主: of two, the first counts."""
    return next((row for row in rows if row.relation == HEAD), None)


def _of_members(
    index: Mapping[str, list[tuple[str, int, date]]], rows: Iterable[RosterRow]
) -> tuple[Holding, ...]:
    return tuple(
        Holding(row.name, what, amount, on)
        for row in rows
        for what, amount, on in index.get(row.id_number, ())
    )


def _clearance(row: ClearanceRow) -> Clearance:
    return Clearance(MATTERS[row.matter], row.cleared_on, row.passed)
