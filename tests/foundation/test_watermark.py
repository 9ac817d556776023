"""The watermark of a workbook: a line at the top of every sheet and page, a picture behind the cells, the properties."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from openpyxl import load_workbook
from PIL import Image

from foundation.spreadsheets import Heading, Watermark, write_workbook
from foundation.watermark_picture import picture_of

MARK = Watermark("导出编号 E000012 导出人 张&李", "E000012 2026-11-24", "张&李")


def workbook(**sheets: list[list[object]]) -> bytes:
    return write_workbook(sheets, None, MARK)  # type: ignore[arg-type]  # rows of plain cells


def test_every_sheet_says_it_at_the_top_in_print_and_behind_the_cells() -> None:
    content = workbook(one=[["x"]], two=[[Heading("a"), Heading("b")], ["1", 2]])
    book = load_workbook(BytesIO(content))
    for sheet in book.worksheets:
        assert sheet["A1"].value == MARK.line
        # A single & would begin a code of the header.
        assert sheet.oddHeader.left.text == "导出编号 E000012 导出人 张&&李"
        assert sheet.oddFooter.left.text == "E000012 2026-11-24"
    assert (book.properties.creator, book.properties.description) == ("张&李", MARK.line)
    names = zipfile.ZipFile(BytesIO(content)).namelist()
    assert sum(name.startswith("xl/media/") for name in names) == 1


def test_the_first_headings_stay_in_sight_and_filter_what_is_below() -> None:
    sheet = load_workbook(
        BytesIO(workbook(one=[["标题"], [Heading("a"), Heading("b")], ["1", 2], ["2", 3]]))
    ).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A4", "A3:B5")
    assert [cell.value for cell in sheet[5]] == ["2", 3]
    empty = load_workbook(BytesIO(workbook(one=[[Heading("a")]]))).worksheets[0]
    assert (empty.freeze_panes, empty.auto_filter.ref) == ("A3", None)


def test_without_a_watermark_a_workbook_is_as_it_was() -> None:
    content = write_workbook({"one": [[Heading("a")], ["1"]]})
    sheet = load_workbook(BytesIO(content)).worksheets[0]
    assert (sheet["A1"].value, sheet.freeze_panes, sheet.auto_filter.ref) == ("a", "A2", None)
    assert not any(name.startswith("xl/media/") for name in zipfile.ZipFile(BytesIO(content)).namelist())


def test_the_same_export_gives_the_same_bytes() -> None:
    assert workbook(one=[["x"]]) == workbook(one=[["x"]])


def test_the_picture_is_a_light_grey_png_that_differs_with_its_text() -> None:
    picture = Image.open(BytesIO(picture_of("E000012 2026-11-24")))
    assert picture.mode == "L" and picture.size == (48 + 3 * 107, 48 + 3 * 7)
    shades = {shade for _count, shade in picture.getcolors() or []}
    assert shades == {226, 255}
    others = {picture_of(text) for text in ("E000012 2026-11-24", "E000013 2026-11-24", *"0123456789E- ")}
    assert len(others) == 15


def test_the_picture_takes_no_other_letters() -> None:
    with pytest.raises(KeyError):
        picture_of("张")
