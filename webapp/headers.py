"""Security headers of every answer. Scripts come from our own files only; a nonce marks what a page itself loads."""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, g, request


def register(app: Flask) -> None:
    """Makes a nonce for each request and puts the headers on each answer."""
    app.before_request(_make_nonce)
    app.after_request(_put_headers)


def _make_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def _put_headers(response: Response) -> Response:
    headers = response.headers
    nonce = g.get("csp_nonce", "")
    headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "object-src 'none'",
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["X-Request-ID"] = g.get("request_id", "")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if not current_app.config["FANGPIN_PLAIN_HTTP"]:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response
