"""Figures of pre-filled claim forms 免填单, put together from the register, the departments' rows and the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.consent import consent_on
from claims.facts import Claim
from claims.prefilled import claim_from_row, papers_known
from foundation.actors import Actor
from foundation.errors import ConflictError
from foundation.identifiers import birth_date
from foundation.masking import Audience, account_for, is_child
from foundation.sealing import ERASED, Erased, Sealer
from households.departments import departments
from households.feeds import FEEDS
from households.models.feeds import FeedRow
from households.queries.covering import Insured, last_day_of_notice, policies_covering
from households.queries.feed_rows import typed_row
from households.queries.households import AccountLine, accounts_of
from households.queries.people import Member, members_of
from households.queries.warning_case import CaseView, ReportLine, case_by_id
from households.registered import HEAD
from households.terms import HAPPENED, WARNING_CHANNELS
from households.thresholds import thresholds
from policies.policy import Policy
from reports.cases import policy_figures
from reports.claim_form import (
    ClaimFormFigures,
    FormRow,
    benefits_of,
    consent_of,
    papers_of,
    row_of,
)
from reports.people import age_on


def claim_form_figures(
    session: Session, sealer: Sealer, actor: Actor, case_id: str, day: date
) -> ClaimFormFigures:
    """The form of a case as it would be signed on a day.

    Raises NotFound for a case outside the actor's place, ConflictError where no policy answers for its event, Erased
    where the person's data were erased.
    """
    view = case_by_id(session, sealer, actor, case_id)
    event, case = view.event, view.case
    members = members_of(session, sealer, case.household_id, case.event_on)
    member = next((one for one in members if one.person_id == view.person_id), None)
    if event is None or member is None or member.name is None or member.id_number is None:
        raise Erased
    policy = form_policy(session, view)
    if policy is None:
        raise ConflictError(
            "事件日没有可以理赔的保单,或本单没有此险种:请会商转办",
            "no policy answers for this event on its day: transfer the case to another measure",
        )
    terms = policy.on(case.event_on)
    line, benefits = benefits_of(terms, event)
    child = is_child(member.id_number, day)
    deceased = event.kind == "death" or member.died_on is not None
    drafts = _drafts(session, sealer, view, member)
    account = _account(accounts_of(session, sealer, case.household_id), day)
    return ClaimFormFigures(
        case_number=case.number,
        policy=policy_figures(policy),
        line_title=event.line if line is None else line.title,
        line_clause=policy.number if line is None else line.clause,
        benefits=benefits,
        event_on=case.event_on,
        event_words=_event_words(view),
        notify_by=last_day_of_notice(policy, case.event_on),
        claimant=member.name,
        id_number=member.id_number,
        age=age_on(birth_date(member.id_number), day),
        child=child,
        deceased=deceased,
        relation=member.relation,
        category=member.category,
        household_no=case.household_no,
        place=f"{case.town}{case.village}",
        head=next((one.name for one in members if one.relation == HEAD), None),
        guardian=_guardian(member, day),
        people=sum(1 for one in members if one.cover_state(case.event_on) == "covered"),
        rows=_rows(drafts, view),
        borne_fen=case.amount_fen,
        payee_name=None if account is None else account.account_name,
        payee_account=None if account is None else account_for(Audience.OFFICER, account.account_no or ""),
        payee_deceased=deceased and account is not None and account.account_name == member.name,
        papers=papers_of(terms, event, papers_known(view.feed_rows)),
        consent=consent_of(consent_on(day), child=child),
        channels=tuple(WARNING_CHANNELS[channel][0] for channel in case.channels),
    )


def form_policy(session: Session, view: CaseView) -> Policy | None:
    """The policy that a form of a case is for; None where it is not covered, or the policy has no such line."""
    if view.event is None or view.event.kind == "housing":
        return None
    asked = Insured(view.person_id, view.case.event_on)
    policy = policies_covering(session, [asked]).get(asked)
    if policy is None or not benefits_of(policy.on(view.case.event_on), view.event)[1]:
        return None
    return policy


def _drafts(session: Session, sealer: Sealer, view: CaseView, member: Member) -> list[Claim]:
    """The claims that the case's rows would be, by day; what a department took back is left out."""
    standing = [report for report in view.reports if report.feed in FEEDS and report.withdrawn_at is None]
    ids = [report.feed_row_id for report in standing if report.feed_row_id is not None]
    known = papers_known(view.feed_rows)
    found: list[Claim] = []
    query = select(FeedRow).where(FeedRow.id.in_(ids), FeedRow.sealed != ERASED)
    for row in session.scalars(query):
        claim = claim_from_row(
            row.feed,
            typed_row(sealer, row.feed, row.id, row.sealed),
            claim_no=view.case.number,
            notified_on=view.case.opened_on,
            name=member.name or "",
            evidence=known,
        )
        if claim is not None:
            found.append(claim)
    return sorted(found, key=lambda claim: (claim.event_on, claim.document_no or "", claim.accident_no or ""))


def _rows(drafts: Sequence[Claim], view: CaseView) -> tuple[FormRow, ...]:
    """What departments say: rows that make claims, and then, of all others, their day and sum."""
    claims = [row_of(claim) for claim in drafts]
    rules = thresholds().by_key
    others = [
        FormRow(rules[report.rule].name[0], report.on, None, None, report.amount_fen)
        for report in view.reports
        if report.feed is not None
        and report.feed not in FEEDS
        and report.withdrawn_at is None
        and report.on is not None
        and report.rule in rules
    ]
    return (*claims, *others)


def _event_words(view: CaseView) -> str:
    """What happened, in the words of whoever reported it."""
    words = [_told(report) for report in view.reports]
    return "；".join(dict.fromkeys(filter(None, words)))


def _told(report: ReportLine) -> str:
    if report.what is not None:
        return HAPPENED[report.what][0]
    rules = thresholds().by_key
    if report.rule not in rules:
        return ""
    department = departments()[report.department][0] if report.department else ""
    return f"{department}：{rules[report.rule].name[0]}"


def _account(lines: Sequence[AccountLine], day: date) -> AccountLine | None:
    """The account that holds on a day: the register's before a roster's."""
    held = [
        line
        for line in lines
        if line.account_no
        and (line.valid_from is None or line.valid_from <= day)
        and (line.valid_to is None or line.valid_to >= day)
    ]
    return next(iter(held), None)


def _guardian(member: Member, day: date) -> str | None:
    """The guardian whom the register knows, who signs for a child."""
    return next(
        (
            relative.name
            for relative in member.relatives
            if relative.kind == "guardian"
            and (relative.valid_from is None or relative.valid_from <= day)
            and (relative.valid_to is None or relative.valid_to >= day)
        ),
        None,
    )
