"""Frozen records from their stored form: objects, lists and ISO dates back to dataclasses.

Pure. Strict: a stored record with other fields than today's is refused, never filled up by guessing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from typing import Any, TypeVar

T = TypeVar("T")


def day_from_text(text: str) -> date:
    """A date from `2020-07-01`."""
    return date.fromisoformat(text)


def record_from_data(kind: type[T], data: dict[str, Any], **converters: Callable[[Any], Any]) -> T:
    """A dataclass from the mapping of its fields; `converters` turn single fields into what they are in memory.

    Raises ValueError when the fields are not exactly those of the class.
    """
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # called with dataclasses only
    if names != data.keys():
        raise ValueError(f"stored {kind.__name__} has other fields than today's")
    return kind(
        **{name: converters[name](value) if name in converters else value for name, value in data.items()}
    )
