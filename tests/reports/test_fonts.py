"""The fonts: made once, by whoever comes first, and with every character that a name in the roster may have."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from foundation.errors import ConfigurationError
from reports import fonts
from reports.font_building import build, usual_characters
from reports.fonts import font_folders, prepared


def coverage(name: str) -> set[int]:
    path = next(folder / name for folder in font_folders() if (folder / name).is_file())
    return set(TTFont(path, lazy=True).getBestCmap())


def test_usual_characters_are_gb2312_and_the_signs_of_a_document() -> None:
    found = usual_characters()
    for character in "沂源县防贫保险零壹佰仟萬￥（）《》、，。：；“”—…·〔〕０1aA×÷":
        if character != "萬":  # not in GB 2312
            assert ord(character) in found, character
    assert ord("萬") not in found
    assert ord("䶮") not in found


def test_rare_characters_are_in_the_full_fonts() -> None:
    serif = coverage("NotoSerifSC-Regular.otf") | coverage("NotoSerifJP-Regular.otf")
    sans = coverage("NotoSansSC-Regular.otf") | coverage("NotoSansJP-Regular.otf")
    for character in "𠮷䶮㛃堃喆犇燚祎翀赟旸镕𫖯𬱖":
        assert ord(character) in serif & sans, character


def test_small_fonts_have_the_shapes_and_widths_of_the_full_ones() -> None:
    folder = prepared().parent
    for family, source in fonts.SMALL.items():
        small = TTFont(folder / f"{family.replace(' ', '')}.ttf")
        full = TTFont(font_folders()[0] / source, lazy=True)
        ours, theirs = small.getBestCmap(), full.getBestCmap()
        assert ours.keys() == {code for code in usual_characters() if code in theirs}
        bounds = small["glyf"]
        for character in "防〔（，1W":
            glyph, original = ours[ord(character)], theirs[ord(character)]
            width, bearing = small["hmtx"][glyph]
            assert width == full["hmtx"][original][0]
            assert bearing == bounds[glyph].xMin
            assert abs(bearing - full["hmtx"][original][1]) <= 1
        assert small["name"].getDebugName(1) == family


def test_the_same_source_gives_the_same_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.font_building.usual_characters", lambda: frozenset(map(ord, "防贫保险,1")))
    source = font_folders()[0] / fonts.SMALL["Fangpin Hei"]
    for name in ("a", "b"):
        build(source, "Fangpin Hei", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


QUICK = "import sys, time; time.sleep(0.3); open(sys.argv[4], 'wb').write(b'font')"
"""Stands for the building of a font, which takes seconds and is tested above."""


def test_two_at_once_make_one_set_and_a_third_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fonts, "_BUILD", QUICK)
    with ThreadPoolExecutor(2) as pool:
        paths = {found.result() for found in [pool.submit(prepared) for _ in range(2)]}
    (path,) = paths
    assert [entry.name for entry in (tmp_path / "fangpin").iterdir()] == [path.parent.name]
    assert {file.name for file in path.parent.iterdir()} == {
        "FangpinSong.ttf",
        "FangpinHei.ttf",
        "fonts.conf",
    }
    monkeypatch.setattr(fonts, "_BUILD", "raise SystemExit(1)")
    assert prepared() == path


def test_fonts_that_cannot_be_made_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fonts, "_BUILD", "raise SystemExit(1)")
    with pytest.raises(ConfigurationError):
        prepared()
    assert list((tmp_path / "fangpin").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = fonts._cache()
    assert folder == tmp_path / f"fangpin-{os.getuid()}"
    assert folder.stat().st_mode & 0o077 == 0
