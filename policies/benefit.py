"""The arithmetic of the benefits (rules.md §5): what a benefit gives before any earlier claim is taken off.

Pure, in whole fen, rounded half up once where the rules say so. Every function also returns its calculation line by
line: a line is `(label, clause, values)`; `claims.wording` puts it into words, in Chinese and English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.money import half_up
from policies.policy import Benefit

CalculationLine = tuple[str, str, dict[str, Any]]


def franchise_for(benefit: Benefit, category: str) -> int:
    """The franchise 起付线 in fen for a 人员类别; 0 where the benefit has none."""
    table: Mapping[str, int] | None = benefit.franchise_fen
    if table is None:
        return 0
    return table.get(category, table["default"])


def tiered_amount(benefit: Benefit, measure_fen: int, category: str, lines: list[CalculationLine]) -> int:
    """B before its cap, in fen, for the accumulated cost `measure_fen`; appends its lines.

    0 up to and including the franchise; above it every tier's rate times the part of the whole cost inside the tier,
    added exactly and rounded half up once.
    """
    franchise = franchise_for(benefit, category)
    clause = benefit.clause
    if measure_fen <= franchise:
        lines.append(
            ("at_or_below_franchise", clause, {"measure_fen": measure_fen, "franchise_fen": franchise})
        )
        return 0
    if franchise:
        lines.append(("above_franchise", clause, {"measure_fen": measure_fen, "franchise_fen": franchise}))
    tiers = benefit.tiers
    last = len(tiers) - 1
    scale = 1
    total = 0
    for place, tier in enumerate(tiers):
        low = tier.from_fen
        if measure_fen <= low:
            break
        upper = tiers[place + 1].from_fen if place < last else None
        part = (measure_fen if upper is None or measure_fen < upper else upper) - low
        rate = tier.rate
        lines.append(
            ("tier", clause, {"from_fen": low, "to_fen": upper, "part_fen": part, "rate": rate.text})
        )
        if rate.denominator > scale:
            total *= rate.denominator // scale
            scale = rate.denominator
        total += part * rate.numerator * (scale // rate.denominator)
    amount = half_up(total, scale)
    lines.append(("tiers_total", clause, {"amount_fen": amount}))
    return amount


def fixed_amount(benefit: Benefit, lines: list[CalculationLine]) -> int:
    """The sum insured, in fen."""
    lines.append(("sum", benefit.clause, {"sum_fen": benefit.sum_fen}))
    return benefit.sum_fen


def graded_amount(benefit: Benefit, grade: int, lines: list[CalculationLine]) -> int:
    """The sum insured times the rate of a disability grade 1 to 10, rounded half up, in fen."""
    rate = benefit.grades[grade - 1]
    amount = half_up(benefit.sum_fen * rate.numerator, rate.denominator)
    values = {"sum_fen": benefit.sum_fen, "grade": grade, "rate": rate.text, "amount_fen": amount}
    lines.append(("grade", benefit.clause, values))
    return amount


def shortfall_amount(
    benefit: Benefit, poverty_line_fen: int, income_fen: int, members: int, lines: list[CalculationLine]
) -> int:
    """max(0, poverty line − verified income) × members × rate, rounded half up, before any cap, in fen."""
    rate = benefit.rate
    if rate is None:
        raise ValueError("a shortfall benefit has a rate")
    gap = max(0, poverty_line_fen - income_fen)
    amount = half_up(gap * members * rate.numerator, rate.denominator)
    values = {
        "poverty_line_fen": poverty_line_fen,
        "income_fen": income_fen,
        "gap_fen": gap,
        "members": members,
        "rate": rate.text,
        "amount_fen": amount,
    }
    lines.append(("shortfall", benefit.clause, values))
    return amount


def shortfall_cap(benefit: Benefit, members: int) -> int:
    """What the shortfall is held to, in fen: the cap per head times the members, then the cap."""
    per_heads = benefit.cap_per_head_fen * members
    return per_heads if benefit.cap_fen is None else min(per_heads, benefit.cap_fen)
