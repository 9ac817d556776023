"""What a background task works with: the open database, the sealer, the clock, and who the work is recorded under.

Set once by whatever runs (the command line, a worker); tasks take ids only and find the rest here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foundation.actors import Actor
from foundation.blobs import BlobStore
from foundation.clock import Clock
from foundation.database import Database
from foundation.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Runtime:
    """The surroundings of a task."""

    database: Database
    sealer: Sealer
    clock: Clock
    actor: Actor
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of people by person, as documents print them."""
    files: BlobStore | None = None
    """What people uploaded; None where no task asks for it."""
    anchors: Path | None = None
    """The file outside the database to which each sealed block's head is added; None where nothing is anchored."""


_current: list[Runtime] = []


def set_current(runtime: Runtime) -> None:
    """Makes this the runtime of the process."""
    _current[:] = [runtime]


def current() -> Runtime:
    """The runtime of the process. Raises RuntimeError when nobody has set it."""
    if not _current:
        raise RuntimeError("no runtime was set")
    return _current[0]


def stored_files(runtime: Runtime) -> BlobStore:
    """The uploaded files of a runtime. Raises RuntimeError when it was made without any."""
    if runtime.files is None:
        raise RuntimeError("the runtime has no stored files")
    return runtime.files
