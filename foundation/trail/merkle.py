"""Merkle trees of RFC 6962 §2.1: roots, inclusion proofs, consistency proofs, and a frontier that grows leaf by leaf.

Pure. Leaves are leaf hashes of 32 bytes, in order; the hash function is SHA-256 or SM3 (`foundation.hashing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from foundation.hashing import DIGEST_HEX, HashName, new_hash

_Hash = Callable[[bytes], Any]
DIGEST_BYTES = DIGEST_HEX // 2


def leaf_hash(data: bytes, hash_name: HashName = "sha256") -> bytes:
    """Hash of a leaf: H(0x00 ‖ data)."""
    digest: bytes = new_hash(hash_name)(b"\x00" + data).digest()
    return digest


def root_of(leaves: Iterable[bytes], hash_name: HashName = "sha256") -> str:
    """Merkle tree hash of leaf hashes in order, hex; of none, the hash of nothing. Flat memory."""
    frontier = Frontier(hash_name)
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


@dataclass(slots=True)
class Frontier:
    """The roots of a growing tree's complete parts, largest first: all that its further growth needs.

    A tree of 13 leaves has the complete parts 8, 4 and 1, which are the bits of 13.
    """

    hash_name: HashName = "sha256"
    size: int = 0
    parts: list[bytes] = field(default_factory=list)
    _function: _Hash = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._function = new_hash(self.hash_name)

    def add(self, leaf: bytes) -> None:
        """Adds a leaf hash at the end."""
        function, node, size = self._function, leaf, self.size
        while size & 1:
            node = function(b"\x01" + self.parts.pop() + node).digest()
            size >>= 1
        self.parts.append(node)
        self.size += 1

    def root(self) -> str:
        """The Merkle tree hash, hex."""
        function = self._function
        if not self.parts:
            return str(function(b"").hexdigest())
        node = self.parts[-1]
        for part in reversed(self.parts[:-1]):
            node = function(b"\x01" + part + node).digest()
        return node.hex()

    def text(self) -> str:
        """The parts as hex words; `of_text` reads them."""
        return " ".join(part.hex() for part in self.parts)

    @classmethod
    def of_text(cls, text: str, size: int, hash_name: HashName) -> Frontier:
        """A frontier from `text()` and its size. Raises ValueError when they do not belong together."""
        parts = [bytes.fromhex(word) for word in text.split()]
        if len(parts) != size.bit_count() or any(len(part) != DIGEST_BYTES for part in parts):
            raise ValueError("a frontier has the wrong number of parts, or one of the wrong length")
        return cls(hash_name, size, parts)


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The parts of the tree whose roots are the audit path of leaf `index`, from the leaf upwards (RFC 6962 §2.1.1).

    A part is (first leaf, leaf after its last one), from 0.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    ranges: list[tuple[int, int]] = []
    first, after = 0, size
    while after - first > 1:
        middle = first + _split(after - first)
        if index < middle:
            ranges.append((middle, after))
            after = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def inclusion_path(leaves: Sequence[bytes], index: int, hash_name: HashName = "sha256") -> list[bytes]:
    """The audit path of leaf `index` (from 0) in the tree of all leaves, from the leaf upwards."""
    return [_root(leaves[a:b], hash_name) for a, b in inclusion_ranges(index, len(leaves))]


def root_by_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], hash_name: HashName = "sha256"
) -> str:
    """The root that an audit path leads to, hex (RFC 9162 §2.1.3.2). Raises ValueError for one of the wrong length."""
    function = new_hash(hash_name)
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    node, last, place = leaf, size - 1, index
    for other in path:
        if last == 0:
            raise ValueError("the path is too long")
        if place & 1 or place == last:
            node = function(b"\x01" + other + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = function(b"\x01" + node + other).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return node.hex()


def consistency_ranges(earlier: int, size: int) -> list[tuple[int, int]]:
    """The parts of the tree whose roots prove that the tree of the first `earlier` leaves is a beginning of the whole
    one (RFC 6962 §2.1.2)."""
    if not 0 < earlier <= size:
        raise ValueError("no such earlier tree")
    ranges: list[tuple[int, int]] = []
    first, after = 0, size
    while earlier != after:
        middle = first + _split(after - first)
        if earlier <= middle:
            ranges.append((middle, after))
            after = middle
        else:
            ranges.append((first, middle))
            first = middle
    if first:  # otherwise it is the earlier tree itself, whose root the verifier knows
        ranges.append((first, after))
    return ranges[::-1]


def consistency_path(leaves: Sequence[bytes], earlier: int, hash_name: HashName = "sha256") -> list[bytes]:
    """The proof that the tree of the first `earlier` leaves is a beginning of the tree of all."""
    return [_root(leaves[a:b], hash_name) for a, b in consistency_ranges(earlier, len(leaves))]


def roots_by_consistency(
    earlier: int, size: int, earlier_root: str, path: Sequence[bytes], hash_name: HashName = "sha256"
) -> tuple[str, str]:
    """(root of the earlier tree, root of the later one) that a consistency proof leads to, hex (RFC 9162 §2.1.4.2).

    Raises ValueError for a proof of the wrong length.
    """
    function = new_hash(hash_name)
    if not 0 < earlier <= size:
        raise ValueError("no such earlier tree")
    if earlier == size:
        if path:
            raise ValueError("the proof is too long")
        return earlier_root, earlier_root
    nodes = list(path)
    if earlier & (earlier - 1) == 0:
        nodes.insert(0, bytes.fromhex(earlier_root))
    if not nodes:
        raise ValueError("the proof is too short")
    place, last = earlier - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for other in nodes[1:]:
        if last == 0:
            raise ValueError("the proof is too long")
        if place & 1 or place == last:
            old = function(b"\x01" + other + old).digest()
            new = function(b"\x01" + other + new).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = function(b"\x01" + new + other).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return old.hex(), new.hex()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(leaves: Sequence[bytes], hash_name: HashName) -> bytes:
    return bytes.fromhex(root_of(leaves, hash_name))
