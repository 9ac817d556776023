"""Workbooks: what each kind of cell comes out as, what is refused and how it is told, and writing."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation import workbook_look
from foundation.cells import Cell, ErrorCell
from foundation.errors import Fault, UnusableInput
from foundation.spreadsheets import (
    Written,
    open_first_sheet,
    open_workbook,
    read_workbook,
    write_template,
    write_workbook,
)
from tests.foundation.raw_workbook import sheet_xml, workbook_parts, written, zipped

SHEET = "参保名册"


def rows_of(
    folder: Path, rows: str, *, properties: str = "", shared: tuple[str, ...] = ()
) -> list[list[Cell]]:
    """What a sheet with these rows of XML is read as."""
    parts = workbook_parts({SHEET: rows}, properties=properties, shared=shared)
    return read_workbook(written(folder, zipped(parts)), [SHEET])[SHEET]


def cells_of(folder: Path, *cells: str, properties: str = "", shared: tuple[str, ...] = ()) -> list[Cell]:
    """What single cells, given as XML without their reference, are read as."""
    row = "".join(f'<c r="{chr(65 + index)}1"{cell}</c>' for index, cell in enumerate(cells))
    (read,) = rows_of(folder, f'<row r="1">{row}</row>', properties=properties, shared=shared)
    return read


def refusal(path: Path, *sheets: str) -> Fault:
    with pytest.raises(UnusableInput) as stopped:
        read_workbook(path, sheets or [SHEET])
    (fault,) = stopped.value.faults
    assert fault.place == path.name
    return fault


# What cells come out as


def test_text_numbers_and_truth_come_out_as_themselves(tmp_path: Path) -> None:
    cells = cells_of(
        tmp_path,
        ' t="s"><v>0</v>',
        ' t="s"><v>1</v>',
        ' t="inlineStr"><is><t xml:space="preserve"> 王五 </t></is>',
        ' t="inlineStr"><is><r><t>王</t></r><r><rPr><b/></rPr><t>五</t></r></is>',
        ' t="str"><f>"王"&amp;"五"</f><v>王五</v>',
        "><v>12.34</v>",
        ' t="n"><v>370323198203306933</v>',
        ' t="b"><v>1</v>',
        ' t="b"><v>0</v>',
        ' t="inlineStr"><is><t>a_x000D_&#10;𠮷&lt;</t></is>',
        shared=("<t>王五</t>", "<r><t>富</t></r><r><t>文本</t></r>"),
    )
    assert cells == [
        "王五", "富文本", " 王五 ", "王五", "王五", 12.34, float(370323198203306933), True, False, "a\r\n𠮷<",
    ]  # fmt: skip
    assert [type(cell) for cell in cells[5:9]] == [float, float, bool, bool]


def test_of_a_formula_the_stored_value_counts_and_without_one_the_cell_is_empty(tmp_path: Path) -> None:
    cells = cells_of(tmp_path, "><f>1+1</f><v>2</v>", ' t="str"><f>""</f><v></v>', "><f>1+1</f>", "><v>1</v>")
    assert cells == [2.0, "", "", 1.0]


def test_days_come_out_by_the_cells_format(tmp_path: Path) -> None:
    cells = cells_of(
        tmp_path,
        ' s="0"><v>43895</v>',
        ' s="1"><v>43895</v>',
        ' s="2"><v>43895.5</v>',
        ' s="3"><v>43895</v>',
        ' s="4"><v>1.5</v>',
        ' s="1"><v>0.25</v>',
        ' s="5"><v>43895</v>',
        ' t="d"><v>2020-03-05</v>',
        ' s="1"><v>2958466</v>',
    )
    assert cells == [
        43895.0,
        date(2020, 3, 5),
        datetime(2020, 3, 5, 12),
        date(2020, 3, 5),
        timedelta(days=1, hours=12),
        time(6),
        43895.0,
        date(2020, 3, 5),
        2958466.0,
    ]
    assert [type(cell) for cell in cells[1:4]] == [date, datetime, date]


def test_a_workbook_that_counts_from_1904_has_the_days_that_it_shows(tmp_path: Path) -> None:
    cells = cells_of(
        tmp_path, ' s="1"><v>42433</v>', "><v>42433</v>", properties='<workbookPr date1904="1"/>'
    )
    assert cells == [date(2020, 3, 5), 42433.0]


@pytest.mark.parametrize("value", ["60", "60.25"])
def test_the_29_february_1900_is_an_error_and_its_neighbours_are_days(tmp_path: Path, value: str) -> None:
    cells = cells_of(
        tmp_path, f' s="1"><f>A9</f><v>{value}</v>', ' s="1"><v>59</v>', ' s="1"><v>61</v>', "><v>60</v>"
    )
    assert cells == [ErrorCell("1900-02-29"), date(1900, 2, 28), date(1900, 3, 1), 60.0]


def test_a_29_february_1900_is_found_in_its_place_and_is_a_day_from_1904(tmp_path: Path) -> None:
    rows = '<row r="3"><c r="C3" s="1"><v>60</v></c><c r="D3"><v>1</v></c></row>'
    assert rows_of(tmp_path, rows)[2] == [ErrorCell("1900-02-29"), 1.0]
    assert rows_of(tmp_path, rows, properties='<workbookPr date1904="1"/>')[2] == [date(1904, 3, 1), 1.0]


@pytest.mark.parametrize("value", ["#N/A", "#DIV/0!", "#REF!", "#SPILL!", "#GETTING_DATA", "#ERROR!"])
def test_an_error_cell_comes_out_as_one_whatever_its_error(tmp_path: Path, value: str) -> None:
    cells = cells_of(
        tmp_path,
        f' t="e"><v>{value}</v>',
        f' s="1" t="e"><f>VLOOKUP(A1,B:C,2)</f><v>{value}</v>',
        ' t="e"><f t="shared" si="0"/><v>#N/A</v>',
        f' t="inlineStr"><is><t>{value}</t></is>',
        ' s="1"><v>43895</v>',
        ' t="s"><v>0</v>',
        shared=("<t>共享</t>",),
    )
    assert cells == [ErrorCell(value), ErrorCell(value), ErrorCell("#N/A"), value, date(2020, 3, 5), "共享"]


def test_an_error_cell_is_found_however_its_xml_is_written(tmp_path: Path) -> None:
    rows = (
        "<row r='1'><c t='e' r='A1'>\n<f>1/0</f>\n<v xml:space='preserve'>#DIV/0!</v>\n</c><c r='B1'><v>1</v></c></row>"
        '<row><c><v>2</v></c><c t="e"><v>#N/A</v></c></row>'
    )
    assert rows_of(tmp_path, rows) == [[ErrorCell("#DIV/0!"), 1.0], [2.0, ErrorCell("#N/A")]]
    prefixed = sheet_xml('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>')
    for tag in ("worksheet", "sheetData", "row", "c", "v"):
        prefixed = prefixed.replace(f"<{tag}", f"<x:{tag}").replace(f"</{tag}", f"</x:{tag}")
    assert rows_of(tmp_path, prefixed.replace("xmlns=", "xmlns:x=")) == [[ErrorCell("#N/A")]]


def test_errors_in_one_sheet_leave_the_others_as_they_are(tmp_path: Path) -> None:
    error, number = (
        '<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row>',
    )
    path = written(tmp_path, zipped(workbook_parts({"甲": number, "乙": error, "丙": number})))
    assert read_workbook(path, ["甲", "乙", "丙"]) == {
        "甲": [[1.0]],
        "乙": [[ErrorCell("#N/A")]],
        "丙": [[1.0]],
    }


@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN"])
def test_a_number_that_is_none_is_an_error(tmp_path: Path, value: str) -> None:
    assert cells_of(tmp_path, f"><v>{value}</v>", "><v>1</v>") == [ErrorCell("#NUM!"), 1.0]


def test_rows_are_counted_from_the_first_of_the_sheet_whether_or_not_they_are_stored(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path,
        '<row r="3"><c r="B3"><v>1</v></c></row><row r="6"><c r="C6"><v>2</v></c><c r="B6" s="1"/></row>',
    )
    assert [[cell for cell in row if cell != ""] for row in rows] == [[], [], [1.0], [], [], [2.0]]


def test_a_merged_cell_has_its_value_in_its_first_cell(tmp_path: Path) -> None:
    title = '<row r="1"><c r="A1" t="inlineStr"><is><t>题</t></is></c><c r="B1"/></row>'
    rows = f'{title}<row r="2"><c r="B2"><v>1</v></c></row>'
    merged = sheet_xml(rows).replace(
        "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells>'
    )
    assert rows_of(tmp_path, merged) == [["题", ""], ["", 1.0]]


def test_an_empty_sheet_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "") == []


# Which sheets


def test_the_wanted_sheets_come_in_workbook_order_hidden_ones_too(tmp_path: Path) -> None:
    one = '<row r="1"><c r="A1"><v>1</v></c></row>'
    states = {"收入": "hidden", "因病": "veryHidden"}
    path = written(
        tmp_path, zipped(workbook_parts({"说明": one, "收入": one, "因学": "", "因病": one}, states=states))
    )
    assert list(read_workbook(path, ["因病", "因学", "因意外", "收入"])) == ["收入", "因学", "因病"]


def test_sheet_names_are_matched_once_cleaned_and_of_two_alike_the_first_counts(tmp_path: Path) -> None:
    first, second = '<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1"><c r="A1"><v>2</v></c></row>'
    path = written(tmp_path, zipped(workbook_parts({" 参保\u200b名册": first, "参保名册": second})))
    assert read_workbook(path, ["参保名册"]) == {"参保名册": [[1.0]]}


def test_a_sheet_whose_part_lies_elsewhere_is_found(tmp_path: Path) -> None:
    parts = workbook_parts({SHEET: '<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>'})
    parts["xl/tables/名册.xml"] = parts.pop("xl/worksheets/sheet1.xml")
    relations = parts["xl/_rels/workbook.xml.rels"]
    for target in ("/xl/tables/名册.xml", "tables/名册.xml"):
        parts["xl/_rels/workbook.xml.rels"] = relations.replace("worksheets/sheet1.xml", target)
        assert read_workbook(written(tmp_path, zipped(parts)), [SHEET]) == {SHEET: [[ErrorCell("#N/A")]]}


def test_rows_can_be_left_untaken(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{number}"><c r="A{number}"><v>{number}</v></c></row>' for number in range(1, 2001)
    )
    path = written(tmp_path, zipped(workbook_parts({"甲": rows, "乙": rows})))
    with open_workbook(path, ["甲", "乙"]) as sheets:
        assert [(name, next(found)) for name, found in sheets] == [("甲", [1.0]), ("乙", [1.0])]
    with open_workbook(path, ["甲"]) as sheets:
        assert next(sheets)[0] == "甲"


# What is refused


def test_a_file_that_is_missing_or_no_file_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "roster.xlsx").zh == "缺少此文件,或不是文件"
    assert refusal(tmp_path).en == "the file is missing, or is no file"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x00" * 5000, "户编号,姓名\r\n".encode("gb18030")])
def test_what_is_no_workbook_is_told(tmp_path: Path, content: bytes) -> None:
    assert "xlsx" in refusal(written(tmp_path, content)).zh


def test_an_encrypted_workbook_is_told_from_the_old_format(tmp_path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    encrypted = ole + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    assert "please remove the password" in refusal(written(tmp_path, encrypted)).en
    assert ".xls" in refusal(written(tmp_path, ole + "Workbook".encode("utf-16-le"))).en


def test_a_part_under_a_password_is_told(tmp_path: Path) -> None:
    content = bytearray(zipped(workbook_parts({SHEET: ""})))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(mark, place + 4)
    assert "please remove the password" in refusal(written(tmp_path, bytes(content))).en


def test_a_workbook_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    content = zipped(workbook_parts({SHEET: '<row r="1"><c r="A1"><v>1</v></c></row>'}))
    for tenth in range(1, 10):
        assert refusal(written(tmp_path, content[: len(content) * tenth // 10]))


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
def test_a_workbook_without_one_of_its_parts_is_told(tmp_path: Path, part: str) -> None:
    parts = workbook_parts({SHEET: ""})
    del parts[part]
    assert "xlsx" in refusal(written(tmp_path, zipped(parts))).zh


@pytest.mark.parametrize(
    "xml", ["<row r='1'><c r='A1'><v>1</v>", "<row r='1'><c r='A1' t='s'><v>9</v></c></row>", "&x;"]
)
def test_a_sheet_that_is_no_sound_xml_is_told(tmp_path: Path, xml: str) -> None:
    path = written(
        tmp_path, zipped(workbook_parts({SHEET: f'<?xml version="1.0"?><worksheet><sheetData>{xml}'}))
    )
    assert refusal(path)


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml", "xl/styles.xml"]
)
def test_a_dtd_in_any_part_is_refused(tmp_path: Path, part: str) -> None:
    parts = workbook_parts({SHEET: ""})
    parts[part] = LAUGHS + parts[part]
    assert "DTD" in refusal(written(tmp_path, zipped(parts))).zh


@pytest.mark.parametrize("dtd", [LAUGHS, '<!DOCTYPE x SYSTEM "file:///etc/passwd">', "<!DOCTYPE worksheet>"])
def test_a_dtd_in_a_sheet_is_refused(tmp_path: Path, dtd: str) -> None:
    rows = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>').replace("?>", f"?>{dtd}", 1)
    assert "DTD" in refusal(written(tmp_path, zipped(workbook_parts({SHEET: rows})))).en


@pytest.mark.parametrize("encoding", ["GBK", "UTF-16", "UTF-7"])
def test_xml_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    declared = sheet_xml("").replace('"UTF-8"', f'"{encoding}"')
    assert "UTF-8" in refusal(written(tmp_path, zipped(workbook_parts({SHEET: declared})))).zh
    parts: dict[str, str | bytes] = {**workbook_parts({SHEET: ""})}
    parts["xl/worksheets/sheet1.xml"] = sheet_xml("").encode("utf-16")
    assert "UTF-8" in refusal(written(tmp_path, zipped(parts))).zh


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    parts = {**workbook_parts({SHEET: ""}), "xl/media/image1.png": "x"}
    content = saying_of_its_length(zipped(parts), "xl/media/image1.png", workbook_look.MOST_UNPACKED)
    assert "1024 MiB" in refusal(written(tmp_path, content)).en


def test_a_part_that_is_longer_than_the_zip_says_is_refused(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{number}"><c r="A{number}"><v>1</v></c></row>' for number in range(1, 5000))
    content = zipped(workbook_parts({SHEET: rows}))
    for part in ("xl/worksheets/sheet1.xml", "xl/styles.xml"):
        assert "xlsx" in refusal(written(tmp_path, saying_of_its_length(content, part, 200))).zh


def saying_of_its_length(content: bytes, part: str, length: int) -> bytes:
    """A zip whose headers say of one part that it is so long."""
    changed = bytearray(content)
    for mark, length_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        place = changed.find(mark)
        while not changed[place + name_at :].startswith(part.encode()):
            place = changed.find(mark, place + 4)
        changed[place + length_at : place + length_at + 4] = length.to_bytes(4, "little")
    return bytes(changed)


# Cells far out


def test_a_cell_at_the_end_of_the_sheet_is_named_and_nothing_breaks(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = written(tmp_path, zipped(workbook_parts({SHEET: rows})))
    assert path.stat().st_size < 5000
    fault = refusal(path)
    assert "单元格 XFD1048576" in fault.zh
    assert "delete the empty rows and columns" in fault.en


def test_two_cells_that_stretch_the_sheet_both_ways_are_both_named(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" t="inlineStr"><is><t>备注</t></is></c></row>'
        '<row r="900000"><c r="B900000" t="b"><v>1</v></c></row>'
    )
    assert "单元格 XFD1、B900000" in refusal(written(tmp_path, zipped(workbook_parts({SHEET: rows})))).zh


def test_cells_far_out_that_have_only_a_format_do_not_matter(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row>'
        '<row r="1048576" s="1" customFormat="1"><c r="A1048576" s="1"/><c r="XFD1048576" s="1"><v></v></c></row>'
    )
    assert rows_of(tmp_path, rows) == [[1.0]]


def test_a_lonely_cell_in_the_last_row_or_the_last_column_is_read(tmp_path: Path) -> None:
    first = '<row r="1"><c r="A1"><v>1</v></c>'
    assert rows_of(tmp_path, f'{first}<c r="XFD1"><v>2</v></c></row>')[0][-1] == 2.0
    path = written(
        tmp_path,
        zipped(workbook_parts({SHEET: f'{first}</row><row r="1048576"><c r="A1048576"><v>2</v></c></row>'})),
    )
    with open_workbook(path, [SHEET]) as sheets:
        for _, rows in sheets:
            assert sum(1 for _ in rows) == 1_048_576


@pytest.mark.parametrize("reference", ["A99999999999", "ZZZZZZZ1", "AAAAAAAAAAAAAAAA1", "A0", "1A"])
def test_a_cell_with_an_impossible_name_costs_a_message_at_most(tmp_path: Path, reference: str) -> None:
    rows = f'<row r="1"><c r="A1"><v>1</v></c><c r="{reference}"><v>2</v></c></row>'
    path = written(tmp_path, zipped(workbook_parts({SHEET: rows})))
    try:
        read = read_workbook(path, [SHEET])
    except UnusableInput as stopped:
        assert stopped.faults[0].place == "roster.xlsx"  # noqa: PT017
    else:
        assert read[SHEET][0][0] in (1.0, 2.0)


def test_a_reader_that_runs_out_of_memory_costs_a_message(tmp_path: Path) -> None:
    # Rows out of order hide the far one from the look before; then the limit of memory is what holds.
    rows = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'
    fault = refusal(written(tmp_path, zipped(workbook_parts({SHEET: rows}))))
    assert "memory" in fault.en


def test_the_look_before_sees_the_extent_of_a_sheet_in_any_number_of_pieces() -> None:
    rows = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{"长" * 100}</t></is></c></row>'
        for number in range(1, 9001)
    )
    looked = workbook_look.look_at_sheet(
        io.BytesIO(sheet_xml(f'{rows}<row r="9001"><c r="DA9001" t="e"/></row>').encode())
    )
    assert (looked.last_row, looked.last_column, looked.has_errors) == (9001, 105, True)
    exactly = workbook_look.look_at_sheet(io.BytesIO(sheet_xml(rows).encode()), every_column=True)
    assert (exactly.last_row, exactly.last_column, exactly.has_errors) == (9000, 1, False)


# The child


def test_the_child_is_given_no_setting_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANGPIN_SECRET", "x")
    with open_workbook(written(tmp_path, zipped(workbook_parts({SHEET: ""}))), [SHEET]) as sheets:
        environments = [Path(f"/proc/{child}/environ").read_text() for child in _children()]
        assert len(environments) == 1
        assert "FANGPIN_SECRET" not in environments[0]
        assert [name for name, _ in sheets] == [SHEET]


def test_no_child_outlives_its_reading(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(workbook_parts({SHEET: '<row r="1"><c r="A1"><v>1</v></c></row>'})))
    with pytest.raises(ZeroDivisionError), open_workbook(path, [SHEET]):
        1 / 0  # noqa: B018
    read_workbook(path, [SHEET])
    refusal(written(tmp_path, b"x"))
    assert list(_children()) == []


def _children() -> Iterator[int]:
    """The reading children of this process, from the system's own list."""
    for entry in Path("/proc").iterdir():
        try:
            parent = (
                int((entry / "stat").read_text().rpartition(")")[2].split()[1]) if entry.name.isdigit() else 0
            )
            if parent == os.getpid() and b"workbook_child" in (entry / "cmdline").read_bytes():
                yield int(entry.name)
        except OSError:
            continue


@settings(max_examples=25)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>43895</v></c></row>'
    content = bytearray(zipped(workbook_parts({SHEET: rows}, shared=("<t>王五</t>",))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.mktemp("damaged"), bytes(content))
    try:
        read = read_workbook(path, [SHEET])
    except UnusableInput:
        return
    assert set(read) <= {SHEET}


# Writing


def test_what_is_written_is_text_and_never_a_formula_a_link_or_a_number(tmp_path: Path) -> None:
    texts = [
        "=cmd|'/c calc'!A1",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "{=1}",
        "http://127.0.0.1/",
        "370323198203306933",
        "1.5",
    ]
    content = write_workbook({"表": [texts]})
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        sheet = pack.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"hyperlink" not in sheet
    assert read_workbook(written(tmp_path, content), ["表"])["表"] == [texts]


def test_values_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    moment = datetime(2020, 3, 5, 12, 30)
    rows: list[list[Written]] = [["甲", 12, Decimal("12.34"), True, date(2020, 3, 5), moment, None, "末"]]
    read = read_workbook(written(tmp_path, write_workbook({"一": rows, "二": []})), ["一", "二"])
    assert read == {"一": [["甲", 12.0, 12.34, True, date(2020, 3, 5), moment, "", "末"]], "二": []}


def test_the_same_content_gives_the_same_bytes() -> None:
    assert write_workbook({"表": [["甲", 1]]}) == write_workbook({"表": [["甲", 1]]})


def test_a_float_or_a_cell_that_is_too_long_is_not_written() -> None:
    with pytest.raises(TypeError):
        write_workbook({"表": [[0.1]]})  # type: ignore[list-item]
    with pytest.raises(ValueError, match="1, 1"):
        write_workbook({"表": [["长" * 40_000]]})


def test_the_first_sheet_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = written(tmp_path, write_workbook({"随便什么名": [["甲", 1]], "第二张": [["乙"]]}))
    with open_first_sheet(path, "数据") as (name, rows):
        assert (name, list(rows)) == ("随便什么名", [["甲", 1.0]])
    (tmp_path / "none").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(UnusableInput, match="数据"), open_first_sheet(tmp_path / "none", "数据"):
        pass


def test_a_template_keeps_what_is_typed_as_text(tmp_path: Path) -> None:
    content = write_template("名册", "=说明", ["身份证号", "姓名"], [22, 10])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet.title, sheet["A1"].value, [cell.value for cell in sheet[2]]) == (
        "名册",
        "=说明",
        ["身份证号", "姓名"],
    )
    assert sheet["A1"].data_type == "s" and sheet["A2"].number_format == "@"
    assert sheet.freeze_panes == "A3"
    assert write_template("名册", "=说明", ["身份证号", "姓名"], [22, 10]) == content
