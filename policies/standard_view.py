"""The standards of a year as a page shows them, in the request's language: calculation, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foundation.errors import Fault
from foundation.money import Money
from foundation.web.language import _, pick
from policies.agreement import disagreements
from policies.models import Standard
from policies.policy import Policy
from policies.queries import standards_of
from policies.standard import Standards, percent_text, product_text, reverse_values
from policies.terms import REASON_GROUPS, REVERSE_NAMES, ROUNDINGS, STATES, UNITS, VALUES

STATE_KINDS = {"proposed": "warn", "active": "ok", "refused": "bad", "replaced": "neutral"}


def state_badge(row: Standard) -> tuple[str, str]:
    """Kind and word of a version's state."""
    return STATE_KINDS[row.state], pick(*STATES[row.state])


def version_view(row: Standard, names: Mapping[str, str]) -> dict[str, Any]:
    """One version of a year's standards: where it stands, who proposed and who decided it, and its line."""
    standards = standards_of(row.canonical)
    return {
        "id": row.id,
        "year": row.year,
        "state": row.state,
        "badge": state_badge(row),
        "line_fen": row.line_fen,
        "base_fen": standards.line.base_fen,
        "ratio": percent_text(standards.line.ratio),
        "proposed_by": names.get(row.proposed_by, row.proposed_by),
        "proposed_at": row.proposed_at,
        "decided_by": None if row.decided_by is None else names.get(row.decided_by, row.decided_by),
        "decided_at": row.decided_at,
        "fingerprint": row.fingerprint,
    }


def rounding_words(standards: Standards) -> str:
    """How the line is rounded: 向下取整到元."""
    rounding, unit = ROUNDINGS[standards.line.rounding], UNITS[standards.line.unit]
    return pick(f"{rounding[0]}{unit[0]}", f"{rounding[1]} {unit[1]}")


def calculation(standards: Standards) -> str:
    """The line written out: 19,128.00 × 33% = 6,312.24 → 6,312.00."""
    line = standards.line
    base, result = Money(line.base_fen).grouped, Money(line.result_fen).grouped
    return f"{base} × {percent_text(line.ratio)} = {product_text(line)} → {result}"


def reverse_view(standards: Standards) -> list[dict[str, Any]]:
    """The reverse standards: title, what each says in words, and its clause."""
    return [
        {
            "title": capital(pick(*REVERSE_NAMES[key])),
            "values": [
                (pick(*VALUES[name]), value_words(name, value)) for name, value in reverse_values(one).items()
            ],
            "clause": one.clause,
        }
        for key, one in standards.reverse.items()
    ]


def reasons_view(standards: Standards) -> list[tuple[str, list[str]]]:
    """The qualitative reasons by group, as they stand in the survey form; a group without any is left out."""
    groups = []
    for group, words in REASON_GROUPS.items():
        titles = [pick(*reason.title) for reason in standards.reasons if reason.group == group]
        title = capital(pick(*words))
        if group == "elderly":
            title = _("%(age)s 周岁以上贫困老人", age=standards.elderly_from_age)
        if titles:
            groups.append((title, titles))
    return groups


def value_words(name: str, value: Any) -> str:
    """A value of a reverse standard: a sum in yuan, words, or years."""
    if name == "within_years":
        return _("不限") if value is None else _("%(years)s 年", years=value)
    if isinstance(value, list):
        return "、".join(value)
    return _("%(sum)s 元", sum=Money(value).grouped)


def differences(before: Standards, after: Standards) -> list[tuple[str, str, str]]:
    """What differs between two years: (what, before, after), in the order of the page; a dash where there is none."""
    old, new = _labelled(before), _labelled(after)
    labels = list(dict.fromkeys([*new, *old]))
    return [
        (label, old.get(label, "—"), new.get(label, "—"))
        for label in labels
        if old.get(label) != new.get(label)
    ]


def _labelled(standards: Standards) -> dict[str, str]:
    line = standards.line
    found = {
        _("基数名称"): line.base_name,
        _("基数(元)"): Money(line.base_fen).grouped,
        _("比例"): percent_text(line.ratio),
        _("取整"): rounding_words(standards),
        _("定量标准(元)"): Money(line.result_fen).grouped,
        _("依据"): line.source,
        _("贫困老人起算年龄"): str(standards.elderly_from_age),
    }
    for one in reverse_view(standards):
        found[_("反向标准·%(title)s", title=one["title"])] = _("有")
        for name, text in one["values"]:
            found[f"{one['title']} · {name}"] = text
        found[f"{one['title']} · {_('依据')}"] = one["clause"]
    for group, titles in reasons_view(standards):
        found |= {f"{group} · {title}": _("有") for title in titles}
    return found


def policies_view(standards: Standards, policies: Sequence[Policy]) -> list[dict[str, Any]]:
    """The policies of the year, each with where it differs from the standards in force."""
    return [
        {
            "number": policy.number,
            "title": policy.title,
            "faults": [_said(fault) for fault in disagreements(standards, policy)],
        }
        for policy in policies
    ]


def _said(fault: Fault) -> tuple[str, str]:
    return fault.place, pick(fault.zh, fault.en)


def capital(text: str) -> str:
    """Text with a capital first letter, as a title or a label has it."""
    return text[:1].upper() + text[1:]
