"""What the register or a roster says of some households: who belongs to them, their cover, their figures. Pure.

Money in fen. `households.facts` puts these together with the departments' rows into the facts of a household.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from households.roster import RosterRow

HEAD = "户主"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A person of a household with their cover, as a row of 参保名册 has it."""

    household_no: str
    relation: str
    name: str
    id_number: str
    category: str
    village_code: str
    cover_from: date
    cover_to: date
    renewal: bool
    died_on: date | None = None
    """A death that the register knows of, whether or not a department has reported it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A household's income a head and the account into which it is paid."""

    income_per_head_fen: int | None = None
    account_no: str | None = None
    account_name: str | None = None
    bank_code: str | None = None


@dataclass(frozen=True, slots=True)
class IncomeFigures:
    """A household's income of a year in fen: by its four sources where it was surveyed, less the cost of production.

    A roster gives `per_head_fen` only. Of a survey it is (the four − cost) / members, rounded down to the fen.
    """

    per_head_fen: int | None
    wages_fen: int | None = None
    operating_fen: int | None = None
    property_fen: int | None = None
    transfer_fen: int | None = None
    cost_fen: int | None = None
    members: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """Some households. `accounts`: account number → the households that have it, these and any others."""

    members: Sequence[Enrolled]
    figures: Mapping[str, Figures]
    accounts: Mapping[str, Sequence[str]] = field(default_factory=dict)


NO_FIGURES = Figures()


def head_of(rows: Iterable[RosterRow]) -> RosterRow | None:
    """The household's head 户主: of two, the first counts (rules.md §2)."""
    return next((row for row in rows if row.relation == HEAD), None)


def by_household(roster: Sequence[RosterRow]) -> dict[str, list[RosterRow]]:
    """The rows of a roster by household number, in the order of the sheet."""
    groups: dict[str, list[RosterRow]] = defaultdict(list)
    for row in roster:
        groups[row.household_no].append(row)
    return groups


def figures_of(rows: Sequence[RosterRow]) -> Figures:
    """A household's figures are its head's row's; without a head it has none."""
    head = head_of(rows)
    if head is None:
        return NO_FIGURES
    return Figures(head.income_per_head_fen, head.account_no, head.account_name, head.bank_code)


def registered_of_roster(roster: Sequence[RosterRow], policy_to: date) -> Registered:
    """A roster by itself. `cover_to` left empty is the policy's last day."""
    figures = {number: figures_of(rows) for number, rows in by_household(roster).items()}
    accounts: dict[str, list[str]] = defaultdict(list)
    for number, household in figures.items():
        if household.account_no:
            accounts[household.account_no].append(number)
    return Registered([_enrolled(row, policy_to) for row in roster], figures, accounts)


def _enrolled(row: RosterRow, policy_to: date) -> Enrolled:
    return Enrolled(
        household_no=row.household_no,
        relation=row.relation,
        name=row.name,
        id_number=row.id_number,
        category=row.category,
        village_code=row.village_code,
        cover_from=row.cover_from,
        cover_to=row.cover_to or policy_to,
        renewal=row.renewal,
    )
