"""The page of the keys: what is under each, a rotation by a job with progress, the end of a former key."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from foundation import rotation
from foundation.blobs import BlobStore
from foundation.database import Database
from foundation.jobs import Job
from foundation.keyfile import open_sealer, read_key_file
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from foundation.vault import Vault
from tests.vaults import contents, full_vault, under_others
from tests.webapp.conftest import MovableClock, Web, post
from webapp.application import Options, make_app
from webapp.demo_actors import SYSTEM
from webapp.users import COMMAND_LINE
from webapp.worker import carry_out_due


@dataclass
class Keys:
    """The web on a database with something in every sealed column, its vault, and its key file."""

    web: Web
    vault: Vault
    key_file: Path

    def work(self) -> None:
        """Carries out what is due, as the worker's process does, with a sealer of its own."""
        database = Database(self.vault.database.url)
        with database.transaction() as session:
            sealer = open_sealer(session, self.key_file)
        files = BlobStore(self.vault.files.folder, sealer)
        set_current(Runtime(database, sealer, self.web.clock, SYSTEM, files=files))
        carry_out_due()
        database.close()

    def current(self) -> str:
        return read_key_file(self.key_file).current

    def job(self) -> Job:
        with self.vault.database.reading() as session:
            return session.scalars(select(Job).where(Job.kind == "keys.rotate")).one()

    def events(self) -> list[Event]:
        with self.vault.database.reading() as session:
            found = select(Event).where(Event.action.like("keys.%")).order_by(Event.id)
            return list(session.scalars(found))


@pytest.fixture
def keys(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    """Once on each engine."""
    monkeypatch.setenv("FANGPIN_FILES", str(tmp_path / "files"))
    monkeypatch.setattr(rotation, "NOTICED_SECONDS", 0.0)
    key_file = tmp_path / "own.key"
    vault = full_vault(migrated_url, key_file, tmp_path / "files")
    clock = MovableClock()
    options = Options(testing=True, hosts=("localhost", "127.0.0.1"))
    app = make_app(vault.database, vault.sealer, clock, options)
    yield Keys(Web(app, vault.database, vault.sealer, clock), vault, key_file)
    vault.database.close()


def words(client: FlaskClient, path: str = "/keys") -> str:
    """What a page says, without its markup."""
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.get_data(as_text=True)))


def test_it_shows_each_key_and_what_is_under_it(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    shown = words(client)
    assert keys.current() in shown and "AES-256-GCM" in shown and "在用" in shown
    for kind in ("账号的动态口令", "暂缓清除的理由", "银行文件和文书", "上传的文件"):
        assert kind in shown
    assert "还没有轮换过密钥" in shown
    secret = keys.key_file.read_text().split('"secret": "')[1][:20]
    assert secret not in client.get("/keys").get_data(as_text=True)


def test_a_rotation_is_asked_for_here_and_carried_out_by_the_worker(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    old, before = keys.current(), contents(keys.vault)
    answer = post(client, "/keys/rotate")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/keys")
    (started,) = keys.events()
    assert '"role":"SEC_ADMIN"' in started.body and '"assurance":"step_up"' in started.body
    assert keys.current() == old, "the page only begins it"
    assert "排队中" in words(client)
    part = client.get("/keys/progress").get_data(as_text=True)
    assert "hx-get" in part and "排队中" in part
    keys.work()
    assert keys.current() != old
    assert contents(keys.vault) == before
    assert under_others(keys.vault, keys.current()) == 0
    assert keys.job().state == "done" and keys.job().progress_done == 19 == keys.job().progress_total
    assert [event.action for event in keys.events()] == ["keys.rotation_started", "keys.rotated"]
    gone = client.get("/keys/progress")
    assert (gone.get_data(), gone.headers["HX-Refresh"]) == (b"", "true")
    shown = words(client)
    assert "旧密钥，可读" in shown and "测试1" in shown and keys.current() in shown
    assert "24 小时内旧密钥须保留" in shown


def test_while_it_runs_its_progress_is_shown_and_no_second_one_begins(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    post(client, "/keys/rotate")
    ring = read_key_file(keys.key_file)
    with keys.vault.database.transaction() as session:
        session.execute(update(Job).values(state="running", attempts=1))
        session.execute(text("UPDATE upkeep SET done = 4"))
    assert "已重新加密 4 / 19 处" in words(client)
    assert "已重新加密 4 / 19 处" in words(client, "/keys/progress")
    assert 'action="/keys/rotate"' not in client.get("/keys").get_data(as_text=True)
    assert post(client, "/keys/rotate").status_code == 303
    assert read_key_file(keys.key_file) == ring, "asked for again, it is the same rotation"
    assert [event.action for event in keys.events()] == ["keys.rotation_started"]


def test_one_that_failed_says_why_and_is_continued_here(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    post(client, "/keys/rotate")
    with keys.vault.database.transaction() as session:
        values = {"state": "failed", "attempts": 5, "error_code": "configuration"}
        session.execute(update(Job).values(values))
    shown = client.get("/keys").get_data(as_text=True)
    assert "密钥无法打开" in shown and "继续轮换" in shown
    assert client.get("/keys/progress").headers["HX-Refresh"] == "true"
    assert post(client, "/keys/rotate").status_code == 303
    assert keys.job().state == "waiting"
    keys.work()
    assert under_others(keys.vault, keys.current()) == 0


def test_one_begun_on_the_command_line_can_be_continued_here(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    with keys.vault.database.transaction() as session:
        plan = rotation.make_plan(keys.vault)
        rotation.begin(session, keys.vault, COMMAND_LINE, keys.web.clock.now(), plan)
    assert "轮换由命令行发起" in words(client)
    assert post(client, "/keys/rotate").status_code == 303
    keys.work()
    assert "命令行" in words(client)
    assert under_others(keys.vault, keys.current()) == 0


def test_the_former_key_is_retired_here_after_a_day(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    old = keys.current()
    post(client, "/keys/rotate")
    keys.work()
    refused = post(client, "/keys/retire")
    assert refused.status_code == 409 and "24 小时" in refused.get_data(as_text=True)
    assert old in read_key_file(keys.key_file).keys
    keys.web.clock.at += timedelta(hours=24, minutes=1)
    client = keys.web.sign_in("SEC_ADMIN")
    assert 'action="/keys/retire"' in client.get("/keys").get_data(as_text=True)
    assert post(client, "/keys/retire").status_code == 303
    assert list(read_key_file(keys.key_file).keys) == [keys.current()]
    assert keys.events()[-1].subject_id == old
    shown = words(client)
    assert old in shown and "已停用" in shown
    assert contents(keys.vault)


def test_an_auditor_looks_on_without_buttons(keys: Keys) -> None:
    client = keys.web.sign_in("AUDITOR")
    assert "密钥清单" in words(client)
    page = client.get("/keys").get_data(as_text=True)
    assert "/keys/rotate" not in page and "/keys/retire" not in page
    assert post(client, "/keys/rotate").status_code == 403
    assert post(client, "/keys/retire").status_code == 403


@pytest.mark.parametrize("address", ["/keys/rotate", "/keys/retire"])
def test_a_fresh_second_factor_is_asked_for(keys: Keys, address: str) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    keys.web.clock.at += timedelta(minutes=11)
    before = keys.key_file.read_bytes()
    answer = post(client, address)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/account/step-up")
    assert (keys.key_file.read_bytes(), keys.events()) == (before, [])


def test_what_an_open_transaction_left_is_said_and_sealed_without_a_new_key(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    late = keys.vault.sealer.seal("pack_upload", "preview", "u1", "spät")
    post(client, "/keys/rotate")
    keys.work()
    with keys.vault.database.transaction() as session:
        session.execute(text("UPDATE pack_upload SET preview = :late WHERE id = 'u1'"), {"late": late})
    current = keys.current()
    shown = words(client)
    assert "仍有 1 处数据由旧密钥加密" in shown and "把剩余数据改用当前密钥" in shown
    keys.web.clock.at += timedelta(hours=25)
    client = keys.web.sign_in("SEC_ADMIN")
    assert "还有 1 处" in post(client, "/keys/retire").get_data(as_text=True)
    post(client, "/keys/rotate")
    keys.work()
    assert keys.current() == current
    assert under_others(keys.vault, current) == 0


def test_without_the_key_file_the_page_says_so_and_others_that_seal_nothing_go_on(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    away = shutil.move(keys.key_file, keys.key_file.with_name("away"))
    answer = client.get("/keys")
    assert answer.status_code == 503 and "缺少密钥文件" in answer.get_data(as_text=True)
    assert post(client, "/keys/rotate").status_code == 503
    assert client.get("/staff").status_code == 200
    shutil.move(away, keys.key_file)
    assert client.get("/keys").status_code == 200


def test_in_english_too(keys: Keys) -> None:
    client = keys.web.sign_in("SEC_ADMIN")
    client.set_cookie("fangpin_language", "en", domain="localhost")
    post(client, "/keys/rotate")
    assert "in the queue" in words(client).lower() or "waiting" in words(client).lower()
    keys.work()
    shown = words(client)
    body = shown[shown.index("List of keys") :]
    assert not re.search("[\u4e00-\u9fff]", body.split("测试1")[0])
    assert "former, readable" in shown and "kept for 24 hours" in shown
