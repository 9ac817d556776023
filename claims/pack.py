"""Reading a county pack (rules.md §2): the roster, the claims, the departments' feeds and the clearances.

policy.toml has its own reader (`policies.policy_file`); here it is only seen to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from claims import intake_files
from claims.facts import Claim
from claims.intake_files import read_claims
from foundation.csvfiles import csv_bytes
from foundation.errors import Fault, UnusableInput
from foundation.tables import RowError
from households import roster
from households.feeds import COLUMNS, Feeds, file_of, read_feeds
from households.roster import RosterRow, read_roster

T = TypeVar("T")
Reader = Callable[[Path], tuple[T, list[RowError]]]

POLICY_FILE = "policy.toml"


@dataclass(frozen=True, slots=True)
class Pack:
    """A county pack as taken in. `errors` are the refused cells of all files in the order of errors.csv."""

    folder: Path
    policy_path: Path
    roster: list[RosterRow]
    claims: list[Claim]
    feeds: Feeds
    errors: list[RowError]


def read_pack(folder: Path) -> Pack:
    """Reads every file of a pack. Raises UnusableInput with all that stops the run in any of them."""
    _refuse_no_pack(folder)
    faults: list[Fault] = []

    def read(reader: Reader[T], path: Path) -> tuple[T | None, list[RowError]]:
        try:
            return reader(path)
        except UnusableInput as unusable:
            faults.extend(unusable.faults)
            return None, []

    policy_path = folder / POLICY_FILE
    if not policy_path.is_file():
        faults.append(Fault(POLICY_FILE, "缺少此文件,或不是文件", "the file is missing, or is no file"))
    people, roster_errors = read(read_roster, folder / roster.FILE)
    claims, claim_errors = read(read_claims, folder / intake_files.FILE)
    feeds, feed_errors = read(read_feeds, folder)
    if faults or people is None or claims is None or feeds is None:
        raise UnusableInput(faults)
    errors = sorted([*roster_errors, *claim_errors, *feed_errors], key=lambda error: error.file)
    return Pack(folder, policy_path, people, claims, feeds, errors)


def _refuse_no_pack(folder: Path) -> None:
    def refuse(zh: str, en: str) -> UnusableInput:
        return UnusableInput([Fault(str(folder), zh, en)])

    if not folder.exists():
        raise refuse("文件夹不存在", "the folder does not exist")
    if not folder.is_dir():
        raise refuse("不是文件夹", "this is no folder")
    try:
        empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise refuse(
            f"文件夹无法打开:{error.strerror}", f"the folder cannot be opened: {error.strerror}"
        ) from None
    if empty:
        needed = (POLICY_FILE, roster.FILE, intake_files.FILE)
        raise refuse(
            f"文件夹是空的,至少应有 {'、'.join(needed)}",
            f"the folder is empty; it must hold at least {', '.join(needed)}",
        )


def errors_csv(errors: Iterable[RowError]) -> bytes:
    """errors.csv as rules.md §6 has it; `errors` are in its order already."""
    header = ("file", "sheet", "row", "column", "code")
    lines = ((error.file, error.sheet, str(error.row), error.column, error.code) for error in errors)
    return csv_bytes(header, lines)


def ignored_files(folder: Path) -> list[str]:
    """Files of a pack's `feeds` that no feed is read from: a misspelt name would pass for no data."""
    known = {file_of(feed) for feed in COLUMNS}
    found = (path.relative_to(folder).as_posix() for path in (folder / "feeds").glob("*"))
    return sorted(name for name in found if name not in known)
