"""Text as people type and read it: compared without capitals and accents; numbers with their nouns."""

import unicodedata


def fold(text: str) -> str:
    """Return the text without capitals and accents, for comparison."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number with its noun, in the plural unless it is one."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
