"""The pages of the consent texts, and the version that an upload declares."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from claims.consent import LAWFUL_BASES, consents
from claims.models import PackUpload
from foundation.trail.events import Event
from foundation.web.language import typeset
from tests.claims.test_uploads import contents
from tests.webapp.conftest import Web
from tests.webapp.test_pack_pages import desk, send, text_of
from webapp.worker import carry_out_due

__all__ = ["desk"]
NEWEST, OLDEST = consents()[0], consents()[-1]


def test_the_list_shows_every_version_with_its_digest_and_the_lawful_bases(web: Web) -> None:
    page = html.unescape(text_of(web.sign_in("CLAIM_OFFICER"), "/consents"))
    for text in consents():
        assert text.version in page and text.applies_from.isoformat() in page
        assert f"<span>{text.digest[:8]}</span>" in page and f"<span>{text.digest[-8:]}</span>" in page
    assert page.count("现行") == 1
    for basis in LAWFUL_BASES:
        assert typeset(basis.ground[0]) in page and typeset(basis.source[0]) in page


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["applicant", "guardian"])
def test_a_text_is_shown_whole_with_boxes_and_lines_to_sign(web: Web, form: str, language: str) -> None:
    reader = web.sign_in("VILLAGE_OFFICER", "370323103201")
    reader.set_cookie("fangpin_language", language, domain="localhost")
    page = html.unescape(text_of(reader, f"/consents/{NEWEST.version}/{form}"))
    which = 0 if language == "zh" else 1
    found = NEWEST.form(form)
    said = [found.opening, *(box.text for box in found.boxes)]
    said += [part for section in found.sections for part in (section.title, *section.text)]
    for pair in said:
        assert (typeset(pair[0]) if language == "zh" else pair[which]) in page
    relation = {
        "zh": ("与申请人的关系", "与孩子的关系"),
        "en": ("Relation to the applicant", "Relation to the child"),
    }
    assert relation[language][form == "guardian"] in page
    assert ("签署时间", "Signed at")[which] in page


@pytest.mark.parametrize("path", ["/consents/1999-01/applicant", f"/consents/{NEWEST.version}/neighbour"])
def test_a_text_that_is_not_there_is_not_found(web: Web, path: str) -> None:
    assert web.sign_in("CLAIM_OFFICER").get(path).status_code == 404


def test_the_form_of_an_upload_offers_the_versions_and_the_one_of_today_first(desk: Web) -> None:
    page = text_of(desk.sign_in("CLAIM_OFFICER"), "/packs")
    assert f'<option value="{NEWEST.version}" selected>' in page
    assert f'<option value="{OLDEST.version}">' in page


@pytest.mark.parametrize("version", ["", "1999-01"])
def test_an_upload_without_a_version_is_refused(small_pack: Path, desk: Web, version: str) -> None:
    answer = send(desk.sign_in("CLAIM_OFFICER"), contents(small_pack), consent_version=version)
    assert answer.status_code == 422
    assert "请选择申请人签署的告知同意书版本" in answer.get_data(as_text=True)
    with desk.database.reading() as session:
        assert session.scalars(select(PackUpload)).all() == []


def test_the_version_stands_on_the_upload_on_its_page_and_in_its_event(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = str(send(officer, contents(small_pack), consent_version=OLDEST.version).headers["Location"])
    carry_out_due()
    with desk.database.reading() as session:
        upload = session.scalars(select(PackUpload)).one()
        body = session.scalars(select(Event.body).where(Event.action == "pack.uploaded")).one()
    assert upload.consent_version == OLDEST.version
    assert json.loads(body)["reason"] == OLDEST.version
    page = text_of(officer, url)
    assert f"告知同意书 {OLDEST.version} 版" in page and f"/consents/{OLDEST.version}/applicant" in page
    assert "请核对申请人当时签的是哪一版" not in page


def test_a_version_that_did_not_apply_yet_is_a_warning_and_no_refusal(small_pack: Path, desk: Web) -> None:
    officer = desk.sign_in("CLAIM_OFFICER")
    url = str(send(officer, contents(small_pack), consent_version=NEWEST.version).headers["Location"])
    assert carry_out_due() == 1
    page = text_of(officer, url)
    assert "请核对申请人当时签的是哪一版" in page and NEWEST.applies_from.isoformat() in page
    assert "待入库" in page
