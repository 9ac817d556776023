"""`fangpin doctor`: is this installation fit to decide and to pay? Each finding in both languages."""

from __future__ import annotations

import importlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pysqlite3.dbapi2 as sqlite3
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from claims.queries.listing import stale
from foundation.calendar import WorkingDays
from foundation.clock import SystemClock, business_day
from foundation.database import LEAST_SQLITE, Database, check_connection, is_sqlite, unreachable
from foundation.errors import FangpinError
from foundation.guards import live_guards, weakened
from foundation.keyfile import KeyCheck, check_keys, read_key_file
from foundation.sealing import Sealer
from foundation.trail.anchors import last_anchor
from foundation.trail.checks import newest_checks
from foundation.trail.models import TrailBlock
from foundation.trail.sealing import head, unsealed
from webapp.invariants import INVARIANTS
from webapp.opening import refuse_absent
from webapp.settings import anchor_file, default_key_file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    well: bool
    zh: str
    en: str


def examine(url: str | None, key_file: Path | None) -> list[Finding]:
    """Looks at the program, its libraries and, where one is named, the database. Changes nothing."""
    findings = [*_program()]
    if url is None:
        findings.append(Finding(True, "未指定数据库,跳过", "no database was named; not looked at"))
        return findings
    try:
        refuse_absent(url)
        database = Database(url)
        try:
            findings += _database(database, key_file or default_key_file(url))
        finally:
            database.close()
    except FangpinError as error:
        findings.append(Finding(False, error.zh, error.en))
    except DBAPIError as error:
        mapped = unreachable(error)
        findings.append(Finding(False, mapped.zh, mapped.en))
    return findings


def _program() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info[:2] >= (3, 11), f"Python {version}", f"Python {version}")
    fit = sqlite3.sqlite_version_info >= LEAST_SQLITE
    yield Finding(fit, f"SQLite {sqlite3.sqlite_version}", f"SQLite {sqlite3.sqlite_version}")
    yield _tried("PDF 排版库", "PDF libraries", lambda: importlib.import_module("weasyprint"))
    yield _tried("中文字体", "Chinese fonts", lambda: importlib.import_module("pylopdf_fonts_zh_cn"))
    yield _tried("表格读取库", "spreadsheet reader", lambda: importlib.import_module("python_calamine"))
    year = business_day(SystemClock().now()).year
    yield _tried(
        f"{year} 年工作日历",
        f"working days of {year}",
        lambda: WorkingDays.load().is_working_day(business_day(SystemClock().now())),
    )
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield Finding(files >= 256, f"可打开文件数 {files}", f"open files allowed: {files}")
    broker = "FANGPIN_BROKER" in os.environ
    zh, en = (
        ("后台任务经消息队列", "background work by a broker")
        if broker
        else ("后台任务在进程内完成", "background work in process")
    )
    yield Finding(True, zh, en)


def _tried(zh: str, en: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except (ImportError, OSError, FangpinError) as error:
        return Finding(False, f"{zh}:{error}", f"{en}: {error}")
    return Finding(True, zh, en)


def _database(database: Database, key_file: Path) -> Iterator[Finding]:
    from migrations.schema import GUARDS, METADATA

    name = check_connection(database)
    yield Finding(True, f"数据库 {name}", f"database {name}")
    with database.reading() as session:
        connection = session.connection()
        tables = set(connection.dialect.get_table_names(connection))
        missing = sorted(set(METADATA.tables) - tables)
        if missing:
            listed = ", ".join(missing)
            yield Finding(
                False,
                f"缺少数据表 {listed};请先运行 fangpin run",
                f"tables are missing: {listed}; run `fangpin run` first",
            )
            return
        sqlite = is_sqlite(session)
        wanted = {guard.name for guard in GUARDS if not (sqlite and "TRUNCATE" in guard.when)}
        lost = sorted(wanted - live_guards(connection).keys())
        yield Finding(
            not lost,
            f"数据库规则 {len(wanted) - len(lost)}/{len(wanted)} {' '.join(lost)}".rstrip(),
            f"guards in the database: {len(wanted) - len(lost)} of {len(wanted)}",
        )
        changed = weakened(connection, GUARDS)
        yield Finding(
            not changed,
            f"被改动的数据库规则 {len(changed)} {' '.join(changed)}".rstrip(),
            f"guards that are not as the program made them: {len(changed)}",
        )
        if session.scalar(select(func.count()).select_from(KeyCheck)):
            try:
                check_keys(session, Sealer(read_key_file(key_file)))
                yield Finding(
                    True, f"密钥文件 {key_file.name} 正确", f"the key file {key_file.name} is the right one"
                )
            except FangpinError as error:
                yield Finding(False, error.zh, error.en)
        if sqlite:
            found = session.scalar(text("PRAGMA integrity_check"))
            yield Finding(found == "ok", f"数据库完整性 {found}", f"integrity of the database: {found}")
        for zh, en, query in INVARIANTS:
            wrong = session.scalar(query) or 0
            yield Finding(wrong == 0, f"{zh}:{wrong}", f"{en}: {wrong}")
        wrong = stale(session)
        yield Finding(
            wrong == 0,
            f"案件清单与案件不符:{wrong}",
            f"rows of the list that differ from the claims: {wrong}",
        )
        yield from _trail(session, anchor_file(database.url))


def _trail(session: Session, anchors: Path) -> Iterator[Finding]:
    """The trail at a quick look; `fangpin trail verify` checks all of it."""
    sealed, left = head(session), unsealed(session)
    yield Finding(
        True,
        f"审计链已封存 {sealed.events} 条,根 {sealed.root};未封存 {left} 条",
        f"trail of {sealed.events} sealed events, root {sealed.root}; {left} not sealed yet",
    )
    for checked in newest_checks(session, 1):
        day = business_day(checked.checked_at)
        zh, en = ("无误", "well") if checked.well else ("有误", "faulty")
        if checked.fault is not None:
            zh, en = f"{zh}:{checked.fault['zh']}", f"{en}: {checked.fault['en']}"
        yield Finding(checked.well, f"审计链 {day} 验证{zh}", f"the trail was verified on {day}: {en}")
    anchor = last_anchor(anchors)
    if anchor is None:
        yield Finding(
            sealed.block == 0,
            f"锚定文件 {anchors.name} 尚无链首",
            f"the anchor file {anchors.name} has no head yet",
        )
        return
    columns = (TrailBlock.events, TrailBlock.root, TrailBlock.digest)
    found = session.execute(select(*columns).where(TrailBlock.number == anchor.block)).first()
    agrees = found is not None and tuple(found) == (anchor.events, anchor.root, anchor.digest)
    zh, en = ("", "") if agrees else (",与数据库不符", ", and the database has another one")
    yield Finding(
        agrees and sealed.block == anchor.block,
        f"审计链至第 {sealed.block} 区块;锚定文件至第 {anchor.block} 区块{zh}",
        f"trail up to block {sealed.block}; anchored up to block {anchor.block}{en}",
    )
