"""What a policy covers, in words for a certificate: warning lines, shares and caps, none left out (保险法 17).

Pure. The words follow `policies.benefit`, which does the arithmetic; sums of whole yuan are printed without decimals.
"""

from __future__ import annotations

from collections.abc import Iterable

from foundation.money import Money
from policies.policy import Benefit, Line, Policy, Rate, Terms
from policies.standard import percent_text
from reports.figures import CoveredBenefit, CoveredLine
from reports.terms import BENEFITS

_GRADES = "一二三四五六七八九十"


def covered_lines(policy: Policy, terms: Terms) -> tuple[CoveredLine, ...]:
    """Every line of cover in the order of the policy."""
    return tuple(_line(policy, line) for line in terms.lines.values())


def sum_text(fen: int) -> str:
    """A sum as a certificate has it: `5,000元`, `0.50元`."""
    return f"{Money(fen).grouped.removesuffix('.00')}元"


def _line(policy: Policy, line: Line) -> CoveredLine:
    benefits = line.benefits.values()
    evidence = dict.fromkeys(paper for benefit in benefits for paper in benefit.evidence)
    return CoveredLine(
        title=line.title,
        benefits=tuple(_benefit(benefit) for benefit in benefits),
        conditions=tuple(_conditions(policy, line)),
        evidence=tuple(evidence),
    )


def _conditions(policy: Policy, line: Line) -> Iterable[str]:
    if line.income_ceiling_text is not None:
        line_text = sum_text(policy.poverty_line_fen)
        yield f"家庭人均纯收入高于相对贫困线（{line_text}）{line.income_ceiling_text}倍的，不予给付"
    if line.waiting_days:
        yield f"首次参保有{line.waiting_days}日等待期，等待期内发生的不予给付"
    if line.excluded_causes:
        yield f"因{'、'.join(sorted(line.excluded_causes))}发生的，不予给付"
    if line.covered_causes is not None:
        yield f"限于{'、'.join(sorted(line.covered_causes))}"
    if line.levels is not None:
        yield f"限于{'、'.join(sorted(line.levels))}在读"


def _benefit(benefit: Benefit) -> CoveredBenefit:
    return CoveredBenefit(
        title=BENEFITS[benefit.key],
        clause=benefit.clause,
        franchise=_franchise(benefit),
        share=tuple(_SHARES[benefit.kind](benefit)),
        cap=_cap(benefit),
    )


def _franchise(benefit: Benefit) -> str:
    """The warning line 起付线: up to it nothing is paid."""
    if benefit.franchise_fen is None:
        first = next((tier.from_fen for tier in benefit.tiers if tier.rate.numerator), 0)
        return sum_text(first) if first else "无"
    others = [(name, fen) for name, fen in benefit.franchise_fen.items() if name != "default"]
    named = [f"{name}{sum_text(fen)}" for name, fen in sorted(others)]
    default = sum_text(benefit.franchise_fen["default"])
    return "；".join([*named, f"其他人员{default}"]) if named else default


def _tiers(benefit: Benefit) -> Iterable[str]:
    starts = [tier.from_fen for tier in benefit.tiers]
    for tier, end in zip(benefit.tiers, [*starts[1:], None], strict=True):
        if tier.rate.numerator:
            start = sum_text(tier.from_fen)
            span = f"超过{start}" if end is None else f"{start.removesuffix('元')}至{sum_text(end)}"
            yield f"{span}的部分给付{percent_text(tier.rate)}"


def _fixed(benefit: Benefit) -> Iterable[str]:
    yield f"一次给付{sum_text(benefit.sum_fen)}"


def _graded(benefit: Benefit) -> Iterable[str]:
    last = _GRADES[len(benefit.grades) - 1]
    shares = "、".join(percent_text(rate) for rate in benefit.grades)
    yield f"保险金额{sum_text(benefit.sum_fen)}，一级至{last}级依次给付{shares}"


def _shortfall(benefit: Benefit) -> Iterable[str]:
    rate = benefit.rate or Rate.of("1")
    yield f"相对贫困线与核定人均纯收入之差×家庭人口，给付{percent_text(rate)}"


_SHARES = {"expense": _tiers, "fixed": _fixed, "graded": _graded, "shortfall": _shortfall}


def _cap(benefit: Benefit) -> str:
    """The cap 限额, with whose and in which time it is."""
    year = "每学年" if benefit.over_academic_year else "每年度"
    whose = "每户" if benefit.per_household or benefit.kind == "shortfall" else "每人"
    if benefit.kind == "fixed":
        return sum_text(benefit.sum_fen)
    if benefit.kind == "graded" and benefit.cap_fen is None:
        return sum_text(benefit.sum_fen)
    caps = [] if benefit.cap_fen is None else [f"{whose}{year}{sum_text(benefit.cap_fen)}"]
    if benefit.cap_per_head_fen:
        caps.insert(0, f"每人{sum_text(benefit.cap_per_head_fen)}")
    return "，".join(caps) or "不设"
