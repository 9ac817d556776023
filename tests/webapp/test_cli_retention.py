"""`fangpin retention`: the dry run changes nothing, an approved erasure is carried out, holds are set and lifted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from claims.models import ClaimRow
from foundation.clock import as_of
from foundation.errors import FangpinError, NotAllowedError
from foundation.privacy.holds import lift_hold
from foundation.privacy.models import LegalHold
from tests.webapp.conftest import Web
from tests.webapp.erasing import ERASED_CLAIMS, POLICY, a_paid_claim, approve, ask, count, noon, officer
from webapp import opening
from webapp.cli import cli
from webapp.users import COMMAND_LINE


@pytest.fixture
def key_file(county: Web, county_key_file: Path) -> Path:
    postgresql = county.database.engine.dialect.name == "postgresql"
    return county_key_file.with_name("county-postgres.key") if postgresql else county_key_file


@pytest.fixture
def years_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line's clock stands in 2052."""
    monkeypatch.setattr(opening, "SystemClock", lambda: as_of(date(2052, 1, 1)))


def run(web: Web, key_file: Path, *words: str) -> list[str]:
    """The lines that a command prints. Raises what it raises."""
    options = ["--database", web.database.url, "--key-file", str(key_file)]
    done = CliRunner().invoke(cli, ["retention", *words, *options], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output.splitlines()


def test_the_plan_prints_what_is_due_and_changes_nothing(county: Web, key_file: Path) -> None:
    events = count(county, "event")
    today = run(county, key_file, "plan")
    assert today[-1].endswith("nothing was changed") and "到期 0 条" in today[-1]
    later = run(county, key_file, "plan", "--as-of", "2052-01-01")
    assert "2052-01-01 到期" in later[-1] and "到期 0 条" not in later[-1]
    assert any("已给付的案件 / Claims that were paid" in line and " 75 " in line for line in later)
    assert count(county, "event") == events and count(county, ERASED_CLAIMS) == 0


def test_without_an_id_erase_is_a_dry_run(county: Web, key_file: Path, years_later: None) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    lines = run(county, key_file, "erase")
    assert lines[0].startswith(f"{upkeep_id}  asked") and "nothing was changed" in lines[-1]
    assert count(county, ERASED_CLAIMS) == 0


def test_an_approved_erasure_is_carried_out_and_nothing_else_is(
    county: Web, key_file: Path, years_later: None
) -> None:
    upkeep_id = ask(county, date(2052, 1, 1))
    for unknown in (upkeep_id, "0" * 32):
        with pytest.raises(FangpinError):
            run(county, key_file, "erase", "--upkeep", unknown)
    assert count(county, ERASED_CLAIMS) == 0
    approve(county, upkeep_id)
    lines = run(county, key_file, "erase", "--upkeep", upkeep_id)
    assert lines[-1].startswith("已清除 ") and "planned records erased" in lines[-1]
    assert count(county, ERASED_CLAIMS) > 0
    assert run(county, key_file, "erase", "--upkeep", upkeep_id)[-1] == lines[-1]


def test_holds_are_set_listed_and_lifted(county: Web, key_file: Path) -> None:
    with county.database.reading() as session:
        number = session.scalars(
            select(ClaimRow.claim_no).where(ClaimRow.id == a_paid_claim(county).id)
        ).one()
    reason = "县法院调卷"
    done = run(county, key_file, "hold", number, "--policy", POLICY, "--reason", reason)
    assert done[-1] == "已保全 2 项 / 2 held"
    listed = run(county, key_file, "holds")
    assert listed[-1] == "保全 2 项,在保全 2 项 / 2 holds, 2 in force"
    assert number in "".join(listed) and reason not in "".join(listed)
    with county.database.reading() as session:
        first, second = session.scalars(select(LegalHold.id).order_by(LegalHold.subject)).all()
    with pytest.raises(NotAllowedError), county.database.transaction() as session:
        lift_hold(session, COMMAND_LINE, noon(date(2026, 11, 25)), first)  # it is any person
    with county.database.transaction() as session:
        lift_hold(session, officer(1), noon(date(2026, 11, 25)), first)
    assert run(county, key_file, "holds")[-1] == "保全 2 项,在保全 1 项 / 2 holds, 1 in force"
    assert second


def test_a_hold_of_nothing_is_refused_whole(county: Web, key_file: Path) -> None:
    with county.database.reading() as session:
        number = session.scalars(
            select(ClaimRow.claim_no).where(ClaimRow.id == a_paid_claim(county).id)
        ).one()
    with pytest.raises(FangpinError):
        run(county, key_file, "hold", number, "no such claim", "--reason", "县法院调卷")
    with pytest.raises(FangpinError):
        run(county, key_file, "hold", number, "--reason", "案")
    assert count(county, "legal_hold") == 0
