"""Fields of input: each value in one way of writing only, refused with a hint that never repeats the value."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from foundation import money
from foundation.errors import BadRequest, InvalidInput
from foundation.identifiers import id_number_valid
from foundation.web.fields import (
    Choice,
    CleanText,
    Digits,
    Flag,
    IdNumber,
    IsoDate,
    Money,
    PlaceCode,
    RowId,
    Secret,
    Several,
    Strict,
    StrictSchema,
    TextSchema,
    Whole,
    sentences,
)
from foundation.web.requests import arguments, form, json_body

GOOD_ID = "110101199003074557"


def loaded(field: Strict[Any], value: object) -> Any:
    return StrictSchema.from_dict({"it": field})().load({"it": value})["it"]


def from_text(field: Strict[Any], value: object) -> Any:
    return TextSchema.from_dict({"it": field})().load({"it": value})["it"]


def refused(field: Strict[Any], value: object, read: Any = loaded) -> tuple[str, str]:
    """The one sentence that a value is refused with; it must not hold the value."""
    with pytest.raises(ValidationError) as caught:
        read(field, value)
    ((name, (pair,)),) = sentences(caught.value).items()
    assert name == "it" and pair[0] and pair[1]
    assert re.search("[\u4e00-\u9fff]", pair[0]) and not re.search("[\u4e00-\u9fff]", pair[1])
    assert not isinstance(value, str) or len(value) < 6 or value not in pair[0] + pair[1]
    return pair


def with_check(digits: str) -> str:
    """Seventeen digits with their check character."""
    return next(digits + char for char in "0123456789X" if id_number_valid(digits + char))


# Money


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("0.01", 1),
        ("12", 1200),
        ("12.3", 1230),
        ("12.34", 1234),
        (" 12.34\t", 1234),
        ("999999999.99", 99_999_999_999),
    ],
)
def test_an_amount_is_text_in_yuan(text: str, fen: int) -> None:
    found = loaded(Money(), text)
    assert found == fen and type(found) is money.Money
    assert from_text(Money(), text) == fen


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "∞", True, None, ""])
def test_attack_100_what_is_no_number_is_no_amount(value: object) -> None:
    refused(Money(), value)


@pytest.mark.parametrize("value", ["１２３", "١٢٣", "१२३", "①", "²", "〇", "12.３4", "½"])
def test_attack_101_other_digits_are_refused_with_a_hint(value: str) -> None:
    pair = refused(Money(), value)
    assert "半角" in pair[0] and "half-width" in pair[1]


@pytest.mark.parametrize(
    "value", ["1000000000", "1" + "0" * 20, "9" * 100_000, "999999999.991", "1000000000.00"]
)
def test_attack_103_nothing_above_the_limit(value: str) -> None:
    refused(Money(), value)


@pytest.mark.parametrize("value", [100.1, 1e2, 0.1 + 0.2, 100, -1, ["1"], {"yuan": "1"}])
def test_attack_104_a_json_number_is_no_amount(value: object) -> None:
    refused(Money(), value)


@pytest.mark.parametrize(
    "value",
    [
        "1e9",
        "1E+5",
        "1_000",
        "-0",
        "-1",
        "+1",
        "1,000",
        "1 000",
        "01",
        ".5",
        "1.",
        "0x10",
        "1.234",
        "0.005",
        "¥1",
        "1元",
        "1\n2",
        "1\0",
        "\u20091",
        "\xa01",
    ],
)
def test_no_other_way_of_writing_an_amount(value: str) -> None:
    refused(Money(), value)


@given(st.integers(0, 99_999_999_999))
def test_an_amount_written_out_reads_the_same(fen: int) -> None:
    text = StrictSchema.from_dict({"it": Money()})().dump({"it": fen})["it"]
    assert loaded(Money(), text) == fen


@given(st.text(max_size=20))
def test_an_amount_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    try:
        found = loaded(Money(), text)
    except ValidationError:
        return
    assert re.fullmatch(r"[ \t\r\n]*(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?[ \t\r\n]*", text, re.ASCII)
    assert 0 <= found <= 99_999_999_999


# Days


@pytest.mark.parametrize(
    "value",
    ["2023-02-29", "2100-02-29", "2024-02-30", "2024-13-01", "0000-00-00", "2024-00-10", "2024-04-31"],
)
def test_attack_110_a_day_that_does_not_exist_is_refused(value: str) -> None:
    refused(IsoDate(), value)


@pytest.mark.parametrize(
    "value",
    ["20240229", "2024-W01-1", "2024/2/9", "24-2-9", "２０２４-０２-２９", "2024年2月9日", "2024-2-9", "2024-02-29T00:00:00", "2024-060",
     "1899-12-31", "2101-01-01", "+2024-01-01", "2024-01-01Z", "2024–01–01", 20240229, 1.0, None, True, ["2024-02-29"], ""],
)  # fmt: skip
def test_attack_113_no_other_way_of_writing_a_day(value: object) -> None:
    refused(IsoDate(), value)


def test_every_day_of_two_centuries_reads_as_itself() -> None:
    for year in (1900, 1999, 2000, 2024, 2100):
        for month in range(1, 13):
            for day in range(1, calendar.monthrange(year, month)[1] + 1):
                assert loaded(IsoDate(), f"{year}-{month:02d}-{day:02d}") == date(year, month, day)


# ID numbers


def test_attack_121_every_single_slip_in_an_id_number_is_found() -> None:
    assert loaded(IdNumber(), GOOD_ID) == GOOD_ID
    slips = 0
    for place, there in enumerate(GOOD_ID):
        for digit in "0123456789":
            if digit != there:
                refused(IdNumber(), GOOD_ID[:place] + digit + GOOD_ID[place + 1 :])
                slips += 1
    assert slips == 18 * 9


def test_attack_121_two_neighbours_swapped_are_found() -> None:
    for place in range(17):
        swapped = GOOD_ID[:place] + GOOD_ID[place + 1] + GOOD_ID[place] + GOOD_ID[place + 2 :]
        if swapped != GOOD_ID:
            refused(IdNumber(), swapped)


def test_attack_122_a_small_x_at_the_end_is_an_x_and_nothing_else_is_folded() -> None:
    ends_in_x = next(
        number for n in range(1000) if (number := with_check(f"11010119900307{n:03d}")).endswith("X")
    )
    assert loaded(IdNumber(), ends_in_x) == loaded(IdNumber(), ends_in_x[:-1] + "x") == ends_in_x
    assert loaded(IdNumber(), f" {ends_in_x}\n") == ends_in_x
    wide = GOOD_ID.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for odd in (
        ends_in_x[:-1] + "Ｘ", ends_in_x[:-1] + "ｘ", "X" + ends_in_x[1:], ends_in_x[:8] + "X" + ends_in_x[9:], wide,
        GOOD_ID[:6] + " " + GOOD_ID[6:], GOOD_ID[:6] + "-" + GOOD_ID[6:], GOOD_ID[:17], GOOD_ID + "0", f"\xa0{GOOD_ID}", "",
    ):  # fmt: skip
        refused(IdNumber(), odd)
    refused(IdNumber(), int(GOOD_ID))


# Text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  张三 ", "张三"), ("阿卜杜·热合曼", "阿卜杜·热合曼"), ("\u3000张\u3000三\xa0", "张 三"), ("e\u0301", "é"),
        ("𠮷𬱖㛃䶮", "𠮷𬱖㛃䶮"), ("\U0002ebf0", "\U0002ebf0"), ("=cmd|'/c calc'!A1", "=cmd|'/c calc'!A1"), ("NULL", "NULL"),
        ("<script>", "<script>"),
    ],
)  # fmt: skip
def test_text_is_trimmed_and_normalised_and_otherwise_kept(text: str, kept: str) -> None:
    assert loaded(CleanText(), text) == kept


@pytest.mark.parametrize(
    "char",
    ["\0", "\x07", "\x1b", "\x7f", "\x85", "\t", "\r", "\n", "\u200b", "\u200d", "\u200e", "\u202e", "\u2060", "\u2066", "\ufeff",
     "\xad", "\ufe0f", "\U000e0100", "\U000e0041", "\ue000", "\U000f0000", "\ufffd", "\u3164", "\u2028",
     "\ufdd0", "\uffff", "\U0002ffff", "\u034f"],
)  # fmt: skip
def test_text_with_what_cannot_be_seen_is_refused(char: str) -> None:
    refused(CleanText(), f"张{char}三")


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_a_lone_surrogate_is_no_text(code: int) -> None:
    refused(CleanText(), f"张{chr(code)}三")


def test_text_has_a_length_and_takes_line_breaks_only_where_they_are_wanted() -> None:
    assert loaded(CleanText(max=3), "一二三") == "一二三"
    refused(CleanText(max=3), "一二三四")
    refused(CleanText(max=3), "x" * 1_000_000)
    assert loaded(CleanText(lines=True), "一\r\n二\n\n三 ") == "一\n二\n\n三"
    refused(CleanText(lines=True), "一\r二")
    for value in ("", "   ", "\u3000", 1, None, True, ["x"], {"x": 1}):
        refused(CleanText(), value)


@given(st.text(max_size=30))
def test_clean_text_cleaned_again_is_the_same(text: str) -> None:
    try:
        once = loaded(CleanText(), text)
    except ValidationError:
        return
    assert loaded(CleanText(), once) == once
    once.encode()


def test_a_password_is_taken_as_typed_and_never_given_out() -> None:
    assert loaded(Secret(), "  pass 词\u200b ") == "  pass 词\u200b "
    for value in ("", "a\0b", "a\nb", "x" * 257, "\ud800", 12345678):
        refused(Secret(), value)
    assert StrictSchema.from_dict({"it": Secret()})().dump({"it": "secret"}) == {}


# Numbers, flags, words, codes


def test_a_whole_number_is_an_integer_in_json_and_digits_in_text() -> None:
    assert loaded(Whole(1, 100), 100) == 100 and from_text(Whole(1, 100), "100") == 100
    for value in (0, 101, 1.0, 1.5, True, "1", None, [1], 10**30):
        refused(Whole(1, 100), value)
    for text in ("0", "101", "１２", "1.0", "+1", "-1", "1e1", " 1", "", "9" * 5000, "1_0", "٣"):
        refused(Whole(1, 100), text, from_text)


def test_a_flag_is_true_or_false_and_a_ticked_box_in_a_form() -> None:
    assert loaded(Flag(), True) is True and loaded(Flag(), False) is False and from_text(Flag(), "1") is True
    for value in ("true", "false", "yes", "on", "T", 1, 0, 1.0, None, "", [True]):
        refused(Flag(), value)
    for text in ("true", "on", "0", "yes"):
        refused(Flag(), text, from_text)


def test_a_choice_is_one_of_its_words_exactly() -> None:
    assert loaded(Choice(["illness", "accident"]), "illness") == "illness"
    for value in ("Illness", "illness ", "ill", "", 1, None, ["illness"], True, {"$gt": ""}):
        refused(Choice(["illness", "accident"]), value)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (
            PlaceCode(),
            ["370323", "370323101", "370323101203"],
            ["37032", "3703231", "３７０３２３", "37032x", 370323, ""],
        ),
        (RowId(), ["0" * 32, "a-B_9"], ["a/b", "..", "a b", "é", "x" * 65, "", 1, "a\0"]),
        (Digits(6), ["000123"], ["12345", "1234567", "１２３４５６", 123456, "12 456", ""]),
    ],
    ids=["place", "row id", "digits"],
)
def test_codes_are_ascii_and_of_their_length(field: Strict[Any], good: list[str], bad: list[object]) -> None:
    for text in good:
        assert loaded(field, text) == text == loaded(field, f" {text} ")
    for value in bad:
        with pytest.raises(ValidationError):
            loaded(field, value)


def test_a_list_holds_so_many_and_names_the_place_of_a_fault() -> None:
    schema = StrictSchema.from_dict({"days": Several(IsoDate(), max=2, required=True)})()
    assert schema.load({"days": ["2024-01-01"]})["days"] == [date(2024, 1, 1)]
    for value, place in (
        (["2024-01-01", "x"], "days.1"),
        ("2024-01-01", "days"),
        (["2024-01-01"] * 3, "days"),
        (None, "days"),
    ):
        with pytest.raises(ValidationError) as caught:
            schema.load({"days": value})
        assert list(sentences(caught.value)) == [place]


def test_a_schema_takes_an_object_with_the_fields_that_it_lists_and_no_other() -> None:
    schema = StrictSchema.from_dict({"name": CleanText(required=True), "made": CleanText(dump_only=True)})()
    bodies: list[Any] = [[], None, "x", True, 1]
    for body in bodies:
        with pytest.raises(ValidationError):
            schema.load(body)
    with pytest.raises(ValidationError) as caught:
        schema.load({"made": "x", "__proto__": {}, "__class__": 1})
    assert set(sentences(caught.value)) == {"name", "made", "__proto__", "__class__"}


# Requests


class Filters(TextSchema):
    town = CleanText(max=10)
    size = Whole(1, 100, load_default=50)
    line = Several(Choice(["illness", "accident"]))
    open_only = Flag(load_default=False)


def test_a_query_string_is_read_strictly() -> None:
    app = Flask(__name__)
    with app.test_request_context("/?town=&size=20&line=illness&line=accident&open_only=1"):
        assert arguments(Filters) == {"size": 20, "line": ["illness", "accident"], "open_only": True}
    for query in (
        "town=a&town=b",
        "nothing=1",
        "size=１２",
        "size=x",
        "line=other",
        "town=%00",
        "__class__=1",
    ):
        with app.test_request_context(f"/?{query}"), pytest.raises(BadRequest) as caught:
            arguments(Filters)
        assert query.partition("=")[0] in caught.value.zh and query.partition("=")[0] in caught.value.en


def test_a_form_is_read_strictly_and_its_faults_are_for_the_page() -> None:
    app = Flask(__name__)
    with app.test_request_context(method="POST", data={"town": "城关", "csrf_token": "x"}):
        assert form(Filters) == {"town": "城关", "size": 50, "open_only": False}
    with (
        app.test_request_context(method="POST", data={"size": "0", "town": "x" * 11}),
        pytest.raises(InvalidInput) as wrong,
    ):
        form(Filters)
    assert set(wrong.value.fields) == {"size", "town"}
    for data in ({"town": ["a", "b"]}, {"more": "1"}):
        with app.test_request_context(method="POST", data=data), pytest.raises(BadRequest):
            form(Filters)
    with app.test_request_context("/?town=x", method="POST", data={}):
        assert "town" not in form(Filters)


def test_a_json_body_is_read_from_the_body() -> None:
    class Body(StrictSchema):
        size = Whole(1, 100, required=True)

    app = Flask(__name__)
    with app.test_request_context("/?size=1", method="POST", json={"size": 20}):
        assert json_body(Body) == {"size": 20}
    bodies: list[Any] = [{"size": "20"}, [], {"size": 1, "more": 2}, {}]
    for body in bodies:
        with app.test_request_context("/?size=1", method="POST", json=body), pytest.raises(InvalidInput):
            json_body(Body)
