"""Review, extension and exit of a recognised household 动态核实、延期、退出.

The village or the town reviews each half year. The Centre's lead alone lets support go on beyond its year. Who ends it
at the Centre is never who found that it may end.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.errors import ConflictError, InvalidInput, NotAllowedError
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.recognition import Recognition, RecognitionReview
from households.queries.people import members_of
from households.queries.proposals import Paper
from households.queries.recognition import Reviewed, reviews_of, spell_row, yardstick
from households.registered import IncomeFigures
from households.services.recognition import DECIDERS
from households.services.spell_steps import (
    SurveyedSums,
    keep_income,
    missing_papers,
    move,
    not_active,
    one_by_one,
    refuse_own,
)
from households.spells import (
    ACTIVE,
    CHANGED,
    EXITED,
    MAY_EXIT,
    Faults,
    exit_faults,
    followed_until,
    months_after,
    needs_extension,
    next_review,
    terms,
    year_ends,
)

REVIEWERS = (Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_LEAD)
EXTENDERS = (Role.CENTER_LEAD,)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a review found. `cause` and `track` are what they are by then; `extend` lets support go beyond its year."""

    reviewed_on: date
    finding: str
    income: SurveyedSums
    cause: str
    track: str
    note: str | None = None
    extend: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """An exit 退出: when, whether the cause is gone, the meeting's minute and its papers."""

    exited_on: date
    cause_gone: bool
    meeting: str | None
    papers: Sequence[Paper]


# --- reviewing -----------------------------------------------------------------------------------------


def review(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, recognition_id: str, found: Finding
) -> str:
    """Records a half-yearly review and sets the next one; its id. The income goes into the register.

    Beyond the year of support only an extension by the Centre's lead, with a reason, lets it go on. Raises
    NotAllowedError, NotFound, ConflictError for a spell that is not active, InvalidInput for what cannot be.
    """
    actor.must_be(*REVIEWERS)
    row, home = spell_row(session, actor, recognition_id)
    one_by_one(session, home.id)
    session.refresh(row)
    refuse_own(session, actor, home.id)
    if row.state != ACTIVE or row.started_on is None:
        raise not_active()
    there = members_of(session, sealer, home.id, found.reviewed_on)
    surveyed = found.income.of(max(1, sum(one.is_there(found.reviewed_on) for one in there)))
    figures = surveyed.figures()
    measured = yardstick(session, found.reviewed_on)
    earlier = reviews_of(session, sealer, [row.id])
    _check_review(actor, business_day(at), row.started_on, found, figures, measured.line_fen, earlier)
    content = {
        "per_head_fen": figures.per_head_fen,
        "line_fen": measured.line_fen,
        "note": found.note,
        "extended": found.extend,
    }
    identity, text = secrets.token_hex(16), orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    digest = sealer.digest("recognition_review", f"{row.id} {found.reviewed_on}".encode() + text)
    session.add(
        RecognitionReview(
            id=identity,
            recognition_id=row.id,
            reviewed_on=found.reviewed_on,
            reviewed_by=actor.person,
            finding=found.finding,
            sealed=sealer.seal("recognition_review", "sealed", identity, text),
            digest=digest,
            recorded_at=at,
        )
    )
    session.flush()
    values: dict[str, Any] = {}
    if found.finding == CHANGED:
        values |= {"cause": found.cause, "track": found.track}
    if found.finding != MAY_EXIT:
        values["review_due"] = next_review(row.started_on, found.reviewed_on, extended=found.extend)
    move(session, row, ACTIVE, ACTIVE, at, values)
    action = "recognition.extended" if found.extend else "recognition.reviewed"
    record(session, actor, at, [Change(action, "recognition", row.id, digest, reason=found.finding)])
    keep_income(session, sealer, actor, at, home.id, found.reviewed_on, surveyed, found.income)
    return identity


def _check_review(
    actor: Actor,
    today: date,
    started_on: date,
    found: Finding,
    figures: IncomeFigures,
    line_fen: int | None,
    earlier: Sequence[Reviewed],
) -> None:
    faults: Faults = {}
    since = max([started_on, *(one.reviewed_on for one in earlier)])
    if not since <= found.reviewed_on <= today:
        faults["reviewed_on"] = [
            (
                "应不早于认定或上次复核,不晚于今天",
                "must not be before the start or the last review, nor after today",
            )
        ]
    above = line_fen is not None and (figures.per_head_fen or 0) > line_fen
    if found.finding == MAY_EXIT and not above:
        faults["finding"] = [
            (
                "人均纯收入没有超过标准,不符合退出条件",
                "the income is not above the line: the household may not exit",
            )
        ]
    goes_on = found.finding != MAY_EXIT
    if found.extend:
        if actor.role not in EXTENDERS:
            raise NotAllowedError(
                "帮扶超过一年的延期须由县中心负责人决定",
                "an extension beyond one year is for the Centre's lead",
            )
        if not goes_on or months_after(found.reviewed_on, terms().review_months) <= year_ends(started_on):
            faults["extend"] = [("现在不需要延期", "no extension is needed")]
        elif not found.note:
            faults["note"] = [("延期须写明理由", "an extension needs a reason")]
    elif goes_on and needs_extension(started_on, found.reviewed_on):
        faults["extend"] = [
            (
                "帮扶已满一年:由县中心负责人写明理由延期,或者退出",
                "support has lasted a year: the Centre's lead extends it with a reason, or it ends",
            )
        ]
    if faults:
        raise InvalidInput(faults)


# --- ending --------------------------------------------------------------------------------------------


def end(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, recognition_id: str, leaving: Leaving
) -> Recognition:
    """Ends a spell; three months of follow-up begin. The last review must find so, by another person.

    Raises NotAllowedError, NotFound, ConflictError without such a review, InvalidInput unless income, cause and meeting
    all allow it.
    """
    actor.must_be(*DECIDERS)
    row, home = spell_row(session, actor, recognition_id)
    one_by_one(session, home.id)
    session.refresh(row)
    refuse_own(session, actor, home.id)
    if row.state != ACTIVE:
        raise not_active()
    last = next(iter(reversed(reviews_of(session, sealer, [row.id]))), None)
    if last is None or last.finding != MAY_EXIT or last.found is None:
        raise ConflictError(
            "最近一次复核的结论不是“建议退出”,不能办理退出",
            'the last review does not find "may exit": the household cannot leave',
        )
    if last.reviewed_by == actor.person:
        raise NotAllowedError(
            "退出须由复核人以外的另一人办理", "somebody other than who reviewed it has to end it"
        )
    per_head, line = last.found["per_head_fen"], last.found["line_fen"]
    faults = exit_faults(per_head, line, cause_gone=leaving.cause_gone, meeting=leaving.meeting)
    faults |= missing_papers(leaving.papers, ("exit",))
    if not last.reviewed_on <= leaving.exited_on <= business_day(at):
        faults["exited_on"] = [
            ("应不早于最近一次复核,不晚于今天", "must not be before the last review, nor after today")
        ]
    if faults:
        raise InvalidInput(faults)
    before = orjson.loads(row.evidence or "[]")
    papers = orjson.dumps([*before, *(asdict(paper) for paper in leaving.papers)]).decode()
    values: dict[str, Any] = {
        "exited_on": leaving.exited_on,
        "exit_meeting": leaving.meeting,
        "follow_up_until": followed_until(leaving.exited_on),
        "evidence": papers,
    }
    move(session, row, ACTIVE, EXITED, at, values)
    record(session, actor, at, [Change("recognition.ended", "recognition", row.id, after=row.digest)])
    return row
