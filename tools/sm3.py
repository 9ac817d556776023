"""SM3 (GB/T 32905-2016) for `verify_trail.py`: from OpenSSL, else worked out here, slowly. Standard library only."""

from __future__ import annotations

import hashlib
from typing import Any


def sm3(content: bytes) -> Any:
    """The hash of some bytes, with `digest()` and `hexdigest()`."""
    if not OPENSSL:
        return Sm3(content)
    copy = OPENSSL[0].copy()  # quicker than asking for it by name each time
    copy.update(content)
    return copy


def of_openssl() -> list[Any]:
    """OpenSSL's, or nothing where it has none."""
    try:
        return [hashlib.new("sm3")]
    except ValueError:
        return []


OPENSSL = of_openssl()


class Sm3:
    """SM3 as the standard describes it."""

    def __init__(self, content: bytes) -> None:
        data = content + b"\x80" + bytes((55 - len(content)) % 64) + (len(content) * 8).to_bytes(8, "big")
        start = "7380166f 4914b2b9 172442d7 da8a0600 a96f30bc 163138aa e38dee4d b0fb0e4e"
        state = [int(word, 16) for word in start.split()]
        for place in range(0, len(data), 64):
            state = compressed(state, data[place : place + 64])
        self.value = b"".join(word.to_bytes(4, "big") for word in state)

    def digest(self) -> bytes:
        """The 32 bytes."""
        return self.value

    def hexdigest(self) -> str:
        """The same as 64 hexadecimal digits."""
        return self.value.hex()


def turned(word: int, by: int) -> int:
    """A word of 32 bits, turned to the left."""
    by %= 32
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def compressed(state: list[int], block: bytes) -> list[int]:
    """The compression function CF, §5.3.3."""
    w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ turned(w[j - 3], 15)
        w.append(x ^ turned(x, 15) ^ turned(x, 23) ^ turned(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        ss1 = turned((turned(a, 12) + e + turned(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & 0xFFFFFFFF, 7)
        ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        gg = e ^ f ^ g if j < 16 else e & f | ~e & g
        tt1 = (ff + d + (ss1 ^ turned(a, 12)) + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
        tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
        a, b, c, d = tt1, a, turned(b, 9), c
        e, f, g, h = tt2 ^ turned(tt2, 9) ^ turned(tt2, 17), e, turned(f, 19), g
    return [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
