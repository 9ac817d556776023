"""What upper packages show on a claim's page: each fills the slot that is named for it, and this package knows none.

A filler is called inside the page's view of the database, with the claim's ids; it gives its part of the page, and the
rows whose events belong to the claim's course as well, with words for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from sqlalchemy.orm import Session

from claims.terms import Pair
from foundation.sealing import Sealer

SLOTS = ("payments", "documents", "trail")
"""Beneath the calculation: what was paid on the claim; beside it: what was issued; under its course: the trail."""

_EXTENSION = "claims.slots"


@dataclass(frozen=True, slots=True)
class CaseIds:
    """The claim that a slot is filled for."""

    claim_id: str
    determination_id: str | None


@dataclass(frozen=True, slots=True)
class Filling:
    """A part of the page: a template of the filler's own, included with `values` as `slot`.

    `subject_ids` are the rows whose events are shown with the claim's own, `happenings` says what their actions are in
    words, `remarks` what there is to say of a single row.
    """

    template: str
    values: Mapping[str, Any]
    subject_ids: tuple[str, ...] = ()
    happenings: Mapping[str, Pair] = field(default_factory=dict)
    remarks: Mapping[str, Pair] = field(default_factory=dict)


Filler = Callable[[Session, Sealer, CaseIds], Filling | None]
"""Gives None where there is nothing to show."""


def fill(app: Flask, slot: str, filler: Filler) -> None:
    """Names who fills a slot of an application. Raises ValueError for a slot that there is not, or that is taken."""
    fillers = app.extensions.setdefault(_EXTENSION, {})
    if slot not in SLOTS or slot in fillers:
        raise ValueError(f"no free slot {slot}")
    fillers[slot] = filler


def filled(session: Session, sealer: Sealer, ids: CaseIds) -> dict[str, Filling]:
    """The slots of this application, filled for one claim; one that stays empty is left out."""
    fillers: Mapping[str, Filler] = current_app.extensions.get(_EXTENSION, {})
    found = {slot: fillers[slot](session, sealer, ids) for slot in SLOTS if slot in fillers}
    return {slot: filling for slot, filling in found.items() if filling is not None}
