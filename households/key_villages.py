"""The county's key villages 重点村, where poverty is densest: a list that the county names."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from foundation.errors import ConfigurationError
from foundation.places import VILLAGE_DIGITS

_CODE = re.compile(rf"[0-9]{{{VILLAGE_DIGITS}}}")


def key_villages() -> frozenset[str]:
    """Codes of the key villages; none while the county has named none.

    FANGPIN_KEY_VILLAGES names a UTF-8 text file: a code of 12 digits begins each line, its name may follow; lines that
    begin with # are remarks. Read once a process. Raises ConfigurationError.
    """
    named = os.environ.get("FANGPIN_KEY_VILLAGES")
    return _read(Path(named)) if named else frozenset()


@cache
def _read(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"读不出重点村名单 {path},请检查 FANGPIN_KEY_VILLAGES",
            f"the list of key villages {path} cannot be read; check FANGPIN_KEY_VILLAGES",
        ) from problem
    return frozenset(_code(path, place, line) for place, line in enumerate(lines, 1) if _says_something(line))


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _code(path: Path, place: int, line: str) -> str:
    code = re.split(r"[\s,,]", line.strip(), maxsplit=1)[0]
    if not _CODE.fullmatch(code):
        raise ConfigurationError(
            f"重点村名单 {path} 第 {place} 行应以 {VILLAGE_DIGITS} 位村代码开头",
            f"line {place} of the list of key villages {path} must begin with a code of {VILLAGE_DIGITS} digits",
        )
    return code
