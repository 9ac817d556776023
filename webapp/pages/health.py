"""Is the process alive, is it ready, and what has it done: for whoever watches over it."""

from __future__ import annotations

from ipaddress import ip_address

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.errors import NotFound
from foundation.web.acting import reading
from webapp import metrics

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def live() -> Response:
    """200 as long as the process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    """200 when the database answers; 503 otherwise."""
    try:
        with reading() as session:
            session.execute(text("SELECT 1"))
    except DBAPIError as error:
        structlog.get_logger().error("not ready", error=type(error).__name__)
        return Response("database\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


@blueprint.get("/metrics")
def metrics_page() -> Response:
    """Counters for Prometheus, on this machine only: from elsewhere there is no such page."""
    remote = request.remote_addr or ""
    if request.headers.get("X-Forwarded-For") or not remote or not ip_address(remote).is_loopback:
        raise NotFound
    return Response(metrics.text(), mimetype="text/plain")
