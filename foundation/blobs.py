"""Sealed, content-addressed files on disk: what people upload.

A file's address is a keyed digest of its content, so that its name says nothing, and the same content is stored once.
It is sealed, and safely on the disk before the transaction that names it commits; what no transaction came to name is
swept later. Work on plain copies is done in folders of this program's own; what a killed process left there is cleared.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from foundation.errors import ConfigurationError
from foundation.sealing import Sealer, key_of

_LOCK = "lock"
_WORK = "work"
_IN_USE = "in-use"
_HEX = frozenset("0123456789abcdef")
_DIGITS = 64
_GONE = ""
"""In place of a key's id, for a file that was swept just now."""


class BlobStore:
    """The sealed files of an installation in one folder, which is the program's own (mode 0700)."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self.folder = folder
        self._sealer = sealer

    def put(self, content: bytes) -> str:
        """Stores content and gives its address; when this returns it is on the disk, whatever happens then.

        Stored again, it is one file, which counts as new: `sweep` spares it until the caller has committed.
        """
        address = self._sealer.digest("blob", content)
        path = self._path(address)
        with self._locked(fcntl.LOCK_SH):
            if path.exists():
                os.utime(path)
                return address
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._write(path, self._sealer.seal_bytes("blob", "content", address, content))
        return address

    def get(self, address: str) -> bytes:
        """The content at an address. Raises ConfigurationError when it is missing, damaged or not what was stored."""
        try:
            sealed = self._path(address).read_bytes()
        except FileNotFoundError:
            raise ConfigurationError(
                "上传文件的存档缺失,请重新上传,或从备份恢复文件夹",
                "a stored upload is missing: upload it again, or restore the folder from its backup",
            ) from None
        return self._opened(address, sealed)

    def sweep(self, in_use: Collection[str], before: datetime) -> int:
        """Removes files at no address in use that were stored before an instant; how many.

        `in_use` is read by the caller before; a file that is stored meanwhile is younger than `before`.
        """
        used = frozenset(in_use)
        removed = 0
        with self._locked(fcntl.LOCK_EX):
            for path in self.folder.glob("??/*"):
                if len(path.parent.name) != 2 or path.parent.name + path.name in used:
                    continue
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def under_each_key(self) -> Counter[str]:
        """How many files each key has sealed, by its id."""
        keys = (self._key_of(address) for address in self._addresses())
        return Counter(key_id for key_id in keys if key_id != _GONE)

    def not_under(self, key_id: str) -> list[str]:
        """Addresses of the files that another key has sealed, in order."""
        return [address for address in self._addresses() if self._key_of(address) not in (key_id, _GONE)]

    def seal_anew(self, address: str) -> bool:
        """Seals a file with the present key, in its place; whether it is (still) there. It counts as no newer.

        Raises ConfigurationError as `get` does. Nobody puts or sweeps meanwhile: what was swept would come back, and
        what was put again would lose the time that spares it.
        """
        path = self._path(address)
        with self._locked(fcntl.LOCK_EX):
            try:
                sealed, found = path.read_bytes(), path.stat()
            except FileNotFoundError:
                return False
            content = self._opened(address, sealed)
            fresh = self._sealer.seal_bytes("blob", "content", address, content)
            self._write(path, fresh, (found.st_atime_ns, found.st_mtime_ns))
        return True

    @contextmanager
    def working_folder(self) -> Iterator[Path]:
        """A folder for plain copies, closed to every other account and gone at the end."""
        place = self.folder / _WORK / secrets.token_hex(8)
        with self._locked(fcntl.LOCK_SH):
            place.parent.mkdir(mode=0o700, exist_ok=True)
            place.mkdir(mode=0o700)
            lock = (place / _IN_USE).open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with lock:
            try:
                content = place / "content"
                content.mkdir(mode=0o700)
                yield content
            finally:
                shutil.rmtree(place)

    def clear_left_behind(self) -> int:
        """Removes working folders whose process was killed: nobody holds their lock any more. How many."""
        cleared = 0
        with self._locked(fcntl.LOCK_EX):
            for file in (self.folder / _WORK).glob(f"*/{_IN_USE}"):
                with suppress(BlockingIOError), file.open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(file.parent)
                    cleared += 1
        return cleared

    def _addresses(self) -> list[str]:
        found = (path.parent.name + path.name for path in self.folder.glob("??/*"))
        return sorted(address for address in found if len(address) == _DIGITS and _HEX.issuperset(address))

    def _key_of(self, address: str) -> str:
        try:
            with self._path(address).open("rb") as file:
                return key_of(file.read(40)) or _GONE
        except FileNotFoundError:
            return _GONE

    def _opened(self, address: str, sealed: bytes) -> bytes:
        content = self._sealer.reveal_bytes("blob", "content", address, sealed)
        if self._sealer.digest("blob", content) != address:
            raise ConfigurationError(
                "上传文件的存档与其编号不符,请从备份恢复文件夹",
                "a stored upload is not what its address says: restore the folder from its backup",
            )
        return content

    def _write(self, path: Path, sealed: bytes, times: tuple[int, int] | None = None) -> None:
        """Puts a whole file in its place, safely on the disk; `times`: access and change in nanoseconds."""
        partial = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            if times is not None:
                os.utime(partial, ns=times)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        for folder in (path.parent, self.folder):
            _sync(folder)

    def _path(self, address: str) -> Path:
        if len(address) != _DIGITS or not _HEX.issuperset(address):
            raise ValueError("no address of a stored file")
        return self.folder / address[:2] / address[2:]

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Many may put at once; nobody puts while files are swept: an old file would go just as it is used again."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("ab") as lock:
            fcntl.flock(lock, how)
            yield


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
