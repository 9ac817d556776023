"""Each sentence of rules.md §1 "Reading cells", cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foundation.cells import (
    Cell,
    CellError,
    ErrorCell,
    choice_parser,
    clean,
    is_empty,
    keep,
    parse_academic_year,
    parse_amount,
    parse_capital,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_twelve_digits,
    parse_whole,
    plain_amounts,
    whole_or_more,
    words_parser,
)

parse_renewal = choice_parser({"是": True, "否": False})
parse_channel = words_parser("部门预警", "个人申报")

PARSERS: list[Callable[[Cell], Any]] = [
    parse_amount,
    parse_capital,
    parse_date,
    parse_id_number,
    parse_name,
    parse_text,
    parse_renewal,
    parse_channel,
    parse_whole,
    parse_twelve_digits,
    parse_academic_year,
]
NEITHER_TEXT_NOR_NUMBER: list[Cell] = [
    True,
    False,
    datetime(2020, 3, 5, 12, 30),
    date(2020, 3, 5),
    time(12, 30),
    timedelta(days=3),
    ErrorCell("#N/A"),
]
NO_DAY = [cell for cell in NEITHER_TEXT_NOR_NUMBER if not isinstance(cell, date)]


def code_of(parse: Callable[[Cell], Any], cell: Cell) -> str:
    with pytest.raises(CellError) as refused:
        parse(cell)
    return refused.value.code


# Cleaning


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  a b ", "a b"),
        ("\u3000身份证号\u00a0", "身份证号"),
        ("３７０３２３", "370323"),
        ("姓\ufeff名", "姓名"),
        ("a\u200b\u200c\u200d\u200e\u200f\u2060\ufeffb", "ab"),
        ("\u200b 村 \u2060", "村"),
        ("镇（街道）", "镇(街道)"),
        ("é", "é"),
        ("\u202e右到左", "\u202e右到左"),
        ("\t\r\n", ""),
    ],
)
def test_text_is_normalised_then_freed_of_zero_width_characters_then_trimmed(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(st.text())
def test_cleaned_text_holds_no_zero_width_character_and_no_blank_at_its_ends(text: str) -> None:
    cleaned = clean(text)
    assert not set(cleaned) & set("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize("cell", [None, "", "   ", "\u3000", "\u200b", " \ufeff\u2060 "])
@pytest.mark.parametrize("parse", [*PARSERS, keep])
def test_an_empty_cell_is_a_missing_value_of_every_type(parse: Callable[[Cell], Any], cell: Cell) -> None:
    assert is_empty(cell)
    assert parse(cell) is None


@pytest.mark.parametrize("cell", ["x", 0.0, False, ErrorCell("#N/A"), date(2020, 1, 1), "0"])
def test_a_cell_that_holds_anything_at_all_is_not_empty(cell: Cell) -> None:
    assert not is_empty(cell)
    assert keep(cell) == cell


# Amounts


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        (0.0, 0),
        (-0.0, 0),
        (12, 1200),
        (12.34, 1234),
        (0.29, 29),
        (1.1 + 2.2, 330),
        (7483.210000000001, 748321),
        (64.79000000000002, 6479),
        (99_999_999.99, 99_999_999_99),
        ("0", 0),
        ("0.00", 0),
        ("12.3", 1230),
        ("12.340", 1234),
        ("12.34000000000000000000", 1234),
        ("007", 700),
        ("1,234.56", 123456),
        ("12,345,678", 1_234_567_800),
        ("¥57620.72", 5762072),
        ("￥153,343.26", 15334326),
        ("8874.21元", 887421),
        ("¥1,000元", 100000),
        ("０．５万", 500000),
        ("２万元", 2000000),
        ("0万", 0),
        ("0.077761万", 77761),
        ("9999.999999万", 99_999_999_99),
        (" 1\u200b2 ", 1200),
        ("99999999.99", 99_999_999_99),
        ("000000000000000000099999999.99", 99_999_999_99),
    ],
)
def test_an_amount_is_read_in_fen(cell: Cell, fen: int) -> None:
    assert parse_amount(cell) == fen


@pytest.mark.parametrize(
    "cell",
    [
        *NEITHER_TEXT_NOR_NUMBER,
        -1.0,
        -0.01,
        12.345,
        0.001,
        1e-300,
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        10**400,
        100_000_000.0,
        99_999_999.991,
        "-1",
        "+1",
        "−1",
        "(1)",
        "NaN",
        "inf",
        "1e5",
        "1E5",
        "1_000",
        "一千",
        "已核",
        "1 000",
        "12. 5",
        "¥ 12",
        "12 元",
        "1 万",
        "12.345",
        "0.0000001万",
        "12.",
        ".5",
        "1,23",
        "1234,567",
        "1,234,56",
        ",123",
        "1,,234",
        "1.234,5",
        "1，234。5",
        "$12",
        "12圆",
        "12万万",
        "12元万",
        "元",
        "¥",
        "¥¥1",
        "万",
        "١٢٣",
        "1\n2",
        "100000000",
        "99999999.991",
        "10000万",
        "9" * 5000,
        "0." + "0" * 5000 + "1",
    ],
)
def test_what_is_no_amount_of_whole_fen_up_to_the_limit_is_refused(cell: Cell) -> None:
    assert code_of(parse_amount, cell) == "amount"


@pytest.mark.parametrize(
    ("cell", "fen"), [("999,999,999,999.99", 999_999_999_999_99), ("5000万元", 50_000_000_00)]
)
def test_registered_capital_may_be_higher(cell: Cell, fen: int) -> None:
    assert parse_capital(cell) == fen
    assert code_of(parse_capital, "1000000000000") == "amount"


@given(st.integers(0, 99_999_999_99))
def test_every_amount_is_read_alike_from_a_number_and_from_every_way_to_write_it(fen: int) -> None:
    yuan = Decimal(fen) / 100
    ways: list[Cell] = [
        float(yuan),
        f"{yuan:.2f}",
        f"{yuan:,.2f}",
        f"¥{yuan:,.3f}元",
        f"{yuan / 10000:.6f}万",
        f"￥{yuan / 10000:f}万元",
    ]
    assert {parse_amount(cell) for cell in ways} == {fen}


@given(st.integers(0, 99_999_999_99), st.integers(-4, 4))
def test_a_number_cell_is_judged_after_fifteen_digits(fen: int, steps: int) -> None:
    number = fen / 100
    for _ in range(abs(steps)):
        number = number * (1 + 1e-16 * (1 if steps > 0 else -1))
    assert parse_amount(number) == fen


# Dates


@pytest.mark.parametrize(
    "cell",
    [
        date(2020, 3, 5),
        datetime(2020, 3, 5),
        datetime(2020, 3, 5, 23, 59, 59),
        43895.0,
        43895,
        20200305.0,
        "2020-03-05",
        "2020-3-5",
        "2020/3/5",
        "2020/03/05",
        "2020.3.5",
        "2020年3月5日",
        "2020年03月05日",
        "20200305",
        " ２０２０．３．５ ",
        "2020\u200b-03-05",
    ],
)
def test_a_date_is_read_from_every_form(cell: Cell) -> None:
    assert parse_date(cell) == date(2020, 3, 5)
    assert type(parse_date(cell)) is date


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (20_000.0, date(1954, 10, 3)),
        (80_000.0, date(2119, 1, 11)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2020-2-29", date(2020, 2, 29)),
    ],
)
def test_the_first_and_the_last_day_of_each_range_are_read(cell: Cell, day: date) -> None:
    assert parse_date(cell) == day


@pytest.mark.parametrize(
    "cell",
    [
        *NO_DAY,
        19_999.0,
        80_001.0,
        43895.5,
        20200305.5,
        -43895.0,
        60.0,
        0.0,
        2020305.0,
        202003050.0,
        20200230.0,
        20201301.0,
        float("nan"),
        float("inf"),
        1e300,
        10**400,
        "43895",
        "2020-02-30",
        "2019-02-29",
        "2100-02-29",
        "2020-13-01",
        "2020-00-10",
        "2020-01-00",
        "0000-01-01",
        "00000101",
        "20-3-5",
        "020200305",
        "2020305",
        "2020-3/5",
        "2020.3-5",
        "2020-003-5",
        "2020年3月5",
        "2020年3月5号",
        "2020年3-5",
        "2020 3 5",
        "2020 -3-5",
        "2020-03-05 00:00:00",
        "2020-03-05T00:00:00",
        "2020-W10-4",
        "3/5/2020",
        "2020-3-5日",
        "二〇二〇年三月五日",
        "２０２０-٠٣-05",
        "2020-03-05\n1",
        "去年",
        "9" * 5000,
    ],
)
def test_anything_else_and_a_day_that_does_not_exist_are_no_date(cell: Cell) -> None:
    assert code_of(parse_date, cell) == "date"


@given(st.dates())
def test_every_day_is_read_from_every_way_to_write_it(day: date) -> None:
    year, month, number = f"{day.year:04d}", day.month, day.day
    ways: list[Cell] = [day, f"{year}-{month:02d}-{number:02d}", f"{year}{month:02d}{number:02d}"]
    ways += [f"{year}{sign}{month}{sign}{number}" for sign in "-/."]
    ways += [f"{year}年{month}月{number}日", f"{year}年{month:02d}月{number}日"]
    assert {parse_date(cell) for cell in ways} == {day}


# ID numbers


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("370323198203306933", "370323198203306933"),
        ("37032319900106968X", "37032319900106968X"),
        ("37032319900106968x", "37032319900106968X"),
        ("37032319900106968Ｘ", "37032319900106968X"),
        (" ３７０３２３１９８２０３３０６９３３ ", "370323198203306933"),
        ("3703231982\u20600330\u200b6933", "370323198203306933"),
    ],
)
def test_an_id_number_is_read_with_a_large_x(cell: Cell, number: str) -> None:
    assert parse_id_number(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        *NEITHER_TEXT_NOR_NUMBER,
        370323198203306933,
        3.70323198203307e17,
        "370323198203306934",
        "370323198302306933",
        "37032319820330693",
        "3703231982033069333",
        "370323 198203306933",
        "370323820330693",
        "3703231982x3306933",
        "XX",
        "x",
        "无",
        "٣70323198203306933",
    ],
)
def test_anything_else_is_no_id_number_and_a_number_cell_neither(cell: Cell) -> None:
    assert code_of(parse_id_number, cell) == "id_number"


@given(st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_never_accepted(place: int, digit: str) -> None:
    right = "370323198203306933"
    changed = right[:place] + digit + right[place + 1 :]
    assert changed == right or code_of(parse_id_number, changed) == "id_number"


# Text and names


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 户主 ", "户主"),
        ("脱\u200d贫享受政策户", "脱贫享受政策户"),
        ("a  b", "a  b"),
        ("=1+1", "=1+1"),
        ("#N/A", "#N/A"),
        ("None", "None"),
        (10520700001.0, "10520700001"),
        (7, "7"),
        (-5.0, "-5"),
        (0.0, "0"),
        (-0.0, "0"),
        (999_999_999_999_999.0, "999999999999999"),
        ("1234567890123456789", "1234567890123456789"),
    ],
)
def test_text_is_read_and_of_a_number_cell_its_digits(cell: Cell, text: str) -> None:
    assert parse_text(cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        1e15,
        1_000_000_000_000_000,
        1234567890123456.0,
        6.22848040256489e18,
        1e300,
        10**400,
        float("inf"),
        -1e15,
    ],
)
@pytest.mark.parametrize("parse", [parse_text, parse_name])
def test_a_number_cell_of_sixteen_digits_has_lost_some(parse: Callable[[Cell], Any], cell: Cell) -> None:
    assert code_of(parse, cell) == "digits_lost"


@pytest.mark.parametrize(
    "cell", [*NEITHER_TEXT_NOR_NUMBER, 2.5, -0.5, 1e-9, 999_999_999_999_999.5, float("nan"), "a\0b"]
)
@pytest.mark.parametrize("parse", [parse_text, parse_name])
def test_any_other_cell_is_no_text(parse: Callable[[Cell], Any], cell: Cell) -> None:
    assert code_of(parse, cell) == "text"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("刘\u3000霞\u3000兰", "刘霞兰"),
        (" 王 小 明 ", "王小明"),
        ("王\t小\n明", "王小明"),
        ("阿卜杜·热合曼", "阿卜杜·热合曼"),
        ("阿卜杜•热合曼", "阿卜杜·热合曼"),
        ("阿卜杜‧热合曼", "阿卜杜·热合曼"),
        ("阿卜杜・热合曼", "阿卜杜·热合曼"),
        ("阿卜杜･热合曼", "阿卜杜·热合曼"),
        ("阿卜杜．热合曼", "阿卜杜·热合曼"),
        ("阿卜杜.热合曼", "阿卜杜·热合曼"),
        ("阿卜杜 · 热合曼", "阿卜杜·热合曼"),
        ("𠮷田", "𠮷田"),
        (123.0, "123"),
    ],
)
def test_a_name_has_no_white_space_and_one_kind_of_dot(cell: Cell, name: str) -> None:
    assert parse_name(cell) == name


# Choices, whole numbers, twelve digits, academic years


def test_a_choice_is_one_of_the_words_listed() -> None:
    assert parse_renewal(" 是\u200b") is True
    assert parse_renewal("否") is False
    assert parse_channel("\u3000个人申报") == "个人申报"


@pytest.mark.parametrize("cell", [*NEITHER_TEXT_NOR_NUMBER, "yes", "是否", "是 ,", "部 门预警", 1.0, 0.0])
@pytest.mark.parametrize("parse", [parse_renewal, parse_channel])
def test_anything_else_is_no_choice(parse: Callable[[Cell], Any], cell: Cell) -> None:
    assert code_of(parse, cell) == "choice"


@pytest.mark.parametrize(
    ("cell", "whole"), [(3.0, 3), (0.0, 0), (4, 4), ("12", 12), ("００7", 7), ("0" * 5000 + "5", 5)]
)
def test_a_whole_number_is_read(cell: Cell, whole: int) -> None:
    assert parse_whole(cell) == whole
    assert whole_or_more(cell) == whole


@pytest.mark.parametrize(
    "cell",
    [
        *NEITHER_TEXT_NOR_NUMBER,
        -1.0,
        2.5,
        float("nan"),
        float("inf"),
        "-1",
        "+1",
        "2.0",
        "1 2",
        "1,000",
        "三",
        "²x",
        "٣",
    ],
)
@pytest.mark.parametrize("parse", [parse_whole, whole_or_more])
def test_anything_else_is_no_whole_number(parse: Callable[[Cell], Any], cell: Cell) -> None:
    assert code_of(parse, cell) == "number"


@pytest.mark.parametrize("cell", ["9" * 5000, "1" + "0" * 18, 1e18, 1e300])
def test_a_huge_whole_number_is_refused_or_stands_for_more_than_anything(cell: Cell) -> None:
    assert code_of(parse_whole, cell) == "number"
    assert whole_or_more(cell) == 10**18


@pytest.mark.parametrize("cell", ["370323105207", 370323105207.0, 370323105207, " ３７０３２３１０５２０７"])
def test_twelve_digits_are_read_from_text_and_from_a_number(cell: Cell) -> None:
    assert parse_twelve_digits(cell) == "370323105207"


def test_twelve_digits_as_text_keep_their_leading_zero() -> None:
    assert parse_twelve_digits("012345678901") == "012345678901"


@pytest.mark.parametrize(
    "cell",
    [
        *NEITHER_TEXT_NOR_NUMBER,
        12345678901.0,
        1234567890123.0,
        370323105207.5,
        -102453000012.0,
        1e300,
        float("nan"),
        "37032310520",
        "3703231052070",
        "370323-105207",
        "370323 105207",
        "37032310520X",
        "٣70323105207",
    ],
)
def test_anything_else_is_not_twelve_digits(cell: Cell) -> None:
    assert code_of(parse_twelve_digits, cell) == "number"


@pytest.mark.parametrize("sign", ["-", "—", "–", "/", "~", "至", "－", "／", "～"])
@pytest.mark.parametrize("end", ["", "学年"])
def test_an_academic_year_is_two_years_in_a_row(sign: str, end: str) -> None:
    assert parse_academic_year(f" 2020{sign}2021{end} ") == "2020-2021"


@pytest.mark.parametrize(
    "cell",
    [
        *NEITHER_TEXT_NOR_NUMBER,
        2020.0,
        20202021.0,
        "2020",
        "20202021",
        "2020-2022",
        "2021-2020",
        "2020-2020",
        "2020-21",
        "2020 - 2021",
        "2020--2021",
        "2020——2021",
        "2020到2021",
        "2020-2021 学年",
        "2020-2021学年度",
        "2020学年-2021学年",
        "9999-10000",
        "٢020-2021",
    ],
)
def test_anything_else_is_no_academic_year(cell: Cell) -> None:
    assert code_of(parse_academic_year, cell) == "academic_year"


# All of them

ANY_CELL = st.one_of(
    st.none(),
    st.text(),
    st.text(alphabet="0123456789.,¥￥万元年月日-/xX \u200b０９"),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.builds(ErrorCell, st.text()),
)
CODES = {"amount", "date", "id_number", "text", "digits_lost", "choice", "number", "academic_year"}


@given(st.sampled_from(PARSERS), ANY_CELL)
@example(parse_text, 10**5000)
@example(parse_amount, -(10**5000))
@example(parse_date, "99999999")
@example(parse_academic_year, "\ud800")
def test_a_parser_gives_a_value_or_its_refusal_for_any_cell(parse: Callable[[Cell], Any], cell: Cell) -> None:
    value: object
    try:
        value = parse(cell)
    except CellError as refusal:
        value = refusal.code if refusal.code in CODES else None
    assert (value is None) == is_empty(cell)


@given(st.sampled_from(PARSERS), st.text())
def test_text_and_its_cleaned_form_are_read_alike(parse: Callable[[Cell], Any], text: str) -> None:
    def read(cell: Cell) -> object:
        try:
            return parse(cell)
        except CellError as refusal:
            return refusal.code

    cleaned = clean(text)
    if clean(cleaned) == cleaned:
        assert read(text) == read(cleaned)


PLAIN_OR_NOT = st.one_of(
    st.from_regex(r"[0-9]{1,9}\.[0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{1,4}\.[0-9]{2}\n?[0-9]?", fullmatch=True),
    st.sampled_from(
        ["", "1.2", "-1.00", "1.00元", "１.00", "1.00\n2.00", "0.00", "99999999.99", "100000000.00"]
    ),
    st.integers(0, 99),
    st.none(),
)


@given(st.lists(PLAIN_OR_NOT, min_size=1, max_size=6))
def test_amounts_read_at_once_are_those_read_one_by_one(cells: list[object]) -> None:
    at_once = plain_amounts(cells)  # type: ignore[arg-type]
    if at_once is not None:
        assert at_once == [parse_amount(cell) for cell in cells]  # type: ignore[arg-type]


def test_plain_amounts_are_read_at_once() -> None:
    assert plain_amounts(["1234.56", "0.00", "99999999.99"]) == [123456, 0, 9999999999]
    assert plain_amounts(["1.00\n2.00"]) is None
