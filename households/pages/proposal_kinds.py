"""The changes that a second person has to decide: what each form asks for, and the proposal that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.errors import InvalidInput
from foundation.web.language import _, pick
from households import schemas
from households.pages.change_parts import About, Doing, Field, Kind, Values
from households.pages.household_rows import named, word
from households.queries.households import household_of_number
from households.services import accounts, settling
from households.services.proposals import ask
from households.terms import PROPOSALS, RELATIONS, Pair


def _asked(kind: str, content: Mapping[str, Any], doing: Doing) -> None:
    about = doing.about
    ask(doing.session, doing.sealer, doing.actor, doing.at, kind, about.home.id, content, doing.papers)


def _day(about: About) -> Field:
    return Field("on", _("从哪一天起"), "date", about.today.isoformat())


# --- account -------------------------------------------------------------------------------------------


def _account_fields(about: About) -> list[Field]:
    return [
        Field("account_name", _("户名"), hint=_("本户成年成员,或未成年成员的监护人")),
        Field("account_no", _("账号")),
        Field("bank_code", _("联行号"), hint=_("12 位数字"), required=False),
        _day(about),
    ]


def _account(values: Values) -> dict[str, Any]:
    return {
        "account_no": values["account_no"],
        "account_name": values["account_name"],
        "bank_code": values.get("bank_code"),
        "on": values["on"].isoformat(),
    }


def _account_doubts(doing: Doing, values: Values) -> list[Pair]:
    return list(accounts.doubts(doing.session, doing.sealer, doing.about.home.id, _account(values)))


# --- merge and split -----------------------------------------------------------------------------------


def _each(about: About, blank: str) -> list[Field]:
    options = named(RELATIONS)
    return [
        Field(
            f"relation_{member.person_id}",
            f"{member.name or ''} · {word(RELATIONS, member.relation)}",
            "select",
            "",
            options,
            hint=blank,
            required=False,
            own_words=True,
        )
        for member in about.there()
    ]


def _relations(about: About, values: Values) -> dict[str, str]:
    chosen = {member.person_id: values.get(f"relation_{member.person_id}") for member in about.there()}
    return {person: relation for person, relation in chosen.items() if relation}


def _ids(about: About) -> list[str]:
    return [member.person_id for member in about.there()]


def _merge_fields(about: About) -> list[Field]:
    return [
        Field("into", _("并入哪一户(户编号)")),
        _day(about),
        *_each(about, _("与并入户户主的关系")),
    ]


def _merge(doing: Doing, values: Values) -> None:
    into = household_of_number(doing.session, doing.actor, values["into"])
    if into is None:
        raise InvalidInput({"into": [("没有这一户,或不在管辖范围内", "no such household within your place")]})
    relations = _relations(doing.about, values)
    content = {"into": into.id, "on": values["on"].isoformat(), "relations": relations}
    _asked("merge", content, doing)


def _split_fields(about: About) -> list[Field]:
    people = [(member.person_id, member.name or "") for member in about.there()]
    return [
        Field(
            "village_code",
            _("新户所在村(居)"),
            "select",
            about.home.village_code,
            list(about.villages),
            own_words=True,
        ),
        _day(about),
        *_each(about, _("分出的成员填与新户主的关系,留下的不填")),
        Field(
            "head",
            _("留下成员的新户主"),
            "select",
            "",
            people,
            hint=_("原户主分出时填写"),
            required=False,
            own_words=True,
        ),
    ]


def _split(doing: Doing, values: Values) -> None:
    content = {
        "on": values["on"].isoformat(),
        "relations": _relations(doing.about, values),
        "village_code": values["village_code"],
        "head": values.get("head"),
    }
    _asked("split", content, doing)


# --- identity ------------------------------------------------------------------------------------------


def _identity_fields(about: About) -> list[Field]:
    people = [(member.person_id, member.name or "") for member in about.members]
    return [
        Field(
            "person",
            _("哪一位成员"),
            "select",
            "" if about.member is None else about.member.person_id,
            people,
            own_words=True,
        ),
        Field("id_number", _("正确的身份证号"), hint=_("该号码已有登记的,两条记录将关联为一人")),
    ]


def _identity(doing: Doing, values: Values) -> None:
    _asked("identity", {"person": values["person"], "id_number": values["id_number"]}, doing)
    if values.get("task"):
        why = pick("已提出身份更正申请", "a correction of the identity was asked for")
        settling.settle(
            doing.session, doing.sealer, doing.actor, doing.at, values["task"], "same_person", why
        )


KINDS: Mapping[str, Kind] = {
    "account": Kind(
        PROPOSALS["account"],
        "household",
        _account_fields,
        lambda doing, values: _asked("account", _account(values), doing),
        schemas.AccountForm,
        proposal=True,
        doubts=_account_doubts,
    ),
    "split": Kind(
        PROPOSALS["split"],
        "household",
        _split_fields,
        _split,
        schema_of=lambda about: schemas.split_form(_ids(about)),
        proposal=True,
    ),
    "merge": Kind(
        PROPOSALS["merge"],
        "household",
        _merge_fields,
        _merge,
        schema_of=lambda about: schemas.merge_form(_ids(about)),
        proposal=True,
    ),
    "identity": Kind(
        PROPOSALS["identity"],
        "household",
        _identity_fields,
        _identity,
        schemas.IdentityForm,
        proposal=True,
    ),
}
