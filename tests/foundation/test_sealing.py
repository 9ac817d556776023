"""Sealing: a value opens only where it was sealed, only with its key, and is found only by its keyed digest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ConfigurationError
from foundation.sealing import KeyRing, Sealer, SealingKey

SEALER = Sealer(KeyRing.of_one(SealingKey("k1", bytes(range(32))), bytes(range(32, 64))))
OTHER = Sealer(KeyRing.of_one(SealingKey("k1", bytes(32)), bytes(32)))


@given(st.text())
def test_what_was_sealed_opens_again(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert SEALER.reveal("t", "c", "r", SEALER.seal("t", "c", "r", text)) == text


@pytest.mark.parametrize("place", [("u", "c", "r"), ("t", "d", "r"), ("t", "c", "s"), ("t|c", "", "r")])
def test_a_sealed_value_moved_elsewhere_does_not_open(place: tuple[str, str, str]) -> None:
    with pytest.raises(ConfigurationError):
        SEALER.reveal(*place, SEALER.seal("t", "c", "r", "370323197001010013"))


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ConfigurationError):
        OTHER.reveal("t", "c", "r", SEALER.seal("t", "c", "r", "x"))
    with pytest.raises(ConfigurationError):
        SEALER.reveal("t", "c", "r", "k2:" + SEALER.seal("t", "c", "r", "x").removeprefix("k1:"))


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_one_changed_byte_does_not_open(place: int) -> None:
    sealed = bytearray(SEALER.seal_bytes("t", "c", "r", b"370323197001010013"))
    sealed[place % len(sealed)] ^= 1
    with pytest.raises(ConfigurationError):
        SEALER.reveal_bytes("t", "c", "r", bytes(sealed))


def test_the_same_text_sealed_twice_looks_different_and_shows_nothing() -> None:
    first, second = (SEALER.seal("t", "c", "r", "370323197001010013") for _ in range(2))
    assert first != second
    assert "370323197001010013" not in first


def test_a_look_up_finds_equal_values_of_one_subject_only() -> None:
    assert SEALER.lookup("id_number", "1") == SEALER.lookup("id_number", "1")
    assert SEALER.lookup("id_number", "1") != SEALER.lookup("account", "1")
    assert SEALER.lookup("id_number", "1") != OTHER.lookup("id_number", "1")


def test_the_keys_are_not_shown() -> None:
    assert repr(KeyRing.of_one(SealingKey("k1", b"s" * 32), b"l" * 32)) == "KeyRing(k1)"
