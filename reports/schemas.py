"""What the pages of documents take in: which village notice, whose certificates of cover are to be issued."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from claims.notices import DAYS
from foundation.places import VILLAGE_DIGITS
from foundation.web.fields import Choice, CleanText, Digits, IsoDate, TextSchema
from reports.notices import NoticeAsked

MOST_DAYS = 366
"""Of a period."""
MOST_AHEAD = timedelta(60)
"""A notice that is to hang later than this has a slip in its date."""


class NoticeForm(TextSchema):
    """A village, a kind of result, a period that is over, and the day from which the notice hangs."""

    village = Digits(VILLAGE_DIGITS, required=True)
    result = Choice(DAYS, required=True)
    period_from = IsoDate(required=True)
    period_to = IsoDate(required=True)
    first_day = IsoDate(required=True)

    FIELDS: ClassVar[frozenset[str]] = frozenset(
        {"village", "result", "period_from", "period_to", "first_day"}
    )

    def __init__(self, today: date, **options: Any) -> None:
        super().__init__(**options)
        self.today = today

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        first, last, hung = data["period_from"], data["period_to"], data["first_day"]
        if not first <= last < first + timedelta(MOST_DAYS):
            raise ValidationError(
                [
                    (
                        "应不早于起始日,且期间不超过一年",
                        "must not be before its first day, nor a year after it",
                    )
                ],
                "period_to",
            )
        if last > self.today:
            raise ValidationError([("不能晚于今天", "must not be after today")], "period_to")
        if not last <= hung <= self.today + MOST_AHEAD:
            raise ValidationError(
                [
                    (
                        "应不早于期间的最后一日,且在今后 60 天以内",
                        "must not be before the period's last day, nor more than 60 days ahead",
                    )
                ],
                "first_day",
            )

    @staticmethod
    def asked(data: dict[str, Any]) -> NoticeAsked:
        """What a form that was taken in asks for."""
        return NoticeAsked(
            data["village"], data["result"], data["period_from"], data["period_to"], data["first_day"]
        )


class CertificateArguments(TextSchema):
    """For which household the form is opened."""

    household_no = CleanText(max=40)
    policy = CleanText(max=60)


class CertificateForm(CertificateArguments):
    """A policy, and either a household by its number or a whole village."""

    policy = CleanText(max=60, required=True)
    village = Digits(VILLAGE_DIGITS)

    FIELDS: ClassVar[frozenset[str]] = frozenset({"policy", "household_no", "village"})

    @validates_schema
    def _one_of_them(self, data: dict[str, Any], **_: Any) -> None:
        if ("household_no" in data) == ("village" in data):
            wrong = (
                "请填写户编号,或者选择整村,二者选一",
                "give a household number or choose a village: one of them",
            )
            raise ValidationError([wrong], "household_no")
