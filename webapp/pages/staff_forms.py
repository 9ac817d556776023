"""What the pages of people take in: their query string and their forms."""

from __future__ import annotations

from foundation.actors import Role
from foundation.staff.services import ACCOUNT_STATES, LONGEST_NAME
from foundation.web.fields import (
    Choice,
    CleanText,
    IdNumber,
    IsoDate,
    Money,
    PlaceCode,
    RowId,
    TextSchema,
    Whole,
)
from households.departments import departments

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
KINDS = ("role", "limit")


class PeopleArguments(TextSchema):
    """What the list is narrowed to, and the place in it."""

    text = CleanText(max=LONGEST_NAME)
    role = Choice(ROLES)
    state = Choice(ACCOUNT_STATES)
    cursor = CleanText(max=600)


class PersonForm(TextSchema):
    """A new person with a first account."""

    name = CleanText(max=LONGEST_NAME, required=True)
    id_number = IdNumber(required=True)
    """By it one human being is one person, whatever the accounts: four eyes are counted by it."""
    login = CleanText(max=32, required=True)


class AccountForm(TextSchema):
    """One more account."""

    login = CleanText(max=32, required=True)


class StateForm(TextSchema):
    """An account disabled or enabled, as it was when it was looked at."""

    state = Choice(ACCOUNT_STATES, required=True)
    version = Whole(1, required=True)


class RoleForm(TextSchema):
    """A role that is asked for."""

    account_id = RowId(required=True)
    role = Choice(ROLES, required=True)
    place = PlaceCode(required=True)
    department = Choice(departments())
    valid_from = IsoDate()
    valid_to = IsoDate()


class LimitForm(TextSchema):
    """A limit of determination that is asked for."""

    amount = Money(required=True)
    valid_from = IsoDate()
    valid_to = IsoDate()


class KinForm(TextSchema):
    """A relative that a person declares."""

    kin_id_number = IdNumber(required=True)
    relation = CleanText(max=20, required=True)


class DecideForm(TextSchema):
    """A role or a limit approved or refused."""

    kind = Choice(KINDS, required=True)
    row_id = RowId(required=True)
    decision = Choice(("approve", "refuse"), required=True)


class EndForm(TextSchema):
    """A role or a limit taken away."""

    kind = Choice(KINDS, required=True)
    row_id = RowId(required=True)


class NoFields(TextSchema):
    """A form of one button."""
