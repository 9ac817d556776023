"""What Prometheus reads: requests by route, method and status, their duration. Labels hold nothing personal."""

from __future__ import annotations

import time

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from webapp.logs import METHODS


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("fangpin_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "fangpin_request_seconds", "Time to answer a request", ("route",), registry=self.registry
        )


def register(app: Flask) -> None:
    """Counts every request of the application."""
    app.extensions["fangpin_metrics"] = Metrics()
    app.after_request(_count)


def _count(response: Response) -> Response:
    metrics: Metrics = current_app.extensions["fangpin_metrics"]
    route = request.endpoint or "unmatched"
    method = request.method if request.method in METHODS else "other"
    metrics.requests.labels(route, method, str(response.status_code)).inc()
    if "begun" in g:
        metrics.seconds.labels(route).observe(time.perf_counter() - g.begun)
    return response


def text() -> bytes:
    """All counters in Prometheus's text format."""
    metrics: Metrics = current_app.extensions["fangpin_metrics"]
    return generate_latest(metrics.registry)
