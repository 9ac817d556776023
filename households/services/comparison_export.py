"""Results of the comparison as workbooks: the hits of a run, what changed since the last one, an auditor's list.

They go out by the register of exports, with a watermark. ID numbers are masked in them; of an auditor's list, which is
stored nowhere, each person is named by their place in the list besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actors import Actor
from foundation.masking import Audience, id_number_for
from foundation.privacy.exports import HandedOut, Stamp, Wanted, hand_out, watermark
from foundation.sealing import Sealer
from foundation.spreadsheets import Heading, Written, write_workbook
from foundation.web.language import pick
from households.checks import CHECKS
from households.comparing import State
from households.comparison_setting import Setting
from households.comparison_words import ANSWERS, STATES, answer_words, detail_words, source_words
from households.layouts import layouts
from households.models.comparison import ComparisonHit
from households.queries.comparison_differences import CHANGES, Differences, changed_hits, differences
from households.queries.comparison_hits import HitView, hits_shown
from households.queries.comparison_lists import CheckedList
from households.queries.comparison_runs import Filters, Run, in_order, matching

KIND = "comparison_workbook"
_WIDTHS = (14, 14, 16, 12, 22, 20, 14, 26, 40, 22, 16)


def export_run(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    run: Run,
    filters: Filters,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of the hits of a run that the filters leave. Raises what `hand_out` raises; it counts the people."""
    mine = (ComparisonHit.run_id == run.id) & matching(actor, filters)
    people = session.scalar(select(func.count(func.distinct(ComparisonHit.person_id))).where(mine)) or 0
    wanted = Wanted(KIND, people, {"run": run.number, **_arguments(filters)}, run.id, purpose, note)

    def make(stamp: Stamp) -> bytes:
        rows = session.scalars(
            select(ComparisonHit).where(mine).order_by(*in_order(), ComparisonHit.id)
        ).all()
        hits = hits_shown(session, sealer, rows, run.setting)
        sheets = {pick("命中", "Hits"): list(_hits(hits)), **_feeds_sheet(run.setting)}
        return _written(sheets, stamp)

    return hand_out(session, sealer, actor, at, wanted, make)


def export_differences(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    run: Run,
    filters: Filters,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of the hits that are new and gone since the run before, and of the data that came or went.

    Raises NotFound for a run that has none before it, and what `hand_out` raises.
    """
    found = differences(session, actor, run, filters)
    rows = {kind: changed_hits(session, actor, found, kind, filters) for kind in CHANGES}
    people = len({hit.person_id for hits in rows.values() for hit in hits})
    arguments = {"run": run.number, "before": found.before.number, **_arguments(filters)}
    wanted = Wanted(KIND, people, arguments, run.id, purpose, note)

    def make(stamp: Stamp) -> bytes:
        settings = {"new": run.setting, "gone": found.before.setting}
        shown = {kind: hits_shown(session, sealer, hits, settings[kind]) for kind, hits in rows.items()}
        sheets = {
            pick("新增命中", "New hits"): list(_hits(shown["new"])),
            pick("不再命中", "Gone hits"): list(_hits(shown["gone"])),
            pick("数据变化", "Data"): list(_data(found)),
        }
        return _written(sheets, stamp)

    return hand_out(session, sealer, actor, at, wanted, make)


def export_list(
    session: Session,
    sealer: Sealer,
    actor: Actor,
    at: datetime,
    checked: CheckedList,
    purpose: str | None,
    note: str | None,
) -> HandedOut:
    """An xlsx of an auditor's list: each person with each check. Raises what `hand_out` raises.

    For more people than go out at once the list has to be dropped in again once a second person has agreed.
    """
    wanted = Wanted(KIND, len(checked.people), {"list": checked.digest}, None, purpose, note)

    def make(stamp: Stamp) -> bytes:
        sheets = {
            pick("结果", "Results"): list(_results(checked)),
            pick("命中", "Hits"): list(_list_hits(checked)),
            **_feeds_sheet(checked.setting),
        }
        return _written(sheets, stamp)

    return hand_out(session, sealer, actor, at, wanted, make)


def _arguments(filters: Filters) -> dict[str, str]:
    """The filters under the names that the register of exports has for them."""
    values = {"hits": filters.kind, "place": filters.place, "check": filters.matter}
    return {name: value for name, value in values.items() if value is not None}


def _written(sheets: Mapping[str, Sequence[Sequence[Written]]], stamp: Stamp) -> bytes:
    widths = dict.fromkeys(sheets, _WIDTHS)
    return write_workbook(sheets, widths, watermark(stamp, pick(*stamp.line)))


def _headings(*titles: tuple[str, str]) -> tuple[Heading, ...]:
    return tuple(Heading(pick(*title)) for title in titles)


_CHECK, _SOURCE, _ROW = ("核查项目", "Check"), ("来源", "Source"), ("部门数据", "Department's row")
_ID = ("身份证号", "ID number")


def _hits(hits: Iterable[HitView]) -> Iterator[Sequence[Written]]:
    yield _headings(
        ("镇(街道)", "Town"),
        ("村(居)", "Village"),
        ("户编号", "Household"),
        ("姓名", "Name"),
        _ID,
        _CHECK,
        ("结果", "Result"),
        _SOURCE,
        _ROW,
        ("核查澄清", "Clearance"),
    )
    for hit in hits:
        yield (
            hit.town,
            hit.village,
            hit.household_no,
            hit.name,
            hit.id_number,
            pick(*CHECKS[hit.matter].title),
            pick(*STATES[State.HIT]),
            source_words(hit.feed, hit.source),
            detail_words(hit.details),
            pick(*ANSWERS["none"]) if hit.answer is None else answer_words(hit.answer),
        )


def _feeds_sheet(setting: Setting) -> dict[str, list[Sequence[Written]]]:
    rows: list[Sequence[Written]] = [_headings(_CHECK, ("部门数据", "Feed"), ("截至", "As of"))]
    for check in setting.made():
        for feed in check.feeds:
            source = setting.feeds.get(feed)
            title, state = pick(*layouts()[feed].title), source_words(feed, source)
            rows.append((pick(*check.title), title, state))
    return {pick("数据情况", "Feeds"): rows}


def _data(found: Differences) -> Iterator[Sequence[Written]]:
    yield _headings(_CHECK, (found.before.number, found.before.number), (found.run.number, found.run.number))
    there, missing = pick("有数据", "data"), pick(*STATES[State.NO_DATA])
    for check in found.came:
        yield pick(*check.title), missing, there
    for check in found.went:
        yield pick(*check.title), there, missing


def _results(checked: CheckedList) -> Iterator[Sequence[Written]]:
    checks = checked.setting.made()
    yield _headings(("序号", "No."), _ID, *(check.title for check in checks))
    for person in checked.people:
        states = (checked.setting.state(check, hit=check.key in person.hits) for check in checks)
        masked = id_number_for(Audience.AUDITOR, person.id_number)
        yield person.place, masked, *(pick(*STATES[state]) for state in states)


def _list_hits(checked: CheckedList) -> Iterator[Sequence[Written]]:
    yield _headings(("序号", "No."), _ID, _CHECK, _SOURCE, _ROW)
    for person in checked.people:
        for matter, rows in person.hits.items():
            feed = CHECKS[matter].feed
            for details in rows:
                yield (
                    person.place,
                    id_number_for(Audience.AUDITOR, person.id_number),
                    pick(*CHECKS[matter].title),
                    source_words(feed, checked.setting.feeds.get(feed)),
                    detail_words(details),
                )
