"""The audit report's tests in SQL over raw rows: duplicates, segregation of duties, control totals. Read only.

Plain SQL that both engines read, one statement a test, so that an auditor can run it on a copy of the database.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from claims.models import Determination
from foundation import files
from foundation.money import Money
from foundation.sealing import ERASED, Erased, Sealer
from payments.models import BankFile, Batch, LedgerEntry, Payable, Payment
from reports.figures import Account, Control, Finding
from reports.terms import ACCOUNTS

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class RowTest:
    """A test: `tested` is SQL that counts what is looked at, `found` SQL that names whatever should not be there."""

    code: str
    title: str
    definition: str
    tested: str
    found: str


_LIVE = "state IN ('batched', 'sent')"
_PAID_FOR = (
    "FROM payment JOIN payable ON payable.id = payment.payable_id "
    "JOIN determination ON determination.id = payable.determination_id "
)

DUPLICATE_TESTS: Sequence[RowTest] = (
    RowTest(
        "D1",
        "一笔应付款多次付款",
        "同一笔应付款有两笔以上有效付款(已组批或已送银行)",
        f"SELECT COUNT(DISTINCT payable_id) FROM payment WHERE {_LIVE}",  # noqa: S608  # constants
        f"SELECT MIN(reference) FROM payment WHERE {_LIVE} GROUP BY payable_id HAVING COUNT(*) > 1",  # noqa: S608
    ),
    RowTest(
        "D2",
        "业务参考号重复",
        "同一业务参考号用于两笔以上付款",
        "SELECT COUNT(*) FROM payment",
        "SELECT reference FROM payment GROUP BY reference HAVING COUNT(*) > 1",
    ),
    RowTest(
        "D3",
        "一次核定多笔应付",
        "同一核定产生两笔以上应付款",
        "SELECT COUNT(DISTINCT determination_id) FROM payable",
        "SELECT determination_id FROM payable GROUP BY determination_id HAVING COUNT(*) > 1",
    ),
    RowTest(
        "D4",
        "一案多次核定",
        "同一案件有两次以上核定",
        "SELECT COUNT(DISTINCT claim_id) FROM determination",
        "SELECT MIN(claim.claim_no) FROM determination JOIN claim ON claim.id = determination.claim_id "
        "GROUP BY determination.claim_id HAVING COUNT(*) > 1",
    ),
    RowTest(
        "D5",
        "付款与核定金额不符",
        "付款金额、应付金额、核定金额三者不相等",
        "SELECT COUNT(*) FROM payment",
        f"SELECT payment.reference {_PAID_FOR} WHERE payment.amount_fen <> payable.amount_fen "
        "OR payable.amount_fen <> determination.amount_fen",
    ),
    RowTest(
        "D6",
        "无给付核定而付款",
        "付款找不到对应的应付款,或核定结论不是给付",
        "SELECT COUNT(*) FROM payment",
        "SELECT payment.reference FROM payment LEFT JOIN payable ON payable.id = payment.payable_id "
        "LEFT JOIN determination ON determination.id = payable.determination_id "
        "WHERE determination.id IS NULL OR determination.outcome <> 'approve'",
    ),
    RowTest(
        "D7",
        "已送银行而未入账",
        "已送银行的付款在账簿中没有一笔同额的分录,或有多笔",
        "SELECT COUNT(*) FROM payment WHERE state = 'sent'",
        "SELECT payment.reference FROM payment LEFT JOIN ledger_entry "
        "ON ledger_entry.event_key = 'payment:' || payment.id || ':exported' "
        "AND ledger_entry.amount_fen = payment.amount_fen "
        "WHERE payment.state = 'sent' GROUP BY payment.reference HAVING COUNT(ledger_entry.id) <> 1",
    ),
    RowTest(
        "D8",
        "同一账号付给多户",
        "同一收款账号收到两户以上的赔款",
        f"SELECT COUNT(DISTINCT account_lookup) FROM payment WHERE account_lookup <> '{ERASED}'",  # noqa: S608
        f"SELECT MIN(payment.reference) {_PAID_FOR} WHERE payment.account_lookup <> '{ERASED}' "
        "GROUP BY payment.account_lookup HAVING COUNT(DISTINCT determination.household_id) > 1",
    ),
)

_ACTED = "(determination.recommended_by, determination.determined_by)"

SEGREGATION_TESTS: Sequence[RowTest] = (
    RowTest(
        "S1",
        "建议与核定同一人",
        "案件的建议人与核定人为同一人",
        "SELECT COUNT(*) FROM determination",
        "SELECT claim.claim_no FROM determination JOIN claim ON claim.id = determination.claim_id "
        "WHERE determination.recommended_by = determination.determined_by",
    ),
    RowTest(
        "S2",
        "制单、复核、授权同一人",
        "批次的制单、复核、授权不足规定的人数",
        "SELECT COUNT(*) FROM batch WHERE released_by IS NOT NULL",
        "SELECT message_id FROM batch WHERE released_by IS NOT NULL AND (checked_by = made_by "
        "OR released_by = made_by OR (persons_required = 3 AND released_by = checked_by))",
    ),
    RowTest(
        "S3",
        "办案人经手付款",
        "批次的制单、复核或授权人曾建议或核定批内案件",
        "SELECT COUNT(*) FROM payment",
        f"SELECT payment.reference {_PAID_FOR} JOIN batch ON batch.id = payment.batch_id "
        f"WHERE batch.made_by IN {_ACTED} OR batch.checked_by IN {_ACTED} OR batch.released_by IN {_ACTED}",
    ),
    RowTest(
        "S4",
        "核定无留痕",
        "核定在审计轨迹中没有对应事件",
        "SELECT COUNT(*) FROM determination",
        "SELECT claim.claim_no FROM determination JOIN claim ON claim.id = determination.claim_id "
        "WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.subject_id = determination.claim_id "
        "AND event.action = 'claim.determined')",
    ),
    RowTest(
        "S5",
        "付款无留痕",
        "已送银行的付款在审计轨迹中没有对应事件",
        "SELECT COUNT(*) FROM payment WHERE state = 'sent'",
        "SELECT payment.reference FROM payment WHERE payment.state = 'sent' AND NOT EXISTS "
        "(SELECT 1 FROM event WHERE event.subject_id = payment.id AND event.action = 'payment.sent')",
    ),
    RowTest(
        "S6",
        "批次环节无留痕",
        "批次的复核、授权或导出在审计轨迹中没有对应事件",
        "SELECT COUNT(*) FROM batch WHERE exported_at IS NOT NULL",
        "SELECT message_id FROM batch WHERE exported_at IS NOT NULL AND 3 <> (SELECT COUNT(DISTINCT event.action) "
        "FROM event WHERE event.subject_id = batch.id "
        "AND event.action IN ('batch.checked', 'batch.released', 'batch.exported'))",
    ),
)


def duplicate_tests(session: Session) -> tuple[Finding, ...]:
    """What the tests for duplicates and wrong sums find in the whole database."""
    return tuple(_run(session, test) for test in DUPLICATE_TESTS)


def segregation_tests(session: Session) -> tuple[Finding, ...]:
    """What the tests for segregation of duties find in the whole database."""
    return tuple(_run(session, test) for test in SEGREGATION_TESTS)


def _run(session: Session, test: RowTest) -> Finding:
    connection = session.connection()
    tested = connection.exec_driver_sql(test.tested).scalar_one()
    found = sorted(str(name) for name in connection.exec_driver_sql(test.found).scalars())
    return Finding(test.code, test.title, test.definition, tested, len(found), tuple(found[:_EXAMPLES]))


# --- control totals --------------------------------------------------------------------------------------------------

_Sum = tuple[int, int]
"""How many, and how much in fen."""


def controls(session: Session, sealer: Sealer) -> tuple[Control, ...]:
    """The steps of all money from the determinations to the bank's files, each counted where it is kept."""

    def counted(query: Select[int, int]) -> _Sum:
        count, amount = session.execute(query).one()
        return int(count or 0), int(amount or 0)

    determined = counted(_sums(Determination.amount_fen).where(Determination.outcome == "approve"))
    owed = counted(_sums(Payable.amount_fen))
    unpaid = counted(_sums(Payable.amount_fen).where(Payable.state.in_(("pending", "withheld"))))
    paid = counted(_sums(Payment.amount_fen))
    sent = counted(_sums(Payment.amount_fen).where(Payment.state == "sent"))
    batched = counted(select(func.sum(Batch.payments), func.sum(Batch.total_fen)))
    booked = counted(_sums(LedgerEntry.amount_fen).where(LedgerEntry.credit == "TRANSIT"))
    lines, message, gone = _in_bank_files(session, sealer)
    told = f",其中 {gone} 个已清除的文件按批次控制总数" if gone else ""
    due = (owed[0] - unpaid[0], owed[1] - unpaid[1])
    steps: list[tuple[str, _Sum, str, str, _Sum]] = [
        ("核定给付", determined, "核定表", "", determined),
        ("应付款", owed, "应付款表", "核定给付", determined),
        ("其中未付(待组批、暂缓)", unpaid, "应付款表", "", unpaid),
        ("付款明细", paid, "付款表", "应付款减未付", due),
        ("批次控制总数", batched, "批次表", "付款明细", paid),
        ("已送银行付款", sent, "付款表", "", sent),
        ("代发 CSV 明细", lines, f"存档银行文件逐行相加{told}", "已送银行付款", sent),
        ("支付报文控制总数", message, f"存档银行文件报文头{told}", "已送银行付款", sent),
        ("账簿在途资金贷方", booked, "账簿", "已送银行付款", sent),
    ]
    return tuple(
        Control(name, own[0], own[1], source, equals, own[0] - other[0], own[1] - other[1])
        for name, own, source, equals, other in steps
    )


def _sums(amount: InstrumentedAttribute[int]) -> Select[int, int]:
    return select(func.count(), func.sum(amount)).select_from(amount.class_)


_TOTALS = re.compile(rb"<NbOfTxs>([0-9]+)</NbOfTxs>\s*<CtrlSum>([0-9]+(?:\.[0-9]{1,2})?)</CtrlSum>")


def _in_bank_files(session: Session, sealer: Sealer) -> tuple[_Sum, _Sum, int]:
    """What the stored bank files themselves say, opened and their digests compared: CSV added up, and XML's head.

    A file that was erased at the end of its term counts by its batch's control totals, which it had when it was
    exported; the last number says how many batches that is.
    """
    lines = total = messages = message_total = gone = 0
    query = select(BankFile.file_id, BankFile.format, Batch.payments, Batch.total_fen)
    for row in session.execute(query.join(Batch, Batch.id == BankFile.batch_id)):
        try:
            content = files.load(session, sealer, row.file_id)
        except Erased:
            if row.format == "disbursement_csv":
                lines, total, gone = lines + row.payments, total + row.total_fen, gone + 1
            else:
                messages, message_total = messages + row.payments, message_total + row.total_fen
            continue
        if row.format == "disbursement_csv":
            records = list(csv.DictReader(io.StringIO(content.decode("gb18030"), newline="")))
            lines += len(records)
            total += sum(int(Money.from_yuan(record["金额"])) for record in records)
            continue
        head = _TOTALS.search(content)
        if head is not None:
            messages += int(head[1])
            message_total += int(Money.from_yuan(head[2].decode()))
    return (lines, total), (messages, message_total), gone


def ledger_accounts(session: Session) -> tuple[Account, ...]:
    """Every ledger account with its debits and credits, over all entries."""
    sides = []
    for column in (LedgerEntry.debit, LedgerEntry.credit):
        query = select(column, func.sum(LedgerEntry.amount_fen)).group_by(column)
        sides.append({code: int(amount) for code, amount in session.execute(query)})
    return tuple(Account(code, sides[0].get(code, 0), sides[1].get(code, 0)) for code in ACCOUNTS)
