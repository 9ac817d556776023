"""Rows, columns and sheets in another order give the same decisions, where no key, head or column stands twice."""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from claims.deciding import cases_of_pack, decision_rows
from claims.pack import read_pack
from foundation.cells import clean
from policies.policy_file import load_policy

Table = list[list[Any]]


def decisions(pack: Path) -> list[tuple[str, ...]]:
    policy, read = load_policy(pack / "policy.toml"), read_pack(pack)
    return list(decision_rows(cases_of_pack(read.roster, read.claims, read.feeds, policy).decide_all()))


def _words(row: Iterable[Any]) -> list[str]:
    return [clean(str(cell)) if cell is not None else "" for cell in row]


def _table(rows: Table, key: str) -> tuple[list[Any], Table]:
    """(header, body) of a sheet whose header may stand below a title."""
    at = next(place for place, row in enumerate(rows[:10]) if key in _words(row))
    return rows[at], rows[at + 1 :]


def _without_repeats(header: list[Any], body: Table, keys: list[str], seen: dict[str, set[str]]) -> Table:
    names = _words(header)
    kept = []
    for row in body:
        values = dict(zip(names, _words(row), strict=False))
        if "与户主关系" in values and values["与户主关系"] == "户主":
            values["户主"] = values["户编号"]
        found = {key: values[key] for key in keys if key in values}
        if any(value in seen[key] for key, value in found.items()):
            continue
        for key, value in found.items():
            seen[key].add(value)
        kept.append(row)
    return kept


def _rewrite_workbook(path: Path, keys: list[str], chance: random.Random | None) -> None:
    book = load_workbook(path, data_only=True)
    tables: list[tuple[str, list[Any], Table]] = []
    seen: dict[str, set[str]] = {key: set() for key in keys}
    for sheet in book.worksheets:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        if not any(keys[0] in _words(row) for row in rows[:10]):
            continue
        header, body = _table(rows, keys[0])
        # Of a column name that stands twice the first counts: its place matters, so the later ones go.
        names = _words(header)
        first = [place for place, name in enumerate(names) if names.index(name) == place]
        header, body = [header[place] for place in first], [[row[place] for place in first] for row in body]
        tables.append((sheet.title, header, _without_repeats(header, body, keys, seen)))
    if chance:
        chance.shuffle(tables)
    new = Workbook()
    new.remove(new.active)
    for title, header, body in tables:
        order = list(range(len(header)))
        if chance:
            chance.shuffle(order)
            chance.shuffle(body)
        sheet = new.create_sheet(title)
        for row in [header, *body]:
            sheet.append([row[place] if place < len(row) else None for place in order])
    new.save(path)


def _rewrite_csv(path: Path, chance: random.Random | None) -> None:
    with path.open(encoding="gb18030", newline="") as file:
        header, *body = csv.reader(file)
    order = list(range(len(header)))
    if chance:
        chance.shuffle(order)
        chance.shuffle(body)
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            [[row[place] if place < len(row) else "" for place in order] for row in [header, *body]]
        )


def rewritten(source: Path, target: Path, chance: random.Random | None) -> Path:
    """A copy of a pack without repeated keys, in its own order or shuffled."""
    shutil.copytree(source, target)
    _rewrite_workbook(target / "roster.xlsx", ["身份证号", "户主"], chance)
    _rewrite_workbook(target / "claims.xlsx", ["报案号"], chance)
    for path in [target / "clearances.csv", *sorted((target / "feeds").iterdir())]:
        _rewrite_csv(path, chance)
    return target


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_columns_and_sheets_does_not_matter(
    small_pack: Path, tmp_path: Path, seed: int
) -> None:
    plain = decisions(rewritten(small_pack, tmp_path / "plain", None))
    assert len(plain) > 250
    assert {row[3] for row in plain} == {"approve", "reject", "refer", "supplement"}
    assert decisions(rewritten(small_pack, tmp_path / "shuffled", random.Random(seed))) == plain
