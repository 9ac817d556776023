"""Writing pain.001.001.09: our writer against `lxml.etree.xmlfile` writing the same document in one run.

`measure()` gives the figures; `python -m bench.xml_writing` prints them. Each side writes to a file in a
process of its own, the two in turn, so that neither warms or fills the other's memory. Before that both write
100 payments, which must be the same XML.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from lxml import etree

from foundation.money import yuan_text
from payments.bank_formats.pain001 import NAMESPACE, Pain001Header, write_pain001
from payments.batching import PURPOSE, PaymentLine, end_to_end_reference, message_id

PAYMENTS = 100_000
ROUNDS = 3
_NAMES = ("王秀英", "李建国", "阿依古丽·买买提", "𠮷田花", "张<&>伟")
_HEADER = Pain001Header(
    message_id("BENCH", 1),
    datetime(2020, 6, 15, 9, 0, tzinfo=timezone(timedelta(hours=8))),
    "沂源县防贫保险专户",
    "37050163860000001",
    "105453300013",
    date(2020, 6, 15),
    0,
    0,
)

Writer = Callable[[Path, Pain001Header, Sequence[PaymentLine]], None]


def measure(payments: int = PAYMENTS, rounds: int = ROUNDS) -> list[dict[str, object]]:
    """Medians of both sides' seconds and memory; `ratio` is the peer's seconds by ours.

    Memory in MB: `peak` of the whole process, `growth` above what the process held before writing began.
    """
    _check_same_xml(100)
    sides: dict[str, list[dict[str, float]]] = {name: [] for name in WRITERS}
    for _ in range(rounds):
        for name, runs in sides.items():
            runs.append(_in_own_process(name, payments))
    middle = {
        name: {key: median(run[key] for run in runs) for key in runs[0]} for name, runs in sides.items()
    }
    ours, peer = middle["fangpin"], middle["lxml_xmlfile"]
    return [
        {
            "case": "pain.001.001.09",
            "payments": payments,
            "seconds": round(ours["seconds"], 3),
            "per_second": round(payments / ours["seconds"]),
            "peer": "lxml.etree.xmlfile",
            "peer_seconds": round(peer["seconds"], 3),
            "ratio": round(peer["seconds"] / ours["seconds"], 2),
            "megabytes": round(ours["bytes"] / 1e6, 1),
            "peak_mb": round(ours["peak_mb"], 1),
            "growth_mb": round(ours["growth_mb"], 1),
            "peer_peak_mb": round(peer["peak_mb"], 1),
            "peer_growth_mb": round(peer["growth_mb"], 1),
        }
    ]


def _batch(payments: int) -> tuple[Pain001Header, list[PaymentLine]]:
    """A batch made up from nothing but its size."""
    lines = [
        PaymentLine(
            number,
            f"payable-{number}",
            end_to_end_reference("BENCH", number),
            100 + number * 37 % 5_000_000,
            f"62284800{number:010d}",
            _NAMES[number % len(_NAMES)],
            "103453300015" if number % 4 else None,
        )
        for number in range(1, payments + 1)
    ]
    total_fen = sum(line.amount_fen for line in lines)
    return replace(_HEADER, count=payments, total_fen=total_fen), lines


def _write_ours(path: Path, header: Pain001Header, lines: Sequence[PaymentLine]) -> None:
    with path.open("wb") as out:
        out.writelines(write_pain001(header, lines))


def _write_with_lxml(path: Path, header: Pain001Header, lines: Sequence[PaymentLine]) -> None:
    """The quickest way found with lxml: streamed, no trees, names left to the default namespace."""
    with etree.xmlfile(str(path), encoding="UTF-8") as out:
        out.write_declaration()
        element, write = out.element, out.write
        with element("Document", nsmap={None: NAMESPACE}):
            write("\n")
            with element("CstmrCdtTrfInitn"):
                write("\n")
                _lxml_group(out, header)
                with element("PmtInf"):
                    _lxml_payment_information(out, header)
                    for line in lines:
                        _lxml_payment(element, write, line)
                write("\n")
            write("\n")


def _lxml_texts(out: etree._IncrementalFileWriter, texts: Sequence[tuple[str, str]]) -> None:
    """Elements of one text each; `Dbtr/Nm` is an element in an element."""
    for path, text in texts:
        with ExitStack() as opened:
            for name in path.split("/"):
                opened.enter_context(out.element(name))
            out.write(text)


def _lxml_group(out: etree._IncrementalFileWriter, header: Pain001Header) -> None:
    with out.element("GrpHdr"):
        _lxml_texts(
            out,
            (
                ("MsgId", header.message_id),
                ("CreDtTm", header.created_at.isoformat(timespec="seconds")),
                ("NbOfTxs", str(header.count)),
                ("CtrlSum", yuan_text(header.total_fen)),
                ("InitgPty/Nm", header.debtor_name),
            ),
        )
    out.write("\n")


def _lxml_payment_information(out: etree._IncrementalFileWriter, header: Pain001Header) -> None:
    _lxml_texts(
        out,
        (
            ("PmtInfId", header.message_id),
            ("PmtMtd", "TRF"),
            ("BtchBookg", "false"),
            ("NbOfTxs", str(header.count)),
            ("CtrlSum", yuan_text(header.total_fen)),
        ),
    )
    with out.element("PmtTpInf"):
        _lxml_texts(out, (("SvcLvl/Cd", "NURG"), ("CtgyPurp/Cd", "GOVT")))
    _lxml_texts(out, (("ReqdExctnDt/Dt", header.execution_date.isoformat()), ("Dbtr/Nm", header.debtor_name)))
    with out.element("DbtrAcct"):
        with out.element("Id"), out.element("Othr"):
            _lxml_texts(out, (("Id", header.debtor_account), ("SchmeNm/Cd", "BBAN")))
        _lxml_texts(out, (("Ccy", "CNY"),))
    with out.element("DbtrAgt"), out.element("FinInstnId"), out.element("ClrSysMmbId"):
        _lxml_texts(out, (("ClrSysId/Cd", "CNAPS"), ("MmbId", header.debtor_bank_code or "")))
    _lxml_texts(out, (("ChrgBr", "DEBT"),))
    out.write("\n")


def _lxml_payment(element: Callable[..., Any], write: Callable[[str], None], line: PaymentLine) -> None:
    with element("CdtTrfTxInf"):
        with element("PmtId"), element("EndToEndId"):
            write(line.reference)
        with element("Amt"), element("InstdAmt", Ccy="CNY"):
            write(yuan_text(line.amount_fen))
        if line.bank_code is not None:
            with element("CdtrAgt"), element("FinInstnId"), element("ClrSysMmbId"):
                with element("ClrSysId"), element("Cd"):
                    write("CNAPS")
                with element("MmbId"):
                    write(line.bank_code)
        with element("Cdtr"), element("Nm"):
            write(line.payee_name)
        with element("CdtrAcct"), element("Id"), element("Othr"), element("Id"):
            write(line.payee_account)
        with element("RmtInf"), element("Ustrd"):
            write(PURPOSE)
    write("\n")


WRITERS: dict[str, Writer] = {"fangpin": _write_ours, "lxml_xmlfile": _write_with_lxml}


def _check_same_xml(payments: int) -> None:
    """Both sides' documents in canonical form are the same bytes; else the comparison would mean nothing."""
    header, lines = _batch(payments)
    forms = []
    with tempfile.TemporaryDirectory() as folder:
        for name, write in WRITERS.items():
            path = Path(folder, name)
            write(path, header, lines)
            forms.append(etree.tostring(etree.parse(path), method="c14n"))
    if forms[0] != forms[1]:
        raise AssertionError("the two writers do not write the same XML")


def _in_own_process(name: str, payments: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.xml_writing", name, str(payments)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parent.parent)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _run_one(name: str, payments: int) -> dict[str, float]:
    """Write once, in this process; the batch is made beforehand and not counted."""
    header, lines = _batch(payments)
    before = _status_mb("VmRSS")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "batch.xml")
        start = perf_counter()
        WRITERS[name](path, header, lines)
        seconds = perf_counter() - start
        size = path.stat().st_size
    peak = _status_mb("VmHWM")
    return {"seconds": seconds, "bytes": size, "peak_mb": peak, "growth_mb": peak - before}


def _status_mb(field: str) -> float:
    """A memory figure of this process in MB, from the kernel (getrusage counts the parent's peak, too)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_run_one(sys.argv[1], int(sys.argv[2]))))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
