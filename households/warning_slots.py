"""What upper packages show on a warning's page: each fills the slot that is named for it, and this package knows none.

A filler is called inside the page's view of the database, with the case; it gives a link, or None where there is
nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.orm import Session

from foundation.sealing import Sealer
from households.queries.warning_case import CaseView

SLOTS = ("form", "claim")
"""The pre-filled claim form 免填单 of a case, and the claim that was made of it."""

_EXTENSION = "households.warning_slots"


@dataclass(frozen=True, slots=True)
class Link:
    """A part of the page that leads on: what it is called, where it is, and a line beside it (may be empty)."""

    title: str
    url: str
    note: str = ""


Filler = Callable[[Session, Sealer, CaseView], Link | None]


def fill(app: Flask, slot: str, filler: Filler) -> None:
    """Names who fills a slot of an application. Raises ValueError for a slot that there is not, or that is taken."""
    fillers = app.extensions.setdefault(_EXTENSION, {})
    if slot not in SLOTS or slot in fillers:
        raise ValueError(f"no free slot {slot}")
    fillers[slot] = filler


def filled(session: Session, sealer: Sealer, case: CaseView) -> dict[str, Link]:
    """The slots of this application, filled for one case; one that stays empty is left out."""
    fillers: Mapping[str, Filler] = current_app.extensions.get(_EXTENSION, {})
    found = {slot: fillers[slot](session, sealer, case) for slot in SLOTS if slot in fillers}
    return {slot: link for slot, link in found.items() if link is not None}
