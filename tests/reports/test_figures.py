"""The figures of the reports agree with the pack, with plain SQL over the tables, and with themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from claims.adjudication import Decision, decide
from claims.facts import Facts
from foundation.identifiers import birth_date, sex
from foundation.masking import is_minor
from payments.models import Batch
from payments.queries import batch_lines
from policies.policy import Policy
from reports.audit import Approved, audit_figures, same_document, same_household_income
from reports.audit_tests import duplicate_tests, segregation_tests
from reports.figures import AuditFigures
from reports.people import age_on
from reports.programme import programme_figures
from reports.queries import batch_figures, case_figures
from tests.reports.county import FUND, County

DAY = date(2020, 12, 31)
"""On which the county was determined."""


def audited(county: County) -> AuditFigures:
    with county.database.reading() as session:
        return audit_figures(session, county.sealer, county.policy.number)


def test_programme_figures_are_those_of_the_pack(county: County) -> None:
    with county.database.reading() as session:
        found = programme_figures(session, county.sealer, county.policy.number)
    made = [(item.facts, item.decision) for item in county.decided]
    outcomes = Counter(decision.outcome for _, decision in made)
    approved = [(facts, decision) for facts, decision in made if decision.outcome == "approve"]
    total = found.total
    assert (total.claims, total.approved, total.rejected, total.supplement, total.refer) == (
        len(made),
        outcomes["approve"],
        outcomes["reject"],
        outcomes["supplement"],
        outcomes["refer"],
    )
    assert total.people == len({facts.claim.id_number for facts, _ in approved})
    assert total.amount_fen == sum(decision.payable_fen for _, decision in approved)
    by_line = Counter(
        county.policy.on(facts.claim.event_on).lines[facts.claim.line].title for facts, _ in made
    )
    assert {tally.name: tally.claims for tally in found.by_line} == by_line
    by_sex = Counter({"male": "男", "female": "女"}[sex(facts.claim.id_number)] for facts, _ in made)
    assert {tally.name: tally.claims for tally in found.by_sex} == by_sex
    assert found.received_fen == FUND
    assert found.sent_fen == total.amount_fen
    assert found.last_determined_on == date(2020, 12, 31)


def test_every_table_of_the_programme_adds_up_to_the_same_totals(county: County) -> None:
    with county.database.reading() as session:
        found = programme_figures(session, county.sealer, county.policy.number)
    for table in (found.by_line, found.by_town, found.by_age, found.by_sex, found.by_category):
        for name in ("claims", "approved", "rejected", "supplement", "refer", "amount_fen"):
            assert sum(getattr(row, name) for row in table) == getattr(found.total, name), name
    # A person may have an approved claim on two lines, and is one person of one sex all the same.
    assert sum(row.people for row in found.by_sex) == found.total.people
    assert sum(row.people for row in found.by_line) >= found.total.people
    assert sum(found.covered_by_town.values()) == found.covered_people
    assert sum(found.covered_by_category.values()) == found.covered_people


def test_programme_figures_agree_with_plain_sql(county: County) -> None:
    def rows(sql: str) -> list[tuple[object, ...]]:
        with county.database.reading() as session:
            return [tuple(row) for row in session.execute(text(sql))]

    with county.database.reading() as session:
        found = programme_figures(session, county.sealer, county.policy.number)
    assert rows("SELECT COUNT(*) FROM cover") == [(found.covered_people,)]
    assert rows("SELECT COUNT(DISTINCT household_id) FROM cover") == [(found.covered_households,)]
    determined = rows(
        "SELECT claim.town, COUNT(*), SUM(determination.amount_fen) FROM determination "
        "JOIN claim ON claim.id = determination.claim_id WHERE determination.outcome = 'approve' GROUP BY claim.town"
    )
    ours = {row.name: (row.approved, row.amount_fen) for row in found.by_town if row.approved}
    assert {town: (count, int(str(amount))) for town, count, amount in determined} == ours
    waiting = "SELECT COUNT(*) FROM claim WHERE state = 'review'"
    assert rows(waiting) == [(found.total.supplement + found.total.refer,)]


def test_towns_come_in_the_order_of_their_codes(county: County) -> None:
    with county.database.reading() as session:
        found = programme_figures(session, county.sealer, county.policy.number)
        rows = session.execute(text("SELECT town, MIN(village_code) FROM household GROUP BY town")).all()
    by_code = [town for _, town in sorted((code, town) for town, code in rows)]
    named = [row.name for row in found.by_town if row.name in by_code]
    assert named == [town for town in by_code if town in named]


def test_batch_figures_agree_with_the_batch(county: County) -> None:
    with county.database.reading() as session:
        found = batch_figures(session, county.sealer, county.batch_id)
        batch = session.get_one(Batch, county.batch_id)
        assert (found.payments, found.total_fen) == (batch.payments, batch.total_fen)
    assert len(found.lines) == found.payments
    assert sum(line.amount_fen for line in found.lines) == found.total_fen
    assert [line.sequence for line in found.lines] == list(range(1, found.payments + 1))
    assert [file.format for file in found.files] == ["pain.001.001.09", "disbursement_csv"]
    for line in found.lines:
        assert line.payee_account.startswith("****")


def test_letter_figures_are_those_of_the_decisions(county: County) -> None:
    ids = county.determinations()
    with county.database.reading() as session:
        found = case_figures(session, county.sealer, ids)
    made = {item.decision.claim_no: item for item in county.decided}
    assert [case.determination_id for case in found] == ids
    for case in found:
        facts, decision = made[case.claim_no].facts, made[case.claim_no].decision
        assert (case.outcome, case.amount_fen) == (decision.outcome, decision.payable_fen)
        assert case.payee_name == decision.payee_name
        assert case.age == age_on(birth_date(facts.claim.id_number), date(2020, 12, 31))
        assert facts.claim.id_number not in case.id_number
        assert [reason.code for reason in case.words.reasons if reason.code not in decision.reasons] == []


def test_audit_finds_nothing_in_an_honest_county(county: County) -> None:
    found = audited(county)
    tests = (*found.duplicates, *found.segregation)
    assert [test.code for test in tests] == [
        *(f"D{n}" for n in range(1, 13)),
        *(f"S{n}" for n in range(1, 7)),
    ]
    assert [(test.code, test.found, test.examples) for test in tests if test.found] == []
    assert [test.code for test in tests if not test.tested] == []
    assert [(row.count_off, row.amount_off_fen) for row in found.controls] == [(0, 0)] * len(found.controls)
    assert sum(account.balance_fen for account in found.accounts) == 0


def test_audit_lists_every_payment_with_its_people(county: County) -> None:
    found = audited(county)
    with county.database.reading() as session:
        batch = session.get_one(Batch, county.batch_id)
        assert len(found.cases) == batch.payments
        assert sum(case.paid_fen for case in found.cases) == batch.total_fen == found.programme.sent_fen
    for case in found.cases:
        assert case.determined_fen == case.paid_fen
        people = (case.recommended_by, case.determined_by, case.made_by, case.checked_by, case.released_by)
        assert people == ("person-1", "person-2", "person-3", "person-4", "person-5")
    assert {case.batch for case in found.cases} == {1}


def test_a_minor_is_named_to_the_bank_and_masked_in_every_report(county: County) -> None:
    minors = {
        item.decision.payee_name
        for item in county.decided
        if item.decision.outcome == "approve" and item.facts.household is not None
        for member in item.facts.household.members
        if member.name == item.decision.payee_name and is_minor(member.id_number, DAY)
    }
    assert minors
    audit = {case.reference: case.payee_name for case in audited(county).cases}
    with county.database.reading() as session:
        lines = batch_figures(session, county.sealer, county.batch_id).lines
        named = {
            line.reference: line.payee_name for line in batch_lines(session, county.sealer, county.batch_id)
        }
    summary = {line.reference: line.payee_name for line in lines}
    assert audit.keys() == summary.keys() == named.keys()
    for reference, name in named.items():
        masked = f"{name[0]}某某" if name in minors else name
        assert audit[reference] == summary[reference] == masked


def test_the_head_of_the_trail_is_no_part_of_the_figures(county: County) -> None:
    first = audited(county)
    assert county.sealed().events > 0
    assert audited(county) == first


# --- what the tests of the audit report must find --------------------------------------------------------------------

FAULTS = {
    "D1": "INSERT INTO payment SELECT 'x', payable_id, 9, batch_id, 9999, 'X-1', amount_fen, sealed, account_lookup, "
    "state FROM payment WHERE sequence = 1",
    "D2": "UPDATE payment SET reference = (SELECT reference FROM payment WHERE sequence = 1) WHERE sequence = 2",
    "D3": "UPDATE payable SET determination_id = (SELECT determination_id FROM payable WHERE number = 1) "
    "WHERE number = 2",
    "D4": "UPDATE determination SET claim_id = (SELECT MIN(claim_id) FROM determination) "
    "WHERE id = (SELECT MAX(id) FROM determination WHERE claim_id <> (SELECT MIN(claim_id) FROM determination))",
    "D5": "UPDATE payment SET amount_fen = amount_fen + 1 WHERE sequence = 1",
    "D6": "UPDATE determination SET outcome = 'reject' WHERE id = (SELECT determination_id FROM payable WHERE number = 1)",
    "D7": "DELETE FROM ledger_entry WHERE event_key = "
    "(SELECT 'payment:' || id || ':exported' FROM payment WHERE sequence = 1)",
    "D8": "UPDATE payment SET account_lookup = (SELECT account_lookup FROM payment WHERE sequence = 1)",
    "S1": "UPDATE determination SET recommended_by = determined_by WHERE id = (SELECT MIN(id) FROM determination)",
    "S2": "UPDATE batch SET checked_by = made_by",
    "S3": "UPDATE batch SET made_by = 'person-1'",
    "S4": "DELETE FROM event WHERE action = 'claim.determined'",
    "S5": "DELETE FROM event WHERE action = 'payment.sent'",
    "S6": "DELETE FROM event WHERE action = 'batch.released'",
}
"""What somebody with the database in their hands may do, by the test that must find it."""


@pytest.mark.parametrize("code", FAULTS)
def test_each_test_finds_what_it_is_for(code: str, sqlite_county: County) -> None:
    _tamper(sqlite_county, FAULTS[code])
    with sqlite_county.database.reading() as session:
        found = {test.code: test for test in (*duplicate_tests(session), *segregation_tests(session))}
    assert found[code].found >= 1
    assert found[code].examples


def test_one_bill_paid_in_two_cases_is_found() -> None:
    cases = [
        Approved("A-1", "illness", "B-1", "H1"),
        Approved("A-2", "illness", "B-1", "H2"),
        Approved("A-3", "education", "B-1", "H2"),
        Approved("A-4", "accident", None, "H2"),
        Approved("A-5", "accident", None, "H3"),
    ]
    found = same_document(cases)
    assert (found.tested, found.found, found.examples) == (2, 1, ("A-1、A-2",))
    assert same_document(cases[1:]).found == 0


def test_an_income_made_up_twice_is_found() -> None:
    cases = [Approved(f"A-{number}", "income", None, household) for number, household in enumerate("xyx")]
    found = same_household_income([*cases, Approved("A-9", "illness", None, "y")])
    assert (found.tested, found.found, found.examples) == (2, 1, ("户 x",))


def test_a_decision_that_comes_out_otherwise_is_found(
    sqlite_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(policy: Policy, facts: Facts) -> Decision:
        decision = decide(policy, facts)
        return (
            replace(decision, payable_fen=decision.payable_fen + 1)
            if facts.claim.line == "income"
            else decision
        )

    monkeypatch.setattr("reports.audit.decide", other)
    found = {test.code: test for test in audited(sqlite_county).duplicates}["D12"]
    determined = [item for item in sqlite_county.decided if item.decision.outcome in ("approve", "reject")]
    assert found.tested == len(determined)
    assert found.found == sum(1 for item in determined if item.facts.claim.line == "income") > 0


def test_control_totals_show_where_the_money_differs(sqlite_county: County) -> None:
    _tamper(sqlite_county, "UPDATE payment SET amount_fen = amount_fen + 1 WHERE sequence = 1")
    off = {row.name: row.amount_off_fen for row in audited(sqlite_county).controls if row.amount_off_fen}
    assert off == {
        "付款明细": 1,
        "批次控制总数": -1,
        "代发 CSV 明细": -1,
        "支付报文控制总数": -1,
        "账簿在途资金贷方": -1,
    }


def test_a_payee_changed_after_the_decision_is_found(sqlite_county: County) -> None:
    county = sqlite_county
    with county.database.reading() as session:
        row = session.execute(text("SELECT id, reference FROM payment WHERE sequence = 1")).one()
    other = county.sealer.seal(
        "payment",
        "sealed",
        row.id,
        '{"bank_code":null,"payee_account":"6222000000000001","payee_name":"张三"}',
    )
    _tamper(county, f"UPDATE payment SET sealed = '{other}' WHERE sequence = 1")
    found = {test.code: test for test in audited(county).duplicates}
    assert (found["D11"].found, found["D11"].examples) == (1, (row.reference,))


def _tamper(county: County, statement: str) -> None:
    """Changes the database as its owner can: without the guards, the unique indexes and the checks."""
    with county.database.transaction() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        table = statement.split()[2 if statement.startswith(("INSERT", "DELETE")) else 1]
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        columns = ", ".join(row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})"))
        connection.exec_driver_sql(f"CREATE TABLE bare AS SELECT {columns} FROM {table}")
        connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO guarded_{table}")
        connection.exec_driver_sql(f"ALTER TABLE bare RENAME TO {table}")
        connection.exec_driver_sql(statement)
