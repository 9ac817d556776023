"""Words of the households' states and kinds, each as (Chinese, English) by its key. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

BEGINNINGS: Mapping[str, Pair] = {
    "roster": ("参保名册", "in the roster"),
    "birth": ("出生", "born"),
    "marriage": ("婚嫁迁入", "came by marriage"),
    "moved_in": ("迁入", "moved in"),
    "split": ("分户", "split off"),
    "merged": ("并户", "merged"),
    "returned": ("回迁", "came back"),
    "relation": ("关系变更", "relation changed"),
    "corrected": ("更正", "corrected"),
}
"""How a membership began."""

ENDINGS: Mapping[str, Pair] = {
    "death": ("死亡", "died"),
    "marriage": ("婚嫁迁出", "left by marriage"),
    "moved_out": ("迁出", "moved out"),
    "relation": ("关系变更", "relation changed"),
    "split": ("分户", "split off"),
    "merged": ("并户", "merged"),
    "corrected": ("更正", "corrected"),
}
"""How a membership ended."""

INCOME_SOURCES: Mapping[str, Pair] = {
    "elder_support": ("孝善养老和赡养费", "support by children"),
    "safety_net": ("兜底保障", "safety net"),
    "other_transfer": ("其他转移支付", "other transfers"),
    "wages": ("工资性收入", "wages"),
    "operating": ("经营性收入", "own business and farming"),
    "property": ("财产性收入", "property"),
}
"""What a household mainly lives on (the county's register has the first three of its poorest)."""

CAUSES: Mapping[str, Pair] = {
    "illness": ("因病", "illness"),
    "education": ("因学", "schooling"),
    "accident": ("因意外", "accident"),
    "disaster": ("因灾", "disaster"),
    "disability": ("因残", "disability"),
    "job_loss": ("失业", "loss of work"),
    "labour": ("缺劳动力", "nobody able to work"),
    "other": ("其他", "other"),
}
"""Why a household is in hardship."""

TRACKS: Mapping[str, Pair] = {
    "out_of_poverty": ("脱贫", "out of poverty"),
    "relief": ("解困", "relief from hardship"),
}
"""The two tracks of support."""

MATTER_KEYS: Mapping[str, str] = {
    "存款": "deposit",
    "农机具": "machinery",
    "商品房": "housing",
    "车辆": "vehicle",
    "企业": "company",
    "财政供养": "payroll",
}
"""事项 of a clearance, and the reverse standard that it answers."""

RECOGNITION_STATES: Mapping[str, Pair] = {
    "proposed": ("待认定", "waiting for a decision"),
    "active": ("帮扶中", "supported"),
    "due": ("待复核", "review due"),
    "overdue": ("复核逾期", "review overdue"),
    "follow_up": ("退出后关注期", "in follow-up"),
    "exited": ("已退出", "exited"),
    "refused": ("未认定", "refused"),
}
"""Where a spell stands: a key of `households.spells.STANDINGS`."""

BASES: Mapping[str, Pair] = {
    "quantitative": ("定量:人均纯收入低于标准", "quantitative: income a head below the line"),
    "qualitative": ("定性:有规定的困难情形", "qualitative: a hardship that the standards name"),
}
"""By what a household is recognised."""

FINDINGS: Mapping[str, Pair] = {
    "stays": ("情况不变,继续帮扶", "unchanged, support goes on"),
    "changed": ("情况变化,调整帮扶", "changed, support is adjusted"),
    "may_exit": ("符合条件,建议退出", "may exit"),
}
"""What a half-yearly review finds."""

STEPS: Mapping[str, Pair] = {
    "survey": ("入户调查", "household survey"),
    "appraisal": ("民主评议", "democratic appraisal"),
    "notice": ("村内公示", "village notice"),
    "exit": ("退出核定", "exit"),
}
"""The steps of a spell that evidence belongs to, as its file names begin."""

MEASURE_GROUPS: Mapping[str, Pair] = {
    "safety_net": ("兜底保障", "safety net"),
    "insurance": ("防贫保险", "insurance"),
    "more": ("N 项帮扶", "further measures"),
}
"""1 + N: the safety net and the insurance, and the further measures."""

MEASURES: Mapping[str, Pair] = {
    "subsistence": ("低保", "subsistence allowance"),
    "destitute": ("特困供养", "support of the destitute"),
    "temporary_relief": ("临时救助", "temporary relief"),
    "cover": ("纳入防贫保险", "covered by the insurance"),
    "finance": ("金融帮扶", "finance"),
    "industry": ("产业帮扶", "industry"),
    "employment": ("就业帮扶", "employment"),
    "care": ("温情服务", "caring services"),
}
"""The catalogue of measures 帮扶措施."""

GROUP_OF_MEASURE: Mapping[str, str] = {
    "subsistence": "safety_net",
    "destitute": "safety_net",
    "temporary_relief": "safety_net",
    "cover": "insurance",
    "finance": "more",
    "industry": "more",
    "employment": "more",
    "care": "more",
}

RELATIONS: Mapping[str, Pair] = {
    "户主": ("户主", "head"),
    "配偶": ("配偶", "spouse"),
    "子": ("子", "son"),
    "女": ("女", "daughter"),
    "父亲": ("父亲", "father"),
    "母亲": ("母亲", "mother"),
    "孙子": ("孙子", "grandson"),
    "孙女": ("孙女", "granddaughter"),
    "儿媳": ("儿媳", "daughter-in-law"),
    "女婿": ("女婿", "son-in-law"),
    "兄弟姐妹": ("兄弟姐妹", "brother or sister"),
    "其他": ("其他", "other"),
}
"""How a member stands to the head; a roster may name others, which stand as they were written."""

CATEGORIES: Mapping[str, Pair] = {
    "相对贫困户": ("相对贫困户", "relatively poor"),
    "脱贫享受政策户": ("脱贫享受政策户", "out of poverty, still supported"),
    "临时大额支出户": ("临时大额支出户", "sudden large expense"),
    "重大变故户": ("重大变故户", "severe misfortune"),
}
"""Categories 人员类别 of the county's rosters; a roster may name others."""

RELATIVES: Mapping[str, Pair] = {
    "guardian": ("监护人", "guardian"),
    "heir": ("继承人", "heir"),
}
"""Whom the register keeps beside a person."""

PROPOSALS: Mapping[str, Pair] = {
    "account": ("变更一卡通账户", "another account"),
    "merge": ("并户", "merge of households"),
    "split": ("分户", "split of a household"),
    "identity": ("身份更正", "correction of an identity"),
    "clearance": ("核查澄清", "clearance"),
}
"""Changes that two persons make together."""

PROPOSAL_STATES: Mapping[str, Pair] = {
    "asked": ("待审批", "waiting for a decision"),
    "approved": ("已批准", "approved"),
    "refused": ("未批准", "refused"),
    "withdrawn": ("已撤回", "withdrawn"),
}

TASKS: Mapping[str, Pair] = {
    "roster_differs": ("名册与登记的户不一致", "roster and register name different households"),
    "account_differs": ("名册与登记的账户不一致", "roster and register name different accounts"),
    "two_names": ("同一身份证号,姓名不同", "one ID number under two names"),
    "two_numbers": ("疑为一人两个身份证号", "perhaps one person under two ID numbers"),
    "unknown_person": ("上报的人员查无登记", "a report names somebody whom nobody knows"),
}
"""What does not fit together."""

SETTLEMENTS: Mapping[str, Pair] = {
    "keep_register": ("以登记为准,名册有误", "the register is right, the roster is wrong"),
    "take_roster": ("以名册为准,更正登记", "the roster is right, the register is corrected"),
    "two_people": ("确为不同的两人", "they are two different people"),
    "same_person": ("确为同一人,提出身份更正", "they are one person, whose identity is to be corrected"),
    "other_name": ("曾用名或误写,姓名以登记为准", "a former name or a slip; the register's name stands"),
    "entered": ("已补充登记", "entered in the register since"),
    "unfounded": ("核实后无此情况", "looked into and found not to be so"),
}
"""How a task was settled."""

SETTLEMENTS_OF: Mapping[str, tuple[str, ...]] = {
    "roster_differs": ("keep_register", "take_roster", "unfounded"),
    "account_differs": ("keep_register", "take_roster", "unfounded"),
    "two_names": ("other_name", "take_roster", "two_people", "same_person"),
    "two_numbers": ("two_people", "same_person", "unfounded"),
    "unknown_person": ("entered", "unfounded"),
}
"""The settlements that each kind of task can have."""

COVER_STATES: Mapping[str, Pair] = {
    "covered": ("在保", "covered"),
    "not_yet": ("未起保", "not yet covered"),
    "ended": ("已终保", "cover ended"),
    "none": ("未参保", "not insured"),
}
"""Where somebody's cover stands on a day."""

UPLOAD_STATES: Mapping[str, Pair] = {
    "checking": ("检查中", "being checked"),
    "ready": ("待入库", "ready"),
    "unusable": ("不可用", "unusable"),
    "taking_in": ("入库中", "being taken in"),
    "taken_in": ("已入库", "taken in"),
    "discarded": ("已作废", "discarded"),
}
"""Where a department's uploaded file stands."""

FEED_MODES: Mapping[str, Pair] = {
    "full": ("全量", "full list"),
    "addition": ("增量", "additions"),
    "absent": ("无此文件", "no such file"),
}
"""Whether a file is the whole list or more rows."""

COLUMN_TYPES: Mapping[str, Pair] = {
    "text": ("文字", "text"),
    "private": ("文字(页面不显示)", "text, never shown on a page"),
    "name": ("姓名", "a name"),
    "id_number": ("18 位身份证号", "an ID number of 18 characters"),
    "date": ("日期,如 2020-03-05", "a day, like 2020-03-05"),
    "amount": ("金额(元)", "an amount in yuan"),
    "capital": ("金额(元)", "an amount in yuan"),
    "academic_year": ("学年,如 2020-2021", "a school year, like 2020-2021"),
    "twelve_digits": ("12 位数字", "12 digits"),
    "yes_no": ("规定的选项", "one of the listed words"),
    "choice": ("规定的选项", "one of the listed words"),
    "matter": ("规定的选项", "one of the listed words"),
    "passed": ("规定的选项", "one of the listed words"),
}
"""What stands in a column of each type of `households.layouts`."""

REPORTING_PERIODS: Mapping[str, Pair] = {
    "week": ("每周", "every week"),
    "month": ("每月", "every month"),
    "quarter": ("每季度", "every quarter"),
    "half_year": ("每半年", "every half year"),
    "year": ("每年", "every year"),
}
"""How often a feed is sent."""

WARNING_LINES: Mapping[str, Pair] = {
    "illness": ("因病", "illness"),
    "education": ("因学", "education"),
    "accident": ("因意外", "accident"),
    "income": ("收入", "income"),
}
"""The lines of cover that a warning may serve."""

WARNING_CHANNELS: Mapping[str, Pair] = {
    "department": ("部门预警", "department"),
    "village": ("村级上报", "village officer"),
    "town_window": ("镇窗口", "town window"),
    "county_window": ("县窗口", "county window"),
    "owed": ("应赔未赔", "owed and not claimed"),
}
"""How a report of an event came."""

WARNING_STATES: Mapping[str, Pair] = {
    "open": ("待处理", "open"),
    "claimed": ("已报案", "claimed"),
    "dismissed": ("已排除", "dismissed"),
    "transferred": ("已转办", "transferred"),
}
"""Where a warning case stands."""

HAPPENED: Mapping[str, Pair] = {
    "illness": ("生病、住院", "illness, stay in hospital"),
    "school": ("上学负担重", "cost of school"),
    "accident": ("意外伤害", "accident, injury"),
    "death": ("家人去世", "death in the family"),
    "job_loss": ("失业、没有收入", "loss of work or income"),
    "disaster": ("受灾、减产", "disaster, loss of the harvest"),
    "housing": ("住房不安全", "unsafe house"),
    "other": ("其他困难", "another hardship"),
}
"""What a village officer or a window says has happened."""

DISMISSALS: Mapping[str, Pair] = {
    "no_hardship": ("入户核实,没有困难", "visited: no hardship"),
    "helped": ("已由其他渠道解决", "helped in another way already"),
    "wrong_data": ("部门数据有误", "the department's data is wrong"),
    "same_event": ("与其他预警是同一件事", "the same event as another warning"),
    "declined": ("本户不申请", "the household does not apply"),
}
"""Why a warning case is dismissed."""

TRANSFERS: Mapping[str, Pair] = {
    "civil_relief": ("转民政局临时救助", "to civil affairs: temporary relief"),
    "housing_office": ("转住建局危房改造", "to the housing office: repair of the house"),
    "employment": ("转人社局就业帮扶", "to human resources: help with work"),
    "farming": ("转农业农村局产业帮扶", "to agriculture: help with farming"),
    "school_aid": ("转教育和体育局学生资助", "to education: aid for pupils"),
    "medical_aid": ("转医疗保障局医疗救助", "to medical insurance: medical assistance"),
    "conference": ("提交联席会议会商", "before the joint conference"),
}
"""Where a warning case is transferred 会商转办."""

CASE_OUTCOMES: Mapping[str, Pair] = {**DISMISSALS, **TRANSFERS}
"""How a case ended that became no claim."""
