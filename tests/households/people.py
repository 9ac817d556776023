"""Made-up people for tests: valid ID numbers, and rows of a roster by the names of rules.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from foundation.spreadsheets import Written, write_workbook

Cells = Mapping[str, Written]


def id_number(sequence: int, born: str = "19800101", area: str = "370323") -> str:
    """The ID number with this sequence number (0 to 999)."""
    digits = f"{area}{born}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return (
        digits
        + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11]
    )


def roster_cells(sequence: int = 1, /, **changes: Written) -> dict[str, Written]:
    """A sound row of the roster, changed where asked."""
    return {
        "户编号": "10520700001",
        "与户主关系": "户主",
        "姓名": "王五",
        "身份证号": id_number(sequence),
        "镇(街道)": "中庄镇",
        "村(居)": "下程家坡村",
        "村代码": "370323105207",
        "人员类别": "相对贫困户",
        "家庭人均纯收入": Decimal("5389.65"),
        "起保日期": date(2020, 1, 1),
        "终保日期": date(2020, 12, 31),
        "续保": "是",
        "收款账号": "6223192710959452610",
        "收款户名": "王五",
        "联行号": "105453034753",
        **changes,
    }


def table(rows: Sequence[Cells], header: Iterable[str] | None = None) -> list[list[Written]]:
    """A header, by default the names of the first row, and the rows under it."""
    names = list(rows[0] if header is None else header)
    return [[*names], *([row.get(name) for name in names] for row in rows)]


def write_sheets(path: Path, sheets: Mapping[str, Sequence[Sequence[Written]]]) -> Path:
    """A workbook with these sheets."""
    path.write_bytes(write_workbook(sheets))
    return path


def write_csv(path: Path, rows: Sequence[Mapping[str, str]], header: Iterable[str] | None = None) -> Path:
    """A GB18030 CSV with a header, by default the names of the first row, and the rows under it."""
    names = list(rows[0] if header is None else header)
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(",".join(line) + "\r\n" for line in lines).encode("gb18030"))
    return path
