"""What every resource of the API is made of: a blueprint that reads strictly, answers by a schema and tags answers.

A feature's `api.py` makes a `Resources` blueprint; `webapp.api` registers it, documents it and maps errors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from flask import Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired
from werkzeug.routing import BaseConverter

from foundation.errors import BadRequest, InvalidInput
from foundation.web import requests
from foundation.web.fields import CleanText, StrictSchema, TextSchema, Whole, sentences
from foundation.web.paging import MOST_ROWS, Page
from foundation.web.strict_json import read_body

F = TypeVar("F", bound=Callable[..., Any])

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the resource as you read it. 428 without it, 412 when the resource has changed since.",
    "schema": {"type": "string", "pattern": '^"[!#-~]{1,100}"$'},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new random text for each write; sent again with the same body it gives the same answer again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that you have: 304 without a body when it still holds.",
    "schema": {"type": "string"},
}
_ETAG = {"description": "Names this version of the resource.", "schema": {"type": "string"}}


class RowIdConverter(BaseConverter):
    """A row's id in a path: nothing else reaches a query."""

    regex = "[0-9A-Za-z_-]{1,64}"
    DOCUMENTED: ClassVar[dict[str, str]] = {"type": "string", "pattern": f"^{regex}$"}


class Output(Schema):
    """Base of every schema for output: the OpenAPI then says that there is nothing else in it."""

    class Meta:
        unknown = RAISE


class Paged(TextSchema):
    """The parameters of every list; a list adds its filters and its sort."""

    cursor = CleanText(max=600, metadata={"description": "`older` or `newer` of a page that you have."})
    size = Whole(1, MOST_ROWS, load_default=50, metadata={"description": "Rows on a page."})


class Around(Output):
    """Where the pages around this one begin; null where there is none."""

    newer = fields.String(allow_none=True, required=True)
    older = fields.String(allow_none=True, required=True)


def page_schema(row: type[Output], name: str) -> type[Output]:
    """The schema of a page of rows: `{rows: […], pages: {newer, older}}`."""
    parts = {
        "rows": fields.List(fields.Nested(row), required=True),
        "pages": fields.Nested(Around, required=True),
    }
    return cast(type[Output], Output.from_dict(parts, name=name))


def as_page(page: Page[Any], rows: Iterable[Any] | None = None) -> dict[str, Any]:
    """A page as its schema takes it; `rows` instead of the page's own where they were worked on."""
    return {
        "rows": list(page.rows if rows is None else rows),
        "pages": {"newer": page.newer, "older": page.older},
    }


class _Parser(FlaskParser):
    """Reads the query string or the body, each from its own place only; schemas refuse what they do not list."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": None}  # noqa: RUF012  # the library's own shape

    def load_querystring(self, req: Any, schema: Schema) -> Any:
        return requests.single(cast(StrictSchema, schema), req.args, drop_empty=False)

    def load_json(self, req: Any, schema: Schema) -> Any:  # noqa: ARG002
        return read_body()

    def handle_error(self, error: ValidationError, req: Any, schema: Schema, **_: Any) -> NoReturn:  # noqa: ARG002
        (location, messages), *_rest = error.messages_dict.items()
        found = sentences(ValidationError(messages))
        if location == "query":
            raise requests.bad_parameters(found)
        raise InvalidInput(found)


class Resources(Blueprint):  # type: ignore[misc]  # the library has no types
    """A blueprint of the API. Parameters that an operation does not document are refused."""

    ARGUMENTS_PARSER = _Parser()

    def __init__(self, subject: str, module: str, description: str) -> None:
        """`subject` is what the operations are grouped under; the endpoints begin with `api_` and it."""
        super().__init__(f"api_{subject}", module, description=description)
        self.subject = subject
        self.before_request(_refuse_stray_parameters)
        self._prepare_doc_cbks.append(_document_headers)

    def at(self, path: str, method: str = "GET") -> Callable[[F], F]:
        """The operation answers a method at a path."""
        found: Callable[[F], F] = self.route(path, methods=[method], tags=[self.subject])
        return found

    def answers(self, schema: type[Output], status: int = 200) -> Callable[[F], F]:
        """The operation gives what a schema writes out, or that with headers; it becomes a response with a status."""
        found: Callable[[F], F] = self.response(status, schema)
        return found

    def parameters(self, schema: type[TextSchema]) -> Callable[[F], F]:
        """The operation reads its query string by a schema; the values are its first argument. Else 400."""
        found: Callable[[F], F] = self.arguments(schema, location="query", error_status_code=400)
        return found

    def body(self, schema: type[StrictSchema]) -> Callable[[F], F]:
        """The operation reads its JSON body by a schema; the values are its first argument. Else 400, 415 or 422."""
        found: Callable[[F], F] = self.arguments(schema, location="json")
        return found

    def tagged(self, operation: F) -> F:
        """Gives a GET of one resource an ETag from its body, and answers 304 to who has it already."""

        @wraps(operation)
        def answer(*args: Any, **values: Any) -> Response:
            response = cast(Response, operation(*args, **values))
            if "ETag" not in response.headers:
                response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
            response.make_conditional(request)
            return response

        return documented_header(cast(F, answer), _IF_NONE_MATCH)


def versioned(operation: F) -> F:
    """Documents that an operation asks for If-Match; it calls `check_version` itself."""
    return documented_header(operation, _IF_MATCH)


def documented_header(operation: F, header: dict[str, Any]) -> F:
    """Adds a header to what the OpenAPI says of an operation."""
    about = deepcopy(getattr(operation, "_apidoc", {}))
    about.setdefault("headers", []).append(header)
    operation._apidoc = about  # type: ignore[attr-defined]  # where the library keeps it
    return operation


def set_version(response_headers: dict[str, str], version: int) -> dict[str, str]:
    """The headers with the ETag of a resource that counts its versions."""
    return {**response_headers, "ETag": f'"v{version}"'}


def check_version(version: int) -> None:
    """Compares If-Match with the version that is there. Raises PreconditionRequired or PreconditionFailed.

    `*` stands for "whatever is there": that is no version that was read.
    """
    given = [tag.strip() for tag in request.headers.get("If-Match", "").split(",")]
    if given in ([""], ["*"]):
        raise PreconditionRequired
    if f'"v{version}"' not in given:
        raise PreconditionFailed


def _document_headers(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    headers = doc_info.get("headers", [])
    doc.setdefault("parameters", []).extend(headers)
    if headers:
        for status, answer in doc.get("responses", {}).items():
            if str(status).startswith("2") and isinstance(answer, dict):
                answer.setdefault("headers", {})["ETag"] = _ETAG
    if _IF_NONE_MATCH in headers:
        doc["responses"]["304"] = {"description": "Not Modified"}
    return doc


def _refuse_stray_parameters() -> None:
    """Whatever stands in the query string of an operation that reads none."""
    if not request.args:
        return
    view = current_app.view_functions[request.endpoint or ""]
    read = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
    if not any(parameter["in"] == "query" for parameter in read):
        raise BadRequest("此接口没有查询参数", "this operation takes no query parameters")
