"""What the pre-filled claim form 免填单 says, as plain data: everything that is known, and blanks for what is not.

Pure. Money in fen. The printed form has the ID number in full, for whoever signs it; accounts are masked. The page
shows the same figures with the number masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from claims.consent import APPLICANT, GUARDIAN, Consent, Form
from claims.facts import Claim
from foundation.masking import Audience, id_number_for
from households.warning_rules import Event
from policies.policy import Benefit, Line, Terms
from reports.figures import PolicyFigures
from reports.terms import BENEFITS

BENEFIT_OF_EVENT = {
    "policy_year": "medical",
    "school_year": "tuition",
    "death": "death",
    "disability": "disability",
    "month": "shortfall",
}
"""The benefit that an event is for. Of an accident the family says which."""


@dataclass(frozen=True, slots=True)
class FormBenefit:
    """A benefit that can be asked for. `chosen`: the event leaves no other."""

    key: str
    title: str
    clause: str
    papers: tuple[str, ...]
    """What this one asks for beside the papers of all."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class FormPaper:
    """A paper that the policy asks for. `known`: a department's row stands for it."""

    name: str
    known: bool


@dataclass(frozen=True, slots=True)
class FormRow:
    """A department's row: what it is about, its day, cost, what public payments bore, and what is left."""

    about: str
    on: date
    total_fen: int | None
    paid_fen: int | None
    borne_fen: int | None


@dataclass(frozen=True, slots=True)
class FormConsent:
    """The consent text that is signed with the form: every word of it, and the boxes to tick."""

    version: str
    digest: str
    title: str
    opening: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimFormFigures:
    """The form of one case of early warning. What is None is a blank to be filled in by hand."""

    case_number: str
    policy: PolicyFigures
    line_title: str
    line_clause: str
    benefits: tuple[FormBenefit, ...]
    event_on: date
    event_words: str
    notify_by: date
    claimant: str
    id_number: str
    age: int
    child: bool
    deceased: bool
    relation: str
    category: str | None
    household_no: str
    place: str
    head: str | None
    guardian: str | None
    people: int
    """Members who are covered on the event's day."""
    rows: tuple[FormRow, ...]
    borne_fen: int | None
    payee_name: str | None
    payee_account: str | None
    payee_deceased: bool
    """The account is in the name of the person who has died: another one is asked for."""
    papers: tuple[FormPaper, ...]
    consent: FormConsent | None
    channels: tuple[str, ...]

    def masked(self) -> ClaimFormFigures:
        """The same for a page, where no ID number stands in full."""
        return replace(self, id_number=id_number_for(Audience.OFFICER, self.id_number))


def benefits_of(terms: Terms, event: Event) -> tuple[Line | None, tuple[FormBenefit, ...]]:
    """The line of an event and its benefits as in force; none where the policy has no such line."""
    line = terms.lines.get(event.line)
    if line is None:
        return None, ()
    only = BENEFIT_OF_EVENT.get(event.kind)
    found = [benefit for key, benefit in line.benefits.items() if only in (None, key)]
    common = _common(found)
    return line, tuple(_benefit(benefit, common, chosen=len(found) == 1) for benefit in found)


def _benefit(benefit: Benefit, common: Sequence[str], *, chosen: bool) -> FormBenefit:
    more = tuple(paper for paper in benefit.evidence if paper not in common)
    return FormBenefit(benefit.key, BENEFITS[benefit.key], benefit.clause, more, chosen)


def _common(benefits: Sequence[Benefit]) -> tuple[str, ...]:
    """The papers that every one of these benefits asks for, in order."""
    first = benefits[0].evidence if benefits else ()
    return tuple(paper for paper in first if all(paper in benefit.evidence for benefit in benefits))


def papers_of(terms: Terms, event: Event, known: Sequence[str]) -> tuple[FormPaper, ...]:
    """The papers that are asked for whatever the benefit, each marked where a department's row stands for it."""
    line = terms.lines.get(event.line)
    if line is None:
        return ()
    only = BENEFIT_OF_EVENT.get(event.kind)
    common = _common([benefit for key, benefit in line.benefits.items() if only in (None, key)])
    return tuple(FormPaper(paper, paper in known) for paper in common)


def row_of(claim: Claim) -> FormRow:
    """A department's row as the form lists it, from the claim that it would be."""
    if claim.line == "illness":
        paid = claim.basic_fen + claim.major_fen + claim.aid_fen
        return FormRow(claim.document_no or "", claim.event_on, claim.total_fen, paid, claim.measure_fen)
    if claim.line == "education":
        about = f"{claim.academic_year}学年 {claim.school} {claim.level}"
        return FormRow(about, claim.event_on, None, None, None)
    if claim.benefit == "death":
        return FormRow("死亡登记", claim.event_on, None, None, None)
    return FormRow(f"交通事故 {claim.accident_no}", claim.event_on, None, None, None)


def consent_of(text: Consent | None, *, child: bool) -> FormConsent | None:
    """The consent text for whoever signs, in Chinese; None on a day before the first text."""
    if text is None:
        return None
    form: Form = text.form(GUARDIAN if child else APPLICANT)
    return FormConsent(
        version=text.version,
        digest=text.digest,
        title=text.title[0],
        opening=form.opening[0],
        sections=tuple(
            (section.title[0], tuple(paragraph[0] for paragraph in section.text)) for section in form.sections
        ),
        boxes=tuple(box.text[0] for box in form.boxes),
    )
