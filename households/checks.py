"""The checks of the comparison 一站式比对: what each looks for, and in which departments' feeds. Pure.

The six reverse standards come first, then relatives of officials and deaths; every further feed that names people is a
check of its own: whether the department has them at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from households.layouts import layouts
from households.reverse_standards import HOLDING_FEEDS
from households.terms import Pair
from policies.policy import REVERSE_STANDARDS


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `feeds` are all that it needs to say CLEAR; the first is the one whose rows hit.

    `kind`: `holding` and `payroll` go by a reverse standard, `official` by the person's village; `presence` is met by
    any row.
    """

    key: str
    title: Pair
    kind: str
    feeds: tuple[str, ...]

    @property
    def feed(self) -> str:
        """The feed whose rows hit."""
        return self.feeds[0]

    @property
    def reverse(self) -> bool:
        """Whether it is a reverse standard, which a clearance can answer and which has to be in force."""
        return self.key in REVERSE_STANDARDS

    @property
    def examined(self) -> bool:
        """Whether a hit has to be looked into; any other only says that a department has a record of the person."""
        return self.kind != "presence" or self.key == "death"


_HOLDINGS: Mapping[str, Pair] = {
    "deposit": ("大额存款", "Large deposits"),
    "machinery": ("大型农机具", "Farm machinery"),
    "housing": ("商品房", "Commercial housing"),
    "vehicle": ("高档车辆", "Costly vehicles"),
    "company": ("开办企业", "Companies"),
}


def _checks() -> dict[str, Check]:
    found = [Check(key, title, "holding", (HOLDING_FEEDS[key],)) for key, title in _HOLDINGS.items()]
    found += [
        Check(
            "payroll",
            ("财政供养(含直系亲属)", "Public payroll, relatives too"),
            "payroll",
            ("payroll", "kin"),
        ),
        Check("official_relative", ("干部亲属", "Officials' relatives"), "official", ("officials",)),
        Check("death", ("死亡登记", "Registered deaths"), "presence", ("deaths",)),
    ]
    taken = {feed for check in found for feed in check.feeds}
    found += [
        Check(layout.feed, layout.title, "presence", (layout.feed,))
        for layout in layouts().values()
        if layout.person >= 0 and layout.feed not in taken
    ]
    return {check.key: check for check in found}


CHECKS: Mapping[str, Check] = _checks()
"""Key → check, in the order in which they are shown."""

EXAMINED: tuple[str, ...] = tuple(key for key, check in CHECKS.items() if check.examined)
"""Keys of the checks whose hits have to be looked into."""
