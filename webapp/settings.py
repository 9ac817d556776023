"""Where an installation keeps its things, from the environment or by default."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy.engine import make_url

from foundation.database import sqlite_file
from foundation.errors import ConfigurationError

DEMO_DATABASE = Path("build/demo/fangpin.db")
"""Where `make run` leaves the demo's database, below the folder that it is started in."""


def default_database(out: Path) -> str:
    """The database of a run that names none: FANGPIN_DATABASE, else `fangpin.db` in the results' folder."""
    return os.environ.get("FANGPIN_DATABASE") or f"sqlite:///{(out / 'fangpin.db').resolve()}"


def named_database(url: str | None, *, demo: bool = False) -> str:
    """The database to work on: the one named, else FANGPIN_DATABASE, else the demo's. Raises ConfigurationError."""
    named = url or os.environ.get("FANGPIN_DATABASE")
    if named:
        return named
    if demo:
        return f"sqlite:///{DEMO_DATABASE.resolve()}"
    raise ConfigurationError(
        "请用 --database 或 FANGPIN_DATABASE 指定数据库",
        "name the database with --database or FANGPIN_DATABASE",
    )


def default_key_file(url: str) -> Path:
    """The key file of a database: FANGPIN_KEY_FILE; else beside a SQLite file, or in the user's configuration folder.

    It holds all personal data's key: keep it, and its backup, apart from the database and its backup.
    """
    named = os.environ.get("FANGPIN_KEY_FILE")
    return Path(named) if named else _of_database(url, "key")


def files_folder(url: str) -> Path:
    """The folder of sealed uploads: FANGPIN_FILES, else where the key file would be. Back it up with the database."""
    named = os.environ.get("FANGPIN_FILES")
    return Path(named) if named else _of_database(url, "files")


def anchor_file(url: str) -> Path:
    """The file of the trail's heads: FANGPIN_ANCHORS, else where the key file would be.

    Its worth is that the owner of the database cannot write it: name a place on another machine or medium.
    """
    named = os.environ.get("FANGPIN_ANCHORS")
    return Path(named) if named else _of_database(url, "anchors")


def _of_database(url: str, suffix: str) -> Path:
    """A place of one database's own: beside a SQLite file, else in the user's configuration folder."""
    file = sqlite_file(url)
    if file is not None:
        return file.with_name(f"{file.name}.{suffix}")
    parsed = make_url(url)
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fangpin"
    which = hashlib.sha256(f"{parsed.host}:{parsed.port}/{parsed.database}".encode()).hexdigest()[:16]
    return folder / f"{which}.{suffix}"


def county_names(code: str) -> tuple[str, str]:
    """A county's name in both languages: FANGPIN_COUNTY_NAME (`沂源县,Yiyuan County`), what is known, or its code."""
    named = os.environ.get("FANGPIN_COUNTY_NAME")
    if named:
        zh, _, en = named.partition(",")
        return zh, en or zh
    return _COUNTIES.get(code, (code, code))


_COUNTIES = {"370323": ("沂源县", "Yiyuan County")}
