"""The sentences of `claims.wording`: one entry for every check, calculation line and reason, in both languages.

Data. A phrase is a title and a sentence in Chinese and in English; names in braces are inputs of the check or line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Phrase(NamedTuple):
    """A title and a sentence, in Chinese and English."""

    title_zh: str
    title_en: str
    zh: str
    en: str

    def in_language(self, zh: bool) -> tuple[str, str]:
        """(title, sentence) in one language."""
        return (self.title_zh, self.zh) if zh else (self.title_en, self.en)


@dataclass(frozen=True, slots=True)
class CheckPhrases:
    """What is said of a check that holds (or could not be looked into), and of one that fails."""

    passed: Phrase
    failed: Phrase


def _check(titles: tuple[str, str], passed: tuple[str, str], failed: tuple[str, str]) -> CheckPhrases:
    return CheckPhrases(Phrase(*titles, *passed), Phrase(*titles, *failed))


OUTCOMES = {
    "approve": ("核定给付", "approve"),
    "reject": ("不予给付", "reject"),
    "supplement": ("补充材料", "supplement"),
    "refer": ("人工核实", "refer"),
}
RESULTS = {True: ("通过", "passed"), False: ("未通过", "failed"), None: ("无数据", "no data")}

FEEDS = {
    "medical": ("医保结算", "medical insurance settlements"),
    "education": ("学籍", "school enrolment"),
    "accidents": ("交通事故", "traffic accidents"),
    "deaths": ("死亡登记", "deaths"),
    "housing": ("不动产", "housing"),
    "vehicles": ("机动车", "vehicles"),
    "companies": ("市场主体", "companies"),
    "deposits": ("大额存款", "large deposits"),
    "machinery": ("大型农机具", "farm machinery"),
    "payroll": ("财政供养", "public payroll"),
    "kin": ("直系亲属", "lineal relatives"),
    "officials": ("干部亲属", "officials' relatives"),
}

NOT_LOOKED_INTO = ("部门数据缺失,未能核对", "could not be looked into: the department's data are absent")
CLEARED = ("有命中({hits}),已于 {cleared_on} 澄清通过", "hit ({hits}), cleared on {cleared_on}")
LINES = {
    "illness": ("因病", "illness"),
    "education": ("因学", "education"),
    "accident": ("因意外", "accident"),
    "income": ("收入责任险", "income"),
}
_CLEAR = ("比对无命中", "no hit")


def _reverse(zh: str, en: str) -> CheckPhrases:
    return _check(
        (f"反向标准·{zh}", f"reverse standard: {en}"),
        _CLEAR,
        (
            f"家庭成员{zh}达到反向标准({{hits}}),须核实",
            f"the household meets the reverse standard on {en} ({{hits}})",
        ),
    )


CHECKS: dict[str, CheckPhrases] = {
    "NOT_INSURED": _check(
        ("参保", "insured"),
        ("在参保名册内", "is in the roster"),
        ("该身份证号不在参保名册内", "the ID number is not in the roster of insured people"),
    ),
    "LINE_NOT_IN_POLICY": _check(
        ("险种", "line of cover"),
        ("保单有此险种和给付项目", "the policy has this line and benefit"),
        ("本保单没有此险种或给付项目", "the policy does not have this line or benefit"),
    ),
    "OUTSIDE_POLICY_PERIOD": _check(
        ("保险期间", "policy period"),
        (
            "事件日 {event_on} 在保险期间 {from} 至 {to} 内",
            "{event_on} lies within the policy period {from} to {to}",
        ),
        (
            "事件日 {event_on} 不在保险期间 {from} 至 {to} 内",
            "{event_on} lies outside the policy period {from} to {to}",
        ),
    ),
    "NOT_COVERED_AT_EVENT": _check(
        ("个人保障期", "cover"),
        (
            "事件日 {event_on} 在本人保障期 {from} 至 {to} 内",
            "{event_on} lies within the cover {from} to {to}",
        ),
        (
            "事件日 {event_on} 不在本人保障期 {from} 至 {to} 内",
            "{event_on} lies outside the cover {from} to {to}",
        ),
    ),
    "WAITING_PERIOD": _check(
        ("等待期", "waiting period"),
        (
            "已过 {days} 天等待期或为续保",
            "the waiting period of {days} days is over, or the cover is a renewal",
        ),
        (
            "自 {from} 起 {days} 天等待期内发生({event_on})",
            "{event_on} lies within the waiting period of {days} days from {from}",
        ),
    ),
    "NOTICE_BEFORE_EVENT": _check(
        ("报案先后", "order of notice"),
        (
            "报案日 {notified_on} 不早于事故日 {event_on}",
            "notified on {notified_on}, not before the accident",
        ),
        (
            "报案日 {notified_on} 早于事故日 {event_on}",
            "notified on {notified_on}, before the accident of {event_on}",
        ),
    ),
    "TIME_BARRED": _check(
        ("诉讼时效", "limitation"),
        ("在 {years} 年时效内报案", "notified within {years} years"),
        (
            "报案日 {notified_on} 已超过事件日 {event_on} 后 {years} 年,是否主张时效由人工决定",
            "notified on {notified_on}, more than {years} years after {event_on}; limitation is a defence to be raised",
        ),
    ),
    "LATE_NOTICE": _check(
        ("报案期限", "notice"),
        ("在 {days} 天报案期限内", "notified within {days} days"),
        (
            "报案日 {notified_on} 超过事件日 {event_on} 后 {days} 天,须核实能否查清",
            "notified on {notified_on}, more than {days} days after {event_on}",
        ),
    ),
    "NAME_MISMATCH": _check(
        ("姓名", "name"),
        ("姓名与名册一致", "the name agrees with the roster"),
        (
            "申请姓名“{claim_name}”与名册“{roster_name}”不一致",
            'the claim names "{claim_name}", the roster "{roster_name}"',
        ),
    ),
    "CLAIMANT_DECEASED": _check(
        ("生存状态", "claimant alive"),
        ("事件日前无死亡登记", "no death registered before the event"),
        ("死亡登记日 {died_on} 早于事件日 {event_on}", "registered as dead on {died_on}, before {event_on}"),
    ),
    "DEATH_COVER_LIMIT": _check(
        ("未成年人身故", "death of a child"),
        ("事件日已满 {years} 周岁", "was {years} years old or more"),
        (
            "事件日 {event_on} 未满 {years} 周岁(出生 {born_on})",
            "was under {years} on {event_on} (born {born_on})",
        ),
    ),
    "NO_ACCOUNT": _check(
        ("收款账户", "payee's account"),
        ("有收款账户,户名 {holder}", "there is an account, held by {holder}"),
        ("没有收款账户和户名", "there is no account with its holder"),
    ),
    "PAYEE_DECEASED": _check(
        ("收款人生存", "payee alive"),
        ("收款人 {holder} 报案日前无死亡登记", "{holder} is not registered as dead"),
        ("收款人 {holder} 于 {died_on} 死亡登记", "{holder} is registered as dead on {died_on}"),
    ),
    "PAYEE_NOT_FAMILY": _check(
        ("收款人身份", "payee in the family"),
        ("收款人 {holder} 为家庭成员", "{holder} is a member of the household"),
        ("收款人 {holder} 不是家庭成员", "{holder} is no member of the household"),
    ),
    "SHARED_ACCOUNT": _check(
        ("一账多户", "shared account"),
        ("收款账号未见于其他户", "the account is no other household's"),
        ("收款账号同为户 {household_no} 的账号", "the account is household {household_no}'s as well"),
    ),
    "INCOME_ABOVE_CEILING": _check(
        ("收入上限", "income ceiling"),
        (
            "人均 {income_fen} 元减 {measure_fen} 元 ÷ {people} 人,未超过贫困线 {poverty_line_fen} 元的 {ceiling} 倍",
            "{income_fen} a head less {measure_fen} ÷ {people} is not above {ceiling} of the line {poverty_line_fen}",
        ),
        (
            "人均 {income_fen} 元减 {measure_fen} 元 ÷ {people} 人,仍超过贫困线 {poverty_line_fen} 元的 {ceiling} 倍",
            "{income_fen} a head less {measure_fen} ÷ {people} is above {ceiling} of the line {poverty_line_fen}",
        ),
    ),
    "REVERSE_DEPOSIT": _reverse("大额存款", "deposits"),
    "REVERSE_MACHINERY": _reverse("大型农机具", "farm machinery"),
    "REVERSE_HOUSING": _reverse("商品房", "housing"),
    "REVERSE_VEHICLE": _reverse("机动车", "vehicles"),
    "REVERSE_COMPANY": _reverse("企业", "companies"),
    "REVERSE_PAYROLL": _reverse("财政供养", "public payroll"),
    "OFFICIAL_RELATIVE": _check(
        ("干部亲属", "official's relative"),
        ("无本村干部亲属关系", "no relative of an official of the village"),
        ("{members} 为本村干部亲属,须回避核实", "{members}: relative of an official of the village"),
    ),
    "MISSING_EVIDENCE": _check(
        ("材料", "papers"),
        ("材料齐全({asked})", "all papers are there ({asked})"),
        ("缺少材料:{missing}", "missing papers: {missing}"),
    ),
    "EXCLUDED_CAUSE": _check(
        ("责任免除", "excluded cause"),
        ("原因不属责任免除", "the cause is not excluded"),
        (
            "原因“{cause}”属责任免除(本人酒驾:{drunk})",
            'the cause "{cause}" is excluded (drink-driving: {drunk})',
        ),
    ),
    "CAUSE_NOT_COVERED": _check(
        ("保险责任", "covered cause"),
        ("原因属于保险责任", "the cause is covered"),
        ("原因“{cause}”不属于保险责任", 'the cause "{cause}" is not covered'),
    ),
    "LEVEL_NOT_COVERED": _check(
        ("学历层次", "level of school"),
        ("学历层次属于保障范围", "the level is covered"),
        ("学历层次“{level}”不在保障范围", 'the level "{level}" is not covered'),
    ),
    "DUPLICATE_CLAIM": _check(
        ("重复申请", "duplicate claim"),
        (
            "本人未用凭证 {document_no} 申请过",
            "this person has not claimed with document {document_no} before",
        ),
        (
            "凭证 {document_no} 已在案件 {claim_no} 申请",
            "document {document_no} was claimed in {claim_no} already",
        ),
    ),
    "INVOICE_REUSED": _check(
        ("票据重用", "document used by others"),
        ("他人未用凭证 {document_no} 申请过", "nobody else has claimed with document {document_no}"),
        (
            "凭证 {document_no} 已由他人在案件 {claim_no} 使用",
            "document {document_no} was used by another person in {claim_no}",
        ),
    ),
    "NOT_IN_FEED": _check(
        ("部门数据", "department's record"),
        ("{feed}数据中有此记录", "{feed}: a record is there"),
        ("{feed}数据中没有此记录", "{feed}: there is no such record"),
    ),
    "FEED_MISMATCH": _check(
        ("部门数据相符", "record agrees"),
        ("与{feed}数据相符", "agrees with {feed}"),
        ("与{feed}数据不符(部门记录:{rows})", "differs from {feed} (their records: {rows})"),
    ),
    "NO_DATA": _check(
        ("数据完整", "data complete"),
        ("所需部门数据均已提供", "all departments' data that this claim needs are there"),
        ("缺少部门数据:{absent};缺数据不等于无问题", "no data from: {absent}; no data is not read as clear"),
    ),
    "MEMBERS_MISMATCH": _check(
        ("家庭人口", "household members"),
        ("申报人口 {claimed} 与在保人口一致", "{claimed} members, as covered"),
        ("申报人口 {claimed} 与在保人口 {counted} 不一致", "{claimed} members claimed, {counted} counted"),
    ),
    "ALREADY_CLAIMED": _check(
        ("本年度已赔", "already claimed"),
        ("本户本保单未获收入险赔付", "the household has no approved income claim"),
        ("本户已在案件 {claim_no} 获收入险赔付", "the household's income claim {claim_no} was approved"),
    ),
}

AMOUNT_REASONS: dict[str, Phrase] = {
    "BELOW_LINE": Phrase(
        "未达起付",
        "below the line",
        "费用或收入缺口未达到给付起点",
        "the cost or shortfall does not reach the line from which is paid",
    ),
    "CAP_EXHAUSTED": Phrase(
        "限额用尽", "cap exhausted", "本项给付限额已用尽", "the cap of this benefit is used up"
    ),
    "NOTHING_MORE_DUE": Phrase(
        "无新增应付",
        "nothing more due",
        "累计计算后没有新增应付金额",
        "on the accumulated cost nothing more is due",
    ),
    "HOUSEHOLD_CAP_EXHAUSTED": Phrase(
        "户限额用尽", "household cap exhausted", "本户年度限额已用尽", "the household's cap is used up"
    ),
}
