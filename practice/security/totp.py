"""The second factor: time-based codes (RFC 6238: SHA-1, 6 digits, 30 seconds) and recovery codes.

Nothing here remembers: that a code works once is the caller's compare-and-set on the step that `matching_step` gives
(`UPDATE ... SET last_step = :step WHERE last_step < :step`), and that a recovery code works once its delete.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime

import pyotp

_STEP_SECONDS = 30
# Crockford's alphabet: no I, L, O or U, so that a code read from paper has one reading.
_RECOVERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_RECOVERY_LENGTH = 16  # of 5 bits each: 80 bits
_MISREADINGS = str.maketrans("OIL", "011")


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, email: str, issuer: str = "Caseload") -> str:
    """What the enrolment picture says. It holds the secret: show it once, and never log it."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def matching_step(secret: str, code: str, now: datetime, window: int = 1) -> int | None:
    """The time step whose code this is, at most `window` steps from now; None when it is nobody's.

    Every candidate is compared, in constant time. Should one code fit two steps, the later counts: that uses up both.
    """
    if now.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // _STEP_SECONDS
    found = None
    for candidate in range(max(0, step - window), step + window + 1):
        if hmac.compare_digest(totp.generate_otp(candidate), code):
            found = candidate
    return found


def new_recovery_codes(n: int = 10) -> list[str]:
    """Codes of 80 bits like `7QK4-M9ZT-0HXE-V2RB`, shown to the person once."""
    return [_recovery_code() for _ in range(n)]


def recovery_code_hash(code: str) -> bytes:
    """What is stored of a recovery code, however it was typed.

    One SHA-256 without salt, so that it can be looked up: unlike a password, 80 random bits cannot be guessed.
    """
    typed = unicodedata.normalize("NFKC", code).upper()
    plain = "".join(character for character in typed if character.isalnum()).translate(_MISREADINGS)
    return hashlib.sha256(b"caseload recovery code:" + plain.encode()).digest()


def _recovery_code() -> str:
    characters = "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LENGTH))
    return "-".join(characters[i : i + 4] for i in range(0, _RECOVERY_LENGTH, 4))
