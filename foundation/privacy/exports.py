"""The one road out of the program for data about people: each export is a numbered row with its digest, and an event.

Up to 50 people it is handed out at once; more need a purpose; more than 5,000 a second person, who agrees first. 50
items of property information or 500 of health information in a wrong hand are where the criminal law begins (刑法
253 之一 and its interpretation of 2017, art. 5). What was approved is counted again when it is taken, and taken once,
within a day.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from foundation.actors import FRESHLY_SURE, Actor, Role
from foundation.clock import SHANGHAI
from foundation.counters import take_numbers
from foundation.database import one_at_a_time
from foundation.errors import ConflictError, NotAllowedError, NotFound
from foundation.privacy.models import Export
from foundation.privacy.purposes import EXPORT_PURPOSES, PURPOSES, check_purpose
from foundation.sealing import Sealer
from foundation.spreadsheets import Watermark
from foundation.trail.events import Change, record

MOST_WITHOUT_PURPOSE = 50
IN_FULL = frozenset({"bank_file", "error_workbook", "claim_form"})
"""Kinds that hold ID numbers or accounts in full: they need a purpose for a single person too."""
MOST_ALONE = 5000
HOLDS = timedelta(hours=24)
"""How long an approval holds."""

KIND_NAMES: Mapping[str, tuple[str, str]] = {
    "claims_workbook": ("理赔案件清单", "List of claims"),
    "owed_workbook": ("应赔未赔清单", "List of what is owed and not claimed"),
    "bank_file": ("银行代发文件", "Bank file"),
    "document": ("文书", "Document"),
    "comparison_workbook": ("比对结果", "Results of a comparison"),
    "error_workbook": ("错误行清单", "Refused rows"),
    "trail": ("审计链", "Trail"),
    "claim_form": ("赔付申请表", "Claim form"),
    "warning_photo": ("上报照片", "Photo of a report"),
    "ledger_workbook": ("台账", "Ledger"),
    "paper": ("证明材料", "Paper"),
}
STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "asked": ("待审批", "waiting for approval"),
    "approved": ("已批准,待领取", "approved, to be taken"),
    "taken": ("已导出", "taken"),
    "refused": ("未批准", "refused"),
    "lapsed": ("已失效", "lapsed"),
}


@dataclass(frozen=True, slots=True)
class Agreed:
    """A second person who has agreed already to this very data going out: who released a batch, to its bank file."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to take out, and about how many `people` it is at this moment.

    `arguments` are what it was narrowed to: names and words of the program's own, nothing personal.
    """

    kind: str
    people: int
    arguments: Mapping[str, str] = field(default_factory=dict)
    subject_id: str | None = None
    purpose: str | None = None
    note: str | None = None
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an export carries with it: its number, who took it, when, what for, about how many people."""

    number: int
    who: str
    at: datetime
    purpose: str | None
    people: int

    @property
    def line(self) -> tuple[str, str]:
        """The watermark, in Chinese and in English."""
        moment = self.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        number = number_text(self.number)
        zh = f"导出编号 {number} 导出人 {self.who} {moment} 涉及 {self.people} 人"
        en = f"Export {number} by {self.who}, {moment}, about {self.people} people"
        if self.purpose is None:
            return f"{zh} 仅限本人工作使用", f"{en}; for one's own work only"
        purpose = PURPOSES[self.purpose]
        return f"{zh} 用途 {purpose.zh},不得他用", f"{en}; to {purpose.en}, and for nothing else"


@dataclass(frozen=True, slots=True)
class HandedOut:
    """An export: its number, and the bytes; `None` while it waits for a second person.

    `outgrown` is for how many people it had been approved, where it is about more by now and so was asked for anew.
    """

    number: int
    content: bytes | None
    outgrown: int | None = None


def number_text(number: int) -> str:
    """The number of an export as it is printed, and as it stands in file names: `E000012`."""
    return f"E{number:06d}"


def watermark(stamp: Stamp, line: str) -> Watermark:
    """What an exported workbook says of itself; `line` is the stamp's, in the reader's language."""
    mark = f"{number_text(stamp.number)} {stamp.at.astimezone(SHANGHAI):%Y-%m-%d}"
    return Watermark(line, mark, stamp.who)


def needs_purpose(kind: str, people: int) -> bool:
    """Whether a purpose has to be named for so many people in an export of a kind."""
    return people > MOST_WITHOUT_PURPOSE or (people > 0 and kind in IN_FULL)


def hand_out(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    wanted: Wanted,
    make: Callable[[Stamp], bytes],
) -> HandedOut:
    """Registers an export and makes its bytes, which the caller hands out once this has committed.

    More than `MOST_ALONE` people, and nobody else has agreed: it is put down as asked for, and `content` is None. Once
    approved, the same wish of the same person in the same role is taken, once; if it is about more people by then, it
    is asked for anew. Raises InvalidInput where a purpose is missing or its note.
    """
    if needs_purpose(wanted.kind, wanted.people) or wanted.purpose is not None:
        check_purpose(wanted.purpose, wanted.note, EXPORT_PURPOSES)
    if wanted.people <= MOST_ALONE or _agreed(wanted, actor) is not None:
        return _taken_at_once(session, sealer, actor, at, wanted, make)
    # Two at once would ask twice, or take twice what was approved once.
    one_at_a_time(session, f"exports:{actor.person}")
    in_force = (Export.state == "approved") & (Export.decided_at > at - HOLDS)
    approved = _same_wish(session, actor, wanted, in_force)
    if approved is not None and wanted.people <= approved.people:
        return _taken_as_approved(session, actor, at, approved, wanted.people, make)
    outgrown = None if approved is None else approved.people
    waiting = _same_wish(session, actor, wanted, Export.state == "asked")
    if waiting is not None and wanted.people <= waiting.people:
        return HandedOut(waiting.number, None, outgrown)
    return HandedOut(_add(session, sealer, actor, at, wanted, state="asked"), None, outgrown)


def register_file(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    wanted: Wanted,
    sha256: str,
    size: int,
) -> int:
    """Registers what lies in a file already, since it is too large to be held in memory, and names nobody; its number.

    Raises InvalidInput where the purpose is missing or its note, ValueError for an export that is about people.
    """
    if wanted.people:
        raise ValueError("what is about people is made once it may go out: hand_out")
    check_purpose(wanted.purpose, wanted.note, EXPORT_PURPOSES)
    return _add(session, sealer, actor, at, wanted, state="taken", taken_at=at, sha256=sha256, size=size)


def decide(session: Session, actor: Actor, at: datetime, export_id: str, *, approve: bool) -> Export:
    """Approves or refuses an export that was asked for, as another person than the one who asked.

    Raises NotFound, NotAllowedError (role, no fresh second factor, one's own wish) or ConflictError (decided already).
    """
    actor.must_be(Role.CENTER_LEAD, Role.SEC_ADMIN)
    actor.must_be_sure(*FRESHLY_SURE)
    export = session.get(Export, export_id)
    if export is None:
        raise NotFound
    if export.person == actor.person:
        raise NotAllowedError(
            "本人申请的导出须由他人审批", "an export that you asked for is for somebody else to decide"
        )
    state = "approved" if approve else "refused"
    decided = {"state": state, "decided_by": actor.person, "decided_at": at}
    _move(session, export, "asked", decided)
    _record(session, actor, at, export, state)
    return export


def lapse(session: Session, actor: Actor, at: datetime) -> int:
    """Ends approvals that nobody used within their time; how many. `actor` is the program itself."""
    over = select(Export).where(Export.state == "approved", Export.decided_at <= at - HOLDS)
    found = session.scalars(over).all()
    for export in found:
        _move(session, export, "approved", {"state": "lapsed"})
        _record(session, actor, at, export, "lapsed")
    return len(found)


def state_of(export: Export, at: datetime) -> str:
    """The state at an instant: an approval is over when its time is, also before `lapse` has written so."""
    over = export.state == "approved" and export.decided_at is not None and export.decided_at <= at - HOLDS
    return "lapsed" if over else export.state


def _agreed(wanted: Wanted, actor: Actor) -> Agreed | None:
    """Who has agreed already, where that is needed and it was another person."""
    agreed = wanted.agreed if wanted.people > MOST_ALONE else None
    return None if agreed is None or agreed.person == actor.person else agreed


def _taken_at_once(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    wanted: Wanted,
    make: Callable[[Stamp], bytes],
) -> HandedOut:
    (number,) = take_numbers(session, "export")
    content = make(Stamp(number, actor.name, at, wanted.purpose, wanted.people))
    _add(session, sealer, actor, at, wanted, number=number, state="taken", **_bytes(content, at))
    return HandedOut(number, content)


def _taken_as_approved(
    session: Session, actor: Actor, at: datetime, export: Export, people: int, make: Callable[[Stamp], bytes]
) -> HandedOut:
    content = make(Stamp(export.number, actor.name, at, export.purpose, people))
    _move(session, export, "approved", {"state": "taken", "people": people, **_bytes(content, at)})
    _record(session, actor, at, export, "taken")
    return HandedOut(export.number, content)


def _bytes(content: bytes, at: datetime) -> dict[str, object]:
    return {"taken_at": at, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _same_wish(session: Session, actor: Actor, wanted: Wanted, state: ColumnElement[bool]) -> Export | None:
    """The newest export that this person asked for in the same words, role and place: what they see is the same."""
    query = select(Export).where(
        state,
        Export.person == actor.person,
        Export.role == actor.role,
        Export.place == actor.place,
        Export.kind == wanted.kind,
        Export.arguments == _arguments(wanted),
        Export.purpose == wanted.purpose,
        Export.subject_id.is_not_distinct_from(wanted.subject_id),
    )
    return session.scalars(query.order_by(Export.number.desc()).limit(1)).first()


def _arguments(wanted: Wanted) -> str:
    return orjson.dumps(dict(wanted.arguments), option=orjson.OPT_SORT_KEYS).decode()


def _add(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    wanted: Wanted,
    *,
    state: str,
    number: int | None = None,
    **values: object,
) -> int:
    """Adds a row to the register, with its event; its number."""
    if number is None:
        (number,) = take_numbers(session, "export")
    identity = secrets.token_hex(16)
    agreed = _agreed(wanted, actor)
    export = Export(
        id=identity,
        number=number,
        kind=wanted.kind,
        subject_id=wanted.subject_id,
        arguments=_arguments(wanted),
        state=state,
        purpose=wanted.purpose,
        note=None if wanted.note is None else sealer.seal("export", "note", identity, wanted.note),
        people=wanted.people,
        person=actor.person,
        account=actor.account,
        role=actor.role,
        place=actor.place,
        asked_at=at,
        decided_by=None if agreed is None else agreed.person,
        decided_at=None if agreed is None else agreed.at,
        **values,
    )
    session.add(export)
    session.flush()
    _record(session, actor, at, export, state)
    return number


def _move(session: Session, export: Export, before: str, values: Mapping[str, object]) -> None:
    """Moves a row of the register on from a state. Raises ConflictError when somebody else was first."""
    still = (Export.id == export.id) & (Export.state == before)
    statement = update(Export).where(still).values(values).execution_options(synchronize_session=False)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ConflictError(
            "这项导出已由他人处理,请刷新", "somebody else has dealt with this export; look again"
        )
    session.refresh(export)


def _record(session: Session, actor: Actor, at: datetime, export: Export, what: str) -> None:
    """The event of one step: `export.taken` with the digest of the bytes."""
    reason = f"{number_text(export.number)} kind={export.kind} people={export.people} purpose={export.purpose or '-'}"
    change = Change(f"export.{what}", "export", export.id, after=export.sha256, reason=reason)
    record(session, actor, at, [change])
