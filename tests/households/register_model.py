"""A small plain model of the register: where everybody is, on each of some days, as believed after each change.

It knows nothing of retired rows or of spells: a person's life is a list with one entry a day. Day 0 stands for all days
before, and the last one for all that come.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

FIRST = date(2020, 6, 1)
DAYS = 22
"""Day 1 is FIRST, day 20 is today; day 21 is tomorrow and all that come."""
TODAY = 20


def day_of(index: int) -> date:
    """The date of a day of the model."""
    return FIRST + timedelta(days=index - 1)


@dataclass
class Life:
    """One person. `homes`: the household of each day, None for none; `died` is the day of death."""

    homes: list[str | None]
    roster_home: str | None = None
    """Where the newest roster has them."""
    roster_cover: tuple[date, date] | None = None
    own_covers: list[tuple[date, date]] = field(default_factory=list)
    died: int | None = None
    by_hand: bool = False
    """Whether the register has said anything of where they are."""

    def counted_covers(self) -> list[tuple[date, date]]:
        """The register's covers, or the roster's where it has none."""
        return self.own_covers or ([self.roster_cover] if self.roster_cover else [])

    def goes_on_from(self, index: int) -> bool:
        """Whether they are in one household from a day on, and were there the day before."""
        home = self.homes[index]
        return home is not None and all(other == home for other in self.homes[index - 1 :])


@dataclass
class World:
    """Everything that is believed at a moment."""

    lives: dict[str, Life] = field(default_factory=dict)
    roster_accounts: dict[str, str | None] = field(default_factory=dict)
    """Household → its head's account, in the newest roster that has the household."""
    accounts: dict[str, dict[int, str]] = field(default_factory=dict)
    """Household → account by the day that it begins on, as two persons agreed."""
    merged: set[str] = field(default_factory=set)

    def members(self, household: str, index: int) -> set[str]:
        """Who is in a household on a day."""
        return {person for person, life in self.lives.items() if life.homes[index] == household}

    def enrolled(self, household: str, index: int) -> set[str]:
        """Who counts among its insured: its members with any cover, and its dead."""
        return {
            person
            for person, life in self.lives.items()
            if life.counted_covers() and self._home(life, index) == household
        }

    @staticmethod
    def _home(life: Life, index: int) -> str | None:
        if life.died is not None and index > life.died:
            return life.homes[life.died]
        return life.homes[index]

    def cover(self, person: str, index: int) -> tuple[date, date] | None:
        """The cover that counts for a person on a day: the nearest."""
        day = day_of(index)

        def distance(cover: tuple[date, date]) -> tuple[int, date]:
            first, last = cover
            if first <= day <= last:
                return 0, first
            return min(abs((day - first).days), abs((day - last).days)), first

        return min(self.lives[person].counted_covers(), key=distance, default=None)

    def account(self, household: str, index: int) -> str | None:
        """The account into which a household is paid on a day."""
        begun = [start for start in self.accounts.get(household, {}) if start <= index]
        if begun:
            return self.accounts[household][max(begun)]
        return self.roster_accounts.get(household)


@dataclass
class Model:
    """What was believed at each moment: one whole world after each change."""

    history: list[tuple[datetime, World]] = field(default_factory=list)

    @property
    def now(self) -> World:
        return self.history[-1][1] if self.history else World()

    def as_known(self, at: datetime) -> World:
        """The world as believed at a moment."""
        known = World()
        for moment, world in self.history:
            if moment <= at:
                known = world
        return known

    def next(self, at: datetime) -> World:
        """A copy of what is believed, to be changed, which is believed from a moment on."""
        world = copy.deepcopy(self.now)
        self.history.append((at, world))
        return world
