"""Codes of the authenticator app, and recovery codes."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.security import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
SECONDS = st.integers(0, 10**10)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [  # RFC 6238, appendix B, SHA-1; the last six of its eight digits
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp.find_matching_step(RFC_SECRET, code, at(seconds), window=0) == seconds // 30


@given(SECONDS, st.integers(-5, 5), st.integers(0, 2))
def test_a_code_is_valid_within_the_window(seconds: int, off: int, window: int) -> None:
    step = seconds // 30
    if step + off < 0:
        return
    code = pyotp.TOTP(RFC_SECRET).generate_otp(step + off)
    answer = totp.find_matching_step(RFC_SECRET, code, at(seconds), window)
    if abs(off) <= window:
        assert answer is not None
        assert pyotp.TOTP(RFC_SECRET).generate_otp(answer) == code
    else:
        assert answer != step + off


def test_a_step_changes_on_the_second() -> None:
    code = pyotp.TOTP(RFC_SECRET).generate_otp(10)
    assert totp.find_matching_step(RFC_SECRET, code, at(299.999), window=0) is None
    assert totp.find_matching_step(RFC_SECRET, code, at(300), window=0) == 10
    assert totp.find_matching_step(RFC_SECRET, code, at(329.999), window=0) == 10
    assert totp.find_matching_step(RFC_SECRET, code, at(330), window=0) is None


def test_a_code_that_matches_two_steps_counts_for_the_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", lambda self, step: "111111" if step in (9, 11) else "222222")
    assert totp.find_matching_step(RFC_SECRET, "111111", at(300)) == 11


@pytest.mark.parametrize(
    "code",
    ["", "28708", "2870820", " 287082", "287082\n", "287 082", "٢٨٧٠٨٢", "２８７０８２", "+87082", "2870b2", "²87082"],
)
def test_only_six_ascii_digits_are_a_code(code: str) -> None:
    assert totp.find_matching_step(RFC_SECRET, code, at(59)) is None


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        totp.find_matching_step(RFC_SECRET, "287082", datetime(2026, 3, 2))  # noqa: DTZ001


def test_secrets_are_long_and_unique() -> None:
    secrets = {totp.generate_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)


def test_the_enrollment_uri_names_the_account() -> None:
    secret = totp.generate_secret()
    uri = urlsplit(totp.build_provisioning_uri(secret, "mara+work@oak.example"))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Caseload:mara+work@oak.example")
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["Caseload"]}
    assert pyotp.parse_uri(uri.geturl()).at(NOW) == pyotp.TOTP(secret).at(NOW)


def test_a_code_of_another_secret_does_not_match() -> None:
    own, other = RFC_SECRET, base64.b32encode(b"x" * 20).decode()
    codes = [pyotp.TOTP(other).at(NOW + timedelta(seconds=30 * i)) for i in (-1, 0, 1)]
    assert [totp.find_matching_step(own, code, NOW) for code in codes] == [None, None, None]


def test_recovery_codes_are_readable_and_unique() -> None:
    codes = [code for _ in range(50) for code in totp.generate_recovery_codes()]
    assert len(totp.generate_recovery_codes()) == 10
    assert len(set(codes)) == len({totp.hash_recovery_code(code) for code in codes}) == 500
    assert all([len(group) for group in code.split("-")] == [4, 4, 4, 4] for code in codes)
    assert len(set("".join(codes)) - {"-"}) == 32  # five bits a character
    assert not set("".join(codes)) & set("ILOU")


@given(st.data())
def test_a_recovery_code_matches_however_it_is_typed(data: st.DataObject) -> None:
    code = "7QK1-M9ZT-0HXE-V2RB"
    spellings = {"0": "0oO０", "1": "1iIlL"}
    typed = "".join(
        data.draw(st.sampled_from(spellings.get(character, character + character.lower())))
        + data.draw(st.sampled_from(["", " ", "-", "–", "\t"]))
        for character in code.replace("-", "")
    )
    assert totp.hash_recovery_code(typed) == totp.hash_recovery_code(code)


@given(st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_another_character_makes_another_recovery_code(index: int, character: str) -> None:
    code = "7QK4M9ZT0HXEV2RB"
    other = code[:index] + character + code[index + 1 :]
    assert (totp.hash_recovery_code(other) == totp.hash_recovery_code(code)) == (other == code)
