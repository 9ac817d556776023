"""What was uploaded, sorted into the files of a county pack: chosen one by one, as a folder, or as one zip.

Files are known by their name alone, so that a browser's bare names do; one folder around all of them is passed over.
A zip is foreign: its directory is looked at before anything is unpacked, and nothing of it is written to the disk here.
"""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claims import intake_files
from claims.pack import POLICY_FILE
from foundation.errors import Fault, UnusableInput
from households import roster
from households.feeds import COLUMNS, file_of

MOST_FILES = 50
MOST_UNPACKED = 200 << 20
"""Bytes of all files of a zip, unpacked."""
_MOST_RATIO = 200
"""How many times smaller than itself a file may be packed: text packs some ten times."""
_FREE_RATIO = 1 << 20
"""Below this size any ratio is harmless."""
_MOST_DIRECTORY = 256 << 10
_END = b"PK\x05\x06"
_END_SIZE = 22
_ZIP_NAMES_UTF8 = 0x800

PACK_FILES = (POLICY_FILE, roster.FILE, intake_files.FILE, *map(file_of, COLUMNS))
"""Every file that a pack may have, by its place in it."""

_PLACE_OF = {name: name for name in PACK_FILES} | {name.rpartition("/")[2]: name for name in PACK_FILES}
_LITTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini", "~$")
"""What systems leave beside files; nobody uploaded it on purpose."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """The files of a pack by their place in it, and the names of those that no part of a pack is read from."""

    files: Mapping[str, bytes]
    not_read: tuple[str, ...]


def sort_files(uploaded: Sequence[tuple[str, bytes]]) -> Sorted:
    """Sorts what was uploaded, as (name or path, content). Raises UnusableInput where it is no pack at all."""
    given = [(_parts(name), content) for name, content in uploaded]
    if len(given) == 1 and _is_zip(given[0][0][-1], given[0][1]):
        given = [(_parts(name), content) for name, content in unpack(given[0][1])]
    given = [(parts, content) for parts, content in given if not _is_litter(parts)]
    files: dict[str, bytes] = {}
    not_read: list[str] = []
    faults: list[Fault] = []
    start = 1 if _in_one_folder([parts for parts, _ in given]) else 0
    for parts, content in given:
        shown = "/".join(parts[start:])
        place = _PLACE_OF.get(shown.casefold())
        if place is None:
            not_read.append(shown[:200])
        elif files.setdefault(place, content) != content:
            faults.append(
                Fault(
                    place,
                    "有两份内容不同的此文件,请只留一份",
                    "the file is there twice and differs: keep one",
                )
            )
    if not files and not faults:
        listed = "、".join(PACK_FILES[:3])
        faults.append(
            Fault(
                "",
                f"没有一个是县包的文件(至少应有 {listed});文件名须与此一致",
                f"none of these is a file of a pack (at least {', '.join(PACK_FILES[:3])}); names must match",
            )
        )
    if faults:
        raise UnusableInput(faults)
    return Sorted(files, tuple(sorted(not_read)))


def _parts(name: str) -> list[str]:
    """The steps of a path as a browser or a zip gives it; control characters are not shown to anyone."""
    plain = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    return [part for part in plain.replace("\\", "/").split("/") if part not in ("", ".")] or ["?"]


def _is_litter(parts: Sequence[str]) -> bool:
    path = "/".join(parts).casefold()
    return any(path.startswith(word) or parts[-1].casefold().startswith(word) for word in _LITTER)


def _in_one_folder(paths: Sequence[Sequence[str]]) -> bool:
    first = {parts[0] for parts in paths}
    return len(first) == 1 and all(len(parts) > 1 for parts in paths) and first != {"feeds"}


def _is_zip(name: str, content: bytes) -> bool:
    return name.casefold() not in _PLACE_OF and (
        name.casefold().endswith(".zip") or content.startswith(b"PK")
    )


# --- zip ---------------------------------------------------------------------------------------------


def unpack(content: bytes) -> list[tuple[str, bytes]]:
    """The files of a zip as (path, content). Raises UnusableInput for what no honest zip of a pack has."""
    _look_at_end(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            entries = pack.infolist()
            _look_at_entries(entries)
            return [(_name(entry), _read(pack, entry)) for entry in entries if not entry.is_dir()]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError):
        raise _refused(
            "zip 文件不完整或已损坏,请重新压缩", "the zip is not whole or damaged: pack it again"
        ) from None


def _look_at_end(content: bytes) -> None:
    """The record at a zip's end says how long its directory is; a huge one is refused before it is read."""
    at = content.rfind(_END, -(_END_SIZE + 0xFFFF))
    if at < 0 or len(content) - at < _END_SIZE:
        raise _refused("不是 zip 压缩包", "this is no zip")
    entries, size = struct.unpack_from("<HL", content, at + 10)
    if entries > 2 * MOST_FILES or size > _MOST_DIRECTORY:
        raise _too_many()


def _look_at_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    if sum(not entry.is_dir() for entry in entries) > MOST_FILES:
        raise _too_many()
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        limit = f"{MOST_UNPACKED >> 20} MB"
        raise _refused(f"解压后超过 {limit}", f"it unpacks to more than {limit}")
    for entry in entries:
        name = _name(entry)
        path = name.replace("\\", "/")
        if path.startswith("/") or ".." in path.split("/") or ":" in path or "\0" in entry.orig_filename:
            raise _refused("含有不允许的路径", "it holds a path that is not allowed")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise _refused("含有链接等特殊文件", "it holds a link or another special file")
        if entry.flag_bits & 1:
            raise _refused("设有密码,请去除密码后重新压缩", "it is protected by a password: please remove it")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused("压缩方式不支持,请用普通 zip", "its compression is not supported: use a plain zip")
        if entry.file_size > _FREE_RATIO + _MOST_RATIO * entry.compress_size:
            raise _refused("压缩比异常,不予读取", "its compression is out of all proportion: refused")


def _read(pack: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One file, never more of it than its entry says; its checksum is looked at on the way."""
    with pack.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise zipfile.BadZipFile("the entry is longer than it says")
    return content


def _name(entry: zipfile.ZipInfo) -> str:
    """The path of an entry. Without the mark of UTF-8 it comes from a Chinese Windows, which writes GB18030."""
    if entry.flag_bits & _ZIP_NAMES_UTF8:
        return entry.filename
    return entry.filename.encode("cp437", "replace").decode("gb18030", "replace")


def _too_many() -> UnusableInput:
    return _refused(f"文件超过 {MOST_FILES} 个", f"it holds more than {MOST_FILES} files")


def _refused(zh: str, en: str) -> UnusableInput:
    return UnusableInput([Fault("zip", zh, en)])
