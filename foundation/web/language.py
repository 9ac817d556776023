"""Two languages, both complete: Chinese texts stand in the code and templates, English ones in the catalogues.

A catalogue is `<package>/locales/en.po`; the Chinese text is the message id. A test fails on a missing or idle one.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from babel.messages.pofile import read_po
from flask import g, has_request_context

PACKAGES = ("foundation", "policies", "households", "claims", "payments", "reports", "webapp")
LANGUAGES = ("zh", "en")


@cache
def english() -> dict[str, str]:
    """Chinese text → English text, of all packages."""
    texts: dict[str, str] = {}
    for package in PACKAGES:
        catalogue = files(package) / "locales" / "en.po"
        if catalogue.is_file():
            with catalogue.open("rb") as file:
                texts |= {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}
    return texts


def language() -> str:
    """The language of this request: `zh` or `en`."""
    return g.get("language", "zh") if has_request_context() else "zh"


def _(text: str, **values: Any) -> str:
    """A text in the request's language, with `%(name)s` filled in. A missing English one shows in Chinese."""
    shown = english().get(text, text) if language() == "en" else text
    return shown % values if values else shown


def pick(zh: str, en: str) -> str:
    """One of a pair that the code holds already."""
    return en if language() == "en" else zh


def template_globals() -> dict[str, Any]:
    """What templates translate with."""
    return {"_": _, "pick": pick, "language": language()}
