"""What upper packages put on a household's timeline: each fills the slot that is named for it, and this one knows none.

A filler is called inside the page's view of the database, with the household's id; it gives its happenings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, current_app
from sqlalchemy.orm import Session

from foundation.sealing import Sealer
from households.timeline import Item

SLOTS = ("claims", "payments")

_EXTENSION = "households.slots"

Filler = Callable[[Session, Sealer, str], list[Item]]


def fill(app: Flask, slot: str, filler: Filler) -> None:
    """Names who fills a slot of an application. Raises ValueError for a slot that there is not, or that is taken."""
    fillers = app.extensions.setdefault(_EXTENSION, {})
    if slot not in SLOTS or slot in fillers:
        raise ValueError(f"no free slot {slot}")
    fillers[slot] = filler


def filled(session: Session, sealer: Sealer, household_id: str) -> list[Item]:
    """What the slots of this application have to say of one household."""
    fillers: Mapping[str, Filler] = current_app.extensions.get(_EXTENSION, {})
    return [item for filler in fillers.values() for item in filler(session, sealer, household_id)]
