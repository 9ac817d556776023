"""What the groups of commands share: the options that name a database, and opening it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def on_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options of every command that works on data."""
    database = click.option(
        "--database",
        metavar="URL",
        help="数据库;缺省为 FANGPIN_DATABASE,再为演示库 / database; FANGPIN_DATABASE, else the demo's",
    )
    key_file = click.option(
        "--key-file", type=click.Path(path_type=Path), help="密钥文件 / key file of the sealed personal data"
    )
    return database(key_file(command))


def opened_for(database: str | None, key_file: Path | None) -> Any:
    """The installation, opened for a command. What it needs is loaded only now: `--help` answers at once."""
    from webapp.opening import opened
    from webapp.settings import DEMO_DATABASE, named_database

    return opened(named_database(database, demo=DEMO_DATABASE.exists()), key_file)
