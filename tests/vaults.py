"""A county with something in every sealed column and some sealed files, and a look at all of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from foundation.blobs import BlobStore
from foundation.database import Database, SealedBytes
from foundation.keyfile import open_sealer
from foundation.sealing import ERASED, Erased, Sealer
from foundation.vault import Vault, name_of
from migrations.schema import METADATA
from webapp.keys import vault_of

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
Contents = dict[tuple[str, str], str | bytes]
"""(`table.column` or `file`, row id or address) → what is sealed there, opened."""


def full_vault(url: str, key_file: Path, files: Path) -> Vault:
    """The vault of a county's copy, in which nothing is left empty: a row in every sealed column, erased ones too."""
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
        _fill(session, sealer)
    store = BlobStore(files, sealer)
    for content in ("花名册,张三".encode(), b"x" * 100_000, b""):
        store.put(content)
    return vault_of(database, sealer, store)


def another(vault: Vault, key_file: Path) -> Vault:
    """The same vault as another process has it, with a sealer of its own."""
    database = Database(vault.database.url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
    return vault_of(database, sealer, BlobStore(vault.files.folder, sealer))


def contents(vault: Vault) -> Contents:
    """Everything that is sealed, opened. Raises ConfigurationError where something does not open."""
    found: Contents = {}
    with vault.database.reading() as session:
        for column in vault.columns:
            rows = session.execute(select(column.table.c.id, column).where(column.is_not(None)))
            for row_id, sealed in rows:
                found[name_of(column), row_id] = _opened(vault.sealer, column, row_id, sealed)
    for address in vault.files.not_under(""):
        found["file", address] = vault.files.get(address)
    return found


def _opened(sealer: Sealer, column: Any, row_id: str, sealed: Any) -> str | bytes:
    reveal = sealer.reveal_bytes if isinstance(column.type, SealedBytes) else sealer.reveal
    try:
        opened: str | bytes = reveal(column.table.name, column.name, row_id, sealed)
    except Erased:
        return ERASED
    return opened


def under(vault: Vault, key_id: str) -> int:
    """How many cells and files are under a key."""
    with vault.database.reading() as session:
        cells = sum(count.cells.get(key_id, 0) for count in vault.count(session))
    return cells + vault.files.under_each_key()[key_id]


def under_others(vault: Vault, key_id: str) -> int:
    """How many cells and files are under any other key, known or not."""
    with vault.database.reading() as session:
        counts = vault.count(session)
    cells = sum(sum(count.cells.values()) + count.unknown - count.cells.get(key_id, 0) for count in counts)
    return cells + len(vault.files.not_under(key_id))


def hold(session: Session, sealer: Sealer, row_id: str, reason: str) -> None:
    """A legal hold: a row that can be added at any time, with a sealed reason."""
    sealed = sealer.seal("legal_hold", "reason", row_id, reason)
    _add(
        session,
        "legal_hold",
        id=row_id,
        subject="claim",
        subject_id="c",
        reason=sealed,
        set_by="p",
        set_at=AT,
    )


def _fill(session: Session, sealer: Sealer) -> None:
    """Two of each, so that there is something to swap."""
    for number in ("1", "2"):
        staff, account, kept = f"s{number}", f"a{number}", f"w{number}"
        _add(
            session, "staff_member", id=staff, name="李四", id_lookup=sealer.lookup("id_number", number), created_at=AT,
            sealed=sealer.seal("staff_member", "sealed", staff, f'{{"id_number": "{number}"}}'),
        )  # fmt: skip
        _add(
            session, "account", id=account, login=f"lisi{number}", staff_id=staff, state="active", demo=False,
            totp_sealed=sealer.seal("account", "totp_sealed", account, "JBSWY3DP"), totp_step=0, failures=0, version=1,
            password_must_change=False, created_at=AT,
        )  # fmt: skip
        _add(
            session, "kept_answer", id=kept, account_id=account, route="POST /x", key="k", request_digest="d", status=200,
            begun_at=AT, sealed=sealer.seal("kept_answer", "sealed", kept, "{}"),
        )  # fmt: skip
        _add(
            session, "export", id=f"e{number}", number=900000 + int(number), kind="claims", arguments="{}", state="asked",
            people=3, note=sealer.seal("export", "note", f"e{number}", "报送"), person=staff, account=account,
            role="AUDITOR", place="370323", asked_at=AT,
        )  # fmt: skip
        _add(
            session, "pack_upload", id=f"u{number}", uploaded_at=AT, uploaded_by="{}", files="[]", state="ready",
            changed_at=AT, preview=sealer.seal("pack_upload", "preview", f"u{number}", "预览 " * 2000),
        )  # fmt: skip
        hold(session, sealer, f"h{number}", "诉讼")
    for row_id in ("d1", "d2", "none", "erased"):
        there = {"none": None, "erased": ERASED}
        note = there[row_id] if row_id in there else sealer.seal("disclosure", "note", row_id, "信访")
        _add(
            session, "disclosure", id=row_id, at=AT, seen_on=date(2026, 1, 2), person="s1", account="a1", role="AUDITOR",
            place="370323", subject="claim", subject_id="c", fields="id_number", purpose="audit", note=note,
        )  # fmt: skip
    for row_id in ("f1", "f2", "erased"):
        content = sealer.seal_bytes("stored_file", "content", row_id, b"")
        _add(
            session, "stored_file", id=row_id, media_type="text/plain", sha256="0" * 64, size=0,
            content=ERASED.encode() if row_id == "erased" else content,
        )  # fmt: skip
    if session.scalar(
        text("SELECT count(*) FROM feed_row")
    ):  # a county without a pack has nobody to say these of
        _fill_register(session, sealer)


def _fill_register(session: Session, sealer: Sealer) -> None:
    """What a pack leaves empty in the register: proposals, recognitions, tasks, relatives, hits and reports."""

    def sealed(table: str, column: str, row_id: str) -> str:
        return sealer.seal(table, column, row_id, '{"text": "周转困难"}')

    household, person, feed_row = (
        session.scalar(text(f"SELECT min(id) FROM {table}")) for table in ("household", "person", "feed_row")
    )
    today = AT.date()
    _add(
        session, "comparison_run", id="run", number="比对一", scope="everyone", place="370323", on_day=today, feeds="[]",
        people=2, hits=2, asked_by="s1", run_at=AT, scheduled=False,
    )  # fmt: skip
    for number in ("1", "2"):
        proposal, recognition, review = f"q{number}", f"r{number}", f"v{number}"
        task, relative, name, hit = f"t{number}", f"g{number}", f"n{number}", f"i{number}"
        case, report, upload = f"c{number}", f"m{number}", f"y{number}"
        _add(
            session, "proposal", id=proposal, kind="merge", household_id=household, state="refused", digest=proposal,
            sealed=sealed("proposal", "sealed", proposal), asked_by="s1", asked_at=AT, decided_by="s2", decided_at=AT,
            reason=sealed("proposal", "reason", proposal),
        )  # fmt: skip
        _add(
            session, "recognition", id=recognition, number=f"认定{number}", household_id=household, state="refused",
            basis="qualitative", reasons="[]", cause="illness", track="relief", surveyed_on=today, surveyors="[]",
            appraised_on=today, appraisal="村评", notice_from=today, notice_to=today, digest=recognition,
            sealed=sealed("recognition", "sealed", recognition), proposed_by="s1", proposed_at=AT, decided_by="s2",
            decided_at=AT, decision=sealed("recognition", "decision", recognition), changed_at=AT,
        )  # fmt: skip
        _add(
            session, "recognition_review", id=review, recognition_id=recognition, reviewed_on=today, reviewed_by="s1",
            finding="stays", sealed=sealed("recognition_review", "sealed", review), digest=review, recorded_at=AT,
        )  # fmt: skip
        _add(
            session, "registry_task", id=task, kind="two_names", state="settled", person_id=person, digest=task,
            sealed=sealed("registry_task", "sealed", task), opened_at=AT, settled_by="s1", settled_at=AT,
            settlement="kept", reason=sealed("registry_task", "reason", task),
        )  # fmt: skip
        _add(
            session, "relative", id=relative, person_id=person, kind="heir", relation="子", paper="公证",
            sealed=sealed("relative", "sealed", relative), source="register", known_at=AT,
        )  # fmt: skip
        _add(
            session, "person_name", id=name, person_id=person, source="register", known_at=AT, retired_at=AT,
            sealed=sealed("person_name", "sealed", name),
        )  # fmt: skip
        _add(
            session, "comparison_hit", id=hit, run_id="run", person_id=person, matter="vehicle", feed_row_id=feed_row,
            through=sealed("comparison_hit", "through", hit),
        )  # fmt: skip
        _add(
            session, "warning_case", id=case, number=f"预警{number}", household_id=household, person_id=person,
            village_code="370323101001", line="illness", event_key=number, event_on=today, state="open", opened_at=AT,
            changed_at=AT,
        )  # fmt: skip
        _add(
            session, "warning_report", id=report, case_id=case, channel="village", reported_at=AT, lag_days=0,
            sealed=sealed("warning_report", "sealed", report), digest=report,
        )  # fmt: skip
        _add(
            session, "feed_upload", id=upload, feed="medical", mode="full", as_of=today, state="ready", file="{}",
            uploaded_at=AT, uploaded_by="{}", changed_at=AT, preview=sealed("feed_upload", "preview", upload),
        )  # fmt: skip


def _add(session: Session, table: str, **values: Any) -> None:
    session.execute(insert(METADATA.tables[table]).values(values))
