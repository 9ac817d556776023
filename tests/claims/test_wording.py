"""A decision in words: a sentence for every check, reason and line of the calculation, in both languages."""

from __future__ import annotations

import decimal
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from claims.adjudication import Decision
from claims.calculation_phrases import CALCULATION
from claims.checks import GRAVITY
from claims.deciding import Decided
from claims.phrases import AMOUNT_REASONS, CHECKS, FEEDS, LINES, OUTCOMES
from claims.storing import decision_from_data, dump_record, load_record
from claims.wording import DecisionWords, LineWords, explain
from policies.policy import BENEFIT_KINDS, Policy
from policies.policy_file import parse_policy
from tests.claims.converting import case_of
from tests.claims.dice import SeededDice
from tests.claims.tidy import EVENT, HEAD, accident, decided, education, feeds_for, illness, income, world_of
from tests.claims.worlds import FEED_NAMES, Row, World, random_world
from tests.policies.example import POLICY

LANGUAGES = ("zh", "en")
CHINESE = re.compile("[\u4e00-\u9fff]")
CODE = re.compile(r"[A-Z]{3,}|[a-z]+_[a-z]+")
"""The look of a code or of a field's name; no sentence has capitals or underscores."""

Explained = tuple[Policy, Decided, dict[str, DecisionWords]]


@pytest.fixture(scope="module")
def explained() -> list[Explained]:
    """Decisions of small worlds, each in both languages."""
    made = []
    for seed in range(250):
        case = case_of(random_world(SeededDice(2_000_000 + seed)))
        for item in case.decide_all():
            words = {name: explain(case.policy, item.facts, item.decision, name) for name in LANGUAGES}
            made.append((case.policy, item, words))
    return made


def sentences(words: DecisionWords) -> Iterator[str]:
    yield words.outcome
    yield words.opening
    for check in (*words.checks, *words.reasons):
        yield from (check.title, check.result, check.sentence, check.clause)
    for line in words.calculation:
        yield from (line.text, line.clause)


def test_every_sentence_is_there_and_has_no_braces_codes_or_empty_values(explained: list[Explained]) -> None:
    for _, _, words in explained:
        for language, said in words.items():
            for sentence in sentences(said):
                assert sentence.strip() == sentence != ""
                assert not re.search(r"[{}]|None|True|False|Decimal|\(\)|Fraction", sentence)
                assert not CODE.search(sentence.replace("FPB", "")), sentence
                if language == "zh":
                    assert not re.search(r"[a-z]{4,}", sentence), sentence


def test_chinese_is_chinese(explained: list[Explained]) -> None:
    for _, _, words in explained:
        assert CHINESE.search(words["zh"].opening)
        assert all(CHINESE.search(check.sentence) for check in words["zh"].checks)
        assert all(CHINESE.search(line.text) for line in words["zh"].calculation)


def test_both_languages_say_the_same_of_each_check_and_line(explained: list[Explained]) -> None:
    for _, item, words in explained:
        zh, en = words["zh"], words["en"]
        assert [check.code for check in zh.checks] == [check.code for check in en.checks]
        assert [check.code for check in zh.checks] == [check[0] for check in item.decision.checks]
        assert {check.code for check in zh.reasons} == set(item.decision.reasons)
        assert [line.amount_fen for line in zh.calculation] == [line.amount_fen for line in en.calculation]
        for mine, theirs in ((zh.checks, en.checks), (zh.calculation, en.calculation)):
            for one, other in zip(mine, theirs, strict=True):
                assert figures(one) <= figures(other) or figures(other) <= figures(one)


def figures(words: object) -> set[str]:
    """The sums and days of a sentence."""
    text = words.text if isinstance(words, LineWords) else getattr(words, "sentence", "")
    return set(re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9][0-9,]*\.[0-9]{2}\b", text))


def test_every_check_with_every_result_and_every_line_was_put_into_words(explained: list[Explained]) -> None:
    results: dict[str, set[bool | None]] = defaultdict(set)
    labels: set[str] = set()
    amounts: set[str] = set()
    for _, item, _ in explained:
        for code, result, _, _ in item.decision.checks:
            results[code].add(result)
        labels |= {label for label, _, _ in item.decision.calculation}
        amounts |= {code for code in item.decision.reasons if GRAVITY[code] == "amount"}
    assert {code for code, found in results.items() if False in found} == set(CHECKS)
    alone = {"NOT_INSURED", "LINE_NOT_IN_POLICY"}
    assert {code for code, found in results.items() if True in found} == set(CHECKS) - alone
    assert {code for code, found in results.items() if None in found} == {
        "CLAIMANT_DECEASED", "PAYEE_DECEASED", "OFFICIAL_RELATIVE", "REVERSE_DEPOSIT", "REVERSE_MACHINERY",
        "REVERSE_HOUSING", "REVERSE_VEHICLE", "REVERSE_COMPANY", "REVERSE_PAYROLL",
    }  # fmt: skip
    assert (labels, amounts) == (set(CALCULATION), set(AMOUNT_REASONS))


def test_there_is_a_phrase_for_every_code_feed_line_and_outcome() -> None:
    assert {*CHECKS, *AMOUNT_REASONS} == set(GRAVITY)
    assert set(FEEDS) == set(FEED_NAMES)
    assert set(LINES) == set(BENEFIT_KINDS)
    assert set(OUTCOMES) == {"approve", "reject", "supplement", "refer"}


def test_a_stored_decision_is_put_into_the_same_words_as_a_fresh_one(explained: list[Explained]) -> None:
    for policy, item, words in explained:
        facts, data = load_record(dump_record(item.facts, item.decision))
        stored = decision_from_data(data)
        assert {name: explain(policy, facts, stored, name) for name in LANGUAGES} == words


def test_no_id_number_is_said(explained: list[Explained]) -> None:
    for _, item, words in explained:
        said = "\n".join(sentence for each in words.values() for sentence in sentences(each))
        people = [item.facts.claim.id_number]
        people += (
            [member.id_number for member in item.facts.household.members] if item.facts.household else []
        )
        assert not any(person in said for person in people)


def test_the_opening_gives_a_reason_that_the_outcome_rests_on(explained: list[Explained]) -> None:
    seen = set()
    for _, item, words in explained:
        decision = item.decision
        for said in words.values():
            if decision.outcome == "approve":
                assert f"{decision.payable_fen // 100:,}.{decision.payable_fen % 100:02d}" in said.opening
                continue
            quoted = {check.code for check in said.reasons if check.sentence in said.opening}
            decisive = {code for code in decision.reasons if GRAVITY[code] == decision.outcome}
            assert quoted & (decisive or set(decision.reasons))
            seen.add((decision.outcome, bool(decisive), len(decision.reasons) > 1))
    assert len(seen) == 7


# Single sentences


def words_of(world: World, policy: Policy | None = None, language: str = "zh") -> DecisionWords:
    [item] = decided(world)
    return explain(policy or parse_policy(world.toml.encode()), item.facts, item.decision, language)


def said(code: str, claim: Row, language: str = "zh", **world: object) -> list[str]:
    words = words_of(world_of([claim], **world), language=language)  # type: ignore[arg-type]  # as world_of takes them
    return [check.sentence for check in words.checks if check.code == code]


def test_an_approval_says_what_is_paid() -> None:
    bill = world_of([illness("C1", "28345.67")])
    assert words_of(bill).opening == "您的因病保险金申请已获核定,将向您支付 8,672.84 元。"
    assert (
        words_of(bill, language="en").opening
        == "Your illness claim has been approved; 8,672.84 yuan will be paid to you."
    )


def test_a_refusal_is_not_explained_by_a_doubt_that_failed_beside_it() -> None:
    claim = illness("C1", "28345.67", notified_on=date(2021, 3, 1), name="李建囯", cause="整形美容")
    words = words_of(world_of([claim]))
    assert [check.code for check in words.reasons] == ["LATE_NOTICE", "NAME_MISMATCH", "EXCLUDED_CAUSE"]
    assert words.opening == "很抱歉,您的因病保险金申请不能给付:原因“整形美容”属责任免除(本人酒驾:否)。"
    missing = illness("C1", "28345.67", name="李建囯", evidence=[])
    assert words_of(world_of([missing])).opening == "您的因病保险金申请还需补充材料:缺少材料:身份证。"


def test_every_missing_paper_is_named() -> None:
    claim = accident("C1", "death", evidence=[])
    assert said("MISSING_EVIDENCE", claim) == ["缺少材料:身份证、死亡证明"]
    assert said("MISSING_EVIDENCE", claim, "en") == ["missing papers: 身份证, 死亡证明"]


def test_of_a_time_barred_claim_nobody_says_that_it_was_notified_in_time() -> None:
    claim = illness("C1", "28345.67", notified_on=date(2022, 6, 2))
    assert said("LATE_NOTICE", claim) == []
    assert said("LATE_NOTICE", illness("C1", "28345.67")) == ["在 180 天报案期限内"]


def test_a_record_that_differs_is_shown_even_where_it_is_nothing() -> None:
    claim = illness("C1", "28345.67")
    row = {**(feeds_for([claim])["medical"] or [])[0], "total": Decimal("0.00")}
    assert said("FEED_MISMATCH", claim, medical=[row]) == ["与医保结算数据不符(部门记录:0.00 元 2020-06-01)"]


def test_a_hit_is_described_and_an_answered_one_says_when() -> None:
    flat = {"id_number": HEAD, "use": "商品住宅", "registered_on": EVENT}
    answer = {"household_no": "H1", "matter": "商品房", "cleared_on": EVENT, "passed": True}
    claim = illness("C1", "28345.67")
    assert said("REVERSE_HOUSING", claim, housing=[flat]) == [
        "家庭成员商品房达到反向标准(李建国 商品住宅 2020-06-01),须核实"
    ]
    assert said("REVERSE_HOUSING", claim, housing=[flat], clearances=[answer]) == [
        "有命中(李建国 商品住宅 2020-06-01),已于 2020-06-01 澄清通过"
    ]
    kin = [{"id_number": HEAD, "relative_id_number": "370323196001010018"}]
    spell = {"id_number": "370323196001010018", "from_date": EVENT, "to_date": None}
    assert said("REVERSE_PAYROLL", claim, "en", payroll=[spell], kin=kin) == [
        "the household meets the reverse standard on public payroll (李建国's 父子 since 2020-06-01)"
    ]


def test_a_member_whom_two_officials_name_is_said_once() -> None:
    row = {"relative_id_number": HEAD, "village_code": "370323100001"}
    assert said("OFFICIAL_RELATIVE", illness("C1", "28345.67"), officials=[row, row]) == [
        "李建国 为本村干部亲属,须回避核实"
    ]


def test_what_was_not_looked_into_is_not_said_to_be_clear() -> None:
    assert said("REVERSE_DEPOSIT", illness("C1", "28345.67"), deposits=None) == ["部门数据缺失,未能核对"]
    assert said("NO_DATA", illness("C1", "28345.67"), deposits=None, kin=None) == [
        "缺少部门数据:大额存款、直系亲属;缺数据不等于无问题"
    ]


def test_the_calculation_of_a_bill_line_by_line() -> None:
    lines = words_of(world_of([illness("C1", "28345.67")])).calculation
    assert [(line.text, line.amount_fen) for line in lines] == [
        ("累计费用 = 本次 28,345.67 元 + 以前 0.00 元", 28_345_67),
        ("累计费用 28,345.67 元超过起付线 10,000.00 元", None),
        ("0.00 元至 5,000.00 元的部分 5,000.00 元 × 0 = 0 元", None),
        ("5,000.00 元至 20,000.00 元的部分 15,000.00 元 × 0.3 = 4,500 元", None),
        ("20,000.00 元至 50,000.00 元的部分 8,345.67 元 × 0.5 = 4,172.835 元", None),
        ("各档合计(四舍五入到分)", 8_672_84),
        ("本项应得", 8_672_84),
        ("户限额 150,000.00 元,以前已付 0.00 元,余额", 150_000_00),
        ("本次应付", 8_672_84),
    ]
    assert {line.clause for line in lines} == {"第三条第二款", "FPB-1"}


def test_a_product_is_shown_exactly_whatever_precision_is_set() -> None:
    text = "0.3333333333333333333333333333333333333333"
    toml = POLICY.replace("[5000.00, 0.30]", f"[5000.00, {text}]")
    with decimal.localcontext(prec=5):
        words = words_of(world_of([illness("C1", "20000.01")], toml=toml))
    assert words.calculation[3].text.endswith(f"× {text} = 4,999.9999999999999999999999999999999999995 元")


def test_words_in_a_claim_are_never_taken_for_a_template() -> None:
    claim = education("C1", "10000.00", level="{level} {0} %s {missing}")
    assert said("LEVEL_NOT_COVERED", claim) == ["学历层次“{level} {0} %s {missing}”不在保障范围"]


def test_a_sum_beyond_all_money_is_still_put_into_words() -> None:
    claim = income("C1", "0.00", members=10**17)
    words = words_of(world_of([claim], toml=POLICY.replace("cap = 10000.00", "")))
    held = "631,200,000,000,000,000,000.00 元超过限额,按限额 300,000,000,000,000,000,000.00 元"
    assert [line.text for line in words.calculation[1:2]] == [held]


def test_a_decision_of_a_policy_that_has_lost_the_line_is_explained_by_the_listing() -> None:
    [item] = decided(world_of([illness("C1", "28345.67")]))
    none = parse_policy((POLICY[: POLICY.index("[lines.illness]")] + "[lines]\n").encode())
    refused: Decision = replace(item.decision, outcome="reject", reasons=(), checks=(), calculation=())
    assert "因病" in explain(none, item.facts, refused, "zh").opening
