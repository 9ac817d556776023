"""The list of claims: what it shows, filters, sorts, sums, and finds; and that nobody sees beyond their place."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text, update

from claims.models import ClaimRow
from claims.queries.listing import Filters, choices, found_by_person, page_of_claims, totals
from claims.services.search_keys import fill_search_keys
from foundation.masking import Audience, id_number_for
from foundation.privacy.models import Export
from foundation.trail.events import Event
from tests.claims.desk import (
    Known,
    actor,
    add_copies,
    counted_statements,
    known_claims,
    one,
    two_towns,
)
from tests.webapp.conftest import Web, post

_NUMBERS = re.compile(r'<a href="/claims/[0-9a-f]{32}">([^<]+)</a>')
_OLDER = re.compile(r'rel="next" href="([^"]+)"')


def numbers_of(page: str) -> list[str]:
    """The claim numbers of a page's table, in order."""
    return _NUMBERS.findall(page)


def listed(client: FlaskClient, query: str = "") -> str:
    answer = client.get(f"/claims{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def every_page(client: FlaskClient, query: str = "") -> list[str]:
    """The claim numbers of all pages, following the links."""
    page = listed(client, query)
    found = numbers_of(page)
    while older := _OLDER.search(page):
        page = listed(client, html.unescape(older[1]).removeprefix("/claims"))
        found += numbers_of(page)
    return found


def test_list_shows_each_claim_with_a_masked_id_number(county: Web) -> None:
    claim = one(county, outcome="approve")
    page = listed(county.sign_in("CLAIM_OFFICER"), f"?number={claim.claim_no}")
    assert claim.facts.claim.name in page
    assert id_number_for(Audience.OFFICER, claim.facts.claim.id_number) in page
    assert claim.facts.claim.id_number not in page


def test_every_claim_stands_on_one_page_only(county: Web) -> None:
    add_copies(county, one(county, state="review"), "COPY", 70)
    expected = sorted(claim.claim_no for claim in known_claims(county))
    client = county.sign_in("CLAIM_OFFICER")
    assert len(numbers_of(listed(client))) == 50
    for sort in ("notified", "event", "number", "amount"):
        for order in ("ascending", "descending"):
            assert sorted(every_page(client, f"?sort={sort}&order={order}")) == expected


SORTED_BY: dict[str, Callable[[Known], Any]] = {
    "notified": lambda claim: claim.facts.claim.notified_on,
    "event": lambda claim: claim.facts.claim.event_on,
    "amount": lambda claim: claim.decision.payable_fen,
}


@pytest.mark.parametrize("sort", SORTED_BY)
def test_list_is_sorted_as_asked(county: Web, sort: str) -> None:
    of = {claim.claim_no: SORTED_BY[sort](claim) for claim in known_claims(county)}
    client = county.sign_in("CLAIM_OFFICER")
    up = [of[number] for number in every_page(client, f"?sort={sort}&order=ascending")]
    assert up == sorted(of.values())
    down = [of[number] for number in every_page(client, f"?sort={sort}&order=descending")]
    assert down == sorted(of.values(), reverse=True)


def test_sorted_column_says_so_and_its_links_keep_the_filters(county: Web) -> None:
    page = listed(county.sign_in("CLAIM_OFFICER"), "?line=illness&sort=amount&order=ascending")
    assert page.count("aria-sort=") == 1
    assert 'aria-sort="ascending"' in page
    assert "/claims?line=illness&amp;sort=amount&amp;order=descending" in page
    assert "/claims?line=illness&amp;sort=event&amp;order=descending" in page


FILTERED: dict[str, Callable[[Known], bool]] = {
    "line=illness": lambda c: c.facts.claim.line == "illness",
    "state=rejected": lambda c: c.state == "rejected",
    "outcome=refer": lambda c: c.decision.outcome == "refer",
    "reason=BELOW_LINE": lambda c: "BELOW_LINE" in c.decision.reasons,
    "reason=NO_DATA": lambda c: "NO_DATA" in c.decision.reasons,
    "notified_from=2020-06-01": lambda c: c.facts.claim.notified_on >= date(2020, 6, 1),
    "notified_to=2020-06-01": lambda c: c.facts.claim.notified_on <= date(2020, 6, 1),
    "line=illness&outcome=approve": lambda c: (
        c.facts.claim.line == "illness" and c.decision.outcome == "approve"
    ),
}


@pytest.mark.parametrize("query", FILTERED)
def test_filters_leave_what_they_say_and_the_totals_follow(county: Web, query: str) -> None:
    left = [claim for claim in known_claims(county) if FILTERED[query](claim)]
    client = county.sign_in("CLAIM_OFFICER")
    assert sorted(every_page(client, f"?{query}")) == [claim.claim_no for claim in left]
    payable = sum(claim.decision.payable_fen for claim in left)
    determined = sum(claim.decision.payable_fen for claim in left if claim.state == "approved")
    page = listed(client, f"?{query}")
    assert f"共 {len(left):,} 件" in page
    assert f"应付 {payable // 100:,}.{payable % 100:02d} 元" in page
    assert f"其中已核定 {determined // 100:,}.{determined % 100:02d} 元" in page


def test_a_town_and_a_part_of_a_number_narrow_the_list(county: Web) -> None:
    claim = two_towns(county)[0]
    client = county.sign_in("CLAIM_OFFICER")
    of_town = [c.claim_no for c in known_claims(county) if c.town == claim.town]
    assert sorted(every_page(client, f"?town={claim.town}")) == of_town
    assert claim.claim_no in every_page(client, f"?number={claim.claim_no[-4:].lower()}")
    assert every_page(client, "?number=%25") == []  # a sign of the pattern language is a mere character


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "line=cars",
        "line=illness&line=income",
        "notified_from=2020-02-30",
        "cursor=xyz",
        "order=up",
    ],
)
def test_a_wrong_address_is_refused(county: Web, query: str) -> None:
    assert county.sign_in("CLAIM_OFFICER").get(f"/claims?{query}").status_code == 400


def test_an_empty_list_says_what_to_do(county: Web) -> None:
    page = listed(county.sign_in("CLAIM_OFFICER"), "?number=no-such-claim")
    assert "没有符合条件的案件" in page


def test_attack_88_statements_do_not_grow_with_the_rows(county: Web) -> None:
    claim = one(county, state="review")
    add_copies(county, claim, "FIVE", 5)
    add_copies(county, claim, "FIFTY", 50)
    client = county.sign_in("CLAIM_OFFICER")
    counts = []
    for part, rows in (("FIVE", 5), ("FIFTY", 50)):
        with counted_statements(county) as sent:
            page = listed(client, f"?number={part}")
        assert len(numbers_of(page)) == rows
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 12


def test_a_page_opens_only_the_claims_that_it_shows(county: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    add_copies(county, one(county, state="review"), "COPY", 60)
    opened: list[str] = []
    reveal = county.sealer.reveal

    def noted(table: str, *rest: str) -> str:
        opened.append(table)
        return reveal(table, *rest)

    monkeypatch.setattr(county.sealer, "reveal", noted)
    with county.database.reading() as session:
        page = page_of_claims(
            session, county.sealer, actor(), Filters(), "notified", descending=True, cursor=None
        )
        totals(session, actor(), Filters())
    assert len(page.rows) == 50
    assert opened == ["claim"] * 50


# --- looking for a person --------------------------------------------------------------------------------------------


def full_width(digits: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in digits)


def found(client: FlaskClient, **fields: str) -> str:
    answer = post(client, "/claims/find", **fields)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_person_is_found_by_name_and_by_id_number_however_it_is_typed(county: Web) -> None:
    claim = next(c for c in known_claims(county) if c.facts.claim.id_number.endswith("X"))
    said = claim.facts.claim
    client = county.sign_in("CLAIM_OFFICER")
    typed = full_width(said.id_number.lower())
    assert typed != said.id_number
    for fields in (
        {"name": said.name},
        {"name": f" {said.name} "},
        {"id_number": said.id_number},
        {"id_number": typed},
        {"id_number": f"{said.id_number[:6]} {said.id_number[6:]}"},
        {"name": said.name, "id_number": said.id_number},
    ):
        assert claim.claim_no in numbers_of(found(client, **fields))
    assert f'value="{said.id_number}"' in found(client, id_number=typed)  # folded before the person's eyes


def test_a_part_of_a_name_finds_nobody(county: Web) -> None:
    page = found(county.sign_in("CLAIM_OFFICER"), name=known_claims(county)[0].facts.claim.name[:1])
    assert "没有找到此人的案件" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"id_number": "370323194809155976"}, "应为 18 位身份证号"),
        ({"id_number": "3703231948091559"}, "应为 18 位身份证号"),
        ({"name": "张\u200b三"}, "看不见的字符"),
        ({}, "请输入姓名或身份证号"),
    ],
)
def test_what_cannot_be_looked_for_is_said(county: Web, fields: dict[str, str], sentence: str) -> None:
    answer = post(county.sign_in("CLAIM_OFFICER"), "/claims/find", **fields)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_a_person_is_never_looked_for_in_an_address(county: Web) -> None:
    client = county.sign_in("CLAIM_OFFICER")
    assert client.get("/claims?name=x").status_code == 400
    assert client.get("/claims?id_number=x").status_code == 400
    answer = client.get("/claims/find")
    assert answer.status_code == 404  # no claim has this id, and the look-up takes POST only


# --- places ----------------------------------------------------------------------------------------------------------


def places_of(claim: Known) -> tuple[str, str]:
    code = claim.village_code or ""
    return code[:9], code


def test_attack_20_lists_totals_and_choices_hold_only_what_is_ones_own(county: Web) -> None:
    mine, theirs = two_towns(county)
    for place, role in zip(places_of(mine), ("TOWN_REVIEWER", "VILLAGE_OFFICER"), strict=True):
        own = [c for c in known_claims(county) if (c.village_code or "").startswith(place)]
        client = county.sign_in(role, place=place)
        assert sorted(every_page(client)) == [claim.claim_no for claim in own]
        page = listed(client)
        assert f"共 {len(own):,} 件" in page
        payable = sum(claim.decision.payable_fen for claim in own)
        assert f"应付 {payable // 100:,}.{payable % 100:02d} 元" in page
        assert f'<option value="{theirs.town}"' not in page
        assert every_page(client, f"?town={theirs.town}") == []
        assert theirs.claim_no not in every_page(client, f"?number={theirs.claim_no}")
        assert every_page(client, "?sort=amount&order=ascending&line=illness") == [
            number
            for number in every_page(
                county.sign_in("CLAIM_OFFICER"), "?sort=amount&order=ascending&line=illness"
            )
            if number in {claim.claim_no for claim in own}
        ]


def test_attack_20_a_search_finds_nobody_elsewhere(county: Web) -> None:
    mine, theirs = two_towns(county)
    client = county.sign_in("TOWN_REVIEWER", place=places_of(mine)[0])
    for fields in ({"name": theirs.facts.claim.name}, {"id_number": theirs.facts.claim.id_number}):
        assert theirs.claim_no not in numbers_of(found(client, **fields))
    assert mine.claim_no in numbers_of(found(client, id_number=mine.facts.claim.id_number))


def test_a_claimant_whom_the_roster_does_not_know_is_the_countys(county: Web) -> None:
    stranger = next(claim for claim in known_claims(county) if claim.village_code is None)
    assert stranger.claim_no in every_page(county.sign_in("CLAIM_OFFICER"))
    place = places_of(two_towns(county)[0])[0]
    assert stranger.claim_no not in every_page(county.sign_in("TOWN_REVIEWER", place=place))


def test_attack_20_a_place_of_a_cursor_gives_no_rows_of_others(county: Web) -> None:
    mine, theirs = two_towns(county)
    add_copies(county, theirs, "COPY", 60)
    officer = listed(county.sign_in("CLAIM_OFFICER"))
    older = _OLDER.search(officer)
    assert older
    client = county.sign_in("TOWN_REVIEWER", place=places_of(mine)[0])
    page = listed(client, html.unescape(older[1]).removeprefix("/claims"))
    of = {claim.claim_no: claim.village_code or "" for claim in known_claims(county)}
    assert all(of[number].startswith(places_of(mine)[0]) for number in numbers_of(page))


# --- the workbook ----------------------------------------------------------------------------------------------------


def test_workbook_holds_the_filtered_list_and_nobodys_name(county: Web) -> None:
    left = [claim for claim in known_claims(county) if claim.facts.claim.line == "illness"]
    answer = post(county.sign_in("CLAIM_OFFICER"), "/claims/export", line="illness", purpose="visit")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(place for place, row in enumerate(rows) if row[1] == "报案号")
    assert sorted(str(row[1]) for row in rows[head + 1 :]) == [claim.claim_no for claim in left]
    assert "不含姓名" in str(rows[3][0])
    written = " ".join(str(cell) for row in rows for cell in row if cell is not None)
    for claim in left:
        said = claim.facts.claim
        assert said.id_number not in written
        assert id_number_for(Audience.OFFICER, said.id_number) not in written
        assert said.name not in written
    paid = {str(row[1]): row[8] for row in rows[head + 1 :]}
    assert all(round(float(str(paid[c.claim_no])) * 100) == c.decision.payable_fen for c in left)


def test_an_export_is_registered_by_its_people_with_the_digest_of_its_bytes(county: Web) -> None:
    client = county.sign_in("AUDITOR")
    people = len({claim.facts.claim.id_number for claim in known_claims(county)})
    answer = post(client, "/claims/export", purpose="audit")
    assert answer.status_code == 200
    with county.database.reading() as session:
        row = session.scalars(select(Export)).one()
        body = session.scalars(select(Event.body).where(Event.action == "export.taken")).one()
    assert (row.kind, row.people, row.purpose, row.arguments) == ("claims_workbook", people, "audit", "{}")
    assert row.sha256 == hashlib.sha256(answer.data).hexdigest() and row.size == len(answer.data)
    assert f'"after":"{row.sha256}"' in body and f"people={people} purpose=audit" in body


def test_attack_20_an_export_holds_only_what_is_ones_own(county: Web) -> None:
    mine, theirs = two_towns(county)
    client = county.sign_in("CLAIM_OFFICER", place=places_of(mine)[0])
    sheet = load_workbook(BytesIO(post(client, "/claims/export", purpose="visit").data)).worksheets[0]
    written = {str(cell) for row in sheet.iter_rows(values_only=True) for cell in row}
    assert mine.claim_no in written
    assert theirs.claim_no not in written
    assert theirs.town not in written


def test_a_village_officer_takes_no_list_home(county: Web) -> None:
    client = county.sign_in("VILLAGE_OFFICER", place=places_of(two_towns(county)[0])[1])
    assert post(client, "/claims/export").status_code == 403
    assert "/claims/export" not in listed(client)


# --- search keys -----------------------------------------------------------------------------------------------------


def test_claims_from_before_the_search_keys_get_them_once(county: Web) -> None:
    claim = one(county, state="approved")
    with county.database.transaction() as session:
        session.execute(update(ClaimRow).values(id_lookup=None, name_lookup=None))
    with county.database.reading() as session:
        nobody = found_by_person(session, county.sealer, actor(), None, claim.facts.claim.id_number)
    assert nobody == []
    with county.database.transaction() as session:
        events = session.scalar(text("SELECT COUNT(*) FROM event"))
        assert fill_search_keys(session, county.sealer) == len(known_claims(county))
        assert fill_search_keys(session, county.sealer) == 0
        assert session.scalar(text("SELECT COUNT(*) FROM event")) == events
    with county.database.reading() as session:
        for name, id_number in ((claim.facts.claim.name, None), (None, claim.facts.claim.id_number)):
            rows = found_by_person(session, county.sealer, actor(), name, id_number)
            assert claim.claim_no in {row.claim_no for row in rows}


def test_choices_are_towns_and_policies_with_claims(county: Web) -> None:
    with county.database.reading() as session:
        offered = choices(session, actor())
    assert set(offered.towns) == {claim.town for claim in known_claims(county) if claim.town}
    assert len(offered.policies) == 1
