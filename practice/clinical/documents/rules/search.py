"""Rules of word search: case and accents are ignored, and words match from their beginning."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from practice.text import fold

MAX_WORDS = 8
BEFORE, AFTER = 60, 140  # characters of a snippet around the first match


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    return fold(character)


def split_words(query: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\w+", fold(query))))[:MAX_WORDS]


def find_words(words: Sequence[str], text: str) -> list[int] | None:
    """Return where each word first occurs in the folded text, or None if one is missing."""
    folded = fold(text)
    matches = [re.search(rf"\b{re.escape(word)}", folded) for word in words]
    return [match.start() for match in matches if match] if matches and all(matches) else None


def extract_snippet(text: str, position: int) -> str:
    """Return the original text around a position in the folded text."""
    if not text.isascii():
        ends = list(accumulate(len(fold_character(character)) for character in text))
        position = sum(1 for end in ends if end <= position)
    start, end = max(0, position - BEFORE), min(len(text), position + AFTER)
    while start > 0 and start < position and not text[start - 1].isspace():
        start += 1
    while end < len(text) and end > position + 1 and not text[end].isspace():
        end -= 1
    inner = " ".join(text[start:end].split())
    return f"{'… ' if start else ''}{inner}{' …' if end < len(text) else ''}"
