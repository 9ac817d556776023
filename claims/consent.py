"""The texts 告知同意书 that applicants sign, by version: what is told, what is asked, from what day a text applies.

Pure. Each version is one file under `consents/`, in Chinese with its English beside it, with one form for people who
sign for themselves and one for the guardians of children under fourteen. A file that was in use is never changed; the
digest of its bytes says which words were signed.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

Pair = tuple[str, str]
"""Chinese and English."""

APPLICANT, GUARDIAN = "applicant", "guardian"
"""The forms: signed for oneself, or by the guardian of a child under fourteen (PIPL 31)."""

_FOLDER = Path(__file__).with_name("consents")


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of a text, with its paragraphs."""

    title: Pair
    text: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """One consent to be ticked by itself: `use`, `sensitive`, `provision` or `publication`."""

    code: str
    text: Pair


@dataclass(frozen=True, slots=True)
class Form:
    """A text as one kind of signer gets it."""

    code: str
    name: Pair
    opening: Pair
    sections: tuple[Section, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """A version of the text. `digest` is the SHA-256 of its file."""

    version: str
    applies_from: date
    title: Pair
    basis: tuple[Pair, ...]
    forms: tuple[Form, ...]
    digest: str

    def form(self, code: str) -> Form:
        """One of its forms. Raises KeyError for one that there is not."""
        return {form.code: form for form in self.forms}[code]


@cache
def consents() -> tuple[Consent, ...]:
    """Every version, the newest first."""
    found = [_read(path.read_bytes()) for path in sorted(_FOLDER.glob("*.toml"))]
    return tuple(sorted(found, key=lambda consent: consent.applies_from, reverse=True))


def consent(version: str) -> Consent:
    """One version. Raises KeyError for one that there is not."""
    return {found.version: found for found in consents()}[version]


def consent_on(day: date) -> Consent | None:
    """The version that applies on a day; None before the first one."""
    return next((found for found in consents() if found.applies_from <= day), None)


def _read(content: bytes) -> Consent:
    raw: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    return Consent(
        raw["version"],
        raw["applies_from"],
        _pair(raw["title"]),
        _pairs(raw["basis"]),
        tuple(_form(form, raw) for form in raw["form"]),
        hashlib.sha256(content).hexdigest(),
    )


def _form(form: dict[str, Any], raw: dict[str, Any]) -> Form:
    """The parts of a text that a form has, in their order."""
    code = form["code"]
    return Form(
        code,
        _pair(form["name"]),
        _pair(form["opening"]),
        tuple(
            Section(_pair(part["title"]), _pairs(part["text"]))
            for part in raw["section"]
            if code in part["forms"]
        ),
        tuple(Box(box["code"], _pair(box["text"])) for box in raw["box"] if code in box["forms"]),
    )


def _pair(texts: Sequence[str]) -> Pair:
    zh, en = texts
    return zh, en


def _pairs(texts: Sequence[Sequence[str]]) -> tuple[Pair, ...]:
    return tuple(map(_pair, texts))


@dataclass(frozen=True, slots=True)
class Basis:
    """On what ground of law a set of data is processed, by whom."""

    data: Pair
    who: Pair
    ground: Pair
    source: Pair


LAWFUL_BASES: tuple[Basis, ...] = (
    Basis(
        ("参保名册、家庭情况", "roster and households"),
        ("县中心", "the Centre"),
        ("履行法定职责,不以同意为前提,不超出职权", "statutory duty: no consent needed, within its powers"),
        ("《个人信息保护法》第十三条第一款第三项、第三十四条", "PIPL art. 13 (1) no. 3, 34"),
    ),
    Basis(
        ("部门数据比对", "comparison with departments' data"),
        ("县中心、提供数据的部门", "the Centre and the departments"),
        ("履行法定职责,须告知", "statutory duty; people are told"),
        ("《个人信息保护法》第三十四条、第三十五条", "PIPL art. 34, 35"),
    ),
    Basis(
        ("申请和材料", "applications and evidence"),
        ("保险公司", "the insurer"),
        (
            "参保人是合同当事人的,履行合同所必需;收入责任险等参保人不是当事人的,取得同意",
            "needed for the contract where the insured is a party to it; consent where not, as with liability cover",
        ),
        ("《个人信息保护法》第十三条第一款第一项、第二项", "PIPL art. 13 (1) no. 1, 2"),
    ),
    Basis(
        ("身份证号、账号、病情等敏感信息", "ID numbers, accounts, illnesses: sensitive"),
        ("保险公司", "the insurer"),
        ("单独同意,并告知必要性和影响", "separate consent; necessity and effect are told"),
        ("《个人信息保护法》第二十八条至第三十条", "PIPL art. 28 to 30"),
    ),
    Basis(
        ("不满十四周岁未成年人的信息", "children under fourteen"),
        ("县中心、保险公司", "the Centre and the insurer"),
        ("父母或其他监护人同意,按专门规则处理", "consent of a parent or guardian, by rules of its own"),
        ("《个人信息保护法》第三十一条", "PIPL art. 31"),
    ),
    Basis(
        ("付款信息(收款人、账号、金额)", "payments: payee, account, amount"),
        ("保险公司提供给银行", "the insurer to the bank"),
        ("单独同意,告知接收方", "separate consent; the recipient is named"),
        ("《个人信息保护法》第二十三条", "PIPL art. 23"),
    ),
    Basis(
        ("村级公示", "village notice"),
        ("县中心、村", "the Centre and the village"),
        ("单独同意;内容以规定为限", "separate consent; no more than the rules allow"),
        ("《个人信息保护法》第二十五条", "PIPL art. 25"),
    ),
    Basis(
        ("工作人员账号和操作记录", "staff accounts and what they did"),
        ("县中心、保险公司", "the Centre and the insurer"),
        ("人力资源管理和法定的安全义务", "staff management and duties of security"),
        (
            "《个人信息保护法》第十三条第一款第二项、第三项;《网络安全法》第二十一条",
            "PIPL art. 13 (1) no. 2, 3; Cybersecurity Law art. 21",
        ),
    ),
)
"""The lawful basis of each set of data: the Centre acts by statutory duty, the insurer by contract or consent."""
