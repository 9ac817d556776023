"""What is installed is what is written, pinned with hashes; and no file names a machine that others do not have."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.architecture.project import PACKAGES, ROOT, project_files, words

REQUIREMENTS = ("uv", "run", "dev")
INSTALLED = (*PACKAGES, "migrations")

HOST = re.compile(
    r"\bpythonhosted\.|\bpypi\.|\bnpmjs\.|\bnpmmirror\.|\bregistry\.[a-z]|\bmirrors?\.[a-z]+\.|\bdeb\.debian\."
)
"""A registry is chosen by the machine that installs, never by the project."""

PERSONAL = re.compile(r"(?<![\w.:/-])/(?:root|home|work|workspace|Users|mnt)/\w")
"""An absolute path of one machine."""

TEXT = {
    ".py",
    ".md",
    ".cfg",
    ".toml",
    ".txt",
    ".in",
    ".sh",
    ".html",
    ".css",
    ".js",
    ".json",
    ".lock",
    ".mako",
    ".svg",
    ".csv",
    ".xml",
    "",
}


def test_every_folder_of_code_is_a_listed_package() -> None:
    patterns = words("options.packages.find", "include")
    folders = {path.parent for path in _installed_files() if path.suffix == ".py"} - {
        Path("migrations/versions")
    }
    names = {".".join(folder.parts) for folder in folders}
    assert [name for name in sorted(names) if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()] == []
    tops = {name.partition(".")[0] for name in names}
    assert [pattern for pattern in patterns if not any(fnmatch(top, pattern) for top in tops)] == []


def test_every_file_beside_the_code_is_installed_with_it() -> None:
    """Templates, style sheets, calendars, migrations: setup.cfg, [options.package_data]."""
    patterns = words("options.package_data", "*")
    missing = [
        str(path)
        for path in _installed_files()
        if path.suffix != ".py" or not (ROOT / path.parent / "__init__.py").is_file()
        if not any(_within_its_package(path).match(pattern) for pattern in patterns)
    ]
    assert not missing


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_are_exact_and_hashed(name: str) -> None:
    pins = _pins(name)
    assert pins
    for line, hashes in pins.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*(\[[a-z,]+\])?==[0-9][0-9a-z.+]*( ; .+)?", line), line
        assert hashes, f"{line} has no hash"


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_name_no_host_and_no_file(name: str) -> None:
    for suffix in ("in", "txt"):
        text = (ROOT / "requirements" / f"{name}.{suffix}").read_text("utf-8")
        assert not re.search(r"://|--(index-url|extra-index-url|find-links|trusted-host)| @ ", text)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_what_is_asked_for_is_what_is_pinned(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.in").read_text("utf-8").splitlines()
    asked = [
        re.sub(r"\[.*?\]", "", line.lower()) for line in lines if line and not line.startswith(("#", "-r"))
    ]
    pinned = {pin.partition(" ")[0] for pin in _pins(name)}
    assert [line for line in asked if "==" in line and line not in pinned] == []
    assert {line.partition("==")[0] for line in asked} <= {pin.partition("==")[0] for pin in pinned}


def test_what_the_tests_run_with_is_what_the_program_runs_with() -> None:
    assert _pins("run").keys() <= _pins("dev").keys()


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    wrong = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in project_files()
        if path.suffix in TEXT
        for number, line in enumerate((ROOT / path).read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if HOST.search(line) or PERSONAL.search(line)
    ]
    assert not wrong


def _installed_files() -> list[Path]:
    return [path for path in project_files() if path.parts[0] in INSTALLED]


def _within_its_package(path: Path) -> Path:
    """A file's path below the package that it is installed with."""
    package = path.parent
    while not (ROOT / package / "__init__.py").is_file():
        package = package.parent
    return path.relative_to(package)


def _pins(name: str) -> dict[str, list[str]]:
    """The pinned requirements of a file, each with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    pins: dict[str, list[str]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            pins[requirement] = hashes
    return pins
