"""Merkle trees: the published vectors, and roots and proofs against RFC 6962 written down as it stands."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.trail.merkle import (
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_by_inclusion,
    root_of,
    roots_by_consistency,
)

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize(("count", "root"), ROOTS.items())
def test_the_root_is_that_of_the_published_vectors(count: int, root: str) -> None:
    assert root_of(leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:count]) == root


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 as it is written: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_streamed_root_is_the_recursive_one(data: list[bytes]) -> None:
    leaves = [leaf_hash(item) for item in data]
    assert root_of(iter(leaves)) == plain_root(leaves).hex()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_an_inclusion_proof_leads_to_the_root_and_no_other_leaf_does(
    data: list[bytes], draw: st.DataObject
) -> None:
    leaves = [leaf_hash(item) for item in data]
    index = draw.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_path(leaves, index)
    root = plain_root(leaves).hex()
    assert root_by_inclusion(leaves[index], index, len(leaves), path) == root
    assert root_by_inclusion(leaf_hash(b"another one"), index, len(leaves), path) != root
    for wrong in (path[:-1], [*path, b"x" * 32]):
        if wrong != path:
            with pytest.raises(ValueError, match="path is too"):
                root_by_inclusion(leaves[index], index, len(leaves), wrong)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_a_consistency_proof_leads_to_both_roots(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [leaf_hash(item) for item in data]
    earlier = draw.draw(st.integers(1, len(leaves)))
    path = consistency_path(leaves, earlier)
    old, new = plain_root(leaves[:earlier]).hex(), plain_root(leaves).hex()
    assert roots_by_consistency(earlier, len(leaves), old, path) == (old, new)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=70), st.data())
def test_a_changed_beginning_has_no_consistency_proof(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [leaf_hash(item) for item in data]
    earlier = draw.draw(st.integers(1, len(leaves) - 1))
    place = draw.draw(st.integers(0, earlier - 1))
    old = plain_root(leaves[:earlier]).hex()
    changed = [*leaves[:place], leaf_hash(b"changed later"), *leaves[place + 1 :]]
    path = consistency_path(changed, earlier)
    assert roots_by_consistency(earlier, len(leaves), old, path) != (old, plain_root(changed).hex())


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_a_frontier_that_was_written_down_grows_on_to_the_same_root(data: list[bytes], stop: int) -> None:
    leaves = [leaf_hash(item, "sm3") for item in data]
    first = Frontier("sm3")
    for leaf in leaves[:stop]:
        first.add(leaf)
    again = Frontier.of_text(first.text(), first.size, "sm3")
    for leaf in leaves[stop:]:
        again.add(leaf)
    assert again.root() == root_of(leaves, "sm3")


def test_a_frontier_of_another_size_is_refused() -> None:
    frontier = Frontier()
    frontier.add(leaf_hash(b"x"))
    with pytest.raises(ValueError, match="wrong number"):
        Frontier.of_text(frontier.text(), 3, "sha256")
