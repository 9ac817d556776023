"""The trail in words: what every recorded action, thing and assurance is called, in both languages.

A test compares the actions with those that the code records, so that none is shown by its bare name.
"""

from __future__ import annotations

from collections.abc import Mapping

from claims.terms import HAPPENINGS, Pair
from foundation.actors import ROLE_NAMES, Assurance, Role

GROUPS: tuple[tuple[Pair, Mapping[str, Pair]], ...] = (
    (
        ("案件", "Claims"),
        {
            **HAPPENINGS,
            "owed.asked": ("申请重新计算应赔未赔", "list of what is owed asked for again"),
            "owed.worked_out": ("计算应赔未赔", "list of what is owed worked out"),
            "claims.searched": ("按姓名或身份证号查案", "claims searched by person"),
        },
    ),
    (
        ("县包与名册", "Packs and roster"),
        {
            "pack.uploaded": ("上传县包", "pack uploaded"),
            "pack.take_in_asked": ("申请入库", "pack asked to be taken in"),
            "pack.taken_in": ("县包入库", "pack taken in"),
            "pack.discarded": ("县包作废", "pack discarded"),
            "pack.errors_downloaded": ("下载县包错误表", "error workbook downloaded"),
            "pack.erased": ("县包到期清除", "pack erased at the end of its term"),
            "policy.taken_in": ("保单入库", "policy taken in"),
            "standard.proposed": ("提出标准", "standards proposed"),
            "standard.approved": ("批准标准", "standards approved"),
            "standard.refused": ("退回标准", "standards refused"),
            "standard.replaced": ("标准被取代", "standards replaced"),
            "recognition.proposed": ("提出认定", "recognition proposed"),
            "recognition.approved": ("认定", "household recognised"),
            "recognition.refused": ("不予认定", "household not recognised"),
            "recognition.reviewed": ("半年复核", "half-yearly review"),
            "recognition.extended": ("延期帮扶", "support extended beyond its year"),
            "recognition.ended": ("退出", "household left"),
            "measure.recorded": ("登记帮扶措施", "measure recorded"),
            "warning.opened": ("预警立案", "warning opened"),
            "warning.reported": ("预警上报", "warning reported"),
            "warning.row_withdrawn": ("部门撤回预警数据", "department took a row back"),
            "warning.dismissed": ("排除预警", "warning dismissed"),
            "warning.transferred": ("预警转办", "warning transferred"),
            "warning.reopened": ("恢复预警", "warning reopened"),
            "warning.claimed": ("预警已报案", "warning became a claim"),
            "warning.person_searched": ("上报时查人", "person searched for a report"),
            "claim_form.asked_for": ("申请打印免填单", "claim form asked for"),
            "household.added": ("新增家庭", "household added"),
            "household.changed": ("变更家庭", "household changed"),
            "household.erased": ("家庭信息到期清除", "household erased at the end of its term"),
            "person.added": ("新增人员", "person added"),
            "person.erased": ("人员信息到期清除", "person erased at the end of their term"),
            "cover.added": ("新增保障", "cover added"),
            "cover.changed": ("变更保障", "cover changed"),
            "cover.retired": ("名册不再列入", "no longer in the roster"),
            "registry_task.opened": ("登记待核事项", "task of the register opened"),
            "registry_task.settled": ("处理待核事项", "task of the register settled"),
            "households.searched": ("按姓名或身份证号查户", "households searched by person"),
            "household.seen_in_full": ("查看完整家庭信息", "household seen in full"),
            "household.moved": ("登记住址变更", "household moved"),
            "household.split": ("分户", "household split"),
            "household.merged": ("并入他户", "household merged into another"),
            "household.took_in": ("接收并入的户", "household took another in"),
            "member.added": ("登记成员", "member entered"),
            "member.left": ("登记成员离开", "member left"),
            "member.relation": ("变更成员关系", "relation of a member changed"),
            "member.corrected": ("更正成员登记", "membership corrected"),
            "person.category": ("登记人员类别", "category entered"),
            "person.named": ("登记姓名", "name entered"),
            "person.linked": ("关联为同一人", "records of one person linked"),
            "relative.added": ("登记监护人或继承人", "guardian or heir entered"),
            "relative.ended": ("终止监护或继承登记", "guardian or heir ended"),
            "income.recorded": ("登记家庭收入", "income entered"),
            "bank_account.changed": ("变更收款账户", "account changed"),
            "proposal.asked": ("申请户籍变更", "change of the register asked for"),
            "proposal.approved": ("批准户籍变更", "change of the register approved"),
            "proposal.refused": ("不批准户籍变更", "change of the register refused"),
            "proposal.withdrawn": ("撤回户籍变更申请", "change of the register taken back"),
            "feed_upload.erased": (
                "部门上传文件到期清除",
                "department's upload erased at the end of its term",
            ),
            "feed.erased": ("部门数据到期清除", "department's data erased at the end of its term"),
            "comparison.asked": ("申请比对", "comparison asked for"),
            "comparison.run": ("一站式比对", "comparison run"),
            "comparison.list_checked": ("审计名单比对", "auditor's list compared"),
            "clearance.given": ("核查澄清审定", "clearance given"),
            "feed.taken_in": ("接收部门数据", "department's data taken in"),
            "feed.uploaded": ("上传部门数据", "department's file uploaded"),
            "feed.take_in_asked": ("申请部门数据入库", "department's file asked to be taken in"),
            "feed.held_back": ("部门数据退回确认", "department's file held back"),
            "feed.unchanged": ("部门数据无变动", "department's file again, nothing changed"),
            "feed.discarded": ("部门数据作废", "department's file discarded"),
            "feed.errors_downloaded": (
                "下载部门数据错误表",
                "error workbook of a department's file downloaded",
            ),
        },
    ),
    (
        ("支付", "Payments"),
        {
            "fund.received": ("登记到账资金", "money received"),
            "payable.owed": ("应付赔款入账", "payable booked"),
            "payable.withheld": ("暂缓付款", "payment withheld"),
            "payable.erased": ("收款人信息到期清除", "payee erased at the end of its term"),
            "batch.made": ("批次制单", "batch made"),
            "batch.checked": ("批次复核", "batch checked"),
            "batch.released": ("批次授权", "batch released"),
            "batch.exported": ("批次导出", "batch exported"),
            "batch.erased": ("批次文件到期清除", "files of a batch erased at the end of their term"),
            "payment.batched": ("编入批次", "put into a batch"),
            "payment.sent": ("送交银行", "sent to the bank"),
            "payment.seen_in_full": ("查看完整收款信息", "payee seen in full"),
            "payment.erased": ("付款信息到期清除", "payment erased at the end of its term"),
            "bank_file.exported": ("生成银行文件", "bank file made"),
            "bank_file.downloaded": ("下载银行文件", "bank file downloaded"),
            "bank_file.erased": ("银行文件到期清除", "bank file erased at the end of its term"),
        },
    ),
    (
        ("文书", "Documents"),
        {
            "document.numbered": ("文书编号", "document numbered"),
            "document.issued": ("出具文书", "document issued"),
            "document.downloaded": ("下载文书", "document downloaded"),
            "document.erased": ("文书到期清除", "document erased at the end of its term"),
            "certificate.asked_for": ("申请出具保险凭证", "certificates of cover asked for"),
            "notice.asked_for": ("申请出具公示表", "village notice asked for"),
        },
    ),
    (
        ("登录", "Signing in"),
        {
            "account.signed_in": ("登录", "signed in"),
            "account.password_accepted": ("密码通过,待下一步", "password accepted, another step to come"),
            "account.sign_in_failed": ("登录失败", "sign-in failed"),
            "account.locked": ("账号锁定", "account locked"),
            "account.signed_out": ("退出登录", "signed out"),
            "account.second_factor_set": ("绑定动态口令", "second factor set"),
            "account.password_changed": ("修改密码", "password changed"),
            "session.ended": ("终止登录", "session ended"),
            "session.forgotten": ("到期清除登录记录", "records of sign-ins removed at the end of their term"),
            "session.role_switched": ("切换岗位", "role switched"),
            "session.stepped_up": ("再次验证", "step-up"),
            "token.made": ("生成令牌", "token made"),
            "token.revoked": ("撤销令牌", "token revoked"),
        },
    ),
    (
        ("人员权限", "People and rights"),
        {
            "staff.added": ("增加人员", "person added to the staff"),
            "kin.declared": ("申报亲属", "relative declared"),
            "account.added": ("增加账号", "account added"),
            "account.enabled": ("启用账号", "account enabled"),
            "account.disabled": ("停用账号", "account disabled"),
            "account.password_set": ("设置密码", "password set"),
            "account.password_reset": ("发放一次性密码", "one-time password given"),
            "account.second_factor_reset": ("重置动态口令", "second factor reset"),
            "role.asked": ("申请岗位", "role asked for"),
            "role.granted": ("批准岗位", "role granted"),
            "role.refused": ("不批准岗位", "role refused"),
            "role.ended": ("终止岗位", "role ended"),
            "limit.asked": ("申请核定限额", "limit asked for"),
            "limit.granted": ("批准核定限额", "limit granted"),
            "limit.refused": ("不批准核定限额", "limit refused"),
            "limit.ended": ("终止核定限额", "limit ended"),
        },
    ),
    (
        ("审计与个人信息", "Trail and personal data"),
        {
            "trail.verify_asked": ("申请验证审计链", "verification asked for"),
            "trail.verified": ("验证审计链", "trail verified"),
            "trail.anchors_begun": ("重新开始锚定文件", "anchor file begun anew"),
            "trail.exported": ("命令行导出审计链", "trail exported by command"),
            "access.limit_reached": ("完整查看已达当日上限", "daily limit of full views reached"),
            "disclosure.erased": ("查看说明到期清除", "note of a full view erased at the end of its term"),
            "export.asked": ("申请导出", "export asked for"),
            "export.approved": ("批准导出", "export approved"),
            "export.refused": ("不批准导出", "export refused"),
            "export.taken": ("导出", "exported"),
            "export.lapsed": ("导出批准失效", "approval of an export lapsed"),
            "export.erased": ("导出说明到期清除", "note of an export erased at the end of its term"),
            "hold.set": ("设置法律保全", "legal hold set"),
            "hold.lifted": ("解除法律保全", "legal hold lifted"),
            "hold.erased": ("保全理由到期清除", "reason of a hold erased at the end of its term"),
            "erasure.asked": ("申请到期清除", "erasure asked for"),
            "erasure.approved": ("批准到期清除", "erasure approved"),
            "erasure.refused": ("不批准到期清除", "erasure refused"),
            "erasure.finished": ("到期清除完成", "erasure finished"),
            "keys.rotation_started": ("开始轮换密钥", "rotation of keys started"),
            "keys.rotated": ("密钥轮换完成", "keys rotated"),
            "log.forgotten": ("删除过期记录", "records past their term deleted"),
            "keys.retired": ("停用旧密钥", "former key retired"),
            "keys.restored": ("找回旧密钥", "retired key brought back"),
            "assessment.recorded": ("登记影响评估", "impact assessment recorded"),
        },
    ),
    (("系统", "System"), {"job.asked_again": ("重试后台任务", "job asked for again")}),
)
"""Every action that the program records, grouped as the search offers them."""

ACTIONS: Mapping[str, Pair] = {
    action: words for _title, actions in GROUPS for action, words in actions.items()
}

SUBJECTS: Mapping[str, Pair] = {
    "account": ("账号", "account"),
    "api_token": ("令牌", "token"),
    "bank_file": ("银行文件", "bank file"),
    "batch": ("批次", "batch"),
    "claim": ("案件", "claim"),
    "claims_export": ("案件清单", "list of claims"),
    "cover": ("保障", "cover"),
    "decision": ("审核结论", "decision"),
    "determination_limit": ("核定限额", "limit"),
    "disclosure": ("完整查看", "full view"),
    "document_number": ("文书编号", "document number"),
    "export": ("导出", "export"),
    "fund_receipt": ("到账资金", "money received"),
    "household": ("家庭", "household"),
    "feed_upload": ("部门上传文件", "department's upload"),
    "comparison_run": ("比对", "comparison"),
    "comparison_list": ("审计名单", "auditor's list"),
    "clearance": ("核查澄清", "clearance"),
    "bank_account": ("收款账户", "account"),
    "income": ("家庭收入", "income"),
    "membership": ("家庭成员", "membership"),
    "person_category": ("人员类别", "category"),
    "person_name": ("姓名登记", "name"),
    "proposal": ("户籍变更申请", "proposal"),
    "relative": ("监护人或继承人", "guardian or heir"),
    "residence": ("住址", "residence"),
    "registry_task": ("登记待核事项", "task of the register"),
    "feed_delivery": ("部门数据", "department's data"),
    "impact_assessment": ("影响评估", "impact assessment"),
    "issued_document": ("文书", "document"),
    "job": ("后台任务", "job"),
    "key_check": ("密钥", "key"),
    "legal_hold": ("法律保全", "legal hold"),
    "pack_intake": ("入库县包", "pack taken in"),
    "pack_upload": ("县包", "pack"),
    "payable": ("应付赔款", "payable"),
    "payment": ("付款", "payment"),
    "person": ("参保人", "insured person"),
    "policy": ("保单", "policy"),
    "review": ("复查", "review"),
    "role_grant": ("岗位", "role"),
    "staff_member": ("人员", "staff member"),
    "standard": ("标准", "standards"),
    "recognition": ("识别认定", "recognition"),
    "measure": ("帮扶措施", "measure"),
    "cover_certificate": ("保险凭证", "certificate of cover"),
    "trail": ("审计链", "trail"),
    "trail_check": ("验证", "verification"),
    "upkeep": ("密钥与清除", "upkeep"),
    "village_notice": ("公示表", "village notice"),
    "warning_case": ("预警案件", "warning"),
    "web_session": ("会话", "session"),
}
"""What the things are called that events are about, by their tables."""

ASSURANCES: Mapping[str, Pair] = {
    Assurance.PROGRAM: ("程序", "the program"),
    Assurance.PASSWORD: ("密码", "password"),
    Assurance.SECOND_FACTOR: ("密码+动态口令", "password and code"),
    Assurance.STEP_UP: ("动态口令再次验证", "fresh code"),
    Assurance.TOKEN: ("API 令牌", "API token"),
    Assurance.RUN_STANDS_IN: ("命令行演示代办", "the demo run stood in"),
}
"""How surely the person was known."""

PROGRAM: Mapping[str, Pair] = {
    "system": ("系统", "the system"),
    "system-setup": ("系统安装", "the installation"),
    "command-line": ("命令行", "the command line"),
    "installation": ("系统安装", "the installation"),
}
"""Who is no natural person but acts all the same: the program, and whoever may start it on the machine."""


def action_words(action: str) -> Pair:
    """An action; one that no version of this program records shows its bare name."""
    return ACTIONS.get(action, (action, action))


def subject_words(subject: str) -> Pair:
    """The kind of thing that an event is about."""
    return SUBJECTS.get(subject, (subject, subject))


def role_words(role: str) -> Pair:
    """A role that an event names."""
    return ROLE_NAMES[Role(role)] if role in Role.__members__ else (role, role)
