"""Claims for the tests of the desk: copies of one that is under review, and newer decisions with their reviews."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from claims.adjudication import Decision
from claims.facts import Facts
from claims.models import ClaimRow, DecisionRow, Review
from claims.queries import open_decision
from claims.queries.listing import standing
from claims.services.decisions import decision_row
from claims.services.listing import refresh
from claims.storing import dump, dump_record
from foundation.actors import Actor, Role
from households.models import HouseholdRow
from tests.webapp.conftest import Web

COUNTY = "370323"


def actor(place: str = COUNTY, role: Role = Role.CLAIM_OFFICER) -> Actor:
    """Somebody who looks at claims."""
    return Actor("person-9", "account-9", role, place, "测试")


@dataclass(frozen=True)
class Known:
    """A claim as the database has it, with the decision that counts, opened."""

    id: str
    claim_no: str
    village_code: str | None
    town: str
    state: str
    household_id: str | None
    facts: Facts
    decision: Decision


def known_claims(web: Web) -> list[Known]:
    """Every claim of the county, opened, by claim number."""
    columns = (
        ClaimRow.id,
        ClaimRow.claim_no,
        HouseholdRow.village_code,
        ClaimRow.town,
        ClaimRow.state,
        ClaimRow.household_id,
        DecisionRow.id.label("decision_id"),
        DecisionRow.sealed,
    )
    with web.database.reading() as session:
        rows = session.execute(standing(*columns)).all()
    found = []
    for row in rows:
        facts, decision = open_decision(web.sealer, row.decision_id, row.sealed)
        found.append(
            Known(
                row.id, row.claim_no, row.village_code, row.town, row.state, row.household_id, facts, decision
            )
        )
    return sorted(found, key=lambda claim: claim.claim_no)


def one(web: Web, **wanted: Any) -> Known:
    """The first claim with these attributes (of the row, else of its decision)."""
    for claim in known_claims(web):
        if all(
            getattr(claim, key, getattr(claim.decision, key, None)) == value for key, value in wanted.items()
        ):
            return claim
    raise LookupError(wanted)


def two_towns(web: Web) -> tuple[Known, Known]:
    """Two claims of insured people in different towns."""
    insured = [claim for claim in known_claims(web) if claim.village_code is not None]
    first = insured[0]
    other = next(c for c in insured if (c.village_code or "")[:9] != (first.village_code or "")[:9])
    return first, other


def add_copies(web: Web, of: Known, prefix: str, count: int, **changes: Any) -> list[str]:
    """Copies of a claim, under review, with numbers of their own; `changes` are fields of the claim. Their ids."""
    ids = []
    with web.database.transaction() as session:
        original = session.get_one(ClaimRow, of.id)
        policy_id = session.scalars(
            select(DecisionRow.policy_id).where(DecisionRow.claim_id == of.id)
        ).first()
        for number in range(1, count + 1):
            claim = replace(of.facts.claim, claim_no=f"{prefix}-{number:03}", **changes)
            identity = secrets.token_hex(16)
            content = dump(claim)
            session.add(
                ClaimRow(
                    id=identity,
                    policy_number=original.policy_number,
                    claim_no=claim.claim_no,
                    household_id=original.household_id,
                    line=claim.line,
                    benefit=claim.benefit,
                    town=original.town,
                    notified_on=claim.notified_on,
                    event_on=claim.event_on,
                    state="review",
                    sealed=web.sealer.seal("claim", "sealed", identity, content),
                    digest=web.sealer.digest("claim", content),
                    id_lookup=web.sealer.lookup("id_number", claim.id_number),
                    name_lookup=web.sealer.lookup("name", claim.name),
                    changed_at=web.clock.at,
                )
            )
            session.flush()
            facts = replace(of.facts, claim=claim)
            add_decision(
                web,
                session,
                identity,
                1,
                str(policy_id),
                facts,
                replace(of.decision, claim_no=claim.claim_no),
            )
            ids.append(identity)
    return ids


def add_decision(
    web: Web, session: Session, claim_id: str, sequence: int, policy_id: str, facts: Facts, decision: Decision
) -> str:
    """A decision row; its id."""
    content = dump_record(facts, decision)
    digest = web.sealer.digest("decision", content)
    row = decision_row(web.sealer, claim_id, sequence, policy_id, decision, content, digest, web.clock.at)
    session.add(DecisionRow(**row))
    session.flush()
    refresh(session, web.clock.at)
    return str(row["id"])


def open_review(web: Web, claim: Known, decision: Decision) -> str:
    """A newer decision on a determined claim with the review that it opens; the decision's id."""
    with web.database.transaction() as session:
        row = session.scalars(
            select(DecisionRow).where(DecisionRow.claim_id == claim.id).order_by(DecisionRow.sequence.desc())
        ).first()
        assert row is not None
        decision_id = add_decision(
            web, session, claim.id, row.sequence + 1, row.policy_id, claim.facts, decision
        )
        session.add(
            Review(
                id=secrets.token_hex(16),
                claim_id=claim.id,
                reason="otherwise",
                decision_id=decision_id,
                opened_at=web.clock.at,
            )
        )
    return decision_id


@contextmanager
def counted_statements(web: Web) -> Iterator[list[str]]:
    """Every statement that the database is sent meanwhile."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(web.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(web.database.engine, "before_cursor_execute", note)
