"""What stops the run: one clear message with the place, exit code 2, and nothing stored (rules.md §1)."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from webapp.cli import cli, guarded

Harm = Callable[[Path], None]


def without_a_sheet(pack: Path) -> None:
    book = load_workbook(pack / "roster.xlsx")
    book["参保名册"].title = "别的名字"
    book.save(pack / "roster.xlsx")


def broken_zip(pack: Path) -> None:
    data = (pack / "claims.xlsx").read_bytes()
    (pack / "claims.xlsx").write_bytes(data[: len(data) // 2])


def encrypted(pack: Path) -> None:
    """What a spreadsheet program saves under a password: no zip, but a container with a stream of this name."""
    stream = "EncryptedPackage".encode("utf-16-le")
    (pack / "claims.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1024) + stream + bytes(4096))


def bomb(pack: Path) -> None:
    """A cell at XFD1048576: a naive reader asks for half a terabyte and takes the program with it."""
    source, target = pack / "roster.xlsx", pack / "bomb.xlsx"
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as write:
        for item in read.infolist():
            data = read.read(item.filename)
            if item.filename.startswith("xl/worksheets/sheet"):
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                data = data.replace(b"</sheetData>", far)
            write.writestr(item, data)
    target.replace(source)


def unknown_key(pack: Path) -> None:
    path = pack / "policy.toml"
    path.write_text("notice_dayz = 1\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def duplicate_key(pack: Path) -> None:
    path = pack / "policy.toml"
    path.write_text("notice_days = 1\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def bad_feed(pack: Path) -> None:
    (pack / "feeds" / "deaths.csv").write_bytes(b"\xff\xff\xff")


def no_roster(pack: Path) -> None:
    (pack / "roster.xlsx").unlink()


def empty(pack: Path) -> None:
    shutil.rmtree(pack)
    pack.mkdir()


@pytest.mark.parametrize(
    ("harm", "places"),
    [
        (without_a_sheet, ["roster.xlsx", "参保名册"]),
        (broken_zip, ["claims.xlsx"]),
        (encrypted, ["claims.xlsx", "密码"]),
        (bomb, ["roster.xlsx", "XFD1048576"]),
        (unknown_key, ["policy.toml", "notice_dayz"]),
        (duplicate_key, ["policy.toml", "line"]),
        (bad_feed, ["feeds/deaths.csv"]),
        (no_roster, ["roster.xlsx"]),
        (empty, ["policy.toml", "roster.xlsx", "claims.xlsx"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_an_unusable_pack_is_refused_with_its_place_and_nothing_is_stored(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Harm, places: list[str]
) -> None:
    pack, out = tmp_path / "pack", tmp_path / "out"
    shutil.copytree(small_pack, pack)
    harm(pack)
    code = guarded(lambda: cli.main(["run", str(pack), "--out", str(out)], standalone_mode=False))
    message = capsys.readouterr().err
    assert code == 2
    for place in places:
        assert place in message
    assert not out.exists()


def test_every_fault_is_named_at_once(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(small_pack, pack)
    unknown_key(pack)
    no_roster(pack)
    bad_feed(pack)
    assert (
        guarded(lambda: cli.main(["run", str(pack), "--out", str(tmp_path / "out")], standalone_mode=False))
        == 2
    )
    message = capsys.readouterr().err
    assert all(place in message for place in ("notice_dayz", "roster.xlsx", "feeds/deaths.csv"))


def test_a_wrong_key_file_stops_the_run_with_a_clear_message(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["run", str(small_pack), "--out", str(out), "--decide-only"]
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 1
    key = out / "fangpin.db.key"
    kept = key.read_bytes()
    key.unlink()
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 2
    assert "fangpin.db.key" in capsys.readouterr().err
    assert not key.exists(), "a new key is never made for a sealed database"
    key.write_bytes(kept.replace(b"lookup", b"lookuP"))
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 2


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "sqlite://", "postgresql+psycopg://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_cannot_be_used_is_named_without_a_traceback(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    arguments = ["run", str(small_pack), "--out", str(tmp_path / "out"), "--database", url]
    assert guarded(lambda: cli.main(arguments, standalone_mode=False)) == 2
    message = capsys.readouterr().err
    assert "数据库" in message
    assert "Traceback" not in message
