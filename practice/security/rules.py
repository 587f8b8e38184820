"""The rules for new passwords, as pure functions."""

import re
import threading
import unicodedata
from collections.abc import Sequence

from zxcvbn import zxcvbn

PASSWORD_MIN_LENGTH = 12
PASSWORD_MAX_LENGTH = 256
_MIN_STRENGTH = 3
# The cost of zxcvbn grows with the square of the length: 72 adversarial characters take over 2 s, 40 well under 1 s.
# Hardly anything is lost: a strong password is strong in its first 40 characters.
_SCORED_LENGTH = 40
# Shorter names and local parts ("jo@...") occur inside ordinary words.
_OWN_WORD_MIN_LENGTH = 3

# zxcvbn stores the user's own words in a module global: two threads would score with each other's names.
_zxcvbn_lock = threading.Lock()


def normalize_password(password: str) -> str:
    """Return the NFKC form: one spelling for composed accents and full-width letters of any keyboard."""
    return unicodedata.normalize("NFKC", password)


def password_problems(password: str, *, email: str = "", names: Sequence[str] = ()) -> list[str]:
    """Return everything that is wrong with a new password; empty if it is acceptable."""
    password = normalize_password(password)
    problems = []
    if len(password) < PASSWORD_MIN_LENGTH:
        problems.append(f"Use at least {PASSWORD_MIN_LENGTH} characters.")
    if len(password) > PASSWORD_MAX_LENGTH:
        problems.append(f"Use at most {PASSWORD_MAX_LENGTH} characters.")
    if not any(character.islower() for character in password):
        problems.append("Add a lowercase letter.")
    if not any(character.isupper() for character in password):
        problems.append("Add an uppercase letter.")
    if not any(character.isdecimal() for character in password):
        problems.append("Add a digit.")
    if not any(_is_symbol(character) for character in password):
        problems.append("Add a symbol, such as a space or a dash.")
    local_part = _extract_local_part(email)
    if len(local_part) >= _OWN_WORD_MIN_LENGTH and local_part in password.casefold():
        problems.append("Leave out your email address.")
    if _score_strength(password, _split_own_words(email, *names)) < _MIN_STRENGTH:
        problems.append("This is too easy to guess. Use several unrelated words, without your name or the practice's.")
    return problems


def _is_symbol(character: str) -> bool:
    return not (character.islower() or character.isupper() or character.isdecimal())


def _extract_local_part(email: str) -> str:
    return normalize_password(email).casefold().partition("@")[0].partition("+")[0]


def _split_own_words(*texts: str) -> list[str]:
    """Return the words of names and email addresses. zxcvbn matches whole words, so each is split and also joined."""
    pieces = [re.findall(r"[^\W_]+", normalize_password(text)) for text in texts]
    words = [word for text in pieces for word in (*text, "".join(text))]
    return [word for word in words if len(word) >= _OWN_WORD_MIN_LENGTH]


def _score_strength(password: str, own_words: list[str]) -> int:
    if not password:
        return 0  # zxcvbn fails on it
    with _zxcvbn_lock:
        return zxcvbn(password[:_SCORED_LENGTH], user_inputs=own_words)["score"]
