"""The village notice: who stands on it, and that a year of notices joined says no more of anybody than one of them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.checks import GRAVITY
from claims.deciding import Decided
from claims.notices import (
    PAYMENT,
    RECOGNITION,
    NoticeEntry,
    Result,
    VillageNotice,
    entries,
    issuer_of,
    last_day,
    represented,
)
from claims.terms import BENEFIT_NAMES
from foundation.identifiers import birth_date
from foundation.masking import FAMILY_MEMBER, PROGRAMME, is_minor
from households.household import Household, Member
from policies.policy import BENEFIT_KINDS
from policies.policy_file import parse_policy
from tests.claims.converting import program_decides
from tests.claims.dice import Dice, DrawnDice, SeededDice
from tests.claims.worlds import id_number, random_world

DAY = date(2020, 1, 1)


def member(relation: str, name: str, birth: str, serial: int = 1, died: bool = False) -> Member:
    number = id_number(birth, serial)
    deaths = (date(2020, 2, 1),) if died else ()
    born = birth_date(number)
    return Member(number, name, relation, "相对贫困户", "370323100001", DAY, DAY, False, born, deaths)


def household(*members: Member) -> Household:
    return Household("H1", members, None, "6217000000000000012", "王建国", None, {}, (), (), (), frozenset())


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ([member("户主", "王建国", "19700101"), member("子", "王小明", "20120601")], "王建国"),
        ([member("户主", "王建国", "19700101", died=True), member("妻", "李秀英", "19710101")], "王建国"),
        ([member("户主", "王小明", "20020102"), member("兄", "王大明", "19990101")], "王大明"),
        (
            [
                member("户主", "王小明", "20120601"),
                member("祖父", "王福", "19480101"),
                member("母亲", "李秀英", "19850101"),
                member("姑", "王梅", "19400101"),
            ],
            "李秀英",
        ),
        (
            [
                member("户主", "王小明", "20120601"),
                member("母亲", "李秀英", "19850101", died=True),
                member("祖母", "赵兰", "19500101"),
                member("祖父", "王福", "19480101"),
            ],
            "王福",
        ),
        ([member("户主", "王小明", "20120601"), member("妹", "王小红", "20130301")], FAMILY_MEMBER),
        ([member("子", "王小明", "20120601"), member("配偶", "李秀英", "19850101")], "李秀英"),
        ([member("女", "王小红", "20130301")], FAMILY_MEMBER),
    ],
)
def test_a_household_stands_under_its_head_or_under_the_guardian(members: list[Member], name: str) -> None:
    assert represented(household(*members), DAY) == name
    assert represented(household(*members[::-1]), DAY) == name


def test_a_household_has_one_entry_with_the_sum_of_its_results() -> None:
    results = [Result("b", "王建国", 100), Result("a", "李秀英", 50), Result("b", "王建国", 25)]
    assert entries(results, "南李家坡村") == (
        NoticeEntry(1, "李秀英", "南李家坡村", PROGRAMME, 50),
        NoticeEntry(2, "王建国", "南李家坡村", PROGRAMME, 125),
    )
    assert entries(results[::-1], "南李家坡村") == entries(results, "南李家坡村")


def test_two_households_of_one_name_stay_two() -> None:
    rows = entries([Result("a", "王建国", 100), Result("b", "王建国", 100)], "村")
    assert [row.amount_fen for row in rows] == [100, 100]


def test_a_notice_hangs_seven_days_for_recognition_and_five_for_payment() -> None:
    assert last_day(RECOGNITION, date(2020, 12, 28)) == date(2021, 1, 3)
    assert last_day(PAYMENT, date(2020, 12, 28)) == date(2021, 1, 1)


def test_the_committee_of_the_village_puts_its_seal_on_it() -> None:
    assert issuer_of("南李家坡村") == "南李家坡村村民委员会"
    assert issuer_of("历山社区") == "历山社区居民委员会"


# --- a year of notices of a county by chance, joined -----------------------------------------------------------------


@dataclass(frozen=True)
class Year:
    """The notices of a village over a year, and everybody who lives there."""

    notices: list[VillageNotice]
    members: list[Member]
    policy_first_day: date
    decided: list[Decided]


def named(household: Household) -> Household:
    """The same household with names that nobody else has, so that whoever stands on a notice is known by the name."""
    members = (replace(person, name=_own_name(person.id_number)) for person in household.members)
    return replace(household, members=tuple(members))


def _own_name(number: str) -> str:
    """A name that says nothing of the number, one for each."""
    return "王李张刘陈杨赵黄周吴"[hash_of(number) % 10] + chr(0x4E00 + hash_of(number) % 20000)


def hash_of(number: str) -> int:
    return int.from_bytes(number.encode(), "big") * 2654435761 % (1 << 61)


def year_of(dice: Dice) -> Year:
    """Every approved claim of a small world on the notice of its month, and on that of its payment a month later.

    The policy is renewed in the year: each household with an approved claim has lost a member by then, if it has one to
    lose who does not stand for it, and is given the same again half a year later.
    """
    world = random_world(dice)
    decided = program_decides(world)[0]
    first_day = parse_policy(world.toml.encode()).period_from
    months: dict[tuple[str, int, int], list[Result]] = defaultdict(list)
    first: dict[str, tuple[str, str]] = {}
    everybody: dict[str, Member] = {}
    for item in decided:
        if item.facts.household is not None:
            everybody |= {person.id_number: person for person in named(item.facts.household).members}
        if item.decision.outcome != "approve":
            continue
        assert item.facts.household is not None
        key = item.facts.household.household_no
        stands = first.setdefault(key, under_both_policies(named(item.facts.household), first_day))
        on = item.facts.claim.notified_on
        for (policy, name), renewed in zip(enumerate(stands), (0, 6), strict=True):
            for kind, later in ((RECOGNITION, 0), (PAYMENT, 1)):
                result = Result(f"{key} {policy}", name, item.decision.payable_fen)
                months[kind, on.year, on.month + renewed + later].append(result)
    notices = [
        VillageNotice(
            kind,
            "某镇",
            "某村",
            *(date(2020, 5, 1), date(2020, 5, 31), date(2020, 6, 1), last_day(kind, date(2020, 6, 1))),
            issuer_of("某村"),
            "县中心",
            "12317",
            entries(results, "某村"),
        )
        for (kind, _, _), results in sorted(months.items())
    ]
    return Year(notices, list(everybody.values()), first_day, decided)


def under_both_policies(household: Household, first_day: date) -> tuple[str, str]:
    """Under which name a household stands under a policy, and with a member less under the next, half a year later."""
    name = represented(household, first_day)
    return name, represented(without_one(household, name), first_day + timedelta(183))


def without_one(household: Household, name: str) -> Household:
    """The household after somebody died or moved who neither is its head nor stands for it, if there is such a one."""
    going = next((who for who in household.members if who.relation != "户主" and who.name != name), None)
    return replace(household, members=tuple(who for who in household.members if who is not going))


@st.composite
def years(draw: st.DrawFn) -> Year:
    return year_of(DrawnDice(draw))


def said_of(year: Year) -> str:
    """Everything that the entries of all notices say, but for the sums."""
    rows = (asdict(entry) for notice in year.notices for entry in notice.entries)
    return "\n".join(f"{name}={value}" for row in rows for name, value in row.items() if name != "amount_fen")


def runs_of(digits: str, length: int = 6) -> set[str]:
    """Every run of so many digits in a number."""
    return {digits[start : start + length] for start in range(len(digits) - length + 1)}


def more_than_allowed(said: str, year: Year) -> list[str]:
    """What notices joined give away: empty when all is well."""
    found = []
    for person in year.members:
        born = person.born_on
        ways = (f"{born:%Y%m%d}", f"{born:%Y-%m-%d}", f"{born.year}年{born.month}月{born.day}日")
        found += [way for way in (*runs_of(person.id_number), *ways) if way in said]
        if is_minor(person.id_number, year.policy_first_day) and person.name in said:
            found.append("a minor's name")
    for item in year.decided:
        claim, payee = item.facts.claim, item.decision.payee_account
        found += [
            run
            for account in (payee, claim.payee_account)
            if account
            for run in runs_of(account)
            if run in said
        ]
        words = (claim.cause, claim.document_no, claim.accident_no, claim.academic_year, claim.school)
        found += [word for word in words if word and len(word) > 1 and word in said]
    for word in (
        "因病",
        "因学",
        "因意外",
        "收入",
        "医院",
        *(zh for zh, _ in BENEFIT_NAMES.values()),
        *BENEFIT_KINDS,
    ):
        found += [word] * (word in said)
    found += re.findall(r"[0-9]+\s*人|人数|persons", said)
    return found + [code for code in GRAVITY if code in said]


SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


@given(years())
@settings(max_examples=60, suppress_health_check=SLOW)
def test_a_year_of_notices_joined_says_no_more_than_the_table_allows(year: Year) -> None:
    assert more_than_allowed(said_of(year), year) == []


@given(years())
@settings(max_examples=60, suppress_health_check=SLOW)
def test_a_household_looks_the_same_on_every_notice_but_for_its_sum(year: Year) -> None:
    """Over the renewal, too: nobody can tell that it has lost a member."""
    fields = {"sequence", "name", "place", "programme", "amount_fen"}
    shown: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for notice in year.notices:
        for entry in notice.entries:
            assert asdict(entry).keys() == fields
            shown[entry.name].add((entry.place, entry.programme))
    shown.pop(FAMILY_MEMBER, None)
    assert all(len(looks) == 1 for looks in shown.values())
    assert shown.keys() <= {person.name for person in year.members}


def test_the_worlds_reach_minors_as_heads_and_every_line() -> None:
    """Else the tests above would say nothing."""
    lines, guardians, nobody, lost = set(), 0, 0, 0
    for seed in range(150):
        year = year_of(SeededDice(seed))
        lines |= {item.facts.claim.line for item in year.decided if item.decision.outcome == "approve"}
        names = {entry.name for notice in year.notices for entry in notice.entries}
        heads = {person.name for person in year.members if person.relation == "户主"}
        guardians += bool(names - heads - {FAMILY_MEMBER})
        nobody += FAMILY_MEMBER in names
        lost += _lost_somebody(year)
        assert more_than_allowed(said_of(year), year) == []
    assert lines == set(BENEFIT_KINDS)
    assert guardians >= 5
    assert nobody >= 5
    assert lost >= 30


def _lost_somebody(year: Year) -> bool:
    """Whether a household that stands on notices under both policies has a member less under the second."""
    approved = (item.facts.household for item in year.decided if item.decision.outcome == "approve")
    homes = [named(home) for home in approved if home is not None]
    return any(without_one(home, represented(home, year.policy_first_day)) != home for home in homes)


@pytest.mark.parametrize(
    "leak", ["19700101", "370323", "1970年1月1日", "因病", "王小明", "高血压", "医疗费用", "3人"]
)
def test_what_must_not_stand_there_would_be_found(leak: str) -> None:
    """The check itself is held against a notice that says too much."""
    year = next(year for seed in range(150) if _with_all(year := year_of(SeededDice(seed))))
    minor = next(p for p in year.members if is_minor(p.id_number, year.policy_first_day))
    said = said_of(year) + (minor.name if leak == "王小明" else leak)
    assert more_than_allowed(said, year) != []


def _with_all(year: Year) -> bool:
    births = {f"{person.born_on:%Y%m%d}" for person in year.members}
    causes = {item.facts.claim.cause for item in year.decided}
    return {"19700101", "20120601"} <= births and "高血压" in causes and bool(year.notices)
