"""Figures to HTML: every document's template with plain data in it. Text of people is escaped; nothing is fetched.

Pure but for reading the templates. `printable` is what the rest calls; `reports.pdf` prints what it gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from claims.checks import AMOUNT, GRAVITY, REJECT
from claims.notices import DAYS, RECOGNITION, VillageNotice
from claims.wording import CheckWords
from foundation.capitals import amount_in_capitals
from foundation.clock import SHANGHAI, business_day
from foundation.database import instant_text
from foundation.money import MOST_FEN, Money
from foundation.trail.sealing import Head
from reports import attachments, layout
from reports.attachments import Attached
from reports.claim_form import ClaimFormFigures
from reports.cover_words import sum_text
from reports.figures import AuditFigures, BatchFigures, CaseFigures, CertificateFigures, ProgrammeFigures
from reports.pdf import Printable
from reports.people import addressee
from reports.terms import ACCOUNTS, BATCH_STATES, FORMATS, KINDS, REASONS, WITH_HEAD, Kind

Figures = (
    CaseFigures
    | BatchFigures
    | ProgrammeFigures
    | AuditFigures
    | VillageNotice
    | CertificateFigures
    | ClaimFormFigures
)

_HERE = Path(__file__).parent
_PAY_WITHIN = timedelta(days=10)
"""《保险法》第二十三条."""


def number_text(kind: str, year: int, number: int) -> str:
    """The number of a document as it is printed: 防贫赔〔2020〕12号 (GB/T 9704: no zeros in front)."""
    return f"{KINDS[kind].mark}〔{year}〕{number}号"


def file_name(kind: str, year: int, number: int) -> str:
    """The name of a document's file. Holds nothing personal."""
    return f"{KINDS[kind].key.replace('_', '-')}-{year}-{number:06d}.pdf"


def printable(
    kind: str, figures: Figures, number: str, at: datetime, names: Mapping[str, str], head: Head | None = None
) -> Printable:
    """A document ready to print. `names` are people's names by person, `head` the trail's, for the county's reports.

    Raises ValueError for a report without a head.
    """
    found = KINDS[kind]
    if kind in WITH_HEAD and head is None:
        raise ValueError("a report prints the head of the trail")
    context = {
        "kind": found,
        "f": figures,
        "made_at": at,
        "made_on": business_day(at),
        "names": names,
        "number": number,
        "version": _version(),
        "head": head,
        **_CONTEXTS[kind](figures),
    }
    volumes = _volumes(found, context)
    if volumes:
        context["parts"] = []
    html = _templates().get_template(found.template).render(context)
    attached = _attachments(kind, figures)
    return Printable(
        found.title, html, _stylesheet(found), at, attached, volumes, _PAGES.get(kind, ("auto", "auto"))
    )


_LINES: Mapping[str, tuple[str, str]] = {
    "batch_summary": ("batch_lines.html", "detail"),
    "audit_report": ("audit_lines.html", "wide"),
}
"""Template of the long table of a kind, and the style sheet's page that it is printed on."""
_PAGES: Mapping[str, tuple[str, str]] = {
    "batch_summary": ("detail", "wide"),
    "audit_report": ("auto", "wide"),
}
_PARTS_A_VOLUME = 3


def _volumes(kind: Kind, context: dict[str, Any]) -> tuple[str, ...]:
    """The long table of a document in volumes; none when it has a single part, which stands in the document itself."""
    if kind.key not in _LINES or len(context["parts"]) < 2:
        return ()
    lines, page = _LINES[kind.key]
    template, parts = _templates().get_template("volume.html"), context["parts"]
    return tuple(
        template.render(
            {**context, "lines": lines, "page": page, "parts": parts[start : start + _PARTS_A_VOLUME]}
        )
        for start in range(0, len(parts), _PARTS_A_VOLUME)
    )


def _attachments(kind: str, figures: Figures) -> tuple[Attached, ...]:
    return attachments.ATTACHMENTS[kind](figures) if kind in attachments.ATTACHMENTS else ()


@cache
def _version() -> str:
    try:
        return version("fangpin")
    except PackageNotFoundError:  # Run from its folder without having been installed.
        return "0"


@cache
def _stylesheet(kind: Kind) -> str:
    sheets = _HERE / "stylesheets"
    return "\n".join((sheets / name).read_text(encoding="utf-8") for name in ("base.css", kind.stylesheet))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "yuan": yuan,
        "capitals": amount_in_capitals,
        "day": day_text,
        "moment": moment_text,
        "instant": lambda at: instant_text(at.replace(microsecond=0))[:19] + "Z",
        "zh": chinese,
        "person": person_text,
        "group": lambda number: f"{number:,}",
        "percent": layout.percent,
    }
    return environment


# --- what each kind adds to its figures ------------------------------------------------------------------------------


def _letter(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, CaseFigures)
    grounds = tuple(reason for reason in figures.words.reasons if GRAVITY[reason.code] in (REJECT, AMOUNT))
    by_amount = any(GRAVITY[reason.code] == AMOUNT for reason in grounds)
    return {
        "author": figures.policy.insurer,
        "description": figures.claim_no,
        "to": addressee(figures.claimant, figures.age, figures.deceased),
        "opening": opening(figures, grounds),
        "grounds": grounds,
        "reasons": REASONS,
        "by_amount": by_amount and all(GRAVITY[reason.code] == AMOUNT for reason in grounds),
        "pay_by": figures.determined_on + _PAY_WITHIN,
        "rights_number": "四",
    }


def opening(figures: CaseFigures, grounds: tuple[CheckWords, ...]) -> str:
    """The opening sentence of a letter. A refusal gives a reason that it rests on, never a doubt beside it.

    What was only to be looked into may speak of other people, and is no ground for a refusal.
    """
    sentence, reasons = figures.words.opening, figures.words.reasons
    if grounds and reasons and reasons[0] not in grounds:
        return sentence.replace(reasons[0].sentence, grounds[0].sentence)
    return sentence


def _batch(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, BatchFigures)
    return {
        "author": figures.insurer,
        "description": figures.message_id,
        "by_line": layout.sums(figures.lines, lambda line: line.line_title),
        "matrix": layout.matrix(figures.lines),
        "parts": layout.parts(figures.lines),
        "attached": attachments.digests(attachments.batch(figures)),
        "states": BATCH_STATES,
        "formats": FORMATS,
    }


def _programme(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, ProgrammeFigures)
    return {
        "author": figures.policy.purchaser,
        "description": figures.policy.number,
        "attached": attachments.digests(attachments.programme(figures)),
        **layout.programme(figures),
    }


def _audit(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, AuditFigures)
    programme = figures.programme
    return {
        "author": programme.policy.purchaser,
        "description": programme.policy.number,
        "p": programme,
        "paid_fen": sum(case.paid_fen for case in figures.cases),
        "duplicates_found": sum(test.found for test in figures.duplicates),
        "segregation_found": sum(test.found for test in figures.segregation),
        "controls_off": sum(1 for control in figures.controls if control.count_off or control.amount_off_fen),
        "off_fen": sum(abs(control.amount_off_fen) for control in figures.controls),
        "states": BATCH_STATES,
        "accounts": ACCOUNTS,
        "people": layout.people(figures.cases),
        "parts": layout.parts(figures.cases),
        "attached": attachments.digests(attachments.audit(figures)),
        **layout.programme(programme),
    }


def _notice(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, VillageNotice)
    recognised = figures.kind == RECOGNITION
    days = f"{day_text(figures.period_from)}至{day_text(figures.period_to)}"
    households, total = len(figures.entries), yuan(figures.total_fen)
    did = "经申报、核查和审核，核定给付" if recognised else "防贫保险赔款已交银行代发"
    return {
        "author": figures.issuer,
        "description": f"{figures.town}{figures.village} {days}",
        "heading": "防贫保险核定结果公示" if recognised else "防贫保险赔款发放结果公示",
        "opening": f"{days}，本村{did}{households}户，合计{total}元，现予公示，接受群众监督。",
        "days": DAYS[figures.kind],
        "attached": attachments.digests(attachments.village_notice(figures)),
    }


def _certificate(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, CertificateFigures)
    return {
        "author": figures.policy.insurer,
        "description": figures.policy.number,
        "household_cap": None if figures.household_cap_fen is None else sum_text(figures.household_cap_fen),
    }


def _claim_form(figures: Figures) -> dict[str, Any]:
    assert isinstance(figures, ClaimFormFigures)
    return {"author": figures.policy.purchaser, "description": figures.case_number}


_CONTEXTS: Mapping[str, Callable[[Figures], dict[str, Any]]] = {
    "payment_notice": _letter,
    "refusal_notice": _letter,
    "calculation_sheet": _letter,
    "batch_summary": _batch,
    "programme_report": _programme,
    "audit_report": _audit,
    "village_notice": _notice,
    "cover_certificate": _certificate,
    "claim_form": _claim_form,
}


# --- how things are written ------------------------------------------------------------------------------------------


def yuan(fen: int) -> str:
    """An amount in yuan grouped by three."""
    return Money(fen).grouped if abs(fen) <= MOST_FEN else f"{fen // 100:,}.{fen % 100:02d}"


def day_text(day: date) -> str:
    """2020年3月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment_text(at: datetime) -> str:
    """2020年3月5日 09:30, as clocks show it in Shanghai."""
    local = at.astimezone(SHANGHAI)
    return f"{day_text(local.date())} {local:%H:%M}"


def person_text(person: str, names: Mapping[str, str]) -> str:
    """A person by name, with what identifies them."""
    return f"{names[person]}（{person}）" if person in names and names[person] != person else person


_HAN = "\u3007\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0003ffff"
_FULL = {",": "，", ":": "：", ";": "；", "?": "？", "!": "！"}
_SIGN = re.compile(rf"(?<=[{_HAN}”」』）])[,:;?!]|[,:;?!](?=[{_HAN}“「『（])")
_IN_BRACKETS = re.compile(rf"\(([^()]*[{_HAN}][^()]*)\)|(?<=[{_HAN}])\(([^()]*)\)")
_GAP = re.compile(rf"(?<=[{_HAN}，：；。、）]) +(?=[{_HAN}0-9A-Za-z¥￥])|(?<=[0-9A-Za-z%]) +(?=[{_HAN}])")
_ISO_DAY = re.compile(r"(?<![\w-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![\w-])", re.ASCII)


def chinese(text: str) -> str:
    """A Chinese sentence as it is printed: full-width signs, no gaps before numbers, days in years, months and days."""
    text = _ISO_DAY.sub(lambda day: f"{day[1]}年{int(day[2])}月{int(day[3])}日", text)
    text = _IN_BRACKETS.sub(lambda found: f"（{found[1] or found[2] or ''}）", text)
    return _GAP.sub("", _SIGN.sub(lambda sign: _FULL[sign[0]], text))
