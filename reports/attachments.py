"""The figures of a report as CSV files inside its PDF, so that whoever checks it need not copy from paper.

Pure. UTF-8 with BOM, CRLF. A cell that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claims.notices import VillageNotice
from foundation.clock import SHANGHAI
from foundation.csvfiles import csv_bytes
from foundation.money import yuan_text
from reports.figures import AuditFigures, BatchFigures, ProgrammeFigures, Tally


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside a PDF."""

    name: str
    description: str
    content: bytes


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _file(name: str, description: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Attached:
    return Attached(name, description, csv_bytes(header, (tuple(map(_cell, row)) for row in rows)))


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isascii() and text[1:].replace(".", "", 1).isdigit()


def digests(files: Iterable[Attached]) -> list[tuple[str, str]]:
    """(name, SHA-256) of attached files, as they are printed on the report."""
    return [(file.name, hashlib.sha256(file.content).hexdigest()) for file in files]


def batch(figures: BatchFigures) -> tuple[Attached, ...]:
    """The payments of a batch."""
    header = ("序号", "业务参考号", "报案号", "险种", "镇(街道)", "收款户名", "收款账号", "联行号", "金额")
    rows = (
        (
            str(line.sequence),
            line.reference,
            line.claim_no,
            line.line_title,
            line.town,
            line.payee_name,
            line.payee_account,
            line.bank_code,
            yuan_text(line.amount_fen),
        )
        for line in figures.lines
    )
    return (_file("payments.csv", "支付批次明细", header, rows),)


def programme(figures: ProgrammeFigures) -> tuple[Attached, ...]:
    """Every table of the programme report, one after the other."""
    header = ("表", "项目", "受理", "给付", "不予给付", "待补充", "待核实", "给付人数", "给付金额")
    return (_file("programme.csv", "运行情况各表", header, _tallies(figures)),)


def _tallies(figures: ProgrammeFigures) -> Iterator[Sequence[str]]:
    tables: Mapping[str, Iterable[Tally]] = {
        "合计": (figures.total,),
        "险种": figures.by_line,
        "镇(街道)": figures.by_town,
        "年龄": figures.by_age,
        "性别": figures.by_sex,
        "人员类别": figures.by_category,
    }
    for table, tallies in tables.items():
        for row in tallies:
            counts = (row.claims, row.approved, row.rejected, row.supplement, row.refer, row.people)
            yield (table, row.name, *map(str, counts), yuan_text(row.amount_fen))
    for table, reasons in (("不予给付原因", figures.reject_reasons), ("待办原因", figures.open_reasons)):
        for reason in reasons:
            yield (table, reason.name, str(reason.claims), "", "", "", "", "", "")
    covered = (("参保人数", figures.covered_people), ("参保户数", figures.covered_households))
    for name, count in (*covered, ("给付户数", figures.households_paid), ("复查案件", figures.reviews)):
        yield ("参保与资金", name, str(count), "", "", "", "", "", "")
    for name, amount in (
        ("到账资金", figures.received_fen),
        ("已送银行", figures.sent_fen),
        ("已组批未送", figures.batched_fen),
        ("待组批", figures.pending_fen),
        ("暂缓", figures.withheld_fen),
    ):
        yield ("参保与资金", name, "", "", "", "", "", "", yuan_text(amount))


def audit(figures: AuditFigures) -> tuple[Attached, ...]:
    """Every payment of the audit report, and every test."""
    header = (
        *(
            "业务参考号",
            "批次",
            "报案号",
            "险种",
            "镇(街道)",
            "决定编号",
            "核定编号",
            "核定金额",
            "付款金额",
            "状态",
        ),
        *("收款户名", "收款账号", "建议人", "核定人", "核定时间", "制单人", "复核人", "授权人"),
    )
    rows = (
        (
            case.reference,
            str(case.batch),
            case.claim_no,
            case.line_title,
            case.town,
            case.decision_id,
            case.determination_id,
            yuan_text(case.determined_fen),
            yuan_text(case.paid_fen),
            case.state,
            case.payee_name,
            case.payee_account,
            case.recommended_by,
            case.determined_by,
            case.determined_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            case.made_by,
            case.checked_by,
            case.released_by,
        )
        for case in figures.cases
    )
    tests = (
        (test.code, test.title, test.definition, str(test.tested), str(test.found), ";".join(test.examples))
        for test in (*figures.duplicates, *figures.segregation)
    )
    return (
        _file("payments.csv", "逐笔付款及经办人", header, rows),
        _file(
            "tests.csv", "重复付款与职责分离检验", ("编号", "检验", "定义", "检验数", "发现数", "举例"), tests
        ),
    )


def village_notice(figures: VillageNotice) -> tuple[Attached, ...]:
    """The entries of a village notice, as they are printed."""
    header = ("序号", "户主(监护人)", "村(组)", "项目", "金额")
    rows = (
        (
            str(entry.sequence),
            entry.name,
            entry.place,
            entry.programme,
            yuan_text(entry.amount_fen),
        )
        for entry in figures.entries
    )
    return (_file("notice.csv", "村内公示表", header, rows),)


ATTACHMENTS: Mapping[str, Callable[[Any], tuple[Attached, ...]]] = {
    "batch_summary": batch,
    "programme_report": programme,
    "audit_report": audit,
    "village_notice": village_notice,
}
"""What is attached to each kind of document that has attachments."""
