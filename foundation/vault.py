"""Everything that an installation has sealed, columns of its database and files of its folder, by the key it is under.

It finds what is not under a key yet and seals it anew, a small portion at a time: read without a lock, sealed outside
of any transaction, and written only where the cell still holds what was read. So it can be interrupted at any point and
done by two at once, and whoever writes meanwhile waits for one short transaction at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from foundation.blobs import BlobStore
from foundation.database import Database, SealedBytes, is_sqlite
from foundation.errors import ConfigurationError
from foundation.sealing import ERASED, Sealer

MOST_CELLS = 500
"""Cells of one portion, which is one transaction."""
MOST_BYTES = 4 << 20
"""Bytes of one portion; a single larger cell is one by itself."""


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """How many cells of a sealed column each key has sealed; `unknown` are under keys that are not in the ring."""

    column: str
    """`table.column`."""
    cells: dict[str, int]
    unknown: int


@dataclass(frozen=True, slots=True)
class SealedCell:
    """One sealed cell as it was read."""

    row_id: str
    sealed: Any


@dataclass(frozen=True, slots=True)
class Portion:
    """Some cells of a column, sealed anew. `faulty`: places that do not open, `table.column row id`."""

    column: Column[Any]
    cells: Sequence[SealedCell]
    fresh: Sequence[Any]
    faulty: Sequence[str]
    last: str
    """The last row that was looked at; the next portion begins behind it."""


@dataclass(frozen=True, slots=True)
class Vault:
    """What is sealed, where, and with which keys. `columns` are those that a rotation seals anew: no key checks."""

    database: Database
    sealer: Sealer
    columns: Sequence[Column[Any]]
    files: BlobStore

    def count(self, session: Session) -> list[ColumnCount]:
        """The sealed cells of every column by their key. One statement a column, which reads it all."""
        return [self._counted(session, column) for column in self.columns]

    def _counted(self, session: Session, column: Column[Any]) -> ColumnCount:
        ids = list(self.sealer.keys.keys)
        counts = [func.count().filter(_under(column, key_id)) for key_id in ids]
        total, *found = session.execute(select(func.count(), *counts).where(_sealed(column))).one()
        cells = {key_id: int(number) for key_id, number in zip(ids, found, strict=True) if number}
        return ColumnCount(name_of(column), cells, int(total) - sum(cells.values()))

    def portions(self, key_id: str, column: Column[Any]) -> Iterator[Portion]:
        """The cells of a column that are under another key, in order of their rows, sealed anew with this one.

        What is under this key by the time of its turn is not looked at. Raises ConfigurationError when the key does not
        seal (any more).
        """
        after = ""
        while cells := self._read(key_id, column, after):
            self.must_seal_with(key_id)
            portion = self._sealed_anew(column, cells)
            yield portion
            after = portion.last

    def must_seal_with(self, key_id: str) -> None:
        """Raises ConfigurationError unless this key seals at this moment: the key file is there and says so."""
        self.sealer.look_again()
        if self.sealer.keys.current != key_id:
            raise ConfigurationError(
                "密钥文件中的当前密钥不是本次轮换的新密钥,请换成最新的密钥文件",
                "the current key of the key file is not the new one of this rotation; put the newest file in its place",
            )

    def _read(self, key_id: str, column: Column[Any], after: str) -> list[SealedCell]:
        row_id = column.table.c.id
        others = _sealed(column) & ~_under(column, key_id) & (row_id > after)
        sizes = select(row_id, func.octet_length(column)).where(others).order_by(row_id).limit(MOST_CELLS)
        with self.database.reading() as session:
            chosen = list(_within_bytes(session, sizes))
            rows = session.execute(
                select(row_id, column).where(row_id.in_(chosen), column.is_not(None)).order_by(row_id)
            )
            return [SealedCell(row[0], row[1]) for row in rows]

    def _sealed_anew(self, column: Column[Any], cells: Sequence[SealedCell]) -> Portion:
        table, name = column.table.name, column.name
        reveal, seal = self._ways(column)
        opened, fresh, faulty = [], [], []
        for cell in cells:
            try:
                content = reveal(table, name, cell.row_id, cell.sealed)
            except ConfigurationError:
                faulty.append(f"{name_of(column)} {cell.row_id}")
                continue
            opened.append(cell)
            fresh.append(seal(table, name, cell.row_id, content))
        return Portion(column, opened, fresh, faulty, cells[-1].row_id)

    def _ways(self, column: Column[Any]) -> tuple[Any, Any]:
        if isinstance(column.type, SealedBytes):
            return self.sealer.reveal_bytes, self.sealer.seal_bytes
        return self.sealer.reveal, self.sealer.seal


def write(session: Session, portion: Portion) -> int:
    """Writes a portion where its cells still hold what was read, and says how many did.

    On PostgreSQL a row that somebody else has locked is passed over, so that this never waits for them and cannot be
    in a deadlock: a later pass finds it.
    """
    table, column = portion.column.table, portion.column
    free = {cell.row_id for cell in portion.cells}
    if not is_sqlite(session):
        rows = select(table.c.id).where(table.c.id.in_(free)).order_by(table.c.id)
        free = set(session.scalars(rows.with_for_update(key_share=True, skip_locked=True)))
    changes = [
        {"row_id": cell.row_id, "old": cell.sealed, "fresh": fresh}
        for cell, fresh in zip(portion.cells, portion.fresh, strict=True)
        if cell.row_id in free
    ]
    if not changes:
        return 0
    same = (table.c.id == bindparam("row_id")) & (column == bindparam("old", type_=column.type))
    anew = update(table).where(same).values({column.name: bindparam("fresh", type_=column.type)})
    return session.connection().execute(anew, changes).rowcount


def name_of(column: Column[Any]) -> str:
    """`table.column`."""
    return f"{column.table.name}.{column.name}"


def _within_bytes(session: Session, sizes: Select[Any]) -> Iterator[str]:
    """The first rows that together are within the bytes of a portion, and always one."""
    total = 0
    for row_id, size in session.execute(sizes):
        total += size
        if total > MOST_BYTES and total > size:
            return
        yield row_id


def _sealed(column: Column[Any]) -> ColumnElement[bool]:
    kept: ColumnElement[bool] = column != _literal(column, ERASED)
    return column.is_not(None) & kept


def _under(column: Column[Any], key_id: str) -> ColumnElement[bool]:
    head = func.substr(column, 1, len(key_id) + 1, type_=column.type)
    same: ColumnElement[bool] = head == _literal(column, f"{key_id}:")
    return same


def _literal(column: Column[Any], word: str) -> Any:
    return word.encode() if isinstance(column.type, SealedBytes) else word
