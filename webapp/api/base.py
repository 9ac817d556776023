"""The API put together: flask-smorest over the features' resources, strict JSON, our problems, the documentation."""

from __future__ import annotations

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin, resolver
from flask import Blueprint, Flask, Response, current_app, render_template
from flask_smorest import Api
from flask_smorest.utils import prepare_response

import claims.api
import claims.api_owed
import households.api.comparison
import households.api.feeds
import households.api.households
import households.api.recognition
import households.api.warnings
import payments.api
import policies.api
from foundation.web.api import RowIdConverter
from foundation.web.strict_json import StrictJson
from webapp.api import dashboard, people, trail
from webapp.api.problems import MEDIA_TYPE, Problem

PREFIX = "/api/v1"
_EXTENSION = "fangpin_api"

_RESOURCES = (
    claims.api.resources,
    claims.api_owed.resources,
    households.api.comparison.resources,
    households.api.feeds.resources,
    households.api.households.resources,
    households.api.recognition.resources,
    households.api.warnings.resources,
    payments.api.resources,
    policies.api.resources,
    people.resources,
    trail.resources,
    dashboard.resources,
)

_FAILURES = {
    "BAD_REQUEST": "The request is malformed: a parameter, a header or the JSON itself.",
    "UNPROCESSABLE_ENTITY": "Values of the body are wrong, each named.",
    "DEFAULT_ERROR": "The request failed.",
}
"""Names that flask-smorest refers to, and what they say."""

_ABOUT = """Claims and payments of a county's poverty-prevention insurance, for other systems of the county.

Send `Authorization: Bearer fpt_…`. Amounts are text in yuan (`"1234.50"`), days `YYYY-MM-DD`, instants in UTC.
What a token sees is held by the place of its role; outside it, things do not exist (404)."""


class _Api(Api):  # type: ignore[misc]  # the library has no types
    """flask-smorest with our problems in place of its errors; the application maps exceptions in one place."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """None: `webapp.errors` maps every exception, of pages and API alike."""

    def _register_responses(self) -> None:
        for name, sentence in _FAILURES.items():
            response = {"description": sentence, "schema": Problem}
            prepare_response(response, self.spec, MEDIA_TYPE)
            self.spec.components.response(name, response, lazy=True)


def _schema_name(schema: Any) -> str:
    name: str = resolver(schema)
    return name.removesuffix("Schema")


def register(app: Flask) -> None:
    """Puts the API into the application."""
    app.json = StrictJson(app)
    app.url_map.converters["row_id"] = RowIdConverter
    app.config.update(
        API_TITLE="Fangpin 防贫",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": _ABOUT},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
        },
    )
    api = _Api(app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_schema_name)})
    api.register_converter(RowIdConverter, lambda _converter: dict(RowIdConverter.DOCUMENTED))
    token = {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, made under 我的账号 (own account).",
    }
    api.spec.components.security_scheme("token", token)
    for resources in _RESOURCES:
        api.register_blueprint(resources, url_prefix=PREFIX)
    tags = [{"name": resources.subject, "description": resources.description} for resources in _RESOURCES]
    app.extensions[_EXTENSION] = {**api.spec.to_dict(), "tags": tags}
    app.register_blueprint(_documentation, url_prefix=PREFIX)


_documentation = Blueprint("api_docs", __name__)


@_documentation.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI description; it holds no data and is open to everybody."""
    return Response(current_app.json.dumps(current_app.extensions[_EXTENSION]), mimetype="application/json")


@_documentation.get("/docs")
def page() -> str:
    """The description as a page, by our own copy of Swagger UI."""
    return render_template("api/docs.html")
