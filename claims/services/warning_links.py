"""Early warnings whose event has a claim: their cases are closed with the claim's number.

A case closes when everything that its departments' rows are about has been claimed; one that only people told of, when
a claim for such an event was made since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims.facts import Claim
from claims.models import ClaimRow
from claims.states import WITHDRAWN
from claims.storing import load_claim
from claims.warning_answers import OpenCase, claim_for
from foundation.actors import Actor
from foundation.privacy.erasing import parts
from foundation.sealing import ERASED, Sealer
from households.models.feeds import FeedRow
from households.models.people import Person
from households.models.warnings import WarningCase, WarningReport
from households.queries.warning_contents import BY_ROW, content_of, event_in
from households.services.warning_filing import wait_for_turn
from households.services.warnings import mark_claimed

_BLOCK = 500
"""Cases that are looked at at a time."""


def link_open_cases(session: Session, sealer: Sealer, actor: Actor, at: datetime) -> int:
    """Closes every open case whose event has a claim; how many. Done again it finds nothing more."""
    wait_for_turn(session)
    linked = 0
    ids = sorted(session.scalars(select(WarningCase.id).where(WarningCase.state == "open")))
    for start in range(0, len(ids), _BLOCK):
        block = ids[start : start + _BLOCK]
        cases = _open_cases(session, sealer, block)
        claims = _claims_on(session, sealer, block)
        for case in cases:
            number = claim_for(case, claims.get(case.id, ()))
            if number is not None:
                mark_claimed(session, actor, at, case.id, number)
                linked += 1
    return linked


# --- reading -----------------------------------------------------------------------------------------------


def _open_cases(session: Session, sealer: Sealer, case_ids: Sequence[str]) -> list[OpenCase]:
    """The cases with what their reports say; a case whose reports were all erased is left out."""
    query = (
        select(WarningReport, WarningCase.event_on, FeedRow.retired_at)
        .join(WarningCase, WarningCase.id == WarningReport.case_id)
        .outerjoin(FeedRow, FeedRow.id == WarningReport.feed_row_id)
        .where(WarningReport.case_id.in_(case_ids), WarningReport.sealed != ERASED)
        .order_by(WarningReport.case_id, WarningReport.reported_at, WarningReport.id)
    )
    found: dict[str, OpenCase] = {}
    for report, event_on, retired_at in session.execute(query):
        content = content_of(sealer, report.id, report.sealed)
        case = found.setdefault(report.case_id, OpenCase(report.case_id, event_on, event_in(content)))
        if report.channel in BY_ROW and retired_at is None and content.get("thing"):
            case.things.add(content["thing"])
    return list(found.values())


def _claims_on(session: Session, sealer: Sealer, case_ids: Sequence[str]) -> dict[str, list[Claim]]:
    """Case → the claims of its person, and those of its household for a shortfall of income."""
    owner = func.coalesce(Person.same_as, Person.id)
    cases = session.execute(
        select(WarningCase.id, WarningCase.household_id, Person.id_lookup)
        .join(Person, owner == WarningCase.person_id)
        .where(WarningCase.id.in_(case_ids))
    ).all()
    of_person: dict[str, list[Claim]] = defaultdict(list)
    of_household: dict[str, list[Claim]] = defaultdict(list)
    lookups, households = {row.id_lookup for row in cases}, {row.household_id for row in cases}
    for claimed, claim in _claims(session, sealer, lookups, households):
        if claimed.line == "income" and claimed.household_id is not None:
            of_household[claimed.household_id].append(claim)
        elif claimed.id_lookup is not None:
            of_person[claimed.id_lookup].append(claim)
    found: dict[str, list[Claim]] = defaultdict(list)
    for case in cases:
        found[case.id] += [*of_person.get(case.id_lookup, ()), *of_household.get(case.household_id, ())]
    return found


def _claims(
    session: Session, sealer: Sealer, lookups: Collection[str], households: Collection[str]
) -> Iterator[tuple[ClaimRow, Claim]]:
    seen: set[str] = set()
    income = ClaimRow.line == "income"
    for which, values in (
        (ClaimRow.id_lookup.in_, lookups),
        (lambda some: ClaimRow.household_id.in_(some) & income, households),
    ):
        for some in parts(sorted(values)):
            query = select(ClaimRow).where(
                which(some), ClaimRow.state != WITHDRAWN, ClaimRow.sealed != ERASED
            )
            for row in session.scalars(query):
                if row.id not in seen:
                    seen.add(row.id)
                    yield row, load_claim(sealer.reveal("claim", "sealed", row.id, row.sealed))
