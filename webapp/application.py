"""The application factory: one Flask application from an open database, a sealer and a clock.

Every route is guarded by the rights table; an application with a route that the table does not know is not made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import claims.pages
import claims.pages_owed
import households.pages.clearances
import households.pages.comparison
import households.pages.feeds
import households.pages.households
import households.pages.ledgers
import households.pages.recognition
import households.pages.warning_reports
import households.pages.warnings
import payments.pages
import policies.pages
import reports.certificate_pages
import reports.claim_form_pages
import reports.pages
import webapp.api.base
from foundation.blobs import BlobStore
from foundation.clock import Clock
from foundation.database import Database
from foundation.privacy.disclosures import most_a_day
from foundation.sealing import Sealer
from foundation.web.acting import EXTENSION, Surroundings
from foundation.web.api import RowIdConverter
from webapp import errors, guard, headers, logs, metrics, rights, slots, views
from webapp.jobs import ring_soon
from webapp.pages import (
    access,
    account,
    assessments,
    consents,
    dashboard,
    exports,
    health,
    home,
    jobs,
    keys,
    packs,
    retention,
    staff,
    tokens,
    trail_story,
)
from webapp.settings import files_folder

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """How the application is served."""

    demo: bool = False
    plain_http: bool = True
    """Without TLS in front: only on the loopback interface. Cookies are then not marked Secure."""
    hosts: Sequence[str] = ("127.0.0.1", "localhost")
    """Host names that it answers to."""
    county: str = "370323"
    county_name: tuple[str, str] = ("沂源县", "Yiyuan County")
    demo_logins: Sequence[tuple[str, str]] = field(default=())
    """(login, role) of the demo's accounts, as the sign-in page lists them."""
    testing: bool = False


def make_app(database: Database, sealer: Sealer, clock: Clock, options: Options | None = None) -> Flask:
    """The application. Raises ConfigurationError when the rights table and the routes differ."""
    options = options or Options()
    most_a_day()  # a setting that is no number stops the start, not the first full view
    app = Flask("webapp", static_folder="static", template_folder="templates")
    app.config.update(
        TESTING=options.testing,
        PROPAGATE_EXCEPTIONS=False,
        # Flask's own cookie carries notices for the next page and a visitor's number for CSRF; sessions are ours.
        SECRET_KEY=sealer.digest("cookie", b"signing"),
        SESSION_COOKIE_NAME="fangpin_notice",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not options.plain_http,
        MAX_CONTENT_LENGTH=MEGABYTE,
        MAX_FORM_MEMORY_SIZE=MEGABYTE // 4,
        MAX_FORM_PARTS=200,
        TRUSTED_HOSTS=list(options.hosts),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        FANGPIN_PLAIN_HTTP=options.plain_http,
    )
    if not options.plain_http:
        # A proxy with TLS stands in front and says who asks; one, so what a client adds by itself is not believed.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    app.extensions[EXTENSION] = Surroundings(
        database,
        sealer,
        clock,
        BlobStore(files_folder(database.url), sealer),
        lambda kind, subject_id: ring_soon(kind, subject_id, database),
    )
    app.extensions["fangpin_options"] = options
    app.url_map.converters["row_id"] = RowIdConverter
    for register in _PARTS:
        register(app)
    for blueprint in (
        health.blueprint,
        account.blueprint,
        tokens.blueprint,
        home.blueprint,
        dashboard.blueprint,
        staff.blueprint,
        keys.blueprint,
        retention.blueprint,
        trail_story.blueprint,
        consents.blueprint,
        assessments.blueprint,
        exports.blueprint,
        access.blueprint,
        jobs.blueprint,
        packs.blueprint,
        policies.pages.blueprint,
        claims.pages.blueprint,
        claims.pages_owed.blueprint,
        households.pages.households.blueprint,
        households.pages.clearances.blueprint,
        households.pages.comparison.blueprint,
        households.pages.feeds.blueprint,
        households.pages.recognition.blueprint,
        households.pages.ledgers.blueprint,
        households.pages.warnings.blueprint,
        households.pages.warning_reports.blueprint,
        payments.pages.blueprint,
        reports.pages.blueprint,
        reports.certificate_pages.blueprint,
        reports.claim_form_pages.blueprint,
    ):
        app.register_blueprint(blueprint)
    webapp.api.base.register(app)
    rights.check_complete(app)
    return app


_PARTS: tuple[Callable[[Flask], None], ...] = (
    logs.register,
    metrics.register,
    headers.register,
    errors.register,
    views.register,  # before the guard: what it refuses is said in the person's language
    guard.register,
    slots.register,
)
