"""Passwords: hashed with argon2id, two at a time at most, and refused when they are easily guessed.

A password is what was typed, in Unicode's composed form (NFC): the same characters from two keyboards are one password,
and nothing that looks different is made equal (NFKC would do that). The rules look at it folded further, so that
full-width or upper-case letters hide nothing. There are no rules about kinds of characters.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from foundation.errors import TooManyRequests

LEAST, MOST = 12, 128
"""Characters, counted in composed form."""
MOST_BYTES = 1024
"""Longer ones are never looked at: a password of a megabyte must not cost anything."""
EXTENSION = "fangpin_passwords"
"""Under this name an application keeps its `Passwords`."""


def prepared(password: str) -> str | None:
    """What is hashed; None for one that is too long or has characters that nobody types (controls, half surrogates)."""
    if len(password) > MOST_BYTES:
        return None
    composed = unicodedata.normalize("NFC", password)
    if not composed.isprintable() or len(composed.encode()) > MOST_BYTES:
        return None
    return composed


class Passwords:
    """Hashes and verifies. A process has one; tests make a cheap one by naming smaller parameters."""

    def __init__(
        self,
        *,
        memory_kib: int = 65_536,
        rounds: int = 3,
        lanes: int = 4,
        at_once: int = 2,
        patience: float = 3.0,
    ) -> None:
        """`patience`: seconds that one who finds all places taken waits for one."""
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes)
        self._places = threading.BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Holds one of the few places to hash at: each takes much memory and both cores.

        Taken before anything is counted or changed. Raises TooManyRequests when none gets free in time.
        """
        if not self._places.acquire(timeout=self._patience):
            raise TooManyRequests(
                "登录的人较多,请稍后再试", "many people are signing in; try again in a moment", 5
            )
        try:
            yield
        finally:
            self._places.release()

    def hashed(self, password: str) -> str:
        """The hash to keep. Raises ValueError for what `prepared` refuses; ask `faults` first."""
        ready = prepared(password)
        if ready is None:
            raise ValueError("a password that cannot be used")
        return self._hasher.hash(ready)

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one whose hash was kept. Takes the same time where there is none."""
        ready = prepared(password)
        if ready is None:
            return False
        try:
            return self._hasher.verify(kept or self._of_nobody, ready) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than today's, and is to be made again."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _of_nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))


# --- What is easily guessed ------------------------------------------------------------------------------------------

_WORDS = (
    # English words that every list of guesses begins with.
    "password passwort passwd pass word admin administrator root guest user login test demo welcome hello letmein "
    "letme secret master super system default change changeme temp temporary access private secure security "
    "dragon monkey shadow sunshine princess football baseball superman batman trustno starwars whatever please "
    "iloveyou love you forever freedom lucky money company server oracle internet computer windows office "
    # Keyboards and alphabets that are shorter than a run.
    "qwe qwer qwerty asd asdf zxc zxcv qaz wsx edc abc abcd abcde xyz aaa "
    # Chinese words in letters.
    "woaini wo ai ni aini woaiwojia mima ceshi guanli guanliyuan yonghu denglu xitong zhongguo china beijing "
    "shanghai baobao laopo laogong nihao wode mama baba jiayou "
    # This county, this province, this system and its trade.
    "yiyuan zibo jinan shandong nanma xian county fangpin fangpinbao baoxian lipei fupin minzheng yibao yiliao "
    "pinkun tuopin weifang chengbao shenji caiwu insurance poverty claim claims payment finance audit bank fund"
)
_BASES = frozenset(_WORDS.split())
_LONGEST = max(map(len, _BASES))
_LONG_BASE = re.compile("|".join(sorted((base for base in _BASES if len(base) >= 4), key=len, reverse=True)))
_LEET = str.maketrans("013457@$!", "oieastasi")
_AROUND = "0123456789!@#$%^&*()_+-=.,?/~ "
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "!@#$%^&*()")
_COLUMNS = "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"
_LINES = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qweasdzxc", _COLUMNS, *_KEYS)
_RUNS = (*_LINES, *(line[::-1] for line in _LINES))
_LEAST_RUN = 4
_LEAST_REST = 6
"""Characters that must be left when runs, years and notorious words are taken out."""

TOO_SHORT = (f"密码至少 {LEAST} 个字符", f"a password has at least {LEAST} characters")
TOO_LONG = (f"密码最多 {MOST} 个字符", f"a password has at most {MOST} characters")
UNTYPEABLE = ("密码含有无法输入的字符", "the password has characters that nobody can type")
DIGITS_ONLY = (
    "密码不能只用数字:日期、电话、证件号都容易被猜到",
    "a password is not digits alone: dates, phone and ID numbers are guessed first",
)
REPEATED = (
    "密码只是几个字符的重复,容易被猜到",
    "the password repeats a few characters and is easily guessed",
)
OWN = ("密码不能包含自己的登录名或姓名", "the password must not hold your login or your name")
COMMON = (
    "密码由常见词、年份或键盘顺序组成,容易被猜到。可以用几个不相干的词连成一句",
    "the password is made of common words, years or keyboard runs; join a few words that do not belong together",
)


def faults(password: str, login: str, name: str) -> list[tuple[str, str]]:
    """Why a new password is refused, as (Chinese, English); nothing when it is good. First fault only."""
    if len(password) > MOST_BYTES:
        return [TOO_LONG]
    ready = prepared(password)
    if ready is None:
        composed = unicodedata.normalize("NFC", password)
        return [TOO_LONG if composed.isprintable() else UNTYPEABLE]
    if len(ready) < LEAST:
        return [TOO_SHORT]
    if len(ready) > MOST:
        return [TOO_LONG]
    folded = unicodedata.normalize("NFKC", ready).casefold()
    if folded.isdigit():
        return [DIGITS_ONLY]
    if _repeats(folded):
        return [REPEATED]
    if _holds_own(folded, login, name):
        return [OWN]
    return [COMMON] if _is_common(folded) else []


def _repeats(text: str) -> bool:
    """Few different characters, or one short piece again and again."""
    if len(set(text)) < 5:
        return True
    return any(text[:-size] == text[size:] for size in range(1, min(LEAST, len(text) // 2 + 1)))


def _holds_own(text: str, login: str, name: str) -> bool:
    """The login, a part of it that is a word of its own (a name in letters), or the name."""
    folded = unicodedata.normalize("NFKC", login).casefold()
    letters = [part for part in re.split(r"[^a-z]+", folded) if len(part) >= 4]
    own = {folded, "".join(re.findall("[a-z]", folded)), *letters, name.replace(" ", "").casefold()}
    bare = re.sub(r"[\W_]+", "", text)
    return any(len(part) >= 2 and (part in text or part in bare) for part in own if not part.isdigit())


def _is_common(text: str) -> bool:
    """Nothing but notorious words with anything around them, or next to nothing once the guessable is taken out."""
    inner, begun = text.strip(_AROUND).translate(_LEET), text.rstrip(_AROUND).translate(_LEET)
    for spelling in (text, inner, begun, text.translate(_LEET)):
        letters = re.sub(r"[^a-z]+", "", spelling)
        if letters == re.sub(r"[\W\d_]+", "", spelling) and _only_bases(letters):
            return True
    rest = re.sub(r"(?:19|20)\d\d(?:[01]\d[0-3]\d)?", "", _without_runs(text))
    rest = _LONG_BASE.sub("", rest)
    rest = re.sub(r"(.)\1{2,}", "", rest)
    return len(rest) < _LEAST_REST


def _only_bases(letters: str) -> bool:
    """Whether this is notorious words in a row. Walks forward: a pattern could be made to take for ever."""
    reached = {0}
    for end in range(1, len(letters) + 1):
        if any(
            end - size in reached and letters[end - size : end] in _BASES for size in range(2, _LONGEST + 1)
        ):
            reached.add(end)
    return len(letters) > 0 and len(letters) in reached


def _without_runs(text: str) -> str:
    """The text without pieces of four and more that lie in order on the keyboard or in the alphabet."""
    kept, place = "", 0
    while place < len(text):
        size = _run_at(text, place)
        if size < _LEAST_RUN:
            kept += text[place]
            size = 1
        place += size
    return kept


def _run_at(text: str, place: int) -> int:
    """How long the run is that begins here."""
    size = 1
    while place + size < len(text) and any(text[place : place + size + 1] in line for line in _RUNS):
        size += 1
    return size
