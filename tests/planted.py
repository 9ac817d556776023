"""Everything personal in a county pack, read from the raw cells of all sheets and feeds, and a search for it.

The cells that a pack's reader refuses count too. A value is looked for in each way that a program writes text: as UTF-8
and with the escapes of JSON and of addresses.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from policies.policy_file import load_policy

KINDS: Mapping[str, str] = {
    "身份证号": "id_number",
    "亲属身份证号": "id_number",
    "干部身份证号": "id_number",
    "姓名": "name",
    "收款户名": "name",
    "收款账号": "account",
    "联系电话": "phone",
    "病因": "diagnosis",
    "企业名称": "company",
    "号牌": "plate",
}
"""Heading of a column → what it holds about a person."""


@dataclass
class Planted:
    """The values by kind."""

    values: Mapping[str, frozenset[str]]

    def found_in(self, content: bytes) -> list[str]:
        """The values that stand in the content, in whatever way they are written; none when there is none."""
        found = {value for one in (content, _decoded(content)) for value in self._pattern.findall(one)}
        return sorted(value.decode() for value in found)

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return re.compile(
            _alternatives({value.encode() for values in self.values.values() for value in values})
        )

    def without(self, *kinds: str) -> Planted:
        """The same without some kinds."""
        return Planted({kind: values for kind, values in self.values.items() if kind not in kinds})


def planted(pack: Path) -> Planted:
    """Everything personal in a pack. Words that stand in its policy, as covered or excluded causes, are public."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS.values()}
    for rows in _tables(pack):
        for heading, cells in _columns(rows):
            kind = KINDS.get(heading)
            if kind is not None:
                found[kind] |= {value for cell in cells for value in _values(kind, cell)}
    found["diagnosis"] -= _public_causes(pack)
    return Planted({kind: frozenset(values) for kind, values in found.items()})


def _tables(pack: Path) -> Iterator[Sequence[Sequence[Any]]]:
    for file in sorted(pack.rglob("*.xlsx")):
        if "expected" not in file.parts:
            workbook = CalamineWorkbook.from_path(str(file))
            for name in workbook.sheet_names:
                yield workbook.get_sheet_by_name(name).to_python()
    for file in sorted((pack / "feeds").glob("*.csv")):
        content = file.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("gb18030")
        yield list(csv.reader(text.splitlines()))


def _columns(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """(heading, cells) of each column below the row that holds the headings."""
    heads = [number for number, row in enumerate(rows) if "身份证号" in [_plain(cell) for cell in row]]
    if not heads:
        return
    below = rows[heads[0] + 1 :]
    for place, heading in enumerate(rows[heads[0]]):
        yield _plain(heading), [row[place] for row in below if place < len(row)]


def _values(kind: str, cell: Any) -> set[str]:
    """A cell as it was typed and as a reader would normalise it; nothing of one that names nobody."""
    typed = f"{cell:.0f}" if isinstance(cell, float) else str(cell).strip()
    plain = _plain(typed)
    if kind in ("id_number", "account", "phone"):
        numbers = {typed, plain, plain.upper()}
        return {number for number in numbers if sum(char.isdigit() for char in number) >= 10}
    chinese = {word for word in (typed, plain) if re.search("[\u3400-\u9fff]", word)}
    return {word for word in chinese if len(_plain(word)) > 1 and not word.startswith("同")}


def _plain(cell: Any) -> str:
    text = unicodedata.normalize("NFKC", str(cell))
    return "".join(char for char in text if unicodedata.category(char)[0] not in "CZ")


def _public_causes(pack: Path) -> set[str]:
    lines = [line for terms in load_policy(pack / "policy.toml").versions for line in terms.lines.values()]
    return {cause for line in lines for cause in (*line.excluded_causes, *(line.covered_causes or ()))}


def _alternatives(words: set[bytes]) -> bytes:
    """A pattern of any of these words, branching byte by byte: thousands of words in one pass over the content."""
    if b"" in words:
        return b""
    branches: dict[bytes, set[bytes]] = {}
    for word in words:
        branches.setdefault(word[:1], set()).add(word[1:])
    parts = [re.escape(first) + _alternatives(rest) for first, rest in sorted(branches.items())]
    return parts[0] if len(parts) == 1 else b"(?:" + b"|".join(parts) + b")"


def _decoded(content: bytes) -> bytes:
    """The content with the escapes of JSON and of addresses written out."""
    plain = re.sub(
        rb"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), content
    )
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), plain)
