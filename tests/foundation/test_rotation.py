"""Rotation of the key: interrupted anywhere and resumed to the same end, everything readable at every moment."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation import rotation
from foundation import vault as vaults
from foundation.actors import Actor, Assurance, Role
from foundation.clock import FixedClock
from foundation.database import Database, is_sqlite
from foundation.errors import ConfigurationError, ConflictError, NotAllowedError
from foundation.keyfile import (
    KeyCheck,
    former_keys,
    make_key,
    make_key_file,
    read_key_file,
    replace_key_file,
    waiting_keys,
    with_key,
)
from foundation.rotation import begin, carry_on, make_plan, restore, retire, rotate, why_not_retire
from foundation.sealing import CipherName, Sealer
from foundation.trail.events import Event
from foundation.upkeep import Upkeep
from foundation.vault import Vault
from migrations.schema import GUARDS
from tests.vaults import AT, another, contents, full_vault, hold, under, under_others

ADMIN = Actor("person-9", "account-9", Role.SEC_ADMIN, "370323", "安全管理员", Assurance.STEP_UP)
NOW = FixedClock(AT)
LATER = AT + timedelta(hours=25)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting where nobody else is at work; small portions, so that there are many."""
    monkeypatch.setattr(rotation, "NOTICED_SECONDS", 0.0)
    monkeypatch.setattr(rotation, "BREATH_SECONDS", 0.0)
    monkeypatch.setattr(vaults, "MOST_CELLS", 150)


@pytest.fixture(params=["county_sqlite", "county_postgres"], ids=("sqlite", "postgresql"))
def county_and_key(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """URL of the small pack's county, once on each engine, and a key file of its own."""
    url, key_file = request.getfixturevalue(request.param)
    shutil.copyfile(key_file, tmp_path / "own.key")
    return url, tmp_path / "own.key"


@pytest.fixture
def key_file(county_and_key: tuple[str, Path]) -> Path:
    return county_and_key[1]


@pytest.fixture
def vault(county_and_key: tuple[str, Path], tmp_path: Path) -> Iterator[Vault]:
    url, path = county_and_key
    made = full_vault(url, path, tmp_path / "files")
    yield made
    made.database.close()


def actions(vault: Vault) -> list[str]:
    with vault.database.reading() as session:
        found = select(Event.action).where(Event.action.like("keys.%")).order_by(Event.id)
        return list(session.scalars(found))


def rotations(vault: Vault) -> list[Upkeep]:
    with vault.database.reading() as session:
        return list(session.scalars(select(Upkeep).order_by(Upkeep.asked_at)))


def run_sql(vault: Vault, statement: str, **values: Any) -> None:
    with vault.database.transaction() as session:
        session.execute(text(statement), values)


# --- from beginning to end ------------------------------------------------------------------------------------------


def test_everything_is_under_the_new_key_in_the_end_and_says_what_it_said(
    vault: Vault, key_file: Path
) -> None:
    before, old = contents(vault), read_key_file(key_file).current
    said: list[tuple[int, int]] = []
    done = rotate(vault, ADMIN, NOW, lambda done, total: said.append((done, total)))
    ring = read_key_file(key_file)
    assert ring.current == done.key_id != old
    assert former_keys(ring) == [old], "the former one can still be read"
    assert contents(vault) == before
    assert under(vault, old) == under_others(vault, ring.current) == 0
    sealed = sum(content != "erased" for content in before.values())
    assert done.done == under(vault, ring.current) == sealed
    assert said[-1] == (sealed, sealed) and said == sorted(said) and len(said) > 15
    assert actions(vault) == ["keys.rotation_started", "keys.rotated"]
    assert (done.state, done.asked_by, done.ended_at) == ("finished", "person-9", AT)


def test_nothing_but_sealed_columns_changes(vault: Vault) -> None:
    def plain() -> dict[str, Any]:
        sealed = {(column.table.name, column.name) for column in vault.columns}
        tables = {column.table for column in vault.columns}
        with vault.database.reading() as session:
            return {
                table.name: session.execute(
                    select(*(c for c in table.columns if (table.name, c.name) not in sealed)).order_by(table.c.id)
                ).all()
                for table in tables
            }  # fmt: skip

    before = plain()
    rotate(vault, ADMIN, NOW)
    assert plain() == before


def test_the_key_check_of_the_former_key_stays_as_it_was(vault: Vault, key_file: Path) -> None:
    def proofs() -> dict[str, str]:
        with vault.database.reading() as session:
            return {row.key_id: row.proof for row in session.scalars(select(KeyCheck))}

    before = proofs()
    done = rotate(vault, ADMIN, NOW)
    after = proofs()
    assert after.keys() == {*before, done.key_id}
    assert before.items() <= after.items()
    another(vault, key_file).database.close()  # it opens


def test_look_ups_and_digests_stay(vault: Vault) -> None:
    lookup, digest = vault.sealer.lookup("id_number", "1"), vault.sealer.digest("claim", b"x")
    rotate(vault, ADMIN, NOW)
    assert (vault.sealer.lookup("id_number", "1"), vault.sealer.digest("claim", b"x")) == (lookup, digest)


def test_a_rotation_leads_from_one_cipher_to_the_other_and_back(
    vault: Vault, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(vault)
    for named in (CipherName.SM4, CipherName.AES):
        monkeypatch.setenv("FANGPIN_CIPHER", named)
        rotate(vault, ADMIN, NOW)
        ring = read_key_file(key_file)
        assert ring.keys[ring.current].cipher is named
        assert contents(vault) == before
        assert under_others(vault, ring.current) == 0


def test_large_cells_come_in_portions_of_few_bytes_and_each_comes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "MOST_BYTES", 150_000)
    column = next(column for column in vault.columns if column.table.name == "stored_file")
    with vault.database.reading() as session:
        sizes = dict(session.execute(select(column.table.c.id, func.octet_length(column))).all())
    assert max(sizes.values()) > 150_000 > min(sizes.values())
    before = contents(vault)
    with vault.database.transaction() as session:
        upkeep = begin(session, vault, ADMIN, AT, make_plan(vault))
    rotation._make_current(vault, str(upkeep.key_id))
    portions = list(vault.portions(str(upkeep.key_id), column))
    assert [cell.row_id for portion in portions for cell in portion.cells] == sorted(set(sizes) - {"erased"})
    for portion in portions:
        assert len(portion.cells) == 1 or sum(sizes[cell.row_id] for cell in portion.cells) <= 150_000
    assert any(len(portion.cells) > 1 for portion in portions)
    carry_on(vault, ADMIN, NOW, upkeep.id)
    assert contents(vault) == before


# --- interrupted ----------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    """The machine stopped."""


@contextmanager
def interrupted_at(number: int) -> Iterator[list[str]]:
    """Stops at the given point of all: before and after each commit and each replacement of a file. Names them."""
    passed: list[str] = []

    def point(name: str) -> None:
        passed.append(name)
        if len(passed) == number:
            raise Interrupted

    def around(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*arguments: Any) -> Any:
            point(f"before {name}")
            result = real(*arguments)
            point(f"after {name}")
            return result

        return stopped

    real_transaction = Database.transaction

    @contextmanager
    def transaction(database: Database) -> Iterator[Session]:
        with real_transaction(database) as session:
            yield session
            point("before commit")
        point("after commit")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "transaction", transaction)
        patch.setattr(Path, "replace", around("replacing a file", Path.replace))
        yield passed


def test_interrupted_at_every_step_it_is_resumed_to_the_same_end(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rotation for each point, with the former key retired after each; a second process reads and writes."""
    monkeypatch.setattr(vaults, "MOST_CELLS", 2)
    key_file = tmp_path / "own.key"
    vault = full_vault(migrated_url, key_file, tmp_path / "files")
    other = another(vault, key_file)
    with vault.database.transaction() as session:
        for number in range(5):
            hold(session, vault.sealer, f"hold-{number}", "诉讼")
    expected = contents(vault)
    for number in itertools.count(1):
        clock = FixedClock(AT + number * timedelta(days=2))
        old = read_key_file(key_file).current
        other.sealer.look_again()  # it has the key of the rotation before; of this one it notices within a second
        whole = False
        with interrupted_at(number) as passed:
            try:
                rotate(vault, ADMIN, clock)
                whole = True
            except Interrupted:
                pass
        where = f"point {number}, {passed[-1]}"
        assert contents(other) == expected, where
        with other.database.transaction() as session:
            fresh = other.sealer.seal("pack_upload", "preview", "u1", where)
            session.execute(text("UPDATE pack_upload SET preview = :fresh WHERE id = 'u1'"), {"fresh": fresh})
        expected["pack_upload.preview", "u1"] = where
        if not whole and (under(vault, old) or rotations(vault)[-1].state == "running"):
            rotate(vault, ADMIN, clock)
        assert contents(vault) == expected, where
        ring = read_key_file(key_file)
        assert list(ring.keys) == [old, ring.current], f"{where}: one new key, never a second one"
        assert under(vault, old) == under_others(vault, ring.current) == 0, where
        assert [row.key_id for row in rotations(vault)].count(ring.current) == 1, where
        assert rotations(vault)[-1].state == "finished"
        assert retire(vault, ADMIN, clock.now() + timedelta(hours=24)) == [old]
        if whole:
            break
    assert number > 40 and {"before commit", "after commit", "before replacing a file"} < set(passed)
    begun, ended = actions(vault).count("keys.rotation_started"), actions(vault).count("keys.rotated")
    assert begun == ended == len(rotations(vault)) == number
    other.database.close()
    vault.database.close()


def test_a_key_that_an_interrupted_beginning_left_is_used(vault: Vault, key_file: Path) -> None:
    key = make_key()
    replace_key_file(key_file, with_key(read_key_file(key_file), key))
    another(vault, key_file).database.close()  # with such a file it opens
    assert rotate(vault, ADMIN, NOW).key_id == key.key_id
    assert waiting_keys(read_key_file(key_file)) == []


@pytest.mark.parametrize("content", [None, b"{", "foreign"])
def test_a_key_file_that_goes_wrong_in_the_middle_stops_it_until_the_right_one_is_back(
    vault: Vault, key_file: Path, tmp_path: Path, content: bytes | str | None
) -> None:
    before, seen = contents(vault), []
    right = b""

    def spoil(done: int, _total: int) -> None:
        nonlocal right
        seen.append(done)
        if len(seen) != 3:
            return
        right = key_file.read_bytes()
        key_file.unlink()
        if content == "foreign":
            make_key_file(key_file)
        elif isinstance(content, bytes):
            key_file.write_bytes(content)

    with pytest.raises(ConfigurationError):
        rotate(vault, ADMIN, NOW, spoil)
    assert len(seen) == 3, "nothing was sealed after that"
    assert contents(vault) == before
    with pytest.raises(ConfigurationError):
        rotate(vault, ADMIN, NOW)
    with pytest.raises(ConfigurationError):
        another(vault, key_file)
    key_file.write_bytes(right)
    done = rotate(vault, ADMIN, NOW)
    assert done.key_id == read_key_file(key_file).current and len(rotations(vault)) == 1
    assert contents(vault) == before and under_others(vault, str(done.key_id)) == 0


def test_a_key_file_without_the_new_key_or_with_another_current_one_stops_it(
    vault: Vault, key_file: Path
) -> None:
    before = key_file.read_bytes()
    with vault.database.transaction() as session:
        upkeep = begin(session, vault, ADMIN, AT, make_plan(vault))
    after = key_file.read_bytes()
    key_file.write_bytes(before)
    with pytest.raises(ConfigurationError, match="lacks the new key"):
        carry_on(vault, ADMIN, NOW, upkeep.id)
    with pytest.raises(ConfigurationError, match="from before the last rotation"):
        another(vault, key_file)
    key_file.write_bytes(after)
    assert carry_on(vault, ADMIN, NOW, upkeep.id).state == "finished"


def test_what_does_not_open_is_named_and_all_else_is_done(vault: Vault) -> None:
    run_sql(vault, "UPDATE person SET sealed = (SELECT sealed FROM person WHERE id <> :id LIMIT 1) WHERE id = :id",
            id=(person := first_person(vault)))  # fmt: skip
    kept = sealed_person(vault, person)
    with pytest.raises(ConfigurationError, match=f"1 sealed values do not open.*person.sealed {person}"):
        rotate(vault, ADMIN, NOW)
    (upkeep,) = rotations(vault)
    assert upkeep.state == "running"
    assert under_others(vault, str(upkeep.key_id)) == 1
    assert sealed_person(vault, person) == kept, "evidence is left as it was found"
    with vault.database.transaction() as session:
        fresh = vault.sealer.seal("person", "sealed", person, "{}")
        session.execute(
            text("UPDATE person SET sealed = :fresh WHERE id = :id"), {"fresh": fresh, "id": person}
        )
    assert rotate(vault, ADMIN, NOW).state == "finished"


def first_person(vault: Vault) -> str:
    with vault.database.reading() as session:
        return str(session.scalar(text("SELECT min(id) FROM person")))


def sealed_person(vault: Vault, person_id: str) -> str:
    with vault.database.reading() as session:
        return str(session.scalar(text("SELECT sealed FROM person WHERE id = :id"), {"id": person_id}))


def test_a_damaged_file_is_named_and_all_else_is_done(vault: Vault) -> None:
    address = vault.files.not_under("")[0]
    path = vault.files.folder / address[:2] / address[2:]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ConfigurationError, match=f"file {address}"):
        rotate(vault, ADMIN, NOW)
    path.write_bytes(whole)
    done = rotate(vault, ADMIN, NOW)
    assert under_others(vault, str(done.key_id)) == 0


def test_what_is_under_an_unknown_key_is_told_before_anything_begins(vault: Vault, key_file: Path) -> None:
    before = key_file.read_bytes()
    run_sql(vault, "UPDATE person SET sealed = 'k00000000:AAAA' WHERE id = :id", id=first_person(vault))
    with pytest.raises(ConfigurationError, match="1 sealed values are under keys that the key file has not"):
        rotate(vault, ADMIN, NOW)
    assert (rotations(vault), key_file.read_bytes()) == ([], before)


# --- with others at work --------------------------------------------------------------------------------------------


def test_a_value_that_changed_since_it_was_read_is_not_overwritten(vault: Vault, key_file: Path) -> None:
    other = another(vault, key_file)
    real = vaults.write

    def overtaken(session: Session, portion: vaults.Portion) -> int:
        if portion.column.table.name == "pack_upload":
            fresh = other.sealer.seal("pack_upload", "preview", "u1", "neu")
            session.execute(text("UPDATE pack_upload SET preview = :fresh WHERE id = 'u1'"), {"fresh": fresh})
        return real(session, portion)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "write", overtaken)
        done = rotate(vault, ADMIN, NOW)
    assert contents(vault)["pack_upload.preview", "u1"] == "neu"
    assert under_others(vault, str(done.key_id)) == 0
    other.database.close()


def test_two_at_work_on_one_rotation_end_it_once(vault: Vault, key_file: Path) -> None:
    before = contents(vault)
    with vault.database.transaction() as session:
        upkeep = begin(session, vault, ADMIN, AT, make_plan(vault))
    workers = [another(vault, key_file) for _ in range(2)]
    done: list[str] = []
    threads = [
        threading.Thread(target=lambda mine=mine: done.append(carry_on(mine, ADMIN, NOW, upkeep.id).state))
        for mine in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["finished", "finished"]
    assert contents(vault) == before and under_others(vault, str(upkeep.key_id)) == 0
    assert actions(vault) == ["keys.rotation_started", "keys.rotated"]
    for mine in workers:
        mine.database.close()


def test_a_second_rotation_or_an_erasure_under_way_is_waited_for(vault: Vault, key_file: Path) -> None:
    with vault.database.transaction() as session:
        begin(session, vault, ADMIN, AT, make_plan(vault))
    before = key_file.read_bytes()
    plan = make_plan(vault)
    with pytest.raises(ConflictError, match="under way"), vault.database.transaction() as session:
        begin(session, vault, ADMIN, AT, plan)
    assert key_file.read_bytes() == before
    rotate(vault, ADMIN, NOW)
    with vault.database.transaction() as session:
        erasure = Upkeep(id="x", kind="erasure", state="asked", plan="{}", asked_by="a", asked_at=AT, done=0)
        session.add(erasure)
        session.flush()
        erasure.state, erasure.decided_by, erasure.decided_at = "running", "b", AT
    with pytest.raises(ConflictError, match="erasure"):
        rotate(vault, ADMIN, NOW)
    with vault.database.reading() as session:
        assert why_not_retire(session, vault, vault.count(session), LATER) is not None


@pytest.mark.parametrize("column", ["claim.sealed", "stored_file.content"])
def test_on_postgresql_a_row_that_somebody_has_locked_holds_nobody_up(
    county_postgres: tuple[str, Path], tmp_path: Path, column: str
) -> None:
    url, shared = county_postgres
    shutil.copyfile(shared, tmp_path / "own.key")
    vault = full_vault(url, tmp_path / "own.key", tmp_path / "files")
    table = column.partition(".")[0]
    before = contents(vault)
    other = Database(url)
    said: list[int] = []
    threads = []
    with other.transaction() as session:
        session.execute(text(f"SELECT 1 FROM {table} ORDER BY id LIMIT 1 FOR UPDATE"))
        thread = threading.Thread(
            target=lambda: rotate(vault, ADMIN, NOW, lambda done, total: said.append(total - done))
        )
        thread.start()
        threads.append(thread)
        while not said or said[-1] > 1:
            thread.join(0.05)
        assert said[-1] == 1, "all but the locked row is done"
    for thread in threads:
        thread.join()
    (done,) = rotations(vault)
    assert done.state == "finished" and under_others(vault, str(done.key_id)) == 0
    assert contents(vault) == before
    other.close()
    vault.database.close()


def test_on_postgresql_a_transaction_from_before_is_waited_for_or_found_later(
    county_postgres: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sealed with the former key and commits late: found by the last pass, or else before that key is retired."""
    url, shared = county_postgres
    path = tmp_path / "own.key"
    shutil.copyfile(shared, path)
    vault = full_vault(url, path, tmp_path / "files")
    other = another(vault, path)
    for patience in (60.0, 0.0):
        monkeypatch.setattr(rotation, "LONGEST_WAIT_SECONDS", patience)
        old = read_key_file(path).current
        with other.database.transaction() as session:
            hold(session, other.sealer, f"late-{patience}", "late")
            thread = threading.Thread(target=lambda: rotate(vault, ADMIN, NOW))
            thread.start()
            thread.join(1.5)
            assert thread.is_alive() == (patience > 0)
        thread.join()
        assert under(vault, old) == (0 if patience else 1)
        if patience:
            other.sealer.look_again()
    with pytest.raises(ConflictError, match="still seals 1 values"):
        retire(vault, ADMIN, LATER)
    plan = make_plan(vault)
    assert (plan.left_over, plan.cells) == (1, {"legal_hold.reason": 1})
    key = read_key_file(path).current
    done = rotate(vault, ADMIN, NOW)
    assert (done.key_id, done.done, read_key_file(path).current) == (key, 1, key), (
        "no new key for what was left"
    )
    assert under_others(vault, key) == 0
    assert len(retire(vault, ADMIN, LATER)) == 2
    other.database.close()
    vault.database.close()


# --- the former key goes --------------------------------------------------------------------------------------------


def test_the_former_key_is_kept_for_a_day_and_then_retired(vault: Vault, key_file: Path) -> None:
    with pytest.raises(ConflictError, match="no former key"):
        retire(vault, ADMIN, LATER)
    before, old = contents(vault), read_key_file(key_file).current
    rotate(vault, ADMIN, NOW)
    for at in (AT, AT + timedelta(hours=23, minutes=59)):
        with pytest.raises(
            ConflictError, match="for 24 hours after the rotation; it can be retired from 2026-01-03 11:04"
        ):
            retire(vault, ADMIN, at)
    assert retire(vault, ADMIN, AT + timedelta(hours=24)) == [old]
    assert list(read_key_file(key_file).keys) == [read_key_file(key_file).current]
    assert actions(vault)[-1] == "keys.retired"
    assert contents(vault) == before
    other = another(vault, key_file)
    assert contents(other) == before, "and the installation opens without it"
    with pytest.raises(ConflictError, match="no former key"):
        retire(vault, ADMIN, LATER)
    assert rotate(vault, ADMIN, FixedClock(LATER)).state == "finished"
    other.database.close()


@pytest.mark.parametrize("where", ["cell", "file", "unfinished"])
def test_a_former_key_that_something_is_under_stays(vault: Vault, key_file: Path, where: str) -> None:
    other = another(vault, key_file)
    if where == "unfinished":
        with vault.database.transaction() as session:
            upkeep = begin(session, vault, ADMIN, AT, make_plan(vault))
        rotation._make_current(vault, str(upkeep.key_id))
    else:
        rotate(vault, ADMIN, NOW)
        other.sealer.source = None  # as if it had not noticed
        if where == "cell":
            with other.database.transaction() as session:
                hold(session, other.sealer, "late", "late")
        else:
            other.files.put(b"late")
    before = key_file.read_bytes()
    with pytest.raises(ConflictError):
        retire(vault, ADMIN, LATER)
    assert key_file.read_bytes() == before
    assert "keys.retired" not in actions(vault)
    other.database.close()


def test_retiring_that_was_interrupted_is_done_again(vault: Vault, key_file: Path) -> None:
    rotate(vault, ADMIN, NOW)
    former = former_keys(read_key_file(key_file))
    for number in range(1, 20):
        with interrupted_at(number):
            try:
                retire(vault, ADMIN, LATER)
                break
            except Interrupted:
                assert actions(vault).count("keys.retired") or former_keys(read_key_file(key_file)) == former
                assert set(read_key_file(key_file).keys) <= {*former, read_key_file(key_file).current}
        if not former_keys(read_key_file(key_file)):
            break
    assert former_keys(read_key_file(key_file)) == []
    assert "keys.retired" in actions(vault)


def test_nobody_else_may_and_not_without_a_fresh_second_factor(vault: Vault, key_file: Path) -> None:
    before = key_file.read_bytes()
    for actor in (
        Actor("p", "a", Role.SYS_ADMIN, "370323", "x", Assurance.STEP_UP),
        Actor("p", "a", Role.AUDITOR, "370323", "x", Assurance.STEP_UP),
        Actor("p", "a", Role.SEC_ADMIN, "370323", "x", Assurance.SECOND_FACTOR),
        Actor("p", "a", Role.SEC_ADMIN, "370323", "x", Assurance.TOKEN),
    ):
        with pytest.raises(NotAllowedError):
            rotate(vault, actor, NOW)
        with pytest.raises(NotAllowedError):
            retire(vault, actor, LATER)
    assert (key_file.read_bytes(), rotations(vault)) == (before, [])


# --- guards ---------------------------------------------------------------------------------------------------------

KEPT = {
    ("decision", "sealed"): "outcome",
    ("stored_file", "content"): "size",
    ("payable", "sealed"): "amount_fen",
    ("payment", "sealed"): "amount_fen",
    ("disclosure", "note"): "purpose",
    ("export", "note"): "kind",
    ("legal_hold", "reason"): "set_by",
    ("bank_account", "sealed"): "digest",
    ("cover", "sealed"): "relation",
    ("feed_row", "sealed"): "amount_fen",
    ("income", "sealed"): "digest",
    ("person_name", "sealed"): "source",
    ("relative", "sealed"): "relation",
    ("proposal", "sealed"): "asked_by",
    ("proposal", "reason"): "asked_by",
    ("recognition", "sealed"): "proposed_by",
    ("recognition", "decision"): "decided_by",
    ("recognition_review", "sealed"): "reviewed_by",
    ("registry_task", "sealed"): "kind",
    ("registry_task", "reason"): "kind",
    ("comparison_hit", "through"): "matter",
    ("warning_report", "sealed"): "channel",
}
"""Sealed columns of records that are kept, and a column of theirs that nobody may ever change."""


@pytest.mark.parametrize("where", KEPT, ids="-".join)
def test_kept_records_are_sealed_anew_only_while_a_rotation_runs_and_change_in_nothing_else(
    vault: Vault, where: tuple[str, str]
) -> None:
    table, column = where
    row = f"id = (SELECT min(id) FROM {table} WHERE {column} IS NOT NULL AND length({column}) > 40)"
    with vault.database.reading() as session:
        kept = session.scalar(text(f"SELECT {column} FROM {table} WHERE {row}"))
        bytes_type = "BLOB" if is_sqlite(session) else "BYTEA"
    other: Any = kept + (b"x" if isinstance(kept, bytes) else "x")
    value = f"CAST(:value AS {bytes_type})" if isinstance(kept, bytes) else ":value"
    plain = KEPT[where]
    otherwise = [
        f"UPDATE {table} SET {plain} = {7 if plain in ('size', 'amount_fen') else repr('seven')} WHERE {row}",
        f"DELETE FROM {table} WHERE {row}",
    ]
    anew = f"UPDATE {table} SET {column} = {value} WHERE {row}"

    def refused(statement: str, **values: Any) -> None:
        with pytest.raises(DBAPIError, match="fangpin guard"):
            run_sql(vault, statement, **values)

    refused(anew, value=other)
    for statement in otherwise:
        refused(statement)
    with vault.database.transaction() as session:
        begin(session, vault, ADMIN, AT, make_plan(vault))
    for statement in otherwise:
        refused(statement)
    refused(anew, value=b"erased" if isinstance(kept, bytes) else "erased")
    run_sql(vault, anew, value=other)
    run_sql(vault, "UPDATE upkeep SET state = 'finished', ended_at = asked_at")
    refused(anew, value=kept)


def test_every_kept_sealed_column_is_tried(vault: Vault) -> None:
    names = {guard.name for guard in GUARDS}
    kept = {
        (column.table.name, column.name)
        for column in vault.columns
        if f"{column.table.name}_{column.name}_kept" in names
    }
    assert kept == KEPT.keys()


@pytest.mark.parametrize("statement", [
    "UPDATE upkeep SET key_id = 'k1'", "UPDATE upkeep SET plan = '{}'", "UPDATE upkeep SET done = done - 1",
    "UPDATE upkeep SET state = 'running', ended_at = NULL", "DELETE FROM upkeep",
    "UPDATE upkeep SET asked_by = 'x'", "UPDATE upkeep SET ended_at = asked_at, asked_at = asked_at, state = 'refused'",
])  # fmt: skip
def test_a_past_rotation_cannot_be_changed(vault: Vault, statement: str) -> None:
    rotate(vault, ADMIN, NOW)
    with pytest.raises(DBAPIError):
        run_sql(vault, statement)


def test_a_retired_key_is_brought_back_for_what_a_forgotten_machine_sealed_with_it(
    vault: Vault, key_file: Path, tmp_path: Path
) -> None:
    """Another machine's copy of the key file was not renewed: it goes on sealing with the key that was retired."""
    forgotten = tmp_path / "forgotten.key"
    forgotten.write_bytes(key_file.read_bytes())
    old = read_key_file(key_file).current
    rotate(vault, ADMIN, NOW)
    retire(vault, ADMIN, AT + timedelta(hours=24))
    copy = key_file.with_name(f"{key_file.name}.before-{read_key_file(key_file).current}")
    assert old in read_key_file(copy).keys
    sealed = Sealer(read_key_file(forgotten)).seal("claim", "sealed", "late", "370323197001010013")
    with pytest.raises(ConfigurationError):
        vault.sealer.reveal("claim", "sealed", "late", sealed)
    assert restore(vault, ADMIN, LATER, copy) == [old]
    assert vault.sealer.reveal("claim", "sealed", "late", sealed) == "370323197001010013"
    assert actions(vault)[-1] == "keys.restored"
    with pytest.raises(ConflictError, match="no key that is missing"):
        restore(vault, ADMIN, LATER, copy)
