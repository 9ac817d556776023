"""`fangpin keys show | rotate | retire`, and every command with a key file that is missing, damaged or wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from foundation import rotation
from foundation.blobs import BlobStore
from foundation.clock import Clock, FixedClock, SystemClock
from foundation.database import Database
from foundation.keyfile import make_key_file, open_sealer, read_key_file
from tests.vaults import Contents, contents, full_vault
from webapp import opening
from webapp.cli import cli, guarded
from webapp.keys import vault_of

Fangpin = Callable[..., int]


@pytest.fixture
def installation(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """URL and key file of a database with something in every sealed column, and of some files."""
    monkeypatch.setenv("FANGPIN_FILES", str(tmp_path / "files"))
    monkeypatch.setattr(rotation, "NOTICED_SECONDS", 0.0)
    full_vault(migrated_url, tmp_path / "own.key", tmp_path / "files").database.close()
    return migrated_url, tmp_path / "own.key"


@pytest.fixture
def fangpin(installation: tuple[str, Path]) -> Fangpin:
    """Runs a command on the installation; gives its exit code."""
    url, key_file = installation
    options = ["--database", url, "--key-file", str(key_file)]
    return lambda *arguments: guarded(lambda: cli.main([*arguments, *options], standalone_mode=False))


def everything(installation: tuple[str, Path], tmp_path: Path) -> Contents:
    database = Database(installation[0])
    with database.transaction() as session:
        sealer = open_sealer(session, installation[1])
    found = contents(vault_of(database, sealer, BlobStore(tmp_path / "files", sealer)))
    database.close()
    return found


def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that open an installation from now on do so a day later."""
    real: Any = opening.open_installation

    def later(url: str, key_file: Path | None, clock: Clock | None = None, **options: Any) -> Any:
        return real(
            url,
            key_file,
            clock or FixedClock(SystemClock().now() + timedelta(hours=24, minutes=1)),
            **options,
        )

    monkeypatch.setattr(opening, "open_installation", later)


def test_show_rotate_and_retire_say_on_the_last_line_what_was_found(
    installation: tuple[str, Path],
    fangpin: Fangpin,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = read_key_file(installation[1]).current
    before = everything(installation, tmp_path)
    assert fangpin("keys", "show") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:2] == [first, "AES-256-GCM"] and "current" in shown[0] and "在用" in shown[0]
    assert any(line.split()[:2] == ["disclosure.note", "2"] for line in shown)
    assert any(line.split()[:2] == ["files", "3"] for line in shown)
    assert shown[-1].startswith("密钥 1 个,密文 19 处") and "1 keys, 19 sealed values" in shown[-1]

    monkeypatch.setenv("FANGPIN_CIPHER", "SM4-GCM")
    assert fangpin("keys", "rotate") == 0
    second = read_key_file(installation[1]).current
    said = capsys.readouterr()
    assert said.out == f"已轮换:密钥 {second},重新加密 19 处 / rotated: key {second}, 19 values sealed anew\n"
    assert "back the key file up" in said.err
    assert everything(installation, tmp_path) == before

    assert fangpin("keys", "retire") == 3
    assert "24 hours" in capsys.readouterr().err
    assert fangpin("keys", "show") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:2] == [second, "SM4-GCM"]
    assert any(line.startswith(first) and "former" in line for line in shown)
    assert "0 under a former key" in shown[-1]

    tomorrow(monkeypatch)
    assert fangpin("keys", "retire") == 0
    assert capsys.readouterr().out == f"已停用旧密钥 {first} / retired: {first}\n"
    assert list(read_key_file(installation[1]).keys) == [second]
    assert fangpin("keys", "retire") == 3
    assert "no former key" in capsys.readouterr().err
    assert fangpin("keys", "show") == 0
    assert any(line.startswith(first) and "retired" in line for line in capsys.readouterr().out.splitlines())
    assert everything(installation, tmp_path) == before


def test_show_exits_with_1_when_something_is_under_a_key_that_is_gone(
    installation: tuple[str, Path], fangpin: Fangpin, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(installation[0])
    with database.transaction() as session:
        session.execute(text("UPDATE pack_upload SET preview = 'k00000000:AAAA' WHERE id = 'u1'"))
    database.close()
    assert fangpin("keys", "show") == 1
    assert "1 under a key that is missing" in capsys.readouterr().out.splitlines()[-1]
    assert fangpin("keys", "rotate") == 2
    assert "fangpin keys restore" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["keys"], ["keys", "show"], ["keys", "rotate"], ["keys", "retire"]], ids=" ".join
)
def test_help_is_in_both_languages(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: cli.main([*arguments, "--help"], standalone_mode=False)) == 0
    printed = capsys.readouterr().out
    assert any("\u4e00" <= character <= "\u9fff" for character in printed) and "key" in printed


# --- a key file that is missing, damaged or wrong -------------------------------------------------------------------


def _missing(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _foreign(path: Path) -> None:
    path.unlink()
    make_key_file(path)


COMMANDS = {
    "keys show": ["keys", "show"],
    "keys rotate": ["keys", "rotate"],
    "keys retire": ["keys", "retire"],
    "users list": ["users", "list"],
    "worker": ["worker"],
    "serve": ["serve", "--port", "0"],
}


@pytest.mark.parametrize("spoil", [_missing, _folder, _damaged, _foreign])
def test_no_command_works_with_a_wrong_key_file_and_each_says_so(
    installation: tuple[str, Path],
    fangpin: Fangpin,
    small_pack: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], Any],
) -> None:
    spoil(installation[1])
    run = ["run", str(small_pack), "--out", str(tmp_path / "out"), "--as-of", "2020-12-31"]
    for arguments in (*COMMANDS.values(), run):
        assert fangpin(*arguments) == 2, arguments
        said = capsys.readouterr()
        assert "密钥文件" in said.err and "key file" in said.err, arguments
        assert said.out == "" or arguments[0] == "serve"
        assert "Traceback" not in said.err
    assert fangpin("doctor") == 1
    found = capsys.readouterr().out
    assert any(line.startswith("✗") and "key file" in line for line in found.splitlines())
    assert not (tmp_path / "out" / "decisions.csv").exists()


@pytest.mark.parametrize(("setting", "value"), [("FANGPIN_CIPHER", "DES"), ("FANGPIN_HASH", "md5")])
def test_an_unknown_setting_is_refused_by_name(
    fangpin: Fangpin,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
) -> None:
    monkeypatch.setenv(setting, value)
    assert fangpin("users", "list") == 2
    said = capsys.readouterr().err
    assert f"{setting} 应为" in said and f"{setting} must be" in said


def test_a_copy_of_the_key_file_from_before_the_rotation_is_refused_everywhere(
    installation: tuple[str, Path], fangpin: Fangpin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(installation[1], tmp_path / "old")
    assert fangpin("keys", "rotate") == 0
    shutil.copyfile(tmp_path / "old", installation[1])
    capsys.readouterr()
    for arguments in (*COMMANDS.values(),):
        assert fangpin(*arguments) == 2
        assert "before the last rotation" in capsys.readouterr().err
    assert fangpin("doctor") == 1
    assert "before the last rotation" in capsys.readouterr().out
