"""Client-generated ids: UUIDs of version 7, which sort by creation time."""

import os
import time
from uuid import UUID

SYSTEM_TENANT = UUID(int=0)
"""The tenant of the installation itself, which has data keys and an audit chain of its own."""


def new_id() -> UUID:
    """Return a UUIDv7. Generating keys in the client halves the cost of writing many rows."""
    milliseconds = time.time_ns() // 1_000_000
    value = int.from_bytes(milliseconds.to_bytes(6, "big") + os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value)
