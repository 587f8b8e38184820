"""How much is read at most; whatever is larger is refused before it is read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bytes of a file (decompressed), bytes of a segment, segments of a transaction, files of a .zip. A file of nothing
    but delimiters takes far more memory than its size: each segment counts for four parts, each element for one."""

    file_bytes: int = 50 * 1024 * 1024
    segment_bytes: int = 64 * 1024
    transaction_segments: int = 200_000
    archive_files: int = 1_000
    file_parts: int = 16_000_000


DEFAULT = Limits()
