"""Places by area code: 6 digits for a county, 9 for a town, 12 for a village. A place holds all that begins with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_

COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS = 6, 9, 12


def within(column: Any, place: str) -> ColumnElement[bool]:
    """Whether a column of village codes lies in a place, as a condition that an index serves on both engines.

    A row without a code (a claimant whom the roster does not know) belongs to the county as a whole.
    """
    # Digits only: every collation orders them alike, while a mark may stand before or after them (ICU, C).
    inside: ColumnElement[bool] = column.between(place, place.ljust(VILLAGE_DIGITS, "9"))
    return or_(inside, column.is_(None)) if len(place) == COUNTY_DIGITS else inside


def holds(place: str, code: str | None) -> bool:
    """The same for one code at hand."""
    return len(place) == COUNTY_DIGITS if code is None else code.startswith(place)
