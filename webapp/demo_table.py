"""The table of the demo's accounts as `fangpin serve --demo` prints it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from foundation.actors import ROLE_NAMES
from foundation.runtime import Runtime
from households.queries import place_names
from webapp.demo_people import DEMO_PASSWORD, ensure_demo_accounts

_COLUMNS = ("登录名 login", "岗位 role", "辖区 place", "动态口令 code")


def announce_demo_accounts(runtime: Runtime, say: Callable[[str], None]) -> list[tuple[str, str]]:
    """Makes the demo's accounts where they are missing, prints all of them, and gives (login, role) of each."""
    with runtime.database.transaction() as session:
        accounts = ensure_demo_accounts(session, runtime.sealer, runtime.clock.now())
        places = {account.place: " ".join(place_names(session, account.place)) for account in accounts}
    rows = [
        (
            account.login,
            " ".join(ROLE_NAMES[account.role]),
            f"{account.place} {places[account.place]}".rstrip(),
            "要 needed" if account.needs_code else "",
        )
        for account in accounts
    ]
    say(f"演示账号,密码均为 / demo accounts, all with the password:  {DEMO_PASSWORD}")
    for line in _table([_COLUMNS, *rows]):
        say(line)
    say("动态口令 / code of the second factor:  .venv/bin/fangpin users code LOGIN\n")
    return [(account.login, str(account.role)) for account in accounts]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Columns that a text takes on a terminal; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)
