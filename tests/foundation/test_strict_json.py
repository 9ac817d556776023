"""Strict JSON: what the standard library would let through is refused, and nothing but BadJson ever comes out."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import UnsupportedMediaType

from foundation.errors import BadRequest
from foundation.web.strict_json import MOST_LEVELS, BadJson, StrictJson, parse, read_body

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_every_value_that_is_written_reads_the_same(value: object) -> None:
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        value = parse(text)
    except BadJson:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", '{"a": NaN}', "1e999", "-1e400", '{"a": 1, "a": 2}', '[{"b": {"a": 1, "a": 1}}]', '"\\ud800"',
     '"\\udfff\\ud800"', '{"\\ud800": 1}', "\ud800", b"\xff", b'"\xed\xa0\x80"', "\ufeff{}", "", "   ", "{", '"a', "[1,]", "{'a': 1}", "01",
     "1 2", '"\t"', "tru", "\0", "9" * 5000],
)  # fmt: skip
def test_what_is_not_strictly_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadJson):
        parse(text)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert parse('"\\ud842\\udfb7"') == "𠮷"


def test_nesting_is_held_to_a_limit_without_going_into_it() -> None:
    assert parse("[" * MOST_LEVELS + "]" * MOST_LEVELS)
    for text in ("[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1), "[" * 1_000_000, '{"a":' * 500_000):
        with pytest.raises(BadJson):
            parse(text)


def test_brackets_inside_text_are_no_nesting() -> None:
    text = "[" * 1000 + '"' + "\\" + "{" * 1000
    assert parse(json.dumps([text, text])) == [text, text]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 500_000, '["' * 300_000, '"' + "\\" * 999_999, '"a' * 500_000]
)
def test_no_text_makes_the_scan_look_again_from_every_quote(text: str) -> None:
    with pytest.raises(BadJson):
        parse(text)


def test_the_application_reads_and_writes_by_these_rules() -> None:
    app = Flask(__name__)
    app.json = StrictJson(app)
    assert app.json.dumps({"b": "中文", "a": 1}) == '{"b":"中文","a":1}'
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            app.json.dumps(value)
    with pytest.raises(BadJson):
        app.json.loads('{"a": 1, "a": 1}')


def test_a_body_is_json_by_its_type_and_by_its_bytes() -> None:
    app = Flask(__name__)
    with app.test_request_context(
        method="POST", data=b'{"a": 1}', content_type="application/json; charset=UTF-8"
    ):
        assert read_body() == {"a": 1}
    for kind in (
        None,
        "text/plain",
        "text/json",
        "application/problem+json",
        "application/json; charset=gbk",
        "multipart/form-data",
    ):
        with (
            app.test_request_context(method="POST", data=b"{}", content_type=kind),
            pytest.raises(UnsupportedMediaType),
        ):
            read_body()
    with (
        app.test_request_context(method="POST", data=b"{", content_type="application/json"),
        pytest.raises(BadRequest),
    ):
        read_body()
