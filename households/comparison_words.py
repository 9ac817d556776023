"""The comparison in words: states, sources, answers, what a row says, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from foundation.web.language import pick
from households.comparing import State
from households.comparison_details import Detail
from households.comparison_setting import Basis, Setting, Source
from households.departments import departments
from households.layouts import layouts
from households.terms import Pair

STATES: Mapping[State, Pair] = {
    State.HIT: ("命中", "HIT"),
    State.CLEAR: ("未命中", "CLEAR"),
    State.NO_DATA: ("无数据", "NO DATA"),
}
STATE_KINDS: Mapping[State, str] = {State.HIT: "bad", State.CLEAR: "ok", State.NO_DATA: "warn"}
"""The mark beside each state; a mere record of a department is no alarm and has `info`."""

ANSWERS: Mapping[str, Pair] = {
    "none": ("未澄清", "not answered"),
    "passed": ("已澄清:通过", "cleared"),
    "failed": ("已核查:不通过", "looked into: not cleared"),
}
KINDS: Mapping[str, Pair] = {
    "examined": ("需核查", "to be looked into"),
    "record": ("部门有记录", "a department's record"),
}
"""What hits are told apart by."""
SCOPES: Mapping[str, Pair] = {
    "household": ("单户", "one household"),
    "list": ("名单", "list"),
    "everyone": ("全员", "everyone"),
}


class Answered(Protocol):
    """An answer to a hit."""

    @property
    def on(self) -> object: ...
    @property
    def passed(self) -> bool: ...


def answer_words(answer: Answered) -> str:
    """Whether a hit was cleared, and when: `已澄清:通过 2020-12-31`."""
    return f"{pick(*ANSWERS['passed' if answer.passed else 'failed'])} {answer.on}"


def as_of_words(source: Source | None) -> str:
    """The day that a feed is of; with a warning where it is older than its calendar allows."""
    if source is None:
        return pick("部门未提供", "never delivered")
    if source.as_of is None:
        day = pick(
            f"县包数据,{source.taken_in_on} 入库", f"with a county pack, taken in {source.taken_in_on}"
        )
    else:
        day = pick(f"截至 {source.as_of}", f"as of {source.as_of}")
    if not source.late:
        return day
    return pick(f"{day},已超期 {source.late_days} 天", f"{day}, {source.late_days} days overdue")


def source_words(feed: str, source: Source | None) -> str:
    """Which department says so, as of which day: `交警大队 截至 2020-12-31`."""
    department = pick(*departments()[layouts()[feed].department])
    return pick(f"{department} {as_of_words(source)}", f"{department}, {as_of_words(source)}")


def detail_words(details: Iterable[Detail]) -> str:
    """What a row says, on one line."""
    said = (f"{pick(*title)} {value}" for title, value in details)
    return pick("\uff1b", "; ").join(said)


def basis_words(setting: Setting) -> str:
    """By which standards a run was made."""
    basis = setting.basis
    if basis is None:
        return pick("没有执行中的反向标准", "no reverse standards are in force")
    return _basis(basis)


def _basis(basis: Basis) -> str:
    if basis.kind == "standard":
        words = pick(f"{basis.name} 年标准", f"standards of {basis.name}")
    else:
        words = pick(f"保单 {basis.name}", f"policy {basis.name}")
    if not basis.stale:
        return words
    return pick(f"{words}(当年尚无标准,沿用)", f"{words}, carried over: this year has none yet")
