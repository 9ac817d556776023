"""Forms of the shell's own pages, strict: what a form does not list is refused."""

from __future__ import annotations

from foundation.web.fields import Choice, CleanText, RowId, Secret, TextSchema
from foundation.web.language import LANGUAGES
from webapp.passwords import MOST_BYTES
from webapp.views import THEMES


class NextArguments(TextSchema):
    """Where to go afterwards; looked at by `webapp.pages.account.safe_next`."""

    next = CleanText(max=1000)


class SignInForm(NextArguments):
    """Login and password."""

    login = CleanText(max=64, required=True)
    password = Secret(max=MOST_BYTES, required=True)


class CodeForm(NextArguments):
    """A code of the second factor, as it was typed."""

    code = CleanText(max=20, required=True)


class EnrolForm(CodeForm):
    """The first code of a new second factor, and the secret that the page offered, sealed."""

    offer = CleanText(max=400, required=True)
    password = Secret(max=MOST_BYTES)


class NewPasswordForm(NextArguments):
    """A new password, typed twice."""

    current = Secret(max=MOST_BYTES)
    password = Secret(max=MOST_BYTES, required=True)
    again = Secret(max=MOST_BYTES, required=True)


class RoleForm(TextSchema):
    """The role to act in from now on."""

    grant = RowId(required=True)


class SessionForm(TextSchema):
    """The session to end; none means all but this one."""

    session_id = RowId()


class LanguageForm(NextArguments):
    """The language of the pages."""

    language = Choice(LANGUAGES, required=True)


class ThemeForm(NextArguments):
    """Light, dark, or as the machine has it."""

    theme = Choice(THEMES, required=True)
