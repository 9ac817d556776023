"""The county's key villages 重点村, where poverty is densest. Pure but for reading `key_villages.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("key_villages.toml")


@cache
def key_villages() -> frozenset[str]:
    """Codes of the key villages; none while the county has named none."""
    return frozenset(tomllib.loads(_TABLE.read_text(encoding="utf-8"))["villages"])
