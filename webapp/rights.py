"""The rights table: which role may call which route, from which place. A route without a row stops the start-up.

A row says who may come in. What they then see is held by their place: every query takes the actor and filters by
`foundation.places.within`; outside it an object does not exist (404).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask import Flask

from foundation.actors import Actor, Role
from foundation.errors import ConfigurationError
from foundation.places import COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS
from foundation.segregation import may_write


class Open(StrEnum):
    """Routes that ask for no role."""

    PUBLIC = "public"
    PASSWORD = "password"  # noqa: S105
    """After the right password, before the second factor: the pages that finish a sign-in."""
    SIGNED_IN = "signed_in"
    """Everybody who is signed in, for what is their own."""


@dataclass(frozen=True, slots=True)
class Right:
    """Who may call a route. `roles` is empty where `open_to` says it."""

    roles: frozenset[Role] = frozenset()
    open_to: Open | None = None
    places: frozenset[int] = frozenset({COUNTY_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS})
    """Digits of the place that the role must be held at: 6 county, 9 town, 12 village."""
    step_up: bool = False
    """Asks for a second factor given in the last minutes."""
    purpose: str = "business"
    """What a write is for: an auditor has only those of `foundation.segregation.AUDITOR_WRITES` (K8)."""
    scope: str | None = None
    """The scope that an API token needs."""
    most_a_minute: int | None = None
    """How often a person may call it in a minute; five times as often all persons of one place together."""

    polled: bool = False
    """A page asks for it by itself, again and again: that keeps nobody signed in."""

    def allows(self, role: Role, place: str) -> bool:
        """Whether a role held at a place may come in."""
        return self.open_to is not None or (role in self.roles and len(place) in self.places)


_COUNTY = frozenset({COUNTY_DIGITS})
_ADJUDICATION = {Role.CLAIM_OFFICER, Role.ADJUDICATOR, Role.ADJ_SENIOR}
_CENTRE = {Role.CENTER_CERTIFIER, Role.CENTER_LEAD}
_FINANCE = {Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON}
_CASES = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.AUDITOR, *_ADJUDICATION, *_CENTRE})
_MONEY = frozenset({Role.AUDITOR, Role.CENTER_LEAD, *_FINANCE})
_PEOPLE = frozenset({Role.SEC_ADMIN, Role.AUDITOR})
_SEES_IN_FULL = frozenset({Role.AUDITOR, Role.CENTER_CERTIFIER, *_ADJUDICATION})
_PACKS = frozenset({Role.CLAIM_OFFICER, Role.CENTER_CERTIFIER})
_STANDARDS = frozenset({Role.LEADING_GROUP, *_CASES})
_OVERVIEW = frozenset(
    {Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.LEADING_GROUP, Role.AUDITOR, Role.CLAIM_OFFICER, *_CENTRE}
)
_FEEDS = frozenset({Role.DEPARTMENT, Role.LEADING_GROUP, Role.AUDITOR, *_CENTRE})
_FEED_SENDERS = frozenset({Role.DEPARTMENT, Role.CENTER_CERTIFIER})
_FEED_FILES = frozenset({Role.DEPARTMENT, Role.AUDITOR, *_CENTRE})
_CLEARERS = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER})
_REPORTERS = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CENTER_CERTIFIER, Role.CLAIM_OFFICER})
_WARNING_MOVERS = frozenset({Role.TOWN_REVIEWER, Role.CLAIM_OFFICER, *_CENTRE})
_RECOGNISERS = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER})
_RECORDERS = frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER})
_DECIDERS = frozenset({Role.TOWN_REVIEWER, *_CENTRE})
_TRAIL = frozenset({Role.AUDITOR, Role.LOG_ADMIN, Role.SEC_ADMIN})


def public() -> Right:
    return Right(open_to=Open.PUBLIC)


def own(purpose: str = "own_account", *, step_up: bool = False) -> Right:
    return Right(open_to=Open.SIGNED_IN, purpose=purpose, step_up=step_up)


def county(roles: Iterable[Role], purpose: str = "business", *, step_up: bool = False) -> Right:
    return Right(frozenset(roles), places=_COUNTY, purpose=purpose, step_up=step_up)


TABLE: dict[tuple[str, str], Right] = {
    # Everybody
    ("static", "GET"): public(),
    ("health.live", "GET"): public(),
    ("health.ready", "GET"): public(),
    ("health.metrics_page", "GET"): public(),
    ("account.language", "POST"): public(),
    ("account.theme", "POST"): public(),
    # Signing in, and one's own account
    ("account.sign_in", "GET"): public(),
    ("account.sign_in", "POST"): public(),
    ("account.second_factor", "GET"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.second_factor", "POST"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.enrol", "GET"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.enrol", "POST"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.new_password", "GET"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.new_password", "POST"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.sign_out", "POST"): Right(open_to=Open.PASSWORD, purpose="own_account"),
    ("account.step_up", "GET"): own(),
    ("account.step_up", "POST"): own(),
    ("account.own", "GET"): own(),
    ("account.switch_role", "POST"): own(),
    ("account.end_session", "POST"): own(),
    ("tokens.listed", "GET"): own(),
    ("tokens.make_token", "POST"): own(step_up=True),
    ("tokens.revoke_token", "POST"): own(),
    ("home.home", "GET"): own(),
    ("dashboard.shown", "GET"): Right(_OVERVIEW),
    # People, accounts, roles, limits
    ("staff.people", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("staff.person", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("staff.waiting", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("staff.add_person", "POST"): county({Role.SEC_ADMIN}),
    ("staff.add_account", "POST"): county({Role.SEC_ADMIN}),
    ("staff.set_state", "POST"): county({Role.SEC_ADMIN}),
    ("staff.reset_password", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("staff.reset_second_factor", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("staff.ask_role", "POST"): county({Role.SEC_ADMIN}),
    ("staff.ask_limit", "POST"): county({Role.SEC_ADMIN}),
    ("staff.declare_kin", "POST"): county({Role.SEC_ADMIN}),
    ("staff.decide", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("staff.end", "POST"): county({Role.SEC_ADMIN}),
    # The trail
    ("trail.listed", "GET"): county(_TRAIL),
    ("trail.blocks", "GET"): county(_TRAIL),
    ("trail.event", "GET"): county(_TRAIL),
    ("trail.event_proof", "GET"): county(_TRAIL),
    ("trail.consistency", "GET"): county(_TRAIL),
    ("trail.case", "GET"): county(_TRAIL),
    ("trail.progress", "GET"): Right(_TRAIL, places=_COUNTY, polled=True),
    ("trail.verify_now", "POST"): Right(_TRAIL, places=_COUNTY, purpose="compare", most_a_minute=6),
    ("trail.export", "POST"): Right(
        frozenset({Role.AUDITOR, Role.LOG_ADMIN}), places=_COUNTY, purpose="download", most_a_minute=6
    ),
    # Consent texts and impact assessments
    ("consents.listed", "GET"): Right(_CASES),
    ("consents.shown", "GET"): Right(_CASES),
    ("assessments.listed", "GET"): county(_PEOPLE),
    ("assessments.shown", "GET"): county(_PEOPLE),
    ("assessments.add", "POST"): county({Role.SEC_ADMIN}),
    # Keys
    ("keys.listed", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("keys.progress", "GET"): Right(frozenset({Role.SEC_ADMIN, Role.AUDITOR}), places=_COUNTY, polled=True),
    ("keys.rotate", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("keys.retire", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    # Terms, erasures, legal holds
    ("retention.listed", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("retention.destroyed", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR}),
    ("retention.ask", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("retention.decide", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("retention.again", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("retention.hold", "POST"): county({Role.SEC_ADMIN}),
    ("retention.lift", "POST"): county({Role.SEC_ADMIN}, step_up=True),
    ("jobs.listed", "GET"): county({Role.SYS_ADMIN, *_PACKS, *_FINANCE}),
    ("jobs.again", "POST"): county({Role.SYS_ADMIN}),
    # Claims
    ("claims.listed", "GET"): Right(_CASES),
    ("claims.find", "POST"): Right(_CASES, purpose="compare", most_a_minute=200),
    ("claims.shown", "GET"): Right(_CASES),
    ("claims.masked_again", "GET"): Right(_SEES_IN_FULL),
    ("claims.full", "POST"): Right(_SEES_IN_FULL, purpose="reveal"),
    ("claims.export", "POST"): Right(frozenset({Role.AUDITOR, *_ADJUDICATION, *_CENTRE}), purpose="download"),
    # County packs
    ("packs.listed", "GET"): county({*_PACKS, Role.AUDITOR}),
    ("packs.upload", "POST"): Right(_PACKS, places=_COUNTY, most_a_minute=10),
    ("packs.shown", "GET"): county({*_PACKS, Role.AUDITOR}),
    ("packs.progress", "GET"): Right(frozenset({*_PACKS, Role.AUDITOR}), places=_COUNTY, polled=True),
    ("packs.errors", "POST"): county(_PACKS, "download"),
    ("packs.take_in", "POST"): county(_PACKS),
    ("packs.again", "POST"): county(_PACKS),
    ("packs.discard", "POST"): county(_PACKS),
    # The county's standards
    ("standards.listed", "GET"): Right(_STANDARDS),
    ("standards.shown", "GET"): Right(_STANDARDS),
    ("standards.blank", "GET"): county(_CENTRE),
    ("standards.add", "POST"): county(_CENTRE),
    ("standards.next_year", "POST"): county(_CENTRE),
    ("standards.decided", "POST"): county({Role.CENTER_LEAD, Role.LEADING_GROUP}),
    # Departments' data; a department its own (`households.queries.feed_uploads`)
    ("feeds.listed", "GET"): county(_FEEDS),
    ("feeds.shown", "GET"): county(_FEEDS),
    ("feeds.template", "GET"): county(_FEEDS),
    ("feeds.upload", "POST"): Right(_FEED_SENDERS, places=_COUNTY, most_a_minute=10),
    ("feeds.uploaded", "GET"): county(_FEED_FILES),
    ("feeds.progress", "GET"): Right(_FEED_FILES, places=_COUNTY, polled=True),
    ("feeds.errors", "POST"): county(_FEED_SENDERS, "download"),
    ("feeds.take_in", "POST"): county(_FEED_SENDERS),
    ("feeds.again", "POST"): county(_FEED_SENDERS),
    ("feeds.discard", "POST"): county(_FEED_SENDERS),
    # The register
    ("households.listed", "GET"): Right(_CASES),
    ("households.find", "POST"): Right(_CASES, purpose="compare", most_a_minute=200),
    ("households.shown", "GET"): Right(_CASES),
    ("households.masked_again", "GET"): Right(_SEES_IN_FULL),
    ("households.full", "POST"): Right(_SEES_IN_FULL, purpose="reveal"),
    ("households.as_of", "GET"): Right(_CASES),
    ("households.changes.offered", "GET"): Right(_RECORDERS),
    ("households.changes.blank", "GET"): Right(_RECORDERS),
    ("households.changes.entered", "POST"): Right(_RECORDERS, most_a_minute=60),
    ("households.proposals.listed", "GET"): Right(_CASES),
    ("households.proposals.shown", "GET"): Right(_CASES),
    ("households.proposals.decided", "POST"): Right(_DECIDERS),
    ("households.proposals.withdrawn", "POST"): Right(frozenset({*_RECORDERS, Role.CENTER_CERTIFIER})),
    ("households.proposals.paper", "POST"): Right(
        frozenset({Role.AUDITOR, *_RECORDERS, *_CENTRE}), purpose="download"
    ),
    ("households.tasks.listed", "GET"): Right(_CASES),
    ("households.tasks.shown", "GET"): Right(_CASES),
    ("households.tasks.settled", "POST"): Right(_DECIDERS),
    # Early warning
    ("warnings.listed", "GET"): Right(_CASES),
    ("warnings.shown", "GET"): Right(_CASES),
    ("warnings.dismissed", "POST"): Right(_WARNING_MOVERS),
    ("warnings.transferred", "POST"): Right(_WARNING_MOVERS),
    ("warnings.reopened", "POST"): Right(_WARNING_MOVERS),
    ("warnings.photo", "POST"): Right(_CASES, purpose="download"),
    ("warning_reports.whom", "GET"): Right(_REPORTERS),
    ("warning_reports.found", "POST"): Right(_REPORTERS, most_a_minute=60),
    ("warning_reports.blank", "GET"): Right(_REPORTERS),
    ("warning_reports.add", "POST"): Right(_REPORTERS, most_a_minute=60),
    ("warning_reports.blank_stranger", "GET"): Right(_REPORTERS),
    ("warning_reports.add_stranger", "POST"): Right(_REPORTERS, most_a_minute=60),
    ("claim_forms.shown", "GET"): Right(_CASES),
    ("claim_forms.ask", "POST"): Right(_REPORTERS, most_a_minute=60),
    # What is owed and not claimed
    ("owed.listed", "GET"): Right(_CASES),
    ("owed.shown", "GET"): Right(_CASES),
    ("owed.opened", "POST"): Right(frozenset({Role.CENTER_LEAD, *_REPORTERS}), most_a_minute=60),
    ("owed.again", "POST"): Right(frozenset(_CENTRE), places=_COUNTY, most_a_minute=6),
    ("owed.export", "POST"): Right(
        frozenset({Role.AUDITOR, Role.CLAIM_OFFICER, Role.TOWN_REVIEWER, *_CENTRE}), purpose="download"
    ),
    # The comparison
    ("comparison.listed", "GET"): Right(_CASES),
    ("comparison.progress", "GET"): Right(_CASES, polled=True),
    ("comparison.one_household", "POST"): county({Role.CENTER_CERTIFIER}),
    ("comparison.everyone", "POST"): county({Role.CENTER_CERTIFIER}),
    ("comparison.listed_people", "POST"): Right(
        frozenset({Role.CENTER_CERTIFIER}), places=_COUNTY, most_a_minute=10
    ),
    ("comparison.check", "POST"): Right(
        frozenset({Role.AUDITOR}), places=_COUNTY, purpose="compare", most_a_minute=10
    ),
    ("comparison.runs.shown", "GET"): Right(_CASES),
    ("comparison.runs.household", "GET"): Right(_CASES),
    ("comparison.runs.changed", "GET"): Right(_CASES),
    ("comparison.runs.export", "POST"): Right(
        frozenset({Role.AUDITOR, *_ADJUDICATION, *_CENTRE}), purpose="download"
    ),
    ("comparison.runs.export_changed", "POST"): Right(
        frozenset({Role.AUDITOR, *_ADJUDICATION, *_CENTRE}), purpose="download"
    ),
    ("clearances.blank", "GET"): Right(_CLEARERS),
    ("clearances.ask", "POST"): Right(_CLEARERS, most_a_minute=20),
    # Recognition, and the three ledgers
    ("recognitions.listed", "GET"): Right(_CASES),
    ("recognitions.blank", "GET"): Right(_RECOGNISERS),
    ("recognitions.add", "POST"): Right(_RECOGNISERS, most_a_minute=20),
    ("recognitions.shown", "GET"): Right(_CASES),
    ("recognitions.decided", "POST"): county(_CENTRE),
    ("recognitions.reviewed", "POST"): Right(frozenset({*_RECOGNISERS, Role.CENTER_LEAD})),
    ("recognitions.leave", "POST"): Right(frozenset(_CENTRE), places=_COUNTY, most_a_minute=20),
    ("recognitions.measure", "POST"): Right(frozenset({*_RECOGNISERS, *_CENTRE})),
    ("recognitions.paper", "POST"): Right(_CASES, purpose="download"),
    ("ledgers.shown", "GET"): Right(_CASES),
    ("ledgers.export", "POST"): Right(frozenset({Role.AUDITOR, *_RECOGNISERS, *_CENTRE}), purpose="download"),
    # Payments
    ("payments.batches", "GET"): county(_MONEY),
    ("payments.batch", "GET"): county(_MONEY),
    ("payments.masked_again", "GET"): county(_FINANCE),
    ("payments.full", "POST"): county(_FINANCE),
    ("payments.take_file", "POST"): county(
        {Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER}, "download", step_up=True
    ),
    # Documents
    ("reports.documents", "GET"): Right(frozenset({*_MONEY, *_CASES})),
    ("reports.ask_notice", "POST"): Right(
        frozenset({Role.VILLAGE_OFFICER, Role.TOWN_REVIEWER, Role.CLAIM_OFFICER, *_CENTRE}), most_a_minute=60
    ),
    ("certificates.blank", "GET"): Right(frozenset({*_RECOGNISERS, Role.CLAIM_OFFICER, *_CENTRE})),
    ("certificates.ask", "POST"): Right(
        frozenset({*_RECOGNISERS, Role.CLAIM_OFFICER, *_CENTRE}), most_a_minute=60
    ),
    ("reports.document", "GET"): Right(frozenset({*_MONEY, *_CASES})),
    ("reports.hand_out", "POST"): Right(frozenset({*_MONEY, *_CASES}), purpose="download"),
    # Exports and access
    ("exports.listed", "GET"): Right(frozenset({*_MONEY, *_CASES, Role.SEC_ADMIN, Role.LOG_ADMIN})),
    ("exports.decide", "POST"): county({Role.SEC_ADMIN, Role.CENTER_LEAD}, step_up=True),
    ("access.listed", "GET"): county({Role.SEC_ADMIN, Role.AUDITOR, Role.LOG_ADMIN}),
    # The API, by token
    ("api_docs.openapi", "GET"): public(),
    ("api_docs.page", "GET"): public(),
    ("api_people.me", "GET"): own(),
    ("api_people.listed", "GET"): Right(_PEOPLE, places=_COUNTY, scope="people:read"),
    ("api_people.shown", "GET"): Right(_PEOPLE, places=_COUNTY, scope="people:read"),
    ("api_people.changed", "PATCH"): Right(frozenset({Role.SEC_ADMIN}), places=_COUNTY, scope="people:write"),
    ("api_claims.listed", "GET"): Right(_CASES, scope="claims:read"),
    ("api_claims.shown", "GET"): Right(_CASES, scope="claims:read"),
    ("api_claims.full_view", "POST"): Right(_SEES_IN_FULL, purpose="reveal", scope="claims:reveal"),
    ("api_owed.listed", "GET"): Right(_CASES, scope="registry:read"),
    ("api_standards.listed", "GET"): Right(_STANDARDS, scope="registry:read"),
    ("api_standards.shown", "GET"): Right(_STANDARDS, scope="registry:read"),
    ("api_dashboard.shown", "GET"): Right(_OVERVIEW, scope="registry:read"),
    ("api_feeds.listed", "GET"): Right(_FEEDS, places=_COUNTY, scope="registry:read"),
    ("api_feeds.shown", "GET"): Right(_FEEDS, places=_COUNTY, scope="registry:read"),
    ("api_feeds.delivered", "POST"): Right(
        _FEED_SENDERS, places=_COUNTY, scope="feeds:write", most_a_minute=30
    ),
    ("api_feeds.uploaded", "GET"): Right(_FEED_FILES, places=_COUNTY, scope="registry:read"),
    ("api_households.listed", "GET"): Right(_CASES, scope="registry:read"),
    ("api_households.shown", "GET"): Right(_CASES, scope="registry:read"),
    ("api_households.eligibility", "POST"): Right(_CASES, purpose="compare", scope="registry:read"),
    ("api_warnings.listed", "GET"): Right(_CASES, scope="registry:read"),
    ("api_warnings.shown", "GET"): Right(_CASES, scope="registry:read"),
    ("api_warnings.reported", "POST"): Right(_REPORTERS, scope="registry:write"),
    ("api_comparisons.listed", "GET"): Right(_CASES, scope="registry:read"),
    ("api_comparisons.shown", "GET"): Right(_CASES, scope="registry:read"),
    ("api_comparisons.started", "POST"): Right(
        frozenset({Role.CENTER_CERTIFIER}), places=_COUNTY, scope="registry:write"
    ),
    ("api_recognitions.listed", "GET"): Right(_CASES, scope="registry:read"),
    ("api_recognitions.shown", "GET"): Right(_CASES, scope="registry:read"),
    ("api_trail.head", "GET"): Right(_TRAIL, places=_COUNTY, scope="trail:read"),
    ("api_trail.events", "GET"): Right(_TRAIL, places=_COUNTY, scope="trail:read"),
    ("api_trail.event", "GET"): Right(_TRAIL, places=_COUNTY, scope="trail:read"),
    ("api_trail.blocks", "GET"): Right(_TRAIL, places=_COUNTY, scope="trail:read"),
    ("api_payments.listed", "GET"): Right(_MONEY, places=_COUNTY, scope="payments:read"),
    ("api_payments.shown", "GET"): Right(_MONEY, places=_COUNTY, scope="payments:read"),
}
"""(endpoint, method) → who. HEAD goes with GET, OPTIONS is answered by Flask."""

_ANSWERED_BY_FLASK = frozenset({"HEAD", "OPTIONS"})


def routes(app: Flask) -> set[tuple[str, str]]:
    """Every (endpoint, method) that the application answers."""
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - _ANSWERED_BY_FLASK
    }


def check_complete(app: Flask) -> None:
    """Raises ConfigurationError when a route has no row, a row no route, or a row breaks K8."""
    there = routes(app)
    wrong = [f"{endpoint} {method}: no row" for endpoint, method in sorted(there - TABLE.keys())]
    wrong += [f"{endpoint} {method}: no route" for endpoint, method in sorted(TABLE.keys() - there)]
    wrong += [
        f"{endpoint} {method}: an auditor would write"
        for (endpoint, method), right in TABLE.items()
        if method != "GET" and Role.AUDITOR in right.roles and not may_write(Role.AUDITOR, right.purpose)
    ]
    if wrong:
        listed = "\n".join(wrong)
        raise ConfigurationError(
            f"权限表与路由不一致:\n{listed}", f"the rights table and the routes differ:\n{listed}"
        )


def right_of(endpoint: str, method: str) -> Right | None:
    """The row for a request; HEAD is a GET without a body."""
    return TABLE.get((endpoint, "GET" if method == "HEAD" else method))


def may_open(actor: Actor, endpoint: str) -> bool:
    """Whether the rights table lets somebody in to a page."""
    right = right_of(endpoint, "GET")
    return right is not None and right.allows(actor.role, actor.place)
