"""Writing pain.001.001.09: our writer against `lxml.etree.xmlfile` writing the same document, in the same run.

`measure()` gives the figures; `python -m bench.xml_writing` prints them. Each side writes to a file in a process of its
own, the two in turn, so that neither warms or fills the other's memory. Before that both write 100 payments, which must
be the same XML.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from time import perf_counter

from lxml import etree  # type: ignore[import-untyped, unused-ignore]

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
    """Seconds (median), payments a second and peak memory of both sides; `ratio` is the peer's seconds by ours.

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
    """The way of lxml's manual: the frame is streamed, each payment is a small tree that is dropped once written."""
    totals = (("NbOfTxs", str(header.count)), ("CtrlSum", yuan_text(header.total_fen)))
    with etree.xmlfile(str(path), encoding="UTF-8") as out:
        out.write_declaration()
        with out.element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE}):
            out.write("\n")
            with out.element(f"{{{NAMESPACE}}}CstmrCdtTrfInitn"):
                out.write("\n")
                group = _tree("GrpHdr")
                for name, text in (
                    ("MsgId", header.message_id),
                    ("CreDtTm", header.created_at.isoformat(timespec="seconds")),
                    *totals,
                ):
                    _add(group, name).text = text
                _add(group, "InitgPty", "Nm").text = header.debtor_name
                group.tail = "\n"
                out.write(group)
                with out.element(f"{{{NAMESPACE}}}PmtInf"):
                    _write_payment_information(out, header, totals)
                    for line in lines:
                        out.write(_payment_tree(line))
                out.write("\n")
            out.write("\n")


def _write_payment_information(
    out: etree._IncrementalFileWriter, header: Pain001Header, totals: Sequence[tuple[str, str]]
) -> None:
    parts = _tree("PmtInf")
    for name, text in (("PmtInfId", header.message_id), ("PmtMtd", "TRF"), ("BtchBookg", "false"), *totals):
        _add(parts, name).text = text
    kind = _add(parts, "PmtTpInf")
    _add(kind, "SvcLvl", "Cd").text = "NURG"
    _add(kind, "CtgyPurp", "Cd").text = "GOVT"
    _add(parts, "ReqdExctnDt", "Dt").text = header.execution_date.isoformat()
    _add(parts, "Dbtr", "Nm").text = header.debtor_name
    account = _add(parts, "DbtrAcct")
    other = _add(account, "Id", "Othr")
    _add(other, "Id").text = header.debtor_account
    _add(other, "SchmeNm", "Cd").text = "BBAN"
    _add(account, "Ccy").text = "CNY"
    if header.debtor_bank_code is not None:
        _add_bank(_add(parts, "DbtrAgt"), header.debtor_bank_code)
    _add(parts, "ChrgBr").text = "DEBT"
    parts[-1].tail = "\n"
    for part in parts:
        out.write(part)


def _payment_tree(line: PaymentLine) -> etree._Element:
    payment = _tree("CdtTrfTxInf")
    _add(payment, "PmtId", "EndToEndId").text = line.reference
    amount = _add(payment, "Amt", "InstdAmt")
    amount.set("Ccy", "CNY")
    amount.text = yuan_text(line.amount_fen)
    if line.bank_code is not None:
        _add_bank(_add(payment, "CdtrAgt"), line.bank_code)
    _add(payment, "Cdtr", "Nm").text = line.payee_name
    _add(payment, "CdtrAcct", "Id", "Othr", "Id").text = line.payee_account
    _add(payment, "RmtInf", "Ustrd").text = PURPOSE
    payment.tail = "\n"
    return payment


def _tree(name: str) -> etree._Element:
    return etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})


def _add(parent: etree._Element, *names: str) -> etree._Element:
    """Add elements one inside the other; the innermost comes back."""
    for name in names:
        parent = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    return parent


def _add_bank(agent: etree._Element, bank_code: str) -> None:
    member = _add(agent, "FinInstnId", "ClrSysMmbId")
    _add(member, "ClrSysId", "Cd").text = "CNAPS"
    _add(member, "MmbId").text = bank_code


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
    """A memory figure of this process as the kernel tells it, in MB. (getrusage would count the parent's peak too.)"""
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
