"""Who sees what: every cell of the table by hand, and that no mask shows more than it may, whatever stands in its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.masking import (
    BANK_REMARK,
    FAMILY_MEMBER,
    HIDDEN,
    PROGRAMME,
    Audience,
    account_for,
    amount_for,
    diagnosis_for,
    id_number_for,
    is_child,
    is_minor,
    line_for,
    name_for,
    phone_for,
    place_for,
)

NOTICE, OFFICER, AUDITOR, BANK = Audience
DIGITS = "0123456789"
MINE, CARD, PHONE = "370323197001010013", "6230520000000001238", "13812341234"

adult = partial(name_for, minor=False)
minor = partial(name_for, minor=True)
minor_of_wang = partial(name_for, minor=True, guardian="王建国")
permitted = partial(diagnosis_for, permitted=True)
coded = partial(diagnosis_for, permitted=True, code="I63")

TABLE: tuple[tuple[Callable[..., object], object, dict[Audience, object]], ...] = (
    (adult, "李建国", {NOTICE: "李建国", OFFICER: "李建国", AUDITOR: "李建国", BANK: "李建国"}),
    (minor, "李小明", {NOTICE: None, OFFICER: "李小明", AUDITOR: "李某某", BANK: "李小明"}),
    (minor_of_wang, "李小明", {NOTICE: "王建国", OFFICER: "李小明", AUDITOR: "李某某", BANK: "李小明"}),
    (
        id_number_for,
        MINE,
        {NOTICE: None, OFFICER: "370323********0013", AUDITOR: "370323********0013", BANK: None},
    ),
    (account_for, CARD, {NOTICE: None, OFFICER: "****1238", AUDITOR: "****1238", BANK: CARD}),
    (phone_for, PHONE, {NOTICE: None, OFFICER: "138****1234", AUDITOR: "138****1234", BANK: None}),
    (diagnosis_for, "脑梗死", {NOTICE: None, OFFICER: None, AUDITOR: None, BANK: None}),
    (permitted, "脑梗死", {NOTICE: None, OFFICER: "脑梗死", AUDITOR: None, BANK: None}),
    (coded, "脑梗死", {NOTICE: None, OFFICER: "脑梗死", AUDITOR: "I63", BANK: None}),
    (line_for, "因病", {NOTICE: "防贫保险", OFFICER: "因病", AUDITOR: "因病", BANK: None}),
    (amount_for, 244416, {NOTICE: 244416, OFFICER: 244416, AUDITOR: 244416, BANK: 244416}),
    (
        place_for,
        "南李家坡村",
        {NOTICE: "南李家坡村", OFFICER: "南李家坡村", AUDITOR: "南李家坡村", BANK: None},
    ),
    (
        partial(place_for, group="3组"),
        "南李家坡村",
        {NOTICE: "南李家坡村3组", OFFICER: "南李家坡村3组", AUDITOR: "南李家坡村3组", BANK: None},
    ),
)
"""Function, value, and what each audience is given: §3.5, cell by cell. What stands by a notice only (phone of the
office, dates, seal) belongs to the document and is tested with it."""


@pytest.mark.parametrize(("function", "value", "shown"), TABLE)
@pytest.mark.parametrize("audience", Audience)
def test_each_audience_is_given_what_the_table_says(
    function: Callable[..., object], value: object, shown: dict[Audience, object], audience: Audience
) -> None:
    assert function(audience, value) == shown[audience]


def test_the_bank_and_the_village_read_one_word_for_every_line() -> None:
    assert (BANK_REMARK, PROGRAMME, FAMILY_MEMBER) == ("防贫保险赔款", "防贫保险", "家庭成员")


@pytest.mark.parametrize(
    ("function", "value", "masked"),
    [
        (id_number_for, "34052419800101001X", "340524********001X"),
        (account_for, "12345678", "****5678"),
        (minor, "李明", "李某某"),
        (minor, "阿依古丽·买买提", "阿某某"),
        (minor, "\U00020bb7田", "\U00020bb7某某"),
        (minor, "\U00020bb7", "某某"),
        (minor, "李", "某某"),
        (minor, "", "某某"),
    ],
)
def test_an_auditor_sees_the_ends_of_what_has_the_usual_form(
    function: Callable[..., object], value: str, masked: str
) -> None:
    assert function(AUDITOR, value) == masked


@pytest.mark.parametrize("audience", [OFFICER, AUDITOR])
@pytest.mark.parametrize(
    ("function", "value"),
    [
        *((id_number_for, odd) for odd in ("", "0013", "370323700101001", "3703231970010100133")),
        *((id_number_for, odd) for odd in ("３７０３２３１９７００１０１００１３", "37032319700101001x")),
        *((id_number_for, odd) for odd in ("X70323197001010013", "HK-M12345678901234", "\U00020bb7" * 18)),
        *(
            (account_for, odd)
            for odd in ("", "1238", "1234567", "账号在李小明名下的卡", "623052000000000123８")
        ),
        *((phone_for, odd) for odd in ("", "110", "0533-1234567", "+8613805331234", "1380533123\uff14")),
    ],
)
def test_a_short_or_odd_value_is_hidden_whole(
    function: Callable[..., object], value: str, audience: Audience
) -> None:
    assert function(audience, value) == HIDDEN


ANY = st.text(max_size=24) | st.text(DIGITS, max_size=24)
INSIDE = st.sampled_from((OFFICER, AUDITOR))


@given(ANY, INSIDE)
def test_no_mask_shows_more_characters_than_it_may(value: str, audience: Audience) -> None:
    for masked, hidden, front, back in (
        (id_number_for(audience, value), "********", 6, 4),
        (account_for(audience, value), HIDDEN, 0, 4),
        (phone_for(audience, value), HIDDEN, 3, 4),
    ):
        assert masked is not None
        if masked != HIDDEN:
            assert masked == value[:front] + hidden + value[len(value) - back :]
            assert len(value) >= front + back + 4


@given(ANY)
def test_a_masked_name_shows_one_character_and_not_its_length(value: str) -> None:
    masked = name_for(AUDITOR, value, minor=True)
    assert masked == (f"{value[0]}某某" if len(value) > 1 else "某某")


@given(ANY, ANY)
def test_a_notice_says_the_same_whatever_is_hidden(one: str, other: str) -> None:
    never = (id_number_for, account_for, phone_for, permitted, coded, minor, line_for)
    for function in never:
        assert function(NOTICE, one) == function(NOTICE, other)
    assert minor_of_wang(NOTICE, one) == minor_of_wang(NOTICE, other)


@given(ANY)
def test_the_bank_is_told_neither_person_nor_place_nor_line(value: str) -> None:
    for function in (id_number_for, phone_for, permitted, line_for, place_for):
        assert function(BANK, value) is None


@given(st.text(DIGITS, min_size=17, max_size=17))
def test_two_numbers_that_differ_in_the_hidden_part_only_look_the_same(digits: str) -> None:
    other = digits[:6] + digits[6:14][::-1] + digits[14:]
    assert id_number_for(OFFICER, digits + "X") == id_number_for(OFFICER, other + "X")


@pytest.mark.parametrize(
    ("id_number", "day", "minor_then", "child_then"),
    [
        ("370323200809200033", date(2020, 12, 31), True, True),
        ("370323200809200033", date(2022, 9, 19), True, True),
        ("370323200809200033", date(2022, 9, 20), True, False),
        ("370323200809200033", date(2026, 9, 19), True, False),
        ("370323200809200033", date(2026, 9, 20), False, False),
        ("370323201205050040", date(2020, 12, 31), True, True),
        (MINE, date(2020, 12, 31), False, False),
        ("370323700101001", date(2020, 12, 31), True, True),
        ("３７０３２３１９７００１０１００１３", date(2020, 12, 31), True, True),
        ("", date(2020, 12, 31), True, True),
    ],
)
def test_who_is_under_age_on_a_day(id_number: str, day: date, minor_then: bool, child_then: bool) -> None:
    """A number that tells no birthday is taken for a child's: the doubt shows less, not more."""
    assert is_minor(id_number, day) is minor_then
    assert is_child(id_number, day) is child_then


def test_somebody_born_on_a_leap_day_comes_of_age_on_the_28th() -> None:
    born = "370323200802290013"
    assert is_minor(born, date(2026, 2, 27))
    assert not is_minor(born, date(2026, 2, 28))
