"""How spells are named and marked on pages. Pure but for the request's language."""

from __future__ import annotations

from collections.abc import Mapping

from foundation.web.language import pick
from households.terms import Pair

STANDING_KINDS: Mapping[str, str] = {
    "proposed": "warn",
    "active": "ok",
    "due": "info",
    "overdue": "bad",
    "follow_up": "info",
    "exited": "neutral",
    "refused": "neutral",
}
"""The mark of a standing."""


def named(pairs: Mapping[str, Pair]) -> list[tuple[str, str]]:
    """Keys with their words, as a select takes them; in English with a capital in front."""
    return [(key, capital(pick(*pair))) for key, pair in pairs.items()]


def capital(text: str) -> str:
    """A word as it stands by itself."""
    return text[:1].upper() + text[1:]
