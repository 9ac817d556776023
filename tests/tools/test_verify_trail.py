"""The auditor's program: it needs nothing of ours, and finds whatever was done to an exported trail."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.database import Database
from foundation.hashing import HashName, Sm3, new_hash
from foundation.trail import sealing
from foundation.trail.anchors import read_anchors
from foundation.trail.exporting import export_pieces, export_to_file
from foundation.trail.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from foundation.trail.proving import consistency_proof, holds, inclusion_proof
from foundation.trail.sealing import head, seal
from foundation.trail.verifying import verify
from tests.architecture.project import ROOT
from tests.foundation.attacker import AT, EVENTS, IN_BLOCK, OPEN, Attacker, written_trail
from tools import sm3, verify_trail

TOOL = ROOT / "tools" / "verify_trail.py"
Told = tuple[int, str]
"""Exit code, and what was printed."""
Check = Callable[..., Told]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the program in this process."""

    def run(*words: object) -> Told:
        code = verify_trail.main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks; and the tool finds its neighbour as if it had been started from its own folder."""
    monkeypatch.syspath_prepend(str(TOOL.parent))
    monkeypatch.setattr(sealing, "MOST_IN_BLOCK", IN_BLOCK)


@pytest.fixture(scope="module")
def exported(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An export with all kinds of lines."""
    file = tmp_path_factory.mktemp("trail") / "fangpin.db"
    shutil.copyfile(migrated_sqlite_file, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "MOST_IN_BLOCK", IN_BLOCK)
        database, attacker = Database(f"sqlite:///{file}"), Attacker(f"sqlite:///{file}")
        written_trail(database, attacker, None)
    with database.reading() as session:
        content = b"".join(export_pieces(session))
    attacker.close()
    database.close()
    return content


# What it is


def test_it_imports_nothing_but_the_standard_library() -> None:
    for file in (TOOL, TOOL.with_name("sm3.py")):
        tree = ast.parse(file.read_text("utf-8"))
        named = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert named
        assert named <= sys.stdlib_module_names
    assert re.findall(r'import_module\("(\w+)"\)', TOOL.read_text("utf-8")) == ["sm3"]


def test_it_runs_alone_in_another_folder(exported: bytes, tmp_path: Path) -> None:
    """Copied away, without site packages, without the program on any path."""
    shutil.copyfile(TOOL, tmp_path / "verify_trail.py")
    (tmp_path / "t.trail").write_bytes(exported)
    command = [sys.executable, "-I", "-S", "verify_trail.py", "t.trail"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{EVENTS} events, 4 blocks, {OPEN} not sealed yet" in done.stdout
    assert f"事件 {EVENTS} 条,区块 4 个" in done.stdout
    (tmp_path / "t.trail").write_bytes(exported.replace("更正".encode(), "改正".encode(), 1))
    assert subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=False).returncode == 1


# Sound trails


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def attacker(migrated_url: str) -> Iterator[Attacker]:
    made = Attacker(migrated_url)
    yield made
    made.close()


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    return tmp_path / "fangpin.anchors"


def export(database: Database, path: Path) -> Path:
    with database.reading() as session, export_to_file(session, path) as done:
        assert not path.exists()
    content = path.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (done.size, done.sha256)
    return path


def test_a_sound_trail_passes_with_its_anchors_and_heads(
    database: Database, attacker: Attacker, anchors: Path, tmp_path: Path, check: Check
) -> None:
    empty = export(database, tmp_path / "empty.trail")
    assert check(empty)[0] == 0
    written_trail(database, attacker, anchors)
    file = export(database, tmp_path / "t.trail")
    heads = [f"--head={anchor.events}:{anchor.root}" for anchor in read_anchors(anchors)]
    code, told = check(file, "--anchors", anchors, *heads)
    assert code == 0, told
    with database.reading() as session:
        last = head(session)
    assert told.rstrip().endswith(f"head {last.events}:{last.root}")
    again = export(database, tmp_path / "again.trail")
    assert again.read_bytes() == file.read_bytes()
    code, told = check(empty, "--anchors", anchors)
    assert (code, "tail was cut" in told) == (1, True)


def test_a_file_that_its_reader_did_not_want_is_not_there(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "t.trail"
    with pytest.raises(RuntimeError), database.reading() as session, export_to_file(session, file):
        raise RuntimeError
    assert list(tmp_path.glob("*t.trail*")) == []


@pytest.mark.parametrize("openssl", [True, False])
def test_a_trail_by_sm3_passes_also_where_openssl_has_none(
    database: Database,
    attacker: Attacker,
    tmp_path: Path,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
    openssl: bool,
) -> None:
    written_trail(database, attacker, None)
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf")
    seal(database, AT, "sm3", None)
    file = export(database, tmp_path / "t.trail")
    monkeypatch.setitem(sys.modules, "sm3", None)
    code, told = check(file)
    assert (code, "put sm3.py beside" in told) == (2, True)
    monkeypatch.delitem(sys.modules, "sm3")
    if not openssl:
        monkeypatch.setattr(hashlib, "new", missing)
    assert check(file)[0] == 0
    file.write_bytes(file.read_bytes().replace("更正".encode(), "改正".encode(), 1))
    code, told = check(file)
    assert code == 1
    assert "event 1 (id" in told


def missing(name: str, *_: object) -> Any:
    raise ValueError(f"unsupported hash type {name}")


@given(st.binary(max_size=300))
def test_its_sm3_is_sm3(content: bytes) -> None:
    for made in (sm3.Sm3(content), sm3.sm3(content)):
        assert made.hexdigest() == Sm3(content).hexdigest() == new_hash("sm3")(content).hexdigest()


def test_its_sm3_gives_the_published_value() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3.Sm3(b"abc").hexdigest() == expected


# Files that were changed after the export


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, int, int, int]:
    """What is done, to which line (as a share of all), where in it, and with which byte."""
    kinds = st.sampled_from(
        ["byte", "drop", "twice", "swap", "cut", "cut here", "crlf", "insert", "flip bit"]
    )
    return draw(kinds), draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6)), draw(st.integers(0, 255))


def mutated(lines: list[bytes], kind: str, which: int, where: int, byte: int) -> tuple[bytes, int]:
    """The changed file, and the index of the first line that is concerned."""
    index = which % len(lines)
    line, other = lines[index], where % len(lines)
    place = where % len(line)
    changed = {
        "byte": [line[:place] + bytes([byte]) + line[place + 1 :]],
        "flip bit": [line[:place] + bytes([line[place] ^ 1 << byte % 8]) + line[place + 1 :]],
        "drop": [],
        "twice": [line, line],
        "crlf": [line[:-1] + b"\r\n"],
        "insert": [line[:place] + bytes([byte]) + line[place:]],
    }
    if kind in changed:
        return b"".join([*lines[:index], *changed[kind], *lines[index + 1 :]]), index
    if kind == "swap":
        swapped = list(lines)
        swapped[index], swapped[other] = swapped[other], swapped[index]
        return b"".join(swapped), min(index, other)
    return b"".join(lines[:index]) + (line[:place] if kind == "cut here" else b""), index


@given(mutation=mutations())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_the_file_is_found_and_its_place_named(
    exported: bytes, tmp_path: Path, check: Check, mutation: tuple[str, int, int, int]
) -> None:
    lines = exported.splitlines(keepends=True)
    content, index = mutated(lines, *mutation)
    if content == exported:
        return
    file = tmp_path / "t.trail"
    file.write_bytes(content)
    code, told = check(file)
    if not content.startswith(verify_trail.MAGIC):
        assert code in (1, 2), told  # 1: a BOM before it
        return
    assert code == 1, told
    assert any("\u4e00" <= character <= "\u9fff" for character in told)
    assert is_near(lines, index, told), (mutation, lines[index][:60], told)


def is_near(lines: list[bytes], index: int, told: str) -> bool:
    """Whether what was told names the place of a line: its event or the one beside it, its block or the next one."""
    if f"line {index + 1}," in told or f"line {index + 2}," in told:
        return True
    kind = lines[index][:1]
    events = sum(line.startswith(b"E") for line in lines[:index])
    blocks = sum(line.startswith(b"B") for line in lines[:index])
    named_events = {int(number) for number in re.findall(r"\bevent (\d+)", told)}
    named_blocks = {int(number) for number in re.findall(r"\bblock (\d+)", told)}
    if kind == b"E":
        return bool(named_events & {events, events + 1, events + 2} or named_blocks & {blocks, blocks + 1})
    if kind == b"B":
        return bool(
            named_events & {events, events + 1, events // 10 * 10 - 9, 31}
            or named_blocks & {blocks, blocks + 1, blocks + 2}
        )
    if index == 0:
        return "header" in told or "first" in told or bool(named_blocks & {1} or named_events & {0, 1})
    return (
        "unsealed" in told
        or "without a number" in told
        or "last one" in told
        or bool(named_blocks & {4} or named_events & {EVENTS})
    )


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (lambda file: b"\xef\xbb\xbf" + file, 1, "BOM"),
        (lambda file: file.replace(b"\n", b"\r\n"), 1, "header"),
        (lambda file: file + b"\n", 1, "comes after the last one"),
        (lambda file: file + file.splitlines(keepends=True)[-1], 1, "comes after the last one"),
        (lambda file: file[:-1], 1, "is not of the export's form"),
        (lambda file: b"", 2, "no export"),
        (lambda file: b"PK\x03\x04" + file, 2, "no export"),
        (lambda file: file.replace(b"trail 1", b"trail 2", 1), 2, "no export"),
        (lambda file: b"x" * 3_000_000, 2, "no export"),
        (lambda file: file.replace("更正".encode(), b"\xff\xfe", 1), 1, "after event 0 is not text"),
    ],
)  # fmt: skip
def test_files_that_are_no_such_export_are_refused(
    exported: bytes, tmp_path: Path, check: Check, change: Callable[[bytes], bytes], code: int, named: str
) -> None:
    file = tmp_path / "t.trail"
    file.write_bytes(change(exported))
    found, told = check(file)
    assert found == code, told
    assert named in told


def test_what_cannot_be_read_is_refused(tmp_path: Path, check: Check, exported: bytes) -> None:
    assert check(tmp_path / "none.trail")[0] == 2
    file = tmp_path / "t.trail"
    file.write_bytes(exported)
    (tmp_path / "bad.anchors").write_text("1 2 3\n")
    code, told = check(file, "--anchors", tmp_path / "bad.anchors")
    assert (code, "line 1 of the anchor file" in told) == (2, True)
    for words in (["--head", "x", str(file)], [], ["--proof", str(file)]):
        if "--proof" in words:
            assert check(*words)[0] == 2
        else:
            with pytest.raises(SystemExit) as ended:
                verify_trail.main(words)
            assert ended.value.code == 2


@pytest.mark.parametrize("alone", [True, False])
def test_a_file_that_names_another_hash_is_faulty_in_its_first_block(
    exported: bytes, tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """Its events are right by the hash that the blocks are by; without sm3.py beside it, too."""
    if alone:
        monkeypatch.setitem(sys.modules, "sm3", None)
    file = tmp_path / "t.trail"
    file.write_bytes(checks_made_anew(exported.replace(b'"hash":"sha256"', b'"hash":"sm3"', 1)))
    code, told = check(file)
    assert (code, "block 1 (events 1–10) has changed lines in it" in told) == (1, True), told
    named_in_both = exported.replace(b'"hash":"sha256"', b'"hash":"sm3"', 2)
    file.write_bytes(checks_made_anew(named_in_both))
    code, told = check(file)
    assert (code, "block 1 (events 1–10) has a changed header" in told) == (1, True), told


def checks_made_anew(content: bytes) -> bytes:
    """An export whose own checks fit again, as anyone can make them."""
    made = b""
    for line in content.splitlines(keepends=True):
        if line[:1] in (b"B", b"Z"):
            line = line.rpartition(b" ")[0] + b" " + hashlib.sha256(made).hexdigest().encode() + b"\n"
        made += line
    return made


# Trails that were changed in the database: the program and the auditor's program name the same place


def changed_body(attacker: Attacker) -> None:
    attacker.run(
        "UPDATE event SET body = replace(body, '更正', '改正') WHERE id = :id", id=attacker.event_id(17)
    )


def changed_body_and_leaf(attacker: Attacker) -> None:
    changed_body(attacker)
    body = attacker.ask("SELECT body FROM event WHERE id = :id", id=attacker.event_id(17))
    attacker.run("UPDATE trail_leaf SET hash = :hash WHERE number = 17", hash=leaf_hash(body.encode()).hex())


def dropped_event(attacker: Attacker) -> None:
    attacker.run("DELETE FROM event WHERE id = :id", id=attacker.event_id(17))


def dropped_event_and_leaf(attacker: Attacker) -> None:
    dropped_event(attacker)
    attacker.run("DELETE FROM trail_leaf WHERE number = 17")


def dropped_and_moved_up(attacker: Attacker) -> None:
    dropped_event_and_leaf(attacker)
    attacker.renumber(17, -1)


def inserted(attacker: Attacker) -> None:
    body = attacker.ask("SELECT body FROM event WHERE id = :id", id=attacker.event_id(17))
    attacker.insert_event(attacker.event_id(17) + 1, body)


def block(change: str, number: int = 2) -> Callable[[Attacker], None]:
    return lambda attacker: attacker.run(f"UPDATE trail_block SET {change} WHERE number = {number}")


ATTACKS: list[tuple[Callable[[Attacker], None], str]] = [
    (changed_body, "event 17 "),
    (changed_body_and_leaf, "block 2 (events 11–20)"),
    (dropped_event, "event 17 "),
    (dropped_event_and_leaf, "event 17 "),
    (dropped_and_moved_up, "block 2 (events 11–"),
    (inserted, "id {free}"),
    (block("sealed_at = '2020-12-30T00:00:00.000000+00:00'"), "block 2 (events 11–20)"),
    (block("root = digest"), "block 2 (events 11–20)"),
    (block("previous = root"), "block 2 (events 11–20)"),
    (block("digest = root"), "block 2 (events 11–20)"),
    (block("hash_name = 'sm3'"), "block 2 (events 11–20)"),
    (block("hash_name = 'sm3'", 1), "block 1 (events 1–10)"),
    (block("hash_name = 'sm3', digest = root", 1), "block 1 (events 1–10)"),
    (lambda attacker: attacker.run("UPDATE trail_block SET hash_name = 'sm3'"), "block 1 (events 1–10)"),
    (lambda attacker: attacker.run("DELETE FROM trail_block WHERE number = 2"), "block 2 is missing"),
    (lambda attacker: attacker.run("DELETE FROM trail_block WHERE number = 4"), "event 31 "),
]


@pytest.mark.parametrize(("attack", "named"), ATTACKS)
def test_both_name_the_same_place(
    database: Database, attacker: Attacker, tmp_path: Path, check: Check,
    attack: Callable[[Attacker], None], named: str,
) -> None:  # fmt: skip
    written_trail(database, attacker, None)
    named = named.format(free=attacker.event_id(17) + 1)
    attack(attacker)
    with database.reading() as session:
        verdict = verify(session)
    assert named in verdict.faults[0].en
    code, told = check(export(database, tmp_path / "t.trail"))
    assert code == 1
    assert named in told


def test_both_find_a_trail_rewritten_as_a_whole_by_anchors_and_heads_only(
    database: Database, attacker: Attacker, anchors: Path, tmp_path: Path, check: Check
) -> None:
    written_trail(database, attacker, anchors)
    with database.reading() as session:
        printed = head(session)
    changed_body(attacker)
    attacker.run("DELETE FROM trail_block", "DELETE FROM trail_leaf")
    seal(database, AT, "sha256", None)
    file = export(database, tmp_path / "t.trail")
    assert check(file)[0] == 0
    code, told = check(file, "--anchors", anchors)
    assert (code, "block 2 (events 11–20)" in told) == (1, True)
    code, told = check(file, "--head", f"{printed.events}:{printed.root}")
    assert (code, f"first {printed.events} events" in told) == (1, True)


def test_both_find_a_tail_that_was_cut(
    database: Database, attacker: Attacker, anchors: Path, tmp_path: Path, check: Check
) -> None:
    written_trail(database, attacker, anchors)
    with database.reading() as session:
        printed = head(session)
    last = attacker.event_id(30)
    attacker.run("DELETE FROM trail_block WHERE number = 4", "DELETE FROM trail_leaf WHERE number > 30")
    attacker.run("DELETE FROM event WHERE id > :last", last=last)
    file = export(database, tmp_path / "t.trail")
    assert check(file)[0] == 0
    for words in (["--anchors", anchors], ["--head", f"{printed.events}:{printed.root}"]):
        code, told = check(file, *words)
        assert (code, "tail was cut" in told, "ends with event 30," in told) == (1, True, True)


def test_only_the_program_sees_columns_that_the_export_has_not(
    database: Database, attacker: Attacker, tmp_path: Path, check: Check
) -> None:
    written_trail(database, attacker, None)
    attacker.run("UPDATE event SET action = 'y' WHERE id = :id", id=attacker.event_id(17))
    with database.reading() as session:
        assert [fault.kind for fault in verify(session).faults] == ["event_columns"]
    assert check(export(database, tmp_path / "t.trail"))[0] == 0


# Proofs


def test_proofs_of_every_event_and_block_hold_and_wrong_ones_do_not(
    database: Database, attacker: Attacker, tmp_path: Path, check: Check
) -> None:
    written_trail(database, attacker, None)
    trail = export(database, tmp_path / "t.trail")
    file = tmp_path / "proof.json"
    ids = [attacker.event_id(leaf) for leaf in (1, 10, 17, EVENTS)]
    with database.reading() as session:
        proofs = [inclusion_proof(session, event_id) for event_id in ids]
        proofs += [inclusion_proof(session, ids[0], 1), inclusion_proof(session, ids[2], 2)]
        proofs += [
            consistency_proof(session, earlier, later)
            for later in range(1, 5)
            for earlier in range(1, later + 1)
        ]
    for proof in proofs:
        file.write_text(json.dumps(proof), "ascii")
        code, told = check("--proof", file)
        assert (code, holds(proof)) == (0, True), told
        assert check(trail, "--proof", file)[0] == 0
        for tree in ("tree", "earlier", "later"):
            if tree in proof:
                kept = f"{proof[tree]['events']}:{proof[tree]['root']}"
                assert check("--proof", file, "--head", kept)[0] == 0
                assert check("--proof", file, "--head", f"{proof[tree]['events']}:{'0' * 64}")[0] == 1
        for wrong in wrong_ones(proof):
            file.write_text(json.dumps(wrong), "ascii")
            assert holds(wrong) is False
            assert check("--proof", file)[0] in (1, 2), wrong


def wrong_ones(proof: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Proofs that prove nothing."""
    zeros = "0" * 64
    path = proof["path"]
    yield {**proof, "path": [*path, zeros]}
    if path:
        yield {**proof, "path": path[:-1]}
        yield {**proof, "path": [zeros, *path[1:]]}
    yield {**proof, "hash": "md5"}
    yield {**proof, "version": 2}
    yield {**proof, "kind": "other"}
    yield {key: value for key, value in proof.items() if key != "path"}
    for tree in ("tree", "later"):
        if tree in proof:
            yield {**proof, tree: {**proof[tree], "root": zeros}}
            yield {**proof, tree: {**proof[tree], "events": proof[tree]["events"] + 100}}
            yield {**proof, tree: {**proof[tree], "events": "35"}}
    if "event" in proof:
        event = proof["event"]
        yield {**proof, "event": {**event, "body": event["body"] + " "}}
        yield {**proof, "event": {**event, "leaf": event["leaf"] + 1000}}
        yield {**proof, "event": {**event, "leaf": 0}}
    elif proof["earlier"] != proof["later"]:
        yield {**proof, "earlier": {**proof["earlier"], "root": zeros}}


@given(st.lists(st.text(max_size=4), min_size=1, max_size=40), st.data(), st.sampled_from(["sha256", "sm3"]))
def test_program_and_tool_agree_about_any_proof(
    bodies: list[str], draw: st.DataObject, name: HashName
) -> None:
    """Made by the program's tree, changed or not; the two check it by different ways (RFC 9162, RFC 6962)."""
    leaves = [leaf_hash(body.encode(), name) for body in bodies]
    index = draw.draw(st.integers(0, len(leaves) - 1))
    earlier = draw.draw(st.integers(1, len(leaves)))
    size, root = len(leaves), root_of(leaves, name)
    form = {"format": "fangpin-trail-proof", "version": 1, "hash": name}
    inclusion: dict[str, Any] = {
        **form,
        "kind": "inclusion",
        "event": {"leaf": index + 1, "id": 1, "body": bodies[index]},
        "tree": {"block": 1, "events": size, "root": root},
        "path": [node.hex() for node in inclusion_path(leaves, index, name)],
    }
    consistency: dict[str, Any] = {
        **form,
        "kind": "consistency",
        "earlier": {"block": 1, "events": earlier, "root": root_of(leaves[:earlier], name)},
        "later": {"block": 2, "events": size, "root": root},
        "path": [node.hex() for node in consistency_path(leaves, earlier, name)],
    }
    for proof in (inclusion, consistency):
        assert agreed(proof)
        changed = draw.draw(st.sampled_from(list(wrong_ones(proof))))
        assert not agreed(changed)


def agreed(proof: dict[str, Any]) -> bool:
    """What both say of a proof."""
    try:
        verify_trail.check_proof(proof, [])
        well = True
    except verify_trail.Faulty:
        well = False
    assert holds(proof) is well, proof
    return well
