"""The words of the field that documents use, and the kinds of documents themselves.

Data. One Chinese term for each key, as the glossary has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BENEFITS: Mapping[str, str] = {
    "medical": "医疗费用",
    "tuition": "就学费用",
    "death": "身故",
    "disability": "伤残",
    "property": "家财",
    "shortfall": "收入差额",
}
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

REASONS: Mapping[str, str] = {
    "NOT_INSURED": "未参保",
    "LINE_NOT_IN_POLICY": "保单无此险种",
    "OUTSIDE_POLICY_PERIOD": "不在保险期间",
    "NOT_COVERED_AT_EVENT": "不在个人保障期",
    "WAITING_PERIOD": "等待期内发生",
    "NOTICE_BEFORE_EVENT": "报案早于事故",
    "TIME_BARRED": "超过诉讼时效",
    "LATE_NOTICE": "逾期报案",
    "NAME_MISMATCH": "姓名不符",
    "CLAIMANT_DECEASED": "申请人已故",
    "DEATH_COVER_LIMIT": "未成年人身故限制",
    "NO_ACCOUNT": "无收款账户",
    "PAYEE_DECEASED": "收款人已故",
    "PAYEE_NOT_FAMILY": "收款人非家庭成员",
    "SHARED_ACCOUNT": "一账多户",
    "INCOME_ABOVE_CEILING": "收入超过上限",
    "REVERSE_DEPOSIT": "反向标准·大额存款",
    "REVERSE_MACHINERY": "反向标准·农机具",
    "REVERSE_HOUSING": "反向标准·商品房",
    "REVERSE_VEHICLE": "反向标准·机动车",
    "REVERSE_COMPANY": "反向标准·企业",
    "REVERSE_PAYROLL": "反向标准·财政供养",
    "OFFICIAL_RELATIVE": "干部亲属",
    "MISSING_EVIDENCE": "材料不全",
    "EXCLUDED_CAUSE": "责任免除",
    "CAUSE_NOT_COVERED": "原因不属保险责任",
    "LEVEL_NOT_COVERED": "学历层次不在范围",
    "DUPLICATE_CLAIM": "重复申请",
    "INVOICE_REUSED": "票据重用",
    "NOT_IN_FEED": "部门无记录",
    "FEED_MISMATCH": "与部门数据不符",
    "NO_DATA": "部门数据缺失",
    "MEMBERS_MISMATCH": "家庭人口不符",
    "ALREADY_CLAIMED": "本年度已获赔",
    "BELOW_LINE": "未达起付线",
    "CAP_EXHAUSTED": "本项限额已用尽",
    "NOTHING_MORE_DUE": "无新增应付",
    "HOUSEHOLD_CAP_EXHAUSTED": "户限额已用尽",
}
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
    )
}
"""Every kind by its key. `mark` stands in the number: 防贫赔〔2020〕12号."""
