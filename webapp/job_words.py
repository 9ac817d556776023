"""Background work in words: its kinds and its states. What its errors mean says `foundation.job_troubles`."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]
"""Chinese and English."""

KIND_NAMES: Mapping[str, Pair] = {
    "keys.rotate": ("轮换密钥", "rotate the keys"),
    "pack.check": ("检查县包", "check a county pack"),
    "pack.take_in": ("县包入库", "take in a county pack"),
    "feed.check": ("检查部门数据", "check a department's file"),
    "feed.take_in": ("部门数据入库", "take in a department's file"),
    "feed.warn": ("部门数据预警", "warn from a department's file"),
    "claim_form": ("打印免填单", "print a pre-filled claim form"),
    "feed.recheck": ("按部门数据复查案件", "look again at claims after a department's file"),
    "household.recheck": ("按户籍变更复查案件", "look again at claims after a change of the register"),
    "claims.owed": ("计算应赔未赔", "work out what is owed and not claimed"),
    "warning.link": ("预警与案件对接", "match warnings with claims"),
    "comparison.run": ("一站式比对", "compare with the departments' data"),
    "bank_files": ("导出银行文件", "export bank files"),
    "letter": ("打印通知书", "print a decision letter"),
    "calculation_sheet": ("打印赔款计算书", "print a calculation sheet"),
    "trail.verify": ("验证审计链", "verify the trail"),
    "village_notice": ("出具村内公示表", "issue a village notice"),
    "cover_certificate": ("出具保险凭证", "issue certificates of cover"),
    "retention.erase": ("清除到期的个人信息", "erase personal data past its term"),
}
STATE_NAMES: Mapping[str, Pair] = {
    "waiting": ("排队", "waiting"),
    "running": ("进行中", "running"),
    "done": ("完成", "done"),
    "failed": ("失败", "failed"),
}
STATE_KINDS: Mapping[str, str] = {"waiting": "neutral", "running": "info", "done": "ok", "failed": "bad"}
