"""An inclusion proof step by step: how the hash of one event leads to the root that is printed on reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foundation.hashing import HashName, new_hash


@dataclass(frozen=True, slots=True)
class Step:
    """H(0x01 ‖ left ‖ right) = result, all hex. `ours` says on which side the hash of the step before stands."""

    left: str
    right: str
    result: str
    ours: str


def steps(leaf: str, index: int, size: int, path: Sequence[str], hash_name: HashName) -> list[Step]:
    """The steps from a leaf hash (hex) at `index` (from 0) of `size` up to the root (RFC 9162 §2.1.3.2)."""
    function = new_hash(hash_name)
    found: list[Step] = []
    node, last, place = leaf, size - 1, index
    for other in path:
        right_of_it = place & 1 or place == last
        left, right = (other, node) if right_of_it else (node, other)
        node = function(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
        found.append(Step(left, right, node, "right" if right_of_it else "left"))
        while right_of_it and not place & 1 and place:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return found
