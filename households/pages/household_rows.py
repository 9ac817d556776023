"""A household in the words of its pages: members, cover, accounts, incomes; masked unless a full view was granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from foundation.masking import Audience, account_for, id_number_for, phone_for
from foundation.money import Money
from foundation.web.language import _, pick
from households.household import Household
from households.models.people import HouseholdRow
from households.queries.households import AccountLine, IncomeLine
from households.queries.people import CoverLine, Member
from households.registered import HEAD
from households.terms import (
    BEGINNINGS,
    CATEGORIES,
    COVER_STATES,
    ENDINGS,
    INCOME_SOURCES,
    RELATIONS,
    RELATIVES,
    Pair,
)

COVER_KINDS = {"covered": "ok", "not_yet": "info", "ended": "neutral", "none": "warn"}


def capital(text: str) -> str:
    """Words with a capital in front, as a heading or a badge has them in English."""
    return text[:1].upper() + text[1:]


def named(pairs: Mapping[str, Pair]) -> list[tuple[str, str]]:
    """(key, words), as a select takes them."""
    return [(key, capital(pick(*pair))) for key, pair in pairs.items()]


def word(pairs: Mapping[str, Pair], key: str | None) -> str:
    """The words of a key; what is no key stands as it was written."""
    return "" if key is None else capital(pick(*pairs.get(key, (key, key))))


def source_words(source: str, policy_number: str | None) -> str:
    """Where a fact comes from."""
    return _("户籍登记") if source == "register" else _("名册 %(policy)s", policy=policy_number or "")


def home_view(home: HouseholdRow) -> dict[str, Any]:
    """What every page about a household says of it."""
    return {
        "id": home.id,
        "household_no": home.household_no,
        "town": home.town,
        "village": home.village,
        "village_code": home.village_code,
        "merged_into": home.merged_into,
    }


def id_text(number: str | None, *, in_full: bool) -> str:
    """An ID number, masked unless a full view was granted; empty once it was erased."""
    if number is None:
        return ""
    return number if in_full else id_number_for(Audience.OFFICER, number)


def member_view(member: Member, today: date, *, in_full: bool = False) -> dict[str, Any]:
    """A member as a row of a table."""
    state = member.cover_state(today)
    return {
        "id": member.membership_id,
        "person_id": member.person_id,
        "name": member.name or _("已清除"),
        "relation": word(RELATIONS, member.relation),
        "head": member.relation == HEAD,
        "id_number": id_text(member.id_number, in_full=in_full),
        "age": None if member.born_on is None else _age(member.born_on, member.died_on or today),
        "category": word(CATEGORIES, member.category),
        "there": member.is_there(today),
        "since": member.valid_from,
        "until": member.valid_to,
        "began": word(BEGINNINGS, member.began_by),
        "ended": word(ENDINGS, member.ended_by),
        "died_on": member.died_on,
        "covers": [cover_view(cover, today) for cover in member.covers],
        "cover_state": word(COVER_STATES, state),
        "cover_kind": COVER_KINDS[state],
        "relatives": [
            {
                "id": one.id,
                "kind": word(RELATIVES, one.kind),
                "relation": one.relation,
                "name": one.name or _("已清除"),
                "id_number": id_text(one.id_number, in_full=in_full),
                "phone": "" if one.phone is None else phone_for(Audience.OFFICER, one.phone),
                "paper": one.paper,
                "since": one.valid_from,
                "until": one.valid_to,
            }
            for one in member.relatives
        ],
    }


def cover_view(cover: CoverLine, today: date) -> dict[str, Any]:
    """Cover under one policy, with where it stands today."""
    state = cover.state(today)
    return {
        "id": cover.id,
        "policy": cover.policy_number,
        "from": cover.cover_from,
        "to": cover.cover_to,
        "source": source_words(cover.source, cover.policy_number),
        "state": word(COVER_STATES, state),
        "kind": COVER_KINDS[state],
    }


def _age(born_on: date, day: date) -> int:
    return max(0, day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day)))


def account_view(
    account: AccountLine, today: date, staff: Mapping[str, str], *, in_full: bool
) -> dict[str, Any]:
    """An account as a row of a table."""
    number = account.account_no
    begun = account.valid_from is None or account.valid_from <= today
    return {
        "number": "" if number is None else number if in_full else account_for(Audience.OFFICER, number),
        "holder": account.account_name or "",
        "bank_code": account.bank_code or "",
        "since": account.valid_from,
        "until": account.valid_to,
        "now": begun and (account.valid_to is None or account.valid_to >= today),
        "register": account.source == "register",
        "source": source_words(account.source, account.policy_number),
        "asked_by": staff.get(account.asked_by or "", account.asked_by or ""),
        "decided_by": staff.get(account.decided_by or "", account.decided_by or ""),
        "known_at": account.known_at,
    }


def income_views(lines: Iterable[IncomeLine]) -> list[dict[str, Any]]:
    """Incomes as rows of a table, sums in fen; a roster's has one figure only."""
    return [
        {
            "year": "" if line.valid_from is None else str(line.valid_from.year),
            "source": source_words(line.source, line.policy_number),
            "main_source": word(INCOME_SOURCES, line.main_source),
            "figures": None if line.figures is None else asdict(line.figures),
        }
        for line in lines
    ]


def income_bars(lines: Iterable[IncomeLine]) -> list[tuple[str, int, str]]:
    """(source, fen, text) of the newest year that was surveyed by source, for the chart."""
    for line in lines:
        figures = line.figures
        if figures is not None and figures.wages_fen is not None:
            sums = (
                figures.wages_fen,
                figures.operating_fen,
                figures.property_fen,
                figures.transfer_fen,
            )
            names = (_("工资性"), _("经营性"), _("财产性"), _("转移性"))
            return [(name, fen or 0, Money(fen or 0).grouped) for name, fen in zip(names, sums, strict=True)]
    return []


def facts_view(household: Household) -> dict[str, Any]:
    """What adjudication would have seen, masked."""
    return {
        "members": [
            {
                "name": one.name,
                "relation": word(RELATIONS, one.relation),
                "id_number": id_number_for(Audience.OFFICER, one.id_number),
                "category": word(CATEGORIES, one.category),
                "village_code": one.village_code,
                "cover_from": one.cover_from,
                "cover_to": one.cover_to,
                "renewal": one.renewal,
                "deaths": one.deaths,
            }
            for one in household.members
        ],
        "income": household.income_per_head_fen,
        "account": None
        if household.account_no is None
        else account_for(Audience.OFFICER, household.account_no),
        "holder": household.account_name,
        "bank_code": household.bank_code,
        "holdings": sum(len(found) for found in household.holdings.values()),
        "payroll": len(household.payroll),
        "clearances": len(household.clearances),
        "official_kin": len(household.official_kin),
        "absent": sorted(household.absent_feeds),
    }
