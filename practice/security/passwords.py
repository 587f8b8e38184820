"""Passwords at rest: argon2id, and the same work whether or not there is anything to compare with."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from practice.security.rules import PASSWORD_LONGEST, normalised_password

# 64 MiB and three passes as in RFC 9106. One lane (p=1), not four: lanes share the same memory and the same passes, so
# a thief pays the same, while several sign-ins at once with four threads each would only fight over the cores.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, hash_len=32, salt_len=16)

# Well formed, with the parameters above, and the hash of nothing: all zeros. Written out, as nobody has to make it.
_NOBODYS_HASH = f"$argon2id$v=19$m=65536,t=3,p=1${'A' * 22}${'A' * 43}"

# No password that is accepted is longer than this before it is normalised (one character is spelled with at most four),
# and normalising megabytes would be a gift to whoever sends them.
_LONGEST_TYPED = 4 * PASSWORD_LONGEST


def hash_password(password: str) -> str:
    return _HASHER.hash(_bytes(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether this is the password. None (no such account) costs what a wrong password costs, and is never right.

    Only a mismatch is False: a broken stored hash or a machine out of memory raises, and is not a wrong guess.
    """
    if len(password) > _LONGEST_TYPED:
        stored, password = None, ""
    try:
        return _HASHER.verify(stored or _NOBODYS_HASH, _bytes(password))
    except VerifyMismatchError:
        return False


def _bytes(password: str) -> bytes:
    # Half a surrogate pair is no text, but it must be a wrong password rather than a crash.
    return normalised_password(password).encode("utf-8", "surrogatepass")
