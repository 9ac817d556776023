"""Numbers with a check: what is right is taken, whatever was mistyped is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from foundation.identifiers import (
    birth_date,
    cnaps_valid,
    id_number_valid,
    luhn_valid,
    sex,
    social_credit_code_valid,
)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_NUMBERS = {
    "34052419800101001X": (date(1980, 1, 1), "male"),
    "110105194912310021": None,
    "11010519491231002X": (date(1949, 12, 31), "female"),
    "370323197001010013": (date(1970, 1, 1), "male"),
    "370323195506150020": (date(1955, 6, 15), "female"),
    "370323200809200033": (date(2008, 9, 20), "male"),
    "370323201205050040": (date(2012, 5, 5), "female"),
    "370323198808080017": (date(1988, 8, 8), "male"),
}
"""The numbers of the GB 11643 literature and invented ones; None marks a wrong check."""
DIGITS = "0123456789"
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def with_check(first_17: str) -> str:
    """The ID number with its check, reckoned in the plainest way."""
    total = sum(int(char) * weight for char, weight in zip(first_17, WEIGHTS, strict=True))
    return first_17 + "10X98765432"[total % 11]


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    area = draw(st.text(DIGITS, min_size=6, max_size=6))
    born = draw(st.dates())
    sequence = draw(st.integers(0, 999))
    return with_check(f"{area}{born.year:04d}{born.month:02d}{born.day:02d}{sequence:03d}")


def texts_near(alphabet: str, size: int) -> st.SearchStrategy[str]:
    """Texts of an alphabet, of the right length and around it."""
    right = st.text(alphabet, min_size=size, max_size=size)
    return right | st.text(alphabet, max_size=size + 3) | st.text(max_size=size)


@pytest.mark.parametrize("number", [number for number, content in ID_NUMBERS.items() if content])
def test_known_id_numbers_are_valid(number: str) -> None:
    content = ID_NUMBERS[number]
    assert content is not None
    assert id_number_valid(number)
    assert (birth_date(number), sex(number)) == content


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",  # a wrong check
        "34052419800101001x",  # capitals are the caller's doing
        "",
        "X",
        "37032319700101001",
        "3703231970010100133",
        " 370323197001010013",
        "370323197001010013\n",
        "37032319700101001\uff13",
        "\u0663\u0667\u0660\u0663\u0662\u0663197001010013",
        "37032X197001010013",
        "370323-97001010013",
        "370323700101001",  # the fifteen digits of before 1999
        "\ud800" * 18,
    ],
)
def test_what_is_not_of_the_form_is_no_id_number(number: str) -> None:
    assert not id_number_valid(number)


@pytest.mark.parametrize(
    "born",
    [
        "19700001",
        "19701301",
        "19700100",
        "19700132",
        "19700431",
        "19700229",
        "19000229",
        "00000101",
        "19701299",
    ],
)
def test_a_birth_date_that_does_not_exist_is_refused_though_the_check_is_right(born: str) -> None:
    assert not id_number_valid(with_check(f"370323{born}001"))


@pytest.mark.parametrize("born", ["20000229", "19720229", "00010101", "99991231", "20991231"])
def test_any_birth_date_that_exists_is_accepted(born: str) -> None:
    number = with_check(f"370323{born}001")
    assert id_number_valid(number)
    assert birth_date(number).isoformat().replace("-", "") == born


@pytest.mark.parametrize("area", ["000000", "999999", "370323"])
def test_any_region_is_accepted(area: str) -> None:
    assert id_number_valid(with_check(f"{area}19700101001"))


@given(id_numbers())
def test_id_numbers_with_a_right_check_are_valid(number: str) -> None:
    assert id_number_valid(number)
    assert number[17] == ric.calc_check_digit(number)
    assert f"{birth_date(number):%m%d}" == number[10:14]
    assert sex(number) == ("male" if number[16] in "13579" else "female")


@given(id_numbers())
def test_every_single_wrong_character_is_noticed(number: str) -> None:
    for place, right in enumerate(number):
        for wrong in DIGITS + "X":
            if wrong != right:
                assert not id_number_valid(number[:place] + wrong + number[place + 1 :])


@given(id_numbers())
def test_every_swap_of_two_neighbours_is_noticed(number: str) -> None:
    for place in range(17):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert swapped == number or not id_number_valid(swapped)


@given(texts_near(DIGITS + "X", 18))
def test_an_id_number_is_valid_only_if_the_plain_reckoning_says_so(text: str) -> None:
    assert id_number_valid(text) is _plainly_valid(text)


def _plainly_valid(text: str) -> bool:
    if len(text) != 18 or any(char not in DIGITS for char in text[:17]) or with_check(text[:17]) != text:
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("reader", [birth_date, sex])
def test_nothing_is_read_from_a_wrong_number_and_the_error_hides_it(reader: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match="ID number") as caught:
        reader("370323197001010014")
    assert "3703" not in str(caught.value)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "11370323MB0000000U", "91110000600037341L"])
def test_known_social_credit_codes_are_valid(code: str) -> None:
    assert social_credit_code_valid(code)


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y4Z",  # often shown as a sample; its check is wrong
        "91350100m000100y43",
        "91350100M000100Y4",
        "91350100M000100Y433",
        "9135010AM000100Y43",
        "91350100I000100Y43",
        "91350100M000100Y4\uff13",
        "\u0669135010\u0660M000100Y43",
        "",
    ],
)
def test_other_texts_are_no_social_credit_code(code: str) -> None:
    assert not social_credit_code_valid(code)


@given(st.text(DIGITS, min_size=8, max_size=8), st.text(CREDIT_ALPHABET, min_size=9, max_size=9))
def test_social_credit_codes_agree_with_another_implementation(digits: str, rest: str) -> None:
    code = digits + rest
    right = code + uscc.calc_check_digit(code)
    for check in CREDIT_ALPHABET:
        assert (
            social_credit_code_valid(code + check) is (code + check == right) is uscc.is_valid(code + check)
        )


@given(
    st.text(DIGITS, min_size=8, max_size=8),
    st.text(CREDIT_ALPHABET, min_size=9, max_size=9),
    st.integers(0, 17),
)
def test_a_wrong_character_in_a_social_credit_code_is_noticed(digits: str, rest: str, place: int) -> None:
    code = digits + rest
    code += uscc.calc_check_digit(code)
    for wrong in CREDIT_ALPHABET:
        assert wrong == code[place] or not social_credit_code_valid(code[:place] + wrong + code[place + 1 :])


def test_a_code_may_begin_with_the_letter_of_an_agricultural_body() -> None:
    code = "N2370323MB0000000"
    assert social_credit_code_valid(code + uscc.calc_check_digit(code))


@pytest.mark.parametrize("place", range(2, 8))
def test_the_region_in_a_social_credit_code_is_digits(place: int) -> None:
    code = "91370323MB0000000"
    code = code[:place] + "A" + code[place + 1 :]
    assert not social_credit_code_valid(code + uscc.calc_check_digit(code))


@pytest.mark.parametrize("code", ["313651027012", "303791000208"])
def test_known_bank_codes_are_valid(code: str) -> None:
    assert cnaps_valid(code)


@pytest.mark.parametrize(
    "code", ["303791000240", "30379100020", "3037910002080", "30379100020X", "", "\uff13" * 12]
)
def test_other_texts_are_no_bank_code(code: str) -> None:
    assert not cnaps_valid(code)


@given(st.text(DIGITS, min_size=11, max_size=11))
def test_every_bank_code_has_exactly_one_check_digit(first_11: str) -> None:
    assert sum(cnaps_valid(first_11 + digit) for digit in DIGITS) == 1


@given(st.text(DIGITS, min_size=11, max_size=11), st.integers(0, 11), st.sampled_from(DIGITS))
def test_a_wrong_digit_in_a_bank_code_is_noticed(first_11: str, place: int, wrong: str) -> None:
    code = next(first_11 + digit for digit in DIGITS if cnaps_valid(first_11 + digit))
    assert wrong == code[place] or not cnaps_valid(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize(
    "number", ["6217000000000000012", "6228480000000000018", "6230520000001238", "6230520000000001238"]
)
def test_luhn_agrees_with_another_implementation_on_cards(number: str) -> None:
    assert luhn_valid(number) is luhn.is_valid(number)


@pytest.mark.parametrize("number", ["6217000000000000012", "6228480000000000018", "6230520000000001238"])
def test_known_card_numbers_are_valid(number: str) -> None:
    assert luhn_valid(number)


@pytest.mark.parametrize(
    "number", ["", "6217000000000000013", "6217 0000 0000 0000 012", "\uff16217", "-0", "0x"]
)
def test_other_texts_have_no_luhn_check(number: str) -> None:
    assert not luhn_valid(number)


@given(st.text(DIGITS, min_size=1, max_size=24))
def test_luhn_agrees_with_another_implementation(number: str) -> None:
    assert luhn_valid(number) is luhn.is_valid(number)


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (id_number_valid, "370323197001010013"),
        (social_credit_code_valid, "11370323MB0000000U"),
        (cnaps_valid, "313651027012"),
        (luhn_valid, "6217000000000000012"),
    ],
)
def test_digits_of_other_scripts_are_no_digits(check: Callable[[str], bool], number: str) -> None:
    assert check(number)
    for zero in (0xFF10, 0x0660, 0x1D7CE):
        assert not check("".join(chr(zero + int(char)) if char in DIGITS else char for char in number))


@pytest.mark.parametrize("check", [id_number_valid, social_credit_code_valid, cnaps_valid, luhn_valid])
@given(text=st.text(max_size=24))
def test_no_text_makes_a_check_raise(check: Callable[[str], bool], text: str) -> None:
    assert check(text) in (True, False)
