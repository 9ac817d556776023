"""What letters and calculation sheets say, and what they never say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.checks import AMOUNT, GRAVITY, REJECT
from claims.wording import LineWords
from reports.documents import chinese, file_name, number_text, person_text, printable
from reports.figures import CaseFigures
from reports.pdf import print_pdfs
from reports.people import age_on, band_of
from reports.services import LETTER_OF_OUTCOME
from reports.terms import REASONS
from tests.reports.cases import case, check, words
from tests.reports.reading import words as words_of

AT = datetime(2020, 12, 31, 4, 0, tzinfo=UTC)


def html(figures: CaseFigures, kind: str | None = None) -> str:
    found = printable(
        kind or LETTER_OF_OUTCOME[figures.outcome], figures, "防贫赔〔2020〕12号", AT, {"person-1": "王敏"}
    )
    return found.html


def text(figures: CaseFigures, kind: str | None = None) -> str:
    """The words of a letter, without mark-up and white space."""
    body = html(figures, kind).partition("<body>")[2]
    return "".join(unescape(re.sub(r"<[^>]*>", "", body)).split())


def refused(*reasons: str, **changes: object) -> CaseFigures:
    found = tuple(check(code, f"{code}的说明") for code in reasons)
    opening = f"很抱歉,您的因病保险金申请不能给付:{found[0].sentence}。"
    lines = (LineWords("本次应付", "第三条第二款", 0),)
    plain = {"outcome": "reject", "amount_fen": 0, "words": words(opening, *found, lines=lines)}
    return case(**{**plain, **changes})


def test_a_payment_notice_opens_with_one_plain_sentence_and_says_how_much_and_when() -> None:
    found = text(case())
    opening = "王秀英：您的因病保险金申请已获核定，将向您支付2,444.16元。"
    assert opening in found
    assert found.index(opening) < found.index("一、案件情况")
    for part in (
        "示例财产保险股份有限公司防贫保险赔付通知书防贫赔〔2020〕12号",
        "￥2,444.16",
        "人民币贰仟肆佰肆拾肆元壹角陆分",
        "累计费用=本次13,147.19元+以前0.00元第三条第二款13,147.19",
        "收款户名王秀英收款账号****1238",
        "最迟于2021年1月10日前",
        "《保险法》第二十三条",
        "60日内，口头或者书面向某县相对贫困服务中心申请复核",
        "12378",
        "申请仲裁，或者依法向人民法院提起诉讼",
        "诉讼时效期间为二年",
        "《保险法》第二十六条",
        "示例财产保险股份有限公司（盖章）2020年12月31日",
        "某县防贫保险（2020年度）",
    ):
        assert part in found, part


@pytest.mark.parametrize("code", [code for code, gravity in GRAVITY.items() if gravity in (REJECT, AMOUNT)])
def test_a_refusal_gives_every_ground_with_its_clause_and_the_way_to_object(code: str) -> None:
    found = text(refused(code))
    for part in (
        "拒绝赔偿（给付）保险金通知书",
        f"王秀英：很抱歉，您的因病保险金申请不能给付：{code}的说明。",
        f"1{REASONS[code]}{code}的说明第三条",
        "￥0.00",
        "人民币零元整",
        "自作出核定之日起三日内发出（《保险法》第二十四条）",
        "60日内",
        "12378",
    ):
        assert part in found, part
    assert ("本次应付" in found) == (GRAVITY[code] == AMOUNT)
    assert ("不进入金额计算" in found) == (GRAVITY[code] == REJECT)


def test_a_refusal_never_gives_a_mere_doubt_as_its_reason() -> None:
    """A doubt may speak of other people (another household's number, an official), and is no ground of a refusal."""
    found = text(refused("SHARED_ACCOUNT", "OFFICIAL_RELATIVE", "EXCLUDED_CAUSE", "MISSING_EVIDENCE"))
    assert "不能给付：EXCLUDED_CAUSE的说明。" in found
    assert f"1{REASONS['EXCLUDED_CAUSE']}EXCLUDED_CAUSE的说明" in found
    for doubt in ("SHARED_ACCOUNT", "OFFICIAL_RELATIVE", "MISSING_EVIDENCE"):
        assert doubt not in found


def test_a_bill_below_the_line_is_said_to_count_for_the_bills_to_come() -> None:
    assert "已计入累计费用" in text(refused("BELOW_LINE"))
    assert "已计入累计费用" not in text(refused("EXCLUDED_CAUSE", accumulates=False))


@pytest.mark.parametrize(
    ("changes", "to"),
    [
        ({"age": 18}, "王秀英：您"),
        ({"age": 17}, "王秀英的监护人：您"),
        ({"deceased": True}, "王秀英的继承人：您"),
        ({"age": 9, "deceased": True}, "王秀英的继承人：您"),
    ],
)
def test_a_letter_goes_to_whoever_acts_for_the_claimant(changes: dict[str, object], to: str) -> None:
    assert to in text(case(**changes))


def test_a_calculation_sheet_shows_every_check_and_who_decided() -> None:
    found = text(refused("LATE_NOTICE", "EXCLUDED_CAUSE"), "calculation_sheet")
    for part in (
        "防贫保险赔款计算书",
        "LATE_NOTICE未通过LATE_NOTICE的说明",
        "EXCLUDED_CAUSE未通过EXCLUDED_CAUSE的说明",
        "医疗总费用19,410.10元",
        "人员类别相对贫困户",
        "王敏（person-1）person-2",
        "相对贫困线6,312.00元",
    ):
        assert part in found, part


def test_a_claimant_without_household_or_payee_has_a_sheet_too() -> None:
    bare = {"household_no": None, "category": None, "payee_name": None, "payee_account": None, "costs": ()}
    unknown = words(
        "很抱歉,您的因病保险金申请不能给付:不在名册内。", check("NOT_INSURED", "不在名册内", "FPB-1")
    )
    figures = case(outcome="reject", amount_fen=0, village="", words=unknown, **bare)
    assert "户编号未在名册" in text(figures, "calculation_sheet")
    assert "住址—" in text(figures).replace("　", "")


HOSTILE = "<script>alert(1)</script>{{7*7}}{% import os %}<link rel=attachment href=file:///etc/passwd>\"'&"


@pytest.mark.parametrize("kind", ["payment_notice", "calculation_sheet"])
def test_hostile_text_is_shown_as_text(kind: str) -> None:
    figures = case(claimant=HOSTILE, payee_name=HOSTILE, claim_no=HOSTILE, line_title=HOSTILE)
    found = html(figures, kind)
    assert "<script" not in found
    assert "<link" not in found
    assert "{{7*7}}{% import os %}" in found
    assert "".join(HOSTILE.split()) in text(figures, kind)


def test_hostile_text_and_rare_characters_come_out_of_the_pdf_and_nothing_is_fetched(tmp_path: Path) -> None:
    figures = case(claimant=HOSTILE, payee_name="𠮷田䶮㛃", claim_no="长" * 500)
    (content,) = print_pdfs([printable("payment_notice", figures, "防贫赔〔2020〕12号", AT, {})])
    found = words_of(content, tmp_path, "-raw")
    assert "".join(HOSTILE.split()) in found
    assert "𠮷田䶮㛃" in found
    assert found.count("长") >= 500


@pytest.mark.parametrize("kind", ["payment_notice", "calculation_sheet"])
def test_a_letter_about_a_child_says_that_it_is_sensitive(kind: str) -> None:
    assert "属于敏感个人信息" in text(case(age=8, child=True), kind)
    assert "敏感个人信息" not in text(case(age=16), kind)


def test_an_usual_letter_takes_one_page(tmp_path: Path) -> None:
    for figures in (case(), case(age=8, child=True), refused("BELOW_LINE")):
        kind = LETTER_OF_OUTCOME[figures.outcome]
        (content,) = print_pdfs([printable(kind, figures, "防贫赔〔2020〕12号", AT, {})])
        assert "第1页共1页" in words_of(content, tmp_path)


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("申请已获核定,将向您支付 2,444.16 元。", "申请已获核定，将向您支付2,444.16元。"),
        (
            "事件日 2020-03-05 不在保险期间 2020-01-01 至 2020-12-31 内",
            "事件日2020年3月5日不在保险期间2020年1月1日至2020年12月31日内",
        ),
        ("各档合计(四舍五入到分)", "各档合计（四舍五入到分）"),
        ("标准确定科学化;第三条", "标准确定科学化；第三条"),
        ("凭证 JS-2020-03-05-1 已申请", "凭证JS-2020-03-05-1已申请"),
        ("5,000.00 元 × 0.3 = 1,500 元", "5,000.00元 × 0.3 = 1,500元"),
        ("plain (text), 1:2", "plain (text), 1:2"),
    ],
)
def test_sentences_are_set_as_chinese(said: str, printed: str) -> None:
    assert chinese(said) == printed


@given(st.text())
def test_setting_a_sentence_again_changes_nothing(said: str) -> None:
    assert chinese(chinese(said)) == chinese(said)


def test_numbers_have_no_zeros_in_front_and_files_have() -> None:
    assert number_text("refusal_notice", 2020, 7) == "防贫拒〔2020〕7号"
    assert file_name("refusal_notice", 2020, 7) == "refusal-notice-2020-000007.pdf"


def test_people_are_named_with_what_identifies_them() -> None:
    assert person_text("person-1", {"person-1": "王敏"}) == "王敏（person-1）"
    assert person_text("person-2", {"person-1": "王敏"}) == "person-2"


def test_ages_are_whole_years_and_fall_into_one_band_each() -> None:
    born = datetime(2002, 12, 31, tzinfo=UTC).date()
    assert age_on(born, datetime(2020, 12, 30, tzinfo=UTC).date()) == 17
    assert age_on(born, datetime(2020, 12, 31, tzinfo=UTC).date()) == 18
    assert [band_of(age) for age in (0, 17, 18, 59, 60, 69, 70, 79, 80, 120)] == [
        *("0至17岁", "0至17岁", "18至44岁", "45至59岁", "60至69岁", "60至69岁", "70至79岁", "70至79岁"),
        *("80岁及以上", "80岁及以上"),
    ]
