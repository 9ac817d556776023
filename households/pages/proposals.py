"""Pages of proposals: what waits for a second person, one of them with its papers, deciding it, taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from foundation.errors import InvalidInput, NotFound
from foundation.masking import Audience, account_for, id_number_for
from foundation.privacy.exports import Stamp, Wanted, hand_out
from foundation.staff.queries import names
from foundation.web.acting import acting, now, reading, sealer, stored_files, transaction
from foundation.web.downloads import download, numbered_name
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from households.checks import CHECKS
from households.models.people import HouseholdRow, Person
from households.pages.household_rows import capital, named, word
from households.queries.households import village_of
from households.queries.people import identity, people_of
from households.queries.proposals import Asked, page_of_proposals, proposal_by_id
from households.schemas import DecisionForm, NothingForm, ProposalArguments
from households.services import papers
from households.services.accounts import doubts
from households.services.proposals import decide, deciders_of, withdraw
from households.terms import PROPOSAL_STATES, PROPOSALS, RELATIONS

blueprint = Blueprint("proposals", __name__)

STATE_KINDS = {"asked": "warn", "approved": "ok", "refused": "bad", "withdrawn": "neutral"}
_MOST_TYPED = 500
_NOTHING: Mapping[str, str] = MappingProxyType({})


def proposal_row(asked: Asked, staff: Mapping[str, str]) -> dict[str, Any]:
    """A proposal in the words of a list."""
    return {
        "id": asked.id,
        "kind": capital(pick(*PROPOSALS[asked.kind])),
        "household_id": asked.household_id,
        "household_no": asked.household_no,
        "place": f"{asked.town} {asked.village}",
        "state": capital(pick(*PROPOSAL_STATES[asked.state])),
        "state_kind": STATE_KINDS[asked.state],
        "asked_by": staff.get(asked.asked_by, asked.asked_by),
        "asked_at": asked.asked_at,
        "decided_by": staff.get(asked.decided_by or "", asked.decided_by or ""),
        "decided_at": asked.decided_at,
    }


@blueprint.get("/proposals")
def listed() -> str:
    """Proposals of one's place, the newest first; those that wait for somebody unless asked otherwise."""
    asked = arguments(ProposalArguments)
    state, kind = asked.get("state"), asked.get("kind")
    chosen = {name: value for name, value in (("state", state), ("kind", kind)) if value}
    with reading() as session:
        page = page_of_proposals(session, sealer(), acting(), state, kind, asked.get("cursor"))
        staff = names(session)
    return render_template(
        "households/proposals.html",
        proposals=[proposal_row(one, staff) for one in page.rows],
        chosen=chosen,
        states=named(PROPOSAL_STATES),
        kinds=named(PROPOSALS),
        newer_url=page.newer and _list_url(chosen | {"cursor": page.newer}),
        older_url=page.older and _list_url(chosen | {"cursor": page.older}),
    )


def _list_url(values: Mapping[str, str]) -> str:
    return f"{url_for('.listed')}?{urlencode(values)}"


@blueprint.get("/proposals/<proposal_id>")
def shown(proposal_id: str) -> str:
    """One proposal: what is to be done, what to look at twice, its papers, and the buttons of who may decide."""
    return _proposal_page(proposal_id)


@blueprint.post("/proposals/<proposal_id>/decide")
def decided(proposal_id: str) -> Response | tuple[str, int]:
    """Approves a proposal, which is carried out at once, or refuses it with the reason."""
    try:
        said = form(DecisionForm)
        approve = said["decision"] == "approve"
        with transaction() as session:
            decide(
                session,
                sealer(),
                acting(),
                now(),
                proposal_id,
                approve=approve,
                reason=said.get("reason"),
                again="".join(said.get("again", "").upper().split()) or None,
            )
    except InvalidInput as invalid:
        errors = {name: pick(*pairs[0]) for name, pairs in invalid.fields.items()}
        return _proposal_page(proposal_id, request.form.get("reason", "")[:_MOST_TYPED], errors), 422
    flash(_("已批准并办理") if approve else _("已退回"), "ok")
    return redirect(url_for(".shown", proposal_id=proposal_id), 303)


@blueprint.post("/proposals/<proposal_id>/withdraw")
def withdrawn(proposal_id: str) -> Response:
    """Takes one's own proposal back."""
    form(NothingForm)
    with transaction() as session:
        withdraw(session, sealer(), acting(), now(), proposal_id)
    flash(_("已撤回"), "ok")
    return redirect(url_for(".shown", proposal_id=proposal_id), 303)


@blueprint.post("/proposals/<proposal_id>/papers/<int:place>")
def paper(proposal_id: str, place: int) -> Response:
    """One of its papers, as it was handed in: an export, since it is about people."""
    form(NothingForm)
    with transaction() as session:
        asked = proposal_by_id(session, sealer(), acting(), proposal_id)
        if asked.content is None or not 0 <= place < len(asked.papers):
            raise NotFound
        found = asked.papers[place]
        people = len(people_of(session, [asked.household_id]))
        wanted = Wanted("paper", people, {"paper": found.name}, proposal_id)

        def content(_stamp: Stamp) -> bytes:
            return stored_files().get(found.blob)

        taken = hand_out(session, sealer(), acting(), now(), wanted, content)
    assert taken.content is not None  # a household is far smaller than what a second person has to agree to
    ending = found.name.rpartition(".")[2]
    return download(taken.content, numbered_name(found.name, taken.number), papers.MEDIA_TYPES[ending])


def _proposal_page(proposal_id: str, typed: str = "", errors: Mapping[str, str] = _NOTHING) -> str:
    actor = acting()
    with reading() as session:
        asked = proposal_by_id(session, sealer(), actor, proposal_id)
        staff = names(session)
        rows = [] if asked.content is None else _said(session, asked)
        twice = []
        if asked.kind == "account" and asked.content is not None and asked.state == "asked":
            twice = list(doubts(session, sealer(), asked.household_id, asked.content))
    waits = asked.state == "asked"
    return render_template(
        "households/proposal.html",
        asked=asked,
        row=proposal_row(asked, staff),
        rows=rows,
        doubts=[capital(pick(*pair)) for pair in twice],
        own=asked.asked_by == actor.person,
        again=_again_label(asked.kind),
        may_decide=waits and actor.role in deciders_of(asked.kind) and asked.asked_by != actor.person,
        may_withdraw=waits and asked.asked_by == actor.person,
        typed=typed,
        errors=errors,
    )


def _again_label(kind: str) -> str:
    """What the field is called in which a masked number is typed once more; empty where there is none."""
    return {"account": _("账号(对照材料再输一遍)"), "identity": _("正确的身份证号(对照材料再输一遍)")}.get(
        kind, ""
    )


def _said(session: Session, asked: Asked) -> list[tuple[str, str, bool]]:
    """(label, text, whether that is in nobody's language) of what is to be done, masked."""
    content = asked.says
    if asked.kind == "account":
        return [
            (_("户名"), content["account_name"], True),
            (_("账号"), account_for(Audience.OFFICER, content["account_no"]), True),
            (_("联行号"), content.get("bank_code") or "", True),
            (_("从哪一天起"), content["on"], True),
        ]
    if asked.kind == "merge":
        into = session.get_one(HouseholdRow, content["into"])
        return [
            (_("并入哪一户(户编号)"), into.household_no, True),
            (_("从哪一天起"), content["on"], True),
            *_people(session, content["relations"]),
        ]
    if asked.kind == "split":
        village = village_of(session, content["village_code"])
        rows = [
            (_("新户所在村(居)"), " ".join(village or (content["village_code"],)), True),
            (_("从哪一天起"), content["on"], True),
            *_people(session, content["relations"]),
        ]
        if content.get("head"):
            head = session.get_one(Person, content["head"])
            rows.append((_("留下成员的新户主"), identity(sealer(), head)[1] or "", True))
        return rows
    if asked.kind == "identity":
        (person,) = session.scalars(select(Person).where(Person.id == content["person"])).all()
        number, name = identity(sealer(), person)
        return [
            (_("姓名"), name or "", True),
            (_("现有身份证号"), "" if number is None else id_number_for(Audience.OFFICER, number), True),
            (_("正确的身份证号"), id_number_for(Audience.OFFICER, content["id_number"]), True),
        ]
    return _clearance(content)


def _clearance(content: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    return [
        (_("核查事项"), pick(*CHECKS[content["matter"]].title), False),
        (_("核查日期"), date.fromisoformat(content["cleared_on"]).isoformat(), True),
        (_("核查结果"), _("符合条件,予以澄清") if content["passed"] else _("不予澄清"), False),
        (_("说明"), content.get("note") or "", True),
    ]


def _people(session: Session, relations: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    people = session.scalars(select(Person).where(Person.id.in_(relations)))
    found: Sequence[Person] = sorted(people, key=lambda person: person.id)
    return [
        (identity(sealer(), person)[1] or "", word(RELATIONS, relations[person.id]), False)
        for person in found
    ]
