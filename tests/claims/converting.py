"""From the plain dicts of the tests to the program's own types, and its decisions on them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from claims.deciding import Cases, Decided, cases_of_pack, decision_rows
from claims.facts import Claim
from claims.pack import Pack
from households.feeds import (
    AccidentRow,
    ClearanceRow,
    CompanyRow,
    DeathRow,
    DepositRow,
    EducationRow,
    Feeds,
    HousingRow,
    KinRow,
    MachineryRow,
    MedicalRow,
    OfficialRow,
    PayrollRow,
    VehicleRow,
)
from households.roster import RosterRow
from policies.policy_file import parse_policy
from tests.claims.worlds import Row, World, id_number

FEED_ROWS: dict[str, tuple[Callable[..., Any], Row]] = {
    "medical": (MedicalRow, {"name": "某"}),
    "education": (EducationRow, {"name": "某", "school": "某校"}),
    "accidents": (AccidentRow, {}),
    "deaths": (DeathRow, {"name": "某"}),
    "housing": (HousingRow, {}),
    "vehicles": (VehicleRow, {"plate": "鲁C00001"}),
    "companies": (CompanyRow, {"name": "某公司"}),
    "deposits": (DepositRow, {}),
    "machinery": (MachineryRow, {"name": "收割机"}),
    "payroll": (PayrollRow, {"employer": "某局"}),
    "kin": (KinRow, {"relation": "父子"}),
    "officials": (OfficialRow, {"official_id_number": id_number("19600101", 1)}),
}
"""The program's row of each feed, and what its cells are that no rule looks at."""


def in_fen(row: Row) -> Row:
    """A row with its amounts in whole fen, under the program's names of them."""
    return {
        (f"{key}_fen" if isinstance(value, Decimal) else key): fen(value)
        if isinstance(value, Decimal)
        else value
        for key, value in row.items()
    }


def fen(yuan: Decimal) -> int:
    """Yuan with two decimals as whole fen."""
    whole = yuan * 100
    assert whole == int(whole)
    return int(whole)


def claim_of(row: Row) -> Claim:
    """A claim as the program holds it, with its measure worked out from its amounts as the sheets have it."""
    line = row["line"]
    benefit = {"illness": "medical", "education": "tuition", "income": "shortfall"}.get(line) or row[
        "benefit"
    ]
    amounts = in_fen(row)
    amounts.update(benefit=benefit, evidence=tuple(row["evidence"]), channel="个人申报")
    paid = sum(
        amounts.get(f"{key}_fen", 0) for key in ("basic", "major", "aid", "other", "grants", "third_party")
    )
    cost = sum(amounts.get(f"{key}_fen", 0) for key in ("total", "tuition", "lodging", "books", "expense"))
    if benefit in ("medical", "tuition", "property"):
        amounts["measure_fen"] = cost - paid
    return Claim(**amounts)


def roster_row(row: Row, number: int = 2) -> RosterRow:
    """A person of the roster as the program holds it."""
    fields = {key: value for key, value in row.items() if key != "income_per_head"}
    income = row["income_per_head"]
    return RosterRow(
        **fields,
        income_per_head_fen=None if income is None else fen(income),
        town="某镇",
        village="某村",
        bank_code=None,
        row=number,
    )


def feeds_of(feeds: dict[str, list[Row] | None], clearances: list[Row]) -> Feeds:
    """All feeds as the program holds them."""
    made: dict[str, Any] = {}
    for name, (kind, rest) in FEED_ROWS.items():
        rows = feeds[name]
        made[name] = None if rows is None else [kind(**rest, **in_fen(row)) for row in rows]
    return Feeds(**made, clearances=[ClearanceRow(**row) for row in clearances])


def roster_of(world: World) -> list[RosterRow]:
    """A world's roster as the program holds it."""
    return [roster_row(row, number) for number, row in enumerate(world.roster, start=2)]


def case_of(world: World) -> Cases:
    """A world as the program takes it."""
    return cases_of_pack(
        roster_of(world),
        [claim_of(row) for row in world.claims],
        feeds_of(world.feeds, world.clearances),
        parse_policy(world.toml.encode()),
    )


def program_decides(world: World) -> tuple[list[Decided], list[tuple[str, ...]]]:
    """The program's decisions on a world, and its rows of decisions.csv."""
    decided = case_of(world).decide_all()
    return decided, list(decision_rows(decided))


def world_of_pack(pack: Pack) -> World:
    """A pack that was read, as the plain dicts that the model takes."""
    toml = pack.policy_path.read_text("utf-8")
    feeds = {name: getattr(pack.feeds, name) for name in FEED_ROWS}
    return World(
        toml,
        tomllib.loads(toml, parse_float=Decimal),
        [_plain(row) for row in pack.roster],
        [_plain(claim) for claim in pack.claims],
        {name: None if rows is None else [_plain(row) for row in rows] for name, rows in feeds.items()},
        [_plain(row) for row in pack.feeds.clearances],
    )


def _plain(record: Any) -> Row:
    """A row of the program with its amounts in yuan, under the model's names of them."""
    fields = asdict(record)
    return {
        key.removesuffix("_fen"): Decimal(value).scaleb(-2)
        if key.endswith("_fen") and value is not None
        else value
        for key, value in fields.items()
    }
