"""A county whose claims are decided, determined and paid: what the tests of the reports read their figures from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from claims.deciding import Decided
from claims.models import ClaimRow, Determination
from claims.pack import POLICY_FILE, read_pack
from claims.services.determination import determine
from claims.services.pack import pack_files, take_in_pack
from foundation.actors import Actor, Assurance, Role
from foundation.clock import FixedClock
from foundation.database import Database
from foundation.keyfile import open_sealer
from foundation.money import Money
from foundation.runtime import Runtime
from foundation.sealing import Sealer
from foundation.trail.sealing import Head, seal_trail
from payments.services.batches import check_batch, make_batch, release_batch
from payments.services.export import PayingAccount, export_batch
from payments.services.owing import owe, record_contribution
from policies.policy import Policy
from policies.policy_file import load_policy
from tests.staffing import put_limit

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""
FUND = Money.from_yuan("9000000")


def person(number: int, role: Role) -> Actor:
    """Somebody of the county."""
    return Actor(
        f"person-{number}", f"account-{number}", role, "370323", f"某某{number}", Assurance.RUN_STANDS_IN
    )


SYSTEM = person(0, Role.SYSTEM)
OFFICER, ADJUDICATOR = person(1, Role.CLAIM_OFFICER), person(2, Role.ADJUDICATOR)
MAKER, CHECKER, RELEASER = (
    person(3, Role.FIN_MAKER),
    person(4, Role.FIN_CHECKER),
    person(5, Role.FIN_RELEASER),
)
NAMES = {"person-1": "王敏", "person-3": "孙丽"}


@dataclass(frozen=True)
class County:
    """An open database with all of a pack in it, and what the pack alone says of its claims."""

    database: Database
    sealer: Sealer
    policy: Policy
    decided: list[Decided]
    batch_id: str

    def sealed(self) -> Head:
        """The head of the trail, sealed up to now."""
        return seal_trail(Runtime(self.database, self.sealer, FixedClock(AT), SYSTEM))

    def determinations(self, outcome: str | None = None) -> list[str]:
        """Ids of the determinations in the order of deciding."""
        with self.database.reading() as session:
            return determination_ids(session, outcome)


def determination_ids(session: Session, outcome: str | None) -> list[str]:
    """Ids of the determinations in the order of deciding, of one outcome or of all."""
    query = (
        select(Determination.id)
        .join(ClaimRow, ClaimRow.id == Determination.claim_id)
        .order_by(ClaimRow.notified_on, ClaimRow.claim_no)
    )
    return list(session.scalars(query if outcome is None else query.where(Determination.outcome == outcome)))


def paid_county(url: str, folder: Path, key_file: Path) -> County:
    """Takes a pack in, determines and pays it."""
    policy, pack = load_policy(folder / POLICY_FILE), read_pack(folder)
    database = Database(url)
    with database.transaction() as session:
        sealer = open_sealer(session, key_file)
        _, decided = take_in_pack(session, sealer, SYSTEM, AT, pack, pack_files(folder), policy)
    with database.transaction() as session:
        put_limit(session, ADJUDICATOR.person, 10**9, ADJUDICATOR.name)
        determine(session, sealer, OFFICER, ADJUDICATOR, AT, policy.number)
        record_contribution(session, MAKER, AT, f"premium:{policy.number}", policy.purchaser, FUND)
        owe(session, sealer, SYSTEM, AT)
        batch = make_batch(session, sealer, MAKER, AT, policy.number)
        assert batch is not None
        check_batch(session, sealer, CHECKER, AT, batch.id)
        release_batch(session, RELEASER, AT, batch.id)
        paying = PayingAccount("沂源县防贫保险专户", "37050163860000001", "105453300013")
        export_batch(session, sealer, SYSTEM, AT, batch.id, paying)
        batch_id = batch.id
    return County(database, sealer, policy, decided, batch_id)
