"""Habits that every file keeps: exact money, one clock, one place that commits, a docstring, a readable length."""

from __future__ import annotations

import ast

from tests.architecture.project import MONEY, Source, project_files, sources

LONGEST = 420
"""Lines of a file. Past that it is two things."""

CLOCK = "foundation/clock.py"
EDGE = {"foundation/database.py", "migrations/env.py"}

NOW = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("time", "strftime"),
    ("func", "now"), ("func", "current_timestamp"), ("func", "current_date"),
}  # fmt: skip
STOPWATCH = {
    ("time", "monotonic"),
    ("time", "perf_counter"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter_ns"),
}


def test_no_float_comes_near_money() -> None:
    """Neither the name nor a literal. A division of whole numbers would give one too; mypy refuses its result."""
    files = [
        *sources(*MONEY),
        *(source for source in sources("foundation") if source.path.name == "money.py"),
    ]
    wrong = [
        source.at(node)
        for source in files
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
    ]
    assert len(files) > len(MONEY)
    assert not wrong


def test_only_the_clock_asks_what_time_it_is() -> None:
    wrong = [
        place
        for source in sources()
        if str(source.path) != CLOCK and source.path.parts[0] != "bench"
        for place in _calls_of(source, NOW)
    ]
    assert not wrong
    assert any(_calls_of(source, NOW) for source in sources() if str(source.path) == CLOCK)


def test_only_webapp_uses_a_stopwatch() -> None:
    wrong = [
        place
        for source in sources()
        if source.path.parts[0] not in {"webapp", "bench", "tools"} and str(source.path) != CLOCK
        for place in _calls_of(source, STOPWATCH)
    ]
    assert not wrong


def test_only_the_edge_commits() -> None:
    """Services flush. `Database.transaction()` commits, and Alembic's own environment does."""
    wrong = [
        source.at(node)
        for source in sources()
        if str(source.path) not in EDGE and source.path.parts[0] != "bench"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert not wrong


def test_every_file_says_what_it_is_for() -> None:
    assert not [str(source.path) for source in sources() if not ast.get_docstring(source.tree)]


def test_no_file_is_too_long_to_read() -> None:
    """A migration is left out: it is one step, written once, and read from top to bottom."""
    lengths = {str(source.path): source.text.count("\n") for source in sources()}
    assert not {
        path: length
        for path, length in lengths.items()
        if length > LONGEST and not path.startswith("migrations/versions/")
    }


def test_every_test_file_is_collected() -> None:
    """pytest takes `test_*.py` only; a test under another name would never run."""
    wrong = [
        str(path)
        for path in project_files()
        if path.parts[0] == "tests" and path.suffix == ".py" and not path.name.startswith("test_")
        if any(
            isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            for node in Source(path).tree.body
        )
    ]
    assert not wrong


def _calls_of(source: Source, names: set[tuple[str, str]]) -> list[str]:
    """Where a file uses one of these attributes, or imports one by its own name (`from time import time`)."""
    return [
        source.at(node)
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in names)
        or (
            isinstance(node, ast.ImportFrom) and any((node.module, name.name) in names for name in node.names)
        )
    ]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
