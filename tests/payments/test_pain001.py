"""The pain.001 file: the published schema, an outside reader, and the mistakes a schema cannot see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pyiso20022.pain.pain_001_001_09 import Document
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from payments.bank_formats.pain001 import Pain001Header, write_pain001
from payments.batching import PaymentLine

EXPECTED = Path(__file__).parent / "expected"
SCHEMA_SHA256 = "de038b373e47b0077b1832ddd81f4b2f1eb25d35721f62da1e38b7f5a09fda24"

LINES = [
    PaymentLine(1, "p1", "YY2020-00000001", 4280_00, "6217000000000000012", "𠮷秀英", "313651027012"),
    PaymentLine(2, "p2", "YY2020-00000002", 280_33, "6228480000000000018", "阿依古丽·买买提", None),
    PaymentLine(3, "p3", "YY2020-00000003-R2", 1, "0000370501638", '张三,"代"<&>', "102100099996"),
]
HEADER = Pain001Header(
    message_id="YY2020-B000001",
    created_at=datetime(2020, 6, 15, 9, 30, tzinfo=timezone(timedelta(hours=8))),
    debtor_name="沂源县防贫保险专户",
    debtor_account="37050163860000001",
    debtor_bank_code="105100000017",
    execution_date=date(2020, 6, 16),
    count=3,
    total_fen=4560_34,
)


def joined(
    header: Pain001Header = HEADER, lines: list[PaymentLine] = LINES, lines_per_chunk: int = 500
) -> bytes:
    return b"".join(write_pain001(header, lines, lines_per_chunk))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """The published schema, from a package that we did not write."""
    published = files("sepaxml").joinpath("schemas/pain.001.001.09.xsd").read_bytes()
    assert hashlib.sha256(published).hexdigest() == SCHEMA_SHA256
    return etree.XMLSchema(etree.fromstring(published))


def batches() -> st.SearchStrategy[tuple[Pain001Header, list[PaymentLine]]]:
    """Batches of what `plan_batch` lets through, and some of what it would warn of."""
    names = st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=140
    ).filter(
        lambda name: name.strip() and name[0] not in "=+-@" and "\ufffe" not in name and "\uffff" not in name
    )
    accounts = st.from_regex("[0-9A-Za-z][0-9A-Za-z -]{0,33}", fullmatch=True)
    cells = st.tuples(
        st.integers(1, 10**14), accounts, names, st.none() | st.from_regex("[0-9]{12}", fullmatch=True)
    )

    def batch(rows: list[tuple[int, str, str, str | None]]) -> tuple[Pain001Header, list[PaymentLine]]:
        lines = [PaymentLine(n, f"p{n}", f"A-{n}", *row) for n, row in enumerate(rows, 1)]
        return replace(HEADER, count=len(rows), total_fen=sum(row[0] for row in rows)), lines

    return st.lists(cells, min_size=1, max_size=6).map(batch)


def test_three_payments_give_the_expected_bytes() -> None:
    assert joined() == (EXPECTED / "three_payments.xml").read_bytes()


def test_the_same_batch_gives_the_same_bytes_again() -> None:
    assert joined() == joined()


@pytest.mark.parametrize("lines_per_chunk", [1, 2, 3, 4, 10_000])
def test_the_bytes_do_not_depend_on_the_size_of_a_chunk(lines_per_chunk: int) -> None:
    assert joined(lines_per_chunk=lines_per_chunk) == joined()


def test_a_long_batch_comes_in_many_chunks() -> None:
    lines = [replace(LINES[0], sequence=n, reference=f"A-{n}", amount_fen=n) for n in range(1, 101)]
    header = replace(HEADER, count=100, total_fen=5050)
    chunks = list(write_pain001(header, iter(lines), 10))
    assert len(chunks) == 1 + 10 + 1
    assert max(map(len, chunks)) < 10 * 600


@given(batches())
def test_every_batch_is_valid_against_the_published_schema(
    schema: etree.XMLSchema, batch: tuple[Pain001Header, list[PaymentLine]]
) -> None:
    schema.assertValid(etree.fromstring(joined(*batch)))


@given(batches())
def test_an_outside_reader_gets_every_amount_name_account_and_reference(
    batch: tuple[Pain001Header, list[PaymentLine]],
) -> None:
    header, lines = batch
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True)
    message = XmlParser(config=strict).from_bytes(joined(header, lines), Document).cstmr_cdt_trf_initn
    assert message is not None
    assert message.grp_hdr is not None
    (information,) = message.pmt_inf
    for totals in (message.grp_hdr, information):
        assert totals.nb_of_txs == str(len(lines))
        assert totals.ctrl_sum == Decimal(header.total_fen) / 100
    assert message.grp_hdr.msg_id == header.message_id
    assert message.grp_hdr.cre_dt_tm is not None
    assert message.grp_hdr.cre_dt_tm.to_datetime() == header.created_at
    read = []
    for payment in information.cdt_trf_tx_inf:
        amount = payment.amt.instd_amt
        agent = payment.cdtr_agt
        assert amount.ccy == "CNY"
        read.append(
            (
                payment.pmt_id.end_to_end_id,
                amount.value * 100,
                payment.cdtr.nm,
                payment.cdtr_acct.id.othr.id,
                agent.fin_instn_id.clr_sys_mmb_id.mmb_id if agent else None,
                agent.fin_instn_id.clr_sys_mmb_id.clr_sys_id.cd if agent else None,
                payment.rmt_inf.ustrd,
            )
        )
    assert read == [
        (
            line.reference,
            Decimal(line.amount_fen),
            line.payee_name,
            line.payee_account,
            line.bank_code,
            "CNAPS" if line.bank_code else None,
            ["防贫保险赔款"],
        )
        for line in lines
    ]


def test_a_debtor_without_a_bank_code_is_valid_too(schema: etree.XMLSchema) -> None:
    written = joined(replace(HEADER, debtor_bank_code=None))
    schema.assertValid(etree.fromstring(written))
    assert b"<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>" in written


def test_no_line_of_cover_and_no_place_is_told_to_the_bank() -> None:
    written = joined().decode()
    assert written.count("防贫保险赔款") == 3
    assert "因病" not in written
    assert "illness" not in written


# --- what the schema lets through and we do not ---

MISTAKES: list[tuple[str, Callable[[bytes], bytes], Callable[[], bytes]]] = [
    (
        "a wrong sum",
        lambda written: written.replace(b"<CtrlSum>4560.34<", b"<CtrlSum>4560.35<"),
        lambda: joined(replace(HEADER, total_fen=4560_35)),
    ),
    (
        "a wrong count",
        lambda written: written.replace(b"<NbOfTxs>3<", b"<NbOfTxs>4<"),
        lambda: joined(replace(HEADER, count=4)),
    ),
    (
        "an amount of nothing",
        lambda written: written.replace(b">0.01<", b">0.00<"),
        lambda: joined(replace(HEADER, total_fen=4560_33), [*LINES[:2], replace(LINES[2], amount_fen=0)]),
    ),
    (
        "a reference that stands twice",
        lambda written: written.replace(b">YY2020-00000002<", b">YY2020-00000001<"),
        lambda: joined(lines=[LINES[0], replace(LINES[1], reference=LINES[0].reference), LINES[2]]),
    ),
    (
        "a name that a spreadsheet would run",
        lambda written: written.replace("𠮷秀英".encode(), "=秀英".encode()),
        lambda: joined(lines=[replace(LINES[0], payee_name="=秀英"), *LINES[1:]]),
    ),
]


@pytest.mark.parametrize(("mistake", "in_the_file", "in_our_writer"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_that_the_schema_passes_is_refused_by_us(
    schema: etree.XMLSchema,
    mistake: str,
    in_the_file: Callable[[bytes], bytes],
    in_our_writer: Callable[[], bytes],
) -> None:
    changed = in_the_file(joined())
    assert changed != joined(), mistake
    assert schema.validate(etree.fromstring(changed))
    with pytest.raises(ValueError, match=r"line|approved"):
        in_our_writer()


@pytest.mark.parametrize(
    "lines", [LINES[:2], [LINES[0], LINES[2]], [LINES[1], LINES[0], LINES[2]], [*LINES, LINES[0]]]
)
def test_a_lost_or_moved_or_added_line_is_refused(lines: list[PaymentLine]) -> None:
    with pytest.raises(ValueError, match="line"):
        joined(lines=lines)


def test_a_refused_batch_has_no_end() -> None:
    chunks: list[bytes] = []
    with pytest.raises(ValueError, match=r"approved were 3 of 4560\.35"):
        chunks.extend(write_pain001(replace(HEADER, total_fen=4560_35), LINES))
    assert len(chunks) == 2
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(b"".join(chunks))


@pytest.mark.parametrize(
    "header",
    [
        replace(HEADER, created_at=HEADER.created_at.replace(tzinfo=None)),
        replace(HEADER, count=0, total_fen=0),
        replace(HEADER, total_fen=10**18),
        replace(HEADER, message_id=""),
        replace(HEADER, message_id="批次1"),
        replace(HEADER, message_id="A" * 36),
        replace(HEADER, debtor_name=""),
        replace(HEADER, debtor_name="专\x00户"),
        replace(HEADER, debtor_account="1" * 35),
        replace(HEADER, debtor_bank_code="1051"),
    ],
)
def test_a_header_that_cannot_be_written_is_refused(header: Pain001Header) -> None:
    with pytest.raises(ValueError, match=r"time zone|above zero|message id|paying account"):
        next(write_pain001(header, LINES))


def test_the_time_of_making_keeps_its_offset() -> None:
    assert b"<CreDtTm>2020-06-15T09:30:00+08:00</CreDtTm>" in joined()
    in_utc = replace(HEADER, created_at=datetime(2020, 6, 15, 1, 30, tzinfo=UTC))
    assert b"<CreDtTm>2020-06-15T01:30:00+00:00</CreDtTm>" in joined(in_utc)
