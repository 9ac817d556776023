"""Reading a whole county pack, and errors.csv byte for byte (rules.md §6)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from claims.pack import errors_csv, read_pack
from foundation.errors import Fault, UnusableInput
from foundation.tables import RowError


@pytest.fixture
def pack(small_pack: Path, tmp_path: Path) -> Path:
    """A copy of the small pack that a test may spoil."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "feeds").mkdir()
    for path in small_pack.rglob("*"):
        if path.is_file() and "expected" not in path.parts:
            shutil.copyfile(path, folder / path.relative_to(small_pack))
    return folder


def faults_of(folder: Path) -> list[Fault]:
    with pytest.raises(UnusableInput) as stopped:
        read_pack(folder)
    assert stopped.value.exit_code == 2
    return list(stopped.value.faults)


def test_the_small_packs_errors_are_the_expected_bytes(small_pack: Path) -> None:
    read = read_pack(small_pack)
    assert errors_csv(read.errors) == (small_pack / "expected" / "errors.csv").read_bytes()
    assert (len(read.roster), len(read.claims), read.feeds.accidents) == (400, 300, None)
    assert read.policy_path == small_pack / "policy.toml"


def test_the_small_pack_and_its_expected_decisions_have_the_same_claims(small_pack: Path) -> None:
    lines = (small_pack / "expected" / "decisions.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    decided = {tuple(line.split(",")[:3]) for line in lines}
    assert {(claim.claim_no, claim.line, claim.benefit) for claim in read_pack(small_pack).claims} == decided


def test_the_demo_pack_is_read_whole(demo_pack: Path) -> None:
    read = read_pack(demo_pack)
    assert len(read.roster) == 16_783
    assert len({claim.claim_no for claim in read.claims}) == len(read.claims) > 0
    assert all(getattr(read.feeds, feed) is not None for feed in read.feeds.__slots__)


def test_only_the_policy_the_roster_and_the_claims_must_be_there(pack: Path) -> None:
    shutil.rmtree(pack / "feeds")
    (pack / "clearances.csv").unlink()
    feeds = read_pack(pack).feeds
    assert feeds.clearances == []
    assert {getattr(feeds, feed) for feed in feeds.__slots__ if feed != "clearances"} == {None}
    for name in ("policy.toml", "roster.xlsx", "claims.xlsx"):
        (pack / name).rename(pack / "aside")
        assert [fault.place for fault in faults_of(pack)] == [name]
        (pack / "aside").rename(pack / name)


def test_one_look_names_everything_that_stops_the_run(pack: Path) -> None:
    (pack / "policy.toml").unlink()
    (pack / "roster.xlsx").write_bytes(b"PK\x03\x04")
    (pack / "claims.xlsx").unlink()
    (pack / "feeds" / "kin.csv").write_bytes(b"")
    (pack / "clearances.csv").write_bytes("户编号,事项\r\n".encode("gb18030"))
    faults = faults_of(pack)
    assert [fault.place for fault in faults] == [
        "policy.toml", "roster.xlsx", "claims.xlsx", "feeds/kin.csv", "clearances.csv",
    ]  # fmt: skip
    assert all(fault.zh and fault.en for fault in faults)


def test_a_workbook_of_another_kind_is_told_by_file_and_sheet(pack: Path) -> None:
    shutil.copyfile(pack / "claims.xlsx", pack / "roster.xlsx")
    (fault,) = faults_of(pack)
    assert (fault.place, fault.zh) == ("roster.xlsx", "缺少工作表“参保名册”")


def test_no_folder_an_empty_one_and_a_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    told = {name: faults_of(tmp_path / name)[0] for name in ("none", "file", "empty")}
    assert {name: fault.place for name, fault in told.items()} == {
        name: str(tmp_path / name) for name in told
    }
    assert {name: fault.zh for name, fault in told.items()} == {
        "none": "文件夹不存在",
        "file": "不是文件夹",
        "empty": "文件夹是空的,至少应有 policy.toml、roster.xlsx、claims.xlsx",
    }


def test_errors_csv_has_a_byte_order_mark_crlf_and_the_quotes_that_it_needs() -> None:
    errors = [
        RowError("claims.xlsx", "因病", 13, "报案日期", "date"),
        RowError("feeds/kin.csv", "", 2, "a,b", "text"),
    ]
    header = "\ufefffile,sheet,row,column,code\r\n"
    lines = 'claims.xlsx,因病,13,报案日期,date\r\nfeeds/kin.csv,,2,"a,b",text\r\n'
    assert errors_csv(errors) == f"{header}{lines}".encode()
    assert errors_csv([]) == header.encode()
