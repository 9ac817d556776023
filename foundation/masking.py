"""Who may see what of a person: one function for each kind of datum, asked with the audience.

Pure. The table stands in docs/security.md; behind it are 《个人信息保护法》第二十五、二十八条 and
《政府信息公开条例》第十五条. What may never be shown to an audience comes back as None and not as an empty mask, and
the types say so: a caller cannot print it by mistake. A value that is not of the usual form (a number of 15 digits,
full-width digits, a word in its place) is hidden whole: masked, it would show too much of itself.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal, overload

from foundation.calendar import before_birthday
from foundation.identifiers import birth_date


class Audience(StrEnum):
    """Who reads it."""

    NOTICE = "notice"
    """Everybody who passes the village's board 村务公开栏."""
    OFFICER = "officer"
    """Whoever works on the case, on a page. A whole ID number or account is a full view of its own, with a purpose."""
    AUDITOR = "auditor"
    """Whoever reads an audit report, or a list that goes into the files."""
    BANK = "bank"
    """The bank, in its file."""


PROGRAMME = "防贫保险"
"""What stands on a notice in place of the line of cover: 因病 alone reveals an illness."""
BANK_REMARK = "防贫保险赔款"
"""用途 of every payment, whatever the line (rules.md §7)."""
FAMILY_MEMBER = "家庭成员"
"""What stands on a notice in place of a person who is not named there."""
HIDDEN = "****"

OF_AGE = 18
"""Years from which a person acts for themself (《民法典》第十七条); before, 未成年人."""
CHILD_UNDER = 14
"""Years before which everything about a person is sensitive (《个人信息保护法》第二十八条)."""

_InHouse = Literal[Audience.OFFICER, Audience.AUDITOR]


def is_minor(id_number: str, day: date) -> bool:
    """Whether a person is under 18 on a day. A number that tells no birthday counts as a minor's: less is shown."""
    return _under(OF_AGE, id_number, day)


def is_child(id_number: str, day: date) -> bool:
    """Whether a person is under 14 on a day, so that all their data is sensitive. In doubt yes, as `is_minor`."""
    return _under(CHILD_UNDER, id_number, day)


def _under(years: int, id_number: str, day: date) -> bool:
    try:
        return before_birthday(day, birth_date(id_number), years)
    except ValueError:
        return True


@overload
def name_for(
    audience: Literal[Audience.NOTICE], name: str, *, minor: bool, guardian: str | None = None
) -> str | None: ...
@overload
def name_for(
    audience: Literal[Audience.OFFICER, Audience.AUDITOR, Audience.BANK],
    name: str,
    *,
    minor: bool,
    guardian: str | None = None,
) -> str: ...
@overload
def name_for(audience: Audience, name: str, *, minor: bool, guardian: str | None = None) -> str | None: ...
def name_for(audience: Audience, name: str, *, minor: bool, guardian: str | None = None) -> str | None:
    """A person's name. An adult's is shown in full.

    A minor's is never on a notice: there stands the guardian's, or None where no guardian is known. To an auditor it
    is the first character and 某某, whatever its length: `李某某`; a name of one character is hidden whole.
    To the bank it is the account holder's, unaltered.
    """
    if not minor or audience in (Audience.OFFICER, Audience.BANK):
        return name
    if audience is Audience.NOTICE:
        return guardian
    return f"{name[0]}某某" if len(name) > 1 else "某某"


@overload
def id_number_for(audience: Literal[Audience.NOTICE, Audience.BANK], id_number: str) -> None: ...
@overload
def id_number_for(audience: _InHouse, id_number: str) -> str: ...
@overload
def id_number_for(audience: Audience, id_number: str) -> str | None: ...
def id_number_for(audience: Audience, id_number: str) -> str | None:
    """An ID number: six characters, eight stars, four characters: `370323********0013`.

    None for a notice; None for the bank too, since neither of its layouts has a column for it (rules.md §7).
    """
    if audience in (Audience.NOTICE, Audience.BANK):
        return None
    if len(id_number) != 18 or not (
        _is_digits(id_number[:17]) and _is_digits(id_number[17].replace("X", "0"))
    ):
        return HIDDEN
    return f"{id_number[:6]}********{id_number[14:]}"


@overload
def account_for(audience: Literal[Audience.NOTICE], account: str) -> None: ...
@overload
def account_for(
    audience: Literal[Audience.OFFICER, Audience.AUDITOR, Audience.BANK], account: str
) -> str: ...
@overload
def account_for(audience: Audience, account: str) -> str | None: ...
def account_for(audience: Audience, account: str) -> str | None:
    """A bank account: the last four digits of eight characters or more, `****1238`; whole in the bank's file."""
    if audience is Audience.NOTICE:
        return None
    if audience is Audience.BANK:
        return account
    shown = account[-4:]
    return HIDDEN + shown if len(account) >= 8 and _is_digits(shown) else HIDDEN


@overload
def phone_for(audience: Literal[Audience.NOTICE, Audience.BANK], phone: str) -> None: ...
@overload
def phone_for(audience: _InHouse, phone: str) -> str: ...
@overload
def phone_for(audience: Audience, phone: str) -> str | None: ...
def phone_for(audience: Audience, phone: str) -> str | None:
    """A family's phone: the first three and the last four digits of a mobile number, `138****1234`.

    None for a notice, and for the bank, whose layouts have no column for it. The office's own complaint phone is no
    person's and stands on every notice.
    """
    if audience in (Audience.NOTICE, Audience.BANK):
        return None
    return f"{phone[:3]}{HIDDEN}{phone[7:]}" if len(phone) == 11 and _is_digits(phone) else HIDDEN


def diagnosis_for(
    audience: Audience, text: str, *, permitted: bool = False, code: str | None = None
) -> str | None:
    """A diagnosis, a grade of disability, the name of a hospital: in full to an officer who is permitted to read it.

    To an auditor the code alone, where the record has one; to everybody else never.
    """
    if audience is Audience.OFFICER:
        return text if permitted else None
    return code if audience is Audience.AUDITOR else None


@overload
def line_for(audience: Literal[Audience.BANK], title: str) -> None: ...
@overload
def line_for(audience: Literal[Audience.NOTICE, Audience.OFFICER, Audience.AUDITOR], title: str) -> str: ...
@overload
def line_for(audience: Audience, title: str) -> str | None: ...
def line_for(audience: Audience, title: str) -> str | None:
    """The line of cover: on a notice 防贫保险, whatever it is; to the bank never (`BANK_REMARK` stands there)."""
    if audience is Audience.NOTICE:
        return PROGRAMME
    return None if audience is Audience.BANK else title


def amount_for(audience: Audience, fen: int) -> int:  # noqa: ARG001  # asked like the others; nobody is left out
    """A sum in fen: everybody sees it, since the law wants aid published with its amount.

    A sum may hint at what it was paid for (a fixed one more than a share of a bill); that is the law's own choice.
    """
    return fen


@overload
def place_for(audience: Literal[Audience.BANK], village: str, group: str | None = None) -> None: ...
@overload
def place_for(
    audience: Literal[Audience.NOTICE, Audience.OFFICER, Audience.AUDITOR],
    village: str,
    group: str | None = None,
) -> str: ...
@overload
def place_for(audience: Audience, village: str, group: str | None = None) -> str | None: ...
def place_for(audience: Audience, village: str, group: str | None = None) -> str | None:
    """Village and, where it is known, the group 村民小组 in it; never to the bank."""
    return None if audience is Audience.BANK else f"{village}{group or ''}"


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
