"""The departments' rows about some people, opened: by one look-up of their ID numbers over all feeds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from foundation.sealing import ERASED, Sealer
from households.feeds import COLUMNS, FEEDS, MATTER_NAMES, ClearanceRow, Feeds, KinRow
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, Clearance, FeedRow
from households.queries.views import View, in_portions, scopes_of


def feeds_of(
    session: Session,
    sealer: Sealer,
    view: View,
    id_numbers: Collection[str],
    household_nos: Collection[str],
) -> Feeds:
    """All that the departments have about some people, and the clearances of some households.

    The payroll rows of their near relatives are there too. A feed that nobody has sent is None: no data.
    """
    scopes = scopes_of(session, view)
    people = {sealer.lookup("id_number", number) for number in id_numbers}
    found: dict[str, Any] = {feed: [] if feed in scopes else None for feed in FEEDS}
    for feed, row in _rows(session, sealer, view, scopes, people):
        found[feed].append(row)
    kin: list[KinRow] = found["kin"] or []
    relatives = {sealer.lookup("id_number", row.relative_id_number) for row in kin} - people
    for feed, row in _rows(session, sealer, view, scopes, relatives):
        if feed == "payroll":
            found[feed].append(row)
    return Feeds(**found, clearances=_clearances(session, view, household_nos))


def _rows(
    session: Session,
    sealer: Sealer,
    view: View,
    scopes: Mapping[str, Collection[str]],
    people: Collection[str],
) -> Iterator[tuple[str, Any]]:
    """(feed, typed row) of each row that is about one of the people, given by keyed digest."""
    known = _believed(FeedRow, view)
    for portion in in_portions(people):
        query = select(FeedRow.id, FeedRow.feed, FeedRow.scope, FeedRow.sealed)
        query = query.where(FeedRow.id_lookup.in_(portion), FeedRow.feed.in_(FEEDS), known)
        for identity, feed, scope, sealed in session.execute(query):
            if scope in scopes.get(feed, ()) and sealed != ERASED:
                yield feed, typed_row(sealer, feed, identity, sealed)


def typed_row(sealer: Sealer, feed: str, row_id: str, sealed: str) -> Any:
    """A stored row of a pack's feed as its dataclass in `households.feeds`."""
    values = orjson.loads(sealer.reveal("feed_row", "sealed", row_id, sealed))
    row, _ = COLUMNS[feed]
    return row(*layouts()[feed].from_stored(values))


def _clearances(session: Session, view: View, household_nos: Collection[str]) -> list[ClearanceRow]:
    """Clearances of the pack; in the register also those that were given there."""
    scopes = (view.policy_number,) if view.pack_only else (view.policy_number, DEPARTMENT)
    found = []
    for portion in in_portions(household_nos):
        mine = Clearance.household_no.in_(portion) & Clearance.scope.in_(scopes)
        for row in session.scalars(select(Clearance).where(mine, _believed(Clearance, view))):
            found.append(ClearanceRow(row.household_no, MATTER_NAMES[row.matter], row.cleared_on, row.passed))
    return found


def _believed(model: type[FeedRow] | type[Clearance], view: View) -> Any:
    if view.known_at is None:
        return model.retired_at.is_(None)
    later = or_(model.retired_at.is_(None), model.retired_at > view.known_at)
    return (model.known_at <= view.known_at) & later
