"""Fields of a look-up by person: a name or an ID number as somebody typed it, folded as rosters and claims hold it."""

from __future__ import annotations

from typing import Any

from foundation.cells import CellError, parse_id_number, parse_name
from foundation.web.fields import CleanText, Strict, refused


class SearchedIdNumber(Strict[str]):
    """An ID number as somebody typed it: full-width digits, spaces between and a small x are folded."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:  # noqa: ARG002
        text = "".join(value.split()) if isinstance(value, str) and len(value) <= 100 else ""
        try:
            found = parse_id_number(text)
        except CellError:
            found = None
        if found is None:
            raise refused(
                "应为 18 位身份证号,请核对是否多输、漏输或输错一位",
                "must be an ID number of 18 characters; look for one too many, one missing, or a slip",
            )
        return found


class SearchedName(CleanText):
    """A name as rosters and claims hold it: without spaces, every middle dot written alike."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        return parse_name(text) or text
