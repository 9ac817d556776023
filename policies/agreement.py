"""Where a policy file differs from the standards of its year: each place as it stands in policy.toml, with the remedy.

Pure. A value of the reverse standards may be dated: each one in force on a day of the policy's period is compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from foundation.errors import Fault
from foundation.money import Money
from policies.policy import REVERSE_STANDARDS, Policy, ReverseStandard
from policies.standard import Standards, percent_text, reverse_values
from policies.terms import REVERSE_NAMES, Pair

_MENDED = (
    "请改正保单文件;保单正确的,先按程序修订当年标准",
    "correct the policy file, or have the year's standards changed first",
)


def disagreements(standards: Standards, policy: Policy) -> list[Fault]:
    """Every difference, in the order of the file; empty when the policy says just what the standards say."""
    faults = list(_line(standards, policy))
    tables = json.loads(policy.canonical).get("reverse_standards", {})
    for key in REVERSE_STANDARDS:
        here, place = standards.reverse.get(key), f"reverse_standards.{key}"
        if here is None and key in tables:
            faults.append(
                _fault(
                    standards,
                    place,
                    f"没有“{REVERSE_NAMES[key][0]}”这一项,保单却有",
                    f"do not have {REVERSE_NAMES[key][1]}, the policy has",
                )
            )
        elif here is not None and key not in tables:
            faults.append(
                _fault(
                    standards,
                    place,
                    f"有“{REVERSE_NAMES[key][0]}”这一项,保单却没有",
                    f"have {REVERSE_NAMES[key][1]}, the policy has not",
                )
            )
        elif here is not None:
            faults += _values(standards, here, tables[key], place, policy)
    return faults


def _line(standards: Standards, policy: Policy) -> Iterator[Fault]:
    line, basis, ratio = standards.line, policy.poverty_line_basis_fen, policy.poverty_line_ratio
    if line.base_fen != basis:
        yield _differs(standards, "poverty_line.basis", _yuan(line.base_fen), _yuan(basis))
    if Fraction(line.ratio.numerator, line.ratio.denominator) != Fraction(ratio.numerator, ratio.denominator):
        ours, theirs = percent_text(line.ratio), percent_text(ratio)
        yield _differs(standards, "poverty_line.ratio", (ours, ours), (theirs, theirs))
    if line.result_fen != policy.poverty_line_fen:
        (our_zh, our_en), (their_zh, their_en) = _yuan(line.result_fen), _yuan(policy.poverty_line_fen)
        yield _fault(
            standards,
            "poverty_line",
            f"算出的贫困线为 {our_zh},保单(向下取整到元)为 {their_zh}",
            f"come to a line of {our_en}, the policy (rounded down to the yuan) to {their_en}",
        )


def _values(
    standards: Standards, ours: ReverseStandard, table: dict[str, Any], place: str, policy: Policy
) -> Iterator[Fault]:
    for key, wanted in reverse_values(ours).items():
        for there, found in _in_force(table.get(key), policy):
            found = sorted(set(found)) if isinstance(found, list) else found
            if found == wanted:
                continue
            yield _differs(standards, f"{place}.{key}{there}", _words(key, wanted), _words(key, found))


def _in_force(steps: list[list[Any]] | None, policy: Policy) -> Iterator[tuple[str, Any]]:
    """The values in force on some day of the period, each with what its place has at the end; absent is None."""
    if steps is None:
        yield "", None
        return
    for number, (first, value) in enumerate(steps):
        # The first value holds before its day, too.
        begins = date.fromisoformat(first) if number else date.min
        ended = number + 1 < len(steps) and date.fromisoformat(steps[number + 1][0]) <= policy.period_from
        if begins <= policy.period_to and not ended:
            yield f".since.{first}" if first else "", value


def _yuan(fen: int) -> Pair:
    text = Money(fen).grouped
    return f"{text} 元", f"{text} yuan"


def _words(key: str, value: Any) -> Pair:
    if value is None:
        return "不限年数", "any number of years"
    if isinstance(value, list):
        return "、".join(value) or "空", ", ".join(value) or "nothing"
    return (f"{value} 年", f"{value} years") if key == "within_years" else _yuan(value)


def _differs(standards: Standards, place: str, ours: Pair, theirs: Pair) -> Fault:
    return _fault(
        standards, place, f"为 {ours[0]},保单为 {theirs[0]}", f"say {ours[1]}, the policy {theirs[1]}"
    )


def _fault(standards: Standards, place: str, zh: str, en: str) -> Fault:
    return Fault(
        place,
        f"{standards.year} 年标准{zh};{_MENDED[0]}",
        f"the standards of {standards.year} {en}; {_MENDED[1]}",
    )
