"""The trail in words: every action that the code records has its words, and no word is idle."""

from __future__ import annotations

import ast
import re

import pytest
from sqlalchemy import text

from foundation.actors import Assurance
from foundation.privacy.models import EXPORT_MOVES
from tests.architecture.project import PACKAGES, Source, sources
from tests.webapp.conftest import Web
from webapp.trail_reasons import reason_words
from webapp.trail_words import ACTIONS, ASSURANCES, SUBJECTS, action_words

WORKED_OUT = {
    ("foundation/privacy/disclosures.py", "f'{subject}.seen_in_full'"): {
        "claim.seen_in_full",
        "household.seen_in_full",
        "payment.seen_in_full",
    },
    ("foundation/privacy/disclosures.py", "LIMIT_REACHED"): {"access.limit_reached"},
    ("foundation/trail/verifying.py", "VERIFIED"): {"trail.verified"},
    ("foundation/privacy/exports.py", "f'export.{what}'"): {f"export.{state}" for state in EXPORT_MOVES},
    ("households/services/comparison.py", "_ASKED"): {"comparison.asked"},
    ("households/services/proposals.py", "f'proposal.{state}'"): {"proposal.approved", "proposal.refused"},
    ("households/services/warnings.py", "f'warning.{state}'"): {"warning.dismissed", "warning.transferred"},
    ("households/erasing.py", "action"): {"household.erased", "person.erased"},
    ("households/services/recognition.py", "action"): {"recognition.approved", "recognition.refused"},
    ("households/services/recognition_reviews.py", "action"): {
        "recognition.reviewed",
        "recognition.extended",
    },
    ("foundation/privacy/erasing.py", "action"): {"disclosure.erased", "export.erased", "hold.erased"},
    ("webapp/services/erasures.py", "f'erasure.{what}'"): {
        f"erasure.{what}" for what in ("asked", "approved", "refused", "finished")
    },
    ("webapp/services/verification.py", "_ASKED"): {"trail.verify_asked"},
    ("foundation/staff/grants.py", "action"): {
        "role.granted",
        "role.refused",
        "limit.granted",
        "limit.refused",
    },
    ("foundation/staff/services.py", "action"): {
        "account.disabled",
        "account.enabled",
        "account.password_reset",
        "account.password_set",
    },
}
"""What an action comes to where it is not written out: file and expression → actions."""


def recorded() -> tuple[set[str], set[tuple[str, str]]]:
    """(actions that the code records, expressions for an action that nobody has worked out)."""
    found, unknown = set(), set()
    for source in sources(*PACKAGES):
        for node in ast.walk(source.tree):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Change"
            ):
                continue
            action = _action(node, source)
            key = (str(source.path), ast.unparse(action))
            if isinstance(action, ast.Constant):
                found.add(str(action.value))
            elif key in WORKED_OUT:
                found |= WORKED_OUT[key]
            else:
                unknown.add(key)
    return found, unknown


def _action(call: ast.Call, source: Source) -> ast.expr:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "action"]
    assert call.args or named, source.at(call)
    return call.args[0] if call.args else named[0]


def test_every_action_that_is_recorded_has_its_words_and_no_word_is_idle() -> None:
    found, unknown = recorded()
    assert not unknown, "name in WORKED_OUT what these come to"
    assert len(found) > 50
    assert found == set(ACTIONS)


def test_words_are_in_both_languages_and_differ_from_one_another() -> None:
    for words in (ACTIONS, SUBJECTS, ASSURANCES):
        assert all(
            re.search("[\u3400-\u9fff]", zh) and not re.search("[\u3400-\u9fff]", en)
            for zh, en in words.values()
        )
    assert len({zh for zh, _en in ACTIONS.values()}) == len(ACTIONS)
    assert len({en for _zh, en in ACTIONS.values()}) == len(ACTIONS)
    assert set(ASSURANCES) == set(Assurance)


def test_the_things_of_a_county_have_their_words(county: Web) -> None:
    with county.database.reading() as session:
        subjects = set(session.scalars(text("SELECT DISTINCT subject FROM event")))
        actions = set(session.scalars(text("SELECT DISTINCT action FROM event")))
    assert subjects <= set(SUBJECTS) and actions <= set(ACTIONS)


@pytest.mark.parametrize(
    ("action", "reason", "zh"),
    [
        ("claim.determined", "approve", "给付"),
        ("account.sign_in_failed", "code", "口令不对"),
        ("role.asked", "CLAIM_OFFICER 370323", "理赔员 370323"),
        ("limit.granted", "5000000", "50,000.00 元"),
        ("pack.uploaded", "2021-11", "告知同意书 2021-11"),
        ("claims.searched", "name,id_number", "姓名、身份证号"),
        (
            "claim.seen_in_full",
            "purpose=audit fields=id_number,account",
            "用途 审计检查,内容 身份证号、银行账号",
        ),
        (
            "export.taken",
            "E000012 kind=claims_workbook people=3 purpose=-",
            "E000012 种类 理赔案件清单,涉及人数 3,用途 未说明",
        ),
        ("payable.withheld", None, ""),
        ("of.another.version", "whatever it said", "whatever it said"),
    ],
)
def test_a_reason_is_said_in_words(action: str, reason: str | None, zh: str) -> None:
    assert reason_words(action, reason)[0] == zh


def test_an_english_reason_keeps_the_order_of_its_words() -> None:
    assert reason_words("role.asked", "CLAIM_OFFICER 370323")[1] == "claim officer 370323"
    told = reason_words("claim.seen_in_full", "purpose=audit fields=id_number")[1]
    assert told == "purpose audit or inspection, data ID numbers"


def test_an_action_of_another_version_is_shown_by_its_name() -> None:
    assert action_words("of.another.version") == ("of.another.version", "of.another.version")
