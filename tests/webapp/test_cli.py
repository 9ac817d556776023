"""The command line: help in both languages, exit codes, the doctor."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from foundation.database import Database
from webapp.cli import cli, guarded
from webapp.run import Options, run_pack


def fangpin(*arguments: str) -> int:
    return guarded(lambda: cli.main(list(arguments), standalone_mode=False))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["doctor", "--help"], ["worker", "--help"]]
)
def test_help_is_in_both_languages(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert fangpin(*arguments) == 0
    printed = capsys.readouterr().out
    assert any("\u4e00" <= character <= "\u9fff" for character in printed)
    assert any(word in printed.lower() for word in ("county", "check", "work"))


def test_run_prints_one_page_and_exits_with_1_for_refused_rows(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert fangpin("run", str(small_pack), "--out", str(out), "--as-of", "2020-12-31", "--letters", "0") == 1
    page = capsys.readouterr().out
    assert len(page.splitlines()) < 30
    for figure in ("400", "300", "2145510.31", str(out)):
        assert figure in page
    assert fangpin("run", str(small_pack), "--out", str(out), "--as-of", "2020-12-31", "--letters", "0") == 1
    assert "nothing was changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--as-of", "2020-02-30"], ["--letters", "-1"], ["--letters", "１"], ["--nonsense"]]
)
def test_a_wrong_option_is_refused(small_pack: Path, tmp_path: Path, arguments: list[str]) -> None:
    assert fangpin("run", str(small_pack), "--out", str(tmp_path / "out"), *arguments) == 2
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written_are_named(
    small_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    assert fangpin("run", str(small_pack), "--out", str(tmp_path / "out")) == 2
    assert "out" in capsys.readouterr().err


def test_doctor_finds_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    assert fangpin("doctor") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "一切正常 / all is well"


def test_doctor_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "none.db"
    assert fangpin("doctor", "--database", f"sqlite:///{file}") == 1
    assert "none.db" in capsys.readouterr().out
    assert not file.exists()


def test_doctor_finds_what_is_wrong_with_a_database(
    small_pack: Path, tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    options = Options(
        small_pack, tmp_path / "out", database_url, as_of=date(2020, 12, 31), letters=0, key_file=key
    )
    run_pack(options, lambda *_: None)
    assert fangpin("doctor", "--database", database_url, "--key-file", str(key)) == 0
    capsys.readouterr()
    database = Database(database_url)
    with database.transaction() as session:
        tail = "" if session.connection().dialect.name == "sqlite" else " ON bank_file"
        session.execute(text(f"DROP TRIGGER bank_file_no_delete{tail}"))
        session.execute(text("DELETE FROM bank_file WHERE format = 'disbursement_csv'"))
        tail = tail.replace("bank_file", "membership")
        for guard in ("membership_frozen", "membership_no_delete"):
            session.execute(text(f"DROP TRIGGER {guard}{tail}"))
        person = "(SELECT min(person_id) FROM membership)"
        session.execute(text(f"DELETE FROM membership WHERE person_id = {person}"))
    database.close()
    other = json.loads(key.read_text())
    key.write_text(json.dumps(other | {"lookup": "A" * 43 + "="}))
    assert fangpin("doctor", "--database", database_url, "--key-file", str(key)) == 1
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert len(found) == 4
    assert any("bank_file_no_delete" in line for line in found)
    assert any("both bank files" in line for line in found)
    assert any("never were in a household: 1" in line for line in found)
