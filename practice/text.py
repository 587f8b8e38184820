"""Text as people type it: compared without capitals and accents."""

import unicodedata


def fold(text: str) -> str:
    """Return the text without capitals and accents, for comparison."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()
