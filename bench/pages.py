"""Pages: the list of claims and a claim's page through the whole application, against one ORM object for each row.

Both sides are the same application, session, guard, sums and templates: swapped is only how the rows of a page come
out of the database (`bench.orm_pages`). Their pages are compared before. A request is timed from the client's call
until the last byte of the page. The SQL statements that it takes are counted, and ours must not grow with the rows.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from itertools import cycle
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import claims.pages
from bench import orm_pages
from bench.packs import DEMO, TIMES, ten_times
from bench.rounds import Row, in_turns, spread
from bench.site import Content, Site, site_on
from claims.queries import listing
from tests.servers import running_postgres

ROUNDS = 9
REQUESTS = 12
"""Requests of each side in a round; with 9 rounds, 108 stand behind a percentile."""
FEW = 10
"""Rows of a small page, to compare the number of statements with that of a whole one."""
DEEPEST = 100
"""Pages down the list."""
GOAL = "≥ 1.6"
ENGINES = ("SQLite", "PostgreSQL")
PEER = "the same page from one ORM object a row"

_OLDER = re.compile(r'rel="next" href="([^"]+)"')
_OWN_TO_A_REQUEST = re.compile(rb'nonce="[^"]*"')

Swap = Mapping[str, Any]
"""Names of `claims.pages`, and what stands there instead while one side has its turn."""

OBJECTS: Swap = {
    "page_of_claims": orm_pages.page_of_claims,
    "case_by_id": orm_pages.case_by_id,
    "names": orm_pages.names,
}
JOINED_OBJECTS: Swap = {"page_of_claims": orm_pages.page_in_one_statement}
FEW_ROWS: Swap = {"page_of_claims": partial(listing.page_of_claims, size=FEW)}
FEW_OBJECTS: Swap = {**OBJECTS, "page_of_claims": partial(orm_pages.page_of_claims, size=FEW)}


@dataclass(frozen=True)
class Asked:
    """A kind of page: addresses that are asked for in turn, and two of which one has few rows and one has many."""

    title: str
    urls: Sequence[str]
    few: str
    many: str


@dataclass
class Side:
    """One side of a comparison: whom it asks for what, and how long each request took."""

    site: Site
    urls: Iterator[str]
    swap: Swap = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def turn(self) -> float:
        """Some requests, one after the other; seconds that one took on average."""
        with _swapped(self.swap):
            for _ in range(REQUESTS):
                start = perf_counter()
                self.site.get(next(self.urls))
                self.seconds.append(perf_counter() - start)
        return sum(self.seconds[-REQUESTS:]) / REQUESTS

    def figures(self, prefix: str = "") -> Row:
        """Seconds in the middle, requests a second, percentiles in milliseconds."""
        ordered = sorted(self.seconds)
        places = {share: ceil(len(ordered) * share / 100) - 1 for share in (50, 95, 99)}
        return {
            f"{prefix}seconds": median(ordered),
            f"{prefix}per_second": round(len(ordered) / sum(ordered), 1),
            **{f"{prefix}p{share}_ms": round(1000 * ordered[place], 1) for share, place in places.items()},
        }


def measure() -> list[Row]:
    """Times of requests; `ratio` is the peer's by ours, and for growth that of ten times the claims by the demo's."""
    contents = [Content.of(DEMO), Content.of(ten_times())]
    rows: list[Row] = []
    for engine in ENGINES:
        with _sites(engine, contents) as (small, large):
            few, many = _kinds(small), _kinds(large)
            rows += [_against(large, asked, OBJECTS, PEER, GOAL) for asked in many]
            rows.append(
                _against(large, many[0], JOINED_OBJECTS, "whole ORM objects, joined in one statement", "")
            )
            rows += [_growth(small, large, *pair) for pair in zip(few, many, strict=True)]
    return rows


@contextmanager
def _sites(engine: str, contents: Sequence[Content]) -> Iterator[tuple[Site, Site]]:
    with (
        tempfile.TemporaryDirectory(prefix="fangpin-bench-") as name,
        running_postgres() if engine == "PostgreSQL" else nullcontext() as server,
    ):
        folder = Path(name)
        small, large = (
            site_on(
                engine,
                server.url(server.create()) if server else f"sqlite:///{folder}/{number}.db",
                folder / f"{number}.key",
                content,
            )
            for number, content in enumerate(contents)
        )
        with small as one, large as other:
            yield one, other


def _kinds(site: Site) -> list[Asked]:
    """The same kinds of page on every site."""
    first, filtered = "/claims", "/claims?line=illness&outcome=approve"
    deep = _down(site, min(DEEPEST, site.claims // listing.PAGE // 2))
    alone, with_most = (f"/claims/{claim_id}" for claim_id in site.alone_and_with_most())
    sample = [f"/claims/{claim_id}" for claim_id in site.sample()]
    return [
        *(
            Asked(title, [url], url, url)
            for title, url in (
                ("list, first page", first),
                ("list, illness and approved", filtered),
                ("list, far down", deep),
            )
        ),
        Asked("a claim's page", sample, alone, with_most),
    ]


def _down(site: Site, pages: int) -> str:
    """The address of a page so far down the list, by the links that people follow."""
    url = "/claims"
    for _ in range(pages):
        found = _OLDER.search(site.get(url).decode())
        if found is None:
            raise AssertionError(f"{url} has no older page")
        url = unescape(found[1])
    return url


def _against(site: Site, asked: Asked, swap: Swap, peer_name: str, goal: str) -> Row:
    for url in {*asked.urls, asked.few, asked.many}:
        if _bare(site, url, {}) != _bare(site, url, swap):
            raise AssertionError(f"{url}: {peer_name} is another page")
    few, many = _statements(site, asked.few, FEW_ROWS), _statements(site, asked.many, {})
    if few != many:
        raise AssertionError(f"{asked.title}: {few} statements for few rows, {many} for many")
    peer_few = _statements(site, asked.few, FEW_OBJECTS if swap is OBJECTS else swap)
    peer_many = _statements(site, asked.many, swap)
    ours, peer = Side(site, cycle(asked.urls)), Side(site, cycle(asked.urls), swap)
    pairs = in_turns(ours.turn, peer.turn, ROUNDS)
    return {
        "case": f"{asked.title}, {site.claims:,} claims, {site.engine}",
        "peer": peer_name,
        **_common(ours, peer),
        **spread([theirs / own for own, theirs in pairs]),
        "goal": goal,
        "statements": many,
        "statements_of_few_rows": few,
        "peer_statements": peer_many,
        "peer_statements_of_few_rows": peer_few,
        "note": f"{many} SQL statements for many rows and for few ({peer_name}: {peer_many} and {peer_few}); "
        f"{_percentiles(ours)} ({_percentiles(peer)})",
    }


def _growth(small: Site, large: Site, few: Asked, many: Asked) -> Row:
    ours, peer = Side(large, cycle(many.urls)), Side(small, cycle(few.urls))
    pairs = in_turns(ours.turn, peer.turn, ROUNDS)
    return {
        "case": f"{many.title}, ten times the claims, {large.engine}",
        "peer": f"{small.claims:,} claims",
        **_common(ours, peer),
        **spread([high / low for high, low in pairs]),
        "goal": f"≤ {TIMES * 1.2:.0f}",
    }


def _common(ours: Side, peer: Side) -> Row:
    return {
        "rounds": ROUNDS,
        "count": len(ours.seconds),
        "unit": "requests",
        **ours.figures(),
        **peer.figures("peer_"),
    }


def _percentiles(side: Side) -> str:
    figures = side.figures()
    return ", ".join(f"p{share} {figures[f'p{share}_ms']} ms" for share in (50, 95, 99))


def _swapped(swap: Swap) -> AbstractContextManager[object]:
    return patch.multiple(claims.pages, **swap) if swap else nullcontext()


def _bare(site: Site, url: str, swap: Swap) -> bytes:
    """A page without what is new in every request."""
    with _swapped(swap):
        return _OWN_TO_A_REQUEST.sub(b"", site.get(url))


def _statements(site: Site, url: str, swap: Swap) -> int:
    """SELECTs that one request takes."""
    before = site.statements
    with _swapped(swap):
        site.get(url)
    return site.statements - before
