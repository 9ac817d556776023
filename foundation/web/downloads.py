"""Safe downloads: a file is handed out as an attachment, is not sniffed, runs nothing, and stays in no cache.

An export about many people waits for a second person first; then the register of exports is what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from foundation.privacy.exports import MOST_ALONE, HandedOut, number_text
from foundation.web.language import _


def download(content: bytes | Iterable[bytes], name: str, media_type: str) -> Response:
    """A response that saves `content`, whole or piece by piece, under `name`.

    The name may have any characters: RFC 5987 beside a plain fallback.
    """
    response = Response(content, mimetype=media_type)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def numbered_name(name: str, number: int) -> str:
    """A file's name with the number of the export in it, for bytes that can carry no mark: `notice-E000012.pdf`."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number_text(number)}{dot}{ending}" if dot else f"{name}-{number_text(number)}"


def sent_to_a_second_person(asked: HandedOut) -> AnyResponse:
    """To the register of exports, with a notice that this one waits for somebody's approval."""
    number = number_text(asked.number)
    if asked.outgrown is None:
        flash(
            _("超过 %(most)s 人,已提交审批:%(number)s。批准后请在此领取", most=MOST_ALONE, number=number),
            "warn",
        )
    else:
        flash(
            _(
                "人数已超过批准时的 %(approved)s 人,已重新提交审批:%(number)s",
                approved=asked.outgrown,
                number=number,
            ),
            "warn",
        )
    return redirect(url_for("exports.listed"), 303)
