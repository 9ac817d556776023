"""The process that turns HTML into PDF: WeasyPrint under limits, which may fetch nothing. Started by `reports.pdf`.

It reads frames (four bytes of length, then JSON) from its input, each one document, and answers each with a frame:
a byte that says whether it went well, then the PDF, or what went wrong without a word of the document's content.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NoReturn

import orjson

MOST_MEMORY = 2 << 30
DONE, FAILED = b"\x01", b"\x00"
_CLEARED_AFTER = 500_000
"""Bytes of documents after which memory is cleared of what refers to itself."""

_FORBIDDEN = frozenset(
    {"socket.connect", "socket.getaddrinfo", "urllib.Request", "os.system", "subprocess.Popen"}
)


def main() -> None:
    """Prints until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Whatever a library prints is no answer.
    printer = _Printer()
    sys.addaudithook(_refuse)
    # Layout makes hundreds of thousands of objects that live until the document is done: looking through them for
    # garbage again and again takes a quarter of the time and finds none.
    gc.disable()
    gc.freeze()
    characters = 0
    for frame in _frames(sys.stdin.buffer):
        characters += len(frame)
        if characters > _CLEARED_AFTER:
            gc.collect()
            characters = len(frame)
        try:
            answer = DONE + printer.pdf(orjson.loads(frame))
        except (Exception, _Fetched) as error:  # noqa: BLE001  # named to the parent, which raises it
            answer = FAILED + type(error).__name__.encode()
        output.write(len(answer).to_bytes(4, "big") + answer)
        output.flush()


def _frames(source: BinaryIO) -> Iterator[bytes]:
    while len(head := source.read(4)) == 4:
        yield source.read(int.from_bytes(head, "big"))


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    """The second fence behind the fetcher: from here on this process reaches no network and starts nothing."""
    if event in _FORBIDDEN:
        raise PermissionError(event)


class _Fetched(BaseException):
    """A document asked for something outside itself."""


class _Printer:
    """WeasyPrint with what is the same for every document: the fonts and the style sheets, read once."""

    def __init__(self) -> None:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher

        class Refused(_Fetched, FatalURLFetchingError):  # type: ignore[misc]  # WeasyPrint has no types
            """Not caught by WeasyPrint, which would go on without."""

        class NoFetcher(URLFetcher):  # type: ignore[misc]
            """Refuses every address: a template names none, and text of people is escaped."""

            def fetch(self, *_: object) -> NoReturn:
                raise Refused("nothing is fetched")

        self._weasyprint = weasyprint
        self._fetcher = NoFetcher(allow_redirects=False)
        self._fonts = FontConfiguration()
        self._sheets: dict[str, Any] = {}

    def pdf(self, document: dict[str, Any]) -> bytes:
        made = datetime.fromisoformat(document["made_at"]).astimezone(UTC)
        attachments = [
            self._weasyprint.Attachment(
                string=b64decode(attached["content"]),
                url_fetcher=self._fetcher,
                name=attached["name"],
                description=attached["description"],
                created=made,
                modified=made,
                relationship="Data",
            )
            for attached in document["attachments"]
        ]
        html = self._weasyprint.HTML(string=document["html"], url_fetcher=self._fetcher)
        content: bytes = html.write_pdf(
            stylesheets=[self._sheet(document["stylesheet"])],
            font_config=self._fonts,
            attachments=attachments,
            pdf_variant="pdf/a-3b",
            finisher=_finish,
        )
        return content

    def _sheet(self, text: str) -> Any:
        if text not in self._sheets:
            self._sheets[text] = self._weasyprint.CSS(
                string=text, font_config=self._fonts, url_fetcher=self._fetcher
            )
        return self._sheets[text]


def _finish(_: Any, pdf: Any) -> None:
    """The window shows the title and not the file's name; every attached file is listed once."""
    catalog = pdf.catalog
    catalog["ViewerPreferences"] = type(catalog)({"DisplayDocTitle": "true"})
    if "AF" in catalog:
        catalog["AF"] = type(catalog["AF"])(dict.fromkeys(catalog["AF"]))
