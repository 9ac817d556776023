"""What the pages and the API of the register take in: its lists, its changes, its proposals, its tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from foundation.cells import parse_name
from foundation.web.fields import (
    Choice,
    CleanText,
    Digits,
    Flag,
    IdNumber,
    IsoDate,
    Money,
    PlaceCode,
    RowId,
    Strict,
    TextSchema,
    Whole,
    refused,
)
from foundation.web.searched import SearchedIdNumber, SearchedName
from households.services.incomes import FIRST_YEAR
from households.services.register import COMING, LEAVING
from households.terms import (
    CATEGORIES,
    INCOME_SOURCES,
    PROPOSAL_STATES,
    PROPOSALS,
    RELATIONS,
    RELATIVES,
    SETTLEMENTS,
    TASKS,
)
from households.timeline import KINDS

LONGEST_NAME = 50
LONGEST_REASON = 500
STEPS = ("check", "edit", "done")
"""Of a form in two steps: look at it again, go back to it, do it."""


class Name(CleanText):
    """A person's name as rosters hold it: without spaces, every middle dot written alike."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        return parse_name(text) or text


class Account(Strict[str]):
    """The digits of a bank account, 8 to 30; spaces between them are left out."""

    _FORM = re.compile("[0-9]{8,30}", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        text = "".join(value.split()) if isinstance(value, str) and len(value) <= 100 else ""
        if self._FORM.fullmatch(text) is None:
            raise refused("应为 8 至 30 位数字(半角)", "must be 8 to 30 half-width digits")
        return text


class Moment(Strict[datetime]):
    """An instant with its zone, from 1900 to 2100: `2024-02-09T12:00:00+08:00`."""

    documented: ClassVar[dict[str, Any]] = {"type": "string", "format": "date-time"}
    _YEARS = range(1900, 2101)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:  # noqa: ARG002
        found = None
        try:
            if isinstance(value, str) and value.isascii() and len(value) <= 40:
                found = datetime.fromisoformat(value)
        except ValueError:
            pass  # no such instant: said below
        if found is None or found.utcoffset() is None or found.year not in self._YEARS:
            raise refused(
                "应为带时区的时间,如 2024-02-09T12:00:00+08:00",
                "must be an instant with its zone, like 2024-02-09T12:00:00+08:00",
            )
        return found


# --- lists and looking up --------------------------------------------------------------------------------


class HouseholdArguments(TextSchema):
    """What the list of households is narrowed to, and the place in it."""

    place = PlaceCode()
    category = Choice(CATEGORIES)
    cover = Choice(("yes", "no"))
    open = Choice(("warning", "task"))
    cursor = CleanText(max=600)


class FindForm(TextSchema):
    """Whom to look for: by name, by ID number, or by both."""

    name = SearchedName(max=5000)
    id_number = SearchedIdNumber()

    @validates_schema
    def _somebody(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError([("请输入姓名或身份证号", "give a name or an ID number")], "name")


class HouseholdPageArguments(TextSchema):
    """Which kind of happening the timeline shows."""

    kind = Choice(KINDS)


class AsOfArguments(TextSchema):
    """For which day, as known at the end of which day, under which policy."""

    on = IsoDate()
    known_on = IsoDate()
    policy = CleanText(max=60)


class ProposalArguments(TextSchema):
    """What the list of proposals is narrowed to, and the place in it."""

    state = Choice(PROPOSAL_STATES)
    kind = Choice(PROPOSALS)
    cursor = CleanText(max=600)


class TaskArguments(TextSchema):
    """What the list of tasks is narrowed to, and the place in it."""

    state = Choice(("open", "settled"))
    kind = Choice(TASKS)
    cursor = CleanText(max=600)


class AboutArguments(TextSchema):
    """Which member, cover, guardian or heir a form is about; which task led to it."""

    about = RowId()
    task = RowId()


# --- changes, in two steps -------------------------------------------------------------------------------


class StepForm(TextSchema):
    """A form that is looked at again before anything is done."""

    step = Choice(STEPS, required=True)
    about = RowId()
    task = RowId()


class NewcomerForm(StepForm):
    name = Name(max=LONGEST_NAME, required=True)
    id_number = IdNumber(required=True)
    relation = Choice(RELATIONS, required=True)
    how = Choice(COMING, required=True)
    on = IsoDate()


class LeavingForm(StepForm):
    how = Choice(LEAVING, required=True)
    on = IsoDate(required=True)


class RelationForm(StepForm):
    relation = Choice(RELATIONS, required=True)
    on = IsoDate(required=True)


class CorrectionForm(StepForm):
    never = Flag()
    relation = CleanText(max=20)
    valid_from = IsoDate()
    valid_to = IsoDate()
    died = Flag()


class MoveForm(StepForm):
    village_code = Digits(12, required=True)
    on = IsoDate(required=True)


class CategoryForm(StepForm):
    category = Choice(CATEGORIES, required=True)
    on = IsoDate(required=True)
    until = IsoDate()


class NameForm(StepForm):
    name = Name(max=LONGEST_NAME, required=True)
    on = IsoDate()


class RelativeForm(StepForm):
    kind = Choice(RELATIVES, required=True)
    relation = CleanText(max=20, required=True)
    name = Name(max=LONGEST_NAME, required=True)
    id_number = IdNumber()
    phone = Digits(11)
    paper = CleanText(max=60, required=True)
    on = IsoDate(required=True)


class DayForm(StepForm):
    on = IsoDate(required=True)


class IncomeForm(StepForm):
    year = Whole(FIRST_YEAR, 2999, required=True)
    members = Whole(1, 99, required=True)
    wages = Money(required=True)
    operating = Money(required=True)
    property = Money(required=True)
    transfer = Money(required=True)
    cost = Money(required=True)
    main_source = Choice(INCOME_SOURCES, required=True)


class CoverForm(StepForm):
    policy_number = CleanText(max=60, required=True)
    category = Choice(CATEGORIES, required=True)
    cover_from = IsoDate(required=True)
    cover_to = IsoDate(required=True)


class CoverEndForm(StepForm):
    cover_to = IsoDate(required=True)


# --- proposals and tasks -----------------------------------------------------------------------------------


class AccountForm(StepForm):
    account_name = Name(max=LONGEST_NAME, required=True)
    account_no = Account(required=True)
    bank_code = Digits(12)
    on = IsoDate(required=True)


class IdentityForm(StepForm):
    person = RowId(required=True)
    id_number = IdNumber(required=True)


class _MergeForm(StepForm):
    into = CleanText(max=40, required=True)
    on = IsoDate(required=True)


class _SplitForm(StepForm):
    village_code = Digits(12, required=True)
    on = IsoDate(required=True)
    head = RowId()


def merge_form(person_ids: Iterable[str]) -> type[StepForm]:
    """The form of a merge, with the relation of everybody who goes over."""
    return _with_relations(_MergeForm, person_ids)


def split_form(person_ids: Iterable[str]) -> type[StepForm]:
    """The form of a split, with the relation of everybody who goes; who stays has none."""
    return _with_relations(_SplitForm, person_ids)


def _with_relations(base: type[StepForm], person_ids: Iterable[str]) -> type[StepForm]:
    added: dict[str, fields.Field[Any]] = {f"relation_{one}": Choice(RELATIONS) for one in person_ids}
    return type(f"{base.__name__}OfMembers", (base,), added)


class DecisionForm(TextSchema):
    """Approving a proposal, or refusing it with the reason."""

    decision = Choice(("approve", "refuse"), required=True)
    again = CleanText(max=40)
    reason = CleanText(max=LONGEST_REASON, lines=True)


class NothingForm(TextSchema):
    """A form of a button only."""


class SettlementForm(TextSchema):
    """How a task is settled, why, and from which day on."""

    settlement = Choice(SETTLEMENTS, required=True)
    reason = CleanText(max=LONGEST_REASON, lines=True)
    on = IsoDate()
    about = RowId()
