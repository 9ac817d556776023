"""Departments' files: read block by block, looked at, taken in once or not at all, whoever is quicker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from foundation.actors import Actor, Assurance, Role
from foundation.blobs import BlobStore
from foundation.clock import FixedClock
from foundation.database import Database
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound, UnusableInput
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from foundation.runtime import Runtime, set_current
from foundation.sealing import Sealer
from foundation.spreadsheets import write_workbook
from foundation.trail.events import Event
from households import feed_files
from households.feed_files import feed_error_workbook
from households.feed_preview import FeedPreview, Shrunk
from households.layouts import uploaded_layouts
from households.models.feeds import DEPARTMENT, FeedDelivery, FeedRow, FeedUpload
from households.queries.feed_uploads import (
    deliveries_of,
    feed_states,
    file_of,
    late_feeds,
    open_uploads,
    preview_of,
    upload_by_id,
    upload_for,
)
from households.services import feed_uploads
from households.services.feed_uploads import Sent
from households.tasks import check_feed, take_in_feed
from tests.staffing import id_number_of

AT = datetime.fromisoformat("2021-02-20T04:00:00+00:00")
MEDINS = Actor("person-1", "account-1", Role.DEPARTMENT, "370323", "医保", Assurance.PASSWORD, "MEDINS")
COLLEAGUE = Actor("person-2", "account-2", Role.DEPARTMENT, "370323", "医保二", Assurance.PASSWORD, "MEDINS")
HEALTH = Actor("person-3", "account-3", Role.DEPARTMENT, "370323", "卫健", Assurance.PASSWORD, "HEALTH")
CERTIFIER = Actor("person-4", "account-4", Role.CENTER_CERTIFIER, "370323", "核验", Assurance.PASSWORD)
AUDITOR = Actor("person-5", "account-5", Role.AUDITOR, "370323", "审计", Assurance.PASSWORD)
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")


def medical(*numbers: int, header: bool = True, **wrong: str) -> bytes:
    """A file of settlements; `wrong` is a value for a column of the first row."""
    columns = [column.name for column in uploaded_layouts()["medical"].columns]
    lines = [",".join(columns)] if header else []
    for place, number in enumerate(numbers):
        row = {
            "结算单号": f"YB{number:06d}",
            "身份证号": id_number_of(f"病人{number}"),
            "姓名": "王秀英",
            "结算日期": "2021-01-05",
            "医疗总费用": "12000.00",
            "基本医保支付": "7000.00",
            "大病保险支付": "0.00",
            "医疗救助支付": "0.00",
        }
        row |= wrong if place == 0 else {}
        lines.append(",".join(row.values()))
    return "\r\n".join([*lines, ""]).encode("gb18030")


@dataclass
class Desk:
    """A database with a store of files, and the surroundings of tasks."""

    database: Database
    sealer: Sealer
    store: BlobStore

    def upload(
        self,
        content: bytes,
        actor: Actor = MEDINS,
        feed: str = "medical",
        mode: str = "addition",
        **more: Any,
    ) -> str:
        layout = uploaded_layouts()[feed]
        as_of = more.pop("as_of", date(2021, 1, 31))
        file = feed_uploads.receive(self.store, layout, content)
        with self.database.transaction() as session:
            sent = Sent(layout, mode, as_of)
            return feed_uploads.record_upload(session, self.sealer, actor, AT, sent, file, **more)

    def work(self) -> None:
        """Carries out what waits, as a worker does."""
        for kind, task in (("feed.check", check_feed), ("feed.take_in", take_in_feed)):
            with self.database.reading() as session:
                ids = list(session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "waiting")))
            task(*ids)

    def ask(self, upload_id: str, actor: Actor = MEDINS, *, confirmed: bool = False) -> None:
        with self.database.transaction() as session:
            feed_uploads.ask_take_in(session, self.sealer, actor, AT, upload_id, confirmed=confirmed)

    def taken_in(self, content: bytes, **more: Any) -> str:
        """The id of an upload that went all the way."""
        upload_id = self.upload(content, **more)
        self.work()
        self.ask(upload_id)
        self.work()
        return upload_id

    def row(self, upload_id: str) -> FeedUpload:
        with self.database.reading() as session:
            return upload_by_id(session, upload_id)

    def preview(self, upload_id: str) -> FeedPreview:
        return preview_of(self.sealer, self.row(upload_id))

    def now_there(self, feed: str = "medical") -> int:
        with self.database.reading() as session:
            mine = (FeedRow.feed == feed) & (FeedRow.scope == DEPARTMENT) & FeedRow.retired_at.is_(None)
            return session.scalar(select(func.count()).select_from(FeedRow).where(mine)) or 0

    def deliveries(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(FeedDelivery)) or 0


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    store = BlobStore(tmp_path / "files", sealer)
    set_current(Runtime(database, sealer, FixedClock(AT), SYSTEM, files=store))
    yield Desk(database, sealer, store)
    database.close()


# --- reading -----------------------------------------------------------------------------------------


def read(path: Path, feed: str = "medical") -> tuple[list[Sequence[Any]], int]:
    with feed_files.open_feed(path, uploaded_layouts()[feed]) as blocks:
        found = list(blocks)
    return [row for block in found for row in block.rows], sum(len(block.errors) for block in found)


def test_a_csv_and_a_workbook_of_the_same_rows_are_read_alike(tmp_path: Path) -> None:
    content = medical(*range(600))
    (tmp_path / "a").write_bytes(content)
    lines = [line.split(",") for line in content.decode("gb18030").splitlines()]
    title = [["2021年1月医保结算"], *lines]
    (tmp_path / "b").write_bytes(write_workbook({"说明与数据": title, "第二张": [["无关"]]}))
    plain, workbook = read(tmp_path / "a"), read(tmp_path / "b")
    assert plain == workbook
    assert len(plain[0]) == 600 and plain[1] == 0


def test_a_workbook_without_a_sheet_of_the_columns_is_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(write_workbook({"表": [["身份证号", "姓名"]]}))
    with pytest.raises(UnusableInput, match="缺少列"):
        read(tmp_path / "a")


def test_a_utf8_csv_is_told_to_be_saved_anew(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(medical(1).decode("gb18030").encode("utf-8"))
    with pytest.raises(UnusableInput, match="GB18030"):
        read(tmp_path / "a")


def test_a_file_with_too_many_refused_cells_is_refused_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "MOST_REFUSED", 300)
    rows = "\r\n".join(["YB1,1,王,2021-01-05,1,1,1,1"] * 301)
    (tmp_path / "a").write_bytes(medical() + rows.encode("gb18030"))
    with pytest.raises(UnusableInput, match="超过 300 处"):
        read(tmp_path / "a")
    (tmp_path / "b").write_bytes(medical() + "\r\n".join(rows.split("\r\n")[:300]).encode("gb18030"))
    assert read(tmp_path / "b") == ([], 300)


def test_the_error_workbook_has_the_faulty_row_of_a_workbook_with_a_title(tmp_path: Path) -> None:
    lines = [line.split(",") for line in medical(1, 2, 医疗总费用="一万").decode("gb18030").splitlines()]
    (tmp_path / "a").write_bytes(write_workbook({"表": [["标题"], *lines]}))
    layout = uploaded_layouts()["medical"]
    with feed_files.open_feed(tmp_path / "a", layout) as blocks:
        errors = [error for block in blocks for error in block.errors]
    assert [(error.row, error.column, error.code) for error in errors] == [(3, "医疗总费用", "amount")]
    book = feed_error_workbook(tmp_path / "a", layout, errors, "zh")
    assert [row[0] for row in book.sheets["医保结算"][1:]] == ["3"]


# --- looked at, taken in -----------------------------------------------------------------------------


def test_a_file_is_looked_at_shown_and_taken_in_as_whoever_asked(desk: Desk) -> None:
    upload_id = desk.upload(medical(1, 2, 3, 医疗总费用="一万"))
    assert desk.row(upload_id).state == "checking"
    desk.work()
    preview = desk.preview(upload_id)
    assert desk.row(upload_id).state == "ready" and preview.found is not None
    assert (preview.found.rows, preview.found.new, preview.found.same, preview.found.gone) == (2, 2, 0, 0)
    assert [(cell.row, cell.column, cell.code) for cell in preview.refused] == [(2, "医疗总费用", "amount")]
    number = id_number_of("病人2")
    assert preview.found.first[0][1:3] == (f"{number[:6]}********{number[14:]}", "王某某")
    assert desk.now_there() == 0, "looking takes nothing in"
    desk.ask(upload_id, CERTIFIER)
    desk.work()
    done = desk.row(upload_id)
    assert (done.state, desk.now_there(), desk.deliveries()) == ("taken_in", 2, 1)
    taken = desk.preview(upload_id).taken_in
    assert taken is not None and (taken.unchanged, taken.rows, taken.added) == (False, 2, 2)
    with desk.database.reading() as session:
        delivery = session.scalars(select(FeedDelivery)).one()
        events = {row.action: row.body for row in session.scalars(select(Event))}
        files = set(session.scalars(select(Job.state).where(Job.kind.startswith("feed.check"))))
    assert (delivery.id, delivery.refused_cells, delivery.as_of) == (done.delivery_id, 1, date(2021, 1, 31))
    assert '"person":"person-1"' in events["feed.uploaded"]
    assert '"person":"person-4"' in events["feed.taken_in"]
    assert files == {"done"}
    assert list((desk.store.folder / "work").iterdir()) == [], "no plain copy stays"


def test_what_the_preview_says_of_a_full_list_is_what_taking_it_in_does(desk: Desk) -> None:
    desk.taken_in(medical(*range(10)), mode="full")
    upload_id = desk.upload(medical(*range(3, 12), 4, 11), mode="full", as_of=date(2021, 2, 10))
    desk.work()
    found = desk.preview(upload_id).found
    assert found is not None and (found.rows, found.new, found.same, found.gone) == (11, 2, 7, 3)
    assert found.twice == 2
    desk.ask(upload_id)
    desk.work()
    taken = desk.preview(upload_id).taken_in
    assert taken is not None and (taken.added, taken.retired, desk.now_there()) == (2, 3, 9)


def test_the_same_file_again_changes_nothing_and_says_so(desk: Desk) -> None:
    desk.taken_in(medical(1, 2))
    again = desk.upload(medical(1, 2), COLLEAGUE)
    desk.work()
    found = desk.preview(again).found
    assert found is not None and found.same_file and (found.new, found.same) == (0, 2)
    desk.ask(again, COLLEAGUE)
    desk.work()
    taken = desk.preview(again).taken_in
    assert desk.row(again).state == "taken_in" and taken is not None and taken.unchanged
    assert (desk.deliveries(), desk.now_there()) == (1, 2)


def test_the_same_rows_as_of_a_later_day_are_news_of_that_day_only(desk: Desk) -> None:
    desk.taken_in(medical(1, 2), mode="full")
    later = desk.taken_in(medical(1, 2), mode="full", as_of=date(2021, 2, 10))
    taken = desk.preview(later).taken_in
    assert taken is not None and (taken.unchanged, taken.added, taken.retired) == (False, 0, 0)
    assert (desk.deliveries(), desk.now_there()) == (2, 2)


def test_an_unusable_file_says_why_and_can_only_be_thrown_away(desk: Desk) -> None:
    upload_id = desk.upload(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook")
    desk.work()
    assert desk.row(upload_id).state == "unusable" and desk.preview(upload_id).faults
    with pytest.raises(ConflictError, match="unusable"):
        desk.ask(upload_id)
    with desk.database.transaction() as session:
        feed_uploads.discard(session, MEDINS, AT, upload_id)
    assert desk.row(upload_id).state == "discarded"


def test_an_empty_file_is_refused_at_once_and_one_with_a_header_alone_is_data(desk: Desk) -> None:
    with pytest.raises(UnusableInput, match="empty"):
        desk.upload(b" \r\n")
    upload_id = desk.taken_in(medical())
    taken = desk.preview(upload_id).taken_in
    assert taken is not None and (taken.rows, desk.deliveries()) == (0, 1)


def test_a_list_below_half_of_the_last_one_waits_for_an_explicit_word(desk: Desk) -> None:
    desk.taken_in(medical(*range(10)), mode="full")
    half = desk.upload(medical(*range(5)), mode="full", as_of=date(2021, 2, 1))
    less = desk.upload(medical(*range(4)), mode="full", as_of=date(2021, 2, 2))
    more_rows = desk.upload(medical(77), as_of=date(2021, 2, 3))
    desk.work()
    shrunk = [found.shrunk for found in (desk.preview(one).found for one in (half, less, more_rows)) if found]
    assert shrunk == [None, Shrunk(10, 4), None]
    with pytest.raises(ConflictError, match="less than half"):
        desk.ask(less)
    desk.ask(less, confirmed=True)
    desk.work()
    assert (desk.row(less).state, desk.now_there()) == ("taken_in", 4)


def test_a_list_that_came_to_be_below_half_meanwhile_goes_back_to_its_people(desk: Desk) -> None:
    short = desk.upload(medical(*range(3)), mode="full", as_of=date(2021, 2, 2))
    desk.work()
    desk.taken_in(medical(*range(10)), mode="full")
    desk.ask(short)
    desk.work()
    found = desk.preview(short).found
    assert found is not None and found.shrunk == Shrunk(10, 3)
    assert (desk.row(short).state, desk.now_there()) == ("ready", 10)
    desk.ask(short, confirmed=True)
    desk.work()
    assert (desk.row(short).state, desk.now_there()) == ("taken_in", 3)


def test_a_list_older_than_the_newest_is_held_back_with_the_reason(desk: Desk) -> None:
    old = desk.upload(medical(1, 2), mode="full", as_of=date(2021, 1, 1))
    desk.work()
    desk.taken_in(medical(1, 2, 3), mode="full", as_of=date(2021, 1, 31))
    desk.ask(old)
    desk.work()
    assert desk.row(old).state == "ready" and "2021-01-31" in desk.preview(old).faults[0].zh
    assert (desk.now_there(), desk.deliveries()) == (3, 1)


def test_a_program_s_file_goes_in_by_itself_unless_a_person_ought_to_see_it(desk: Desk) -> None:
    good = desk.upload(medical(*range(10)), mode="full", take_in=True)
    desk.work()
    assert desk.row(good).state == "taken_in"
    faulty = desk.upload(
        medical(*range(9), 医疗总费用="x"), mode="full", as_of=date(2021, 2, 1), take_in=True
    )
    short = desk.upload(medical(1), mode="full", as_of=date(2021, 2, 2), take_in=True)
    broken = desk.upload(b"nothing", mode="full", as_of=date(2021, 2, 3), take_in=True)
    desk.work()
    assert [desk.row(one).state for one in (faulty, short, broken)] == ["ready", "ready", "unusable"]
    assert desk.now_there() == 10


# --- whose -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", [HEALTH, AUDITOR, SYSTEM], ids=lambda actor: actor.account)
def test_only_the_department_itself_and_the_certifier_send_a_feed(desk: Desk, actor: Actor) -> None:
    with pytest.raises(NotAllowedError):
        desk.upload(medical(1), actor)
    upload_id = desk.upload(medical(1), CERTIFIER)
    desk.work()
    with pytest.raises(NotAllowedError):
        desk.ask(upload_id, actor)
    for step in (feed_uploads.discard, feed_uploads.ask_again):
        with pytest.raises(NotAllowedError), desk.database.transaction() as session:
            step(session, actor, AT, upload_id)
    assert desk.row(upload_id).state == "ready"


def test_another_department_s_upload_does_not_exist(desk: Desk) -> None:
    upload_id = desk.upload(medical(1))
    with desk.database.reading() as session:
        assert upload_for(session, AUDITOR, upload_id).id == upload_id
        for actor, identity in ((HEALTH, upload_id), (MEDINS, "0" * 32)):
            with pytest.raises(NotFound):
                upload_for(session, actor, identity)


def test_a_day_to_come_or_an_unknown_mode_is_refused(desk: Desk) -> None:
    for wrong in ({"as_of": date(2021, 2, 21)}, {"mode": "absent"}):
        with pytest.raises(InvalidInput):
            desk.upload(medical(1), **wrong)


def test_the_name_that_a_file_had_is_kept_nowhere(desk: Desk) -> None:
    assert file_of(desk.row(desk.upload(medical(1)))).name == "medical.csv"


# --- two at once, and killed -------------------------------------------------------------------------


def both(desk: Desk, first: Any, second: Any) -> list[str]:
    """What two steps at the same moment come to."""
    barrier, results = threading.Barrier(2), []

    def take(step: Any) -> None:
        barrier.wait()
        try:
            step()
            results.append("done")
        except ConflictError as error:
            results.append(error.zh)

    threads = [threading.Thread(target=take, args=(step,)) for step in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


def test_of_two_who_take_in_one_upload_one_wins_and_the_other_is_told(desk: Desk) -> None:
    upload_id = desk.upload(medical(1, 2))
    desk.work()
    found = both(desk, lambda: desk.ask(upload_id), lambda: desk.ask(upload_id, COLLEAGUE))
    assert found[0] == "done" and "入库中" in found[1]
    desk.work()
    assert (desk.deliveries(), desk.now_there()) == (1, 2)


def test_of_two_who_upload_one_file_at_once_one_brings_it_in_and_the_other_is_told(desk: Desk) -> None:
    uploads = [desk.upload(medical(*range(300)), actor) for actor in (MEDINS, COLLEAGUE)]
    desk.work()
    for upload_id in uploads:
        desk.ask(upload_id)
    with desk.database.reading() as session:
        ids = list(session.scalars(select(Job.id).where(Job.kind == "feed.take_in")))
    both(desk, lambda: take_in_feed(ids[0]), lambda: take_in_feed(ids[1]))
    taken = [desk.preview(upload_id).taken_in for upload_id in uploads]
    assert sorted(one.unchanged for one in taken if one) == [False, True]
    assert (desk.deliveries(), desk.now_there()) == (1, 300)


def test_two_feeds_taken_in_at_once_are_both_in(desk: Desk) -> None:
    ids = [
        desk.upload(medical(*range(300))),
        desk.upload("身份证号,姓名,死亡日期\r\n".encode("gb18030"), CERTIFIER, "deaths"),
    ]
    desk.work()
    for upload_id in ids:
        desk.ask(upload_id, CERTIFIER)
    with desk.database.reading() as session:
        jobs = list(session.scalars(select(Job.id).where(Job.kind == "feed.take_in")))
    assert both(desk, lambda: take_in_feed(jobs[0]), lambda: take_in_feed(jobs[1])) == ["done", "done"]
    assert [desk.row(one).state for one in ids] == ["taken_in", "taken_in"]


def test_a_job_that_is_done_twice_takes_in_once(desk: Desk) -> None:
    upload_id = desk.taken_in(medical(1, 2))
    with desk.database.transaction() as session:
        for job in session.scalars(select(Job).where(Job.kind.startswith("feed."))):
            job.state = "waiting"
    desk.work()
    assert (desk.row(upload_id).state, desk.deliveries(), desk.now_there()) == ("taken_in", 1, 2)


_KILLED = """
import sys, time
from itertools import chain
from pathlib import Path
from foundation.blobs import BlobStore
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.keyfile import open_sealer
from households.services import feed_checking

url, key, files, upload_id, job_id = sys.argv[1:]
database = Database(url)
with database.transaction() as session:
    sealer = open_sealer(session, Path(key))
real = feed_checking.take_in_delivery

def dying(session, sealer, actor, at, delivery, rows):
    def half():
        for number, row in enumerate(rows):
            if number == 5000:
                print("half", flush=True)
                time.sleep(300)
            yield row
    return real(session, sealer, actor, at, delivery, half())

feed_checking.take_in_delivery = dying
store = BlobStore(Path(files), sealer)
feed_checking.take_in_upload(database, sealer, store, SystemClock(), upload_id, job_id, lambda done, total: None)
"""


def test_killed_half_way_it_leaves_nothing_half_and_goes_in_whole_the_next_time(
    desk: Desk, tmp_path: Path
) -> None:
    upload_id = desk.upload(medical(*range(7000)))
    desk.work()
    desk.ask(upload_id)
    with desk.database.reading() as session:
        job_id = session.scalars(select(Job.id).where(Job.kind == "feed.take_in")).one()
    arguments = [desk.database.url, str(tmp_path / "key"), str(desk.store.folder), upload_id, job_id]
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, *arguments],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (desk.now_there(), desk.deliveries(), desk.row(upload_id).state) == (0, 0, "taking_in")
    assert desk.store.clear_left_behind() == 1, "its plain copy is cleared"
    desk.work()
    assert (desk.now_there(), desk.deliveries(), desk.row(upload_id).state) == (7000, 1, "taken_in")


# --- how feeds stand ---------------------------------------------------------------------------------


def test_a_department_that_sent_in_time_is_not_late_and_the_others_are(desk: Desk) -> None:
    desk.taken_in(medical(1))
    with desk.database.reading() as session:
        (state,) = feed_states(session, [uploaded_layouts()["medical"]], date(2021, 2, 20))
        late = {one.layout.feed for one in late_feeds(session, date(2021, 2, 20))}
        later = {one.layout.feed: one.late_days for one in late_feeds(session, date(2021, 3, 13))}
        history = deliveries_of(session, "medical", None, 10).rows
    assert state.last is not None and state.as_of == date(2021, 1, 31) and not state.in_pack
    assert state.standing is not None and state.standing.due_on == date(2021, 3, 10)
    assert "medical" not in late and {"deaths", "payroll", "disability"} <= late
    assert later["medical"] == 3
    assert len(history) == 1


def test_uploads_that_wait_are_listed_and_those_that_are_done_are_not(desk: Desk) -> None:
    waiting = desk.upload(medical(1))
    desk.taken_in(medical(2))
    with desk.database.reading() as session:
        assert [row.id for row in open_uploads(session, ["medical"])] == [waiting]
        assert open_uploads(session, ["deaths"]) == []
