"""Signing in and one's own account: every form works without scripts, and a wrong answer says what to do."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from foundation.errors import InvalidInput
from foundation.web.acting import now, reading, sealer, surroundings, transaction
from foundation.web.fields import REQUIRED
from foundation.web.language import _, pick
from foundation.web.requests import arguments, form
from webapp import second_factor as codes
from webapp.pages.cookies import drop_session, keep_session, remembering, safe_next, session_secret
from webapp.passwords import EXTENSION, LEAST, Passwords
from webapp.schemas import (
    CodeForm,
    EnrolForm,
    LanguageForm,
    NewPasswordForm,
    NextArguments,
    RoleForm,
    SessionForm,
    SignInForm,
    ThemeForm,
)
from webapp.services import sessions
from webapp.services import sign_in as signing
from webapp.services.sessions import ENROL, NEW_PASSWORD, OPEN, SECOND_FACTOR, Recognised
from webapp.views import place_name

blueprint = Blueprint("account", __name__)

_PAGE_OF = {
    NEW_PASSWORD: "account.new_password",
    SECOND_FACTOR: "account.second_factor",
    ENROL: "account.enrol",
}
_Faults = dict[str, list[tuple[str, str]]]
_Answer = str | Response | tuple[str, int, dict[str, str]]


@blueprint.record_once
def _with_passwords(state: BlueprintSetupState) -> None:
    """One `Passwords` an application, unless it was given one already."""
    state.app.extensions.setdefault(EXTENSION, Passwords())


# --- Signing in ------------------------------------------------------------------------------------------------------


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> _Answer:
    """Login and password; leads to the next step."""
    if request.method != "POST":
        wanted = _wanted()
        signed_in = g.person is not None and g.person.next_step is None
        return redirect(safe_next(wanted), 303) if signed_in else _sign_in_form(wanted)
    try:
        typed = form(SignInForm)
    except InvalidInput as error:
        return _sign_in_form(request.form.get("next"), error.fields), 422, {}
    entry = signing.Entry(
        typed["login"],
        typed["password"],
        request.remote_addr or "",
        sessions.device_name(request.headers.get("User-Agent", "")),
        session_secret(),
    )
    outcome = signing.by_password(surroundings().database, sealer(), _passwords(), entry, now())
    if not outcome.right:
        trouble = _trouble(outcome, _("登录名或密码不正确。连续五次错误将暂停登录十五分钟"))
        return _sign_in_form(typed.get("next"), trouble=trouble), *_refusal(outcome)
    return _onwards(outcome, typed.get("next"))


def _sign_in_form(wanted: str | None, faults: _Faults | None = None, trouble: str = "") -> str:
    options = current_app.extensions["fangpin_options"]
    return render_template(
        "account/sign_in.html",
        next=wanted or "",
        errors=_errors(faults),
        trouble=trouble,
        demo_logins=options.demo_logins if options.demo else (),
    )


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def second_factor() -> _Answer:
    """The code of the second factor; opens the session."""
    person = _person()
    if request.method != "POST":
        wanted = _wanted()
        return _code_form(wanted) if person.next_step == SECOND_FACTOR else _to_step(person.next_step, wanted)
    typed, faults = _typed_code()
    if faults:
        return _code_form(typed.get("next"), faults), 422, {}
    with transaction() as session:
        outcome = signing.by_code(session, sealer(), person, typed["code"], now())
    if not outcome.right:
        return _code_form(typed.get("next"), trouble=_wrong_code(outcome)), *_refusal(outcome)
    return _onwards(outcome, typed.get("next"))


def _code_form(wanted: str | None, faults: _Faults | None = None, trouble: str = "") -> str:
    return render_template("account/code.html", next=wanted or "", errors=_errors(faults), trouble=trouble)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
def enrol() -> _Answer:
    """A new second factor: its QR code, and a field for its first code."""
    person = _person()
    if request.method == "POST":
        return _enrolled(person)
    wanted = _wanted()
    if person.next_step in (NEW_PASSWORD, SECOND_FACTOR):
        return _to_step(person.next_step, wanted)
    if not signing.may_enrol(person, now()):
        return redirect(url_for("account.step_up", next=url_for("account.enrol")), 303)
    return _enrol_form(person, codes.seal_offer(sealer(), person.session_id, codes.new_secret()), wanted)


def _enrolled(person: Recognised) -> _Answer:
    offer, asks_password = request.form.get("offer", ""), signing.asks_password(person, now())
    secret = codes.open_offer(sealer(), person.session_id, offer)
    try:
        typed = form(EnrolForm)
        if asks_password and "password" not in typed:
            raise InvalidInput({"password": [REQUIRED]})
    except InvalidInput as error:
        return _enrol_form(person, offer, request.form.get("next"), error.fields), 422, {}
    if asks_password:
        database, password = surroundings().database, typed["password"]
        confirmed = signing.confirm_password(database, _passwords(), person, password, now())
        if not confirmed.right:
            trouble = _trouble(confirmed, _("密码不正确"))
            return _enrol_form(person, offer, typed.get("next"), trouble=trouble), *_refusal(confirmed)
    with transaction() as session:
        outcome = signing.enrol(session, sealer(), person, secret, _plain(typed["code"]), now())
    if not outcome.right:
        return _enrol_form(person, offer, typed.get("next"), trouble=_wrong_code(outcome)), *_refusal(outcome)
    flash(_("动态口令已绑定,以后每次登录都要输入"), "ok")
    return _onwards(outcome, typed.get("next"))


def _enrol_form(
    person: Recognised, offer: str, wanted: str | None, faults: _Faults | None = None, trouble: str = ""
) -> str:
    secret = codes.open_offer(sealer(), person.session_id, offer)
    return render_template(
        "account/enrol.html",
        next=wanted or "",
        errors=_errors(faults),
        trouble=trouble,
        offer=offer,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        image=codes.qr_image(codes.provisioning_uri(secret, person.login)),
        asks_password=signing.asks_password(person, now()),
        replaces=person.enrolled,
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
def new_password() -> _Answer:
    """A new password; every other session ends."""
    person = _person()
    if request.method != "POST":
        wanted = _wanted()
        other = person.next_step in (SECOND_FACTOR, ENROL)
        return _to_step(person.next_step, wanted) if other else _password_form(wanted)
    try:
        typed = form(NewPasswordForm)
        if typed["password"] != typed["again"]:
            raise InvalidInput({"again": [("两次输入不一致", "the two do not match")]})
        if person.next_step != NEW_PASSWORD and "current" not in typed:
            raise InvalidInput({"current": [REQUIRED]})
        outcome = signing.set_password(
            surroundings().database,
            _passwords(),
            person,
            typed.get("current", ""),
            typed["password"],
            now(),
        )
    except InvalidInput as error:
        return _password_form(request.form.get("next"), error.fields), 422, {}
    if not outcome.right:
        trouble = _trouble(outcome, _("当前密码不正确"))
        return _password_form(typed.get("next"), trouble=trouble), *_refusal(outcome)
    flash(_("密码已更改,其他登录均已结束"), "ok")
    return _onwards(outcome, typed.get("next"))


def _password_form(wanted: str | None, faults: _Faults | None = None, trouble: str = "") -> str:
    return render_template(
        "account/new_password.html",
        next=wanted or "",
        errors=_errors(faults),
        trouble=trouble,
        must_change=_person().next_step == NEW_PASSWORD,
        least=LEAST,
    )


# --- Signed in -------------------------------------------------------------------------------------------------------


@blueprint.route("/account/step-up", methods=["GET", "POST"])
def step_up() -> _Answer:
    """A fresh code before a step that asks for one. What was refused before is not sent again by itself."""
    person = _person()
    if request.method != "POST":
        wanted = _wanted()
        return _step_up_form(wanted) if person.enrolled else _to_step(ENROL, wanted)
    typed, faults = _typed_code()
    if not person.enrolled:
        return _to_step(ENROL, typed.get("next"))
    if faults:
        return _step_up_form(typed.get("next"), faults), 422, {}
    with transaction() as session:
        outcome = signing.step_up(session, sealer(), person, typed["code"], now())
    if not outcome.right:
        return _step_up_form(typed.get("next"), trouble=_wrong_code(outcome)), *_refusal(outcome)
    flash(_("验证通过,十分钟内不再询问。请重新点击刚才要办的操作"), "ok")
    return redirect(safe_next(typed.get("next")), 303)


def _step_up_form(wanted: str | None, faults: _Faults | None = None, trouble: str = "") -> str:
    return render_template("account/step_up.html", next=wanted or "", errors=_errors(faults), trouble=trouble)


@blueprint.get("/account")
def own() -> str:
    """Who I am here, my roles, where I am signed in."""
    person = _person()
    with reading() as session:
        roles = sessions.own_roles(session, person.account_id, now())
        live = sessions.own_sessions(session, person.account_id, now())
    return render_template(
        "account/own.html",
        roles=roles,
        places={grant.place: place_name(grant.place) for grant in roles},
        choosable={choice.id for choice in person.grants},
        live=live,
        acting_grant=person.grant_id,
    )


@blueprint.post("/account/role")
def switch_role() -> Response:
    """From now on in another role."""
    typed = form(RoleForm)
    with transaction() as session:
        sessions.switch_role(session, _person(), typed["grant"], now())
    flash(_("岗位已切换"), "ok")
    return redirect(url_for("home.home"), 303)


@blueprint.post("/account/sessions")
def end_session() -> Response:
    """Ends one of my sessions, or all but this one."""
    person, session_id = _person(), form(SessionForm).get("session_id")
    actor = sessions.actor_of(person, now())
    with transaction() as session:
        if session_id is None:
            sessions.end_all(
                session, actor, person.account_id, "ended_by_owner", now(), but=person.session_id
            )
        else:
            sessions.end(session, actor, person.account_id, session_id, "ended_by_owner", now())
    flash(_("登录已结束"), "ok")
    return redirect(url_for("account.own"), 303)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Ends this session and clears what the browser kept."""
    with transaction() as session:
        signing.sign_out(session, _person(), now())
    flash(_("已退出登录"), "ok")
    response = redirect(url_for("account.sign_in"), 303)
    drop_session(response)
    return response


@blueprint.post("/language")
def language() -> Response:
    """The language of the pages, for a year."""
    typed = form(LanguageForm)
    return remembering("fangpin_language", typed["language"], typed.get("next"))


@blueprint.post("/theme")
def theme() -> Response:
    """Light or dark, for a year."""
    typed = form(ThemeForm)
    return remembering("fangpin_theme", typed["theme"], typed.get("next"))


# --- Parts -----------------------------------------------------------------------------------------------------------


def _person() -> Recognised:
    """Whose session this is. The guard lets nobody else come here."""
    person: Recognised = g.person
    return person


def _passwords() -> Passwords:
    passwords: Passwords = current_app.extensions[EXTENSION]
    return passwords


def _wanted() -> str | None:
    return arguments(NextArguments).get("next")


def _typed_code() -> tuple[dict[str, Any], _Faults]:
    try:
        typed = form(CodeForm)
    except InvalidInput as error:
        return {"next": request.form.get("next")}, error.fields
    return typed | {"code": _plain(typed["code"])}, {}


def _plain(code: str) -> str:
    """A code without the space that authenticators show in its middle."""
    return code.replace(" ", "")


def _errors(faults: _Faults | None) -> dict[str, str]:
    return {
        name: pick("。", ". ").join(pick(*pair) for pair in pairs) for name, pairs in (faults or {}).items()
    }


def _wrong_code(outcome: signing.Outcome) -> str:
    return _trouble(outcome, _("动态口令不正确或已用过,请等下一个口令出现后再输入"))


def _trouble(outcome: signing.Outcome, wrong: str) -> str:
    """What to say: how long to wait, or what is wrong and what will happen."""
    if outcome.wait is not None:
        minutes = -(-outcome.wait // 60)
        return _("错误次数过多,为安全起见已暂停登录。请 %(minutes)s 分钟后再试", minutes=minutes)
    return wrong


def _refusal(outcome: signing.Outcome) -> tuple[int, dict[str, str]]:
    return (401, {}) if outcome.wait is None else (429, {"Retry-After": str(outcome.wait)})


def _onwards(outcome: signing.Outcome, wanted: str | None) -> Response:
    """To the next step with the new session's cookie, or to where the person wanted to go."""
    assert outcome.secret is not None
    if outcome.step is None:
        _tell_of_others(outcome.secret)
    response = _to_step(outcome.step, wanted)
    keep_session(response, outcome.secret)
    return response


def _tell_of_others(secret: str) -> None:
    """Says where else the person is signed in: it may not be them."""
    with reading() as session:
        person = sessions.recognise(session, secret, now())
        live = [] if person is None else sessions.own_sessions(session, person.account_id, now())
    others = [one for one in live if one.stage == OPEN and person is not None and one.id != person.session_id]
    if others:
        flash(_("此账号还有 %(count)s 处登录,可在“我的账号”查看并结束", count=len(others)), "info")


def _to_step(step: str | None, wanted: str | None) -> Response:
    if step in _PAGE_OF:
        return redirect(url_for(_PAGE_OF[step], next=wanted or None), 303)
    return redirect(safe_next(wanted), 303)
