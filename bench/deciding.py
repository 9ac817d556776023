"""Deciding claims: our whole decision against `zen-engine` with trace, and a pack of ten times the people.

zen-engine gets the tier rule alone (franchise, tiers, cap, what earlier bills were given), as a decision table and an
expression node; we make every check of the contract besides. Both leave their explanation as data. Before anything
is timed both must give the same B and the same entitled, to the fen, on every claim.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import zen

from bench.packs import DEMO, TIMES, case_of, ten_times
from bench.rounds import Clock, Row, in_own_process, in_turns, peak_mb, spread, timed
from claims.adjudication import Decision, decide
from claims.facts import Facts
from claims.pack import POLICY_FILE, read_pack
from policies.policy import Benefit, Policy
from policies.policy_file import load_policy

ROUNDS = 31
OUR_TURN, PEER_TURN = 1000, 100
"""Claims that a side decides in its turn: about as long for both, so that neither is disturbed more often."""
GROWTH_RUNS = 3

Context = dict[str, object]


def measure() -> list[Row]:
    """Claims a second of both sides, and how the work grows; `ratio` is the peer's time by ours, or large by small."""
    policy, facts = _illness_claims()
    graph = tier_rule(policy.versions[0].lines["illness"].benefits["medical"])
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    contexts = [_context(item) for item in facts]
    _check_same_amounts(policy, facts, decision, contexts)
    return [
        _against_one_by_one(policy, facts, decision, contexts, "on the clock", perf_counter),
        _against_one_by_one(policy, facts, decision, contexts, "processor time of all threads", process_time),
        _against_a_batch(policy, facts, graph, contexts),
        _growth(),
    ]


def _illness_claims() -> tuple[Policy, list[Facts]]:
    """The demo's policy, and the facts of its insured illness claims after all earlier ones took effect."""
    policy = load_policy(DEMO / POLICY_FILE)
    if len(policy.versions) != 1:
        raise AssertionError("the peer's table is made from one version of the terms")
    decided = case_of(read_pack(DEMO), policy).decide_all()
    insured = (item.facts for item in decided if item.facts.household is not None)
    return policy, [facts for facts in insured if facts.claim.line == "illness"]


def tier_rule(benefit: Benefit) -> dict[str, Any]:
    """The benefit's rule as a zen decision graph: a table for the franchise, expressions for the amounts in fen.

    zen counts in decimals, so its results are exact; each tier's part and its product stand in the trace.
    """
    franchise = benefit.franchise_fen or {"default": 0}
    by_category = [key for key in franchise if key != "default"]
    rules = [{"_id": key, "category": f'"{key}"', "franchise": str(franchise[key])} for key in by_category]
    rules.append({"_id": "default", "category": "", "franchise": str(franchise["default"])})
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "content": {}},
            {
                "id": "franchise",
                "name": "franchise",
                "type": "decisionTableNode",
                "content": {
                    "hitPolicy": "first",
                    "passThrough": True,
                    "inputs": [{"id": "category", "name": "category", "field": "category"}],
                    "outputs": [{"id": "franchise", "name": "franchise", "field": "franchise"}],
                    "rules": rules,
                },
            },
            {
                "id": "amounts",
                "name": "amounts",
                "type": "expressionNode",
                "content": {
                    "expressions": [
                        {"id": key, "key": key, "value": value} for key, value in _expressions(benefit)
                    ]
                },
            },
            {"id": "out", "name": "out", "type": "outputNode", "content": {}},
        ],
        "edges": [
            {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}
            for source, target in (("in", "franchise"), ("franchise", "amounts"), ("amounts", "out"))
        ],
    }


def _expressions(benefit: Benefit) -> list[tuple[str, str]]:
    lines = [("measure", "earlier_measure + this"), ("above", "$.measure > franchise")]
    products = []
    bounds = [str(tier.from_fen) for tier in benefit.tiers[1:]]
    for place, tier in enumerate(benefit.tiers):
        top = f"min([$.measure, {bounds[place]}])" if place < len(bounds) else "$.measure"
        lines.append((f"part{place}", f"max([0, {top} - {tier.from_fen}])"))
        products.append(f"$.part{place} * {tier.rate.text}")
    lines.append(("B", f"$.above ? floor({' + '.join(products)} + 0.5) : 0"))
    held = "$.B" if benefit.cap_fen is None else f"min([$.B, {benefit.cap_fen}])"
    return [*lines, ("held", held), ("entitled", "max([0, $.held - earlier_entitled])")]


def _context(facts: Facts) -> Context:
    assert facts.household is not None
    return {
        "category": facts.household.members[facts.claimant].category,
        "this": facts.claim.measure_fen,
        "earlier_measure": facts.used.measure_fen,
        "earlier_entitled": facts.used.entitled_fen,
    }


def _check_same_amounts(
    policy: Policy, facts: Sequence[Facts], decision: zen.ZenDecision, contexts: Sequence[Context]
) -> None:
    """Both sides' B and entitled are the same fen on all claims; else the comparison would mean nothing."""
    for item, context in zip(facts, contexts, strict=True):
        theirs = decision.evaluate(context, {"trace": True})["result"]
        ours = decide(policy, item)
        if (theirs["B"], theirs["entitled"]) != (_before_cap(ours), ours.entitled_fen):
            raise AssertionError(f"the two sides differ on {item.claim.claim_no}")


def _before_cap(decision: Decision) -> int:
    totals = [values["amount_fen"] for label, _, values in decision.calculation if label == "tiers_total"]
    return int(totals[0]) if totals else 0


def _against_one_by_one(
    policy: Policy,
    facts: Sequence[Facts],
    decision: zen.ZenDecision,
    contexts: Sequence[Context],
    by: str,
    clock: Clock,
) -> Row:
    """As claims are decided: each needs what the one before it was given.

    Its call hands the work to another thread, which on a busy machine waits: hence also by processor time.
    """
    mine, theirs = cycle(facts), cycle(contexts)
    trace: zen.DecisionEvaluateOptions = {"trace": True}

    def ours() -> float:
        return _each(lambda item: decide(policy, item), list(islice(mine, OUR_TURN)), clock)

    def peer() -> float:
        return _each(
            lambda context: decision.evaluate(context, trace), list(islice(theirs, PEER_TURN)), clock
        )

    return {
        "case": f"a claim decided with all checks and its explanation, {by}",
        "peer": "zen-engine with trace, the tier rule alone",
        **_rates(ours, peer),
        "goal": "≥ 8, then ≥ 15",
    }


def _against_a_batch(
    policy: Policy, facts: Sequence[Facts], graph: dict[str, Any], contexts: Sequence[Context]
) -> Row:
    """Its batch call, on as many threads as it likes; no goal, since no claim of it can build on another one."""
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"tiers": graph}}})
    mine, theirs = cycle(facts), cycle(contexts)
    trace: zen.DecisionEvaluateOptions = {"trace": True}

    def ours() -> float:
        return _each(lambda item: decide(policy, item), list(islice(mine, OUR_TURN)), perf_counter)

    def peer() -> float:
        requests: list[zen.EvaluateBatchRequest] = [
            {"key": "tiers", "context": context} for context in islice(theirs, OUR_TURN)
        ]
        return timed(lambda: engine.evaluate_batch(requests, trace)) / OUR_TURN

    return {
        "case": "the same, on the clock",
        "peer": "zen-engine with trace, independent claims in one batch call, all cores",
        **_rates(ours, peer),
    }


def _each(work: Callable[[Any], object], items: Sequence[Any], clock: Clock) -> float:
    """Seconds for one item; what comes out of it is dropped at once."""

    def turn() -> None:
        for item in items:
            work(item)

    return timed(turn, clock) / len(items)


def _rates(ours: Callable[[], float], peer: Callable[[], float]) -> Row:
    ours(), peer()  # the first turn warms both up
    pairs = in_turns(ours, peer, ROUNDS)
    seconds, peer_seconds = (median(side) for side in zip(*pairs, strict=True))
    return {
        "rounds": ROUNDS,
        "unit": "claims",
        "per_second": round(1 / seconds),
        "peer_per_second": round(1 / peer_seconds),
        **spread([theirs / own for own, theirs in pairs]),
    }


def _growth() -> Row:
    """A whole pack decided, the demo's and one of ten times the people, each in processes of its own."""
    small, large = [], []
    for _ in range(2):
        small.append(in_own_process("bench.deciding", DEMO))
        large.append(in_own_process("bench.deciding", ten_times()))
    if large[0]["claims"] != TIMES * small[0]["claims"] or large[0]["fen"] != TIMES * small[0]["fen"]:
        raise AssertionError("the larger pack does not give ten times the decisions")
    seconds = median(run for figures in large for run in figures["seconds"])
    small_seconds = median(run for figures in small for run in figures["seconds"])
    return {
        "case": "a whole pack decided, ten times the people",
        "peer": "the demo's pack",
        "count": large[0]["claims"],
        "unit": "claims",
        "seconds": seconds,
        "peer_seconds": small_seconds,
        "per_second": round(large[0]["claims"] / seconds),
        "peer_per_second": round(small[0]["claims"] / small_seconds),
        "peak_mb": round(max(figures["peak_mb"] for figures in large)),
        "peer_peak_mb": round(max(figures["peak_mb"] for figures in small)),
        **spread(
            [median(high["seconds"]) / median(low["seconds"]) for low, high in zip(small, large, strict=True)]
        ),
        "goal": f"≤ {TIMES * 1.2:.0f}",
    }


def _run_one(folder: str) -> Row:
    """Decide a pack a few times in this process, from rows read beforehand."""
    policy = load_policy(Path(folder) / POLICY_FILE)
    pack = read_pack(Path(folder))
    seconds = []
    for _ in range(GROWTH_RUNS):
        seconds.append(timed(lambda: case_of(pack, policy).decide_all()))
    decided = case_of(pack, policy).decide_all()
    fen = sum(item.decision.payable_fen for item in decided if item.decision.outcome == "approve")
    return {"seconds": seconds, "claims": len(decided), "fen": fen, "peak_mb": peak_mb()}


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(_run_one(sys.argv[1])))
    else:
        for row in measure():
            print(json.dumps(row, ensure_ascii=False))
