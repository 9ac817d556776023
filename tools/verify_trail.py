#!/usr/bin/env python3
"""Checks an exported trail of Fangpin (`fangpin trail export`) without Fangpin: Python's standard library is enough.

    python3 verify_trail.py FILE [--anchors FILE] [--head EVENTS:ROOT] [--proof FILE]

Exits with 0 (well), 1 (faulty: the first faulty event or block is named) or 2 (no export). It relies on the hash,
on RFC 6962 Merkle trees, and on heads and anchors that were kept apart from the database. Line by line: docs/trail.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any

Hash = Callable[[bytes], Any]
Found = re.Match[bytes]
Anchor = tuple[int, int, str, str]  # block, events, root, digest
Head = tuple[int, str]  # how many events a trail had once, and the root over them

MAGIC = b"fangpin-trail 1 "
LONGEST_LINE, MOST_IN_BLOCK = 1 << 20, 1000
TEXT = rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\bfnrt]|u00[01][0-9a-f])[^"\\\x00-\x1f]*)*"'
MARKS = {
    b"<text>": TEXT, b"<maybe>": rb"(?:null|" + TEXT + rb")", b"<number>": rb"(0|[1-9][0-9]{0,17})",
    b"<hex>": rb"([0-9a-f]{64})", b"<hash>": rb"(sha256|sm3)", b"{": rb"\{", b"}": rb"\}"}  # fmt: skip


def pattern(shape: bytes) -> Callable[[bytes], Found | None]:
    """Matches a line of exactly this shape."""
    return re.compile(re.sub(rb"<\w+>|[{}]", lambda mark: MARKS[mark[0]], shape) + rb"\n").fullmatch


# fmt: off
# Canonical JSON with exactly these fields in this order: there is one way to write an event.
BODY = (b'({"action":<text>,"actor":{"account":<text>,"assurance":<text>,"person":<text>,"place":<text>,"role":<text>},'
        b'"after":<maybe>,"at":<text>,"before":<maybe>,"reason":<maybe>,"subject":<text>,"subject_id":<text>})')
TOTALS = b'({"blocks":<number>,"events":<number>,"hash":"<hash>","root":"<hex>","unsealed":<number>})'
HEADER = (b'({"events":<number>,"hash":"<hash>","number":<number>,"previous":"<hex>","root":"<hex>",'
          b'"sealed_at":"[-+:.T0-9]+"})')
FIRST = pattern(MAGIC + TOTALS)
EVENT = pattern(b"E <number> <number> <hex> " + BODY)
BLOCK = pattern(b"B " + HEADER + b" <hex> <hex>")
OPEN = pattern(b"U <number> " + BODY)
LAST = pattern(b"Z " + TOTALS + b" <hex>")

SAYS = {
    "no export": ("不是审计链导出文件(第 1 版)", "this is no export of the trail (version 1)"),
    "sm3": ("此链用 SM3:请把 sm3.py 放在本程序旁边", "this one is by SM3: put sm3.py beside this program"),
    "no proof": ("不是证明文件", "this is no proof"),
    "anchors": ("锚定文件第 {0} 行已损坏", "line {0} of the anchor file is damaged"),
    "bom": ("文件头有 BOM:文件被编辑器另存过", "the file begins with a BOM: an editor has saved it"),
    "first line": ("第 1 行(文件头)被改动", "line 1, the header, was changed"),
    "after last": ("末行之后还有内容(第 {0} 行)", "line {0} comes after the last one"),
    "cut off": ("文件被截断:{zh}之后没有末行", "the file is cut off after {en}"),
    "unknown": ("{zh}之后的第 {0} 行不是导出的格式", "line {0}, after {en}, is not of the export's form"),
    "crlf": ("{zh}之后的第 {0} 行以 CRLF 结尾", "line {0}, after {en}, ends with CRLF"),
    "text": ("{zh}之后的一行不是 UTF-8 文字", "a line after {en} is not text in UTF-8"),
    "missing": ("第 {0} 条事件缺失:已被删除", "event {0} is missing: it was deleted"),
    "twice": ("第 {0} 条事件重复或被调换,此处应为第 {1} 条", "event {0} is there twice or swapped: {1} should be here"),
    "order": ("{event_zh}的编号不在其位:事件被调换", "{event_en} is out of order by its id: events were swapped"),
    "changed": ("{event_zh}的内容与其散列值不符:被改动", "{event_en} does not give its hash: it was changed"),
    "form": ("{event_zh}的行被改动,不是规范的格式", "{event_en} has a changed line, not of the form"),
    "block": ("第 {0} 区块缺失或不在其位(此处为第 {1} 区块)", "block {0} is missing or misplaced (here is block {1})"),
    "size": ("{block_zh}之内缺少事件:止于第 {1} 条", "{block_en} lacks events: there are only those up to {1}"),
    "root": ("{block_zh}的根与其中事件不符:有事件连同散列值被改动、增删或调换",
             "{block_en} lacks its root: an event was changed, dropped, swapped or inserted with its hash"),
    "link": ("{block_zh}与前一区块的链接不符:其一被改动", "{block_en} is not linked to the one before: one changed"),
    "digest": ("{block_zh}的区块头(时间、根、链接)与其摘要不符", "{block_en} has a changed header (time, root, link)"),
    "anchor": ("{block_zh}与锚定不符:封存后被改写,或由旧备份恢复",
               "{block_en} is not what was anchored: rewritten after sealing, or restored from an old backup"),
    "lines": ("{block_zh}之内的行被改动(编号或文件头)", "{block_en} has changed lines in it (an id or the header)"),
    "open": ("未封存的事件(编号 {0})不在其位:事后插入,或其编号被删除",
             "the event of id {0} without a number is out of place: inserted later, or its number deleted"),
    "no block": ("第 {0} 条事件起不属于任何区块", "from event {0} on, events are in no block"),
    "totals": ("合计与内容不符:{zh}之后有行缺失,或首行、末行被改动",
               "the totals are not those of the file: lines are missing after {en}, or the first or last changed"),
    "end lines": ("{zh}之后的行(未封存事件或末行)被改动", "lines after {en} (unsealed events, the last) were changed"),
    "tail": ("审计链尾部被截去:止于{zh},而锚定或链首已有 {0} 条事件(或此文件导出在前)",
             "the tail was cut: it ends with {en}, the anchors or head have {0} events (or the file is older)"),
    "head": ("前 {0} 条事件的根与给出的链首不符:被改写", "the first {0} events have not the root given: rewritten"),
    "proof": ("证明不成立:推不出其中所写的根", "the proof does not hold: it does not lead to the root in it"),
    "proof head": ("证明中 {0} 条事件的根与给出的链首不符", "the proof's root of {0} events is not the head given"),
}
# fmt: on


class Faulty(Exception):
    """The trail is not what it says: a word of SAYS, and what stands in the braces."""

    def __init__(self, word: str, *values: object, **names: object) -> None:
        super().__init__(word)
        self.zh, self.en = (sentence.format(*values, **names) for sentence in SAYS[word])


class NoExport(Faulty):
    """A file is not what this program reads."""


class Tree:
    """A Merkle tree (RFC 6962) that grows leaf by leaf; `parts` are the roots of its complete parts, largest first."""

    def __init__(self, new: Hash) -> None:
        self.new, self.size, self.parts = new, 0, list[bytes]()

    def add(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = self.new(b"\x01" + self.parts.pop() + leaf).digest()
            size >>= 1
        self.parts.append(leaf)
        self.size += 1

    def root(self) -> str:
        if not self.parts:
            return str(self.new(b"").hexdigest())
        node = self.parts[-1]
        for part in self.parts[-2::-1]:
            node = self.new(b"\x01" + part + node).digest()
        return node.hex()


class Checker:
    """Goes through an export line by line. Raises Faulty at the first thing that is wrong."""

    def __init__(self, lines: Iterator[bytes], anchors: Iterator[Anchor], heads: Iterable[Head]) -> None:
        first_line, ahead = next(lines, b""), list(islice(lines, MOST_IN_BLOCK + 1))
        if first_line.startswith(b"\xef\xbb\xbf" + MAGIC):
            raise Faulty("bom")
        if not first_line.startswith(MAGIC):
            raise NoExport("no export")
        if not (found := FIRST(first_line)):
            raise Faulty("first line")
        self.totals, self.named, self.lines = found[1], found[4], chain(ahead, lines)
        self.told = (int(found[2]), int(found[3]), int(found[6]), found[5].decode())
        self.hash_name = hash_by_blocks(ahead) or self.named
        self.new = hash_function(self.hash_name.decode())
        self.so_far, self.tree = hashlib.sha256(first_line), Tree(self.new)
        self.last_id = self.block = self.block_events = self.open = 0
        self.anchors, self.anchor = anchors, next(anchors, None)
        self.digest, self.heads = "0" * 64, sorted(heads)
        self.check_heads()

    def check(self) -> None:
        """Checks all other lines; the last one must be the last."""
        event, update, ended = self.event, self.so_far.update, False
        for number, line in enumerate(self.lines, start=2):
            if ended:
                raise Faulty("after last", number)
            found = EVENT(line)
            line.decode()  # UTF-8 only
            if found and not self.open:
                event(found)
            elif found := BLOCK(line):
                self.end_block(found)
            elif found := OPEN(line):
                self.open_event(found)
            elif found := LAST(line):
                self.end(found)
                ended = True
            elif line.startswith(b"E %d " % (self.tree.size + 1)) and not line.endswith(b"\r\n"):
                raise self.fault("form", line.split(b" ")[2].decode("ascii", "replace"))
            else:
                raise self.fault("crlf" if line.endswith(b"\r\n") else "unknown", number)
            update(line)
        if not ended:
            raise self.fault("cut off")

    def event(self, found: Found) -> None:
        """`E number id leaf-hash body`"""
        tree = self.tree
        number, event_id = int(found[1]), int(found[2])
        if number != (due := tree.size + 1):
            raise Faulty("missing", due) if number > due else Faulty("twice", number, due)
        if event_id <= self.last_id:
            raise self.fault("order", event_id)
        leaf = self.new(b"\x00" + found[4])
        if leaf.hexdigest().encode() != found[3]:
            raise self.fault("changed", event_id)
        tree.add(leaf.digest())
        self.last_id = event_id
        if self.heads and self.heads[0][0] == tree.size:
            self.check_heads()

    def end_block(self, found: Found) -> None:
        """`B header digest digest-of-the-file-so-far`"""
        events, hash_name, number = int(found[2]), found[3], int(found[4])
        previous, root, digest = found[5].decode(), found[6].decode(), found[7].decode()
        if self.open or number != self.block + 1:
            raise Faulty("block", self.block + 1, number)
        if events != self.tree.size or events <= self.block_events:
            raise self.fault("size", events, self.tree.size)
        if self.tree.root() != root:
            raise self.fault("root", events)
        if previous != self.digest:
            raise self.fault("link", events)
        if self.new(found[1]).hexdigest() != digest or hash_name != self.hash_name:
            raise self.fault("digest", events)
        if self.anchor is not None and self.anchor[0] == number:
            if self.anchor != (number, events, root, digest):
                raise self.fault("anchor", events)
            self.anchor = next(self.anchors, None)
        if found[8].decode() != self.so_far.hexdigest() or self.named != self.hash_name:
            raise self.fault("lines", events)
        self.block, self.block_events, self.digest = number, events, digest

    def open_event(self, found: Found) -> None:
        """`U id body`: an event that no block holds yet."""
        self.end_sealed()
        if int(found[1]) <= self.last_id:
            raise Faulty("open", found[1].decode())
        self.last_id = int(found[1])
        self.open += 1

    def end(self, found: Found) -> None:
        """`Z totals digest-of-the-file-so-far`"""
        self.end_sealed()
        if (self.block, self.tree.size, self.open, self.tree.root()) != self.told or found[1] != self.totals:
            raise self.fault("totals")
        if found[7].decode() != self.so_far.hexdigest():
            raise self.fault("end lines")
        later = [self.anchor[1]] if self.anchor else [events for events, _ in self.heads]
        if later:
            raise self.fault("tail", later[0])

    def end_sealed(self) -> None:
        if (self.block, self.tree.size) < self.told[:2]:
            raise self.fault("totals")
        if self.tree.size != self.block_events:
            raise Faulty("no block", self.block_events + 1)

    def check_heads(self) -> None:
        """Heads that somebody kept, of exactly this many events."""
        while self.heads and self.heads[0][0] == self.tree.size:
            events, root = self.heads.pop(0)
            if self.tree.root() != root:
                raise Faulty("head", events)

    def fault(self, word: str, *values: object) -> Faulty:
        """A fault here: after the last event that was right, in the block that comes next."""
        due, block = self.tree.size + 1, self.block + 1
        zh, en = f"第 {due - 1} 条事件", f"event {due - 1}"
        if self.open:
            zh, en = f"未封存事件(编号 {self.last_id})", f"the unsealed event of id {self.last_id}"
        value = values[0] if values else ""
        span = f"{self.block_events + 1}–{value}"
        event_zh, event_en = f"第 {due} 条事件(编号 {value})", f"event {due} (id {value})"
        return Faulty(
            word, *values, zh=zh, en=en, event_zh=event_zh, event_en=event_en,
            block_zh=f"第 {block} 区块(第 {span} 条事件)", block_en=f"block {block} (events {span})")  # fmt: skip


def check_proof(proof: Any, heads: Iterable[Head]) -> list[Head]:
    """Checks a proof made by `fangpin trail prove`; the trees that it is about. Raises Faulty."""
    try:
        kinds = [("fangpin-trail-proof", 1, kind) for kind in ("inclusion", "consistency")]
        if (proof["format"], proof["version"], proof["kind"]) not in kinds:
            raise NoExport("no proof")
        new, path = hash_function(proof["hash"]), [bytes.fromhex(node) for node in proof["path"]]
        if proof["kind"] == "inclusion":
            trees, event = [proof["tree"]], proof["event"]
            leaf = new(b"\x00" + event["body"].encode()).digest()
            roots = [inclusion(new, leaf, event["leaf"] - 1, trees[0]["events"], path)]
        else:
            trees = [proof["earlier"], proof["later"]]
            first = bytes.fromhex(trees[0]["root"])
            roots = [*consistency(new, first, trees[0]["events"], trees[1]["events"], path, known=True)]
        found = [(tree["events"], tree["root"]) for tree in trees]
    except (KeyError, TypeError, AttributeError):
        raise NoExport("no proof") from None
    except (ValueError, RecursionError):
        raise Faulty("proof") from None
    if [root.hex() for root in roots] != [root for _, root in found] or any(len(node) != 32 for node in path):
        raise Faulty("proof")
    for events, root in heads:
        if any(size == events and given != root for size, given in found):
            raise Faulty("proof head", events)
    return found


def inclusion(new: Hash, leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a tree that has a leaf at an index (RFC 6962 §2.1.1). Raises ValueError for a wrong length."""
    if not 0 <= index < size or (size == 1 and path):
        raise ValueError
    if size == 1:
        return leaf
    half, (*rest, other) = 1 << ((size - 1).bit_length() - 1), path
    if index < half:
        left, right = inclusion(new, leaf, index, half, rest), other
    else:
        left, right = other, inclusion(new, leaf, index - half, size - half, rest)
    return bytes(new(b"\x01" + left + right).digest())


def consistency(
    new: Hash, first: bytes, size: int, whole: int, path: list[bytes], *, known: bool
) -> tuple[bytes, bytes]:
    """The roots of the first `size` leaves and of the whole tree (RFC 6962 §2.1.2). Raises ValueError."""
    if not 0 < size <= whole:
        raise ValueError
    if size == whole:
        (node,) = [first, *path] if known else path
        return node, node
    half, (*rest, other) = 1 << ((whole - 1).bit_length() - 1), path
    if size <= half:
        old, left = consistency(new, first, size, half, rest, known=known)
        return old, new(b"\x01" + left + other).digest()
    old, right = consistency(new, first, size - half, whole - half, rest, known=False)
    return new(b"\x01" + other + old).digest(), new(b"\x01" + other + right).digest()


def hash_by_blocks(lines: Iterable[bytes]) -> bytes | None:
    """The hash by which the first block that can gives its digest; the name in it may have been changed."""
    for found in filter(None, map(BLOCK, lines)):
        for name in (b"sha256", b"sm3"):
            with suppress(NoExport):  # there may be no sm3.py
                digest = hash_function(name.decode())(found[1].replace(found[3], name)).hexdigest()
                if digest.encode() == found[7]:
                    return name
    return None


def hash_function(name: str) -> Hash:
    """SHA-256, or SM3 by the file sm3.py beside this one. Raises ValueError for any other."""
    if name not in ("sha256", "sm3"):
        raise ValueError(name)
    try:
        found: Hash = hashlib.sha256 if name == "sha256" else import_module("sm3").sm3
    except ImportError:
        raise NoExport("sm3") from None
    return found


def read_anchors(path: Path) -> Iterator[Anchor]:
    """`block events root digest time` a line, as Fangpin adds them when it seals."""
    before = 0
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                return  # the one being written when the machine stopped
            found = re.fullmatch(r"([0-9]{1,18}) ([0-9]{1,18}) ([0-9a-f]{64}) ([0-9a-f]{64}) \S+\n", line)
            if not found or int(found[1]) <= before:
                raise NoExport("anchors", number)
            before = int(found[1])
            yield before, int(found[2]), found[3], found[4]


def read_head(word: str) -> Head:
    """`EVENTS:ROOT`, as printed on reports."""
    if not (found := re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", word)):
        raise argparse.ArgumentTypeError("EVENTS:ROOT")
    return int(found[1]), found[2]


def run(arguments: argparse.Namespace) -> None:
    """Checks what was asked for and prints what it found."""
    heads: list[Head] = arguments.head
    if arguments.proof:
        try:
            proof = json.loads(arguments.proof.read_bytes())
        except ValueError:
            raise NoExport("no proof") from None
        heads += (trees := check_proof(proof, heads))
        told = ", ".join(f"{events}:{root}" for events, root in trees)
        print(f"证明成立,请与报告上的链首核对 / the proof holds; compare its head with a report: {told}")
    if arguments.file:
        begin = time.perf_counter()
        with arguments.file.open("rb") as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), b"")
            anchors = read_anchors(arguments.anchors) if arguments.anchors else iter(())
            checker = Checker(lines, anchors, heads)
            try:
                checker.check()
            except UnicodeDecodeError:
                raise checker.fault("text") from None
        rate = round(checker.tree.size / max(time.perf_counter() - begin, 1e-6))
        print(
            f"审计链完好:事件 {checker.tree.size} 条,区块 {checker.block} 个,未封存 {checker.open} 条,"
            f"每秒 {rate:,} 条,链首见行末 / the trail is well: {checker.tree.size} events, {checker.block} blocks, "
            f"{checker.open} not sealed yet, {rate:,} events/s, head {checker.tree.size}:{checker.tree.root()}"
        )


def main(words: list[str] | None = None) -> int:
    """0 well, 1 faulty, 2 no export or proof, or wrong arguments."""
    parser = argparse.ArgumentParser(description="核验导出的审计链 / checks an exported trail, offline")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="导出文件 / the exported trail")
    parser.add_argument("--anchors", type=Path, metavar="FILE", help="锚定文件 / heads kept outside")
    parser.add_argument(
        "--head", action="append", default=[], type=read_head, metavar="EVENTS:ROOT",
        help="报告上印的链首,可多次给出 / a head printed on a report; may be given again")  # fmt: skip
    parser.add_argument("--proof", type=Path, metavar="FILE", help="证明文件 / a proof to check")
    arguments = parser.parse_args(words)
    if arguments.file is None and arguments.proof is None:
        parser.error("FILE / --proof FILE")
    try:
        run(arguments)
    except NoExport as error:
        print(f"{error.zh} / {error.en}", file=sys.stderr)
        return 2
    except Faulty as error:
        print(f"审计链有误:{error.zh} / the trail is faulty: {error.en}")
        return 1
    except OSError as error:
        print(f"文件无法读取 / a file cannot be read: {error.filename} ({error.strerror})", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
