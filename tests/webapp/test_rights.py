"""The access matrix, written out a second time: every route, role and place. Two tables that differ are a finding.

A letter group is who may call the route: V village officer, T town reviewer, Z centre certifier, L centre lead, D department,
G leading group, C claim officer, J adjudicator, S senior adjudicator, M maker, K checker, R releaser, B reconciler, A auditor,
1 system, 2 security, 3 log administrator. After it the places: v village, t town, c county.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from foundation.actors import Role
from tests.webapp.api_client import caller
from tests.webapp.conftest import COUNTY, Web, csrf
from webapp.rights import routes

LETTERS = {
    "V": "VILLAGE_OFFICER", "T": "TOWN_REVIEWER", "Z": "CENTER_CERTIFIER", "L": "CENTER_LEAD", "D": "DEPARTMENT",
    "G": "LEADING_GROUP", "C": "CLAIM_OFFICER", "J": "ADJUDICATOR", "S": "ADJ_SENIOR", "M": "FIN_MAKER",
    "K": "FIN_CHECKER", "R": "FIN_RELEASER", "B": "RECON", "A": "AUDITOR", "1": "SYS_ADMIN", "2": "SEC_ADMIN",
    "3": "LOG_ADMIN",
}  # fmt: skip
EVERYBODY = "".join(LETTERS)

MATRIX = f"""
GET   home.home                  {EVERYBODY} vtc
GET   account.own                {EVERYBODY} vtc
GET   dashboard.shown            VTZLGCA vtc
GET   account.step_up            {EVERYBODY} vtc
POST  account.step_up            {EVERYBODY} vtc
POST  account.switch_role        {EVERYBODY} vtc
POST  account.end_session        {EVERYBODY} vtc
GET   tokens.listed              {EVERYBODY} vtc
POST  tokens.make_token          {EVERYBODY} vtc
POST  tokens.revoke_token        {EVERYBODY} vtc
GET   staff.people               2A c
GET   staff.person               2A c
GET   staff.waiting              2A c
POST  staff.declare_kin          2 c
POST  staff.add_person           2 c
POST  staff.add_account          2 c
POST  staff.set_state            2 c
POST  staff.reset_password       2 c
POST  staff.reset_second_factor  2 c
POST  staff.ask_role             2 c
POST  staff.ask_limit            2 c
POST  staff.decide               2 c
POST  staff.end                  2 c
GET   trail.listed               A23 c
GET   trail.blocks               A23 c
GET   trail.event                A23 c
GET   trail.event_proof          A23 c
GET   trail.consistency          A23 c
GET   trail.case                 A23 c
GET   trail.progress             A23 c
POST  trail.verify_now           A23 c
POST  trail.export               A3 c
GET   consents.listed            VTZLCJSA vtc
GET   consents.shown             VTZLCJSA vtc
GET   assessments.listed         2A c
GET   assessments.shown          2A c
POST  assessments.add            2 c
GET   keys.listed                2A c
GET   keys.progress              2A c
POST  keys.rotate                2 c
POST  keys.retire                2 c
GET   retention.listed           2A c
GET   retention.destroyed        2A c
POST  retention.ask              2 c
POST  retention.decide           2 c
POST  retention.again            2 c
POST  retention.hold             2 c
POST  retention.lift             2 c
GET   jobs.listed                1ZCMKRB c
POST  jobs.again                 1 c
GET   claims.listed              VTZLCJSA vtc
POST  claims.find                VTZLCJSA vtc
GET   claims.shown               VTZLCJSA vtc
GET   claims.masked_again        ZCJSA vtc
POST  claims.full                ZCJSA vtc
POST  claims.export              ZLCJSA vtc
GET   packs.listed               ZCA c
POST  packs.upload               ZC c
GET   packs.shown                ZCA c
POST  packs.errors               ZC c
GET   packs.progress             ZCA c
POST  packs.again                ZC c
POST  packs.take_in              ZC c
POST  packs.discard              ZC c
GET   standards.listed           VTZLGCJSA vtc
GET   standards.shown            VTZLGCJSA vtc
GET   standards.blank            ZL c
POST  standards.add              ZL c
POST  standards.next_year        ZL c
POST  standards.decided          LG c
GET   feeds.listed               DLGZA c
GET   feeds.shown                DLGZA c
GET   feeds.template             DLGZA c
POST  feeds.upload               DZ c
GET   feeds.uploaded             DLZA c
GET   feeds.progress             DLZA c
POST  feeds.errors               DZ c
POST  feeds.take_in              DZ c
POST  feeds.again                DZ c
POST  feeds.discard              DZ c
GET   owed.listed                VTZLCJSA vtc
GET   owed.shown                 VTZLCJSA vtc
POST  owed.opened                VTZLC vtc
POST  owed.again                 ZL c
POST  owed.export                TZLCA vtc
GET   households.listed          VTZLCJSA vtc
POST  households.find            VTZLCJSA vtc
GET   households.shown           VTZLCJSA vtc
GET   households.masked_again    ZCJSA vtc
POST  households.full            ZCJSA vtc
GET   households.as_of           VTZLCJSA vtc
GET   households.changes.offered VT vtc
GET   households.changes.blank   VT vtc
POST  households.changes.entered VT vtc
GET   households.proposals.listed    VTZLCJSA vtc
GET   households.proposals.shown     VTZLCJSA vtc
POST  households.proposals.decided   TZL vtc
POST  households.proposals.withdrawn VTZ vtc
POST  households.proposals.paper     VTZLA vtc
GET   households.tasks.listed    VTZLCJSA vtc
GET   households.tasks.shown     VTZLCJSA vtc
POST  households.tasks.settled   TZL vtc
GET   warnings.listed            VTZLCJSA vtc
GET   warnings.shown             VTZLCJSA vtc
POST  warnings.dismissed         TZLC vtc
POST  warnings.transferred       TZLC vtc
POST  warnings.reopened          TZLC vtc
POST  warnings.photo             VTZLCJSA vtc
GET   warning_reports.whom       VTZC vtc
POST  warning_reports.found      VTZC vtc
GET   warning_reports.blank      VTZC vtc
POST  warning_reports.add        VTZC vtc
GET   warning_reports.blank_stranger  VTZC vtc
POST  warning_reports.add_stranger    VTZC vtc
GET   claim_forms.shown          VTZLCJSA vtc
POST  claim_forms.ask            VTZC vtc
GET   comparison.listed          VTZLCJSA vtc
GET   comparison.progress        VTZLCJSA vtc
POST  comparison.one_household   Z c
POST  comparison.everyone        Z c
POST  comparison.listed_people   Z c
POST  comparison.check           A c
GET   comparison.runs.shown      VTZLCJSA vtc
GET   comparison.runs.household  VTZLCJSA vtc
GET   comparison.runs.changed    VTZLCJSA vtc
POST  comparison.runs.export     ZLCJSA vtc
POST  comparison.runs.export_changed  ZLCJSA vtc
GET   clearances.blank           VTZ vtc
POST  clearances.ask             VTZ vtc
GET   recognitions.listed        VTZLCJSA vtc
GET   recognitions.blank         VT vtc
POST  recognitions.add           VT vtc
GET   recognitions.shown         VTZLCJSA vtc
POST  recognitions.decided       ZL c
POST  recognitions.reviewed      VTL vtc
POST  recognitions.leave         ZL c
POST  recognitions.measure       VTZL vtc
POST  recognitions.paper         VTZLCJSA vtc
GET   ledgers.shown              VTZLCJSA vtc
POST  ledgers.export             VTZLA vtc
GET   certificates.blank         VTZLC vtc
POST  certificates.ask           VTZLC vtc
GET   payments.batches           LMKRBA c
GET   payments.batch             LMKRBA c
GET   payments.masked_again      MKRB c
POST  payments.full              MKRB c
POST  payments.take_file         MKR c
GET   reports.documents          LMKRBACJSZVT vtc
POST  reports.ask_notice         VTZLC vtc
GET   reports.document           LMKRBACJSZVT vtc
POST  reports.hand_out           LMKRBACJSZVT vtc
GET   exports.listed             LMKRBACJSZVT23 vtc
POST  exports.decide             L2 c
GET   access.listed              2A3 c
"""
"""Method, route, who, from which places."""

OPEN = {
    ("static", "GET"), ("health.live", "GET"), ("health.ready", "GET"), ("health.metrics_page", "GET"),
    ("account.language", "POST"), ("account.theme", "POST"), ("account.sign_in", "GET"), ("account.sign_in", "POST"),
    ("account.second_factor", "GET"), ("account.second_factor", "POST"), ("account.enrol", "GET"),
    ("account.enrol", "POST"), ("account.new_password", "GET"), ("account.new_password", "POST"),
    ("account.sign_out", "POST"),
}  # fmt: skip
"""Routes on the way in and out: no role is asked for."""


@dataclass(frozen=True)
class Row:
    method: str
    endpoint: str
    roles: frozenset[Role]
    places: frozenset[int]


def rows() -> list[Row]:
    found = []
    for line in MATRIX.strip().splitlines():
        method, endpoint, letters, places = line.split()
        digits = frozenset({"v": 12, "t": 9, "c": 6}[place] for place in places)
        found.append(Row(method, endpoint, frozenset(Role(LETTERS[letter]) for letter in letters), digits))
    return found


def test_the_matrix_knows_every_route_of_the_pages_and_no_other(web: Web) -> None:
    known = {(row.endpoint, row.method) for row in rows()} | OPEN
    there = {route for route in routes(web.app) if not route[0].startswith("api")}
    assert known == there


def test_every_role_has_a_letter() -> None:
    assert {Role(name) for name in LETTERS.values()} == set(Role) - {Role.SYSTEM}


@dataclass(frozen=True)
class Places:
    """A claim that has a letter, and places that hold it or do not."""

    village: str
    claim_id: str
    document_id: str

    @property
    def holding(self) -> tuple[str, ...]:
        return self.village, self.village[:9], COUNTY

    @property
    def others(self) -> tuple[str, ...]:
        sibling = self.village[:9] + f"{(int(self.village[9:]) + 1) % 1000:03d}"
        return sibling, COUNTY + f"{(int(self.village[6:9]) + 1) % 1000:03d}"


def a_claim(web: Web) -> Places:
    with web.database.reading() as session:
        row = session.execute(
            text(
                "SELECT household.village_code, claim.id, issued_document.id FROM claim "
                "JOIN household ON household.id = claim.household_id JOIN determination ON determination.claim_id = claim.id "
                "JOIN issued_document ON issued_document.subject_id = determination.id ORDER BY claim.claim_no LIMIT 1"
            )
        ).one()
        return Places(*row)


def address(web: Web, endpoint: str, method: str, places: Places) -> str:
    rule = next(
        rule
        for rule in web.app.url_map.iter_rules()
        if rule.endpoint == endpoint and method in (rule.methods or set())
    )
    ids = {"claim_id": places.claim_id, "document_id": places.document_id}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ids.get(found[1], "0" * 32), str(rule))


def called(client: FlaskClient, method: str, url: str, token: str) -> int:
    if method == "GET":
        return client.get(url).status_code
    return client.post(url, data={"csrf_token": token}).status_code


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM], ids=str)
def test_every_route_answers_a_role_at_each_place_as_the_matrix_says(county: Web, role: Role) -> None:
    places = a_claim(county)
    wrong = []
    for place in (*places.holding, *places.others):
        client = county.sign_in(role, place)
        token = csrf(client)
        for row in rows():
            if row.endpoint in ("account.switch_role", "account.end_session", "tokens.revoke_token"):
                continue  # their own tests; an odd request would end this very session
            status = called(client, row.method, address(county, row.endpoint, row.method, places), token)
            allowed = role in row.roles and len(place) in row.places
            if (status == 403) == allowed or status >= 500 or status == 401:
                wrong.append(f"{row.method} {row.endpoint} {role} at {place}: {status}")
            if allowed and row.endpoint in ("claims.shown", "reports.hand_out"):
                letter_for = row.endpoint == "claims.shown" or role not in {
                    Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON,
                }  # fmt: skip
                seen = 200 if place in places.holding and letter_for else 404
                if status != seen:
                    wrong.append(f"{row.method} {row.endpoint} {role} at {place}: {status}, not {seen}")
    assert not wrong


def test_what_does_not_exist_and_what_lies_elsewhere_answer_alike(county: Web) -> None:
    places = a_claim(county)
    client = county.sign_in("TOWN_REVIEWER", places.others[1])
    elsewhere = client.get(f"/claims/{places.claim_id}")
    nowhere = client.get(f"/claims/{'0' * 32}")
    assert elsewhere.status_code == nowhere.status_code == 404
    number = re.compile("[0-9a-f]{16}|nonce-[^']+")
    assert number.sub("", elsewhere.get_data(as_text=True)) == number.sub("", nowhere.get_data(as_text=True))


API = """
GET   /accounts                   2A c
GET   /accounts/{account}         2A c
PATCH /accounts/{account}         2 c
GET   /claims                     VTZLCJSA vtc
GET   /claims/{claim}             VTZLCJSA vtc
POST  /claims/{claim}/full-view   ZCJSA vtc
GET   /owed                       VTZLCJSA vtc
GET   /feeds                      DLGZA c
GET   /feeds/{feed}               DLGZA c
POST  /feeds/{feed}/deliveries    DZ c
GET   /feed-uploads/{upload}      DLZA c
GET   /batches                    LMKRBA c
GET   /batches/{batch}            LMKRBA c
GET   /dashboard                  VTZLGCA vtc
GET   /standards                  VTZLGCJSA vtc
GET   /standards/{year}           VTZLGCJSA vtc
GET   /households                 VTZLCJSA vtc
GET   /households/{household}     VTZLCJSA vtc
POST  /households/eligibility     VTZLCJSA vtc
GET   /warnings                   VTZLCJSA vtc
GET   /warnings/{case}            VTZLCJSA vtc
POST  /warnings                   VTZC vtc
GET   /comparisons                VTZLCJSA vtc
POST  /comparisons                Z c
GET   /comparisons/{run}          VTZLCJSA vtc
GET   /recognitions               VTZLCJSA vtc
GET   /recognitions/{spell}       VTZLCJSA vtc
GET   /trail                      A23 c
GET   /trail/events               A23 c
GET   /trail/events/{event}       A23 c
GET   /trail/blocks               A23 c
GET   /me                         VTZLDGCJSMKRBA123 vtc
"""
"""The same for the API, by a token with every scope."""


def test_the_matrix_knows_every_route_of_the_api(web: Web) -> None:
    named = {re.sub("{[a-z]+}", "<>", line.split()[1]) for line in API.strip().splitlines()}
    there = {
        re.sub("<[^>]+>", "<>", str(rule)).removeprefix("/api/v1")
        for rule in web.app.url_map.iter_rules()
        if rule.endpoint.startswith("api") and not rule.endpoint.startswith("api_docs")
    }
    assert named == there


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM], ids=str)
def test_the_api_answers_a_role_at_each_place_as_the_matrix_says(county: Web, role: Role) -> None:
    places = a_claim(county)
    with county.database.reading() as session:
        batch = str(session.scalar(text("SELECT id FROM batch LIMIT 1")))
    wrong = []
    for place in (*places.holding, *places.others):
        program = caller(county, role, place)
        for line in API.strip().splitlines():
            method, path, letters, where = line.split()
            address = path.format(
                account="0" * 32, claim=places.claim_id, batch=batch, event=1, year=2020, feed="medical",
                upload="0" * 32, run="0" * 32, spell="0" * 32, case="0" * 32,
                household="0" * 32,
            )  # fmt: skip
            if method == "GET":
                answer = program.get(address)
            elif method == "POST":
                answer = program.post(address, {"purpose": "audit" if role is Role.AUDITOR else "identity"})
            else:
                answer = program.patch(address, {"state": "disabled"})
            allowed = role in {Role(LETTERS[letter]) for letter in letters}
            allowed = allowed and {12: "v", 9: "t", 6: "c"}[len(place)] in where
            status = answer.status_code
            if (status == 403) == allowed or status >= 500 or status == 401:
                wrong.append(f"{line} {role} at {place}: {status}")
            if allowed and "{claim}" in path and status != (200 if place in places.holding else 404):
                wrong.append(f"{line} {role} at {place}: {status}")
    assert not wrong
