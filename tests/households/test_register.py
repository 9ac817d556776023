"""The register by itself: who belongs where from which day, with cover, categories, names, incomes; nothing is edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation.errors import ConflictError, InvalidInput, NotFound
from foundation.guards import refused
from households.models.people import Membership
from households.queries.as_of import household_as_of
from households.queries.households import incomes_of
from households.queries.people import Member, members_of, spells_of
from households.services import covers, incomes, person_facts, register, residences
from households.services.register import Corrected, DoubtfulPerson, Newcomer
from tests.households.people import id_number
from tests.households.registry import ASKER, POLICY, Register, opened, row

HEAD, WIFE, SON = id_number(1), id_number(2), id_number(3, "20120101")
OTHER = id_number(4)
H1, H2 = "10520700001", "10520700002"
DAY = date(2020, 6, 10)


@dataclass
class World(Register):
    """Two households of one policy: H1 with head, wife and son; H2 with a head alone."""

    def act(self, service: Any, *arguments: Any, actor: Any = ASKER, **named: Any) -> Any:
        with self.change() as session:
            return service(session, self.sealer, actor, self.at, *arguments, **named)

    def id(self, number: str) -> str:
        return self.household(number).id

    def members(self, number: str, day: date = DAY, known_at: datetime | None = None) -> dict[str, Member]:
        with self.database.reading() as session:
            people = members_of(session, self.sealer, self.household(number).id, day, known_at)
        return {one.id_number or "": one for one in people if one.is_there(day)}

    def spell(self, person: str) -> Membership:
        with self.database.reading() as session:
            return spells_of(session, [self.person(person)])[-1]

    def events(self, action: str) -> int:
        with self.database.reading() as session:
            query = text("SELECT count(*) FROM event WHERE action = :action")
            return int(session.execute(query, {"action": action}).scalar_one())

    def rechecks(self, number: str) -> int:
        with self.database.reading() as session:
            query = text(
                "SELECT count(*) FROM job WHERE kind = 'household.recheck' AND subject_id LIKE :home"
            )
            return int(session.execute(query, {"home": f"{self.id(number)}:%"}).scalar_one())


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    with opened(migrated_url, tmp_path) as there:
        world = World(there.database, there.sealer, there.at)
        world.roster(
            [
                row(H1, HEAD, "户主", "王五", account_no="6223192710959452610", income_fen=500000),
                row(H1, WIFE, "配偶", "李四"),
                row(H1, SON, "子", "王小"),
                row(H2, OTHER, "户主", "赵六", "370323105208"),
            ]
        )
        yield world


def newcomer(number: str, how: str = "moved_in", on: date | None = DAY, name: str = "新人") -> Newcomer:
    return Newcomer(name, number, "其他", how, on)


# --- coming and going ----------------------------------------------------------------------------------


def test_a_birth_counts_from_the_birthday_and_is_known_from_now_on(world: World) -> None:
    before = world.at
    baby = id_number(9, "20200605")
    world.act(register.add_person, world.id(H1), newcomer(baby, "birth", None, "小小"))
    assert baby in world.members(H1, date(2020, 6, 5)) and baby not in world.members(H1, date(2020, 6, 4))
    assert baby not in world.members(H1, DAY, before)
    assert world.events("member.added") == 1 and world.rechecks(H1) == 1


@pytest.mark.parametrize(
    ("number", "on", "field"),
    [(id_number(9, "20200621"), None, "id_number"), (id_number(9), date(2020, 6, 21), "on")],
    ids=["born tomorrow", "comes tomorrow"],
)
def test_nothing_is_dated_in_the_future(world: World, number: str, on: date | None, field: str) -> None:
    how = "birth" if on is None else "moved_in"
    with pytest.raises(InvalidInput) as refusal:
        world.act(register.add_person, world.id(H1), newcomer(number, how, on))
    assert list(refusal.value.fields) == [field]


def test_nobody_comes_before_they_are_born(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.act(
            register.add_person,
            world.id(H1),
            newcomer(id_number(9, "20200605"), "moved_in", date(2020, 6, 4)),
        )


def test_somebody_in_another_household_has_to_leave_first(world: World) -> None:
    with pytest.raises(ConflictError, match="another household"):
        world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李四"))
    world.act(register.leave, world.spell(WIFE).id, "moved_out", DAY)
    world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李四"))
    assert WIFE in world.members(H2) and WIFE not in world.members(H1)
    assert WIFE in world.members(H1, date(2020, 6, 9))
    assert world.rechecks(H1) == world.rechecks(H2) == 1


def test_an_id_number_under_another_name_is_a_task_and_no_membership(world: World) -> None:
    with pytest.raises(DoubtfulPerson) as doubtful:
        world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李似"))
    assert doubtful.value.finding.kind == "two_names"
    assert doubtful.value.finding.details == {"name": "李似"}


def test_two_of_one_name_and_birthday_in_a_household_become_a_task(world: World) -> None:
    twin = id_number(11, "20120101")
    world.act(register.add_person, world.id(H1), newcomer(twin, name="王小"))
    assert world.events("registry_task.opened") == 1


def test_a_death_ends_the_membership_on_its_day_and_keeps_the_dead_among_the_insured(world: World) -> None:
    world.act(register.leave, world.spell(WIFE).id, "death", DAY)
    assert WIFE in world.members(H1, DAY) and WIFE not in world.members(H1, date(2020, 6, 11))
    with world.database.reading() as session:
        seen = household_as_of(
            session, world.sealer, world.household(H1), POLICY, date(2020, 6, 15), world.at
        )
    assert seen is not None
    assert {one.id_number: one.deaths for one in seen.members}[WIFE] == (DAY,)
    with pytest.raises(ConflictError, match="dead"):
        world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李四"))


def test_a_death_is_neither_before_the_birth_nor_after_today(world: World) -> None:
    for day in (date(2011, 12, 31), date(2020, 6, 21)):
        with pytest.raises(InvalidInput):
            world.act(register.leave, world.spell(SON).id, "death", day)


def test_what_is_entered_later_stands_in_the_way_of_an_earlier_leaving(world: World) -> None:
    world.act(register.leave, world.spell(WIFE).id, "moved_out", DAY)
    first = world.spell(WIFE)
    world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李四"))
    with pytest.raises(ConflictError):
        world.act(register.leave, first.id, "moved_out", date(2020, 6, 5))


def test_a_death_ends_a_stay_whatever_relation_was_entered_after_its_day(world: World) -> None:
    world.act(register.change_relation, world.spell(WIFE).id, "其他", date(2020, 6, 15))
    world.act(register.leave, world.spell(WIFE).id, "death", DAY)
    assert WIFE not in world.members(H1, date(2020, 6, 16))


def test_there_is_one_head_at_a_time(world: World) -> None:
    with pytest.raises(ConflictError, match="head"):
        world.act(register.change_relation, world.spell(WIFE).id, "户主", DAY)
    world.act(register.change_relation, world.spell(HEAD).id, "配偶", DAY)
    world.act(register.change_relation, world.spell(WIFE).id, "户主", DAY)
    assert world.members(H1)[WIFE].relation == "户主"
    assert world.members(H1, date(2020, 6, 9))[WIFE].relation == "配偶"


def test_a_correction_leaves_what_was_known_before_as_it_was(world: World) -> None:
    before = world.at
    world.act(
        register.correct_membership,
        world.spell(WIFE).id,
        Corrected("配偶", date(2020, 5, 1), date(2020, 6, 5)),
    )
    assert WIFE not in world.members(H1) and WIFE in world.members(H1, date(2020, 6, 5))
    assert WIFE in world.members(H1, DAY, before)
    world.act(register.correct_membership, world.spell(WIFE).id, None)
    assert WIFE not in world.members(H1, date(2020, 6, 5))
    assert world.events("member.corrected") == 2


def test_a_retired_entry_is_not_changed_again(world: World) -> None:
    spell = world.spell(WIFE)
    world.act(register.leave, spell.id, "moved_out", DAY)
    with pytest.raises(ConflictError):
        world.act(register.leave, spell.id, "death", DAY)


def test_outside_of_the_place_there_is_nothing(world: World) -> None:
    elsewhere = replace(ASKER, place="370323105208")
    for service, arguments in (
        (register.add_person, (world.id(H1), newcomer(id_number(9)))),
        (register.leave, (world.spell(WIFE).id, "moved_out", DAY)),
        (residences.move_household, (world.id(H1), "370323105208", DAY)),
        (person_facts.give_category, (world.person(WIFE), "相对贫困户", DAY, None)),
        (incomes.record_income, (world.id(H1), 2020, incomes.Surveyed(0, 0, 0, 0, 0, 1), "wages")),
    ):
        with pytest.raises(NotFound):
            world.act(service, *arguments, actor=elsewhere)


def test_the_database_keeps_a_person_in_one_household_and_facts_as_they_were(world: World) -> None:
    def tries(statement: str) -> None:
        with pytest.raises(DBAPIError) as error, world.database.transaction() as session:
            session.execute(text(statement))
        assert refused(error.value) is not None

    person, spell = world.person(WIFE), world.spell(WIFE)
    tries(
        "INSERT INTO membership (id, person_id, household_id, relation, began_by, source, known_at) "
        f"SELECT 'second', '{person}', household_id, '其他', 'moved_in', 'register', known_at FROM membership "
        f"WHERE id = '{spell.id}'"
    )
    tries(f"UPDATE membership SET relation = '女' WHERE id = '{spell.id}'")
    tries(f"DELETE FROM membership WHERE id = '{spell.id}'")
    tries(f"UPDATE membership SET valid_to = '2020-06-01' WHERE id = '{spell.id}'")


# --- a household's place and income ----------------------------------------------------------------------


def test_a_move_is_seen_at_once_and_an_older_day_keeps_its_village(world: World) -> None:
    before = world.at
    world.act(residences.move_household, world.id(H1), "370323105208", DAY)
    assert world.household(H1).village_code == "370323105208"

    def village(day: date, known_at: datetime) -> str:
        with world.database.reading() as session:
            seen = household_as_of(session, world.sealer, world.household(H1), POLICY, day, known_at)
        assert seen is not None
        return seen.members[0].village_code

    assert village(DAY, world.at) == "370323105208"
    assert village(date(2020, 6, 9), world.at) == "370323105207"
    assert village(DAY, before) == "370323105207"


def test_a_roster_with_the_former_village_becomes_a_task(world: World) -> None:
    world.act(residences.move_household, world.id(H1), "370323105208", DAY)
    world.roster(
        [
            row(H1, HEAD, "户主", "王五", cover_to=date(2020, 11, 30)),
            row(H2, OTHER, "户主", "赵六", "370323105208"),
        ]
    )
    assert world.household(H1).village_code == "370323105208"
    assert world.events("registry_task.opened") == 1


def test_an_income_is_shared_by_the_head_rounded_down_and_never_below_nothing(world: World) -> None:
    def head(*sums: int) -> int | None:
        surveyed = incomes.Surveyed(*sums)
        world.act(incomes.record_income, world.id(H1), 2020, surveyed, "wages")
        with world.database.reading() as session:
            lines = incomes_of(session, world.sealer, world.id(H1))
        mine = [line for line in lines if line.source == "register"]
        assert len(mine) == 1 and mine[0].figures is not None
        return mine[0].figures.per_head_fen

    assert head(1_000_000, 200_000, 0, 100_001, 50_000, 3) == 416_667
    assert head(100, 0, 0, 0, 50_000, 3) == 0
    with pytest.raises(InvalidInput):
        world.act(incomes.record_income, world.id(H1), 2021, incomes.Surveyed(1, 0, 0, 0, 0, 1), "wages")


# --- a person --------------------------------------------------------------------------------------------


def test_a_category_holds_for_its_days_over_the_rosters_and_older_ones(world: World) -> None:
    person = world.person(WIFE)
    world.act(person_facts.give_category, person, "重大变故户", date(2020, 6, 1), None)
    world.act(person_facts.give_category, person, "脱贫享受政策户", date(2020, 6, 5), date(2020, 6, 10))
    said = {day: world.members(H1, date(2020, 6, day))[WIFE].category for day in (4, 5, 10, 11)}
    assert said == {4: "重大变故户", 5: "脱贫享受政策户", 10: "脱贫享受政策户", 11: "重大变故户"}
    assert world.members(H1, date(2020, 5, 31))[WIFE].category == "相对贫困户"


def test_a_new_name_holds_from_its_day_and_a_correction_for_all(world: World) -> None:
    person = world.person(WIFE)
    world.act(person_facts.give_name, person, "李四新", DAY)
    assert world.members(H1, DAY)[WIFE].name == "李四新"
    assert world.members(H1, date(2020, 6, 9))[WIFE].name == "李四"
    world.act(person_facts.give_name, person, "李思")
    assert world.members(H1, date(2020, 6, 9))[WIFE].name == "李思"
    with pytest.raises(ConflictError):
        world.act(person_facts.give_name, person, "李思")


def test_guardians_and_heirs_are_kept_with_their_paper(world: World) -> None:
    person = world.person(SON)
    who = person_facts.NewRelative("guardian", "母亲", "李四", "出生医学证明 A1", WIFE, "13800001234")
    written = world.act(person_facts.add_relative, person, who, DAY)
    with pytest.raises(ConflictError):
        world.act(person_facts.add_relative, person, who, DAY)
    (kept,) = world.members(H1)[SON].relatives
    assert (kept.kind, kept.name, kept.id_number, kept.paper) == ("guardian", "李四", WIFE, "出生医学证明 A1")
    world.act(person_facts.end_relative, written, date(2020, 6, 15))
    (ended,) = world.members(H1)[SON].relatives
    assert ended.valid_to == date(2020, 6, 15)


# --- cover -----------------------------------------------------------------------------------------------


def test_cover_ends_earlier_in_the_register_while_the_rosters_row_stays(world: World) -> None:
    (cover,) = world.members(H1)[WIFE].covers
    world.act(covers.change_cover, cover.id, DAY)
    (now,) = world.members(H1)[WIFE].covers
    assert (now.source, now.cover_to) == ("register", DAY)
    with world.database.reading() as session:
        rosters = session.execute(
            text("SELECT count(*) FROM cover WHERE source = 'roster' AND retired_at IS NULL")
        ).scalar_one()
    assert rosters == 4
    with pytest.raises(ConflictError):
        world.act(covers.change_cover, cover.id, date(2020, 7, 1))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2020, 6, 1), date(2021, 1, 1)),
        (date(2019, 12, 31), date(2020, 12, 31)),
        (date(2020, 6, 1), date(2020, 5, 1)),
        (date(2020, 6, 21), date(2020, 12, 31)),
    ],
    ids=["beyond the policy", "before the policy", "backwards", "from tomorrow"],
)
def test_cover_lies_within_the_policys_period(world: World, first: date, last: date) -> None:
    baby = id_number(9, "20200105")
    world.act(register.add_person, world.id(H1), newcomer(baby, "birth", None))
    with pytest.raises((InvalidInput, ConflictError)):
        world.act(covers.add_cover, world.person(baby), POLICY, "相对贫困户", first, last)


def test_nobody_has_two_covers_under_a_policy_on_one_day(world: World) -> None:
    with pytest.raises(ConflictError):
        world.act(
            covers.add_cover, world.person(WIFE), POLICY, "相对贫困户", date(2020, 6, 1), date(2020, 12, 31)
        )


def test_of_two_who_change_one_entry_at_once_one_is_told(world: World) -> None:
    """The second one read the entry before the first one had changed it."""
    spell = world.spell(WIFE)
    with world.database.transaction() as session:
        stale: Session = session
        seen = stale.scalars(select(Membership).where(Membership.id == spell.id)).one()
        register.leave(stale, world.sealer, ASKER, world.later(), seen.id, "moved_out", DAY)
    with pytest.raises(ConflictError):
        world.act(register.change_relation, spell.id, "其他", DAY)
