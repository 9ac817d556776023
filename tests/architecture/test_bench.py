"""The measurements can be started. What they come to is no test's business."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from bench import rounds
from bench.__main__ import MEASUREMENTS, reached, table
from bench.packs import of_copy
from foundation.identifiers import birth_date, id_number_valid
from tests.architecture.project import ROOT


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_can_be_imported_and_measures(name: str) -> None:
    assert callable(import_module(f"bench.{name}").measure)


def test_bench_lists_its_measurements_without_running_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--list"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*MEASUREMENTS]


def test_bench_refuses_a_measurement_that_it_does_not_have() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "guessing"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 2
    assert "guessing" in done.stderr


@pytest.mark.parametrize(
    ("ratio", "goal", "word"),
    [
        (7.99, "≥ 8, then ≥ 15", "no"),
        (8.0, "≥ 8, then ≥ 15", "first"),
        (15, "≥ 8, then ≥ 15", "yes"),
        (4.01, "≤ 4, then ≤ 1.5", "no"),
        (1.5, "≤ 4, then ≤ 1.5", "yes"),
        (12.0, "≤ 12", "yes"),
        (3.0, "", ""),
    ],
)
def test_a_goal_has_steps(ratio: float, goal: str, word: str) -> None:
    assert reached(ratio, goal) == word


def test_table_is_aligned() -> None:
    assert table([("what", "ratio"), ("deciding", "9")]).splitlines() == [
        "what      ratio",
        "--------  -----",
        "deciding  9",
    ]


def test_sides_take_turns_in_going_first() -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    pairs = rounds.in_turns(lambda: side("ours", 1.0), lambda: side("peer", 2.0), 3)
    assert pairs == [(1.0, 2.0)] * 3
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]


def test_each_copy_of_a_person_is_another_person_born_the_same_day() -> None:
    copies = {of_copy("370323194809155975", copy) for copy in range(10)}
    assert len(copies) == 10
    assert all(id_number_valid(text) for text in copies)
    assert {birth_date(text).isoformat() for text in copies} == {"1948-09-15"}
