"""Hash functions by name: SM3 as the standard gives it, by OpenSSL and worked out here."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.hashing import HashName, Sm3, new_hash, new_hmac

VECTORS = {
    b"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    b"abcd" * 16: "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
}
"""GB/T 32905-2016, annex A."""


@pytest.mark.parametrize(("content", "digest"), VECTORS.items())
def test_sm3_is_that_of_the_standard(content: bytes, digest: str) -> None:
    assert Sm3(content).hexdigest() == digest
    assert new_hash("sm3")(content).hexdigest() == digest


@given(st.binary(max_size=300), st.integers(0, 300))
def test_sm3_worked_out_here_is_that_of_openssl(content: bytes, cut: int) -> None:
    made = Sm3(content[:cut])
    branch = made.copy()
    made.update(content[cut:])
    assert made.digest() == hashlib.new("sm3", content).digest()
    assert branch.digest() == hashlib.new("sm3", content[:cut]).digest()


def test_without_openssl_the_keyed_digest_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_openssl = new_hmac("sm3", b"k" * 32)
    with_openssl.update(b"370323")

    def unknown(name: str) -> None:
        raise ValueError(name)

    monkeypatch.setattr(hashlib, "new", unknown)
    without = new_hmac("sm3", b"k" * 32)
    without.update(b"370323")
    assert without.hexdigest() == with_openssl.hexdigest()


@pytest.mark.parametrize("name", ["sha256", "sm3"])
def test_a_keyed_digest_is_an_hmac(name: HashName) -> None:
    code = new_hmac(name, b"key")
    code.update(b"content")
    assert code.digest() == hmac.digest(b"key", b"content", name)
