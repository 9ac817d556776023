"""The village notice 村内公示: which results it lists, and how little it says of anybody.

Pure. An entry is a household, under its head's name, with its village, 防贫保险 and the sum of what it was given in the
period. It has the same fields whatever the line, the benefit or the claimant: no line, no number, no diagnosis, no
hospital, no phone or account of the family, and not how many they are: over a renewal it tells of a death or a move.
A minor is never named, as head or otherwise: the guardian stands for a head who is under age, else 家庭成员.

A household stands under the same name on every notice under one policy, since it is that of its first approved claim
and of the policy's first day: notices laid side by side say no more than each does. The sum itself may hint at what it
was paid for; the law wants it published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from foundation.masking import (
    FAMILY_MEMBER,
    PROGRAMME,
    Audience,
    amount_for,
    is_minor,
    name_for,
    place_for,
)
from households.household import Household, Member

RECOGNITION, PAYMENT = "recognition", "payment"
NOTICE_NAMES: Mapping[str, tuple[str, str]] = {
    RECOGNITION: ("核定结果", "Recognition"),
    PAYMENT: ("发放结果", "Payment"),
}
"""What a notice is about, in Chinese and English."""
DAYS: Mapping[str, int] = {RECOGNITION: 7, PAYMENT: 5}
"""Calendar days that a notice hangs, the first and the last one counted."""

_HEAD = "户主"
_GUARDIANS: tuple[frozenset[str], ...] = (
    frozenset({"父亲", "母亲", "父", "母"}),
    frozenset({"祖父", "祖母", "外祖父", "外祖母", "爷爷", "奶奶", "外公", "外婆", "姥爷", "姥姥"}),
    frozenset({"兄", "姐", "哥哥", "姐姐"}),
)
"""Who is a minor's guardian before whom (《民法典》第二十七条), by relation to the head of the household."""


@dataclass(frozen=True, slots=True)
class Result:
    """An approved or paid claim: a key of its household under its policy, how that is represented, and the sum."""

    household: str
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class NoticeEntry:
    """A household on a notice: everything that stands there of it."""

    sequence: int
    name: str
    place: str
    programme: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class VillageNotice:
    """A notice: one village, one period, one kind of result, and the days on which it hangs (both ends included)."""

    kind: str
    town: str
    village: str
    period_from: date
    period_to: date
    first_day: date
    last_day: date
    issuer: str
    purchaser: str
    complaint_phone: str
    entries: tuple[NoticeEntry, ...]

    @property
    def total_fen(self) -> int:
        """The sum of all entries."""
        return sum(entry.amount_fen for entry in self.entries)


def represented(household: Household, day: date) -> str:
    """The name under which a household stands on every notice under a policy; `day` is the policy's first day.

    Whoever is of age on that day is so on every later one. Where neither the head nor anybody else is, it is 家庭成员.
    """
    head = next((member for member in household.members if member.relation == _HEAD), None)
    adults = sorted(
        (member for member in household.members if not is_minor(member.id_number, day) and not member.deaths),
        key=_before_others,
    )
    guardian = adults[0].name if adults else None
    if head is None:
        name = guardian
    else:
        minor = is_minor(head.id_number, day)
        name = name_for(Audience.NOTICE, head.name, minor=minor, guardian=guardian)
    return name or FAMILY_MEMBER


def _before_others(member: Member) -> tuple[int, date, str]:
    """Sorts guardians: the nearest by law first, of equals the eldest."""
    near = next(
        (place for place, words in enumerate(_GUARDIANS) if member.relation in words), len(_GUARDIANS)
    )
    return near, member.born_on, member.id_number


def entries(results: Iterable[Result], village: str) -> tuple[NoticeEntry, ...]:
    """The results of a village, one entry a household with the sum of its results, by name."""
    sums: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        sums[result.household].append(result)
    rows = sorted((some[0].name, sum(result.amount_fen for result in some)) for some in sums.values())
    return tuple(
        NoticeEntry(
            number,
            name,
            place_for(Audience.NOTICE, village),
            PROGRAMME,
            amount_for(Audience.NOTICE, amount),
        )
        for number, (name, amount) in enumerate(rows, start=1)
    )


def last_day(kind: str, first_day: date) -> date:
    """The last day on which a notice of a kind hangs."""
    return first_day + timedelta(DAYS[kind] - 1)


def issuer_of(village: str) -> str:
    """The committee that puts its seal on a village's notice."""
    return f"{village}{'居民委员会' if village.endswith(('社区', '居')) else '村民委员会'}"
