"""What is at the end of its term on a day, by the table of terms, and what is not: held, kept longer, or still open.

Records are looked at group by group (`foundation.privacy.retention`), all of them for a plan, or a portion of them just
before it is erased. Of the terms that apply to a record the longest counts; a household and its people are kept as long
as any claim of theirs is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from claims.models import ClaimRow
from claims.services.erasing import ClaimKept, UploadKept, claims_there, uploads_there
from claims.states import APPROVED
from foundation.privacy import erasing as notes
from foundation.privacy.retention import Group, RetentionTable
from foundation.sealing import Sealer
from households.erasing import (
    Covered,
    Kept,
    covers_of_households,
    covers_of_people,
    households_there,
    people_there,
)
from households.feed_erasing import deliveries_there, feed_uploads_there
from payments.services.erasing import batches_kept, batches_with_files, last_booked
from policies.queries import periods
from reports.erasing import BATCH_KINDS, COUNTY_KINDS, documents_there
from reports.models import IssuedDocument
from webapp.legal_holds import Held

_LONG_CONTRACT_DAYS = 366
"""A contract of more days than a leap year is one of more than a year (保险法 87)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How one record stands to its terms: the last day of the first that ends, and of the last; None while open."""

    id: str
    first: date | None
    until: date | None
    held: bool

    def due(self, day: date) -> bool:
        """Whether its content may go on a day."""
        return self.over(day) and not self.held

    def over(self, day: date) -> bool:
        """Whether every term is over, held or not."""
        return self.until is not None and self.until < day


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What is due of one group: each record with the last day of its term; and how many are not, and why."""

    code: str
    due: Mapping[str, date]
    held: int
    """Past their term, and kept by a legal hold."""
    longer: int
    """Past one of their terms, and kept by a longer one that applies."""
    running: int
    """Within all their terms."""
    open: int
    """Whose business is not over, so that no term has begun."""

    @property
    def oldest(self) -> date | None:
        """The earliest last day of what is due."""
        return min(self.due.values(), default=None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due on a day, by group, in the order in which it is erased."""

    day: date
    groups: tuple[GroupPlan, ...]

    @property
    def total(self) -> int:
        """Records due."""
        return sum(len(group.due) for group in self.groups)


def plan(session: Session, sealer: Sealer, table: RetentionTable, day: date) -> Plan:
    """The dry run: what could be erased on a day. Changes nothing."""
    looking = Looking(session, sealer, table, day)
    return Plan(day, tuple(_planned(group, looking.stands(group), day) for group in table.erased))


def _planned(group: Group, stands: Iterable[Stand], day: date) -> GroupPlan:
    due: dict[str, date] = {}
    counted = dict.fromkeys(("held", "longer", "running", "open"), 0)
    for stand in stands:
        if stand.until is not None and stand.due(day):
            due[stand.id] = stand.until
        elif stand.over(day):
            counted["held"] += 1
        elif stand.first is not None and stand.first < day:
            counted["longer"] += 1
        else:
            counted["open" if stand.until is None else "running"] += 1
    return GroupPlan(group.code, due, **counted)


@dataclass
class Looking:
    """Looks at records in one transaction; `ids` narrow it to a portion of a group."""

    session: Session
    sealer: Sealer
    table: RetentionTable
    day: date
    held: Held = field(init=False)

    def __post_init__(self) -> None:
        self._all: list[tuple[ClaimKept, Stand]] | None = None
        self.held = Held.of(self.session)
        self._periods = periods(self.session)

    def stands(self, group: Group, ids: Sequence[str] | None = None) -> list[Stand]:
        """How the records of a group stand; those whose content is out already are not among them."""
        return _LOOKS[group.code](self, group, ids)

    # --- claims ------------------------------------------------------------------------------------------------------

    def paid_claims(self, _group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return [stand for claim, stand in self._claims(_some(ClaimRow.id, ids)) if claim.state == APPROVED]

    def unpaid_claims(self, _group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return [stand for claim, stand in self._claims(_some(ClaimRow.id, ids)) if claim.state != APPROVED]

    def _claims(self, which: ColumnElement[bool] | None) -> list[tuple[ClaimKept, Stand]]:
        """The claims that a condition names, or all, which are looked at once for all groups."""
        if which is None:
            if self._all is None:
                self._all = self._looked_at(true())
            return self._all
        return self._looked_at(which)

    def _looked_at(self, which: ColumnElement[bool]) -> list[tuple[ClaimKept, Stand]]:
        claims = claims_there(self.session, which)
        determined = [claim.determination_id for claim in claims if claim.determination_id is not None]
        small = len(determined) <= notes.MOST_IDS
        booked = last_booked(self.session, determined if small else None)
        return [(claim, self._claim(claim, booked)) for claim in claims]

    def _claim(self, claim: ClaimKept, booked: Mapping[str, date | None]) -> Stand:
        paid = claim.state == APPROVED
        ended = booked.get(claim.determination_id or "") if paid else claim.ended_on
        held = claim.id in self.held.claims
        group = self.table.group("paid_claim" if paid else "unpaid_claim")
        days = None if ended is None else self._contract([claim.policy_number], ended)
        if days is not None and paid and ended is not None:
            days["booked"] = ended
        return self._stand(group, claim.id, days, held)

    def _contract(self, policy_numbers: Iterable[str], *ends: date) -> dict[str, date]:
        """The days that insurance files run from: the end of the contract, and of the relation with the insured."""
        days: dict[str, date] = {}
        for number in policy_numbers:
            first, last = self._periods[number]
            which = "long" if (last - first).days + 1 > _LONG_CONTRACT_DAYS else "short"
            key = f"{which}_contract_end"
            days[key] = max(last, days.get(key, last))
        days["relation_end"] = max([*days.values(), *ends])
        return days

    @staticmethod
    def _stand(group: Group, identity: str, days: Mapping[str, date] | None, held: bool) -> Stand:
        span = None if days is None else group.span(days)
        first, until = (None, None) if span is None else span
        return Stand(identity, first, until, held)

    # --- households and people ---------------------------------------------------------------------------------------

    def households(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        covers: dict[str, list[Covered]] = defaultdict(list)
        for cover in covers_of_households(self.session, ids):
            covers[cover.household_id].append(cover)
        claims: dict[str, list[Stand]] = defaultdict(list)
        for claim, stand in self._claims(_some(ClaimRow.household_id, ids)):
            claims[claim.household_id or ""].append(stand)
        return [
            self._insured(group, kept, covers[kept.id], claims[kept.id], {kept.id})
            for kept in households_there(self.session, ids)
        ]

    def people(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        kept = people_there(self.session, ids)
        covers: dict[str, list[Covered]] = defaultdict(list)
        for cover in covers_of_people(self.session, ids):
            covers[cover.person_id].append(cover)
        which: ColumnElement[bool] | None = None
        if ids is not None:
            households = {cover.household_id for found in covers.values() for cover in found}
            own = ClaimRow.id_lookup.in_([person.key for person in kept])
            which = or_(ClaimRow.household_id.in_(households), own)
        of_household: dict[str, list[Stand]] = defaultdict(list)
        of_person: dict[str, list[Stand]] = defaultdict(list)
        for claim, stand in self._claims(which):
            of_household[claim.household_id or ""].append(stand)
            of_person[claim.id_lookup].append(stand)
        stands = []
        for person in kept:
            homes = {cover.household_id for cover in covers[person.id]}
            claims = [*of_person[person.key], *(stand for home in homes for stand in of_household[home])]
            stands.append(self._insured(group, person, covers[person.id], claims, homes))
        return stands

    def _insured(
        self, group: Group, kept: Kept, covers: Sequence[Covered], claims: Sequence[Stand], homes: set[str]
    ) -> Stand:
        """A household or a person: ten years after the cover, and as long as any claim of theirs is there."""
        numbers = {cover.policy_number for cover in covers}
        ends = [cover.cover_to for cover in covers] or [kept.changed_on]
        held = self.held.insured(homes, numbers) or any(claim.held for claim in claims)
        own = self._stand(group, kept.id, self._contract(numbers, *ends), held)
        until = own.until
        for claim in claims:
            until = None if until is None or claim.until is None else max(until, claim.until)
        return Stand(kept.id, own.first, until, held)

    # --- files, uploads and notes ------------------------------------------------------------------------------------

    def batches(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        summaries = documents_there(self.session, BATCH_KINDS, notes.chosen(IssuedDocument.subject_id, ids))
        there = batches_with_files(self.session) | {document.subject_id for document in summaries}
        return [
            self._stand(
                group,
                batch.id,
                None
                if batch.exported_on is None
                else {"booked": batch.exported_on, "relation_end": batch.exported_on},
                self.held.about(batch.id) or batch.policy_number in self.held.policies,
            )
            for batch in batches_kept(self.session, ids)
            if batch.id in there
        ]

    def county_documents(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        found = documents_there(self.session, COUNTY_KINDS, notes.chosen(IssuedDocument.id, ids))
        return [
            self._stand(
                group,
                document.id,
                {"booked": document.issued_on},
                self.held.county_document(document.subject_id),
            )
            for document in found
        ]

    def uploads(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        """Packs taken in are kept as long as any claim under their policy number."""
        found = [row for row in self._uploads(ids) if row.state == "taken_in"]
        latest: dict[str, date | None] = {}
        numbers = {row.policy_number for row in found if row.policy_number is not None}
        for claim, stand in self._claims(ClaimRow.policy_number.in_(numbers)) if numbers else ():
            before = latest.get(claim.policy_number, date.min)
            latest[claim.policy_number] = (
                None if before is None or stand.until is None else max(before, stand.until)
            )
        stands = []
        for row in found:
            own = self._stand(
                group,
                row.id,
                None if row.day is None else {"received": row.day},
                self.held.upload(row.policy_number),
            )
            last = latest.get(row.policy_number or "", date.min)
            until = None if own.until is None or last is None else max(own.until, last)
            stands.append(Stand(row.id, own.first, until, own.held))
        return stands

    def unused_uploads(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return [
            self._stand(
                group,
                row.id,
                None if row.day is None else {"received": row.day},
                self.held.upload(row.policy_number),
            )
            for row in self._uploads(ids)
            if row.state != "taken_in"
        ]

    def _uploads(self, ids: Sequence[str] | None) -> list[UploadKept]:
        return uploads_there(self.session, self.sealer, ids)

    def deliveries(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        """Departments' rows: of a pack from the end of its contract, else from when the department took them back.

        While anybody is held, all rows of departments are kept: they are about everybody.
        """
        stands = []
        for row in deliveries_there(self.session, ids):
            ended = self._periods[row.scope][1] if row.scope else row.retired_on
            held = self.held.upload(row.scope) if row.scope else self.held.anybody
            stands.append(
                self._stand(group, row.id, None if ended is None else {"relation_end": ended}, held)
            )
        return stands

    def feed_uploads(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return [
            self._stand(
                group,
                row.id,
                None if row.ended_on is None else {"received": row.ended_on},
                self.held.anybody,
            )
            for row in feed_uploads_there(self.session, ids)
        ]

    def disclosure_notes(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return self._notes(group, notes.disclosure_notes(self.session, ids))

    def export_notes(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return self._notes(group, notes.export_notes(self.session, ids))

    def hold_reasons(self, group: Group, ids: Sequence[str] | None) -> list[Stand]:
        return self._notes(group, notes.hold_reasons(self.session, ids))

    def _notes(self, group: Group, found: Iterable[notes.Note]) -> list[Stand]:
        return [
            self._stand(
                group,
                note.id,
                None if note.day is None else {"recorded": note.day},
                self.held.about(note.subject_id),
            )
            for note in found
        ]


def _some(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], ids: Sequence[str] | None
) -> ColumnElement[bool] | None:
    """A condition for some ids; None for all."""
    return None if ids is None else column.in_(ids)


_LOOKS: Mapping[str, Callable[[Looking, Group, Sequence[str] | None], list[Stand]]] = {
    "paid_claim": Looking.paid_claims,
    "unpaid_claim": Looking.unpaid_claims,
    "batch": Looking.batches,
    "county_document": Looking.county_documents,
    "upload": Looking.uploads,
    "unused_upload": Looking.unused_uploads,
    "household": Looking.households,
    "person": Looking.people,
    "delivery": Looking.deliveries,
    "feed_upload": Looking.feed_uploads,
    "disclosure_note": Looking.disclosure_notes,
    "export_note": Looking.export_notes,
    "hold_reason": Looking.hold_reasons,
}
