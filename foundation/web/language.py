"""Two languages, both complete: Chinese texts stand in the code and templates, English ones in the catalogues.

A catalogue is `<package>/locales/en.po`; the Chinese text is the message id. A test fails on a missing or idle one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
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
    shown = english().get(text, text) if language() == "en" else typeset(text)
    return shown % values if values else shown


def pick(zh: str, en: str) -> str:
    """One of a pair that the code holds already."""
    return en if language() == "en" else typeset(zh)


_MARKS = str.maketrans(",:;?!", "\uff0c\uff1a\uff1b\uff1f\uff01")
_AFTER_CHINESE = re.compile("(?<=[\u3400-\u9fff\uff08\uff09\u201d\u300b])[,:;?!]")
_BRACKETS = re.compile(r"\(([^()]*[\u3400-\u9fff][^()]*)\)|(?<=[\u3400-\u9fff])\(([^()%]*)\)")


@lru_cache(maxsize=4096)
def typeset(zh: str) -> str:
    """Chinese as it is printed: marks after Chinese characters and brackets around them are full-width.

    The sources write them half-width, which is easier to type and to search for.
    """
    zh = _BRACKETS.sub(lambda found: f"\uff08{found[1] or found[2] or ''}\uff09", zh)
    return _AFTER_CHINESE.sub(lambda found: found[0].translate(_MARKS), zh)


def template_globals() -> dict[str, Any]:
    """What templates translate with."""
    return {"_": _, "pick": pick, "language": language()}
