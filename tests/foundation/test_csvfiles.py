"""Reading GB18030 CSV files, and writing CSV files byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.csvfiles import csv_bytes, hint_when_utf8, read_csv
from foundation.errors import Fault, UnusableInput


def written(folder: Path, content: bytes) -> Path:
    path = folder / "feed.csv"
    path.write_bytes(content)
    return path


def refused(path: Path) -> Fault:
    with pytest.raises(UnusableInput) as stopped:
        list(read_csv(path, "feeds/feed.csv"))
    (fault,) = stopped.value.faults
    assert fault.place == "feeds/feed.csv"
    return fault


def test_every_record_counts_empty_ones_too(tmp_path: Path) -> None:
    path = written(tmp_path, '姓名,备注\r\n\r\n王五,"a,b"\r\n,\r\n李四,"两\r\n行"\r\n'.encode("gb18030"))
    assert list(read_csv(path, "f")) == [
        ["姓名", "备注"],
        [],
        ["王五", "a,b"],
        ["", ""],
        ["李四", "两\r\n行"],
    ]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_may_end_in_any_way_and_the_last_one_in_none(tmp_path: Path, end: str) -> None:
    path = written(tmp_path, f"姓名{end}王五".encode("gb18030"))
    assert list(read_csv(path, "f")) == [["姓名"], ["王五"]]


def test_rare_characters_of_four_bytes_are_read(tmp_path: Path) -> None:
    assert list(read_csv(written(tmp_path, "𠮷㛃䶮".encode("gb18030")), "f")) == [["𠮷㛃䶮"]]


def test_an_empty_file_has_no_record(tmp_path: Path) -> None:
    assert list(read_csv(written(tmp_path, b""), "f")) == []


def test_a_file_that_cannot_be_decoded_stops_the_run(tmp_path: Path) -> None:
    assert "GB18030" in refused(written(tmp_path, "姓名".encode("gb18030") + b"\xff\xff")).zh


def test_a_file_in_utf8_that_cannot_be_decoded_says_so(tmp_path: Path) -> None:
    content = "身份证号,姓名,地\n".encode()
    with pytest.raises(UnicodeDecodeError):
        content.decode("gb18030")
    fault = refused(written(tmp_path, content))
    assert "UTF-8" in fault.zh
    assert "save it as GB18030" in fault.en


def test_a_file_in_utf8_that_happens_to_decode_is_told_by_its_missing_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "号牌,价格\n".encode())
    assert [len(record) for record in read_csv(path, "f")] == [2]
    fault = hint_when_utf8(path, Fault("f", "缺少列:姓名", "missing columns: 姓名"))
    assert fault.zh.startswith("缺少列:姓名;")
    assert "UTF-8" in fault.en
    assert hint_when_utf8(path, fault) == fault


def test_a_file_in_gb18030_or_ascii_gets_no_hint(tmp_path: Path) -> None:
    fault = Fault("f", "缺少列:姓名", "missing columns: 姓名")
    for content in ("姓,户编号\n".encode("gb18030"), b"name,household\n", b""):
        assert hint_when_utf8(written(tmp_path, content), fault) == fault


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_file_with_zero_bytes_is_no_csv(tmp_path: Path, encoding: str) -> None:
    assert refused(written(tmp_path, "name,id\r\n".encode(encoding)))


def test_a_quotation_mark_that_swallows_the_file_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,"b\n' + b"c,d\n" * 40_000)
    assert "引号" in refused(path).zh


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path)
    assert refused(tmp_path / "none.csv")


def test_a_csv_has_a_byte_order_mark_crlf_and_only_the_quotes_it_needs() -> None:
    content = csv_bytes(["编号", "原因"], [["1", "a;b"], ['说"是"', "x,y"], ["", "两\n行"]])
    assert content == '\ufeff编号,原因\r\n1,a;b\r\n"说""是""","x,y"\r\n,"两\n行"\r\n'.encode()


def test_a_csv_for_a_bank_is_in_gb18030() -> None:
    assert csv_bytes(["户名"], [["𠮷田"]], encoding="gb18030") == "户名\r\n𠮷田\r\n".encode("gb18030")


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=10))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = written(tmp_path_factory.mktemp("csv"), csv_bytes(["甲", "乙"], rows, encoding="gb18030"))
    assert list(read_csv(path, "f")) == [["甲", "乙"], *rows]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.mktemp("csv"), content)
    try:
        records = list(read_csv(path, "f"))
    except UnusableInput:
        return
    assert "\0" not in "".join(records[0] if records else [])
