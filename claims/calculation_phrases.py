"""The sentences of the calculation, in both languages: one for every line, and why a claim is below the line.

Data, like `claims.phrases`. Names in braces are values of the line.
"""

from __future__ import annotations

from claims.phrases import Phrase

BELOW_LINE: dict[str, tuple[str, str]] = {
    "at_or_below_franchise": (
        "累计费用 {measure_fen} 元未超过起付线 {franchise_fen} 元",
        "the accumulated cost of {measure_fen} does not exceed the franchise of {franchise_fen}",
    ),
    "measure": (
        "累计费用 {measure_fen} 元未达到给付起点",
        "the accumulated cost of {measure_fen} does not reach the tier from which is paid",
    ),
    "shortfall": (
        "核定人均收入 {income_fen} 元不低于相对贫困线 {poverty_line_fen} 元,没有收入差额",
        "the verified income of {income_fen} is not below the poverty line of {poverty_line_fen}",
    ),
}
"""Why nothing is paid, by the calculation line that shows it; the first that is there is said."""

CALCULATION: dict[str, tuple[Phrase, str | None]] = {
    "measure": (
        Phrase(
            "",
            "",
            "累计费用 = 本次 {this_fen} 元 + 以前 {earlier_fen} 元",
            "accumulated cost = this {this_fen} + earlier {earlier_fen}",
        ),
        "measure_fen",
    ),
    "at_or_below_franchise": (
        Phrase(
            "",
            "",
            "累计费用 {measure_fen} 元未超过起付线 {franchise_fen} 元",
            "{measure_fen} does not exceed the franchise {franchise_fen}",
        ),
        None,
    ),
    "above_franchise": (
        Phrase(
            "",
            "",
            "累计费用 {measure_fen} 元超过起付线 {franchise_fen} 元",
            "{measure_fen} exceeds the franchise {franchise_fen}",
        ),
        None,
    ),
    "tier": (
        Phrase(
            "",
            "",
            "{from_fen} 元至 {to_fen} 元的部分 {part_fen} 元 × {rate} = {product} 元",
            "the part from {from_fen} to {to_fen}: {part_fen} × {rate} = {product}",
        ),
        None,
    ),
    "tiers_total": (
        Phrase("", "", "各档合计(四舍五入到分)", "sum of the tiers (half up to the fen)"),
        "amount_fen",
    ),
    "sum": (Phrase("", "", "定额给付", "fixed sum"), "sum_fen"),
    "grade": (
        Phrase(
            "",
            "",
            "保额 {sum_fen} 元 × {grade} 级比例 {rate}",
            "sum {sum_fen} × rate {rate} of grade {grade}",
        ),
        "amount_fen",
    ),
    "shortfall": (
        Phrase(
            "",
            "",
            "贫困线 {poverty_line_fen} 元减人均收入 {income_fen} 元,得 {gap_fen} 元(不足按零)× {members} 人 × {rate}",
            "line {poverty_line_fen} less income {income_fen}, at least 0: {gap_fen} × {members} members × {rate}",
        ),
        "amount_fen",
    ),
    "held_to_cap": (
        Phrase(
            "", "", "{amount_fen} 元超过限额,按限额 {cap_fen} 元", "{amount_fen} is held to the cap {cap_fen}"
        ),
        "cap_fen",
    ),
    "less_earlier": (
        Phrase(
            "", "", "{held_fen} 元减以前已计 {earlier_fen} 元", "{held_fen} less {earlier_fen} given before"
        ),
        None,
    ),
    "accident_left": (
        Phrase(
            "",
            "",
            "同一事故身故与伤残合计不超过 {largest_fen} 元,以前已计 {earlier_fen} 元",
            "death and disability of one accident give {largest_fen} at most; {earlier_fen} given before",
        ),
        "left_fen",
    ),
    "entitled": (Phrase("", "", "本项应得", "entitled under this benefit"), "entitled_fen"),
    "household_cap": (
        Phrase(
            "",
            "",
            "户限额 {cap_fen} 元,以前已付 {earlier_fen} 元,余额",
            "household cap {cap_fen}, {earlier_fen} used before; left",
        ),
        "left_fen",
    ),
    "payable": (Phrase("", "", "本次应付", "payable now"), "payable_fen"),
}
"""Sentence of each calculation line, and which of its values it comes to."""

TOP_TIER = Phrase(
    "",
    "",
    "{from_fen} 元以上的部分 {part_fen} 元 × {rate} = {product} 元",
    "the part above {from_fen}: {part_fen} × {rate} = {product}",
)
