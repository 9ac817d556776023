"""What must be 0 in a database, counted from the raw rows: the invariants that `fangpin doctor` looks at."""

from __future__ import annotations

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from claims.models import ClaimRow, DecisionRow, Determination
from foundation.files import StoredFile
from foundation.privacy.erasing import file_is_there
from foundation.sealing import ERASED
from households.models.feeds import FeedDelivery, FeedRow
from households.models.people import Cover, HouseholdRow, Membership, Person
from households.models.two_times import believed
from households.models.warnings import WarningCase, WarningReport
from payments.models import BankFile, Batch, Payable, Payment
from reports.models import IssuedDocument

_LIVE = select(Payment.payable_id).where(Payment.state.in_(("batched", "sent"))).group_by(Payment.payable_id)
_BATCH_SUM = (
    select(func.coalesce(func.sum(Payment.amount_fen), 0))
    .where(Payment.batch_id == Batch.id)
    .scalar_subquery()
)
_ERASED = select(ClaimRow.id).where(ClaimRow.id_lookup.is_(None), ClaimRow.sealed == ERASED)
_ONE, _OTHER = aliased(Membership), aliased(Membership)
_TWICE = and_(
    _ONE.person_id == _OTHER.person_id,
    _ONE.id < _OTHER.id,
    _ONE.retired_at.is_(None),
    _OTHER.retired_at.is_(None),
    or_(_ONE.valid_to.is_(None), _OTHER.valid_from.is_(None), _OTHER.valid_from <= _ONE.valid_to),
    or_(_OTHER.valid_to.is_(None), _ONE.valid_from.is_(None), _ONE.valid_from <= _OTHER.valid_to),
)
_REPORTED = select(WarningReport.case_id)
_DELIVERED = select(FeedDelivery.id)
_MERGED = select(HouseholdRow.id).where(HouseholdRow.merged_into.is_not(None))

INVARIANTS: tuple[tuple[str, str, Select[int]], ...] = (
    (
        "同一人同日在两户",
        "people who are in two households on one day",
        select(func.count()).select_from(_ONE).join(_OTHER, _TWICE),
    ),
    (
        "已并入他户的户仍有成员",
        "households that were merged into another one and still have members",
        select(func.count())
        .select_from(Membership)
        .where(Membership.household_id.in_(_MERGED), believed(Membership), Membership.valid_to.is_(None)),
    ),
    (
        "有保障而不在任何户",
        "people with cover who never were in a household",
        select(func.count(func.distinct(Cover.person_id))).where(
            believed(Cover), Cover.person_id.not_in(select(Membership.person_id))
        ),
    ),
    (
        "预警案件没有报告",
        "warning cases that nobody reported",
        select(func.count()).select_from(WarningCase).where(WarningCase.id.not_in(_REPORTED)),
    ),
    (
        "部门数据行没有来源",
        "departments' rows without their delivery",
        select(func.count()).select_from(FeedRow).where(FeedRow.delivery_id.not_in(_DELIVERED)),
    ),
    (
        "已清除人员仍有姓名",
        "erased people whose cover still has their name",
        select(func.count())
        .select_from(Cover)
        .join(Person, Person.id == Cover.person_id)
        .where(Person.sealed == ERASED, Cover.sealed != ERASED),
    ),
    (
        "已清除案件仍有决定内容",
        "decisions of erased claims that still have their content",
        select(func.count())
        .select_from(DecisionRow)
        .where(DecisionRow.claim_id.in_(_ERASED), DecisionRow.sealed != ERASED),
    ),
    (
        "已清除案件仍有文书内容",
        "documents of erased claims that still have their content",
        select(func.count())
        .select_from(IssuedDocument)
        .join(StoredFile, StoredFile.id == IssuedDocument.file_id)
        .join(Determination, Determination.id == IssuedDocument.subject_id)
        .where(Determination.claim_id.in_(_ERASED), file_is_there()),
    ),
    (
        "一笔应付有两笔有效付款",
        "payables with two live payments",
        select(func.count()).select_from(_LIVE.having(func.count() > 1).subquery()),
    ),
    (
        "付款金额与应付不符",
        "payments that differ from what is owed",
        select(func.count())
        .select_from(Payment)
        .join(Payable, Payable.id == Payment.payable_id)
        .where(Payment.amount_fen != Payable.amount_fen),
    ),
    (
        "应付金额与核定不符",
        "payables that differ from the determination",
        select(func.count())
        .select_from(Payable)
        .join(Determination, Determination.id == Payable.determination_id)
        .where(Determination.amount_fen != Payable.amount_fen),
    ),
    (
        "核定给付而无应付",
        "approved claims that nothing is owed for",
        select(func.count())
        .select_from(Determination)
        .outerjoin(Payable, Payable.determination_id == Determination.id)
        .where(Determination.outcome == "approve", Payable.id.is_(None)),
    ),
    (
        "批次合计与明细不符",
        "batches whose total is not the sum of their lines",
        select(func.count()).select_from(Batch).where(Batch.total_fen != _BATCH_SUM),
    ),
    (
        "已导出批次缺银行文件",
        "exported batches without both bank files",
        select(func.count())
        .select_from(Batch)
        .where(
            Batch.state == "exported",
            select(func.count()).select_from(BankFile).where(BankFile.batch_id == Batch.id).scalar_subquery()
            != 2,
        ),
    ),
)
"""(Chinese, English, query) of each."""
