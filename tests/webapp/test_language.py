"""Both languages are complete: every text of templates and code has its English, and no catalogue holds an idle one."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask, g

from foundation.web.language import PACKAGES, _, english, pick
from tests.architecture.project import ROOT

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/page_templates/**.html", "jinja2")]
_CHINESE = re.compile("[\u3400-\u9fff]")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def texts_of(package: str) -> dict[str, str]:
    """Text → where it stands, of one package. The templates of documents are in Chinese alone and call no `_`."""
    found: dict[str, str] = {}
    for file, line, text, _comments, _context in extract_from_dir(
        ROOT / package, METHODS, keywords={"_": None}, strip_comment_tags=True
    ):
        found.setdefault(str(text), f"{package}/{file}:{line}")
    return found


def catalogue_of(package: str) -> dict[str, str]:
    """Text → English, of one package's catalogue."""
    path = files(package) / "locales" / "en.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def test_templates_and_code_have_texts() -> None:
    assert sum(len(texts_of(package)) for package in PACKAGES) > 100


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_has_its_english(package: str) -> None:
    missing = {text: place for text, place in texts_of(package).items() if not english().get(text)}
    assert not missing


def test_no_catalogue_holds_an_idle_text() -> None:
    used = {text for package in PACKAGES for text in texts_of(package)}
    idle = {text: package for package in PACKAGES for text in catalogue_of(package) if text not in used}
    assert not idle


def test_no_text_is_translated_in_two_ways() -> None:
    seen: dict[str, str] = {}
    for package in PACKAGES:
        for text, translated in catalogue_of(package).items():
            assert seen.setdefault(text, translated) == translated, text


def test_english_texts_are_english_and_keep_their_placeholders() -> None:
    for text, translated in english().items():
        assert not _CHINESE.search(translated), translated
        assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(translated)), text


def test_templates_hold_no_chinese_outside_of_texts() -> None:
    """What stands in a page's template without `_` would stay Chinese in the English page."""
    wrong = []
    for path in _page_templates():
        text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S)
        text = re.sub(r"""_\(\s*("[^"]*"|'[^']*')""", "", text)
        text = re.sub(r"""pick\([^)]*\)""", "", text)
        text = text.replace("中文", "")  # the language's own name in the switch
        wrong += [
            f"{path.relative_to(ROOT)}: {line.strip()}" for line in text.splitlines() if _CHINESE.search(line)
        ]
    assert not wrong


def _page_templates() -> list[Path]:
    folders = [ROOT / "webapp/templates", ROOT / "reports/page_templates"]
    folders += [ROOT / package / "templates" for package in ("claims", "payments", "households", "policies")]
    return [path for folder in folders for path in sorted(folder.rglob("*.html"))]


def test_the_language_of_the_request_chooses() -> None:
    app = Flask(__name__)
    with app.test_request_context():
        g.language = "en"
        assert _("首页") == "Home"
        assert pick("是", "yes") == "yes"
        g.language = "zh"
        assert _("首页") == "首页"
        assert _("共 %(count)s 批", count=3) == "共 3 批"
