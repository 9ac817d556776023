"""Which payments go into a batch, in what order, under which reference; and which stay out, with the reason.

Pure. One batch becomes two files, the pain.001 XML and the 代发 CSV (rules.md §7), so a payment that either
format cannot carry unaltered stays out of both. A name or an account is never changed to make it fit. What is
merely doubtful (a check digit) is a warning for the person who checks the batch: the rules of check digits
are read off data and have exceptions, and a bank refuses a wrong account itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from foundation.identifiers import cnaps_valid, luhn_valid
from foundation.masking import BANK_REMARK

PURPOSE = BANK_REMARK
"""用途 of every payment. Never the line of cover: it would tell whoever reads the passbook of an illness."""

LONGEST_ACCOUNT = 34
LONGEST_NAME = 140
LONGEST_REFERENCE = 35
"""Longest account, name and reference that pain.001.001.09 holds, in characters."""


@dataclass(frozen=True, slots=True)
class Payable:
    """What is owed to one payee, as the decision froze it. Amount in fen; `bank_code` (联行号) or None."""

    payable_id: str
    claim_no: str
    amount_fen: int
    payee_account: str
    payee_name: str
    bank_code: str | None
    town: str
    line: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a payable stays out of the batch: the first reason found, as a stable code and for people.

    The sentences name the cell and the character, never the payee's name or account.
    """

    payable_id: str
    claim_no: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class PaymentWarning:
    """What the checker of the batch should look at; the payment is in the batch. Fields as in `Refusal`."""

    payable_id: str
    claim_no: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One line of a bank file: `sequence` from 1 without gaps, end-to-end reference, amount in fen."""

    sequence: int
    payable_id: str
    reference: str
    amount_fen: int
    payee_account: str
    payee_name: str
    bank_code: str | None


@dataclass(frozen=True, slots=True)
class BatchDraft:
    """The lines of a batch with their control totals, and what was found about the payables offered."""

    lines: tuple[PaymentLine, ...]
    refusals: tuple[Refusal, ...]
    warnings: tuple[PaymentWarning, ...]
    count: int
    total_fen: int


def plan_batch(payables: Iterable[Payable], reference_of: Callable[[Payable], str]) -> BatchDraft:
    """Put what can be paid into lines, in the order given, and give the reason for what cannot.

    `reference_of` is asked once for each payable that goes in, in order, so a counter behind it has no gaps.
    Raises ValueError when the caller is wrong: a payable offered twice, or a reference that is malformed or
    repeated.
    """
    lines: list[PaymentLine] = []
    refusals: list[Refusal] = []
    warnings: list[PaymentWarning] = []
    offered: set[str] = set()
    check = LineCheck()
    for payable in payables:
        if payable.payable_id in offered:
            raise ValueError(f"payable {payable.payable_id} was offered twice")
        offered.add(payable.payable_id)
        bank_code = payable.bank_code or None
        fault = first_fault(payable.amount_fen, payable.payee_account, payable.payee_name, bank_code)
        if fault is not None:
            refusals.append(Refusal(payable.payable_id, payable.claim_no, *fault))
            continue
        line = PaymentLine(
            len(lines) + 1,
            payable.payable_id,
            reference_of(payable),
            payable.amount_fen,
            payable.payee_account,
            payable.payee_name,
            bank_code,
        )
        check.take_numbers(line)
        lines.append(line)
        warnings.extend(
            PaymentWarning(payable.payable_id, payable.claim_no, *doubt)
            for doubt in doubts(payable.payee_account, bank_code)
        )
    return BatchDraft(tuple(lines), tuple(refusals), tuple(warnings), check.count, check.total_fen)


# --- what keeps a payment out -------------------------------------------------------------------------------

Found = tuple[str, str, str]
"""Code, Chinese sentence, English sentence."""

_Cell = tuple[str, str, str, int]
"""Start of its codes, Chinese name, English name, most characters."""

_ACCOUNT: _Cell = ("account", "收款账号", "the account", LONGEST_ACCOUNT)
_NAME: _Cell = ("name", "收款户名", "the account holder's name", LONGEST_NAME)

_LEADING = "=+-@\t\r"
"""A spreadsheet takes a cell that begins so for a formula."""

# C0 and C1 controls, DEL, the two Unicode line breaks, the two non-characters of XML, and surrogates. XML
# cannot hold NUL and most of these, a reader of XML turns CR into LF, and a bank's line reader would see a
# second payment after a line break. Of all Unicode GB18030 lacks the surrogates only; one alone is what is
# left of a character cut in two.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_TWELVE_DIGITS = re.compile("[0-9]{12}")


def first_fault(amount_fen: int, payee_account: str, payee_name: str, bank_code: str | None) -> Found | None:
    """The first reason why the bank files cannot carry this payment unaltered; None when they can."""
    if amount_fen <= 0:
        return "amount", "金额不大于零", "the amount is not above zero"
    fault = _cell_fault(payee_account, _ACCOUNT) or _cell_fault(payee_name, _NAME)
    if fault is not None:
        return fault
    if bank_code is not None and not _TWELVE_DIGITS.fullmatch(bank_code):
        return "bank_code", "联行号不是12位数字", "the bank code is not 12 digits"
    return None


def _cell_fault(text: str, cell: _Cell) -> Found | None:
    """Why a cell of text cannot stand in both files as it is."""
    key, zh, en, longest = cell
    if not text.strip():
        return f"{key}_missing", f"{zh}为空", f"{en} is empty"
    if len(text) > longest:
        return f"{key}_too_long", f"{zh}超过{longest}个字符", f"{en} is longer than {longest} characters"
    if text[0] in _LEADING:
        mark = _code_point(text[0])
        return (
            f"{key}_leading",
            f"{zh}以{mark}开头，会被当作公式",
            f"{en} begins with {mark}, as a formula does",
        )
    unwritable = _UNWRITABLE.search(text)
    if unwritable is None:
        return None
    mark = _code_point(unwritable[0])
    if "\ud800" <= unwritable[0] <= "\udfff":
        return (
            f"{key}_encoding",
            f"{zh}含有无法用GB18030编码的{mark}",
            f"{en} has {mark}, which GB18030 cannot encode",
        )
    return f"{key}_control", f"{zh}含有控制字符{mark}", f"{en} has {mark}, a control character"


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


# --- what is only doubtful ----------------------------------------------------------------------------------

_PLAIN_ACCOUNT = re.compile("[0-9A-Za-z-]+")
_CARD = re.compile("62[0-9]{14,17}")
"""A UnionPay card: 16 to 19 digits from 62. Passbooks and corporate accounts do not follow Luhn."""


def doubts(payee_account: str, bank_code: str | None) -> list[Found]:
    """What looks wrong about an account and a bank code although both files can carry it."""
    found: list[Found] = []
    if not _PLAIN_ACCOUNT.fullmatch(payee_account):
        found.append(
            (
                "account_characters",
                "收款账号含有数字和字母以外的字符",
                "the account is not digits and letters",
            )
        )
    elif _CARD.fullmatch(payee_account) and not luhn_valid(payee_account):
        found.append(("account_check", "收款卡号校验位不符", "the card number fails its check digit"))
    if bank_code is not None and not cnaps_valid(bank_code):
        found.append(("bank_code_check", "联行号校验位不符", "the bank code fails its check digit"))
    return found


# --- references ---------------------------------------------------------------------------------------------

_REFERENCE = re.compile("[0-9A-Za-z][0-9A-Za-z-]{0,34}")
"""No `-` in front: a spreadsheet would take the cell for a formula."""
_PREFIX = re.compile("[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?")


def end_to_end_reference(prefix: str, number: int, attempt: int = 1) -> str:
    """The end-to-end reference of a payment: `YY2020-00000042`; of its second attempt, `YY2020-00000042-R2`.

    `number` comes from a counter that never runs back, so a reference is never given twice; a returned
    payment that is paid again keeps its number, and so leads back to the first. Raises ValueError for what
    does not fit 35 characters of A-Z a-z 0-9 and `-`.
    """
    if number < 1 or attempt < 1:
        raise ValueError("number and attempt count from 1")
    again = f"-R{attempt}" if attempt > 1 else ""
    return _identifier(prefix, f"{number:08d}{again}")


def message_id(prefix: str, batch_number: int) -> str:
    """The message id of a batch: `YY2020-B000007`. A bank knows by it that a file was sent twice."""
    if batch_number < 1:
        raise ValueError("batch numbers count from 1")
    return _identifier(prefix, f"B{batch_number:06d}")


def reference_valid(text: str) -> bool:
    """Whether this can stand in a bank file as a reference or a message id."""
    return _REFERENCE.fullmatch(text) is not None


def _identifier(prefix: str, rest: str) -> str:
    text = f"{prefix}-{rest}"
    if not _PREFIX.fullmatch(prefix) or len(text) > LONGEST_REFERENCE:
        raise ValueError(
            f"not a reference of at most {LONGEST_REFERENCE} characters of A-Z a-z 0-9 -: {text!r}"
        )
    return text


# --- the last look before bytes are written -----------------------------------------------------------------


class LineCheck:
    """Adds up lines while they are written and refuses what the schema would let through.

    The published schema knows no sums, allows 0.00 and repeated references; and lines read back from a store
    may not be those that were planned. Whatever it finds is an error of the program, so it raises ValueError
    and no file comes out.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total_fen = 0
        self._references: set[str] = set()

    def take(self, lines: Sequence[PaymentLine]) -> None:
        """Check the next lines, each alone and against those before."""
        for line in lines:
            fault = first_fault(line.amount_fen, line.payee_account, line.payee_name, line.bank_code)
            if fault is not None:
                raise ValueError(f"line {line.sequence}: {fault[2]}")
            self.take_numbers(line)

    def take_numbers(self, line: PaymentLine) -> None:
        """Check sequence and reference of the next line and add its amount; its cells were checked before."""
        self.count += 1
        if line.sequence != self.count:
            raise ValueError(f"line {self.count} is numbered {line.sequence}")
        if not reference_valid(line.reference):
            raise ValueError(f"line {self.count}: {line.reference!r} is not a reference")
        if line.reference in self._references:
            raise ValueError(f"line {self.count}: reference {line.reference} stands twice")
        self._references.add(line.reference)
        self.total_fen += line.amount_fen
