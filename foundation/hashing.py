"""Hash functions by name: SHA-256, or SM3 (GB/T 32905) where commercial cryptography 国密 is asked for.

Pure. OpenSSL offers SM3 on most machines; where it does not, the function is worked out here, slowly.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Literal

HashName = Literal["sha256", "sm3"]
HASH_NAMES: tuple[HashName, ...] = ("sha256", "sm3")
DIGEST_HEX = 64
"""Both give 32 bytes."""

_MASK = 0xFFFFFFFF
_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def new_hash(name: HashName) -> Callable[[bytes], Any]:
    """A constructor like `hashlib.sha256`."""
    if name == "sha256":
        return hashlib.sha256
    try:
        made = hashlib.new("sm3")
    except ValueError:
        return Sm3

    def sm3(content: bytes = b"") -> Any:
        copy = made.copy()  # much quicker than asking OpenSSL for it by name each time
        copy.update(content)
        return copy

    return sm3


def new_hmac(name: HashName, key: bytes) -> hmac.HMAC:
    """A keyed digest (HMAC) to copy and update."""
    function: Any = new_hash(name)
    return hmac.new(key, digestmod=function)


class Sm3:
    """SM3 as GB/T 32905-2016 describes it, with the methods of a `hashlib` object."""

    name = "sm3"
    digest_size = 32
    block_size = 64

    def __init__(self, content: bytes = b"") -> None:
        self._state: tuple[int, ...] = _START
        self._rest = b""
        self._length = 0
        self.update(content)

    def update(self, content: bytes) -> None:
        """Takes in more content."""
        self._length += len(content)
        data = self._rest + content
        whole = len(data) - len(data) % 64
        for start in range(0, whole, 64):
            self._state = _compressed(self._state, data[start : start + 64])
        self._rest = data[whole:]

    def copy(self) -> Sm3:
        """Another one that has taken in the same."""
        other = Sm3()
        other._state, other._rest, other._length = self._state, self._rest, self._length
        return other

    def digest(self) -> bytes:
        """The 32 bytes over everything so far."""
        padded = (
            self._rest + b"\x80" + bytes((55 - len(self._rest)) % 64) + (self._length * 8).to_bytes(8, "big")
        )
        state: tuple[int, ...] = self._state
        for start in range(0, len(padded), 64):
            state = _compressed(state, padded[start : start + 64])
        return b"".join(word.to_bytes(4, "big") for word in state)

    def hexdigest(self) -> str:
        """The same as 64 hexadecimal digits."""
        return self.digest().hex()


def _turned(word: int, by: int) -> int:
    by %= 32
    return (word << by | word >> (32 - by)) & _MASK


def _compressed(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """The compression function CF (GB/T 32905 §5.3)."""
    words = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        mixed = words[j - 16] ^ words[j - 9] ^ _turned(words[j - 3], 15)
        mixed ^= _turned(mixed, 15) ^ _turned(mixed, 23)
        words.append((mixed ^ _turned(words[j - 13], 7) ^ words[j - 6]) & _MASK)
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        first = _turned(_turned(a, 12) + e + _turned(constant, j) & _MASK, 7)
        second = first ^ _turned(a, 12)
        chosen_left = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        chosen_right = e ^ f ^ g if j < 16 else (e & f) | (~e & g & _MASK)
        left = chosen_left + d + second + (words[j] ^ words[j + 4]) & _MASK
        right = chosen_right + h + first + words[j] & _MASK
        a, b, c, d = left, a, _turned(b, 9), c
        e, f, g, h = right ^ _turned(right, 9) ^ _turned(right, 17), e, _turned(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))
