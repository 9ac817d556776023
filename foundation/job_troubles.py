"""What the errors of background work mean for whoever waits for it, as (Chinese, English) by the error's code. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

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
