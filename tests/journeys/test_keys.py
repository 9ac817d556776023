"""Keys and ciphers over whole runs: the same results by SM4 and SM3, and ciphertexts that an attacker moves about."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, func, select, text
from sqlalchemy.orm import Session

from foundation.database import Database, SealedBytes, is_sqlite
from foundation.errors import ConfigurationError
from foundation.guards import live_guards
from foundation.keyfile import read_key_file
from foundation.sealing import ERASED
from foundation.trail.events import Event
from foundation.trail.models import TrailBlock, TrailLeaf
from foundation.vault import Vault, name_of
from migrations.schema import METADATA
from tests.vaults import contents, full_vault
from tests.webapp.conftest import (
    county_key_file,
    county_postgres,
    county_postgres_template,
    county_sqlite,
    county_sqlite_file,
)
from webapp.run import Options, run_pack

__all__ = [
    "county_key_file",
    "county_postgres",
    "county_postgres_template",
    "county_sqlite",
    "county_sqlite_file",
]


def test_the_main_job_gives_the_same_with_sm4_and_sm3_and_its_trail_is_sm3(
    small_pack: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANGPIN_CIPHER", "SM4-GCM")
    monkeypatch.setenv("FANGPIN_HASH", "sm3")
    out, key = tmp_path / "out", tmp_path / "key"
    run = run_pack(
        Options(small_pack, out, database_url, date(2020, 12, 31), letters=2, key_file=key), lambda *_: None
    )
    for name in ("decisions.csv", "errors.csv"):
        assert (out / name).read_bytes() == (small_pack / "expected" / name).read_bytes()
    (entry,) = json.loads(key.read_text())["keys"].values()
    assert entry["cipher"] == "SM4-GCM"
    assert read_key_file(key).hash_name == "sm3"
    database = Database(database_url)
    with database.reading() as session:
        rows = session.execute(
            select(Event.body, TrailLeaf.hash).join(TrailLeaf, TrailLeaf.event_id == Event.id)
        ).all()
        assert set(session.scalars(select(TrailBlock.hash_name))) == {"sm3"}
        assert len(rows) == session.scalar(select(func.count()).select_from(Event))
        assert len(rows) > 1000
        for body, leaf in rows:
            assert hashlib.new("sm3", b"\x00" + body.encode()).hexdigest() == leaf
    database.close()
    assert run.summary["trail"]["events"] == len(rows)


# --- moved ciphertexts ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["county_sqlite", "county_postgres"], ids=("sqlite", "postgresql"))
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    """A county after a whole run, with something in every sealed column, whose owner has taken its guards away."""
    url, shared = request.getfixturevalue(request.param)
    shutil.copyfile(shared, tmp_path / "own.key")
    made = full_vault(url, tmp_path / "own.key", tmp_path / "files")
    with made.database.transaction() as session:
        for name, table in live_guards(session.connection()).items():
            session.execute(text(f"DROP TRIGGER {name}" + ("" if is_sqlite(session) else f" ON {table}")))
    yield made
    made.database.close()


def two_rows(session: Session, column: Column[Any]) -> list[tuple[str, Any]]:
    """Ids and values of two sealed cells of a column."""
    sealed = func.length(column) > len(ERASED)
    rows = session.execute(
        select(column.table.c.id, column).where(sealed).order_by(column.table.c.id).limit(2)
    )
    found = [(row[0], row[1]) for row in rows]
    assert len(found) == 2, f"nothing to swap in {name_of(column)}"
    return found


def put(session: Session, column: Column[Any], row_id: str, value: Any) -> None:
    """Raw SQL of an attacker."""
    statement = f"UPDATE {column.table.name} SET {column.name} = :value WHERE id = :id"
    changed = session.execute(text(statement), {"value": value, "id": row_id})
    assert changed.rowcount == 1  # type: ignore[attr-defined]


def opens(vault: Vault, column: Column[Any], row_id: str) -> bool:
    """Whether the program opens a cell as it now stands in the database."""
    with vault.database.reading() as session:
        sealed: Any = session.scalar(select(column).where(column.table.c.id == row_id))
    reveal: Any = vault.sealer.reveal_bytes if isinstance(column.type, SealedBytes) else vault.sealer.reveal
    try:
        reveal(column.table.name, column.name, row_id, sealed)
    except ConfigurationError:
        return False
    return True


def test_ciphertexts_swapped_between_rows_do_not_open(vault: Vault) -> None:
    for column in vault.columns:
        with vault.database.transaction() as session:
            (first, value), (second, other) = two_rows(session, column)
        assert opens(vault, column, first) and opens(vault, column, second)
        with vault.database.transaction() as session:
            put(session, column, first, other)
            put(session, column, second, value)
        assert not opens(vault, column, first) and not opens(vault, column, second), name_of(column)
        with vault.database.transaction() as session:
            put(session, column, first, value)
            put(session, column, second, other)
    contents(vault)


def test_ciphertexts_moved_to_another_column_do_not_open(vault: Vault) -> None:
    """Each column's value in the place of each other column's, the same row's where ids can be the same."""
    texts = [column for column in vault.columns if not isinstance(column.type, SealedBytes)]
    with vault.database.reading() as session:
        cells = {name_of(column): two_rows(session, column)[0] for column in vault.columns}
    tried = 0
    for shift in range(1, len(texts)):
        for index, column in enumerate(texts):
            other = texts[(index + shift) % len(texts)]
            row_id, own = cells[name_of(column)]
            foreign = cells[name_of(other)][1]
            with vault.database.transaction() as session:
                put(session, column, row_id, foreign)
            assert not opens(vault, column, row_id), f"{name_of(other)} in {name_of(column)}"
            with vault.database.transaction() as session:
                put(session, column, row_id, own)
            tried += 1
    assert tried == len(texts) * (len(texts) - 1)
    contents(vault)


def test_a_row_that_was_given_another_ones_id_does_not_open(vault: Vault) -> None:
    """The same value under another id, as if the row had been copied."""
    column = METADATA.tables["legal_hold"].c.reason
    with vault.database.transaction() as session:
        session.execute(text("UPDATE legal_hold SET id = 'h9' WHERE id = 'h1'"))
    assert not opens(vault, column, "h9")
