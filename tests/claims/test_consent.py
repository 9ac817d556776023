"""The consent texts: what was in use stays as it was, both languages are complete, and a day has its version."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from claims.consent import (
    APPLICANT,
    GUARDIAN,
    LAWFUL_BASES,
    Consent,
    Pair,
    consent,
    consent_on,
    consents,
)

IN_USE = {
    "2019-10": "b9d16ea761cbc1630ef028e082760f5132aee03ea0f285ab6f138a3d3a6a4e66",
    "2021-11": "6bc25cd137780b9d81dcb6bc553f28bc3f4ea0cf8ba55b2a2cf8eff598a6b0d1",
}
"""SHA-256 of each text that was in use. Never change one; a new text is a new file and a new line here."""

_CHINESE = re.compile("[\u3400-\u9fff]")
PIPL = date(2021, 11, 1)


def pairs(text: Consent) -> list[Pair]:
    """Everything that a text says."""
    said = [text.title, *text.basis]
    for form in text.forms:
        said += [form.name, form.opening, *(box.text for box in form.boxes)]
        for section in form.sections:
            said += [section.title, *section.text]
    return said


def test_a_text_that_was_in_use_has_not_changed() -> None:
    assert {text.version: text.digest for text in consents()} == IN_USE


def test_versions_stand_newest_first_and_are_found() -> None:
    days = [text.applies_from for text in consents()]
    assert days == sorted(days, reverse=True) and len(set(days)) == len(days)
    assert all(consent(text.version) is text for text in consents())
    with pytest.raises(KeyError):
        consent("1999-01")


def test_a_day_has_the_version_that_applies_on_it() -> None:
    for newer, older in zip(consents(), [*consents()[1:], None], strict=True):
        assert consent_on(newer.applies_from) is newer
        assert consent_on(newer.applies_from - timedelta(days=1)) is older


@pytest.mark.parametrize("text", consents(), ids=lambda text: text.version)
def test_each_text_says_all_in_both_languages_for_both_kinds_of_signers(text: Consent) -> None:
    assert [form.code for form in text.forms] == [APPLICANT, GUARDIAN]
    for zh, en in pairs(text):
        assert _CHINESE.search(zh), zh
        quoted = re.sub('"[^"]*"', "", en)  # the bank's remark is named as it is printed
        assert en.strip() and not _CHINESE.search(quoted), en
    with pytest.raises(KeyError):
        text.form("neighbour")


@pytest.mark.parametrize(
    "text", [t for t in consents() if t.applies_from >= PIPL], ids=lambda text: text.version
)
@pytest.mark.parametrize("code", [APPLICANT, GUARDIAN])
def test_a_text_of_today_tells_what_the_law_asks_for(text: Consent, code: str) -> None:
    form = text.form(code)
    assert [box.code for box in form.boxes] == ["use", "sensitive", "provision", "publication"]
    assert all("单独同意" in box.text[0] for box in form.boxes[1:])
    whole = "".join(zh for section in form.sections for zh, _ in (section.title, *section.text))
    for word in (
        "县中心", "保险公司", "联系人", "用来做什么", "身份证号", "银行账号", "诊断", "必须用敏感信息", "影响", "银行",
        "部门", "公示", "保存", "查看、复制", "更正", "删除", "投诉", "撤回", "十五个工作日",
    ):  # fmt: skip
        assert word in whole, word
    assert ("孩子" in whole) is (code == GUARDIAN)
    assert "不公示身份证号、账号、电话、病情、险种和未成年人姓名" in whole


def test_every_set_of_data_has_its_ground_and_its_clause() -> None:
    assert len(LAWFUL_BASES) >= 6
    for basis in LAWFUL_BASES:
        for zh, en in (basis.data, basis.who, basis.ground, basis.source):
            assert _CHINESE.search(zh) and en and not _CHINESE.search(en)
        assert re.search("第.*条", basis.source[0])
    assert any("法定职责" in basis.ground[0] and "县中心" in basis.who[0] for basis in LAWFUL_BASES)
    assert any("合同" in basis.ground[0] and "保险公司" in basis.who[0] for basis in LAWFUL_BASES)
