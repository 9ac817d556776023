"""Problems: the API's answer to a request that failed, as RFC 9457 has it, in Chinese or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Response, current_app, g
from marshmallow import fields

from foundation.web.api import Output
from foundation.web.language import language, pick

MEDIA_TYPE = "application/problem+json"

_TITLES: dict[int, tuple[str, str]] = {
    400: ("请求有误", "Malformed request"),
    401: ("需要令牌", "Token needed"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("不支持的方法", "Method not allowed"),
    406: ("不支持的格式", "Format not available"),
    409: ("冲突", "Conflict"),
    410: ("已清除", "Gone"),
    412: ("内容已变动", "Changed meanwhile"),
    413: ("内容过大", "Too large"),
    415: ("格式不对", "Unsupported media type"),
    422: ("内容有误", "Invalid values"),
    428: ("缺少前提条件", "Precondition needed"),
    429: ("请求过多", "Too many requests"),
    500: ("程序出错", "Fault"),
    503: ("暂时无法使用", "Not available"),
}
_OTHER = ("请求未完成", "Request not completed")


class FieldProblem(Output):
    """What is wrong with one value. The value itself is never repeated."""

    field = fields.String(required=True, metadata={"description": "Its path, like `lines.0.amount`."})
    detail = fields.String(required=True)


class Problem(Output):
    """A request that failed (RFC 9457). `code` never changes; the sentences may."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldProblem), required=True)
    request_id = fields.String(required=True)


def problem(
    status: int,
    code: str,
    sentence: str,
    faults: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a failed request: `sentence` in the request's language, `faults` by field."""
    body = {
        "type": f"urn:fangpin:problem:{code}",
        "title": pick(*_TITLES.get(status, _OTHER)),
        "status": status,
        "detail": sentence,
        "code": code,
        "errors": [
            {"field": name, "detail": detail}
            for name, details in (faults or {}).items()
            for detail in details
        ],
        "request_id": g.get("request_id", ""),
    }
    response = Response(current_app.json.dumps(body), status=status, mimetype=MEDIA_TYPE)
    response.headers.update(headers or {})
    response.headers["Content-Language"] = "en" if language() == "en" else "zh-CN"
    response.vary.add("Accept-Language")
    return response
