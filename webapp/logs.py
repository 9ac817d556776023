"""Structured logs: one JSON line a request, with its number and nothing personal.

A line names the route and not the path, the account's random id and not the login; of an error its class and its place
in the code, never its message, which may hold somebody's data.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
import traceback
from pathlib import Path

import structlog
from flask import Flask, Response, g, request

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"})
"""Whatever else a client may call it is written as `other`."""

_log = structlog.get_logger()


def configure() -> None:
    """JSON lines on standard error, for the whole process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def register(app: Flask) -> None:
    """Numbers each request and writes its line."""
    app.before_request(_begin)
    app.after_request(_write)


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.begun = time.perf_counter()


def _write(response: Response) -> Response:
    actor = g.get("actor")
    _log.info(
        "request",
        request_id=g.get("request_id"),
        method=request.method if request.method in METHODS else "other",
        route=request.endpoint or "unmatched",
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("begun", time.perf_counter())) * 1000),
        account=None if actor is None else actor.account,
        role=None if actor is None else str(actor.role),
    )
    return response


def place_of(error: BaseException) -> str:
    """Where in the code an error arose: file and line, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
