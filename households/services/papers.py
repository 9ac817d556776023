"""Papers that people hand in with a proposal: looked at, and sealed on the disk before a transaction names them."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.blobs import BlobStore
from foundation.errors import InvalidInput
from households.queries.proposals import Paper

MOST_PAPERS = 6
MOST_BYTES = 8 << 20
"""Of one paper."""

ENDINGS = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
"""How a file of a kind begins."""
MEDIA_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}


def receive(
    store: BlobStore, sent: Sequence[bytes], stem: str = "证明材料", field: str = "papers"
) -> tuple[Paper, ...]:
    """Stores papers, sealed. Their names are the program's own, since people put names of persons into file names.

    `stem` is what the names begin with. Raises InvalidInput, at the form's `field`, for too many, too large, or of
    another kind than PDF, JPEG and PNG.
    """
    if len(sent) > MOST_PAPERS:
        wrong = (f"最多 {MOST_PAPERS} 个文件", f"at most {MOST_PAPERS} files")
        raise InvalidInput({field: [wrong]})
    kinds = [_kind(content, field) for content in sent]
    return tuple(
        Paper(f"{stem}{number}.{kind}", len(content), store.put(content))
        for number, (content, kind) in enumerate(zip(sent, kinds, strict=True), 1)
    )


def _kind(content: bytes, field: str) -> str:
    if len(content) > MOST_BYTES:
        wrong = (f"每个文件不超过 {MOST_BYTES >> 20} MB", f"at most {MOST_BYTES >> 20} MB a file")
        raise InvalidInput({field: [wrong]})
    for start, kind in ENDINGS.items():
        if content.startswith(start):
            return kind
    raise InvalidInput({field: [("请上传 PDF、JPG 或 PNG 文件", "send PDF, JPG or PNG files")]})
