"""What takes two persons: accounts, merges, splits, identities; and tasks, which a person settles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from foundation.actors import Role
from foundation.blobs import BlobStore
from foundation.errors import ConflictError, InvalidInput, NotAllowedError, NotFound
from foundation.staff.models import Kin, StaffMember
from households.queries.as_of import household_as_of
from households.queries.households import accounts_of
from households.queries.people import covers_of
from households.queries.proposals import proposal_by_id
from households.queries.tasks import page_of_tasks
from households.services import accounts, papers, person_facts, register
from households.services.proposals import ask, decide, withdraw
from households.services.settling import settle
from tests.households.people import id_number
from tests.households.registry import ASKER, DECIDER, PAPER, POLICY, opened, row
from tests.households.test_register import H1, H2, HEAD, OTHER, SON, WIFE, World, newcomer

DAY = date(2020, 6, 10)
ROSTER_ACCOUNT, NEW_ACCOUNT = "6223192710959452610", "6217000012345678"


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    with opened(migrated_url, tmp_path) as there:
        world = World(there.database, there.sealer, there.at)
        world.roster(
            [
                row(H1, HEAD, "户主", "王五", account_no=ROSTER_ACCOUNT),
                row(H1, WIFE, "配偶", "李四"),
                row(H1, SON, "子", "王小"),
                row(H2, OTHER, "户主", "赵六", "370323105208"),
            ]
        )
        yield world


def account(name: str = "王五", on: date = DAY, number: str = NEW_ACCOUNT) -> dict[str, Any]:
    return {"account_no": number, "account_name": name, "bank_code": None, "on": on.isoformat()}


def both(world: World, kind: str, household: str, content: dict[str, Any], evidence: Any = PAPER) -> str:
    proposal: str = world.act(ask, kind, world.id(household), content, evidence)
    again = content.get("account_no") or content.get("id_number")
    world.act(decide, proposal, actor=DECIDER, approve=True, again=again)
    return proposal


def account_on(world: World, household: str, day: date, known_at: datetime | None = None) -> str | None:
    with world.database.reading() as session:
        seen = household_as_of(
            session, world.sealer, world.household(household), POLICY, day, known_at or world.at
        )
    assert seen is not None
    return seen.account_no


# --- asking and deciding -------------------------------------------------------------------------------


def test_an_approval_carries_the_change_out_and_a_refusal_does_not(world: World) -> None:
    before = world.at
    both(world, "account", H1, account(), ())
    assert account_on(world, H1, DAY) == NEW_ACCOUNT
    assert account_on(world, H1, date(2020, 6, 9)) == ROSTER_ACCOUNT
    assert account_on(world, H1, DAY, before) == ROSTER_ACCOUNT
    refused = world.act(
        ask, "account", world.id(H1), account(on=date(2020, 6, 15), number="6217000012345679")
    )
    world.act(decide, refused, actor=DECIDER, approve=False, reason="户口簿不清")
    assert account_on(world, H1, date(2020, 6, 16)) == NEW_ACCOUNT
    with world.database.reading() as session:
        told = proposal_by_id(session, world.sealer, ASKER, refused)
    assert (told.state, told.reason) == ("refused", "户口簿不清")


def test_an_account_learnt_late_holds_until_the_next_one_that_is_known(world: World) -> None:
    both(world, "account", H1, account(on=date(2020, 6, 15)), ())
    both(world, "account", H1, account(on=DAY, number="6217000012345679"), ())
    found = {day: account_on(world, H1, date(2020, 6, day)) for day in (9, 10, 14, 15)}
    assert found == {9: ROSTER_ACCOUNT, 10: "6217000012345679", 14: "6217000012345679", 15: NEW_ACCOUNT}
    with world.database.reading() as session:
        kept = [one for one in accounts_of(session, world.sealer, world.id(H1)) if one.source == "register"]
    assert {(one.asked_by, one.decided_by) for one in kept} == {("asker", "decider")}


def test_nobody_decides_what_they_asked_for(world: World) -> None:
    proposal = world.act(ask, "account", world.id(H1), account())
    itself = replace(DECIDER, person=ASKER.person)
    with pytest.raises(NotAllowedError):
        world.act(decide, proposal, actor=itself, approve=True)
    with pytest.raises(NotAllowedError):
        world.act(decide, proposal, actor=replace(ASKER, person="another"), approve=True)


def test_a_proposal_is_decided_once_and_taken_back_by_its_asker_only(world: World) -> None:
    proposal = world.act(ask, "account", world.id(H1), account())
    with pytest.raises(ConflictError):
        world.act(ask, "account", world.id(H1), account())
    with pytest.raises(NotAllowedError):
        world.act(withdraw, proposal, actor=DECIDER)
    world.act(withdraw, proposal)
    with pytest.raises(ConflictError):
        world.act(decide, proposal, actor=DECIDER, approve=True)
    assert account_on(world, H1, DAY) == ROSTER_ACCOUNT


def test_the_approver_types_the_number_once_more_from_the_paper(world: World) -> None:
    proposal = world.act(ask, "account", world.id(H1), account())
    for again in (None, "6217000012345679"):
        with pytest.raises(InvalidInput):
            world.act(decide, proposal, actor=DECIDER, approve=True, again=again)
    assert account_on(world, H1, DAY) == ROSTER_ACCOUNT
    world.act(decide, proposal, actor=DECIDER, approve=True, again=NEW_ACCOUNT)
    assert account_on(world, H1, DAY) == NEW_ACCOUNT


def test_a_refusal_needs_a_reason_and_a_merge_a_paper(world: World) -> None:
    proposal = world.act(ask, "account", world.id(H1), account())
    with pytest.raises(InvalidInput):
        world.act(decide, proposal, actor=DECIDER, approve=False)
    content = {"into": world.id(H1), "on": "2020-06-10", "relations": {world.person(OTHER): "其他"}}
    with pytest.raises(InvalidInput):
        world.act(ask, "merge", world.id(H2), content)


def test_nobody_asks_for_or_decides_their_own_familys_change(world: World) -> None:
    lookup = world.sealer.lookup("id_number", WIFE)
    with world.database.transaction() as session:
        session.add(StaffMember(id="asker", name="甲", created_at=world.at))
        session.flush()
        session.add(
            Kin(
                id="kin",
                staff_id="asker",
                id_lookup=lookup,
                relation="姐妹",
                declared_at=world.at,
            )
        )
    with pytest.raises(NotAllowedError, match="recusal"):
        world.act(ask, "account", world.id(H1), account())


def test_a_proposal_of_another_place_is_not_there(world: World) -> None:
    proposal = world.act(ask, "account", world.id(H1), account())
    with pytest.raises(NotFound):
        world.act(decide, proposal, actor=replace(DECIDER, place="370323105208"), approve=True)


# --- whose account it may be -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["陌生人", "赵六", "王小"], ids=["stranger", "other household", "minor"])
def test_an_account_is_a_grown_members_own(world: World, name: str) -> None:
    with pytest.raises(InvalidInput):
        world.act(ask, "account", world.id(H1), account(name))


def test_a_minors_guardian_may_hold_the_account(world: World) -> None:
    who = person_facts.NewRelative("guardian", "祖父", "王老", "公证书 7")
    world.act(person_facts.add_relative, world.person(SON), who, DAY)
    both(world, "account", H1, account("王老"), ())
    assert account_on(world, H1, DAY) == NEW_ACCOUNT


def test_a_wrong_check_digit_another_holder_and_a_shared_account_are_doubts_and_no_more(world: World) -> None:
    with world.database.reading() as session:
        said = [
            zh
            for zh, _en in accounts.doubts(
                session, world.sealer, world.id(H2), account("李四", number="6217000012345671")
            )
        ]
        shared = [
            zh
            for zh, _en in accounts.doubts(
                session, world.sealer, world.id(H2), account("赵六", number=ROSTER_ACCOUNT)
            )
        ]
    assert len(said) == 2 and "校验位" in said[0] and "户主" in said[1]
    assert any("一账多户" in text_ for text_ in shared)


# --- merge, split, identity ------------------------------------------------------------------------------


def test_a_merge_takes_everybody_over_and_the_old_household_keeps_its_past(world: World) -> None:
    before = world.at
    relations = {world.person(OTHER): "其他"}
    both(world, "merge", H2, {"into": world.id(H1), "on": "2020-06-10", "relations": relations})
    assert OTHER in world.members(H1) and not world.members(H2)
    assert OTHER in world.members(H2, date(2020, 6, 9)) and OTHER in world.members(H2, DAY, before)
    assert world.household(H2).merged_into == world.id(H1)
    with pytest.raises(ConflictError):
        world.act(register.add_person, world.id(H2), newcomer(id_number(9)))
    assert world.rechecks(H1) == world.rechecks(H2) == 1


def test_a_merge_needs_a_relation_for_everybody_and_one_head(world: World) -> None:
    for relations in ({}, {world.person(OTHER): "户主"}):
        content = {"into": world.id(H1), "on": "2020-06-10", "relations": relations}
        with pytest.raises((InvalidInput, ConflictError)):
            world.act(ask, "merge", world.id(H2), content, PAPER)


def test_a_split_gives_the_new_household_a_number_and_both_a_head(world: World) -> None:
    content = {
        "on": "2020-06-10",
        "relations": {world.person(HEAD): "户主", world.person(SON): "子"},
        "village_code": "370323105208",
        "head": world.person(WIFE),
    }
    both(world, "split", H1, content)
    fresh = "105208F00001"
    assert {number: one.relation for number, one in world.members(fresh).items()} == {HEAD: "户主", SON: "子"}
    assert {number: one.relation for number, one in world.members(H1).items()} == {WIFE: "户主"}
    assert world.members(H1, date(2020, 6, 9)).keys() == {HEAD, WIFE, SON}
    assert world.household(fresh).village_code == "370323105208"
    with world.database.reading() as session:
        seen = household_as_of(session, world.sealer, world.household(fresh), POLICY, DAY, world.at)
    assert seen is not None and {one.village_code for one in seen.members} == {"370323105208"}


@pytest.mark.parametrize("case", ["nobody", "everybody", "no head", "head goes"])
def test_a_split_that_leaves_a_household_without_head_or_member_is_refused(world: World, case: str) -> None:
    ids = {number: world.person(number) for number in (HEAD, WIFE, SON)}
    relations = {
        "nobody": {},
        "everybody": {ids[HEAD]: "户主", ids[WIFE]: "配偶", ids[SON]: "子"},
        "no head": {ids[WIFE]: "其他"},
        "head goes": {ids[HEAD]: "户主"},
    }[case]
    content = {"on": "2020-06-10", "relations": relations, "village_code": "370323105207"}
    with pytest.raises(InvalidInput):
        world.act(ask, "split", world.id(H1), content, PAPER)


def test_a_wrong_id_number_is_linked_to_the_right_one_with_its_facts(world: World) -> None:
    before, right = world.at, id_number(88)
    wrong = world.person(WIFE)
    world.act(person_facts.give_category, wrong, "重大变故户", date(2020, 6, 1), None)
    both(world, "identity", H1, {"person": wrong, "id_number": right})
    assert right in world.members(H1) and WIFE not in world.members(H1)
    assert world.members(H1)[right].category == "重大变故户"
    assert WIFE in world.members(H1, DAY, before)
    with world.database.reading() as session:
        covers = covers_of(session, [wrong, world.person(right)])
        linked = session.execute(
            text("SELECT same_as FROM person WHERE id = :id"), {"id": wrong}
        ).scalar_one()
        seen = household_as_of(session, world.sealer, world.household(H1), POLICY, DAY, world.at)
    assert linked == world.person(right) and covers[world.person(right)][0].source == "register"
    assert seen is not None and right in {one.id_number for one in seen.members}
    with pytest.raises(NotFound):
        world.act(person_facts.give_category, wrong, "相对贫困户", DAY, None)
    with pytest.raises(ConflictError, match="corrected to another one"):
        world.act(ask, "identity", world.id(H1), {"person": world.person(HEAD), "id_number": WIFE}, PAPER)


def test_a_roster_that_keeps_the_wrong_number_brings_nobody_back(world: World) -> None:
    both(world, "identity", H1, {"person": world.person(WIFE), "id_number": id_number(88)})
    world.roster(
        [
            row(H1, HEAD, "户主", "王五", account_no=ROSTER_ACCOUNT),
            row(H1, WIFE, "配偶", "李四", cover_to=date(2020, 11, 30)),
            row(H2, OTHER, "户主", "赵六", "370323105208"),
        ]
    )
    assert WIFE not in world.members(H1) and world.events("registry_task.opened") == 1


def test_two_records_of_one_person_keep_what_the_right_one_has(world: World) -> None:
    twin = id_number(12)
    world.act(register.add_person, world.id(H1), newcomer(twin, name="李四"))
    both(world, "identity", H1, {"person": world.person(twin), "id_number": WIFE})
    assert set(world.members(H1)) == {HEAD, WIFE, SON}


def test_records_in_two_households_at_once_are_not_one_person(world: World) -> None:
    with pytest.raises(ConflictError):
        world.act(ask, "identity", world.id(H1), {"person": world.person(WIFE), "id_number": OTHER}, PAPER)


# --- papers ------------------------------------------------------------------------------------------------


def test_papers_are_sealed_under_names_of_our_own_and_only_of_known_kinds(
    world: World, tmp_path: Path
) -> None:
    store = BlobStore(tmp_path / "files", world.sealer)
    kept = papers.receive(store, [b"%PDF-1.7 x", b"\x89PNG\r\n\x1a\n y"])
    assert [paper.name for paper in kept] == ["证明材料1.pdf", "证明材料2.png"]
    assert store.get(kept[0].blob) == b"%PDF-1.7 x"
    for sent in ([b"MZ program"], [b"%PDF-" + b"x" * (papers.MOST_BYTES + 1)], [b"%PDF-"] * 7):
        with pytest.raises(InvalidInput):
            papers.receive(store, sent)


# --- tasks ---------------------------------------------------------------------------------------------------


def the_task(world: World) -> str:
    with world.database.reading() as session:
        (task,) = page_of_tasks(session, world.sealer, DECIDER, "open", None, None).rows
    return task.id


def moved(world: World) -> str:
    """The register has the wife in H2, and a roster says H1 again."""
    world.act(register.leave, world.spell(WIFE).id, "moved_out", DAY)
    world.act(register.add_person, world.id(H2), newcomer(WIFE, name="李四"))
    world.roster(
        [
            row(H1, HEAD, "户主", "王五", account_no=ROSTER_ACCOUNT),
            row(H1, WIFE, "配偶", "李四", cover_to=date(2020, 11, 30)),
            row(H2, OTHER, "户主", "赵六", "370323105208"),
        ]
    )
    return the_task(world)


def test_the_registers_word_stands_until_somebody_takes_the_rosters(world: World) -> None:
    task = moved(world)
    assert WIFE in world.members(H2) and WIFE not in world.members(H1)
    with pytest.raises(InvalidInput):
        world.act(settle, task, "take_roster", "", actor=DECIDER)
    with pytest.raises(InvalidInput):
        world.act(settle, task, "two_people", "理由", actor=DECIDER, on=DAY)
    with pytest.raises(NotAllowedError):
        world.act(settle, task, "keep_register", "理由", on=DAY)
    world.act(settle, task, "take_roster", "入户核实", actor=DECIDER, on=date(2020, 6, 15))
    assert WIFE in world.members(H1, date(2020, 6, 15)) and WIFE in world.members(H2, date(2020, 6, 14))
    with pytest.raises(ConflictError):
        world.act(settle, task, "keep_register", "理由", actor=DECIDER)


def test_a_settled_task_does_not_come_back_with_the_same_roster(world: World) -> None:
    task = moved(world)
    world.act(settle, task, "keep_register", "入户核实", actor=replace(DECIDER, role=Role.CENTER_LEAD))
    world.roster(
        [
            row(H1, HEAD, "户主", "王五", account_no=ROSTER_ACCOUNT),
            row(H1, WIFE, "配偶", "李四", cover_to=date(2020, 10, 31)),
            row(H2, OTHER, "户主", "赵六", "370323105208"),
        ]
    )
    assert world.events("registry_task.opened") == 1 and WIFE in world.members(H2)


def test_a_rosters_other_account_waits_for_a_second_person(world: World) -> None:
    both(world, "account", H1, account(), ())
    other = "6223192710959452628"
    world.roster(
        [row(H1, HEAD, "户主", "王五", account_no=other), row(H2, OTHER, "户主", "赵六", "370323105208")]
    )
    world.act(settle, the_task(world), "take_roster", "本人申请", actor=DECIDER, on=date(2020, 6, 18))
    assert account_on(world, H1, date(2020, 6, 18)) == NEW_ACCOUNT
    with world.database.reading() as session:
        proposal = str(session.execute(text("SELECT id FROM proposal WHERE state = 'asked'")).scalar_one())
    with pytest.raises(NotAllowedError):
        world.act(decide, proposal, actor=DECIDER, approve=True)
    world.act(decide, proposal, actor=replace(DECIDER, person="third"), approve=True, again=other)
    assert account_on(world, H1, date(2020, 6, 18)) == other
