"""Recognition 识别认定: the village or the town proposes a household, and another person at the Centre decides.

Every step moves a spell on only from the state that it was seen in; the income as surveyed goes into the register.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.counters import take_numbers
from foundation.errors import ConflictError, InvalidInput, NotAllowedError
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households.models.recognition import Recognition
from households.queries.households import household_row
from households.queries.people import members_of
from households.queries.proposals import Paper
from households.queries.recognition import against, followed_up, open_spell, spell_row, yardstick
from households.services.spell_steps import (
    SurveyedSums,
    keep_income,
    missing_papers,
    move,
    one_by_one,
    papers_text,
    refuse_own,
)
from households.services.writing import refuse_merged
from households.spells import ACTIVE, PROPOSED, REFUSED, Steps, basis_of, first_review, step_faults

PROPOSERS = (Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER)
DECIDERS = (Role.CENTER_CERTIFIER, Role.CENTER_LEAD)
EVIDENCE = ("survey", "appraisal", "notice")
"""The steps that each need a paper."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a village or a town hands in for a household. `reasons` are keys of the year's standards."""

    steps: Steps
    income: SurveyedSums
    reasons: tuple[str, ...]
    cause: str
    track: str
    papers: Sequence[Paper]


# --- proposing -----------------------------------------------------------------------------------------


def propose(
    session: Session, sealer: Sealer, actor: Actor, at: datetime, household_id: str, proposed: Proposed
) -> str:
    """Proposes a household for recognition; the spell's id. Its income of the year goes into the register.

    Raises NotAllowedError for another role and (K6) for one's own family, NotFound outside the actor's place,
    InvalidInput for steps out of order, a missing paper, or neither a line nor a reason, ConflictError where a spell is
    open already.
    """
    actor.must_be(*PROPOSERS)
    home = household_row(session, actor, household_id)
    one_by_one(session, household_id)
    refuse_merged(home)
    refuse_own(session, actor, household_id)
    today, steps = business_day(at), proposed.steps
    everybody = members_of(session, sealer, home.id, steps.surveyed_on)
    members = [one for one in everybody if one.is_there(steps.surveyed_on)]
    faults = step_faults(steps, today) | missing_papers(proposed.papers, EVIDENCE)
    if not members:
        faults["surveyed_on"] = [
            ("当日本户没有登记成员", "nobody was registered in the household on that day")
        ]
    if faults:
        raise InvalidInput(faults)
    if open_spell(session, household_id) is not None:
        raise ConflictError(
            "本户已有待认定或帮扶中的记录,不能重复提出",
            "the household is proposed or supported already: it cannot be proposed twice",
        )
    measured = yardstick(session, steps.surveyed_on)
    known = set() if measured.standards is None else {reason.key for reason in measured.standards.reasons}
    if set(proposed.reasons) - known:
        raise InvalidInput({"reasons": [("不是该年度标准中的情形", "is no reason of that year's standards")]})
    surveyed = proposed.income.of(len(members))
    figures = surveyed.figures()
    basis = basis_of(figures.per_head_fen or 0, measured.line_fen, len(proposed.reasons))
    if basis is None:
        raise InvalidInput(
            {
                "reasons": [
                    (
                        "人均纯收入不低于标准,又没有定性情形,不能认定",
                        "the income is not below the line and no reason holds: it cannot be recognised",
                    )
                ]
            }
        )
    before = followed_up(session, household_id, today)
    (number,) = take_numbers(session, f"recognition:{today.year}")
    survey = {
        "people": [[one.person_id, one.relation] for one in members],
        **asdict(figures),
        "main_source": proposed.income.main_source,
        "line_fen": measured.line_fen,
    }
    identity, text = secrets.token_hex(16), orjson.dumps(survey, option=orjson.OPT_SORT_KEYS)
    digest = sealer.digest("recognition", household_id.encode() + text)
    session.add(
        Recognition(
            id=identity,
            number=f"FPSB-{today.year}-{number:06d}",
            household_id=household_id,
            state=PROPOSED,
            basis=basis,
            reasons=";".join(sorted(proposed.reasons)),
            cause=proposed.cause,
            track=proposed.track,
            standard_year=None if measured.standards is None else measured.year,
            surveyed_on=steps.surveyed_on,
            surveyors="、".join(steps.surveyors),
            appraised_on=steps.appraised_on,
            appraisal=f"{steps.present}/{steps.in_favour}",
            notice_from=steps.notice_from,
            notice_to=steps.notice_to,
            evidence=papers_text(proposed.papers),
            sealed=sealer.seal("recognition", "sealed", identity, text),
            digest=digest,
            follows=None if before is None else before.id,
            proposed_by=actor.person,
            proposed_at=at,
            changed_at=at,
        )
    )
    session.flush()
    record(
        session, actor, at, [Change("recognition.proposed", "recognition", identity, digest, reason=basis)]
    )
    keep_income(session, sealer, actor, at, household_id, steps.surveyed_on, surveyed, proposed.income)
    return identity


# --- deciding ------------------------------------------------------------------------------------------


def decide(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    recognition_id: str,
    *,
    approve: bool,
    note: str | None = None,
) -> Recognition:
    """Recognises a proposed household from today on, or refuses it, as another person than who proposed it.

    Raises NotAllowedError (role, one's own proposal, K6), NotFound, ConflictError while the notice hangs or once it was
    decided, InvalidInput where a refusal, or a recognition in spite of the comparison, has no reason.
    """
    actor.must_be(*DECIDERS)
    row, home = spell_row(session, actor, recognition_id)
    one_by_one(session, home.id)
    session.refresh(row)
    if row.proposed_by == actor.person:
        raise NotAllowedError(
            "须由提出人以外的另一人认定", "somebody other than who proposed it has to decide"
        )
    refuse_own(session, actor, home.id)
    today = business_day(at)
    found = against(session, sealer, home.id)
    hits = [] if found is None else list(found.hits)
    if not approve and not note:
        raise InvalidInput({"note": [("请写明不予认定的理由", "say why it is not recognised")]})
    if approve and hits and not note:
        raise InvalidInput(
            {
                "note": [
                    (
                        "比对有未澄清的反向标准,原则上不得纳入;确需认定的,请写明理由",
                        "the comparison hits reverse standards: if it has to be recognised all the same, say why",
                    )
                ]
            }
        )
    if approve and today <= row.notice_to:
        raise ConflictError(
            f"公示期至 {row.notice_to} 止,期满后才能认定",
            f"the notice hangs until {row.notice_to}: it can be decided after that",
        )
    values: dict[str, Any] = {"decided_by": actor.person, "decided_at": at}
    if note or hits:
        text = orjson.dumps({"note": note, "hits": hits}, option=orjson.OPT_SORT_KEYS)
        values["decision"] = sealer.seal("recognition", "decision", row.id, text)
    if approve:
        values |= {"started_on": today, "review_due": first_review(today)}
    move(session, row, PROPOSED, ACTIVE if approve else REFUSED, at, values)
    action = "recognition.approved" if approve else "recognition.refused"
    reason = f"hits={','.join(hits)}" if hits else None
    record(session, actor, at, [Change(action, "recognition", row.id, after=row.digest, reason=reason)])
    return row
