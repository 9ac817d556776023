"""The codes of refused cells (rules.md §1) in words: what is wrong, and how to mend it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code means and its remedy, each as (Chinese, English)."""

    wrong: tuple[str, str]
    remedy: tuple[str, str]


REFUSALS = {
    "required": Refusal(("必填项为空", "a value that must be there is missing"), ("请填写", "fill it in")),
    "amount": Refusal(
        ("不是以元计、精确到分的金额", "not an amount in yuan of whole fen"),
        ("写成 1234.50、1,234.50元 或 1.2万", "write it like 1234.50, 1,234.50元 or 1.2万"),
    ),
    "date": Refusal(
        ("不是日期,或没有这一天", "not a date, or a day that does not exist"),
        ("写成 2020-03-05", "write it like 2020-03-05"),
    ),
    "id_number": Refusal(
        ("不是有效的身份证号,或被存成了数字", "not a valid ID number, or typed as a number"),
        (
            "把该列设为文本格式后重新录入,并核对末位校验码",
            "make the column text, type it again, and check the last digit",
        ),
    ),
    "choice": Refusal(
        ("不是规定的选项", "not one of the words listed"), ("改用规定的选项", "use one of the listed words")
    ),
    "number": Refusal(
        ("不是整数,或位数不对", "not a whole number, or not of the right length"),
        ("只写数字", "write digits only"),
    ),
    "academic_year": Refusal(
        ("不是相连的两个年份", "not two years in a row"), ("写成 2020-2021", "write it like 2020-2021")
    ),
    "text": Refusal(
        (
            "应为文字,却是日期、逻辑值、错误值或小数",
            "a date, true/false, error or fraction where text belongs",
        ),
        ("把单元格设为文本格式", "make the cell text"),
    ),
    "digits_lost": Refusal(
        ("长号码被存成了数字,只剩 15 位", "a long number typed as a number: a spreadsheet keeps 15 digits"),
        ("把该列设为文本格式后重新录入", "make the column text and type it again"),
    ),
    "duplicate": Refusal(("编号重复", "the key stands twice"), ("只保留一行", "keep one row")),
    "inconsistent": Refusal(
        ("已获补偿之和超过费用", "what others paid is more than the cost"),
        ("核对各项金额", "check the amounts"),
    ),
}
"""By code. The order is the one of the user's guide."""
