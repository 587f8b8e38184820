"""The rules of sign-in as pure functions: which passwords are good enough, and when a session has ended."""

import re
import threading
import unicodedata
from collections.abc import Sequence

from zxcvbn import zxcvbn

PASSWORD_SHORTEST = 12
PASSWORD_LONGEST = 256
_STRENGTH_NEEDED = 3
# zxcvbn grows with the square of the length: 72 characters written to annoy it take over 2 s, 40 well under 1 s.
# Next to nothing is lost: a password that is strong at all is strong in its first 40 characters.
_STRENGTH_LENGTH = 40
# Shorter names and local parts ("jo@...") stand in innocent words.
_OWN_WORD_SHORTEST = 3

# zxcvbn keeps the user's own words in a module global: two threads would judge by each other's names.
_zxcvbn_turn = threading.Lock()


def normalised_password(password: str) -> str:
    """One spelling for what looks the same on every keyboard (composed accents, full-width letters): NFKC."""
    return unicodedata.normalize("NFKC", password)


def password_problems(password: str, *, email: str = "", names: Sequence[str] = ()) -> list[str]:
    """Everything that is wrong with a new password, each as a sentence; empty when it will do."""
    password = normalised_password(password)
    problems = []
    if len(password) < PASSWORD_SHORTEST:
        problems.append(f"Use at least {PASSWORD_SHORTEST} characters.")
    if len(password) > PASSWORD_LONGEST:
        problems.append(f"Use at most {PASSWORD_LONGEST} characters.")
    if not any(character.islower() for character in password):
        problems.append("Add a lower-case letter.")
    if not any(character.isupper() for character in password):
        problems.append("Add an upper-case letter.")
    if not any(character.isdecimal() for character in password):
        problems.append("Add a digit.")
    if not any(_is_other(character) for character in password):
        problems.append("Add a sign that is neither a cased letter nor a digit, such as a space or a dash.")
    local_part = _local_part(email)
    if len(local_part) >= _OWN_WORD_SHORTEST and local_part in password.casefold():
        problems.append("Leave out your e-mail address.")
    if _strength(password, _own_words(email, *names)) < _STRENGTH_NEEDED:
        problems.append(
            "This is too easy to guess: use several unrelated words, none of them your name or the practice's."
        )
    return problems


def _is_other(character: str) -> bool:
    return not (character.islower() or character.isupper() or character.isdecimal())


def _local_part(email: str) -> str:
    return normalised_password(email).casefold().partition("@")[0].partition("+")[0]


def _own_words(*texts: str) -> list[str]:
    """zxcvbn looks for whole words, so that "mara.lind@oak.example" is given in pieces, and "Mara Lind" also as one."""
    pieces = [re.findall(r"[^\W_]+", normalised_password(text)) for text in texts]
    words = [word for text in pieces for word in (*text, "".join(text))]
    return [word for word in words if len(word) >= _OWN_WORD_SHORTEST]


def _strength(password: str, own_words: list[str]) -> int:
    if not password:
        return 0  # zxcvbn fails on it
    with _zxcvbn_turn:
        return zxcvbn(password[:_STRENGTH_LENGTH], user_inputs=own_words)["score"]
