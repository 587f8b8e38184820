"""A search for words in the bytes of files, in several encodings."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path


def list_encodings(word: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the word as it is, in hex, and in base64 at each of the three positions where it can begin in a group."""
    yield "plain", word
    yield "hex", word.hex().encode()
    yield "HEX", word.hex().upper().encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + word)
        # the first and last characters depend on what is next to the word
        yield "base64", coded[(before * 8 + 5) // 6 : len(coded) - (0 if (before + len(word)) % 3 == 0 else 4)]


def find_words(words: dict[str, str | bytes], files: Iterable[Path]) -> list[tuple[str, str, str]]:
    """Return the words found, with their encodings and files."""
    encoded_words = [
        (name, form, coded)
        for name, word in words.items()
        for form, coded in list_encodings(word.encode() if isinstance(word, str) else word)
    ]
    matches = []
    for file in files:
        content = file.read_bytes()
        matches += [(name, form, file.name) for name, form, coded in encoded_words if coded in content]
    return matches


def list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
