"""Tables of the households, by subject; the tables of people and cover can be had from here."""

from __future__ import annotations

from foundation.guards import Guard
from households.models import comparison, feeds, people, proposals, recognition, warnings
from households.models.people import Cover, HouseholdRow, Membership, Person

GUARDS: list[Guard] = [
    *people.GUARDS,
    *feeds.GUARDS,
    *proposals.GUARDS,
    *warnings.GUARDS,
    *recognition.GUARDS,
    *comparison.GUARDS,
]

__all__ = ["GUARDS", "Cover", "HouseholdRow", "Membership", "Person"]
