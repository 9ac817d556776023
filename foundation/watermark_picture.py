"""A small grey picture of a few digits, to lie behind the cells of a workbook: who photographs a screen takes it along.

Pure. It is drawn dot by dot, since a font's file is nothing that this package has. What it says is short: the number of
the export, which leads to everything else.
"""

from __future__ import annotations

import struct
import zlib

_GLYPHS = {
    "0": ("01110", "10001", "10011", "10101", "11001", "10001", "01110"),
    "1": ("00100", "01100", "00100", "00100", "00100", "00100", "01110"),
    "2": ("01110", "10001", "00001", "00110", "01000", "10000", "11111"),
    "3": ("01110", "10001", "00001", "00110", "00001", "10001", "01110"),
    "4": ("00010", "00110", "01010", "10010", "11111", "00010", "00010"),
    "5": ("11111", "10000", "11110", "00001", "00001", "10001", "01110"),
    "6": ("00110", "01000", "10000", "11110", "10001", "10001", "01110"),
    "7": ("11111", "00001", "00010", "00100", "01000", "01000", "01000"),
    "8": ("01110", "10001", "10001", "01110", "10001", "10001", "01110"),
    "9": ("01110", "10001", "10001", "01111", "00001", "00010", "01100"),
    "E": ("11111", "10000", "10000", "11110", "10000", "10000", "11111"),
    "-": ("00000", "00000", "00000", "11111", "00000", "00000", "00000"),
    " ": ("00000",) * 7,
}
_SCALE = 3
_MARGIN = 24
"""Dots around the text, so that it stands apart from its next copy."""
_PAPER, _INK = 255, 226


def picture_of(text: str) -> bytes:
    """A PNG in grey with a text of digits, `E`, `-` and spaces. Raises KeyError for any other character."""
    rows = ["0".join(_GLYPHS[char][line] for char in text) for line in range(7)]
    side = b"\xff" * _MARGIN
    drawn = []
    for row in rows:
        dots = bytes(_INK if dot == "1" else _PAPER for dot in row for _ in range(_SCALE))
        drawn += [side + dots + side] * _SCALE
    width = len(drawn[0])
    blank = [bytes([_PAPER]) * width] * _MARGIN
    # Each line begins with the number of its filter: 0, none.
    lines = b"".join(b"\0" + line for line in [*blank, *drawn, *blank])
    height = len(drawn) + 2 * _MARGIN
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
