"""The village notice as it hangs on the board: text, attached file and metadata, and all notices of a village joined."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from sqlalchemy import select

from claims.notices import PAYMENT, RECOGNITION, Result, VillageNotice, entries
from claims.terms import BENEFIT_NAMES
from foundation import files
from foundation.masking import FAMILY_MEMBER, PROGRAMME, is_minor
from foundation.money import yuan_text
from households.models import Person
from reports import attachments, issuing
from reports.documents import file_name, printable, yuan
from reports.errors import NothingToPublish
from reports.notices import NoticeAsked, anything_to_publish, notice_asked, notice_figures, villages
from reports.pdf import print_pdfs
from tests.claims.test_notices import SLOW, Year, more_than_allowed, runs_of, years
from tests.reports.cases import HEAD
from tests.reports.county import AT, SYSTEM, County
from tests.reports.reading import opened, words

NUMBER = "防贫示〔2020〕1号"
YEAR = (date(2020, 1, 1), date(2020, 12, 31))


def html_text(notice: VillageNotice) -> str:
    """Everything in a printed notice and its attached file that a reader can take from it."""
    document = printable("village_notice", notice, NUMBER, datetime(2020, 6, 1, tzinfo=UTC), {}, HEAD)
    head, _, body = document.html.partition("<body>")
    text = "".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
    metadata = " ".join(re.findall(r"<title>(.*)</title>|content=\"(.*)\"", head)[0])
    author = re.findall(r'name="(?:author|description)" content="([^"]*)"', head)
    (attached,) = document.attachments
    said = [
        text,
        metadata,
        *author,
        attached.name,
        attached.description,
        attached.content.decode("utf-8-sig"),
    ]
    return without_figures(
        "\n".join(said), notice, (HEAD.root, *dict(attachments.digests([attached])).values())
    )


def without_figures(said: str, notice: VillageNotice, digests: Sequence[str]) -> str:
    """Without the sums, which the table allows, and the digests, which say nothing of anybody."""
    sums = {entry.amount_fen for entry in notice.entries} | {notice.total_fen}
    for shown in (
        *digests,
        *(text for fen in sorted(sums, reverse=True) for text in (yuan(fen), yuan_text(fen))),
    ):
        said = said.replace(shown, "")
    return said


@given(years())
@settings(max_examples=40, suppress_health_check=SLOW)
def test_a_year_of_printed_notices_joined_says_no_more_than_the_table_allows(year: Year) -> None:
    said = "\n".join(html_text(notice) for notice in year.notices)
    assert more_than_allowed(said, year) == []


def test_the_file_of_a_notice_names_neither_village_nor_person() -> None:
    assert file_name("village_notice", 2020, 7) == "village-notice-2020-000007.pdf"


def test_what_a_notice_is_asked_for_by_comes_back_and_holds_nothing_else() -> None:
    asked = NoticeAsked("370323101206", PAYMENT, *YEAR, date(2021, 1, 4))
    assert asked.subject_id == "370323101206.payment.2020-01-01.2020-12-31.2021-01-04"
    assert notice_asked(asked.subject_id) == asked
    for odd in ("", "a" * 32, asked.subject_id + " ", asked.subject_id.replace("payment", "death")):
        with pytest.raises(ValueError, match="not the subject"):
            notice_asked(odd)


# --- the notices of a county -----------------------------------------------------------------------------------------


def figures_of(county: County, kind: str) -> dict[str, VillageNotice]:
    """The notice of each village that has results, for the whole year."""
    found = {}
    with county.database.reading() as session:
        for village in villages(session, "370323"):
            asked = NoticeAsked(village.code, kind, *YEAR, date(2021, 1, 4))
            if anything_to_publish(session, asked):
                found[village.code] = notice_figures(session, county.sealer, asked, "0533-3240000")
            else:
                with pytest.raises(NothingToPublish):
                    notice_figures(session, county.sealer, asked, "0533-3240000")
    return found


def test_the_notices_have_every_approved_claim_once(county: County) -> None:
    approved = [item for item in county.decided if item.decision.outcome == "approve"]
    sums: dict[str, int] = defaultdict(int)
    for item in approved:
        assert item.facts.household is not None
        sums[item.facts.household.household_no] += item.decision.payable_fen
    for kind in (RECOGNITION, PAYMENT):
        notices = figures_of(county, kind)
        rows = [entry for notice in notices.values() for entry in notice.entries]
        assert sorted(row.amount_fen for row in rows) == sorted(sums.values())
        assert {row.programme for row in rows} == {PROGRAMME}
        for notice in notices.values():
            assert [row.sequence for row in notice.entries] == list(range(1, len(notice.entries) + 1))
            assert notice.issuer == f"{notice.village}村民委员会"
            assert {row.place for row in notice.entries} == {notice.village}
    assert figures_of(county, RECOGNITION).keys() == figures_of(county, PAYMENT).keys()


def test_a_household_stands_under_its_head_and_never_under_a_minor(county: County) -> None:
    heads = {
        member.name
        for item in county.decided
        if item.facts.household is not None
        for member in item.facts.household.members
        if member.relation == "户主"
    }
    rows = [entry for notice in figures_of(county, RECOGNITION).values() for entry in notice.entries]
    assert rows
    assert {row.name for row in rows} <= heads | {FAMILY_MEMBER}


def test_a_period_takes_both_its_days_by_the_clocks_of_the_county(sqlite_county: County) -> None:
    """Determined at noon of the last day of the year in Shanghai."""
    county = sqlite_county
    code = next(iter(figures_of(county, RECOGNITION)))
    with county.database.reading() as session:
        for first, last, there in (
            (date(2020, 12, 31), date(2020, 12, 31), True),
            (date(2020, 1, 1), date(2020, 12, 30), False),
            (date(2021, 1, 1), date(2021, 1, 31), False),
        ):
            asked = NoticeAsked(code, RECOGNITION, first, last, date(2021, 2, 1))
            assert anything_to_publish(session, asked) is there


def test_a_later_change_of_the_roster_changes_no_name_on_a_notice(sqlite_county: County) -> None:
    """The name is that of the household's first approved claim, so that notices joined do not tell who moved in."""
    county = sqlite_county
    before = figures_of(county, RECOGNITION)
    with county.database.transaction() as session:
        for person in session.scalars(select(Person)):
            data = orjson.loads(county.sealer.reveal("person", "sealed", person.id, person.sealed))
            renamed = orjson.dumps({**data, "name": "改名者"})
            person.sealed = county.sealer.seal("person", "sealed", person.id, renamed)
    assert figures_of(county, RECOGNITION) == before


def test_all_notices_of_a_county_joined_say_no_more_than_the_table_allows(
    sqlite_county: County, tmp_path: Path
) -> None:
    """Text, attached file, metadata and file name of the PDFs as they were issued, for a month and for the year."""
    county, head = sqlite_county, sqlite_county.sealed()
    place = (county.database, county.sealer, SYSTEM, AT)
    chosen = list(figures_of(county, RECOGNITION).items())[:6]
    said = []
    for code, notice in chosen:
        for kind in (RECOGNITION, PAYMENT):
            asked = NoticeAsked(code, kind, *YEAR, date(2021, 1, 4))
            document = issuing.issue_village_notice(*place, asked.subject_id, head)
            with county.database.reading() as session:
                content = files.load(session, county.sealer, document.file_id)
            digests = [head.root]
            with opened(content) as read:
                (attached,) = read.attachments.values()
                table = attached.get_file().read_bytes()
                metadata = {
                    str(name): str(value)
                    for name, value in read.docinfo.items()
                    if name not in ("/CreationDate", "/ModDate")
                }
                with read.open_metadata() as xmp:
                    metadata |= {name: str(value) for name, value in xmp.items() if "Date" not in name}
            rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
            assert rows[0] == ["序号", "户主(监护人)", "村(组)", "项目", "金额"]
            assert [row[4] for row in rows[1:]] == [yuan_text(entry.amount_fen) for entry in notice.entries]
            digests += dict(attachments.digests(attachments.village_notice(notice))).values()
            text = words(content, tmp_path, "-layout")
            for part in (
                notice.town,
                notice.village,
                notice.issuer,
                "监督电话12317",
                "2021年1月4日",
                head.root,
            ):
                assert part in text
            parts = (text, table.decode("utf-8-sig"), *metadata.values(), document.name)
            said.append(without_figures("\n".join(parts), notice, digests))
    everything = "\n".join(said)
    assert "防贫保险核定结果公示" in everything
    assert "防贫保险赔款发放结果公示" in everything
    assert given_away(everything, county) == []


def given_away(said: str, county: County) -> list[str]:
    """What the notices of a county give away of anybody in it: empty when all is well."""
    year = county.policy.period_from
    people = {
        member.id_number: member
        for item in county.decided
        if item.facts.household is not None
        for member in item.facts.household.members
    }
    adults = {person.name for person in people.values() if not is_minor(person.id_number, year)}
    found = []
    for person in people.values():
        born = person.born_on
        found += [run for run in runs_of(person.id_number) if run in said]
        for way in (f"{born:%Y%m%d}", f"{born:%Y-%m-%d}", f"{born.year}年{born.month}月{born.day}日"):
            found += [way] * (way in said)
        if person.name not in adults and person.name in said:
            found.append("a minor's name")
    for item in county.decided:
        claim, household = item.facts.claim, item.facts.household
        accounts = (item.decision.payee_account, claim.payee_account, household and household.account_no)
        found += [run for account in accounts if account for run in runs_of(account) if run in said]
        told = (claim.claim_no, claim.cause, claim.school, claim.document_no, claim.accident_no, claim.level)
        found += [word for word in (*told, *claim.evidence) if word and word in said]
    lines = ("因病", "因学", "因意外", "收入", "医院", "诊断", *(zh for zh, _ in BENEFIT_NAMES.values()))
    found += re.findall(r"[0-9]+\s*人|人数", said)
    return found + [word for word in lines if word in said]


def test_what_must_not_stand_in_a_notice_would_be_found(sqlite_county: County) -> None:
    """The check itself is held against notices that say too much."""
    county = sqlite_county
    claim = next(item.facts.claim for item in county.decided if item.facts.claim.line == "illness")
    assert claim.cause is not None
    for leak in (
        claim.id_number,
        claim.id_number[6:14],
        claim.cause,
        claim.claim_no,
        "因病",
        "医疗费用",
        "3人",
    ):
        assert given_away(f"公示{leak}", county) != []
    assert given_away("公示", county) == []


def test_hostile_names_on_a_notice_are_shown_as_text(sqlite_county: County) -> None:
    notice = next(iter(figures_of(sqlite_county, RECOGNITION).values()))
    hostile = "<script>alert(1)</script>{{7*7}}"
    shown = replace(notice, entries=(replace(notice.entries[0], name=hostile),))
    document = printable("village_notice", shown, NUMBER, AT, {}, HEAD)
    assert "<script" not in document.html
    assert "{{7*7}}" in document.html


def test_a_long_notice_goes_on_over_pages_with_its_heading_row(tmp_path: Path) -> None:
    rows = entries([Result(str(number), f"户主{number}", 100_00) for number in range(80)], "南李家坡村")
    notice = VillageNotice(
        RECOGNITION,
        "历山街道",
        "南李家坡村",
        *(*YEAR, date(2021, 1, 4), date(2021, 1, 10)),
        "南李家坡村村民委员会",
        "县中心",
        "12317",
        rows,
    )
    (content,) = print_pdfs([printable("village_notice", notice, NUMBER, AT, {}, HEAD)])
    text = words(content, tmp_path, "-layout")
    assert text.count("户主（监护人）") >= 3
    assert all(f"户主{number}" in text for number in range(80))
    assert "合计（80户）8,000.00" in text
