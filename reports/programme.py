"""Figures of the programme report: how one policy number stands, by line, town, age, sex and category. Read only.

Claims are opened one after the other and only counted: nothing personal leaves this file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.checks import AMOUNT, GRAVITY, REJECT
from claims.models import ClaimRow, DecisionRow, Determination, Review
from claims.storing import load_claim
from foundation.clock import business_day
from foundation.identifiers import birth_date, sex
from foundation.sealing import ERASED, Sealer
from households.models import Cover, HouseholdRow, Person
from households.models.two_times import believed
from payments.models import FundReceipt, Payable
from policies.models import MasterPolicy
from policies.policy import BENEFIT_KINDS, Policy
from policies.queries import policy_by_id
from reports.cases import policy_figures
from reports.figures import Count, ProgrammeFigures, Tally
from reports.people import AGE_BANDS, age_on, band_of
from reports.terms import ERASED_WORD, REASONS, SEXES, UNKNOWN


def newest_policy(session: Session, policy_number: str) -> Policy:
    """The newest version of a policy. Raises NoResultFound for an unknown number."""
    query = select(MasterPolicy.id).where(MasterPolicy.number == policy_number)
    newest = query.order_by(MasterPolicy.taken_in_at.desc(), MasterPolicy.id).limit(1)
    return policy_by_id(session, session.execute(newest).scalar_one())


def programme_figures(session: Session, sealer: Sealer, policy_number: str) -> ProgrammeFigures:
    """The figures of one policy number at this moment."""
    policy = newest_policy(session, policy_number)
    cover = _cover(session, policy_number)
    claims = list(_claims(session, sealer, policy_number, cover))
    titles = {key: line.title for key, line in policy.versions[-1].lines.items()}
    lines = [titles.get(key, key) for key in BENEFIT_KINDS]
    money = _money(session, policy_number)
    return ProgrammeFigures(
        policy=policy_figures(policy),
        covered_people=len(cover.category),
        covered_households=cover.households,
        households_paid=len({claim.household for claim in claims if claim.outcome == "approve"} - {None}),
        total=_tally("合计", claims),
        by_line=_tallies(claims, lambda claim: titles.get(claim.line, claim.line), lines),
        by_town=_tallies(claims, lambda claim: claim.town, cover.towns),
        by_age=_tallies(claims, lambda claim: claim.age, [band_of(low) for low, _ in AGE_BANDS]),
        by_sex=_tallies(claims, lambda claim: claim.sex, list(SEXES.values())),
        by_category=_tallies(claims, lambda claim: claim.category, sorted(set(cover.category.values()))),
        covered_by_town=dict(cover.people_in),
        covered_by_category=dict(sorted(Counter(cover.category.values()).items())),
        reject_reasons=_reasons(claims, "reject"),
        open_reasons=_reasons(claims, "refer", "supplement"),
        received_fen=money.received,
        sent_fen=money.by_state.get("sent", (0, 0))[1],
        batched_fen=money.by_state.get("batched", (0, 0))[1],
        pending_fen=money.by_state.get("pending", (0, 0))[1],
        withheld=money.by_state.get("withheld", (0, 0))[0],
        withheld_fen=money.by_state.get("withheld", (0, 0))[1],
        reviews=_reviews(session, policy_number),
        erased=sum(claim.category == ERASED_WORD for claim in claims),
        last_determined_on=max(
            (claim.determined_on for claim in claims if claim.determined_on), default=None
        ),
    )


class _Claim(NamedTuple):
    """What is counted of a claim. `person` is the keyed look-up of the ID number."""

    line: str
    town: str
    household: str | None
    person: str
    category: str
    age: str
    """The band, in words."""
    sex: str
    outcome: str
    reasons: tuple[str, ...]
    amount_fen: int
    determined_on: date | None


@dataclass(slots=True)
class _Cover:
    category: dict[str, str] = field(default_factory=dict)
    """人员类别 by keyed look-up of the ID number."""
    people_in: dict[str, int] = field(default_factory=dict)
    towns: list[str] = field(default_factory=list)
    households: int = 0


def _cover(session: Session, policy_number: str) -> _Cover:
    query = (
        select(
            Person.id_lookup, Cover.category, HouseholdRow.town, HouseholdRow.village_code, Cover.household_id
        )
        .join(Person, Person.id == Cover.person_id)
        .join(HouseholdRow, HouseholdRow.id == Cover.household_id)
        .where(Cover.policy_number == policy_number, believed(Cover))
        .order_by(Cover.source.desc(), Cover.cover_from)
    )
    cover = _Cover()
    codes: dict[str, str] = {}
    counts: Counter[str] = Counter()
    households = set()
    for person, category, town, village_code, household in session.execute(query):
        counted = person in cover.category
        cover.category[person] = category  # the register's word comes after the roster's
        if counted:
            continue
        counts[town] += 1
        codes[town] = min(village_code, codes.get(town, village_code))
        households.add(household)
    cover.towns = sorted(codes, key=lambda town: (codes[town], town))
    cover.people_in = {town: counts[town] for town in cover.towns}
    cover.households = len(households)
    return cover


def _claims(session: Session, sealer: Sealer, policy_number: str, cover: _Cover) -> Iterator[_Claim]:
    newest = (
        select(DecisionRow.claim_id, func.max(DecisionRow.sequence).label("sequence"))
        .group_by(DecisionRow.claim_id)
        .subquery()
    )
    determined = Determination.decision_id.is_not(None)
    stands = (determined & (DecisionRow.id == Determination.decision_id)) | (
        ~determined & (DecisionRow.sequence == newest.c.sequence)
    )
    query = (
        select(
            ClaimRow.id,
            ClaimRow.line,
            ClaimRow.town,
            ClaimRow.household_id,
            ClaimRow.sealed,
            DecisionRow.outcome,
            DecisionRow.reasons,
            Determination.outcome.label("determined"),
            Determination.amount_fen,
            Determination.determined_at,
        )
        .outerjoin(Determination, Determination.claim_id == ClaimRow.id)
        .join(newest, newest.c.claim_id == ClaimRow.id)
        .join(DecisionRow, (DecisionRow.claim_id == ClaimRow.id) & stands)
        .where(ClaimRow.policy_number == policy_number)
        .execution_options(yield_per=2000)
    )
    for row in session.execute(query):
        at: datetime | None = row.determined_at
        yield _Claim(
            row.line,
            row.town or UNKNOWN,
            row.household_id,
            *_claimant(sealer, cover, row.id, row.sealed),
            row.determined or row.outcome,
            tuple(row.reasons.split(";")) if row.reasons else (),
            row.amount_fen or 0,
            None if at is None else business_day(at),
        )


def _claimant(sealer: Sealer, cover: _Cover, claim_id: str, sealed: str) -> tuple[str, str, str, str]:
    """(person, category, age band, sex) of a claim. One that was erased at the end of its term stands by itself."""
    if sealed == ERASED:
        return f"{ERASED}:{claim_id}", ERASED_WORD, ERASED_WORD, ERASED_WORD
    claim = load_claim(sealer.reveal("claim", "sealed", claim_id, sealed))
    person = sealer.lookup("id_number", claim.id_number)
    age = max(0, age_on(birth_date(claim.id_number), claim.event_on))
    return person, cover.category.get(person, UNKNOWN), band_of(age), SEXES[sex(claim.id_number)]


def _tallies(
    claims: Sequence[_Claim], name_of: Callable[[_Claim], str], names: Sequence[str]
) -> tuple[Tally, ...]:
    """A row for each name in the order given, then for every other name that has claims."""
    groups: dict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        groups[name_of(claim)].append(claim)
    rest = sorted(groups.keys() - set(names))
    return tuple(_tally(name, groups[name]) for name in (*names, *rest))


def _tally(name: str, claims: Sequence[_Claim]) -> Tally:
    outcomes = Counter(claim.outcome for claim in claims)
    approved = [claim for claim in claims if claim.outcome == "approve"]
    return Tally(
        name,
        len(claims),
        outcomes["approve"],
        outcomes["reject"],
        outcomes["supplement"],
        outcomes["refer"],
        len({claim.person for claim in approved}),
        sum(claim.amount_fen for claim in approved),
    )


def _reasons(claims: Sequence[_Claim], *outcomes: str) -> tuple[Count, ...]:
    """How often each reason stands in decisions of these outcomes: the reasons that bring such an outcome about."""
    gravities = (REJECT, AMOUNT) if outcomes == ("reject",) else outcomes
    counted: Counter[str] = Counter()
    for claim in claims:
        if claim.outcome in outcomes:
            counted.update(code for code in claim.reasons if GRAVITY[code] in gravities)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(REASONS[code], number) for code, number in ordered)


class _Money(NamedTuple):
    received: int
    by_state: dict[str, tuple[int, int]]


def _money(session: Session, policy_number: str) -> _Money:
    """What came in for anything, and this policy's payables by state: (how many, fen)."""
    received = session.scalar(select(func.sum(FundReceipt.amount_fen))) or 0
    query = (
        select(Payable.state, func.count(), func.sum(Payable.amount_fen))
        .join(Determination, Determination.id == Payable.determination_id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .where(ClaimRow.policy_number == policy_number)
        .group_by(Payable.state)
    )
    states = {state: (count, int(total)) for state, count, total in session.execute(query)}
    return _Money(int(received), states)


def _reviews(session: Session, policy_number: str) -> int:
    query = select(func.count()).select_from(Review).join(ClaimRow, ClaimRow.id == Review.claim_id)
    return session.scalar(query.where(ClaimRow.policy_number == policy_number)) or 0
