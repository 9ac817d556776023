"""Our pain.001 before a bank that we did not write: mock-bank reads it, debits it and answers, over HTTP.

The bank answers only when its clock is moved. Its account numbers have at most 17 digits.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from lxml import etree
from mockbank import Config, make_server  # type: ignore[import-untyped, unused-ignore]
from pyiso20022.pain.pain_001_001_09 import Document
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from payments.bank_formats.pain001 import Pain001Header, write_pain001
from payments.batching import BatchDraft, Payable, end_to_end_reference, message_id, plan_batch
from webapp.run import Options, run_pack

PAYER_ACCOUNT = "37050163860000001"
OPENING_FEN = 10_000_000_00
NAMES = ("王秀英", "𠮷田花", "阿依古丽·买买提", "A&B<c>", "㐂﨑龘")

Call = Callable[[str, str, bytes], tuple[int, bytes]]


@pytest.fixture
def bank() -> Iterator[Call]:
    """A bank of its own for each test, on a free port of this machine; a function that asks it something."""
    server = make_server(Config(port=0, quiet=True, clock="2020-06-15T09:00"))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def call(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse()
        status, content = answer.status, answer.read()
        connection.close()
        return status, content

    account = {"currency": "CNY", "account_number": PAYER_ACCOUNT, "balance": OPENING_FEN}
    assert call("PATCH", "/_mock/accounts/ACME", json.dumps(account).encode())[0] == 200
    yield call
    server.shutdown()
    thread.join()
    server.server_close()


def planned(payments: int) -> BatchDraft:
    numbers = count(1)
    payables = [
        Payable(
            f"p{number}",
            f"C{number}",
            1 + number * 7919 % 50_000,
            f"62284800{number:08d}",
            NAMES[number % len(NAMES)],
            "105100000017" if number % 3 else None,
            "鲁村镇",
            "illness",
        )
        for number in range(payments)
    ]
    return plan_batch(payables, lambda _: end_to_end_reference("YY2020", next(numbers)))


def written(draft: BatchDraft, batch_number: int = 1) -> bytes:
    header = Pain001Header(
        message_id("YY2020", batch_number),
        datetime(2020, 6, 15, 9, 0, tzinfo=timezone(timedelta(hours=8))),
        "沂源县防贫保险专户",
        PAYER_ACCOUNT,
        "105100000017",
        date(2020, 6, 15),
        draft.count,
        draft.total_fen,
    )
    return b"".join(write_pain001(header, draft.lines))


def answers(bank: Call, kind: str) -> list[Any]:
    """The bank's messages of a kind about the paying account, as trees without namespaces."""
    trees = []
    for message in json.loads(bank("GET", f"/_mock/messages?type={kind}", b"")[1]):
        if message["account"] != "ACME":
            continue
        root = etree.fromstring(message["body"].encode())
        for element in root.iter():
            element.tag = etree.QName(element).localname
        trees.append(root)
    return trees


def debits(tree: Any) -> list[tuple[str, Decimal, str, str]]:
    """Reference, amount, name and account of every booked debit of a notification or a statement."""
    return [
        (
            entry.findtext(".//Refs/EndToEndId"),
            Decimal(entry.findtext("Amt")),
            entry.findtext(".//RltdPties/Cdtr/Pty/Nm"),
            entry.findtext(".//RltdPties/CdtrAcct/Id/Othr/Id"),
        )
        for entry in tree.iter("Ntry")
        if (entry.findtext("CdtDbtInd"), entry.findtext("Sts/Cd")) == ("DBIT", "BOOK")
    ]


def test_the_bank_finds_nothing_wrong_in_our_file(bank: Call) -> None:
    status, findings = bank("POST", "/_mock/validate", written(planned(25)))
    assert status == 200
    assert findings.decode().strip().endswith("25 payments, 0 findings")


def test_the_bank_accepts_every_payment_and_debits_each_once_to_the_fen(bank: Call) -> None:
    draft = planned(60)
    status, _ = bank("POST", "/payments", written(draft))
    assert status == 202
    (report,) = answers(bank, "pain.002")
    assert report.findtext(".//OrgnlMsgId") == "YY2020-B000001"
    assert report.findtext(".//GrpSts") == "ACCP"
    assert [element.text for element in report.iter("OrgnlEndToEndId")] == [
        line.reference for line in draft.lines
    ]
    assert {element.text for element in report.iter("TxSts")} == {"ACCP"}

    assert bank("POST", "/_mock/advance?days=1", b"")[0] == 200
    expected = [
        (line.reference, Decimal(line.amount_fen) / 100, line.payee_name, line.payee_account)
        for line in draft.lines
    ]
    (notification,) = answers(bank, "camt.054")
    (statement,) = answers(bank, "camt.053")
    assert debits(notification) == expected
    assert debits(statement) == expected
    assert sum(amount for _, amount, _, _ in debits(statement)) * 100 == draft.total_fen
    balances = {
        balance.findtext("Tp/CdOrPrtry/Cd"): Decimal(balance.findtext("Amt")) * 100
        for balance in statement.iter("Bal")
    }
    assert balances == {"OPBD": OPENING_FEN, "CLBD": OPENING_FEN - draft.total_fen}


def test_the_same_file_sent_again_is_refused_as_a_duplicate_and_moves_no_money(bank: Call) -> None:
    draft = planned(5)
    assert bank("POST", "/payments", written(draft))[0] == 202
    assert bank("POST", "/payments", written(draft))[0] == 422
    second = answers(bank, "pain.002")[-1]
    assert second.findtext(".//GrpSts") == "RJCT"
    assert second.findtext(".//StsRsnInf/Rsn/Cd") == "DUPL"

    assert bank("POST", "/_mock/advance?days=3", b"")[0] == 200
    booked = [debit[0] for tree in answers(bank, "camt.053") for debit in debits(tree)]
    assert booked == [line.reference for line in draft.lines]
    account = json.loads(bank("GET", "/_mock/accounts/ACME", b"")[1])
    assert account["balance"] == OPENING_FEN - draft.total_fen


def test_the_bank_too_refuses_a_file_whose_sum_was_changed_on_the_way(bank: Call) -> None:
    draft = planned(5)
    total = f"{Decimal(draft.total_fen) / 100:.2f}".encode()
    changed = written(draft).replace(b"<CtrlSum>" + total, b"<CtrlSum>1" + total)
    assert bank("POST", "/payments", changed)[0] == 422
    (report,) = answers(bank, "pain.002")
    assert report.findtext(".//StsRsnInf/Rsn/Cd") == "AM10"
    assert json.loads(bank("GET", "/_mock/payments", b"")[1]) == []


def test_the_file_of_a_whole_run_is_valid_read_back_accepted_and_paid(
    small_pack: Path, tmp_path: Path, bank: Call
) -> None:
    options = Options(small_pack, tmp_path / "out", as_of=date(2020, 6, 15), letters=0)
    summary = run_pack(options, lambda *_: None).summary
    (path,) = (tmp_path / "out" / "payments").glob("*.xml")
    content = path.read_bytes()
    schemas = Path(str(importlib.resources.files("sepaxml"))) / "schemas"
    etree.XMLSchema(etree.parse(schemas / "pain.001.001.09.xsd")).assertValid(etree.fromstring(content))
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True)
    document = XmlParser(config=strict).from_bytes(content, Document)
    transfers = document.cstmr_cdt_trf_initn.pmt_inf[0].cdt_trf_tx_inf
    total = Decimal(summary["batches"][0]["total_yuan"])
    assert sum(transfer.amt.instd_amt.value for transfer in transfers) == total
    balance = {"currency": "CNY", "account_number": PAYER_ACCOUNT, "balance": int(total * 100)}
    assert bank("PATCH", "/_mock/accounts/ACME", json.dumps(balance).encode())[0] == 200
    assert bank("POST", "/payments", content)[0] == 202
    (report,) = answers(bank, "pain.002")
    assert report.findtext(".//GrpSts") == "ACCP"
    assert bank("POST", "/_mock/advance?days=2", b"")[0] == 200
    paid = [debit for tree in answers(bank, "camt.053") for debit in debits(tree)]
    assert len(paid) == len({reference for reference, *_ in paid}) == summary["batches"][0]["payments"]
    assert sum(amount for _, amount, _, _ in paid) == total
