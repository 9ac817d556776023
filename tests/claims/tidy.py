"""One household in which everything is in order: the ground of worked examples, where one thing at a time is changed.

The policy has round figures, so that each example can be reckoned by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from claims.adjudication import Decision
from claims.deciding import Decided
from tests.claims.converting import program_decides
from tests.claims.worlds import FEED_NAMES, Row, World, id_number
from tests.policies.example import POLICY

EVENT, NOTIFIED = date(2020, 6, 1), date(2020, 6, 15)
HEAD, WIFE, CHILD = id_number("19700101", 1), id_number("19720101", 2), id_number("20120601", 3)
FAMILY = {HEAD: "李建国", WIFE: "王秀英", CHILD: "李洋"}


def family(category: str = "重大变故户") -> list[Row]:
    """The roster: a head with an account, his wife and a child, covered all year, without an income figure."""
    return [
        {
            "household_no": "H1",
            "relation": "户主" if number == HEAD else "其他",
            "name": name,
            "id_number": number,
            "village_code": "370323100001",
            "category": category,
            "income_per_head": None,
            "cover_from": date(2020, 1, 1),
            "cover_to": None,
            "renewal": False,
            "account_no": "6217001" if number == HEAD else None,
            "account_name": name if number == HEAD else None,
        }
        for number, name in FAMILY.items()
    ]


def claim(claim_no: str, line: str, person: str = HEAD, **fields: Any) -> Row:
    """A claim of one of the family, in order but for what `fields` say."""
    return {
        "claim_no": claim_no,
        "notified_on": NOTIFIED,
        "name": FAMILY.get(person, "张伟"),
        "id_number": person,
        "evidence": ["身份证", "死亡证明"],
        "payee_account": None,
        "payee_name": None,
        "line": line,
        "event_on": EVENT,
        "cause": "因灾减产",
        "document_no": None if line == "income" else f"D-{claim_no}",
        **fields,
    }


def illness(claim_no: str, total: str, person: str = HEAD, **fields: Any) -> Row:
    """A bill of the hospital in yuan, of which nobody else has paid a part."""
    nothing = dict.fromkeys(("basic", "major", "aid", "other"), Decimal("0.00"))
    return claim(claim_no, "illness", person, **{"total": Decimal(total), **nothing, **fields})


def education(claim_no: str, tuition: str, **fields: Any) -> Row:
    """A year's tuition fee in yuan."""
    costs = {"tuition": Decimal(tuition), **dict.fromkeys(("lodging", "books", "grants"), Decimal("0.00"))}
    return claim(
        claim_no,
        "education",
        **{"academic_year": "2019-2020", "level": "本科", "cause": None, **costs, **fields},
    )


def accident(claim_no: str, benefit: str, expense: str = "0.00", person: str = HEAD, **fields: Any) -> Row:
    """A claim after the accident A1."""
    costs = {"expense": Decimal(expense), "third_party": Decimal("0.00")}
    rest = {"benefit": benefit, "accident_no": "A1", "cause": "跌落", "grade": None}
    return claim(claim_no, "accident", person, **{**rest, **costs, **fields})


def income(claim_no: str, verified: str, members: int = 3, **fields: Any) -> Row:
    """A year's income per head that was verified, in yuan."""
    return claim(claim_no, "income", **{"verified_income": Decimal(verified), "members": members, **fields})


def feeds_for(claims: Sequence[Row]) -> dict[str, list[Row] | None]:
    """Feeds that have each of the claims just as it is claimed, and nothing else."""
    feeds: dict[str, list[Row]] = {name: [] for name in FEED_NAMES}
    for row in claims:
        person = {"id_number": row["id_number"]}
        if row["line"] == "illness":
            paid = {key: row[key] for key in ("document_no", "total", "basic", "major", "aid")}
            feeds["medical"].append({**person, **paid, "settled_on": row["event_on"]})
        elif row["line"] == "education":
            year = {key: row[key] for key in ("academic_year", "level")}
            feeds["education"].append({**person, **year, "status": "在籍"})
        elif row.get("benefit") == "death":
            feeds["deaths"].append({**person, "died_on": row["event_on"]})
    return dict(feeds)


def world_of(
    claims: Sequence[Row],
    toml: str = POLICY,
    roster: list[Row] | None = None,
    clearances: Sequence[Row] = (),
    **feeds: list[Row] | None,
) -> World:
    """The claims in a world where all else is in order, but for the feeds that are named."""
    people = family() if roster is None else roster
    return World(toml, {}, people, list(claims), {**feeds_for(claims), **feeds}, list(clearances))


def decided(world: World) -> list[Decided]:
    """What the program makes of it, in the order of deciding."""
    return program_decides(world)[0]


def decisions(*claims: Row, **world: Any) -> list[Decision]:
    """The decisions on some claims, in the order of deciding."""
    return [item.decision for item in decided(world_of(claims, **world))]


def results(*claims: Row, **world: Any) -> list[tuple[str, str, str]]:
    """(outcome, amount, reasons) as decisions.csv has them, in the order of deciding."""
    return [(row[3], row[4], row[5]) for row in program_decides(world_of(claims, **world))[1]]


def reasons(*claims: Row, **world: Any) -> str:
    """The reasons of the last claim."""
    return results(*claims, **world)[-1][2]
