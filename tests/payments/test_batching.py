"""What goes into a batch, what stays out and why; and that both files carry every name unaltered."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from io import StringIO
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from payments.bank_formats.disbursement_csv import write_disbursement_csv
from payments.bank_formats.pain001 import NAMESPACE, Pain001Header, write_pain001
from payments.batching import (
    BatchDraft,
    LineCheck,
    Payable,
    PaymentLine,
    end_to_end_reference,
    message_id,
    plan_batch,
)

GOOD_ACCOUNT = "6217000000000000012"
GOOD_BANK_CODE = "313651027012"


def payable(
    number: int = 1,
    name: str = "王秀英",
    account: str = GOOD_ACCOUNT,
    amount_fen: int = 4280_00,
    bank_code: str | None = GOOD_BANK_CODE,
) -> Payable:
    return Payable(f"p{number}", f"C{number:04d}", amount_fen, account, name, bank_code, "鲁村镇", "illness")


def plan(*payables: Payable) -> BatchDraft:
    numbers = count(1)
    return plan_batch(payables, lambda _: end_to_end_reference("YY2020", next(numbers)))


def names_in_xml(draft: BatchDraft) -> list[str]:
    header = Pain001Header(
        message_id("YY2020", 1),
        datetime(2020, 6, 15, tzinfo=UTC),
        "专户",
        "37050163860000001",
        None,
        date(2020, 6, 15),
        draft.count,
        draft.total_fen,
    )
    root = etree.fromstring(b"".join(write_pain001(header, draft.lines)))
    return [found.text for found in root.iterfind(f".//{{{NAMESPACE}}}Cdtr/{{{NAMESPACE}}}Nm")]


def rows_in_csv(draft: BatchDraft) -> list[dict[str, str]]:
    text = b"".join(write_disbursement_csv(draft.lines)).decode("gb18030")
    return list(csv.DictReader(StringIO(text, newline="")))


# --- planning ---


def test_lines_keep_the_order_given_and_are_numbered_without_gaps() -> None:
    draft = plan(payable(3), payable(1, amount_fen=0), payable(2, amount_fen=1))
    assert [(line.sequence, line.payable_id) for line in draft.lines] == [(1, "p3"), (2, "p2")]
    assert [line.reference for line in draft.lines] == ["YY2020-00000001", "YY2020-00000002"]
    assert (draft.count, draft.total_fen) == (2, 4280_01)


def test_a_reference_is_not_spent_on_a_payment_that_stays_out() -> None:
    asked: list[str] = []

    def reference_of(owed: Payable) -> str:
        asked.append(owed.payable_id)
        return end_to_end_reference("YY2020", len(asked))

    plan_batch([payable(1, name=""), payable(2)], reference_of)
    assert asked == ["p2"]


def test_an_empty_batch_has_no_lines() -> None:
    assert plan() == BatchDraft((), (), (), 0, 0)


@given(st.lists(st.integers(-10, 10**11), max_size=30))
def test_every_payable_is_a_line_or_a_refusal_and_the_total_is_that_of_the_lines(amounts: list[int]) -> None:
    draft = plan(*(payable(number, amount_fen=fen) for number, fen in enumerate(amounts)))
    assert draft.count == len(draft.lines) == sum(fen > 0 for fen in amounts)
    assert draft.total_fen == sum(fen for fen in amounts if fen > 0)
    assert {refusal.payable_id for refusal in draft.refusals} == {
        f"p{number}" for number, fen in enumerate(amounts) if fen <= 0
    }


def test_a_payable_offered_twice_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="offered twice"):
        plan(payable(1), payable(1))


@pytest.mark.parametrize("reference", ["", "-A1", "A 1", "编号1", "A" * 36, "A1\n", "A_1"])
def test_a_malformed_reference_is_an_error_of_the_program(reference: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        plan_batch([payable()], lambda _: reference)


def test_a_repeated_reference_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        plan_batch([payable(1), payable(2)], lambda _: "YY2020-00000001")


# --- what stays out ---

KEPT_OUT = [
    ("amount", payable(amount_fen=0)),
    ("amount", payable(amount_fen=-1)),
    ("account_missing", payable(account="")),
    ("account_missing", payable(account=" \u3000")),
    ("account_too_long", payable(account="1" * 35)),
    ("account_leading", payable(account="-6217000000000000012")),
    ("account_leading", payable(account="\t6217000000000000012")),
    ("account_control", payable(account="6217000000000\r\n000012")),
    ("account_encoding", payable(account="6217\udc80")),
    ("name_missing", payable(name="")),
    ("name_missing", payable(name="\n")),
    ("name_too_long", payable(name="王" * 141)),
    ("name_leading", payable(name="=cmd|'/C calc'!A0")),
    ("name_leading", payable(name="+王")),
    ("name_leading", payable(name="-王")),
    ("name_leading", payable(name="@王")),
    ("name_leading", payable(name="\t王")),
    ("name_leading", payable(name="\r王")),
    ("name_control", payable(name="王\x00英")),
    ("name_control", payable(name="王\x0b英")),
    ("name_control", payable(name="王\n2,6217,李,9999.00")),
    ("name_control", payable(name="王\u2028英")),
    ("name_control", payable(name="王\uffff英")),
    ("name_encoding", payable(name="王\ud800英")),
    ("bank_code", payable(bank_code="31365102701")),
    ("bank_code", payable(bank_code="３１３６５１０２７０１２")),
    ("bank_code", payable(bank_code="=13651027012")),
]


@pytest.mark.parametrize(("code", "owed"), KEPT_OUT)
def test_what_a_file_cannot_carry_stays_out_with_the_reason(code: str, owed: Payable) -> None:
    draft = plan(owed)
    assert draft.lines == ()
    (refusal,) = draft.refusals
    assert (refusal.payable_id, refusal.claim_no, refusal.code) == ("p1", "C0001", code)
    assert refusal.zh
    assert refusal.en


@pytest.mark.parametrize(("code", "owed"), KEPT_OUT)
def test_a_line_read_back_is_looked_at_again_before_it_is_written(code: str, owed: Payable) -> None:
    line = PaymentLine(1, "p1", "A1", owed.amount_fen, owed.payee_account, owed.payee_name, owed.bank_code)
    with pytest.raises(ValueError, match="line 1"):
        LineCheck().take([line])


def test_the_reason_names_the_character_and_never_the_payee() -> None:
    (refusal,) = plan(payable(name="王秀英\x00", account="6217000000000000012")).refusals
    assert "U+0000" in refusal.zh
    assert "U+0000" in refusal.en
    assert not re.search("王|秀|英|6217", refusal.zh + refusal.en)


def test_the_longest_account_and_name_go_in() -> None:
    draft = plan(payable(account="9" * 34, name="𠮷" * 140))
    assert names_in_xml(draft) == ["𠮷" * 140]


# --- what is only doubtful ---


@pytest.mark.parametrize(
    ("code", "owed"),
    [
        ("account_check", payable(account="6217000000000000013")),
        ("account_characters", payable(account="6217 0000 0000 0000 012")),
        ("bank_code_check", payable(bank_code="303791000240")),
    ],
)
def test_a_wrong_check_digit_is_a_warning_and_the_payment_goes_in(code: str, owed: Payable) -> None:
    draft = plan(owed)
    assert draft.count == 1
    assert [(warning.payable_id, warning.claim_no, warning.code) for warning in draft.warnings] == [
        ("p1", "C0001", code)
    ]
    assert draft.lines[0].bank_code == owed.bank_code


def test_a_passbook_number_is_not_held_to_the_check_digit_of_cards() -> None:
    assert plan(payable(account="37050163860000001")).warnings == ()


def test_an_empty_bank_code_is_none() -> None:
    draft = plan(payable(bank_code=""))
    assert draft.lines[0].bank_code is None
    assert draft.warnings == ()


# --- both files carry every name ---

_HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=150),
    st.text(st.sampled_from("=+-@\t\r\n ,\"'<>&;]·•𠮷㐂﨑\u200b\u202e\ufeff\x00\x85\ud800王"), max_size=8),
)


@given(st.lists(_HOSTILE, max_size=8))
def test_a_name_comes_out_of_both_files_unaltered_or_stays_out(names: list[str]) -> None:
    draft = plan(payable(0), *(payable(number, name) for number, name in enumerate(names, 1)))
    refused = {int(refusal.payable_id[1:]) for refusal in draft.refusals}
    carried = ["王秀英", *(name for number, name in enumerate(names, 1) if number not in refused)]
    assert names_in_xml(draft) == carried
    assert [row["收款户名"] for row in rows_in_csv(draft)] == carried


@given(st.lists(_HOSTILE, max_size=8))
def test_an_account_comes_out_of_the_csv_unaltered_or_stays_out(accounts: list[str]) -> None:
    draft = plan(payable(0), *(payable(number, account=text) for number, text in enumerate(accounts, 1)))
    refused = {int(refusal.payable_id[1:]) for refusal in draft.refusals}
    carried = [GOOD_ACCOUNT, *(text for number, text in enumerate(accounts, 1) if number not in refused)]
    assert [row["收款账号"] for row in rows_in_csv(draft)] == carried


def test_every_character_of_unicode_comes_out_unaltered_or_stays_out() -> None:
    draft = plan(*(payable(point, f"王{chr(point)}") for point in range(0x3000)))
    above = [chr(point) for point in range(0x3000, 0x110000) if not 0xD800 <= point < 0xE000]
    kept = {int(refusal.payable_id[1:]) for refusal in draft.refusals}
    # Below U+3000 one by one, as there the exceptions are; above in names of 128 characters.
    assert kept == {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029}
    assert names_in_xml(draft) == [f"王{chr(point)}" for point in range(0x3000) if point not in kept]
    above = [character for character in above if character not in "\ufffe\uffff"]
    names = ["".join(above[start : start + 128]) for start in range(0, len(above), 128)]
    draft = plan(*(payable(number, name) for number, name in enumerate(names)))
    assert draft.refusals == ()
    assert names_in_xml(draft) == names
    assert [row["收款户名"] for row in rows_in_csv(draft)] == names


# --- references ---

_PREFIXES = st.from_regex("[0-9A-Za-z]([0-9A-Za-z-]{0,18}[0-9A-Za-z])?", fullmatch=True)


@given(_PREFIXES, st.integers(1, 10**9), st.integers(1, 99))
def test_references_are_of_the_banks_alphabet(prefix: str, number: int, attempt: int) -> None:
    for text in (end_to_end_reference(prefix, number, attempt), message_id(prefix, number)):
        assert re.fullmatch("[0-9A-Za-z][0-9A-Za-z-]{0,34}", text, re.ASCII)


@given(st.sets(st.tuples(st.integers(1, 10**9), st.integers(1, 9)), min_size=2, max_size=20))
def test_no_two_payments_have_one_reference(payments: set[tuple[int, int]]) -> None:
    assert len({end_to_end_reference("YY2020", *payment) for payment in payments}) == len(payments)


def test_a_payment_made_again_leads_back_to_the_first() -> None:
    first = end_to_end_reference("YY2020", 42)
    assert first == "YY2020-00000042"
    assert end_to_end_reference("YY2020", 42, 2) == f"{first}-R2"
    assert message_id("YY2020", 7) == "YY2020-B000007"


@pytest.mark.parametrize(
    ("prefix", "number", "attempt"),
    [
        ("", 1, 1),
        ("-A", 1, 1),
        ("A-", 1, 1),
        ("沂源", 1, 1),
        ("=A", 1, 1),
        ("A" * 27, 1, 1),
        ("A", 0, 1),
        ("A", 1, 0),
    ],
)
def test_what_makes_no_reference_is_refused(prefix: str, number: int, attempt: int) -> None:
    with pytest.raises(ValueError, match=r"reference|count from 1"):
        end_to_end_reference(prefix, number, attempt)


@pytest.mark.parametrize(("prefix", "number"), [("", 1), ("A", 0), ("A" * 28, 1)])
def test_what_makes_no_message_id_is_refused(prefix: str, number: int) -> None:
    with pytest.raises(ValueError, match=r"reference|count from 1"):
        message_id(prefix, number)
