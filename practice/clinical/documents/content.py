"""Salts of document content."""

from secrets import token_hex


def generate_salt() -> str:
    return token_hex(16)
