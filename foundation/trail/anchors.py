"""Anchors: the head of each sealed block, written to a file outside the database.

Whoever owns the database can rewrite the whole trail with new hashes; not what was written elsewhere before. The file
is only ever added to; keep it, or a copy, where the owner of the database cannot write. The same heads are printed on
reports.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import ConfigurationError, FangpinError


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a block: its number, how many events the trail has up to its end, root, digest of the block."""

    block: int
    events: int
    root: str
    digest: str
    sealed_at: str

    def line(self) -> str:
        """As the file has it."""
        return f"{self.block} {self.events} {self.root} {self.digest} {self.sealed_at}\n"


class TrailBroken(FangpinError):
    """The trail is not the one that was anchored: nothing is sealed on top of it."""

    code = "trail_broken"


def read_anchors(path: Path) -> list[Anchor]:
    """The anchors of a file, in order of their blocks; none when there is no file.

    A last line without an end was being written when the machine stopped, and counts for nothing. Raises
    ConfigurationError naming a damaged line.
    """
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, 0) from error
    anchors: list[Anchor] = []
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        anchor = _anchor(path, number, line)
        if anchors and anchor.block <= anchors[-1].block:
            raise _damaged(path, number)
        anchors.append(anchor)
    return anchors


def last_anchor(path: Path) -> Anchor | None:
    """The last anchor of a file; None when there is none. Reads the file's end only."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4 * _LONGEST_LINE))
            lines = file.read().decode("ascii").split("\n")[:-1]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, 0) from error
    return _anchor(path, 0, lines[-1]) if lines else None


_LONGEST_LINE = 256
_LINE = re.compile(r"([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64}) ([0-9a-f]{64}) ([-+:.T0-9]+)")


def _anchor(path: Path, number: int, line: str) -> Anchor:
    found = _LINE.fullmatch(line)
    if found is None:
        raise _damaged(path, number)
    block, events, root, digest, sealed_at = found.groups()
    return Anchor(int(block), int(events), root, digest, sealed_at)


def _damaged(path: Path, line: int) -> ConfigurationError:
    place = (f"第 {line} 行", f"line {line} of ") if line else ("", "")
    return ConfigurationError(
        f"锚定文件 {path.name} {place[0]}已损坏,请从副本恢复",
        f"{place[1]}the anchor file {path.name} is damaged; restore it from its copy",
    )


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def begin_anchors(path: Path) -> None:
    """Makes an empty file where there is none, before the first block: one that is missing later was lost."""
    with _alone(path) as descriptor:
        os.fsync(descriptor)


def add_anchors(path: Path, blocks_from: Callable[[int], Sequence[Anchor]]) -> int:
    """Adds the blocks that the file has not yet; how many. `blocks_from` reads those of the database from a number on.

    It is asked under the file's lock: read before, they could lack what another sealer has anchored meanwhile. Raises
    TrailBroken when the last anchored block is not the database's.
    """
    with _alone(path) as descriptor:
        last = last_anchor(path)
        blocks = blocks_from(1 if last is None else last.block)
        if last is not None:
            found = {block.block: block for block in blocks}.get(last.block)
            if found != last:
                raise TrailBroken(
                    f"审计链与锚定文件 {path.name} 不符:第 {last.block} 区块不是当时封存的那一块,已停止封存。"
                    "请核查数据库是否被改动或由旧备份恢复",
                    f"the trail is not the one in the anchor file {path.name}: block {last.block} is not the one that "
                    "was sealed; nothing more is sealed. Find out whether the database was changed or restored from an "
                    "old backup",
                )
        new = [block for block in blocks if last is None or block.block > last.block]
        _drop_unfinished_line(path, descriptor)
        lines = "".join(block.line() for block in new).encode("ascii")
        while lines:
            lines = lines[os.write(descriptor, lines) :]  # a full disk takes a part first and then refuses
        os.fsync(descriptor)
        return len(new)


def _drop_unfinished_line(path: Path, descriptor: int) -> None:
    """Cuts off a line that was being written when the machine stopped."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - _LONGEST_LINE))
        end = file.read()
    if not end.endswith(b"\n"):
        os.ftruncate(descriptor, start + end.rfind(b"\n") + 1)
