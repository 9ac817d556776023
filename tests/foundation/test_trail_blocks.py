"""Checking blocks as the leaves go by, on rows made by hand: what no schema would let in, too."""

from __future__ import annotations

import hashlib

import pytest

from foundation.trail.anchors import Anchor
from foundation.trail.blocks import BlockCheck
from foundation.trail.merkle import Frontier, leaf_hash
from foundation.trail.reading import BlockRow
from foundation.trail.sealing import FIRST_PREVIOUS, header_text
from foundation.trail.verdict import MOST_FAULTS, TrailHead

AT = "2020-12-31T04:00:00.000000+00:00"
LEAVES = [leaf_hash(b"%d" % number) for number in range(1, 8)]


def blocks_of(*sizes: int) -> list[BlockRow]:
    """Blocks that fit together, each ending at one of these numbers of events; event ids are ten times the numbers."""
    rows: list[BlockRow] = []
    for number, size in enumerate(sizes, start=1):
        frontier = Frontier()
        for leaf in LEAVES[:size]:
            frontier.add(leaf)
        previous = rows[-1].digest if rows else FIRST_PREVIOUS
        row = BlockRow(number, size, size * 10, frontier.root(), previous, "", "sha256", AT, frontier.text())
        digest = hashlib.sha256(header_text(row._asdict(), AT)).hexdigest()
        rows.append(row._replace(digest=digest))
    return rows


def found(
    rows: list[BlockRow], anchors: tuple[Anchor, ...] = (), heads: tuple[TrailHead, ...] = ()
) -> list[tuple[str, int | None]]:
    """The faults of blocks over all seven leaves."""
    check = BlockCheck(iter(rows), anchors, heads)
    number = 0
    for leaf in LEAVES:
        while number + 1 > check.stop:
            check.reach(number, number * 10)
        check.frontier.add(leaf)
        number += 1
    check.end(number, number * 10)
    return [(fault.kind, fault.block) for fault in check.faults]


def anchor_of(row: BlockRow) -> Anchor:
    return Anchor(row.number, row.events, row.root, row.digest, row.sealed_at)


@pytest.mark.parametrize("sizes", [(7,), (1, 2, 3, 4, 5, 6, 7), (4, 7)])
def test_blocks_that_fit_together_are_well(sizes: tuple[int, ...]) -> None:
    rows = blocks_of(*sizes)
    anchors = tuple(map(anchor_of, rows))
    heads = tuple(TrailHead(row.events, row.root) for row in rows)
    assert found(rows, anchors, heads) == []
    assert found(rows, anchors[1:]) == []  # the beginning of the file was put aside


def test_any_head_between_blocks_is_checked_too() -> None:
    (row,) = blocks_of(7)
    heads = [TrailHead(size, blocks_of(size)[0].root) for size in range(1, 8)]
    assert found([row], heads=(TrailHead(0, Frontier().root()), *reversed(heads))) == []
    assert found([row], heads=(TrailHead(5, row.root),)) == [("head", None)]
    assert found([row], heads=(TrailHead(8, row.root),)) == [("tail_cut", None)]


def test_a_block_without_events_is_found() -> None:
    """It has the right root, digest and link."""
    assert found(blocks_of(4, 7, 7)) == [("block_size", 3)]
    assert found(blocks_of(4, 4, 7)) == [("block_size", 2)]


def test_a_block_that_ends_before_the_one_before_is_found() -> None:
    first, second = blocks_of(4, 7)
    assert found([first, second._replace(events=2)])[0] == ("block_size", 2)


def test_a_block_with_more_events_than_there_are_is_found() -> None:
    (row,) = blocks_of(7)
    assert ("leaf_missing", 1) in found([row._replace(events=9)])
    assert ("leaf_missing", 1) in found([row._replace(events=10**15)])


def test_one_wrong_block_does_not_make_the_next_ones_wrong() -> None:
    first, second, third = blocks_of(2, 4, 7)
    wrong = second._replace(root="ab" * 32)
    assert found([first, wrong, third]) == [("block_root", 2), ("block_digest", 2)]


def test_a_block_whose_frontier_is_no_help_is_passed_over() -> None:
    """Its leaves were changed with everything else of it: the next one cannot be checked from it, the one after can."""
    first, second, third = blocks_of(2, 4, 7)
    wrong = second._replace(root="ab" * 32, frontier="zz")
    assert found([first, wrong, third]) == [("block_root", 2), ("block_digest", 2)]


def test_a_first_block_that_names_another_hash_does_not_make_all_blocks_wrong() -> None:
    first, *others = blocks_of(2, 4, 7)
    for name in ("sm3", "md5"):
        assert found([first._replace(hash_name=name), *others]) == [("block_hash", 1), ("block_digest", 1)]
    torn = first._replace(hash_name="sm3", digest="ab" * 32)  # then the second one says it
    assert found([torn, *others]) == [("block_hash", 1), ("block_digest", 1), ("block_link", 2)]


def test_anchored_blocks_that_are_gone_are_named_once() -> None:
    rows = blocks_of(1, 2, 3, 7)
    assert found(blocks_of(7), tuple(map(anchor_of, rows))) == [("anchor", 1), ("tail_cut", 2)]


def test_of_many_faults_the_first_ones_are_kept() -> None:
    rows = [BlockRow(number, 7, 70, "", "", "", "", "", "") for number in range(1, 100)]
    assert len(found(rows)) == MOST_FAULTS
