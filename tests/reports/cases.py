"""Determined claims and a head of the trail made by hand, for the tests of wording: no database, no pack."""

from __future__ import annotations

from datetime import date
from typing import Any

from claims.wording import CheckWords, DecisionWords, LineWords
from foundation.trail.sealing import Head
from reports.figures import CaseFigures, PolicyFigures

HEAD = Head(2085, "e" * 64, 3)
"""A head of the trail, as reports print it."""

POLICY = PolicyFigures(
    number="FPB-1",
    title="某县防贫保险(2020年度)",
    purchaser="某县相对贫困服务中心",
    insurer="示例财产保险股份有限公司",
    period_from=date(2020, 1, 1),
    period_to=date(2020, 12, 31),
    premium_per_head_fen=45000,
    poverty_line_fen=631200,
    fingerprint="f" * 64,
)


def check(code: str, sentence: str = "说明", clause: str = "第三条") -> CheckWords:
    """A failed check in words."""
    return CheckWords(code, code, "未通过", sentence, clause)


def words(opening: str, *reasons: CheckWords, lines: tuple[LineWords, ...] = ()) -> DecisionWords:
    """A decision in words."""
    return DecisionWords("结论", opening, reasons, reasons, lines)


APPROVED = words(
    "您的因病保险金申请已获核定,将向您支付 2,444.16 元。",
    lines=(
        LineWords("累计费用 = 本次 13,147.19 元 + 以前 0.00 元", "第三条第二款", 1314719),
        LineWords("本次应付", "第三条第二款", 244416),
    ),
)


def case(**changes: Any) -> CaseFigures:
    """An approved claim of an adult, but for what is said otherwise."""
    plain: dict[str, Any] = {
        "determination_id": "d" * 32,
        "policy": POLICY,
        "claim_no": "FPB-2020-000001",
        "line_title": "因病",
        "benefit_title": "医疗费用",
        "clause": "第三条第二款",
        "notified_on": date(2020, 3, 5),
        "event_on": date(2020, 3, 1),
        "determined_on": date(2020, 12, 31),
        "claimant": "王秀英",
        "id_number": "370323********0013",
        "age": 50,
        "child": False,
        "deceased": False,
        "household_no": "H1",
        "category": "相对贫困户",
        "village": "历山街道南李家坡村",
        "outcome": "approve",
        "amount_fen": 244416,
        "payee_name": "王秀英",
        "payee_account": "****1238",
        "costs": (("医疗总费用", "19,410.10元"),),
        "accumulates": True,
        "recommended_by": "person-1",
        "determined_by": "person-2",
        "record_digest": "a" * 64,
        "words": APPROVED,
    }
    return CaseFigures(**{**plain, **changes})
