"""Master policies by chance: every optional key there or not, dated or not, with figures that claims can sit on."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.claims.dice import Dice, one_in, pick

FIRST, LAST = date(2020, 1, 1), date(2020, 12, 31)
PERIODS = ((FIRST, LAST), (date(2020, 2, 29), date(2021, 2, 28)), (date(2019, 7, 1), date(2020, 6, 30)))
CATEGORIES = ("相对贫困户", "脱贫享受政策户", "临时大额支出户", "重大变故户(A类)")
CAUSES = ("高血压", "整形美容", "因灾减产", "交通事故", "醉酒")
LEVELS = ("本科", "大专", "高中")
PAPERS = ("身份证", "发票", "证明A")
USES, STATUSES = ("商品住宅", "商铺"), ("存续", "注销")
CHANGES = (date(2020, 1, 1), date(2020, 3, 1), date(2020, 7, 1), date(2020, 12, 31), date(2021, 1, 15))
STRANGE_WORDS = {CATEGORIES[3]: "\u200b重大变故户\uff08\uff21类\uff09", PAPERS[2]: " 证明\uff21\u3000"}
"""The same words as a hand in another input method types them: read, they are the words of the roster."""


def money(*fen: int) -> list[Decimal]:
    """Fen as yuan with two decimals."""
    return [Decimal(each).scaleb(-2).quantize(Decimal("0.01")) for each in fen]


AMOUNTS = money(0, 1, 2, 300, 99_99, 100_00, 333_33, 1000_00, 5000_00, 10000_00)
CAPS = money(0, 1, 50_00, 100_00, 1000_00, 5000_01, 100000_00)
RATES = [
    Decimal(text) for text in ("0.5", "1", "0", "0.3", "0.333333333333333333333", "0.90", "1.00", "0.005")
]
TIER_STARTS = money(1, 100_00, 100_01, 333_33, 1000_00, 8000_00, 10000_00)


def random_policy(dice: Dice) -> dict[str, Any]:
    """A policy as the tree of policy.toml."""
    first, last = pick(dice, PERIODS)
    policy: dict[str, Any] = {
        "notice_days": dated(dice, [180, 180, 180, 0, 30, 1]),
        "time_bar_years": dated(dice, [2, 2, 2, 1, 0]),
        "policy": {
            "number": "FPB-1",
            "title": "防贫保险",
            "purchaser": "中心",
            "insurer": "公司",
            "jurisdiction": "370323",
            "period": {"from": first, "to": last},
            "premium_per_head": Decimal("450.00"),
        },
        "poverty_line": {
            "basis": pick(dice, money(19128_00, 10000_00, 999_99, 100_00)),
            "ratio": pick(dice, [Decimal(text) for text in ("0.33", "1", "0.333", "0")]),
            "clause": "甲",
        },
        "lines": {},
    }
    if one_in(dice, 2):
        policy["household_cap"] = dated(dice, CAPS[::-1])
    if one_in(dice, 2):
        policy["reverse_standards"] = random_standards(dice)
    for key, benefits in (
        ("illness", {"medical": expense}),
        ("education", {"tuition": expense}),
        ("accident", {"death": fixed, "disability": graded, "medical": expense, "property": expense}),
        ("income", {"shortfall": shortfall}),
    ):
        if one_in(dice, 30):
            continue
        line = random_line(dice, key)
        line["benefits"] = {name: make(dice, key) for name, make in benefits.items() if not one_in(dice, 30)}
        policy["lines"][key] = line
    return policy


def dated(dice: Dice, options: list[Any]) -> Any:
    """One of the values, or several by date in any order."""
    if not one_in(dice, 5):
        return pick(dice, options)
    starts = [pick(dice, CHANGES) for _ in range(1 + dice.upto(2))]
    return {"since": {start.isoformat(): pick(dice, options) for start in starts}}


def may(dice: Dice, table: dict[str, Any], key: str, options: list[Any], many: int = 2) -> None:
    """Sets a key that may be absent, once in so many times."""
    if one_in(dice, many):
        table[key] = dated(dice, options)


def random_standards(dice: Dice) -> dict[str, Any]:
    """Reverse standards, each there or not."""
    housing: dict[str, Any] = {"uses": dated(dice, [["商品住宅"], list(USES), []])}
    may(dice, housing, "within_years", [5, 1, 0])
    every = {
        "deposit": {"amount_from": dated(dice, AMOUNTS[-3:])},
        "machinery": {"price_from": dated(dice, AMOUNTS[-3:])},
        "housing": housing,
        "vehicle": {"price_from": dated(dice, AMOUNTS[-3:])},
        "company": {
            "capital_from": dated(dice, AMOUNTS[-3:]),
            "statuses": dated(dice, [["存续"], [*STATUSES], []]),
        },
        "payroll": {},
    }
    return {key: {**standard, "clause": "反"} for key, standard in every.items() if not one_in(dice, 4)}


def random_line(dice: Dice, key: str) -> dict[str, Any]:
    """A line without its benefits."""
    line: dict[str, Any] = {"title": "险", "clause": "条"}
    may(dice, line, "income_ceiling", [Decimal("5"), Decimal("1.5"), Decimal("1"), Decimal("0.333")], many=3)
    may(dice, line, "waiting_days", [0, 30, 1])
    may(dice, line, "evidence", [["身份证"], ["身份证", "证明A"], []])
    may(dice, line, "excluded_causes", [["整形美容", "醉酒"], [], ["交通事故"]])
    may(
        dice, line, "covered_causes", [["高血压", "因灾减产", "交通事故"], list(CAUSES), ["因灾减产"]], many=4
    )
    if key == "education":
        line["levels"] = dated(dice, [["本科", "大专"], [*LEVELS], ["本科"], []])
    return line


def expense(dice: Dice, line: str) -> dict[str, Any]:
    """A benefit of kind expense."""
    over = pick(dice, ["policy_year", "academic_year"]) if line == "education" else "policy_year"
    tiers = []
    for _ in range(3):
        starts = sorted({pick(dice, TIER_STARTS) for _ in range(dice.upto(3))})
        tiers.append([[start, pick(dice, RATES)] for start in (Decimal("0.00"), *starts)])
    benefit: dict[str, Any] = {
        "kind": "expense",
        "clause": "款",
        "per": pick(dice, ["person", "household"]),
        "over": over,
        "tiers": dated(dice, tiers),
    }
    by_category = {"default": pick(dice, AMOUNTS), pick(dice, CATEGORIES): pick(dice, AMOUNTS)}
    may(dice, benefit, "franchise", [pick(dice, AMOUNTS), by_category, pick(dice, AMOUNTS)])
    may(dice, benefit, "cap", CAPS)
    may(dice, benefit, "evidence", [["发票"], ["身份证"]], many=3)
    return benefit


def fixed(dice: Dice, line: str) -> dict[str, Any]:
    """A benefit of kind fixed."""
    return {"kind": "fixed", "clause": "款", "sum": dated(dice, CAPS[::-1])}


def graded(dice: Dice, line: str) -> dict[str, Any]:
    """A benefit of kind graded."""
    grades = [[pick(dice, RATES) for _ in range(10)] for _ in range(2)]
    return {"kind": "graded", "clause": "款", "sum": dated(dice, CAPS[::-1]), "grades": dated(dice, grades)}


def shortfall(dice: Dice, line: str) -> dict[str, Any]:
    """A benefit of kind shortfall."""
    benefit = {
        "kind": "shortfall",
        "clause": "款",
        "rate": dated(dice, RATES),
        "cap_per_head": dated(dice, CAPS[::-1]),
    }
    may(dice, benefit, "cap", CAPS)
    return benefit


def days_of(policy: dict[str, Any]) -> list[date]:
    """The days on which something in a policy begins or ends."""
    period = policy["policy"]["period"]
    return [date(2020, 6, 1), period["from"], period["to"], date(2020, 2, 29), *CHANGES]


def around(days: list[date]) -> list[date]:
    """The days themselves, then the days before and after."""
    return [*days, *(day + timedelta(step) for day in days for step in (1, -1))]


def to_toml(policy: dict[str, Any]) -> str:
    """The policy as the text of policy.toml."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in policy.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_text(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, str):
        return _text(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(text: str) -> str:
    return f'"{STRANGE_WORDS.get(text, text)}"'
