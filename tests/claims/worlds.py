"""Small worlds by chance: a policy, a roster, claims, feeds and clearances that sit on the edges of the rules.

Everything is a plain dict as `tests.claims.model` takes it; `tests.claims.converting` makes the program's types of it.
Most things in a world are in order, so that money flows and caps fill; `mess` says how often something is not.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.claims.dice import Dice, one_in, pick
from tests.claims.random_policies import (
    CATEGORIES,
    CAUSES,
    LEVELS,
    PAPERS,
    STATUSES,
    USES,
    around,
    days_of,
    money,
    random_policy,
    to_toml,
)

Row = dict[str, Any]

NAMES = ("王秀英", "李建国", "张伟", "刘洋", "陈静", "杨·买买提")
BIRTHS = ("19700101", "20120601", "20120229", "19481231", "20120602", "20130301")
VILLAGES = ("370323100001", "370323100002")
YEARS = ("2019-2020", "2020-2021")
DOCUMENTS = ("D1", "D2", "D3")
FEED_NAMES = (
    "medical", "education", "accidents", "deaths", "housing", "vehicles",
    "companies", "deposits", "machinery", "payroll", "kin", "officials",
)  # fmt: skip
MEASURES = money(
    1000_00, 0, 1, 2, 3, 99_99, 100_00, 100_01, 333_33, 334_00, 5000_00, 5000_01,
    10000_00, 10000_01, 25000_00, 120000_00, 99_990_000_01,
)  # fmt: skip
"""Costs a fen to both sides of the franchises, tiers and caps of `random_policies`, and larger ones."""


@dataclass(frozen=True)
class World:
    """One county in small. `policy` is `toml` parsed, with decimals read exactly."""

    toml: str
    policy: Row
    roster: list[Row]
    claims: list[Row]
    feeds: dict[str, list[Row] | None]
    clearances: list[Row]


def random_world(dice: Dice) -> World:
    """A world; the same throws give the same one."""
    return _Maker(dice).world()


def id_number(birth: str, serial: int) -> str:
    """An ID number with a right checksum."""
    body = f"370323{birth}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return (
        body
        + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]
    )


class _Maker:
    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.mess = pick(dice, (150, 40, 12, 5))
        self.tree = random_policy(dice)
        self.toml = to_toml(self.tree)
        self.policy = tomllib.loads(self.toml, parse_float=Decimal)
        self.days = around(days_of(self.tree))
        self.first: date = self.tree["policy"]["period"]["from"]
        self.last: date = self.tree["policy"]["period"]["to"]
        basis, ratio = self.tree["poverty_line"]["basis"], self.tree["poverty_line"]["ratio"]
        self.poverty_line = Decimal(int(basis * ratio))

    def odd(self) -> bool:
        """Whether something is out of the ordinary this time."""
        return one_in(self.dice, self.mess)

    def day(self) -> date:
        """A day within the period, now and then one on an edge."""
        if one_in(self.dice, max(3, self.mess // 4)):
            return pick(self.dice, self.days)
        return self.first + timedelta(60 + 30 * self.dice.upto(6))

    def near(self, amount: Decimal) -> Decimal:
        """An amount, or a fen beside it, never below zero."""
        return max(Decimal("0.00"), amount + pick(self.dice, money(0, 1, -1)))

    def world(self) -> World:
        self.roster = self.make_roster()
        everybody = [row["id_number"] for row in self.roster]
        self.strangers = [id_number("19800101", serial) for serial in (901, 902)]
        self.favourite = pick(self.dice, self.roster)
        self.favoured = pick(self.dice, ("illness", "accident", "education", "income"))
        count = 1 + self.dice.upto(11)
        self.claims = [self.make_claim(number) for number in range(count)]
        self.feeds: dict[str, list[Row] | None] = {}
        of_claims, of_people = self.feeds_of_claims(), self.feeds_of_people(everybody)
        for feed in FEED_NAMES:
            rows = of_claims.get(feed, []) + of_people.get(feed, [])
            self.feeds[feed] = None if one_in(self.dice, 4 * self.mess) else rows
        return World(self.toml, self.policy, self.roster, self.claims, self.feeds, self.make_clearances())

    # Roster

    def make_roster(self) -> list[Row]:
        rows: list[Row] = []
        for household in range(1 + self.dice.upto(3)):
            for place in range(1 + self.dice.upto(3)):
                rows.append(self.make_person(f"H{household}", place, len(rows)))
        return rows

    def make_person(self, household_no: str, place: int, serial: int) -> Row:
        dice, head = self.dice, place == 0
        name = pick(dice, NAMES) if self.odd() else NAMES[place]
        account = f"6217{household_no}"
        ceiling = self.poverty_line * pick(dice, (Decimal("1.5"), Decimal(1), Decimal("0.333")))
        incomes = [None, Decimal("0.00"), self.near(ceiling.quantize(Decimal("0.01"))), Decimal("90000.00")]
        return {
            "household_no": household_no,
            "relation": "户主" if head != self.odd() else "其他",
            "name": name,
            "id_number": id_number(pick(dice, BIRTHS), serial),
            "village_code": pick(dice, VILLAGES),
            "category": pick(dice, CATEGORIES),
            "income_per_head": pick(dice, incomes),
            "cover_from": self.day() if self.odd() else self.first,
            "cover_to": pick(dice, self.days) if self.odd() else None,
            "renewal": one_in(dice, 2),
            "account_no": pick(dice, (None, "6217H0", "6217H1")) if self.odd() else account,
            "account_name": pick(dice, (None, *NAMES)) if self.odd() else name,
        }

    # Claims

    def make_claim(self, number: int) -> Row:
        dice = self.dice
        person = self.favourite if one_in(dice, 2) else pick(dice, self.roster)
        line = (
            self.favoured if one_in(dice, 2) else pick(dice, ("illness", "education", "accident", "income"))
        )
        born = date.fromisoformat(person["id_number"][6:14])
        eighth = born.replace(year=born.year + 8)
        event = pick(dice, around([eighth])) if self.odd() else self.day()
        if self.odd():
            event = person["cover_from"] + timedelta(pick(dice, (0, -1, 1, 29, 30)))
        claim: Row = {
            "claim_no": f"{pick(dice, ('C', 'c', 'B1'))}{number}",
            "notified_on": self.notified(event),
            "name": pick(dice, NAMES) if self.odd() else person["name"],
            "id_number": pick(dice, self.strangers) if self.odd() else person["id_number"],
            "evidence": [paper for paper in PAPERS if not self.odd()],
            "payee_account": pick(dice, ("6217H0", "6217H1", "777")) if self.odd() else None,
            "payee_name": pick(dice, NAMES) if self.odd() else None,
            "line": line,
            "event_on": event,
            "cause": pick(dice, CAUSES) if self.odd() else pick(dice, ("高血压", "因灾减产")),
            "document_no": pick(dice, DOCUMENTS) if one_in(dice, max(2, self.mess // 5)) else f"N{number}",
        }
        return {**claim, **getattr(self, f"make_{line}")(person)}

    def notified(self, event: date) -> date:
        if not one_in(self.dice, max(2, self.mess // 5)):
            return event + timedelta(self.dice.upto(1))
        days = [event + timedelta(step) for step in (-1, 30, 31, 180, 181)]
        bars = [event.replace(year=event.year + years, day=min(event.day, 28)) for years in (1, 2)]
        return pick(self.dice, [*days, *around(bars), *self.days])

    def split(self, parts: int) -> list[Decimal]:
        """Small amounts that others paid."""
        return [pick(self.dice, money(0, 0, 1, 50_00, 1234_56)) for _ in range(parts)]

    def make_illness(self, person: Row) -> Row:
        others = self.split(4)
        total = pick(self.dice, MEASURES) + sum(others)
        return {"total": total, **dict(zip(("basic", "major", "aid", "other"), others, strict=True))}

    def make_education(self, person: Row) -> Row:
        costs = [pick(self.dice, MEASURES), *self.split(2)]
        grants = min(self.split(1)[0], sum(costs, Decimal(0)))
        return {
            "cause": None,
            "academic_year": pick(self.dice, YEARS),
            "level": pick(self.dice, LEVELS) if self.odd() else "本科",
            **dict(zip(("tuition", "lodging", "books"), costs, strict=True)),
            "grants": grants,
        }

    def make_accident(self, person: Row) -> Row:
        benefit = pick(self.dice, ("medical", "death", "disability", "property"))
        costs = benefit in ("medical", "property")
        third = self.split(1)[0]
        return {
            "benefit": benefit,
            "cause": pick(self.dice, CAUSES) if self.odd() else pick(self.dice, ("高血压", "交通事故")),
            "accident_no": pick(self.dice, ("A1", "A2")),
            "grade": 1 + self.dice.upto(9) if benefit == "disability" else None,
            "expense": pick(self.dice, MEASURES) + third if costs else Decimal(0),
            "third_party": third,
            "document_no": pick(self.dice, (None, *DOCUMENTS)) if one_in(self.dice, 4) else None,
        }

    def make_income(self, person: Row) -> Row:
        line = self.poverty_line
        family = sum(row["household_no"] == person["household_no"] for row in self.roster)
        gaps = (line, Decimal(0), Decimal("0.01"), Decimal(50), Decimal(1000), Decimal("33.33"))
        return {
            "document_no": None,
            "verified_income": self.near(max(Decimal(0), line - pick(self.dice, gaps))),
            "members": 1 + self.dice.upto(5) if self.odd() else family,
        }

    # Feeds

    def feeds_of_claims(self) -> dict[str, list[Row]]:
        feeds: dict[str, list[Row]] = {"medical": [], "education": [], "accidents": [], "deaths": []}
        for claim in self.claims:
            if claim["line"] == "illness":
                changing = ("settled_on", "basic", "document_no", "id_number")
                feeds["medical"] += self.records(self.settlement(claim), changing)
            elif claim["line"] == "education":
                row = {
                    "status": "在籍",
                    **{key: claim[key] for key in ("id_number", "academic_year", "level")},
                }
                feeds["education"] += self.records(row, ("level", "status", "academic_year", "id_number"))
            elif claim["line"] == "accident":
                row = {key: claim[key] for key in ("accident_no", "id_number")}
                row.update(occurred_on=claim["event_on"], drunk=False)
                feeds["accidents"] += self.records(row, ("occurred_on", "drunk", "accident_no", "id_number"))
                if claim["benefit"] == "death":
                    died = claim["event_on"] + timedelta(pick(self.dice, (0, 1, 180, 181, -1)))
                    feeds["deaths"] += self.records(
                        {"id_number": claim["id_number"], "died_on": died}, ("died_on",)
                    )
        return feeds

    def settlement(self, claim: Row) -> Row:
        keys = ("document_no", "id_number", "total", "basic", "major", "aid")
        row = {**{key: claim[key] for key in keys}, "settled_on": claim["event_on"]}
        if self.odd():  # paid by another of the three: the same burden
            row["basic"], row["aid"] = Decimal(0), row["basic"] + row["aid"]
        return row

    def records(self, row: Row, changing: tuple[str, ...]) -> list[Row]:
        """What a department has of a claim: the very row, another one, none, or several."""
        rows = [row] if not self.odd() else []
        while one_in(self.dice, max(2, self.mess // 8)) and len(rows) < 3:
            rows.insert(self.dice.upto(len(rows)), {**row, **self.other(pick(self.dice, changing))})
        return rows

    def other(self, key: str) -> Row:
        dice = self.dice
        values: dict[str, list[Any]] = {
            "id_number": [*(row["id_number"] for row in self.roster), *self.strangers],
            "document_no": [*DOCUMENTS, "N0"],
            "basic": money(0, 1, 100_00),
            "level": [*LEVELS],
            "status": ["休学", "在籍"],
            "academic_year": [*YEARS],
            "accident_no": ["A1", "A2"],
            "drunk": [True, False],
        }
        return {key: pick(dice, values[key]) if key in values else self.day()}

    def feeds_of_people(self, everybody: list[str]) -> dict[str, list[Row]]:
        """Rows about anybody, near the limits of the standards."""
        dice, event = self.dice, self.claims[0]["event_on"]
        days = [event, event + timedelta(1), *self.days]
        days += [event.replace(year=event.year - years, day=min(event.day, 28)) for years in (1, 5)]
        limits = money(1000_00, 999_99, 5000_00, 10000_00, 10000_01)
        feeds: dict[str, list[Row]] = {name: [] for name in FEED_NAMES[3:]}
        anybody = [*everybody, *self.strangers]
        for person in anybody:
            on = {"id_number": person}
            if self.odd():
                feeds["deaths"].append({**on, "died_on": pick(dice, days)})
            if self.odd():
                feeds["housing"].append({**on, "use": pick(dice, USES), "registered_on": pick(dice, days)})
            if self.odd():
                feeds["vehicles"].append(
                    {**on, "price": pick(dice, limits), "registered_on": pick(dice, days)}
                )
            if self.odd():
                row = {"capital": pick(dice, limits), "founded_on": pick(dice, days)}
                feeds["companies"].append({**on, **row, "status": pick(dice, STATUSES)})
            if self.odd():
                feeds["deposits"].append({**on, "amount": pick(dice, limits), "as_of": pick(dice, days)})
            if self.odd():
                feeds["machinery"].append(
                    {**on, "price": pick(dice, limits), "registered_on": pick(dice, days)}
                )
            if self.odd() or person in self.strangers:
                until = pick(dice, (None, *days))
                feeds["payroll"].append({**on, "from_date": pick(dice, days), "to_date": until})
            if self.odd():
                feeds["kin"].append({**on, "relative_id_number": pick(dice, anybody)})
            if self.odd():
                feeds["officials"].append(
                    {"relative_id_number": person, "village_code": pick(dice, VILLAGES)}
                )
        return feeds

    def make_clearances(self) -> list[Row]:
        dice, rows = self.dice, []
        matters = ("存款", "农机具", "商品房", "车辆", "企业", "财政供养")
        days = [claim["notified_on"] + timedelta(step) for claim in self.claims[:3] for step in (0, 1, -1)]
        for household in sorted({row["household_no"] for row in self.roster}):
            while not one_in(dice, 3):
                row = {
                    "household_no": household,
                    "matter": pick(dice, matters),
                    "cleared_on": pick(dice, days),
                }
                rows.append({**row, "passed": not one_in(dice, 3)})
        return rows
