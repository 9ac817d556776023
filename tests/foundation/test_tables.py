"""Header, rows, refusals and keys of a table (rules.md §1, §6), on rows that are made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.cells import Cell, ErrorCell, parse_amount, parse_date, parse_name, parse_text, parse_whole
from foundation.errors import UnusableInput
from foundation.tables import (
    Column,
    Refused,
    RowError,
    TableResult,
    read_judged_table,
    read_table,
    table_blocks,
)

COLUMNS = (
    Column("编号", "number", parse_text, required=True, distinct=True),
    Column("姓名", "name", parse_name, required=True),
    Column("日期", "day", parse_date, in_header=True),
    Column("金额", "amount_fen", parse_amount),
)
HEADER: list[Cell] = ["编号", "姓名", "日期", "金额"]


def read(rows: Sequence[Sequence[Cell]], header_rows: int = 10) -> TableResult[tuple[Any, ...]]:
    return read_table(COLUMNS, rows, "a.xlsx", "表", header_rows=header_rows, key="number")


def told(result: TableResult[Any]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in result.errors]


# The header


def test_values_come_in_the_order_of_the_columns_with_the_row_of_the_sheet() -> None:
    result = read([HEADER, ["1", "王 小明", date(2020, 1, 2), "3元"], ["2", "李四", "", None]])
    assert result.rows == [("1", "王小明", date(2020, 1, 2), 300), ("2", "李四", None, None)]
    assert result.numbers == [2, 3]
    assert result.errors == []


def test_titles_above_the_header_are_passed_over_and_counted() -> None:
    result = read([["2020年名册"], [], ["填表单位:", "某镇"], HEADER, ["1", "王五", "", ""]])
    assert result.numbers == [5]


def test_the_header_is_the_first_row_that_holds_every_column_that_must_be_there() -> None:
    titles: list[list[Cell]] = [["编号", "姓名"], ["编号", "日期", "金额"]]
    result = read([*titles, ["日期", "姓名", "编号"], ["", "王五", "1"]])
    assert result.rows == [("1", "王五", None, None)]
    assert result.numbers == [4]


def test_the_header_may_stand_in_the_tenth_row_and_not_in_the_eleventh() -> None:
    row: list[Cell] = ["1", "王五", "", ""]
    assert read([[]] * 9 + [HEADER, row]).numbers == [11]
    with pytest.raises(UnusableInput):
        read([[]] * 10 + [HEADER, row])


def test_the_header_of_a_csv_stands_in_the_first_row() -> None:
    with pytest.raises(UnusableInput):
        read([["名册"], HEADER], header_rows=1)


def test_names_in_the_header_are_cleaned() -> None:
    result = read([[" 编\u200b号 ", "姓名\u3000", "日\ufeff期", "金额"], ["1", "王五", "", ""]])
    assert result.rows == [("1", "王五", None, None)]


def test_columns_may_stand_in_any_order_and_unknown_ones_are_ignored() -> None:
    result = read(
        [["备注", "金额", "日期", "姓名", "编号", 5.0], ["x", "1", "", "王五", "1", ErrorCell("#N/A")]]
    )
    assert result.rows == [("1", "王五", None, 100)]


def test_of_a_column_that_stands_twice_the_first_counts() -> None:
    result = read([["姓名", "编号", "姓名", "日期"], ["王五", "1", "李四", ""], ["", "2", "李四", ""]])
    assert result.rows == [("1", "王五", None, None)]
    assert told(result) == [(3, "姓名", "required")]


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([], "编号、姓名、日期"),
        ([["别的"]], "编号、姓名、日期"),
        ([["编号"], ["日期", "编号", "金额"], ["x"]], "姓名"),
    ],
)
def test_without_a_header_the_run_stops_and_names_file_sheet_and_columns(
    rows: Sequence[Sequence[Cell]], missing: str
) -> None:
    with pytest.raises(UnusableInput) as stopped:
        read(rows)
    (fault,) = stopped.value.faults
    assert fault.place == "a.xlsx › 表"
    assert fault.zh == f"缺少列:{missing}"
    assert fault.en == f"missing columns: {missing.replace('、', ', ')}"


def test_a_header_without_rows_is_a_table_without_rows() -> None:
    assert read([HEADER]) == TableResult([], [], [])


# Rows and refusals


def test_a_row_with_a_refused_cell_is_left_out_and_each_refused_cell_is_told() -> None:
    result = read([HEADER, ["1", 0.5, "昨天", "-1"], ["2", "李四", "", ""]])
    assert [row[0] for row in result.rows] == ["2"]
    assert told(result) == [(2, "姓名", "text"), (2, "日期", "date"), (2, "金额", "amount")]


def test_a_value_that_must_be_there_and_is_not_is_told() -> None:
    result = read([HEADER, ["", "\u3000", "", "1"], [None, "李四", "", ""]])
    assert result.rows == []
    assert told(result) == [(2, "编号", "required"), (2, "姓名", "required"), (3, "编号", "required")]


def test_rows_that_are_all_empty_are_passed_over_and_counted() -> None:
    rows: list[list[Cell]] = [
        HEADER,
        ["", "", "", ""],
        [],
        [None],
        [" ", "\u200b", "\u3000", ""],
        ["1", "王五", "", ""],
    ]
    result = read(rows)
    assert result.numbers == [6]
    assert result.errors == []


@pytest.mark.parametrize("cell", ["x", False, 0.0, ErrorCell("#N/A"), datetime(2020, 1, 1)])
def test_a_row_with_something_in_an_unknown_column_alone_is_not_empty(cell: Cell) -> None:
    result = read([[*HEADER, "备注"], ["", "", "", "", cell]])
    assert told(result) == [(2, "编号", "required"), (2, "姓名", "required")]


def test_a_row_may_be_shorter_or_longer_than_the_header() -> None:
    result = read([HEADER, ["1", "王五"], ["2", "李四", "", "", "多", "出"]])
    assert result.rows == [("1", "王五", None, None), ("2", "李四", None, None)]


def test_refused_cells_are_told_in_the_order_of_the_sheets_columns() -> None:
    result = read([["日期", "金额", "编号", "姓名"], ["x", "x", "", 0.5]])
    assert [error.column for error in result.errors] == ["日期", "金额", "编号", "姓名"]


def test_one_and_true_and_text_one_are_three_different_cells() -> None:
    result = read([HEADER, ["1", 1.0, "", ""], ["2", True, "", ""], ["3", "1", "", ""], ["4", 1, "", ""]])
    assert [row[:2] for row in result.rows] == [("1", "1"), ("3", "1"), ("4", "1")]
    assert told(result) == [(3, "姓名", "text")]


def test_a_day_and_a_moment_of_it_are_both_read_wherever_they_come_first() -> None:
    for cells in ([date(2020, 1, 1), datetime(2020, 1, 1)], [datetime(2020, 1, 1), date(2020, 1, 1)]):
        rows: list[list[Cell]] = [[str(number), "王五", cell, ""] for number, cell in enumerate(cells)]
        result = read([HEADER, *rows])
        assert [row[2] for row in result.rows] == [date(2020, 1, 1)] * 2


# Keys


def test_of_a_key_that_stands_twice_the_first_row_taken_in_stands() -> None:
    rows: list[list[Cell]] = [
        HEADER,
        ["1", "王五", "坏", ""],
        ["1", "李四", "", ""],
        [" １", "赵六", "", ""],
        ["1", "", "坏", ""],
        ["2", "钱七", "", ""],
    ]
    result = read(rows)
    assert [row[:2] for row in result.rows] == [("1", "李四"), ("2", "钱七")]
    assert told(result) == [
        (2, "日期", "date"),
        (4, "编号", "duplicate"),
        (5, "编号", "duplicate"),
        (5, "姓名", "required"),
        (5, "日期", "date"),
    ]


def test_a_refused_or_missing_key_is_no_duplicate() -> None:
    result = read(
        [HEADER, [0.5, "王五", "", ""], [0.5, "王五", "", ""], ["", "王五", "", ""], ["", "王五", "", ""]]
    )
    assert [code for _, _, code in told(result)] == ["text", "text", "required", "required"]


def test_keys_stand_twice_across_tables_that_share_what_is_taken() -> None:
    taken: set[Any] = set()
    results = [
        read_judged_table(
            COLUMNS, [HEADER, ["1", "王五"]], "a", sheet, key="number", taken=taken, judge=lambda row: ()
        )
        for sheet in ("甲", "乙")
    ]
    assert [len(result.rows) for result in results] == [1, 0]
    assert results[1].errors == [RowError("a", "乙", 2, "编号", "duplicate")]


# Judged rows

JUDGED = (*COLUMNS, Column("人口", "members", parse_whole))


def test_a_judge_sees_each_row_by_field_and_may_complete_it() -> None:
    def judge(row: dict[str, Any]) -> Sequence[tuple[str, str]]:
        row["half"] = row["amount_fen"] // 2
        return ()

    rows: list[list[Cell]] = [HEADER, ["1", "王五", "", "3"]]
    result = read_judged_table(COLUMNS, rows, "a", taken=set(), judge=judge)
    assert result.rows == [{"number": "1", "name": "王五", "day": None, "amount_fen": 300, "half": 150}]


def test_what_a_judge_refuses_is_told_beside_the_rest_and_columns_that_are_not_there_come_last() -> None:
    def judge(row: dict[str, Any]) -> Sequence[tuple[str, str]]:
        assert row["day"] == Refused("date")
        return [("members", "required"), ("name", "inconsistent")]

    rows: list[list[Cell]] = [["日期", "编号", "姓名"], ["坏", "1", "王五"]]
    result = read_judged_table(JUDGED, rows, "a", taken=set(), judge=judge)
    assert told(result) == [(2, "日期", "date"), (2, "姓名", "inconsistent"), (2, "人口", "required")]


# Whole tables

GOOD_ROW = st.tuples(
    st.sampled_from(["王五", "李 四", " 阿卜杜.热合曼"]),
    st.sampled_from([date(2020, 1, 2), "2020.1.2", 43895.0, "", None]),
    st.sampled_from(["1元", 2.5, "0.5万", ""]),
)
ANY_ROW = st.lists(
    st.sampled_from([None, "", "x", "1", 1.0, True, 0.5, date(2020, 1, 1), ErrorCell("#N/A")]), max_size=6
)


@given(st.lists(GOOD_ROW, max_size=30), st.permutations(range(5)), st.randoms(use_true_random=False))
def test_shuffled_columns_and_rows_give_the_same_values(
    cells: list[tuple[Cell, ...]], order: list[int], chance: Any
) -> None:
    rows: list[list[Cell]] = [[f"K{number}", *row, "x"] for number, row in enumerate(cells)]
    table: list[list[Cell]] = [[*HEADER, "备注"], *rows]
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    moved = [[row[index] for index in order] for row in [table[0], *shuffled]]
    assert sorted(read(moved).rows) == sorted(read(table).rows)
    assert len(read(table).rows) == len(rows)


@given(st.lists(ANY_ROW, max_size=40))
def test_every_row_is_taken_in_or_told_or_empty(cells: list[list[Cell]]) -> None:
    result = read([HEADER, *cells])
    told_rows = {error.row for error in result.errors}
    assert not told_rows & set(result.numbers)
    for number, row in enumerate(cells, start=2):
        if number not in told_rows and number not in result.numbers:
            assert all(cell in (None, "") for cell in row)
    places = [(error.row, error.position) for error in result.errors]
    assert places == sorted(set(places))


def test_tables_longer_than_a_block_are_read_whole() -> None:
    rows: list[list[Cell]] = [
        [str(number), "王五", "", "x" if number % 999 == 0 else ""] for number in range(1, 3001)
    ]
    result = read([HEADER, *rows])
    assert len(result.rows) == 2997
    assert [error.row for error in result.errors] == [1000, 1999, 2998]
    assert result.numbers[-1] == 3001


# A block at a time


@given(
    st.lists(
        st.lists(st.sampled_from(["1", "x", "", None, "2020-01-02", 7.0, "3元"]), max_size=5), max_size=40
    )
)
def test_a_table_read_in_blocks_is_the_table_read_at_once(few: list[list[Cell]]) -> None:
    rows: list[list[Cell]] = [["标题"], HEADER, *few, *few[:20] * 30]
    blocks = list(table_blocks(COLUMNS, rows, "a.xlsx", "表", header_rows=10))
    whole = read_table(COLUMNS, rows, "a.xlsx", "表", header_rows=10)
    assert [row for block in blocks for row in block.rows] == whole.rows
    assert [number for block in blocks for number in block.numbers] == whole.numbers
    assert [error for block in blocks for error in block.errors] == whole.errors


def test_blocks_are_read_when_they_are_asked_for_and_the_header_with_the_first() -> None:
    taken = 0

    def endless() -> Iterator[Sequence[Cell]]:
        nonlocal taken
        yield HEADER
        while True:
            taken += 1
            yield [str(taken), "王五", "", ""]

    blocks = table_blocks(COLUMNS, endless(), "a.csv")
    assert taken == 0
    assert len(next(blocks).rows) == taken == 250
    with pytest.raises(UnusableInput):
        next(table_blocks(COLUMNS, [["编号"]], "a.csv"))
