"""Checks blocks as the leaves go by: at each block's end its root, digest, link, and what was anchored of it.

Pure but for the rows that it is given. When a block is wrong, the next one is checked from the frontier stored with the
wrong one, so that one wrong block does not make all later ones look wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from foundation.hashing import HASH_NAMES, HashName, new_hash
from foundation.trail.anchors import Anchor
from foundation.trail.merkle import Frontier
from foundation.trail.reading import BlockRow
from foundation.trail.sealing import FIRST_PREVIOUS, header_text
from foundation.trail.verdict import MOST_FAULTS, TrailFault, TrailHead, block_fault, trail_fault

_NEVER = 1 << 63
_NONE = BlockRow(0, 0, 0, "", "", FIRST_PREVIOUS, "", "", "")


def _hash_of(blocks: Iterator[BlockRow]) -> tuple[HashName, Iterator[BlockRow]]:
    """The trail's hash, and the blocks from the first one on again.

    It is the one under which a block's header, with its name in it, gives the block's digest; the first such block
    says it, as a rule block 1. What a block only calls its hash may have been changed, and all events would look wrong.
    """
    seen: list[BlockRow] = []
    for block in blocks:
        seen.append(block)
        for name in HASH_NAMES:
            header = header_text(block._replace(hash_name=name)._asdict(), block.sealed_at)
            if new_hash(name)(header).hexdigest() == block.digest:
                return name, chain(seen, blocks)
    named = seen[0].hash_name if seen else ""
    return named if named in HASH_NAMES else "sha256", iter(seen)


class BlockCheck:
    """The blocks of a trail, one ahead of the leaves; `faults` grows.

    For each leaf: when its number is past `stop`, `reach` first; then add it to `frontier`. After the last one, `end`.
    """

    def __init__(
        self, blocks: Iterator[BlockRow], anchors: Iterable[Anchor], heads: Iterable[TrailHead]
    ) -> None:
        self.faults: list[TrailFault] = []
        self.done = _NONE
        """The last block that was checked."""
        self.whole = True
        """Whether the frontier holds every leaf up to here."""
        self.hash_name, self._blocks = _hash_of(blocks)
        self._next = next(self._blocks, None)
        self._anchors = iter(anchors)
        self._anchor = next(self._anchors, None)
        self._anchors_differ = False
        self._heads = sorted(set(heads), key=lambda head: head.events)
        self.frontier = Frontier(self.hash_name)
        self.stop = self._upcoming()

    def reach(self, number: int, last_id: int) -> None:
        """Checks what ends at `stop`, after leaf `number` with that event id."""
        while self._heads and self._heads[0].events <= self.stop:
            self._check_head(self._heads.pop(0))
        if self._next is not None and self._next.events <= self.stop:
            block, self._next = self._next, next(self._blocks, None)
            self._check_block(block, number, last_id)
            self.done = block
        self.stop = self._upcoming()

    def end(self, number: int, last_id: int) -> None:
        """Checks what is left when `number` was the last leaf."""
        while self._next is not None or (self._heads and self._heads[0].events <= number):
            self.reach(number, last_id)
        if number > self.done.events:
            self.faults.append(
                trail_fault(
                    "leaf_without_block",
                    self.done.events + 1,
                    f"第 {self.done.events + 1} 条事件起有编号而不属于任何区块:其区块被删除",
                    f"from event {self.done.events + 1} on, events have numbers but no block: it was deleted",
                )
            )
        self._check_tail()

    def _upcoming(self) -> int:
        return min(
            self._next.events if self._next else _NEVER, self._heads[0].events if self._heads else _NEVER
        )

    def _check_block(self, block: BlockRow, number: int, last_id: int) -> None:
        before = self.done
        if block.number != before.number + 1:
            self.faults.append(
                trail_fault(
                    "block_missing",
                    before.events + 1,
                    f"第 {before.number + 1} 区块缺失(其后为第 {block.number} 区块)",
                    f"block {before.number + 1} is missing (the next one is block {block.number})",
                    before.number + 1,
                )
            )
        if block.events <= before.events:
            self._add("block_size", block, "之内没有事件", "has no events")
        if number < block.events:
            self._add(
                "leaf_missing",
                block,
                f"缺少第 {number + 1} 条事件:事件被删除",
                f"lacks event {number + 1}: events were deleted",
                number + 1,
            )
            self.whole = False
        root_is_right = self.whole and self._root_is_right(block)
        if self.whole and block.last_event_id != last_id:
            self._add(
                "block_last_event",
                block,
                f"的末条事件编号应为 {last_id},记为 {block.last_event_id}",
                f"ends with the event of id {last_id}, not {block.last_event_id} as it says",
            )
        if block.previous != before.digest:
            self._add(
                "block_link",
                block,
                f"与第 {before.number} 区块的链接不符:其中之一被改动",
                f"is not linked to block {before.number}: one of the two was changed",
            )
        self._check_header(block)
        self._check_anchor(block)
        if not root_is_right:
            self._go_on_from(block)

    def _root_is_right(self, block: BlockRow) -> bool:
        if self.frontier.root() != block.root:
            self._add(
                "block_root",
                block,
                "的默克尔根与其中事件不符:其中有事件被改动、增删或调换,且散列值一并被改写",
                "does not have the Merkle root of its events: one of them was changed, dropped, swapped or "
                "inserted, and its hash rewritten",
            )
            return False
        if self.frontier.text() != block.frontier:
            self._add("block_frontier", block, "所存的续算数据被改动", "has a changed frontier")
        return True

    def _check_header(self, block: BlockRow) -> None:
        if block.hash_name != self.hash_name:
            self._add(
                "block_hash",
                block,
                f"的散列算法应为 {self.hash_name}",
                f"should be hashed by {self.hash_name}",
            )
        header = header_text(block._asdict(), block.sealed_at)
        if new_hash(self.hash_name)(header).hexdigest() != block.digest:
            self._add(
                "block_digest",
                block,
                "的区块头(封存时间、根、链接)与其摘要不符:被改动",
                "does not give its digest: its header (time of sealing, root, link) was changed",
            )

    def _check_head(self, head: TrailHead) -> None:
        whole = self.whole and self.frontier.size == head.events
        if not whole or self.frontier.root() != head.root:
            self.faults.append(
                trail_fault(
                    "head",
                    head.events,
                    f"前 {head.events} 条事件的根与给出的链首 {head.root} 不符:此前的事件被改写",
                    f"the first {head.events} events do not have the root that was given, {head.root}: "
                    "events before were rewritten",
                )
            )

    def _check_anchor(self, block: BlockRow) -> None:
        while self._anchor is not None and self._anchor.block <= block.number:
            anchor, self._anchor = self._anchor, next(self._anchors, None)
            same = (block.number, block.events, block.root, block.digest)
            if (anchor.block, anchor.events, anchor.root, anchor.digest) == same or self._anchors_differ:
                continue
            self._anchors_differ = True  # all later ones do, too
            self._add(
                "anchor",
                block,
                f"与锚定文件第 {anchor.block} 区块不符:封存之后被改写,或数据库由旧备份恢复",
                f"is not what was anchored as block {anchor.block}: it was rewritten after it was sealed, or "
                "the database was restored from an old backup",
            )

    def _check_tail(self) -> None:
        total, last = self.done.events, self.done.number
        if self._anchor is not None:
            first = self._anchor
            for anchor in (first, *self._anchors):
                self._anchor = anchor
            end = self._anchor
            self.faults.append(
                trail_fault(
                    "tail_cut",
                    total + 1,
                    f"审计链尾部被截去:第 {first.block}–{end.block} 区块(至第 {end.events} 条事件)已锚定,"
                    f"而数据库止于第 {last} 区块第 {total} 条事件",
                    f"the tail was cut: blocks {first.block}–{end.block} (up to event {end.events}) were "
                    f"anchored, and the database ends with block {last}, event {total}",
                    first.block,
                )
            )
        for head in self._heads:
            self.faults.append(
                trail_fault(
                    "tail_cut",
                    total + 1,
                    f"审计链尾部被截去:给出的链首有 {head.events} 条事件,而数据库止于第 {total} 条",
                    f"the tail was cut: the head that was given has {head.events} events, and the database "
                    f"ends with event {total}",
                )
            )

    def _go_on_from(self, block: BlockRow) -> None:
        """Takes the frontier stored with a block, when it gives the block's root."""
        try:
            stored = Frontier.of_text(block.frontier, block.events, self.hash_name)
        except ValueError:
            self.whole = False
            return
        self.whole = stored.root() == block.root
        # In place: whoever adds leaves holds on to the frontier.
        self.frontier.size, self.frontier.parts = stored.size, stored.parts

    def _add(self, kind: str, block: BlockRow, zh: str, en: str, leaf: int | None = None) -> None:
        if len(self.faults) >= MOST_FAULTS:
            return
        fault = block_fault(kind, block.number, self.done.events, block.events, zh, en)
        self.faults.append(
            fault if leaf is None else TrailFault(kind, leaf, None, block.number, fault.zh, fault.en)
        )
