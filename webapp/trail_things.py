"""What the events of the trail are about: a name for each thing, and its page for whoever may open that.

A thing that belongs to a claim leads to the claim. Who may not open claims sees the thing's id and no claim number. One
statement for each kind of thing, however many events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from claims.models import ClaimRow, DecisionRow, Determination, PackUpload, Review
from foundation.actors import Actor
from foundation.clock import SHANGHAI
from foundation.privacy.assessments import SUBJECTS
from foundation.privacy.exports import KIND_NAMES, number_text
from foundation.privacy.models import Export, ImpactAssessment
from foundation.staff.models import Account, DeterminationLimit, RoleGrant, StaffMember
from foundation.web.language import pick
from households.layouts import layouts
from households.models.comparison import ComparisonRun
from households.models.feeds import FeedDelivery, FeedUpload
from households.models.recognition import Measure, Recognition
from payments.models import BankFile, Batch, Payable, Payment
from policies.models import Standard
from reports.models import DocumentNumber, IssuedDocument
from webapp.models import ApiToken, WebSession
from webapp.rights import may_open

Key = tuple[str, str]
"""Table and id."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A name for a thing, and the address of its page; empty where there is none for the reader."""

    name: str
    url: str = ""


def things(session: Session, actor: Actor, keys: Iterable[Key]) -> dict[Key, Thing]:
    """The things that are known by more than their id."""
    wanted: dict[str, set[str]] = {}
    for subject, subject_id in keys:
        wanted.setdefault(subject, set()).add(subject_id)
    found: dict[Key, Thing] = {}
    for subject, ids in wanted.items():
        lead = _LEADS.get(subject)
        if lead is None or not may_open(actor, lead.endpoint):
            continue
        row_id = lead.query.selected_columns[0]
        for row in session.execute(lead.query.where(row_id.in_(ids))):
            values = {} if lead.argument is None else {lead.argument: row[1]}
            found[subject, row[0]] = Thing(lead.name(*row[2:]), url_for(lead.endpoint, **values))
    return found


def _joined(*parts: str) -> str:
    return " · ".join(parts)


def _moment(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _feed(feed: str) -> str:
    layout = layouts().get(feed)
    return feed if layout is None else pick(*layout.title)


def _feed_upload(feed: str, at: datetime) -> str:
    return _joined(_feed(feed), _moment(at))


def _export(number: int, kind: str) -> str:
    return _joined(number_text(number), pick(*KIND_NAMES.get(kind, (kind, kind))))


def _assessment(subject: str, version: int) -> str:
    about = SUBJECTS.get(subject)
    return _joined(subject if about is None else pick(about.zh, about.en), str(version))


@dataclass(frozen=True, slots=True)
class _Lead:
    """The page that a kind of thing leads to, and a query for (its id, the page's argument, the parts of its name)."""

    endpoint: str
    argument: str | None
    query: Select[*tuple[Any, ...]]
    name: Callable[..., str] = _joined


def _of_claim(row_id: Any, *joins: tuple[Any, Any], names: Sequence[Any] = ()) -> _Lead:
    query = select(row_id, ClaimRow.id, ClaimRow.claim_no, *names)
    for table, condition in joins:
        query = query.join(table, condition)
    return _Lead("claims.shown", "claim_id", query)


def _of_person(row_id: Any, *joins: tuple[Any, Any], names: Sequence[Any] = ()) -> _Lead:
    query = select(row_id, StaffMember.id, StaffMember.name, *names)
    for table, condition in joins:
        query = query.join(table, condition)
    return _Lead("staff.person", "staff_id", query)


_DETERMINED = (ClaimRow, ClaimRow.id == Determination.claim_id)
_OWNER = (StaffMember, StaffMember.id == Account.staff_id)
_OWED = (Determination, Determination.id == Payable.determination_id)

_LEADS: Mapping[str, _Lead] = {
    "claim": _of_claim(ClaimRow.id),
    "decision": _of_claim(DecisionRow.id, (ClaimRow, ClaimRow.id == DecisionRow.claim_id)),
    "review": _of_claim(Review.id, (ClaimRow, ClaimRow.id == Review.claim_id)),
    "payable": _of_claim(Payable.id, _OWED, _DETERMINED),
    "payment": _of_claim(
        Payment.id,
        (Payable, Payable.id == Payment.payable_id),
        _OWED,
        _DETERMINED,
        names=[Payment.reference],
    ),
    "issued_document": _of_claim(
        IssuedDocument.id, (Determination, Determination.id == IssuedDocument.subject_id), _DETERMINED
    ),
    "document_number": _of_claim(
        DocumentNumber.id, (Determination, Determination.id == DocumentNumber.subject_id), _DETERMINED
    ),
    "batch": _Lead("payments.batch", "batch_id", select(Batch.id, Batch.id.label("batch"), Batch.message_id)),
    "bank_file": _Lead("payments.batch", "batch_id", select(BankFile.id, BankFile.batch_id, BankFile.name)),
    "comparison_run": _Lead(
        "comparison.runs.shown",
        "run_id",
        select(ComparisonRun.id, ComparisonRun.id.label("run"), ComparisonRun.number),
    ),
    "pack_upload": _Lead(
        "packs.shown",
        "upload_id",
        select(PackUpload.id, PackUpload.id.label("upload"), PackUpload.uploaded_at),
        _moment,
    ),
    "feed_upload": _Lead(
        "feeds.uploaded",
        "upload_id",
        select(FeedUpload.id, FeedUpload.id.label("upload"), FeedUpload.feed, FeedUpload.uploaded_at),
        _feed_upload,
    ),
    "feed_delivery": _Lead(
        "feeds.shown",
        "feed",
        select(FeedDelivery.id, FeedDelivery.feed, FeedDelivery.feed.label("of")),
        _feed,
    ),
    "staff_member": _of_person(StaffMember.id),
    "account": _of_person(Account.id, _OWNER, names=[Account.login]),
    "role_grant": _of_person(RoleGrant.id, (Account, Account.id == RoleGrant.account_id), _OWNER),
    "determination_limit": _of_person(
        DeterminationLimit.id, (StaffMember, StaffMember.id == DeterminationLimit.staff_id)
    ),
    "web_session": _of_person(WebSession.id, (Account, Account.id == WebSession.account_id), _OWNER),
    "api_token": _of_person(
        ApiToken.id, (Account, Account.id == ApiToken.account_id), _OWNER, names=[ApiToken.name]
    ),
    "export": _Lead(
        "exports.listed", None, select(Export.id, Export.id.label("row"), Export.number, Export.kind), _export
    ),
    "impact_assessment": _Lead(
        "assessments.shown",
        "subject",
        select(
            ImpactAssessment.id,
            ImpactAssessment.subject,
            ImpactAssessment.subject.label("about"),
            ImpactAssessment.version,
        ),
        _assessment,
    ),
    "recognition": _Lead(
        "recognitions.shown",
        "recognition_id",
        select(Recognition.id, Recognition.id.label("spell"), Recognition.number),
    ),
    "measure": _Lead(
        "recognitions.shown",
        "recognition_id",
        select(Measure.id, Recognition.id.label("spell"), Recognition.number).join(
            Recognition, Recognition.id == Measure.recognition_id
        ),
    ),
    "standard": _Lead(
        "standards.shown", "year", select(Standard.id, Standard.year, Standard.year.label("of")), str
    ),
}
