"""The second factor: time-based codes (RFC 6238: SHA-1, 6 digits, 30 seconds) and recovery codes.

These functions are stateless. Callers make sure that a code works once: with a compare-and-set on the returned step
(`UPDATE ... SET last_step = :step WHERE last_step < :step`), and by deleting a recovery code.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime

import pyotp

_STEP_SECONDS = 30
# Crockford's alphabet without I, L, O and U, so that a code on paper cannot be misread.
_RECOVERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_RECOVERY_LENGTH = 16  # of 5 bits each: 80 bits
_MISREADINGS = str.maketrans("OIL", "011")


def generate_secret() -> str:
    """Return 160 random bits in base32, as authenticator apps expect."""
    return pyotp.random_base32()


def build_provisioning_uri(secret: str, email: str, issuer: str = "Caseload") -> str:
    """Return the URI for the enrollment QR code. It contains the secret: show it once, and never log it."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def find_matching_step(secret: str, code: str, now: datetime, window: int = 1) -> int | None:
    """Return the time step of a code, at most `window` steps from now, or None if it matches none.

    Every candidate is compared, in constant time. If a code matches two steps, the later one uses up both.
    """
    if now.tzinfo is None:
        raise ValueError("The instant has no time zone.")
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // _STEP_SECONDS
    matching = None
    for candidate in range(max(0, step - window), step + window + 1):
        if hmac.compare_digest(totp.generate_otp(candidate), code):
            matching = candidate
    return matching


def generate_recovery_codes(count: int = 10) -> list[str]:
    """Return codes of 80 bits like `7QK4-M9ZT-0HXE-V2RB`, to be shown once."""
    return [_generate_recovery_code() for _ in range(count)]


def hash_recovery_code(code: str) -> bytes:
    """Return the stored hash of a recovery code, however it is typed.

    A plain SHA-256 without salt, so that it can be looked up: unlike a password, 80 random bits cannot be guessed.
    """
    typed = unicodedata.normalize("NFKC", code).upper()
    plain = "".join(character for character in typed if character.isalnum()).translate(_MISREADINGS)
    return hashlib.sha256(b"caseload recovery code:" + plain.encode()).digest()


def _generate_recovery_code() -> str:
    characters = "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LENGTH))
    return "-".join(characters[i : i + 4] for i in range(0, _RECOVERY_LENGTH, 4))
