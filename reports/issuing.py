"""Issuing documents from the edge: short transactions with the slow printing between them, and no lock held meanwhile.

Every function can be called again at any time: what was issued is given back, what is missing is made. A report has the
head of the trail as it stood when it was first issued; `reports.queries.printed_head` gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.database import Database
from foundation.sealing import Sealer
from foundation.trail.sealing import Head
from reports import services
from reports.queries import Issued, issued
from reports.services import Draft
from reports.settings import complaint_phone

NO_NAMES: Mapping[str, str] = MappingProxyType({})
_AT_ONCE = 200
"""Letters read, printed and filed in one go: so many are in memory, and so many are made again after a crash."""

Filed = Callable[[Session, Sequence[str]], None]
"""Called in the transaction that files documents, with their subjects."""


def issue_letters(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    determination_ids: Sequence[str],
    names: Mapping[str, str] = NO_NAMES,
    processes: int = 2,
    filed: Filed | None = None,
) -> list[Issued]:
    """The letter on each determination, in order: 赔付通知书, or 拒绝赔偿(给付)保险金通知书."""
    return _in_parts(
        database, sealer, actor, at, services.prepare_letters, determination_ids, names, processes, filed
    )


def issue_calculation_sheets(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    determination_ids: Sequence[str],
    names: Mapping[str, str] = NO_NAMES,
    processes: int = 2,
    filed: Filed | None = None,
) -> list[Issued]:
    """The calculation sheet 赔款计算书 of each determination, in order."""
    prepare = services.prepare_calculation_sheets
    return _in_parts(database, sealer, actor, at, prepare, determination_ids, names, processes, filed)


def issue_batch_summary(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    batch_id: str,
    head: Head,
    names: Mapping[str, str] = NO_NAMES,
) -> Issued:
    """The summary of a batch 支付批次汇总表, with its lines and the head of the trail."""
    with database.reading() as session:
        draft = services.prepare_batch_summary(session, sealer, batch_id)
    return _issue(database, sealer, actor, at, [draft], names, head)[0]


def issue_programme_report(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    head: Head,
    names: Mapping[str, str] = NO_NAMES,
) -> Issued:
    """The report on the programme 运行情况报告, with the head of the trail."""
    with database.reading() as session:
        draft = services.prepare_programme_report(session, sealer, policy_number)
    return _issue(database, sealer, actor, at, [draft], names, head)[0]


def issue_audit_report(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    head: Head,
    names: Mapping[str, str] = NO_NAMES,
) -> Issued:
    """The audit report 运行情况报告(审计备查) with the head of the trail."""
    with database.reading() as session:
        draft = services.prepare_audit_report(session, sealer, policy_number)
    return _issue(database, sealer, actor, at, [draft], names, head)[0]


def issue_village_notice(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    subject_id: str,
    head: Head,
    filed: Filed | None = None,
) -> Issued:
    """The notice 村内公示表 that a subject asks for (`reports.notices.NoticeAsked`). Raises NothingToPublish."""
    with database.reading() as session:
        draft = services.prepare_village_notice(session, sealer, subject_id, complaint_phone())
    return _issue(database, sealer, actor, at, [draft], NO_NAMES, head, filed=filed)[0]


def issue_cover_certificates(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    policy_number: str,
    household_ids: Sequence[str],
    processes: int = 2,
) -> list[Issued]:
    """The certificate of cover 保险凭证 of each household in which somebody is insured under the policy, in order.

    Raises KeyError for a policy that there is not.
    """
    today, phone = business_day(at), complaint_phone()

    def prepare(session: Session, sealer: Sealer, ids: Sequence[str]) -> list[Draft]:
        return services.prepare_cover_certificates(session, sealer, policy_number, ids, today, phone)

    return _in_parts(database, sealer, actor, at, prepare, household_ids, NO_NAMES, processes, None)


def issue_claim_form(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    case_id: str,
    filed: Filed | None = None,
) -> Issued:
    """The pre-filled claim form 赔付申请表 of a case of early warning. Raises as `prepare_claim_form` does."""
    with database.reading() as session:
        draft = services.prepare_claim_form(session, sealer, actor, case_id, business_day(at))
    return _issue(database, sealer, actor, at, [draft], NO_NAMES, filed=filed)[0]


def _in_parts(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    prepare: Callable[[Session, Sealer, Sequence[str]], list[Draft]],
    subject_ids: Sequence[str],
    names: Mapping[str, str],
    processes: int,
    filed: Filed | None,
) -> list[Issued]:
    found: list[Issued] = []
    for start in range(0, len(subject_ids), _AT_ONCE):
        with database.reading() as session:
            drafts = prepare(session, sealer, subject_ids[start : start + _AT_ONCE])
        found += _issue(database, sealer, actor, at, drafts, names, None, processes, filed)
    return found


def _issue(
    database: Database,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    drafts: Sequence[Draft],
    names: Mapping[str, str],
    head: Head | None = None,
    processes: int = 1,
    filed: Filed | None = None,
) -> list[Issued]:
    """Numbers, prints and files those of the documents that are not issued yet; all of them, in order."""
    with database.reading() as session:
        known = issued(session, (draft.key for draft in drafts))
    missing = list({draft.key: draft for draft in drafts if draft.key not in known}.values())
    finished: list[services.Printed] = []
    if missing:
        with database.transaction() as session:
            numbered = services.number_documents(session, actor, at, missing)
        finished = list(services.printed(missing, numbered, at, names, head, processes))
    if finished or filed is not None:
        with database.transaction() as session:
            rows = services.file_documents(session, sealer, actor, at, finished)
            if filed is not None:
                filed(session, [draft.subject_id for draft in drafts])
        known |= {item.draft.key: row for item, row in zip(finished, rows, strict=True)}
    return [known[draft.key] for draft in drafts]
