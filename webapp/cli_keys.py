"""The commands `fangpin keys …`: the keys of the sealed data, their rotation, and the end of a former one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from webapp.cli_options import on_database, opened_for


@click.group(
    short_help="密钥:查看、轮换、停用 / keys: show, rotate, retire", subcommand_metavar="命令 COMMAND [ARGS]…"
)
def keys() -> None:
    """个人信息的密钥:查看、轮换、停用旧密钥。轮换可随时中断,再次运行即从断点继续。

    The keys of personal data: look at them, rotate, retire the former one. A rotation may be interrupted at any point;
    run it again, and it goes on.
    """


@keys.command(short_help="各密钥及其下的数据 / each key and what is under it")
@on_database
def show(database: str | None, key_file: Path | None) -> int:
    """列出各密钥:算法、状态、启用时间、其下的数据。有数据打不开时退出码为 1。

    List each key: cipher, state, since when, and what is under it. Exits with 1 when something is under a key that the
    key file has not.
    """
    from webapp.keys import COLUMN_NAMES, FILES, KEY_STATES, overview, vault_of
    from webapp.views import moment

    with opened_for(database, key_file) as runtime:
        vault = vault_of(runtime.database, runtime.sealer, runtime.files)
        with runtime.database.reading() as session:
            found = overview(session, vault, runtime.clock.now())
    for key in found.keys:
        _, zh, en = KEY_STATES[key.state]
        since = "安装起 / since the installation" if key.since is None else moment(key.since)
        click.echo(f"{key.key_id}  {key.cipher or '—'}  {zh} / {en}  {since}")
        for column, number in key.cells.items():
            if number:
                name_zh, name_en = COLUMN_NAMES[column]
                click.echo(f"    {column}  {number}  {name_zh} / {name_en}")
        if key.files:
            click.echo(f"    files  {key.files}  {FILES[0]} / {FILES[1]}")
    if found.running is not None:
        click.echo(
            f"轮换进行中,已完成 {found.running.done} 处 / a rotation is under way, {found.running.done} done;"
            " fangpin keys rotate"
        )
    total = sum(key.total for key in found.keys)
    click.echo(
        f"密钥 {len(found.keys)} 个,密文 {total} 处,旧密钥下 {found.left_over} 处,密钥缺失 {found.unknown} 处"
        f" / {len(found.keys)} keys, {total} sealed values, {found.left_over} under a former key,"
        f" {found.unknown} under a key that is missing"
    )
    return 1 if found.unknown else 0


@keys.command(short_help="轮换密钥,可中断 / rotate the key; may be interrupted")
@on_database
def rotate(database: str | None, key_file: Path | None) -> None:
    """生成新密钥(算法由 FANGPIN_CIPHER 指定),把全部数据改由新密钥加密;已有轮换在进行时继续完成它。

    Make a new key (its cipher by FANGPIN_CIPHER) and seal everything anew with it; goes on with a rotation that is
    under way. The former key stays readable until it is retired.
    """
    from foundation import rotation
    from webapp.keys import vault_of
    from webapp.users import COMMAND_LINE

    with opened_for(database, key_file) as runtime, _Bar() as bar:
        vault = vault_of(runtime.database, runtime.sealer, runtime.files)
        done = rotation.rotate(vault, COMMAND_LINE, runtime.clock, bar.show)
    click.echo("请立即备份密钥文件 / back the key file up now", err=True)
    key, count = done.key_id, done.done
    click.echo(f"已轮换:密钥 {key},重新加密 {count} 处 / rotated: key {key}, {count} values sealed anew")


@keys.command(short_help="停用旧密钥 / retire the former key")
@on_database
def retire(database: str | None, key_file: Path | None) -> None:
    """把旧密钥从密钥文件中移除。轮换结束满 24 小时、且其下再无数据时才可以;停用前的密钥文件副本留在旁边,请另行保管。

    Take the former key out of the key file: 24 hours after the rotation, and when nothing is under it. A copy of the
    file from before stays beside it; keep it elsewhere, since a backup of the database from before needs it.
    """
    from foundation import rotation
    from webapp.keys import vault_of
    from webapp.users import COMMAND_LINE

    with opened_for(database, key_file) as runtime:
        vault = vault_of(runtime.database, runtime.sealer, runtime.files)
        gone = rotation.retire(vault, COMMAND_LINE, runtime.clock.now())
    listed = ", ".join(gone)
    click.echo(f"已停用旧密钥 {listed} / retired: {listed}")


@keys.command(short_help="找回旧密钥 / bring a retired key back")
@click.argument("copy", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@on_database
def restore(copy: Path, database: str | None, key_file: Path | None) -> None:
    """从停用前的密钥文件副本(密钥文件名.before-…)找回旧密钥,使其下的数据可读;随后请再次轮换。

    Bring keys back from a copy of the key file from before they were retired; then rotate again.
    """
    from foundation import rotation
    from webapp.keys import vault_of
    from webapp.users import COMMAND_LINE

    with opened_for(database, key_file) as runtime:
        vault = vault_of(runtime.database, runtime.sealer, runtime.files)
        back = rotation.restore(vault, COMMAND_LINE, runtime.clock.now(), copy)
    listed = ", ".join(back)
    click.echo(f"已找回密钥 {listed},请再次轮换 / brought back: {listed}; rotate again")


class _Bar:
    """A bar on a terminal, and nothing elsewhere; its length is known once the work has begun."""

    def __enter__(self) -> _Bar:
        self._bar = click.progressbar(length=1, file=sys.stderr, hidden=not sys.stderr.isatty())
        self._bar.__enter__()
        return self

    def show(self, done: int, total: int) -> None:
        """How far it is."""
        self._bar.length = total
        self._bar.update(done - self._bar.pos)

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)
