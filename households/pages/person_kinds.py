"""Changes of one person: category, name, guardians and heirs, cover."""

from __future__ import annotations

from collections.abc import Mapping

from foundation.web.language import _
from households import schemas
from households.pages.change_parts import About, Doing, Field, Kind, Values, today_field
from households.pages.household_rows import named
from households.services import covers, person_facts
from households.terms import CATEGORIES, RELATIVES

# --- a person ------------------------------------------------------------------------------------------


def _category_fields(about: About) -> list[Field]:
    return [
        Field("category", _("人员类别"), "select", about.who.category or "", named(CATEGORIES)),
        today_field(about, "on", _("从哪一天起")),
        Field("until", _("到哪一天止"), "date", hint=_("不填为至今"), required=False),
    ]


def _category(doing: Doing, values: Values) -> None:
    person = doing.about.who.person_id
    person_facts.give_category(
        doing.session,
        doing.sealer,
        doing.actor,
        doing.at,
        person,
        values["category"],
        values["on"],
        values.get("until"),
    )


def _name_fields(about: About) -> list[Field]:
    return [
        Field("name", _("姓名"), "text", about.who.name or ""),
        Field("on", _("从哪一天起改名"), "date", hint=_("不填为更正:原登记的姓名有误"), required=False),
    ]


def _name(doing: Doing, values: Values) -> None:
    person = doing.about.who.person_id
    person_facts.give_name(
        doing.session, doing.sealer, doing.actor, doing.at, person, values["name"], values.get("on")
    )


def _relative_fields(about: About) -> list[Field]:
    return [
        Field("kind", _("类型"), "select", "", named(RELATIVES)),
        Field("relation", _("与本人关系"), hint=_("如父亲、配偶、子女")),
        Field("name", _("姓名")),
        Field("id_number", _("身份证号"), required=False),
        Field("phone", _("手机号"), required=False),
        Field("paper", _("证明材料及编号"), hint=_("如户口簿、出生医学证明、公证书的编号")),
        today_field(about, "on", _("从哪一天起")),
    ]


def _relative(doing: Doing, values: Values) -> None:
    who = person_facts.NewRelative(
        values["kind"],
        values["relation"],
        values["name"],
        values["paper"],
        values.get("id_number"),
        values.get("phone"),
    )
    person = doing.about.who.person_id
    person_facts.add_relative(doing.session, doing.sealer, doing.actor, doing.at, person, who, values["on"])


def _relative_end(doing: Doing, values: Values) -> None:
    assert doing.about.relative is not None
    relative = doing.about.relative.id
    person_facts.end_relative(doing.session, doing.sealer, doing.actor, doing.at, relative, values["on"])


# --- cover ---------------------------------------------------------------------------------------------


def _cover_fields(about: About) -> list[Field]:
    last = max(about.policies.values(), key=lambda days: days[1], default=None)
    return [
        Field(
            "policy_number",
            _("保单"),
            "select",
            "",
            [(number, number) for number in sorted(about.policies, reverse=True)],
            own_words=True,
        ),
        Field("category", _("人员类别"), "select", about.who.category or "", named(CATEGORIES)),
        today_field(about, "cover_from", _("起保日期")),
        Field("cover_to", _("终保日期"), "date", "" if last is None else last[1].isoformat()),
    ]


def _cover(doing: Doing, values: Values) -> None:
    covers.add_cover(
        doing.session,
        doing.sealer,
        doing.actor,
        doing.at,
        doing.about.who.person_id,
        values["policy_number"],
        values["category"],
        values["cover_from"],
        values["cover_to"],
    )


def _cover_end_fields(about: About) -> list[Field]:
    assert about.cover is not None
    return [
        Field(
            "cover_to",
            _("终保日期"),
            "date",
            about.cover.cover_to.isoformat(),
            hint=_("提前为终止,推后为延长,均不超出保险期间"),
        )
    ]


def _cover_end(doing: Doing, values: Values) -> None:
    assert doing.about.cover is not None
    cover = doing.about.cover.id
    covers.change_cover(doing.session, doing.sealer, doing.actor, doing.at, cover, values["cover_to"])


KINDS: Mapping[str, Kind] = {
    "category": Kind(("人员类别", "Category"), "member", _category_fields, _category, schemas.CategoryForm),
    "name": Kind(("更正姓名", "Correct the name"), "member", _name_fields, _name, schemas.NameForm),
    "relative": Kind(
        ("监护人、继承人", "Guardian or heir"), "member", _relative_fields, _relative, schemas.RelativeForm
    ),
    "cover": Kind(("登记保障", "Enter cover"), "member", _cover_fields, _cover, schemas.CoverForm),
    "cover_end": Kind(
        ("变更终保日期", "Change the last day of cover"),
        "cover",
        _cover_end_fields,
        _cover_end,
        schemas.CoverEndForm,
    ),
    "relative_end": Kind(
        ("终止监护或继承登记", "End a guardian or heir"),
        "relative",
        lambda about: [today_field(about, "on", _("到哪一天止"))],
        _relative_end,
        schemas.DayForm,
    ),
}
"""In the order in which they are offered."""
