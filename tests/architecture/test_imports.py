"""Imports point down only, and the pure core is pure (the contracts are in setup.cfg, [importlinter])."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest
from importlinter import cli

from tests.architecture.project import FEATURES, PACKAGES, ROOT, Source, sources, words

CORE = ("policies", "households", "claims", "payments")
"""Where money is decided and paid: what is pure there must stay so."""

LAYERS = {"pages", "api", "tasks", "schemas", "services", "queries", "models"}
"""The files of a feature that may know the database, the web or the queue."""

IMPURE_STANDARD = {
    "asyncio", "logging", "multiprocessing", "os", "random", "secrets", "shutil", "socket", "sqlite3",
    "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
"""Parts of the standard library that read the clock, chance or the machine, or reach out of the process."""


def test_every_import_contract_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    status = cli.lint_imports(no_cache=True, no_logo=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_contracts_cover_every_package() -> None:
    assert sorted(words("importlinter", "root_packages")) == sorted(PACKAGES)
    assert words("importlinter:contract:packages", "layers") == [*reversed(PACKAGES)]
    assert sorted(words("importlinter:contract:features", "containers")) == sorted([*FEATURES, "webapp"])


def test_pure_files_import_only_the_standard_library_and_pure_files() -> None:
    pure = _pure_modules()
    wrong = [
        f"{source.module} imports {imported}"
        for source in _sources_by_module().values()
        if source.module in pure
        for imported in _imports(source)
        if not _is_pure(imported, pure)
    ]
    assert not wrong


def test_every_pure_file_of_the_core_is_listed_as_pure() -> None:
    """A rule file that is pure today stays so: setup.cfg, [importlinter:contract:pure], names it."""
    candidates = {
        source.module
        for source in sources(*CORE)
        if source.module.rpartition(".")[2] not in LAYERS and source.path.name != "__init__.py"
    }
    everything = _sources_by_module()
    known = _pure_modules() | candidates
    while impure := {
        module
        for module in candidates
        if not all(_is_pure(name, known) for name in _imports(everything[module]))
    }:
        candidates -= impure
        known -= impure
    unlisted = sorted(candidates - _pure_modules())
    assert not unlisted, "setup.cfg, [importlinter:contract:pure], should list:\n" + "\n".join(unlisted)


def _pure_modules() -> set[str]:
    """The modules of the contract; a package stands for all that is in it."""
    named = words("importlinter:contract:pure", "source_modules")
    return {
        module
        for module in _sources_by_module()
        if any(module == name or module.startswith(f"{name}.") for name in named)
    }


def _sources_by_module() -> dict[str, Source]:
    return {source.module: source for source in sources(*PACKAGES)}


def _is_pure(imported: str, pure: set[str]) -> bool:
    top = imported.partition(".")[0]
    if top in PACKAGES:
        return imported in pure
    return top in sys.stdlib_module_names and top not in IMPURE_STANDARD


def _imports(source: Source) -> Iterator[str]:
    """What a file imports, wherever in it the import stands; of our own packages, the very module."""
    everything = _sources_by_module()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{source.at(node)}: relative import"
            for name in node.names:
                module = f"{node.module}.{name.name}"
                yield module if module in everything else node.module
