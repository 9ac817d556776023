"""HTML to PDF, in child processes under limits that may fetch nothing (`reports.pdf_child`).

One child prints many documents, so that fonts and style sheets are read once; two children print twice as many.
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
from reports.errors import RenderingFailed
from reports.fonts import prepared

_ROOT = str(Path(__file__).resolve().parent.parent)
_CHILD = "import sys; sys.path.append(sys.argv[1]); from reports.pdf_child import main; main()"
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
"""The child is given no setting of the program, no key, no address."""

SECONDS = 120
"""Longest time for a document, and a second more for each of this many characters of HTML."""
CHARACTERS_A_SECOND = 20_000


@dataclass(frozen=True, slots=True)
class Printable:
    """A document ready to print: HTML that names no address, the text of its style sheet, and what is attached."""

    title: str
    html: str
    stylesheet: str
    made_at: datetime
    attachments: tuple[Attached, ...] = ()


def print_pdfs(documents: Sequence[Printable], processes: int = 1) -> Iterator[bytes]:
    """The PDF/A-3b of each document, in order. Raises RenderingFailed for the first that cannot be made.

    The same document gives the same bytes on machines with the same libraries.
    """
    processes = min(processes, len(documents))
    if not processes:
        return
    fonts = prepared()
    with ThreadPoolExecutor(processes) as pool:
        idle: SimpleQueue[_Child] = SimpleQueue()
        children = [_Child(fonts) for _ in range(processes)]
        for child in children:
            idle.put(child)

        def printed(document: Printable) -> bytes:
            child = idle.get()
            try:
                return child.pdf(document)
            finally:
                idle.put(child)

        try:
            yield from pool.map(printed, documents)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.end()


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

    def pdf(self, document: Printable) -> bytes:
        """The PDF of one document. Raises RenderingFailed; a child that died fails every later document, too."""
        allowed = SECONDS + len(document.html) / CHARACTERS_A_SECOND
        alarm = threading.Timer(allowed, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            answer = self._ask(_frame(document))
        finally:
            alarm.cancel()
        if answer[:1] != b"\x01":
            cause = answer[1:].decode("ascii", "replace") or f"ended {self._process.wait(SECONDS)}"
            raise RenderingFailed(document.title, cause)
        return answer[1:]

    def _ask(self, frame: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # The child is gone; there is no answer either.
            self._process.stdin.write(len(frame).to_bytes(4, "big") + frame)
            self._process.stdin.flush()
        head = self._process.stdout.read(4)
        answer = self._process.stdout.read(int.from_bytes(head, "big")) if len(head) == 4 else b""
        return answer if len(answer) == int.from_bytes(head, "big") else b""

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()


def _frame(document: Printable) -> bytes:
    return orjson.dumps(
        {
            "html": document.html,
            "stylesheet": document.stylesheet,
            "made_at": instant_text(document.made_at),
            "attachments": [
                {"name": a.name, "description": a.description, "content": b64encode(a.content).decode()}
                for a in document.attachments
            ],
        }
    )
