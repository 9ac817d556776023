"""The project as the architecture tests see it: its files, its packages, and what setup.cfg says of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEATURES = ("policies", "households", "claims", "payments", "reports")
PACKAGES = ("foundation", *FEATURES, "webapp")
PRODUCTION = (*PACKAGES, "migrations", "demo", "bench", "tools", "scripts")
MONEY = ("policies", "claims", "payments")


@cache
def settings() -> ConfigParser:
    """setup.cfg."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def words(section: str, option: str) -> list[str]:
    """An option of setup.cfg that lists one word a line."""
    return settings()[section][option].split()


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root: all that lies there but what .gitignore leaves out."""
    return tuple(sorted(_walk(ROOT, _ignored())))


def _ignored() -> list[str]:
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    return [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]


def _walk(folder: Path, ignored: list[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        if any(fnmatch(path.name, pattern) for pattern in ignored):
            continue
        if path.is_dir():
            yield from _walk(path, ignored)
        else:
            yield path.relative_to(ROOT)


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def module(self) -> str:
        """Its name when imported: `payments.bank_formats.pain001`."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def text(self) -> str:
        """What it says."""
        return (ROOT / self.path).read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self.path))

    def at(self, node: ast.AST) -> str:
        """A place in it, for a message."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """The Python files of some top-level folders; of all production folders when none is named."""
    wanted = packages or PRODUCTION
    return tuple(Source(path) for path in project_files() if path.suffix == ".py" and path.parts[0] in wanted)
