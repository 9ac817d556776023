"""Errors that a person reads: a stable code, and a sentence in Chinese and in English that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


class FangpinError(Exception):
    """Base of every error meant for a user. `code` never changes; the sentences may.

    The command line maps `exit_code` in one place; pages and the API will map `code`. 3 is a step that failed or was
    refused; 1 is taken by a run that is done but for refused cells.
    """

    code = "error"
    exit_code = 3

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en

    def __str__(self) -> str:
        return f"{self.zh}\n{self.en}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where (`claims.xlsx › 因病`, `lines.illness.tiers[2]`), and what, in both languages."""

    place: str
    zh: str
    en: str


class UnusableInput(FangpinError):
    """The input stops the run (rules.md §1, §3): nothing is written or taken in, exit code 2.

    Carries every fault found, so that one look mends them all.
    """

    code = "unusable_input"
    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "\n".join(f"{fault.place}:{fault.zh}" for fault in self.faults),
            "\n".join(f"{fault.place}: {fault.en}" for fault in self.faults),
        )


class ConfigurationError(FangpinError):
    """The installation is not usable: a key file, a library or a database is missing or wrong."""

    code = "configuration"
    exit_code = 2


class ConflictError(FangpinError):
    """Somebody else changed the same thing meanwhile, or the state does not allow the step. Nothing was changed."""

    code = "conflict"


class NotAllowedError(FangpinError):
    """The actor may not do this (role, limit, or two persons asked for). Nothing was changed."""

    code = "not_allowed"


class NotFound(FangpinError):
    """There is no such thing here: unknown, or outside the actor's place; the answer is the same."""

    code = "not_found"

    def __init__(
        self, zh: str = "没有找到,或不在您的管辖范围内", en: str = "not found, or outside your place"
    ) -> None:
        super().__init__(zh, en)


class SignInNeeded(FangpinError):
    """Nobody is signed in, or the sign-in has ended."""

    code = "sign_in_needed"

    def __init__(self, zh: str = "请登录后再试", en: str = "sign in and try again") -> None:
        super().__init__(zh, en)


class BadRequest(FangpinError):
    """The request itself is malformed: an unknown or repeated parameter, a bad cursor, a missing token."""

    code = "bad_request"


class TooManyRequests(FangpinError):
    """More than the limit in this time. `retry_after` is in seconds."""

    code = "too_many_requests"

    def __init__(self, zh: str, en: str, retry_after: int) -> None:
        super().__init__(zh, en)
        self.retry_after = retry_after


class InvalidInput(FangpinError):
    """Values of a form or a body are wrong: field → sentences in both languages. Values are never echoed."""

    code = "invalid_input"

    def __init__(self, fields: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self.fields = {name: list(sentences) for name, sentences in fields.items()}
        super().__init__("填写的内容有误,请按提示修改", "some values are wrong; mend them as the hints say")
