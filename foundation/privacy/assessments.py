"""Impact assessments 个人信息保护影响评估 (PIPL 55, 56): what has to be assessed, and each assessment on the record.

An assessment is never edited: the next one is a new version. It is kept for three years at least (PIPL 56); here it is
never taken out. A year later the subject is due again, and sooner when the processing changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.database import one_at_a_time
from foundation.errors import InvalidInput
from foundation.privacy.models import ImpactAssessment
from foundation.sealing import Sealer
from foundation.trail.events import Change, record

KEPT_YEARS = 3
"""At least (PIPL 56)."""
MOST_TEXT = 4000
"""Characters of each part."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What has to be assessed, by which clause, and where this program does it."""

    zh: str
    en: str
    clause: tuple[str, str]
    here: tuple[str, str]


SUBJECTS: Mapping[str, Subject] = {
    "sensitive_data": Subject(
        "处理敏感个人信息",
        "sensitive personal information",
        ("《个人信息保护法》第五十五条第一项", "PIPL art. 55 no. 1"),
        (
            "身份证号、账号、诊断、不满十四周岁未成年人的信息:受理、核验、审核、付款",
            "ID numbers, accounts, diagnoses, children under fourteen: in intake, checks, decisions and payments",
        ),
    ),
    "automated_decisions": Subject(
        "自动化决策",
        "automated decisions",
        ("《个人信息保护法》第五十五条第二项、第二十四条", "PIPL art. 55 no. 2, 24"),
        (
            "按保单规则自动核验和计算、疑点提示;只提出结论,由两人核定",
            "checks and calculation by the policy's rules, and red flags; they propose, two persons determine",
        ),
    ),
    "entrusted_processing": Subject(
        "委托处理",
        "entrusted processing",
        ("《个人信息保护法》第五十五条第三项、第二十一条", "PIPL art. 55 no. 3, 21"),
        (
            "系统开发、运行维护和机房托管单位能接触到的数据",
            "what developers, operators and hosting providers can reach",
        ),
    ),
    "provision": Subject(
        "向他人提供",
        "provision to others",
        ("《个人信息保护法》第五十五条第三项、第二十三条", "PIPL art. 55 no. 3, 23"),
        (
            "县中心、保险公司、银行和各部门之间的数据往来",
            "data between the Centre, the insurer, the bank and the departments",
        ),
    ),
    "public_notice": Subject(
        "公开个人信息",
        "publication",
        ("《个人信息保护法》第五十五条第三项、第二十五条", "PIPL art. 55 no. 3, 25"),
        ("村级公示的内容、范围和天数", "what the village notice shows, to whom and for how long"),
    ),
}
"""Code → subject, in the order of the law."""

CONCLUSIONS: Mapping[str, tuple[str, str]] = {
    "acceptable": ("风险可接受", "acceptable"),
    "acceptable_with_measures": ("落实措施后可接受", "acceptable with these measures"),
    "not_acceptable": ("风险不可接受,须停止或调整", "not acceptable: stop or change"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """An assessment as it is handed in: PIPL 56 nos. 1 to 3, what comes of it, and its day."""

    assessed_on: date
    purpose: str
    risks: str
    measures: str
    conclusion: str


def record_assessment(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, subject: str, written: Written
) -> ImpactAssessment:
    """Puts an assessment of a subject on the record, as its next version.

    Raises NotAllowedError for anybody but a security administrator, InvalidInput for a day to come, for one before the
    last version's, and for an unknown subject or conclusion.
    """
    actor.must_be(Role.SEC_ADMIN)
    one_at_a_time(session, f"assessment:{subject}")
    last = newest(session).get(subject)
    _check(subject, written, business_day(at), last)
    assessment = ImpactAssessment(
        id=secrets.token_hex(16),
        subject=subject,
        version=1 if last is None else last.version + 1,
        assessed_on=written.assessed_on,
        next_due_on=a_year_later(written.assessed_on),
        purpose=written.purpose,
        risks=written.risks,
        measures=written.measures,
        conclusion=written.conclusion,
        recorded_by=actor.person,
        recorded_at=at,
    )
    session.add(assessment)
    session.flush()
    digest = sealer.digest("impact_assessment", orjson.dumps(written))
    change = Change(
        "assessment.recorded",
        "impact_assessment",
        assessment.id,
        after=digest,
        reason=f"{subject} {assessment.version} {written.conclusion}",
    )
    record(session, actor, at, [change])
    return assessment


def _check(subject: str, written: Written, today: date, last: ImpactAssessment | None) -> None:
    faults: dict[str, list[tuple[str, str]]] = {}
    if subject not in SUBJECTS:
        faults["subject"] = [("没有这一项评估", "there is nothing such to assess")]
    if written.conclusion not in CONCLUSIONS:
        faults["conclusion"] = [("请选择结论", "choose a conclusion")]
    if written.assessed_on > today:
        faults["assessed_on"] = [("不能晚于今天", "must not lie in the future")]
    elif last is not None and written.assessed_on < last.assessed_on:
        faults["assessed_on"] = [("不能早于上一版的评估日期", "must not be before the last version's day")]
    if faults:
        raise InvalidInput(faults)


def a_year_later(day: date) -> date:
    """The same day of the next year; of 29 February, the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def newest(session: Session) -> dict[str, ImpactAssessment]:
    """Subject → its newest assessment; a subject that was never assessed is left out."""
    last = (
        select(ImpactAssessment.subject, func.max(ImpactAssessment.version).label("version"))
        .group_by(ImpactAssessment.subject)
        .subquery()
    )
    query = select(ImpactAssessment).join(
        last, (ImpactAssessment.subject == last.c.subject) & (ImpactAssessment.version == last.c.version)
    )
    return {found.subject: found for found in session.scalars(query)}


def versions(session: Session, subject: str) -> Sequence[ImpactAssessment]:
    """Every assessment of a subject, the newest first."""
    query = select(ImpactAssessment).where(ImpactAssessment.subject == subject)
    return session.scalars(query.order_by(ImpactAssessment.version.desc())).all()


def due(session: Session, today: date) -> list[str]:
    """The subjects that were never assessed, or whose year is over."""
    there = newest(session)
    return [code for code in SUBJECTS if code not in there or there[code].next_due_on < today]
