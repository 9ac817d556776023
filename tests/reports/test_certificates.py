"""The certificate of cover: what it says, that it is issued once, and that a changed cover gives one that replaces it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from foundation import jobs
from foundation.actors import Role
from foundation.clock import FixedClock
from foundation.files import load
from foundation.jobs import Job
from foundation.masking import Audience, id_number_for
from foundation.runtime import Runtime, set_current
from foundation.trail.events import Event
from households.models.people import Cover, HouseholdRow
from households.models.two_times import believed
from households.queries.people import members_of
from households.services.register import leave
from policies.policy import Policy
from reports import issuing
from reports.certificates import (
    CertificatesAsked,
    certificate_figures,
    certificates_asked,
    covered_households,
)
from reports.cover_words import covered_lines, sum_text
from reports.errors import NotCovered
from reports.figures import CertificateFigures
from reports.handing_out import people_in
from reports.queries import Issued
from reports.services import ask_for_certificates, next_certificate
from reports.tasks import cover_certificates
from reports.terms import COVER_CERTIFICATE
from tests.reports.county import AT, SYSTEM, County, person
from tests.reports.reading import opened, words

PHONE = "0533-3240000"
CERTIFIER = person(9, Role.CENTER_CERTIFIER)


def homes(county: County) -> list[str]:
    """Households of two insured people or more, by number."""
    with county.database.reading() as session:
        rows = session.execute(
            select(HouseholdRow.id, Cover.person_id)
            .join(Cover, Cover.household_id == HouseholdRow.id)
            .where(believed(Cover), Cover.policy_number == county.policy.number)
            .order_by(HouseholdRow.household_no)
        ).all()
    counted = [home for home, _ in rows]
    return [home for home in dict.fromkeys(counted) if counted.count(home) > 1]


def figures(county: County, home: str, today: date = date(2020, 12, 31)) -> CertificateFigures:
    with county.database.reading() as session:
        return certificate_figures(session, county.sealer, county.policy.number, [home], today, PHONE)[home]


def issue(county: County, *ids: str, at: datetime = AT) -> list[Issued]:
    place = (county.database, county.sealer, SYSTEM, at)
    return issuing.issue_cover_certificates(*place, county.policy.number, list(ids), processes=1)


def content(county: County, document: Issued) -> bytes:
    with county.database.reading() as session:
        return load(session, county.sealer, document.file_id)


# --- what it says --------------------------------------------------------------------------------------


def test_it_names_the_insured_in_full_and_shows_no_whole_id_number(county: County, tmp_path: Path) -> None:
    home = homes(county)[0]
    (document,) = issue(county, home)
    said = words(content(county, document), tmp_path, "-layout")
    with county.database.reading() as session:
        members = members_of(session, county.sealer, home, date(2020, 12, 31))
        row = session.get_one(HouseholdRow, home)
    insured = figures(county, home).insured
    assert {one.name for one in insured} <= {one.name for one in members}
    for member in insured:
        assert member.name in said
        assert member.id_number in said
    for member_of in members:
        assert member_of.id_number is not None
        assert member_of.id_number not in said
        assert id_number_for(Audience.OFFICER, member_of.id_number) in said
    policy = county.policy
    for part in (
        "防贫保险凭证",
        "防贫证〔2020〕1号",
        row.household_no,
        policy.number,
        policy.purchaser,
        policy.insurer,
        _period(policy),
        "12378",
        "便民服务大厅",
        "签一次字即可",
        f"请在出事后{policy.on(policy.period_to).notice_days}日内报案",
    ):
        assert part in said, part


def _period(policy: Policy) -> str:
    first, last = policy.period_from, policy.period_to
    return f"自{first.year}年{first.month}月{first.day}日零时起至{last.year}年{last.month}月{last.day}日二十四时止"


def test_every_franchise_share_and_cap_of_the_policy_is_printed(county: County, tmp_path: Path) -> None:
    (document,) = issue(county, homes(county)[0])
    said = words(content(county, document), tmp_path)
    terms = county.policy.on(county.policy.period_to)
    for line in terms.lines.values():
        for benefit in line.benefits.values():
            sums = [*(benefit.franchise_fen or {}).values(), benefit.cap_fen, benefit.sum_fen]
            sums += [tier.from_fen for tier in benefit.tiers if tier.rate.numerator]
            for fen in filter(None, sums):
                assert sum_text(fen).removesuffix("元") in said, (line.key, benefit.key, fen)
    if terms.household_cap_fen is not None:
        assert sum_text(terms.household_cap_fen) in said
    assert "《保险法》第十七条" in said


def test_the_words_follow_the_arithmetic_of_the_policy(county: County) -> None:
    lines = {line.title: line for line in covered_lines(county.policy, county.policy.on(date(2020, 12, 31)))}
    for line in county.policy.on(date(2020, 12, 31)).lines.values():
        told = lines[line.title]
        assert len(told.benefits) == len(line.benefits)
        for benefit, in_words in zip(line.benefits.values(), told.benefits, strict=True):
            assert len(in_words.share) == max(1, sum(tier.rate.numerator > 0 for tier in benefit.tiers))
            assert all("给付" in share for share in in_words.share)
    assert (sum_text(500_000), sum_text(50), sum_text(123_456)) == ("5,000元", "0.50元", "1,234.56元")


def test_the_pdf_names_nobody_in_its_metadata_or_its_name(county: County) -> None:
    home = homes(county)[0]
    (document,) = issue(county, home)
    names = [one.name for one in figures(county, home).insured]
    pdf = opened(content(county, document))
    metadata = str(pdf.docinfo) + str(pdf.Root.Metadata.read_bytes().decode("utf-8"))
    assert document.name == "cover-certificate-2020-000001.pdf"
    for name in names:
        assert name not in metadata + document.name


# --- issued once, and replaced -------------------------------------------------------------------------


def test_asked_for_again_it_is_the_same_document_with_the_same_bytes(county: County) -> None:
    home = homes(county)[0]
    (first,) = issue(county, home)
    (again,) = issue(county, home, at=AT + timedelta(days=40))
    assert again == first
    assert content(county, again) == content(county, first)


def drop(county: County, home: str, at: datetime) -> None:
    """Somebody's cover under the policy ends, as the register has it."""
    with county.database.transaction() as session:
        query = select(Cover.person_id).where(Cover.household_id == home, believed(Cover))
        whom = session.scalars(query.order_by(Cover.relation == "户主", Cover.person_id)).first()
        assert whom is not None
        members = members_of(session, county.sealer, home, date(2020, 12, 1))
        member = next(one for one in members if one.person_id == whom)
        leave(session, county.sealer, CERTIFIER, at, member.membership_id, "moved_out", date(2020, 12, 1))


def test_a_changed_cover_gives_a_new_certificate_that_names_the_one_it_replaces(
    county: County, tmp_path: Path
) -> None:
    home = homes(county)[0]
    (first,) = issue(county, home)
    before = figures(county, home)
    drop(county, home, AT)
    (second,) = issue(county, home, at=AT + timedelta(hours=1))
    assert second.id != first.id
    said = words(content(county, second), tmp_path)
    assert "替代防贫证〔2020〕1号凭证" in said
    assert len(figures(county, home).insured) == len(before.insured) - 1
    (again,) = issue(county, home, at=AT + timedelta(hours=2))
    assert again == second


def test_a_cover_that_comes_back_to_what_it_was_has_a_third_certificate(county: County) -> None:
    """The first one was called in: handing it out again would leave two that each replace the other."""
    home = homes(county)[0]
    now_said = figures(county, home)
    other = replace(now_said, insured=now_said.insured[:1])
    subject = CertificatesAsked(home, county.policy.number).subject_id
    chain: list[tuple[str, int, int]] = []
    replaced = []
    for number, said in enumerate((now_said, now_said, other, other, now_said, now_said), 1):
        draft = next_certificate(county.sealer, subject, said, chain)
        assert isinstance(draft.figures, CertificateFigures)
        if not chain or draft.digest != chain[-1][0]:
            chain.append((draft.digest, 2020, number))
        replaced.append(draft.figures.replaces)
    assert replaced == [
        None,
        None,
        "防贫证〔2020〕1号",
        "防贫证〔2020〕1号",
        "防贫证〔2020〕3号",
        "防贫证〔2020〕3号",
    ]


# --- asking for it -------------------------------------------------------------------------------------


def test_what_is_asked_for_comes_back_from_its_subject() -> None:
    for asked in (CertificatesAsked("a" * 32, "FPB-1"), CertificatesAsked("370323105207", "FPB.1 甲")):
        assert certificates_asked(asked.subject_id) == asked
    assert CertificatesAsked("370323105207", "FPB-1").village
    for odd in ("", "a" * 31 + ".FPB-1", "x" * 32 + ".FPB-1", "a" * 32):
        with pytest.raises(ValueError, match="not the subject"):
            certificates_asked(odd)


def test_a_village_gets_one_for_each_insured_household_in_the_background(county: County) -> None:
    with county.database.reading() as session:
        row = session.get_one(HouseholdRow, homes(county)[0])
        asked = CertificatesAsked(row.village_code, county.policy.number)
        expected = covered_households(session, asked)
    with county.database.transaction() as session:
        ask_for_certificates(session, SYSTEM, AT, asked)
    set_current(Runtime(county.database, county.sealer, FixedClock(AT), SYSTEM))
    with county.database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == COVER_CERTIFICATE)).one()
    for _ in range(2):
        cover_certificates.apply(args=[job.id], throw=True)
        with county.database.transaction() as session:
            jobs.reopen(session, [job.id], AT)
    with county.database.reading() as session:
        issued = session.scalars(
            select(Event.body).where(
                Event.action == "document.issued", Event.body.contains(COVER_CERTIFICATE)
            )
        ).all()
        found = certificate_figures(
            session, county.sealer, county.policy.number, expected, date(2020, 12, 31), ""
        )
    assert len(issued) == len(found) > 0


def test_where_nobody_is_insured_there_is_nothing_to_ask_for(county: County) -> None:
    with pytest.raises(NotCovered), county.database.transaction() as session:
        ask_for_certificates(session, SYSTEM, AT, CertificatesAsked("370323999999", county.policy.number))
    with pytest.raises(NotCovered), county.database.transaction() as session:
        ask_for_certificates(session, SYSTEM, AT, CertificatesAsked(homes(county)[0], "FPB-none"))


def test_it_counts_as_many_people_as_it_names(county: County) -> None:
    home = homes(county)[0]
    (document,) = issue(county, home)
    with county.database.reading() as session:
        people = people_in(session, document.kind, document.subject_id, document.issued_at)
    assert people == len(figures(county, home).insured)


def test_who_died_or_is_not_covered_any_more_is_not_on_it(county: County) -> None:
    home = homes(county)[0]
    everybody = figures(county, home).insured
    with county.database.transaction() as session:
        members = members_of(session, county.sealer, home, date(2020, 12, 1))
        leave(session, county.sealer, CERTIFIER, AT, members[-1].membership_id, "death", date(2020, 12, 1))
    assert len(figures(county, home).insured) == len(everybody) - 1
