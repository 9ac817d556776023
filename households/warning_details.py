"""What the page of a warning shows of a department's row: its day and its sums in words, never a diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foundation.money import Money
from households.layouts import layouts
from households.terms import Pair

Detail = tuple[Pair, str]
"""What it is, in Chinese and English, and the value as it is shown."""

_YES, _NO = "是", "否"
_KIND, _AMOUNT, _ON = ("类别", "kind"), ("金额(元)", "amount (yuan)"), ("发生日期", "happened on")
_GRADE, _YEAR = ("等级", "grade"), ("学年", "school year")
_FIELDS: Mapping[str, Sequence[tuple[str, Pair]]] = {
    "medical": (
        ("document_no", ("结算单号", "settlement")),
        ("settled_on", ("结算日期", "settled on")),
        ("total_fen", ("医疗总费用(元)", "total cost (yuan)")),
        ("basic_fen", ("基本医保支付(元)", "basic insurance (yuan)")),
        ("major_fen", ("大病保险支付(元)", "major-illness insurance (yuan)")),
        ("aid_fen", ("医疗救助支付(元)", "medical assistance (yuan)")),
    ),
    "serious_illness": (("diagnosed_on", ("确诊日期", "diagnosed on")),),
    "education": (
        ("academic_year", _YEAR),
        ("school", ("学校", "school")),
        ("level", ("学历层次", "level")),
        ("status", ("学籍状态", "enrolment")),
    ),
    "school_costs": (
        ("academic_year", _YEAR),
        ("tuition_fen", ("学费(元)", "tuition (yuan)")),
        ("boarding_fen", ("住宿费(元)", "boarding (yuan)")),
        ("books_fen", ("教材费(元)", "books (yuan)")),
        ("aid_fen", ("资助金额(元)", "aid (yuan)")),
    ),
    "accidents": (
        ("accident_no", ("事故编号", "accident")),
        ("occurred_on", ("事故日期", "happened on")),
        ("drunk", ("本人酒驾", "drove drunk")),
    ),
    "deaths": (("died_on", ("死亡日期", "died on")),),
    "assistance": (
        ("kind", ("救助类别", "kind of relief")),
        ("result", ("结果", "result")),
        ("amount_fen", _AMOUNT),
        ("decided_on", ("办理日期", "decided on")),
    ),
    "unemployment": (("lost_on", ("失业日期", "lost work on")),),
    "disability": (("grade", _GRADE), ("issued_on", ("发证日期", "issued on"))),
    "dilapidated": (("grade", _GRADE), ("graded_on", ("鉴定日期", "graded on"))),
    "farm_losses": (("kind", _KIND), ("amount_fen", _AMOUNT), ("occurred_on", _ON)),
    "disasters": (("kind", _KIND), ("amount_fen", _AMOUNT), ("occurred_on", _ON)),
}


def details(feed: str, values: Sequence[Any]) -> list[Detail]:
    """What is said of a row; `values` in the order of its columns, days as ISO text. Nothing of an unknown feed."""
    layout = layouts()[feed]
    said = ((words, field, layout.field(values, field)) for field, words in _FIELDS.get(feed, ()))
    return [(words, _shown(field, value)) for words, field, value in said if value is not None]


def _shown(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return _YES if value else _NO
    return Money(value).grouped if field.endswith("_fen") else str(value)
