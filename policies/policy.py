"""The master policy and its benefit schedule as data: what is in force on a day.

Pure. A policy file is read by `policies.policy_file`; this page says what it becomes. Every dated parameter is read as
of the event date (rules.md §1), so a policy is a row of `Terms`, each in force from one date until the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

BENEFIT_KINDS: Mapping[str, Mapping[str, str]] = {
    "illness": {"medical": "expense"},
    "education": {"tuition": "expense"},
    "accident": {"death": "fixed", "disability": "graded", "medical": "expense", "property": "expense"},
    "income": {"shortfall": "shortfall"},
}
"""The lines and benefits that a policy may have, with the kind of each (rules.md §3)."""

REVERSE_STANDARDS = ("deposit", "machinery", "housing", "vehicle", "company", "payroll")
"""The reverse standards 反向标准 in the order of rules.md §3."""

AMOUNT_KEYS: Mapping[str, str] = {
    "deposit": "amount_from",
    "machinery": "price_from",
    "vehicle": "price_from",
    "company": "capital_from",
}
"""The key of the least sum that hits, for the reverse standards that have one."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An exact decimal from 0 to 1: numerator over a power of ten, and the text that people read."""

    numerator: int
    denominator: int
    text: str

    @classmethod
    def of(cls, text: str) -> Rate:
        """The rate that a decimal without sign and exponent writes: `0.33`."""
        whole, _, decimals = text.partition(".")
        return cls(int(whole + decimals), 10 ** len(decimals), text)


@dataclass(frozen=True, slots=True)
class Tier:
    """`rate` is paid on the part of the cost that lies above `from_fen` (and below the next tier's)."""

    from_fen: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Benefit:
    """One benefit of a line as in force. Fields that its kind does not have are None or empty."""

    line: str
    key: str
    kind: str
    clause: str
    evidence: tuple[str, ...]
    """Papers asked for: the line's and then the benefit's, each once."""
    per_household: bool = False
    over_academic_year: bool = False
    franchise_fen: Mapping[str, int] | None = None
    """Franchise by 人员类别, `default` for all others; None when there is none."""
    tiers: tuple[Tier, ...] = ()
    cap_fen: int | None = None
    sum_fen: int = 0
    grades: tuple[Rate, ...] = ()
    rate: Rate | None = None
    cap_per_head_fen: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of cover as in force."""

    key: str
    title: str
    clause: str
    income_ceiling: Fraction | None
    """Multiple of the poverty line, exact."""
    income_ceiling_text: str | None
    waiting_days: int
    excluded_causes: frozenset[str]
    covered_causes: frozenset[str] | None
    levels: frozenset[str] | None
    benefits: Mapping[str, Benefit]


@dataclass(frozen=True, slots=True)
class ReverseStandard:
    """One reverse standard 反向标准 as in force; `from_fen` is the least sum that hits."""

    key: str
    clause: str
    from_fen: int = 0
    uses: frozenset[str] = frozenset()
    within_years: int | None = None
    statuses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that a policy says on one day."""

    notice_days: int
    time_bar_years: int
    household_cap_fen: int | None
    lines: Mapping[str, Line]
    reverse: Mapping[str, ReverseStandard]


@dataclass(frozen=True)
class Policy:
    """A master policy. `fingerprint` is the SHA-256 of its canonical content: layout and comments do not change it."""

    number: str
    title: str
    purchaser: str
    insurer: str
    jurisdiction: str
    period_from: date
    period_to: date
    premium_per_head_fen: int
    poverty_line_fen: int
    poverty_line_basis_fen: int
    poverty_line_ratio: Rate
    poverty_line_clause: str
    starts: tuple[date, ...]
    """First day of each of `versions`, ascending; the first also holds before its day."""
    versions: tuple[Terms, ...]
    fingerprint: str
    canonical: str
    """The canonical content itself, JSON: `policies.policy_file.policy_from_canonical` makes this policy from it."""

    def on(self, day: date) -> Terms:
        """The terms in force on an event date; before the first date of all, the first ones."""
        return self.versions[max(0, bisect_right(self.starts, day) - 1)]
