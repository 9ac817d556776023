"""The request's surroundings: who acts, and the open database, sealer and clock of the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, g
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.blobs import BlobStore
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import NotAllowedError
from foundation.sealing import Sealer

EXTENSION = "fangpin"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the application was made with."""

    database: Database
    sealer: Sealer
    clock: Clock
    files: BlobStore | None = None
    """What people uploaded, sealed; None for an application that takes no files."""
    ring: Callable[[str, str], None] | None = None
    """Rings for the job of a kind on a subject; None where the sweeper alone finds it."""


def surroundings() -> Surroundings:
    """The surroundings of the application that serves this request."""
    found: Surroundings = current_app.extensions[EXTENSION]
    return found


def acting() -> Actor:
    """Who acts in this request. Raises NotAllowedError where nobody is signed in (a public route)."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise NotAllowedError("请先登录", "sign in first")
    return actor


def set_acting(actor: Actor | None) -> None:
    """Set once at the start of a request, by whoever has recognised the person."""
    g.actor = actor


def sealer() -> Sealer:
    """Opens and seals personal data."""
    return surroundings().sealer


def stored_files() -> BlobStore:
    """The uploaded files of the application. Raises RuntimeError when it was made without any."""
    files = surroundings().files
    if files is None:
        raise RuntimeError("the application has no stored files")
    return files


def ring(kind: str, subject_id: str) -> None:
    """Rings for a job that a transaction has just asked for, so that a worker need not wait for the sweeper."""
    bell = surroundings().ring
    if bell is not None:
        bell(kind, subject_id)


def now() -> datetime:
    """The instant of this request, the same from its start to its end."""
    if "now" not in g:
        g.now = surroundings().clock.now()
    moment: datetime = g.now
    return moment


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view of the database for a page."""
    with surroundings().database.reading() as session:
        yield session


@contextmanager
def transaction() -> Iterator[Session]:
    """A writing transaction: committed at the end, rolled back by any exception."""
    with surroundings().database.transaction() as session:
        yield session
