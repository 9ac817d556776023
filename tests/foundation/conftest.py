"""Fixtures of the foundation's tests: the small pack's county, as the web's tests have it."""

from __future__ import annotations

from tests.webapp.conftest import (
    county_key_file,
    county_postgres,
    county_postgres_template,
    county_sqlite,
    county_sqlite_file,
)

__all__ = [
    "county_key_file",
    "county_postgres",
    "county_postgres_template",
    "county_sqlite",
    "county_sqlite_file",
]
