"""Sealing of personal data: AES-256-GCM, bound to its table, column and row; and keyed look-up.

Pure but for the random nonce. A sealed value opens only where it was sealed: moved to another row or column, it fails.
Equal values are found by `lookup`, an HMAC with its own key, since an ID number can be guessed through a plain hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.errors import ConfigurationError

_NONCE = 12


@dataclass(frozen=True)
class KeyRing:
    """The keys of an installation: the current sealing key with its id, and the look-up key. 32 bytes each."""

    key_id: str
    sealing_key: bytes
    lookup_key: bytes

    def __repr__(self) -> str:
        return f"KeyRing({self.key_id})"


class Sealer:
    """Seals, opens and looks up with one key ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._key_id = keys.key_id.encode()
        self._cipher = AESGCM(keys.sealing_key)
        self._lookup_key = hmac.new(keys.lookup_key, digestmod=hashlib.sha256)

    def seal(self, table: str, column: str, row_id: str, text: str | bytes) -> str:
        """Sealed text for one cell: `key id:base64`. The same text sealed twice looks different.

        Text that is at hand as UTF-8 is taken as it is: a bulk run has thousands of long ones.
        """
        content = text if isinstance(text, bytes) else text.encode()
        body = binascii.b2a_base64(self.seal_bytes(table, column, row_id, content), newline=False)
        return (self._key_id + b":" + body).decode("ascii")

    def reveal(self, table: str, column: str, row_id: str, sealed: str) -> str:
        """The text of a cell. Raises ConfigurationError when it was not sealed here, or by another key."""
        key_id, _, body = sealed.partition(":")
        if key_id.encode() != self._key_id:
            raise _wrong_key()
        return self.reveal_bytes(table, column, row_id, base64.b64decode(body)).decode()

    def seal_bytes(self, table: str, column: str, row_id: str, content: bytes) -> bytes:
        """Sealed bytes for one cell: nonce and ciphertext."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, self._bound(table, column, row_id))

    def reveal_bytes(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The bytes of a cell. Raises ConfigurationError when they were not sealed here, or by another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound(table, column, row_id))
        except InvalidTag:
            raise _wrong_key() from None

    def _bound(self, table: str, column: str, row_id: str) -> bytes:
        return b"|".join((table.encode(), column.encode(), row_id.encode(), self._key_id))

    def lookup(self, subject: str, value: str) -> str:
        """A keyed digest of a value (hex): equal for equal values of one subject, and says nothing without the key."""
        return self.digest(subject, value.encode())

    def digest(self, subject: str, content: bytes) -> str:
        """A keyed digest of content, for the trail: proves a change without letting anyone guess what was there."""
        code = self._lookup_key.copy()
        code.update(subject.encode() + b"\x00" + content)
        return code.hexdigest()


def _wrong_key() -> ConfigurationError:
    return ConfigurationError(
        "密文无法解开:密钥文件不对,或数据被移动、篡改过",
        "sealed data does not open: wrong key file, or the data was moved or changed",
    )
