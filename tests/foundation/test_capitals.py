"""Amounts in capitals: the official examples, and no two amounts that read the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foundation.capitals import amount_in_capitals
from foundation.money import MOST_FEN, Money

VECTORS = [
    ("12345.67", "人民币壹万贰仟叁佰肆拾伍元陆角柒分"),
    ("1409.50", "人民币壹仟肆佰零玖元伍角整"),
    ("6007.14", "人民币陆仟零柒元壹角肆分"),
    ("1680.32", "人民币壹仟陆佰捌拾元零叁角贰分"),
    ("107000.53", "人民币壹拾万柒仟元零伍角叁分"),
    ("16409.02", "人民币壹万陆仟肆佰零玖元零贰分"),
    ("325.04", "人民币叁佰贰拾伍元零肆分"),
    ("0.05", "人民币伍分"),
    ("0.50", "人民币伍角整"),
    ("0", "人民币零元整"),
    ("10.00", "人民币壹拾元整"),
    ("100000.00", "人民币壹拾万元整"),
    ("10500", "人民币壹万零伍佰元整"),
    ("1000100", "人民币壹佰万零壹佰元整"),
    ("10000001.00", "人民币壹仟万零壹元整"),
    ("100000000", "人民币壹亿元整"),
    ("7102000.00", "人民币柒佰壹拾万贰仟元整"),
    ("315000000.08", "人民币叁亿壹仟伍佰万元零捌分"),
    ("0.55", "人民币伍角伍分"),
    ("1.00", "人民币壹元整"),
    ("10.05", "人民币壹拾元零伍分"),
    ("10.50", "人民币壹拾元零伍角整"),
    ("100010.00", "人民币壹拾万零壹拾元整"),
    ("10001000.00", "人民币壹仟万壹仟元整"),
    ("100500000.00", "人民币壹亿零伍拾万元整"),
    ("100005000.00", "人民币壹亿零伍仟元整"),
    ("1000000000000.00", "人民币壹万亿元整"),
    ("999999999999.99", "人民币玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ("100010000.00", "人民币壹亿零壹万元整"),
    ("100000000010.00", "人民币壹仟亿零壹拾元整"),
]


@pytest.mark.parametrize(("yuan", "text"), VECTORS)
def test_known_amounts_are_written_as_the_rules_have_them(yuan: str, text: str) -> None:
    assert amount_in_capitals(Money.from_yuan(yuan)) == text


def test_a_negative_amount_has_no_form_in_capitals() -> None:
    with pytest.raises(ValueError, match="negative"):
        amount_in_capitals(-1)


def test_an_amount_that_is_no_money_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        amount_in_capitals(MOST_FEN + 1)


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_what_is_not_whole_fen_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        amount_in_capitals(value)


def amounts() -> st.SearchStrategy[int]:
    """Amounts in fen of every size, with many that have runs of zeros."""
    many_zeros = st.lists(st.sampled_from("00000123456789"), min_size=1, max_size=14)
    sparse = many_zeros.map(lambda digits: int("".join(digits)))
    return sparse | st.integers(0, MOST_FEN)


@given(amounts())
@example(0)
@example(MOST_FEN)
def test_an_amount_in_capitals_reads_back_as_itself(fen: int) -> None:
    assert read(amount_in_capitals(fen)) == fen


@given(amounts())
def test_the_form_of_an_amount_in_capitals_keeps_the_rules(fen: int) -> None:
    text = amount_in_capitals(fen)
    assert text.startswith("人民币")
    assert text.endswith("分" if fen % 10 else "整")
    assert "零零" not in text
    assert not re.search("零[仟佰拾万亿角分]", text), "a zero stands for itself, not before a unit"
    assert not re.search("(?<!币)零元", text), "only nothing at all is 零元"
    assert not re.search("(^|[^壹-玖贰叁肆伍陆柒捌])拾", text), "壹拾 is written in full"


_DIGITS = {char: digit for digit, char in enumerate("零壹贰叁肆伍陆柒捌玖")}
_SIZES = {"拾": 10, "佰": 100, "仟": 1000}


def read(text: str) -> int:
    """An amount in capitals as fen, by the words alone."""
    found = re.fullmatch("人民币(?:(?P<yuan>.+)元)?零?(?:(?P<jiao>.)角)?零?(?:(?P<fen>.)分)?整?", text)
    assert found is not None, text
    jiao, fen = (_DIGITS[found[part]] if found[part] else 0 for part in ("jiao", "fen"))
    return _read_whole(found["yuan"] or "零") * 100 + jiao * 10 + fen


def _read_whole(text: str) -> int:
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        upper, mark, lower = text.rpartition(unit)
        if mark:
            return _read_whole(upper) * size + _read_whole(lower)
    total = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        else:
            total += digit * _SIZES[char]
            digit = 0
    return total + digit
