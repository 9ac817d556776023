"""Taking in a county pack: policy, people, households, feeds, claims and decisions, in one transaction.

The same pack again changes nothing and says so; a changed one adds what is new, changes what is not determined yet, and
opens a review on the rest.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from claims import intake_files
from claims.deciding import Cases, Decided, cases_of_pack
from claims.facts import Claim
from claims.models import PackIntake
from claims.pack import POLICY_FILE, Pack
from claims.queries.registered_facts import as_registered
from claims.services.intake import take_in_claims
from claims.services.listing import refresh
from claims.services.warning_links import link_open_cases
from foundation.actors import Actor
from foundation.clock import business_day
from foundation.database import one_at_a_time
from foundation.sealing import Sealer
from foundation.trail.events import Change, record
from households import roster
from households.facts import facts_of
from households.feeds import COLUMNS, file_of
from households.queries.views import View
from households.services.deliveries import take_in_pack_feeds
from households.services.roster import take_in_roster
from policies.policy import Policy
from policies.services import take_in_policy


@dataclass(frozen=True, slots=True)
class PackTakenIn:
    """What taking in changed. `unchanged` is True for the pack that was taken in last: then all counts are 0."""

    unchanged: bool
    rows_added: int = 0
    rows_changed: int = 0
    decisions: int = 0
    reviews: int = 0


def pack_files(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a pack that counts, by its path in the pack."""
    names = (POLICY_FILE, roster.FILE, intake_files.FILE, *map(file_of, COLUMNS))
    return {name: _sha256(folder / name) for name in sorted(names) if (folder / name).is_file()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack_digest(files: dict[str, str]) -> str:
    """The digest of a pack, from those of its files: the same pack again has the same."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def last_digest(session: Session, policy_number: str) -> str | None:
    """The digest of the pack that was taken in last under a policy number."""
    of_policy = select(PackIntake.digest).where(PackIntake.policy_number == policy_number)
    return session.execute(of_policy.order_by(PackIntake.sequence.desc()).limit(1)).scalar()


def take_in_pack(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    pack: Pack,
    files: dict[str, str],
    policy: Policy,
) -> tuple[PackTakenIn, list[Decided]]:
    """Stores a pack, decides its claims from what was stored, and stores that; what it changed, and the decisions.

    The decisions given back rest on the pack alone. Proposed, and compared with what was determined, is what the
    register says where it knows more than the pack. `files` are the digests taken before it was read.
    """
    one_at_a_time(session, "claims")
    digest = pack_digest(files)
    policy_id = take_in_policy(session, actor, at, policy)
    last = last_digest(session, policy.number)
    if last == digest:
        # From the files: at the end of its term the register may have let go of what they say.
        cases = cases_of_pack(pack.roster, pack.claims, pack.feeds, policy)
        return PackTakenIn(unchanged=True), cases.decide_all()
    people = take_in_roster(session, sealer, actor, at, policy.number, policy.period_to, pack.roster)
    take_in_pack_feeds(session, sealer, actor, at, policy.number, pack.feeds, files)
    decided = decide_pack(session, sealer, policy, pack.claims)
    towns = {row.id_number: row.town for row in pack.roster}
    proposed = as_registered(session, sealer, policy, decided, business_day(at))
    claims = take_in_claims(session, sealer, actor, at, policy, policy_id, proposed, people.households, towns)
    refresh(session, at)
    link_open_cases(session, sealer, actor, at)
    sequence = (session.scalar(select(func.max(PackIntake.sequence))) or 0) + 1
    intake = PackIntake(
        id=secrets.token_hex(16),
        sequence=sequence,
        policy_id=policy_id,
        policy_number=policy.number,
        digest=digest,
        files=json.dumps(files, sort_keys=True),
        people=len(pack.roster),
        claims=len(decided),
        refused_cells=len(pack.errors),
        taken_in_at=at,
    )
    session.add(intake)
    session.flush()
    record(session, actor, at, [Change("pack.taken_in", "pack_intake", intake.id, after=digest, before=last)])
    taken_in = PackTakenIn(
        unchanged=False,
        rows_added=people.added + claims.added,
        rows_changed=people.changed + claims.changed,
        decisions=claims.decisions,
        reviews=claims.reviews,
    )
    return taken_in, decided


def decide_pack(session: Session, sealer: Sealer, policy: Policy, claims: Sequence[Claim]) -> list[Decided]:
    """The claims of a pack that was taken in, decided from its own roster and feeds as the register has them.

    Whatever else the register knows stays out: what a pack decides depends on the pack alone (design.md §4).
    """
    people = {claim.id_number for claim in claims}
    payees = {claim.payee_account for claim in claims if claim.payee_account}
    view = View(policy.number, pack_only=True)
    registered, feeds = facts_of(session, sealer, view, people, payees)
    return Cases(registered, claims, feeds, policy).decide_all()
