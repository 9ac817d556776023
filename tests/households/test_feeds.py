"""Reading the departments' feeds and the clearances: each column of rules.md §2."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from foundation.errors import UnusableInput
from households import feeds
from households.feeds import COLUMNS, Feeds, read_feeds
from tests.households.people import id_number, write_csv

WANG, LI = id_number(1), id_number(2)
ROWS: dict[str, tuple[dict[str, str], object]] = {
    "medical": (
        {
            "结算单号": "YB1",
            "身份证号": WANG,
            "姓名": "王 五",
            "结算日期": "2020.3.5",
            "医疗总费用": "1万",
            "基本医保支付": "5000元",
            "大病保险支付": "0",
            "医疗救助支付": "1234.56",
        },
        feeds.MedicalRow("YB1", WANG, "王五", date(2020, 3, 5), 1_000_000, 500_000, 0, 123_456),
    ),
    "education": (
        {
            "身份证号": WANG,
            "姓名": "王五",
            "学年": "2020/2021学年",
            "学校": "山东大学",
            "学历层次": "本科",
            "学籍状态": "在籍",
        },
        feeds.EducationRow(WANG, "王五", "2020-2021", "山东大学", "本科", "在籍"),
    ),
    "accidents": (
        {"事故编号": "SG1", "身份证号": WANG, "事故日期": "20200305", "本人酒驾": "是"},
        feeds.AccidentRow("SG1", WANG, date(2020, 3, 5), True),
    ),
    "deaths": (
        {"身份证号": WANG, "姓名": "王五", "死亡日期": "2020年3月5日"},
        feeds.DeathRow(WANG, "王五", date(2020, 3, 5)),
    ),
    "housing": (
        {"身份证号": WANG, "用途": "商品住宅", "登记日期": "2020/3/5"},
        feeds.HousingRow(WANG, "商品住宅", date(2020, 3, 5)),
    ),
    "vehicles": (
        {"身份证号": WANG, "号牌": "鲁C12345", "价格": "12.5万元", "登记日期": "2020-03-05"},
        feeds.VehicleRow(WANG, "鲁C12345", 12_500_000, date(2020, 3, 5)),
    ),
    "companies": (
        {
            "身份证号": WANG,
            "企业名称": "甲公司",
            "注册资本": "99999999.999999万",
            "成立日期": "2020-03-05",
            "状态": "存续",
        },
        feeds.CompanyRow(WANG, "甲公司", 99_999_999_999_999, date(2020, 3, 5), "存续"),
    ),
    "deposits": (
        {"身份证号": WANG, "金额": "¥50000", "截止日期": "2020-03-05"},
        feeds.DepositRow(WANG, 5_000_000, date(2020, 3, 5)),
    ),
    "machinery": (
        {"身份证号": WANG, "名称": "拖拉机", "价格": "60000", "登记日期": "2020-03-05"},
        feeds.MachineryRow(WANG, "拖拉机", 6_000_000, date(2020, 3, 5)),
    ),
    "payroll": (
        {"身份证号": WANG, "单位": "某局", "起始日期": "2019-01-01", "结束日期": "2020-03-05"},
        feeds.PayrollRow(WANG, "某局", date(2019, 1, 1), date(2020, 3, 5)),
    ),
    "kin": (
        {"身份证号": WANG, "亲属身份证号": LI, "关系": "子"},
        feeds.KinRow(WANG, LI, "子"),
    ),
    "officials": (
        {"干部身份证号": WANG, "村代码": "370323105207", "亲属身份证号": LI},
        feeds.OfficialRow(WANG, "370323105207", LI),
    ),
    "clearances": (
        {"户编号": "H1", "事项": "农机具", "澄清日期": "2020-03-05", "结论": "不通过"},
        feeds.ClearanceRow("H1", "农机具", date(2020, 3, 5), False),
    ),
}


def file_of(pack: Path, feed: str) -> Path:
    return pack / ("clearances.csv" if feed == "clearances" else f"feeds/{feed}.csv")


@pytest.mark.parametrize("feed", ROWS)
def test_a_row_of_each_feed_is_read_with_every_value(tmp_path: Path, feed: str) -> None:
    cells, row = ROWS[feed]
    write_csv(file_of(tmp_path, feed), [cells])
    read, errors = read_feeds(tmp_path)
    assert errors == []
    assert getattr(read, feed) == [row]
    others = {name: getattr(read, name) for name in Feeds.__slots__ if name != feed}
    assert others == {name: [] if name == "clearances" else None for name in others}


@pytest.mark.parametrize("feed", ROWS)
def test_every_cell_must_be_there_but_the_end_of_a_payroll_row(tmp_path: Path, feed: str) -> None:
    cells, _ = ROWS[feed]
    rows = [cells | {column: ""} for column in cells]
    write_csv(file_of(tmp_path, feed), rows)
    read, errors = read_feeds(tmp_path)
    needed = [column for column in cells if column != "结束日期"]
    assert [(error.column, error.code) for error in errors] == [(column, "required") for column in needed]
    assert len(getattr(read, feed)) == len(cells) - len(needed)


@pytest.mark.parametrize("feed", ROWS)
def test_every_column_must_be_in_the_header(tmp_path: Path, feed: str) -> None:
    cells, _ = ROWS[feed]
    for column in cells:
        path = write_csv(file_of(tmp_path, feed), [cells], header=[name for name in cells if name != column])
        with pytest.raises(UnusableInput) as stopped:
            read_feeds(tmp_path)
        (fault,) = stopped.value.faults
        assert fault.place == str(path.relative_to(tmp_path))
        assert fault.zh == f"缺少列:{column}"


def test_no_feed_is_no_data_and_a_feed_without_rows_is_data(tmp_path: Path) -> None:
    read, errors = read_feeds(tmp_path)
    assert read == Feeds(clearances=[])
    assert errors == []
    write_csv(tmp_path / "feeds/kin.csv", [], header=ROWS["kin"][0])
    assert read_feeds(tmp_path)[0] == Feeds(kin=[], clearances=[])


@pytest.mark.parametrize(
    ("feed", "column", "cell", "code"),
    [
        ("medical", "医疗总费用", "-1", "amount"),
        ("medical", "结算日期", "43895", "date"),
        ("education", "学年", "2020-2022", "academic_year"),
        ("accidents", "本人酒驾", "不详", "choice"),
        ("deaths", "身份证号", WANG[:-1] + "?", "id_number"),
        ("vehicles", "价格", "100000000", "amount"),
        ("companies", "注册资本", "1000000000000", "amount"),
        ("payroll", "结束日期", "至今", "date"),
        ("kin", "亲属身份证号", "无", "id_number"),
        ("officials", "村代码", "3703231052", "number"),
        ("clearances", "事项", "房产", "choice"),
        ("clearances", "结论", "通过。", "choice"),
    ],
)
def test_a_refused_cell_leaves_its_row_out(
    tmp_path: Path, feed: str, column: str, cell: str, code: str
) -> None:
    cells, row = ROWS[feed]
    path = write_csv(file_of(tmp_path, feed), [cells | {column: cell}, cells])
    read, errors = read_feeds(tmp_path)
    assert getattr(read, feed) == [row]
    (error,) = errors
    assert (error.file, error.sheet) == (str(path.relative_to(tmp_path)), "")
    assert (error.row, error.column, error.code) == (2, column, code)


def test_the_same_row_twice_is_two_rows(tmp_path: Path) -> None:
    cells, row = ROWS["deposits"]
    write_csv(tmp_path / "feeds/deposits.csv", [cells, cells])
    assert read_feeds(tmp_path)[0].deposits == [row, row]


def test_empty_records_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "feeds/kin.csv", [ROWS["kin"][0]])
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r\n\r\n,,,\r\n") + b"x\r\n")
    read, errors = read_feeds(tmp_path)
    assert len(read.kin or ()) == 1
    assert {(error.row, error.code) for error in errors} == {(7, "required"), (7, "id_number")}


def test_errors_come_in_the_order_of_the_files_names(tmp_path: Path) -> None:
    for feed, (cells, _) in ROWS.items():
        write_csv(file_of(tmp_path, feed), [cells | {next(iter(cells)): ""}])
    _, errors = read_feeds(tmp_path)
    assert [error.file for error in errors] == sorted(str(file_of(Path(), feed)) for feed in ROWS)


def test_all_feeds_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    write_csv(tmp_path / "feeds/kin.csv", [{"身份证号": WANG}])
    (tmp_path / "feeds/deaths.csv").write_bytes(b"\xff\xff\xff")
    (tmp_path / "feeds/housing.csv").mkdir()
    (tmp_path / "feeds/officials.csv").write_bytes(b"")
    (tmp_path / "clearances.csv").write_text("户编号,事项,澄清日期,结论\n", encoding="utf-8")
    with pytest.raises(UnusableInput) as stopped:
        read_feeds(tmp_path)
    places = ["deaths", "housing", "kin", "officials"]
    assert [fault.place for fault in stopped.value.faults] == [
        *(f"feeds/{place}.csv" for place in places),
        "clearances.csv",
    ]
    assert stopped.value.faults[-1].en.endswith("save it as GB18030 (in Excel: “CSV (Comma delimited)”)")


def test_the_feeds_are_those_of_the_rules() -> None:
    assert list(COLUMNS) == list(Feeds.__slots__)
    assert {feed: [column.name for column in columns] for feed, (_, columns) in COLUMNS.items()} == {
        feed: list(cells) for feed, (cells, _) in ROWS.items()
    }
