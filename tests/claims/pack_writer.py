"""A small world written out as a county pack: the files that a county would hand in for it."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.claims.worlds import Row, World, id_number

ROSTER = {
    "户编号": "household_no",
    "与户主关系": "relation",
    "姓名": "name",
    "身份证号": "id_number",
    "镇(街道)": "town",
    "村(居)": "village",
    "村代码": "village_code",
    "人员类别": "category",
    "家庭人均纯收入": "income_per_head",
    "起保日期": "cover_from",
    "终保日期": "cover_to",
    "续保": "renewal",
    "收款账号": "account_no",
    "收款户名": "account_name",
}
CLAIM = {
    "报案号": "claim_no",
    "报案日期": "notified_on",
    "报案渠道": "channel",
    "姓名": "name",
    "身份证号": "id_number",
    "材料": "evidence",
    "收款账号": "payee_account",
    "收款户名": "payee_name",
}
SHEETS = {
    "illness": (
        "因病",
        {
            "结算日期": "event_on",
            "病因": "cause",
            "结算单号": "document_no",
            "医疗总费用": "total",
            "基本医保支付": "basic",
            "大病保险支付": "major",
            "医疗救助支付": "aid",
            "其他补偿": "other",
        },
    ),
    "education": (
        "因学",
        {
            "注册日期": "event_on",
            "学年": "academic_year",
            "学校": "school",
            "学历层次": "level",
            "缴费凭证号": "document_no",
            "学费": "tuition",
            "住宿费": "lodging",
            "教材费": "books",
            "资助金额": "grants",
        },
    ),
    "accident": (
        "因意外",
        {
            "事故日期": "event_on",
            "事故编号": "accident_no",
            "事故原因": "cause",
            "给付项目": "benefit",
            "伤残等级": "grade",
            "费用金额": "expense",
            "第三方赔付": "third_party",
            "凭证号": "document_no",
        },
    ),
    "income": (
        "收入",
        {
            "核算日期": "event_on",
            "致困原因": "cause",
            "核定人均纯收入": "verified_income",
            "家庭人口": "members",
        },
    ),
}
BENEFITS = {"death": "身故", "disability": "伤残", "medical": "医疗", "property": "家财"}
FEEDS = {
    "medical": {
        "结算单号": "document_no",
        "身份证号": "id_number",
        "姓名": "name",
        "结算日期": "settled_on",
        "医疗总费用": "total",
        "基本医保支付": "basic",
        "大病保险支付": "major",
        "医疗救助支付": "aid",
    },
    "education": {
        "身份证号": "id_number",
        "姓名": "name",
        "学年": "academic_year",
        "学校": "school",
        "学历层次": "level",
        "学籍状态": "status",
    },
    "accidents": {
        "事故编号": "accident_no",
        "身份证号": "id_number",
        "事故日期": "occurred_on",
        "本人酒驾": "drunk",
    },
    "deaths": {"身份证号": "id_number", "姓名": "name", "死亡日期": "died_on"},
    "housing": {"身份证号": "id_number", "用途": "use", "登记日期": "registered_on"},
    "vehicles": {"身份证号": "id_number", "号牌": "plate", "价格": "price", "登记日期": "registered_on"},
    "companies": {
        "身份证号": "id_number",
        "企业名称": "company",
        "注册资本": "capital",
        "成立日期": "founded_on",
        "状态": "status",
    },
    "deposits": {"身份证号": "id_number", "金额": "amount", "截止日期": "as_of"},
    "machinery": {"身份证号": "id_number", "名称": "machine", "价格": "price", "登记日期": "registered_on"},
    "payroll": {
        "身份证号": "id_number",
        "单位": "employer",
        "起始日期": "from_date",
        "结束日期": "to_date",
    },
    "kin": {"身份证号": "id_number", "亲属身份证号": "relative_id_number", "关系": "kinship"},
    "officials": {
        "干部身份证号": "official_id_number",
        "村代码": "village_code",
        "亲属身份证号": "relative_id_number",
    },
}
CLEARANCES = {"户编号": "household_no", "事项": "matter", "澄清日期": "cleared_on", "结论": "passed"}
NO_RULE_LOOKS_AT = {
    "town": "某镇",
    "village": "某村",
    "channel": "个人申报",
    "school": "某校",
    "plate": "鲁C00001",
    "company": "某公司",
    "machine": "收割机",
    "employer": "某局",
    "kinship": "父子",
    "official_id_number": id_number("19600101", 1),
}


def write_pack(world: World, folder: Path) -> Path:
    """Writes the files of a world's pack into a new folder, which is returned."""
    (folder / "feeds").mkdir(parents=True)
    (folder / "policy.toml").write_text(world.toml, encoding="utf-8")
    with xlsxwriter.Workbook(folder / "roster.xlsx") as book:
        _sheet(book, "参保名册", ROSTER, world.roster)
    with xlsxwriter.Workbook(folder / "claims.xlsx") as book:
        for line, (name, columns) in SHEETS.items():
            claims = [claim for claim in world.claims if claim["line"] == line]
            rows = [{**claim, "benefit": BENEFITS.get(claim.get("benefit", ""))} for claim in claims]
            _sheet(book, name, CLAIM | columns, rows)
    for feed, columns in FEEDS.items():
        feed_rows = world.feeds[feed]
        if feed_rows is not None:
            _csv(folder / "feeds" / f"{feed}.csv", columns, [{"name": "某", **row} for row in feed_rows])
    answers = [{**row, "passed": "通过" if row["passed"] else "不通过"} for row in world.clearances]
    _csv(folder / "clearances.csv", CLEARANCES, answers)
    return folder


def _sheet(book: Any, name: str, columns: dict[str, str], rows: list[Row]) -> None:
    sheet = book.add_worksheet(name)
    sheet.write_row(0, 0, list(columns))
    for place, row in enumerate(rows, start=1):
        for column, key in enumerate(columns.values()):
            sheet.write_string(place, column, _cell(row, key))


def _csv(path: Path, columns: dict[str, str], rows: list[Row]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[_cell(row, key) for key in columns.values()] for row in rows])


def _cell(row: Row, key: str) -> str:
    value = row.get(key, NO_RULE_LOOKS_AT.get(key))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date):
        return value.isoformat()
    return "、".join(value) if isinstance(value, list) else str(value)
