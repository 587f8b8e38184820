"""Rules of looking for words in a text: without regard to case and accents, from the beginning of a word on."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

MOST_WORDS = 8
BEFORE, AFTER = 60, 140  # letters around the first word found


def folded(text: str) -> str:
    """As it is compared: no capitals, no accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


@lru_cache(maxsize=4096)
def folded_letter(letter: str) -> str:
    return folded(letter)


def words_of(query: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\w+", folded(query))))[:MOST_WORDS]


def places(words: Sequence[str], text: str) -> list[int] | None:
    """Where in the folded text each of the words is first; None when one of them is not there."""
    compared = folded(text)
    found = [re.search(rf"\b{re.escape(word)}", compared) for word in words]
    return [one.start() for one in found if one] if found and all(found) else None


def snippet(text: str, place: int) -> str:
    """The surroundings of a place in the folded text, as they are written."""
    if not text.isascii():
        ends = list(accumulate(len(folded_letter(letter)) for letter in text))
        place = sum(1 for end in ends if end <= place)
    start, end = max(0, place - BEFORE), min(len(text), place + AFTER)
    while start > 0 and start < place and not text[start - 1].isspace():
        start += 1
    while end < len(text) and end > place + 1 and not text[end].isspace():
        end -= 1
    inner = " ".join(text[start:end].split())
    return f"{'… ' if start else ''}{inner}{' …' if end < len(text) else ''}"
