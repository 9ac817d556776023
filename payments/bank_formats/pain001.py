"""pain.001.001.09, the customer credit transfer of ISO 20022: one message a batch, UTF-8 (rules.md §7).

Pure. Written from text templates and handed out in chunks, so that memory does not grow with the batch. What
the published schema cannot check (sums, count, amounts above zero, references that stand once) is checked
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from foundation.money import yuan_text
from payments.batching import PURPOSE, LineCheck, PaymentLine, first_fault, reference_valid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

_MOST_TOTAL_FEN = 10**18
"""CtrlSum has at most 18 digits."""


@dataclass(frozen=True, slots=True)
class Pain001Header:
    """What the message says once.

    `created_at` is aware and comes from the batch, not from a clock: writing it again gives the same bytes.
    `count` and `total_fen` are the control totals that were approved, not sums of the lines at hand.
    """

    message_id: str
    created_at: datetime
    debtor_name: str
    debtor_account: str
    debtor_bank_code: str | None
    execution_date: date
    count: int
    total_fen: int


def write_pain001(
    header: Pain001Header, lines: Iterable[PaymentLine], lines_per_chunk: int = 500
) -> Iterator[bytes]:
    """The message in chunks of bytes. The chunks joined do not depend on `lines_per_chunk`.

    Raises ValueError when the lines do not add up to the header's control totals, are not numbered from 1
    without gaps, repeat a reference, or hold what the file cannot carry unaltered. As the totals are known
    only after the last line, chunks may have been handed out by then: keep none of them unless the iterator
    ends.
    """
    _check_header(header)
    yield _head(header).encode()
    check = LineCheck()
    remaining = iter(lines)
    while chunk := list(islice(remaining, lines_per_chunk)):
        check.take(chunk)
        yield b"".join(map(_payment, chunk))
    if (check.count, check.total_fen) != (header.count, header.total_fen):
        raise ValueError(
            f"batch {header.message_id}: the lines are {check.count} of {yuan_text(check.total_fen)} yuan, "
            f"approved were {header.count} of {yuan_text(header.total_fen)}"
        )
    yield b"</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n"


def _check_header(header: Pain001Header) -> None:
    if header.created_at.utcoffset() is None:
        raise ValueError("created_at has no time zone")
    if header.count < 1 or not 0 < header.total_fen < _MOST_TOTAL_FEN:
        raise ValueError("a batch has a payment and a total above zero")
    if not reference_valid(header.message_id):
        raise ValueError(f"{header.message_id!r} is not a message id")
    fault = first_fault(
        header.total_fen, header.debtor_account, header.debtor_name, header.debtor_bank_code or None
    )
    if fault is not None:
        raise ValueError(f"the paying account: {fault[2]}")


def _head(header: Pain001Header) -> str:
    """Everything before the first payment."""
    name = _escaped(header.debtor_name)
    totals = f"<NbOfTxs>{header.count}</NbOfTxs><CtrlSum>{yuan_text(header.total_fen)}</CtrlSum>"
    agent = (
        _clearing_member(header.debtor_bank_code)
        if header.debtor_bank_code
        # The schema demands an agent of the debtor: this is the standard's word for "not told".
        else "<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}">\n<CstmrCdtTrfInitn>\n'
        f"<GrpHdr><MsgId>{header.message_id}</MsgId>"
        f"<CreDtTm>{header.created_at.isoformat(timespec='seconds')}</CreDtTm>"
        f"{totals}<InitgPty><Nm>{name}</Nm></InitgPty></GrpHdr>\n"
        f"<PmtInf><PmtInfId>{header.message_id}</PmtInfId><PmtMtd>TRF</PmtMtd>"
        # One line of the statement a payment: that is what is reconciled.
        f"<BtchBookg>false</BtchBookg>{totals}"
        "<PmtTpInf><SvcLvl><Cd>NURG</Cd></SvcLvl><CtgyPurp><Cd>GOVT</Cd></CtgyPurp></PmtTpInf>"
        f"<ReqdExctnDt><Dt>{header.execution_date.isoformat()}</Dt></ReqdExctnDt>"
        f"<Dbtr><Nm>{name}</Nm></Dbtr>"
        f"<DbtrAcct><Id><Othr><Id>{_escaped(header.debtor_account)}</Id>"
        "<SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id><Ccy>CNY</Ccy></DbtrAcct>"
        f"<DbtrAgt>{agent}</DbtrAgt>"
        # The county pays the charges: the payee gets the whole amount.
        "<ChrgBr>DEBT</ChrgBr>\n"
    )


# One payment, on one line. No scheme is named with the account: it may be a card or a passbook. The template
# and the cells are bytes: text would be widened and encoded again for each chunk, at twice the time.
_PAYMENT = (
    "<CdtTrfTxInf><PmtId><EndToEndId>%b</EndToEndId></PmtId>"
    '<Amt><InstdAmt Ccy="CNY">%b</InstdAmt></Amt>%b'
    "<Cdtr><Nm>%b</Nm></Cdtr><CdtrAcct><Id><Othr><Id>%b</Id></Othr></Id></CdtrAcct>"
    f"<RmtInf><Ustrd>{PURPOSE}</Ustrd></RmtInf></CdtTrfTxInf>\n"
).encode()


def _payment(line: PaymentLine) -> bytes:
    return _PAYMENT % (
        line.reference.encode(),
        yuan_text(line.amount_fen).encode(),
        f"<CdtrAgt>{_clearing_member(line.bank_code)}</CdtrAgt>".encode() if line.bank_code else b"",
        _escaped(line.payee_name).encode(),
        _escaped(line.payee_account).encode(),
    )


def _clearing_member(bank_code: str) -> str:
    return (
        "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId>"
        f"<MmbId>{bank_code}</MmbId></ClrSysMmbId></FinInstnId>"
    )


def _escaped(text: str) -> str:
    """Text as it stands between tags. Control characters never come here: `first_fault` has refused them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
