"""Binding the volumes of a long document into one PDF, its pages numbered through.

The numbers are printed last, when it is known how many pages there are: as empty pages of the same style sheet that
bear a number and nothing else, laid over the others.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack

import pikepdf


def numbering(volumes: Sequence[bytes], portrait: str, landscape: str) -> str:
    """HTML of as many empty pages as the volumes have, each of the named page that fits its shape."""
    pages = []
    for content in volumes:
        with pikepdf.open(io.BytesIO(content)) as volume:
            for page in volume.pages:
                _, _, width, height = (float(edge) for edge in page.mediabox)
                name = landscape if width > height else portrait
                pages.append(f'<div style="page: {name}; break-after: page"></div>')
    return f'<!doctype html><html lang="zh-CN"><title>页码</title><body>{"".join(pages)}</body></html>'


def bound(volumes: Sequence[bytes], numbers: bytes) -> bytes:
    """The volumes as one PDF, with title, attachments and all that belongs to the whole from the first."""
    with ExitStack() as opened:
        first, *rest = [opened.enter_context(pikepdf.open(io.BytesIO(content))) for content in volumes]
        overlay = opened.enter_context(pikepdf.open(io.BytesIO(numbers)))
        for volume in rest:
            first.pages.extend(volume.pages)
        if len(first.pages) != len(overlay.pages):
            raise ValueError("pages and their numbers do not match")
        for place, (page, number) in enumerate(zip(first.pages, overlay.pages, strict=True)):
            # By hand, since `Page.add_overlay` gives names by chance, and the same document must give the same bytes.
            name = pikepdf.Name(f"/PageNumber{place}")
            page.add_resource(first.copy_foreign(number.as_form_xobject()), pikepdf.Name.XObject, name)
            page.contents_add(b"q\n", prepend=True)
            page.contents_add(f"Q\nq {name} Do Q\n".encode())
        content = io.BytesIO()
        first.save(content, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return content.getvalue()
