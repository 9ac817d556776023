"""An auditor's list as it was compared: each person with what hits them. Read in the request, and stored nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.sealing import Sealer
from households.comparison_details import Detail, of_relative
from households.comparison_setting import Setting
from households.models.feeds import FeedRow
from households.queries.comparison_hits import row_details
from households.queries.probing import Compared
from households.queries.views import in_portions


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person of a list, by their place in it without doubles; `hits` is check → what each row says."""

    place: int
    id_number: str
    hits: Mapping[str, tuple[tuple[Detail, ...], ...]]


@dataclass(frozen=True, slots=True)
class CheckedList:
    """An auditor's list as it was compared, in one request and never stored; `digest`, keyed, stands for it."""

    digest: str
    setting: Setting
    people: Sequence[ListedPerson]


def people_of_list(
    session: Session, sealer: Sealer, id_numbers: Sequence[str], done: Compared
) -> list[ListedPerson]:
    """The people of a list in its order; `done` calls each by their place, from 1."""
    ids = {hit.row_id for hit in done.hits}
    rows: dict[str, FeedRow] = {}
    for portion in in_portions(ids):
        rows |= {row.id: row for row in session.scalars(select(FeedRow).where(FeedRow.id.in_(portion)))}
    found: dict[str, dict[str, list[tuple[Detail, ...]]]] = {}
    for hit in done.hits:
        said = row_details(sealer, hit.matter, rows[hit.row_id])
        if hit.through is not None:
            said += of_relative(hit.through)
        found.setdefault(hit.person.key, {}).setdefault(hit.matter, []).append(tuple(said))
    return [
        ListedPerson(place, number, {key: tuple(said) for key, said in found.get(str(place), {}).items()})
        for place, number in enumerate(id_numbers, start=1)
    ]
