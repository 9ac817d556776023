"""Reading the roster: each column of rules.md §2, and what makes a row fall out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UnusableInput
from foundation.spreadsheets import Written
from foundation.tables import RowError
from households.roster import COLUMNS, RosterRow, read_roster
from tests.households.people import Cells, id_number, roster_cells, table, write_sheets

SHEET = "参保名册"
REQUIRED = [
    "户编号", "与户主关系", "姓名", "身份证号", "镇(街道)", "村(居)", "村代码", "人员类别", "起保日期",
]  # fmt: skip
OPTIONAL = ["家庭人均纯收入", "终保日期", "续保", "收款账号", "收款户名", "联行号"]


def read(
    folder: Path, *rows: Cells, header: Sequence[str] | None = None
) -> tuple[list[RosterRow], list[RowError]]:
    return read_roster(write_sheets(folder / "roster.xlsx", {SHEET: table(rows, header)}))


def told(errors: list[RowError]) -> list[tuple[int, str, str]]:
    assert all((error.file, error.sheet) == ("roster.xlsx", SHEET) for error in errors)
    return [(error.row, error.column, error.code) for error in errors]


def test_a_person_is_read_with_every_value(tmp_path: Path) -> None:
    people, errors = read(tmp_path, roster_cells())
    assert errors == []
    assert people == [
        RosterRow(
            household_no="10520700001",
            relation="户主",
            name="王五",
            id_number=id_number(1),
            town="中庄镇",
            village="下程家坡村",
            village_code="370323105207",
            category="相对贫困户",
            income_per_head_fen=538965,
            cover_from=date(2020, 1, 1),
            cover_to=date(2020, 12, 31),
            renewal=True,
            account_no="6223192710959452610",
            account_name="王五",
            bank_code="105453034753",
            row=2,
        )
    ]


def test_the_columns_are_those_of_the_rules_and_so_is_what_must_be_there() -> None:
    assert [column.name for column in COLUMNS if column.required] == REQUIRED
    assert [column.name for column in COLUMNS if not column.required] == OPTIONAL
    assert not any(column.in_header for column in COLUMNS)


@pytest.mark.parametrize("header", [None, [*REQUIRED]])
def test_what_may_be_empty_or_absent_is_none_and_no_renewal(tmp_path: Path, header: list[str] | None) -> None:
    ((person,), errors) = read(tmp_path, roster_cells(**dict.fromkeys(OPTIONAL)), header=header)
    assert errors == []
    assert (person.income_per_head_fen, person.cover_to, person.renewal) == (None, None, False)
    assert (person.account_no, person.account_name, person.bank_code) == (None, None, None)


def test_numbers_and_days_may_be_cells_of_their_own_kind(tmp_path: Path) -> None:
    cells = {"户编号": 10520700001, "村代码": 370323105207, "联行号": 105453034753, "收款账号": 621700263}
    days: Cells = {"起保日期": datetime(2020, 1, 1, 8, 30), "终保日期": 44196}
    ((person,), errors) = read(tmp_path, roster_cells(**cells, **days))
    assert errors == []
    assert (person.household_no, person.village_code, person.bank_code) == (
        "10520700001",
        "370323105207",
        "105453034753",
    )
    assert (person.account_no, person.cover_from, person.cover_to) == (
        "621700263",
        date(2020, 1, 1),
        date(2020, 12, 31),
    )


@pytest.mark.parametrize("column", REQUIRED)
def test_a_required_cell_that_is_empty_is_told(tmp_path: Path, column: str) -> None:
    people, errors = read(tmp_path, roster_cells(**{column: "\u3000"}), roster_cells(2))
    assert [person.row for person in people] == [3]
    assert told(errors) == [(2, column, "required")]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("户编号", 10**15, "digits_lost"),
        ("与户主关系", True, "text"),
        ("姓名", Decimal("2.5"), "text"),
        ("身份证号", 370323198001010019, "id_number"),
        ("镇(街道)", date(2020, 1, 1), "text"),
        ("村代码", "37032310520", "number"),
        ("家庭人均纯收入", "八千", "amount"),
        ("家庭人均纯收入", date(2020, 1, 1), "amount"),
        ("起保日期", "2020-02-30", "date"),
        ("终保日期", 44196000, "date"),
        ("续保", True, "choice"),
        ("收款账号", 6223192710959452610, "digits_lost"),
        ("收款户名", False, "text"),
        ("联行号", -105453034753, "number"),
    ],
)
def test_a_cell_that_is_not_of_its_columns_type_is_told(
    tmp_path: Path, column: str, cell: Written, code: str
) -> None:
    people, errors = read(tmp_path, roster_cells(**{column: cell}))
    assert people == []
    assert told(errors) == [(2, column, code)]


def test_of_an_id_number_that_stands_twice_the_first_row_taken_in_stands(tmp_path: Path) -> None:
    with_x = next(number for number in map(id_number, range(1000)) if number[-1] == "X")
    people, errors = read(
        tmp_path,
        roster_cells(1, 续保="也许"),
        roster_cells(1, 姓名="李四"),
        roster_cells(1, 姓名="赵六", 续保="也许"),
        roster_cells(身份证号=with_x),
        roster_cells(身份证号=with_x.lower()),
    )
    assert [(person.row, person.name) for person in people] == [(3, "李四"), (5, "王五")]
    assert told(errors) == [
        (2, "续保", "choice"),
        (4, "身份证号", "duplicate"),
        (4, "续保", "choice"),
        (6, "身份证号", "duplicate"),
    ]


def test_without_the_file_the_sheet_or_a_column_the_run_stops(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"roster\.xlsx"):
        read_roster(tmp_path / "roster.xlsx")
    with pytest.raises(UnusableInput, match="参保名册"):
        read_roster(write_sheets(tmp_path / "roster.xlsx", {"名册": table([roster_cells()])}))
    with pytest.raises(UnusableInput, match="村代码"):
        read(tmp_path, roster_cells(), header=[name for name in REQUIRED if name != "村代码"])


def test_titles_empty_rows_and_other_sheets_are_passed_over(tmp_path: Path) -> None:
    header, row = table([roster_cells()])
    rows: list[list[Written]] = [
        ["沂源县防贫保险参保名册"],
        [],
        ["填表单位:", None, "某镇"],
        header,
        [],
        row,
        [" "],
        row,
    ]
    path = write_sheets(tmp_path / "roster.xlsx", {"填表说明": [["请按文本填写"]], SHEET: rows})
    people, errors = read_roster(path)
    assert [person.row for person in people] == [6]
    assert told(errors) == [(8, "身份证号", "duplicate")]


@settings(max_examples=10)
@given(st.integers(0, 12), st.randoms(use_true_random=False))
def test_shuffled_rows_and_columns_give_the_same_people(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: Any
) -> None:
    folder = tmp_path_factory.mktemp("shuffled")
    rows = [roster_cells(number, 户编号=f"H{number}", 备注="x") for number in range(count + 1)]
    moved, header = rows.copy(), list(rows[0])
    chance.shuffle(moved)
    chance.shuffle(header)

    def people(rows: Sequence[Cells], header: Sequence[str] | None) -> set[tuple[object, ...]]:
        read_people, errors = read(folder, *rows, header=header)
        assert errors == []
        return {
            tuple(getattr(person, name) for name in RosterRow.__slots__ if name != "row")
            for person in read_people
        }

    assert people(moved, header) == people(rows, None)
    assert len(people(rows, None)) == count + 1


def test_the_demo_has_as_many_people_as_the_published_pilot(demo_pack: Path) -> None:
    people, errors = read_roster(demo_pack / "roster.xlsx")
    assert len(people) == 16_783
    assert len({person.id_number for person in people}) == 16_783
    assert {error.code for error in errors} <= {
        "amount", "choice", "date", "digits_lost", "duplicate", "id_number", "number", "required", "text",
    }  # fmt: skip


def test_a_roster_that_was_cut_off_takes_nobody_in(demo_pack: Path, tmp_path: Path) -> None:
    content = (demo_pack / "roster.xlsx").read_bytes()
    (tmp_path / "roster.xlsx").write_bytes(io.BytesIO(content).read(len(content) // 2))
    with pytest.raises(UnusableInput):
        read_roster(tmp_path / "roster.xlsx")
