"""Another account 一卡通 for a household: whose it may be, what to look at twice, and writing it once two have agreed.

Payments for illness, schooling and accidents go to the person's own account or a minor's guardian's, those for income
to the head's: so the holder is of age and a member, or the guardian of a member who is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.errors import InvalidInput
from foundation.identifiers import cnaps_valid, luhn_valid
from foundation.masking import is_minor
from foundation.sealing import Sealer
from foundation.trail.events import Change
from households.models.people import BankAccount, HouseholdRow
from households.models.two_times import REGISTER, believed
from households.queries.households import household_row
from households.queries.people import Member, members_of
from households.queries.proposals import Asked
from households.registered import HEAD
from households.services.writing import begin, refuse_future, refuse_merged
from households.terms import Pair

_CARD_DIGITS = range(16, 20)
_FIELDS = ("account_no", "account_name", "bank_code")


def check(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    household_id: str,
    content: Mapping[str, Any],
) -> None:
    """Looks at `{account_no, account_name, bank_code, on}`. Raises InvalidInput for a day that has not come or a holder
    whose account it may not be, ConflictError for a household that was merged."""
    refuse_merged(household_row(session, actor, household_id))
    on = date.fromisoformat(content["on"])
    refuse_future(at, "on", on)
    members = [one for one in members_of(session, sealer, household_id, on) if one.is_there(on)]
    name = content["account_name"]
    if any(_may_hold(member, name, on) for member in members):
        return
    if any(member.name == name for member in members):
        wrong = ("户名为未成年人,应使用监护人的账户", "the holder is a minor: use the guardian's account")
    else:
        wrong = (
            "户名应为本户成年成员,或未成年成员已登记的监护人",
            "the holder must be a member of age, or the registered guardian of a member who is a minor",
        )
    raise InvalidInput({"account_name": [wrong]})


def _may_hold(member: Member, name: str, on: date) -> bool:
    minor = member.id_number is None or is_minor(member.id_number, on)
    if not minor:
        return member.name == name
    return any(
        one.kind == "guardian" and one.name == name and (one.valid_to is None or one.valid_to >= on)
        for one in member.relatives
    )


def doubts(session: Session, sealer: Sealer, household_id: str, content: Mapping[str, Any]) -> Iterator[Pair]:
    """What whoever asks and whoever decides should look at twice; none of it keeps anybody from anything."""
    number, bank = content["account_no"], content.get("bank_code")
    if len(number) in _CARD_DIGITS and number.startswith("62") and not luhn_valid(number):
        yield "卡号的校验位不对,请核对是否输错", "the card number's check digit is wrong: look for a slip"
    if bank and not cnaps_valid(bank):
        yield "联行号的校验位不对,请核对", "the bank code's check digit is wrong: look for a slip"
    on = date.fromisoformat(content["on"])
    members = members_of(session, sealer, household_id, on)
    head = next((one for one in members if one.relation == HEAD and one.is_there(on)), None)
    if head is None or head.name != content["account_name"]:
        yield (
            "户名不是户主:收入险赔款须付至户主账户",
            "the holder is not the head: what income insurance pays goes to the head's account",
        )
    lookup = sealer.lookup("account", number)
    others = (
        select(HouseholdRow.household_no)
        .join(BankAccount, BankAccount.household_id == HouseholdRow.id)
        .where(
            BankAccount.account_lookup == lookup,
            BankAccount.household_id != household_id,
            believed(BankAccount),
        )
    )
    if session.scalar(others.limit(1)) is not None:
        yield "这个账户也登记在另一户名下(一账多户)", "another household has this account too"


def carry_out(session: Session, sealer: Sealer, actor: Actor, at: datetime, asked: Asked) -> None:
    """Writes the account from its day on, until the next one that is known, with the two persons who agreed."""
    content = asked.says
    check(session, sealer, actor, at, asked.household_id, content)
    on = date.fromisoformat(content["on"])
    work = begin(session, sealer, actor, at)
    mine = (
        (BankAccount.household_id == asked.household_id)
        & (BankAccount.source == REGISTER)
        & believed(BankAccount)
    )
    rows = list(session.scalars(select(BankAccount).where(mine)))
    following = [row.valid_from for row in rows if row.valid_from is not None and row.valid_from > on]
    account = {name: content.get(name) for name in _FIELDS}
    written = work.overlay(
        rows,
        BankAccount,
        (on, min(following) - timedelta(days=1) if following else None),
        orjson.dumps(account, option=orjson.OPT_SORT_KEYS).decode(),
        household_id=asked.household_id,
        policy_number=None,
        account_lookup=sealer.lookup("account", content["account_no"]),
        digest=work.digest("bank_account", [asked.household_id, account]),
        asked_by=asked.asked_by,
        decided_by=actor.person,
    )
    work.note(
        Change(
            "bank_account.changed",
            "bank_account",
            written,
            after=work.digest("bank_account", [asked.household_id, account, content["on"]]),
        )
    )
    work.touches(asked.household_id)
    work.finish()
