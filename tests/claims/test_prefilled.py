"""A claim out of a department's row: what is known is filled in, nothing is made up."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from claims.facts import Claim
from claims.prefilled import claim_from_row, papers_known
from households.feeds import AccidentRow, DeathRow, EducationRow, MedicalRow

WHO = "370323197001010013"
ON = date(2020, 5, 10)


def made(feed: str, row: Any) -> Claim | None:
    return claim_from_row(
        feed, row, claim_no="N1", notified_on=date(2020, 6, 1), name="王五", evidence=("身份证",)
    )


def test_a_settlement_is_an_illness_claim_of_what_public_payments_left() -> None:
    claim = made("medical", MedicalRow("YB1", WHO, "另名", ON, 100_00, 30_00, 20_00, 10_00))
    assert claim is not None
    assert (claim.line, claim.benefit, claim.document_no, claim.event_on) == ("illness", "medical", "YB1", ON)
    assert (claim.measure_fen, claim.total_fen, claim.other_fen, claim.cause) == (40_00, 100_00, 0, None)
    assert (claim.name, claim.id_number, claim.evidence, claim.channel) == (
        "王五",
        WHO,
        ("身份证",),
        "部门预警",
    )


def test_a_settlement_that_public_payments_exceed_is_no_claim() -> None:
    assert made("medical", MedicalRow("YB1", WHO, "王五", ON, 10_00, 30_00, 0, 0)) is None


def test_an_enrolment_is_an_education_claim_from_the_school_year_s_first_day_without_its_cost() -> None:
    claim = made("education", EducationRow(WHO, "王五", "2020-2021", "某校", "本科", "在籍"))
    assert claim is not None
    assert (claim.line, claim.benefit, claim.event_on) == ("education", "tuition", date(2020, 9, 1))
    assert (claim.academic_year, claim.school, claim.level, claim.measure_fen) == (
        "2020-2021",
        "某校",
        "本科",
        0,
    )
    assert made("education", EducationRow(WHO, "王五", "2020-2021", "某校", "本科", "休学")) is None


def test_an_accident_has_its_number_and_cause_and_a_death_no_cause() -> None:
    claim = made("accidents", AccidentRow("SG1", WHO, ON, drunk=False))
    assert claim is not None
    assert (claim.accident_no, claim.cause, claim.benefit) == ("SG1", "交通事故", "medical")
    death = made("deaths", DeathRow(WHO, "王五", ON))
    assert death is not None
    assert (death.line, death.benefit, death.cause, death.accident_no) == ("accident", "death", None, None)


@pytest.mark.parametrize("feed", ["vehicles", "kin", "nothing"])
def test_other_feeds_make_no_claims(feed: str) -> None:
    assert made(feed, DeathRow(WHO, "王五", ON)) is None


def test_a_row_stands_for_its_paper_once() -> None:
    assert papers_known(["medical", "deaths", "medical", "vehicles"]) == ("费用结算单", "死亡证明")
