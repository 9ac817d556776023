"""Masked data shows what was asked, and a short or odd value shows nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.masking import mask_account, mask_id_number, mask_name, mask_phone

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("mask", "value", "masked"),
    [
        (mask_id_number, "370323197001010013", "370323********0013"),
        (mask_id_number, "34052419800101001X", "340524********001X"),
        (mask_account, "6230520000000001238", "****1238"),
        (mask_account, "12345678", "****5678"),
        (mask_phone, "13805331234", "138****1234"),
        (mask_name, "李小明", "李某某"),
        (mask_name, "李明", "李某某"),
        (mask_name, "阿依古丽·买买提", "阿某某"),
        (mask_name, "\U00020bb7田", "\U00020bb7某某"),
    ],
)
def test_a_value_of_the_usual_form_keeps_its_ends(
    mask: Callable[[str], str], value: str, masked: str
) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize(
    ("mask", "value"),
    [
        (mask_id_number, ""),
        (mask_id_number, "0013"),
        (mask_id_number, "370323700101001"),
        (mask_id_number, "3703231970010100133"),
        (mask_account, ""),
        (mask_account, "1238"),
        (mask_account, "1234567"),
        (mask_account, "账号在李小明名下的卡"),
        (mask_phone, ""),
        (mask_phone, "110"),
        (mask_phone, "0533-1234567"),
        (mask_phone, "+8613805331234"),
        (mask_phone, "1380533123\uff14"),
    ],
)
def test_a_short_or_odd_value_is_hidden_whole(mask: Callable[[str], str], value: str) -> None:
    assert mask(value) == "****"


@pytest.mark.parametrize("name", ["", "李"])
def test_a_name_too_short_to_hide_is_hidden_whole(name: str) -> None:
    assert mask_name(name) == "某某"


ANY = st.text(max_size=24) | st.text(DIGITS, max_size=24)


@given(ANY)
def test_no_value_shows_more_than_was_asked(value: str) -> None:
    shown = {
        mask_id_number: ("********", 6, 4),
        mask_account: ("****", 0, 4),
        mask_phone: ("****", 3, 4),
        mask_name: ("某某", 1, 0),
    }
    for mask, (hidden, front, back) in shown.items():
        masked = mask(value)
        whole = "****" if mask is not mask_name else hidden
        full = value[:front] + hidden + (value[-back:] if back else "")
        assert masked in (whole, full)
        assert masked == whole or len(value) > front + back


@given(st.text(DIGITS, min_size=17, max_size=17))
def test_two_numbers_that_differ_in_the_hidden_part_only_look_the_same(digits: str) -> None:
    other = digits[:6] + digits[6:14][::-1] + digits[14:]
    assert mask_id_number(digits + "X") == mask_id_number(other + "X")


@given(st.text(min_size=2, max_size=20))
def test_a_masked_name_does_not_tell_its_length(name: str) -> None:
    assert len(mask_name(name)) == 3
