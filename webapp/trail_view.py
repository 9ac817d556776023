"""Events of the trail as pages show them: who, how surely, what, on what and why, in the words of the reader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from claims.case_view import heading
from foundation.actors import Actor
from foundation.clock import SHANGHAI
from foundation.staff.queries import names
from foundation.web.language import pick
from households.queries import place_names
from webapp.trail_queries import Line
from webapp.trail_reasons import reason_words
from webapp.trail_things import Key, Thing, things
from webapp.trail_words import ASSURANCES, PROGRAM, action_words, role_words, subject_words

_SHORT = 8
_GROUP = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """An event in words. `thing_url` is empty where there is no page for the reader."""

    id: int
    at: str
    who: str
    role: str
    place: str
    assurance: str
    what: str
    action: str
    kind: str
    thing: str
    thing_url: str
    subject_id: str
    reason: str
    before: str | None
    after: str | None


def shown(session: Session, actor: Actor, lines: Sequence[Line]) -> list[Shown]:
    """Events in words, for the person who reads them. A few statements, however many events."""
    people = people_names(session)
    places = _places(session, {line.actor["place"] for line in lines})
    known = things(session, actor, {(line.subject, line.subject_id) for line in lines})
    return [_shown(line, people, places, known) for line in lines]


def people_names(session: Session) -> dict[str, str]:
    """Person → name, of the staff and of what acts without being a person."""
    return names(session) | {who: pick(*pair) for who, pair in PROGRAM.items()}


def _places(session: Session, codes: Iterable[str]) -> dict[str, str]:
    options = current_app.extensions["fangpin_options"]
    found = {code: " · ".join(place_names(session, code)) or code for code in codes if code != options.county}
    return found | {options.county: pick(*options.county_name)}


def _shown(
    line: Line, people: Mapping[str, str], places: Mapping[str, str], known: Mapping[Key, Thing]
) -> Shown:
    person, role = line.actor["person"], line.actor["role"]
    thing = known.get((line.subject, line.subject_id), Thing(_short(line.subject_id)))
    assurance = line.actor["assurance"]
    return Shown(
        line.id,
        exact(line.at),
        people.get(person, person),
        "" if person in PROGRAM else pick(*role_words(role)),
        places[line.actor["place"]],
        pick(*ASSURANCES.get(assurance, (assurance, assurance))),
        heading(pick(*action_words(line.action))),
        line.action,
        heading(pick(*subject_words(line.subject))),
        thing.name,
        thing.url,
        line.subject_id,
        pick(*reason_words(line.action, line.reason)),
        line.before,
        line.after,
    )


def _short(identity: str) -> str:
    """The beginning of a random id, which is enough to tell two apart; a name that speaks is left whole."""
    return identity[:_SHORT] if re.fullmatch("[0-9a-f]{32}", identity) else identity


def exact(at: datetime | None) -> str:
    """An instant in Shanghai time to the second: `2026-11-24 19:05:07`."""
    return "—" if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def grouped(digest: str) -> list[str]:
    """A digest in groups of eight characters, to be compared with a printed one."""
    return [digest[start : start + _GROUP] for start in range(0, len(digest), _GROUP)]
