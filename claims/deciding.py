"""Many claims decided, pure: each one's facts and decision, in the order of deciding (rules.md §4–6).

What stands here depends on what is given and on the policy alone; where it comes from is `claims.services`' part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claims.adjudication import Decision, adjudicate
from claims.facts import Claim, Facts, Surroundings
from claims.matching import Matcher, in_order
from foundation.collecting import without_cycle_search
from foundation.money import yuan_text
from households.facts import FactsOfHouseholds
from households.feeds import Feeds
from households.household import Household
from households.registered import Registered, registered_of_roster
from households.roster import RosterRow
from policies.policy import Policy


@dataclass(frozen=True, slots=True)
class Decided:
    """One claim with what it was decided from and how. `position` counts from 0 in the order of deciding."""

    position: int
    facts: Facts
    decision: Decision


class Cases:
    """Claims put together for deciding: in order, with the facts of their households, and each claim's surroundings."""

    @without_cycle_search()
    def __init__(self, registered: Registered, claims: Sequence[Claim], feeds: Feeds, policy: Policy) -> None:
        self.policy = policy
        self.claims = in_order(claims)
        self.households = FactsOfHouseholds(registered, feeds)
        self._matcher = Matcher(self.claims, feeds, self.households)

    def by_household(self) -> Iterator[tuple[Household | None, list[tuple[int, Claim, Surroundings]]]]:
        """Each household with its claims in order; claimants who are not insured come under None, one by one."""
        groups: dict[str, list[tuple[int, Claim]]] = defaultdict(list)
        for position, claim in enumerate(self.claims):
            number = self.households.household_no(claim.id_number)
            if number is None:
                yield None, [(position, claim, self._matcher.surroundings(claim, None))]
            else:
                groups[number].append((position, claim))
        for number, members in groups.items():
            household = self.households.household(number)
            yield (
                household,
                [(place, claim, self._matcher.surroundings(claim, household)) for place, claim in members],
            )

    @without_cycle_search()
    def decide_all(self) -> list[Decided]:
        """Every claim decided from the pack alone, in order."""
        decided: list[Decided] = []
        for household, claims in self.by_household():
            outcomes = adjudicate(self.policy, household, ((claim, around) for _, claim, around in claims))
            for (position, _, _), (facts, decision) in zip(claims, outcomes, strict=True):
                decided.append(Decided(position, facts, decision))
        decided.sort(key=lambda item: item.position)
        return decided


def cases_of_pack(
    roster: Sequence[RosterRow], claims: Sequence[Claim], feeds: Feeds, policy: Policy
) -> Cases:
    """The claims of a pack, with what the pack alone says."""
    return Cases(registered_of_roster(roster, policy.period_to), claims, feeds, policy)


DECISION_COLUMNS = ("claim_no", "line", "benefit", "outcome", "amount", "reasons")


def decision_rows(decided: Sequence[Decided]) -> Iterator[tuple[str, ...]]:
    """Rows of decisions.csv (rules.md §6)."""
    for item in decided:
        made = item.decision
        yield (
            made.claim_no,
            made.line,
            made.benefit,
            made.outcome,
            yuan_text(made.payable_fen),
            ";".join(made.reasons),
        )
