"""The county's standards in the API: the years, one year in full, and what is not there."""

from __future__ import annotations

from policies.queries import first_standards
from policies.services import propose
from policies.standard import reindexed
from tests.policies.approving import AT, CERTIFIER, in_force
from tests.webapp.api_client import caller
from tests.webapp.conftest import Web

COUNTY = first_standards()


def test_the_standards_of_a_year_are_told_in_full(web: Web) -> None:
    with web.database.transaction() as session:
        row = in_force(session)
        propose(session, CERTIFIER, AT, reindexed(COUNTY, 2_079_300))
    program = caller(web, "VILLAGE_OFFICER", "370323100001", scopes=["registry:read"])
    told = program.data("/standards/2020")
    assert told["line"] == {
        "base_name": "2019年农民人均可支配收入",
        "base_year": 2019,
        "base": "19128.00",
        "ratio": "0.33",
        "rounding": "down",
        "unit": "yuan",
        "result": "6312.00",
        "source": COUNTY.line.source,
    }
    by_key = {one["key"]: one for one in told["reverse_standards"]}
    assert by_key["deposit"]["amount_from"] == "50000.00" and by_key["deposit"]["uses"] is None
    assert by_key["housing"]["uses"] == ["商品住宅"] and by_key["housing"]["within_years"] is None
    assert by_key["company"]["statuses"] == ["存续"] and by_key["company"]["capital_from"] == "100000.00"
    assert [reason["key"] for reason in told["reasons"]] == [reason.key for reason in COUNTY.reasons]
    assert told["elderly_from_age"] == 60
    assert (told["id"], told["fingerprint"], told["decided_by"]) == (row.id, COUNTY.fingerprint, "lead")


def test_the_list_has_every_year_with_its_state(web: Web) -> None:
    with web.database.transaction() as session:
        in_force(session)
        propose(session, CERTIFIER, AT, reindexed(COUNTY, 2_079_300))
    listed = caller(web, "AUDITOR").data("/standards")["rows"]
    assert [(one["year"], one["state"], one["line"]) for one in listed] == [
        (2021, "proposed", "6861.00"),
        (2020, "active", "6312.00"),
    ]


def test_a_year_without_standards_in_force_is_not_found(web: Web) -> None:
    with web.database.transaction() as session:
        propose(session, CERTIFIER, AT, COUNTY)
    program = caller(web, "AUDITOR")
    for year in ("2020", "1999", "0", "9" * 30):
        assert program.get(f"/standards/{year}").status_code == 404


def test_a_tag_saves_the_body(web: Web) -> None:
    with web.database.transaction() as session:
        in_force(session)
    program = caller(web, "AUDITOR")
    tag = program.get("/standards/2020").headers["ETag"]
    assert program.get("/standards/2020", If_None_Match=tag).status_code == 304


def test_a_token_without_the_scope_is_refused(web: Web) -> None:
    program = caller(web, "AUDITOR", scopes=["claims:read"])
    assert program.get("/standards").status_code == 403
