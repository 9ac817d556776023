"""What a served installation leaves behind after it was used, and misused, with personal data in every field.

Database and log of changes, dumps, the log of web and worker, error pages, jobs and the broker's messages, names of
files: nothing of the pack and of what was typed in stands in any of them.
"""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
import structlog
from sqlalchemy import Column, LargeBinary, String, select, text
from sqlalchemy.exc import DataError, IntegrityError

from foundation.clock import SystemClock
from foundation.database import Database, SealedBytes, SealedText, sealed_columns
from foundation.keyfile import open_sealer
from foundation.sealing import ERASED, Sealer
from foundation.trail.events import Event
from foundation.vault import name_of
from migrations.schema import METADATA
from tests.journeys.test_nothing_personal_in_plain_text import dumped
from tests.journeys.test_serve import Served, serving, wait_for
from tests.planted import Planted, planted
from tests.servers import Postgres
from tests.webapp.conftest import Web, web
from webapp.demo_people import DEMO_PASSWORD
from webapp.run import Options, run_pack
from webapp.users import code

__all__ = ["web"]

NAME, ID_NUMBER, ACCOUNT, DIAGNOSIS, PHONE = (
    "黄艳琴", "370323196806027002", "6217002334339753282", "脑卒中", "13800000000",
)  # fmt: skip
WORDS = f"{NAME} {ID_NUMBER} {ACCOUNT} {DIAGNOSIS} {PHONE}"
LATIN = f"{ID_NUMBER} {ACCOUNT} {PHONE}"
"""What a header may hold."""
SEALED = re.compile(rb"k[0-9a-f]{8}:")


@pytest.fixture(scope="module")
def secrets(small_pack: Path) -> Planted:
    """Everything personal in the small pack; the words that are typed in are among it."""
    found = planted(small_pack)
    for word in WORDS.split():
        assert found.found_in(word.encode()), word
    return found


# --- somebody at work -----------------------------------------------------------------------------------------------


@dataclass
class Visitor:
    """A browser that keeps its cookies, and every error page that it was given."""

    served: Served
    session: requests.Session = field(default_factory=requests.Session)
    refused: dict[str, requests.Response] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request as it is; an answer of 400 and more is kept."""
        url = f"http://127.0.0.1:{self.served.port}{path}"
        answer = self.session.request(method, url, allow_redirects=False, timeout=60, **options)
        if answer.status_code >= 400:
            self.refused[f"{method} {path[:40]} {answer.status_code}"] = answer
        return answer

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, page: str = "/account", **options: Any) -> requests.Response:
        """A form with the token that a page gives."""
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', self.get(page).text)
        assert found, page
        data = {**options.pop("data", {}), "csrf_token": found[1]}
        return self.call("POST", path, data=data, **options)


@dataclass
class Office:
    """A served installation, and people who sign in to it."""

    served: Served
    database: Database
    sealer: Sealer
    visitors: list[Visitor] = field(default_factory=list)

    def sign_in(self, login: str) -> Visitor:
        visitor = self.visitor()
        answer = visitor.post("/sign-in", "/sign-in", data={"login": login, "password": DEMO_PASSWORD})
        assert answer.status_code == 303, answer.text
        if "code" in answer.headers["Location"]:
            with self.database.reading() as session:
                given = code(session, self.sealer, login, SystemClock().now())
            answer = visitor.post("/sign-in/code", "/sign-in/code", data={"code": given})
            assert answer.status_code == 303, answer.text
        return visitor

    def visitor(self) -> Visitor:
        made = Visitor(self.served)
        self.visitors.append(made)
        return made


def work_at_the_desk(office: Office, pack: Path) -> None:
    """A claim officer searches, looks in full, exports, uploads a pack, takes its faulty rows out and takes it in."""
    officer = office.sign_in("demo-officer")
    for fields in ({"name": NAME}, {"id_number": ID_NUMBER}):
        assert officer.post("/claims/find", "/claims", data=fields).status_code == 200
    claim = re.search(r'href="(/claims/[0-9a-f]{32})"', officer.get("/claims").text)
    assert claim
    note = {"purpose": "authority", "note": WORDS}
    assert officer.post(f"{claim[1]}/full", claim[1], data=note).status_code == 200
    assert officer.post("/claims/export", "/claims", data=note).status_code == 200
    consents = re.search(
        r'name="consent_version".*?<option value="([^"]+)"', officer.get("/packs").text, re.S
    )
    assert consents
    uploaded = officer.post(
        "/packs",
        "/packs",
        data={"consent_version": consents[1]},
        files={"files": (f"{NAME}{ID_NUMBER}.zip", zipped(pack))},
    )
    assert uploaded.status_code == 303
    page = uploaded.headers["Location"]
    wait_for(lambda: f"{page}/take-in" in officer.get(page).text, "the upload was not checked")
    assert officer.post(f"{page}/errors", page, data=note).status_code == 200
    assert officer.post(f"{page}/take-in", page).status_code == 303
    wait_for(lambda: f"{page}/progress" not in officer.get(page).text, "the upload was not taken in")
    assert officer.post(f"{page}/take-in", page).status_code == 409
    assert officer.post("/packs", "/packs", data={"consent_version": consents[1]},
                        files={"files": (f"{WORDS}.xlsx", b"PK")}).status_code == 422  # fmt: skip


def zipped(pack: Path) -> bytes:
    """The pack and a file that belongs to no pack, all of them named after a person."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(pack.rglob("*")):
            if path.is_file() and "expected" not in path.parts:
                archive.write(path, f"{NAME}/{path.relative_to(pack)}")
        archive.writestr(f"{NAME}/{ID_NUMBER} {DIAGNOSIS}.docx", WORDS)
    return content.getvalue()


def work_of_the_administrator(office: Office) -> None:
    """A security administrator adds a person, holds a claim for a court, and rotates the key."""
    admin = office.sign_in("demo-security")
    person = {"name": "测试员", "login": "test.person", "id_number": ID_NUMBER}
    assert admin.post("/staff", "/staff", data=person).status_code == 303
    assert admin.post("/staff", "/staff", data=person | {"login": "again"}).status_code in (409, 422)
    assert admin.post("/staff", "/staff", data=person | {"id_number": ID_NUMBER + "9"}).status_code == 422
    with office.database.reading() as session:
        number = session.scalar(text("SELECT claim_no FROM claim LIMIT 1"))
    hold = {"subject": "claim", "number": number, "reason": WORDS}
    assert admin.post("/retention/holds", "/retention", data=hold).status_code == 303
    assert admin.post("/keys/rotate", "/keys").status_code == 303
    wait_for(lambda: "/keys/progress" not in admin.get("/keys").text, "the key was not rotated")
    assert admin.post("/keys/retire", "/keys", headers={"X-Name": LATIN}).status_code == 409


def misuse(office: Office) -> None:
    """Addresses, arguments, headers, cookies and bodies full of personal data, by a visitor and by an officer."""
    headers = {"User-Agent": LATIN, "Referer": f"http://127.0.0.1/{ID_NUMBER}", "X-Forwarded-For": ID_NUMBER,
               "Accept-Language": LATIN, "Cookie": f"fangpin_notice={ID_NUMBER}; other={ACCOUNT}"}  # fmt: skip
    for visitor in (office.visitor(), office.sign_in("demo-adjudicator")):
        for path in (f"/{WORDS}", f"/claims/{ID_NUMBER}", f"/claims?name={NAME}&id_number={ID_NUMBER}",
                     f"/claims?cursor={WORDS}", f"/packs/{NAME}", f"/documents/{ID_NUMBER}", f"/api/v1/claims/{ID_NUMBER}",
                     f"/api/v1/claims?name={NAME}", f"/static/{ID_NUMBER}.js", f"/sign-in?next=/{ID_NUMBER}{NAME}"):  # fmt: skip
            visitor.get(path)
            visitor.get(path, headers=headers)
            visitor.call("POST", path, data={"name": NAME, "note": WORDS, "csrf_token": ID_NUMBER})
        visitor.call("POST", "/claims/find", data={"id_number": ID_NUMBER, "csrf_token": WORDS.encode()})
        visitor.call("PATCH", "/claims/find", data=WORDS.encode())
        visitor.call("POST", "/claims/find", data={"x": WORDS * 40_000})
        visitor.call(ID_NUMBER, "/claims")
        visitor.get("/", headers={"Host": f"{ID_NUMBER}.example"})
        for body in (json.dumps({"state": WORDS, ID_NUMBER: NAME}), f"{{{WORDS}", f'"{WORDS}"'):
            visitor.call("PATCH", f"/api/v1/accounts/{ID_NUMBER}", data=body.encode(),
                         headers={"Authorization": f"Bearer {ID_NUMBER}", "Content-Type": "application/json"})  # fmt: skip
    stranger = office.visitor()
    for login, password in ((ID_NUMBER, PHONE), (NAME, ID_NUMBER), ("demo-officer", WORDS)):
        stranger.post("/sign-in", "/sign-in", data={"login": login, "password": password})


# --- what is left ---------------------------------------------------------------------------------------------------


@contextmanager
def overheard(broker: str | None) -> Iterator[bytearray]:
    """Everything that is said to a broker meanwhile, as its command MONITOR tells it."""
    said = bytearray()
    if broker is None:
        yield said
        return
    address = urlsplit(broker)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:

        def listen() -> None:
            with suppress(OSError):
                while piece := connection.recv(1 << 16):
                    said.extend(piece)

        connection.sendall(b"MONITOR\r\n")
        thread = threading.Thread(target=listen)
        thread.start()
        yield said
        connection.shutdown(socket.SHUT_RDWR)
        thread.join()


def messages(said: bytes) -> bytes:
    """What the broker was told, with the bodies of its messages opened."""
    bodies = re.findall(rb'body[\\": ]+([A-Za-z0-9+/=]+)', said)
    return said + b"\n".join(base64.b64decode(body) for body in bodies)


def used(url: str, pack: Path, folder: Path, broker: str | None) -> tuple[Office, Mapping[str, bytes]]:
    """An installation after a whole run and a day's use: who was there, and what is left."""
    key_file = folder / "key"
    run_pack(
        Options(pack, folder / "out", url, date(2020, 12, 31), letters=3, key_file=key_file), lambda *_: None
    )
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
    settings = {"FANGPIN_BROKER": broker, "FANGPIN_SWEEP_SECONDS": "1"} if broker else {}
    with overheard(broker) as said:
        with serving(url, folder, "--demo", **settings) as served:
            office = Office(served, database, sealer)
            work_at_the_desk(office, pack)
            work_of_the_administrator(office)
            misuse(office)
            wal = Path(f"{url.removeprefix('sqlite:///')}-wal")
            log_of_changes = wal.read_bytes() if wal.exists() else b""
            names = "\n".join(str(path) for path in folder.rglob("*"))
        printed = (
            served.process.stdout.read() if served.process.stdout and not served.process.stdout.closed else ""
        )
    left = {
        "the log": (folder / "log").read_bytes(),
        "what serve printed": printed.encode(),
        "names of files": names.encode(),
        "the log of changes": log_of_changes,
        "messages of the broker": messages(bytes(said)),
        "the anchors": b"".join(path.read_bytes() for path in folder.glob("*.anchors")),
    }
    return office, left


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_nothing_personal_is_left_behind_by_a_used_installation(
    engine: str,
    request: pytest.FixtureRequest,
    small_pack: Path,
    tmp_path: Path,
    secrets: Planted,
    postgres: Postgres,
    broker_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FANGPIN_ANCHORS", str(tmp_path / "trail.anchors"))
    monkeypatch.setenv("FANGPIN_FILES", str(tmp_path / "files"))
    url = str(request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url"))
    office, left = used(url, small_pack, tmp_path, broker_url if engine == "postgresql" else None)
    content = (
        Path(url.removeprefix("sqlite:///")).read_bytes() if engine == "sqlite" else dumped(postgres, url)
    )
    everything = {**left, "the database": content, "the jobs": jobs(office.database)}
    assert {place: found for place, part in everything.items() if (found := secrets.found_in(part))} == {}
    assert b'"event": "request"' in left["the log"] and len(content) > 1_000_000
    heard = left["messages of the broker"]
    assert engine == "sqlite" or (
        b"webapp.rotate_keys" in heard and re.search(rb'\[\["[0-9a-f]{32}"\]', heard)
    )
    pages = {where: page for visitor in office.visitors for where, page in visitor.refused.items()}
    assert {page.status_code for page in pages.values()} >= {400, 401, 404, 405, 409, 413, 422}
    shown = {where: found for where, page in pages.items() if (found := secrets.found_in(shown_by(page)))}
    assert shown == {}, "error pages"
    assert_sealed_where_it_belongs(office.database, office.sealer)
    office.database.close()


def shown_by(page: requests.Response) -> bytes:
    """An error page with its headers. A form that comes back shows its typist the name that they typed."""
    headers = "\n".join(f"{name}: {value}" for name, value in page.headers.items())
    return headers.encode() + re.sub(rb"<(input|textarea)[^>]*>[^<]*", b"", page.content)


def jobs(database: Database) -> bytes:
    """The job table, and every event's body."""
    with database.reading() as session:
        rows = session.execute(text("SELECT kind, subject_id, state, error_code FROM job")).all()
        bodies = session.scalars(select(Event.body)).all()
    assert {row[0] for row in rows} >= {"pack.check", "pack.take_in", "keys.rotate", "bank_files", "letter"}
    return "\n".join((*map(str, rows), *bodies)).encode()


def assert_sealed_where_it_belongs(database: Database, sealer: Sealer) -> None:
    """Every sealed value lies in a sealed column, and a sealed column holds nothing else; each opens there."""
    sealed = {name_of(column) for column in sealed_columns(METADATA)}
    seen: set[str] = set()
    with database.reading() as session:
        for table in METADATA.tables.values():
            for column in table.columns:
                if not is_text(column):
                    continue
                keys = [key.name for key in table.primary_key.columns]
                rows = session.execute(
                    select(*table.primary_key.columns, column).where(column.is_not(None))
                ).all()
                for *identity, value in rows:
                    content = value if isinstance(value, bytes) else str(value).encode()
                    if name_of(column) not in sealed:
                        assert not SEALED.match(content), f"a sealed value in {name_of(column)}"
                        continue
                    if content == ERASED.encode():
                        continue
                    assert SEALED.match(content), f"no sealed value in {name_of(column)}"
                    assert len(keys) == 1
                    reveal: Any = (
                        sealer.reveal_bytes if isinstance(column.type, SealedBytes) else sealer.reveal
                    )
                    reveal(table.name, column.name, str(identity[0]), value)
                    seen.add(name_of(column))
    assert len(seen) >= 11, f"hardly anything was used: {sorted(seen)}"


def is_text(column: Column[Any]) -> bool:
    """Whether a column holds text or bytes."""
    return isinstance(column.type, String | LargeBinary | SealedText | SealedBytes)


# --- faults of the program ------------------------------------------------------------------------------------------


class Leaky(Exception):
    """A fault whose message holds somebody's data."""


@pytest.mark.parametrize(
    "fault",
    [
        Leaky(WORDS),
        ValueError(WORDS),
        KeyError(ID_NUMBER),
        UnicodeEncodeError("ascii", WORDS, 0, 3, WORDS),
        DataError("INSERT", {"name": WORDS}, psycopg.errors.InvalidTextRepresentation(WORDS)),
        IntegrityError("INSERT", {"name": WORDS}, psycopg.errors.UniqueViolation(f"Key (name)=({WORDS})")),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_shows_its_place_and_not_its_message(
    web: Web, secrets: Planted, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def failing(**_values: str) -> str:
        raise fault

    monkeypatch.setitem(web.app.view_functions, "home.home", failing)
    client = web.sign_in("CLAIM_OFFICER")
    with structlog.testing.capture_logs() as logged:
        answer = client.get("/", headers={"X-Name": LATIN})
    assert answer.status_code in (409, 500, 503)
    assert secrets.found_in(answer.get_data() + str(answer.headers).encode()) == []
    assert any(line["event"] == "request" for line in logged)
    assert secrets.found_in(json.dumps(logged, default=str).encode()) == []
