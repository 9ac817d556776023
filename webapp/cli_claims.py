"""The commands `fangpin claims …`: working out what is owed and not claimed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from webapp.cli_options import on_database, opened_for

_Day = click.DateTime(formats=["%Y-%m-%d"])


@click.group(
    short_help="案件:应赔未赔 / claims: what is owed and not claimed",
    subcommand_metavar="命令 COMMAND [ARGS]…",
)
def claims() -> None:
    """案件的批量工作 / work on many claims at once."""


@claims.command(short_help="计算应赔未赔 / work out what is owed and not claimed")
@click.option("--as-of", type=_Day, help="按此日测算;缺省为今天 / the day; today unless given")
@on_database
def owed(as_of: datetime | None, database: str | None, key_file: Path | None) -> None:
    """计算应赔未赔:部门数据中已有记录、没有报案的参保人,按报案测算。不立案,不付款。

    Work out what is owed and not claimed: departments' rows of insured people without a claim, decided as if claimed.
    No claim is made and no money moves.
    """
    from claims.services.owed import work_out
    from foundation.clock import as_of as standing
    from foundation.money import Money

    with opened_for(database, key_file) as runtime:
        clock = runtime.clock if as_of is None else standing(as_of.date())
        found = work_out(runtime.database, runtime.sealer, runtime.actor, clock)
    for done in found:
        click.echo(
            f"{done.policy_number}  应赔 {done.owed} 条 {Money(done.owed_fen).grouped} 元,费用待查明 {done.unknown} 条,"
            f"共测算 {done.rows} 条 / {done.owed} owed, {done.unknown} of unknown cost, {done.rows} looked at"
        )
    total = sum(done.owed_fen for done in found)
    rows = sum(done.owed for done in found)
    click.echo(f"应赔未赔 {rows} 条 {Money(total).grouped} 元 / {rows} owed, {Money(total).grouped} yuan")
