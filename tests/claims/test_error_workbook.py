"""The workbook of errors: every refused cell with its remedy, the faulty rows as they came, and nothing that runs."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from claims import intake_files
from claims.error_workbook import error_workbook
from claims.intake_files import read_claims
from claims.pack import read_pack
from foundation.refusals import REFUSALS
from foundation.tables import RowError
from households import roster

RED = "FFFFC7CE"


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def red_cells(sheet: openpyxl.worksheet.worksheet.Worksheet) -> list[tuple[str, str]]:
    """(row as it was, column) of every red cell."""
    header = [cell.value for cell in sheet[1]]
    return [
        (row[0].value, header[place])
        for row in sheet.iter_rows(min_row=2)
        for place, cell in enumerate(row)
        if cell.fill.fgColor.rgb == RED
    ]


def test_every_refused_cell_of_the_small_pack_is_listed_and_red(small_pack: Path) -> None:
    errors = read_pack(small_pack).errors
    book = opened(error_workbook(small_pack, errors, "zh").written())
    listed = [tuple(cell.value or "" for cell in row[:4]) for row in book["错误清单"].iter_rows(min_row=2)]
    assert listed == [(error.file, error.sheet, str(error.row), error.column) for error in errors]
    red: list[tuple[str, str, str, str]] = []
    for sheet in book.worksheets[1:]:
        stem, _, name = sheet.title.partition(" ")
        file = next(error.file for error in errors if error.file.rpartition("/")[2].startswith(f"{stem}."))
        red += [(file, name, row, column) for row, column in red_cells(sheet)]
    # A column that the sheet does not have cannot be red; the small pack has none such.
    assert sorted(red) == sorted(listed)


def test_a_faulty_row_stands_there_whole_with_what_is_wrong_in_words(small_pack: Path) -> None:
    errors = read_pack(small_pack).errors
    sheet = opened(error_workbook(small_pack, errors, "zh").written())["claims 因病"]
    header = [cell.value for cell in sheet[1]]
    assert (header[0], header[-1]) == ("原行号", "错误原因")
    first = dict(zip(header, (cell.value for cell in sheet[2]), strict=True))
    assert (first["原行号"], first["报案号"], first["报案日期"], first["病因"]) == (
        "13",
        "BX00003",
        "43895",
        "脑出血",
    )
    assert first["错误原因"] == "报案日期:不是日期,或没有这一天"
    english = opened(error_workbook(small_pack, errors, "en").written())
    assert english.sheetnames[0] == "Errors"
    assert [cell.value for cell in english["Errors"][1]] == [
        "File",
        "Sheet",
        "Row",
        "Column",
        "What is wrong",
        "How to mend it",
    ]


NASTY = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1+1", " =1", "http://x.example/"]


def test_what_looks_like_a_formula_comes_back_as_text(tmp_path: Path) -> None:
    columns = [column.name for column in intake_files.SHEETS["因病"][1]]
    with xlsxwriter.Workbook(tmp_path / "claims.xlsx") as book:
        sheet = book.add_worksheet("因病")
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name)
        for row, text in enumerate(NASTY, start=1):
            for place in range(len(columns)):
                sheet.write_string(row, place, text)
    _, errors = read_claims(tmp_path / "claims.xlsx")
    assert {error.row for error in errors} == {row + 2 for row in range(len(NASTY))}
    content = error_workbook(tmp_path, errors, "zh").written()
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        xml = b"".join(parts.read(name) for name in parts.namelist() if name.endswith(".xml"))
    assert not re.search(rb"<f[ >]|hyperlink", xml), "a formula or a link"
    kinds = set(re.findall(rb'<c [^>]*?t="(\w+)"', xml))
    assert kinds == {b"s"}, "every cell is a string"
    shown = [row[1].value for row in opened(content)["claims 因病"].iter_rows(min_row=2)]
    # The file format itself turns a carriage return into a line feed.
    assert [text.replace("_x000D_", "\r") for text in shown] == NASTY


def test_an_id_typed_as_a_number_is_shown_with_the_remedy(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "roster.xlsx") as book:
        sheet = book.add_worksheet(roster.SHEET)
        values = {"户编号": "H1", "身份证号": 370323196001011113, "姓名": "张三"}
        for place, column in enumerate(roster.COLUMNS):
            sheet.write(0, place, column.name)
            sheet.write(1, place, values.get(column.name, ""))
    _, errors = roster.read_roster(tmp_path / "roster.xlsx")
    assert "id_number" in {error.code for error in errors}
    book = opened(error_workbook(tmp_path, errors, "zh").written())
    listed = {row[3].value: row[5].value for row in book["错误清单"].iter_rows(min_row=2)}
    assert "设为文本" in listed["身份证号"]
    header = [cell.value for cell in book["roster 参保名册"][1]]
    assert book["roster 参保名册"].cell(2, header.index("身份证号") + 1).value == "370323196001011000"


def test_a_column_that_is_not_there_is_named_though_nothing_can_be_red(tmp_path: Path) -> None:
    columns = [c.name for c in intake_files.SHEETS["因意外"][1] if c.name not in ("伤残等级", "费用金额")]
    values = {"报案号": "B1", "给付项目": "伤残"}
    with xlsxwriter.Workbook(tmp_path / "claims.xlsx") as book:
        sheet = book.add_worksheet("因意外")
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name)
            sheet.write_string(1, place, values.get(name, ""))
    _, errors = read_claims(tmp_path / "claims.xlsx")
    sheet = opened(error_workbook(tmp_path, errors, "zh").written())["claims 因意外"]
    assert "伤残等级:必填项为空" in sheet.cell(2, sheet.max_column).value


@pytest.mark.parametrize("place", [0, 1])
def test_every_code_that_a_reader_gives_has_words(small_pack: Path, place: int) -> None:
    assert {error.code for error in read_pack(small_pack).errors} <= REFUSALS.keys()
    assert all(refusal.wrong[place] and refusal.remedy[place] for refusal in REFUSALS.values())


def test_two_thousand_errors_make_one_workbook(tmp_path: Path) -> None:
    lines = ["身份证号,姓名,死亡日期", *("无,张三,2020-01-01" for _ in range(2_000))]
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "deaths.csv").write_bytes("\r\n".join(lines).encode("gb18030"))
    errors = [RowError("feeds/deaths.csv", "", row, "身份证号", "id_number") for row in range(2, 2_002)]
    book = opened(error_workbook(tmp_path, errors, "zh").written())
    assert book["deaths"].max_row == 2_001
