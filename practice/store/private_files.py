"""Files that hold secrets: written whole, and readable by their owner alone."""

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """All of it or nothing, and from its first moment for nobody else to read."""
    part = file.with_name(f"{file.name}.new")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(file)
