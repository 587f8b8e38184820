"""Password hashing."""

import time
from functools import cache

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from practice.security import passwords

PASSWORD = "Café-Walrus 41 hums"


@cache  # a hash takes a tenth of a second
def get_stored_hash() -> str:
    return passwords.hash_password(PASSWORD)


def test_a_hash_has_its_parameters_and_a_salt() -> None:
    assert get_stored_hash().startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.hash_password(PASSWORD) != get_stored_hash()


@pytest.mark.parametrize(
    ("typed", "matches"),
    [
        (PASSWORD, True),
        ("Cafe\u0301-Walrus 41 hums", True),  # the same, composed by another keyboard
        ("Café-Walrus 41 hum", False),
        ("café-Walrus 41 hums", False),
        (PASSWORD + "\ud800", False),
        (PASSWORD + "\0", False),
    ],
)
def test_only_the_password_matches(typed: str, matches: bool) -> None:
    assert passwords.verify_password(get_stored_hash(), typed) is matches


@pytest.mark.parametrize("typed", [PASSWORD, "", "x" * 10_000])
def test_without_an_account_nothing_matches_at_the_same_cost(typed: str) -> None:
    assert passwords.verify_password(None, typed) is False
    wrong_times, missing_times = [], []
    for _ in range(3):
        for hash_, times in ((get_stored_hash(), wrong_times), (None, missing_times)):
            start = time.process_time()
            passwords.verify_password(hash_, typed)
            times.append(time.process_time() - start)
    assert 0.6 < min(missing_times) / min(wrong_times) < 1.7  # without hashing it would be a thousandth


def test_a_damaged_hash_raises() -> None:
    with pytest.raises(Argon2Error):
        passwords.verify_password("$argon2id$", PASSWORD)


def test_a_hash_of_other_parameters_still_works() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    assert passwords.verify_password(old, PASSWORD)
    assert not passwords.verify_password(old, PASSWORD + "x")
