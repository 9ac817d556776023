"""The page of background work: what is shown to whom, filters, pages, and asking again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from foundation import jobs
from foundation.jobs import Job
from tests.webapp.conftest import Web, post


def made(
    web: Web, count: int, kind: str = "letter", state: str = "waiting", code: str | None = None
) -> list[str]:
    """Jobs in a state, each a second older than the one before."""
    with web.database.transaction() as session:
        ids = jobs.ask_for(session, kind, [f"{kind}-{state}-{n}" for n in range(count)], web.clock.at)
        for number, job_id in enumerate(ids):
            job = session.get_one(Job, job_id)
            job.state, job.error_code, job.changed_at = state, code, web.clock.at - timedelta(seconds=number)
            job.attempts = 2 if state == "failed" else 0
    return ids


def test_jobs_are_shown_with_kind_state_and_error_in_words(web: Web) -> None:
    made(web, 1, "pack.check", "failed", "worker_lost")
    made(web, 1, "bank_files", "running")
    admin = web.sign_in("SYS_ADMIN")
    page = admin.get("/jobs").get_data(as_text=True)
    for word in ("检查县包", "失败", "任务进程多次中止", "导出银行文件", "进行中"):
        assert word in page
    assert "/packs/" not in page.partition("<main")[2], "an administrator opens no pack"
    english = web.sign_in("SYS_ADMIN")
    english.set_cookie("fangpin_language", "en", domain="localhost")
    assert "check a county pack" in english.get("/jobs").get_data(as_text=True)


def test_who_may_open_the_subject_gets_its_link(web: Web) -> None:
    made(web, 1, "pack.check", "done")
    made(web, 1, "bank_files", "done")
    officer = web.sign_in("CLAIM_OFFICER").get("/jobs").get_data(as_text=True)
    maker = web.sign_in("FIN_MAKER").get("/jobs").get_data(as_text=True)
    assert "/packs/pack.check-done-0" in officer and "/payments/bank_files" not in officer
    assert "/payments/bank_files-done-0" in maker and "/packs/pack.check" not in maker


def test_filters_and_pages_cover_every_job_once(web: Web) -> None:
    wanted = made(web, 120, "letter", "done")
    made(web, 5, "letter", "failed", "fault")
    made(web, 3, "pack.check", "done")
    admin = web.sign_in("SYS_ADMIN")
    seen: list[str] = []
    url = "/jobs?kind=letter&state=done"
    while url:
        page = admin.get(url).get_data(as_text=True)
        seen += [job_id for job_id in wanted if f'<span class="note">{job_id[:8]}</span>' in page]
        assert "失败" not in page.partition("<tbody>")[2].partition("</tbody>")[0]
        found = page.partition('rel="next" href="')[2].partition('"')[0]
        url = found.replace("&amp;", "&")
    assert seen == wanted


def test_a_failed_job_is_asked_again_by_an_administrator_only(web: Web) -> None:
    (failed,) = made(web, 1, "letter", "failed", "fault")
    officer, admin = web.sign_in("CLAIM_OFFICER"), web.sign_in("SYS_ADMIN")
    assert "/again" not in officer.get("/jobs").get_data(as_text=True)
    assert post(officer, f"/jobs/{failed}/again").status_code == 403
    assert f"/jobs/{failed}/again" in admin.get("/jobs").get_data(as_text=True)
    assert post(admin, f"/jobs/{failed}/again").status_code == 303
    with web.database.reading() as session:
        assert session.scalars(select(Job.state)).one() == "waiting"
    assert post(admin, f"/jobs/{failed}/again").status_code == 409
    assert post(admin, "/jobs/none/again").status_code == 404


@pytest.mark.parametrize(
    "query", ["?state=lost", "?kind=x", "?sort=id", "?cursor=***", "?state=done&state=failed"]
)
def test_a_wrong_query_is_refused(web: Web, query: str) -> None:
    assert web.sign_in("SYS_ADMIN").get(f"/jobs{query}").status_code == 400


def test_an_empty_list_says_so(web: Web) -> None:
    assert "没有后台任务" in web.sign_in("SYS_ADMIN").get("/jobs").get_data(as_text=True)


def test_the_list_costs_the_same_for_many_jobs(web: Web) -> None:
    from sqlalchemy import event

    admin = web.sign_in("SYS_ADMIN")
    statements: list[str] = []
    event.listen(web.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for more in (1, 60):
        made(web, more, "letter", "done" if more == 1 else "waiting")
        statements.clear()
        assert admin.get("/jobs").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
