"""Files that hold secrets: written atomically, and readable by their owner alone."""

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a file atomically, with access for its owner alone from the start."""
    part = file.with_name(f"{file.name}.new")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(file)
