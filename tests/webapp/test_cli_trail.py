"""`fangpin trail seal | prove | verify | export`: exit codes, what the last line says, what is recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from foundation.database import Database, migrate
from foundation.trail import sealing
from foundation.trail.anchors import read_anchors
from foundation.trail.events import Event
from foundation.trail.models import TrailCheck
from foundation.trail.sealing import head
from tests.foundation.attacker import EVENTS, IN_BLOCK, OPEN, Attacker, written_trail
from tools import verify_trail
from webapp.cli import cli, guarded
from webapp.settings import anchor_file


class Trail:
    """An installation with a trail, and the commands on it."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.folder, self.capsys = url, folder, capsys
        self.anchors = anchor_file(url)
        self.database, self.attacker = Database(url), Attacker(url)
        written_trail(self.database, self.attacker, self.anchors)

    def run(self, *words: object) -> tuple[int, str]:
        """Exit code and what was printed, of `fangpin trail …`."""
        options = ["--database", self.url, "--key-file", str(self.folder / "key")]
        code = guarded(lambda: cli.main(["trail", *map(str, words), *options], standalone_mode=False))
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err

    def head(self) -> str:
        with self.database.reading() as session:
            found = head(session)
        return f"{found.events}:{found.root}"

    def events(self, action: str) -> list[dict[str, Any]]:
        with self.database.reading() as session:
            query = select(Event.body).where(Event.action == action).order_by(Event.id)
            return [json.loads(body) for body in session.scalars(query)]

    def close(self) -> None:
        self.attacker.close()
        self.database.close()


@pytest.fixture
def trail(
    migrated_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Trail]:
    monkeypatch.setattr(sealing, "MOST_IN_BLOCK", IN_BLOCK)
    monkeypatch.setenv("FANGPIN_ANCHORS", str(tmp_path / "heads" / "fangpin.anchors"))
    made = Trail(migrated_url, tmp_path, capsys)
    yield made
    made.close()


def last_line(printed: str) -> str:
    return printed.rstrip().splitlines()[-1]


def test_seal_closes_what_is_open_and_anchors_it(trail: Trail) -> None:
    code, printed = trail.run("seal")
    assert code == 0
    assert f"sealed {OPEN} events in 1 blocks, 0 still open, head {trail.head()}" in last_line(printed)
    assert f"封存事件 {OPEN} 条、区块 1 个" in last_line(printed)
    assert [anchor.block for anchor in read_anchors(trail.anchors)] == [1, 2, 3, 4, 5]
    assert trail.head().startswith(f"{EVENTS + OPEN}:")


def test_verify_is_well_and_records_that(trail: Trail) -> None:
    code, printed = trail.run("verify", "--head", trail.head(), "--anchors", trail.anchors)
    assert code == 0, printed
    assert f"the trail is well: {EVENTS} events, 4 blocks, 4 anchors, {OPEN} not sealed yet" in last_line(
        printed
    )
    assert last_line(printed).startswith(f"审计链完好:事件 {EVENTS} 条")
    assert last_line(printed).endswith(f"head {trail.head()}")
    with trail.database.reading() as session:
        (check,) = session.scalars(select(TrailCheck))
    (event,) = trail.events("trail.verified")
    assert (check.well, check.asked_by, event["subject_id"]) == (True, "command-line", check.id)
    assert event["actor"]["assurance"] == "program"
    code, printed = trail.run("verify")  # there is one more event now
    assert f"{OPEN + 1} not sealed yet" in last_line(printed)


def test_verify_names_the_first_fault_and_exits_with_1(trail: Trail) -> None:
    event_id = trail.attacker.event_id(17)
    trail.attacker.run("UPDATE event SET body = body || 'x' WHERE id = :id", id=event_id)
    trail.attacker.run("DELETE FROM event WHERE id = :id", id=trail.attacker.event_id(25))
    code, printed = trail.run("verify")
    assert code == 1
    first, english, *_ = printed.splitlines()
    assert first.startswith(f"✗ 第 17 条事件(编号 {event_id})")
    assert english.strip().startswith(f"event 17 (id {event_id})")
    assert "event 25" in printed
    assert "2 faults" in last_line(printed) and "有误 2 处" in last_line(printed)
    with trail.database.reading() as session:
        (check,) = session.scalars(select(TrailCheck))
    assert json.loads(check.fault or "")["leaf"] == 17


def test_verify_finds_a_cut_tail_by_the_anchors_of_the_installation(trail: Trail, tmp_path: Path) -> None:
    printed_head = trail.head()
    last = trail.attacker.event_id(30)
    trail.attacker.run("DELETE FROM trail_block WHERE number = 4", "DELETE FROM trail_leaf WHERE number > 30")
    trail.attacker.run("DELETE FROM event WHERE id > :last", last=last)
    code, printed = trail.run("verify")
    assert (code, "the tail was cut" in printed) == (1, True)
    trail.anchors.unlink()
    code, printed = trail.run("verify")
    assert (code, "a trail rewritten as a whole would pass" in printed) == (1, True)
    code, printed = trail.run("verify", "--head", printed_head)
    assert (code, "the tail was cut" in printed) == (1, True)


def test_verify_needs_neither_guards_nor_a_writable_database(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker has dropped every guard; they are not put back by looking. What cannot be recorded is said."""
    trail.attacker.run("ALTER TABLE trail_check RENAME TO gone")
    code, printed = trail.run("verify")
    assert code == 0
    assert "could not be recorded" in printed
    assert trail.events("trail.verified") == []
    trail.attacker.run("UPDATE event SET action = 'y' WHERE id = :id", id=trail.attacker.event_id(3))
    code, printed = trail.run("verify")
    assert (code, "event 3 " in printed) == (1, True)


def test_export_is_recorded_and_checked_by_the_tool(trail: Trail, tmp_path: Path) -> None:
    out = tmp_path / "out" / "t.trail"
    code, printed = trail.run("export", "--out", out)
    assert code == 0
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert digest in last_line(printed) and f"exported {EVENTS} events, 4 blocks" in last_line(printed)
    (event,) = trail.events("trail.exported")
    assert (event["after"], event["reason"]) == (digest, f"{EVENTS + OPEN} events")
    assert out.stat().st_mode & 0o077 == 0
    assert verify_trail.main([str(out), "--anchors", str(trail.anchors), "--head", trail.head()]) == 0


def test_an_export_that_cannot_be_recorded_is_not_made(trail: Trail, tmp_path: Path) -> None:
    out = tmp_path / "t.trail"
    refusing = (
        "CREATE TRIGGER no_more BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END"
        if trail.attacker.sqlite
        else "ALTER TABLE event ADD CONSTRAINT no_more CHECK (action <> 'trail.exported')"
    )
    trail.attacker.run(refusing)
    assert trail.run("export", "--out", out)[0] != 0
    assert list(tmp_path.glob("*t.trail*")) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--event", "EVENT"],
        ["--event", "EVENT", "--block", "2"],
        ["--block", "2"],
        ["--block", "3", "--earlier", "1"],
    ],
)
def test_proofs_are_written_and_hold(trail: Trail, tmp_path: Path, words: list[str]) -> None:
    out = tmp_path / "proof.json"
    event_id = str(trail.attacker.event_id(17))
    code, printed = trail.run("prove", *(word.replace("EVENT", event_id) for word in words), "--out", out)
    assert code == 0, printed
    proof = json.loads(out.read_text("ascii"))
    tree = proof.get("tree") or proof["later"]
    assert last_line(printed).endswith(f"up to block {tree['block']}, head {tree['events']}:{tree['root']}")
    assert verify_trail.main(["--proof", str(out)]) == 0
    proof["path"][0] = "0" * 64
    out.write_text(json.dumps(proof), "ascii")
    assert verify_trail.main(["--proof", str(out)]) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["--event", "1", "--earlier", "1"], 2),
        (["--event", "0"], 2),
        (["--event", "999999"], 3),
        (["--event", "17", "--block", "1"], 3),
        (["--earlier", "9"], 3),
    ],
)
def test_what_cannot_be_proved_is_refused(trail: Trail, tmp_path: Path, words: list[str], code: int) -> None:
    words = [str(trail.attacker.event_id(17)) if word == "17" else word for word in words]
    found, printed = trail.run("prove", *words, "--out", tmp_path / "proof.json")
    assert found == code, printed
    assert not (tmp_path / "proof.json").exists()


def test_a_trail_that_does_not_give_its_root_proves_nothing(trail: Trail, tmp_path: Path) -> None:
    trail.attacker.run("UPDATE event SET body = body || 'x' WHERE id = :id", id=trail.attacker.event_id(17))
    words = ["prove", "--event", trail.attacker.event_id(17), "--out", tmp_path / "proof.json"]
    code, printed = trail.run(*words)
    assert (code, "fangpin trail verify" in printed) == (3, True)


@pytest.mark.parametrize("command", ["verify", "export --out FILE", "prove --event 1 --out FILE"])
def test_no_database_is_made_by_looking_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "none.db"
    words = command.replace("FILE", str(tmp_path / "out")).split()
    options = ["--database", f"sqlite:///{file}"]
    assert guarded(lambda: cli.main(["trail", *words, *options], standalone_mode=False)) == 2
    assert "none.db" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize("head_", ["x", "1:abc", "-1:" + "0" * 64, "1:" + "0" * 63 + "G"])
def test_a_head_that_is_none_is_refused(trail: Trail, head_: str) -> None:
    code, printed = trail.run("verify", "--head", head_)
    assert (code, "EVENTS:ROOT" in printed) == (2, True)


def test_doctor_names_a_guard_that_refuses_nothing_and_a_verification_that_was_changed(trail: Trail) -> None:
    migrate(trail.url)  # the attacker took the guards

    def doctor() -> str:
        guarded(lambda: cli.main(["doctor", "--database", trail.url], standalone_mode=False))
        return trail.capsys.readouterr().out

    assert "✓ 被改动的数据库规则 0" in doctor()
    assert trail.run("verify")[0] == 0
    assert "the trail was verified on" in doctor()
    if trail.attacker.sqlite:
        trail.attacker.run(
            "DROP TRIGGER trail_check_no_update",
            "CREATE TRIGGER trail_check_no_update BEFORE UPDATE ON trail_check WHEN 0 BEGIN SELECT 1; END",
        )
    else:
        trail.attacker.run("ALTER TABLE trail_check DISABLE TRIGGER trail_check_no_update")
    trail.attacker.run("UPDATE trail_check SET root = id || id")
    said = doctor()
    assert "✗ 被改动的数据库规则 1 trail_check_no_update" in said
    assert "guards that are not as the program made them: 1" in said
    assert "验证有误:这次验证的记录与审计链中的事件不符" in said


def test_doctor_compares_the_head_with_its_anchor(trail: Trail) -> None:
    def doctor() -> str:
        guarded(lambda: cli.main(["doctor", "--database", trail.url], standalone_mode=False))
        return trail.capsys.readouterr().out

    said = doctor()
    root = trail.head().partition(":")[2]
    assert f"✓ 审计链已封存 {EVENTS} 条,根 {root};未封存 {OPEN} 条" in said
    assert "✓ 审计链至第 4 区块;锚定文件至第 4 区块" in said
    trail.attacker.run("UPDATE trail_block SET root = digest WHERE number = 4")
    assert "anchored up to block 4, and the database has another one" in doctor()
    trail.attacker.run("DELETE FROM trail_block WHERE number = 4")
    assert "✗ 审计链至第 3 区块;锚定文件至第 4 区块,与数据库不符" in doctor()
    trail.anchors.unlink()
    assert "has no head yet" in doctor()
