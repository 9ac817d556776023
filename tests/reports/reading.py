"""Reading a PDF back: its words by pdftotext, its inside by pikepdf."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf


def words(content: bytes, folder: Path, *options: str) -> str:
    """The text of a PDF without white space: what a reader gets who copies it."""
    path = folder / "read.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdftotext", *options, str(path), "-"], capture_output=True, check=True)
    return "".join(done.stdout.decode("utf-8").split())


def opened(content: bytes) -> pikepdf.Pdf:
    """The PDF, opened."""
    return pikepdf.open(io.BytesIO(content))


def font_descriptors(pdf: pikepdf.Pdf) -> list[Any]:
    """The descriptors of all fonts."""
    return [item for item in _dictionaries(pdf) if item.get("/Type") == "/FontDescriptor"]


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    return (item for item in pdf.objects if isinstance(item, pikepdf.Dictionary))
