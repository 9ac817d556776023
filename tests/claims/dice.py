"""Chance for the tests: one interface, thrown by hypothesis (which shrinks what it finds) or from a fixed seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

Option = TypeVar("Option")


class Dice(Protocol):
    """Whole numbers by chance."""

    def upto(self, most: int) -> int:
        """A number from 0 to `most`; 0 is the simplest."""


class SeededDice:
    """The same numbers for the same seed, on every machine."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def upto(self, most: int) -> int:
        return self._random.randrange(most + 1)


class DrawnDice:
    """Numbers that hypothesis draws."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def upto(self, most: int) -> int:
        return self._draw(st.integers(0, most))


def pick(dice: Dice, options: Sequence[Option]) -> Option:
    """One of the options; the first is the simplest."""
    return options[dice.upto(len(options) - 1)]


def one_in(dice: Dice, many: int) -> bool:
    """True once in so many throws."""
    return dice.upto(many - 1) == many - 1
