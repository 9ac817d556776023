"""How people are named in a document, by whom it is for.

Pure. A letter names its claimant in full; a minor's letter goes to the guardian, a dead person's to the heirs. An
auditor sees adults' names, a minor's as 李某某, and of an account the last four digits. No document shows a whole ID
number.
"""

from __future__ import annotations

from datetime import date

from claims.facts import Facts
from foundation.masking import OF_AGE, Audience, is_minor, name_for

AGE_BANDS = ((0, 17), (18, 44), (45, 59), (60, 69), (70, 79), (80, 200))
"""Ages from and to, both included. From 60 on they are the bands of the county's own figures."""
AGE_UNKNOWN = "年龄不详"
"""Where a mistyped event date makes an age that nobody has."""


def age_on(born_on: date, day: date) -> int:
    """Whole years of age on a day."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def band_of(age: int) -> str:
    """The age band as it is printed."""
    for low, high in AGE_BANDS:
        if low <= age <= high:
            return f"{low}岁及以上" if high > 150 else f"{low}至{high}岁"
    return AGE_UNKNOWN


def addressee(name: str, age: int, deceased: bool) -> str:
    """Whom a letter to the claimant is addressed to."""
    if deceased:
        return f"{name}的继承人"
    return f"{name}的监护人" if age < OF_AGE else name


def minors_of(facts: Facts, day: date) -> frozenset[str]:
    """Names of the household's members who are not of age on a day."""
    members = () if facts.household is None else facts.household.members
    return frozenset(member.name for member in members if is_minor(member.id_number, day))


def payee_for_auditor(name: str, minors: frozenset[str]) -> str:
    """The payee's name as an auditor sees it: a minor's is masked."""
    return name_for(Audience.AUDITOR, name, minor=name in minors)
