"""The register against a small plain model: births, moves, deaths, splits, merges, corrections, rosters, accounts.

Whatever was done, who is in which household on which day, with which cover and account, is the same in both; and what
was answered as known at some moment is answered so for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from foundation.errors import ConflictError, InvalidInput
from households.models.people import HouseholdRow, Membership, Person
from households.queries.people import counting, members_of, spells_of
from households.queries.registered import registered
from households.queries.views import View
from households.roster import RosterRow
from households.services import covers, register
from households.services.proposals import ask, decide
from tests.households.people import id_number
from tests.households.register_model import DAYS, TODAY, Life, Model, World, day_of
from tests.households.registry import ASKER, DECIDER, PAPER, Register, opened, row

_namespaces = count(1)
VILLAGE = "370323105207"
days = st.integers(min_value=1, max_value=TODAY)
numbers = st.integers(min_value=0, max_value=10**6)


THOROUGH = tuple(Phase)
QUICK = (Phase.explicit, Phase.generate)
"""The usual run does not look for a shorter example of a failure: that takes minutes."""


class Machine(RuleBasedStateMachine):
    """Does the same to the register and to the model, and compares what both say after every step."""

    register: Register
    """Set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.space = next(_namespaces)
        self.policy = f"P{self.space}"
        self.model = Model()
        self.people = count(1)
        self.ids: dict[str, str] = {}
        self.asked: list[tuple[datetime, int, dict[str, Any]]] = []
        self.take_in_roster([(0, "户主"), (0, "配偶"), (0, "子"), (1, "户主"), (1, "配偶"), (2, "户主")])

    # --- rosters -------------------------------------------------------------------------------------

    def household_no(self, index: int) -> str:
        return f"{self.space:05d}{index:06d}"

    def fresh_number(self, born: date = date(1980, 1, 1)) -> str:
        """An ID number that no other example and no other person has."""
        place = 100000 + self.space % 800000
        return id_number(next(self.people), f"{born:%Y%m%d}", f"{place}")

    def take_in_roster(self, members: list[tuple[int, str]]) -> None:
        rows = [
            row(
                self.household_no(home),
                self.fresh_number(),
                relation,
                f"甲{place}",
                VILLAGE,
                self.account_of(home),
            )
            for place, (home, relation) in enumerate(members)
        ]
        self.roster = rows
        self.write_roster(rows)

    def account_of(self, home: int) -> str:
        return f"62{self.space:08d}{home:04d}"

    def write_roster(self, rows: list[RosterRow]) -> None:
        households = self.register.roster(rows, self.policy)
        world = self.model.next(self.register.at)
        mine = f"{self.space:05d}"
        self.ids |= {number: row_id for number, row_id in households.items() if number.startswith(mine)}
        named = {one.id_number: one for one in rows}
        for person, life in world.lives.items():
            if person not in named:
                life.roster_cover = life.roster_home = None
        for one in rows:
            life = world.lives.setdefault(one.id_number, Life([one.household_no] * DAYS))
            before = life.roster_home
            if before not in (None, one.household_no) and not life.by_hand:
                life.homes = [one.household_no] * DAYS
            life.roster_home = one.household_no
            life.roster_cover = (one.cover_from, one.cover_to or date(2020, 12, 31))
        for number in {one.household_no for one in rows}:
            heads = [one for one in rows if one.household_no == number and one.relation == "户主"]
            world.roster_accounts[number] = heads[0].account_no if heads else None

    @rule(
        which=numbers, home=st.integers(min_value=0, max_value=3), last=st.integers(min_value=1, max_value=12)
    )
    def a_row_of_the_roster_changes(self, which: int, home: int, last: int) -> None:
        place = which % len(self.roster)
        old = self.roster[place]
        changed = row(
            self.household_no(home),
            old.id_number,
            "其他" if old.relation != "户主" else "户主",
            old.name,
            VILLAGE,
            old.account_no,
            cover_to=date(2020, last, 28),
        )
        self.roster = [*self.roster[:place], changed, *self.roster[place + 1 :]]
        self.write_roster(self.roster)

    @precondition(lambda self: len(self.roster) > 2)
    @rule(which=numbers)
    def the_roster_has_somebody_no_more(self, which: int) -> None:
        place = which % len(self.roster)
        self.roster = self.roster[:place] + self.roster[place + 1 :]
        self.write_roster(self.roster)

    # --- people --------------------------------------------------------------------------------------

    def everybody(self, allowed: Callable[[Life], bool]) -> list[str]:
        return sorted(
            person for person, life in self.model.now.lives.items() if life.died is None and allowed(life)
        )

    def spell(self, person: str) -> Membership:
        """The last spell of a person that is believed."""
        with self.register.database.reading() as session:
            return spells_of(session, [self.register.person(person)])[-1]

    def homes(self) -> list[str]:
        return sorted(set(self.ids) - self.model.now.merged)

    @rule(day=days, home=numbers)
    def a_child_is_born(self, day: int, home: int) -> None:
        homes = self.homes()
        number = homes[home % len(homes)]
        child = self.fresh_number(day_of(day))
        who = register.Newcomer("新生", child, "子", "birth")
        with self.register.change() as session:
            register.add_person(session, self.register.sealer, ASKER, self.register.at, self.ids[number], who)
        world = self.model.next(self.register.at)
        world.lives[child] = Life([None] * day + [number] * (DAYS - day), by_hand=True)

    @rule(which=numbers, day=days, home=numbers)
    def somebody_moves(self, which: int, day: int, home: int) -> None:
        movers = self.everybody(lambda life: life.goes_on_from(day))
        if not movers:
            return
        person = movers[which % len(movers)]
        life = self.model.now.lives[person]
        others = [number for number in self.homes() if number != life.homes[day]]
        if not others:
            return
        number, spell = others[home % len(others)], self.spell(person)
        who = register.Newcomer(self.name_of(person), person, "其他", "moved_in", day_of(day))
        with self.register.change() as session:
            common = (session, self.register.sealer, ASKER, self.register.at)
            register.leave(*common, spell.id, "moved_out", day_of(day))
            register.add_person(*common, self.ids[number], who)
        life = self.model.next(self.register.at).lives[person]
        life.homes[day:] = [number] * (DAYS - day)
        life.by_hand = True

    def name_of(self, person: str) -> str:
        found = next((one.name for one in self.roster if one.id_number == person), None)
        if found is not None:
            return found
        with self.register.database.reading() as session:
            spell = spells_of(session, [self.register.person(person)])[-1]
            members = members_of(session, self.register.sealer, spell.household_id, day_of(TODAY))
            return next(one.name or "" for one in members if one.id_number == person)

    @rule(which=numbers, day=days)
    def somebody_dies(self, which: int, day: int) -> None:
        mortal = self.everybody(lambda life: life.goes_on_from(day))
        if not mortal:
            return
        person = mortal[which % len(mortal)]
        spell = self.spell(person)
        with self.register.change() as session:
            register.leave(
                session, self.register.sealer, ASKER, self.register.at, spell.id, "death", day_of(day)
            )
        life = self.model.next(self.register.at).lives[person]
        life.homes[day + 1 :] = [None] * (DAYS - day - 1)
        life.died, life.by_hand = day, True

    @rule(which=numbers, day=days)
    def nobody_comes_twice(self, which: int, day: int) -> None:
        there = self.everybody(lambda life: life.homes[TODAY + 1] is not None)
        homes = self.homes()
        if not there:
            return
        person = there[which % len(there)]
        who = register.Newcomer(self.name_of(person), person, "其他", "moved_in", day_of(day))
        with pytest.raises((ConflictError, InvalidInput)), self.register.change() as session:
            register.add_person(
                session,
                self.register.sealer,
                ASKER,
                self.register.at,
                self.ids[homes[which % len(homes)]],
                who,
            )

    @rule(which=numbers, first=days, length=st.integers(min_value=0, max_value=25))
    def a_membership_is_corrected(self, which: int, first: int, length: int) -> None:
        """Of somebody who was ever in one household only: it was from another day, and perhaps until another."""

        def once(life: Life) -> bool:
            there = {home for home in life.homes if home is not None}
            return len(there) == 1 and life.homes[TODAY + 1] is not None

        able = self.everybody(once)
        if not able:
            return
        person = able[which % len(able)]
        spell = self.spell(person)
        born = date(int(person[6:10]), int(person[10:12]), int(person[12:14]))
        if day_of(first) < born or len(self.spells(person)) > 1:
            return
        last = first + length if first + length <= TODAY else None
        said = register.Corrected(spell.relation, day_of(first), None if last is None else day_of(last))
        with self.register.change() as session:
            register.correct_membership(
                session, self.register.sealer, ASKER, self.register.at, spell.id, said
            )
        life = self.model.next(self.register.at).lives[person]
        (home,) = {home for home in life.homes if home is not None}
        end = DAYS - 1 if last is None else last
        life.homes = [home if first <= day <= end else None for day in range(DAYS)]
        life.by_hand = True

    def spells(self, person: str) -> list[Membership]:
        with self.register.database.reading() as session:
            return spells_of(session, [self.register.person(person)])

    # --- what two persons do -------------------------------------------------------------------------

    def both(self, kind: str, household: str, content: dict[str, Any]) -> None:
        with self.register.change() as session:
            proposal = ask(
                session,
                self.register.sealer,
                ASKER,
                self.register.at,
                kind,
                self.ids[household],
                content,
                () if kind == "account" else PAPER,
            )
        with self.register.change() as session:
            again = content.get("account_no")
            decide(
                session, self.register.sealer, DECIDER, self.register.at, proposal, approve=True, again=again
            )

    @rule(home=numbers, day=days, who=numbers)
    def a_household_splits(self, home: int, day: int, who: int) -> None:
        able = [number for number in self.homes() if len(self.model.now.members(number, day)) > 1]
        if not able:
            return
        number = able[home % len(able)]
        members = sorted(self.model.now.members(number, day))
        going = members[: who % (len(members) - 1) + 1]
        heads = {one for one in members if self.is_head(one, number, day)}
        ids = {person: self.register.person(person) for person in members}
        content: dict[str, Any] = {
            "on": day_of(day).isoformat(),
            "relations": {
                ids[person]: "户主" if place == 0 else "其他" for place, person in enumerate(going)
            },
            "village_code": VILLAGE,
        }
        if not heads - set(going):
            content["head"] = ids[members[-1]]
        known = set(self.ids)
        self.both("split", number, content)
        self.learn_households()
        (fresh,) = set(self.ids) - known
        world = self.model.next(self.register.at)
        for person in going:
            life = world.lives[person]
            life.homes[day:] = [fresh if one == number else one for one in life.homes[day:]]
            if life.died is not None and life.died < day:
                continue
            life.by_hand = True
        if "head" in content:
            world.lives[members[-1]].by_hand = True

    def is_head(self, person: str, number: str, day: int) -> bool:
        with self.register.database.reading() as session:
            members = members_of(session, self.register.sealer, self.ids[number], day_of(day))
        return any(
            one.id_number == person and one.relation == "户主" and one.is_there(day_of(day))
            for one in members
        )

    def learn_households(self) -> None:
        """Which number a new household got: whoever has a member of this example."""
        lookups = [self.register.sealer.lookup("id_number", one) for one in self.model.now.lives]
        query = (
            select(HouseholdRow.household_no, HouseholdRow.id)
            .join(Membership, Membership.household_id == HouseholdRow.id)
            .join(Person, Person.id == Membership.person_id)
            .where(Person.id_lookup.in_(lookups))
        )
        with self.register.database.reading() as session:
            self.ids |= dict(session.execute(query).all())

    @precondition(lambda self: len(self.homes()) > 2)
    @rule(home=numbers, other=numbers, day=days)
    def two_households_merge(self, home: int, other: int, day: int) -> None:
        homes = self.homes()
        number = homes[home % len(homes)]
        rest = [one for one in homes if one != number]
        into = rest[other % len(rest)]
        world = self.model.now
        going = {person for index in range(day, DAYS) for person in world.members(number, index)}
        if not going:
            return
        relations = {self.register.person(person): "其他" for person in going}
        content = {"into": self.ids[into], "on": day_of(day).isoformat(), "relations": relations}
        self.both("merge", number, content)
        world = self.model.next(self.register.at)
        for person in going:
            life = world.lives[person]
            life.homes[day:] = [into if one == number else one for one in life.homes[day:]]
            life.by_hand = True
        world.merged.add(number)

    @rule(home=numbers, day=days, last=numbers)
    def another_account(self, home: int, day: int, last: int) -> None:
        homes = self.homes()
        number = homes[home % len(homes)]
        grown = [one for one in self.model.now.members(number, day) if one[6:10] == "1980"]
        if not grown:
            return
        account = f"99{self.space:06d}{last:07d}"
        content = {
            "account_no": account,
            "account_name": self.name_of(min(grown)),
            "bank_code": "105453034753",
            "on": day_of(day).isoformat(),
        }
        self.both("account", number, content)
        world = self.model.next(self.register.at)
        world.accounts.setdefault(number, {})[day] = account

    @rule(which=numbers, day=days)
    def cover_ends_or_goes_on(self, which: int, day: int) -> None:
        insured = self.everybody(lambda life: bool(life.counted_covers()))
        if not insured:
            return
        person = insured[which % len(insured)]
        with self.register.database.reading() as session:
            row_ = counting(covers.covers_under(session, self.register.person(person), self.policy))[0]
        if row_.cover_to == day_of(day) or day_of(day) < row_.cover_from:
            return
        with self.register.change() as session:
            covers.change_cover(session, self.register.sealer, ASKER, self.register.at, row_.id, day_of(day))
        life = self.model.next(self.register.at).lives[person]
        life.own_covers = [(row_.cover_from, day_of(day))]

    @rule(which=numbers, day=days)
    def somebody_is_insured(self, which: int, day: int) -> None:
        able = self.everybody(lambda life: not life.counted_covers() and life.homes[day] is not None)
        if not able:
            return
        person = able[which % len(able)]
        first, last = day_of(day), date(2020, 12, 31)
        with self.register.change() as session:
            covers.add_cover(
                session,
                self.register.sealer,
                ASKER,
                self.register.at,
                self.register.person(person),
                self.policy,
                "相对贫困户",
                first,
                last,
            )
        self.model.next(self.register.at).lives[person].own_covers = [(first, last)]

    # --- comparing -----------------------------------------------------------------------------------

    @invariant()
    def both_say_the_same_now(self) -> None:
        for index in (0, 7, 14, TODAY, TODAY + 1):
            self.compare(self.model.now, index, None)

    def teardown(self) -> None:
        """What was known at every moment since is what it was."""
        for at, world in self.model.history:
            for index in (0, 5, 12, TODAY):
                self.compare(world, index, at)

    def compare(self, world: World, index: int, known_at: datetime | None) -> None:
        people = {**self.model.now.lives}
        with self.register.database.reading() as session:
            for number, identity in self.ids.items():
                there = {
                    one.id_number
                    for one in members_of(session, self.register.sealer, identity, day_of(index), known_at)
                    if one.is_there(day_of(index))
                }
                assert there == world.members(number, index), (number, index, known_at)
            view = View(self.policy, known_at=known_at)
            said = registered(session, self.register.sealer, view, list(people), (), day_of(index))
        homes: dict[str, set[str]] = {number: set() for number in self.ids}
        for member in said.members:
            homes[member.household_no].add(member.id_number)
            cover = world.cover(member.id_number, index)
            assert cover == (member.cover_from, member.cover_to), (member.id_number, index, known_at)
        assert homes == {number: world.enrolled(number, index) for number in self.ids}, (index, known_at)
        for number, figures in said.figures.items():
            assert figures.account_no == world.account(number, index), (number, index, known_at)


def run(url: str, folder: Path, examples: int, steps: int, phases: tuple[Phase, ...]) -> None:
    with opened(url, folder) as there:
        machine = type("Run", (Machine,), {"register": there})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                phases=phases,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.timeout(3600)
def test_the_register_says_what_a_plain_model_says(
    migrated_sqlite_url: str, tmp_path: Path, proof: bool
) -> None:
    run(migrated_sqlite_url, tmp_path, *((200, 25, THOROUGH) if proof else (12, 14, QUICK)))


@pytest.mark.timeout(3600)
def test_the_register_says_so_on_postgresql_too(
    migrated_postgres_url: str, tmp_path: Path, proof: bool
) -> None:
    run(migrated_postgres_url, tmp_path, *((30, 20, THOROUGH) if proof else (3, 10, QUICK)))
