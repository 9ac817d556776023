"""Routes that take large requests: files that people upload."""

from __future__ import annotations

from flask import request

MOST_BYTES = 64 << 20
"""Of one upload."""
_MOST_DRAINED = 4 * MOST_BYTES
_PIECE = 1 << 20


def take_large(most_parts: int) -> None:
    """Lets this request be as large as MOST_BYTES. Called before the guard, which reads the form.

    What is over the limit is read away as far as that is bearable: a browser shows an answer only once it has sent all.
    """
    request.max_content_length = MOST_BYTES
    request.max_form_parts = most_parts
    length = request.content_length or 0
    if MOST_BYTES < length <= _MOST_DRAINED:
        stream = request.environ["wsgi.input"]
        while length > 0 and (piece := stream.read(min(_PIECE, length))):
            length -= len(piece)
