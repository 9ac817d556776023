"""The facts of claims as the register has them: of each claim's event day, and as known at a moment.

What a department's row or another household says is looked up anew. What other claims say of a document is not: that
changes with the claims, and stays as it was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from claims.adjudication import Usage, decide
from claims.deciding import Cases, Decided
from claims.facts import Claim, Facts, Used
from foundation.collecting import without_cycle_search
from foundation.sealing import Sealer
from households.facts import facts_of
from households.feeds import FEEDS
from households.models.feeds import DEPARTMENT
from households.queries.own_words import all_with_own_words, households_of, with_own_words
from households.queries.registered import registered
from households.queries.views import View, scopes_of
from households.registered import Registered
from policies.policy import Policy


@without_cycle_search()
def facts_from_register(
    session: Session, sealer: Sealer, view: View, policy: Policy, claims: Sequence[Claim], today: date
) -> dict[str, Facts]:
    """Claim number → its facts, without what earlier claims have used and without shared documents.

    Household, cover, category, income and place are those of the event day. The account is the one of `today`, the day
    of deciding: whoever has changed banks since is paid into the account that they have. Only where the register says
    something of its own does the day matter, so all other households are looked up at once.
    """
    lookups = {claim.id_number: sealer.lookup("id_number", claim.id_number) for claim in claims}
    homes = households_of(session, view, set(lookups.values()))
    own = set() if view.pack_only else with_own_words(session, view, set().union(*homes.values()))
    at_once: list[Claim] = []
    by_day: dict[date, list[Claim]] = defaultdict(list)
    for claim in claims:
        dated = not own.isdisjoint(homes.get(lookups[claim.id_number], ()))
        (by_day[claim.event_on] if dated else at_once).append(claim)
    found: dict[str, Facts] = {}
    if at_once:
        found |= _facts(session, sealer, view, policy, at_once, today, today)
    for day, some in by_day.items():
        found |= _facts(session, sealer, view, policy, some, day, today)
    return found


def _facts(
    session: Session,
    sealer: Sealer,
    view: View,
    policy: Policy,
    claims: Sequence[Claim],
    day: date,
    today: date,
) -> dict[str, Facts]:
    """The facts of some claims with the register as it is of one day."""
    people = {claim.id_number for claim in claims}
    payees = {claim.payee_account for claim in claims if claim.payee_account}
    known, feeds = facts_of(session, sealer, view, people, payees, day)
    if day != today:
        known = _with_accounts_of(session, sealer, view, known, payees, today)
    found: dict[str, Facts] = {}
    for household, members in Cases(known, claims, feeds, policy).by_household():
        people_of = () if household is None else household.members
        places = {member.id_number: place for place, member in enumerate(people_of)}
        for _, claim, around in members:
            alone = replace(around, duplicate_of=None, invoice_also_in=None)
            found[claim.claim_no] = Facts(claim, household, places.get(claim.id_number, -1), alone, Used())
    return found


def _with_accounts_of(
    session: Session, sealer: Sealer, view: View, known: Registered, payees: set[str], today: date
) -> Registered:
    people = {member.id_number for member in known.members}
    now = registered(session, sealer, view, people, payees, today)
    figures = {
        number: replace(
            then,
            account_no=now.figures[number].account_no,
            account_name=now.figures[number].account_name,
            bank_code=now.figures[number].bank_code,
        )
        if number in now.figures
        else then
        for number, then in known.figures.items()
    }
    return Registered(known.members, figures, {**known.accounts, **now.accounts})


def departments_answer(session: Session, view: View) -> bool:
    """Whether a department's own delivery answers for any feed, in place of a pack's copy or beside it."""
    scopes = scopes_of(session, view)
    return any(DEPARTMENT in scopes.get(feed, ()) for feed in FEEDS)


def as_registered(
    session: Session, sealer: Sealer, policy: Policy, decided: Sequence[Decided], today: date
) -> Sequence[Decided]:
    """A pack's claims, decided from the register's facts wherever it says something beside the pack; in order.

    On a county that has nothing but its packs these are the very decisions of the pack.
    """
    view = View(policy.number)
    everybody = departments_answer(session, view)
    own = set() if everybody else all_with_own_words(session, view)
    if not everybody and not own:
        return decided
    lookups = {item.position: sealer.lookup("id_number", item.facts.claim.id_number) for item in decided}
    homes = {} if everybody else households_of(session, view, set(lookups.values()))
    some = [
        item for item in decided if everybody or not own.isdisjoint(homes.get(lookups[item.position], ()))
    ]
    fresh = facts_from_register(session, sealer, view, policy, [item.facts.claim for item in some], today)
    usages: dict[str, Usage] = defaultdict(Usage)
    redecided: dict[int, Decided] = {}
    for item in some:
        facts = with_documents(fresh[item.facts.claim.claim_no], item.facts)
        household = facts.household
        if household is None:
            redecided[item.position] = Decided(item.position, facts, decide(policy, facts))
            continue
        usage = usages[household.household_no]
        facts = replace(facts, used=usage.by(policy, facts.claim, household))
        decision = decide(policy, facts)
        usage.add(policy, facts.claim, household, decision)
        redecided[item.position] = Decided(item.position, facts, decision)
    return [redecided.get(item.position, item) for item in decided]


def with_documents(facts: Facts, before: Facts) -> Facts:
    """Facts with what earlier facts of the claim say of other claims with its document."""
    around = before.surroundings
    return replace(
        facts,
        surroundings=replace(
            facts.surroundings, duplicate_of=around.duplicate_of, invoice_also_in=around.invoice_also_in
        ),
    )
