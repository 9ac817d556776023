"""Reading a list of people out of an uploaded file: a workbook's first sheet, or a CSV in GB18030 or UTF-8.

The file is foreign and about people: it lies in a closed folder while it is read, and is gone afterwards.
"""

from __future__ import annotations

import csv
import io

from foundation.blobs import BlobStore
from foundation.errors import InvalidInput, UnusableInput
from foundation.spreadsheets import open_first_sheet
from households.comparison_list import Numbers, numbers_in_rows, numbers_in_text

MOST_BYTES = 8 << 20
"""Of one list; 20,000 people with their names are a tenth of it."""
_WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def numbers_of(store: BlobStore, text: str | None, content: bytes) -> Numbers:
    """The ID numbers that were pasted or uploaded, whichever there is. Raises InvalidInput, under `numbers`."""
    if text and content:
        raise _refused("请只粘贴,或只上传文件", "paste the list or upload a file, not both")
    if text:
        return numbers_in_text(text)
    if content[:4] in _WORKBOOK_STARTS:
        return _of_workbook(store, content)
    return numbers_in_rows(_of_csv(content))


def _of_workbook(store: BlobStore, content: bytes) -> Numbers:
    with store.working_folder() as folder:
        path = folder / "list.xlsx"
        path.write_bytes(content)
        try:
            with open_first_sheet(path, "名单") as (_name, rows):
                return numbers_in_rows(rows)
        except UnusableInput as unusable:
            raise InvalidInput({"numbers": [(fault.zh, fault.en) for fault in unusable.faults]}) from None


def _of_csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))
        except UnicodeDecodeError:
            continue
        except csv.Error:
            break
    raise _refused("不是 CSV 或 Excel 文件", "this is neither a CSV nor a workbook")


def _refused(zh: str, en: str) -> InvalidInput:
    return InvalidInput({"numbers": [(zh, en)]})
