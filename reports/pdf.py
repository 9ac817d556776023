"""HTML to PDF, in child processes under limits that may fetch nothing (`reports.pdf_child`).

One child prints many documents, so that fonts and style sheets are read once; two children print twice as many. A long
document comes in volumes, printed side by side and bound into one file, so that memory stays flat.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

import orjson

from foundation.database import instant_text
from reports.attachments import Attached
from reports.binding import bound, numbering
from reports.errors import RenderingFailed
from reports.fonts import prepared

_ROOT = str(Path(__file__).resolve().parent.parent)
_CHILD = "import sys; sys.path.append(sys.argv[1]); from reports.pdf_child import main; main()"
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
"""The child is given no setting of the program, no key, no address."""

SECONDS = 120
"""Longest time for a sheet, and a second more for each of this many characters of HTML."""
CHARACTERS_A_SECOND = 20_000


@dataclass(frozen=True, slots=True)
class Printable:
    """A document ready to print: HTML that names no address, the text of its style sheet, and what is attached.

    `volumes` are what follows, each a whole HTML document; the pages of all are numbered through. `pages` names the
    style sheet's pages that portrait and landscape pages of a document in volumes have.
    """

    title: str
    html: str
    stylesheet: str
    made_at: datetime
    attachments: tuple[Attached, ...] = ()
    volumes: tuple[str, ...] = ()
    pages: tuple[str, str] = ("auto", "auto")


def print_pdfs(documents: Sequence[Printable], processes: int = 1) -> Iterator[bytes]:
    """The PDF/A-3b of each document, in order. Raises RenderingFailed for the first that cannot be made.

    The same document gives the same bytes on machines with the same libraries.
    """
    sheets = [sheet for document in documents for sheet in _sheets(document)]
    processes = min(processes, len(sheets))
    if not processes:
        return
    with _Press(processes) as press:
        contents = press.print(sheets)
        for document in documents:
            front = next(contents)
            if not document.volumes:
                yield front
                continue
            volumes = [front, *(next(contents) for _ in document.volumes)]
            html = numbering(volumes, *document.pages)
            numbers = press.pdf(_Sheet(document.title, html, document.stylesheet, document.made_at))
            yield bound(volumes, numbers)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a child prints at a time."""

    title: str
    html: str
    stylesheet: str
    made_at: datetime
    attachments: tuple[Attached, ...] = ()


_UNNUMBERED = "@page { @bottom-right { content: none } }"
"""Pages of a document in volumes get their numbers when all are printed."""


def _sheets(document: Printable) -> Iterator[_Sheet]:
    style = f"{document.stylesheet}\n{_UNNUMBERED}" if document.volumes else document.stylesheet
    yield _Sheet(document.title, document.html, style, document.made_at, document.attachments)
    for volume in document.volumes:
        yield _Sheet(document.title, volume, style, document.made_at)


class _Press:
    """Some printing processes side by side."""

    def __init__(self, processes: int) -> None:
        fonts = prepared()
        self._children = [_Child(fonts) for _ in range(processes)]
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(processes)

    def __enter__(self) -> _Press:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.end()
        self._threads.shutdown()

    def print(self, sheets: Sequence[_Sheet]) -> Iterator[bytes]:
        """The PDFs of the sheets, in order."""
        return self._threads.map(self.pdf, sheets)

    def pdf(self, sheet: _Sheet) -> bytes:
        """The PDF of one sheet, by whichever process is idle."""
        child = self._idle.get()
        try:
            return child.pdf(sheet)
        finally:
            self._idle.put(child)


class _Child:
    """One printing process and the talk with it."""

    def __init__(self, fonts: Path) -> None:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "FONTCONFIG_FILE": str(fonts)},
        )

    def pdf(self, sheet: _Sheet) -> bytes:
        """The PDF of one sheet. Raises RenderingFailed; a child that died fails every later sheet, too."""
        allowed = SECONDS + len(sheet.html) / CHARACTERS_A_SECOND
        alarm = threading.Timer(allowed, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            answer = self._ask(_frame(sheet))
        finally:
            alarm.cancel()
        if answer[:1] != b"\x01":
            cause = answer[1:].decode("ascii", "replace") or f"ended {self._process.wait(SECONDS)}"
            raise RenderingFailed(sheet.title, cause)
        return answer[1:]

    def _ask(self, frame: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # The child is gone; there is no answer either.
            self._process.stdin.write(len(frame).to_bytes(4, "big") + frame)
            self._process.stdin.flush()
        head = self._process.stdout.read(4)
        size = int.from_bytes(head, "big")
        answer = self._process.stdout.read(size) if len(head) == 4 else b""
        return answer if len(answer) == size else b""

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _frame(sheet: _Sheet) -> bytes:
    return orjson.dumps(
        {
            "html": sheet.html,
            "stylesheet": sheet.stylesheet,
            "made_at": instant_text(sheet.made_at),
            "attachments": [
                {"name": a.name, "description": a.description, "content": b64encode(a.content).decode()}
                for a in sheet.attachments
            ],
        }
    )
