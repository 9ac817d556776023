"""Background work that a page waits for, in words: which step it is at, or what went wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foundation.job_troubles import trouble
from foundation.jobs import MOST_ATTEMPTS, Job
from foundation.web.language import _, pick


@dataclass(frozen=True, slots=True)
class Work:
    """The background work on a thing, for its page."""

    text: str
    done: int
    total: int
    failed: bool = False
    trouble: str = ""


def work_on(job: Job | None, steps: Sequence[str]) -> Work:
    """How far a job is, by the names of its steps; a job that counts further stays at the last one."""
    if job is not None and job.state == "failed":
        return Work("", 0, 0, failed=True, trouble=_trouble(job))
    done, total = (0, 0) if job is None else (job.progress_done or 0, job.progress_total or 0)
    if job is None or job.state == "waiting":
        return Work(_("排队中,马上开始"), done, total)
    return Work(steps[min(done, len(steps) - 1)], done, total or len(steps))


def _trouble(job: Job) -> str:
    """What went wrong with a job, in words, and whether it comes again by itself."""
    again = "" if job.attempts >= MOST_ATTEMPTS else _("系统稍后会自动重试,也可以现在重试。")
    return f"{pick(*trouble(job.error_code))} {again}".strip()
