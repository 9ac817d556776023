"""The stored form of what a decision rests on and says: JSON that adjudication's data goes into and comes out of."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from claims.adjudication import Decision
from claims.facts import Claim, Facts, claim_from_data, facts_from_data
from foundation.records import record_from_data


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decision):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(type(value).__name__)


def dump(value: Any) -> bytes:
    """Canonical JSON of facts, a claim or a decision: keys sorted, the same value gives the same bytes."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)


def dump_record(facts: Facts, decision: Decision) -> bytes:
    """The record of one decision: what it was given, and what it gave."""
    return dump({"decision": decision, "facts": facts})


def load_record(text: str | bytes) -> tuple[Facts, dict[str, Any]]:
    """Facts and decision of a record. The decision comes as plain data, as it is printed."""
    data = orjson.loads(text)
    return facts_from_data(data["facts"]), data["decision"]


def load_claim(text: str | bytes) -> Claim:
    """A claim from its stored form."""
    return claim_from_data(orjson.loads(text))


def decision_from_data(data: dict[str, Any]) -> Decision:
    """A decision from its stored form; the inputs of checks and lines stay plain data (days as text)."""
    return record_from_data(
        Decision,
        data,
        reasons=tuple,
        checks=lambda rows: tuple((code, result, clause, inputs) for code, result, clause, inputs in rows),
        calculation=lambda rows: tuple((label, clause, values) for label, clause, values in rows),
    )
