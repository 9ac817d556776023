"""The departments that send data, from departments.toml: key → name (Chinese, English), in the order of lists. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Pair = tuple[str, str]


@cache
def departments() -> Mapping[str, Pair]:
    """Every department's name by its key, as layouts and role grants have it."""
    table = tomllib.loads((files(__package__) / "departments.toml").read_text("utf-8"))
    return {key: (zh, en) for key, (zh, en) in ((key, entry["name"]) for key, entry in table.items())}
