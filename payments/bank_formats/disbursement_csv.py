"""The 代发 file that every bank's web page takes: CSV in GB18030 with CRLF, columns of rules.md §7.

Pure. Strict encoding: a character is written or the file does not come out, and never replaced.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice

from foundation.money import yuan_text
from payments.batching import PURPOSE, LineCheck, PaymentLine

COLUMNS = ("序号", "收款账号", "收款户名", "金额", "联行号", "用途", "业务参考号")


def write_disbursement_csv(lines: Iterable[PaymentLine], lines_per_chunk: int = 500) -> Iterator[bytes]:
    """The file in chunks of bytes. The chunks joined do not depend on `lines_per_chunk`.

    Amounts in yuan with two decimals and no grouping; 联行号 is empty where there is none; a cell is quoted
    only where it must be. Raises ValueError as `write_pain001` does; the format has no totals of its own to
    check against.
    """
    yield _rows([COLUMNS])
    check = LineCheck()
    remaining = iter(lines)
    while chunk := list(islice(remaining, lines_per_chunk)):
        check.take(chunk)
        yield _rows(
            (
                line.sequence,
                line.payee_account,
                line.payee_name,
                yuan_text(line.amount_fen),
                line.bank_code,
                PURPOSE,
                line.reference,
            )
            for line in chunk
        )


def _rows(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("gb18030")
