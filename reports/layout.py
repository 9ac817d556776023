"""How figures are laid out in tables and charts: parts of long tables, sums by line and town, shares.

Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from foundation.money import half_up
from reports.figures import BatchLine, PaidCase, ProgrammeFigures

ROWS_A_TABLE = 200
"""A longer table takes more than its share of time to print, so it goes on as a new one."""


Row = TypeVar("Row", BatchLine, PaidCase)


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """Some rows of a long table, with the numbers of the first and last, and their sum."""

    number: int
    first: int
    last: int
    rows: Sequence[Row]
    amount_fen: int


def parts(rows: Sequence[Row]) -> list[Part[Row]]:
    """A long table in parts of at most 200 rows."""
    found: list[Part[Row]] = []
    for start in range(0, len(rows), ROWS_A_TABLE):
        some = rows[start : start + ROWS_A_TABLE]
        amount = sum(row.amount_fen if isinstance(row, BatchLine) else row.paid_fen for row in some)
        found.append(Part(len(found) + 1, start + 1, start + len(some), some, amount))
    return found


@dataclass(frozen=True, slots=True)
class Sum:
    """A name with how many payments and how much."""

    name: str
    count: int
    amount_fen: int


def sums(lines: Iterable[BatchLine], name_of: Callable[[BatchLine], str]) -> list[Sum]:
    """How many and how much by name, in the order in which the names come first."""
    groups: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        groups[name_of(line)].append(line.amount_fen)
    return [Sum(name, len(amounts), sum(amounts)) for name, amounts in groups.items()]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Payments by town and line: a row for each town with a sum for each line, and the totals of both."""

    columns: list[str]
    rows: list[tuple[str, list[Sum], Sum]]
    totals: list[Sum]
    total: Sum


def matrix(lines: Sequence[BatchLine]) -> Matrix:
    """Payments by town (by amount, the largest first) and line."""
    columns = [item.name for item in sums(lines, lambda line: line.line_title)]
    towns = sorted(sums(lines, lambda line: line.town), key=lambda item: (-item.amount_fen, item.name))
    rows = []
    for town in towns:
        in_town = {
            item.name: item
            for item in sums((r for r in lines if r.town == town.name), lambda r: r.line_title)
        }
        rows.append((town.name, [in_town.get(column, Sum(column, 0, 0)) for column in columns], town))
    totals = {item.name: item for item in sums(lines, lambda line: line.line_title)}
    whole = Sum("合计", len(lines), sum(line.amount_fen for line in lines))
    return Matrix(columns, rows, [totals[column] for column in columns], whole)


def percent(part: int, whole: int, decimals: int = 2) -> str:
    """A share in percent, rounded half up; a dash of nothing."""
    if whole <= 0:
        return "—"
    scaled = half_up(part * 100 * 10**decimals, whole)
    return f"{scaled // 10**decimals}.{scaled % 10**decimals:0{decimals}d}%"


def programme(figures: ProgrammeFigures) -> dict[str, Any]:
    """What the programme's figures come to: means and shares."""
    people, total = figures.total.people, figures.total
    return {
        "mean_fen": half_up(total.amount_fen, people) if people else 0,
        "per_covered_fen": half_up(total.amount_fen, figures.covered_people) if figures.covered_people else 0,
        "incidence": percent(people, figures.covered_people, 3),
        "loss_ratio": percent(total.amount_fen, figures.received_fen),
        "open": total.supplement + total.refer,
        "towns": [
            tally for tally in figures.by_town if tally.claims or tally.name in figures.covered_by_town
        ],
        "left_fen": figures.received_fen - figures.sent_fen,
    }


@dataclass(frozen=True, slots=True)
class Worker:
    """A person who decided or paid: the sign that stands for them in the table, and what they did, how often."""

    sign: str
    person: str
    role: str
    cases: int
    amount_fen: int


_ROLES: tuple[tuple[str, str], ...] = (
    ("recommended_by", "理赔建议"),
    ("determined_by", "核定"),
    ("made_by", "制单"),
    ("checked_by", "复核"),
    ("released_by", "授权"),
)


def people(cases: Sequence[PaidCase]) -> dict[str, Any]:
    """Everybody who decided or paid, in the order of the work, with a sign each; and the signs by person."""
    signs: dict[str, str] = {}
    workers = []
    for name, role in _ROLES:
        amounts: dict[str, list[int]] = defaultdict(list)
        for case in cases:
            amounts[getattr(case, name)].append(case.paid_fen)
        for person, sums_of in amounts.items():
            if person:
                sign = signs.setdefault(person, f"P{len(signs) + 1}")
                workers.append(Worker(sign, person, role, len(sums_of), sum(sums_of)))
    return {"workers": workers, "signs": signs}
