"""The states of a claim, as far as the main job goes: taken in from a county pack it stands at review.

Pure. One table says every move; the database refuses the others (claims.models), the services name both states.
"""

from __future__ import annotations

from collections.abc import Mapping

from foundation.errors import ConflictError

REVIEW, APPROVED, REJECTED, WITHDRAWN = "review", "approved", "rejected", "withdrawn"

MOVES: Mapping[str, frozenset[str]] = {
    REVIEW: frozenset({APPROVED, REJECTED, WITHDRAWN}),
    APPROVED: frozenset(),
    REJECTED: frozenset(),
    # A claim that the newest pack has no more; one that comes back is reviewed again.
    WITHDRAWN: frozenset({REVIEW}),
}

UPLOAD_MOVES: Mapping[str, frozenset[str]] = {
    "checking": frozenset({"ready", "unusable"}),
    "ready": frozenset({"taking_in", "discarded"}),
    "unusable": frozenset({"discarded"}),
    "taking_in": frozenset({"taken_in", "ready"}),
    "taken_in": frozenset(),
    "discarded": frozenset(),
}
"""An uploaded pack: looked at; fit or not; being taken in (back to ready when that fails); done, or thrown away."""

UPLOAD_STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "checking": ("检查中", "being checked"),
    "ready": ("待入库", "ready"),
    "unusable": ("不可用", "unusable"),
    "taking_in": ("入库中", "being taken in"),
    "taken_in": ("已入库", "taken in"),
    "discarded": ("已作废", "discarded"),
}

STATE_NAMES: Mapping[str, tuple[str, str]] = {
    REVIEW: ("核赔", "under review"),
    APPROVED: ("核定给付", "approved"),
    REJECTED: ("拒赔", "rejected"),
    WITHDRAWN: ("撤回", "withdrawn"),
}


def move(state: str, to: str) -> str:
    """The new state. Raises ConflictError that names both states and what would be possible."""
    if to in MOVES[state]:
        return to
    possible = "、".join(sorted(STATE_NAMES[name][0] for name in MOVES[state])) or "无"
    possible_en = ", ".join(sorted(STATE_NAMES[name][1] for name in MOVES[state])) or "nothing"
    raise ConflictError(
        f"案件状态为“{STATE_NAMES[state][0]}”,不能变为“{STATE_NAMES[to][0]}”(可变为:{possible})",
        f'the claim is "{STATE_NAMES[state][1]}" and cannot become "{STATE_NAMES[to][1]}" (possible: {possible_en})',
    )
