"""Sealing of personal data: AES-256-GCM or SM4-GCM, bound to its table, column and row; and keyed look-up.

A sealed value opens only where it was sealed: moved to another row or column, it fails. It says which key sealed it, so
that two keys can be read at once while one replaces the other. Equal values are found by `lookup`, an HMAC with its own
key, since an ID number can be guessed through a plain hash. Pure but for the random nonce and the source of the keys.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from foundation.clock import stopwatch
from foundation.errors import ConfigurationError, FangpinError
from foundation.hashing import HashName, new_hmac

_NONCE = 12
_TAG = 16
LOOK_AGAIN_SECONDS = 1.0
"""How often at most the source of the keys is looked at for a newer ring before sealing."""

ERASED = "erased"
"""What stands in a sealed column when its term of retention was over and its content was taken out."""


class CipherName(StrEnum):
    """How a key seals."""

    AES = "AES-256-GCM"
    SM4 = "SM4-GCM"


KEY_BYTES: Mapping[CipherName, int] = {CipherName.AES: 32, CipherName.SM4: 16}


@dataclass(frozen=True)
class SealingKey:
    """One key, with its id (letters and digits) and how it seals."""

    key_id: str
    secret: bytes = field(repr=False)
    cipher: CipherName = CipherName.AES

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES[self.cipher]:
            raise ValueError("a key has the wrong length")


@dataclass(frozen=True)
class KeyRing:
    """The keys of an installation: the one that seals now, those that can still be read, and the look-up key.

    `keys` are in the order in which they were made; `version` counts up with every change of the ring.
    """

    current: str
    keys: Mapping[str, SealingKey]
    lookup_key: bytes = field(repr=False)
    hash_name: HashName = "sha256"
    version: int = 1

    def __post_init__(self) -> None:
        if self.current not in self.keys or len(self.lookup_key) != 32:
            raise ValueError("a ring of keys is incomplete")

    def __repr__(self) -> str:
        return f"KeyRing({self.current})"

    @classmethod
    def of_one(cls, key: SealingKey, lookup_key: bytes, hash_name: HashName = "sha256") -> KeyRing:
        """A ring of a single key."""
        return cls(key.key_id, {key.key_id: key}, lookup_key, hash_name)


class Erased(FangpinError):
    """The content was taken out when its term of retention was over."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__(
            "个人信息已按保存期限清除,仅保留金额与摘要",
            "the personal data was erased when its term of retention was over; sums and digests remain",
        )


class KeySource(Protocol):
    """Where a ring of keys comes from."""

    def newer(self, present: KeyRing) -> KeyRing | None:
        """The ring that has followed the present one; None while there is none.

        Raises ConfigurationError, each time anew, when the keys are gone or are another installation's.
        """


class Sealer:
    """Seals, opens and looks up with a ring of keys. Threads may share one.

    Its source is asked for a newer ring now and then before sealing, and at once when something was sealed by a key
    that is not in the ring. While the keys are gone from there, nothing is sealed; what was sealed still opens.
    """

    def __init__(self, keys: KeyRing, source: KeySource | None = None) -> None:
        self.source = source
        self._looking = threading.Lock()
        self._looked_at = stopwatch()
        self._lookup_key = new_hmac(keys.hash_name, keys.lookup_key)
        self.hash_name: HashName = keys.hash_name
        self._take(keys)

    def _take(self, keys: KeyRing) -> None:
        self.keys = keys
        self._ciphers = {key.key_id: _cipher(key) for key in keys.keys.values()}
        # One value, so that another thread never finds the head of one key with the cipher of another.
        self._sealing = keys.current.encode() + b":", self._ciphers[keys.current]

    def look_again(self) -> None:
        """Takes over a newer ring, if there is one. Raises ConfigurationError when the keys are gone or not ours."""
        if self.source is None:
            return
        with self._looking:
            found = self.source.newer(self.keys)
            if found is not None:
                self._take(found)
            self._looked_at = (
                stopwatch()
            )  # only now: a look that failed is repeated before anything is sealed

    def seal(self, table: str, column: str, row_id: str, text: str | bytes) -> str:
        """Sealed text for one cell: `key id:base64`. The same text sealed twice looks different.

        Text that is at hand as UTF-8 is taken as it is: a bulk run has thousands of long ones.
        """
        content = text if isinstance(text, bytes) else text.encode()
        head, body = self._sealed(table, column, row_id, content)
        return (head + binascii.b2a_base64(body, newline=False)).decode("ascii")

    def reveal(self, table: str, column: str, row_id: str, sealed: str) -> str:
        """The text of a cell. Raises ConfigurationError when it does not open here, Erased when it was taken out."""
        if sealed == ERASED:
            raise Erased
        key_id, _, body = sealed.partition(":")
        try:
            content = base64.b64decode(body, validate=True)
        except ValueError:  # of base64, or no ASCII
            raise _does_not_open() from None
        return self._opened(table, column, row_id, key_id, content).decode()

    def seal_bytes(self, table: str, column: str, row_id: str, content: bytes) -> bytes:
        """Sealed bytes for one cell: `key id:`, nonce and ciphertext."""
        head, body = self._sealed(table, column, row_id, content)
        return head + body

    def reveal_bytes(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The bytes of a cell. Raises as `reveal` does."""
        if sealed == ERASED.encode():
            raise Erased
        key_id, _, body = sealed.partition(b":")
        return self._opened(table, column, row_id, key_id.decode("ascii", "replace"), body)

    def _sealed(self, table: str, column: str, row_id: str, content: bytes) -> tuple[bytes, bytes]:
        if self.source is not None and stopwatch() - self._looked_at > LOOK_AGAIN_SECONDS:
            self.look_again()
        head, cipher = self._sealing
        nonce = os.urandom(_NONCE)
        return head, nonce + cipher.encrypt(nonce, content, _bound(table, column, row_id, head[:-1]))

    def _opened(self, table: str, column: str, row_id: str, key_id: str, body: bytes) -> bytes:
        if key_id not in self._ciphers:
            self.look_again()
        cipher = self._ciphers.get(key_id)
        if cipher is None or len(body) < _NONCE + _TAG:
            raise _does_not_open()
        try:
            opened: bytes = cipher.decrypt(
                body[:_NONCE], body[_NONCE:], _bound(table, column, row_id, key_id.encode())
            )
        except InvalidTag:
            raise _does_not_open() from None
        return opened

    def lookup(self, subject: str, value: str) -> str:
        """A keyed digest of a value (hex): equal for equal values of one subject, and says nothing without the key."""
        return self.digest(subject, value.encode())

    def digest(self, subject: str, content: bytes) -> str:
        """A keyed digest of content, for the trail: proves a change without letting anyone guess what was there."""
        code = self._lookup_key.copy()
        code.update(subject.encode() + b"\x00" + content)
        return code.hexdigest()


def key_of(sealed: str | bytes) -> str | None:
    """The id of the key that sealed a value; None for one that was erased."""
    head = sealed[:40] if isinstance(sealed, str) else sealed[:40].decode("ascii", "replace")
    return None if head == ERASED else head.partition(":")[0]


def _bound(table: str, column: str, row_id: str, key_id: bytes) -> bytes:
    return b"|".join((table.encode(), column.encode(), row_id.encode(), key_id))


class _Sm4Gcm:
    """SM4-GCM with the two methods of `AESGCM`: ciphertext followed by its tag."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encrypt(self, nonce: bytes, content: bytes, bound: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._secret), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(content) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        decryptor = Cipher(algorithms.SM4(self._secret), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
        decryptor.authenticate_additional_data(bound)
        return decryptor.update(sealed[:-_TAG]) + decryptor.finalize()


def _cipher(key: SealingKey) -> Any:
    return AESGCM(key.secret) if key.cipher is CipherName.AES else _Sm4Gcm(key.secret)


def _does_not_open() -> ConfigurationError:
    return ConfigurationError(
        "密文无法解开:密钥文件不对(轮换后请更新各机器的密钥文件),或数据被移动、篡改过",
        "sealed data does not open: wrong key file (after a rotation, copy the new one to every machine), "
        "or the data was moved or changed",
    )
