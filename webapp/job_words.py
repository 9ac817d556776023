"""Background work in words: its kinds, its states, and what its errors mean for whoever waits for it."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]
"""Chinese and English."""

KIND_NAMES: Mapping[str, Pair] = {
    "keys.rotate": ("轮换密钥", "rotate the keys"),
    "pack.check": ("检查县包", "check a county pack"),
    "pack.take_in": ("县包入库", "take in a county pack"),
    "bank_files": ("导出银行文件", "export bank files"),
    "letter": ("打印通知书", "print a decision letter"),
    "calculation_sheet": ("打印赔款计算书", "print a calculation sheet"),
    "trail.verify": ("验证审计链", "verify the trail"),
    "village_notice": ("出具村内公示表", "issue a village notice"),
    "retention.erase": ("清除到期的个人信息", "erase personal data past its term"),
}
STATE_NAMES: Mapping[str, Pair] = {
    "waiting": ("排队", "waiting"),
    "running": ("进行中", "running"),
    "done": ("完成", "done"),
    "failed": ("失败", "failed"),
}
STATE_KINDS: Mapping[str, str] = {"waiting": "neutral", "running": "info", "done": "ok", "failed": "bad"}

_TROUBLES: Mapping[str, Pair] = {
    "database": ("数据库暂时无法使用。", "The database was not available."),
    "configuration": (
        "存档文件或密钥无法打开,请联系系统管理员。",
        "A stored file or the key does not open: tell the system administrator.",
    ),
    "worker_lost": (
        "任务进程多次中止,多半因文件过大;请把文件分成几份,或联系系统管理员。",
        "Its worker ended each time, most likely over too large a file: split it, or tell the system administrator.",
    ),
    "unusable_input": (
        "文件现在无法读取,请作废后重新上传。",
        "The files cannot be read now: discard them and upload them again.",
    ),
    "erased": (
        "个人信息已按保存期限清除,无法再出具;存档编号和摘要仍在。",
        "The personal data was erased at the end of its term: it cannot be issued any more; number and digest remain.",
    ),
    "conflict": (
        "内容已被他人改动,请核对后重试。",
        "Somebody changed it meanwhile: look at it, then try again.",
    ),
}
_OTHER: Pair = (
    "办理中出错,未作任何变动;仍不成功请联系系统管理员。",
    "It failed and nothing was changed; if it fails again, tell the system administrator.",
)


def trouble(code: str | None) -> Pair:
    """What the error code of a job means, and what to do."""
    return _TROUBLES.get(code or "", _OTHER)
