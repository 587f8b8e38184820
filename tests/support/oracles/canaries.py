"""Looking for words in files, byte by byte, however they were encoded."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path


def forms(word: bytes) -> Iterator[tuple[str, bytes]]:
    """The word as it stands, in hex, and in base64 at each of the three places where it can begin in a group."""
    yield "plain", word
    yield "hex", word.hex().encode()
    yield "HEX", word.hex().upper().encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + word)
        # the first and last characters depend on what stands beside the word
        yield "base64", coded[(before * 8 + 5) // 6 : len(coded) - (0 if (before + len(word)) % 3 == 0 else 4)]


def hits(words: dict[str, str | bytes], files: Iterable[Path]) -> list[tuple[str, str, str]]:
    """Which words stand in which files, and in which form."""
    wanted = [
        (name, form, coded)
        for name, word in words.items()
        for form, coded in forms(word.encode() if isinstance(word, str) else word)
    ]
    found = []
    for file in files:
        content = file.read_bytes()
        found += [(name, form, file.name) for name, form, coded in wanted if coded in content]
    return found


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
