"""Rules of early warning: which rows of a department tell of an event, and when its line is reached."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.layouts import layouts
from households.terms import WARNING_LINES
from households.thresholds import thresholds, thresholds_from
from households.warning_rules import (
    Alert,
    SeenRow,
    Sum,
    Who,
    alerts,
    event_of,
    school_year_began,
    school_year_of,
    what_is_borne,
)

AT = datetime(2020, 12, 31, 4, tzinfo=UTC)
POLICY_YEAR = (date(2020, 1, 1), date(2020, 12, 31))
POOR = Who("p", frozenset({"相对贫困户"}), (POLICY_YEAR,))
OTHER = Who("p", frozenset({"重大变故户"}), (POLICY_YEAR,))


def bill(number: str, on: date, total: int, basic: int = 0, known: datetime = AT, **more: Any) -> SeenRow:
    """A settlement in yuan."""
    values = {
        "document_no": number,
        "settled_on": on,
        "total_fen": total * 100,
        "basic_fen": basic * 100,
        "major_fen": 0,
        "aid_fen": 0,
        **more,
    }
    return SeenRow(f"row-{number}-{known:%Y%m%d}", known, on, values)


def row(on: date | None, **values: Any) -> SeenRow:
    return SeenRow(f"row-{on}-{values}", AT, on, values)


def due(found: list[Alert]) -> list[tuple[str, bool]]:
    return [(alert.rule, alert.due) for alert in found]


def test_bills_of_a_policy_year_add_up_and_the_day_is_that_of_the_bill_that_reached_the_line() -> None:
    rows = [bill("2", date(2020, 6, 1), 5000), bill("1", date(2020, 3, 1), 9000, basic=3000)]
    (alert,) = alerts("medical", rows, OTHER, thresholds())
    assert alert.due
    assert alert.event_on == date(2020, 6, 1)
    assert [(told.thing, told.amount_fen) for told in alert.rows] == [("1", 600000), ("2", 500000)]


def test_the_line_is_lower_for_people_who_are_registered_as_poor() -> None:
    rows = [bill("1", date(2020, 3, 1), 5000)]
    assert due(alerts("medical", rows, POOR, thresholds())) == [("self_pay", True)]
    assert due(alerts("medical", rows, OTHER, thresholds())) == [("self_pay", False)]
    assert due(alerts("medical", [bill("1", date(2020, 3, 1), 4999)], POOR, thresholds())) == [
        ("self_pay", False)
    ]


def test_bills_of_two_policy_years_do_not_add_up() -> None:
    rows = [bill("1", date(2019, 12, 31), 6000), bill("2", date(2020, 1, 1), 6000)]
    found = alerts("medical", rows, OTHER, thresholds())
    assert due(found) == [("self_pay", False), ("self_pay", False)]
    assert found[0].event != found[1].event


def test_a_corrected_bill_counts_once_as_it_was_learnt_last() -> None:
    later = datetime(2021, 1, 31, 4, tzinfo=UTC)
    rows = [bill("1", date(2020, 3, 1), 9000), bill("1", date(2020, 3, 1), 2000, known=later)]
    (alert,) = alerts("medical", rows, OTHER, thresholds())
    assert [told.amount_fen for told in alert.rows] == [200000]


def test_a_bill_that_public_payments_exceed_lessens_no_other_one() -> None:
    rows = [bill("1", date(2020, 3, 1), 1000, basic=9000), bill("2", date(2020, 4, 1), 10000)]
    (alert,) = alerts("medical", rows, OTHER, thresholds())
    assert alert.due


@pytest.mark.parametrize(
    ("level", "status", "who", "warned"),
    [
        ("高中", "在籍", POOR, True),
        ("本科", "在籍", POOR, True),
        ("本科", "休学", POOR, False),
        ("小学", "在籍", POOR, False),
        ("本科", "在籍", OTHER, False),
    ],
)
def test_enrolment_warns_of_registered_households_in_senior_and_higher_school(
    level: str, status: str, who: Who, warned: bool
) -> None:
    rows = [row(None, academic_year="2020-2021", school="x", level=level, status=status)]
    found = alerts("education", rows, who, thresholds())
    assert [(alert.event_on, alert.due) for alert in found] == ([(date(2020, 9, 1), True)] if warned else [])


@pytest.mark.parametrize(("aid", "warned"), [(0, True), (100, False)])
def test_the_net_cost_of_school_is_compared(aid: int, warned: bool) -> None:
    values = {
        "academic_year": "2020-2021",
        "tuition_fen": 600000,
        "boarding_fen": 150000,
        "books_fen": 50000,
        "aid_fen": aid,
    }
    (alert,) = alerts("school_costs", [row(None, **values)], OTHER, thresholds())
    assert alert.due is warned


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({"kind": "临时救助", "result": "批准", "amount_fen": 500001}, [("relief", True)]),
        ({"kind": "临时救助", "result": "批准", "amount_fen": 500000}, [("relief", False)]),
        ({"kind": "临时救助", "result": "未批准", "amount_fen": 900000}, []),
        ({"kind": "低保", "result": "未批准", "amount_fen": None}, [("relief_refused", True)]),
        ({"kind": "低保", "result": "批准", "amount_fen": 900000}, []),
    ],
)
def test_relief_above_the_line_and_a_refused_allowance_warn(
    values: dict[str, Any], warned: list[tuple[str, bool]]
) -> None:
    found = alerts("assistance", [row(date(2020, 5, 3), **values)], OTHER, thresholds())
    assert due(found) == warned
    assert all(told.amount_fen is None for alert in found for told in alert.rows)


@pytest.mark.parametrize(("grade", "warned"), [("1", 1), ("2", 1), ("3", 0)])
def test_only_severe_disability_warns(grade: str, warned: int) -> None:
    assert len(alerts("disability", [row(date(2020, 5, 3), grade=grade)], OTHER, thresholds())) == warned


@pytest.mark.parametrize(("grade", "warned"), [("A", 0), ("B", 0), ("C", 1), ("D", 1)])
def test_only_unsafe_houses_warn(grade: str, warned: int) -> None:
    assert len(alerts("dilapidated", [row(date(2020, 5, 3), grade=grade)], OTHER, thresholds())) == warned


def test_every_accident_death_lost_job_and_loss_warns() -> None:
    on = date(2020, 5, 3)
    rows = {
        "accidents": row(on, accident_no="A1", drunk=False),
        "deaths": row(on),
        "unemployment": row(on),
        "serious_illness": row(on),
        "farm_losses": row(on, amount_fen=100),
        "disasters": row(on, amount_fen=0),
    }
    for feed, one in rows.items():
        (alert,) = alerts(feed, [one], OTHER, thresholds())
        assert alert.due, feed


def test_a_feed_without_a_rule_warns_of_nothing() -> None:
    assert alerts("vehicles", [row(date(2020, 5, 3))], OTHER, thresholds()) == []


def test_every_rule_stands_on_a_layout_that_has_its_fields_and_its_words() -> None:
    for feed, rules in thresholds().by_feed.items():
        layout = layouts()[feed]
        for rule in rules:
            fields = [*rule.plus, *rule.less, *rule.where]
            fields += [name for name in (rule.thing, rule.compare) if name is not None]
            for name in fields:
                layout.place(name)
            for name, words in rule.where.items():
                listed = layout.words[layout.place(name)]
                assert not listed or words <= set(listed), (rule.key, name)
            assert rule.line in WARNING_LINES
            assert layout.day >= 0 or rule.event == "school_year", rule.key


def test_a_rule_of_an_unknown_event_is_refused() -> None:
    entry = {"key": "x", "name": ["x", "x"], "feed": "x", "line": "income", "event": "week", "mark": "law"}
    with pytest.raises(ValueError, match="no such event"):
        thresholds_from({"threshold": [entry], "registered": [], "accident_days_apart": 1})


def test_a_village_and_a_department_name_the_same_event_alike() -> None:
    on = date(2020, 10, 5)
    told = {
        "medical": ("illness", "policy_year", bill("1", on, 20000)),
        "education": (
            "education",
            "school_year",
            row(None, academic_year="2020-2021", level="高中", status="在籍"),
        ),
        "deaths": ("accident", "death", row(date(2020, 10, 1))),
        "unemployment": ("income", "month", row(date(2020, 10, 31))),
        "dilapidated": ("income", "housing", row(date(2020, 2, 1), grade="D")),
    }
    for feed, (line, kind, one) in told.items():
        (alert,) = alerts(feed, [one], POOR, thresholds())
        assert alert.event == event_of(line, kind, POOR, on), feed


def test_a_day_outside_every_policy_counts_in_its_calendar_year() -> None:
    assert OTHER.policy_year(date(2019, 5, 1)) == date(2019, 1, 1)
    across = Who("p", frozenset(), ((date(2019, 7, 1), date(2020, 6, 30)),))
    assert across.policy_year(date(2020, 3, 1)) == date(2019, 7, 1)


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_a_school_year_holds_its_days(day: date) -> None:
    began = school_year_began(school_year_of(day))
    assert began <= day < date(began.year + 1, 9, 1)


def test_what_is_borne_counts_a_bill_once_and_a_guess_only_where_no_department_says() -> None:
    later = datetime(2021, 1, 31, 4, tzinfo=UTC)
    guess = Sum(None, None, AT, 700)
    assert what_is_borne([]) is None
    assert what_is_borne([guess, Sum(None, None, later, 500)]) == 700
    assert what_is_borne([guess, Sum("medical", "1", AT, 100), Sum("medical", "2", AT, 30)]) == 130
    assert what_is_borne([Sum("medical", "1", later, 100), Sum("medical", "1", AT, 900)]) == 100
    assert what_is_borne([Sum("farm_losses", None, AT, 100), Sum("disasters", None, AT, 120)]) == 120
    assert what_is_borne([Sum("disasters", None, AT, 50), Sum("disasters", None, AT, 60)]) == 110


_bills = st.lists(
    st.builds(
        bill,
        st.sampled_from("1234"),
        st.dates(date(2019, 11, 1), date(2020, 12, 31)),
        st.integers(0, 20000),
        known=st.sampled_from([AT, datetime(2021, 1, 31, 4, tzinfo=UTC)]),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


@given(_bills, st.randoms())
def test_nothing_depends_on_the_order_of_the_rows(rows: list[SeenRow], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert alerts("medical", rows, POOR, thresholds()) == alerts("medical", shuffled, POOR, thresholds())
