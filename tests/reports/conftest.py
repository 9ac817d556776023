"""Fixtures of the reports' tests: a small county that has been decided and paid, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.county import County, paid_county


@pytest.fixture
def county(migrated_url: str, small_pack: Path, tmp_path: Path) -> Iterator[County]:
    """The small pack, decided, determined and paid, once on each engine."""
    made = paid_county(migrated_url, small_pack, tmp_path / "test.key")
    yield made
    made.database.close()


@pytest.fixture
def sqlite_county(migrated_sqlite_url: str, small_pack: Path, tmp_path: Path) -> Iterator[County]:
    """The same on SQLite alone."""
    made = paid_county(migrated_sqlite_url, small_pack, tmp_path / "test.key")
    yield made
    made.database.close()
