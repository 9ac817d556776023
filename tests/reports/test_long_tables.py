"""Long tables, sums, shares and attached files: what stands in a report is what its figures are."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from foundation.money import yuan_text
from reports import attachments, layout
from reports.documents import printable
from reports.figures import BatchFigures, BatchLine, FileFigures, PaidCase
from reports.pdf import print_pdfs
from tests.reports.cases import HEAD
from tests.reports.reading import opened, words

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>{{7*7}}<link rel=attachment href=file:///etc/passwd>"


def line(number: int, **changes: object) -> BatchLine:
    plain: dict[str, object] = {
        "sequence": number,
        "reference": f"YY2020-{number:08d}",
        "claim_no": f"A-{number:06d}",
        "line_title": ("因病", "因学")[number % 2],
        "town": f"第{number % 3}镇",
        "payee_name": "王秀英",
        "payee_account": "****1238",
        "bank_code": "",
        "amount_fen": number * 101,
    }
    return BatchLine(**{**plain, **changes})  # type: ignore[arg-type]  # fields by name


def batch(lines: tuple[BatchLine, ...]) -> BatchFigures:
    return BatchFigures(
        batch_id="b" * 32,
        number=1,
        message_id="YY2020-B000001",
        state="exported",
        insurer="示例财产保险股份有限公司",
        purchaser="某县相对贫困服务中心",
        execution_on=date(2020, 12, 31),
        payments=len(lines),
        total_fen=sum(item.amount_fen for item in lines),
        content_digest="c" * 64,
        made_by="person-3",
        made_at=AT,
        checked_by="person-4",
        checked_at=AT,
        released_by=None,
        released_at=None,
        exported_at=AT,
        files=(FileFigures("YY2020-B000001.xml", "pain.001.001.09", "d" * 64, 1234),),
        lines=lines,
    )


def test_a_batch_of_four_hundred_is_split_into_parts_and_numbered_through(tmp_path: Path) -> None:
    figures = batch(tuple(line(number) for number in range(1, 402)))
    document = printable("batch_summary", figures, "防贫付〔2020〕1号", AT, {}, HEAD)
    assert len(document.volumes) == 1
    assert document.volumes[0].count("<table") == 3
    assert "YY2020-00000001" not in document.html
    (content,) = print_pdfs([document], 2)
    text = words(content, tmp_path, "-layout")
    with opened(content) as read:
        pages = len(read.pages)
        assert list(read.attachments) == ["payments.csv"]
    assert pages > 6
    for number in range(1, pages + 1):
        assert text.count(f"第{number}页共{pages}页") == 1
    for item in figures.lines:
        assert text.count(item.reference) == 1
    for number, first, last in ((1, 1, 200), (2, 201, 400), (3, 401, 401)):
        rows = figures.lines[first - 1 : last]
        assert f"第{number}部分，第{first}至{last}笔，共401笔" in text
        subtotal = sum(item.amount_fen for item in rows)
        assert f"第{number}部分小计（{len(rows)}笔）{subtotal // 100:,}.{subtotal % 100:02d}" in text


def test_a_short_batch_is_one_document(tmp_path: Path) -> None:
    figures = batch(tuple(line(number) for number in range(1, 4)))
    document = printable("batch_summary", figures, "防贫付〔2020〕1号", AT, {"person-3": "孙丽"}, HEAD)
    assert document.volumes == ()
    (content,) = print_pdfs([document])
    text = words(content, tmp_path, "-layout")
    for part in ("总笔数3笔", "人民币陆元零陆分", "孙丽（person-3）", "c" * 64, "d" * 64, "第2页共2页"):
        assert part in text, part


def test_hostile_names_in_a_batch_are_shown_as_text(tmp_path: Path) -> None:
    hostile = line(1, payee_name=HOSTILE, town=HOSTILE, claim_no="长" * 300, line_title="𠮷䶮㛃")
    document = printable("batch_summary", batch((hostile, line(2))), "防贫付〔2020〕1号", AT, {}, HEAD)
    assert "<script" not in document.html
    assert "<link" not in document.html
    (content,) = print_pdfs([document])
    text = words(content, tmp_path)
    assert "".join(HOSTILE.split()) in text
    assert "𠮷䶮㛃" in text


def test_what_is_attached_is_what_is_printed_of_it(tmp_path: Path) -> None:
    figures = batch(tuple(line(number) for number in range(1, 30)))
    (attached,) = attachments.batch(figures)
    (content,) = print_pdfs([printable("batch_summary", figures, "防贫付〔2020〕1号", AT, {}, HEAD)])
    with opened(content) as read:
        assert read.attachments["payments.csv"].get_file().read_bytes() == attached.content
    assert hashlib.sha256(attached.content).hexdigest() in words(content, tmp_path)
    rows = list(csv.DictReader(io.StringIO(attached.content.decode("utf-8-sig"), newline="")))
    assert [row["业务参考号"] for row in rows] == [item.reference for item in figures.lines]
    assert [row["金额"] for row in rows] == [yuan_text(item.amount_fen) for item in figures.lines]


def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    lines = tuple(
        line(number, payee_name=name)
        for number, name in enumerate(("=1+1", "+86", "-x", "@x", "\tx", "王"), 1)
    )
    (attached,) = attachments.batch(batch(lines))
    rows = csv.DictReader(io.StringIO(attached.content.decode("utf-8-sig"), newline=""))
    assert [row["收款户名"] for row in rows] == ["'=1+1", "+86", "'-x", "'@x", "'\tx", "王"]


@given(st.lists(st.integers(1, 10**9), max_size=450))
def test_parts_hold_every_row_once_and_add_up(amounts: list[int]) -> None:
    rows = [line(number, amount_fen=amount) for number, amount in enumerate(amounts, 1)]
    parts = layout.parts(rows)
    assert [row for part in parts for row in part.rows] == rows
    assert sum(part.amount_fen for part in parts) == sum(amounts)
    assert all(1 <= len(part.rows) <= layout.ROWS_A_TABLE for part in parts)
    assert [part.first for part in parts] == [
        1 + number * layout.ROWS_A_TABLE for number in range(len(parts))
    ]
    assert [part.last - part.first + 1 for part in parts] == [len(part.rows) for part in parts]


@given(
    st.lists(
        st.tuples(st.sampled_from("甲乙丙"), st.sampled_from("病学"), st.integers(1, 10**9)), max_size=60
    )
)
def test_the_matrix_of_towns_and_lines_adds_up_both_ways(rows: list[tuple[str, str, int]]) -> None:
    lines = [
        line(number, town=town, line_title=title, amount_fen=amount)
        for number, (town, title, amount) in enumerate(rows, 1)
    ]
    found = layout.matrix(lines)
    assert found.total.amount_fen == sum(amount for _, _, amount in rows)
    assert sum(whole.amount_fen for _, _, whole in found.rows) == found.total.amount_fen
    assert sum(total.amount_fen for total in found.totals) == found.total.amount_fen
    assert sum(whole.count for _, _, whole in found.rows) == len(rows)
    for _, cells, whole in found.rows:
        assert sum(cell.amount_fen for cell in cells) == whole.amount_fen
        assert [cell.name for cell in cells] == found.columns


def test_shares_are_rounded_half_up_once() -> None:
    assert layout.percent(1659, 16783, 3) == "9.885%"
    assert layout.percent(1, 3) == "33.33%"
    assert layout.percent(2, 3) == "66.67%"
    assert layout.percent(1, 800, 2) == "0.13%"
    assert layout.percent(5, 5) == "100.00%"
    assert layout.percent(0, 0) == "—"


def test_everybody_who_decided_or_paid_has_one_sign() -> None:
    case = PaidCase(
        *("R-1", 1, "A-1", "因病", "甲镇", "d" * 32, "e" * 32, 100, 100, "sent", "王秀英", "****1238"),
        *("p1", "p2", AT, "p3", "p4", "p5"),
    )
    other = replace(case, reference="R-2", paid_fen=50, recommended_by="p6", released_by="")
    found = layout.people([case, other])
    assert found["signs"] == {"p1": "P1", "p6": "P2", "p2": "P3", "p3": "P4", "p4": "P5", "p5": "P6"}
    assert [(worker.person, worker.role, worker.cases, worker.amount_fen) for worker in found["workers"]] == [
        ("p1", "理赔建议", 1, 100),
        ("p6", "理赔建议", 1, 50),
        ("p2", "核定", 2, 150),
        ("p3", "制单", 2, 150),
        ("p4", "复核", 2, 150),
        ("p5", "授权", 1, 100),
    ]


def test_style_sheets_and_templates_name_no_address() -> None:
    here = Path(layout.__file__).parent
    paths = [*(here / "templates").iterdir(), *(here / "stylesheets").iterdir()]
    assert {path.suffix for path in paths} == {".html", ".css"}
    for path in paths:
        assert re.findall(r"url\(|@import|src=|href=|//", path.read_text("utf-8")) == [], path
