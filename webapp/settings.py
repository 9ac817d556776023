"""Where an installation keeps its things, from the environment or by default."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy.engine import make_url

from foundation.database import sqlite_file


def default_database(out: Path) -> str:
    """The database of a run that names none: FANGPIN_DATABASE, else `fangpin.db` in the results' folder."""
    return os.environ.get("FANGPIN_DATABASE") or f"sqlite:///{(out / 'fangpin.db').resolve()}"


def default_key_file(url: str) -> Path:
    """The key file of a database: FANGPIN_KEY_FILE; else beside a SQLite file, or in the user's configuration folder.

    It holds all personal data's key: keep it, and its backup, apart from the database and its backup.
    """
    named = os.environ.get("FANGPIN_KEY_FILE")
    if named:
        return Path(named)
    file = sqlite_file(url)
    if file is not None:
        return file.with_name(f"{file.name}.key")
    parsed = make_url(url)
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fangpin"
    which = hashlib.sha256(f"{parsed.host}:{parsed.port}/{parsed.database}".encode()).hexdigest()[:16]
    return folder / f"{which}.key"
