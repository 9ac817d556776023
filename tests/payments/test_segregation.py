"""K3 in use (attack 22): maker, checker and releaser are three persons, and none of them worked on a claim in the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from claims.services.determination import determine
from foundation.actors import Actor, Assurance, Role
from foundation.clock import as_of
from foundation.database import Database
from foundation.errors import NotAllowedError
from foundation.keyfile import open_sealer
from foundation.money import Money
from foundation.sealing import Sealer
from payments.models import Batch
from payments.services.batches import check_batch, make_batch, release_batch
from payments.services.owing import owe, record_contribution
from webapp import demo_actors as actors
from webapp.run import Options, run_pack

DAY = date(2020, 12, 31)
AT = as_of(DAY).now()
POLICY = "FPB-370323-2020-S"


def as_role(actor: Actor, role: Role) -> Actor:
    """The same natural person through another account, in another role."""
    return replace(actor, account="another-account", role=role)


@dataclass
class Owed:
    """A database in which claims are determined and owed, and nothing is batched."""

    database: Database
    sealer: Sealer

    def make(self, maker: Actor = actors.MAKER, persons_required: int = 3) -> str:
        with self.database.transaction() as session:
            batch = make_batch(session, self.sealer, maker, AT, POLICY, persons_required)
            assert batch is not None
            return batch.id

    def check(self, batch_id: str, checker: Actor = actors.CHECKER) -> None:
        with self.database.transaction() as session:
            check_batch(session, self.sealer, checker, AT, batch_id)

    def release(self, batch_id: str, releaser: Actor = actors.RELEASER) -> None:
        with self.database.transaction() as session:
            release_batch(session, releaser, AT, batch_id)

    def states(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(Batch.state)))


@pytest.fixture
def owed(small_pack: Path, tmp_path: Path, database_url: str) -> Iterator[Owed]:
    options = Options(
        small_pack,
        tmp_path / "out",
        database_url,
        DAY,
        decide_only=True,
        letters=0,
        key_file=tmp_path / "key",
    )
    run_pack(options, lambda *_: None)
    database = Database(database_url)
    with database.transaction() as session:
        sealer = open_sealer(session, tmp_path / "key")
        determine(session, sealer, actors.RECOMMENDER, actors.DETERMINER, AT, POLICY)
        owe(session, sealer, actors.SYSTEM, AT)
        record_contribution(session, actors.MAKER, AT, "test", "county", Money(10**10))
    yield Owed(database, sealer)
    database.close()


def test_attack_22_one_person_with_two_accounts_neither_checks_nor_releases_what_they_made(
    owed: Owed,
) -> None:
    batch_id = owed.make()
    with pytest.raises(NotAllowedError, match="K3"):
        owed.check(batch_id, as_role(actors.MAKER, Role.FIN_CHECKER))
    owed.check(batch_id)
    for person in (actors.MAKER, actors.CHECKER):
        with pytest.raises(NotAllowedError, match="K3"):
            owed.release(batch_id, as_role(person, Role.FIN_RELEASER))
    assert owed.states() == ["checked"]
    owed.release(batch_id)
    assert owed.states() == ["released"]


@pytest.mark.parametrize("person", [actors.RECOMMENDER, actors.DETERMINER], ids=["recommender", "determiner"])
def test_nobody_who_worked_on_a_claim_touches_its_money(owed: Owed, person: Actor) -> None:
    with pytest.raises(NotAllowedError, match="K3"):
        owed.make(as_role(person, Role.FIN_MAKER))
    assert owed.states() == []
    batch_id = owed.make()
    with pytest.raises(NotAllowedError, match="K3"):
        owed.check(batch_id, as_role(person, Role.FIN_CHECKER))
    owed.check(batch_id)
    with pytest.raises(NotAllowedError, match="K3"):
        owed.release(batch_id, as_role(person, Role.FIN_RELEASER))
    assert owed.states() == ["checked"]


def test_by_setting_two_the_checker_may_release_but_not_the_maker(owed: Owed) -> None:
    batch_id = owed.make(persons_required=2)
    owed.check(batch_id)
    with pytest.raises(NotAllowedError, match="K3"):
        owed.release(batch_id, as_role(actors.MAKER, Role.FIN_RELEASER))
    owed.release(batch_id, as_role(actors.CHECKER, Role.FIN_RELEASER))
    assert owed.states() == ["released"]


@pytest.mark.parametrize(
    "assurance", [kind for kind in Assurance if kind not in (Assurance.STEP_UP, Assurance.RUN_STANDS_IN)]
)
def test_attack_17_money_is_released_after_a_fresh_second_factor_only(
    owed: Owed, assurance: Assurance
) -> None:
    batch_id = owed.make()
    owed.check(batch_id)
    with pytest.raises(NotAllowedError, match="second factor"):
        owed.release(batch_id, replace(actors.RELEASER, assurance=assurance))
    owed.release(batch_id, replace(actors.RELEASER, assurance=Assurance.STEP_UP))
