"""The checks of the comparison against a plain model: random people, feeds and absent feeds, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from foundation.database import Database
from foundation.errors import InvalidInput
from foundation.keyfile import open_sealer
from households.checks import CHECKS, EXAMINED
from households.comparing import Candidate, Comparer, Hit, Row, Rules, State, state_of
from households.comparison_list import numbers_in_rows, numbers_in_text
from households.layouts import layouts
from households.models.feeds import FeedRow
from households.queries.probing import compared
from policies.policy import ReverseStandard
from tests.households.comparing import County
from tests.households.people import id_number
from tests.policies.example import read

PEOPLE = 14
VILLAGES = ("370323105207", "370323105208", None)
FEEDS = (
    "deposits", "machinery", "housing", "vehicles", "companies", "payroll", "kin", "officials", "deaths", "medical",
)  # fmt: skip
DAYS = [date(2020, 2, 29) + timedelta(days) for days in (-1827, -1826, -1825, -400, -1, 0, 1, 30)]


@pytest.fixture
def county(migrated_url: str, tmp_path: Path) -> Iterator[County]:
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "test.key")
    yield County(database, sealer)
    database.close()


def test_the_checks_are_the_standards_officials_deaths_and_every_further_feed_that_names_people() -> None:
    assert list(CHECKS)[:8] == [
        "deposit", "machinery", "housing", "vehicle", "company", "payroll", "official_relative", "death",
    ]  # fmt: skip
    assert tuple(CHECKS)[:8] == EXAMINED
    asked = {feed for check in CHECKS.values() for feed in check.feeds}
    assert asked == {layout.feed for layout in layouts().values() if layout.person >= 0}


def test_no_data_is_never_clear() -> None:
    payroll, death = CHECKS["payroll"], CHECKS["death"]
    assert state_of(death, {"deaths"}, hit=False) is State.CLEAR
    assert state_of(death, {"deaths"}, hit=True) is State.HIT
    assert state_of(death, (), hit=False) is State.NO_DATA
    assert state_of(payroll, {"payroll", "kin"}, hit=False) is State.CLEAR
    assert (
        state_of(payroll, {"payroll"}, hit=False) is State.NO_DATA
    )  # nobody knows whose relatives there are
    assert state_of(payroll, {"kin"}, hit=False) is State.NO_DATA
    assert state_of(payroll, {"payroll"}, hit=True) is State.HIT


# --- the model -----------------------------------------------------------------------------------------


@dataclass
class World:
    """People by number with their villages, and each feed's rows in the order of its columns; None is absent."""

    day: date
    villages: list[str | None]
    feeds: dict[str, list[tuple[Any, ...]] | None]
    reverse: dict[str, ReverseStandard]


def a_world(dice: Random) -> World:
    standards = read().on(date(2020, 12, 31)).reverse
    chosen = {key: one for key, one in standards.items() if dice.random() < 0.85}
    return World(
        dice.choice([date(2020, 2, 29), date(2020, 2, 28)]),
        [dice.choice(VILLAGES) for _ in range(PEOPLE)],
        {feed: None if dice.random() < 0.2 else _feed(dice, feed) for feed in FEEDS},
        chosen,
    )


def _feed(dice: Random, feed: str) -> list[tuple[Any, ...]]:
    rows = {_row(dice, feed): None for _ in range(dice.randrange(12))}
    return list(rows)


def _row(dice: Random, feed: str) -> tuple[Any, ...]:
    who, other = (id_number(dice.randrange(PEOPLE + 3)) for _ in range(2))
    on, later = dice.choice(DAYS), dice.choice([None, *DAYS])
    amount = dice.choice((4_999_999, 5_000_000, 9_999_999, 10_000_000))
    rows: dict[str, tuple[Any, ...]] = {
        "deposits": (who, amount, on),
        "machinery": (who, "拖拉机", amount, on),
        "housing": (who, dice.choice(("商品住宅", "商铺")), on),
        "vehicles": (who, "鲁C12345", amount, on),
        "companies": (who, "某商店", amount, on, dice.choice(("存续", "注销"))),
        "payroll": (who, "某局", on, later),
        "kin": (who, other, dice.choice(("父子", "夫妻"))),
        "officials": (other, dice.choice(VILLAGES[:2]), who),
        "deaths": (who, "某人", on),
        "medical": (f"D{dice.randrange(3)}", who, "某人", on, 100, 0, 0, 0),
    }
    return rows[feed]


def expected(world: World) -> set[tuple[int, str, tuple[Any, ...]]]:
    """(person, check, row) of every hit, by nested loops over everything; of presence whichever row."""
    found = set()
    for person in range(PEOPLE):
        own = id_number(person)
        for key, check in CHECKS.items():
            rows = world.feeds.get(check.feed) or ()
            if check.reverse and key not in world.reverse:
                continue
            for row in rows:
                if key == "payroll":
                    mine = {own} | {kin[1] for kin in world.feeds["kin"] or () if kin[0] == own}
                    until = row[3] or date.max
                    hit = row[0] in mine and row[2] <= world.day <= until
                elif key == "official_relative":
                    hit = row[2] == own and world.villages[person] in (None, row[1])
                elif check.kind == "presence":
                    hit = own in row
                else:
                    hit = row[0] == own and _over(world, key, row)
                if hit:
                    found.add((person, key, () if check.kind == "presence" else row))
    return found


def _over(world: World, key: str, row: tuple[Any, ...]) -> bool:
    if key == "deposit":
        return bool(row[1] >= 5_000_000 and row[2] <= world.day)
    if key == "machinery":
        return bool(row[2] >= 5_000_000 and row[3] <= world.day)
    if key == "vehicle":
        return bool(row[2] >= 10_000_000 and row[3] <= world.day)
    if key == "company":
        return bool(row[2] >= 10_000_000 and row[3] <= world.day and row[4] == "存续")
    first = date(world.day.year - 5, 2, 28)
    return bool(row[1] == "商品住宅" and first <= row[2] <= world.day)


def test_hits_are_those_of_the_plain_model(county: County, proof: bool) -> None:
    dice = Random(5)
    hits_seen: set[str] = set()
    states_seen: set[State] = set()
    for number in range(400 if proof else 40):
        world, scope = a_world(dice), f"P{number}"
        people = [
            Candidate(str(place), county.sealer.lookup("id_number", id_number(place)), None, village)
            for place, village in enumerate(world.villages)
        ]
        for feed, rows in world.feeds.items():
            if rows is not None:
                county.feed(feed, rows, scope, as_of=None)
        sources = {feed: scope for feed, rows in world.feeds.items() if rows is not None}
        rules = Rules(world.day, world.reverse, sources)
        with county.database.reading() as session:
            done = compared(session, county.sealer, rules, people)
            stored = {row.id: row for row in session.scalars(select(FeedRow).where(FeedRow.scope == scope))}
        assert done.people == PEOPLE
        assert len({(hit.person.key, hit.matter, hit.row_id) for hit in done.hits}) == len(done.hits)
        found = set()
        for hit in done.hits:
            row = stored[hit.row_id]
            text = orjson.loads(county.sealer.reveal("feed_row", "sealed", row.id, row.sealed))
            values = layouts()[row.feed].from_stored(text)
            presence = CHECKS[hit.matter].kind == "presence"
            found.add((int(hit.person.key), hit.matter, () if presence else values))
            if hit.through is not None:
                assert values[0] == hit.through.id_number
        wanted = expected(world)
        assert found == wanted, f"world {number}"
        hits_seen |= {matter for _, matter, _ in wanted}
        by_person = {(person, matter) for person, matter, _ in wanted}
        for check in rules.checks():
            for person in range(PEOPLE):
                state = state_of(check, sources, hit=(person, check.key) in by_person)
                absent = any(world.feeds.get(feed) is None for feed in check.feeds)
                assert (state is State.CLEAR) == ((person, check.key) not in by_person and not absent)
                states_seen.add(state)
    assert hits_seen == {*EXAMINED, "medical"}
    assert states_seen == set(State)


def test_a_row_is_opened_only_where_its_plain_part_passes_and_a_word_counts() -> None:
    opened: list[str] = []

    def reveal(row: Row) -> list[Any]:
        opened.append(row.id)
        return ["", "商品住宅", "2020-01-01", None, "存续"]

    reverse = read().on(date(2020, 12, 31)).reverse
    comparer = Comparer(Rules(date(2020, 2, 29), reverse, dict.fromkeys(FEEDS, "")), reveal)
    who = Candidate("1", "w")
    rows = [
        Row("cheap", "companies", "", "w", date(2020, 1, 1), 9_999_999, "sealed"),
        Row("later", "companies", "", "w", date(2020, 3, 1), 10_000_000, "sealed"),
        Row("old", "housing", "", "w", date(2015, 2, 27), None, "sealed"),
        Row("yet to begin", "payroll", "", "w", date(2020, 3, 1), None, "sealed"),
        Row("another's copy", "housing", "P1", "w", date(2020, 1, 1), None, "sealed"),
        Row("car", "vehicles", "", "w", date(2020, 1, 1), 10_000_000, None),
        Row("flat", "housing", "", "w", date(2020, 1, 1), None, "sealed"),
    ]
    assert comparer.hits({"w": who}, rows) == [Hit(who, "vehicle", "car"), Hit(who, "housing", "flat")]
    assert opened == ["flat"]


def test_of_a_record_the_newest_row_stands_for_all() -> None:
    comparer = Comparer(Rules(date(2020, 2, 29), {}, {"medical": ""}), lambda _row: [])
    rows = [
        Row(str(day), "medical", "", "w", date(2020, 1, day) if day else None, 1, None)
        for day in (3, 9, 0, 5)
    ]
    assert [hit.row_id for hit in comparer.hits({"w": Candidate("1", "w")}, rows)] == ["9"]


# --- lists ---------------------------------------------------------------------------------------------


def test_a_pasted_list_may_have_names_commas_and_doubles() -> None:
    one, two = id_number(1), id_number(2)
    found = numbers_in_text(f"姓名 身份证号\n某一,{one}\n\n某二\t{two.lower()}\n{one}\n")
    assert (found.numbers, found.doubles) == ((one, two), 1)
    assert numbers_in_text(f"{one},{two};{one}").numbers == (one, two)


def test_rows_without_a_valid_number_are_told_by_their_place_and_never_by_their_content() -> None:
    one = id_number(1)
    wrong = one[:-1] + ("0" if one[-1] != "0" else "1")
    with pytest.raises(InvalidInput) as refused:
        numbers_in_rows([["身份证号"], [one], [wrong], [], [370323198001010016.0], ["某三"]])
    ((zh, en),) = refused.value.fields["numbers"]
    assert zh.endswith("第 3、5、6 行") and en.endswith(": 3, 5, 6")
    assert wrong not in zh + en
    with pytest.raises(InvalidInput):  # a first row of digits is no heading
        numbers_in_rows([[wrong], [one]])
    with pytest.raises(InvalidInput) as refused:
        numbers_in_rows([["身份证号"], *(["无"] for _ in range(30))])
    assert "等 30 行" in refused.value.fields["numbers"][0][0]
