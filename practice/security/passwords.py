"""Password hashing with argon2id, at the same cost whether or not the account exists."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from practice.security.rules import PASSWORD_MAX_LENGTH, normalize_password

# 64 MiB and three passes as in RFC 9106. One lane (p=1), not four: lanes share memory and passes, so an attacker pays
# the same, while concurrent sign-ins with four threads each would only compete for the cores.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, hash_len=32, salt_len=16)

# Well formed, with the parameters above, and matching no password: all zeros.
_DUMMY_HASH = f"$argon2id$v=19$m=65536,t=3,p=1${'A' * 22}${'A' * 43}"

# No accepted password is longer than this before normalization (which joins at most four characters into one), and
# normalizing megabytes would make denial of service cheap.
_MAX_INPUT_LENGTH = 4 * PASSWORD_MAX_LENGTH


def hash_password(password: str) -> str:
    return _HASHER.hash(_encode_password(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether this is the password. None (no such account) costs as much as a wrong password.

    Only a mismatch is False: a damaged hash or lack of memory raises, and does not count as a wrong guess.
    """
    if len(password) > _MAX_INPUT_LENGTH:
        stored, password = None, ""
    try:
        return _HASHER.verify(stored or _DUMMY_HASH, _encode_password(password))
    except VerifyMismatchError:
        return False


def _encode_password(password: str) -> bytes:
    # A lone surrogate is not valid text, but must be a wrong password rather than a crash.
    return normalize_password(password).encode("utf-8", "surrogatepass")
