"""Full views and exports on pages and in the API: their forms, and the one road that grants a full view."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import request

from foundation.privacy.disclosures import (
    FIELD_NAMES,
    DailyLimitReached,
    Disclosed,
    disclose,
    record_refusal,
)
from foundation.privacy.purposes import MOST_NOTE, PURPOSES, view_purposes
from foundation.web.acting import acting, now, sealer, transaction
from foundation.web.fields import Choice, CleanText, StrictSchema, TextSchema
from foundation.web.language import pick


class FullView(StrictSchema):
    """Why somebody wants to see data in full: the body of a call."""

    purpose = Choice(PURPOSES, required=True)
    note = CleanText(max=MOST_NOTE)


class FullViewForm(TextSchema):
    """The same as a form; a purpose that nobody chose is asked for in words."""

    purpose = Choice(PURPOSES)
    note = CleanText(max=MOST_NOTE)


class ExportForm(FullViewForm):
    """What somebody takes data out for; a form with more fields than these has a schema of its own."""


def typed_reason() -> dict[str, str]:
    """What was typed into a form that comes back."""
    return {name: request.form.get(name, "")[:MOST_NOTE] for name in ("purpose", "note")}


def grant_full_view(
    subject: str, subject_id: str, fields: Collection[str], asked: dict[str, Any]
) -> Disclosed:
    """Grants the person who acts a full view, in a transaction of its own: what follows may show the data.

    Raises what `disclose` raises. A refusal for the day's limit is an event, which the refused transaction cannot keep.
    """
    try:
        with transaction() as session:
            return disclose(
                session,
                sealer(),
                acting(),
                now(),
                subject,
                subject_id,
                fields,
                asked.get("purpose"),
                asked.get("note"),
            )
    except DailyLimitReached:
        with transaction() as session:
            record_refusal(session, acting(), now(), subject, subject_id)
        raise


def told(seen: Disclosed) -> dict[str, Any]:
    """A full view in words, as its page says it was granted."""
    return {
        "fields": field_words(seen.fields),
        "who": acting().name,
        "at": seen.at,
        "purpose": purpose_words(seen.purpose),
        "left": seen.left,
    }


def offered_purposes() -> list[tuple[str, str]]:
    """Code and words of what the person who acts may look at data in full for; empty for who never may."""
    return named_purposes(view_purposes(acting().role))


def named_purposes(codes: Collection[str]) -> list[tuple[str, str]]:
    """Codes of purposes with their words, as a select takes them."""
    return [(code, purpose_words(code)) for code in codes]


def purpose_words(code: str) -> str:
    """A purpose as it stands by itself; in English with a capital in front."""
    purpose = PURPOSES[code]
    return _capital(pick(purpose.zh, purpose.en))


def field_words(fields: Collection[str]) -> str:
    """Kinds of data that a full view shows, in words."""
    return _capital(pick("、", ", ").join(pick(*FIELD_NAMES[field]) for field in fields))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
