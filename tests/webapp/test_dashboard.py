"""The county at a glance: every figure is what the tables say, of one's place and no other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from claims.models import OwedRow
from foundation.database import Database
from foundation.errors import ConfigurationError
from households.key_villages import key_villages
from households.layouts import layouts
from households.models.feeds import FeedRow
from households.models.people import Cover, HouseholdRow, Income, Membership, Person
from households.models.recognition import Recognition
from households.models.two_times import REGISTER, believed
from households.models.warnings import WarningCase, WarningReport
from households.services.deliveries import Delivery, take_in_delivery
from policies.models import MasterPolicy
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, Web
from webapp.dashboard_queries import Dashboard, dashboard
from webapp.demo_actors import SYSTEM

DAY = date(2020, 12, 31)
AT = datetime(2020, 12, 31, 4, tzinfo=UTC)


def recognised(session: Any, household_id: str, number: int, cause: str) -> Recognition:
    return Recognition(
        id=f"{number:032x}",
        number=f"RD-{number}",
        household_id=household_id,
        state="active",
        basis="quantitative",
        reasons="",
        cause=cause,
        track="relief",
        standard_year=2020,
        surveyed_on=date(2020, 2, 1),
        surveyors="甲、乙",
        appraised_on=date(2020, 2, 3),
        appraisal="20/19",
        notice_from=date(2020, 2, 4),
        notice_to=date(2020, 2, 11),
        evidence=None,
        sealed="sealed",
        digest="digest",
        follows=None,
        proposed_by="one",
        proposed_at=AT,
        decided_by="another",
        decided_at=AT,
        started_on=date(2020, 2, 12),
        review_due=date(2020, 8, 12),
        changed_at=AT,
    )


@pytest.fixture
def families(county: Web) -> list[HouseholdRow]:
    """Three households of the small pack, recognised: two for illness, one for schooling; two of one village."""
    with county.database.transaction() as session:
        first = session.scalars(select(HouseholdRow).order_by(HouseholdRow.village_code).limit(2)).all()
        last = session.scalars(select(HouseholdRow).order_by(HouseholdRow.village_code.desc()).limit(1)).one()
        homes = [*first, last]
        for number, (home, cause) in enumerate(zip(homes, ("illness", "illness", "education"), strict=True)):
            session.add(recognised(session, home.id, number, cause))
        session.flush()
        session.add(
            Income(
                id="income-1",
                household_id=last.id,
                policy_number=None,
                main_source="wages",
                sealed="sealed",
                digest="digest",
                source=REGISTER,
                known_at=AT,
                valid_from=date(2020, 1, 1),
            )
        )
    return homes


def looked(web: Web, place: str, day: date = DAY, at: datetime = AT) -> Dashboard:
    with web.database.reading() as session:
        return dashboard(session, web.sealer, place, day, at)


def counted(database: Database, query: Any) -> int:
    with database.reading() as session:
        return int(session.scalar(query) or 0)


def test_people_and_cover_are_those_of_the_register(county: Web) -> None:
    found = looked(county, COUNTY)
    assert found.totals.people == counted(
        county.database, select(func.count(func.distinct(Membership.person_id))).where(believed(Membership))
    )
    in_force = believed(Cover) & (Cover.cover_from <= DAY) & (Cover.cover_to >= DAY)
    assert found.totals.covered == counted(
        county.database, select(func.count(func.distinct(Cover.person_id))).where(in_force)
    )
    assert 0 < found.totals.covered < found.totals.people
    assert looked(county, COUNTY, DAY + timedelta(days=400)).totals.covered == 0


def test_towns_add_up_to_the_county_and_villages_to_their_town(county: Web) -> None:
    found = looked(county, COUNTY)
    with county.database.reading() as session:
        codes = dict(
            session.execute(
                select(HouseholdRow.town, func.min(HouseholdRow.village_code)).group_by(HouseholdRow.town)
            ).all()
        )
    for town in found.places:
        inside = looked(county, codes[town.name][:9])
        assert (inside.totals.people, inside.totals.covered) == (town.people, town.covered)


def test_recognised_households_are_counted_by_place_cause_source_and_age(
    county: Web, families: list[HouseholdRow]
) -> None:
    found = looked(county, COUNTY)
    assert found.totals.at_risk_households == 3
    assert dict(found.causes) == {"illness": 2, "education": 1}
    assert dict(found.sources) == {None: 2, "wages": 1}
    assert found.reviews_overdue == 3
    with county.database.reading() as session:
        numbers = [
            county.sealer.reveal("person", "sealed", row.id, row.sealed)
            for row in session.scalars(
                select(Person)
                .join(Membership, Membership.person_id == Person.id)
                .where(Membership.household_id.in_([home.id for home in families]))
            )
        ]
    ages = [2020 - int(text.split('"id_number":"')[1][6:10]) for text in numbers]
    assert found.totals.at_risk_people == len(ages)
    assert found.bands[60, 70] == sum(60 <= age < 70 for age in ages)
    assert found.bands[70, 80] == sum(70 <= age < 80 for age in ages)
    assert found.bands[80, None] == sum(age >= 80 for age in ages)
    village = looked(county, families[0].village_code)
    assert village.totals.at_risk_households == 2 and dict(village.causes) == {"illness": 2}


def test_open_cases_owed_sums_and_lags_are_of_the_place(county: Web, families: list[HouseholdRow]) -> None:
    home = families[0]
    with county.database.transaction() as session:
        person = session.scalars(select(Cover).where(Cover.household_id == home.id).limit(1)).one()
        for number, state in enumerate(("open", "open", "dismissed")):
            session.add(
                WarningCase(
                    id=f"case-{number}",
                    number=f"YJ-{number}",
                    household_id=home.id,
                    person_id=person.person_id,
                    village_code=home.village_code,
                    line="illness" if number else "accident",
                    event_key=f"event-{number}",
                    event_on=date(2020, 6, 1),
                    amount_fen=1_000_00,
                    state=state,
                    opened_at=AT,
                    closed_at=None if state == "open" else AT,
                    closed_by=None if state == "open" else "one",
                    changed_at=AT,
                )
            )
        session.flush()
        for number, lag in enumerate((3, 5, 90)):
            session.add(
                WarningReport(
                    id=f"report-{number}",
                    case_id="case-0",
                    channel="village",
                    reported_at=AT,
                    reported_by="one",
                    lag_days=lag,
                    sealed="sealed",
                    digest="digest",
                )
            )
        row = session.scalars(select(FeedRow.id).limit(1)).one()
        policy = session.scalars(select(MasterPolicy.id).limit(1)).one()
        for benefit, outcome in (("medical", "approve"), ("property", "refer")):
            session.add(
                OwedRow(
                    id=f"owed-{benefit}",
                    feed_row_id=row,
                    benefit=benefit,
                    policy_number="P",
                    policy_id=policy,
                    household_id=home.id,
                    person_id=person.person_id,
                    village_code=home.village_code,
                    line="illness",
                    event_on=date(2020, 6, 1),
                    outcome=outcome,
                    payable_fen=123_45,
                    reasons="",
                    report_by=DAY,
                    computed_at=AT,
                )
            )
    found = looked(county, home.village_code)
    assert (found.totals.open_cases, found.totals.owed, found.totals.owed_fen) == (2, 1, 123_45)
    assert dict(found.cases) == {"illness": 1, "education": 0, "accident": 1, "income": 0}
    assert [(lag.channel, lag.reports, lag.median) for lag in found.lags] == [("village", 3, 5)]
    other = looked(county, families[2].village_code)
    assert (other.totals.open_cases, other.totals.owed, list(other.lags)) == (0, 0, [])


def test_page_and_api_show_the_same_figures(county: Web, families: list[HouseholdRow]) -> None:
    page = county.sign_in("CENTER_LEAD").get("/dashboard?on=2020-12-31")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    found = looked(county, COUNTY, at=county.clock.at)
    assert f">{found.totals.covered}<" in text and "因病" in text and "<svg" in text
    data = caller(county, "CENTER_LEAD").data("/dashboard?on=2020-12-31")
    assert data["total"]["covered"] == found.totals.covered
    assert data["causes"] == {"illness": 2, "education": 1}
    assert {row["department"]: (row["feeds"], row["days"]) for row in data["late"]} == dict(found.late)
    assert [row["name"] for row in data["places"]] == [row.name for row in found.places]


def test_departments_that_have_sent_nothing_are_late_and_one_that_has_is_not(county: Web) -> None:
    before = dict(looked(county, COUNTY).late)
    assert before["CIVIL"][0] == 2
    with county.database.transaction() as session:
        assistance = Delivery(layouts()["assistance"], "", "full", date(2020, 12, 30), "a")
        take_in_delivery(session, county.sealer, SYSTEM, AT, assistance, [])
    after = dict(looked(county, COUNTY).late)
    assert after["CIVIL"][0] == 1
    assert {key: late for key, late in after.items() if key != "CIVIL"} == {
        key: late for key, late in before.items() if key != "CIVIL"
    }


def test_a_village_sees_its_own_figures_only(county: Web, families: list[HouseholdRow]) -> None:
    village = families[0].village_code
    data = caller(county, "VILLAGE_OFFICER", village).data("/dashboard?on=2020-12-31")
    assert [row["name"] for row in data["places"]] == [families[0].village]
    assert data["total"]["at_risk_households"] == 2


def test_households_in_key_villages_are_counted_once_the_county_names_them(
    county: Web, families: list[HouseholdRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked(county, COUNTY).key_villages is None
    page = county.sign_in("CENTER_LEAD").get("/dashboard").get_data(as_text=True)
    assert "县里尚未提供重点村名单" in page
    named = tmp_path / "villages.txt"
    named.write_text(f"# 重点村\n\n{families[0].village_code} 某村\n", encoding="utf-8-sig")
    monkeypatch.setenv("FANGPIN_KEY_VILLAGES", str(named))
    inside = sum(home.village_code == families[0].village_code for home in families)
    assert looked(county, COUNTY).key_villages == (inside, 3 - inside)
    assert 0 < inside < 3
    page = county.sign_in("CENTER_LEAD").get("/dashboard").get_data(as_text=True)
    assert "相对贫困户在重点村" in page and "其他村" in page


@pytest.mark.parametrize("content", ["37032310100 十一位\n", "某村 370323101001\n", None])
def test_a_list_of_key_villages_that_cannot_be_read_is_refused_by_its_line(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "villages.txt"
    if content is not None:
        named.write_text(f"370323101001\n{content}", encoding="utf-8")
    monkeypatch.setenv("FANGPIN_KEY_VILLAGES", str(named))
    with pytest.raises(ConfigurationError, match="line 2" if content else "cannot be read"):
        key_villages()


def test_figures_lead_to_the_lists_of_what_they_count_for_those_who_may_see_them(county: Web) -> None:
    page = county.sign_in("CENTER_LEAD").get("/dashboard").get_data(as_text=True)
    for path in ("/households", "/recognitions?standing=active", "/warnings?state=open", "/owed"):
        assert f'<a href="{path}">' in page, path
        assert county.sign_in("CENTER_LEAD").get(path).status_code == 200
