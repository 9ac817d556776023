"""Personal data with its middle hidden, one function for each datum.

Pure. A value that is not of the usual form is hidden whole: a short or odd one would show too much of itself.
Which datum may be shown where at all, masked or not, is not decided here.
"""

from __future__ import annotations

_HIDDEN = "****"


def mask_id_number(id_number: str) -> str:
    """The first six and the last four characters of an 18-character number: `370323********0013`."""
    if len(id_number) != 18:
        return _HIDDEN
    return f"{id_number[:6]}********{id_number[14:]}"


def mask_account(account: str) -> str:
    """The last four digits of an account of eight characters or more: `****1238`."""
    shown = account[-4:]
    if len(account) < 8 or not _is_digits(shown):
        return _HIDDEN
    return _HIDDEN + shown


def mask_phone(phone: str) -> str:
    """The first three and the last four digits of a mobile number of eleven digits: `138****1234`."""
    if len(phone) != 11 or not _is_digits(phone):
        return _HIDDEN
    return f"{phone[:3]}{_HIDDEN}{phone[7:]}"


def mask_name(name: str) -> str:
    """A minor's name for auditors: the first character, and 某某 whatever the length: `李某某`.

    A name of one character is hidden whole.
    """
    return f"{name[0]}某某" if len(name) > 1 else "某某"


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
