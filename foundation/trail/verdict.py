"""What a check of the trail finds: the verdict, and each fault with its place, in both languages. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FAULTS = 20
"""Faults that are named; whoever changed everything made a million of them."""


@dataclass(frozen=True, slots=True)
class TrailFault:
    """One thing that is wrong.

    `kind` is a stable word (`event_changed`, `block_root` …); `leaf` is the number of the event in the sealed trail or,
    for a block, of its last one; faults are in the order of it.
    """

    kind: str
    leaf: int
    event_id: int | None
    block: int | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class TrailHead:
    """How many events a trail had at some time, and the Merkle root over them: as printed on a report."""

    events: int
    root: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole trail found.

    Sealed events and blocks, events that no block holds yet, the root over all sealed ones, and at most MOST_FAULTS
    faults, the first one first.
    """

    events: int
    blocks: int
    unsealed: int
    root: str
    faults: tuple[TrailFault, ...]

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def event_fault(kind: str, leaf: int, event_id: int | None, zh: str, en: str) -> TrailFault:
    """A fault of one event: `第 17 条事件(编号 23)…`."""
    told = ("", "") if event_id is None else (f"(编号 {event_id})", f" (id {event_id})")
    return TrailFault(
        kind, leaf, event_id, None, f"第 {leaf} 条事件{told[0]}{zh}", f"event {leaf}{told[1]} {en}"
    )


def block_fault(kind: str, number: int, before: int, events: int, zh: str, en: str) -> TrailFault:
    """A fault of a block, named with its events (`block 3 (events 2001–3000) …`), which begin after event `before`."""
    span = f"{before + 1}–{events}"
    return TrailFault(
        kind,
        events,
        None,
        number,
        f"第 {number} 区块(第 {span} 条事件){zh}",
        f"block {number} (events {span}) {en}",
    )


def trail_fault(kind: str, leaf: int, zh: str, en: str, block: int | None = None) -> TrailFault:
    """A fault of the trail as a whole, after event `leaf`."""
    return TrailFault(kind, leaf, None, block, zh, en)
