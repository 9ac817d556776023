"""Safe downloads: a file is handed out as an attachment, is not sniffed, runs nothing, and stays in no cache."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response


def download(content: bytes, name: str, media_type: str) -> Response:
    """A response that saves `content` under `name` (any characters; RFC 5987 beside a plain fallback)."""
    response = Response(content, mimetype=media_type)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response
