"""The changes that one person enters on a household's pages: what each form asks for, and the service that does it.

A form is filled in, looked at again with everything checked, and then done: three steps that need no script.
"""

from __future__ import annotations

from collections.abc import Mapping

from foundation.identifiers import birth_date
from foundation.money import yuan_text
from foundation.web.language import _
from households import schemas
from households.pages import person_kinds
from households.pages.change_parts import About, Doing, Field, Kind, Values, relation_field, today_field
from households.pages.household_rows import named, word
from households.services import incomes, register, residences
from households.terms import BEGINNINGS, ENDINGS, INCOME_SOURCES, RELATIONS

# --- members -------------------------------------------------------------------------------------------


def _add_fields(_about: About) -> list[Field]:
    return [
        Field("how", _("如何加入"), "select", "", [(key, word(BEGINNINGS, key)) for key in register.COMING]),
        Field("name", _("姓名")),
        Field("id_number", _("身份证号"), hint=_("出生日期从身份证号取得")),
        relation_field(),
        Field("on", _("从哪一天起"), "date", hint=_("出生登记不用填,以出生日期为准"), required=False),
    ]


def _add(doing: Doing, values: Values) -> None:
    who = register.Newcomer(
        values["name"], values["id_number"], values["relation"], values["how"], values.get("on")
    )
    register.add_person(doing.session, doing.sealer, doing.actor, doing.at, doing.about.home.id, who)


def _add_adds(_doing: Doing, values: Values) -> list[tuple[str, str]]:
    return [(_("出生日期"), birth_date(values["id_number"]).isoformat())]


def _leave_fields(about: About) -> list[Field]:
    return [
        Field("how", _("如何离开"), "select", "", [(key, word(ENDINGS, key)) for key in register.LEAVING]),
        today_field(about, "on", _("日期"), hint=_("死亡填死亡日期;迁出、婚嫁填从哪一天起不再是本户成员")),
    ]


def _leave(doing: Doing, values: Values) -> None:
    member = doing.about.who
    register.leave(
        doing.session,
        doing.sealer,
        doing.actor,
        doing.at,
        member.membership_id,
        values["how"],
        values["on"],
    )


def _relation_fields(about: About) -> list[Field]:
    return [relation_field(about.who.relation), today_field(about, "on", _("从哪一天起"))]


def _change_relation(doing: Doing, values: Values) -> None:
    member = doing.about.who.membership_id
    register.change_relation(
        doing.session, doing.sealer, doing.actor, doing.at, member, values["relation"], values["on"]
    )


def _correct_fields(about: About) -> list[Field]:
    member = about.who
    known = (
        RELATIONS if member.relation in RELATIONS else {member.relation: (member.relation,) * 2, **RELATIONS}
    )
    return [
        Field("never", _("登记有误:此人从未属于本户"), "check", required=False),
        Field("relation", _("与户主关系"), "select", member.relation, named(known), required=False),
        Field(
            "valid_from",
            _("从哪一天起"),
            "date",
            "" if member.valid_from is None else member.valid_from.isoformat(),
            hint=_("不填为一直以来"),
            required=False,
        ),
        Field(
            "valid_to",
            _("到哪一天止"),
            "date",
            "" if member.valid_to is None else member.valid_to.isoformat(),
            hint=_("不填为至今"),
            required=False,
        ),
        Field(
            "died",
            _("到此日去世"),
            "check",
            "1" if member.died_on is not None else "",
            required=False,
        ),
    ]


def _correct(doing: Doing, values: Values) -> None:
    member = doing.about.who
    said = None
    if not values.get("never"):
        said = register.Corrected(
            values.get("relation") or member.relation,
            values.get("valid_from"),
            values.get("valid_to"),
            bool(values.get("died")),
        )
    register.correct_membership(
        doing.session, doing.sealer, doing.actor, doing.at, member.membership_id, said
    )


# --- the household -------------------------------------------------------------------------------------


def _move_fields(about: About) -> list[Field]:
    return [
        Field(
            "village_code",
            _("迁往的村(居)"),
            "select",
            "",
            [(code, name) for code, name in about.villages if code != about.home.village_code],
            own_words=True,
        ),
        today_field(about, "on", _("从哪一天起")),
    ]


def _move(doing: Doing, values: Values) -> None:
    home = doing.about.home.id
    residences.move_household(
        doing.session, doing.sealer, doing.actor, doing.at, home, values["village_code"], values["on"]
    )


_SUMS = ("wages", "operating", "property", "transfer", "cost")


def _income_fields(about: About) -> list[Field]:
    labels = (
        _("工资性收入(元)"),
        _("经营性收入(元)"),
        _("财产性收入(元)"),
        _("转移性收入(元)"),
        _("生产经营支出(元)"),
    )
    return [
        Field("year", _("年度"), "text", str(about.today.year)),
        Field("members", _("家庭人口"), "text", str(len(about.there()) or 1)),
        *(Field(name, label, "money") for name, label in zip(_SUMS, labels, strict=True)),
        Field("main_source", _("主要收入来源"), "select", "", named(INCOME_SOURCES)),
    ]


def _surveyed(values: Values) -> incomes.Surveyed:
    return incomes.Surveyed(
        int(values["wages"]),
        int(values["operating"]),
        int(values["property"]),
        int(values["transfer"]),
        int(values["cost"]),
        values["members"],
    )


def _income(doing: Doing, values: Values) -> None:
    incomes.record_income(
        doing.session,
        doing.sealer,
        doing.actor,
        doing.at,
        doing.about.home.id,
        values["year"],
        _surveyed(values),
        values["main_source"],
    )


def _income_adds(_doing: Doing, values: Values) -> list[tuple[str, str]]:
    head = _surveyed(values).figures().per_head_fen
    return [(_("人均纯收入(元)"), yuan_text(head or 0))]


KINDS: Mapping[str, Kind] = {
    "add": Kind(
        ("增加成员", "Add a member"),
        "household",
        _add_fields,
        _add,
        schemas.NewcomerForm,
        adds=_add_adds,
    ),
    "move": Kind(("整户迁移", "Move to another village"), "household", _move_fields, _move, schemas.MoveForm),
    "income": Kind(
        ("登记收入", "Enter an income"),
        "household",
        _income_fields,
        _income,
        schemas.IncomeForm,
        adds=_income_adds,
    ),
    "leave": Kind(("离开本户", "Leaves the household"), "member", _leave_fields, _leave, schemas.LeavingForm),
    "relation": Kind(
        ("变更关系", "Change the relation"),
        "member",
        _relation_fields,
        _change_relation,
        schemas.RelationForm,
    ),
    "correct": Kind(
        ("更正登记", "Correct the entry"), "member", _correct_fields, _correct, schemas.CorrectionForm
    ),
    **person_kinds.KINDS,
}
"""In the order in which they are offered."""
