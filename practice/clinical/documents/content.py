"""Stored document content."""

from secrets import token_hex


def salt() -> str:
    return token_hex(16)
