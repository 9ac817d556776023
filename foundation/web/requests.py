"""Reading a request: its query string, its form, or its JSON body, each through a strict schema and from there only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from foundation.errors import BadRequest, InvalidInput
from foundation.web.fields import NOT_AN_OBJECT, Pair, Several, StrictSchema, sentences
from foundation.web.strict_json import read_body

CSRF_FIELD = "csrf_token"
"""The field that the guard has looked at already; no schema lists it."""


def arguments(schema: type[StrictSchema] | StrictSchema) -> dict[str, Any]:
    """The query string by a schema; an empty parameter counts as left out.

    Raises BadRequest for an unknown, a repeated or an invalid parameter, and names it.
    """
    reader = _text_reader(schema)
    try:
        return _loaded(reader, single(reader, request.args))
    except ValidationError as error:
        raise bad_parameters(sentences(error)) from None


def bad_parameters(found: Mapping[str, Sequence[Pair]]) -> BadRequest:
    """The error for parameters of a query string, each named."""
    zh = ";".join(f"参数 {name} {pair[0]}" for name, pairs in found.items() for pair in pairs)
    en = "; ".join(f"parameter {name}: {pair[1]}" for name, pairs in found.items() for pair in pairs)
    return BadRequest(zh, en)


def form(schema: type[StrictSchema] | StrictSchema) -> dict[str, Any]:
    """The form's fields by a schema; an empty field counts as left out. Files are not read here.

    Raises BadRequest for an unknown or a repeated field (no page of ours sends one), InvalidInput for values that the
    person is to mend: the page shows them beside the fields, with status 422.
    """
    reader = _text_reader(schema)
    sent: MultiDict[str, str] = MultiDict(request.form)
    sent.poplist(CSRF_FIELD)
    try:
        return _loaded(reader, single(reader, sent))
    except ValidationError as error:
        raise InvalidInput(sentences(error)) from None


def json_body(schema: type[StrictSchema] | StrictSchema) -> dict[str, Any]:
    """The JSON body by a schema. Raises InvalidInput, and for what is no JSON at all what `read_body` raises."""
    reader = schema() if isinstance(schema, type) else schema
    body = read_body()
    if not isinstance(body, dict):
        raise InvalidInput({"": [NOT_AN_OBJECT]})
    try:
        return _loaded(reader, body)
    except ValidationError as error:
        raise InvalidInput(sentences(error)) from None


def _text_reader(schema: type[StrictSchema] | StrictSchema) -> StrictSchema:
    reader = schema() if isinstance(schema, type) else schema
    reader.from_text = True
    return reader


def _loaded(reader: StrictSchema, values: Mapping[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = reader.load(values)
    return loaded


def single(reader: StrictSchema, sent: MultiDict[str, str], *, drop_empty: bool = True) -> dict[str, Any]:
    """Every parameter or field that was sent, a list where the schema has one.

    A browser sends the fields that nobody filled in, too: `drop_empty` leaves them out. Raises BadRequest for unknown
    and repeated ones.
    """
    fields = {field.data_key or name: field for name, field in reader.load_fields.items()}
    values: dict[str, Any] = {}
    for name, given in sent.lists():
        field = fields.get(name)
        if field is None:
            raise BadRequest(f"没有参数 {_shown(name)}", f"there is no parameter {_shown(name)}")
        if isinstance(field, Several):
            values[name] = [value for value in given if value.strip() or not drop_empty]
        elif len(given) > 1:
            raise BadRequest(f"参数 {name} 重复", f"parameter {name} is repeated")
        elif given[0].strip(" \t\r\n") or not drop_empty:
            values[name] = given[0]
    return values


def _shown(name: str) -> str:
    """A parameter's name that was sent, as far as it can stand in an answer."""
    return name if name.isascii() and name.isprintable() and len(name) <= 40 else "?"
