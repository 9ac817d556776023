"""Writes that are sent again: the same key and body get the first answer again, and nothing is done twice.

The key is put down in a transaction of its own, so that two at once see each other; the effect and the kept answer
commit together. A first try that was refused gives its key back, since nothing was changed. One that died keeps the key
for ten minutes; then a repetition takes it over, and should the first still be alive, its commit fails.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, g, request
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foundation.errors import BadRequest, ConflictError, InvalidInput
from foundation.web.acting import acting, now, sealer, transaction
from foundation.web.api import IDEMPOTENCY_KEY, documented_header
from foundation.web.models import KeptAnswer
from foundation.web.strict_json import read_body

F = TypeVar("F", bound=Callable[..., Any])

DEAD_AFTER = timedelta(minutes=10)
REPLAYED = "Idempotent-Replayed"
_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Content-Language")


class StillAtWork(ConflictError):
    """The first request with this key has not answered yet."""

    code = "still_at_work"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(
            "同一 Idempotency-Key 的请求正在处理,请稍后重试",
            "a request with this Idempotency-Key is still at work; try again shortly",
        )


def idempotent(operation: F) -> F:
    """A write of the API with a JSON body: runs once for a key. The operation gets its session from `writing()`."""
    return idempotent_over(read_body)(operation)


def idempotent_over(read: Callable[[], Any]) -> Callable[[F], F]:
    """The same for a write that is no JSON: `read` says what was sent, as plain data to compare repetitions by."""

    def decorate(operation: F) -> F:
        @wraps(operation)
        def answer(*args: Any, **values: Any) -> Response:
            return _once(operation, read, *args, **values)

        return documented_header(cast(F, answer), IDEMPOTENCY_KEY)

    return decorate


def _once(operation: Callable[..., Any], read: Callable[[], Any], *args: Any, **values: Any) -> Response:
    key = _key()
    digest = _digest(read())
    with transaction() as session:
        mine, kept = _begin(session, key, digest)
    if kept is not None:
        return kept
    try:
        with transaction() as session:
            g.writing = session
            response = cast(Response, operation(*args, **values))
            _keep(session, mine, response)
    except Exception:
        with transaction() as session:
            _give_back(session, mine)
        raise
    finally:
        g.pop("writing", None)
    return response


def writing() -> Session:
    """The session of the write that is under way; it commits with the kept answer."""
    session: Session = g.writing
    return session


def _key() -> str:
    keys = request.headers.getlist("Idempotency-Key")
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise BadRequest(
            "写操作需要一个 Idempotency-Key 请求头(1–128 个可见 ASCII 字符)",
            "a write needs one header Idempotency-Key (1 to 128 visible ASCII characters)",
        )
    return keys[0]


def _digest(body: Any) -> str:
    """Keyed digest of the body, whatever its spaces and the order of its keys."""
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sealer().digest("api_request", canonical.encode())


def _route() -> str:
    return f"{request.method} {request.path}"


class _Mine:
    """The row that this request holds, and since when."""

    def __init__(self, row_id: str, begun_at: datetime) -> None:
        self.row_id, self.begun_at = row_id, begun_at

    def still(self) -> Any:
        return (
            (KeptAnswer.id == self.row_id)
            & (KeptAnswer.begun_at == self.begun_at)
            & (KeptAnswer.status.is_(None))
        )


def _begin(session: Session, key: str, digest: str) -> tuple[_Mine, Response | None]:
    """Takes the key, or finds the answer that is kept under it. Raises StillAtWork or InvalidInput."""
    mine = _Mine(secrets.token_hex(16), now())
    account = acting().account
    row = KeptAnswer(
        id=mine.row_id,
        account_id=account,
        route=_route(),
        key=key,
        request_digest=digest,
        begun_at=mine.begun_at,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return _found(session, account, key, digest)
    return mine, None


def _found(session: Session, account: str, key: str, digest: str) -> tuple[_Mine, Response | None]:
    kept = session.scalar(
        select(KeptAnswer).where(
            KeptAnswer.account_id == account, KeptAnswer.route == _route(), KeptAnswer.key == key
        )
    )
    if kept is None:  # given back between the two statements
        raise StillAtWork
    if kept.request_digest != digest:
        other = ("同一 Idempotency-Key 曾用于不同的内容", "this Idempotency-Key was used with another body")
        raise InvalidInput({"Idempotency-Key": [other]})
    if kept.status is not None:
        return _Mine(kept.id, kept.begun_at), _opened(kept)
    if now() - kept.begun_at < DEAD_AFTER:
        raise StillAtWork
    taken = session.execute(
        update(KeptAnswer).where(_Mine(kept.id, kept.begun_at).still()).values(begun_at=now())
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise StillAtWork
    return _Mine(kept.id, now()), None


def _keep(session: Session, mine: _Mine, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    text = json.dumps({"headers": headers, "body": response.get_data(as_text=True)}, ensure_ascii=False)
    values = {
        "status": response.status_code,
        "sealed": sealer().seal("kept_answer", "sealed", mine.row_id, text),
    }
    kept = session.execute(update(KeptAnswer).where(mine.still()).values(values))
    if kept.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise StillAtWork  # taken over meanwhile: nothing of this try is committed


def _give_back(session: Session, mine: _Mine) -> None:
    session.execute(delete(KeptAnswer).where(mine.still()))


def _opened(kept: KeptAnswer) -> Response:
    found = json.loads(sealer().reveal("kept_answer", "sealed", kept.id, kept.sealed or ""))
    response = Response(found["body"], status=kept.status)
    response.headers.update(found["headers"])
    response.headers[REPLAYED] = "true"
    return response
