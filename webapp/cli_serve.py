"""The commands that keep running: `fangpin serve` and `fangpin worker`."""

from __future__ import annotations

import os
from pathlib import Path

import click

_database = click.option(
    "--database",
    metavar="URL",
    help="数据库;缺省为 FANGPIN_DATABASE / database; FANGPIN_DATABASE unless given",
)
_key_file = click.option(
    "--key-file", type=click.Path(path_type=Path), help="密钥文件 / key file of the sealed personal data"
)


@click.command(short_help="启动网页 / serve the web application")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址 / address to listen on")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="端口 / port to listen on"
)
@_database
@_key_file
@click.option("--demo", is_flag=True, help="演示:每个岗位一个账号 / demo: an account for every role")
def serve(host: str, port: int, database: str | None, key_file: Path | None, demo: bool) -> int:
    """启动网页和后台任务进程,直到被结束(Ctrl-C)。

    Serve the web application and carry out background work, until it is ended (Ctrl-C).

    对外提供服务时须在前面设置 TLS,并用 FANGPIN_HOSTS 指定主机名。

    To serve other machines, put TLS in front and name the host in FANGPIN_HOSTS.
    """
    from webapp.serve import ServeOptions
    from webapp.serve import serve as serve_until_stopped
    from webapp.settings import named_database

    log = os.environ.get("FANGPIN_LOG")
    options = ServeOptions(
        named_database(database, demo=demo),
        key_file,
        host,
        port,
        tuple(filter(None, os.environ.get("FANGPIN_HOSTS", "").replace(" ", "").split(","))),
        demo,
        Path(log) if log else None,
    )
    return serve_until_stopped(options, click.echo)


@click.command(short_help="后台任务进程 / work in the background")
@_database
@_key_file
def worker(database: str | None, key_file: Path | None) -> int:
    """后台任务进程。设有 FANGPIN_BROKER(Redis 或 Valkey 地址)时经消息队列,否则直接查看任务表。

    Work in the background: by a broker where FANGPIN_BROKER names a Redis or Valkey, else by looking at the job table.
    """
    from webapp import logs
    from webapp.worker import work

    logs.configure()
    work(database, key_file)
    return 0
