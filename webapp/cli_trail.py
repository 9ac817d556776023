"""The commands `fangpin trail …`: seal it, prove what is in it, verify all of it, export it for an offline check."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foundation.database import Database
    from foundation.trail.verdict import TrailHead, Verdict


class _Head(click.ParamType[Any]):
    name = "EVENTS:ROOT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TrailHead:
        from foundation.trail.verdict import TrailHead

        found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", value)
        if found is None:
            self.fail(
                "应为 事件数:根(64 位十六进制),如报告所印 / must be EVENTS:ROOT, as printed on reports",
                param,
                ctx,
            )
        return TrailHead(int(found[1]), found[2])


def _on_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options of every command."""
    database = click.option(
        "--database",
        metavar="URL",
        help="数据库;缺省为 FANGPIN_DATABASE,再为演示库 / database; FANGPIN_DATABASE, else the demo's",
    )
    key_file = click.option(
        "--key-file",
        type=click.Path(path_type=Path),
        help="密钥文件,只有封存用到 / key file; only sealing asks for it",
    )
    return database(key_file(command))


@click.group(
    short_help="审计链:封存、证明、核验、导出 / the trail: seal, prove, verify, export",
    subcommand_metavar="命令 COMMAND [ARGS]…",
)
def trail() -> None:
    """审计链:每一次变动、查看、导出都在其中,封存为相连的区块,任何人可独立核验。

    The trail: every change, full view and export is in it, sealed in linked blocks, to be checked by anyone.
    """


@trail.command(short_help="封存未封存的事件 / seal what is open")
@click.option(
    "--new-anchors",
    is_flag=True,
    help="锚定文件遗失后重新开始 / begin the anchor file anew after it was lost",
)
@_on_database
def seal(new_anchors: bool, database: str | None, key_file: Path | None) -> int:
    """封存尚未封存的事件,并把链首写入锚定文件 / seal the open events and anchor the head."""
    from foundation.trail.sealing import BEFORE_A_REPORT, begin_new_anchors, head, seal_trail, unsealed
    from webapp.opening import opened
    from webapp.users import COMMAND_LINE

    with opened(_url(database), key_file) as runtime:
        anchors = runtime.anchors
        if new_anchors and anchors is not None and not anchors.exists():
            begin_new_anchors(runtime.database, COMMAND_LINE, runtime.clock.now(), anchors)
        with runtime.database.reading() as session:
            before = head(session)
        after = seal_trail(runtime, BEFORE_A_REPORT)
        with runtime.database.reading() as session:
            left = unsealed(session)
        anchored = anchors is None or anchors.exists()
    if not anchored:
        click.echo(_LOST, err=True)
    events, blocks = after.events - before.events, after.block - before.block
    click.echo(
        f"封存事件 {events} 条、区块 {blocks} 个,未封存 {left} 条,链首 {after.events}:{after.root} / "
        f"sealed {events} events in {blocks} blocks, {left} still open, head {after.events}:{after.root}"
    )
    return 0 if anchored else 1


_LOST = (
    "锚定文件遗失,未锚定:请从副本恢复;确已遗失时用 fangpin trail seal --new-anchors 重新开始 / "
    "the anchor file is missing, nothing was anchored: restore it from its copy, or, if it is lost, begin anew with "
    "fangpin trail seal --new-anchors"
)


@trail.command(short_help="核验整条审计链 / check the whole trail")
@click.option(
    "--head",
    "heads",
    type=_Head(),
    multiple=True,
    help="报告上印的链首,可多次给出 / a head printed on a report; may be given again",
)
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="锚定文件;缺省为本机所存 / anchor file; the installation's own unless given",
)
@_on_database
def verify(
    heads: tuple[TrailHead, ...], anchors: Path | None, database: str | None, key_file: Path | None
) -> int:
    """核验整条审计链。完好时退出码为 0,否则为 1,并指出最先出错之处。不改动数据,只记录核验结果。

    Check the whole trail. Exits with 0 when it is well, else with 1 and the first place that is not. Changes nothing;
    the result is recorded where the database can still be written.
    """
    del key_file  # nothing is opened that is sealed
    from foundation.trail.anchors import read_anchors
    from foundation.trail.verifying import verify as check
    from webapp.settings import anchor_file

    url = _url(database)
    with _existing(url) as opened:
        known = read_anchors(
            anchors or anchor_file(url)
        )  # before the database: no block is newer than its anchor
        with opened.reading() as session:
            verdict = check(session, known, heads)
        _recorded(opened, verdict)
    for fault in verdict.faults:
        click.echo(f"✗ {fault.zh}\n  {fault.en}")
    bare = verdict.blocks > 0 and not known and not heads
    if bare:
        click.echo(
            "✗ 没有锚定文件也没有给出链首:整体改写和截尾无从发现\n"
            "  no anchors and no head: a trail rewritten as a whole would pass"
        )
    click.echo(_told(verdict, len(known)))
    return 0 if verdict.well and not bare else 1


def _told(verdict: Verdict, anchors: int) -> str:
    head = f"{verdict.events}:{verdict.root}"
    faults = len(verdict.faults)
    zh, en = (
        ("审计链完好", "the trail is well")
        if verdict.well
        else (f"审计链有误 {faults} 处", f"{faults} faults")
    )
    return (
        f"{zh}:事件 {verdict.events} 条,区块 {verdict.blocks} 个,锚定 {anchors} 个,未封存 {verdict.unsealed} 条,"
        f"链首见行末 / {en}: {verdict.events} events, {verdict.blocks} blocks, {anchors} anchors, "
        f"{verdict.unsealed} not sealed yet, head {head}"
    )


def _recorded(database: Database, verdict: Verdict) -> None:
    """Records a check, where that is possible: whoever owns the database may have seen to it that it is not."""
    from sqlalchemy.exc import DBAPIError

    from foundation.clock import SystemClock
    from foundation.trail.verifying import record_check
    from webapp.users import COMMAND_LINE

    try:
        with database.transaction() as session:
            record_check(session, COMMAND_LINE, SystemClock().now(), verdict)
    except DBAPIError:
        click.echo("核验结果未能记入数据库 / the result could not be recorded in the database", err=True)


@trail.command(short_help="证明事件在链中 / prove that an event is in the trail")
@click.option("--event", type=click.IntRange(min=1), help="事件编号 / id of an event")
@click.option(
    "--block",
    type=click.IntRange(min=1),
    help="至此区块;缺省为最后一块 / up to this block; the last one unless given",
)
@click.option(
    "--earlier",
    type=click.IntRange(min=1),
    help="证明至此区块的链是其开头 / prove that the trail up to this block is its beginning",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="证明文件 / file for the proof")
@_on_database
def prove(
    event: int | None,
    block: int | None,
    earlier: int | None,
    out: Path,
    database: str | None,
    key_file: Path | None,
) -> None:
    """出具证明:--event 证明事件在链中;--earlier(或只给 --block)证明较早的链是其开头。

    Write a proof: with --event that an event is in the trail; with --earlier, or --block alone, that the trail up to
    that block is the beginning of the later one. Anyone checks it: python3 tools/verify_trail.py --proof FILE
    """
    del key_file
    first, last = (block, None) if earlier is None else (earlier, block)
    if (first is None) if event is None else (earlier is not None):
        raise click.UsageError(
            "--event 与 --earlier/--block 须给出其一 / give --event, or --earlier or --block"
        )
    from foundation.files import write_copy
    from foundation.trail.proving import consistency_proof, inclusion_proof

    with _existing(_url(database)) as opened, opened.reading() as session:
        if event is not None:
            proof = inclusion_proof(session, event, block)
        else:
            assert first is not None
            proof = consistency_proof(session, first, last)
    write_copy(out, json.dumps(proof, indent=1).encode("ascii") + b"\n")
    tree = proof["tree"] if event is not None else proof["later"]
    head = f"{tree['events']}:{tree['root']}"
    click.echo(
        f"已证明,至第 {tree['block']} 区块,链首 {head} / proved, up to block {tree['block']}, head {head}"
    )


@trail.command(short_help="导出审计链供离线核验 / export it for an offline check")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="导出文件 / file for the export")
@_on_database
def export(out: Path, database: str | None, key_file: Path | None) -> None:
    """导出整条审计链;此举本身记为一条事件。离线核验:python3 tools/verify_trail.py 文件

    Export the whole trail; the export is an event itself. Check it offline: python3 tools/verify_trail.py FILE
    """
    del key_file
    from foundation.clock import SystemClock
    from foundation.trail.events import Change, record
    from foundation.trail.exporting import export_to_file
    from webapp.users import COMMAND_LINE

    with (
        _existing(_url(database)) as opened,
        opened.reading() as reading,
        export_to_file(reading, out) as done,
    ):
        count = done.events + done.unsealed
        change = Change("trail.exported", "trail", str(done.blocks), done.sha256, reason=f"{count} events")
        with opened.transaction() as session:
            record(session, COMMAND_LINE, SystemClock().now(), [change])
    head = f"{done.events}:{done.root}"
    click.echo(
        f"导出事件 {done.events} 条、区块 {done.blocks} 个、未封存 {done.unsealed} 条,摘要与链首见行末 / "
        f"exported {done.events} events, {done.blocks} blocks, {done.unsealed} not sealed yet, "
        f"SHA-256 {done.sha256}, head {head}"
    )


def _url(database: str | None) -> str:
    from webapp.settings import DEMO_DATABASE, named_database

    return named_database(database, demo=DEMO_DATABASE.exists())


@contextmanager
def _existing(url: str) -> Iterator[Database]:
    """A database as it is: no schema is made, no guard is put back, no key is asked for."""
    from foundation.database import Database
    from webapp.opening import refuse_absent

    refuse_absent(url)
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
