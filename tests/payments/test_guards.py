"""What must never happen to money is refused by the database itself: raw SQL on both engines, after a whole run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.database import Database
from tests.servers import Postgres
from webapp.run import Options, run_pack

COPY_OF_PAYMENT = (
    "INSERT INTO payment (id, payable_id, attempt, batch_id, sequence, reference, amount_fen, sealed, account_lookup, state) "
    "SELECT 'second', payable_id, {attempt}, batch_id, 9999, '{reference}', {amount}, sealed, account_lookup, 'batched' "
    "FROM payment WHERE sequence = 1"
)

REFUSED = {
    "a second live payment of one payable": COPY_OF_PAYMENT.format(
        attempt=2, reference="X-1", amount="amount_fen"
    ),
    "a payment put into an exported batch": COPY_OF_PAYMENT.format(
        attempt=2, reference="X-2", amount="amount_fen"
    ),
    "a payment of another amount": "UPDATE payment SET amount_fen = amount_fen + 1 WHERE sequence = 1",
    "a payment to another payee": "UPDATE payment SET sealed = 'x' WHERE sequence = 1",
    "a reference that is changed": "UPDATE payment SET reference = 'X-3' WHERE sequence = 1",
    "a payment that is taken away": "DELETE FROM payment WHERE sequence = 1",
    "a sent payment that is put back": "UPDATE payment SET state = 'batched' WHERE sequence = 1",
    "a payable of another amount": "UPDATE payable SET amount_fen = amount_fen + 1 WHERE number = 1",
    "a payable that is paid again": "UPDATE payable SET state = 'pending' WHERE number = 1",
    "a second payable of one determination": (
        "INSERT INTO payable (id, determination_id, number, town, line, amount_fen, sealed, state, created_at) "
        "SELECT 'second', determination_id, 9999, town, line, amount_fen, sealed, 'pending', created_at "
        "FROM payable WHERE number = 1"
    ),
    "a batch whose digest is changed": "UPDATE batch SET content_digest = 'x', checked_digest = 'x'",
    "a batch whose maker is renamed": "UPDATE batch SET made_by = 'somebody'",
    "a batch whose checker is renamed": "UPDATE batch SET checked_by = 'somebody'",
    "a batch that is opened again": "UPDATE batch SET state = 'made', checked_by = NULL, released_by = NULL, exported_at = NULL",
    "a ledger entry that is changed": "UPDATE ledger_entry SET amount_fen = 1",
    "a ledger entry that is deleted": "DELETE FROM ledger_entry",
    "a ledger entry of nothing": (
        "INSERT INTO ledger_entry (id, event_key, debit, credit, amount_fen, booked_on, recorded_at) "
        "SELECT 'x', 'x', debit, credit, 0, booked_on, recorded_at FROM ledger_entry LIMIT 1"
    ),
    "an entry from an account to itself": (
        "INSERT INTO ledger_entry (id, event_key, debit, credit, amount_fen, booked_on, recorded_at) "
        "SELECT 'x', 'x', 'BANK', 'BANK', 1, booked_on, recorded_at FROM ledger_entry LIMIT 1"
    ),
    "one event booked twice": (
        "INSERT INTO ledger_entry (id, event_key, debit, credit, amount_fen, booked_on, recorded_at) "
        "SELECT 'x', event_key, debit, credit, amount_fen, booked_on, recorded_at FROM ledger_entry LIMIT 1"
    ),
    "money received twice for one purpose": (
        "INSERT INTO fund_receipt (id, number, purpose, payer, received_on, amount_fen, recorded_by, recorded_at) "
        "SELECT 'x', 9999, purpose, payer, received_on, amount_fen, recorded_by, recorded_at FROM fund_receipt LIMIT 1"
    ),
    "a bank file that is changed": "UPDATE bank_file SET sha256 = 'x'",
    "stored bytes that are changed": "UPDATE stored_file SET size = 0",
    "a determination by one person": "UPDATE determination SET determined_by = recommended_by",
    "a determination that is changed": "UPDATE determination SET amount_fen = amount_fen + 1",
    "a decision that is changed": "UPDATE decision SET outcome = 'approve'",
    "a claim that is determined again": "UPDATE claim SET state = 'review' WHERE state = 'approved'",
    "a determined claim whose content is changed": "UPDATE claim SET sealed = 'x' WHERE state = 'approved'",
    "a counter that runs back": "UPDATE counter SET last = 0",
    "a household version that jumps": "UPDATE household SET version = version + 5",
    "a policy that is changed": "UPDATE policy SET canonical = '{}'",
}


@pytest.fixture(scope="module")
def paid_sqlite(tmp_path_factory: pytest.TempPathFactory, small_pack: Path) -> Path:
    folder = tmp_path_factory.mktemp("paid")
    file = folder / "paid.db"
    run_pack(
        Options(small_pack, folder / "out", f"sqlite:///{file}", as_of=date(2020, 12, 31), letters=0),
        lambda *_: None,
    )
    return file


@pytest.fixture(scope="module")
def paid_postgres(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, small_pack: Path
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("paid")
    name = postgres.create()
    options = Options(
        small_pack,
        folder / "out",
        postgres.url(name),
        as_of=date(2020, 12, 31),
        letters=0,
        key_file=folder / "k",
    )
    run_pack(options, lambda *_: None)
    yield name
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def paid(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database after a whole run."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("paid_sqlite"), tmp_path / "paid.db")
        database = Database(f"sqlite:///{tmp_path}/paid.db")
        yield database
        database.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("paid_postgres"))
    database = Database(server.url(name))
    yield database
    database.close()
    server.drop(name)


def test_the_database_refuses_what_must_not_happen_to_money(paid: Database) -> None:
    accepted = []
    for what, statement in REFUSED.items():
        try:
            with paid.transaction() as session:
                session.execute(text(statement))
                accepted.append(what)
        except DBAPIError:
            continue
    assert accepted == []


def test_the_same_statements_are_well_formed(paid: Database) -> None:
    """A statement that names no table or column would be refused for the wrong reason."""
    for statement in REFUSED.values():
        with paid.engine.connect() as connection:
            connection.exec_driver_sql(f"EXPLAIN {statement}")


def test_nobody_who_determined_a_claim_may_pay_it(paid: Database) -> None:
    with paid.transaction() as session:
        session.execute(
            text(
                "DROP TRIGGER batch_frozen"
                + ("" if session.connection().dialect.name == "sqlite" else " ON batch")
            )
        )
    with pytest.raises(DBAPIError), paid.transaction() as session:
        session.execute(text("UPDATE batch SET made_by = 'demo-person-2'"))


@pytest.mark.parametrize("column", ["amount_fen", "number"])
def test_money_columns_take_whole_numbers_only(paid: Database, column: str) -> None:
    copy = "INSERT INTO fund_receipt SELECT 'x', {number}, 'x', payer, received_on, {amount}, recorded_by, recorded_at FROM fund_receipt LIMIT 1"
    for bad in ("'abc'", "1e30", "-5" if column == "amount_fen" else "'x'"):
        values = {"number": "9999", "amount": "5"} | {column.replace("_fen", ""): bad}
        with pytest.raises(DBAPIError), paid.transaction() as session:
            session.execute(text(copy.format(**values)))
