"""Uploaded packs: what is recognised, what is refused, how they are checked and taken in, and who wins."""

from __future__ import annotations

import csv
import io
import stat
import struct
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from claims.models import ClaimRow, DecisionRow, PackIntake, PackUpload
from claims.queries.uploads import blobs_in_use, files_of, job_of, preview_of, upload_by_id
from claims.services import uploads
from claims.tasks import check_pack, take_in_pack
from claims.uploaded_files import MOST_FILES, sort_files
from foundation.actors import Actor, Assurance, Role
from foundation.blobs import BlobStore
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.errors import ConflictError, NotFound, UnusableInput
from foundation.jobs import Job
from foundation.keyfile import open_sealer
from foundation.runtime import Runtime, set_current
from foundation.sealing import Sealer
from foundation.trail.events import Event

OFFICER = Actor("person-1", "account-1", Role.CLAIM_OFFICER, "370323", "李明", Assurance.PASSWORD)
OTHER = Actor("person-2", "account-2", Role.CENTER_CERTIFIER, "370323", "王芳", Assurance.PASSWORD)
SYSTEM = Actor("system", "system", Role.SYSTEM, "370323", "系统")

OF_PACKS = select(Job.state).where(Job.kind.startswith("pack."))
"""What the feeds of a pack set off is another matter."""


def contents(pack: Path) -> list[tuple[str, bytes]]:
    """The files of a pack as a browser sends a folder: with the folder's name in front."""
    files = [path for path in sorted(pack.rglob("*")) if path.is_file() and "expected" not in path.parts]
    return [(f"small/{path.relative_to(pack).as_posix()}", path.read_bytes()) for path in files]


def zipped(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as pack:
        for name, content in entries:
            pack.writestr(name, content)
    return target.getvalue()


@dataclass
class Desk:
    """A database with a store of files, and the surroundings of tasks."""

    database: Database
    sealer: Sealer
    store: BlobStore

    def upload(self, files: list[tuple[str, bytes]], actor: Actor = OFFICER) -> str:
        received = uploads.receive(self.store, sort_files(files))
        with self.database.transaction() as session:
            return uploads.record_upload(
                session, self.sealer, actor, SystemClock().now(), received, "2019-10"
            )

    def work(self) -> None:
        """Carries out what waits, as a worker does."""
        for kind, task in (("pack.check", check_pack), ("pack.take_in", take_in_pack)):
            with self.database.reading() as session:
                ids = list(session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "waiting")))
            task(*ids)

    def ask_take_in(self, upload_id: str, actor: Actor = OFFICER) -> None:
        with self.database.transaction() as session:
            uploads.ask_take_in(session, actor, SystemClock().now(), upload_id)

    def row(self, upload_id: str) -> PackUpload:
        with self.database.reading() as session:
            return upload_by_id(session, upload_id)


@pytest.fixture
def desk(migrated_url: str, tmp_path: Path) -> Iterator[Desk]:
    database = Database(migrated_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    store = BlobStore(tmp_path / "files", sealer)
    set_current(Runtime(database, sealer, SystemClock(), SYSTEM, files=store))
    yield Desk(database, sealer, store)
    database.close()


# What is recognised


def test_files_are_known_by_name_with_or_without_a_folder_around(small_pack: Path) -> None:
    in_folder = contents(small_pack)
    bare = [(name.rpartition("/")[2], content) for name, content in in_folder]
    windows = [(name.replace("/", "\\"), content) for name, content in in_folder]
    wanted = sort_files(in_folder)
    assert set(wanted.files) == {name.removeprefix("small/") for name, _ in in_folder}
    assert "feeds/medical.csv" in wanted.files
    assert wanted.not_read == ()
    for files in (bare, windows, [("pack.zip", zipped(in_folder))], [("pack.zip", zipped(bare))]):
        assert sort_files(files).files == wanted.files


def test_capitals_do_not_matter_and_litter_is_passed_over() -> None:
    entries = [
        ("Pack/POLICY.toml", b"a"),
        ("Pack/Feeds/Medical.CSV", b"b"),
        ("Pack/.DS_Store", b"c"),
        ("__MACOSX/Pack/._POLICY.toml", b"d"),
        ("Pack/~$claims.xlsx", b"e"),
    ]
    found = sort_files([("x.zip", zipped(entries))])
    assert dict(found.files) == {"policy.toml": b"a", "feeds/medical.csv": b"b"}
    assert found.not_read == ()


def test_what_is_no_file_of_a_pack_is_listed_and_not_read() -> None:
    found = sort_files(
        [
            ("p/policy.toml", b"a"),
            ("p/old/claims.xlsx", b"b"),
            ("p/方案\u202e.docx", b"c"),
            ("p/roster.csv", b"d"),
        ]
    )
    assert set(found.files) == {"policy.toml"}
    assert found.not_read == ("old/claims.xlsx", "roster.csv", "方案.docx")


def test_the_same_file_twice_counts_once_and_two_different_ones_are_refused() -> None:
    twice = [("policy.toml", b"a"), ("policy.toml", b"a")]
    assert dict(sort_files(twice).files) == {"policy.toml": b"a"}
    with pytest.raises(UnusableInput, match="twice"):
        sort_files([("medical.csv", b"a"), ("feeds/medical.csv", b"b")])


def test_nothing_of_a_pack_is_refused() -> None:
    with pytest.raises(UnusableInput, match="none of these"):
        sort_files([("photo.jpg", b"\xff\xd8")])


# Zips


def with_mode(name: str, mode: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as pack:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = mode << 16
        pack.writestr(entry, "/etc/passwd")
    return target.getvalue()


def encrypted() -> bytes:
    """A zip whose entries are marked as encrypted, in the directory and in front of the content."""
    content = bytearray(zipped([("policy.toml", b"secret")], zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def lying(size: int) -> bytes:
    """A zip whose directory says another size than the entry has."""
    content = bytearray(zipped([("policy.toml", b"x" * 1000)]))
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, size)
    return bytes(content)


BAD_ZIPS = {
    "a path that climbs": (zipped([("../policy.toml", b"a")]), "path"),
    "an absolute path": (zipped([("/etc/policy.toml", b"a")]), "path"),
    "a drive": (zipped([("C:/policy.toml", b"a")]), "path"),
    "a path that climbs on Windows": (zipped([("a\\..\\policy.toml", b"a")]), "path"),
    "a symbolic link": (with_mode("policy.toml", stat.S_IFLNK | 0o777), "link"),
    "a device": (with_mode("policy.toml", stat.S_IFCHR | 0o600), "link"),
    "a password": (encrypted(), "password"),
    "too many files": (zipped([(f"{n}.csv", b"") for n in range(MOST_FILES + 1)]), "more than 50"),
    "very many files": (zipped([(f"{n}.csv", b"") for n in range(1001)]), "more than 50"),
    "a bomb": (zipped([("policy.toml", b"\0" * (60 << 20))]), "proportion"),
    "another compression": (zipped([("policy.toml", b"a" * 100)], zipfile.ZIP_BZIP2), "not supported"),
    "a cut": (zipped([("policy.toml", b"a" * 100)])[40:], "damaged"),
    "no zip at all": (b"PK\x03\x04 and nothing else", "no zip"),
    "an entry longer than it says": (lying(10), "damaged"),
    "an entry shorter than it says": (lying(2000), "damaged"),
}


@pytest.mark.parametrize("case", BAD_ZIPS)
def test_a_zip_that_no_county_sends_is_refused_whole(case: str) -> None:
    content, reason = BAD_ZIPS[case]
    with pytest.raises(UnusableInput, match=reason):
        sort_files([("pack.zip", content)])


def test_a_zip_that_unpacks_beyond_all_packs_is_refused_before_it_is_unpacked() -> None:
    # 0.6 MB that say they are 5 × 60 MB: within the ratio of none, over the sum of all.
    content = bytearray(zipped([(f"{n}.csv", b"x") for n in range(5)]))
    at = -1
    for _ in range(5):
        at = content.index(b"PK\x01\x02", at + 1)
        struct.pack_into("<LL", content, at + 20, 1 << 20, 60 << 20)
    with pytest.raises(UnusableInput, match="unpacks to more"):
        sort_files([("pack.zip", bytes(content))])


def test_a_zip_made_on_a_chinese_windows_shows_its_names() -> None:
    content = zipped([("pack/policy.toml", b"a"), ("pack/xxxxxxxx.doc", b"b")])
    garbled = content.replace(b"pack/xxxxxxxx.doc", b"pack/" + "说明文件".encode("gb18030") + b".doc")
    assert sort_files([("pack.zip", garbled)]).not_read == ("说明文件.doc",)


# Checking and taking in


def expected_decisions(pack: Path) -> list[tuple[str, str, str, str]]:
    with (pack / "expected" / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        return sorted(
            (row["claim_no"], row["outcome"], row["amount"], row["reasons"]) for row in csv.DictReader(file)
        )


def stored_decisions(database: Database) -> list[tuple[str, str, str, str]]:
    query = select(ClaimRow.claim_no, DecisionRow.outcome, DecisionRow.payable_fen, DecisionRow.reasons).join(
        DecisionRow, DecisionRow.claim_id == ClaimRow.id
    )
    with database.reading() as session:
        return sorted((n, o, f"{fen // 100}.{fen % 100:02d}", r) for n, o, fen, r in session.execute(query))


def test_a_pack_is_checked_shown_and_taken_in_as_whoever_asked(small_pack: Path, desk: Desk) -> None:
    upload_id = desk.upload([*contents(small_pack), ("small/说明.docx", b"x")])
    assert desk.row(upload_id).state == "checking"
    assert desk.sealer.reveal("pack_upload", "preview", upload_id, desk.row(upload_id).preview or "")
    desk.work()
    checked = desk.row(upload_id)
    preview = preview_of(desk.sealer, checked)
    assert checked.state == "ready"
    assert preview.not_read == ("说明.docx",)
    assert preview.summary is not None
    assert (preview.summary.people, preview.summary.claims, len(preview.refused)) == (400, 300, 98)
    assert (preview.summary.changes.new, preview.summary.changes.changed) == (300, 0)
    assert preview.summary.absent_feeds == ("accidents",)
    assert sum(row.claims for row in preview.summary.outcomes) == 300
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimRow)) == 0, "checking takes nothing in"
    desk.ask_take_in(upload_id, OTHER)
    desk.work()
    done = desk.row(upload_id)
    assert done.state == "taken_in"
    assert done.taken_in_at is not None
    assert stored_decisions(desk.database) == expected_decisions(small_pack)
    taken = preview_of(desk.sealer, done).taken_in
    assert taken is not None and not taken.unchanged and taken.decisions == 300
    with desk.database.reading() as session:
        events = {row.action: row.body for row in session.scalars(select(Event)) if row.subject != "claim"}
        assert session.scalars(OF_PACKS).all() == ["done", "done"]
    assert '"person":"person-1"' in events["pack.uploaded"]
    assert '"person":"person-2"' in events["pack.taken_in"]
    assert list((desk.store.folder / "work").iterdir()) == [], "no plain copy stays"


def test_the_same_pack_again_says_so_and_a_changed_one_says_what_would_change(
    small_pack: Path, desk: Desk
) -> None:
    first = desk.upload(contents(small_pack))
    desk.work()
    desk.ask_take_in(first)
    desk.work()
    again = desk.upload(contents(small_pack))
    assert [file.blob for file in files_of(desk.row(again))] == [
        file.blob for file in files_of(desk.row(first))
    ]
    fewer = desk.upload([(name, data) for name, data in contents(small_pack) if "medical" not in name])
    desk.work()
    same = preview_of(desk.sealer, desk.row(again)).summary
    changed = preview_of(desk.sealer, desk.row(fewer)).summary
    assert same is not None and same.changes.same_as_last
    assert (same.changes.new, same.changes.changed, same.changes.gone) == (0, 0, 0)
    assert changed is not None and not changed.changes.same_as_last
    assert "medical" in changed.absent_feeds
    desk.ask_take_in(again)
    desk.work()
    taken = preview_of(desk.sealer, desk.row(again)).taken_in
    assert taken is not None and taken.unchanged
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackIntake)) == 1


def test_an_unusable_pack_says_why_and_cannot_be_taken_in(small_pack: Path, desk: Desk) -> None:
    files = [(name, data) for name, data in contents(small_pack) if not name.endswith("roster.xlsx")]
    files = [
        (name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" if name.endswith("claims.xlsx") else data)
        for name, data in files
    ]
    upload_id = desk.upload(files)
    desk.work()
    preview = preview_of(desk.sealer, desk.row(upload_id))
    assert desk.row(upload_id).state == "unusable"
    assert sorted(fault.place for fault in preview.faults) == ["claims.xlsx", "roster.xlsx"]
    with pytest.raises(ConflictError, match="unusable"):
        desk.ask_take_in(upload_id)
    with desk.database.reading() as session:
        assert session.scalars(OF_PACKS).all() == ["done"], "looking at a bad pack is work well done"


def test_of_two_who_take_in_at_once_one_wins_and_the_other_is_told(small_pack: Path, desk: Desk) -> None:
    upload_id = desk.upload(contents(small_pack))
    desk.work()
    barrier = threading.Barrier(2)
    results: list[object] = []

    def ask(actor: Actor) -> None:
        barrier.wait()
        try:
            desk.ask_take_in(upload_id, actor)
            results.append("asked")
        except ConflictError as error:
            results.append(error.zh)

    threads = [threading.Thread(target=ask, args=(actor,)) for actor in (OFFICER, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results))[0] == "asked"
    assert sum("入库中" in str(result) for result in results) == 1


def test_a_discarded_pack_stays_discarded_and_its_files_are_no_longer_needed(
    small_pack: Path, desk: Desk
) -> None:
    upload_id = desk.upload(contents(small_pack))
    with pytest.raises(ConflictError, match="being checked"), desk.database.transaction() as session:
        uploads.discard(session, OFFICER, SystemClock().now(), upload_id)
    desk.work()
    with desk.database.reading() as session:
        assert len(blobs_in_use(session)) == len(contents(small_pack))
    with desk.database.transaction() as session:
        uploads.discard(session, OFFICER, SystemClock().now(), upload_id)
    with pytest.raises(ConflictError, match="discarded"):
        desk.ask_take_in(upload_id)
    with desk.database.reading() as session:
        assert blobs_in_use(session) == set()


def test_work_that_fails_changes_nothing_and_can_be_asked_again(
    small_pack: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.worker import carry_out_due

    upload_id = desk.upload(contents(small_pack))
    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "get", lambda *_: 1 // 0)
        assert carry_out_due() == 1
    with desk.database.reading() as session:
        job = job_of(session, upload_by_id(session, upload_id))
        assert job is not None and (job.state, job.error_code, job.attempts) == ("failed", "fault", 1)
    assert carry_out_due() == 0, "it waits for its delay"
    with desk.database.transaction() as session:
        uploads.ask_again(session, OFFICER, SystemClock().now(), upload_id)
    with pytest.raises(ConflictError), desk.database.transaction() as session:
        uploads.ask_again(session, OFFICER, SystemClock().now(), upload_id)
    assert carry_out_due() == 1
    assert desk.row(upload_id).state == "ready"
    desk.ask_take_in(upload_id)
    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "get", lambda *_: 1 // 0)
        assert carry_out_due() == 1
    assert desk.row(upload_id).state == "taking_in"
    with desk.database.transaction() as session:
        uploads.discard(session, OFFICER, SystemClock().now(), upload_id)
    assert desk.row(upload_id).state == "discarded"
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimRow)) == 0


def test_a_job_that_is_done_twice_takes_in_once(small_pack: Path, desk: Desk) -> None:
    upload_id = desk.upload(contents(small_pack))
    desk.work()
    desk.ask_take_in(upload_id)
    desk.work()
    with desk.database.transaction() as session:
        for job in session.scalars(select(Job)):
            job.state = "waiting"
    desk.work()
    assert stored_decisions(desk.database) == expected_decisions(small_pack)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackIntake)) == 1
        assert session.scalars(OF_PACKS).all() == ["done", "done"]


def test_an_unknown_upload_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound), desk.database.reading() as session:
        upload_by_id(session, "nothing")
