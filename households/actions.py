"""What upper packages offer to do for a household, as links on its pages; this package knows none of them.

An offer is asked for inside a request, with the household; it gives its words and its address, or None for somebody who
may not.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from foundation.web.language import pick
from households.models.people import HouseholdRow
from households.terms import Pair

_EXTENSION = "households.actions"

Offer = Callable[[HouseholdRow], tuple[Pair, str] | None]


def offer(app: Flask, made: Offer) -> None:
    """Puts one more offer on the pages of an application's households."""
    app.extensions.setdefault(_EXTENSION, []).append(made)


def offered(home: HouseholdRow) -> list[tuple[str, str]]:
    """(words, address) of what the person who acts may do for a household elsewhere."""
    offers: list[Offer] = current_app.extensions.get(_EXTENSION, [])
    found = [made(home) for made in offers]
    return [(pick(*one[0]), one[1]) for one in found if one is not None]
