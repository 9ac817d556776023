"""The words of the field that documents use, and the kinds of documents themselves.

Data. One Chinese term for each key, as the glossary has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from claims.terms import BENEFIT_NAMES, REASON_NAMES

BENEFITS: Mapping[str, str] = {key: zh for key, (zh, _) in BENEFIT_NAMES.items()}
OUTCOMES: Mapping[str, str] = {
    "approve": "核定给付",
    "reject": "不予给付",
    "supplement": "待补充材料",
    "refer": "待人工核实",
}
ACCOUNTS: Mapping[str, str] = {
    "BANK": "银行存款",
    "PREMIUM": "财政拨入保费",
    "CLAIMS": "赔付支出",
    "PAYABLE": "应付赔付款",
    "TRANSIT": "在途资金(代发)",
}
PAYMENT_STATES: Mapping[str, str] = {"batched": "已组批", "sent": "已送银行"}
BATCH_STATES: Mapping[str, str] = {
    "made": "已制单",
    "checked": "已复核",
    "released": "已授权",
    "exported": "已导出",
}
FORMATS: Mapping[str, str] = {"pain.001.001.09": "ISO 20022 报文", "disbursement_csv": "代发 CSV"}
SEXES: Mapping[str, str] = {"male": "男", "female": "女"}
UNKNOWN = "未在名册"
ERASED_WORD = "已清除"
"""In place of personal data that was erased at the end of its term."""

REASONS: Mapping[str, str] = {code: zh for code, (zh, _) in REASON_NAMES.items()}
"""A reason by its code, as a few words that can stand in a table of reasons."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its key, its title, the word before its number, and its template and style sheet."""

    key: str
    title: str
    mark: str
    template: str
    stylesheet: str


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("payment_notice", "防贫保险赔付通知书", "防贫赔", "payment_notice.html", "letter.css"),
        Kind("refusal_notice", "拒绝赔偿（给付）保险金通知书", "防贫拒", "refusal_notice.html", "letter.css"),
        Kind("calculation_sheet", "防贫保险赔款计算书", "防贫算", "calculation_sheet.html", "letter.css"),
        Kind("batch_summary", "防贫保险赔款支付批次汇总表", "防贫付", "batch_summary.html", "report.css"),
        Kind("programme_report", "防贫保险运行情况报告", "防贫报", "programme_report.html", "report.css"),
        Kind("audit_report", "防贫保险运行情况报告（审计备查）", "防贫审", "audit_report.html", "report.css"),
        Kind("village_notice", "防贫保险村内公示表", "防贫示", "village_notice.html", "report.css"),
        Kind("claim_form", "防贫保险赔付申请表", "防贫申", "claim_form.html", "letter.css"),
        Kind("cover_certificate", "防贫保险凭证", "防贫证", "cover_certificate.html", "certificate.css"),
    )
}
"""Every kind by its key. `mark` stands in the number: 防贫赔〔2020〕12号."""
VILLAGE_NOTICE = "village_notice"
COVER_CERTIFICATE = "cover_certificate"
CLAIM_FORM = "claim_form"
WITH_HEAD = frozenset({"batch_summary", "programme_report", "audit_report", VILLAGE_NOTICE})
"""The county's reports: each prints the head of the trail as it was sealed before."""
