"""The fonts of every document, and the small ones that are made of them once on a machine.

Song 宋体 for text, Hei 黑体 for headings, out of pip packages, so that a document looks the same on every machine.
First come small fonts of the usual characters (`reports.font_building`), then the full ones for rare characters in
names, then whatever the system has: the style sheets name the families in this order. The small ones are made at first
use, in about ten seconds; `python -m reports.fonts` makes them now.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from xml.sax.saxutils import escape

from foundation.errors import ConfigurationError

_ROOT = str(Path(__file__).resolve().parent.parent)
_BUILD = (
    "import sys; sys.path.append(sys.argv[1]); from reports.font_building import main; main(*sys.argv[2:])"
)
_MOST_SECONDS = 600
_EDITION = "1"
"""Counted up when `reports.font_building` makes other fonts of the same sources."""

PACKAGES = {"pylopdf-fonts-zh-cn": "pylopdf_fonts_zh_cn", "pylopdf-fonts-jp": "pylopdf_fonts_jp"}
"""Packages with full fonts, by name. The second has the rare characters that the first lacks, 𠮷 among them."""
SMALL = {"Fangpin Song": "NotoSerifSC-Regular.otf", "Fangpin Hei": "NotoSansSC-Regular.otf"}
"""Small fonts by family, and what each is made of."""


def prepared() -> Path:
    """The fontconfig file that lists the fonts, which are made now if this machine has none yet.

    Safe when two processes do it at once. Raises ConfigurationError when they cannot be made.
    """
    folder = _cache() / f"fonts-{_edition()}"
    if not folder.is_dir():
        _make(folder)
    return folder / "fonts.conf"


def font_folders() -> list[Path]:
    """Folders of the full fonts. Raises ConfigurationError when a package is missing."""
    try:
        return [Path(str(files(module))) for module in PACKAGES.values()]
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"缺少字体包 {error.name},请重新安装依赖",
            f"the font package {error.name} is missing; install the requirements again",
        ) from None


def _edition() -> str:
    parts = [_EDITION, *(f"{name}={version(name)}" for name in PACKAGES), f"fonttools={version('fonttools')}"]
    return hashlib.sha256("|".join([*parts, *map(str, font_folders())]).encode()).hexdigest()[:16]


def _cache() -> Path:
    """A folder of our own that outlives the process."""
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        cache = (Path(named) if named else Path.home() / ".cache") / "fangpin"
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    except (OSError, RuntimeError):
        pass  # An account without a home: a service.
    cache = Path(tempfile.gettempdir()) / f"fangpin-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.is_symlink() or cache.stat().st_uid != os.getuid():
        raise ConfigurationError(
            f"{cache} 不属于当前账户,请删除它", f"{cache} belongs to another account: remove it"
        )
    return cache


def _make(folder: Path) -> None:
    source = font_folders()[0]
    made = Path(tempfile.mkdtemp(prefix=".fonts-", dir=folder.parent))
    try:
        builders = []
        for family, name in SMALL.items():
            arguments = (_ROOT, str(source / name), family, str(made / f"{family.replace(' ', '')}.ttf"))
            builders.append(subprocess.Popen([sys.executable, "-I", "-c", _BUILD, *arguments]))
        codes = [builder.wait(_MOST_SECONDS) for builder in builders]
        if any(codes):
            raise ConfigurationError("字体无法生成", "the fonts cannot be made")
        (made / "fonts.conf").write_text(_configuration(folder), encoding="utf-8")
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # Not that another process was first.
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _configuration(folder: Path) -> str:
    folders = "".join(f"  <dir>{escape(str(path))}</dir>\n" for path in (folder, *font_folders()))
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>\n'
        f"{folders}  <cachedir>{escape(str(folder / 'fontconfig'))}</cachedir>\n"
        '  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>\n</fontconfig>\n'
    )


if __name__ == "__main__":
    sys.stdout.write(f"{prepared()}\n")
