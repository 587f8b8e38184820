"""Upper limits on what is read; a larger file is refused before it is parsed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The largest file (decompressed), segment, transaction and .zip that is read.

    `file_parts` bounds memory: a segment counts as four parts and an element as one, because a file of nothing but
    delimiters takes far more memory than its size.
    """

    file_bytes: int = 50 * 1024 * 1024
    segment_bytes: int = 64 * 1024
    transaction_segments: int = 200_000
    archive_files: int = 1_000
    file_parts: int = 16_000_000


DEFAULT = Limits()
