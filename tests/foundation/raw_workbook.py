"""Workbooks made part by part, for what no library writes: cells as XML, lying zips, cells far out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
FORMATS = (
    "General",
    "yyyy-mm-dd",
    "yyyy-mm-dd hh:mm",
    '[$-804]yyyy"年"m"月"d"日"',
    "[h]:mm:ss",
    "[$¥-804]#,##0.00",
)
"""Number formats by the index that a cell's `s` names."""


def sheet_xml(rows: str) -> str:
    """A sheet's part with these rows."""
    return f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def workbook_parts(
    sheets: Mapping[str, str],
    *,
    properties: str = "",
    shared: Sequence[str] = (),
    states: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """All parts of a workbook; `sheets` by name, each the XML of its rows or of its whole part."""
    entries, relations, overrides = [], [], []
    for number, name in enumerate(sheets, start=1):
        state = f' state="{(states or {})[name]}"' if name in (states or {}) else ""
        entries.append(f'<sheet name="{name}" sheetId="{number}"{state} r:id="rId{number}"/>')
        relations.append(_relation(number, "worksheet", f"worksheets/sheet{number}.xml"))
        overrides.append(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{SPREADSHEET}.worksheet+xml"/>'
        )
    relations.append(_relation(90, "styles", "styles.xml"))
    relations.append(_relation(91, "sharedStrings", "sharedStrings.xml"))
    formats = "".join(
        f'<numFmt numFmtId="{200 + index}" formatCode="{code.replace(chr(34), "&quot;")}"/>'
        for index, code in enumerate(FORMATS)
    )
    cell_formats = "".join(
        f'<xf numFmtId="{200 + index}" applyNumberFormat="1"/>' for index in range(len(FORMATS))
    )
    types = (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SPREADSHEET}.sheet.main+xml"/>'
        f"{''.join(overrides)}</Types>"
    )
    workbook = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}'
        f"<sheets>{''.join(entries)}</sheets></workbook>"
    )
    styles = f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><cellXfs>{cell_formats}</cellXfs></styleSheet>'
    parts = {
        "[Content_Types].xml": types,
        "_rels/.rels": _relations(_relation(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": _relations(*relations),
        "xl/styles.xml": styles,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(f"<si>{item}</si>" for item in shared)}</sst>',
    }
    for number, content in enumerate(sheets.values(), start=1):
        whole = content if content.startswith("<?xml") else sheet_xml(content)
        parts[f"xl/worksheets/sheet{number}.xml"] = whole
    return parts


def _relations(*relations: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(relations)}</Relationships>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"/>'


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """The bytes of a zip with these parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, part in parts.items():
            pack.writestr(name, part)
    return content.getvalue()


def written(folder: Path, content: bytes, name: str = "roster.xlsx") -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path
