"""Figures of the certificate of cover 保险凭证, and what one is asked for by. Read only.

Who is insured is what adjudication sees on the same day (`households.queries.registered`), so that a certificate never
names somebody whose claim would be refused for want of cover.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.masking import Audience, id_number_for
from foundation.places import VILLAGE_DIGITS, within
from foundation.sealing import ERASED, Sealer
from households.models import Cover, HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.queries.registered import registered
from households.queries.views import View, in_portions
from households.registered import HEAD, Enrolled
from policies.models import MasterPolicy
from policies.policy import Policy
from policies.queries import policy_by_id
from reports.cases import policy_figures
from reports.cover_words import covered_lines
from reports.figures import CertificateFigures, Insured
from reports.models import DocumentNumber
from reports.terms import COVER_CERTIFICATE

ROW_ID = 32
"""Characters of a household's id, which a certificate's subject begins with."""
_SUBJECT = re.compile(rf"([0-9a-f]{{{ROW_ID}}}|[0-9]{{{VILLAGE_DIGITS}}})\.(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CertificatesAsked:
    """For whom certificates are asked: a household by its id, or a village by its code; and under which policy."""

    whom: str
    policy_number: str

    @property
    def subject_id(self) -> str:
        """As the subject of its job and, for a household, of its document. Nothing personal."""
        return f"{self.whom}.{self.policy_number}"

    @property
    def village(self) -> bool:
        """Whether it is a whole village."""
        return len(self.whom) == VILLAGE_DIGITS


def certificates_asked(subject_id: str) -> CertificatesAsked:
    """What a subject asks for. Raises ValueError for one of another kind of document."""
    found = _SUBJECT.fullmatch(subject_id)
    if found is None:
        raise ValueError("not the subject of a certificate")
    return CertificatesAsked(found[1], found[2])


@dataclass(frozen=True, slots=True)
class OfferedPolicy:
    """A policy that certificates can be asked for under."""

    number: str
    title: str


def offered_policies(session: Session) -> list[OfferedPolicy]:
    """Every policy number with its newest title, the latest period first."""
    query = select(MasterPolicy.number, MasterPolicy.title, MasterPolicy.period_from)
    newest = {row.number: row for row in session.execute(query.order_by(MasterPolicy.taken_in_at))}
    rows = sorted(newest.values(), key=lambda row: (row.period_from, row.number), reverse=True)
    return [OfferedPolicy(row.number, row.title) for row in rows]


def newest_policy(session: Session, number: str) -> Policy | None:
    """The version of a policy that was taken in last; None where nobody has taken one in."""
    query = select(MasterPolicy.id).where(MasterPolicy.number == number)
    found = session.scalar(query.order_by(MasterPolicy.taken_in_at.desc(), MasterPolicy.id).limit(1))
    return None if found is None else policy_by_id(session, found)


def household_by_number(session: Session, place: str, household_no: str) -> str | None:
    """The id of a household of a place; None where there is none."""
    query = select(HouseholdRow.id).where(HouseholdRow.household_no == household_no)
    return session.scalar(query.where(within(HouseholdRow.village_code, place)))


def covered_households(session: Session, asked: CertificatesAsked) -> list[str]:
    """Ids of the households that may get a certificate, by household number: those with any cover under the policy."""
    query = select(HouseholdRow.id).join(Membership, Membership.household_id == HouseholdRow.id)
    query = query.join(Cover, Cover.person_id == Membership.person_id)
    which = HouseholdRow.village_code == asked.whom if asked.village else HouseholdRow.id == asked.whom
    insured = (Cover.policy_number == asked.policy_number) & believed(Cover) & believed(Membership)
    query = query.where(which, insured).distinct().add_columns(HouseholdRow.household_no)
    return [row[0] for row in session.execute(query.order_by(HouseholdRow.household_no))]


def certificate_figures(
    session: Session,
    sealer: Sealer,
    policy_number: str,
    household_ids: Sequence[str],
    today: date,
    complaint_phone: str,
) -> dict[str, CertificateFigures]:
    """Household id → its certificate as of a day; a household in which nobody is insured any more is left out.

    Raises KeyError for a policy that there is not.
    """
    policy = newest_policy(session, policy_number)
    if policy is None:
        raise KeyError(policy_number)
    day = min(max(today, policy.period_from), policy.period_to)
    terms = policy.on(day)
    view = View(policy_number)
    people = _id_numbers(session, sealer, household_ids)
    insured: dict[str, list[Enrolled]] = defaultdict(list)
    for row in registered(session, sealer, view, people, day=day).members:
        if row.cover_to >= day and (row.died_on is None or row.died_on > day):
            insured[row.household_no].append(row)
    lines = covered_lines(policy, terms)
    found = {}
    for home in _households(session, household_ids):
        members = sorted(insured[home.household_no], key=_in_order)
        if members:
            found[home.id] = CertificateFigures(
                policy=policy_figures(policy),
                household_no=home.household_no,
                town=home.town,
                village=home.village,
                head=members[0].name,
                insured=tuple(map(_insured, members)),
                lines=lines,
                household_cap_fen=terms.household_cap_fen,
                notice_days=terms.notice_days,
                time_bar_years=terms.time_bar_years,
                complaint_phone=complaint_phone,
            )
    return found


def earlier_certificates(
    session: Session, subject_ids: Collection[str]
) -> dict[str, list[tuple[str, int, int]]]:
    """Subject → (figures digest, year, number) of its certificates in the order in which they were numbered."""
    found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for portion in in_portions(subject_ids):
        mine = (DocumentNumber.kind == COVER_CERTIFICATE) & DocumentNumber.subject_id.in_(portion)
        query = select(DocumentNumber).where(mine).order_by(DocumentNumber.year, DocumentNumber.number)
        for row in session.scalars(query):
            found[row.subject_id].append((row.figures_digest, row.year, row.number))
    return found


def people_on(session: Session, asked: CertificatesAsked) -> int:
    """How many people a household's certificate names, or would name by now."""
    mine = (Membership.household_id == asked.whom) & believed(Membership)
    insured = (Cover.policy_number == asked.policy_number) & believed(Cover)
    query = select(Membership.person_id).join(Cover, Cover.person_id == Membership.person_id)
    return len(set(session.scalars(query.where(mine, insured))))


def _id_numbers(session: Session, sealer: Sealer, household_ids: Sequence[str]) -> set[str]:
    """ID numbers of everybody who was ever believed to belong to some households."""
    numbers = set()
    for portion in in_portions(household_ids):
        query = select(Person.id, Person.sealed).join(Membership, Membership.person_id == Person.id)
        query = query.where(Membership.household_id.in_(portion), believed(Membership)).distinct()
        for identity, sealed in session.execute(query):
            if sealed != ERASED:
                content = orjson.loads(sealer.reveal("person", "sealed", identity, sealed))
                numbers.add(content["id_number"])
    return numbers


def _households(session: Session, household_ids: Sequence[str]) -> list[Any]:
    rows: list[Any] = []
    for portion in in_portions(household_ids):
        query = select(
            HouseholdRow.id, HouseholdRow.household_no, HouseholdRow.town, HouseholdRow.village
        ).where(HouseholdRow.id.in_(portion))
        rows += session.execute(query).all()
    return rows


def _in_order(row: Enrolled) -> tuple[bool, str, str]:
    """The head first, then the eldest first."""
    return row.relation != HEAD, row.id_number[6:14], row.id_number


def _insured(row: Enrolled) -> Insured:
    return Insured(
        row.name,
        id_number_for(Audience.OFFICER, row.id_number),
        row.relation,
        row.category,
        row.cover_from,
        row.cover_to,
    )
