"""Which facts one asks for: those of a policy's pack alone, or all that the register knows, as known at a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from foundation.privacy.erasing import parts
from households.layouts import layouts
from households.models.feeds import DEPARTMENT, FeedDelivery
from households.models.two_times import ROSTER, Known, believed


@dataclass(frozen=True, slots=True)
class View:
    """Facts under a policy. `pack_only`: its roster and its pack's feeds, nothing else, so that what a pack decides
    depends on the pack alone. `known_at` None is now."""

    policy_number: str
    pack_only: bool = False
    known_at: datetime | None = None

    def sources(self, model: type[Known]) -> ColumnElement[bool]:
        """Facts of the sources that this view looks at, as believed then."""
        known = believed(model, self.known_at)
        return known & (model.source == ROSTER) if self.pack_only else known


def answering(session: Session, view: View) -> dict[str, str]:
    """Feed → the scope whose rows answer for it; a feed that nobody has sent is not there: NO DATA.

    In the register a department's own deliveries come before a pack's copy of them.
    """
    query = select(FeedDelivery.feed, FeedDelivery.scope, FeedDelivery.mode).order_by(FeedDelivery.sequence)
    scopes = (view.policy_number,) if view.pack_only else (view.policy_number, DEPARTMENT)
    query = query.where(FeedDelivery.scope.in_(scopes))
    if view.known_at is not None:
        query = query.where(FeedDelivery.taken_in_at <= view.known_at)
    newest = {(feed, scope): mode for feed, scope, mode in session.execute(query)}
    found: dict[str, str] = {}
    for scope in scopes:
        found |= {feed: scope for feed in layouts() if newest.get((feed, scope), "absent") != "absent"}
    return found


def scopes_of(session: Session, view: View) -> dict[str, frozenset[str]]:
    """Feed → the scopes whose rows are its facts; a feed that nobody has sent is not there: NO DATA.

    Once a department has sent its whole list, that is all there is. As long as it has sent additions only, they stand
    beside the pack's copy: a week's accidents do not take those of the year back.
    """
    query = select(FeedDelivery.feed, FeedDelivery.scope, FeedDelivery.mode).order_by(FeedDelivery.sequence)
    scopes = (view.policy_number,) if view.pack_only else (view.policy_number, DEPARTMENT)
    query = query.where(FeedDelivery.scope.in_(scopes))
    if view.known_at is not None:
        query = query.where(FeedDelivery.taken_in_at <= view.known_at)
    found: dict[str, set[str]] = {}
    whole: set[str] = set()
    for feed, scope, mode in session.execute(query):
        there = found.setdefault(feed, set())
        if mode == "absent":
            there.discard(scope)
        else:
            there.add(scope)
        if scope == DEPARTMENT and mode == "full":
            whole.add(feed)
    only = frozenset({DEPARTMENT})
    return {feed: only if feed in whole else frozenset(there) for feed, there in found.items() if there}


def in_portions(values: Collection[str]) -> Iterator[Sequence[str]]:
    """The values in portions that one statement can take, in a fixed order."""
    return parts(sorted(values))
