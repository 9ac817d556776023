"""The stored form of what a decision rests on and says: JSON that adjudication's data goes into and comes out of."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import orjson

from claims.adjudication import Decision
from claims.facts import Claim, Facts, claim_from_data, facts_from_data
from foundation.records import record_from_data

_MAY_BE_LONG = re.compile(r"[:,\[]-?[0-9]{19}")
"""A whole number that 64 bits may not hold (or such digits inside a text, which does no harm)."""


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(type(value).__name__)


def dump(value: Any) -> bytes:
    """Canonical JSON of facts, a claim or a decision: keys sorted, the same value gives the same bytes."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # A claim may name any number of people, and its product with a sum may go beyond 64 bits.
        text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode()


def _load(text: str | bytes) -> Any:
    """What was dumped. orjson would read a whole number beyond 64 bits as a binary fraction."""
    text = text if isinstance(text, str) else text.decode()
    return json.loads(text) if _MAY_BE_LONG.search(text) else orjson.loads(text)


def dump_record(facts: Facts, decision: Decision) -> bytes:
    """The record of one decision: what it was given, and what it gave."""
    return dump({"decision": decision, "facts": facts})


def load_record(text: str | bytes) -> tuple[Facts, dict[str, Any]]:
    """Facts and decision of a record. The decision comes as plain data, as it is printed."""
    data = _load(text)
    return facts_from_data(data["facts"]), data["decision"]


def load_claim(text: str | bytes) -> Claim:
    """A claim from its stored form."""
    return claim_from_data(_load(text))


def decision_from_data(data: dict[str, Any]) -> Decision:
    """A decision from its stored form; the inputs of checks and lines stay plain data (days as text)."""
    return record_from_data(
        Decision,
        data,
        reasons=tuple,
        checks=lambda rows: tuple((code, result, clause, inputs) for code, result, clause, inputs in rows),
        calculation=lambda rows: tuple((label, clause, values) for label, clause, values in rows),
    )
