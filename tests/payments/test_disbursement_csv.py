"""The 代发 file: its exact bytes, its encoding, and what it refuses."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from payments.bank_formats.disbursement_csv import COLUMNS, write_disbursement_csv
from payments.batching import PaymentLine

EXPECTED = Path(__file__).parent / "expected"

LINES = [
    PaymentLine(1, "p1", "YY2020-00000001", 4280_00, "6217000000000000012", "𠮷秀英", "313651027012"),
    PaymentLine(2, "p2", "YY2020-00000002", 280_33, "6228480000000000018", "阿依古丽·买买提", None),
    PaymentLine(3, "p3", "YY2020-00000003-R2", 1, "0000370501638", '张三,"代"<&>', "102100099996"),
]


def joined(lines: list[PaymentLine], lines_per_chunk: int = 500) -> bytes:
    return b"".join(write_disbursement_csv(lines, lines_per_chunk))


def test_three_payments_give_the_expected_bytes() -> None:
    assert joined(LINES) == (EXPECTED / "three_payments.csv").read_bytes()


def test_the_text_is_what_a_person_expects_to_read() -> None:
    assert joined(LINES).decode("gb18030").split("\r\n") == [
        "序号,收款账号,收款户名,金额,联行号,用途,业务参考号",
        "1,6217000000000000012,𠮷秀英,4280.00,313651027012,防贫保险赔款,YY2020-00000001",
        "2,6228480000000000018,阿依古丽·买买提,280.33,,防贫保险赔款,YY2020-00000002",
        '3,0000370501638,"张三,""代""<&>",0.01,102100099996,防贫保险赔款,YY2020-00000003-R2',
        "",
    ]


@pytest.mark.parametrize("lines_per_chunk", [1, 2, 3, 4, 10_000])
def test_the_bytes_do_not_depend_on_the_size_of_a_chunk(lines_per_chunk: int) -> None:
    assert joined(LINES, lines_per_chunk) == joined(LINES)


def test_the_purpose_never_tells_the_line_of_cover() -> None:
    rows = list(csv.DictReader(StringIO(joined(LINES).decode("gb18030"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert {row["用途"] for row in rows} == {"防贫保险赔款"}


def test_characters_outside_gbk_are_written_and_not_replaced() -> None:
    rare = "𠮷㐂•・﨑龘"
    written = joined([replace(LINES[0], payee_name=rare)])
    assert rare in written.decode("gb18030")
    assert b"?" not in written


@pytest.mark.parametrize(
    "line",
    [
        replace(LINES[0], payee_name="=HYPERLINK(1)"),
        replace(LINES[0], payee_name="\ud842"),
        replace(LINES[0], payee_account="@6217"),
        replace(LINES[0], payee_name="李\r\n2,6217,王,1.00"),
        replace(LINES[0], bank_code="+86105100000"),
        replace(LINES[0], amount_fen=-1),
        replace(LINES[0], reference="-1"),
        replace(LINES[0], sequence=2),
    ],
)
def test_a_line_that_should_have_stayed_out_stops_the_file(line: PaymentLine) -> None:
    with pytest.raises(ValueError, match="line"):
        joined([line])


def test_a_repeated_reference_stops_the_file_across_chunks() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        joined([LINES[0], replace(LINES[0], sequence=2)], lines_per_chunk=1)
