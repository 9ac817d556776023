"""Pages and API of what is owed and not claimed: who sees whom, how an amount is explained, one case at two clicks."""

from __future__ import annotations

import html
import re
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select

from claims.models import OwedRow
from claims.queries import standings
from claims.services.decisions import opened
from claims.services.owed import ALL, JOB, ask_nightly, work_out
from foundation.database import Database
from foundation.jobs import Job
from foundation.masking import Audience, id_number_for
from foundation.money import Money, yuan_text
from foundation.privacy.models import Export
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from households.feeds import AccidentRow, MedicalRow
from households.layouts import layouts
from households.models.feeds import DEPARTMENT
from households.models.people import HouseholdRow
from households.models.warnings import WarningCase, WarningReport
from households.services.deliveries import ADDITION, Delivery, take_in_delivery
from tests.claims.desk import counted_statements
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, Web, post
from webapp import demo_actors as actors
from webapp.celery_app import carry_out_here
from webapp.cli import cli

NOW = datetime(2020, 12, 20, 2, 0, tzinfo=UTC)
POLICY = "FPB-370323-2020-S"


class Owing:
    """The small pack's county with two people who are owed: one in time, one late; and an accident without a bill."""

    def __init__(self, web: Web) -> None:
        self.web = web
        web.clock.at = NOW
        set_current(Runtime(web.database, web.sealer, web.clock, actors.SYSTEM))
        with web.database.reading() as session:
            known = [opened(web.sealer, item) for item in standings(session, POLICY).values()]
        sound = [
            facts
            for facts, made in known
            if made.outcome == "approve" and made.line == "illness" and made.entitled_fen < 30_000_00
        ]
        self.first = sound[0].claim
        home = sound[0].household
        assert home is not None
        other = next(
            facts
            for facts in sound
            if facts.household is not None
            and facts.household.members[0].village_code[:9] != home.members[0].village_code[:9]
            and facts.household.members[facts.claimant].cover_from < date(2020, 4, 1)
        )
        self.second = other.claim
        self.village = home.members[0].village_code
        bill = MedicalRow(
            "NEW-1", self.first.id_number, self.first.name, date(2020, 11, 1), 9_000_00, 0, 0, 0
        )
        late = replace(
            bill,
            document_no="NEW-2",
            id_number=self.second.id_number,
            name=self.second.name,
            settled_on=date(2020, 5, 20),
            total_fen=30_000_00,
        )
        self.deliver("medical", [bill, late])
        self.deliver("accidents", [AccidentRow("ACC-1", self.first.id_number, date(2020, 9, 1), drunk=False)])
        work_out(web.database, web.sealer, actors.SYSTEM, web.clock)

    def deliver(self, feed: str, rows: list[Any]) -> None:
        with self.web.database.transaction() as session:
            delivery = Delivery(layouts()[feed], DEPARTMENT, ADDITION, None, feed)
            take_in_delivery(
                session, self.web.sealer, actors.SYSTEM, NOW, delivery, [astuple(row) for row in rows]
            )

    def row(self, event_on: date, line: str = "illness") -> OwedRow:
        with self.web.database.reading() as session:
            return session.scalars(
                select(OwedRow).where(OwedRow.event_on == event_on, OwedRow.line == line)
            ).one()

    def cases(self) -> int:
        with self.web.database.reading() as session:
            return session.scalar(select(func.count()).select_from(WarningCase)) or 0


@pytest.fixture
def owing(county: Web) -> Owing:
    return Owing(county)


def shown(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:2000]
    return html.unescape(answer.get_data(as_text=True))


def test_the_list_says_who_is_owed_how_much_until_when_and_which_papers(owing: Owing) -> None:
    page = shown(owing.web.sign_in("CENTER_CERTIFIER"), "/owed")
    row, late = owing.row(date(2020, 11, 1)), owing.row(date(2020, 5, 20))
    assert owing.first.name in page and owing.second.name in page
    assert id_number_for(Audience.OFFICER, owing.first.id_number) in page
    assert owing.first.id_number not in page
    assert Money(row.payable_fen).grouped in page and row.report_by.isoformat() in page
    left = (row.report_by - date(2020, 12, 20)).days
    assert f"还有 {left} 天" in page and f"已过 {(date(2020, 12, 20) - late.report_by).days} 天" in page
    assert "出院记录、费用结算单" in page and "逾期报案" in page
    # The accident's cost is not known: it has a list of its own.
    assert "2020-09-01" not in page
    unknown = shown(owing.web.sign_in("CENTER_CERTIFIER"), "/owed?shown=unknown")
    assert "2020-09-01" in unknown and "医疗费用票据或伤残鉴定" in unknown


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ("due=late", False, True),
        ("due=30", False, False),
        ("line=education", False, False),
        ("line=illness&sort=amount", True, True),
        ("town={town}", True, False),
        ("village={village}", True, False),
    ],
)
def test_the_list_is_narrowed(owing: Owing, query: str, first: bool, second: bool) -> None:
    query = query.format(town=owing.village[:9], village=owing.village)
    page = shown(owing.web.sign_in("CENTER_CERTIFIER"), f"/owed?{query}")
    assert ("2020-11-01" in page, "2020-05-20" in page) == (first, second)


def test_a_place_sees_its_own_people_only(owing: Owing) -> None:
    row, late = owing.row(date(2020, 11, 1)), owing.row(date(2020, 5, 20))
    village = owing.web.sign_in("VILLAGE_OFFICER", owing.village)
    page = shown(village, "/owed")
    assert owing.first.name in page and "2020-05-20" not in page
    assert village.get(f"/owed/{row.id}").status_code == 200
    assert village.get(f"/owed/{late.id}").status_code == 404
    assert post(village, f"/owed/{late.id}/case").status_code == 404
    assert village.get("/owed/" + "0" * 32).status_code == 404


def test_a_row_is_explained_by_the_same_checks_and_lines_as_a_claim(owing: Owing) -> None:
    row = owing.row(date(2020, 11, 1))
    page = shown(owing.web.sign_in("CENTER_CERTIFIER"), f"/owed/{row.id}")
    for said in ("资格核验", "赔款计算", "限额使用", "家庭成员", "所需材料", Money(row.payable_fen).grouped):
        assert said in page
    assert "NEW-1" not in page or "结算单" in page
    late = shown(owing.web.sign_in("CENTER_CERTIFIER"), f"/owed/{owing.row(date(2020, 5, 20)).id}")
    assert "逾期不等于拒赔" in late
    unknown = shown(
        owing.web.sign_in("CENTER_CERTIFIER"), f"/owed/{owing.row(date(2020, 9, 1), 'accident').id}"
    )
    assert "checks-title" in unknown and "calculation-title" not in unknown


def test_a_row_that_has_been_claimed_since_says_so(owing: Owing) -> None:
    row = owing.row(date(2020, 11, 1))
    with owing.web.database.transaction() as session:
        delivery = Delivery(layouts()["medical"], DEPARTMENT, "full", None, "taken back")
        take_in_delivery(session, owing.web.sealer, actors.SYSTEM, NOW, delivery, [])
    page = shown(owing.web.sign_in("CENTER_CERTIFIER"), f"/owed/{row.id}")
    assert "下次计算时会移出清单" in page and "checks-title" not in page


def test_one_click_opens_a_case_and_the_second_says_that_it_is_there(owing: Owing) -> None:
    row = owing.row(date(2020, 11, 1))
    client = owing.web.sign_in("VILLAGE_OFFICER", owing.village)
    first = post(client, f"/owed/{row.id}/case", page="/owed")
    assert first.status_code == 303 and owing.cases() == 1
    second = post(client, f"/owed/{row.id}/case", page="/owed")
    assert second.headers["Location"] == first.headers["Location"] and owing.cases() == 1
    assert "未重复立案" in shown(client, "/owed")
    with owing.web.database.reading() as session:
        report = session.scalars(select(WarningReport)).one()
        case = session.get_one(WarningCase, report.case_id)
        assert (report.channel, report.feed_row_id) == ("owed", row.feed_row_id)
        assert (case.person_id, case.household_id, case.line) == (row.person_id, row.household_id, "illness")
        assert case.number in shown(client, "/owed")
        assert case.number in shown(client, first.headers["Location"])


def test_a_department_that_warned_already_has_opened_the_case(owing: Owing) -> None:
    owing.web.clock.forward(minutes=5)
    with owing.web.database.reading() as session:
        jobs = session.scalars(select(Job.id).where(Job.kind == "feed.warn")).all()
    carry_out_here("feed.warn", jobs)
    before = owing.cases()
    with owing.web.database.reading() as session:
        filed = session.scalars(select(WarningReport.feed_row_id)).all()
        rows = [row for row in session.scalars(select(OwedRow)) if row.feed_row_id in filed]
    client = owing.web.sign_in("CENTER_CERTIFIER")
    for row in rows:
        assert post(client, f"/owed/{row.id}/case", page="/owed").status_code == 303
    assert rows and owing.cases() == before


def test_the_workbook_goes_out_by_the_register_and_names_nobody(owing: Owing) -> None:
    client = owing.web.sign_in("CENTER_LEAD")
    answer = post(client, "/owed/export", page="/owed", line="illness")
    assert answer.status_code == 200
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    cells = [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
    text = str(cells)
    assert owing.first.name not in text and owing.first.id_number not in text
    amount = owing.row(date(2020, 11, 1)).payable_fen
    assert any(amount == round(cell * 100) for row in cells for cell in row if isinstance(cell, int | float))
    with owing.web.database.reading() as session:
        export = session.scalars(select(Export).where(Export.kind == "owed_workbook")).one()
        assert export.people == 2 and export.state == "taken" and '"line":"illness"' in export.arguments
    assert post(owing.web.sign_in("VILLAGE_OFFICER", owing.village), "/owed/export").status_code == 403


def test_the_centre_has_it_worked_out_again_and_each_night_it_is(owing: Owing) -> None:
    with owing.web.database.transaction() as session:
        assert ask_nightly(session, NOW) and not ask_nightly(session, NOW + timedelta(hours=3))
    owing.web.clock.forward(minutes=5)
    client = owing.web.sign_in("CENTER_CERTIFIER")
    assert post(client, "/owed/again", page="/owed").status_code == 303
    with owing.web.database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == JOB)).one()
        assert job.subject_id == ALL and job.state == "waiting"
    carry_out_here(JOB, [job.id])
    assert owing.row(date(2020, 11, 1)).computed_at == owing.web.clock.at
    with owing.web.database.transaction() as session:
        assert not ask_nightly(session, NOW + timedelta(hours=3))
        assert ask_nightly(session, NOW + timedelta(days=1))
        asked = session.scalars(select(Event.action).where(Event.action == "owed.asked")).all()
    assert len(asked) == 1


def test_the_home_page_counts_who_is_owed(owing: Owing) -> None:
    def card(role: str, place: str) -> str:
        page = shown(owing.web.sign_in(role, place), "/")
        found = re.search(r"<span class=\"figure-label\">应赔未赔</span>.*?</li>", page, re.S)
        return "" if found is None else re.sub(r"<[^>]+>|\s", "", found[0])

    with owing.web.database.reading() as session:
        total = int(session.scalar(select(func.sum(OwedRow.payable_fen))) or 0)
    assert card("CENTER_LEAD", COUNTY) == f"应赔未赔2人合计{Money(total).grouped}元"
    mine = owing.row(date(2020, 11, 1)).payable_fen
    assert card("VILLAGE_OFFICER", owing.village) == f"应赔未赔1人合计{Money(mine).grouped}元"
    assert card("FIN_MAKER", COUNTY) == ""


def test_the_api_lists_what_is_owed_within_the_tokens_place(owing: Owing) -> None:
    every = caller(owing.web, "CENTER_CERTIFIER").data("/owed")["rows"]
    assert [row["event_on"] for row in every] == ["2020-05-20", "2020-11-01"]
    row = every[1]
    assert row["amount"] == yuan_text(owing.row(date(2020, 11, 1)).payable_fen)
    assert row["person"]["id_number"] == id_number_for(Audience.OFFICER, owing.first.id_number)
    assert row["papers"] and row["days_left"] == 131 and row["warning_case"] is None
    village = caller(owing.web, "VILLAGE_OFFICER", owing.village)
    assert [row["event_on"] for row in village.data("/owed")["rows"]] == ["2020-11-01"]
    unknown = village.data("/owed?shown=unknown&line=accident")["rows"]
    assert {(row["amount"], row["missing"]) for row in unknown if row["event_on"] == "2020-09-01"} == {
        (None, "accident_cost")
    }
    assert caller(owing.web, "CENTER_CERTIFIER", scopes=["claims:read"]).get("/owed").status_code == 403


def test_the_list_takes_as_many_statements_for_many_rows_as_for_one(owing: Owing) -> None:
    def counted() -> int:
        client = owing.web.sign_in("CENTER_CERTIFIER")
        with counted_statements(owing.web) as sent:
            shown(client, "/owed")
        return len(sent)

    few = counted()
    with owing.web.database.reading() as session:
        known = [opened(owing.web.sealer, item)[0] for item in standings(session, POLICY).values()]
        assert (session.scalar(select(func.count()).select_from(HouseholdRow)) or 0) > 20
    bills = [
        MedicalRow(f"NEW-{n}", facts.claim.id_number, facts.claim.name, date(2020, 11, 2), 90_000_00, 0, 0, 0)
        for n, facts in enumerate(known, start=10)
        if facts.household is not None
    ]
    owing.deliver("medical", [])
    with owing.web.database.transaction() as session:
        delivery = Delivery(layouts()["medical"], DEPARTMENT, ADDITION, None, "more")
        take_in_delivery(session, owing.web.sealer, actors.SYSTEM, NOW, delivery, map(astuple, bills))
    work_out(owing.web.database, owing.web.sealer, actors.SYSTEM, owing.web.clock)
    assert counted() == few


@pytest.mark.parametrize("installation", ["county_sqlite", "county_postgres"])
def test_the_command_works_the_list_out_for_a_day(request: pytest.FixtureRequest, installation: str) -> None:
    url, key_file = request.getfixturevalue(installation)
    options = ["--database", url, "--key-file", str(key_file), "--as-of", "2020-12-25"]
    done = CliRunner().invoke(cli, ["claims", "owed", *options])
    assert done.exit_code == 0, done.output
    database = Database(url)
    with database.reading() as session:
        rows, unknown = session.execute(
            select(func.count(), func.count().filter(OwedRow.outcome == "unknown"))
        ).one()
        events = session.scalars(select(Event.body).where(Event.action == "owed.worked_out")).all()
    database.close()
    assert rows > 0 and f"费用待查明 {unknown} 条,共测算 {rows} 条" in done.output
    assert len(events) == 1 and "2020-12-25T04:00:00" in events[0]
