"""Passwords at rest."""

import time
from functools import cache

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from practice.security import passwords

PASSWORD = "Café-Walrus 41 hums"


@cache  # a hash takes a tenth of a second
def stored() -> str:
    return passwords.hash_password(PASSWORD)


def test_a_hash_says_how_it_was_made_and_is_salted() -> None:
    assert stored().startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.hash_password(PASSWORD) != stored()


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (PASSWORD, True),
        ("Cafe\u0301-Walrus 41 hums", True),  # the same, as another keyboard composes it
        ("Café-Walrus 41 hum", False),
        ("café-Walrus 41 hums", False),
        (PASSWORD + "\ud800", False),
        (PASSWORD + "\0", False),
    ],
)
def test_only_the_password_is_right(typed: str, right: bool) -> None:
    assert passwords.verify_password(stored(), typed) is right


@pytest.mark.parametrize("typed", [PASSWORD, "", "x" * 10_000])
def test_without_an_account_nothing_is_right_and_the_work_is_the_same(typed: str) -> None:
    assert passwords.verify_password(None, typed) is False
    wrong, nobody = [], []
    for _ in range(3):
        for hash_, times in ((stored(), wrong), (None, nobody)):
            start = time.process_time()
            passwords.verify_password(hash_, typed)
            times.append(time.process_time() - start)
    assert 0.6 < min(nobody) / min(wrong) < 1.7  # without the work it would be a thousandth


def test_a_broken_hash_is_not_a_wrong_guess() -> None:
    with pytest.raises(Argon2Error):
        passwords.verify_password("$argon2id$", PASSWORD)


def test_a_hash_of_other_parameters_still_works() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    assert passwords.verify_password(old, PASSWORD)
    assert not passwords.verify_password(old, PASSWORD + "x")
