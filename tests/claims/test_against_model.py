"""The program against the model: two readings of the same rules must give the same decisions on any small world."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.deciding import cases_of_pack, decision_rows
from claims.pack import read_pack
from policies.policy import BENEFIT_KINDS
from policies.policy_file import load_policy
from tests.claims import model
from tests.claims.converting import program_decides, world_of_pack
from tests.claims.dice import DrawnDice, SeededDice
from tests.claims.pack_writer import write_pack
from tests.claims.worlds import World, random_world

PROOF = os.environ.get("FANGPIN_PROOF") == "1"
SEEDS = 4000 if PROOF else 500


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any small world."""
    return random_world(DrawnDice(draw))


def model_decides(world: World) -> list[model.Decision]:
    return model.decide(world.policy, world.roster, world.claims, world.feeds, world.clearances)


@given(worlds())
@settings(
    max_examples=4000 if PROOF else 120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
def test_any_world_is_decided_as_the_model_decides_it(world: World) -> None:
    _, rows = program_decides(world)
    assert rows == model_decides(world)


@pytest.fixture(scope="module")
def corpus() -> list[tuple[World, list[model.Decision]]]:
    """The same worlds each time, with the model's decisions."""
    made = [random_world(SeededDice(seed)) for seed in range(SEEDS)]
    return [(world, model_decides(world)) for world in made]


def test_every_world_of_the_corpus_is_decided_as_the_model_decides_it(
    corpus: list[tuple[World, list[model.Decision]]],
) -> None:
    for seed, (world, expected) in enumerate(corpus):
        _, rows = program_decides(world)
        assert rows == expected, f"world {seed}"


def test_the_corpus_reaches_every_code_outcome_and_benefit(
    corpus: list[tuple[World, list[model.Decision]]],
) -> None:
    """Else an agreement about a code would say nothing."""
    codes: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    approved: Counter[tuple[str, str]] = Counter()
    for _, decisions in corpus:
        for _, line, benefit, outcome, _, reasons in decisions:
            codes.update(reasons.split(";") if reasons else [])
            outcomes[outcome] += 1
            approved[line, benefit] += outcome == "approve"
    assert {code: codes[code] for code in model.ALL_CODES if codes[code] < 10} == {}
    assert set(codes) == set(model.ALL_CODES)
    assert min(outcomes[name] for name in ("approve", "reject", "supplement", "refer")) >= 50
    assert {(line, key) for line, kinds in BENEFIT_KINDS.items() for key in kinds} == {
        key for key, count in approved.items() if count >= 5
    }


def test_the_corpus_is_decided_alike_whatever_order_its_rows_stand_in() -> None:
    """Only the order of §1 counts, and of two heads the first: the rows of claims and feeds may lie as they like."""
    for seed in range(60):
        world = random_world(SeededDice(seed))
        turned = World(
            world.toml,
            world.policy,
            world.roster,
            world.claims[::-1],
            {name: rows and rows[::-1] for name, rows in world.feeds.items()},
            world.clearances[::-1],
        )
        assert program_decides(turned)[1] == program_decides(world)[1]


def test_a_world_handed_in_as_files_is_decided_as_the_model_decides_it(tmp_path: Path) -> None:
    """So that what is read from the sheets, the measure above all, is what the model works with."""
    for seed in range(6):
        world = random_world(SeededDice(seed))
        pack = read_pack(write_pack(world, tmp_path / str(seed)))
        assert pack.errors == []
        case = cases_of_pack(pack.roster, pack.claims, pack.feeds, load_policy(pack.policy_path))
        assert list(decision_rows(case.decide_all())) == model_decides(world)


def test_the_model_gives_the_small_packs_right_answers(small_pack: Path) -> None:
    """They were reckoned elsewhere: the model itself is held against them."""
    expected = (small_pack / "expected" / "decisions.csv").read_text("utf-8-sig").splitlines()
    rows = list(csv.reader(expected))[1:]
    assert [list(row) for row in model_decides(world_of_pack(read_pack(small_pack)))] == rows
