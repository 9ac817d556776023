"""The second factor 动态口令: time-based one-time codes (RFC 6238), six digits of thirty seconds, each good once.

The secret lies sealed in the account's row. Until a first code has confirmed it, only the page of enrolment holds it,
sealed for that one sign-in: looking at that page changes nothing.
"""

from __future__ import annotations

import binascii
import hmac
import re
from datetime import datetime

import pyotp
import segno
from sqlalchemy import update
from sqlalchemy.orm import Session

from foundation.errors import BadRequest, ConfigurationError
from foundation.sealing import Sealer
from foundation.staff.models import Account

SECONDS = 30
WINDOW = 1
"""Steps before and after the present one whose code is taken: clocks differ."""
ISSUER = "Fangpin"

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret() -> str:
    """A random secret of 160 bits, as base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, login: str) -> str:
    """The `otpauth://` address that an authenticator reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def qr_image(uri: str) -> str:
    """A QR code of an address as a `data:` image, black on white in light and dark."""
    return str(segno.make(uri, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def code_at(secret: str, at: datetime) -> str:
    """The code that an authenticator shows at an instant."""
    return pyotp.TOTP(secret).generate_otp(_step(at))


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """The time step that a code belongs to, the present one or its neighbours; None for a wrong code."""
    if _CODE.fullmatch(code) is None:
        return None
    totp, now = pyotp.TOTP(secret), _step(at)
    steps = [
        step
        for step in range(now - WINDOW, now + WINDOW + 1)
        if hmac.compare_digest(totp.generate_otp(step), code)
    ]
    return max(steps, default=None)


def use_code(session: Session, sealer: Sealer, account: Account, code: str, at: datetime) -> bool:
    """Whether the code is right and was not used before. Used up by this: of two requests with one code, one wins."""
    if account.totp_sealed is None:
        return False
    secret = sealer.reveal("account", "totp_sealed", account.id, account.totp_sealed)
    step = matching_step(secret, code, at)
    if step is None:
        return False
    later = update(Account).where(Account.id == account.id, Account.totp_step < step).values(totp_step=step)
    # The row in memory keeps its old step: only this statement decides.
    won = session.execute(later.execution_options(synchronize_session=False))
    return bool(won.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result has it


def seal_offer(sealer: Sealer, session_id: str, secret: str) -> str:
    """A secret that is not confirmed yet, sealed for the page of one sign-in."""
    return sealer.seal("web_session", "offered_secret", session_id, secret)


def open_offer(sealer: Sealer, session_id: str, offer: str) -> str:
    """The secret that was offered. Raises BadRequest when it was made for another sign-in, or by nobody here."""
    try:
        return sealer.reveal("web_session", "offered_secret", session_id, offer)
    except (ConfigurationError, binascii.Error, ValueError):
        raise BadRequest("页面已过期,请重新打开", "the page is out of date; open it again") from None


def _step(at: datetime) -> int:
    return int(at.timestamp()) // SECONDS
