"""A decision in words, in Chinese and English: the one function that puts the record into sentences.

Pure. The desk, the letter and the audit report print what stands here; none of them works a decision out again.
Sums are yuan with two decimals grouped by three, days are ISO dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Any

from claims.adjudication import Decision
from claims.calculation_phrases import BELOW_LINE, CALCULATION, TOP_TIER
from claims.checks import AMOUNT, GRAVITY
from claims.facts import Facts
from claims.phrases import (
    AMOUNT_REASONS,
    CHECKS,
    CLEARED,
    FEEDS,
    LINES,
    NOT_LOOKED_INTO,
    OUTCOMES,
    RESULTS,
)
from foundation.money import MOST_FEN, Money
from policies.policy import Policy

_EXACT = Context(prec=2000)
"""Of a rate with any number of digits nothing is lost, whatever precision the surroundings have set."""


@dataclass(frozen=True, slots=True)
class CheckWords:
    """One check in words. `result` is 通过, 未通过 or 无数据 (passed, failed, no data)."""

    code: str
    title: str
    result: str
    sentence: str
    clause: str


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line of the calculation in words; `amount_fen` is what the line comes to, None where it has no sum."""

    text: str
    clause: str
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """A decision in words: `opening` is one plain sentence; `reasons` are the failed checks and the amount reason."""

    outcome: str
    opening: str
    reasons: tuple[CheckWords, ...]
    checks: tuple[CheckWords, ...]
    calculation: tuple[LineWords, ...]


def explain(policy: Policy, facts: Facts, decision: Decision, language: str) -> DecisionWords:
    """The decision in words, `language` being zh or en. Works on a decision just made and on a stored one alike."""
    zh = language == "zh"
    checks = tuple(
        _check(code, result, clause, inputs, zh) for code, result, clause, inputs in decision.checks
    )
    failed = [words for words, check in zip(checks, decision.checks, strict=True) if check[1] is False]
    clause = decision.calculation[-1][1] if decision.calculation else policy.number
    for code in decision.reasons:
        if GRAVITY[code] == AMOUNT:
            title, sentence = AMOUNT_REASONS[code].in_language(zh)
            if code == "BELOW_LINE":
                sentence = _below_line(decision, zh) or sentence
            failed.append(CheckWords(code, title, RESULTS[False][0 if zh else 1], sentence, clause))
    calculation = tuple(
        _line(label, line_clause, values, zh) for label, line_clause, values in decision.calculation
    )
    opening = _opening(policy, facts, decision, tuple(failed), zh)
    return DecisionWords(
        OUTCOMES[decision.outcome][0 if zh else 1], opening, tuple(failed), checks, calculation
    )


def _below_line(decision: Decision, zh: bool) -> str | None:
    """Why the claim is below the line, with its figures."""
    lines = {label: values for label, _, values in decision.calculation}
    for label, sentences in BELOW_LINE.items():
        if label in lines and (label != "shortfall" or lines[label]["gap_fen"] == 0):
            return sentences[0 if zh else 1].format_map(_Inputs(lines[label], zh))
    return None


def _opening(
    policy: Policy, facts: Facts, decision: Decision, reasons: tuple[CheckWords, ...], zh: bool
) -> str:
    line = policy.on(facts.claim.event_on).lines.get(decision.line)
    title = line.title if line is not None and zh else LINES[decision.line][0 if zh else 1]
    amount = _yuan(decision.payable_fen)
    # A doubt that failed beside it decides nothing: the sentence gives the first reason that this outcome rests on.
    decisive = [words for words in reasons if GRAVITY[words.code] in (decision.outcome, AMOUNT)]
    why = decisive[0].sentence if decisive else ""
    if decision.outcome == "approve":
        return (
            f"您的{title}保险金申请已获核定,将向您支付 {amount} 元。"
            if zh
            else f"Your {title} claim has been approved; {amount} yuan will be paid to you."
        )
    if decision.outcome == "reject":
        return (
            f"很抱歉,您的{title}保险金申请不能给付:{why}。"
            if zh
            else f"We are sorry: your {title} claim cannot be paid, because {why}."
        )
    if decision.outcome == "supplement":
        return (
            f"您的{title}保险金申请还需补充材料:{why}。"
            if zh
            else f"Your {title} claim needs more papers: {why}."
        )
    return (
        f"您的{title}保险金申请需由理赔员核实:{why}。"
        if zh
        else f"Your {title} claim is with an officer: {why}."
    )


def _check(code: str, result: bool | None, clause: str, inputs: Mapping[str, Any], zh: bool) -> CheckWords:
    phrase = CHECKS[code]
    title, sentence = (phrase.failed if result is False else phrase.passed).in_language(zh)
    if result is None:
        sentence = NOT_LOOKED_INTO[0 if zh else 1]
    elif result and inputs.get("hits"):
        sentence = CLEARED[0 if zh else 1]
    return CheckWords(
        code, title, RESULTS[result][0 if zh else 1], sentence.format_map(_Inputs(inputs, zh)), clause
    )


def _line(label: str, clause: str, values: Mapping[str, Any], zh: bool) -> LineWords:
    phrase, amount_key = CALCULATION[label]
    if label == "tier":
        # Rounded once, at the end: a tier's own product may have parts of a fen.
        product = _EXACT.multiply(Decimal(values["part_fen"]), Decimal(values["rate"])).scaleb(-2, _EXACT)
        values = {**values, "product": f"{product.normalize(_EXACT):,f}"}
        if values["to_fen"] is None:
            phrase = TOP_TIER
    _, text = phrase.in_language(zh)
    amount = values[amount_key] if amount_key else None
    return LineWords(text.format_map(_Inputs(values, zh)), clause, amount)


class _Inputs(dict[str, str]):
    """Inputs of a check or a line as they are read: sums in yuan, days, lists joined, hits described."""

    def __init__(self, values: Mapping[str, Any], zh: bool) -> None:
        super().__init__({key: _shown(key, value, zh) for key, value in values.items()})


def _shown(key: str, value: Any, zh: bool) -> str:
    if value is None:
        return "—"
    if key.endswith("_fen"):
        return _yuan(value)
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if isinstance(value, date):
        return value.isoformat()
    if key == "feed":
        return FEEDS[value][0 if zh else 1]
    if key in ("absent", "asked") and value and value[0] in FEEDS:
        return _joined((FEEDS[name][0 if zh else 1] for name in value), zh)
    if key in ("hits", "rows"):
        return _joined((_described(item, zh) for item in value), zh)
    if isinstance(value, list | tuple):
        return _joined(map(str, value), zh)
    return str(value)


def _joined(words: Iterable[str], zh: bool) -> str:
    return ("、" if zh else ", ").join(words) or "—"


def _described(item: Any, zh: bool) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    parts = [str(item[key]) for key in ("person", "what") if item.get(key)]
    if item.get("relative_of"):
        parts.insert(0, f"{item['relative_of']}的" if zh else f"{item['relative_of']}'s")
    for key in ("amount_fen", "burden_fen"):
        if item.get(key) or (key == "burden_fen" and key in item):
            parts.append(f"{_yuan(item[key])} 元" if zh else f"{_yuan(item[key])} yuan")
    if item.get("since"):
        parts.append(f"{item['since']} 起" if zh else f"since {item['since']}")
    if item.get("until"):
        parts.append(f"至 {item['until']}" if zh else f"until {item['until']}")
    if item.get("on"):
        parts.append(str(item["on"]))
    return " ".join(parts)


def _yuan(fen: int) -> str:
    return Money(fen).grouped if abs(fen) <= MOST_FEN else f"{fen // 100:,}.{fen % 100:02d}"
