"""What a comparison was made by, as its run keeps it: the standards, the checks, and the state of every feed then.

Pure. A feed that is not among `feeds` was not there: NO DATA.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from households.checks import CHECKS, Check
from households.comparing import State, delivered, state_of


@dataclass(frozen=True, slots=True)
class Source:
    """A feed as it stood in a run. `as_of` None: it came with a county pack, which does not say of which day it is."""

    delivery_id: str
    as_of: date | None
    taken_in_on: date
    late_days: int

    @property
    def day(self) -> date:
        """The day that it can be of at the latest."""
        return self.as_of or self.taken_in_on

    @property
    def late(self) -> bool:
        """Whether it is older than its calendar allows."""
        return self.late_days > 0


@dataclass(frozen=True, slots=True)
class Basis:
    """Where the reverse standards come from: the county's `standard` of a year, or a `policy` by its number.

    `stale`: there are none for the day, and these are the last ones before it.
    """

    kind: str
    name: str
    stale: bool


@dataclass(frozen=True)
class Setting:
    """What a run was made by. `checks` in order; a reverse standard that was not in force is not among them."""

    basis: Basis | None
    checks: tuple[str, ...]
    feeds: Mapping[str, Source]

    def state(self, check: Check, *, hit: bool) -> State:
        """What a check came to for a person."""
        return state_of(check, self.feeds, hit=hit)

    def made(self) -> list[Check]:
        """The checks that were made; of another version's only those that there still are."""
        return [CHECKS[key] for key in self.checks if key in CHECKS]

    def without_data(self) -> list[Check]:
        """The checks that nobody can be clear of."""
        return [check for check in self.made() if not delivered(check, self.feeds)]

    def overdue(self) -> list[Check]:
        """The checks of which some data is older than its calendar allows."""
        late = {feed for feed, source in self.feeds.items() if source.late}
        return [check for check in self.made() if not late.isdisjoint(check.feeds)]

    def as_text(self) -> str:
        """JSON, as `ComparisonRun.feeds` keeps it."""
        feeds = {
            feed: {
                "delivery": one.delivery_id,
                "as_of": one.as_of,
                "taken_in_on": one.taken_in_on,
                "late_days": one.late_days,
            }
            for feed, one in self.feeds.items()
        }
        basis = None if self.basis is None else asdict(self.basis)
        content = {"basis": basis, "checks": self.checks, "feeds": feeds}
        return json.dumps(content, ensure_ascii=False, default=date.isoformat)


def setting_from(text: str) -> Setting:
    """A setting from its stored form."""
    data: dict[str, Any] = json.loads(text)
    feeds = {
        feed: Source(
            one["delivery"],
            None if one["as_of"] is None else date.fromisoformat(one["as_of"]),
            date.fromisoformat(one["taken_in_on"]),
            one["late_days"],
        )
        for feed, one in data["feeds"].items()
    }
    basis = None if data["basis"] is None else Basis(**data["basis"])
    return Setting(basis, tuple(data["checks"]), feeds)


def data_changes(before: Setting, now: Setting) -> tuple[list[Check], list[Check]]:
    """(checks that had no data and have some now, the reverse), of those that both runs made."""
    both = [check for check in now.made() if check.key in before.checks]
    had, has = before.feeds, now.feeds
    came = [check for check in both if delivered(check, has) and not delivered(check, had)]
    went = [check for check in both if delivered(check, had) and not delivered(check, has)]
    return came, went
