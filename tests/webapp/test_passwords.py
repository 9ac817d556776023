"""Passwords: what is refused as easily guessed, and how the others are kept and compared."""

from __future__ import annotations

import random
import string
import threading
import time
import unicodedata

import pytest

from foundation.errors import TooManyRequests
from webapp import passwords
from webapp.passwords import Passwords, faults

GOOD = "correct horse battery staple"
NOTORIOUS = """
Yiyuan2026 Yiyuan2026!! Yiyuan@2026@Admin Shandong370323 Fangpin2026## Zibo!Yiyuan!2026 password1234 P@ssw0rd2026!!
    $unshine123456 Password123456789 Administrator1 admin@admin123 root123456root letmeinplease welcometochina changeme2026
    1qaz2wsx3edc !QAZ2wsx#EDC qwertyuiop123 qwerty123456 asdfghjkl;12 zxcvbnm12345 qweasdzxc123 123qweasdzxc abcdefgh1234
    1q2w3e4r5t6y a123456789bc Aa123456789. woaini5201314 woaini1314520 5201314woaini woaiwojia123 zhongguo2008
    iloveyou2026! 123456789abc ｐａｓｓｗｏｒｄ１２３４ 987654321poiu
"""


@pytest.fixture(scope="module")
def cheap() -> Passwords:
    """The same with small parameters, so that a test takes no fifth of a second for each."""
    return Passwords(memory_kib=64, rounds=1, lanes=1)


def refusal(password: str, login: str = "zhao.lei", name: str = "赵磊") -> tuple[str, str] | None:
    found = faults(password, login, name)
    return found[0] if found else None


@pytest.mark.parametrize("password", NOTORIOUS.split())
def test_attack_04_a_notorious_password_is_refused(password: str) -> None:
    assert refusal(password) in (passwords.COMMON, passwords.TOO_SHORT)


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "abababababab", "xy7xy7xy7xy7", "000000000000a", "Xk9$mQ2pXk9$mQ2p"]
)
def test_attack_04_a_password_of_repeats_is_refused(password: str) -> None:
    assert refusal(password) == passwords.REPEATED


@pytest.mark.parametrize("password", ["197002291234", "13805331234567", "370323195809150013"])
def test_attack_04_dates_phones_and_id_numbers_are_refused(password: str) -> None:
    assert refusal(password) == passwords.DIGITS_ONLY


@pytest.mark.parametrize(
    "password",
    ["zhao.lei-and-7-owls", "ZhaoLei!7owls-sing", "xx zhao lei 7 owls", "我叫赵磊住在山的那一边呀"],
)
def test_attack_04_ones_own_login_or_name_is_refused(password: str) -> None:
    assert refusal(password) == passwords.OWN


@pytest.mark.parametrize(
    "password",
    [GOOD, "Tz8#kw2Lm!qp", "梧桐树下三只蓝猫在吃晚饭吧", "mountain-lamp-7-river", "kumquat brittle ozone"],
)
def test_a_password_that_nobody_guesses_is_taken(password: str) -> None:
    assert refusal(password) is None


def test_random_passwords_are_taken() -> None:
    letters = random.Random(7)
    alphabet = string.ascii_letters + string.digits + "-_"
    refused = sum(refusal("".join(letters.choices(alphabet, k=14))) is not None for _ in range(2000))
    assert refused <= 2


@pytest.mark.parametrize(("size", "expected"), [(11, False), (12, True), (128, True), (129, False)])
def test_length_is_counted_in_characters_of_composed_form(size: int, expected: bool) -> None:
    letters = "".join(random.Random(3).choices("éèêëàâäôöùûüîïçñ", k=size))
    assert (refusal(unicodedata.normalize("NFD", letters)) is None) is expected


@pytest.mark.parametrize("password", ["qw" * 64 + "!", "admi" * 32, "a1" * 64, "woaini" * 21 + "xq"])
def test_no_password_takes_long_to_judge(password: str) -> None:
    begun = time.process_time()
    refusal(password[:128])
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("char", ["\x00", "\n", "\u200b", "\ud800"])
def test_characters_that_nobody_types_are_refused(char: str, cheap: Passwords) -> None:
    assert refusal(f"{GOOD}{char}") == passwords.UNTYPEABLE
    assert not cheap.matches(cheap.hashed(GOOD), f"{GOOD}{char}")


def test_attack_05_a_password_of_a_megabyte_is_refused_before_it_is_hashed(
    cheap: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = cheap.hashed(GOOD)

    def hash_nothing(*_: object) -> bool:
        raise AssertionError("hashed")

    monkeypatch.setattr(cheap._hasher.__class__, "verify", hash_nothing)
    for password in ("x" * 1_048_576, "x" * 1025, "字" * 342):
        assert not cheap.matches(kept, password)
        assert refusal(password) == passwords.TOO_LONG
        with pytest.raises(ValueError, match="cannot be used"):
            cheap.hashed(password)


def test_the_same_characters_in_both_spellings_of_unicode_are_one_password(cheap: Passwords) -> None:
    kept = cheap.hashed(unicodedata.normalize("NFC", "crème brûlée à la pâte"))
    assert cheap.matches(kept, unicodedata.normalize("NFD", "crème brûlée à la pâte"))
    assert not cheap.matches(kept, "creme brulee a la pate")
    assert not cheap.matches(cheap.hashed("full width 12345"), "ｆｕｌｌ width 12345")


def test_a_hash_is_argon2id_of_64_mib_unless_a_test_says_otherwise() -> None:
    kept = Passwords().hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().matches(kept, GOOD)
    assert not Passwords().outdated(kept)


def test_a_hash_of_other_parameters_is_to_be_made_again(cheap: Passwords) -> None:
    assert Passwords().outdated(cheap.hashed(GOOD))
    assert not cheap.outdated(cheap.hashed(GOOD))


def test_a_password_matches_its_own_hash_only(cheap: Passwords) -> None:
    assert cheap.matches(cheap.hashed(GOOD), GOOD)
    assert not cheap.matches(cheap.hashed(GOOD), f"{GOOD} ")
    assert not cheap.matches("no hash at all", GOOD)


def test_an_unknown_account_costs_a_hash_as_well(cheap: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    real = cheap._hasher.__class__.verify

    def counting(self: object, kept: str, password: str) -> bool:
        verified.append(kept)
        return real(self, kept, password)  # type: ignore[arg-type]

    monkeypatch.setattr(cheap._hasher.__class__, "verify", counting)
    assert not cheap.matches(None, GOOD)
    assert verified[0].split("$")[3] == cheap.hashed(GOOD).split("$")[3]


def test_only_so_many_hash_at_once_and_the_others_are_told_to_wait() -> None:
    narrow = Passwords(memory_kib=64, rounds=1, lanes=1, at_once=2, patience=0.05)
    with narrow.place(), narrow.place(), pytest.raises(TooManyRequests) as refused, narrow.place():
        pass
    assert refused.value.retry_after > 0
    with narrow.place():
        pass


def test_one_who_waits_a_moment_gets_the_place_that_is_freed() -> None:
    narrow = Passwords(memory_kib=64, rounds=1, lanes=1, at_once=1, patience=5)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with narrow.place():
            entered.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(5)
    threading.Timer(0.05, leave.set).start()
    with narrow.place():
        assert leave.is_set()
    holder.join()
