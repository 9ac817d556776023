"""The database on both engines: SQLite embedded, PostgreSQL in production. The one place that commits.

SQLite is a current pysqlite3 in WAL mode with STRICT tables, foreign keys on, and `BEGIN IMMEDIATE` for writing
transactions (the standard driver's late BEGIN lets two writers read the same remaining cap). Services flush; whoever
stands at the edge (command line, page, task) opens `transaction()`, and that commits or rolls back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import pysqlite3.dbapi2 as sqlite3
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from foundation.errors import ConfigurationError, ConflictError

LEAST_SQLITE = (3, 51, 3)
"""Older ones can corrupt a database when the WAL is reset."""


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed so that migrations can find them on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(model: type[Base]) -> Table:
    """The table of a model, for Core statements."""
    return cast(Table, model.__table__)


class Instant(TypeDecorator[datetime]):
    """A UTC instant to the microsecond: TIMESTAMPTZ on PostgreSQL, ISO text that sorts on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        value = value.astimezone(UTC)
        return instant_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class SealedText(TypeDecorator[str]):
    """Text that `foundation.sealing` has sealed for this table, column and row."""

    impl = Text
    cache_ok = True


class SealedBytes(TypeDecorator[bytes]):
    """Bytes that `foundation.sealing` has sealed for this table, column and row."""

    impl = LargeBinary
    cache_ok = True


def sealed_columns(metadata: MetaData) -> list[Column[Any]]:
    """Every sealed column of the schema, by table and name: what a rotation of keys has to seal anew."""
    return [
        column
        for table in sorted(metadata.tables.values(), key=lambda table: table.name)
        for column in table.columns
        if isinstance(column.type, SealedText | SealedBytes)
    ]


def instant_text(instant: datetime) -> str:
    """An instant as ISO text in UTC, always with six decimals: `2020-12-31T04:00:00.000000+00:00`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


# STRICT tables know five types only; this is the one map from ours to them.
@compiles(BigInteger, "sqlite")
@compiles(Boolean, "sqlite")
def _integer(_type: Any, _compiler: Any, **_: Any) -> str:
    return "INTEGER"


@compiles(String, "sqlite")
@compiles(Text, "sqlite")
@compiles(Date, "sqlite")
@compiles(DateTime, "sqlite")
def _text(_type: Any, _compiler: Any, **_: Any) -> str:
    return "TEXT"


@compiles(LargeBinary, "sqlite")
def _blob(_type: Any, _compiler: Any, **_: Any) -> str:
    return "BLOB"


def strict(*arguments: Any, **options: Any) -> tuple[Any, ...]:
    """Table arguments of every table: its constraints, and STRICT on SQLite."""
    return (*arguments, {"sqlite_strict": True, **options})


class Database:
    """An open database. Give it a URL: `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/NAME`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing transaction: committed at the end, rolled back by any exception."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view for reading; on SQLite it blocks no writer. Nothing written in it stays."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            session.connection(execution_options={"fangpin_reading": True})
            yield session
            session.expunge_all()  # What was read stays readable after the rollback.
            session.rollback()

    def close(self) -> None:
        """Gives the connections back."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _bad_url() from error
    if parsed.get_backend_name() == "sqlite":
        if sqlite3.sqlite_version_info < LEAST_SQLITE:
            raise ConfigurationError(
                f"SQLite {sqlite3.sqlite_version} 过旧,请重新安装依赖",
                f"SQLite {sqlite3.sqlite_version} is too old; install the requirements again",
            )
        if not parsed.database or parsed.database == ":memory:":
            raise _bad_url()
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, module=sqlite3, connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": "-c lock_timeout=120000 -c timezone=UTC", "connect_timeout": 10},
        )
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    raise _bad_url()


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite address; None for PostgreSQL. Raises ConfigurationError for what is no address."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _bad_url() from error
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _bad_url() -> ConfigurationError:
    return ConfigurationError(
        "数据库地址应为 sqlite:///文件 或 postgresql+psycopg://用户@主机/库名",
        "the database address must be sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late; _begin_sqlite sends it
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get("fangpin_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Any) -> None:
    if connection.get_execution_options().get("fangpin_reading"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def migrate(url: str) -> None:
    """Brings the schema to the newest version and makes the triggers again. Safe to run at any time, twice at once."""
    from alembic import command  # Alembic is slow to import, and most commands find nothing to migrate.
    from alembic.config import Config
    from alembic.util import CommandError

    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        raise unreachable(error) from error
    except CommandError as error:
        raise ConfigurationError(
            "数据库由更新版本的程序建立,请升级程序后再用",
            "the database was made by a newer version of the program; upgrade the program",
        ) from error


def unreachable(error: DBAPIError) -> ConfigurationError:
    """The message for a database that cannot be opened; it names the cause without user, password or host.

    Of an error about values, only its kind: its message may quote them.
    """
    kind = type(error.orig).__name__
    words = str(error.orig) if isinstance(error, OperationalError | InterfaceError) else kind
    cause = re.sub(r"\s+", " ", words).split(" connection to server", 1)[0][:160]
    return ConfigurationError(
        f"数据库无法使用({cause})。请检查 --database 地址、权限与服务是否启动",
        f"the database cannot be used ({cause}). Check the --database address, its rights, and that it is running",
    )


def bulk_insert(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    """Inserts many rows by the fastest road of the engine: COPY on PostgreSQL, executemany on SQLite.

    Every row has the same keys, in the table's own Python types.
    """
    if not rows:
        return
    connection = session.connection()
    names = list(rows[0])
    columns = [table.c[name] for name in names]
    cells = itemgetter(*names)
    if connection.dialect.name == "sqlite":
        # The driver's own executemany: SQLAlchemy's costs twice as much a row and adds nothing here.
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        by_column = zip(columns, zip(*map(cells, rows), strict=True), strict=True)
        values = [_sqlite_values(column.type, found) for column, found in by_column]
        connection.exec_driver_sql(statement, list(zip(*values, strict=True)))
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(cells(row))


def _sqlite_values(kind: TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
    """A column's values as SQLite stores them. Days and instants come again and again: each is written out once."""
    if isinstance(kind, Instant):
        texts = {value: None if value is None else instant_text(value) for value in set(values)}
        return [texts[value] for value in values]
    if isinstance(kind, Date):
        texts = {value: None if value is None else value.isoformat() for value in set(values)}
        return [texts[value] for value in values]
    if isinstance(kind, Boolean):
        return [None if value is None else int(value) for value in values]
    return values


def one_at_a_time(session: Session, work: str) -> None:
    """Lets one transaction at a time do this kind of work; the others wait for its end.

    SQLite has one writer anyway. On PostgreSQL it is an advisory lock, held until the transaction ends: a second run on
    the same database then finds the work done instead of failing on it halfway.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:work))"), {"work": f"fangpin:{work}"})


def clear_residue(database: Database) -> None:
    """Writes a SQLite file anew without what was taken out of it, and empties its log; nobody else writes meanwhile.

    Raises ConflictError while somebody reads an older state (a backup): the residue then still lies in the file, and
    this is to be done again. PostgreSQL does so by itself in time, and `VACUUM FULL` in a maintenance window at once:
    that locks whole tables.
    """
    if database.engine.dialect.name != "sqlite":
        return
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        (busy, *_), *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.close()
        if busy:
            raise ConflictError(
                "数据库正被读取(如备份),残留内容尚未清除,稍后自动重试",
                "the database is being read (a backup?): what was taken out still lies in the file; it is tried again",
            )
    finally:
        connection.close()


def is_sqlite(session: Session) -> bool:
    """Whether the session talks to SQLite."""
    return session.connection().dialect.name == "sqlite"


def check_connection(database: Database) -> str:
    """The engine's name and version, asked of the database itself."""
    with database.reading() as session:
        if is_sqlite(session):
            return f"SQLite {session.scalar(text('SELECT sqlite_version()'))}"
        return f"PostgreSQL {session.scalar(text('SHOW server_version'))}"
