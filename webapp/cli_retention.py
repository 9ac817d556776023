"""The commands `fangpin retention …`: what is at the end of its term, carrying out an approved erasure, legal holds.

Nothing is asked for or approved here: an erasure takes two persons with a fresh second factor, on the page.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from webapp.cli_options import on_database, opened_for

_Day = click.DateTime(formats=["%Y-%m-%d"])


@click.group(
    short_help="保存期限、清除、保全 / terms, erasure, legal holds",
    subcommand_metavar="命令 COMMAND [ARGS]…",
)
def retention() -> None:
    """保存期限到期的个人信息:试算、清除、法律保全。清除须两人在网页申请和审批。

    Personal data at the end of its term: dry run, erasure, legal holds. An erasure is asked for and approved by two
    persons on the page; here it can be looked at, carried out, and resumed.
    """


@retention.command("plan", short_help="试算到期的记录 / dry run")
@click.option("--as-of", type=_Day, help="按此日试算;缺省为今天 / the day; today unless given")
@on_database
def show_plan(as_of: datetime | None, database: str | None, key_file: Path | None) -> None:
    """试算:各类记录到期多少,为什么其余不到期。不作任何变动。

    Dry run: how many records of each kind are due, and why the others are not. Changes nothing.
    """
    with opened_for(database, key_file) as runtime:
        _print_plan(runtime, None if as_of is None else as_of.date())


@retention.command(short_help="办理已批准的清除 / carry out an approved erasure")
@click.option("--upkeep", "upkeep_id", metavar="ID", help="已批准的清除的编号 / id of an approved erasure")
@on_database
def erase(upkeep_id: str | None, database: str | None, key_file: Path | None) -> None:
    """办理已批准的清除,中断后再次运行即从断点继续。不给编号时只试算。

    Carry out an erasure that was approved, or the rest of one. Without an id this is a dry run.
    """
    from webapp.jobs import carry_out
    from webapp.services import erasures

    with opened_for(database, key_file) as runtime:
        if upkeep_id is None:
            with runtime.database.reading() as session:
                for found in erasures.erasures(session):
                    click.echo(f"{found.id}  {found.state}  {erasures.kept_plan(found).day}  {found.done}")
            _print_plan(runtime, None)
            return
        with runtime.database.reading() as session:
            erasures.approved(session, upkeep_id)
        carry_out(runtime.database, runtime.clock, erasures.JOB, [upkeep_id])
        with runtime.database.reading() as session:
            done = erasures.erasure(session, upkeep_id)
            asked = erasures.kept_plan(done).total
    click.echo(f"已清除 {done.done} 条,计划 {asked} 条 / {done.done} of {asked} planned records erased")


@retention.command(short_help="保全案件 / hold claims")
@click.argument("claims", nargs=-1, metavar="[CLAIM]…")
@click.option("--household", "households", multiple=True, metavar="NO", help="户号 / household number")
@click.option("--policy", "policies", multiple=True, metavar="NO", help="保单号 / policy number")
@click.option("--reason", required=True, help="理由,加密存放 / the reason; it is sealed")
@on_database
def hold(
    claims: tuple[str, ...],
    households: tuple[str, ...],
    policies: tuple[str, ...],
    reason: str,
    database: str | None,
    key_file: Path | None,
) -> None:
    """保全案件(报案号)、家庭或保单:到期也不清除,直至另一人解除。

    Hold claims (by number), households or policies: they outlive their term until another person lifts the hold.
    """
    from foundation.privacy.holds import set_hold
    from webapp.legal_holds import subject_by_number
    from webapp.users import COMMAND_LINE

    wanted = [
        *(("claim", number) for number in claims),
        *(("household", number) for number in households),
        *(("policy", number) for number in policies),
    ]
    if not wanted:
        raise click.UsageError("请给出报案号、--household 或 --policy / name a claim, household or policy")
    with opened_for(database, key_file) as runtime, runtime.database.transaction() as session:
        at = runtime.clock.now()
        for subject, number in wanted:
            subject_id = subject_by_number(session, subject, number)
            hold_id = set_hold(session, runtime.sealer, COMMAND_LINE, at, subject, subject_id, reason)
            click.echo(f"{hold_id}  {subject} {number}")
    click.echo(f"已保全 {len(wanted)} 项 / {len(wanted)} held")


@retention.command("holds", short_help="列出保全 / list the holds")
@on_database
def list_holds(database: str | None, key_file: Path | None) -> None:
    """列出法律保全,不显示理由 / list the legal holds, without their reasons."""
    from webapp.legal_holds import SUBJECT_NAMES, listed_holds

    with opened_for(database, key_file) as runtime, runtime.database.reading() as session:
        found = listed_holds(session, runtime.sealer)
    for item in found:
        zh, en = SUBJECT_NAMES[item.subject]
        state = "在保全 in force" if item.lifted_at is None else f"已解除 lifted {item.lifted_at:%Y-%m-%d}"
        click.echo(f"{item.id}  {zh} {en} {item.number}  {item.set_at:%Y-%m-%d} {item.set_by}  {state}")
    active = sum(item.lifted_at is None for item in found)
    click.echo(f"保全 {len(found)} 项,在保全 {active} 项 / {len(found)} holds, {active} in force")


def _print_plan(runtime: Any, day: date | None) -> None:
    from foundation.clock import business_day
    from foundation.privacy.retention import shipped
    from webapp.retention import plan

    table = shipped()
    day = day or business_day(runtime.clock.now())
    with runtime.database.reading() as session:
        found = plan(session, runtime.sealer, table, day)
    heads = ("到期 due", "最早 oldest", "保全 held", "更长期限 longer", "未到期 running", "未办结 open")
    click.echo(_line("", *heads))
    for group in found.groups:
        zh, en = table.group(group.code).name
        counts = (group.held, group.longer, group.running, group.open)
        click.echo(_line(f"{zh} / {en}", len(group.due), group.oldest or "—", *counts))
    click.echo(
        f"{day} 到期 {found.total} 条,未作变动 / {found.total} records are due on {day}; nothing was changed"
    )


def _line(title: str, *cells: object) -> str:
    return _wide(title, 64) + "".join(_wide(str(cell), 18) for cell in cells).rstrip()


def _wide(text: str, columns: int) -> str:
    """Text filled with spaces to a width; a Chinese character takes two columns."""
    width = sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)
    return text + " " * max(1, columns - width)
