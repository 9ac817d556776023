"""Reading what the departments sent, feeds/*.csv, and clearances.csv (rules.md §2). Money in fen.

A feed that is absent is no data and stays None: it is never read as clear. A feed with a header and no rows is
data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from itertools import starmap
from pathlib import Path
from typing import Any

from foundation.collecting import without_cycle_search
from foundation.errors import Fault, UnusableInput
from foundation.tables import RowError
from households.feed_files import csv_blocks
from households.layouts import layouts
from households.terms import MATTER_KEYS


@dataclass(frozen=True, slots=True)
class MedicalRow:
    """A settlement of the medical insurance 医保结算."""

    document_no: str
    id_number: str
    name: str
    settled_on: date
    total_fen: int
    basic_fen: int
    major_fen: int
    aid_fen: int


@dataclass(frozen=True, slots=True)
class EducationRow:
    """A pupil's or student's enrolment 学籍."""

    id_number: str
    name: str
    academic_year: str
    school: str
    level: str
    status: str


@dataclass(frozen=True, slots=True)
class AccidentRow:
    """A traffic accident 交通事故, and whether the person drove drunk 本人酒驾."""

    accident_no: str
    id_number: str
    occurred_on: date
    drunk: bool


@dataclass(frozen=True, slots=True)
class DeathRow:
    """A registered death 死亡登记."""

    id_number: str
    name: str
    died_on: date


@dataclass(frozen=True, slots=True)
class HousingRow:
    """A registered building 不动产, with its use 用途."""

    id_number: str
    use: str
    registered_on: date


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A motor vehicle 机动车."""

    id_number: str
    plate: str
    price_fen: int
    registered_on: date


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A person's company 市场主体, with its registered capital 注册资本 and status 状态."""

    id_number: str
    name: str
    capital_fen: int
    founded_on: date
    status: str


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A large deposit 大额存款 as of its cut-off day 截止日期."""

    id_number: str
    amount_fen: int
    as_of: date


@dataclass(frozen=True, slots=True)
class MachineryRow:
    """A large farm machine 大型农机具."""

    id_number: str
    name: str
    price_fen: int
    registered_on: date


@dataclass(frozen=True, slots=True)
class PayrollRow:
    """Time on the public payroll 财政供养; `to_date` None is open."""

    id_number: str
    employer: str
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class KinRow:
    """A near relative 直系亲属 of a person."""

    id_number: str
    relative_id_number: str
    relation: str


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """A relative of a village's official 干部亲属."""

    official_id_number: str
    village_code: str
    relative_id_number: str


@dataclass(frozen=True, slots=True)
class ClearanceRow:
    """The answer to a hit of the comparison 核查澄清: `matter` is the word of 事项, `passed` says 通过."""

    household_no: str
    matter: str
    cleared_on: date
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """All that the departments sent; None for a feed that is absent. Clearances that are absent are none."""

    medical: list[MedicalRow] | None = None
    education: list[EducationRow] | None = None
    accidents: list[AccidentRow] | None = None
    deaths: list[DeathRow] | None = None
    housing: list[HousingRow] | None = None
    vehicles: list[VehicleRow] | None = None
    companies: list[CompanyRow] | None = None
    deposits: list[DepositRow] | None = None
    machinery: list[MachineryRow] | None = None
    payroll: list[PayrollRow] | None = None
    kin: list[KinRow] | None = None
    officials: list[OfficialRow] | None = None
    clearances: list[ClearanceRow]

    def absent(self) -> list[str]:
        """Names of the feeds that are absent: no data, which is never read as clear."""
        return [field.name for field in fields(self) if getattr(self, field.name) is None]


_ROWS: dict[str, Any] = {
    "medical": MedicalRow,
    "education": EducationRow,
    "accidents": AccidentRow,
    "deaths": DeathRow,
    "housing": HousingRow,
    "vehicles": VehicleRow,
    "companies": CompanyRow,
    "deposits": DepositRow,
    "machinery": MachineryRow,
    "payroll": PayrollRow,
    "kin": KinRow,
    "officials": OfficialRow,
    "clearances": ClearanceRow,
}

COLUMNS: dict[str, tuple[Any, ...]] = {feed: (row, layouts()[feed].columns) for feed, row in _ROWS.items()}
"""By the feed's name, its row and its columns as rules.md lists them."""


MATTER_NAMES = {key: word for word, key in MATTER_KEYS.items()}
FEEDS = tuple(feed for feed in COLUMNS if feed != "clearances")
"""The departments' feeds of a pack, in the order of rules.md."""


def file_of(feed: str) -> str:
    """The path of a feed in its pack, `/` between folders."""
    return layouts()[feed].file or f"feeds/{feed}.csv"


@without_cycle_search()
def read_feeds(pack: Path) -> tuple[Feeds, list[RowError]]:
    """All feeds of a pack's folder and its clearances, with the refused cells in the order of errors.csv.

    Raises UnusableInput with every feed that is there and cannot be read.
    """
    found: dict[str, Any] = {"clearances": []}
    errors: list[RowError] = []
    faults: list[Fault] = []
    for feed, (row, _) in COLUMNS.items():
        file = file_of(feed)
        path = pack / file
        if not path.exists():
            continue
        rows: list[Any] = []
        try:
            for block in csv_blocks(path, layouts()[feed], file):
                rows.extend(starmap(row, block.rows))
                errors.extend(block.errors)
        except UnusableInput as unusable:
            faults.extend(unusable.faults)
            continue
        found[feed] = rows
    if faults:
        raise UnusableInput(faults)
    return Feeds(**found), sorted(errors, key=lambda error: error.file)
