"""The web's fixtures for the tests of the desk's pages: a whole application on the small pack's county."""

from __future__ import annotations

from tests.webapp.conftest import (
    county,
    county_key_file,
    county_postgres,
    county_postgres_template,
    county_sqlite,
    county_sqlite_file,
)

__all__ = [
    "county",
    "county_key_file",
    "county_postgres",
    "county_postgres_template",
    "county_sqlite",
    "county_sqlite_file",
]
