"""Paying: what the bank's files cannot carry is withheld with the reason, and everything else is paid, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text, update

from foundation import files
from foundation.clock import as_of
from foundation.database import Database
from foundation.errors import ConflictError, NotAllowedError
from foundation.keyfile import open_sealer
from foundation.money import Money
from payments.errors import BatchChanged
from payments.models import Batch, Payable, Payment
from payments.queries import bank_files, batch_lines, withheld
from payments.services.batches import check_batch, make_batch, reference_prefix, release_batch
from payments.services.export import PayingAccount, export_batch
from payments.services.owing import record_contribution
from webapp import demo_actors as actors
from webapp.run import Options, run_pack

DAY = date(2020, 12, 31)
AT = as_of(DAY).now()


def quiet(_zh: str, _en: str) -> None:
    pass


def renamed(source: Path, target: Path, old: str, new: str) -> Path:
    """A copy of a pack in which a person has another name wherever the old one stands."""
    shutil.copytree(source, target)
    for name in ("roster.xlsx", "claims.xlsx"):
        book = load_workbook(target / name)
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str) and cell.value.strip() == old:
                        cell.value = new
        book.save(target / name)
    return target


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def payees(database: Database, key: Path) -> dict[str, str]:
    """Reference → name of everybody who is in a batch."""
    with database.transaction() as session:
        sealer = open_sealer(session, key)
        return {
            line.reference: line.payee_name
            for batch in session.scalars(select(Batch))
            for line in batch_lines(session, sealer, batch.id)
        }


def somebody_paid(pack: Path, folder: Path) -> str:
    """The name of a payee in a run on a pack as it is."""
    run_pack(Options(pack, folder, as_of=DAY, letters=0), quiet)
    database = Database(f"sqlite:///{folder}/fangpin.db")
    name = next(iter(payees(database, folder / "fangpin.db.key").values()))
    database.close()
    return name


def test_a_name_that_begins_like_a_formula_is_withheld_and_the_rest_is_paid(
    small_pack: Path, tmp_path: Path, database: Database
) -> None:
    name = somebody_paid(small_pack, tmp_path / "before")
    pack = renamed(small_pack, tmp_path / "pack", name, "+张三")
    run = run_pack(
        Options(pack, tmp_path / "b", database.url, as_of=DAY, letters=0, key_file=tmp_path / "k"), quiet
    )
    assert sum(run.summary["withheld"].values()) >= 1
    assert set(run.summary["withheld"]) == {"name_leading"}
    paid = payees(database, tmp_path / "k")
    assert "+张三" not in paid.values()
    with database.reading() as session:
        kept = withheld(session, "FPB-370323-2020-S")
        assert len(paid) + len(kept) == len(session.scalars(select(Payable.id)).all())
        assert {code for _, code in kept} == {"name_leading"}


def test_a_rare_character_reaches_the_bank_unaltered(
    small_pack: Path, tmp_path: Path, database: Database
) -> None:
    name = somebody_paid(small_pack, tmp_path / "before")
    pack = renamed(small_pack, tmp_path / "pack", name, "𠮷䶮")
    out = tmp_path / "b"
    run_pack(Options(pack, out, database.url, as_of=DAY, letters=0, key_file=tmp_path / "k"), quiet)
    (xml,) = (out / "payments").glob("*.xml")
    (disbursements,) = (out / "payments").glob("*.csv")
    assert "<Nm>𠮷䶮</Nm>" in xml.read_text(encoding="utf-8")
    assert ",𠮷䶮," in disbursements.read_bytes().decode("gb18030")


@pytest.fixture
def made(small_pack: Path, tmp_path: Path, database: Database) -> str:
    """A batch that was made; its id."""
    from claims.services.determination import determine
    from payments.services.owing import owe

    options = Options(
        small_pack, tmp_path / "out", database.url, as_of=DAY, decide_only=True, key_file=tmp_path / "key"
    )
    run_pack(options, quiet)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, AT, "FPB-370323-2020-S")
        owe(session, sealer, actors.SYSTEM, AT)
        record_contribution(session, actors.MAKER, AT, "test", "county", Money(10**10))
        batch = make_batch(session, sealer, actors.MAKER, AT, "FPB-370323-2020-S")
        assert batch is not None
        return batch.id


def test_a_line_changed_between_check_and_export_is_never_exported(
    made: str, tmp_path: Path, database: Database
) -> None:
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        check_batch(session, sealer, actors.CHECKER, AT, made)
        release_batch(session, actors.RELEASER, AT, made)
        sqlite = session.connection().dialect.name == "sqlite"
        session.execute(text("DROP TRIGGER payment_sealed_kept" + ("" if sqlite else " ON payment")))
        row = session.scalars(select(Payment).where(Payment.sequence == 1)).one()
        thief = '{"bank_code":null,"payee_account":"6217000000000000012","payee_name":"王五"}'
        sealed = sealer.seal("payment", "sealed", row.id, thief)
        session.execute(update(Payment).where(Payment.id == row.id).values(sealed=sealed))
    with pytest.raises(BatchChanged), database.transaction() as session:
        export_batch(session, sealer, actors.RELEASER, AT, made, PayingAccount("x", "1", None))
    with database.reading() as session:
        assert bank_files(session, made) == []
        assert session.scalars(select(Batch.state)).one() == "released"


def test_steps_out_of_order_are_refused(made: str, tmp_path: Path, database: Database) -> None:
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
    paying = PayingAccount("x", "1", None)
    with pytest.raises(ConflictError), database.transaction() as session:
        release_batch(session, actors.RELEASER, AT, made)
    with pytest.raises(ConflictError), database.transaction() as session:
        export_batch(session, sealer, actors.RELEASER, AT, made, paying)
    with pytest.raises(NotAllowedError), database.transaction() as session:
        check_batch(session, sealer, actors.RELEASER, AT, made)
    with pytest.raises(NotAllowedError), database.transaction() as session:
        make_batch(session, sealer, actors.CHECKER, AT, "FPB-370323-2020-S")


def test_a_second_export_gives_the_same_bytes_and_message_id(
    made: str, tmp_path: Path, database: Database
) -> None:
    paying = PayingAccount("示例保险", "37050163860000001", None)
    exported = []
    for turn in range(2):
        with database.transaction() as session:
            sealer = open_sealer(session, tmp_path / "key")
            if turn == 0:
                check_batch(session, sealer, actors.CHECKER, AT, made)
                release_batch(session, actors.RELEASER, AT, made)
            later = as_of(date(2021, 6, turn + 1)).now()
            rows = export_batch(session, sealer, actors.RELEASER, later, made, paying)
            exported.append(
                [(row.name, row.sha256, files.load(session, sealer, row.file_id)) for row in rows]
            )
    assert exported[0] == exported[1]
    assert b"<MsgId>FPB-370323-2020-S-B000001</MsgId>" in exported[0][1][2]


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("FPB-370323-2020", "FPB-370323-2020"),
        ("a", "a"),
        ("-a", None),
        ("a-", None),
        ("沂防贫〔2020〕1号", None),
        ("x" * 21, None),
    ],
)
def test_references_begin_with_what_a_bank_file_can_carry(number: str, prefix: str | None) -> None:
    found = reference_prefix(number)
    assert found == prefix or (
        prefix is None and found.startswith("FP") and found.isascii() and len(found) == 12
    )
    assert len(found) <= 20
