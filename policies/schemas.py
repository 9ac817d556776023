"""What the pages of the standards take in: the form of a proposal, and the one new figure of a re-index.

A form becomes `Standards` by `standards_from`, and standards fill a form by `form_of`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

from foundation.errors import InvalidInput
from foundation.money import yuan_text
from foundation.web.fields import (
    REQUIRED,
    Choice,
    CleanText,
    Flag,
    Money,
    RowId,
    Strict,
    StrictSchema,
    TextSchema,
    Whole,
    refused,
)
from policies.policy import AMOUNT_KEYS, REVERSE_STANDARDS, Rate, ReverseStandard
from policies.standard import (
    FIRST_YEAR,
    LAST_YEAR,
    REASON_GROUPS,
    ROUNDINGS,
    UNITS,
    Pair,
    QuantitativeLine,
    Reason,
    Standards,
    percent_text,
    reverse_values,
)

MOST_REASONS = 30
"""Rows of the form for qualitative reasons."""
MOST_TEXT = 120
_ROWS = range(1, MOST_REASONS + 1)
_LISTED = re.compile("[、,,;;]")


class Percent(Strict[Rate]):
    """A rate in per cent, as text with at most four decimals: `33`, `33.5`; without the sign."""

    _FORM = re.compile(r"(100|[1-9]?[0-9])(?:\.([0-9]{1,4}))?", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Rate:  # noqa: ARG002
        found = self._FORM.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise refused(
                "应为 0 至 100 的数字(半角),最多四位小数,不写百分号",
                "must be a number from 0 to 100 with at most four decimals, without the sign",
            )
        digits, shift = found[1] + (found[2] or ""), len(found[2] or "") + 2
        text = f"{int(digits) // 10**shift}.{int(digits) % 10**shift:0{shift}d}".rstrip("0").rstrip(".")
        return Rate.of(text)


def _reverse_fields(key: str) -> dict[str, Any]:
    fields: dict[str, Any] = {key: Flag(), f"{key}_clause": CleanText(max=MOST_TEXT)}
    if key in AMOUNT_KEYS:
        fields[f"{key}_{AMOUNT_KEYS[key]}"] = Money()
    if key == "housing":
        fields |= {"housing_uses": CleanText(max=MOST_TEXT), "housing_within_years": Whole(1, 100)}
    if key == "company":
        fields["company_statuses"] = CleanText(max=MOST_TEXT)
    return fields


def _reason_fields(row: int) -> dict[str, Any]:
    return {
        f"reason_{row}_key": RowId(),
        f"reason_{row}_group": Choice(REASON_GROUPS),
        f"reason_{row}_zh": CleanText(max=MOST_TEXT),
        f"reason_{row}_en": CleanText(max=MOST_TEXT),
    }


_FIELDS: dict[str, Any] = (
    {
        "year": Whole(FIRST_YEAR, LAST_YEAR, required=True),
        "base_name": CleanText(max=MOST_TEXT, required=True),
        "base": Money(required=True),
        "ratio": Percent(required=True),
        "rounding": Choice(ROUNDINGS, required=True),
        "unit": Choice(UNITS, required=True),
        "source": CleanText(max=MOST_TEXT, required=True),
        "elderly_from_age": Whole(40, 120, required=True),
    }
    | {name: field for key in REVERSE_STANDARDS for name, field in _reverse_fields(key).items()}
    | {name: field for row in _ROWS for name, field in _reason_fields(row).items()}
)
StandardsForm = cast(type[StrictSchema], StrictSchema.from_dict(_FIELDS, name="StandardsForm"))
"""A proposal. A reverse standard counts where its box is ticked; a row of reasons where a title is written."""


class NextYearForm(StrictSchema):
    """The yearly re-index: the income of the year before, and where it is published."""

    next_base = Money(required=True)
    next_source = CleanText(max=MOST_TEXT, required=True)


class DecisionForm(StrictSchema):
    """Whether a proposal is approved."""

    decision = Choice(("approve", "refuse"), required=True)


class ProposalArguments(TextSchema):
    """The year that a proposal is begun for; without it the one after the latest in force."""

    year = Whole(FIRST_YEAR, LAST_YEAR)


class YearArguments(TextSchema):
    """A version of a year's standards; without it what is in force or else the newest."""

    version = RowId()


def standards_from(values: Mapping[str, Any]) -> Standards:
    """The standards of a form. Raises InvalidInput where a ticked reverse standard or a reason is not whole."""
    faults: dict[str, list[Pair]] = {}
    year = values["year"]
    line = QuantitativeLine(
        base_name=values["base_name"],
        base_year=year - 1,
        base_fen=int(values["base"]),
        ratio=values["ratio"],
        rounding=values["rounding"],
        unit=values["unit"],
        source=values["source"],
    )
    reverse = {key: _reverse_standard(key, values, faults) for key in REVERSE_STANDARDS if values.get(key)}
    reasons = [reason for row in _ROWS if (reason := _reason(row, values, faults)) is not None]
    if faults:
        raise InvalidInput(faults)
    return Standards(year, line, reverse, tuple(reasons), values["elderly_from_age"])


def _reverse_standard(key: str, values: Mapping[str, Any], faults: dict[str, list[Pair]]) -> ReverseStandard:
    def needed(name: str, empty: Any) -> Any:
        found = values.get(f"{key}_{name}")
        if found is None:
            faults[f"{key}_{name}"] = [REQUIRED]
        return empty if found is None else found

    def words(name: str) -> frozenset[str]:
        return frozenset(word.strip() for word in _LISTED.split(needed(name, "")) if word.strip())

    return ReverseStandard(
        key=key,
        clause=needed("clause", ""),
        from_fen=int(needed(AMOUNT_KEYS[key], 0)) if key in AMOUNT_KEYS else 0,
        uses=words("uses") if key == "housing" else frozenset(),
        within_years=values.get(f"{key}_within_years"),
        statuses=words("statuses") if key == "company" else frozenset(),
    )


def _reason(row: int, values: Mapping[str, Any], faults: dict[str, list[Pair]]) -> Reason | None:
    """The reason of a row; None for a row without any title. A new one is known by what it says from then on."""
    zh, en = values.get(f"reason_{row}_zh"), values.get(f"reason_{row}_en")
    if zh is None and en is None:
        return None
    for name, text in (("zh", zh), ("en", en), ("group", values.get(f"reason_{row}_group"))):
        if text is None:
            faults[f"reason_{row}_{name}"] = [REQUIRED]
    key = values.get(f"reason_{row}_key") or "added_" + hashlib.sha256(str(zh).encode()).hexdigest()[:12]
    return Reason(key, values.get(f"reason_{row}_group", ""), (zh or "", en or ""))


def form_of(standards: Standards) -> dict[str, str]:
    """What the fields of a form hold for standards."""
    line = standards.line
    filled = {
        "year": str(standards.year),
        "base_name": line.base_name,
        "base": yuan_text(line.base_fen) if line.base_fen else "",
        "ratio": percent_text(line.ratio).rstrip("%"),
        "rounding": line.rounding,
        "unit": line.unit,
        "source": line.source,
        "elderly_from_age": str(standards.elderly_from_age),
    }
    for key, one in standards.reverse.items():
        filled |= {key: "1", f"{key}_clause": one.clause}
        for name, value in reverse_values(one).items():
            if value is not None:
                filled[f"{key}_{name}"] = _as_text(name, value)
    for row, reason in enumerate(standards.reasons, start=1):
        filled |= {
            f"reason_{row}_key": reason.key,
            f"reason_{row}_group": reason.group,
            f"reason_{row}_zh": reason.title[0],
            f"reason_{row}_en": reason.title[1],
        }
    return filled


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "、".join(value)
    return str(value) if name == "within_years" else yuan_text(value)
