"""What was found in an uploaded pack, as it is shown before anything is taken in, and its stored form.

Pure. It is sealed where it is stored: nothing in it names a person, but the causes of a fault may quote a cell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from claims.deciding import Decided
from claims.pack import Pack
from foundation.errors import Fault
from foundation.tables import RowError
from policies.policy import Policy


@dataclass(frozen=True, slots=True)
class Outcome:
    """Claims of one line with one outcome: how many, and what they come to in fen."""

    line: str
    outcome: str
    claims: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What taking it in would change. `same_as_last`: it is the very pack that was taken in last."""

    same_as_last: bool
    new: int
    changed: int
    gone: int
    determined: int
    """Claims of the pack that are determined already: they stay; one that would come out otherwise is reviewed."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a usable pack holds, and what its claims come to by themselves."""

    policy_number: str
    policy_title: str
    period: tuple[str, str]
    """First and last day, ISO."""
    people: int
    households: int
    claims: int
    outcomes: tuple[Outcome, ...]
    absent_feeds: tuple[str, ...]
    changes: Changes
    first_notified_on: str | None = None
    """Day of the earliest notice of a claim, ISO; None where there are no claims."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What taking in has changed (`claims.services.pack.PackTakenIn`)."""

    unchanged: bool
    rows_added: int
    rows_changed: int
    decisions: int
    reviews: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of an upload. `summary` is None while it is being looked at, and for an unusable pack."""

    not_read: tuple[str, ...]
    """Names of uploaded files that no part of a pack is read from."""
    faults: tuple[Fault, ...] = ()
    """Why the pack cannot be used."""
    refused: tuple[RowError, ...] = ()
    """Every refused cell; its row is left out, the rest goes on."""
    summary: Summary | None = None
    taken_in: TakenIn | None = None


def summarised(policy: Policy, pack: Pack, decided: Sequence[Decided], changes: Changes) -> Summary:
    """The summary of a pack that was read and decided."""
    counts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for item in decided:
        key = (item.decision.line, item.decision.outcome)
        counts[key] += 1
        amounts[key] += item.decision.payable_fen
    return Summary(
        policy.number,
        policy.title,
        (policy.period_from.isoformat(), policy.period_to.isoformat()),
        len(pack.roster),
        len({row.household_no for row in pack.roster}),
        len(decided),
        tuple(Outcome(*key, counts[key], amounts[key]) for key in sorted(counts)),
        tuple(pack.feeds.absent()),
        changes,
        min((item.facts.claim.notified_on.isoformat() for item in decided), default=None),
    )


def dump_preview(preview: Preview) -> str:
    """JSON of a preview. A sum may go beyond 64 bits, so it is not a case for orjson."""
    return json.dumps(asdict(preview), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def load_preview(text: str) -> Preview:
    """A preview from its JSON."""
    data: dict[str, Any] = json.loads(text)
    return Preview(
        not_read=tuple(data["not_read"]),
        faults=tuple(Fault(**fault) for fault in data["faults"]),
        refused=tuple(RowError(**error) for error in data["refused"]),
        summary=None if data["summary"] is None else _summary(data["summary"]),
        taken_in=None if data["taken_in"] is None else TakenIn(**data["taken_in"]),
    )


def _summary(data: dict[str, Any]) -> Summary:
    first, last = data["period"]
    rest = {
        "period": (first, last),
        "outcomes": tuple(Outcome(**outcome) for outcome in data["outcomes"]),
        "absent_feeds": tuple(data["absent_feeds"]),
        "changes": Changes(**data["changes"]),
    }
    return Summary(**(data | rest))
