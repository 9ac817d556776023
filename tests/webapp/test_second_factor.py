"""The second factor: which codes are taken, that each is good once, and how its secret is kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from foundation.database import Database
from foundation.errors import BadRequest
from foundation.sealing import KeyRing, Sealer, SealingKey
from foundation.staff.models import Account
from tests.staffing import put_account
from webapp import second_factor

AT = datetime(2026, 11, 24, 2, 0, 10, tzinfo=UTC)
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The ASCII key 12345678901234567890 of RFC 6238, appendix B."""


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(KeyRing.of_one(SealingKey("k1", b"s" * 32), b"l" * 32))


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def account_id(database: Database, sealer: Sealer) -> str:
    """An account whose second factor is confirmed."""
    with database.transaction() as session:
        account = session.get_one(Account, put_account(session, "person-1", "zhao"))
        account.totp_sealed = sealer.seal("account", "totp_sealed", account.id, RFC_SECRET)
        account.totp_confirmed_at = AT - timedelta(days=1)
        return account.id


def use(database: Database, sealer: Sealer, account_id: str, code: str, at: datetime = AT) -> bool:
    with database.transaction() as session:
        return second_factor.use_code(session, sealer, session.get_one(Account, account_id), code, at)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert second_factor.code_at(RFC_SECRET, at) == code
    assert second_factor.matching_step(RFC_SECRET, code, at) == seconds // 30


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_attack_10_a_code_from_two_steps_away_is_refused(steps: int, taken: bool) -> None:
    code = second_factor.code_at(RFC_SECRET, AT + timedelta(seconds=30 * steps))
    assert (second_factor.matching_step(RFC_SECRET, code, AT) is not None) is taken


@pytest.mark.parametrize("change", ["wide", "short", "long", "spaced", "line", "arabic", "sign"])
def test_attack_10_a_code_that_is_not_six_ascii_digits_is_refused(change: str) -> None:
    code = second_factor.code_at(RFC_SECRET, AT)
    wrong = {
        "wide": "".join(chr(ord(digit) + 0xFEE0) for digit in code),
        "arabic": "".join(chr(ord(digit) - 48 + 0x660) for digit in code),
        "short": code[:5],
        "long": f"{code}0",
        "spaced": f" {code}",
        "line": f"{code}\n",
        "sign": f"+{code[1:]}",
    }[change]
    assert second_factor.matching_step(RFC_SECRET, wrong, AT) is None


def test_attack_10_a_code_works_once(database: Database, sealer: Sealer, account_id: str) -> None:
    code = second_factor.code_at(RFC_SECRET, AT)
    assert use(database, sealer, account_id, code)
    assert not use(database, sealer, account_id, code)
    assert not use(database, sealer, account_id, code, AT + timedelta(seconds=25))


def test_attack_10_an_older_code_is_dead_once_a_newer_one_was_used(
    database: Database, sealer: Sealer, account_id: str
) -> None:
    older, newer = (second_factor.code_at(RFC_SECRET, AT + timedelta(seconds=by)) for by in (-30, 0))
    assert use(database, sealer, account_id, newer)
    assert not use(database, sealer, account_id, older)
    assert use(database, sealer, account_id, second_factor.code_at(RFC_SECRET, AT + timedelta(seconds=30)))


def test_attack_10_of_many_requests_with_one_code_one_wins(
    database: Database, sealer: Sealer, account_id: str
) -> None:
    code = second_factor.code_at(RFC_SECRET, AT)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: use(database, sealer, account_id, code), range(16)))
    assert won.count(True) == 1


def test_the_secret_opens_only_for_its_own_account(
    database: Database, sealer: Sealer, account_id: str
) -> None:
    with database.transaction() as session:
        kept = session.get_one(Account, account_id).totp_sealed
        assert kept is not None
        assert RFC_SECRET not in kept
        assert sealer.reveal("account", "totp_sealed", account_id, kept) == RFC_SECRET


def test_an_account_without_a_second_factor_takes_no_code(database: Database, sealer: Sealer) -> None:
    with database.transaction() as session:
        bare = put_account(session, "person-2", "qian")
    assert not use(database, sealer, bare, second_factor.code_at(RFC_SECRET, AT))


def test_an_authenticator_reads_secret_login_and_issuer_from_the_address() -> None:
    secret = second_factor.new_secret()
    address = urlsplit(second_factor.provisioning_uri(secret, "zhao.lei"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/Fangpin:zhao.lei"
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Fangpin"]}


def test_secrets_are_of_160_bits_and_never_the_same() -> None:
    secrets = {second_factor.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {32}


def test_the_qr_code_is_an_image_that_the_content_policy_lets_through() -> None:
    image = second_factor.qr_image(second_factor.provisioning_uri(second_factor.new_secret(), "zhao"))
    assert image.startswith("data:image/svg+xml")
    assert "style" not in image
    assert "script" not in image


def test_an_offered_secret_opens_for_the_sign_in_that_it_was_made_for(sealer: Sealer) -> None:
    offer = second_factor.seal_offer(sealer, "session-1", RFC_SECRET)
    assert second_factor.open_offer(sealer, "session-1", offer) == RFC_SECRET
    assert RFC_SECRET not in offer
    account_cell = sealer.seal("account", "totp_sealed", "session-1", RFC_SECRET)
    for session_id, wrong in (
        ("session-2", offer), ("session-1", offer[:-8]), ("session-1", ""), ("session-1", "k1:汉"),
        ("session-1", "k1:AAAA"), ("session-1", account_cell),
    ):  # fmt: skip
        with pytest.raises(BadRequest):
            second_factor.open_offer(sealer, session_id, wrong)
