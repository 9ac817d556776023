"""What must never happen, refused by the database itself: triggers, the same on SQLite and PostgreSQL.

A guard is a condition over NEW and OLD; when it is true, the statement is refused. Guards are made again after every
migration (a table that is rebuilt loses its triggers silently), and a test compares them with the live schema.
They stop faults and users of the program, not the owner of the database: against that one there is the trail's head.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from foundation.errors import ConflictError

_MARK = "fangpin guard"


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses `when` (`BEFORE UPDATE` …) on a table if `condition`, plain SQL that both engines read, is true."""

    name: str
    table: str
    when: str
    condition: str


def append_only(table: str, *keys: str) -> list[Guard]:
    """Rows are added and never changed. By the unique columns `keys`, SQLite's INSERT OR REPLACE would delete."""
    guards = [
        Guard(f"{table}_no_update", table, "BEFORE UPDATE", "TRUE"),
        Guard(f"{table}_no_delete", table, "BEFORE DELETE", "TRUE"),
        Guard(f"{table}_no_truncate", table, "BEFORE TRUNCATE", "TRUE"),
    ]
    return guards + [no_replace(table, key) for key in keys]


def no_replace(table: str, *columns: str) -> Guard:
    """No second row with these unique columns together: SQLite's INSERT OR REPLACE would delete the first."""
    same = " AND ".join(f"there.{column} = NEW.{column}" for column in columns)
    there = f"EXISTS (SELECT 1 FROM {table} AS there WHERE {same})"  # noqa: S608  # our own names
    return Guard(f"{table}_no_replace_{'_'.join(columns)}", table, "BEFORE INSERT", there)


def frozen(table: str, columns: Iterable[str]) -> list[Guard]:
    """These columns keep what was inserted; rows are not deleted."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    return [
        Guard(f"{table}_frozen", table, "BEFORE UPDATE", changed),
        Guard(f"{table}_no_delete", table, "BEFORE DELETE", "TRUE"),
        Guard(f"{table}_no_truncate", table, "BEFORE TRUNCATE", "TRUE"),
    ]


def sealed_only_anew(table: str, *columns: str) -> list[Guard]:
    """These sealed columns keep their content: they change only while an upkeep runs (`foundation.upkeep`).

    A rotation of keys seals the same content anew; an erasure takes it out when its term of retention is over.
    """
    running = "SELECT 1 FROM upkeep WHERE upkeep.state = 'running'"
    kept = [
        Guard(
            f"{table}_{column}_kept",
            table,
            "BEFORE UPDATE",
            f"OLD.{column} IS DISTINCT FROM NEW.{column} AND NOT EXISTS ({running})",
        )
        for column in columns
    ]
    return [*kept, *erased_for_good(table, *columns)]


ERASING = "EXISTS (SELECT 1 FROM upkeep WHERE upkeep.kind = 'erasure' AND upkeep.state = 'running')"
"""Whether an erasure runs that one person asked for and another one approved."""


def erased_for_good(table: str, *columns: str, returns: bool = False) -> list[Guard]:
    """These sealed columns are erased only while an erasure runs, and what was erased stays so.

    `returns` is for what may come back with new data, as a household in a later roster.
    """
    # The word `erased` by its length: text and bytes alike, and every sealed value is longer.
    guards = []
    for column in columns:
        erased = f"length(NEW.{column}) = 6 AND NOT {ERASING}"
        lasting = "" if returns else f" OR length(OLD.{column}) = 6"
        changed = f"OLD.{column} IS DISTINCT FROM NEW.{column} AND ({erased}{lasting})"
        guards.append(Guard(f"{table}_{column}_erased", table, "BEFORE UPDATE", changed))
    return guards


def append_only_sealed(table: str, keys: Iterable[str], plain: Iterable[str], *sealed: str) -> list[Guard]:
    """Append-only but for sealed columns, which an upkeep may seal anew or erase; `plain` are all the others."""
    replaced = [guard for guard in append_only(table, *keys) if "_no_replace_" in guard.name]
    return [*frozen(table, plain), *replaced, *sealed_only_anew(table, *sealed)]


def set_once(table: str, columns: Sequence[str]) -> Guard:
    """These columns may be filled, and then never change."""
    changed = " OR ".join(f"(OLD.{c} IS NOT NULL AND OLD.{c} IS DISTINCT FROM NEW.{c})" for c in columns)
    return Guard(f"{table}_set_once", table, "BEFORE UPDATE", changed)


def only_moves(table: str, moves: Mapping[str, Iterable[str]]) -> Guard:
    """The column `state` changes along the graph only. Sorted, so that every process makes the same statement."""
    allowed = " OR ".join(
        f"(OLD.state = '{start}' AND NEW.state = '{end}')"
        for start, ends in moves.items()
        for end in sorted(ends)
    )
    return Guard(
        f"{table}_moves", table, "BEFORE UPDATE", f"OLD.state <> NEW.state AND NOT ({allowed or 'FALSE'})"
    )


def trigger_statements(guard: Guard, engine: str) -> list[str]:
    """The statements that make a guard on `sqlite` or `postgresql`; none where the engine has no such thing."""
    if engine == "sqlite":
        if "TRUNCATE" in guard.when:
            return []
        refusal = f"SELECT RAISE(ABORT, '{_MARK}: {guard.name}');"
        head = f"CREATE TRIGGER {guard.name} {guard.when} ON {guard.table}"
        return [f"{head} WHEN {guard.condition} BEGIN {refusal} END"]
    level = "STATEMENT" if "TRUNCATE" in guard.when else "ROW"
    kept = "OLD" if "DELETE" in guard.when else "NULL" if level == "STATEMENT" else "NEW"
    refusal = f"RAISE EXCEPTION '{_MARK}: {guard.name}' USING ERRCODE = '23514';"
    body = f"BEGIN IF {guard.condition} THEN {refusal} END IF; RETURN {kept}; END"
    head = f"CREATE TRIGGER {guard.name} {guard.when} ON {guard.table} FOR EACH {level}"
    return [_function(guard.name, f" {body} "), f"{head} EXECUTE FUNCTION {guard.name}()"]


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"


def live_guards(connection: Connection) -> dict[str, str]:
    """Name of each trigger that the live schema has, and its table."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"))
    else:
        rows = connection.execute(
            text(
                "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
        )
    return {row[0]: row[1] for row in rows}


def weakened(connection: Connection, guards: Iterable[Guard]) -> list[str]:
    """Names of the guards that the live schema has by name but not as `install` makes them, or switched off."""
    live = _sqlite_triggers(connection) if connection.dialect.name == "sqlite" else _functions(connection)
    wanted = {guard.name: tuple(trigger_statements(guard, connection.dialect.name)) for guard in guards}
    return sorted(name for name, made in live.items() if name in wanted and wanted[name] != made)


def _sqlite_triggers(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The statement of each trigger, as SQLite keeps it."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {name: (statement,) for name, statement in rows}


def _functions(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The two statements that would make each trigger on PostgreSQL; one that is switched off has none.

    A function with settings of its own is none of ours: by its search path it could look at other tables.
    """
    rows = connection.execute(
        text(
            "SELECT t.tgname, pg_get_triggerdef(t.oid, true), p.proname, p.prosrc, "
            "t.tgenabled = 'O' AND p.proconfig IS NULL AND l.lanname = 'plpgsql' "
            "AND current_setting('session_replication_role') = 'origin' "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "JOIN pg_language l ON l.oid = p.prolang "
            "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        )
    )
    return {
        trigger: (_function(name, body), statement) if on else ()
        for trigger, statement, name, body, on in rows
    }


def install(connection: Connection, guards: Iterable[Guard]) -> None:
    """Drops every trigger of the live schema and makes these, in the transaction of the caller."""
    engine = connection.dialect.name
    live = live_guards(connection)
    for name, table in live.items():
        tail = "" if engine == "sqlite" else f" ON {table}"
        connection.exec_driver_sql(f"DROP TRIGGER {name}{tail}")
    if engine != "sqlite":
        for name in live:  # after all triggers: one may have been put on the function of another
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}()")
    for guard in guards:
        for statement in trigger_statements(guard, engine):
            connection.exec_driver_sql(statement.replace("%", "%%") if engine != "sqlite" else statement)


def refused(error: DBAPIError) -> ConflictError | None:
    """The domain error for a statement that a guard or a constraint refused; None for any other database error."""
    message = str(error.orig)
    if _MARK in message:
        name = message.split(f"{_MARK}: ", 1)[1].split()[0].rstrip("\"'")
        return ConflictError(f"数据库拒绝了此操作(规则 {name})", f"the database refused this (rule {name})")
    if isinstance(error, IntegrityError):
        return ConflictError(
            "数据库拒绝了此操作:与已有记录冲突,未作任何变动,请刷新后再试",
            "the database refused this: it conflicts with what is there; nothing was changed, look again and retry",
        )
    return None
