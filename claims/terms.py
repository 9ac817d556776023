"""The words of the desk in both languages: benefits, outcomes, reasons in short, what a claim says field by field.

Pure data, beside `claims.phrases`, which holds the sentences. One term for each key, as the glossary has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from claims.phrases import LINES
from policies.policy import Policy

Pair = tuple[str, str]
"""Chinese and English."""

BENEFIT_NAMES: Mapping[str, Pair] = {
    "medical": ("医疗费用", "medical cost"),
    "tuition": ("就学费用", "cost of school"),
    "death": ("身故", "death"),
    "disability": ("伤残", "disability"),
    "property": ("家财", "property"),
    "shortfall": ("收入差额", "shortfall of income"),
}
OUTCOME_NAMES: Mapping[str, Pair] = {
    "approve": ("给付", "approve"),
    "reject": ("拒赔", "reject"),
    "supplement": ("补充材料", "supplement"),
    "refer": ("人工核实", "refer"),
}
REVIEW_NAMES: Mapping[str, Pair] = {
    "otherwise": ("按新数据结论不同", "decided otherwise on newer facts"),
    "gone": ("新县包中已无此案", "no more in the newest pack"),
}
CHANNEL_NAMES: Mapping[str, Pair] = {
    "部门预警": ("部门预警", "department's warning"),
    "个人申报": ("个人申报", "own application"),
    "镇村核查": ("镇村核查", "town or village visit"),
    "窗口受理": ("窗口受理", "service window"),
}
RELATION_NAMES: Mapping[str, Pair] = {
    "户主": ("户主", "head"),
    "本人": ("本人", "self"),
    "配偶": ("配偶", "spouse"),
    "子": ("子", "son"),
    "女": ("女", "daughter"),
    "父亲": ("父亲", "father"),
    "母亲": ("母亲", "mother"),
    "孙子": ("孙子", "grandson"),
    "孙女": ("孙女", "granddaughter"),
    "儿媳": ("儿媳", "daughter-in-law"),
}
"""The relations that rosters name most; any other stands as it was written."""

REASON_NAMES: Mapping[str, Pair] = {
    "NOT_INSURED": ("未参保", "not insured"),
    "LINE_NOT_IN_POLICY": ("保单无此险种", "not in the policy"),
    "OUTSIDE_POLICY_PERIOD": ("不在保险期间", "outside the policy period"),
    "NOT_COVERED_AT_EVENT": ("不在个人保障期", "not covered on the day"),
    "WAITING_PERIOD": ("等待期内发生", "within the waiting period"),
    "NOTICE_BEFORE_EVENT": ("报案早于事故", "notified before the accident"),
    "TIME_BARRED": ("超过诉讼时效", "limitation has run"),
    "LATE_NOTICE": ("逾期报案", "late notice"),
    "NAME_MISMATCH": ("姓名不符", "names differ"),
    "CLAIMANT_DECEASED": ("申请人已故", "claimant deceased"),
    "DEATH_COVER_LIMIT": ("未成年人身故限制", "death of a child"),
    "NO_ACCOUNT": ("无收款账户", "no account"),
    "PAYEE_DECEASED": ("收款人已故", "payee deceased"),
    "PAYEE_NOT_FAMILY": ("收款人非家庭成员", "payee not in the family"),
    "SHARED_ACCOUNT": ("一账多户", "shared account"),
    "INCOME_ABOVE_CEILING": ("收入超过上限", "income above the ceiling"),
    "REVERSE_DEPOSIT": ("反向标准·大额存款", "reverse standard: deposits"),
    "REVERSE_MACHINERY": ("反向标准·农机具", "reverse standard: machinery"),
    "REVERSE_HOUSING": ("反向标准·商品房", "reverse standard: housing"),
    "REVERSE_VEHICLE": ("反向标准·机动车", "reverse standard: vehicle"),
    "REVERSE_COMPANY": ("反向标准·企业", "reverse standard: company"),
    "REVERSE_PAYROLL": ("反向标准·财政供养", "reverse standard: payroll"),
    "OFFICIAL_RELATIVE": ("干部亲属", "official's relative"),
    "MISSING_EVIDENCE": ("材料不全", "papers missing"),
    "EXCLUDED_CAUSE": ("责任免除", "excluded cause"),
    "CAUSE_NOT_COVERED": ("原因不属保险责任", "cause not covered"),
    "LEVEL_NOT_COVERED": ("学历层次不在范围", "level not covered"),
    "DUPLICATE_CLAIM": ("重复申请", "duplicate claim"),
    "INVOICE_REUSED": ("票据重用", "document used by others"),
    "NOT_IN_FEED": ("部门无记录", "no record at the department"),
    "FEED_MISMATCH": ("与部门数据不符", "differs from the record"),
    "NO_DATA": ("部门数据缺失", "no data from a department"),
    "MEMBERS_MISMATCH": ("家庭人口不符", "members differ"),
    "ALREADY_CLAIMED": ("本年度已获赔", "already claimed this year"),
    "BELOW_LINE": ("未达起付线", "below the line"),
    "CAP_EXHAUSTED": ("本项限额已用尽", "cap used up"),
    "NOTHING_MORE_DUE": ("无新增应付", "nothing more due"),
    "HOUSEHOLD_CAP_EXHAUSTED": ("户限额已用尽", "household cap used up"),
}
"""A reason by its code, in a few words that can stand in a table."""

EVENT_DAY_NAMES: Mapping[str, Pair] = {
    "illness": ("结算日期", "settled on"),
    "education": ("注册日期", "registered on"),
    "accident": ("事故日期", "day of the accident"),
    "income": ("核算日期", "assessed on"),
}
"""What the event day of a claim is, by line."""

CLAIM_FIELDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "illness": (
        ("cause", "病因", "diagnosis"),
        ("document_no", "结算单号", "settlement number"),
        ("total_fen", "医疗总费用", "total cost"),
        ("basic_fen", "基本医保支付", "paid by basic insurance"),
        ("major_fen", "大病保险支付", "paid by major-illness insurance"),
        ("aid_fen", "医疗救助支付", "paid by medical aid"),
        ("other_fen", "其他补偿", "paid by others"),
        ("measure_fen", "本次计入费用", "cost that counts"),
    ),
    "education": (
        ("academic_year", "学年", "academic year"),
        ("school", "学校", "school"),
        ("level", "学历层次", "level"),
        ("document_no", "缴费凭证号", "receipt number"),
        ("tuition_fen", "学费", "tuition"),
        ("lodging_fen", "住宿费", "lodging"),
        ("books_fen", "教材费", "books"),
        ("grants_fen", "资助金额", "grants received"),
        ("measure_fen", "本次计入费用", "cost that counts"),
    ),
    "accident": (
        ("accident_no", "事故编号", "accident number"),
        ("cause", "事故原因", "cause"),
        ("grade", "伤残等级", "grade of disability"),
        ("document_no", "凭证号", "document number"),
        ("expense_fen", "费用金额", "cost"),
        ("third_party_fen", "第三方赔付", "paid by third parties"),
        ("measure_fen", "本次计入费用", "cost that counts"),
    ),
    "income": (
        ("cause", "致困原因", "cause"),
        ("verified_income_fen", "核定人均纯收入", "verified income per head"),
        ("members", "家庭人口", "members of the household"),
    ),
}
"""What a claim of each line says: field of `claims.facts.Claim`, Chinese, English."""

HAPPENINGS: Mapping[str, Pair] = {
    "claim.taken_in": ("受理入库", "claim taken in"),
    "claim.changed": ("申请内容更新", "claim changed by a newer pack"),
    "claim.withdrawn": ("案件撤回", "claim withdrawn"),
    "decision.proposed": ("系统审核", "decided by the rules"),
    "claim.recommended": ("理赔员建议", "recommended"),
    "claim.determined": ("核定", "determined"),
    "review.opened": ("开启复查", "review opened"),
    "claim.seen_in_full": ("查看完整信息", "seen in full"),
    "claim.erased": ("个人信息到期清除", "personal data erased at the end of its term"),
    "decision.erased": ("审核依据到期清除", "grounds of a decision erased at the end of their term"),
}
"""What an event of the trail is, in words, by its action."""


def line_name(policy: Policy, line: str, event_on: date) -> Pair:
    """A line of cover: the title that the policy gives it, and our English name."""
    found = policy.on(event_on).lines.get(line)
    return LINES[line][0] if found is None else found.title, LINES[line][1]
