"""Printing: words and rare characters come out, fonts are embedded, nothing is fetched, and the same gives the same."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from reports import pdf
from reports.attachments import Attached
from reports.errors import RenderingFailed
from reports.pdf import Printable, print_pdfs
from tests.reports.reading import font_descriptors, opened, words

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
STYLE = """
@page { @bottom-right { content: "第" counter(page) "页共" counter(pages) "页" } }
@page wide { size: A4 landscape }
html { font-family: "Fangpin Song", "Noto Serif SC", "Noto Serif JP", serif }
h1 { font-family: "Fangpin Hei", "Noto Sans SC", "Noto Sans JP", sans-serif; font-weight: 400 }
"""
RARE = "𠮷田花䶮㛃堃喆犇𫖯𬱖"


def document(body: str, *attachments: Attached) -> Printable:
    html = f'<!doctype html><html lang="zh-CN"><head><title>测试</title></head><body>{body}</body></html>'
    return Printable("测试", html, STYLE, AT, attachments)


def printed(*documents: Printable, processes: int = 1) -> list[bytes]:
    return list(print_pdfs(documents, processes))


def test_words_and_rare_characters_come_out_by_copy(tmp_path: Path) -> None:
    (content,) = printed(document(f"<h1>通知书</h1><p>{RARE}:12,345.67元</p>"))
    assert words(content, tmp_path) == f"通知书{RARE}:12,345.67元第1页共1页"


def test_every_rare_character_has_a_glyph_of_its_own() -> None:
    """A box with a cross would copy well, too: so the codes in the page's text are looked at, none may be glyph 0."""
    (content,) = printed(document(f"<p>{RARE}</p><h1>{RARE}</h1>"))
    with opened(content) as read:
        operands = [operands for operands, operator in _instructions(read) if str(operator) in ("Tj", "TJ")]
        shown = b"".join(bytes(piece) for piece in _strings(operands))
    codes = [shown[place : place + 2] for place in range(0, len(shown), 2)]
    assert len(codes) >= 2 * len(RARE)
    assert b"\x00\x00" not in codes


def _instructions(read: pikepdf.Pdf) -> list[tuple[list[object], object]]:
    return [
        (list(item.operands), item.operator)
        for item in pikepdf.parse_content_stream(read.pages[0])
        if isinstance(item, pikepdf.ContentStreamInstruction)
    ]


def _strings(operands: list[list[object]]) -> list[pikepdf.String]:
    found: list[pikepdf.String] = []
    for listed in operands:
        for operand in listed:
            pieces = operand if isinstance(operand, pikepdf.Array) else [operand]
            found += [piece for piece in pieces if isinstance(piece, pikepdf.String)]
    return found


def test_fonts_are_embedded_and_ours() -> None:
    (content,) = printed(document(f"<h1>标题</h1><p>正文{RARE}</p>"))
    with opened(content) as read:
        fonts = font_descriptors(read)
        assert {str(font["/FontName"]).split("+")[1] for font in fonts} >= {"Fangpin-Hei", "Fangpin-Song"}
        for font in fonts:
            assert any(key in font for key in ("/FontFile", "/FontFile2", "/FontFile3"))


HOSTILE = (
    '<link rel="attachment" href="file:///etc/passwd">',
    '<img src="http://127.0.0.1:6379/">',
    '<img src="http://169.254.169.254/latest/meta-data/">',
    '<img src="ftp://127.0.0.1/x">',
    '<img src="data:image/svg+xml,%3Csvg/%3E">',
    '<link rel="stylesheet" href="file:///etc/passwd">',
    '<style>@import url("http://127.0.0.1/x.css")</style>',
    "<style>p { background: url(file:///etc/passwd) }</style><p>x</p>",
    "<style>@font-face { font-family: x; src: url(file:///etc/passwd) } p { font-family: x }</style><p>x</p>",
    '<object data="file:///etc/passwd"></object>',
    '<base href="file:///etc/"><img src="passwd">',
)


def test_a_document_that_asks_for_anything_outside_is_refused() -> None:
    with pdf._Press(1) as press:
        for hostile in HOSTILE:
            with pytest.raises(RenderingFailed) as failed:
                press.pdf(pdf._Sheet("测试", f"<html><body>{hostile}</body></html>", STYLE, AT))
            assert failed.value.cause == "Refused", hostile


def test_it_says_that_it_is_pdf_a_3b_in_chinese_with_its_title() -> None:
    (content,) = printed(document("<p>正文</p>"))
    with opened(content) as read:
        metadata = read.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        assert metadata["dc:title"] == "测试" == str(read.docinfo["/Title"])
        assert str(read.Root["/Lang"]) == "zh-CN"
        assert read.Root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert [str(intent["/S"]) for intent in read.Root["/OutputIntents"]] == ["/GTS_PDFA1"]
        assert "/ID" in read.trailer
        assert not read.is_encrypted
        assert "/AcroForm" not in read.Root
        assert "/OpenAction" not in read.Root


def test_attached_files_come_out_byte_for_byte() -> None:
    attached = Attached("payments.csv", "明细", "\ufeff参考号,金额\r\nA-1,1.00\r\n".encode())
    (content,) = printed(document("<p>正文</p>", attached))
    with opened(content) as read:
        assert list(read.attachments) == ["payments.csv"]
        assert read.attachments["payments.csv"].get_file().read_bytes() == attached.content
        (entry,) = read.Root["/AF"]
        assert str(entry["/AFRelationship"]) == "/Data"
        stream = entry["/EF"]["/F"]
        assert str(stream["/Subtype"]) == "/text/csv"
        assert str(stream["/Params"]["/ModDate"]) == "D:20201231040000Z"


def test_the_same_document_gives_the_same_bytes_whoever_prints_it() -> None:
    documents = [document(f"<p>{RARE}{number}</p>", Attached("a.csv", "", b"1")) for number in range(4)]
    first = printed(*documents)
    assert printed(*documents, processes=2) == first
    assert len({hashlib.sha256(content).digest() for content in first}) == 4


def test_documents_come_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    bodies = [f"<p>第{number}件{'长' * (20000 if number % 2 else 1)}</p>" for number in range(6)]
    contents = printed(*map(document, bodies), processes=2)
    assert [words(content, tmp_path)[:3] for content in contents] == [f"第{number}件" for number in range(6)]


def test_volumes_are_bound_and_numbered_through(tmp_path: Path) -> None:
    front = document("<p>封面</p>", Attached("a.csv", "", b"1"))
    page = '<p style="page: wide; break-after: page">内页</p>'
    volumes = tuple(document(page * count).html for count in (2, 3))
    long = Printable("测试", front.html, STYLE, AT, front.attachments, volumes, ("auto", "wide"))
    (content,) = printed(long, processes=2)
    with opened(content) as read:
        boxes = [[int(edge) for edge in page.mediabox] for page in read.pages]
        assert [box[2] > box[3] for box in boxes] == [False, True, True, True, True, True]
        assert list(read.attachments) == ["a.csv"]
        assert read.open_metadata()["pdfaid:part"] == "3"
        assert all("/FontFile2" in font for font in font_descriptors(read))
    text = words(content, tmp_path)
    for number in range(1, 7):
        assert text.count(f"第{number}页共6页") == 1
    assert text.count("内页") == 5
    assert printed(long) == [content]


def test_a_document_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 0.5)
    monkeypatch.setattr(pdf, "CHARACTERS_A_SECOND", 10**9)
    rows = "<tr><td>1<td>2<td>3<td>4<td>5</tr>" * 3000
    before = threading.active_count()
    with pytest.raises(RenderingFailed) as failed:
        printed(document(f"<table>{rows}</table>"))
    assert failed.value.cause.startswith("ended -9")
    assert failed.value.zh.startswith("《测试》无法生成PDF")
    assert threading.active_count() == before


def test_a_document_nested_too_deep_fails_and_the_next_one_is_printed(tmp_path: Path) -> None:
    documents = [document("<div>" * 5000), document("<p>正文</p>")]
    contents = print_pdfs(documents[:1])
    with pytest.raises(RenderingFailed):
        next(contents)
    assert words(printed(documents[1])[0], tmp_path) == "正文第1页共1页"


def test_nothing_to_print_is_no_document() -> None:
    assert printed() == []
