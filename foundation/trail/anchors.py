"""Anchors: the head of each sealed block, written to a file outside the database.

Whoever owns the database can rewrite the whole trail with new hashes; not what was written elsewhere before. The file
is only ever added to; keep it, or a copy, where the owner of the database cannot write. The same heads are printed on
reports.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
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
    """The anchors of a file, in order; none when there is no file. Raises ConfigurationError naming a damaged line."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, 0) from error
    return [_anchor(path, number, line) for number, line in enumerate(lines, start=1)]


def _anchor(path: Path, number: int, line: str) -> Anchor:
    words = line.split(" ")
    if (
        len(words) != 5
        or not (words[0].isdigit() and words[1].isdigit())
        or len(words[2]) != 64
        or len(words[3]) != 64
    ):
        raise _damaged(path, number)
    return Anchor(int(words[0]), int(words[1]), words[2], words[3], words[4])


def _damaged(path: Path, line: int) -> ConfigurationError:
    return ConfigurationError(
        f"锚定文件 {path.name} 第 {line} 行已损坏,请从副本恢复",
        f"line {line} of the anchor file {path.name} is damaged; restore it from its copy",
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


def add_anchors(path: Path, blocks: Sequence[Anchor]) -> int:
    """Adds the blocks that the file has not yet; how many. `blocks` are those of the database, from the first one on or
    from the last anchored one on.

    Raises TrailBroken when the last anchored block is not the database's.
    """
    with _alone(path) as descriptor:
        last = last_anchor(path)
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
        os.write(descriptor, "".join(block.line() for block in new).encode("ascii"))
        os.fsync(descriptor)
        return len(new)


def last_anchor(path: Path) -> Anchor | None:
    """The last anchor of a file; None when there is none."""
    found = read_anchors(path)
    return found[-1] if found else None
